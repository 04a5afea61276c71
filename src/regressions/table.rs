//! The result of a table of the paper or of a specification.

use super::figure::Scatter;
use super::run::Outcome;
use super::summary::Statistics;
use crate::specification::{Specification, Summary, Wording};

/// The result of one specification.
#[derive(Clone, Debug)]
pub enum TableResult {
    /// Regressions, in the order of the specification's columns.
    Models {
        /// The specification's name.
        name: String,
        /// The heading.
        title: Wording,
        /// The regressors with a row in tables.
        rows: Vec<String>,
        /// The outcomes of the columns: an estimate, or the reason for its absence.
        outcomes: Vec<Outcome>,
    },
    /// Statistics of variables.
    Summary {
        /// The specification's name.
        name: String,
        /// The heading.
        title: Wording,
        /// The requested summary.
        summary: Summary,
        /// A row for each variable, and each value of `by`.
        rows: Vec<Statistics>,
    },
    /// A binned scatter.
    Figure {
        /// The specification's name.
        name: String,
        /// The heading.
        title: Wording,
        /// The points and the line.
        scatter: Scatter,
    },
}

impl TableResult {
    /// The regressions; empty for statistics and figures.
    #[must_use]
    pub fn outcomes(&self) -> &[Outcome] {
        match self {
            Self::Models { outcomes, .. } => outcomes,
            Self::Summary { .. } | Self::Figure { .. } => &[],
        }
    }

    /// Takes the models of a specification out of all outcomes.
    pub(super) fn models(specification: &Specification, outcomes: &mut Vec<Outcome>) -> Self {
        let own = |outcome: &mut Outcome| outcome.specification == specification.name;
        let mut outcomes: Vec<Outcome> = outcomes.extract_if(.., own).collect();
        let columns = specification.columns();
        outcomes.sort_by_key(|one| columns.iter().position(|column| column.name == one.column));
        let Specification { name, title, rows, .. } = specification.clone();
        Self::Models { name, title, rows, outcomes }
    }
}
