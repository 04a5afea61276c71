//! Effects, sources, news and back-tests equal plain loops over the records, at several vintages of
//! feeds with late and amended records.

#![allow(clippy::cast_precision_loss, reason = "plain loops count in floats")]

#[path = "../common/mod.rs"]
mod common;

mod backtest;
mod commands;
mod figures;
mod news;
mod oracle;
mod sources;

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::nasty_feed::{CITIES, NastyFeed};
use common::{Run, Sandbox, csv_rows};
use oracle::{Asked, Exports, Row, World, dot};
use spillover::domain::types::{Period, Vintage};
use spillover::home::definition::Definition;
use spillover::home::{FileEntry, Home};

/// The months of the feed: four closed years with indicators, and five months.
const N_MONTHS: usize = 65;

const EQUATION_15: [&str; 4] =
    ["affiliate_growth", "affiliate_ln_density", "local_growth", "local_ln_density"];
const AFFILIATE: [&[&str]; 2] =
    [&["affiliate_growth"], &["affiliate_growth", "affiliate_ln_density"]];
const LOCAL: [&[&str]; 2] = [&["local_growth"], &["local_growth", "local_ln_density"]];
const BOTH: [&[&str]; 4] = [AFFILIATE[0], AFFILIATE[1], LOCAL[0], LOCAL[1]];
const DENSITY: [&[&str]; 1] = [&["affiliate_ln_density"]];
const NEW: [&[&str]; 3] = [AFFILIATE[0], AFFILIATE[1], &["affiliate_growth", "new"]];
const CITIES_OF_NETWORK: [&[&str]; 3] =
    [AFFILIATE[0], AFFILIATE[1], &["affiliate_growth", "affiliate_cities"]];
const WEIGHTED: [&[&str]; 2] = [
    &["affiliate_growth_weighted"],
    &["affiliate_growth_weighted", "affiliate_ln_density_weighted"],
];
const WITH_WEIGHTED: [&str; 6] = [
    "affiliate_growth",
    "affiliate_ln_density",
    "local_growth",
    "local_ln_density",
    "affiliate_growth_weighted",
    "affiliate_ln_density_weighted",
];

fn home_of(seed: u64, n_months: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    let feed = NastyFeed::new(seed, n_months);
    let files: Vec<PathBuf> = feed.files().map(|(name, text)| sandbox.write(&name, text)).collect();
    let paths: Vec<_> = files.iter().map(PathBuf::as_path).collect();
    sandbox.ingest(&paths, 2);
    sandbox
}

/// A home with its reference tables, and figures from its exports.
struct Played {
    sandbox: Sandbox,
    home: Home,
    definition: Definition,
    world: World,
}

/// Coefficients as exported.
struct Coefficients {
    b: Vec<f64>,
    v: Vec<Vec<f64>>,
    through: String,
}

type Table = Vec<BTreeMap<String, String>>;

fn table(run: &Run) -> Table {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let rows = csv_rows(&run.stdout);
    let (head, rows) = rows.split_first().expect("a header");
    rows.iter().map(|row| head.iter().cloned().zip(row.iter().cloned()).collect()).collect()
}

fn figure(row: &BTreeMap<String, String>, column: &str) -> Option<f64> {
    let cell = &row[column];
    (!cell.is_empty()).then(|| cell.parse().unwrap_or_else(|_| panic!("{column}: {cell}")))
}

fn close(found: Option<f64>, expected: Option<f64>, what: &str) {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            // An indicator may differ by one unit of 2⁻³².
            let is_close = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
            assert!(is_close, "{what}: {found} is not {expected}");
        }
        (found, expected) => assert_eq!(found, expected, "{what}"),
    }
}

fn period(yyyymm: u32) -> Period {
    Period::from_yyyymm(yyyymm).expect("a month")
}

impl Played {
    fn new(sandbox: Sandbox) -> Self {
        let home = Home::read(&sandbox.home()).expect("a home");
        let texts = home.definition().expect("read").expect("recorded");
        let definition = Definition::read(texts).expect("a definition");
        let mut world =
            World { areas: BTreeMap::new(), provinces: BTreeMap::new(), first: 2000 * 12 };
        for line in csv_rows(CITIES).split_off(1) {
            world.areas.insert(line[0].clone(), line[2].parse().expect("an area"));
            world.provinces.insert(line[0].clone(), line[1].clone());
        }
        Self { sandbox, home, definition, world }
    }

    /// The exports that counted at a vintage.
    fn exports(&self, vintage: u32) -> Exports {
        let vintage = Vintage(vintage);
        self.exports_of(|file, period| {
            file.counted_at(vintage) && !file.gone_at(vintage).iter().any(|(of, _)| *of == period)
        })
    }

    fn exports_of(&self, counts: impl Fn(&FileEntry, Period) -> bool) -> Exports {
        Exports::of(&self.home, &self.definition, counts)
    }

    fn run(&self, words: &[&str]) -> Run {
        self.sandbox.run(words.iter().copied())
    }

    /// The first estimate of a column with a last year, of some terms.
    fn coefficients(&self, model: &str, through: &str, terms: &[&[&str]]) -> Coefficients {
        let (specification, column) = model.split_once('.').expect("a column");
        let is_it = |row: &&BTreeMap<String, String>| {
            row["specification"] == specification
                && row["column"] == column
                && row["year"] == through
        };
        let estimates = table(&self.run(&["export", "estimates"]));
        let first = estimates.iter().find(is_it).expect("an estimate");
        let own: Vec<_> =
            estimates.iter().filter(|row| row["estimate_id"] == first["estimate_id"]).collect();
        let names: Vec<String> = terms.iter().map(|term| term.join(":")).collect();
        let of_term = |name: &String| {
            let row = own.iter().find(|row| &row["term"] == name).expect("a term");
            figure(row, "estimate").expect("a coefficient")
        };
        let cells = table(&self.run(&["export", "covariance"]));
        let cell = |term: &String, other: &String| {
            let is_it = |row: &&BTreeMap<String, String>| {
                row["model"] == model
                    && row["through"] == through
                    && row["estimated_vintage"] == first["vintage"]
                    && &row["term"] == term
                    && &row["other"] == other
            };
            cells
                .iter()
                .find(is_it)
                .map_or(f64::NAN, |row| figure(row, "covariance").unwrap_or(f64::NAN))
        };
        Coefficients {
            b: names.iter().map(of_term).collect(),
            v: names.iter().map(|a| names.iter().map(|b| cell(a, b)).collect()).collect(),
            through: through.to_owned(),
        }
    }
}

impl Coefficients {
    fn variance(&self, z: &[f64]) -> f64 {
        self.v.iter().zip(z).map(|(row, z_of_row)| z_of_row * dot(row, z)).sum()
    }
}

/// A case: words of the command, the model's needs and terms, and a condition.
struct Case {
    model: &'static str,
    component: &'static str,
    baseline: &'static str,
    span: &'static str,
    own_density: bool,
    needs: &'static [&'static str],
    terms: &'static [&'static [&'static str]],
    keep: fn(&Row) -> bool,
}

impl Case {
    const PLAIN: Self = Self {
        model: "3.4",
        component: "affiliate",
        baseline: "zero",
        span: "ytd",
        own_density: false,
        needs: &EQUATION_15,
        terms: &AFFILIATE,
        keep: |_| true,
    };

    fn asked(&self) -> Asked<'_> {
        Asked {
            needs: self.needs,
            terms: self.terms,
            keep: self.keep,
            span: self.span,
            own_density: self.own_density,
            baseline: self.baseline,
        }
    }
}

const CASES: [Case; 13] = [
    Case::PLAIN,
    Case { component: "local", terms: &LOCAL, ..Case::PLAIN },
    Case { component: "both", terms: &BOTH, span: "12m", ..Case::PLAIN },
    Case { span: "month", ..Case::PLAIN },
    Case { own_density: true, ..Case::PLAIN },
    Case { baseline: "last_year", ..Case::PLAIN },
    Case { baseline: "last_year", component: "density", terms: &DENSITY, ..Case::PLAIN },
    Case { baseline: "within", ..Case::PLAIN },
    Case { baseline: "strict", span: "12m", ..Case::PLAIN },
    Case { model: "6.1", terms: &NEW, ..Case::PLAIN },
    Case { model: "6.4", terms: &CITIES_OF_NETWORK, span: "month", ..Case::PLAIN },
    Case { model: "4.1", terms: &WEIGHTED, needs: &WITH_WEIGHTED, ..Case::PLAIN },
    Case { model: "5.2", keep: |row| row.values["province_plants"] < 2.0, ..Case::PLAIN },
];
