//! Alerts: their list, and their acknowledgement, the one write of the service.

use jiff::Timestamp;
use serde_json::json;

use crate::alerts::store::{Acknowledged, Store, StoreError};
use crate::alerts::{sheets, status::AlertStatus};
use crate::clock;
use crate::engine::with_causes;
use crate::reader::Reader;
use crate::reader::conditions::{Comparison, Condition};
use crate::serve::answers::{self, Answered, Facts, Records, facts, members, records};
use crate::serve::call::Call;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::route::{Column, Kind, Parameter};
use crate::serve::selection::{Passed, Selection};

/// The parameters that choose rows by a column.
const CHOICES: [&str; 6] = ["state", "rule", "condition", "level", "key", "year"];

/// The states of an alert.
const STATES: &[&str] = &["raised", "cleared"];

/// The parameters of `alerts`.
pub const ALERTS: [Parameter; 11] = [
    Parameter::query("state", Kind::OneOf(STATES), "raised or cleared; both without it."),
    Parameter::query("rule", Kind::Text, "Rules, separated by commas."),
    Parameter::query("condition", Kind::Text, "Conditions, such as z, separated by commas."),
    Parameter::query("level", Kind::Text, "Levels, separated by commas."),
    Parameter::query("key", Kind::Text, "Units of a level, separated by commas."),
    Parameter::query("year", Kind::Text, "Years, separated by commas."),
    Parameter::AS_OF,
    Parameter::COLUMNS,
    Parameter::SORT,
    Parameter::LIMIT,
    Parameter::PAGE,
];

/// The parameters of an acknowledgement.
pub const ACK: [Parameter; 1] = [Parameter::path("id", Kind::Text, "The identifier of the alert.")];

/// The columns of an acknowledgement.
pub const ACK_COLUMNS: [Column; 2] = [
    Column { name: "id", kind: Kind::Text, about: "The identifier of the alert." },
    Column { name: "acknowledged_at", kind: Kind::Time, about: "The time, in UTC." },
];

/// `alerts`: the alerts up to a vintage, in the order in which they were raised.
///
/// # Errors
/// A [`Problem`] if there is no such vintage, or the alerts cannot be read.
pub fn list(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let as_of = call.as_of(reader)?;
    let vintage = call.vintage(as_of);
    out.is_of(vintage);
    let store = Store::read(reader.folder()).map_err(unreadable)?;
    let mut alerts = store.map_or_else(|| Ok(Vec::new()), |store| store.alerts(0));
    if let Ok(alerts) = &mut alerts {
        alerts.retain(|of| of.alert.vintage <= vintage);
    }
    let (sheet, mut rows) = sheets::stored(&alerts.map_err(unreadable)?);
    for column in CHOICES {
        let values = call.query.list::<String>(column)?;
        if !values.is_empty() {
            if column == "state" && values.iter().any(|of| !STATES.contains(&of.as_str())) {
                return Err(Problem::parameter(column, "write raised or cleared"));
            }
            let name = column.to_owned();
            let chosen = Condition { column: name, comparison: Comparison::Equal, values };
            rows = chosen.rows(rows).map_err(|error| Problem::parameter(column, error))?;
        }
    }
    let selection = Selection::of(call, &sheet, vintage, None)?;
    let (passed, shown) = (Passed::default(), selection.sheet(&sheet)?);
    let mut batches = std::iter::once(Ok(rows));
    let mut selected = selection.rows(&mut batches, &passed)?;
    let (facts, about) = (facts(call, vintage), reader.about(as_of)?);
    let after = || selection.page(call, vintage, &passed);
    let answered = Answered { sheet: &shown, facts, about, after: &after };
    answers::rows((call, out), answered, &mut selected)
}

/// `alerts/{id}/ack`: acknowledges an alert.
///
/// # Errors
/// A [`Problem`] if there is no such alert, or the database cannot be written.
pub fn acknowledge(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let id = call.segment(0);
    let none = || Problem::new("no_row", format!("there is no alert \"{id}\"; see /api/v1/alerts"));
    Store::read(reader.folder()).map_err(unreadable)?.ok_or_else(none)?;
    let now = clock::now().unwrap_or(Timestamp::UNIX_EPOCH);
    let mut store = Store::open(reader.folder()).map_err(unreadable)?;
    let at = match store.acknowledge(id, now).map_err(unreadable)? {
        Acknowledged::Now(at) | Acknowledged::Before(at) => at,
        Acknowledged::NoAlert => return Err(none()),
    };
    let rows = vec![members(json!({ "id": id, "acknowledged_at": at }))];
    let (name, columns, facts) = ("ack", &ACK_COLUMNS[..], Facts::new());
    records((call, out), call.edition.vintage, Records { name, columns, facts, rows })
}

/// The state of alerts for the status of the home.
///
/// # Errors
/// A [`Problem`] if the alerts cannot be read.
pub fn status(reader: &Reader) -> Result<serde_json::Value, Problem> {
    Ok(json!(AlertStatus::of(reader.folder()).map_err(unreadable)?))
}

#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
fn unreadable(error: StoreError) -> Problem {
    Problem::new("home_unreadable", with_causes(&error))
}
