//! Models as rows: one for each term, with the figures of its model.

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt8Array,
    UInt16Array, UInt64Array,
};
use arrow_schema::{Field, Schema, SchemaRef};

use crate::domain::sample_end::SampleEnd;
use crate::estimate::result::{Estimate, Influence, TermEstimate, WildTerm};
use crate::tables::sheet::Sheet;

/// One model, with the facts about its estimation.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The number of the stored estimate; `None` if it is not stored.
    pub number: Option<u64>,
    /// The specification.
    pub specification: String,
    /// Its column.
    pub column: String,
    /// The end of the sample.
    pub through: Option<SampleEnd>,
    /// The newest publication at the time.
    pub publication: Option<u64>,
    /// The newest vintage at the time.
    pub vintage: Option<u64>,
    /// True if the data behind the estimate have changed since.
    pub stale: Option<bool>,
    /// The estimate with its seconds, if it exists.
    pub fit: Option<(Estimate, f64)>,
    /// The reason for a missing estimate.
    pub error: Option<String>,
    /// The identity of the model.
    pub model: ModelEntry,
}

/// The identity of a model, for human readers.
#[derive(Clone, Debug, Default)]
pub struct ModelEntry {
    /// The formula of a model without an estimate; an estimate has its own.
    pub formula: Option<String>,
    /// The hash of everything that decides the figures.
    pub identity: Option<String>,
    /// The panel.
    pub panel: Option<String>,
    /// The rules of its sample.
    pub sample: Option<String>,
    /// The conventions of its standard errors that differ from the defaults.
    pub conventions: Option<String>,
    /// The state: `estimated`, lacking data or failed.
    pub state: Option<String>,
}

/// A row: a term of a model, a dropped term without figures, or a failed model without a term.
struct Row<'e> {
    entry: &'e Entry,
    term: Option<Term<'e>>,
}

enum Term<'e> {
    Estimated(&'e TermEstimate),
    Dropped(&'e str),
}

/// A column: the function that gets a row's cell, by the kind of its values.
enum Column {
    Text(fn(&Row<'_>) -> Option<String>),
    Real(fn(&Row<'_>) -> Option<f64>),
    Count(fn(&Row<'_>) -> Option<u64>),
    Year(fn(&Row<'_>) -> Option<u16>),
    Month(fn(&Row<'_>) -> Option<u8>),
    Flag(fn(&Row<'_>) -> Option<bool>),
}

/// The columns in order; new columns are added at the end.
const COLUMNS: [(&str, Column); 45] = [
    ("estimate_id", Column::Count(|row| row.entry.number)),
    ("specification", Column::Text(|row| Some(row.entry.specification.clone()))),
    ("column", Column::Text(|row| Some(row.entry.column.clone()))),
    ("year", Column::Year(|row| Some(row.entry.through?.year().0))),
    ("publication", Column::Count(|row| row.entry.publication)),
    ("vintage", Column::Count(|row| row.entry.vintage)),
    ("stale", Column::Flag(|row| row.entry.stale)),
    ("error", Column::Text(|row| row.entry.error.clone())),
    ("term", Column::Text(|row| row.term.as_ref().map(Term::name))),
    ("estimate", Column::Real(|row| Some(row.estimated()?.estimate).filter(|b| b.is_finite()))),
    ("std_error", Column::Real(|row| row.estimated()?.std_error)),
    ("statistic", Column::Real(|row| row.estimated()?.statistic)),
    ("p_value", Column::Real(|row| row.estimated()?.p_value)),
    ("conf_low", Column::Real(|row| row.estimated()?.conf_low)),
    ("conf_high", Column::Real(|row| row.estimated()?.conf_high)),
    ("formula", Column::Text(|row| row.entry.formula())),
    ("n_obs", Column::Count(|row| Some(row.estimate()?.n_obs as u64))),
    ("n_missing", Column::Count(|row| Some(row.estimate()?.n_missing as u64))),
    ("n_singletons", Column::Count(|row| Some(row.estimate()?.n_singletons as u64))),
    ("n_clusters", Column::Count(|row| Some(row.estimate()?.n_clusters? as u64))),
    ("k", Column::Count(|row| Some(row.estimate()?.k as u64))),
    ("df_residual", Column::Count(|row| Some(row.estimate()?.df_residual as u64))),
    ("df_t", Column::Count(|row| Some(row.estimate()?.df_t as u64))),
    ("r2", Column::Real(|row| row.estimate()?.r2)),
    ("r2_within", Column::Real(|row| row.estimate()?.r2_within)),
    ("rss", Column::Real(|row| Some(row.estimate()?.rss).filter(|rss| rss.is_finite()))),
    ("vcov", Column::Text(|row| Some(row.estimate()?.vcov.clone()))),
    ("iterations", Column::Count(|row| Some(row.estimate()?.iterations as u64))),
    ("relative_residual", Column::Real(|row| Some(row.estimate()?.relative_residual))),
    ("seconds", Column::Real(|row| Some(row.entry.fit.as_ref()?.1))),
    ("warm_start", Column::Flag(|row| Some(row.estimate()?.warm_start))),
    ("identity", Column::Text(|row| row.entry.model.identity.clone())),
    ("panel", Column::Text(|row| row.entry.model.panel.clone())),
    ("sample", Column::Text(|row| row.entry.model.sample.clone())),
    ("conventions", Column::Text(|row| row.entry.model.conventions.clone())),
    ("state", Column::Text(|row| row.entry.model.state.clone())),
    ("std_error_reason", Column::Text(|row| Some(row.estimated()?.std_error_reason?.to_string()))),
    ("cv3_groups", Column::Text(|row| Some(row.influence()?.groups.clone()))),
    ("cv3_std_error", Column::Real(|row| row.by_cv3()?.std_error)),
    ("cv3_p_value", Column::Real(|row| row.by_cv3()?.p_value)),
    ("cv3_conf_low", Column::Real(|row| row.by_cv3()?.conf_low)),
    ("cv3_conf_high", Column::Real(|row| row.by_cv3()?.conf_high)),
    ("wild_p_value", Column::Real(|row| row.by_bootstrap()?.p_value)),
    ("wild_draws", Column::Count(|row| Some(row.influence()?.wild.as_ref()?.n_draws as u64))),
    ("month", Column::Month(|row| Some(row.entry.through?.month()))),
];

impl Entry {
    /// The name of the model: specification and column.
    #[must_use]
    pub fn name(&self) -> String {
        if self.specification.is_empty() {
            return self.column.clone();
        }
        format!("{}.{}", self.specification, self.column)
    }

    fn formula(&self) -> Option<String> {
        let own = || Some(self.fit.as_ref()?.0.formula.clone());
        self.model.formula.clone().or_else(own)
    }
}

impl Term<'_> {
    fn name(&self) -> String {
        match self {
            Term::Estimated(term) => term.term.clone(),
            Term::Dropped(name) => (*name).to_owned(),
        }
    }
}

impl Row<'_> {
    fn estimated(&self) -> Option<&TermEstimate> {
        match self.term {
            Some(Term::Estimated(term)) => Some(term),
            _ => None,
        }
    }

    fn estimate(&self) -> Option<&Estimate> {
        self.entry.fit.as_ref().map(|(estimate, _)| estimate)
    }

    fn influence(&self) -> Option<&Influence> {
        self.estimate()?.influence.as_ref()
    }

    fn by_cv3(&self) -> Option<&TermEstimate> {
        let name = &self.estimated()?.term;
        self.influence()?.terms.iter().find(|term| term.term == *name)
    }

    fn by_bootstrap(&self) -> Option<&WildTerm> {
        let name = &self.estimated()?.term;
        self.influence()?.wild.as_ref()?.terms.iter().find(|term| term.term == *name)
    }
}

impl Column {
    fn array(&self, rows: &[Row<'_>]) -> ArrayRef {
        match self {
            Self::Text(cell) => Arc::new(rows.iter().map(cell).collect::<StringArray>()),
            Self::Real(cell) => Arc::new(rows.iter().map(cell).collect::<Float64Array>()),
            Self::Count(cell) => Arc::new(rows.iter().map(cell).collect::<UInt64Array>()),
            Self::Year(cell) => Arc::new(rows.iter().map(cell).collect::<UInt16Array>()),
            Self::Month(cell) => Arc::new(rows.iter().map(cell).collect::<UInt8Array>()),
            Self::Flag(cell) => Arc::new(rows.iter().map(cell).collect::<BooleanArray>()),
        }
    }
}

/// The entries as the table `estimates`.
///
/// # Panics
/// Never: the columns fit the schema.
#[must_use]
pub fn rows(entries: &[Entry]) -> (Sheet, RecordBatch) {
    let rows: Vec<Row<'_>> = entries.iter().flat_map(rows_of).collect();
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (name, column) in &COLUMNS {
        let array = column.array(&rows);
        fields.push(Field::new(*name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).expect("made to fit");
    (Sheet { name: "estimates", keys: &["estimate_id", "term"], schema }, batch)
}

fn rows_of(entry: &Entry) -> Vec<Row<'_>> {
    let Some((estimate, _)) = &entry.fit else { return vec![Row { entry, term: None }] };
    let terms = estimate.terms.iter().map(Term::Estimated);
    let dropped = estimate.dropped.iter().map(|of| Term::Dropped(&of.term));
    let rows: Vec<Row<'_>> =
        terms.chain(dropped).map(|term| Row { entry, term: Some(term) }).collect();
    if rows.is_empty() { vec![Row { entry, term: None }] } else { rows }
}
