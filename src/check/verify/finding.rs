//! Findings: damage and differences in a home, and the figures that they affect.

use std::fmt;

use crate::domain::types::Vintage;
use crate::engine::EngineError;
use crate::home::HomeError;
use crate::home::parts::Table;
use crate::tables::export::ExportError;

/// A finding about a home.
#[derive(Debug)]
pub enum Finding {
    /// The database is damaged.
    Manifest(String),
    /// A segment is missing or damaged.
    Segment(Vintage, EngineError),
    /// The number of records in a segment differs from the number in the manifest.
    Count {
        /// The file.
        vintage: Vintage,
        /// Accepted records in the segment.
        found: u64,
        /// Accepted records by the manifest.
        recorded: u64,
    },
    /// A file that only saves time is missing or damaged; the text names the command that restores
    /// it.
    Saving(&'static str, HomeError),
    /// The month sums of a file differ from its records.
    Run {
        /// The file.
        file: String,
        /// The path of its run.
        path: String,
    },
    /// The records of a file that no longer counts are missing or damaged.
    OldRecords {
        /// The file.
        file: String,
        /// The affected figures.
        affected: Affected,
        /// The problem.
        error: HomeError,
    },
    /// A part of older vintages only is missing or damaged.
    OldPart {
        /// The table.
        table: Table,
        /// The affected figures.
        affected: Affected,
        /// The problem.
        error: HomeError,
    },
    /// A published part is missing or damaged, so that a year cannot be read.
    Part(Table, ExportError),
    /// A figure differs from the records.
    Figure {
        /// The table.
        table: Table,
        /// The row's year and key.
        key: String,
        /// The column.
        column: String,
        /// The published value.
        published: String,
        /// The value from the records.
        recomputed: String,
    },
    /// A published row that the records do not give.
    ExtraRow(Table, String),
    /// A row of the records that is not published.
    MissingRow(Table, String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(what) => write!(f, "the manifest is damaged: {what}"),
            Self::Segment(vintage, error) => write!(
                f,
                "vintage {vintage}: no published figure can be compared with its records: {error}"
            ),
            Self::Count { vintage, found, recorded } => {
                write!(
                    f,
                    "vintage {vintage}: {found} accepted records, but the manifest has {recorded}"
                )
            }
            Self::Saving(remedy, error) => {
                write!(f, "{}, {remedy}: {error}", Affected::Nothing)
            }
            Self::Run { file, path } => write!(
                f,
                "{path} differs from the records of {file}, so tables of its months are wrong; \
                 remove it, and the next `ingest` makes it again"
            ),
            Self::OldRecords { file, affected, error } => write!(
                f,
                "the records of {file}, which no longer count, are damaged; {affected}; `ingest` \
                 of that file restores them: {error}"
            ),
            Self::OldPart { table, affected, error } => {
                write!(f, "table {}: {affected}: {error}", table.name())
            }
            Self::Part(table, error) => write!(f, "table {}: {error}", table.name()),
            Self::Figure { table, key, column, published, recomputed } => write!(
                f,
                "table {}, {key}: {column} is published as {published}, but the records give \
                 {recomputed}",
                table.name()
            ),
            Self::ExtraRow(table, key) => {
                write!(
                    f,
                    "table {}, {key}: published, but the records give no such row",
                    table.name()
                )
            }
            Self::MissingRow(table, key) => {
                write!(
                    f,
                    "table {}, {key}: not published, but the records give this row",
                    table.name()
                )
            }
        }
    }
}

impl Finding {
    /// The affected figures.
    #[must_use]
    pub fn affected(&self) -> Affected {
        match self {
            Self::Saving(..) => Affected::Nothing,
            Self::OldRecords { affected, .. } | Self::OldPart { affected, .. } => affected.clone(),
            _ => Affected::Published,
        }
    }
}

/// The scope and the findings of a verification.
#[derive(Debug, Default)]
pub struct Verification {
    /// Segments read.
    pub n_segments: usize,
    /// Accepted records counted.
    pub n_records: u64,
    /// Published rows compared.
    pub n_rows: usize,
    /// The findings, at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// The number of all findings.
    pub n_findings: usize,
    /// The affected figures.
    pub affected: Affected,
}

/// The largest number of listed findings.
pub const FINDINGS_MAX: usize = 100;

impl Verification {
    pub(super) fn found(&mut self, finding: Finding) {
        self.n_findings += 1;
        self.affected = std::mem::take(&mut self.affected).or(finding.affected());
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

/// The figures that a finding affects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Affected {
    /// No figures: the damaged file saves time, and the engine can write it again.
    #[default]
    Nothing,
    /// These vintages cannot be read or replayed; the newest published figures are correct.
    Vintages(Vec<Vintage>),
    /// The newest published figures.
    Published,
}

impl Affected {
    /// These vintages; [`Affected::Nothing`] for an empty list.
    pub(super) fn vintages(vintages: Vec<Vintage>) -> Self {
        if vintages.is_empty() { Self::Nothing } else { Self::Vintages(vintages) }
    }

    /// The figures that at least one of both affects.
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

    /// The name in JSON.
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
                write!(f, "no current figure is affected, but {which} {ranges} cannot be exported")
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
        assert!(one.ends_with("vintage 7 cannot be exported"), "{one}");
        let both = Affected::Vintages(vec![Vintage(4), Vintage(6)])
            .or(Affected::Nothing)
            .or(Affected::Vintages(vec![Vintage(5), Vintage(6)]));
        assert!(both.to_string().ends_with("vintages 4 to 6 cannot be exported"), "{both}");
        assert_eq!(both.or(Affected::Published), Affected::Published);
        let several = affected(&[1, 2, 3, 5, 8, 9]);
        assert!(several.ends_with("vintages 1 to 3, 5, 8 to 9 cannot be exported"), "{several}");
    }
}
