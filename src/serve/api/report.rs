//! The report of one month, as `spillover report` writes it.

use crate::alerts::briefing as alerts;
use crate::domain::span::Span;
use crate::engine::with_causes;
use crate::reader::Reader;
use crate::reader::briefing::BriefingRequest;
use crate::reader::names::Language;
use crate::render::briefing;
use crate::serve::call::Call;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::route::{Kind, Parameter};

/// The media type of a report.
const HTML: &str = "text/html; charset=utf-8";

/// The parameters of `report`.
pub const PARAMETERS: [Parameter; 4] = [
    Parameter::query("month", Kind::Month, "The month, YYYYMM or YYYY-MM; the newest without it."),
    Parameter::query("span", Kind::SPAN, "The span of the growth: ytd, month or 12m."),
    Parameter::query("lang", Kind::LANGUAGE, "zh or en; without it, as Accept-Language says."),
    Parameter::AS_OF,
];

/// `report`: one month as a page.
///
/// # Errors
/// A [`Problem`] if there is no such month or vintage, or the home or its alerts cannot be read.
pub fn page(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let language = match call.query.text("lang") {
        None => call.language,
        Some("zh") => Language::Chinese,
        Some("en") => Language::English,
        Some(_) => return Err(Problem::parameter("lang", "write zh or en")),
    };
    let span = call.query.value::<Span>("span")?.unwrap_or(Span::YearToDate);
    let (month, as_of) = (call.query.month("month")?, call.as_of(reader)?);
    out.is_of(call.vintage(as_of));
    let request = BriefingRequest { month, as_of, span, joint: call.edition.joint };
    let mut of = reader.briefing(request)?;
    alerts::add(&mut of, reader.folder())
        .map_err(|error| Problem::new("home_unreadable", with_causes(&error)))?;
    out.text(HTML, &briefing::html(&of, &call.edition.names, language))
}
