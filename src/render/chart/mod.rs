//! Figures as SVG: the binned scatter, and a coefficient by year of estimation.
//!
//! ```text
//! values ─▶ Axis (range, ticks) ─┐
//!                                ├─▶ Plane: data ─▶ page, cut at the frame ─▶ Page ─▶ SVG
//! points, line, intervals ───────┘
//! ```
//! Invariant: all marks are inside the frame. A line that leaves the frame is cut there, so its
//! slope on the page is the slope of the regression.

mod axis;
mod clip;
mod svg;

use axis::{Axis, is_drawn};
use clip::{Point, clipped};
use svg::{Anchor, GRID, INK, LINE, Page, SIZE, TEXT, fitting, width};

/// The sizes of fonts, in pixels.
const TITLE_SIZE: f64 = 17.0;
const LABEL_SIZE: f64 = 14.0;
const TICK_SIZE: f64 = 12.0;
/// Half the width of the cap of an interval, in pixels.
const CAP: f64 = 5.0;

/// The figure has no point to draw.
#[derive(Debug, thiserror::Error)]
#[error("the figure cannot be drawn: there is no finite value")]
pub struct PlotError;

/// A scatter of points with a straight line through them.
#[derive(Clone, Debug)]
pub struct ScatterPlot<'p> {
    /// The title above the figure.
    pub title: &'p str,
    /// The note under the title.
    pub note: &'p str,
    /// The label under the horizontal axis.
    pub x_label: &'p str,
    /// The label of the vertical axis.
    pub y_label: &'p str,
    /// The points.
    pub points: &'p [(f64, f64)],
    /// The slope and intercept of the line.
    pub line: (f64, f64),
}

/// A coefficient and its interval for each year.
#[derive(Clone, Debug)]
pub struct PathPlot<'p> {
    /// The title above the figure.
    pub title: &'p str,
    /// The label of the vertical axis.
    pub y_label: &'p str,
    /// The year, lower end, coefficient and upper end of each point.
    pub points: &'p [(i32, f64, f64, f64)],
}

/// Draws the scatter as SVG.
///
/// # Errors
/// [`PlotError`] if there is no point.
pub fn scatter(plot: &ScatterPlot<'_>) -> Result<String, PlotError> {
    let points = || plot.points.iter().filter(|(x, y)| is_drawn(*x) && is_drawn(*y));
    let x = Axis::over(points().map(|point| point.0), 7).ok_or(PlotError)?;
    let y = Axis::over(points().map(|point| point.1), 6).ok_or(PlotError)?;
    let plane = Plane::new(x, y);
    let mut page = Page::new(plot.title);
    plane.draw(
        &mut page,
        &Texts { title: plot.title, note: plot.note, x_label: plot.x_label, y_label: plot.y_label },
    );
    let (slope, intercept) = plot.line;
    let end = |at: f64| (at, intercept + slope * at);
    if let Some((from, to)) = plane.clipped(end(plane.x.low), end(plane.x.high)) {
        page.fit(plane.place(from), plane.place(to));
    }
    points().for_each(|point| page.dot(plane.place(*point)));
    Ok(page.finish())
}

/// Draws the path as SVG, with its intervals and a line at zero.
///
/// # Errors
/// [`PlotError`] if there is no point.
pub fn path(plot: &PathPlot<'_>) -> Result<String, PlotError> {
    let points = || plot.points.iter().filter(|point| is_drawn(point.2));
    let years = || points().map(|point| point.0);
    let (first, last) = (years().min().ok_or(PlotError)?, years().max().ok_or(PlotError)?);
    let ends = points().flat_map(|point| [point.1, point.2, point.3]);
    let y = Axis::over(ends.chain([0.0]), 6).ok_or(PlotError)?;
    let plane = Plane::new(Axis::of_years(first, last, 15), y);
    let mut page = Page::new(plot.title);
    plane.draw(
        &mut page,
        &Texts {
            title: plot.title,
            note: "",
            x_label: "year of estimation",
            y_label: plot.y_label,
        },
    );
    let zero = [plane.x.low, plane.x.high].map(|at| plane.place((at, 0.0)));
    page.line(zero[0], zero[1], LINE, 1);
    for (year, low, at, high) in points() {
        plane.draw_interval(&mut page, f64::from(*year), *low, *high);
        page.dot(plane.place((f64::from(*year), *at)));
    }
    Ok(page.finish())
}

/// The texts around a figure.
struct Texts<'t> {
    title: &'t str,
    note: &'t str,
    x_label: &'t str,
    y_label: &'t str,
}

/// Two axes, and the position of their frame on the page.
struct Plane {
    x: Axis,
    y: Axis,
    /// The upper left corner.
    start: Point,
    /// The lower right corner.
    end: Point,
}

impl Plane {
    /// A frame with the space on its left that the labels of the vertical axis need.
    fn new(x: Axis, y: Axis) -> Self {
        let labels = y.ticks.iter().map(|tick| width(&tick.label, TICK_SIZE));
        let left = 48.0 + labels.fold(0.0, f64::max);
        Self { x, y, start: (left, 62.0), end: (SIZE.0 - 24.0, SIZE.1 - 58.0) }
    }

    /// The position on the page of a point in the data's units.
    fn place(&self, at: Point) -> Point {
        let between = |from: f64, to: f64, share: f64| from + share * (to - from);
        (
            between(self.start.0, self.end.0, self.x.share(at.0)),
            between(self.end.1, self.start.1, self.y.share(at.1)),
        )
    }

    /// The part of a segment inside the frame.
    fn clipped(&self, from: Point, to: Point) -> Option<(Point, Point)> {
        clipped(from, to, self.x.range(), self.y.range())
    }

    /// Draws the grid, the frame and all texts.
    fn draw(&self, page: &mut Page, texts: &Texts<'_>) {
        let (left, top) = self.start;
        let (right, bottom) = self.end;
        let middle = f64::midpoint(left, right);
        for tick in &self.x.ticks {
            let at = self.place((tick.at, self.y.low)).0;
            page.line((at, top), (at, bottom), GRID, 1);
            page.line((at, bottom), (at, bottom + 5.0), TEXT, 1);
            page.text((at, bottom + 19.0), Anchor::Middle, TICK_SIZE, &tick.label);
        }
        for tick in &self.y.ticks {
            let at = self.place((self.x.low, tick.at)).1;
            page.line((left, at), (right, at), GRID, 1);
            page.line((left - 5.0, at), (left, at), TEXT, 1);
            page.text((left - 8.0, at + 4.0), Anchor::End, TICK_SIZE, &tick.label);
        }
        page.frame(self.start, self.end);
        let size = |text: &str, size: f64| fitting(text, size, SIZE.0 - 24.0);
        let Texts { title, note, x_label, y_label } = *texts;
        page.text((SIZE.0 / 2.0, 28.0), Anchor::Middle, size(title, TITLE_SIZE), title);
        page.text((SIZE.0 / 2.0, 50.0), Anchor::Middle, size(note, LABEL_SIZE), note);
        let at = (middle, SIZE.1 - 14.0);
        page.text(at, Anchor::Middle, size(x_label, LABEL_SIZE), x_label);
        let upright = fitting(y_label, LABEL_SIZE, SIZE.1 - 24.0);
        page.upright_text((22.0, f64::midpoint(top, bottom)), upright, y_label);
    }

    /// Draws an interval, with a cap at each end inside the frame.
    fn draw_interval(&self, page: &mut Page, x: f64, low: f64, high: f64) {
        if low.is_nan() || high.is_nan() {
            return;
        }
        let (bottom, top) = self.y.range();
        let Some((from, to)) = self.clipped((x, low.max(bottom)), (x, high.min(top))) else {
            return;
        };
        let (from, to) = (self.place(from), self.place(to));
        page.line(from, to, INK, 2);
        for (end, at) in [(low, from), (high, to)] {
            if is_drawn(end) {
                page.line((at.0 - CAP, at.1), (at.0 + CAP, at.1), INK, 2);
            }
        }
    }
}

#[cfg(test)]
mod tests;
