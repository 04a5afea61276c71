//! The rows of any table by one request, in batches.
//!
//! ```text
//! RowRequest (table, vintage, span, choice) ─▶ table of the home ─▶ rows that are asked for
//! ```

use arrow_array::RecordBatch;

use super::{Reader, ReaderError};
use crate::domain::span::{Joint, Span};
use crate::domain::types::{Period, Vintage};
use crate::home::parts::Table;
use crate::reader::chosen::RowChoice;
use crate::reader::conditions::Condition;
use crate::reader::{ledger, moves};
use crate::spans::SpanChoice;
use crate::tables::export::{ExportError, Selection, sheet_of};
use crate::tables::sheet::Sheet;
use crate::tables::{months, series};

/// A table with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableName {
    /// Exporters of a city to a destination in a year.
    City,
    /// Plants of multi-plant firms by destination and year.
    Plant,
    /// Exporters of a city to a destination in each span of months.
    Months,
    /// Growth and its sources by level in each span.
    Series,
    /// Accepted files.
    Files,
    /// Rejected lines.
    Rejects,
    /// Figures that a vintage changed.
    Changes,
}

impl TableName {
    /// All tables, in the order of lists.
    pub const ALL: [Self; 7] = [
        Self::City,
        Self::Plant,
        Self::Months,
        Self::Series,
        Self::Files,
        Self::Rejects,
        Self::Changes,
    ];

    /// The name in addresses and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Plant => "plant",
            Self::Months => months::NAME,
            Self::Series => series::NAME,
            Self::Files => "files",
            Self::Rejects => "rejects",
            Self::Changes => "changes",
        }
    }

    /// The table of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// True if a month and a span choose its rows.
    #[must_use]
    pub fn has_spans(self) -> bool {
        matches!(self, Self::City | Self::Plant | Self::Months | Self::Series)
    }

    /// True if its rows can identify firms.
    #[must_use]
    pub fn is_of_firms(self) -> bool {
        matches!(self, Self::Plant | Self::Rejects | Self::Changes)
    }
}

/// The rows that are asked for.
#[derive(Clone, Debug)]
pub struct RowRequest {
    /// The table.
    pub table: TableName,
    /// The vintage; `None` for the newest.
    pub as_of: Option<Vintage>,
    /// The vintage that [`TableName::Changes`] compares with; `None` for the step before.
    pub compared_with: Option<Vintage>,
    /// The rows by code.
    pub choice: RowChoice,
    /// Further conditions on columns.
    pub conditions: Vec<Condition>,
    /// The month of a span.
    pub month: Option<Period>,
    /// The kind of span.
    pub span: Option<Span>,
    /// The months that the span `month` shows together.
    pub joint: Joint,
}

/// A table, while its rows are read.
pub struct Rows<'r> {
    /// The name, keys and columns.
    pub sheet: &'r Sheet,
    /// The batches, in order of key.
    pub batches: Batches<'r>,
}

/// Batches of rows, while they are read.
type Batches<'b> = &'b mut dyn Iterator<Item = Result<RecordBatch, ReaderError>>;

impl Reader {
    /// The name, keys and columns of a table.
    ///
    /// # Errors
    /// [`ReaderError`] if the manifest cannot be read.
    pub fn sheet(&self, table: TableName) -> Result<Sheet, ReaderError> {
        Ok(match table {
            TableName::City => self.published_sheet(Table::City)?,
            TableName::Plant => self.published_sheet(Table::Plant)?,
            TableName::Months => months::sheet(),
            TableName::Series => series::sheet(),
            TableName::Files => ledger::files(&self.home, Selection::default())?.0,
            TableName::Rejects => ledger::rejects_sheet(),
            TableName::Changes => moves::sheet("changes"),
        })
    }

    fn published_sheet(&self, table: Table) -> Result<Sheet, ReaderError> {
        let definition = crate::engine::recorded::recorded(&self.home)?;
        let definition = definition.ok_or(crate::engine::EngineError::Empty)?;
        Ok(sheet_of(table, &definition))
    }

    /// Reads the requested rows of a table, and passes them on while they are read.
    ///
    /// # Errors
    /// - [`ReaderError`] if there is no such vintage, year or month, or the home cannot be read.
    /// - [`ReaderError::Condition`] if the table does not have a column that rows are chosen by.
    /// - The errors of `then`.
    pub fn rows<T, E: From<ReaderError>>(
        &self,
        request: &RowRequest,
        then: impl FnOnce(Rows<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let sheet = self.sheet(request.table)?;
        let then = |batches: Batches<'_>| {
            request.check(&sheet)?;
            let mut batches = batches.map(|batch| request.rows(batch?));
            then(Rows { sheet: &sheet, batches: &mut batches })
        };
        let year = request.one_year();
        match request.table {
            TableName::City => self.published(request, Table::City, then),
            TableName::Plant => self.published(request, Table::Plant, then),
            TableName::Months => {
                let spans = self.spans(request.as_of, request.joint)?;
                let chosen = chosen(spans.chosen(months::NAME, &request.spans()))?;
                then(&mut spans.months(chosen).map(|rows| Ok(rows?)))
            }
            TableName::Series => {
                let spans = self.spans(request.as_of, request.joint)?;
                let chosen = chosen(spans.chosen(series::NAME, &request.spans()))?;
                then(&mut spans.series_rows(chosen).map(|rows| Ok(rows?)))
            }
            TableName::Files => {
                let (_, rows) = self.files(Selection { year, as_of: request.as_of })?;
                then(&mut std::iter::once(Ok(rows)))
            }
            TableName::Rejects => {
                let rows = self.rejects(Selection { year, as_of: request.as_of })?;
                then(&mut rows.map(|rows| Ok(rows?)))
            }
            TableName::Changes => {
                let changes = match request.compared_with {
                    None => self.changes(request.as_of, year)?,
                    Some(before) => {
                        let newest = self.publication()?.1;
                        self.diff(before, request.as_of.unwrap_or(newest), year)?
                    }
                };
                changes.check()?;
                then(&mut moves::rows(changes.years()).map(|rows| Ok(rows?)))
            }
        }
    }

    /// A table of years, as published or as of a month.
    fn published<T, E: From<ReaderError>>(
        &self,
        request: &RowRequest,
        table: Table,
        then: impl FnOnce(Batches<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(month) = request.month {
            let spans = self.spans(request.as_of, request.joint)?;
            let span = request.span.unwrap_or(Span::YearToDate);
            let at = spans.span(span, month).map_err(ReaderError::from)?;
            return match table {
                Table::City => then(&mut std::iter::once_with(|| Ok(spans.city(at)?))),
                Table::Plant => {
                    let rows = spans.plant(at).map_err(ReaderError::from)?;
                    then(&mut rows.map(|rows| Ok(rows?)))
                }
            };
        }
        let standing = self.standing(request.as_of)?;
        let (table, year) = (self.table(&standing, table)?, request.one_year());
        for asked in &request.choice.years {
            table.check(Some(*asked)).map_err(ReaderError::from)?;
        }
        if year.is_some() {
            return then(&mut table.rows_of(year).map(|rows| Ok(rows?)));
        }
        let years: Vec<_> = table.years().filter(|of| request.has_year(*of)).collect();
        let rows = years.into_iter().flat_map(|year| table.rows_of(Some(year)));
        then(&mut rows.map(|rows| Ok(rows?)))
    }
}

fn chosen<T>(chosen: Result<T, crate::spans::SpanError>) -> Result<T, ReaderError> {
    Ok(chosen?)
}

impl RowRequest {
    /// All rows of a table at the newest vintage.
    #[must_use]
    pub fn of(table: TableName, joint: Joint) -> Self {
        Self {
            table,
            as_of: None,
            compared_with: None,
            choice: RowChoice::default(),
            conditions: Vec::new(),
            month: None,
            span: None,
            joint,
        }
    }

    /// The year, if exactly one is requested: other years are not read.
    fn one_year(&self) -> Option<crate::domain::types::Year> {
        match self.choice.years[..] {
            [year] => Some(year),
            _ => None,
        }
    }

    fn has_year(&self, year: crate::domain::types::Year) -> bool {
        self.choice.years.is_empty() || self.choice.years.contains(&year)
    }

    fn spans(&self) -> SpanChoice {
        SpanChoice { years: self.choice.years.clone(), month: self.month, span: self.span }
    }

    fn check(&self, sheet: &Sheet) -> Result<(), ReaderError> {
        self.choice.check_codes(sheet)?;
        self.conditions.iter().try_for_each(|of| of.check(sheet))?;
        Ok(())
    }

    fn rows(&self, batch: RecordBatch) -> Result<RecordBatch, ReaderError> {
        let batch = self.choice.rows(batch).map_err(ExportError::Choice)?;
        let mut batch = batch;
        for condition in &self.conditions {
            batch = condition.rows(batch).map_err(ExportError::Choice)?;
        }
        Ok(batch)
    }
}
