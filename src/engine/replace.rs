//! Replaces files: feeds only the differences between the new file and the earlier ones.

use std::path::Path;

use super::EngineError;
use super::amounts::Amounts;
use super::running::{Running, UPDATES_AT_A_TIME};
use super::sums::Sums;
use crate::dataflow::{Cell, CellKey};
use crate::domain::record::PeriodFlow;
use crate::domain::types::Vintage;
use crate::home::definition::Definition;
use crate::home::segment::{self, Fields};

/// An earlier file that a new file replaces, as a whole or in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Earlier {
    /// The file.
    pub(super) vintage: Vintage,
    /// The replaced months and flows; `None` for the whole file.
    pub(super) cells: Option<Vec<PeriodFlow>>,
}

impl Running {
    /// Replaces earlier files, or months and flows of them, by a new file. Feeds only the
    /// differences, because a new version mostly repeats the old records.
    ///
    /// # Errors
    /// [`EngineError::Home`] if a segment cannot be read, [`EngineError::Worker`] if a worker
    /// died.
    pub(super) fn replace(
        &mut self,
        folder: &Path,
        definition: &Definition,
        earlier: &[Earlier],
        sums: &Sums,
    ) -> Result<(), EngineError> {
        let city_of = |code: &str| definition.places.city(code);
        let mut amounts = Amounts::default();
        let Self { names, calendar, segments, workers, recent, .. } = self;
        for Earlier { vintage, cells } in earlier {
            let position = segments.iter().position(|segment| segment.vintage == *vintage);
            let Some(position) = position else { continue };
            let gone = segments[position].clone();
            recent.forget_through(gone.period);
            let read = segment::read(folder, &gone.stored, Fields::Figures, &city_of);
            let (mut texts, mut records) = read.map_err(|source| gone.not_read(source))?;
            definition.successions.carry_over(&mut texts, &mut records);
            gone.retain_counting(&mut records);
            match cells {
                None => drop(segments.remove(position)),
                Some(cells) => {
                    records.retain(|record| cells.contains(&(record.period, record.flow)));
                    segments[position].gone.extend(cells);
                }
            }
            Sums::of(&texts, &records).shipments(names, |shipment| {
                amounts.add(&shipment, calendar.roles(shipment.period), -1);
            });
        }
        let mut last = None;
        sums.shipments(names, |shipment| {
            last = last.max(Some(shipment.period));
            amounts.add(&shipment, calendar.roles(shipment.period), 1);
        });
        // The recent exports do not show which months of the file were there before.
        if let Some(last) = last {
            recent.forget_through(last);
        }
        for updates in net(amounts.take(0)).chunks(UPDATES_AT_A_TIME) {
            workers.feed(updates.to_vec())?;
        }
        Ok(())
    }
}

/// The sums of updates by cell, without sums that cancel.
fn net(mut updates: Vec<(CellKey, Cell)>) -> Vec<(CellKey, Cell)> {
    updates.sort_unstable_by_key(|(key, _)| *key);
    let sums = updates.chunk_by(|a, b| a.0 == b.0).map(|same| {
        let sum = same.iter().fold(Cell::default(), |sum, (_, cell)| Cell {
            cur: sum.cur + cell.cur,
            base: sum.base + cell.base,
            import: sum.import + cell.import,
        });
        (same[0].0, sum)
    });
    sums.filter(|(_, sum)| *sum != Cell::default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::types::Firm;

    #[test]
    fn what_two_versions_of_a_month_share_cancels_out() {
        let key = |firm| CellKey { firm: Firm(firm), ..CellKey::default() };
        let cell = |cur| Cell { cur, ..Cell::default() };
        let updates = [(2, -70), (1, -50), (1, 50), (2, 70), (3, -9), (3, 10)];
        let updates = updates.map(|(firm, cur)| (key(firm), cell(cur))).to_vec();
        assert_eq!(net(updates), [(key(3), cell(1))]);
    }
}
