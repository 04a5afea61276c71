//! Figures as SVG: the binned scatter, and a coefficient by year of estimation.

use plotters::chart::{ChartContext, MeshStyle};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    ChartBuilder, Circle, Color, DrawingArea, ErrorBar, IntoDrawingArea, IntoTextStyle, LineSeries,
    PathElement, RGBColor, SVGBackend, WHITE,
};

const SIZE: (u32, u32) = (720, 480);
const INK: RGBColor = RGBColor(31, 78, 121);
const LINE: RGBColor = RGBColor(178, 34, 34);
const FONT: &str = "sans-serif";
/// Where the note under a figure begins, and where the line that it stands on.
const NOTE_LEFT: i32 = 76;
const NOTE_TOP: i32 = 456;

/// A figure that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the figure cannot be drawn: {0}")]
pub struct PlotError(String);

/// A scatter of points with a straight line through them.
#[derive(Clone, Debug)]
pub struct ScatterPlot<'p> {
    /// Above it.
    pub title: &'p str,
    /// Under the horizontal axis.
    pub x_label: &'p str,
    /// Beside the vertical axis.
    pub y_label: &'p str,
    /// The points.
    pub points: &'p [(f64, f64)],
    /// Slope and intercept of the line.
    pub line: (f64, f64),
    /// Below it.
    pub note: &'p str,
}

/// A coefficient and its interval for each year.
#[derive(Clone, Debug)]
pub struct PathPlot<'p> {
    /// Above it.
    pub title: &'p str,
    /// Beside the vertical axis.
    pub y_label: &'p str,
    /// Year, lower end, coefficient, upper end.
    pub points: &'p [(i32, f64, f64, f64)],
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Plane>;
type Mesh<'a, 'c, 'b> = MeshStyle<'a, 'c, RangedCoordf64, RangedCoordf64, SVGBackend<'b>>;

/// The scatter as SVG.
///
/// # Errors
/// [`PlotError`] if there is no point.
pub fn scatter(plot: &ScatterPlot<'_>) -> Result<String, PlotError> {
    svg(|area| {
        let (x, y) = (
            range(plot.points.iter().map(|point| point.0))?,
            range(plot.points.iter().map(|point| point.1))?,
        );
        let (above, below) = area.split_vertically(NOTE_TOP);
        let style = (FONT, 13).into_text_style(&below);
        below.draw_text(plot.note, &style, (NOTE_LEFT, 2)).map_err(failed)?;
        let mut chart = frame(&above, plot.title, x, y)?;
        mesh(&mut chart, plot.x_label, plot.y_label).draw().map_err(failed)?;
        let (slope, intercept) = plot.line;
        let ends = [x.0, x.1].map(|at| (at, intercept + slope * at));
        chart.draw_series(LineSeries::new(ends, LINE.stroke_width(2))).map_err(failed)?;
        let dots = plot.points.iter().map(|point| Circle::new(*point, 4, INK.filled()));
        chart.draw_series(dots).map_err(failed)?;
        Ok(())
    })
}

/// The path as SVG, with its intervals and a line at zero.
///
/// # Errors
/// [`PlotError`] if there is no point.
pub fn path(plot: &PathPlot<'_>) -> Result<String, PlotError> {
    svg(|area| {
        let ends = plot.points.iter().flat_map(|point| [point.1, point.3]);
        let y = range(ends.chain([0.0]))?;
        let years = || plot.points.iter().map(|point| point.0);
        let (Some(first), Some(last)) = (years().min(), years().max()) else {
            return Err(PlotError("there is no estimate".to_owned()));
        };
        let x = (f64::from(first) - 0.5, f64::from(last) + 0.5);
        let mut chart = frame(area, plot.title, x, y)?;
        let n_years = usize::try_from(last - first + 1).unwrap_or(1);
        mesh(&mut chart, "year of estimation", plot.y_label)
            .x_labels(n_years.min(20))
            .x_label_formatter(&|year| {
                let is_year = (year - year.round()).abs() < 1e-6;
                if is_year { format!("{year:.0}") } else { String::new() }
            })
            .draw()
            .map_err(failed)?;
        let zero = vec![(x.0, 0.0), (x.1, 0.0)];
        chart.draw_series([PathElement::new(zero, LINE)]).map_err(failed)?;
        let bars = plot.points.iter().map(|(year, low, at, high)| {
            ErrorBar::new_vertical(f64::from(*year), *low, *at, *high, INK.filled(), 10)
        });
        chart.draw_series(bars).map_err(failed)?;
        Ok(())
    })
}

/// The title and the room for labels around axes over these ranges.
fn frame<'a, 'b>(
    area: &'a Area<'b>,
    title: &str,
    x: (f64, f64),
    y: (f64, f64),
) -> Result<Chart<'a, 'b>, PlotError> {
    ChartBuilder::on(area)
        .caption(title, (FONT, 18))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(x.0..x.1, y.0..y.1)
        .map_err(failed)
}

/// The grid with the axes' labels.
fn mesh<'c, 'a, 'b>(
    chart: &'c mut Chart<'a, 'b>,
    x_label: &str,
    y_label: &str,
) -> Mesh<'a, 'c, 'b> {
    let mut mesh = chart.configure_mesh();
    mesh.x_desc(x_label).y_desc(y_label).light_line_style(WHITE).label_style((FONT, 13));
    mesh
}

fn svg(draw: impl FnOnce(&Area<'_>) -> Result<(), PlotError>) -> Result<String, PlotError> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        draw(&area)?;
        area.present().map_err(failed)?;
    }
    Ok(text)
}

fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError(error.to_string())
}

/// From the smallest to the largest, with some room at both ends.
fn range(values: impl Iterator<Item = f64>) -> Result<(f64, f64), PlotError> {
    let (low, high) = values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low > high {
        return Err(PlotError("there is no point".to_owned()));
    }
    let room = if high > low { 0.06 * (high - low) } else { 0.5 * low.abs().max(1.0) };
    Ok((low - room, high + room))
}
