//! Figures as SVG for print: the binned scatter, a coefficient by end of its sample, units in
//! rows, and years over their months.
//!
//! ```text
//! values ─▶ Axis (range, ticks) ─┐
//!                                ├─▶ Plane: data ─▶ page, cut at the frame ─▶ Page ─▶ SVG
//! points, line, intervals ───────┘
//! ```
//! Labels are beside the marks that they name, so no figure has a legend. Title and subtitle say
//! what is shown, with which unit and how many rows.
//!
//! Invariant: all marks are inside the frame. A line that leaves the frame is cut there, so its
//! slope on the page is the slope of the regression.

mod axis;
mod clip;
mod histogram;
mod label;
mod rows;
mod svg;
mod years;

pub use histogram::{HistogramPlot, histogram};
pub use rows::{RowMark, RowsPlot, rows};
pub use years::{YearsPlot, monthly};

use axis::{Axis, is_drawn};
use clip::{Point, clipped};
use label::{Rectangle, beside};
use svg::{Anchor, GRID, INK, LINE, MARK, Page, SECOND, SIZE, Weight, ZERO, fitting, width};

/// The sizes of fonts, in pixels.
const TITLE_SIZE: f64 = 17.0;
const SUBTITLE_SIZE: f64 = 13.0;
const LABEL_SIZE: f64 = 13.0;
const TICK_SIZE: f64 = 12.0;
/// The left edge of texts, in pixels.
const MARGIN: f64 = 24.0;
/// The upper and the lower end of the frame, in pixels.
const FRAME: (f64, f64) = (108.0, SIZE.1 - 56.0);
/// Half the width of the cap of an interval, in pixels.
const CAP: f64 = 5.0;
/// The radius of a point, and of the last point of a path, in pixels.
const RADII: (f64, f64) = (4.0, 4.5);

/// The figure has no point to draw.
#[derive(Debug, thiserror::Error)]
#[error("the figure cannot be drawn: there is no finite value")]
pub struct PlotError;

/// A scatter of points with a straight line through them.
#[derive(Clone, Debug)]
pub struct ScatterPlot<'p> {
    /// The title above the figure.
    pub title: &'p str,
    /// The text under the title: what the points are, the slope, the number of rows.
    pub subtitle: &'p str,
    /// The label under the horizontal axis.
    pub x_label: &'p str,
    /// The label of the vertical axis.
    pub y_label: &'p str,
    /// The points.
    pub points: &'p [(f64, f64)],
    /// The slope and intercept of the line.
    pub line: (f64, f64),
    /// The label beside the line.
    pub line_label: &'p str,
}

/// A coefficient and its interval at the end of a sample.
#[derive(Clone, Copy, Debug)]
pub struct PathPoint {
    /// The last year.
    pub year: i32,
    /// The last month of each year; 12 for whole years.
    pub month: u8,
    /// The interval.
    pub interval: (f64, f64),
    /// The coefficient.
    pub estimate: f64,
}

impl PathPoint {
    fn is_whole(&self) -> bool {
        self.month == 12
    }

    /// The place in time, in years: a whole year is at its number.
    fn at(&self) -> f64 {
        f64::from(self.year) - 1.0 + f64::from(self.month) / 12.0
    }
}

/// A coefficient and its interval for each end of a sample.
#[derive(Clone, Debug)]
pub struct PathPlot<'p> {
    /// The title above the figure.
    pub title: &'p str,
    /// The text under the title: what the bars are, the number of rows.
    pub subtitle: &'p str,
    /// The label under the horizontal axis.
    pub x_label: &'p str,
    /// The label of the vertical axis.
    pub y_label: &'p str,
    /// The points in order of time. Whole years are the main marks, and months are pale.
    pub points: &'p [PathPoint],
    /// The label beside the last whole year, or beside the last point without one.
    pub last_label: &'p str,
}

/// Draws the scatter as SVG.
///
/// # Errors
/// [`PlotError`] if there is no point.
pub fn scatter(plot: &ScatterPlot<'_>) -> Result<String, PlotError> {
    let points = || plot.points.iter().filter(|(x, y)| is_drawn(*x) && is_drawn(*y));
    let x = Axis::over(points().map(|point| point.0), 7).ok_or(PlotError)?;
    let y = Axis::over(points().map(|point| point.1), 6).ok_or(PlotError)?;
    let plane = Plane::new(x, y, MARGIN);
    let mut page = Page::new(plot.title);
    let ScatterPlot { title, subtitle, x_label, y_label, .. } = *plot;
    plane.draw(&mut page, &Texts { title, subtitle, x_label, y_label });
    let (slope, intercept) = plot.line;
    let end = |at: f64| (at, intercept + slope * at);
    let line = plane.clipped(end(plane.x.low), end(plane.x.high));
    if let Some((from, to)) = line {
        page.fit(plane.place(from), plane.place(to));
    }
    points().for_each(|point| page.dot(plane.place(*point), RADII.0));
    if let Some((from, to)) = line {
        let line = (plane.place(from), plane.place(to));
        let points: Vec<Point> = points().map(|point| plane.place(*point)).collect();
        let size = (width(plot.line_label, LABEL_SIZE), LABEL_SIZE);
        let frame = Rectangle { start: plane.start, end: plane.end };
        if let Some(label) = beside(line, size, &frame, &points) {
            let at = (label.start.0, label.end.1 - 2.0);
            page.text(at, Anchor::Start, (LABEL_SIZE, LINE), plot.line_label);
        }
    }
    Ok(page.finish())
}

/// Draws the path as SVG, with its intervals and a line at zero.
///
/// # Errors
/// [`PlotError`] if there is no point.
pub fn path(plot: &PathPlot<'_>) -> Result<String, PlotError> {
    let points = || plot.points.iter().filter(|point| is_drawn(point.estimate));
    // A month lies in the year before the mark of its year.
    let first = points().map(|point| point.year - i32::from(!point.is_whole())).min();
    let last = points().map(|point| point.year).max();
    let (first, last) = (first.ok_or(PlotError)?, last.ok_or(PlotError)?);
    let ends = points().flat_map(|point| [point.interval.0, point.estimate, point.interval.1]);
    let y = Axis::over(ends.chain([0.0]), 6).ok_or(PlotError)?;
    let room = MARGIN + width(plot.last_label, LABEL_SIZE);
    let plane = Plane::new(Axis::of_years(first, last, 15), y, room);
    let mut page = Page::new(plot.title);
    let PathPlot { title, subtitle, x_label, y_label, .. } = *plot;
    plane.draw(&mut page, &Texts { title, subtitle, x_label, y_label });
    let at = |point: &PathPoint| plane.place((point.at(), point.estimate));
    for point in points().filter(|point| !point.is_whole()) {
        page.pale_dot(at(point), RADII.0 - 1.0);
    }
    let whole = || points().filter(|point| point.is_whole());
    for (from, to) in whole().zip(whole().skip(1)) {
        page.line(at(from), at(to), MARK, 1.0);
    }
    let labelled = whole().next_back().or(points().next_back());
    for point in whole() {
        plane.draw_interval(&mut page, point.at(), point.interval.0, point.interval.1);
        let is_last = labelled.is_some_and(|last| last.year == point.year);
        page.dot(at(point), if is_last { RADII.1 } else { RADII.0 });
    }
    if let Some(last) = labelled {
        let (x, y) = at(last);
        page.text((x + 14.0, y + 4.0), Anchor::Start, (LABEL_SIZE, MARK), plot.last_label);
    }
    Ok(page.finish())
}

/// The texts around a figure.
struct Texts<'t> {
    title: &'t str,
    subtitle: &'t str,
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
    /// A frame with the space on its left that the labels of the vertical axis need, and `room` on
    /// its right.
    fn new(x: Axis, y: Axis, room: f64) -> Self {
        let labels = y.ticks.iter().map(|tick| width(&tick.label, TICK_SIZE));
        let left = MARGIN + 8.0 + labels.fold(0.0, f64::max);
        Self { x, y, start: (left, FRAME.0), end: (SIZE.0 - room, FRAME.1) }
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

    /// Draws the grid, the axes and all texts.
    fn draw(&self, page: &mut Page, texts: &Texts<'_>) {
        let (left, right) = (self.start.0, self.end.0);
        let bottom = self.end.1;
        for tick in &self.y.ticks {
            let at = self.place((self.x.low, tick.at)).1;
            let colour = if tick.at == 0.0 { ZERO } else { GRID };
            page.line((left, at), (right, at), colour, 1.0);
            page.text((left - 8.0, at + 4.0), Anchor::End, (TICK_SIZE, SECOND), &tick.label);
        }
        page.line((left, bottom), (right, bottom), ZERO, 1.0);
        for tick in &self.x.ticks {
            let at = self.place((tick.at, self.y.low)).0;
            page.line((at, bottom), (at, bottom + 5.0), ZERO, 1.0);
            page.text((at, bottom + 20.0), Anchor::Middle, (TICK_SIZE, SECOND), &tick.label);
        }
        let room = SIZE.0 - 2.0 * MARGIN;
        let size = |text: &str, size: f64| fitting(text, size, room);
        let Texts { title, subtitle, x_label, y_label } = *texts;
        page.line((MARGIN, 18.0), (SIZE.0 - MARGIN, 18.0), INK, 1.0);
        let title_size = size(title, TITLE_SIZE);
        page.weighted_text((MARGIN, 42.0), (title_size, INK), Weight::Bold, title);
        let subtitle_size = size(subtitle, SUBTITLE_SIZE);
        page.text((MARGIN, 63.0), Anchor::Start, (subtitle_size, SECOND), subtitle);
        let y_label_size = size(y_label, LABEL_SIZE);
        page.text((MARGIN, FRAME.0 - 14.0), Anchor::Start, (y_label_size, INK), y_label);
        let x_label_size = size(x_label, LABEL_SIZE);
        page.text((right, SIZE.1 - 14.0), Anchor::End, (x_label_size, INK), x_label);
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
        page.line(from, to, MARK, 1.8);
        for (end, at) in [(low, from), (high, to)] {
            if is_drawn(end) {
                page.line((at.0 - CAP, at.1), (at.0 + CAP, at.1), MARK, 1.8);
            }
        }
    }
}

#[cfg(test)]
mod tests;
