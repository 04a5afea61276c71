//! The tables of spans of a home compared with plain loops over its records.

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use spillover::check::oracle::SpanOracle;
use spillover::domain::record::{Record, Texts};
use spillover::domain::series::{Level, SeriesRow};
use spillover::domain::span::{Joint, SpanAt, spans_of_year};
use spillover::domain::types::{City, Country, Vintage, Year};
use spillover::engine::Names;
use spillover::feed::income_groups::IncomeGroups;
use spillover::feed::reference::COUNTRIES;
use spillover::home::Home;
use spillover::home::definition::Definition;
use spillover::home::segment::{self, Fields};
use spillover::spans::SpanSource;
use spillover::tables::{Context, city, columns, months, plant};

/// Compares every span of a home at a vintage; returns the number of rows of markets and of plants.
pub fn compare(home: &Home, vintage: Option<Vintage>, joint: Joint) -> [usize; 2] {
    let source = SpanSource::at(home, vintage, joint).expect("a state of the home");
    let (names, counted) = counted(home, vintage, &source);
    let definition = source.definition();
    let geography = &definition.geography;
    let mut oracle = SpanOracle::new(*source.calendar(), geography, definition.choices);
    let mut names = names;
    for (texts, records) in &counted {
        names.shipments(texts, records, |shipment| oracle.add(&shipment));
    }
    let incomes = IncomeGroups::of(definition.texts.reference(COUNTRIES)).expect("groups");
    let units = |city: City, country: Country, names: &Names, at: SpanAt| {
        units(definition, &incomes, (city, names.countries.text(u32::from(country.0))), at)
    };
    let context = Context { firms: &names.firms, countries: &names.countries, definition };
    let (mut n_markets, mut n_plants) = (0, 0);
    let calendar = *source.calendar();
    for year in (calendar.first().year().0..=calendar.last_year().0).map(Year) {
        let spans = spans_of_year(year, &calendar, joint);
        if spans.is_empty() {
            continue;
        }
        let found: Vec<RecordBatch> =
            source.months(vec![spans.clone()]).map(|batch| batch.expect("markets")).collect();
        assert_eq!(found.len(), spans.len());
        for (at, found) in spans.iter().zip(&found) {
            let rows = oracle.markets(*at);
            let expected = months::rows(&rows, &context).expect("columns");
            assert_eq!(*found, expected, "months {at:?}, vintage {vintage:?}");
            n_markets += rows.len();
            if is_compared_by_plant(*at, &source) {
                let rows: Vec<_> = rows.iter().map(|row| row.market).collect();
                let expected = columns::rows(&city::columns(), &rows, at.n_months(), &context);
                let found = source.city(*at).expect("markets");
                assert_eq!(found, expected.expect("columns"), "city {at:?}, vintage {vintage:?}");
                let rows = oracle.plants(*at);
                let columns = plant::columns(definition.supply.is_some());
                let expected = columns::rows(&columns, &rows, at.n_months(), &context);
                let found = source.plant(*at).expect("plants").map(|batch| batch.expect("rows"));
                let found = concat_batches(&columns::schema(&columns), &found.collect::<Vec<_>>());
                let (found, expected) = (found.expect("rows"), expected.expect("columns"));
                assert_eq!(found, expected, "plant {at:?}, vintage {vintage:?}");
                n_plants += rows.len();
                let expected =
                    oracle.series(*at, |city, country| units(city, country, &names, *at));
                let found = source.series(&[*at]).expect("sums").concat();
                compare_series(&found, &expected);
            }
        }
    }
    [n_markets, n_plants]
}

/// The units of a market.
fn units(
    definition: &Definition,
    incomes: &IncomeGroups,
    (city, country): (City, &str),
    at: SpanAt,
) -> Vec<(Level, String)> {
    let (places, groups) = (&definition.places, &definition.groups);
    let (code, province) = (places.code(city), places.province_code(places.province(city)));
    let mut units = vec![
        (Level::Nation, "all".to_owned()),
        (Level::City, code.to_owned()),
        (Level::Province, province.to_owned()),
        (Level::Country, country.to_owned()),
        (Level::ProvinceCountry, format!("{province}^{country}")),
    ];
    let income = incomes.group(country, at.year());
    units.extend(income.map(|group| (Level::IncomeGroup, group.to_owned())));
    units.extend(groups.of_city(code).map(|group| (Level::CityGroup, group.to_owned())));
    units.extend(groups.of_country(country).map(|group| (Level::CountryGroup, group.to_owned())));
    units
}

fn compare_series(found: &[SeriesRow], expected: &[SeriesRow]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}

/// Plants take a scan for each span: those of some months and of the last are compared.
fn is_compared_by_plant(at: SpanAt, source: &SpanSource<'_>) -> bool {
    [2, 7, 12].contains(&at.end().month()) || Some(at.end()) == source.calendar().last_closed()
}

/// The records that count, file by file. Firms and countries are numbered in order of their codes.
fn counted(
    home: &Home,
    vintage: Option<Vintage>,
    source: &SpanSource<'_>,
) -> (Names, Vec<(Texts, Vec<Record>)>) {
    let vintage = vintage.or(home.last_vintage().expect("asked")).expect("there is a file");
    let city_of = |code: &str| source.definition().places.city(code);
    let mut counted = Vec::new();
    for file in home.files().expect("asked").iter().filter(|file| file.counted_at(vintage)) {
        let read = segment::read(home.folder(), &file.segment, Fields::All, &city_of);
        let (mut texts, mut records) = read.expect("a segment");
        source.definition().successions.carry_over(&mut texts, &mut records);
        let gone = file.gone_at(vintage);
        records.retain(|record| !gone.contains(&(record.period, record.flow)));
        counted.push((texts, records));
    }
    let mut names = Names::default();
    let texts = || counted.iter().map(|(texts, _)| texts);
    let mut firms: Vec<&str> = texts().flat_map(|texts| texts.firms.iter()).collect();
    let mut countries: Vec<&str> = texts().flat_map(|texts| texts.countries.iter()).collect();
    firms.sort_unstable();
    countries.sort_unstable();
    for firm in firms {
        names.firms.intern(firm);
    }
    for country in countries {
        names.countries.intern(country);
    }
    (names, counted)
}
