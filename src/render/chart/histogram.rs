//! A histogram with the place of one value.

use super::axis::{Axis, is_drawn};
use super::svg::{Anchor, GRID, INK, LINE, MARK, Page, SECOND, SIZE, Weight, ZERO};
use super::svg::{fitting, width};
use super::{FRAME, LABEL_SIZE, MARGIN, PlotError, SUBTITLE_SIZE, TICK_SIZE, TITLE_SIZE};

/// The number of bars.
const N_BARS: usize = 40;
/// The left edge of the frame, in pixels.
const LEFT: f64 = 76.0;

/// Values, and one value among them.
#[derive(Clone, Debug)]
pub struct HistogramPlot<'p> {
    /// The title above the figure.
    pub title: &'p str,
    /// The text under the title.
    pub subtitle: &'p str,
    /// The label under the horizontal axis.
    pub x_label: &'p str,
    /// The values.
    pub values: &'p [f64],
    /// The value with a line.
    pub mark: f64,
    /// The label of the line.
    pub mark_label: &'p str,
}

/// Draws the numbers of values by size as SVG, with a line at one value.
///
/// # Errors
/// [`PlotError`] if there is no value to draw.
pub fn histogram(plot: &HistogramPlot<'_>) -> Result<String, PlotError> {
    let values: Vec<f64> = plot.values.iter().copied().filter(|value| is_drawn(*value)).collect();
    if values.is_empty() || !is_drawn(plot.mark) {
        return Err(PlotError);
    }
    let x = Axis::over(values.iter().copied().chain([plot.mark]), 7).ok_or(PlotError)?;
    let mut counts = [0_u32; N_BARS];
    for value in &values {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
        let bar = (x.share(*value) * real(N_BARS)) as usize;
        counts[bar.min(N_BARS - 1)] += 1;
    }
    let most = f64::from(counts.iter().copied().max().unwrap_or(1));
    let y = Axis::over([0.0, most].into_iter(), 5).ok_or(PlotError)?;
    let (top, bottom, right) = (FRAME.0, FRAME.1, SIZE.0 - MARGIN);
    let across = |share: f64| LEFT + share * (right - LEFT);
    let up = |value: f64| bottom - y.share(value) * (bottom - top);
    let mut page = Page::new(plot.title);
    texts(&mut page, plot);
    for tick in &y.ticks {
        let at = up(tick.at);
        let colour = if tick.at == 0.0 { ZERO } else { GRID };
        page.line((LEFT, at), (right, at), colour, 1.0);
        let label = (LEFT - 8.0, at + 4.0);
        page.text(label, Anchor::End, (TICK_SIZE, SECOND), &tick.label);
    }
    let bar_width = (right - LEFT) / real(N_BARS);
    for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let at = across((real(place) + 0.5) / real(N_BARS));
        page.line((at, up(0.0)), (at, up(f64::from(*count))), MARK, bar_width - 1.0);
    }
    for tick in &x.ticks {
        let at = across(x.share(tick.at));
        page.text((at, bottom + 20.0), Anchor::Middle, (TICK_SIZE, SECOND), &tick.label);
    }
    let at = across(x.share(plot.mark));
    page.line((at, top - 8.0), (at, bottom), LINE, 2.0);
    let is_left = at + 6.0 + width(plot.mark_label, LABEL_SIZE) > right;
    let (place, anchor) = if is_left { (at - 6.0, Anchor::End) } else { (at + 6.0, Anchor::Start) };
    page.text((place, top - 6.0), anchor, (LABEL_SIZE, LINE), plot.mark_label);
    Ok(page.finish())
}

/// Draws the title, the subtitle and the label of the axis.
fn texts(page: &mut Page, plot: &HistogramPlot<'_>) {
    let room = SIZE.0 - 2.0 * MARGIN;
    page.line((MARGIN, 18.0), (SIZE.0 - MARGIN, 18.0), INK, 1.0);
    let title = fitting(plot.title, TITLE_SIZE, room);
    page.weighted_text((MARGIN, 42.0), (title, INK), Weight::Bold, plot.title);
    let subtitle = fitting(plot.subtitle, SUBTITLE_SIZE, room);
    page.text((MARGIN, 63.0), Anchor::Start, (subtitle, SECOND), plot.subtitle);
    let label = fitting(plot.x_label, LABEL_SIZE, room);
    page.text((SIZE.0 - MARGIN, SIZE.1 - 14.0), Anchor::End, (label, INK), plot.x_label);
}

#[expect(clippy::cast_precision_loss, reason = "a few bars")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_count_the_values_and_the_mark_has_its_label() {
        let (title, subtitle, x_label, mark_label) = ("t", "s", "x", "here");
        let values = [0.0, 0.0, 1.0, f64::NAN];
        let plot =
            HistogramPlot { title, subtitle, x_label, values: &values, mark: 0.5, mark_label };
        let svg = histogram(&plot).expect("a figure");
        assert_eq!(svg.matches(MARK).count(), 2, "{svg}");
        assert!(svg.contains(">here<"));
        histogram(&HistogramPlot { values: &[f64::NAN], ..plot }).expect_err("no value");
    }
}
