//! Shipments to amounts: the cells to which a shipment adds, by its roles in the calendar
//! (METHODOLOGY, "The calendar").

use crate::dataflow::{Cell, CellKey};
use crate::domain::calendar::Roles;
use crate::domain::types::{Flow, Shipment};

/// Amounts on their way into the dataflow.
///
/// Shipments of a plant with a country are next to each other in a segment (2 to 5 a month). The
/// sum of neighbours therefore does most of the work of a sort; the arrangement of cells does the
/// rest.
#[derive(Debug, Default)]
pub struct Amounts {
    cur: Vec<(CellKey, Cell)>,
    base: Vec<(CellKey, Cell)>,
}

impl Amounts {
    /// Adds a shipment in its roles, times `sign`: -1 withdraws it.
    pub fn add(&mut self, shipment: &Shipment, roles: Roles, sign: i64) {
        let cents = shipment.cents * sign;
        let key = CellKey {
            year: shipment.period.year(),
            firm: shipment.plant.firm,
            country: shipment.country,
            city: shipment.plant.city,
        };
        if roles.cur {
            let cell = match shipment.flow {
                Flow::Export => Cell { cur: cents, ..Cell::default() },
                Flow::Import => Cell { import: cents, ..Cell::default() },
            };
            push(&mut self.cur, key, cell);
        }
        if roles.base && shipment.flow == Flow::Export {
            let key = CellKey { year: key.year.next(), ..key };
            push(&mut self.base, key, Cell { base: cents, ..Cell::default() });
        }
    }

    /// Takes the added updates if there are at least `at_least`.
    pub fn take(&mut self, at_least: usize) -> Vec<(CellKey, Cell)> {
        if self.cur.len() + self.base.len() < at_least {
            return Vec::new();
        }
        let mut updates = std::mem::take(&mut self.cur);
        updates.append(&mut self.base);
        updates
    }
}

fn push(updates: &mut Vec<(CellKey, Cell)>, key: CellKey, cell: Cell) {
    match updates.last_mut() {
        Some((last, sum)) if *last == key => {
            sum.cur += cell.cur;
            sum.base += cell.base;
            sum.import += cell.import;
        }
        _ => updates.push((key, cell)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::types::{City, Country, Firm, Period, Plant};

    #[test]
    fn an_export_counts_in_its_year_and_as_base_of_the_next() {
        let shipment = Shipment {
            plant: Plant { firm: Firm(1), city: City(2) },
            country: Country(3),
            period: Period::new(2001, 5).expect("a month"),
            flow: Flow::Export,
            cents: 70,
        };
        let mut amounts = Amounts::default();
        amounts.add(&shipment, Roles { cur: true, base: true }, 1);
        amounts.add(&shipment, Roles { cur: true, base: false }, 1);
        let cells: Vec<_> =
            amounts.take(0).iter().map(|(key, cell)| (key.year.0, cell.cur, cell.base)).collect();
        assert_eq!(cells, [(2001, 140, 0), (2002, 0, 70)]);
        assert!(amounts.take(0).is_empty());
    }
}
