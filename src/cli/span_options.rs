//! Options of tables that a span of months chooses.

use clap::Args;
use spillover::domain::span::Span;
use spillover::domain::types::{Period, Year};
use spillover::spans::SpanChoice;

use super::ending::UsageError;

/// The month and the span of a table's rows.
#[derive(Debug, Args)]
pub struct SpanOptions {
    /// Write city, plant, months, series, effects or sources as of this month, by what is known now
    /// or at --vintage.
    #[arg(long, value_name = "YYYYMM")]
    month: Option<Period>,
    /// Compare the months of this span with the same months a year earlier: ytd, month or 12m
    /// [default for city, plant and effects:
    /// ytd].
    #[arg(long, value_name = "SPAN")]
    span: Option<Span>,
}

impl SpanOptions {
    /// The month and span of `city` or `plant`; `None` for the published table.
    ///
    /// # Errors
    /// [`UsageError`] for a span without a month.
    pub fn at(&self) -> Result<Option<(Period, Span)>, UsageError> {
        match (self.month, self.span) {
            (Some(month), span) => Ok(Some((month, span.unwrap_or(Span::YearToDate)))),
            (None, Some(_)) => Err(UsageError(
                "--span needs --month for this table; add the month, or leave --span out".into(),
            )),
            (None, None) => Ok(None),
        }
    }

    /// The month and the span of an effect, as far as they are given.
    pub fn asked(&self) -> (Option<Period>, Option<Span>) {
        (self.month, self.span)
    }

    /// Checks that neither option is given, for a table without spans.
    ///
    /// # Errors
    /// [`UsageError`] for a given option.
    pub fn refuse(&self) -> Result<(), UsageError> {
        let given = [("--month", self.month.is_some()), ("--span", self.span.is_some())];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(UsageError(format!(
                "{option} chooses rows of city, plant, months, series and effects; leave it out \
                 for this table"
            ))),
            None => Ok(()),
        }
    }

    /// The spans of `months` or `series`.
    pub fn choice(&self, years: impl Iterator<Item = Year>) -> SpanChoice {
        SpanChoice { years: years.collect(), month: self.month, span: self.span }
    }
}
