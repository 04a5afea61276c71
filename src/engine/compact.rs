//! Which published vintages are stored: as the option `retention` says, and those that could not be
//! had without.
//!
//! What is not stored is replayed from the archive when it is asked for, to the same bits: it costs
//! time and no figure. What cannot be replayed stays, whatever the option says: vintages before a
//! rebuild with other exclusions, since other records counted then, and vintages that need the
//! damaged records of withdrawn or superseded files.

use std::collections::BTreeSet;

use super::EngineError;
use super::open::{Engine, recorded_profile};
use crate::domain::types::Vintage;
use crate::feed::profile::Exclusions;
use crate::home::options::Retention;
use crate::home::{Archive, Compaction, CompactionRules, FileEntry, Publication};

impl Engine {
    /// Folds published parts that are due by some rules, and lets go of vintages that are not to be
    /// stored.
    ///
    /// Apart from the intake, as [`Engine::snapshot_if_due`]: it changes no figure, and what is due
    /// stays so.
    ///
    /// # Errors
    /// [`EngineError::Archive`] if a fold cannot be written.
    pub fn compact(&mut self, rules: CompactionRules) -> Result<Compaction, EngineError> {
        let wanted = stored_publications(&self.archive, self.options.retention)?;
        let is_wanted = |at: Publication| wanted.as_ref().is_none_or(|wanted| wanted.contains(&at));
        Ok(self.archive.compact(rules, is_wanted)?)
    }
}

/// The publications that are to be stored; none: all of them.
fn stored_publications(
    archive: &Archive,
    retention: Retention,
) -> Result<Option<BTreeSet<Publication>>, EngineError> {
    let published = archive.publications()?;
    let mut wanted = match retention {
        Retention::All => return Ok(None),
        Retention::MonthEnds => month_ends(archive, &published)?,
        Retention::Last(n) => last(&published, n),
    };
    let lost = Lost::of(archive)?;
    for &(publication, vintage) in &published {
        if !wanted.contains(&publication) && lost.is_needed(archive, publication, vintage)? {
            wanted.insert(publication);
        }
    }
    Ok(Some(wanted))
}

/// What stood when another month closed, and what stands now.
fn month_ends(
    archive: &Archive,
    published: &[(Publication, Vintage)],
) -> Result<BTreeSet<Publication>, EngineError> {
    let closing: BTreeSet<Publication> = archive.closed()?.into_iter().map(|(_, at)| at).collect();
    let before_closing = published.windows(2).filter(|pair| closing.contains(&pair[1].0));
    let ends = before_closing.map(|pair| pair[0].0);
    Ok(ends.chain(published.last().map(|(newest, _)| *newest)).collect())
}

/// The newest vintages, each as its last publication left it.
fn last(published: &[(Publication, Vintage)], n: u32) -> BTreeSet<Publication> {
    let mut newest: Vec<(Publication, Vintage)> = published.iter().rev().copied().collect();
    newest.dedup_by_key(|(_, vintage)| *vintage);
    newest.into_iter().take(n as usize).map(|(publication, _)| publication).collect()
}

/// What keeps publications from being replayed.
struct Lost {
    exclusions: Option<Exclusions>,
    /// Files that do not count any more and whose records are damaged.
    files: Vec<FileEntry>,
}

impl Lost {
    fn of(archive: &Archive) -> Result<Self, EngineError> {
        let mut files = Vec::new();
        for file in archive.files()?.into_iter().filter(|file| !file.counts_now()) {
            if file.segment.damage(archive.home())?.is_some() {
                files.push(file);
            }
        }
        let now = recorded_profile(archive)?;
        Ok(Self { exclusions: now.map(|profile| profile.exclusions), files })
    }

    /// Whether a publication cannot be replayed.
    fn is_needed(
        &self,
        archive: &Archive,
        publication: Publication,
        vintage: Vintage,
    ) -> Result<bool, EngineError> {
        if self.files.iter().any(|file| file.counted_at(vintage)) {
            return Ok(true);
        }
        let Some(then) = archive.definition_at(publication)? else { return Ok(false) };
        let (_, profile) = then.options()?;
        Ok(Some(profile.exclusions) != self.exclusions)
    }
}
