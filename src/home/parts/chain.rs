//! The files of a year of a table at a publication.
//!
//! ```text
//! parts:  12 whole, 13 changes, 14 changes, 15 changes        folded up to 14
//! at 15:  rows of 14 ◀─ changes of 15
//! at 14:  rows of 14
//! at 12:  rows of 14 ◀─ undo 14 ◀─ undo 13
//! ```

use std::ops::Range;
use std::path::Path;

use super::folded::{Fold, UndoPart};
use super::{Layout, Part, PartKind, in_use};
use crate::domain::types::Year;
use crate::home::Publication;
use crate::home::durable::Stored;
use crate::home::error::Result;

/// The files that hold a year of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The year.
    pub year: Year,
    /// The number of closed months behind the figures.
    pub months: u8,
    /// The last publication that changed the rows.
    pub state: Publication,
    /// The stored form of the rows.
    pub layout: Layout,
    /// All rows at some publication.
    pub base: Stored,
    /// The layers on the base, the newest last.
    pub layers: Vec<Layer>,
}

/// Rows that replace the rows of lower layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The changes of one publication.
    Changes(Stored),
    /// The rows before the changes of publications after `to`.
    Undo {
        /// The undo rows of several publications.
        file: Stored,
        /// The publication to restore.
        to: Publication,
    },
}

impl Layer {
    fn file(&self) -> &Stored {
        match self {
            Self::Changes(file) | Self::Undo { file, .. } => file,
        }
    }

    fn file_mut(&mut self) -> &mut Stored {
        match self {
            Self::Changes(file) | Self::Undo { file, .. } => file,
        }
    }
}

impl Chain {
    /// The chains of a table without folded parts, in order of year and publication.
    #[must_use]
    pub fn of_parts(parts: &[Part]) -> Vec<Self> {
        chains(parts, Folds::default()).unwrap_or_default()
    }

    /// The files of the chain.
    pub fn files(&self) -> impl Iterator<Item = &Stored> {
        std::iter::once(&self.base).chain(self.layers.iter().map(Layer::file))
    }

    /// The same chain with the current files on the disk, for any hashes. `None` if every file has
    /// its recorded size: another program that rewrites a file changes its size.
    ///
    /// # Errors
    /// [`crate::home::HomeError::Read`] if a file cannot be read.
    pub fn as_it_lies(&self, home: &Path) -> Result<Option<Self>> {
        let mut chain = self.clone();
        let layers = chain.layers.iter_mut().map(Layer::file_mut);
        let mut is_rewritten = false;
        for file in std::iter::once(&mut chain.base).chain(layers) {
            let now = file.as_it_lies(home)?;
            is_rewritten |= now.n_bytes != file.n_bytes;
            *file = now;
        }
        Ok(is_rewritten.then_some(chain))
    }
}

/// The folds of the published tables, with their undo parts.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::home) struct Folds<'a> {
    /// The folds, in order of table, year and publication.
    pub(in crate::home) folds: &'a [Fold],
    /// The undo parts, in order of table, year and publications.
    pub(in crate::home) undo: &'a [UndoPart],
}

impl<'a> Folds<'a> {
    /// The fold whose first part is a whole part.
    pub(in crate::home) fn of(self, whole: &Part) -> Option<&'a Fold> {
        let key = (whole.table, whole.year, whole.publication);
        let found =
            self.folds.binary_search_by_key(&key, |fold| (fold.table, fold.year, fold.first));
        found.ok().map(|at| &self.folds[at])
    }

    /// The undo parts of the fold whose first part is a whole part, the oldest first.
    pub(in crate::home) fn undo_of(self, whole: &Part) -> &'a [UndoPart] {
        let key = (whole.table, whole.year, whole.publication);
        let start = self.undo.partition_point(|undo| (undo.table, undo.year, undo.first) < key);
        let own = &self.undo[start..];
        &own[..own.partition_point(|undo| (undo.table, undo.year, undo.first) == key)]
    }

    /// The undo parts that lead back to a publication, the oldest first; `None` if its rows are not
    /// stored.
    fn undo_to(self, whole: &Part, to: Publication) -> Option<&'a [UndoPart]> {
        let own = self.undo_of(whole);
        let own = &own[own.partition_point(|undo| undo.newest <= to)..];
        own.first()?.states.contains(&to).then_some(own)
    }

    /// True if the rows of a publication in the chain of a whole part are stored.
    fn has(self, whole: &Part, state: Publication) -> bool {
        self.of(whole).is_none_or(|fold| {
            fold.rows.is_some() && (state >= fold.last || self.undo_to(whole, state).is_some())
        })
    }
}

/// The chains of a table with folded parts; `None` if the rows of a year are no longer stored.
///
/// Parts are in order of year and publication.
pub(in crate::home) fn chains(parts: &[Part], folds: Folds<'_>) -> Option<Vec<Chain>> {
    let in_use = in_use(parts);
    let of_year = in_use.chunk_by(|a, b| a.year == b.year);
    of_year.map(|parts| chain(parts, folds)).collect()
}

/// The ranges of publications at which a year of a table is no longer stored.
///
/// Parts are in order of year and publication.
pub(in crate::home) fn not_stored(parts: &[Part], folds: Folds<'_>) -> Vec<Range<u32>> {
    let mut spans = Vec::new();
    for of_year in parts.chunk_by(|a, b| a.year == b.year) {
        let mut whole = &of_year[0];
        for (at, part) in of_year.iter().enumerate() {
            if part.kind == PartKind::Whole {
                whole = part;
            }
            if !folds.has(whole, part.publication) {
                let end = of_year.get(at + 1).map_or(u32::MAX, |next| next.publication.0);
                spans.push(part.publication.0..end);
            }
        }
    }
    spans
}

/// The chain of some parts of a year: a whole part, and the changes after it.
fn chain(parts: &[Part], folds: Folds<'_>) -> Option<Chain> {
    let (whole, newest) = (&parts[0], &parts[parts.len() - 1]);
    let mut chain = Chain {
        year: whole.year,
        months: newest.months,
        state: newest.publication,
        layout: whole.layout,
        base: whole.file.clone(),
        layers: Vec::new(),
    };
    let mut after = whole.publication;
    if let Some(fold) = folds.of(whole) {
        chain.base = fold.rows.clone()?.file;
        after = fold.last;
        if newest.publication < fold.last {
            let to = newest.publication;
            let newest_first = folds.undo_to(whole, to)?.iter().rev();
            let layers = newest_first.map(|undo| Layer::Undo { file: undo.file.clone(), to });
            chain.layers = layers.collect();
            return Some(chain);
        }
    }
    debug_assert_eq!(whole.kind, PartKind::Whole, "a chain begins with a whole part");
    let changes = parts[1..].iter().filter(|part| part.publication > after);
    chain.layers = changes.map(|part| Layer::Changes(part.file.clone())).collect();
    Some(chain)
}
