use super::*;
use crate::domain::dictionary::Dictionary;
use crate::domain::types::{Country, Firm};
use crate::home::HomeError;
use crate::home::durable::Stored;

const CITIES: [&str; 3] = ["1101", "3101", "4403"];

fn city_of(text: &str) -> Option<City> {
    CITIES.iter().position(|city| *city == text).map(|at| City(at.try_into().expect("small")))
}

fn period(text: &str) -> Period {
    text.parse().expect("a month")
}

fn all_months() -> std::ops::RangeInclusive<Period> {
    period("190001")..=period("219912")
}

/// Sums of a file in no order of market, with texts whose numbers are in no order either.
fn file() -> (Dictionary, Dictionary, Vec<MonthSum>) {
    let (mut firms, mut countries) = (Dictionary::default(), Dictionary::default());
    let sums = (0..60_000_u32)
        .map(|n| MonthSum {
            firm: firms.intern(&format!("F{}", (n * 7) % 1_303)),
            country: countries.intern(["502", "116", "301"][(n % 3) as usize]),
            city: City((n % 2 * 2).try_into().expect("small")),
            period: period(if n % 35 == 0 { "200102" } else { "200103" }),
            flow: if n % 6 == 1 { Flow::Import } else { Flow::Export },
            cents: i64::from(n) * 1_000_003 - 5_000_000,
        })
        .collect();
    (firms, countries, sums)
}

fn encoded((firms, countries, sums): &(Dictionary, Dictionary, Vec<MonthSum>)) -> Encoded {
    let city = |city: City| CITIES[usize::from(city.0)];
    let texts = RunTexts { firms: firms.list(), countries: countries.list(), city: &city };
    encode(texts, sums).expect("sums that fit their columns")
}

fn numbers() -> RunNumbers<'static> {
    let mut numbers = RunNumbers {
        firms: Dictionary::default(),
        countries: Dictionary::default(),
        city_of: &city_of,
    };
    // Other runs have numbered other texts before.
    numbers.firms.intern("G1");
    numbers.firms.intern("F5");
    numbers.countries.intern("999");
    numbers
}

/// The rows of sections as texts, in order; markets must be in order of their texts.
fn rows(sections: Vec<Section>, numbers: &mut RunNumbers<'_>) -> Vec<String> {
    let mut rows = Vec::new();
    for mut section in sections {
        let mut last = None;
        while let Some(Market { country: Country(country), city }) = section.market() {
            let market = {
                let country = numbers.countries.text(u32::from(country)).to_owned();
                (country, CITIES[usize::from(city.0)])
            };
            let flow = section.flow().code();
            let mut found = Vec::new();
            section
                .take(numbers, |Firm(firm), period, cents| found.push((firm, period, cents)))
                .expect("rows");
            for (firm, period, cents) in found {
                let firm = numbers.firms.text(firm);
                rows.push(format!("{} {} {firm} {period} {flow} {cents}", market.0, market.1));
            }
            assert!(last.as_ref() < Some(&market), "{market:?} after {last:?}");
            last = Some(market);
        }
    }
    rows.sort();
    rows
}

fn expected(
    (firms, countries, sums): &(Dictionary, Dictionary, Vec<MonthSum>),
    is_in: impl Fn(&MonthSum) -> bool,
) -> Vec<String> {
    let row = |sum: &MonthSum| {
        let (country, firm) = (countries.text(sum.country), firms.text(sum.firm));
        let (city, flow) = (CITIES[usize::from(sum.city.0)], sum.flow.code());
        format!("{country} {city} {firm} {} {flow} {}", sum.period, sum.cents)
    };
    let mut rows: Vec<String> = sums.iter().filter(|sum| is_in(sum)).map(row).collect();
    rows.sort();
    rows
}

#[test]
fn a_run_gives_back_the_sums_of_a_flow_market_by_market() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let file = file();
    let run = encoded(&file).store(home.path(), Vintage(7)).expect("durable");
    assert_eq!(run.path, "runs/000007.parquet");
    for flow in [Flow::Export, Flow::Import] {
        let mut numbers = numbers();
        let sections = open(home.path(), &run, (flow, &all_months()), &mut numbers);
        let sections = sections.expect("a run");
        assert_eq!(sections.len(), 2, "own month and late");
        let found = rows(sections, &mut numbers);
        assert!(found.len() > 9_000);
        assert_eq!(found, expected(&file, |sum| sum.flow == flow));
    }
}

#[test]
fn other_months_are_read_without_the_month_of_the_file() {
    let file = file();
    let mut numbers = numbers();
    let february = period("200102")..=period("200102");
    let asked = (Flow::Export, &february);
    let path = std::path::Path::new("run");
    let sections = encoded(&file).open(path, asked, &mut numbers).expect("a run");
    let late = |sum: &MonthSum| sum.flow == Flow::Export && sum.period == period("200102");
    assert_eq!(rows(sections, &mut numbers), expected(&file, late));
    let none = encoded(&file).open(
        path,
        (Flow::Export, &(period("200104")..=period("200112"))),
        &mut numbers,
    );
    assert!(none.expect("a run").is_empty());
}

#[test]
fn an_empty_file_has_a_run_without_sections() {
    let empty = (Dictionary::default(), Dictionary::default(), Vec::new());
    let path = std::path::Path::new("run");
    let sections = encoded(&empty).open(path, (Flow::Export, &all_months()), &mut numbers());
    assert!(sections.expect("a run").is_empty());
}

#[test]
fn damage_and_unknown_cities_are_errors() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let run = encoded(&file()).store(home.path(), Vintage(7)).expect("durable");
    let asked = (Flow::Export, &all_months());
    let nowhere = |_: &str| None;
    let mut lost = RunNumbers { city_of: &nowhere, ..numbers() };
    let error = open(home.path(), &run, asked, &mut lost).err().expect("no city");
    assert!(matches!(error, HomeError::Value { column: "city", .. }), "{error}");
    let path = home.path().join(&run.path);
    let bytes = std::fs::read(&path).expect("the run");
    for cut in [0, 3, bytes.len() / 2, bytes.len() - 9] {
        std::fs::write(&path, &bytes[..cut]).expect("cut");
        let error = open(home.path(), &run, asked, &mut numbers()).err().expect("another hash");
        assert!(matches!(error, HomeError::Corrupt { .. }), "{error}");
        let hash = blake3::hash(&bytes[..cut]).to_hex().to_string();
        let cut = Stored { hash, ..run.clone() };
        let error = open(home.path(), &cut, asked, &mut numbers()).err().expect("no run");
        assert!(matches!(error, HomeError::Decode { .. }), "{error}");
    }
}
