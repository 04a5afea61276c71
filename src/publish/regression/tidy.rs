//! Models as rows: one for each term, with the model's own figures beside.

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt16Array,
    UInt64Array,
};
use arrow_schema::{Field, Schema, SchemaRef};
use serde_json::Value;

use crate::publish::format::Sheet;

/// One model, and what is known of it beside.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The number under which it is kept; none if it is not.
    pub number: Option<u64>,
    /// The specification.
    pub specification: String,
    /// Its column.
    pub column: String,
    /// The last year of the sample.
    pub through: Option<u16>,
    /// The newest publication then.
    pub publication: Option<u64>,
    /// The newest file then.
    pub vintage: Option<u64>,
    /// Whether what it was estimated on has changed since.
    pub stale: Option<bool>,
    /// The model as JSON; null where it failed.
    pub model: Value,
    /// Why it failed.
    pub error: Option<String>,
}

/// A row: a term of a model; a dropped one without figures; a failed model once, without a term.
struct Row<'e> {
    entry: &'e Entry,
    term: Option<&'e Value>,
}

enum Kind {
    Text,
    Real,
    Count,
    Year,
    Flag,
}

/// The columns with their kinds; those of the second list are the term's, those of the third the
/// model's.
const ENTRY: [(&str, Kind); 8] = [
    ("estimate_id", Kind::Count),
    ("specification", Kind::Text),
    ("column", Kind::Text),
    ("year", Kind::Year),
    ("publication", Kind::Count),
    ("vintage", Kind::Count),
    ("stale", Kind::Flag),
    ("error", Kind::Text),
];
const TERM: [(&str, Kind); 7] = [
    ("term", Kind::Text),
    ("estimate", Kind::Real),
    ("std_error", Kind::Real),
    ("statistic", Kind::Real),
    ("p_value", Kind::Real),
    ("conf_low", Kind::Real),
    ("conf_high", Kind::Real),
];
const MODEL: [(&str, Kind); 16] = [
    ("formula", Kind::Text),
    ("n_obs", Kind::Count),
    ("n_missing", Kind::Count),
    ("n_singletons", Kind::Count),
    ("n_clusters", Kind::Count),
    ("k", Kind::Count),
    ("df_residual", Kind::Count),
    ("df_t", Kind::Count),
    ("r2", Kind::Real),
    ("r2_within", Kind::Real),
    ("rss", Kind::Real),
    ("vcov", Kind::Text),
    ("iterations", Kind::Count),
    ("relative_residual", Kind::Real),
    ("seconds", Kind::Real),
    ("warm_start", Kind::Flag),
];

/// Entries as a table called `estimates`.
///
/// # Panics
/// Never: the columns are made to fit.
#[must_use]
pub fn rows(entries: &[Entry]) -> (Sheet, RecordBatch) {
    let rows: Vec<Row<'_>> = entries.iter().flat_map(rows_of).collect();
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    let mut add = |name: &str, kind: &Kind, value: &dyn Fn(&Row<'_>) -> Value| {
        let values: Vec<Value> = rows.iter().map(value).collect();
        let array = array(kind, &values);
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    };
    for (name, kind) in &ENTRY {
        add(name, kind, &|row| of_entry(row.entry, name));
    }
    for (name, kind) in &TERM {
        add(name, kind, &|row| row.term.map_or(Value::Null, |term| term[*name].clone()));
    }
    for (name, kind) in &MODEL {
        add(name, kind, &|row| row.entry.model[*name].clone());
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).expect("made to fit");
    (Sheet { name: "estimates", keys: &["estimate_id", "term"], schema }, batch)
}

fn rows_of(entry: &Entry) -> Vec<Row<'_>> {
    let list = |name: &str| entry.model[name].as_array().map_or(&[][..], Vec::as_slice);
    let terms = list("terms").iter().chain(list("dropped"));
    let rows: Vec<Row<'_>> = terms.map(|term| Row { entry, term: Some(term) }).collect();
    if rows.is_empty() { vec![Row { entry, term: None }] } else { rows }
}

fn of_entry(entry: &Entry, name: &str) -> Value {
    match name {
        "estimate_id" => entry.number.into(),
        "specification" => entry.specification.clone().into(),
        "column" => entry.column.clone().into(),
        "year" => entry.through.into(),
        "publication" => entry.publication.into(),
        "vintage" => entry.vintage.into(),
        "stale" => entry.stale.into(),
        _ => entry.error.clone().into(),
    }
}

fn array(kind: &Kind, values: &[Value]) -> ArrayRef {
    match kind {
        Kind::Text => Arc::new(values.iter().map(Value::as_str).collect::<StringArray>()),
        Kind::Real => Arc::new(values.iter().map(Value::as_f64).collect::<Float64Array>()),
        Kind::Count => Arc::new(values.iter().map(Value::as_u64).collect::<UInt64Array>()),
        Kind::Flag => Arc::new(values.iter().map(Value::as_bool).collect::<BooleanArray>()),
        Kind::Year => {
            let year = |value: &Value| value.as_u64().and_then(|year| u16::try_from(year).ok());
            Arc::new(values.iter().map(year).collect::<UInt16Array>())
        }
    }
}
