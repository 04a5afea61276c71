//! Codes in the notation of spreadsheets and databases.

use super::*;
use crate::feed::profile::Profile;

fn canonical() -> Profile {
    Profile::bundled("canonical").expect("a shipped profile")
}

/// The code that a field's text is read as, or the rule that it breaks.
fn code(profile: &Profile, field: Field, text: &str) -> Result<String, Rule> {
    let cleaning = Cleaning::new(profile);
    if cleaning.leaves(field, text.as_bytes()) {
        return Ok(text.to_owned());
    }
    Ok(cleaning.code(field, text)?.unwrap_or_else(|| text.to_owned()))
}

fn with(codes: &str) -> Profile {
    let text = toml::to_string(&canonical()).expect("a profile can be written");
    Profile::from_toml(&format!("{text}\n{codes}"), "feed.toml").expect("a profile")
}

#[test]
fn what_surrounds_a_code_is_not_part_of_it() {
    let cases = [
        ("301 ", "301"),
        ("\u{3000}301", "301"),
        ("301\0\0", "301"),
        ("'301", "301"),
        ("=\"301\"", "301"),
        ("\"301\"", "301"),
        ("３０１", "301"),
        ("301.0", "301"),
        ("301.00", "301"),
        ("北京", "北京"),
        ("St. Louis", "St. Louis"),
        ("1E3", "1E3"),
        ("v1.0", "v1.0"),
        ("3.5", "3.5"),
    ];
    for field in [Field::FirmId, Field::Region, Field::Country, Field::TradeMode] {
        for (text, expected) in cases {
            assert_eq!(code(&canonical(), field, text).as_deref(), Ok(expected), "{text:?}");
        }
    }
    assert_eq!(code(&canonical(), Field::FirmId, "3.1E+09"), Err(Rule::Code));
    assert_eq!(code(&canonical(), Field::FirmId, " 3.1E+09"), Err(Rule::Code));
}

#[test]
fn a_product_has_an_even_number_of_digits_and_no_points() {
    let cases = [
        ("9011100", "09011100"),
        ("09011100", "09011100"),
        ("9011100.0", "09011100"),
        ("0901.11.00", "09011100"),
        ("090111.00", "09011100"),
        ("901.11.00", "09011100"),
        ("90111", "090111"),
        ("7210", "7210"),
        ("TOTAL", "TOTAL"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(code(&canonical(), Field::Hs8, text).as_deref(), Ok(expected), "{text:?}");
    }
}

#[test]
fn a_width_gives_back_zeros_and_a_map_codes() {
    let profile = with(
        "[codes.firm_id]\nwidth = 10\n[codes.region]\nwidth = 5\npad = \"0\"\nstrip = [\"R-\"]\n\
         [codes.flow]\nmap = { \"出口\" = \"E\", \"0\" = \"E\" }\n",
    );
    let cases = [
        (Field::FirmId, "110000001", "0110000001"),
        (Field::FirmId, "110000001.0", "0110000001"),
        (Field::FirmId, "A1", "A1"),
        (Field::FirmId, "31000000010", "31000000010"),
        (Field::Region, "R-1101", "01101"),
        (Field::Flow, " 出口", "E"),
        (Field::Flow, "0.0", "E"),
        (Field::Flow, "I", "I"),
    ];
    for (field, text, expected) in cases {
        assert_eq!(code(&profile, field, text).as_deref(), Ok(expected), "{text:?}");
    }
}

#[test]
fn a_home_of_before_reads_codes_as_they_stand() {
    for trim in [None, Some(false)] {
        let profile = Profile { trim, ..canonical() };
        for text in ["301 ", "'301", "301.0", "３０１", "9011100"] {
            for field in [Field::FirmId, Field::Hs8, Field::Country, Field::TradeMode] {
                assert_eq!(code(&profile, field, text).as_deref(), Ok(text), "{text:?}");
            }
        }
        assert_eq!(code(&profile, Field::FirmId, "3.1E+09"), Err(Rule::Code));
        let before = Profile { countries: None, ..profile };
        assert_eq!(code(&before, Field::FirmId, "3.1E+09").as_deref(), Ok("3.1E+09"));
    }
}
