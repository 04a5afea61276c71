//! Alerts and their replay as tables.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt8Array, UInt16Array,
    UInt32Array, UInt64Array,
};
use arrow_schema::{Field, Schema};

use super::alert::Alert;
use super::replay::Replayed;
use super::store::StoredAlert;
use crate::tables::cells::truth;
use crate::tables::sheet::Sheet;

/// The name of the table of alerts.
pub const STORED: &str = "alerts";
/// The name of the table of replayed alerts.
pub const REPLAY: &str = "alerts-test";

type Columns = Vec<(&'static str, ArrayRef)>;

fn text<'a>(of: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(of.collect::<StringArray>())
}

fn figure(of: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(of.map(|value| value.filter(|value| value.is_finite())).collect::<Float64Array>())
}

fn count(of: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(of.collect::<UInt64Array>())
}

/// A table of columns; columns of flags are true or false.
pub(super) fn table(
    (name, keys): (&'static str, &'static [&'static str]),
    columns: Columns,
) -> (Sheet, RecordBatch) {
    let field = |(name, array): &(&'static str, ArrayRef)| match array.data_type() {
        arrow_schema::DataType::Boolean => truth(name),
        kind => Field::new(*name, kind.clone(), true),
    };
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays);
    (Sheet { name, keys, schema }, batch.expect("columns are made for their fields"))
}

/// The columns that identify an alert.
pub(super) fn keys<'a>(alerts: &[&'a Alert]) -> Columns {
    let of = |of: fn(&'a Alert) -> Option<&'a str>| text(alerts.iter().copied().map(of));
    let year = |alert: &&Alert| alert.month.and_then(|month| u16::try_from(month / 100).ok());
    let month = |alert: &&Alert| alert.month.and_then(|month| u8::try_from(month % 100).ok());
    vec![
        ("id", of(|alert| Some(&alert.id))),
        ("rule", of(|alert| Some(&alert.rule))),
        ("condition", of(|alert| Some(&alert.condition))),
        ("table", of(|alert| alert.table.as_deref())),
        ("figure", of(|alert| alert.figure.as_deref())),
        ("level", of(|alert| alert.level.as_deref())),
        ("key", of(|alert| Some(&alert.key))),
        ("year", Arc::new(alerts.iter().map(year).collect::<UInt16Array>())),
        ("month", Arc::new(alerts.iter().map(month).collect::<UInt8Array>())),
        ("span", of(|alert| alert.span.as_deref())),
        ("baseline", of(|alert| alert.baseline.as_deref())),
        ("vintage", Arc::new(UInt32Array::from_iter_values(alerts.iter().map(|of| of.vintage)))),
    ]
}

/// The columns with the figures of an alert.
pub(super) fn figures(alerts: &[&Alert]) -> Columns {
    let of = |of: fn(&Alert) -> Option<f64>| figure(alerts.iter().copied().map(of));
    let n = |of: fn(&Alert) -> Option<u64>| count(alerts.iter().copied().map(of));
    let tags: Vec<String> = alerts.iter().map(|alert| alert.tags.join(" ")).collect();
    vec![
        ("value", of(|alert| alert.value)),
        ("conf_low", of(|alert| alert.conf_low)),
        ("conf_high", of(|alert| alert.conf_high)),
        ("threshold", of(|alert| alert.threshold)),
        ("before", of(|alert| alert.before)),
        ("z", of(|alert| alert.z)),
        ("p_value", of(|alert| alert.p_value)),
        ("q_value", of(|alert| alert.q_value)),
        ("years", n(|alert| alert.years)),
        ("n", n(|alert| alert.n)),
        ("firms", n(|alert| alert.firms)),
        ("tags", text(tags.iter().map(|tags| Some(tags.as_str())))),
    ]
}

/// The sentences of an alert.
pub(super) fn texts(alerts: &[&Alert]) -> Columns {
    vec![
        ("text", text(alerts.iter().map(|alert| Some(alert.text.as_str())))),
        ("text_zh", text(alerts.iter().map(|alert| Some(alert.text_zh.as_str())))),
    ]
}

/// The table of stored alerts.
#[must_use]
pub fn stored(rows: &[StoredAlert]) -> (Sheet, RecordBatch) {
    let alerts: Vec<&Alert> = rows.iter().map(|row| &row.alert).collect();
    let of = |of: fn(&StoredAlert) -> Option<&str>| text(rows.iter().map(of));
    let mut columns = keys(&alerts);
    let cleared = rows.iter().map(|row| row.cleared_vintage).collect::<UInt32Array>();
    columns.extend([
        ("state", of(|row| Some(row.state()))),
        ("raised_at", of(|row| Some(&row.raised_at))),
        ("cleared_at", of(|row| row.cleared_at.as_deref())),
        ("cleared_vintage", Arc::new(cleared) as ArrayRef),
        ("acknowledged_at", of(|row| row.acknowledged_at.as_deref())),
    ]);
    columns.extend(figures(&alerts));
    columns.extend(texts(&alerts));
    table((STORED, &["id"]), columns)
}

/// The table of alerts that are not stored.
#[must_use]
pub fn previewed(alerts: &[Alert]) -> (Sheet, RecordBatch) {
    let alerts: Vec<&Alert> = alerts.iter().collect();
    let mut columns = keys(&alerts);
    columns.extend(figures(&alerts));
    columns.extend(texts(&alerts));
    table((STORED, &["id"]), columns)
}

/// The table of replayed alerts.
#[must_use]
pub fn replayed(rows: &[Replayed]) -> (Sheet, RecordBatch) {
    let alerts: Vec<&Alert> = rows.iter().map(|row| &row.alert).collect();
    let mut columns = keys(&alerts);
    columns.extend(figures(&alerts));
    let confirmed = rows.iter().map(|row| row.confirmed).collect::<BooleanArray>();
    columns.extend([
        ("final_month", count(rows.iter().map(|row| row.final_month.map(u64::from)))),
        ("final_value", figure(rows.iter().map(|row| row.final_value))),
        ("confirmed", Arc::new(confirmed) as ArrayRef),
        ("lead_months", count(rows.iter().map(|row| row.lead_months))),
    ]);
    columns.extend(texts(&alerts));
    table((REPLAY, &["id"]), columns)
}
