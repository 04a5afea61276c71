//! A figure with a line for each year over the months: the current year in front of earlier ones.

use super::axis::{Axis, is_drawn};
use super::svg::{Anchor, GRID_OF_YEARS, MARK, Page, SECOND, width};
use super::{LABEL_SIZE, MARGIN, Plane, PlotError, RADII, Texts};

/// A line for each year.
#[derive(Clone, Debug)]
pub struct YearsPlot<'p> {
    /// The title above the figure.
    pub title: &'p str,
    /// The text under the title.
    pub subtitle: &'p str,
    /// The label under the horizontal axis.
    pub x_label: &'p str,
    /// The label of the vertical axis.
    pub y_label: &'p str,
    /// The year, month and value of each point, in order. The last year is the current one.
    pub points: &'p [(i32, i32, f64)],
}

/// Draws the lines as SVG.
///
/// # Errors
/// [`PlotError`] if there is no point.
pub fn monthly(plot: &YearsPlot<'_>) -> Result<String, PlotError> {
    let points = || plot.points.iter().filter(|point| is_drawn(point.2));
    let newest = points().map(|point| point.0).max().ok_or(PlotError)?;
    let y = Axis::over(points().map(|point| point.2).chain([0.0]), 6).ok_or(PlotError)?;
    let room = MARGIN + width("0000", LABEL_SIZE) + 14.0;
    let plane = Plane::new(Axis::of_years(1, 12, 12), y, room);
    let mut page = Page::new(plot.title);
    let YearsPlot { title, subtitle, x_label, y_label, .. } = *plot;
    plane.draw(&mut page, &Texts { title, subtitle, x_label, y_label });
    let on_page = |point: &(i32, i32, f64)| plane.place((f64::from(point.1), point.2));
    let mut all: Vec<i32> = points().map(|point| point.0).collect();
    all.dedup();
    for year in all {
        let (colour, thickness) = match newest - year {
            0 => (MARK, 2.6),
            1 => (SECOND, 1.6),
            _ => (GRID_OF_YEARS, 1.2),
        };
        let own = || points().filter(move |point| point.0 == year);
        for (from, to) in own().zip(own().skip(1)).filter(|(from, to)| to.1 - from.1 <= 2) {
            page.line(on_page(from), on_page(to), colour, thickness);
        }
        if let Some(last) = own().next_back().filter(|_| newest - year < 2) {
            let (x, y) = on_page(last);
            if year == newest {
                page.dot((x, y), RADII.1);
            }
            let at = (x + 10.0, y + 4.0);
            page.text(at, Anchor::Start, (LABEL_SIZE, colour), &year.to_string());
        }
    }
    Ok(page.finish())
}
