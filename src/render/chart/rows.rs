//! A figure with a row for each unit: a point with its interval and a wider band, or a bar from
//! zero.

use super::axis::{Axis, is_drawn};
use super::svg::{Anchor, DOWN, GRID, INK, MARK, PALE, Page, SECOND, SIZE, UP, Weight, ZERO};
use super::svg::{fitting, width};
use super::{FRAME, LABEL_SIZE, MARGIN, PlotError, RADII, SUBTITLE_SIZE, TICK_SIZE, TITLE_SIZE};

/// The largest width of the labels of rows, in pixels.
const LABELS_MAX: f64 = 190.0;
/// The share of a row's height that a bar or a band takes.
const THICKNESS: f64 = 0.5;

/// The value of a row.
#[derive(Clone, Debug)]
pub enum RowMark {
    /// A bar from zero.
    Bar(f64),
    /// A point with an interval and a band.
    Point {
        /// The value.
        at: f64,
        /// The interval.
        interval: Option<(f64, f64)>,
        /// The band.
        band: Option<(f64, f64)>,
    },
}

/// A figure with a row for each unit.
#[derive(Clone, Debug)]
pub struct RowsPlot<'p> {
    /// The title above the figure.
    pub title: &'p str,
    /// The text under the title: what marks and bands are.
    pub subtitle: &'p str,
    /// The label under the horizontal axis.
    pub x_label: &'p str,
    /// The label and the value of each row, from the top.
    pub rows: &'p [(String, RowMark)],
}

impl RowMark {
    fn values(&self) -> Vec<f64> {
        match self {
            Self::Bar(at) => vec![*at],
            Self::Point { at, interval, band } => {
                let ends = interval.iter().chain(band).flat_map(|(low, high)| [*low, *high]);
                ends.chain([*at]).collect()
            }
        }
    }
}

/// Draws the rows as SVG, with a line at zero.
///
/// # Errors
/// [`PlotError`] if there is no row with a value.
pub fn rows(plot: &RowsPlot<'_>) -> Result<String, PlotError> {
    let is_shown = |row: &&(String, RowMark)| row.1.values().into_iter().all(is_drawn);
    let rows: Vec<&(String, RowMark)> = plot.rows.iter().filter(is_shown).collect();
    if rows.is_empty() {
        return Err(PlotError);
    }
    let values = rows.iter().flat_map(|(_, mark)| mark.values());
    let x = Axis::over(values.chain([0.0]), 7).ok_or(PlotError)?;
    let labels = rows.iter().map(|(label, _)| width(label, TICK_SIZE)).fold(0.0, f64::max);
    let left = MARGIN + 8.0 + labels.min(LABELS_MAX);
    let right = SIZE.0 - MARGIN;
    let place = |value: f64| left + x.share(value) * (right - left);
    let mut page = Page::new(plot.title);
    texts(&mut page, plot);
    let bottom = FRAME.1;
    for tick in &x.ticks {
        let at = place(tick.at);
        let colour = if tick.at == 0.0 { ZERO } else { GRID };
        page.line((at, FRAME.0), (at, bottom), colour, 1.0);
        page.text((at, bottom + 20.0), Anchor::Middle, (TICK_SIZE, SECOND), &tick.label);
    }
    #[expect(clippy::cast_precision_loss, reason = "a few rows")]
    let height = ((bottom - FRAME.0) / rows.len() as f64).min(34.0);
    let size = TICK_SIZE.min(height * 0.9);
    let mut y = FRAME.0 + height / 2.0;
    for (label, mark) in rows {
        let label_size = fitting(label, size, LABELS_MAX);
        page.text((left - 8.0, y + 4.0), Anchor::End, (label_size, INK), label);
        let mut draw = |(low, high): (f64, f64), colour, thickness| {
            page.line((place(low), y), (place(high), y), colour, thickness);
        };
        match mark {
            RowMark::Bar(at) => {
                let colour = if *at < 0.0 { DOWN } else { UP };
                draw((0.0, *at), colour, height * THICKNESS);
            }
            RowMark::Point { at, interval, band } => {
                if let Some(band) = band {
                    draw(*band, PALE, height * THICKNESS);
                }
                if let Some(interval) = interval {
                    draw(*interval, MARK, 1.8);
                }
                page.dot((place(*at), y), RADII.0);
            }
        }
        y += height;
    }
    Ok(page.finish())
}

/// Draws the title, the subtitle and the label of the axis.
fn texts(page: &mut Page, plot: &RowsPlot<'_>) {
    let room = SIZE.0 - 2.0 * MARGIN;
    page.line((MARGIN, 18.0), (SIZE.0 - MARGIN, 18.0), INK, 1.0);
    let title = fitting(plot.title, TITLE_SIZE, room);
    page.weighted_text((MARGIN, 42.0), (title, INK), Weight::Bold, plot.title);
    let subtitle = fitting(plot.subtitle, SUBTITLE_SIZE, room);
    page.text((MARGIN, 63.0), Anchor::Start, (subtitle, SECOND), plot.subtitle);
    let label = fitting(plot.x_label, LABEL_SIZE, room);
    page.text((SIZE.0 - MARGIN, SIZE.1 - 14.0), Anchor::End, (label, INK), plot.x_label);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_mark_and_none_is_no_figure() {
        let point = RowMark::Point { at: 1.0, interval: Some((0.0, 2.0)), band: Some((-1.0, 3.0)) };
        let rows_of = [
            ("a & b".to_owned(), point),
            ("down".to_owned(), RowMark::Bar(-2.0)),
            ("none".to_owned(), RowMark::Bar(f64::NAN)),
        ];
        let (title, subtitle, x_label) = ("t", "s", "x");
        let plot = RowsPlot { title, subtitle, x_label, rows: &rows_of };
        let svg = rows(&plot).expect("a figure");
        assert_eq!((svg.matches("<circle").count(), svg.matches(PALE).count()), (1, 1));
        assert_eq!((svg.matches(DOWN).count(), svg.matches(UP).count()), (1, 0));
        assert!(svg.contains("a &amp; b") && !svg.contains("none"));
        rows(&RowsPlot { rows: &rows_of[2..], ..plot }).expect_err("no value");
    }
}
