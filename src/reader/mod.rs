//! Reads a home: every query goes through this module and returns typed values.
//!
//! ```text
//! home ─▶ Reader (one publication) ─┬▶ table, changes, diff, revisions   rows and moves
//!                                   ├▶ spans                             markets by month, series
//!                                   ├▶ effects, sources, news, backtest  the live effect
//!                                   ├▶ files, rejects                    the ledger
//!                                   ├▶ status                            counts and sizes
//!                                   ├▶ estimates, panel, summary         regressions
//!                                   ├▶ briefing                          one month for a report
//!                                   └▶ explain                           one row and its records
//! ```
//! A reader never blocks a writer. All queries see one publication, until [`Reader::move_on`]. The
//! manifest is verified when the reader opens and after each publication, not for each query.

mod about;
pub mod briefing;
pub mod chosen;
pub mod conditions;
mod effects;
mod error;
pub mod estimates;
pub mod explain;
mod firm_names;
mod identity;
pub mod ledger;
pub mod moves;
pub mod names;
pub mod revisions;
pub mod rows;
pub mod state;
pub mod status;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use arrow_array::RecordBatch;

use crate::domain::sample_end::SampleEnd;
use crate::domain::span::Joint;
use crate::domain::types::{Vintage, Year};
use crate::engine::replay::Standing;
use crate::home::parts::Table;
use crate::home::{Home, Publication, RefusedFile};
use crate::reader::explain::{Explanation, RowKey, explain};
use crate::reader::moves::{YearMoves, between, years_between};
use crate::reader::names::Names;
use crate::reader::revisions::{Revision, revision, step_of, steps};
use crate::regressions::{
    KeptEstimate, Kind, Panels, Regressions, Statistics, exported, kept, summarise,
};
use crate::spans::SpanSource;
use crate::specification::Summary;
use crate::tables::export::{ExportError, Selection, TableAt, check_year};
use crate::tables::sheet::Sheet;

pub use error::ReaderError;
pub use status::Status;

/// A home, open for reading, at one publication.
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use spillover::reader::{Reader, ReaderError};
///
/// let folder = tempfile::tempdir()?;
/// let empty = Reader::open(&folder.path().join("home"));
/// assert!(matches!(empty, Err(ReaderError::Home(_))), "there is no home yet");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reader {
    home: Home,
    n_workers: usize,
    /// The names of firms, once they were read at this publication.
    firm_names: OnceLock<BTreeMap<String, String>>,
}

/// The steps of a list of revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// The step that published a vintage.
    Of(Vintage),
    /// The newest steps, at most this number.
    Last(usize),
}

/// Both tables in two states; the changes between them are read year by year.
pub struct Moves {
    tables: Vec<[TableAt; 2]>,
    year: Option<Year>,
    /// The states own the temporary folders of recomputed tables.
    _states: [Standing; 2],
}

impl Moves {
    /// The years that differ between both states, table by table.
    pub fn years(&self) -> impl Iterator<Item = Result<YearMoves, ExportError>> {
        self.tables.iter().flat_map(|[before, after]| between(before, after, self.year))
    }

    /// Checks that a year exists in one of the states.
    ///
    /// # Errors
    /// [`ReaderError::Export`] if it does not.
    pub fn check_year(&self, name: &'static str, year: Year) -> Result<(), ReaderError> {
        let years = self.tables.iter().flatten().flat_map(TableAt::years);
        Ok(check_year(name, Some(year), years)?)
    }

    /// Checks the hashes of all parts that [`Moves::years`] reads. After this check, a damaged part
    /// cannot end a list of moves early.
    ///
    /// # Errors
    /// [`ReaderError::Export`] with the first missing or damaged part.
    pub fn check(&self) -> Result<(), ReaderError> {
        for [before, after] in &self.tables {
            for year in years_between(before, after, self.year) {
                before.check_parts(year)?;
                after.check_parts(year)?;
            }
        }
        Ok(())
    }
}

impl Reader {
    /// Opens a home, even while another process writes it.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if there is no home, or its manifest is damaged or has lost
    /// commits.
    pub fn open(home: &Path) -> Result<Self, ReaderError> {
        Ok(Self { home: Home::read(home)?, n_workers: 1, firm_names: OnceLock::new() })
    }

    /// Sets the number of threads for panels and for recomputed vintages.
    #[must_use]
    pub fn with_workers(self, n_workers: usize) -> Self {
        Self { n_workers, ..self }
    }

    /// The folder of the home.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.home.folder()
    }

    /// Moves to the newest publication; returns true if there was a newer one.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest is damaged or has lost commits, or the home is
    /// gone.
    pub fn move_on(&mut self) -> Result<bool, ReaderError> {
        let before = self.publication()?;
        self.home.move_on()?;
        self.firm_names = OnceLock::new();
        Ok(self.publication()? != before)
    }

    /// The current publication of the reader, with its newest vintage; zeros for an empty home.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn publication(&self) -> Result<(Publication, Vintage), ReaderError> {
        Ok(self.home.last_publication()?.unwrap_or_default())
    }

    /// Files, months, lines, estimates, sizes, and the watcher's heartbeat.
    ///
    /// # Errors
    /// [`ReaderError`] if the manifest cannot be read.
    pub fn status(&mut self) -> Result<Status, ReaderError> {
        status::of(&mut self.home)
    }

    /// Both tables at a vintage or at the newest one. A vintage inside a batch is recomputed.
    ///
    /// # Errors
    /// - [`ReaderError::Export`] if there is no such vintage.
    /// - [`ReaderError::Engine`] if the vintage cannot be recomputed.
    pub fn standing(&self, vintage: Option<Vintage>) -> Result<Standing, ReaderError> {
        self.check_vintage(vintage)?;
        Ok(Standing::at(&self.home, vintage, self.n_workers)?)
    }

    /// Checks that a requested vintage exists.
    ///
    /// # Errors
    /// [`ReaderError::Export`] if it does not.
    pub fn check_vintage(&self, asked: Option<Vintage>) -> Result<(), ReaderError> {
        let newest = self.home.last_vintage()?.unwrap_or_default();
        match asked {
            Some(vintage) if vintage == Vintage(0) || vintage > newest => {
                Err(ExportError::NoVintage { vintage, newest }.into())
            }
            _ => Ok(()),
        }
    }

    /// Spans of months at a vintage or at the newest one, for the tables of spans.
    ///
    /// # Errors
    /// - [`ReaderError::Export`] if there is no such vintage.
    /// - [`ReaderError::Span`] if the home is empty, or other records counted at the vintage than
    ///   the home now has.
    pub fn spans(
        &self,
        vintage: Option<Vintage>,
        joint: Joint,
    ) -> Result<SpanSource<'_>, ReaderError> {
        self.check_vintage(vintage)?;
        Ok(SpanSource::at(&self.home, vintage, joint)?)
    }

    /// Spans of months at a vintage, with the late records that arrived up to a later one.
    ///
    /// # Errors
    /// Those of [`Reader::spans`] for either vintage.
    pub fn spans_with_late(
        &self,
        [before, after]: [Vintage; 2],
        joint: Joint,
    ) -> Result<SpanSource<'_>, ReaderError> {
        self.check_vintage(Some(before))?;
        self.check_vintage(Some(after))?;
        Ok(SpanSource::with_late(&self.home, [before, after], joint)?)
    }

    /// One of the tables of a state.
    ///
    /// # Errors
    /// [`ReaderError::Export`] if the manifest cannot be read.
    pub fn table(&self, standing: &Standing, table: Table) -> Result<TableAt, ReaderError> {
        Ok(standing.table(&self.home, table)?)
    }

    /// The changes of the step that published a vintage or the newest one. Files of one step change
    /// the figures together.
    ///
    /// # Errors
    /// [`ReaderError::Export`] if there is no such vintage or year.
    pub fn changes(
        &self,
        vintage: Option<Vintage>,
        year: Option<Year>,
    ) -> Result<Moves, ReaderError> {
        let vintage = vintage.or(self.home.last_vintage()?).unwrap_or_default();
        let step = step_of(&self.home, vintage)?;
        self.moves("changes", [step.before, step.after], year)
    }

    /// The differences between two vintages; 0 is the empty home.
    ///
    /// # Errors
    /// - [`ReaderError::Export`] if there is no such vintage or year.
    /// - [`ReaderError::Engine`] if a vintage cannot be recomputed.
    pub fn diff(
        &self,
        before: Vintage,
        after: Vintage,
        year: Option<Year>,
    ) -> Result<Moves, ReaderError> {
        self.moves("diff", [before, after], year)
    }

    fn moves(
        &self,
        name: &'static str,
        vintages: [Vintage; 2],
        year: Option<Year>,
    ) -> Result<Moves, ReaderError> {
        let states = [self.at(vintages[0])?, self.at(vintages[1])?];
        let tables = self.both_tables(&states[0], &states[1])?;
        check_year(name, year, tables.iter().flatten().flat_map(TableAt::years))?;
        Ok(Moves { tables, year, _states: states })
    }

    /// Both tables at a vintage; 0 is the empty home.
    fn at(&self, vintage: Vintage) -> Result<Standing, ReaderError> {
        Ok(Standing::at(&self.home, Some(vintage), self.n_workers)?)
    }

    /// Each table in two states.
    fn both_tables(
        &self,
        before: &Standing,
        after: &Standing,
    ) -> Result<Vec<[TableAt; 2]>, ReaderError> {
        let both = |table| Ok([self.table(before, table)?, self.table(after, table)?]);
        Table::ALL.into_iter().map(both).collect()
    }

    /// The contents of steps and the changes that they caused, each with its `n_largest` largest
    /// moves.
    ///
    /// # Errors
    /// [`ReaderError::Export`] if there is no such vintage, or a part is damaged; also for each
    /// step.
    pub fn revisions(
        &self,
        which: Steps,
        n_largest: usize,
    ) -> Result<impl Iterator<Item = Result<Revision, ReaderError>>, ReaderError> {
        let steps = match which {
            Steps::Of(vintage) => vec![step_of(&self.home, vintage)?],
            Steps::Last(n) => {
                let mut steps = steps(&self.home)?;
                steps.split_off(steps.len().saturating_sub(n))
            }
        };
        // A step starts from the state of the previous step, which may be recomputed.
        let mut last: Option<(Vintage, Standing)> = None;
        Ok(steps.into_iter().map(move |step| {
            let before = match last.take() {
                Some((vintage, state)) if vintage == step.before => state,
                _ => self.at(step.before)?,
            };
            let after = self.at(step.after)?;
            let tables = self.both_tables(&before, &after)?;
            let revision = revision(&self.home, step, &tables, n_largest)?;
            last = Some((step.after, after));
            Ok(revision)
        }))
    }

    /// The accepted files, with their lines by outcome.
    ///
    /// # Errors
    /// [`ReaderError::Export`] if there is no such vintage or year.
    pub fn files(&self, selection: Selection) -> Result<(Sheet, RecordBatch), ReaderError> {
        Ok(ledger::files(&self.home, selection)?)
    }

    /// The rejected lines, in batches of one file.
    ///
    /// # Errors
    /// [`ReaderError::Export`] if there is no such vintage or year; also for each file.
    pub fn rejects(
        &self,
        selection: Selection,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, ExportError>>, ReaderError> {
        Ok(ledger::rejects(&self.home, selection)?)
    }

    /// The refused files whose rejected lines are kept.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn refused(&self) -> Result<Vec<RefusedFile>, ReaderError> {
        Ok(self.home.refused()?)
    }

    /// The kept rejected lines of refused files, in batches of one file.
    ///
    /// # Errors
    /// [`ReaderError::Export`] if the manifest cannot be read; also for each file.
    pub fn rejects_of_refused(
        &self,
        year: Option<Year>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, ExportError>>, ReaderError> {
        Ok(ledger::refused(&self.home, year)?)
    }

    /// The stored estimates of one year or of all years, up to a vintage.
    ///
    /// # Errors
    /// - [`ReaderError::Export`] if there is no estimate of the year.
    /// - [`ReaderError::Regression`] if an estimate cannot be read.
    pub fn estimates(&mut self, selection: Selection) -> Result<Vec<KeptEstimate>, ReaderError> {
        let mut kept = kept(&Panels::open(&mut self.home, self.n_workers)?)?;
        check_year("estimates", selection.year, kept.iter().map(|one| one.stored.through.year()))?;
        kept.retain(|one| {
            selection.as_of.is_none_or(|vintage| one.stored.vintage <= vintage)
                && selection.year.is_none_or(|year| one.stored.through.year() == year)
        });
        Ok(kept)
    }

    /// A panel of one closed year or of all, in the form that regressions read; it is not stored.
    /// Also returns the errors of unreadable files of earlier estimations.
    ///
    /// # Errors
    /// [`ReaderError::Regression`] if the year has not closed or the panel cannot be computed.
    pub fn panel(&mut self, kind: Kind, year: Option<Year>) -> Result<PanelRows, ReaderError> {
        let mut panels = Panels::open(&mut self.home, self.n_workers)?;
        let mut years = panels.years(None)?;
        if let Some(year) = year {
            panels.years(Some(year.into()))?;
            years.retain(|other| *other == year);
        }
        let (sheet, batches) = exported::panel(&mut panels, kind, &years)?;
        Ok(PanelRows { sheet, batches, unread: panels.take_unread() })
    }

    /// Statistics of variables over the closed years up to a given year.
    ///
    /// # Errors
    /// [`ReaderError::Regression`] if there is no closed year.
    pub fn summary(
        &mut self,
        summary: &Summary,
        through: Option<Year>,
    ) -> Result<Vec<Statistics>, ReaderError> {
        let panels = Panels::open(&mut self.home, self.n_workers)?;
        let mut regressions = Regressions::new(panels, through.map(SampleEnd::of_year))?;
        Ok(summarise(&mut regressions, summary)?)
    }

    /// The names of the home's cities and countries; empty for an empty home.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn names(&self) -> Result<Names, ReaderError> {
        Ok(self.home.definition()?.as_ref().map(Names::of).unwrap_or_default())
    }

    /// A row of `plant` with the exporters and records behind it.
    ///
    /// # Errors
    /// [`ReaderError::Explain`] if there is no such row, or its parts cannot be read.
    pub fn explain(&self, row: &RowKey) -> Result<Explanation, ReaderError> {
        Ok(explain(&self.home, row)?)
    }
}

/// Rows of a panel.
#[derive(Debug)]
pub struct PanelRows {
    /// The name, keys and columns.
    pub sheet: Sheet,
    /// The rows, in order of key.
    pub batches: Vec<RecordBatch>,
    /// The errors of unreadable files of earlier estimations; the rows do not depend on them.
    pub unread: Vec<crate::home::HomeError>,
}
