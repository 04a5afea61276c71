//! Answers as figures: SVG, and PNG where the server has a font with Chinese characters.

use std::io::Write as _;

use super::call::Call;
use super::format::Format;
use super::out::{Out, gone};
use super::problem::Problem;
use crate::render::chart::PlotError;

/// Writes a chart in the format of the call.
///
/// # Errors
/// A [`Problem`] if there is nothing to draw, or the server draws no pictures.
pub fn write(
    (call, out): (&Call, &mut Out),
    chart: Result<String, PlotError>,
) -> Result<(), Problem> {
    let chart = chart.map_err(|error| Problem::new("no_row", error.to_string()))?;
    let kind = call.format.media_type();
    if call.format != Format::Png {
        return out.text(kind, &chart);
    }
    let picture = png(&chart)?;
    out.is(kind, None);
    out.write_all(&picture).map_err(|_| gone())
}

#[cfg(feature = "png")]
fn png(chart: &str) -> Result<Vec<u8>, Problem> {
    use crate::engine::with_causes;
    use crate::render::picture::{self, PictureError};
    picture::png(chart).map_err(|error| match error {
        PictureError::NoFont => Problem::new("no_picture", error.to_string()),
        error => Problem::new("defect", with_causes(&error)),
    })
}

#[cfg(not(feature = "png"))]
fn png(_: &str) -> Result<Vec<u8>, Problem> {
    let detail = "this program is built without pictures; build it with --features png";
    Err(Problem::new("no_picture", detail))
}
