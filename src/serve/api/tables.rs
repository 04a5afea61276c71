//! The tables of the home: their list, and the rows of each.

use serde_json::json;

use crate::domain::span::Span;
use crate::domain::types::{Vintage, Year};
use crate::reader::Reader;
use crate::reader::chosen::{RowChoice, WithNames};
use crate::reader::conditions::{Comparison, Condition};
use crate::reader::names::PlaceKind;
use crate::reader::rows::{RowRequest, TableName};
use crate::serve::answers::{self, Answered, Facts, Records, facts, members, records};
use crate::serve::call::Call;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::route::{Column, Kind, Parameter, names};
use crate::serve::selection::{Passed, Selection};
use crate::tables::meanings::meaning;
use crate::tables::sheet::Sheet;

/// The columns of `tables`.
pub const TABLES: [Column; 6] = [
    Column { name: "table", kind: Kind::Text, about: "The table." },
    Column { name: "column", kind: Kind::Text, about: "The column." },
    Column { name: "is_key", kind: Kind::Flag, about: "True for a column of the key." },
    Column { name: "unit", kind: Kind::Text, about: "The unit of its values." },
    Column { name: "label", kind: Kind::Text, about: "A short label." },
    Column { name: "meaning", kind: Kind::Text, about: "One sentence." },
];

const EXCEL: Parameter = Parameter::query(
    "excel",
    Kind::Flag,
    "CSV for Excel: a byte order mark, codes and formulas as texts.",
);

/// The vintage that `diff` compares with.
const BEFORE: Parameter =
    Parameter::needed("before", Kind::Integer, "The earlier vintage; 0 is the empty home.");

/// The parameters of a fixed table.
pub const FIXED: [Parameter; 8] = {
    let [_, as_of, _, _, columns, sort, limit, page, names, excel, year] = ROWS;
    [as_of, columns, sort, limit, page, names, excel, year]
};
/// The parameters of `diff`.
pub const DIFF: [Parameter; 9] = {
    let [_, as_of, _, _, columns, sort, limit, page, names, excel, year] = ROWS;
    [BEFORE, as_of, columns, sort, limit, page, names, excel, year]
};

/// The parameters of every table.
pub const ROWS: [Parameter; 11] = [
    Parameter::path("table", Kind::Text, "The table."),
    Parameter::AS_OF,
    Parameter::query("month", Kind::Month, "The month of a span, YYYYMM or YYYY-MM."),
    Parameter::query("span", Kind::SPAN, "The span of months: ytd, month or 12m."),
    Parameter::COLUMNS,
    Parameter::SORT,
    Parameter::LIMIT,
    Parameter::PAGE,
    Parameter::NAMES,
    EXCEL,
    Parameter::query("year", Kind::Text, "Years, separated by commas."),
];

/// The parameters of a series.
pub const SERIES: [Parameter; 11] = [
    Parameter::path("level", Kind::Text, "The level: nation, province, city, country, …"),
    Parameter::path("key", Kind::Text, "The code or name of the unit; `all` for the nation."),
    Parameter::AS_OF,
    Parameter::query("span", Kind::SPAN, "The span of months: ytd, month or 12m."),
    Parameter::query("from", Kind::Month, "The first month, YYYYMM or YYYY-MM."),
    Parameter::query("to", Kind::Month, "The last month, YYYYMM or YYYY-MM."),
    Parameter::COLUMNS,
    Parameter::SORT,
    Parameter::LIMIT,
    Parameter::PAGE,
    EXCEL,
];

/// `tables`: the tables and their columns.
///
/// # Errors
/// A [`Problem`] if the home cannot be read.
pub fn list(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let mut rows = Vec::new();
    for table in TableName::ALL {
        let sheet = reader.sheet(table)?;
        for field in sheet.schema.fields() {
            let of = meaning(table.name(), field.name());
            let is_chinese = call.language == crate::reader::names::Language::Chinese;
            rows.push(members(json!({
                "table": table.name(),
                "column": field.name(),
                "is_key": sheet.keys.contains(&field.name().as_str()),
                "unit": of.map(|of| &of.unit),
                "label": of.map(|of| of.label(call.language)),
                "meaning": of.map(|of| if is_chinese { &of.chinese } else { &of.english }),
            })));
        }
    }
    let (name, columns, facts) = ("tables", &TABLES[..], Facts::new());
    records((call, out), call.edition.vintage, Records { name, columns, facts, rows })
}

/// `tables/{table}`: the rows of a table.
///
/// # Errors
/// A [`Problem`] if there is no such table, vintage, year or column, or the home cannot be read.
pub fn rows(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let asked = call.segment(0);
    let table = TableName::named(asked).ok_or_else(|| {
        let there = TableName::ALL.map(TableName::name).join(", ");
        Problem::new("not_found", format!("there is no table \"{asked}\"; there are {there}"))
    })?;
    of_table((call, out), reader, &Asked { table, compared_with: None })
}

/// A table, and the vintage that its changes are compared with.
pub struct Asked {
    /// The table.
    pub table: TableName,
    /// The vintage before; `None` for the step before.
    pub compared_with: Option<Vintage>,
}

/// A fixed table without a comparison.
fn fixed(call: &Call, reader: &mut Reader, out: &mut Out, table: TableName) -> Result<(), Problem> {
    of_table((call, out), reader, &Asked { table, compared_with: None })
}

/// `files`: the accepted files.
///
/// # Errors
/// Those of [`rows`].
pub fn files(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    fixed(call, reader, out, TableName::Files)
}

/// `rejects`: the rejected lines.
///
/// # Errors
/// Those of [`rows`].
pub fn rejects(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    fixed(call, reader, out, TableName::Rejects)
}

/// `changes`: the figures that a step changed.
///
/// # Errors
/// Those of [`rows`].
pub fn changes(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    fixed(call, reader, out, TableName::Changes)
}

/// `diff`: the figures that differ between two vintages.
///
/// # Errors
/// Those of [`rows`].
pub fn diff(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let before = Vintage(call.query.needed("before")?);
    if before.0 > 0 {
        reader.check_stored(before)?;
    }
    of_table((call, out), reader, &Asked { table: TableName::Changes, compared_with: Some(before) })
}

/// The rows of a table, for any route that has the parameters of tables.
///
/// # Errors
/// Those of [`rows`].
pub fn of_table(
    (call, out): (&Call, &mut Out),
    reader: &mut Reader,
    asked: &Asked,
) -> Result<(), Problem> {
    let table = asked.table;
    let sheet = reader.sheet(table)?;
    check_parameters(call, asked, &sheet)?;
    let as_of = call.as_of(reader)?;
    let mut request = request(call, reader, table, &sheet, as_of)?;
    request.compared_with = asked.compared_with;
    if let Some(vintage) = as_of.filter(|_| is_published(&request)) {
        reader.check_stored(vintage)?;
    }
    let vintage = call.vintage(as_of);
    out.is_of(vintage);
    let names = call.with_names(reader, sheet.schema.index_of("firm").is_ok())?;
    let chosen = chosen_facts(&request, names.as_ref());
    let selection = Selection::of(call, &sheet, vintage, names)?;
    let about = reader.about(Some(Vintage(vintage)).filter(|of| of.0 > 0))?;
    reader.rows(&request, |rows| {
        let (passed, sheet) = (Passed::default(), selection.sheet(rows.sheet)?);
        let mut batches = rows.batches.map(|batch| Ok(batch?));
        let mut batches = selection.rows(&mut batches, &passed)?;
        let mut facts = facts(call, vintage);
        facts.extend(chosen);
        let after = || selection.page(call, vintage, &passed);
        let answered = Answered { sheet: &sheet, facts, about, after: &after };
        answers::rows((call, out), answered, &mut batches)
    })
}

/// True for the tables that every publication stores.
fn is_published(request: &RowRequest) -> bool {
    use TableName::{Changes, City, Plant};
    match request.table {
        City | Plant => request.month.is_none(),
        table => table == Changes,
    }
}

/// Checks that parameters belong to the table.
fn check_parameters(call: &Call, asked: &Asked, sheet: &Sheet) -> Result<(), Problem> {
    let table = asked.table;
    let columns: Vec<String> =
        sheet.schema.fields().iter().map(|field| field.name().clone()).collect();
    let is_known = |of: &&Parameter| match of.name {
        "month" | "span" => table.has_spans(),
        _ => true,
    };
    let before = asked.compared_with.map(|_| BEFORE);
    call.query.check(names(ROWS.iter().filter(is_known).chain(&before)), &columns)?;
    if matches!(table, TableName::City | TableName::Plant)
        && call.query.text("span").is_some()
        && call.query.text("month").is_none()
    {
        return Err(Problem::parameter("span", "it needs month for this table"));
    }
    Ok(())
}

fn request(
    call: &Call,
    reader: &Reader,
    table: TableName,
    sheet: &Sheet,
    as_of: Option<Vintage>,
) -> Result<RowRequest, Problem> {
    let query = &call.query;
    let choice = RowChoice {
        years: query.list::<u16>("year")?.into_iter().map(Year).collect(),
        firms: call.codes(reader, "firm", PlaceKind::Firm)?,
        cities: call.codes(reader, "city", PlaceKind::City)?,
        countries: call.codes(reader, "country", PlaceKind::Country)?,
    };
    // The number of a month is a column of tables of spans; the parameter is a month of a year.
    let taken = ["year", "firm", "city", "country", "month", "span"];
    let mut conditions = Vec::new();
    for (name, text) in
        query.iter().filter(|(name, text)| !taken.contains(name) && !text.is_empty())
    {
        if sheet.schema.index_of(name).is_ok() {
            conditions.push(condition(name, text));
        }
    }
    let has_spans = table.has_spans();
    let month = if has_spans { query.month("month")? } else { None };
    let span = if has_spans { query.value::<Span>("span")? } else { None };
    let all = RowRequest::of(table, call.edition.joint);
    Ok(RowRequest { as_of, choice, conditions, month, span, ..all })
}

/// A condition: `0.1`, `ge:0.1`, `ne:a,b`.
#[must_use]
pub fn condition(column: &str, text: &str) -> Condition {
    let named = text.split_once(':').and_then(|(name, values)| {
        let found = Comparison::NAMES.into_iter().find(|(of, _)| *of == name);
        found.map(|(_, comparison)| (comparison, values))
    });
    let (comparison, values) = named.unwrap_or((Comparison::Equal, text));
    let values = match comparison {
        Comparison::Equal | Comparison::NotEqual => values.split(',').map(str::to_owned).collect(),
        _ => vec![values.to_owned()],
    };
    Condition { column: column.to_owned(), comparison, values }
}

/// The choice of rows as facts.
fn chosen_facts(request: &RowRequest, names: Option<&WithNames>) -> Facts {
    let mut facts = Facts::new();
    facts.insert("table".to_owned(), request.table.name().into());
    if let Some(month) = request.month {
        facts.insert("month".to_owned(), super::home::dashed(month).into());
        let span = request.span.unwrap_or(Span::YearToDate);
        facts.insert("span".to_owned(), span.name().into());
    }
    if let Some(names) = names {
        let is_chinese = names.language == crate::reader::names::Language::Chinese;
        facts.insert("names".to_owned(), if is_chinese { "zh" } else { "en" }.into());
    }
    facts
}
