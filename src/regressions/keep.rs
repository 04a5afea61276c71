//! Stored estimates: written after each estimation, and listed with their state.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::content::{Content, Identity};
use super::error::RegressionError;
use super::group::Fit;
use super::panels::{Kind, Panels};
use super::run::{Ask, Outcome};
use super::stored;
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::Year;
use crate::home::parts::{Layout, Part, Table};
use crate::home::{Home, Publication, StoredEstimate, StoredState};

/// An estimate stored in the home.
#[derive(Clone, Debug)]
pub struct KeptEstimate {
    /// The stored fields.
    pub stored: StoredEstimate,
    /// The content of the model; `None` for estimates from before layout 3, which lack it.
    pub content: Option<Content>,
    /// The model; `None` if it is not estimated.
    pub fit: Option<Fit>,
    /// True if the sources of the estimate have changed since.
    pub stale: bool,
}

/// Stores outcomes if the home can be written.
///
/// # Errors
/// [`RegressionError::Home`] if the manifest cannot be written.
pub fn keep(home: &mut Home, outcomes: &[Outcome]) -> Result<(), RegressionError> {
    if !home.is_writable() || outcomes.is_empty() {
        return Ok(());
    }
    // A request that no data could answer is not an estimate that failed.
    let is_kept = |one: &&Outcome| !one.result.as_ref().is_err_and(|error| error.is_of_request());
    let stored: Vec<StoredEstimate> = outcomes.iter().filter(is_kept).map(stored::stored).collect();
    Ok(home.add_estimates(&stored)?)
}

/// Every estimate of a home in the order of estimation.
///
/// # Errors
/// [`RegressionError`] if the manifest cannot be read, or another version stored an estimate.
pub fn kept(panels: &Panels<'_>) -> Result<Vec<KeptEstimate>, RegressionError> {
    kept_where(panels, |_| true)
}

fn kept_where(
    panels: &Panels<'_>,
    is_wanted: impl Fn(&StoredEstimate) -> bool,
) -> Result<Vec<KeptEstimate>, RegressionError> {
    let mut stamps = Stamps::default();
    let kept = |stored: StoredEstimate| {
        Ok(KeptEstimate {
            content: stored::content(&stored)?,
            fit: stored::fit(&stored)?,
            stale: stamps.are_others(panels, &stored)?,
            stored,
        })
    };
    panels.source.home.estimates()?.into_iter().filter(is_wanted).map(kept).collect()
}

/// The estimates of one model in the order of estimation, by the hash of its identity.
///
/// # Errors
/// Those of [`kept`].
pub fn kept_of(panels: &Panels<'_>, identity: &str) -> Result<Vec<KeptEstimate>, RegressionError> {
    kept_where(panels, |one| one.model.as_ref().is_some_and(|model| model.identity == identity))
}

/// The stored estimates of a home, without their figures.
#[derive(Debug)]
pub struct Overview {
    /// Every estimate, in the order of estimation.
    pub all: Vec<StoredEstimate>,
    /// The models whose newest estimate for their last year, or for their last month, is stale.
    pub stale: Vec<String>,
}

/// Lists the stored estimates and the stale models of a home.
///
/// # Errors
/// [`RegressionError`] if the manifest cannot be read.
pub fn overview(panels: &Panels<'_>) -> Result<Overview, RegressionError> {
    let all = panels.source.home.estimates()?;
    let mut newest: BTreeMap<(&str, bool), &StoredEstimate> = BTreeMap::new();
    for one in all.iter().filter(|one| one.state.is_estimated()) {
        let Some(model) = &one.model else { continue };
        let key = (model.identity.as_str(), one.through.is_whole());
        let known = newest.entry(key).or_insert(one);
        if one.through >= known.through {
            *known = one;
        }
    }
    let (mut stamps, mut stale) = (Stamps::default(), Vec::new());
    for one in newest.into_values() {
        if stamps.are_others(panels, one)? {
            stale.push(one.name());
        }
    }
    stale.sort_unstable();
    stale.dedup();
    Ok(Overview { all, stale })
}

/// The current stamps of panels, each computed once.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    known: BTreeMap<(Kind, SampleEnd), String>,
}

impl Stamps {
    /// True if the sources of an estimate have changed since.
    pub(super) fn are_others(
        &mut self,
        panels: &Panels<'_>,
        of: &StoredEstimate,
    ) -> Result<bool, RegressionError> {
        let Some(kind) = Kind::named(&of.panel) else { return Ok(true) };
        let now = match self.known.entry((kind, of.through)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(panels.stamps(kind, &panels.years_until(of.through))?)
            }
        };
        Ok(*now != of.stamp)
    }
}

/// The numbers of cleared records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// The number of failed columns.
    pub n_failed: usize,
    /// The number of columns without data in the home.
    pub n_without_data: usize,
}

/// Clears the records of columns that are not estimated: of all, or of those in `asks`.
///
/// # Errors
/// [`RegressionError::Home`] if the manifest cannot be read or written.
///
/// # Panics
/// If the home was opened for reading.
pub fn clear_failures(
    home: &mut Home,
    asks: Option<&[Ask<'_>]>,
) -> Result<Cleared, RegressionError> {
    let mut cleared = Cleared::default();
    let mut numbers = Vec::new();
    for one in home.estimates()? {
        if !asks.is_none_or(|asks| asks.iter().any(|ask| is_of(ask, &one))) {
            continue;
        }
        match one.state {
            StoredState::Estimated { .. } => continue,
            StoredState::NoData(_) => cleared.n_without_data += 1,
            StoredState::Failed(_) => cleared.n_failed += 1,
        }
        numbers.push(one.number);
    }
    if !numbers.is_empty() {
        home.remove_failures(&numbers)?;
    }
    Ok(cleared)
}

/// True if a record belongs to a requested column; records from before layout 3 match by labels.
fn is_of(ask: &Ask<'_>, one: &StoredEstimate) -> bool {
    let columns = ask.specification.columns().iter().filter(|column| ask.wanted.wants(column));
    let mut columns = columns.map(|column| match &one.model {
        Some(model) => Identity::of(column).hash() == model.identity,
        None => (&ask.specification.name, &column.name) == (&one.specification, &one.column),
    });
    columns.any(|is_it| is_it)
}

/// The closed and estimated years whose rows late records have changed since the last estimation of
/// a year.
///
/// # Errors
/// [`RegressionError::Home`] if the manifest cannot be read.
pub fn stale_years(home: &Home) -> Result<Vec<Year>, RegressionError> {
    let estimates = home.estimates()?;
    let whole = estimates.iter().filter(|one| one.state.is_estimated() && one.through.is_whole());
    let whole: Vec<&StoredEstimate> = whole.collect();
    let Some(last) = whole.iter().map(|one| one.publication).max() else { return Ok(Vec::new()) };
    let through = whole.iter().map(|one| one.through).max().unwrap_or_default();
    changed_since(home, last, through)
}

/// The closed and estimated years whose rows late records have changed since the last estimation of
/// a year or a month.
///
/// # Errors
/// [`RegressionError::Home`] if the manifest cannot be read.
pub(super) fn newly_stale_years(home: &Home) -> Result<Vec<Year>, RegressionError> {
    let estimates = home.estimates()?;
    let done = || estimates.iter().filter(|one| one.state.is_estimated());
    let Some(last) = done().map(|one| one.publication).max() else { return Ok(Vec::new()) };
    let whole = done().filter(|one| one.through.is_whole());
    let through = whole.map(|one| one.through).max().unwrap_or_default();
    changed_since(home, last, through)
}

/// The whole years up to `through` whose rows have changed since a publication.
///
/// # Errors
/// [`RegressionError::Home`] if the manifest cannot be read.
pub fn changed_since(
    home: &Home,
    publication: Publication,
    through: SampleEnd,
) -> Result<Vec<Year>, RegressionError> {
    let last = through.last_whole_year();
    let mut parts = home.parts(Table::Plant, None)?;
    let markets = home.parts(Table::City, None)?;
    parts.extend(markets.into_iter().filter(|part| part.layout == Layout::Facts));
    let is_later = |part: &&Part| {
        part.publication > publication && part.year <= last && part.stands_for.is_none()
    };
    let mut years: Vec<Year> = parts.iter().filter(is_later).map(|part| part.year).collect();
    years.sort_unstable();
    years.dedup();
    Ok(years)
}
