use super::near_codes::Spellings;
use super::unseen::{History, NewCodes};
use super::*;
use crate::domain::dictionary::Dictionary;
use crate::domain::types::{City, Flow};

/// A firm, a region, a country, a product and a value.
type LineOf<'a> = (&'a str, &'a str, &'a str, &'a str, i64);

/// Records of January 2008, each of a firm, a region, a country, a product and a value.
fn month(lines: &[LineOf<'_>]) -> (Texts, Vec<Record>) {
    let mut texts = Texts::default();
    let records = (2..)
        .zip(lines)
        .map(|(line, (firm, region, country, product, value_cents))| Record {
            firm: texts.firms.intern(firm),
            name: texts.names.intern("plain"),
            region: texts.regions.intern(region),
            country: texts.countries.intern(country),
            product: texts.products.intern(product),
            trade_mode: texts.trade_modes.intern("10"),
            line,
            city: Some(City(1)),
            period: Period::new(2008, 1).expect("a month"),
            flow: Flow::Export,
            exclusion: None,
            value_cents: *value_cents,
        })
        .collect();
    (texts, records)
}

#[test]
fn a_total_is_found_over_any_field_with_any_number_of_levels() {
    let totals: [&[LineOf<'_>]; 5] = [
        // A product that is also the firm.
        &[
            ("01011010", "1", "3", "01011010", 1050),
            ("01019090", "1", "3", "01019090", 2025),
            ("01", "1", "3", "01", 3075),
            ("TOTAL", "1", "3", "TOTAL", 3075),
        ],
        &[("F", "1", "3", "A", 40), ("F", "1", "3", "B", 25), ("F", "1", "3", "all", 65)],
        // The world among countries.
        &[("F", "1", "3", "A", 40), ("F", "1", "4", "A", 25), ("F", "1", "world", "A", 65)],
        // Chapters without a sum of all.
        &[
            ("F", "1", "3", "0101", 10),
            ("F", "1", "3", "0102", 35),
            ("F", "1", "3", "01", 45),
            ("F", "1", "3", "0201", 21),
            ("F", "1", "3", "0202", 50),
            ("F", "1", "3", "02", 71),
        ],
        &[("F", "1", "3", "A", 40), ("G", "1", "3", "A", 25), ("sum", "1", "3", "A", 65)],
    ];
    for lines in totals {
        let (texts, records) = month(lines);
        assert!(aggregates::find(&texts, &records).is_some(), "{lines:?}");
    }
    let (texts, mut records) = month(totals[0]);
    let found = aggregates::find(&texts, &records).expect("a total");
    assert_eq!((found.n, found.of), (1, 1));
    assert_eq!(found.beside, "firm_id and hs8");
    records[2].value_cents += 1;
    records[3].value_cents += 2;
    assert_eq!(aggregates::find(&texts, &records), None);
}

#[test]
fn values_without_a_total_are_none_however_many() {
    let mut value = 1_i64;
    let firms: Vec<String> = (0..2000).map(|at| format!("F{}", at / 4)).collect();
    let products: Vec<String> = (0..2000).map(|at| format!("{}", at % 4)).collect();
    let lines = firms.iter().zip(&products).map(|(firm, product)| {
        value = (value * 48_271) % 2_147_483_647;
        (firm.as_str(), "1", "3", product.as_str(), value % 100_000)
    });
    let lines: Vec<_> = lines.collect();
    let (texts, records) = month(&lines);
    assert_eq!(aggregates::find(&texts, &records), None);
}

#[test]
fn totals_are_found_in_a_file_of_which_a_sample_is_looked_at() {
    let firms: Vec<String> = (0..30_000).map(|at| format!("F{at}")).collect();
    let lines = firms.iter().enumerate().flat_map(|(at, firm)| {
        let at = i64::try_from(at).expect("small");
        [("A", 100 + at), ("B", 33), ("TOTAL", 133 + at)]
            .map(|(product, value)| (firm.as_str(), "1", "3", product, value))
    });
    let lines: Vec<_> = lines.collect();
    let (texts, records) = month(&lines);
    let found = aggregates::find(&texts, &records).expect("totals");
    assert!(found.n == found.of && found.of > 500 && found.of < 10_000, "{found:?}");
}

#[test]
fn codes_that_differ_in_blanks_zeros_width_or_case_are_near() {
    for (a, b) in [("012", "12"), ("A1", "a1"), ("12 3", "123"), ("１2", "12"), ("0", "00")] {
        for (a, b) in [(a, b), (b, a)] {
            let (texts, _) = month(&[(a, "1", "3", "A", 1), (b, "1", "3", "A", 1)]);
            let found = near_codes::within(&texts).unwrap_or_else(|| panic!("{a:?}, {b:?}"));
            assert_eq!(found.n, 1, "{found:?}");
        }
    }
    let (texts, _) = month(&[("12", "1", "3", "A", 1), ("120", "1", "3", "A", 1)]);
    assert_eq!(near_codes::within(&texts), None);
}

#[test]
fn a_new_code_is_near_to_one_of_the_home_in_either_direction() {
    for (known, new) in [("0012", "12"), ("12", "012"), ("ab1", "AB1"), ("AB1", "ab1")] {
        let mut codes = Dictionary::default();
        codes.intern("7");
        codes.intern(known);
        let found = Spellings::default().find("firm_id", &codes, [new].into_iter());
        let found = found.unwrap_or_else(|| panic!("{known}, {new}"));
        assert_eq!(found.first, [format!("firm_id \"{known}\" and \"{new}\"")]);
        let other = Spellings::default().find("firm_id", &codes, ["8"].into_iter());
        assert_eq!(other, None);
    }
}

#[test]
fn equal_lines_count_as_often_as_both_files_have_them() {
    let (line, other) = (("F", "1", "3", "A", 5), ("G", "1", "3", "A", 5));
    let (texts, records) = month(&[line, line, line, other]);
    let (earlier_texts, earlier) = month(&[("X", "1", "3", "A", 5), line, line]);
    let new = same_lines::lines(&texts, &records);
    let earlier = same_lines::lines(&earlier_texts, &earlier);
    let found = same_lines::find(&new, &earlier, "a.csv").expect("two lines");
    assert_eq!((found.n, found.of, found.first.len()), (2, 4, 2));
    assert_eq!(same_lines::find(&same_lines::lines(&texts, &records[3..]), &earlier, ""), None);
}

#[test]
fn a_share_is_unusual_from_the_seventh_file_on_ten_points_above_and_five_deviations() {
    let codes = |n_new| [NewCodes { n_codes: 100, n_new }; 3];
    let mut history = History::default();
    let found = |history: &History, n_new| {
        history.find("/", 0, codes(n_new)[0], Vec::new).map(|found| found.beside)
    };
    for n_new in [100, 4, 5, 6, 5] {
        history.add("/", &codes(n_new));
        assert_eq!(found(&history, 90), None, "it is too early");
    }
    history.add("/", &codes(5));
    // The median is 5 and the deviation 0 or 1 in 100.
    assert_eq!(found(&history, 16).as_deref(), Some("5.0 %"));
    assert_eq!(found(&history, 15), None);
    assert_eq!(history.find("other", 0, codes(90)[0], Vec::new), None);
    let mut varied = History::default();
    for n_new in [10, 20, 30, 40, 50, 60] {
        varied.add("/", &codes(n_new));
    }
    // The median is 35 and the deviation 15 in 100.
    assert_eq!(found(&varied, 99), None);
}
