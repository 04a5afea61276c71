//! The SVG elements of figures; coordinates in hundredths of a pixel.

use std::fmt::Write as _;

use super::clip::Point;

/// The size of a figure, in pixels.
pub const SIZE: (f64, f64) = (720.0, 480.0);
/// The colour of titles and labels.
pub const INK: &str = "#15202b";
/// The colour of subtitles and of the labels of ticks.
pub const SECOND: &str = "#475361";
/// The colour of points and intervals.
pub const MARK: &str = "#0b6b6b";
/// The colour of the line of a regression.
pub const LINE: &str = "#b8520a";
/// The colour of bands.
pub const PALE: &str = "#d3e6e6";
/// The colour of bars above zero.
pub const UP: &str = "#b8520a";
/// The colour of bars below zero.
pub const DOWN: &str = "#1b65a8";
/// The colour of axes and of the line at zero.
pub const ZERO: &str = "#8b95a0";
/// The colour of the lines of earlier years.
pub const GRID_OF_YEARS: &str = "#c3cad1";
/// The colour of the grid.
pub const GRID: &str = "#e9edf0";

/// Fonts for both languages.
const FONTS: &str = "Helvetica, Arial, 'Noto Sans CJK SC', 'Source Han Sans SC', \
                     'Microsoft YaHei', sans-serif";

/// The mean width of a letter as a share of its font size; an East Asian character has 1.
const LETTER_WIDTH: f64 = 0.56;

/// An SVG page while elements are added.
pub struct Page {
    text: String,
}

/// The alignment of a text at its position.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// The start of the text is at the position.
    Start,
    /// The middle of the text is at the position.
    Middle,
    /// The end of the text is at the position.
    End,
}

/// The weight of a font.
#[derive(Clone, Copy)]
pub enum Weight {
    /// Normal.
    Normal,
    /// Bold.
    Bold,
}

/// The size in pixels and the colour of a text.
type Font<'f> = (f64, &'f str);

impl Page {
    /// A white page with a title for screen readers.
    pub fn new(title: &str) -> Self {
        let (width, height) = SIZE;
        let mut text = String::new();
        let _ = writeln!(
            text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"{FONTS}\">\n\
             <title>{}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#FFFFFF\"/>",
            escaped(title)
        );
        Self { text }
    }

    /// Adds a straight line.
    pub fn line(&mut self, from: Point, to: Point, colour: &str, width: f64) {
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

    /// Adds a point with a white edge, which separates it from lines behind it.
    pub fn dot(&mut self, at: Point, radius: f64) {
        let [x, y] = [at.0, at.1].map(number);
        let _ = writeln!(
            self.text,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{MARK}\" stroke=\"#ffffff\"/>"
        );
    }

    /// Adds a pale point, for values between the main ones.
    pub fn pale_dot(&mut self, at: Point, radius: f64) {
        let [x, y] = [at.0, at.1].map(number);
        let _ = writeln!(
            self.text,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{MARK}\" fill-opacity=\"0.35\"/>"
        );
    }

    /// Adds a text on one line, with its base line at `at`.
    pub fn text(&mut self, at: Point, anchor: Anchor, font: Font<'_>, text: &str) {
        self.write(at, anchor, (font, Weight::Normal), text);
    }

    /// Adds a text that starts at `at`, of a weight.
    pub fn weighted_text(&mut self, at: Point, font: Font<'_>, weight: Weight, text: &str) {
        self.write(at, Anchor::Start, (font, weight), text);
    }

    fn write(
        &mut self,
        at: Point,
        anchor: Anchor,
        ((size, colour), weight): (Font<'_>, Weight),
        text: &str,
    ) {
        if text.is_empty() {
            return;
        }
        let [x, y, size] = [at.0, at.1, size].map(number);
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let weight = match weight {
            Weight::Normal => "",
            Weight::Bold => " font-weight=\"700\"",
        };
        let _ = writeln!(
            self.text,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" font-size=\"{size}\"{weight} \
             fill=\"{colour}\">{}</text>",
            escaped(&with_minus(text))
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

/// A text with the minus sign in front of its numbers; hyphens in words stay.
fn with_minus(text: &str) -> String {
    let mut signed = String::new();
    let mut letters = text.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        let is_sign = letter == '-'
            && letters.peek().is_some_and(char::is_ascii_digit)
            && (" (,[\u{ff08}\u{ff0c}e".contains(before));
        signed.push(if is_sign { '\u{2212}' } else { letter });
        before = letter;
    }
    signed
}
