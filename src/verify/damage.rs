//! Files of the home that are not as they were written, and which figures that affects.
//!
//! The figures published last are read from the newest parts; records explain them and give them
//! again. Everything else serves earlier vintages, or only saves time.

use std::fmt;

use super::{Finding, Verification};
use crate::archive::parts::{Part, Table};
use crate::archive::{Archive, ArchiveError, FileEntry};
use crate::engine::{EngineError, needs_records};
use crate::types::Vintage;

/// Which figures something affects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Affected {
    /// None: what is damaged saves time, and is made again.
    #[default]
    Nothing,
    /// These vintages cannot be read or replayed; what was published last is as it was.
    Vintages(Vec<Vintage>),
    /// Figures that were published last.
    Published,
}

impl Affected {
    /// These vintages, or nothing if there is none.
    fn vintages(vintages: Vec<Vintage>) -> Self {
        if vintages.is_empty() { Self::Nothing } else { Self::Vintages(vintages) }
    }

    /// What either affects.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Published, _) | (_, Self::Published) => Self::Published,
            (Self::Nothing, affected) | (affected, Self::Nothing) => affected,
            (Self::Vintages(mut vintages), Self::Vintages(more)) => {
                vintages.extend(more);
                vintages.sort_unstable();
                vintages.dedup();
                Self::Vintages(vintages)
            }
        }
    }

    /// Its name in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Vintages(_) => "vintages",
            Self::Published => "published",
        }
    }
}

impl fmt::Display for Affected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "no figure is affected"),
            Self::Vintages(vintages) => {
                let (is_one, ranges) = (vintages.len() == 1, ranges(vintages));
                let which = if is_one { "vintage" } else { "vintages" };
                write!(f, "no published figure of now is affected, {which} {ranges} cannot be had")
            }
            Self::Published => write!(f, "published figures are affected"),
        }
    }
}

/// Numbers in order as `1 to 3, 5`.
fn ranges(vintages: &[Vintage]) -> String {
    let runs = vintages.chunk_by(|a, b| a.0 + 1 == b.0).map(|run| match run {
        [one] => one.to_string(),
        [first, .., last] => format!("{first} to {last}"),
        [] => String::new(),
    });
    runs.collect::<Vec<_>>().join(", ")
}

/// Looks at every file of a home that recomputing its figures does not read.
///
/// # Errors
/// [`EngineError`] if the manifest cannot be read.
pub fn find(archive: &Archive, verification: &mut Verification) -> Result<(), EngineError> {
    let home = archive.home();
    for snapshot in archive.snapshots()? {
        if let Err(error) = snapshot.file.open(home) {
            verification.found(Finding::Saving("`snapshot` makes another", error));
        }
    }
    let panels = archive.panels()?.into_iter().map(|part| part.file);
    for file in panels.chain(archive.memory_files()?) {
        if let Err(error) = file.open(home) {
            verification.found(Finding::Saving("`estimate` makes it again", error));
        }
    }
    for file in archive.files()?.into_iter().filter(|file| !file.counts_now()) {
        if let Err(error) = file.segment.open(home) {
            let affected = of_records(archive, &file)?;
            verification.found(Finding::OldRecords { file: file.name, affected, error });
        }
    }
    for table in [Table::City, Table::Plant] {
        for part in archive.old_parts(table)? {
            if let Err(error) = part.file.open(home) {
                let affected = of_part(archive, &part)?;
                verification.found(Finding::OldPart { table, affected, error });
            }
        }
    }
    Ok(())
}

/// The vintages that cannot be replayed without the records of a file.
fn of_records(archive: &Archive, file: &FileEntry) -> Result<Affected, EngineError> {
    let newest = archive.last_vintage()?.unwrap_or_default();
    let mut affected = Vec::new();
    for vintage in (file.vintage.0..=newest.0).map(Vintage) {
        if needs_records(archive, file, vintage)? {
            affected.push(vintage);
        }
    }
    Ok(Affected::vintages(affected))
}

/// The published vintages whose table is read from a part.
fn of_part(archive: &Archive, part: &Part) -> Result<Affected, ArchiveError> {
    let mut vintages: Vec<Vintage> = archive.publications()?.into_iter().map(|of| of.1).collect();
    vintages.dedup();
    let mut affected = Vec::new();
    for vintage in vintages {
        if archive.parts(part.table, Some(vintage))?.contains(part) {
            affected.push(vintage);
        }
    }
    Ok(Affected::vintages(affected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vintages_are_listed_by_ranges() {
        let affected = |numbers: &[u32]| {
            Affected::vintages(numbers.iter().copied().map(Vintage).collect()).to_string()
        };
        assert_eq!(affected(&[]), "no figure is affected");
        let one = affected(&[7]);
        assert!(one.ends_with("vintage 7 cannot be had"), "{one}");
        let both = Affected::Vintages(vec![Vintage(4), Vintage(6)])
            .or(Affected::Nothing)
            .or(Affected::Vintages(vec![Vintage(5), Vintage(6)]));
        assert!(both.to_string().ends_with("vintages 4 to 6 cannot be had"), "{both}");
        assert_eq!(both.or(Affected::Published), Affected::Published);
        let several = affected(&[1, 2, 3, 5, 8, 9]);
        assert!(several.ends_with("vintages 1 to 3, 5, 8 to 9 cannot be had"), "{several}");
    }
}
