//! Stored estimates: their list, tables of the paper, coefficient paths.

use arrow_array::RecordBatch;
use serde_json::{Value, json};

use crate::domain::sample_end::SampleEnd;
use crate::domain::types::Year;
use crate::reader::Reader;
use crate::reader::estimates::{NoSpecification, specification};
use crate::regressions::{Asked, Bin, Path, Scatter, TableResult};
use crate::render::regression::{Layout, entries, influence, tidy};
use crate::render::report::{self, ReportFormat};
use crate::render::style::Style;
use crate::serve::answers::{self, Answered, Facts, Records, document, facts, members, records};
use crate::serve::call::Call;
use crate::serve::format::Format;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::route::{Column, Kind, Parameter};
use crate::serve::selection::{Passed, Selection};
use crate::tables::export::Selection as Stored;
use crate::tables::sheet::Sheet;

/// The parameters of `estimates`.
pub const LIST: [Parameter; 7] = [
    Parameter::AS_OF,
    Parameter::query("year", Kind::Integer, "The last year of the sample."),
    Parameter::COLUMNS,
    Parameter::SORT,
    Parameter::LIMIT,
    Parameter::PAGE,
    Parameter::query("excel", Kind::Flag, "CSV for Excel."),
];

/// The parameters of `estimates/{table}`.
pub const TABLE: [Parameter; 5] = [
    Parameter::path(
        "table",
        Kind::Text,
        "A table or one of its columns: 3, 3.4, footnote.trimmed.",
    ),
    Parameter::AS_OF,
    Parameter::query("through", Kind::Integer, "The end of the sample, YYYY or YYYYMM."),
    Parameter::query(
        "layout",
        Kind::OneOf(&["text", "markdown", "latex", "html"]),
        "A printed table: text, markdown, latex or html.",
    ),
    Parameter::query("excel", Kind::Flag, "CSV for Excel."),
];

/// The parameters of `path`.
pub const PATH: [Parameter; 3] = [
    Parameter::needed("table", Kind::Name, "A table or one of its columns, such as 3.4."),
    Parameter::query("term", Kind::Text, "The regressor, affiliate_growth without it."),
    Parameter::AS_OF,
];

/// The columns of `path`.
pub const PATH_COLUMNS: [Column; 12] = [
    Column { name: "model", kind: Kind::Text, about: "The table and its column." },
    Column { name: "identity", kind: Kind::Text, about: "The identity of the model." },
    Column { name: "term", kind: Kind::Text, about: "The regressor." },
    Column { name: "through", kind: Kind::Integer, about: "The last year of the sample." },
    Column { name: "vintage", kind: Kind::Integer, about: "The newest file at that time." },
    Column { name: "estimate", kind: Kind::Number, about: "The coefficient." },
    Column { name: "std_error", kind: Kind::Number, about: "The standard error." },
    Column { name: "conf_low", kind: Kind::Number, about: "The lower end of its 95 % interval." },
    Column { name: "conf_high", kind: Kind::Number, about: "The upper end." },
    Column { name: "n_obs", kind: Kind::Integer, about: "The number of rows." },
    Column { name: "stale", kind: Kind::Flag, about: "True if its sources have changed since." },
    Column {
        name: "month",
        kind: Kind::Integer,
        about: "The last month of each year; 12 for whole years.",
    },
];

/// The columns of a figure.
const BIN_COLUMNS: [Column; 3] = [
    Column { name: "x", kind: Kind::Number, about: "The mean of the variable in the bin." },
    Column { name: "y", kind: Kind::Number, about: "The mean of the outcome." },
    Column { name: "n", kind: Kind::Integer, about: "The number of rows." },
];

impl From<NoSpecification> for Problem {
    fn from(error: NoSpecification) -> Self {
        Self::new("no_estimate", error.to_string()).with("known", error.there)
    }
}

/// `estimates`: every stored estimate, a row for each term.
///
/// # Errors
/// A [`Problem`] if there is no such vintage or year, or an estimate cannot be read.
pub fn list(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    stored((call, out), reader, tidy::rows)
}

/// `influence`: the coefficients without each group of rows, such as a city.
///
/// # Errors
/// Those of [`list`].
pub fn influence(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    stored((call, out), reader, influence::rows)
}

/// Writes a table made from the stored estimates of a year, or of all.
fn stored(
    (call, out): (&Call, &mut Out),
    reader: &mut Reader,
    rows: fn(&[tidy::Entry]) -> (Sheet, RecordBatch),
) -> Result<(), Problem> {
    let as_of = call.as_of(reader)?;
    let year = call.query.value::<u16>("year")?.map(Year);
    let all = reader.estimates(Stored { year, as_of })?;
    let entries: Vec<_> = all.iter().map(entries::of_kept).collect();
    written((call, out), reader, call.vintage(as_of), (rows(&entries), Facts::new()))
}

/// Writes a table.
fn written(
    (call, out): (&Call, &mut Out),
    reader: &Reader,
    vintage: u32,
    ((sheet, rows), more): ((Sheet, RecordBatch), Facts),
) -> Result<(), Problem> {
    out.is_of(vintage);
    let selection = Selection::of(call, &sheet, vintage, None)?;
    let (passed, shown) = (Passed::default(), selection.sheet(&sheet)?);
    let mut batches = std::iter::once(Ok(rows));
    let mut selected = selection.rows(&mut batches, &passed)?;
    let mut facts = facts(call, vintage);
    facts.extend(more);
    let after = || selection.page(call, vintage, &passed);
    let answered = Answered { sheet: &shown, facts, about: reader.about(None)?, after: &after };
    answers::rows((call, out), answered, &mut selected)
}

/// `estimates/{table}`: a regression table.
///
/// # Errors
/// A [`Problem`] if there is no such table, no estimate is stored, or one cannot be read; for a
/// summary or a figure, if the vintage is not the newest.
pub fn table(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let asked: Asked = specification(call.segment(0))?;
    let as_of = call.as_of(reader)?;
    let through = call.query.value::<SampleEnd>("through")?;
    let tables = reader.stored_table(&asked, as_of, through)?;
    let vintage = call.vintage(as_of);
    if let Some((layout, kind)) = layout(call)? {
        out.is_of(vintage);
        let style = Style { language: call.language, ..Style::default() };
        let text = report::tables(&tables, ReportFormat::Table(layout), &style);
        let text = text.map_err(|error| Problem::new("defect", error.to_string()))?;
        return out.text(kind, &text);
    }
    let stale: Value = reader.stale_models()?.into();
    let (specification, _) = &asked;
    let mut more = Facts::new();
    more.insert("table".to_owned(), specification.name.clone().into());
    more.insert("title_en".to_owned(), specification.title.english.clone().into());
    more.insert("title_zh".to_owned(), specification.title.chinese.clone().into());
    more.insert("stale_models".to_owned(), stale);
    if call.format == Format::Json {
        let text = report::tables(&tables, ReportFormat::Json, &Style::default());
        let text = text.map_err(|error| Problem::new("defect", error.to_string()))?;
        let models = serde_json::from_str(&text);
        more.extend(members(models.map_err(|error| Problem::new("defect", error.to_string()))?));
        return document((call, out), vintage, more);
    }
    if let [TableResult::Figure { scatter, .. }] = &tables[..] {
        let (name, columns, rows) = ("figure", &BIN_COLUMNS[..], bins(scatter));
        return records((call, out), vintage, Records { name, columns, facts: more, rows });
    }
    let outcomes = tables.iter().flat_map(TableResult::outcomes);
    let entries: Vec<_> = outcomes.map(entries::of_outcome).collect();
    written((call, out), reader, vintage, (tidy::rows(&entries), more))
}

/// The bins of a figure.
fn bins(scatter: &Scatter) -> Vec<Facts> {
    let bin = |bin: &Bin| members(json!({ "x": bin.x, "y": bin.y, "n": bin.n }));
    scatter.bins.iter().map(bin).collect()
}

/// The requested layout of a printed table, with its media type.
fn layout(call: &Call) -> Result<Option<(Layout, &'static str)>, Problem> {
    Ok(Some(match call.query.text("layout") {
        None => return Ok(None),
        Some("text") => (Layout::Text, "text/plain; charset=utf-8"),
        Some("markdown") => (Layout::Markdown, "text/markdown; charset=utf-8"),
        Some("latex") => (Layout::Latex, "application/x-latex; charset=utf-8"),
        Some("html") => (Layout::Html, "text/html; charset=utf-8"),
        Some(_) => {
            return Err(Problem::parameter("layout", "write text, markdown, latex or html"));
        }
    }))
}

/// `path`: a coefficient by end of its sample.
///
/// # Errors
/// A [`Problem`] if there is no such table or regressor, or no estimate is stored.
pub fn path(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let asked: Asked = specification(&call.query.needed::<String>("table")?)?;
    let term = call.query.text("term").unwrap_or("affiliate_growth");
    let as_of = call.as_of(reader)?;
    let paths = reader.paths(&asked, term, as_of)?;
    let rows = paths.iter().flat_map(points).collect();
    let (name, columns, facts) = ("path", &PATH_COLUMNS[..], Facts::new());
    records((call, out), call.vintage(as_of), Records { name, columns, facts, rows })
}

fn points(path: &Path) -> impl Iterator<Item = Facts> {
    path.points.iter().map(|point| {
        members(json!({
            "model": path.model,
            "identity": path.identity,
            "term": path.term,
            "through": point.through.year().0,
            "vintage": point.vintage.0,
            "estimate": point.estimate,
            "std_error": point.std_error,
            "conf_low": point.conf_low,
            "conf_high": point.conf_high,
            "n_obs": point.n_obs,
            "stale": point.stale,
            "month": point.through.month(),
        }))
    })
}
