//! Stored series: the rows of `series` of a closed month, kept in the home with a stamp of their
//! sources.
//!
//! ```text
//! sources of a month ─▶ stamp ─┬─ stored under this stamp? ─yes─▶ the stored rows
//!                              └─no─▶ computed from runs
//! ```
//! A late record changes the stamps of its month and of every later one, because networks and bases
//! reach back. Rows stored under another stamp no longer count: readers compute these months, and
//! never show rows of other sources. The watcher fills months between its looks, the newest first.

use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;

use super::SpanError;
use super::source::SpanSource;
use crate::domain::span::{Joint, SpanAt};
use crate::domain::types::Period;
use crate::home::{Home, HomeError};
use crate::tables::series;

/// The beginning of the keys of stored series, before the month and the stamp.
const SERIES: &str = "series";
/// Changes with the figures or the columns of series: rows of earlier versions then do not count.
const VERSION: &str = "series 1";
/// The number of digits of a stamp in a key.
const DIGITS: usize = 32;

/// The stored series of a home.
pub(super) struct StoredSeries {
    keys: BTreeSet<String>,
    /// The hash of what decides figures besides records.
    basis: blake3::Hasher,
}

impl StoredSeries {
    /// The series that the home of a source stores, for any state.
    ///
    /// # Errors
    /// [`SpanError::Home`] if the manifest cannot be read.
    pub(super) fn of(source: &SpanSource<'_>) -> Result<Self, SpanError> {
        let keys = source.home().memories()?.into_iter().filter(|key| is_series(key)).collect();
        let mut basis = blake3::Hasher::new();
        let joint = format!("{:?}", source.joint());
        let texts = &source.definition().texts;
        let own = [VERSION, &joint, &texts.options].into_iter();
        let references = texts.references.iter().flat_map(|(name, text)| [&**name, &**text]);
        for text in own.chain(references) {
            basis.update(text.as_bytes()).update(&[0]);
        }
        Ok(Self { keys, basis })
    }

    /// The key of a month's series: it names the sources of their rows.
    fn key(&self, source: &SpanSource<'_>, month: Period) -> String {
        let mut stamp = self.basis.clone();
        for state in source.states(month) {
            stamp.update(state.as_bytes()).update(&[0]);
        }
        format!("{SERIES} {month} {}", &stamp.finalize().to_hex()[..DIGITS])
    }
}

/// True if the key is that of a month's series.
fn is_series(key: &str) -> bool {
    key.split(' ').next() == Some(SERIES)
}

impl SpanSource<'_> {
    /// The rows of `series` of some spans of one year in order of key: stored ones as far as their
    /// sources are unchanged, and computed ones.
    ///
    /// # Errors
    /// Those of [`SpanSource::series`].
    pub(super) fn series_of_year(
        &self,
        stored: &StoredSeries,
        spans: &[SpanAt],
    ) -> Result<RecordBatch, SpanError> {
        let found = spans.iter().map(|at| self.stored_rows(stored, *at));
        let mut batches = found.collect::<Result<Vec<Option<RecordBatch>>, _>>()?;
        let places: Vec<usize> = (0..spans.len()).filter(|at| batches[*at].is_none()).collect();
        let missing: Vec<SpanAt> = places.iter().map(|at| spans[*at]).collect();
        for (place, rows) in places.into_iter().zip(self.series(&missing)?) {
            batches[place] = Some(series::rows(&rows)?);
        }
        Ok(concat_batches(&series::schema(), batches.iter().flatten())?)
    }

    /// The stored rows of a span; `None` if none are stored, if their sources have changed, or if
    /// their file is damaged.
    fn stored_rows(
        &self,
        stored: &StoredSeries,
        at: SpanAt,
    ) -> Result<Option<RecordBatch>, SpanError> {
        let key = stored.key(self, at.end());
        if !stored.keys.contains(&key) {
            return Ok(None);
        }
        match self.home().read_memory(&key, at.span().name()) {
            Ok(rows) => Ok(rows.and_then(|rows| of_this_version(&rows))),
            Err(error @ HomeError::Query { .. }) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// The months with spans, the newest first.
    fn months_with_spans(&self) -> Vec<Period> {
        let ends = self.years().flat_map(|year| self.spans_of_year(year));
        let months: BTreeSet<Period> = ends.map(|at| at.end()).collect();
        months.into_iter().rev().collect()
    }
}

/// Rows in the columns of this version; `None` if another version wrote them.
fn of_this_version(rows: &RecordBatch) -> Option<RecordBatch> {
    let (schema, there) = (series::schema(), rows.schema());
    let columns = |schema: &arrow_schema::Schema| -> Vec<_> {
        let fields = schema.fields().iter();
        fields.map(|field| (field.name().clone(), field.data_type().clone())).collect()
    };
    let is_same = columns(&schema) == columns(&there);
    is_same.then(|| RecordBatch::try_new(schema, rows.columns().to_vec()).ok()).flatten()
}

/// The closed months whose series are not stored, the newest first.
///
/// # Errors
/// [`SpanError`] if the manifest cannot be read.
pub fn series_to_fill(home: &Home, joint: Joint) -> Result<Vec<Period>, SpanError> {
    let source = SpanSource::at(home, None, joint)?;
    let stored = StoredSeries::of(&source)?;
    let mut months = source.months_with_spans();
    months.retain(|month| !stored.keys.contains(&stored.key(&source, *month)));
    Ok(months)
}

/// Stores the series of a closed month, and removes those of the month with earlier stamps.
///
/// # Errors
/// - [`SpanError::Home`] if a file of the home cannot be read or written.
/// - [`SpanError::Places`] if the home's table of countries cannot be read.
///
/// # Panics
/// If the home was opened for reading.
pub fn fill_series(home: &mut Home, joint: Joint, month: Period) -> Result<(), SpanError> {
    let source = SpanSource::at(home, None, joint)?;
    let stored = StoredSeries::of(&source)?;
    let mut spans = source.spans_of_year(month.year());
    spans.retain(|at| at.end() == month);
    let key = stored.key(&source, month);
    let rows = source.series(&spans)?;
    let tables =
        spans.iter().zip(&rows).map(|(at, rows)| Ok((at.span().name(), series::rows(rows)?)));
    let tables = tables.collect::<Result<Vec<_>, SpanError>>()?;
    let of_month = format!("{SERIES} {month} ");
    let is_old = |other: &&String| other.starts_with(&of_month) && **other != key;
    let old: Vec<String> = stored.keys.iter().filter(is_old).cloned().collect();
    home.replace_memory(&key, &tables)?;
    if !old.is_empty() {
        home.remove_memories(&old)?;
    }
    Ok(())
}
