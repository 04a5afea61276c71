//! The cities and destinations of a feed: real places, the largest exporters and markets first.

use std::io::Write as _;

use super::error::SimulateError;
use super::params::Params;
use super::random::key;

const CITIES: &str = include_str!("../../streams/reference/cities.csv");
const COUNTRIES: &str = include_str!("../../streams/reference/countries.csv");
const INCOME_GROUPS: &str = include_str!("../../streams/reference/income_groups.csv");

/// Hong Kong, which the study excludes.
const HONG_KONG: &str = "110";
/// China itself: returned goods.
const CHINA: &str = "142";

/// The cities with the largest exports, in order; other cities follow in a fixed random order.
const LEADING_CITIES: [&str; 44] = [
    "4403", "3205", "3100", "4419", "4401", "3302", "1100", "1200", "4406", "3301", "3502", "3702",
    "3202", "3306", "3307", "4413", "4420", "4404", "3303", "3304", "3505", "3310", "2102", "3206",
    "3501", "3204", "3706", "3201", "4407", "4405", "3710", "3210", "3203", "3305", "5101", "5000",
    "4201", "4101", "3401", "6101", "3701", "2101", "4301", "3601",
];

/// The markets with the largest imports, in order; other markets follow in a fixed random order.
const LEADING_DESTINATIONS: [&str; 40] = [
    "502", "116", "133", "304", "309", "303", "132", "307", "143", "344", "111", "601", "501",
    "305", "138", "122", "312", "301", "410", "429", "136", "112", "141", "327", "137", "129",
    "131", "244", "412", "318", "302", "330", "432", "402", "321", "113", "127", "352", "103",
    "236",
];

/// A city with plants.
#[derive(Clone, Debug)]
pub struct City {
    /// Its four-digit code.
    pub code: &'static str,
    /// Its province's two-digit code.
    pub province: &'static str,
    /// Its area in square kilometres.
    pub area_km2: f64,
    /// Its name.
    pub name: &'static str,
    name_en: &'static str,
    area_text: &'static str,
}

/// A destination of exports.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The customs code.
    pub code: &'static str,
    iso3: &'static str,
    name: &'static str,
    name_en: &'static str,
}

/// The cities and destinations of a feed, the largest first.
#[derive(Clone, Debug)]
pub struct Places {
    /// Cities.
    pub cities: Vec<City>,
    /// Destinations; the last one is Hong Kong.
    pub destinations: Vec<Destination>,
    /// Cumulative sizes of the cities.
    pub city_sizes: Vec<f64>,
}

impl Places {
    /// Takes the places of a feed from the reference tables.
    ///
    /// # Errors
    /// [`SimulateError::Size`] if the tables have fewer places.
    pub fn choose(params: &Params) -> Result<Self, SimulateError> {
        let cities = choose("cities", params.cities, all_cities(), &LEADING_CITIES)?;
        let (hong_kong, mut elsewhere): (Vec<_>, Vec<_>) =
            all_destinations().into_iter().partition(|(code, _)| *code == HONG_KONG);
        elsewhere.retain(|(code, place)| *code != CHINA && !place.iso3.is_empty());
        let mut destinations =
            choose("destinations", params.destinations, elsewhere, &LEADING_DESTINATIONS)?;
        destinations.extend(hong_kong.into_iter().map(|(_, place)| place));
        let city_sizes = cumulative_sizes(cities.len(), params.population.city_exponent);
        Ok(Self { cities, destinations, city_sizes })
    }

    /// The number of destinations without Hong Kong.
    pub fn markets(&self) -> usize {
        self.destinations.len() - 1
    }

    /// The position of Hong Kong among the destinations.
    pub fn hong_kong(&self) -> usize {
        self.destinations.len() - 1
    }

    /// The contents of `cities.csv`.
    pub fn cities_csv(&self) -> Vec<u8> {
        let mut text = b"city,province,area_km2,name,name_en\n".to_vec();
        let mut cities: Vec<&City> = self.cities.iter().collect();
        cities.sort_by_key(|city| city.code);
        for city in cities {
            let City { code, province, area_text, name, name_en, .. } = city;
            writeln!(text, "{code},{province},{area_text},{name},{}", quoted(name_en))
                .expect("writing to memory does not fail");
        }
        text
    }

    /// The contents of `countries.csv`, with income groups of a year.
    pub fn countries_csv(&self, year: u16) -> Vec<u8> {
        let groups = rows(INCOME_GROUPS);
        let mut text = b"country,iso3,name,name_en,income_group\n".to_vec();
        let mut destinations: Vec<&Destination> = self.destinations.iter().collect();
        destinations.sort_by_key(|destination| destination.code);
        for Destination { code, iso3, name, name_en } in destinations {
            let group = income_group(&groups, iso3, year);
            writeln!(text, "{code},{iso3},{},{},{group}", quoted(name), quoted(name_en))
                .expect("writing to memory does not fail");
        }
        text
    }
}

/// The first `wanted` places: the leading places in their order, then the others.
fn choose<T>(
    name: &'static str,
    wanted: u32,
    mut places: Vec<(&'static str, T)>,
    leading: &[&str],
) -> Result<Vec<T>, SimulateError> {
    let most = u32::try_from(places.len()).expect("the reference tables are short");
    if wanted > most {
        return Err(SimulateError::Size { name, value: wanted, least: 2, most });
    }
    places.sort_by_key(|(code, _)| {
        let rank = leading.iter().position(|leader| leader == code).unwrap_or(leading.len());
        (rank, code.bytes().fold(0, |hash, byte| key(hash, u64::from(byte))))
    });
    Ok(places.into_iter().take(wanted as usize).map(|(_, place)| place).collect())
}

/// Cumulative sizes, which fall with rank by a power.
#[expect(clippy::cast_precision_loss, reason = "ranks are below a thousand")]
fn cumulative_sizes(n: usize, exponent: f64) -> Vec<f64> {
    let sizes = (0..n).map(|rank| libm::pow(rank as f64 + 2.0, -exponent));
    sizes
        .scan(0.0, |total, size| {
            *total += size;
            Some(*total)
        })
        .collect()
}

fn all_cities() -> Vec<(&'static str, City)> {
    let table = rows(CITIES);
    let place = |row: &[&'static str]| City {
        code: row[0],
        province: row[1],
        area_km2: row[2].parse().expect("the reference table gives areas as numbers"),
        name: row[3],
        name_en: row[4],
        area_text: row[2],
    };
    table.iter().map(|row| (row[0], place(row))).collect()
}

fn all_destinations() -> Vec<(&'static str, Destination)> {
    let table = rows(COUNTRIES);
    let place = |row: &[&'static str]| Destination {
        code: row[0],
        iso3: row[1],
        name: row[2],
        name_en: row[3],
    };
    table.iter().map(|row| (row[0], place(row))).collect()
}

/// The group of a year, or of the first later year with one; empty if no year has one.
fn income_group(groups: &[Vec<&'static str>], iso3: &str, year: u16) -> &'static str {
    let later = |text: &str| text.parse::<u16>().is_ok_and(|group_year| group_year >= year);
    let found = groups
        .iter()
        .find(|row| row[0] == iso3 && !iso3.is_empty() && !row[2].is_empty() && later(row[1]));
    found.map_or("", |row| row[2])
}

/// The rows of a reference table without its header. Fields may be quoted; no field has a quote or
/// a line break.
fn rows(table: &'static str) -> Vec<Vec<&'static str>> {
    table.lines().skip(1).filter(|line| !line.is_empty()).map(fields).collect()
}

fn fields(line: &'static str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(inside) => inside.split_once('"').unwrap_or((inside, "")),
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        found.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return found,
        }
    }
}

fn quoted(text: &str) -> String {
    if text.contains(',') { format!("\"{text}\"") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_places_come_first_and_hong_kong_last() {
        let places = Places::choose(&Params::default()).expect("the default sizes are possible");
        assert_eq!((places.cities[0].code, places.cities[0].name), ("4403", "深圳市"));
        assert_eq!(places.destinations[0].code, "502");
        assert_eq!(places.destinations[places.hong_kong()].code, "110");
        assert!(places.destinations.iter().all(|destination| destination.code != CHINA));
    }

    #[test]
    fn leading_places_are_in_the_tables() {
        let cities = all_cities();
        assert!(LEADING_CITIES.iter().all(|code| cities.iter().any(|(found, _)| found == code)));
        let countries = all_destinations();
        let known = |code: &&str| countries.iter().any(|(found, _)| found == code);
        assert!(LEADING_DESTINATIONS.iter().all(known));
    }

    #[test]
    fn the_tables_can_be_used_whole_and_not_beyond() {
        let whole = Params { cities: 337, destinations: 220, ..Params::default() };
        assert!(Places::choose(&whole).is_ok());
        let beyond = Params { cities: 338, ..Params::default() };
        assert!(matches!(Places::choose(&beyond), Err(SimulateError::Size { most: 337, .. })));
    }

    #[test]
    fn a_name_with_a_comma_is_one_field() {
        assert_eq!(
            fields("133,KOR,韩国,\"Korea, Rep.\","),
            ["133", "KOR", "韩国", "Korea, Rep.", ""]
        );
        let places = Places::choose(&Params::default()).expect("the default sizes are possible");
        let text = String::from_utf8(places.countries_csv(2000)).expect("the tables are UTF-8");
        assert!(text.contains("\n133,KOR,韩国,\"Korea, Rep.\",UM\n"), "{text}");
        assert!(text.contains("\n110,HKG,香港,Hong Kong,H\n"));
    }
}
