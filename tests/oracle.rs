//! Incremental computation equals computation from scratch, bit for bit: the dataflow against the
//! oracle's plain loops, at every epoch.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use spillover::check::oracle::{Oracle, Tables};
use spillover::dataflow::{self, Epoch, Output, WorkerFailed, Workers};
use spillover::domain::calendar::Calendar;
use spillover::domain::choices::{Choices, Network, OwnPlants, Weights};
use spillover::domain::geography::Geography;
use spillover::domain::rows::{Change, CityRow, PlantFacts, PlantRow};
use spillover::domain::types::{
    City, Country, Firm, Flow, Period, Plant, Province, Shipment, Year,
};
use spillover::engine::amounts::Amounts;
use spillover::indicators::{PlantRows, YearMarkets};

const FIRST: (u16, u8) = (2000, 1);
const N_MONTHS: usize = 40;

/// The input of one epoch: shipments of months up to the closing one, some of them withdrawn later.
#[derive(Clone, Debug)]
struct Arrival {
    shipments: Vec<Shipment>,
    withdrawn: Vec<prop::sample::Index>,
    n_months_closing: usize,
}

fn month(position: usize) -> Period {
    let first = Period::new(FIRST.0, FIRST.1).expect("a month");
    (0..position).fold(first, |period, _| period.next())
}

fn shipment() -> impl Strategy<Value = Shipment> {
    // Few firms, cities, countries and amounts, so that cells meet, cancel and turn negative often.
    let amount = prop_oneof![6 => 1..400_i64, 2 => -400..0_i64, 1 => Just(100_i64)];
    (0..5_u32, 0..5_u16, 0..3_u16, 0..N_MONTHS, any::<bool>(), prop::bool::weighted(0.15), amount)
        .prop_map(|(firm, city, country, position, early, import, cents)| Shipment {
            plant: Plant { firm: Firm(firm), city: City(city) },
            country: Country(country),
            period: month(if early { position % 14 } else { position }),
            flow: if import { Flow::Import } else { Flow::Export },
            cents,
        })
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let shipments = prop::collection::vec(shipment(), 0..160);
    let withdrawn = prop::collection::vec(any::<prop::sample::Index>(), 0..4);
    (shipments, withdrawn, prop_oneof![2 => Just(0_usize), 3 => 1..4_usize, 1 => 6..14_usize])
        .prop_map(|(shipments, withdrawn, n_months_closing)| Arrival {
            shipments,
            withdrawn,
            n_months_closing,
        })
}

fn choices() -> impl Strategy<Value = Choices> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(active, exclude, destination)| {
        Choices {
            network: if active { Network::Active } else { Network::Founded },
            own_plants: if exclude { OwnPlants::Exclude } else { OwnPlants::Include },
            weights: if destination { Weights::Destination } else { Weights::Total },
        }
    })
}

/// The stored form of the published tables, updated from the workers' outputs like in the
/// publisher.
#[derive(Default)]
struct Published {
    city: BTreeMap<(Year, City, Country), CityRow>,
    plant: BTreeMap<(Year, Plant, Option<Country>), PlantFacts>,
}

impl Published {
    fn begin(&mut self, whole: &[Year]) {
        self.city.retain(|key, _| !whole.contains(&key.0));
        self.plant.retain(|key, _| !whole.contains(&key.0));
    }

    fn apply(&mut self, output: Output) {
        match output {
            Output::CityRows(_, rows) => self.city.extend(rows.iter().map(|r| (r.key(), *r))),
            Output::PlantFacts(_, rows) => self.plant.extend(rows.iter().map(|r| (r.key(), *r))),
            Output::CityChanges(_, changes) => {
                for change in changes {
                    apply(&mut self.city, change, CityRow::key);
                }
            }
            Output::PlantChanges(_, changes) => {
                for change in changes {
                    apply(&mut self.plant, change, PlantFacts::key);
                }
            }
            Output::WholeYear(_) => {}
            Output::Cells(_) => unreachable!("nobody asks for cells"),
            Output::Done | Output::Failed => unreachable!("handled by the workers' driver"),
        }
    }

    /// The tables derived from the stored form.
    fn tables(&self, subject: &Subject) -> Tables {
        let city: Vec<CityRow> = self.city.values().copied().collect();
        let mut facts: Vec<PlantFacts> = self.plant.values().copied().collect();
        facts.sort_unstable_by_key(|fact| (fact.year, fact.order()));
        let mut plant = Vec::new();
        for of_year in facts.chunk_by(|a, b| a.year == b.year) {
            let year = of_year[0].year;
            let rows = city.iter().filter(|row| row.year == year).copied().collect();
            let markets = YearMarkets::of(rows, &subject.geography);
            let mut rows = PlantRows::new(&markets, &subject.geography, subject.choices);
            for of_firm in of_year.chunk_by(|a, b| a.plant.firm == b.plant.firm) {
                rows.of_firm(of_firm, &mut plant);
            }
        }
        plant.sort_unstable_by_key(PlantRow::key);
        Tables { city, plant }
    }
}

/// Applies a change and checks it: a set row differs from the stored one, and a removed row equals
/// it.
fn apply<Key: Ord, Row: Copy + PartialEq + std::fmt::Debug>(
    table: &mut BTreeMap<Key, Row>,
    change: Change<Row>,
    key: impl Fn(&Row) -> Key,
) {
    match change {
        Change::Set(row) => assert_ne!(table.insert(key(&row), row), Some(row), "unchanged"),
        Change::Remove(row) => assert_eq!(table.remove(&key(&row)), Some(row), "not as it stood"),
    }
}

/// A small driver: feeds each shipment once in each of its roles.
struct Driver {
    workers: Workers,
    calendar: Calendar,
    accepted: Vec<Shipment>,
    published: Published,
}

impl Driver {
    fn start(n_workers: usize, subject: &Subject) -> Self {
        Self {
            workers: Workers::start(n_workers, subject.of_dataflow()).expect("threads start"),
            calendar: Calendar::starting(month(0)),
            accepted: Vec::new(),
            published: Published::default(),
        }
    }

    fn take_in(&mut self, arrival: &Arrival) {
        let mut amounts = Amounts::default();
        for shipment in &arrival.shipments {
            amounts.add(shipment, self.calendar.roles(shipment.period), 1);
            self.accepted.push(*shipment);
        }
        for index in &arrival.withdrawn {
            if !self.accepted.is_empty() {
                let shipment = self.accepted.swap_remove(index.index(self.accepted.len()));
                amounts.add(&shipment, self.calendar.roles(shipment.period), -1);
            }
        }
        let mut whole = Vec::new();
        for _ in 0..arrival.n_months_closing {
            let before = self.calendar;
            let closing = before.next_to_close();
            self.calendar.close(closing).expect("the next month");
            whole.push(closing.year());
            for shipment in &self.accepted {
                let (old, mut roles) =
                    (before.roles(shipment.period), self.calendar.roles(shipment.period));
                roles.cur &= !old.cur;
                roles.base &= !old.base;
                amounts.add(shipment, roles, 1);
            }
        }
        whole.dedup();
        whole.retain(|year| self.calendar.indicator_years().any(|y| y == *year));
        self.workers.feed(amounts.take(0)).expect("workers live");
        self.published.begin(&whole);
        let epoch = Epoch { whole, last: self.calendar.last_year(), publish: true };
        let published = &mut self.published;
        let publish = |output| {
            published.apply(output);
            Ok::<(), WorkerFailed>(())
        };
        self.workers.complete(&epoch, publish).expect("workers live");
    }
}

/// The parameters of the tables.
struct Subject {
    geography: Geography,
    choices: Choices,
}

impl Subject {
    fn new(choices: Choices) -> Self {
        // Two provinces of two cities and one of a single city, with areas that are not round
        // numbers.
        let cities = [(0, 731), (0, 2_418), (1, 90), (1, 1_024), (2, 555)];
        let cities = cities.map(|(province, km2)| (Province(province), km2 * 1_000_000 + 7));
        Self { geography: Geography::new(cities), choices }
    }

    fn of_dataflow(&self) -> dataflow::Subject {
        let calendar = Calendar::starting(month(0));
        dataflow::Subject {
            network: self.choices.network,
            first_year: calendar.first().year(),
            first_indicator_year: calendar.first_indicator_year(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_dataflow_agrees_with_the_oracle_at_every_epoch(
        arrivals in prop::collection::vec(arrival(), 1..8),
        choices in choices(),
        n_workers in 1..4_usize,
    ) {
        let subject = Subject::new(choices);
        let mut driver = Driver::start(n_workers, &subject);
        for arrival in &arrivals {
            driver.take_in(arrival);
            let mut oracle = Oracle::new(driver.calendar, &subject.geography, choices);
            driver.accepted.iter().for_each(|shipment| oracle.add(shipment));
            prop_assert_eq!(driver.published.tables(&subject), oracle.tables());
        }
    }
}

#[test]
fn the_stories_that_are_compared_have_rows_in_both_tables() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut n_rows = (0, 0);
    for _ in 0..8 {
        let arrivals = prop::collection::vec(arrival(), 6..8);
        let arrivals = arrivals.new_tree(&mut runner).expect("a value").current();
        let subject = Subject::new(Choices::default());
        let mut driver = Driver::start(1, &subject);
        for arrival in &arrivals {
            driver.take_in(arrival);
        }
        let tables = driver.published.tables(&subject);
        n_rows = (n_rows.0 + tables.city.len(), n_rows.1 + tables.plant.len());
    }
    assert!(n_rows.0 > 50 && n_rows.1 > 50, "only {n_rows:?} rows were compared");
}
