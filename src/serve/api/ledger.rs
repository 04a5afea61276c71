//! What happened to the home: revisions, findings.

use serde_json::json;

use crate::domain::types::Vintage;
use crate::reader::Reader;
use crate::reader::Steps;
use crate::reader::revisions::{LargeMove, Revision};
use crate::reader::state::FindingEntry;
use crate::serve::answers::{Facts, Records, members, records};
use crate::serve::api::home::dashed;
use crate::serve::call::Call;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::route::{Column, Kind, Parameter};

/// The most steps of an answer.
const STEPS_MAX: usize = 100;
/// The most moves of a step.
const LARGEST_MAX: usize = 100;

/// The parameters of `revisions`.
pub const REVISIONS: [Parameter; 4] = [
    Parameter::query("vintage", Kind::Integer, "The step of this vintage alone."),
    Parameter::query("last", Kind::Count(100), "The number of newest steps, 5 without it."),
    Parameter::query("largest", Kind::Count(100), "The number of largest moves, 5 without it."),
    Parameter::NAMES,
];

/// The columns of `revisions`: a row for each table and year of a step.
pub const REVISION_COLUMNS: [Column; 9] = [
    Column { name: "vintages", kind: Kind::Text, about: "The vintages of the step, 14 or 3-14." },
    Column { name: "committed_at", kind: Kind::Time, about: "The time of the commit, in UTC." },
    Column { name: "table", kind: Kind::Text, about: "The table; absent if nothing moved." },
    Column { name: "year", kind: Kind::Integer, about: "The year." },
    Column { name: "months_before", kind: Kind::Integer, about: "Months behind earlier figures." },
    Column { name: "months_after", kind: Kind::Integer, about: "Months behind current figures." },
    Column { name: "rows_new", kind: Kind::Integer, about: "New rows." },
    Column { name: "rows_gone", kind: Kind::Integer, about: "Removed rows." },
    Column { name: "figures", kind: Kind::Integer, about: "Changed figures." },
];

/// The parameters of `findings`.
pub const FINDINGS: [Parameter; 1] = [Parameter::AS_OF];

/// The columns of `findings`.
pub const FINDING_COLUMNS: [Column; 6] = [
    Column { name: "vintage", kind: Kind::Integer, about: "The vintage of the file." },
    Column { name: "file", kind: Kind::Text, about: "The file." },
    Column { name: "month", kind: Kind::Text, about: "The month in its name, YYYY-MM." },
    Column { name: "finding", kind: Kind::Text, about: "The kind of finding." },
    Column { name: "n", kind: Kind::Integer, about: "Odd lines, codes, groups or months." },
    Column { name: "counts", kind: Kind::Flag, about: "True if the file counts." },
];

/// `revisions`: the contents of steps, and the changes that they caused.
///
/// # Errors
/// A [`Problem`] if there is no such vintage, or the home cannot be read.
pub fn revisions(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let query = &call.query;
    let last = query.count("last", STEPS_MAX)?.unwrap_or(5);
    let largest = query.count("largest", LARGEST_MAX)?.unwrap_or(5);
    let which = match query.value::<u32>("vintage")? {
        Some(_) if query.text("last").is_some() => {
            return Err(Problem::parameter("last", "it contradicts vintage"));
        }
        Some(vintage) => Steps::Of(Vintage(vintage)),
        None => Steps::Last(last),
    };
    let names = call.with_names(reader, true)?;
    let steps = reader.revisions(which, largest)?;
    let steps = steps.collect::<Result<Vec<Revision>, _>>()?;
    let rows = steps.iter().flat_map(rows_of).collect();
    let name = |column: &str, code: &Option<String>| {
        let name = names.as_ref()?.name(column, code.as_deref()?)?;
        Some(name.to_owned())
    };
    let moved = |of: &LargeMove| {
        let mut moved = members(json!(of));
        if names.is_some() {
            for (column, code) in [("firm", &of.firm), ("city", &of.city), ("country", &of.country)]
            {
                moved.insert(format!("{column}_name"), name(column, code).into());
            }
        }
        moved
    };
    let step = |of: &Revision| {
        let largest: Vec<Facts> = of.largest.iter().map(moved).collect();
        json!({
            "vintages": of.vintages,
            "committed_at": of.committed_at,
            "what": of.what,
            "largest": largest,
        })
    };
    let mut facts = Facts::new();
    facts.insert("steps".to_owned(), steps.iter().map(step).collect());
    let (name, columns) = ("revisions", &REVISION_COLUMNS[..]);
    records((call, out), call.edition.vintage, Records { name, columns, facts, rows })
}

/// A row for each table and year of a step; one row if nothing moved.
fn rows_of(step: &Revision) -> Vec<Facts> {
    let mut rows: Vec<Facts> = step.years.iter().map(|year| members(json!(year))).collect();
    if rows.is_empty() {
        rows.push(Facts::new());
    }
    for row in &mut rows {
        row.insert("vintages".to_owned(), step.vintages.clone().into());
        row.insert("committed_at".to_owned(), step.committed_at.clone().into());
    }
    rows
}

/// `findings`: odd features of accepted files.
///
/// # Errors
/// A [`Problem`] if the home cannot be read.
pub fn findings(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let as_of = call.as_of(reader)?;
    let row = |of: FindingEntry| {
        members(json!({
            "vintage": of.vintage.0,
            "file": of.file,
            "month": dashed(of.month),
            "finding": of.finding.name(),
            "n": of.n,
            "counts": of.counts,
        }))
    };
    let rows = reader.findings(as_of)?.into_iter().map(row).collect();
    let (name, columns, facts) = ("findings", &FINDING_COLUMNS[..], Facts::new());
    records((call, out), call.vintage(as_of), Records { name, columns, facts, rows })
}
