//! Valid tables, and mistakes in tables.

use super::*;
use crate::feed::profile::{CountryCodes, Profile};

fn texts(cities: &str, regions: Option<&str>, countries: Option<&str>) -> ReferenceTexts {
    ReferenceTexts {
        cities: cities.to_owned(),
        regions: regions.map(str::to_owned),
        countries: countries.map(str::to_owned),
        firms: None,
    }
}

#[test]
fn cities_are_numbered_by_their_codes_and_areas_are_exact() {
    let table = "city,province,area_km2\n20,B,1.5\n10,A,0.000001\n9,A,35000\n";
    let places = Places::parse(&texts(table, None, None)).expect("valid tables");
    assert_eq!(
        places.cities().map(|city| places.code(city)).collect::<Vec<_>>(),
        ["10", "20", "9"]
    );
    assert_eq!(
        places.cities().map(|city| places.area_m2(city)).collect::<Vec<_>>(),
        [1, 1_500_000, 35_000_000_000]
    );
    assert_eq!(places.cities_of(Province(0)).collect::<Vec<_>>(), [City(0), City(2)]);
    assert_eq!(places.province_code(places.province(City(1))), "B");
    assert_eq!((places.n_cities(), places.n_provinces()), (3, 2));
}

#[test]
fn a_region_is_in_a_city_or_in_none_or_unknown() {
    let regions = "region,city,name\n11019,10,x\n13909,,y\n65122,6590,no such city\n";
    let cities = "city,province,area_km2\n10,A,1\n1101,A,1\n";
    let places = Places::parse(&texts(cities, Some(regions), None)).expect("valid tables");
    let concordance = |region| places.region(&CityRule::Concordance, region, None);
    assert_eq!(concordance("11019"), Found::City(City(0)));
    assert_eq!(concordance("13909"), Found::WithoutCity);
    assert_eq!(concordance("65122"), Found::WithoutCity);
    assert_eq!(concordance("99999"), Found::Unknown);
    let prefix = |region| places.region(&CityRule::Prefix { digits: 4 }, region, None);
    assert_eq!(prefix("11019"), Found::City(City(1)));
    assert_eq!(prefix("110"), Found::Unknown);
    assert_eq!(prefix("东城区"), Found::Unknown);
    assert_eq!(places.region(&CityRule::AsIs, "10", None), Found::City(City(0)));
}

#[test]
fn without_a_table_of_countries_any_code_is_known_that_is_not_blank() {
    let cities = "city,province,area_km2\n10,A,1\n";
    let any = Places::parse(&texts(cities, None, None)).expect("valid tables");
    assert!(any.country_known("Itália") && !any.country_known("") && !any.country_known(" "));
    let two = texts(cities, None, Some("country,iso3\n110,HKG\n502,USA\n"));
    let two = Places::parse(&two).expect("valid tables");
    assert!(two.country_known("502") && !two.country_known("503"));
}

#[test]
fn a_bad_table_is_named_with_line_column_and_what_to_do() {
    let cases = [
        ("city,province,area_km2\n1,A,1\n1,A,2\n", "line 3, column city: \"1\" is given twice"),
        ("city,province,area_km2\n1,A,0\n", "line 2, column area_km2: \"0\" is not an area"),
        ("city,province,area_km2\n1,A,1.0000001\n", "not an area"),
        ("city,province,area_km2\n1,A,-5\n", "not an area"),
        ("city,province,area_km2\n1,A,1e3\n", "not an area"),
        ("city,province,area_km2\n1,A,99999999999999999999\n", "not an area"),
        ("city,province,area_km2\n1,,5\n", "column province: is blank"),
        ("city,province\n1,A\n", "no column \"area_km2\""),
        ("city,province,area_km2\n", "0 cities"),
        ("city,province,area_km2\n1,A\n", "is not a table"),
    ];
    for (table, expected) in cases {
        let error = Places::parse(&texts(table, None, None)).expect_err(table);
        assert!(error.to_string().starts_with("cities.csv"), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn the_bundled_tables_are_valid() {
    let texts = ReferenceTexts::of(TablesBeside::default(), &shipped("ccts"));
    let places = Places::parse(&texts).expect("the bundled tables");
    assert_eq!(places.n_cities(), 337);
    let lishui = places.city("3311").expect("丽水 in GB/T 2260");
    assert_eq!(places.region(&CityRule::Concordance, "33109", None), Found::City(lishui));
    assert!(places.country_known("502") && !places.country_known("德国"));
}

fn shipped(name: &str) -> Profile {
    Profile::bundled(name).expect("a shipped profile")
}

#[test]
fn each_table_beside_a_feed_counts_by_itself() {
    let cities = "city,province,area_km2\n3311,33,17275\n";
    let (regions, countries) = ("region,city\n1,3311\n", "country\nDE\n");
    let some = |text: &str| Some(text.to_owned());
    let ccts = |beside| {
        Places::parse(&ReferenceTexts::of(beside, &shipped("ccts"))).expect("valid tables")
    };
    let place = |places: &Places, region| match places.region(&CityRule::Concordance, region, None)
    {
        Found::City(city) => Some(places.code(city).to_owned()),
        Found::WithoutCity => some(""),
        Found::Unknown => None,
    };
    // Regions of cities that the feed's table lacks are known, but in no city.
    let alone = ccts(TablesBeside { cities: some(cities), ..TablesBeside::default() });
    assert_eq!((place(&alone, "33109"), place(&alone, "11019")), (some("3311"), some("")));
    assert!(alone.country_known("502") && !alone.country_known("DE"));
    let alone = ccts(TablesBeside { regions: some(regions), ..TablesBeside::default() });
    assert_eq!((place(&alone, "1"), place(&alone, "33109")), (some("3311"), None));
    assert_eq!(alone.n_cities(), 337);
    let alone = ccts(TablesBeside { countries: some(countries), ..TablesBeside::default() });
    assert!(alone.country_known("DE") && !alone.country_known("502"));
    assert_eq!(place(&alone, "33109"), some("3311"));
}

#[test]
fn a_profile_says_whether_the_customs_codes_are_the_countries() {
    let known = |profile: &Profile| {
        let texts = ReferenceTexts::of(TablesBeside::default(), profile);
        Places::parse(&texts).expect("the bundled tables").country_known("德国")
    };
    let mut canonical = shipped("canonical");
    assert!(!known(&canonical) && known(&shipped("comexstat-municipality")));
    canonical.countries = Some(CountryCodes::Any);
    assert!(known(&canonical));
}
