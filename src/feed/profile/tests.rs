//! Shipped profiles, and mistakes in other profiles.

use super::*;

fn canonical_text() -> &'static str {
    Profile::BUNDLED[0].1
}

#[test]
fn the_shipped_profiles_are_valid_and_named_as_they_are_called() {
    for name in Profile::bundled_names() {
        assert_eq!(Profile::bundled(name).expect("a shipped profile").name, name);
    }
}

#[test]
fn a_profile_survives_being_written_and_read_again() {
    for name in Profile::bundled_names() {
        let profile = Profile::bundled(name).expect("a shipped profile");
        let text = toml::to_string(&profile).expect("a profile can be written");
        assert_eq!(Profile::from_toml(&text, name).expect("it can be read"), profile);
    }
}

#[test]
fn a_profile_that_names_no_country_codes_takes_any() {
    let without = canonical_text().replace("countries = \"customs\"\n", "");
    assert!(without != canonical_text());
    let profile = Profile::from_toml(&without, "feed.toml").expect("a profile");
    assert_eq!(profile.countries, Some(CountryCodes::Any));
    let customs = Profile::bundled("ccts").expect("a shipped profile").countries;
    assert_eq!(customs, Some(CountryCodes::Customs));
}

#[test]
fn an_unknown_name_is_answered_with_those_there_are() {
    let error = Profile::bundled("cannonical").expect_err("no such profile");
    assert_eq!(
        error.to_string(),
        "there is no profile \"cannonical\"; shipped are canonical, ccts, \
         ccts-access, ccts-stata, comexstat-municipality, gacc-query, comexstat, \
         comexstat-municipality-year, ethiopia, statcan"
    );
}

#[test]
fn a_mistake_in_a_profile_is_shown_with_its_line() {
    let cases = [
        ("delimiter = \",\"", "delimiter = \"\\\"\"", "cannot be a delimiter"),
        ("delimiter = \",\"", "delimiter = \",,\"", "character"),
        ("encoding = \"utf-8\"", "encoding = \"utf-9\"", "utf-9"),
        ("pattern = \"{YYYY}{MM}*.csv\"", "pattern = \"{YYYY}{Q}.csv\"", "no other braces"),
        ("unit = 1", "unit = 0", "nonzero"),
        ("hs8 = \"hs8\"", "hs8 = { const = \"\" }", "header's name or"),
        ("hs8 = \"hs8\"", "hs6 = \"hs8\"", "hs6"),
        ("digits = 4", "length = 4", "length"),
        ("countries = \"customs\"", "countries = \"iso\"", "customs"),
    ];
    for (from, to, expected) in cases {
        let text = canonical_text().replace(from, to);
        match Profile::from_toml(&text, "feed.toml") {
            Err(ProfileError::Toml { source, .. }) => {
                let shown = source.to_string();
                assert!(shown.contains(expected), "{to}: {shown}");
                assert!(shown.contains("line"), "{to}: {shown}");
            }
            other => panic!("{to} gave {other:?}"),
        }
    }
}

#[test]
fn a_profile_that_makes_no_sense_is_refused() {
    let cases = [
        ("import = [\"I\"]", "import = [\"E\"]", "keep it in one list"),
        ("export = [\"E\"]", "export = []", "at least one"),
        ("\"外经\"", "\"\"", "exclude every firm"),
        ("digits = 4", "digits = 0", "1 or more"),
        ("pattern = \"{YYYY}{MM}*.csv\"", "pattern = \"*.csv\"", "exactly once"),
        ("pattern = \"{YYYY}{MM}*.csv\"", "pattern = \"{YYYY}/{MM}.csv\"", "recursive = true"),
        ("pattern = \"{YYYY}{MM}*.csv\"", "pattern = \"{flow}{YYYY}{MM}.csv\"", "one of them"),
        ("period = \"period\"\n", "", "give one of them"),
        ("revision = \"refuse\"", "revision = \"replace-periods\"", "set [file] covers"),
        ("format = \"YYYYMM\"", "year = \"y\"", "give both"),
        ("compression = \"auto\"", "covers = \"year\"", "no month"),
    ];
    for (from, to, expected) in cases {
        let text = canonical_text().replace(from, to);
        let error = Profile::from_toml(&text, "feed.toml").expect_err(to);
        assert!(error.to_string().contains(expected), "{error}");
    }
}
