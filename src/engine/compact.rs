//! The published vintages that a home stores: those of the option `retention`, and those that
//! cannot be recomputed.
//!
//! Other vintages are recomputed from the home on request, to the same bits; this costs time.
//! Some vintages stay under any option, because they cannot be recomputed: vintages before a
//! rebuild with other exclusions, and vintages that need damaged records of withdrawn or superseded
//! files.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use super::EngineError;
use super::open::{Engine, Request};
use super::recorded::recorded_profile;
use super::upgrade::has_figures;
use crate::domain::types::Vintage;
use crate::home::options::Retention;
use crate::home::{Compaction, CompactionRules, Home, Publication, Sizes, WasOpen};

/// The result of a compaction, with the sizes of the home before and after.
#[derive(Debug)]
pub struct Compacted {
    /// The folded parts and removed vintages.
    pub done: Compaction,
    /// Sizes before.
    pub before: Sizes,
    /// Sizes after.
    pub after: Sizes,
    /// The permissions of other users on the home before it was opened.
    pub was_open: Option<WasOpen>,
}

/// Folds published parts of a home as [`Engine::compact`] does. The state is not restored, except
/// for a home of an earlier version, whose tables are written once more.
///
/// # Errors
/// Those of [`Engine::open`] and [`Engine::compact`].
pub fn compact(
    folder: &Path,
    request: Request,
    rules: CompactionRules,
) -> Result<Compacted, EngineError> {
    let before = Home::read(folder)?.sizes()?;
    let mut engine = Engine::closed(folder, request)?;
    if has_figures(&engine.home)? {
        engine.restore(|_| ControlFlow::Continue(()))?;
    }
    let done = engine.compact(rules)?;
    let (after, was_open) = (engine.home.sizes()?, engine.home.was_open());
    Ok(Compacted { done, before, after, was_open })
}

impl Engine {
    /// Folds the published parts that are due under `rules`, and removes vintages that are not to
    /// be stored.
    ///
    /// Separate from the intake, like [`Engine::snapshot_if_due`]: a compaction changes no figure
    /// and can wait.
    ///
    /// # Errors
    /// [`EngineError::Home`] if a fold cannot be written.
    pub fn compact(&mut self, rules: CompactionRules) -> Result<Compaction, EngineError> {
        let wanted = stored_publications(&self.home, self.options.retention, rules)?;
        Ok(self.home.compact(rules, wanted.as_ref())?)
    }
}

/// The publications to store; `None` for all.
fn stored_publications(
    home: &Home,
    retention: Retention,
    rules: CompactionRules,
) -> Result<Option<BTreeSet<Publication>>, EngineError> {
    let published = home.publications()?;
    let mut wanted = match retention {
        Retention::All => return Ok(None),
        Retention::MonthEnds => month_ends(home, &published)?,
        Retention::Last(n) => last(&published, n),
    };
    let unwanted = home.unwanted(rules, &wanted)?;
    let mut unwanted: Vec<(Publication, Vintage)> =
        published.into_iter().filter(|(at, _)| unwanted.contains(at)).collect();
    wanted.extend(of_other_exclusions(home, &unwanted)?);
    unwanted.retain(|(at, _)| !wanted.contains(at));
    wanted.extend(of_lost_files(home, &unwanted)?);
    Ok(Some(wanted))
}

/// The last publication before each close of a month, and the newest publication.
fn month_ends(
    home: &Home,
    published: &[(Publication, Vintage)],
) -> Result<BTreeSet<Publication>, EngineError> {
    let closing: BTreeSet<Publication> = home.closed()?.into_iter().map(|(_, at)| at).collect();
    let before_closing = published.windows(2).filter(|pair| closing.contains(&pair[1].0));
    let ends = before_closing.map(|pair| pair[0].0);
    Ok(ends.chain(published.last().map(|(newest, _)| *newest)).collect())
}

/// The last publications of the newest `n` vintages.
fn last(published: &[(Publication, Vintage)], n: u32) -> BTreeSet<Publication> {
    let mut newest: Vec<(Publication, Vintage)> = published.iter().rev().copied().collect();
    newest.dedup_by_key(|(_, vintage)| *vintage);
    newest.into_iter().take(n as usize).map(|(publication, _)| publication).collect()
}

/// The publications with other excluded records than now; they cannot be replayed.
fn of_other_exclusions(
    home: &Home,
    publications: &[(Publication, Vintage)],
) -> Result<Vec<Publication>, EngineError> {
    let mut found = Vec::new();
    let Some(now) = recorded_profile(home)? else { return Ok(found) };
    for &(publication, _) in publications {
        let Some(then) = home.definition_at(publication)? else { continue };
        let (_, profile) = then.options()?;
        if profile.exclusions != now.exclusions {
            found.push(publication);
        }
    }
    Ok(found)
}

/// The publications that cannot be replayed because of damaged records. The damaged file counted in
/// them and no longer counts. Only the records of such files are read.
fn of_lost_files(
    home: &Home,
    publications: &[(Publication, Vintage)],
) -> Result<BTreeSet<Publication>, EngineError> {
    let mut found = BTreeSet::new();
    if publications.is_empty() {
        return Ok(found);
    }
    for file in home.files()?.into_iter().filter(|file| !file.counts_now()) {
        let counted = || publications.iter().filter(|(_, vintage)| file.counted_at(*vintage));
        let mut needing = counted().filter(|(at, _)| !found.contains(at));
        if needing.next().is_some() && file.segment.damage(home.folder())?.is_some() {
            found.extend(counted().map(|(at, _)| *at));
        }
    }
    Ok(found)
}
