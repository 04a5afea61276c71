//! The SVG elements of figures; coordinates in hundredths of a pixel.

use std::fmt::Write as _;

use super::clip::Point;

/// The size of a figure, in pixels.
pub const SIZE: (f64, f64) = (720.0, 480.0);
/// The colour of points and intervals.
pub const INK: &str = "#1F4E79";
/// The colour of lines.
pub const LINE: &str = "#B22222";
/// The colour of texts and of the frame.
pub const TEXT: &str = "#222222";
/// The colour of the grid.
pub const GRID: &str = "#E6E6E6";

/// The mean width of a letter as a share of its font size; an East Asian character has 1.
const LETTER_WIDTH: f64 = 0.56;

/// An SVG page while elements are added.
pub struct Page {
    text: String,
}

/// The alignment of a text at its position.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// The middle of the text is at the position.
    Middle,
    /// The end of the text is at the position.
    End,
}

impl Page {
    /// A white page with a title for screen readers.
    pub fn new(title: &str) -> Self {
        let (width, height) = SIZE;
        let mut text = String::new();
        let _ = writeln!(
            text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">\n\
             <title>{}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#FFFFFF\"/>",
            escaped(title)
        );
        Self { text }
    }

    /// Adds a straight line.
    pub fn line(&mut self, from: Point, to: Point, colour: &str, width: u32) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        let _ = writeln!(
            self.text,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{colour}\" \
             stroke-width=\"{width}\"/>"
        );
    }

    /// Adds the line of a regression.
    pub fn fit(&mut self, from: Point, to: Point) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        let _ = writeln!(
            self.text,
            "<polyline class=\"fit\" points=\"{x1},{y1} {x2},{y2}\" fill=\"none\" \
             stroke=\"{LINE}\" stroke-width=\"2\"/>"
        );
    }

    /// Adds a point.
    pub fn dot(&mut self, at: Point) {
        let [x, y] = [at.0, at.1].map(number);
        let _ = writeln!(self.text, "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"{INK}\"/>");
    }

    /// Adds the outline of a rectangle between two corners.
    pub fn frame(&mut self, corner: Point, other: Point) {
        let [x, y, width, height] =
            [corner.0, corner.1, other.0 - corner.0, other.1 - corner.1].map(number);
        let _ = writeln!(
            self.text,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" \
             stroke=\"{TEXT}\" stroke-width=\"1\"/>"
        );
    }

    /// Adds a text on one line, with its base line at `at`.
    pub fn text(&mut self, at: Point, anchor: Anchor, size: f64, text: &str) {
        self.write(at, anchor, size, "", text);
    }

    /// Adds a text that reads upwards, with its middle at `at`.
    pub fn upright_text(&mut self, at: Point, size: f64, text: &str) {
        let [x, y] = [at.0, at.1].map(number);
        let turned = format!(" transform=\"rotate(-90 {x} {y})\"");
        self.write(at, Anchor::Middle, size, &turned, text);
    }

    fn write(&mut self, at: Point, anchor: Anchor, size: f64, turned: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let [x, y, size] = [at.0, at.1, size].map(number);
        let anchor = match anchor {
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            self.text,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-size=\"{size}\" \
             fill=\"{TEXT}\"{turned}>{}</text>",
            escaped(text)
        );
    }

    /// The complete document.
    pub fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }
}

/// The approximate width of a text in a font of this size, in pixels.
pub fn width(text: &str, size: f64) -> f64 {
    let letters = text.chars().map(|letter| if letter < '\u{1100}' { LETTER_WIDTH } else { 1.0 });
    letters.sum::<f64>() * size
}

/// The font size at which a text has at most this width: `size`, or a smaller one.
pub fn fitting(text: &str, size: f64, width_max: f64) -> f64 {
    (size * width_max / width(text, size).max(1.0)).min(size).max(6.0)
}

/// A coordinate; a number that rounds to zero has no sign.
fn number(value: f64) -> String {
    let hundredths = (value * 100.0).round();
    format!("{}", if hundredths == 0.0 { 0.0 } else { hundredths / 100.0 })
}

/// A text for an element; characters that XML does not allow become escapes.
fn escaped(text: &str) -> String {
    let text = crate::visible::line(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
