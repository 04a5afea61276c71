//! Facts of plants, read from the arrangements of one worker at the end of an epoch. The rows of
//! the table `plant` derive from them ([`crate::indicators`]).
//!
//! Input: the arrangements, and the keys that an epoch touched. Output: all facts of a year that is
//! published whole (its set of closed months has changed), or the facts of other years that differ
//! from the published ones. One worker has all cells, plants and years of a firm. Facts are about
//! the firm alone; a row of `city` carries the change of a market.

use rustc_hash::FxHashSet;

use super::arrangements::Arrangements;
use super::cells::{Cell, CellKey};
use super::firms::{FirmYear, PlantYear, read_firm_year};
use super::history::{ExportYears, Relation};
use super::lookup::{Lookup, Moment, Time};
use crate::domain::choices::Network;
use crate::domain::rows::{Change, PlantFacts};
use crate::domain::types::{City, Country, Firm, Plant, Year};

/// The keys that an epoch touched in a year that is not published whole.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// Firms whose plants, network or history changed: all their facts of the year.
    pub firms: FxHashSet<Firm>,
    /// Single destinations of other firms.
    pub destinations: FxHashSet<(Firm, Country)>,
}

/// Reads the facts of one year at one moment.
struct FactReader {
    cells: Lookup<CellKey, Cell>,
    plants: Lookup<PlantYear, i64>,
    history: Lookup<Relation, i64>,
    network: Network,
    first_year: Year,
    year: Year,
    moment: Moment,
    firm_year: FirmYear,
}

impl FactReader {
    fn open(arrangements: &Arrangements, year: Year, epoch: Time, moment: Moment) -> Self {
        Self {
            cells: Lookup::open(&arrangements.cells, epoch),
            plants: Lookup::open(&arrangements.plants, epoch),
            history: Lookup::open(&arrangements.history, epoch),
            network: arrangements.network,
            first_year: arrangements.first_year,
            year,
            moment,
            firm_year: FirmYear::default(),
        }
    }

    /// The next firm of the year at or after `firm`.
    fn firm_from(&mut self, firm: Firm) -> Option<Firm> {
        self.cells.seek(&CellKey { year: self.year, firm, ..CellKey::default() });
        self.cells.key().filter(|key| key.year == self.year).map(|key| key.firm)
    }

    /// Appends the facts of a firm, all of them or those of one destination.
    fn read_firm(&mut self, firm: Firm, country: Option<Country>, facts: &mut Vec<PlantFacts>) {
        read_firm_year(&mut self.plants, firm, self.year, self.moment, &mut self.firm_year);
        if !self.firm_year.is_multi_plant() {
            return;
        }
        if country.is_none() && self.network == Network::Founded {
            let former = self.firm_year.former();
            facts.extend(former.map(|city| PlantFacts {
                year: self.year,
                plant: Plant { firm, city },
                ..PlantFacts::default()
            }));
        }
        let first = country.unwrap_or_default();
        self.cells.seek(&CellKey { year: self.year, firm, country: first, city: City(0) });
        while let Some(&key) =
            self.cells.key().filter(|key| key.year == self.year && key.firm == firm)
        {
            if country.is_some_and(|country| country != key.country) {
                break;
            }
            let cell = self.cells.sum(self.moment);
            if cell.exports() {
                facts.push(self.facts_of(key, cell));
            }
            self.cells.step();
        }
    }

    fn facts_of(&mut self, key: CellKey, cell: Cell) -> PlantFacts {
        let CellKey { year, firm, country, city } = key;
        let bits = self.history.sum_of(&Relation { firm, country, city }, self.moment);
        let years = ExportYears::new(bits, self.first_year);
        PlantFacts {
            year,
            plant: key.plant(),
            country: Some(country),
            export_cents: cell.cur,
            base_cents: cell.base.max(0),
            import_cents: cell.import.max(0),
            experience: years.any_before(year),
            new: !years.contains(year.previous()),
        }
    }
}

/// The number of facts in a portion for the publisher: small against a year, large against the
/// overhead of a message.
const FACTS_AT_A_TIME: usize = 4096;

/// Reads all facts of a year in order of firm, and passes them on in portions.
pub fn of_year(
    arrangements: &Arrangements,
    year: Year,
    epoch: Time,
    mut publish: impl FnMut(Vec<PlantFacts>),
) {
    let mut reader = FactReader::open(arrangements, year, epoch, Moment::After);
    let mut facts = Vec::new();
    let mut next = reader.firm_from(Firm(0));
    while let Some(firm) = next {
        reader.read_firm(firm, None, &mut facts);
        if facts.len() >= FACTS_AT_A_TIME {
            publish(std::mem::take(&mut facts));
        }
        next = firm.0.checked_add(1).and_then(|after| reader.firm_from(Firm(after)));
    }
    if !facts.is_empty() {
        publish(facts);
    }
}

/// Reads the facts of a year that an epoch changed, and passes them on in portions.
pub fn changed(
    arrangements: &Arrangements,
    year: Year,
    epoch: Time,
    touched: &Touched,
    mut publish: impl FnMut(Vec<Change<PlantFacts>>),
) {
    let mut before = FactReader::open(arrangements, year, epoch, Moment::Before);
    let mut after = FactReader::open(arrangements, year, epoch, Moment::After);
    let (mut old, mut new, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for (firm, country) in concerned(touched) {
        old.clear();
        new.clear();
        before.read_firm(firm, country, &mut old);
        after.read_firm(firm, country, &mut new);
        Change::between(&old, &new, PlantFacts::key, &mut changes);
        if changes.len() >= FACTS_AT_A_TIME {
            publish(std::mem::take(&mut changes));
        }
    }
    if !changes.is_empty() {
        publish(changes);
    }
}

/// The firms and destinations whose facts may have changed, in order; no destination means all
/// destinations.
fn concerned(touched: &Touched) -> Vec<(Firm, Option<Country>)> {
    let single = touched.destinations.iter().filter(|(firm, _)| !touched.firms.contains(firm));
    let mut concerned: Vec<_> = single.map(|&(firm, country)| (firm, Some(country))).collect();
    concerned.extend(touched.firms.iter().map(|&firm| (firm, None)));
    concerned.sort_unstable();
    concerned
}
