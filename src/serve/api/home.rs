//! The home: status, calendar, vintages.

use serde_json::{Value, json};

use crate::domain::types::Period;
use crate::reader::Reader;
use crate::reader::state::{MonthEntry, VintageEntry};
use crate::serve::answers::{Facts, Records, document, facts, members, records};
use crate::serve::call::Call;
use crate::serve::format::Format;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::route::{Column, Kind};

/// The columns of `status` in formats of tables.
pub const STATUS: [Column; 2] = [
    Column { name: "name", kind: Kind::Text, about: "The name of a fact." },
    Column { name: "value", kind: Kind::Text, about: "Its value; JSON if it is a list." },
];

/// The columns of `calendar`.
pub const CALENDAR: [Column; 6] = [
    Column { name: "month", kind: Kind::Text, about: "The month, YYYY-MM." },
    Column { name: "is_closed", kind: Kind::Flag, about: "False for the month that closes next." },
    Column { name: "publication", kind: Kind::Integer, about: "The publication that closed it." },
    Column { name: "vintage", kind: Kind::Integer, about: "The newest vintage at that time." },
    Column { name: "committed_at", kind: Kind::Time, about: "The time of the commit, in UTC." },
    Column { name: "has_growth", kind: Kind::Flag, about: "True if the feed has the year before." },
];

/// The columns of `vintages`.
pub const VINTAGES: [Column; 8] = [
    Column { name: "vintage", kind: Kind::Integer, about: "The vintage." },
    Column { name: "publication", kind: Kind::Integer, about: "The publication with it." },
    Column { name: "committed_at", kind: Kind::Time, about: "The time of the commit, in UTC." },
    Column { name: "is_stored", kind: Kind::Flag, about: "True if its tables are stored." },
    Column { name: "file", kind: Kind::Text, about: "The file; absent for other changes." },
    Column { name: "month", kind: Kind::Text, about: "The month of the file, YYYY-MM." },
    Column { name: "supersedes", kind: Kind::Text, about: "The file that it replaced." },
    Column { name: "withdraws", kind: Kind::Text, about: "The file that was withdrawn." },
];

/// `status`: the contents of the home, and the watcher.
///
/// # Errors
/// A [`Problem`] if the home cannot be read.
pub fn status(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let vintage = call.edition.vintage;
    let status = serde_json::to_value(reader.status()?);
    let mut status = members(status.map_err(|error| Problem::new("defect", error.to_string()))?);
    // A path of the server is of no use to clients.
    status.remove("home");
    status.insert("program".to_owned(), program().into());
    status.insert("alerts".to_owned(), super::alerts::status(reader)?);
    status.insert("held_until".to_owned(), call.edition.held_until().into());
    let about = reader.about(None)?;
    let about = about.into_iter().filter(|(name, _)| name.starts_with("definition"));
    let about: Facts = about.map(|(name, value)| (name, value.into())).collect();
    status.insert("definition".to_owned(), about.into());
    if call.format == Format::Json {
        let mut answer = facts(call, vintage);
        answer.extend(status);
        return document((call, out), vintage, answer);
    }
    let row = |(name, value): (String, Value)| members(json!({ "name": name, "value": value }));
    let rows = status.into_iter().map(row).collect();
    let (name, columns) = ("status", &STATUS[..]);
    records((call, out), vintage, Records { name, columns, facts: Facts::new(), rows })
}

/// The program and its version.
#[must_use]
pub fn program() -> &'static str {
    concat!("spillover ", env!("CARGO_PKG_VERSION"), env!("SPILLOVER_COMMIT"))
}

/// `calendar`: the closed months, and the month that closes next.
///
/// # Errors
/// A [`Problem`] if the home cannot be read.
pub fn calendar(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let row = |of: MonthEntry| {
        members(json!({
            "month": dashed(of.month),
            "is_closed": of.closed_by.is_some(),
            "publication": of.closed_by.map(|of| of.0),
            "vintage": of.vintage.map(|of| of.0),
            "committed_at": of.committed_at.map(|at| at.to_string()),
            "has_growth": of.has_growth,
        }))
    };
    let months = reader.calendar()?;
    let mut facts = Facts::new();
    let next = months.iter().find(|of| of.closed_by.is_none()).map(|of| dashed(of.month));
    let last = months.iter().rfind(|of| of.closed_by.is_some()).map(|of| dashed(of.month));
    facts.insert("last_closed_month".to_owned(), last.into());
    facts.insert("next_month".to_owned(), next.into());
    let rows = months.into_iter().map(row).collect();
    let (name, columns) = ("calendar", &CALENDAR[..]);
    records((call, out), call.edition.vintage, Records { name, columns, facts, rows })
}

/// `vintages`: each vintage with its publication, time and file.
///
/// # Errors
/// A [`Problem`] if the home cannot be read.
pub fn vintages(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let row = |of: VintageEntry| {
        members(json!({
            "vintage": of.vintage.0,
            "publication": of.publication.0,
            "committed_at": of.committed_at.map(|at| at.to_string()),
            "is_stored": of.is_stored,
            "file": of.file,
            "month": of.month.map(dashed),
            "supersedes": of.supersedes,
            "withdraws": of.withdraws,
        }))
    };
    let rows = reader.vintages()?.into_iter().map(row).collect();
    let (name, columns) = ("vintages", &VINTAGES[..]);
    let facts = Facts::new();
    records((call, out), call.edition.vintage, Records { name, columns, facts, rows })
}

/// A month as `YYYY-MM`.
#[must_use]
pub fn dashed(month: Period) -> String {
    format!("{}-{:02}", month.year().0, month.month())
}
