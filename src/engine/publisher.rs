//! What comes from the workers, to parts of the published tables.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread::ScopedJoinHandle;

use super::EngineError;
use super::reading::named;
use crate::dataflow::Output;
use crate::domain::calendar::Calendar;
use crate::domain::types::Year;
use crate::home::Publication;
use crate::home::parts::{Part, PartKind, PartWriter, Table};
use crate::tables::{Context, facts};

/// Writes one publication's parts; nothing of them counts before they are committed.
pub struct Publisher<'a> {
    home: &'a Path,
    publication: Publication,
    calendar: Calendar,
    context: Context<'a>,
    parts: BTreeMap<(Table, Year), (PartKind, PartWriter)>,
}

impl<'a> Publisher<'a> {
    /// Starts a publication in which the years `whole` are published whole, even where no row is
    /// left.
    ///
    /// # Errors
    /// [`EngineError::Archive`] if a part cannot be started.
    pub fn start(
        home: &'a Path,
        publication: Publication,
        calendar: Calendar,
        whole: &[Year],
        context: Context<'a>,
    ) -> Result<Self, EngineError> {
        let parts = BTreeMap::new();
        let mut publisher = Self { home, publication, calendar, context, parts };
        for &year in whole {
            publisher.part(Table::City, year, PartKind::Whole)?;
            publisher.part(Table::Plant, year, PartKind::Whole)?;
        }
        Ok(publisher)
    }

    fn part(
        &mut self,
        table: Table,
        year: Year,
        kind: PartKind,
    ) -> Result<&mut PartWriter, EngineError> {
        let schema = facts::schema(table);
        let (_, writer) = match self.parts.entry((table, year)) {
            std::collections::btree_map::Entry::Occupied(part) => part.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => free.insert((
                kind,
                PartWriter::create(self.home, table, year, self.publication, schema)?,
            )),
        };
        Ok(writer)
    }

    /// Writes a portion of rows.
    ///
    /// # Errors
    /// [`EngineError::Archive`] if it cannot be written.
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
            Output::Cells(_) | Output::Done | Output::Failed => return Ok(()),
        };
        Ok(self.part(table, year, kind)?.write(&batch)?)
    }

    /// Makes all parts durable, each on a thread of its own: they wait for the disk, which confirms
    /// many files in the time of one.
    ///
    /// # Errors
    /// [`EngineError::Archive`] if one cannot be.
    pub fn finish(self) -> Result<Vec<Part>, EngineError> {
        let Self { calendar, parts, .. } = self;
        std::thread::scope(|scope| {
            let finishing: Vec<_> = parts
                .into_iter()
                .map(|((_, year), (kind, writer))| {
                    named(scope, "writing", move || writer.finish(kind, calendar.months(year)))
                })
                .collect();
            let finished = finishing.into_iter().map(ScopedJoinHandle::join);
            finished.map(|part| Ok(part.expect("a writer returns its errors")?)).collect()
        })
    }
}
