//! The state of alerts in a few numbers, for the status of a home.

use std::path::Path;

use serde::Serialize;

use super::store::{Store, StoreError};

/// The state of alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlertStatus {
    /// The number of alerts that have not ended.
    pub raised: u32,
    /// The number of these that nobody has acknowledged.
    pub unacknowledged: u32,
    /// The newest vintage whose figures were judged.
    pub vintage: u32,
    /// The sinks with undelivered alerts.
    pub sinks: Vec<SinkStatus>,
}

/// A sink with undelivered alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SinkStatus {
    /// The sink.
    pub sink: String,
    /// The number of alerts.
    pub undelivered: u32,
    /// The reason of the last failed attempt.
    pub last_error: Option<String>,
}

impl AlertStatus {
    /// The state of a home; `None` if no rule was ever evaluated.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub fn of(home: &Path) -> Result<Option<Self>, StoreError> {
        let Some(store) = Store::read(home)? else { return Ok(None) };
        let (raised, unacknowledged) = store.n_open()?;
        let vintage = store.progress()?.map_or(0, |of| of.vintage.0);
        let sink = |(sink, (undelivered, last_error))| SinkStatus { sink, undelivered, last_error };
        let sinks = store.undelivered()?.into_iter().map(sink).collect();
        Ok(Some(Self { raised, unacknowledged, vintage, sinks }))
    }
}
