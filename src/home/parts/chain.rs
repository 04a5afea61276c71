//! The files of a year of a table, as of a publication.
//!
//! ```text
//! parts:  12 whole, 13 changes, 14 changes, 15 changes        folded up to 14
//! as of 15:  rows of 14 ◀─ changes of 15
//! as of 14:  rows of 14
//! as of 12:  rows of 14 ◀─ undo 14 ◀─ undo 13
//! ```

use std::ops::Range;
use std::path::Path;

use super::fold::{Fold, UndoPart};
use super::{Layout, Part, PartKind, in_use};
use crate::domain::types::Year;
use crate::home::Publication;
use crate::home::durable::Stored;
use crate::home::error::Result;

/// The files that a year of a table is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The year.
    pub year: Year,
    /// How many months of it the figures stand for.
    pub months: u8,
    /// The publication that made the rows what they are.
    pub state: Publication,
    /// What is stored of rows.
    pub layout: Layout,
    /// All rows, as they were at some publication.
    pub base: Stored,
    /// What lies on top, the newest last.
    pub layers: Vec<Layer>,
}

/// Rows that take the place of those below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// As one publication changed them.
    Changes(Stored),
    /// As they were before publications after `to` changed them.
    Undo {
        /// What is undone of several publications.
        file: Stored,
        /// The publication that is gone back to.
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
    /// The chains of a table, none of whose parts was folded, in order of year and publication.
    #[must_use]
    pub fn of_parts(parts: &[Part]) -> Vec<Self> {
        chains(parts, Folds::default()).unwrap_or_default()
    }

    /// Its files.
    pub fn files(&self) -> impl Iterator<Item = &Stored> {
        std::iter::once(&self.base).chain(self.layers.iter().map(Layer::file))
    }

    /// The same chain with the files as they are on the disk, whatever their hashes. `None` if
    /// every file has its size: another program that rewrites a file changes its size.
    ///
    /// # Errors
    /// [`crate::home::ArchiveError::Read`] if one cannot be read.
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

/// What was folded of the published tables.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::home) struct Folds<'a> {
    /// In order of table, year and publication.
    pub(in crate::home) folds: &'a [Fold],
    /// In order of table, year and publications.
    pub(in crate::home) undo: &'a [UndoPart],
}

impl<'a> Folds<'a> {
    /// The fold that begins with a whole part.
    pub(in crate::home) fn of(self, whole: &Part) -> Option<&'a Fold> {
        let key = (whole.table, whole.year, whole.publication);
        let found =
            self.folds.binary_search_by_key(&key, |fold| (fold.table, fold.year, fold.first));
        found.ok().map(|at| &self.folds[at])
    }

    /// What leads back from the fold that begins with a whole part, the oldest first.
    pub(in crate::home) fn undo_of(self, whole: &Part) -> &'a [UndoPart] {
        let key = (whole.table, whole.year, whole.publication);
        let start = self.undo.partition_point(|undo| (undo.table, undo.year, undo.first) < key);
        let own = &self.undo[start..];
        &own[..own.partition_point(|undo| (undo.table, undo.year, undo.first) == key)]
    }

    /// What leads back to a publication, the oldest first; none if its rows are not stored.
    fn undo_to(self, whole: &Part, to: Publication) -> Option<&'a [UndoPart]> {
        let own = self.undo_of(whole);
        let own = &own[own.partition_point(|undo| undo.newest <= to)..];
        own.first()?.states.contains(&to).then_some(own)
    }

    /// Whether rows are stored as a part of the chain of a whole part left them.
    fn has(self, whole: &Part, state: Publication) -> bool {
        self.of(whole).is_none_or(|fold| {
            fold.rows.is_some() && (state >= fold.last || self.undo_to(whole, state).is_some())
        })
    }
}

/// The chains of a table, of which some parts were folded; none if what its parts of a year were is
/// not stored any more.
///
/// Parts are in order of year and publication.
pub(in crate::home) fn chains(parts: &[Part], folds: Folds<'_>) -> Option<Vec<Chain>> {
    let in_use = in_use(parts);
    let of_year = in_use.chunk_by(|a, b| a.year == b.year);
    of_year.map(|parts| chain(parts, folds)).collect()
}

/// The publications, as numbers from and up to, as of which a year of a table is not stored any
/// more.
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

/// The chain of some parts of a year: a whole one, and the changes after it.
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
