//! Compaction: folds parts of the published tables if there are many, and removes unneeded parts.
//!
//! ```text
//! year 2010:  1 whole  2 changes … 40 changes │ 41 whole  42 changes
//!             └─ one chain: superseded by 41 ─┘ └─ the newest one
//! ```
//! A chain is folded if it has many changes, or if some of its publications are no longer stored.
//! The newest rows are then in few files. The files that a fold replaces are removed when no reader
//! uses the home. Each chain is one transaction: after an interruption some chains are folded, and
//! orphans remain.

use std::collections::BTreeSet;

use super::error::{HomeError, Result};
use super::parts::{Fold, FoldedRows, Folding, Folds, Part, PartKind, Table, UndoPart, fold};
use super::{Home, Publication, Stored};

/// The conditions for the fold of a chain of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactionRules {
    /// The largest number of changes, and of unwanted publications, in a chain without a fold.
    pub n_changes_max: usize,
    /// The largest number of rows in the changes of a chain without a fold, in percent of the rows
    /// that they change.
    pub changes_max_percent: u64,
}

impl Default for CompactionRules {
    /// The newest rows then cost at most twice as much to read as a whole part, in some dozen
    /// files.
    fn default() -> Self {
        Self { n_changes_max: 32, changes_max_percent: 100 }
    }
}

impl CompactionRules {
    /// Folds every chain with changes, and removes every unwanted publication.
    pub const ALL: Self = Self { n_changes_max: 0, changes_max_percent: 0 };
}

/// The result of a compaction.
#[derive(Debug, Default)]
pub struct Compaction {
    /// The number of chains that were folded or shortened.
    pub n_chains: usize,
    /// The damage of chains that could not be read; they are unchanged.
    pub damaged: Vec<HomeError>,
}

/// A whole part of a year and the changes after it.
struct Epoch<'a> {
    parts: &'a [Part],
    /// True for each publication of the epoch whose rows are wanted.
    is_wanted: Vec<bool>,
    /// The publication of the next whole part; `None` for the newest epoch.
    end: Option<Publication>,
    fold: Option<&'a Fold>,
    /// The undo parts, the oldest first.
    undo: &'a [UndoPart],
}

impl Home {
    /// The publications that [`Home::compact`] would remove, at least in a year of a table.
    ///
    /// # Errors
    /// [`HomeError::Query`] if the manifest cannot be read.
    pub fn unwanted(
        &self,
        rules: CompactionRules,
        wanted: &BTreeSet<Publication>,
    ) -> Result<BTreeSet<Publication>> {
        let publications: Vec<Publication> =
            self.publications()?.into_iter().map(|(publication, _)| publication).collect();
        let wanted: Vec<Publication> = wanted.iter().copied().collect();
        let (folds, undo) = (self.manifest.folds()?, self.manifest.undo_parts()?);
        let mut unwanted = BTreeSet::new();
        for table in Table::ALL {
            let parts = self.manifest.parts(table, None)?;
            let epochs = epochs(&parts, &wanted, Folds { folds: &folds, undo: &undo });
            for epoch in epochs.iter().filter(|epoch| epoch.is_due(rules)) {
                for state in epoch.states().filter(|state| !epoch.wants(*state)) {
                    let from = publications.partition_point(|at| *at < state);
                    let end = epoch.end_of(state);
                    let is_in = |at: &&Publication| end.is_none_or(|end| **at < end);
                    unwanted.extend(publications[from..].iter().take_while(is_in));
                }
            }
        }
        Ok(unwanted)
    }

    /// Folds the chains that are due under the rules, and removes unwanted publications. Without a
    /// list all publications are wanted; the newest is wanted in any case.
    ///
    /// # Errors
    /// - [`HomeError::Query`] if the manifest cannot be read.
    /// - [`HomeError::Write`], [`HomeError::Encode`], [`HomeError::Sync`],
    ///   [`HomeError::Keep`] if a fold cannot be written.
    ///
    /// A damaged part is not an error: its chain does not change.
    ///
    /// # Panics
    /// If the home was opened for reading.
    pub fn compact(
        &mut self,
        rules: CompactionRules,
        wanted: Option<&BTreeSet<Publication>>,
    ) -> Result<Compaction> {
        assert!(self.is_writable(), "a fold in {}, opened to read", self.folder.display());
        let publications = self.publications()?.into_iter().map(|(publication, _)| publication);
        let is_wanted = |at: &Publication| wanted.is_none_or(|wanted| wanted.contains(at));
        let wanted: Vec<Publication> = publications.filter(is_wanted).collect();
        let mut done = Compaction::default();
        for table in Table::ALL {
            let parts = self.manifest.parts(table, None)?;
            let (folds, undo) = (self.manifest.folds()?, self.manifest.undo_parts()?);
            for epoch in epochs(&parts, &wanted, Folds { folds: &folds, undo: &undo }) {
                match self.compact_epoch(rules, &epoch) {
                    Ok(is_changed) => done.n_chains += usize::from(is_changed),
                    Err(error) if error.is_damage() => done.damaged.push(error),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(done)
    }

    /// Folds an epoch if it is due; returns true if anything changed.
    fn compact_epoch(&mut self, rules: CompactionRules, epoch: &Epoch<'_>) -> Result<bool> {
        if !epoch.is_due(rules) {
            return Ok(false);
        }
        let before = epoch.files();
        let (fold, undo) = match epoch.newest_wanted() {
            None => (epoch.nothing(), Vec::new()),
            Some(newest) => self.fold_epoch(rules, epoch, newest)?,
        };
        self.manifest.replace_fold(&fold, &undo)?;
        let now = self.manifest.paths()?;
        self.remove(before.iter().filter(|file| !now.contains(&file.path)))?;
        Ok(true)
    }

    fn fold_epoch(
        &self,
        rules: CompactionRules,
        epoch: &Epoch<'_>,
        newest: usize,
    ) -> Result<(Fold, Vec<UndoPart>)> {
        let whole = &epoch.parts[0];
        let (table, year, first) = (whole.table, whole.year, whole.publication);
        let (base, changes) = epoch.base(newest);
        let last = changes.last().map_or(base.1, |part| part.publication);
        let n_rows = changes.iter().map(|part| part.n_rows).sum();
        let (stay, absorbed) = epoch.undo_that_stays(rules, n_rows);
        let begins = stay.last().map(|undo| undo.newest);
        let is_wanted = |state| begins == Some(state) || epoch.wants(state);
        let number = self.manifest.n_commits()? + 1;
        let name = format!("{:06}-{number:06}", last.0);
        let folding = Folding {
            table,
            year,
            first,
            base,
            changes,
            undo: absorbed,
            is_wanted: &is_wanted,
            name,
        };
        let folded = fold(&self.folder, &folding)?;
        let unchanged = || {
            let known = epoch.fold.and_then(|fold| fold.rows.clone());
            known.unwrap_or(FoldedRows { n_rows: whole.n_rows, file: whole.file.clone() })
        };
        let rows = Some(folded.rows.unwrap_or_else(unchanged));
        let undo = stay.iter().cloned().chain(folded.undo).collect();
        Ok((Fold { table, year, first, last, rows }, undo))
    }
}

/// The epochs of a table, including those without stored rows.
fn epochs<'a>(parts: &'a [Part], wanted: &[Publication], folds: Folds<'a>) -> Vec<Epoch<'a>> {
    let of_year = parts.chunk_by(|a, b| a.year == b.year);
    let epochs = of_year.flat_map(|of_year| {
        let chains = of_year.chunk_by(|_, next| next.kind == PartKind::Changes);
        let chains: Vec<&[Part]> = chains.collect();
        (0..chains.len()).map(move |at| (chains[at], chains.get(at + 1).map(|next| &next[0])))
    });
    epochs
        .filter(|(parts, _)| parts[0].kind == PartKind::Whole)
        .map(|(parts, next)| {
            let (whole, end) = (&parts[0], next.map(|part| part.publication));
            let ends = parts[1..].iter().map(|part| Some(part.publication)).chain([end]);
            let spans = parts.iter().map(|part| part.publication).zip(ends);
            let is_in = |from, to: Option<Publication>| {
                let first = wanted.get(wanted.partition_point(|at| *at < from));
                first.is_some_and(|at| to.is_none_or(|to| *at < to))
            };
            let mut is_wanted: Vec<bool> = spans.map(|(from, to)| is_in(from, to)).collect();
            if next.is_none() {
                *is_wanted.last_mut().expect("a chain has a part") = true;
            }
            Epoch { parts, is_wanted, end, fold: folds.of(whole), undo: folds.undo_of(whole) }
        })
        .collect()
}

impl<'a> Epoch<'a> {
    /// The newest publication in the base.
    fn folded_to(&self) -> Publication {
        self.fold.map_or(self.parts[0].publication, |fold| fold.last)
    }

    fn wants(&self, state: Publication) -> bool {
        let found = self.parts.binary_search_by_key(&state, |part| part.publication);
        found.is_ok_and(|at| self.is_wanted[at])
    }

    /// The publication that changed the rows of a state; `None` for the newest rows.
    fn end_of(&self, state: Publication) -> Option<Publication> {
        let next = self.parts.partition_point(|part| part.publication <= state);
        self.parts.get(next).map(|part| part.publication).or(self.end)
    }

    /// The publications whose rows are stored.
    fn states(&self) -> impl Iterator<Item = Publication> {
        let undone = self.undo.iter().flat_map(|undo| undo.states.iter().copied());
        let changes = self.changes().iter().map(|part| part.publication);
        undone.chain([self.folded_to()]).chain(changes)
    }

    fn newest_wanted(&self) -> Option<usize> {
        self.is_wanted.iter().rposition(|wanted| *wanted)
    }

    /// The changes after the base.
    fn changes(&self) -> &'a [Part] {
        let from = self.parts.partition_point(|part| part.publication <= self.folded_to());
        &self.parts[from..]
    }

    /// The file of all rows with its publication, and the changes from there to the wanted ones.
    fn base(&self, newest: usize) -> ((&Stored, Publication), &'a [Part]) {
        let rows = self.fold.and_then(|fold| fold.rows.as_ref());
        let file = rows.map_or(&self.parts[0].file, |rows| &rows.file);
        let from = self.parts.len() - self.changes().len();
        ((file, self.folded_to()), &self.parts[from..(newest + 1).max(from)])
    }

    /// The number of stored publications that are not wanted.
    fn n_unwanted(&self) -> usize {
        // The base may be needed as the start of undo parts.
        let is_whole_needed = self.fold.is_some() || self.changes().is_empty();
        let needed = (is_whole_needed && self.newest_wanted().is_some()).then(|| self.folded_to());
        let states = self.states().filter(|state| Some(*state) != needed);
        states.filter(|state| !self.wants(*state)).count()
    }

    fn is_due(&self, rules: CompactionRules) -> bool {
        if self.fold.is_some_and(|fold| fold.rows.is_none()) {
            return false;
        }
        let changes = self.changes();
        let n_rows: u64 = changes.iter().map(|part| part.n_rows).sum();
        let known = self.fold.and_then(|fold| fold.rows.as_ref());
        let n_base = known.map_or(self.parts[0].n_rows, |rows| rows.n_rows);
        let n_unwanted = self.n_unwanted();
        let many = changes.len() > rules.n_changes_max
            || n_rows.saturating_mul(100) > n_base.saturating_mul(rules.changes_max_percent);
        // A chain without further changes is folded once.
        many || n_unwanted > if self.end.is_none() { rules.n_changes_max } else { 0 }
    }

    /// An empty fold.
    fn nothing(&self) -> Fold {
        let whole = &self.parts[0];
        let last = self.parts[self.parts.len() - 1].publication;
        Fold { table: whole.table, year: whole.year, first: whole.publication, last, rows: None }
    }

    /// The undo parts that stay, and those that the fold writes again with new ones. A fold writes
    /// a part again if few of its states are wanted, or if it is small against the new ones; this
    /// keeps the number of files low.
    fn undo_that_stays(
        &self,
        rules: CompactionRules,
        mut n_rows: u64,
    ) -> (&[UndoPart], &[UndoPart]) {
        let oldest =
            self.undo.iter().position(|undo| undo.states.iter().any(|state| self.wants(*state)));
        let all = &self.undo[oldest.unwrap_or(self.undo.len())..];
        let mut n_stay = all.len();
        while n_stay > 0 && all[n_stay - 1].n_rows <= 2 * n_rows {
            n_stay -= 1;
            n_rows += all[n_stay].n_rows;
        }
        let is_stale = |undo: &UndoPart| {
            let n = undo.states.iter().filter(|state| !self.wants(**state)).count();
            n > 0 && (2 * n >= undo.states.len() || n > rules.n_changes_max)
        };
        let stale = all.iter().position(is_stale).unwrap_or(all.len());
        all.split_at(n_stay.min(stale))
    }

    /// The files of the fold.
    fn files(&self) -> Vec<Stored> {
        let folded_to = self.fold.map(|fold| fold.last);
        let parts = self.parts.iter().filter(|part| Some(part.publication) > folded_to);
        let rows = self.fold.iter().filter_map(|fold| fold.rows.as_ref());
        let parts = parts.map(|part| &part.file).chain(rows.map(|rows| &rows.file));
        parts.chain(self.undo.iter().map(|undo| &undo.file)).cloned().collect()
    }
}
