//! Errors of estimating a table.

use std::sync::Arc;

use crate::dataflow::WorkerFailed;
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::{Period, Vintage, Year};
use crate::engine::EngineError;
use crate::estimate::error::EstimateError;
use crate::feed::reference::PlacesError;
use crate::home::HomeError;
use crate::spans::SpanError;
use crate::tables::export::ExportError;

/// A failed operation on a home's regressions.
#[derive(Debug, thiserror::Error)]
pub enum RegressionError {
    /// An error of the home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// An error of the recorded options or reference tables.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An error of the published tables.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// An error of the months of a panel.
    #[error(transparent)]
    Span(Box<SpanError>),
    /// An error of the dataflow for the panel of ordinary trade.
    #[error(transparent)]
    Worker(#[from] WorkerFailed),
    /// Columns do not fit their schema.
    #[error("the columns of a panel do not fit together: a defect, please report it")]
    Columns(#[from] arrow_schema::ArrowError),
    /// An error of the estimator.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// Placebo networks or shift-share errors for several columns.
    #[error("--placebo and --shift-share take one column: name it, as in --table 3.4")]
    NotOneColumn,
    /// Placebo networks and shift-share errors do not exist for a model.
    #[error("{model} has no affiliate terms to draw or to split: {why}; name another, such as 3.4")]
    NoAffiliates {
        /// The model.
        model: String,
        /// The reason.
        why: &'static str,
    },
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
    /// No closed year can be compared with the previous one.
    #[error(
        "no closed year has indicators yet{}: a regression needs all twelve months of a year and \
         of the one before",
        through.map_or(String::new(), |year| format!(" up to {year}"))
    )]
    NoYear {
        /// The requested last year.
        through: Option<Year>,
    },
    /// A requested year has not closed.
    #[error(
        "{year} has not closed, or has no year before it; {}",
        if first == last { format!("the closed year is {last}") }
        else { format!("the closed years are {first} to {last}") }
    )]
    NotClosed {
        /// The requested year.
        year: Year,
        /// The first closed year with indicators.
        first: Year,
        /// The last closed year.
        last: Year,
    },
    /// A requested month has not closed.
    #[error(
        "{end} has not closed, or has no year before it; {}",
        closed_months(*first, *last)
    )]
    MonthNotClosed {
        /// The requested month.
        end: SampleEnd,
        /// The first year with indicators.
        first: Year,
        /// The last closed month.
        last: Option<Period>,
    },
    /// A month was requested of a feed with years.
    #[error("the feed has years and no months, so no sample ends at {end}; name a year instead")]
    NoMonths {
        /// The requested month.
        end: SampleEnd,
    },
    /// A month was requested of results that exist for whole years.
    #[error("{what} has whole years only; name a year instead of a month")]
    WholeYears {
        /// The panel or the table.
        what: String,
    },
    /// A column of a specification cannot be estimated as written.
    #[error("specification {specification}, column {column}: {problem}")]
    InColumn {
        /// The specification.
        specification: String,
        /// The column.
        column: String,
        /// The problem.
        problem: Arc<RegressionError>,
    },
    /// The panel lacks a column.
    #[error("the {panel} panel has no column \"{column}\"; it has {}", there.join(", "))]
    NoColumn {
        /// The panel.
        panel: &'static str,
        /// The column.
        column: String,
        /// The panel's columns.
        there: Vec<String>,
    },
    /// No record belongs to ordinary trade.
    #[error(
        "no record has trade mode {}; name those of ordinary trade by ordinary_modes in the \
         feed's profile",
        modes.iter().map(|mode| format!("{mode:?}")).collect::<Vec<_>>().join(" or ")
    )]
    NoOrdinaryTrade {
        /// The trade modes of ordinary trade.
        modes: Vec<String>,
    },
    /// A column has no value in any row.
    #[error("\"{column}\" is absent in every row of the {panel} panel{}", hint(column))]
    Absent {
        /// The panel.
        panel: &'static str,
        /// The column.
        column: String,
    },
    /// The specification lacks a requested column.
    #[error("{specification} has no column {column}; it has {}", there.join(", "))]
    UnknownColumn {
        /// The specification.
        specification: String,
        /// The requested column.
        column: String,
        /// The specification's columns.
        there: Vec<String>,
    },
    /// No estimate of a column is as old as the requested vintage.
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
        /// The requested vintage.
        vintage: Vintage,
        /// The vintage of the first estimate.
        first: Option<Vintage>,
        /// True if other models were estimated under the same name.
        has_others: bool,
    },
    /// The requested tables at a vintage contain no regression.
    #[error("only regressions are stored by vintage: leave out --vintage")]
    OnlyByVintage,
    /// No requested column has a stored estimate.
    #[error(transparent)]
    NoneStored {
        /// The reason for the first column.
        why: Arc<RegressionError>,
    },
    /// A path was requested in several tables at once.
    #[error("--path follows the columns of one table: name it, as in --table 3.4")]
    NotOneTable,
    /// A path was requested in a table without regressions.
    #[error("{title} has no regressions to follow")]
    NoRegressions {
        /// The table's heading.
        title: String,
    },
    /// No column has the regressor of a path.
    #[error("{specification} has no regressor \"{term}\"; it has {}", there.join(", "))]
    NoSuchRegressor {
        /// The specification.
        specification: String,
        /// The requested regressor.
        term: String,
        /// The specification's regressors.
        there: Vec<String>,
    },
    /// A path has no point.
    #[error("{model} has no estimate of \"{term}\" in any year")]
    NoPath {
        /// The specification and its column.
        model: String,
        /// The regressor.
        term: String,
    },
    /// An earlier estimation gave no estimate.
    #[error("{told}")]
    Before {
        /// The message.
        told: String,
        /// True if the home lacked the data.
        is_no_data: bool,
    },
    /// A stored estimate has an unknown version.
    #[error(
        "estimate {number} is stored in version {found}, and this program reads up to version \
         {newest}; use the program that stored it, or estimate again with `estimate --again`"
    )]
    OtherVersion {
        /// The number of the estimate.
        number: u64,
        /// The version of the estimate.
        found: u32,
        /// The newest known version.
        newest: u32,
    },
    /// A stored estimate has other fields than its version.
    #[error(
        "estimate {number} has fields that this program does not know; use the program that stored \
         it, or estimate again with `estimate --again`"
    )]
    Unreadable {
        /// The number of the estimate.
        number: u64,
        /// The cause.
        source: serde_json::Error,
    },
    /// The reference tables of the home are invalid.
    #[error(transparent)]
    Places(#[from] PlacesError),
    /// The reference tables of the regressions are invalid.
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

/// The months that samples can end at.
fn closed_months(first: Year, last: Option<Period>) -> String {
    match last.filter(|last| last.year() >= first) {
        Some(last) => format!("samples can end at a month from {first}01 to {last}"),
        None => format!("the first month that a sample can end at is {first}01"),
    }
}

/// The remedy for a column without values.
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

impl From<SpanError> for RegressionError {
    fn from(error: SpanError) -> Self {
        Self::Span(Box::new(error))
    }
}

impl RegressionError {
    /// True if the disk is no longer reliable: the process must end.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.of_home().is_some_and(HomeError::is_fatal)
    }

    /// True if the disk or the quota had no room.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        self.of_home().is_some_and(HomeError::is_no_room)
    }

    /// True if the cause is the disk and not the figures: the same estimation may succeed later.
    #[must_use]
    pub fn is_of_disk(&self) -> bool {
        self.is_fatal() || self.is_no_room()
    }

    /// True if the home lacks the data: with them, the same estimation succeeds.
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

    /// True if the request does not fit the panel, for any data.
    #[must_use]
    pub fn is_of_request(&self) -> bool {
        matches!(self, Self::WholeYears { .. })
    }

    /// Separates the rows excluded by the rules of a sample, which the estimator counts among those
    /// without a value.
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

    /// True if the specification itself is invalid, for any data.
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

    /// The name in a formula or a rule that caused the error.
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

    /// True if the cause is in the home's files and not in the figures: the same estimation may
    /// succeed later.
    pub(super) fn is_of_home(&self) -> bool {
        self.of_home().is_some()
    }

    fn of_home(&self) -> Option<&HomeError> {
        match self {
            Self::Home(error)
            | Self::Engine(EngineError::Home(error))
            | Self::Export(ExportError::Home(error)) => Some(error),
            Self::Span(error) => match &**error {
                SpanError::Home(error)
                | SpanError::Engine(EngineError::Home(error))
                | SpanError::Export(ExportError::Home(error)) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }
}
