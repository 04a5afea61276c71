//! Errors of estimating a table.

use std::sync::Arc;

use crate::dataflow::WorkerFailed;
use crate::domain::types::{Vintage, Year};
use crate::engine::EngineError;
use crate::estimate::error::EstimateError;
use crate::home::ArchiveError;
use crate::tables::export::ExportError;

/// An operation on a home's regressions that failed.
#[derive(Debug, thiserror::Error)]
pub enum RegressionError {
    /// The home.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The recorded value.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Its published tables.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The dataflow, for the panel of ordinary trade.
    #[error(transparent)]
    Worker(#[from] WorkerFailed),
    /// Columns that do not fit their schema.
    #[error("the columns of a panel do not fit together: a defect, please report it")]
    Columns(#[from] arrow_schema::ArrowError),
    /// The estimator.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// No rows are left, and the rules of the column's sample exclude some.
    #[error(
        "no rows are left of {n_rows}: {n_missing} without a value or a weight, {n_excluded} \
         excluded by the rules of the sample, {n_singletons} singletons"
    )]
    NoRows {
        /// Rows of the panel.
        n_rows: usize,
        /// Rows with a missing, infinite or zero-weight value.
        n_missing: usize,
        /// Rows with all values that the rules exclude.
        n_excluded: usize,
        /// Rows alone in a level of a fixed effect.
        n_singletons: usize,
    },
    /// No year has been closed that could be compared with the one before.
    #[error(
        "no closed year has indicators yet{}: a regression needs all twelve months of a year and \
         of the one before",
        through.map_or(String::new(), |year| format!(" up to {year}"))
    )]
    NoYear {
        /// The last year asked for.
        through: Option<Year>,
    },
    /// A year that has not closed.
    #[error(
        "{year} has not closed, or has no year before it; {}",
        if first == last { format!("the closed year is {last}") }
        else { format!("the closed years are {first} to {last}") }
    )]
    NotClosed {
        /// The year asked for.
        year: Year,
        /// The first closed year with indicators.
        first: Year,
        /// The last closed year.
        last: Year,
    },
    /// A column of a specification that cannot be estimated as it is written.
    #[error("specification {specification}, column {column}: {problem}")]
    InColumn {
        /// The specification.
        specification: String,
        /// The column.
        column: String,
        /// The problem.
        problem: Arc<RegressionError>,
    },
    /// A column that the panel does not have.
    #[error("the {panel} panel has no column \"{column}\"; it has {}", there.join(", "))]
    NoColumn {
        /// The panel.
        panel: &'static str,
        /// The column.
        column: String,
        /// Those it has.
        there: Vec<String>,
    },
    /// No record is of ordinary trade.
    #[error(
        "no record has trade mode {}; name those of ordinary trade by ordinary_modes in the \
         feed's profile",
        modes.iter().map(|mode| format!("{mode:?}")).collect::<Vec<_>>().join(" or ")
    )]
    NoOrdinaryTrade {
        /// The trade modes of ordinary trade.
        modes: Vec<String>,
    },
    /// A column without any value.
    #[error("\"{column}\" is absent in every row of the {panel} panel{}", hint(column))]
    Absent {
        /// The panel.
        panel: &'static str,
        /// The column.
        column: String,
    },
    /// A column asked for that the specification does not have.
    #[error("{specification} has no column {column}; it has {}", there.join(", "))]
    UnknownColumn {
        /// The specification.
        specification: String,
        /// The column asked for.
        column: String,
        /// Those it has.
        there: Vec<String>,
    },
    /// No estimate of a column is as old as was asked for.
    #[error(
        "no estimate of {model} is stored as of vintage {vintage}; {}{}",
        first.map_or("there is none of a later one".to_owned(), |first| {
            format!("its first is of vintage {first}")
        }),
        if *has_others {
            "; estimates under that name are of another formula or sample, see `export estimates`"
        } else {
            ""
        }
    )]
    NotYet {
        /// The specification and its column.
        model: String,
        /// The vintage asked for.
        vintage: Vintage,
        /// That of its first estimate.
        first: Option<Vintage>,
        /// Whether other models were estimated under the same name.
        has_others: bool,
    },
    /// Tables as of a vintage of which none is a regression.
    #[error("only regressions are stored by vintage: leave out --vintage")]
    OnlyByVintage,
    /// No column asked for has a stored estimate.
    #[error(transparent)]
    NoneStored {
        /// Why the first one has none.
        why: Arc<RegressionError>,
    },
    /// A path in several tables at once.
    #[error("--path follows the columns of one table: name it, as in --table 3.4")]
    NotOneTable,
    /// A path in a table without regressions.
    #[error("{title} has no regressions to follow")]
    NoRegressions {
        /// The table's heading.
        title: String,
    },
    /// A path of a regressor that no column has.
    #[error("{specification} has no regressor \"{term}\"; it has {}", there.join(", "))]
    NoSuchRegressor {
        /// The specification.
        specification: String,
        /// The regressor asked for.
        term: String,
        /// Those it has.
        there: Vec<String>,
    },
    /// A path without a point.
    #[error("{model} has no estimate of \"{term}\" in any year")]
    NoPath {
        /// The specification and its column.
        model: String,
        /// The regressor.
        term: String,
    },
    /// An estimation of before gave no estimate.
    #[error("{told}")]
    Before {
        /// The message.
        told: String,
        /// Whether the home lacked the data.
        is_no_data: bool,
    },
    /// A kept estimate of a version that is not known.
    #[error(
        "estimate {number} is stored in version {found}, and this program reads up to version \
         {newest}; use the program that stored it, or estimate again with `estimate --again`"
    )]
    OtherVersion {
        /// Its number.
        number: u64,
        /// Its version.
        found: u32,
        /// The newest version that is known.
        newest: u32,
    },
    /// A kept estimate whose fields are not those of its version.
    #[error(
        "estimate {number} has fields that this program does not know; use the program that stored \
         it, or estimate again with `estimate --again`"
    )]
    Unreadable {
        /// Its number.
        number: u64,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// The reference tables of the regressions are not what they should be.
    #[error("{table}, line {line}: {what}")]
    Reference {
        /// The table.
        table: &'static str,
        /// The line.
        line: u64,
        /// The problem.
        what: &'static str,
    },
}

/// What to do about a column that nothing fills.
fn hint(column: &str) -> &'static str {
    match column {
        "ln_supply" => "; name a firm-year file by the option supply",
        "income_group" => {
            "; give each country an income_group, or an iso3 code, in the countries.csv beside the \
             feed"
        }
        "hs6" | "differentiated" | "differentiated_liberal" | "ln_product_export" => {
            "; the feed has no HS codes that the reference table knows"
        }
        _ => "",
    }
}

impl RegressionError {
    /// Whether the disk itself can no longer be relied on, so that the process has to end.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.of_archive().is_some_and(ArchiveError::is_fatal)
    }

    /// Whether the disk or the quota had no room.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        self.of_archive().is_some_and(ArchiveError::is_no_room)
    }

    /// Whether the cause is the disk and not the figures: once the disk is in order, the same
    /// estimation may succeed.
    #[must_use]
    pub fn is_of_disk(&self) -> bool {
        self.is_fatal() || self.is_no_room()
    }

    /// Whether the home lacks the data, so that nothing failed: once it has them, the same
    /// estimation gives an estimate.
    #[must_use]
    pub fn is_no_data(&self) -> bool {
        match self {
            Self::Absent { .. }
            | Self::NoOrdinaryTrade { .. }
            | Self::NoRows { .. }
            | Self::Estimate(EstimateError::NoRows { .. })
            | Self::NotYet { .. }
            | Self::NoYear { .. } => true,
            Self::Before { is_no_data, .. } => *is_no_data,
            _ => false,
        }
    }

    /// The same error, with rows that the rules of a sample exclude counted apart: the estimator
    /// counts them among those without a value.
    pub(super) fn with_excluded(self, n_excluded: usize) -> Self {
        match self {
            Self::Estimate(EstimateError::NoRows { n_rows, n_missing, n_singletons, .. })
                if n_excluded > 0 =>
            {
                let n_missing = n_missing - n_excluded;
                Self::NoRows { n_rows, n_missing, n_excluded, n_singletons }
            }
            other => other,
        }
    }

    /// Whether the specification itself is wrong: no data and no other run make it right.
    #[must_use]
    pub fn is_of_specification(&self) -> bool {
        use EstimateError::{ClusterWays, NotNumeric, UnknownClusters, UnknownColumn};
        matches!(
            self,
            Self::InColumn { .. }
                | Self::NoColumn { .. }
                | Self::UnknownColumn { .. }
                | Self::Estimate(
                    UnknownColumn { .. }
                        | NotNumeric { .. }
                        | UnknownClusters { .. }
                        | ClusterWays { .. }
                )
        )
    }

    /// The name in a formula or a rule that it is about.
    #[must_use]
    pub fn name_in_formula(&self) -> Option<&str> {
        match self {
            Self::NoColumn { column, .. } => Some(column),
            Self::Estimate(
                EstimateError::UnknownColumn { name, .. } | EstimateError::NotNumeric { name },
            ) => Some(name),
            _ => None,
        }
    }

    /// Whether it comes of what the home's files hold and not of the figures: once they are put in
    /// order, the same estimation may go well.
    pub(super) fn is_of_home(&self) -> bool {
        self.of_archive().is_some()
    }

    fn of_archive(&self) -> Option<&ArchiveError> {
        match self {
            Self::Archive(error)
            | Self::Engine(EngineError::Archive(error))
            | Self::Export(ExportError::Archive(error)) => Some(error),
            _ => None,
        }
    }
}
