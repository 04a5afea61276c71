//! Writes the output of the workers to parts of the published tables.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};
use std::path::Path;
use std::thread::{self, JoinHandle};

use super::EngineError;
use crate::dataflow::Output;
use crate::domain::calendar::Calendar;
use crate::domain::types::Year;
use crate::home::parts::{Part, PartKind, PartWriter, Table};
use crate::home::{HomeError, Publication};
use crate::tables::{Context, facts};

/// The number of parts that may wait for the disk, without those of years that are not published
/// whole.
const PARTS_WAITING_MAX: usize = 8;

/// Writes the parts of one publication; they do not count before the commit.
pub struct Publisher<'a> {
    home: &'a Path,
    publication: Publication,
    calendar: Calendar,
    context: Context<'a>,
    open: BTreeMap<(Table, Year), (PartKind, PartWriter)>,
    waiting: VecDeque<JoinHandle<Result<Part, HomeError>>>,
    parts: Vec<Part>,
}

impl<'a> Publisher<'a> {
    /// Starts a publication.
    #[must_use]
    pub fn start(
        home: &'a Path,
        publication: Publication,
        calendar: Calendar,
        context: Context<'a>,
    ) -> Self {
        let (open, waiting, parts) = (BTreeMap::new(), VecDeque::new(), Vec::new());
        Self { home, publication, calendar, context, open, waiting, parts }
    }

    fn part(
        &mut self,
        table: Table,
        year: Year,
        kind: PartKind,
    ) -> Result<&mut PartWriter, EngineError> {
        let schema = facts::schema(table);
        let (_, writer) = match self.open.entry((table, year)) {
            Entry::Occupied(part) => part.into_mut(),
            Entry::Vacant(free) => free.insert((
                kind,
                PartWriter::create(self.home, table, year, self.publication, schema)?,
            )),
        };
        Ok(writer)
    }

    /// Writes a portion of rows. A whole year has a part of each table, even without rows.
    ///
    /// # Errors
    /// [`EngineError::Home`] if the portion cannot be written.
    pub fn write(&mut self, output: &Output) -> Result<(), EngineError> {
        let (table, year, kind, batch) = match output {
            Output::CityRows(year, rows) => {
                let batch = facts::city(&facts::standing(rows), &self.context)?;
                (Table::City, *year, PartKind::Whole, batch)
            }
            Output::CityChanges(year, changes) => {
                let batch = facts::city(&facts::changed(changes), &self.context)?;
                (Table::City, *year, PartKind::Changes, batch)
            }
            Output::PlantFacts(year, rows) => {
                let batch = facts::plant(&facts::standing(rows), &self.context)?;
                (Table::Plant, *year, PartKind::Whole, batch)
            }
            Output::PlantChanges(year, changes) => {
                let batch = facts::plant(&facts::changed(changes), &self.context)?;
                (Table::Plant, *year, PartKind::Changes, batch)
            }
            Output::WholeYear(year) => return self.finish_year(*year),
            Output::Cells(_) | Output::Done | Output::Failed => return Ok(()),
        };
        Ok(self.part(table, year, kind)?.write(&batch)?)
    }

    /// Makes the parts of a whole year durable while the next year is read.
    fn finish_year(&mut self, year: Year) -> Result<(), EngineError> {
        for table in Table::ALL {
            self.part(table, year, PartKind::Whole)?;
            if let Some((kind, writer)) = self.open.remove(&(table, year)) {
                self.finish_part(year, kind, writer);
            }
        }
        while self.waiting.len() > PARTS_WAITING_MAX {
            self.wait_for_one()?;
        }
        Ok(())
    }

    /// Makes a part durable on another thread: the disk confirms many waiting files in the time of
    /// one.
    fn finish_part(&mut self, year: Year, kind: PartKind, writer: PartWriter) {
        let months = self.calendar.months(year);
        let thread = thread::Builder::new().name("writing".to_owned());
        let finishing = thread.spawn(move || writer.finish(kind, months));
        self.waiting.push_back(finishing.expect("the system can start one more thread"));
    }

    fn wait_for_one(&mut self) -> Result<(), EngineError> {
        if let Some(finishing) = self.waiting.pop_front() {
            self.parts.push(finishing.join().expect("a writer returns its errors")?);
        }
        Ok(())
    }

    /// Makes all parts durable; returns them in order of table and year.
    ///
    /// # Errors
    /// [`EngineError::Home`] if a part cannot be made durable.
    pub fn finish(mut self) -> Result<Vec<Part>, EngineError> {
        for ((_, year), (kind, writer)) in std::mem::take(&mut self.open) {
            self.finish_part(year, kind, writer);
        }
        while !self.waiting.is_empty() {
            self.wait_for_one()?;
        }
        self.parts.sort_unstable_by_key(|part| (part.table, part.year));
        Ok(std::mem::take(&mut self.parts))
    }
}

impl Drop for Publisher<'_> {
    /// Waits for all threads, so that no thread writes to the home while the caller handles a
    /// failure.
    fn drop(&mut self) {
        for finishing in self.waiting.drain(..) {
            let _ = finishing.join();
        }
    }
}
