//! Whole valid and invalid files, from bytes to counts.

mod encodings;
mod packed;

use std::fmt::Write as _;

use encoding_rs::GB18030;
use proptest::prelude::*;

use super::*;
use crate::domain::record::Counts;
use crate::domain::types::Flow;
use crate::feed::codes::CodeMap;
use crate::feed::encoding::TextEncoding;
use crate::feed::places::ReferenceTexts;
use crate::feed::refused::Advice;

const HEADER: &str = "period,flow,firm_id,firm_name,region,country,hs8,trade_mode,value_usd\n";
const GOOD: &str = "200805,E,F1,某某有限公司,11019,502,84713000,10,1234.56\n";

fn canonical() -> Profile {
    Profile::bundled("canonical").expect("a shipped profile")
}

fn places() -> Places {
    let cities = "city,province,area_km2\n1101,11,16411\n3100,31,6340.5\nMACEIO,AL,509.3\n";
    let regions = "region,city\n11019,1101\n31229,3100\n13909,\n";
    let countries = "country\n110\n502\n601\n";
    let texts = ReferenceTexts {
        cities: cities.to_owned(),
        regions: Some(regions.to_owned()),
        countries: Some(countries.to_owned()),
        firms: None,
    };
    Places::parse(&texts).expect("valid tables")
}

fn lenient() -> ReadLimits {
    ReadLimits { max_rejected_share: 1.0, ..ReadLimits::default() }
}

fn read_as(
    name: &str,
    bytes: &[u8],
    profile: &Profile,
    limits: &ReadLimits,
) -> Result<Intake, Refused> {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).expect("a file in it");
    let period = Period::from_yyyymm(200_805).expect("a valid period");
    let file = FeedFile::new(period, path);
    read(&file, profile, &places(), limits)
}

fn read_text(text: &str) -> Result<Intake, Refused> {
    read_as("200805.csv", text.as_bytes(), &canonical(), &lenient())
}

fn intake(text: &str) -> Intake {
    read_text(text).expect("the file is taken")
}

fn refusal(text: &str) -> String {
    read_text(text).expect_err("the file is refused").to_string()
}

/// The rule and column of a rejected line.
fn fault(line: &str) -> (Rule, String) {
    let intake = intake(&format!("{HEADER}{GOOD}{line}\n"));
    assert_eq!((intake.counts.lines, intake.counts.accepted), (2, 1), "{line}");
    assert_eq!(intake.rejects[0].line, 3);
    assert!(line.starts_with(&intake.rejects[0].raw), "{line}");
    (intake.rejects[0].rule, intake.rejects[0].column.clone())
}

#[test]
fn a_good_line_is_a_record() {
    let intake = intake(&format!("{HEADER}{GOOD}"));
    let record = intake.records[0];
    assert_eq!(intake.texts.firms.text(record.firm), "F1");
    assert_eq!(intake.texts.names.text(record.name), "某某有限公司");
    assert_eq!(intake.texts.regions.text(record.region), "11019");
    assert_eq!(intake.texts.countries.text(record.country), "502");
    assert_eq!(intake.texts.products.text(record.product), "84713000");
    assert_eq!(intake.texts.trade_modes.text(record.trade_mode), "10");
    assert_eq!((record.line, record.flow, record.value_cents), (2, Flow::Export, 123_456));
    assert_eq!(record.city, places().city("1101"));
    assert_eq!((record.period, record.exclusion), (intake.period, None));
    assert_eq!(intake.n_bytes, (HEADER.len() + GOOD.len()) as u64);
    assert_eq!(intake.hash, blake3::hash(format!("{HEADER}{GOOD}").as_bytes()).to_string());
}

#[test]
fn each_rule_rejects_its_line_and_names_the_column() {
    let long = format!("200805,E,F1,{},11019,502,8,10,1", "长".repeat(342));
    let cases: [(&str, Rule, &str); 25] = [
        ("200805,E,F1,n,11019,502,8,10", Rule::Columns, ""),
        ("200805,E,F1,n,11019,502,8,10,1,2", Rule::Columns, ""),
        ("200805,E,F1,n,11019,502,8,10,1,234.50", Rule::Columns, ""),
        ("200805,E,F1,\"n\"x,11019,502,8,10,1", Rule::Quote, ""),
        ("200805,E,F1,\"n,11019,502,8,10,1", Rule::Quote, ""),
        (&long, Rule::Length, "firm_name"),
        ("201113,E,F1,n,11019,502,8,10,1", Rule::Period, "period"),
        (",E,F1,n,11019,502,8,10,1", Rule::Period, "period"),
        ("200806,E,F1,n,11019,502,8,10,1", Rule::FuturePeriod, "period"),
        ("200804,E,F1,n,11019,502,8,10,1", Rule::EarlyPeriod, "period"),
        ("200805,X,F1,n,11019,502,8,10,1", Rule::Flow, "flow"),
        ("200805,E, \u{3000},n,11019,502,8,10,1", Rule::Firm, "firm_id"),
        ("200805,E,3.1E+09,n,11019,502,8,10,1", Rule::Code, "firm_id"),
        ("200805,E,\"3,1E+09\",n,11019,502,8,10,1", Rule::Code, "firm_id"),
        ("200805,E,3E+09,n,11019,502,8,10,1", Rule::Code, "firm_id"),
        ("200805,E,F1,n,1.1019e+04,502,8,10,1", Rule::Code, "region"),
        ("200805,E,F1,n,11019,5.02E+02,8,10,1", Rule::Code, "country"),
        ("200805,E,F1,n,11019,502,8.4713E+07,10,1", Rule::Code, "hs8"),
        ("200805,E,F1,n,99999,502,8,10,1", Rule::Region, "region"),
        ("200805,E,F1,n,11019,999,8,10,1", Rule::Country, "country"),
        ("200805,E,F1,n,11019,,8,10,1", Rule::Country, "country"),
        ("200805,E,F1,n,11019,502,8,10,\"1,234.50\"", Rule::Number, "value_usd"),
        ("200805,E,F1,n,11019,502,8,10,NaN", Rule::Number, "value_usd"),
        ("200805,E,F1,n,11019,502,8,10,", Rule::Number, "value_usd"),
        ("200805,E,F1,n,11019,502,8,10,99999999999999999999", Rule::Range, "value_usd"),
    ];
    for (line, rule, column) in cases {
        assert_eq!(fault(line), (rule, column.to_owned()), "{line}");
    }
}

#[test]
fn of_several_broken_rules_the_first_is_told() {
    assert_eq!(fault("200806,X,,n,99999,,8,10,x").0, Rule::FuturePeriod);
    assert_eq!(fault("200805,X,,n,99999,,8,10,x").0, Rule::Flow);
    assert_eq!(fault("200805,E,F1,n,11019,,8,10,x").0, Rule::Country);
    assert_eq!(fault("200805,E,,n,99999,,8.4E+07,10,x").0, Rule::Firm);
    assert_eq!(fault("200805,E,F1,n,99999,,8.4E+07,10,x").0, Rule::Code);
}

#[test]
fn a_code_that_only_looks_like_a_number_stays_what_it_is() {
    let firms = ["1E3", "31E+9", "3.1E-09", "E+09", ".1E+09", "3.E+09", "3.1.2E+09", "A3.1E+09"];
    let more = ["3.1E+009", "3.1E+0x", "3.1+09"];
    for firm in firms.into_iter().chain(more) {
        let intake = intake(&format!("{HEADER}200805,E,{firm},n,11019,502,8,10,1\n"));
        assert_eq!(intake.counts.accepted, 1, "{firm}");
        assert_eq!(intake.texts.firms.text(intake.records[0].firm), firm);
    }
}

#[test]
fn a_home_of_before_codes_were_checked_takes_what_it_took() {
    let recorded = Profile { countries: None, ..canonical() };
    let text = format!("{HEADER}200805,E,3.1E+09,n,11019,502,8,10,1\n");
    let intake = read_as("200805.csv", text.as_bytes(), &recorded, &lenient()).expect("taken");
    assert_eq!(intake.counts.accepted, 1);
}

#[test]
fn bytes_that_are_no_text_reject_their_line_and_are_shown_as_such() {
    let bad = b"200805,E,F1,\xD6\xD0,11019,502,8,10,1\n";
    // Two halves of a character in two fields are invalid, although adjacent they would be valid.
    let split = b"200805,E,\xC3,\xA9,11019,502,8,10,1\n";
    let bytes = [HEADER.as_bytes(), bad, split, GOOD.as_bytes()].concat();
    let intake = read_as("200805.csv", &bytes, &canonical(), &lenient()).expect("it is taken");
    assert_eq!(intake.rejects[0].rule, Rule::Encoding);
    assert_eq!(intake.rejects[0].column, "firm_name");
    assert!(intake.rejects[0].raw.contains('\u{FFFD}'));
    assert_eq!(intake.rejects[1].column, "firm_id");
    assert_eq!(intake.counts.accepted, 1);
}

#[test]
fn exclusions_are_counted_by_the_first_that_applies() {
    let mut profile = canonical();
    profile.city = crate::feed::profile::CityRule::Concordance;
    let lines = "200805,E,F1,甲贸易公司,13909,110,8,10,1\n\
                 200805,E,F2,乙进出口公司,13909,502,8,10,1\n\
                 200805,I,F3,丙公司,13909,502,8,10,1\n\
                 200805,E,F3,丙公司,11019,502,8,10,-1.5\n";
    let text = format!("{HEADER}{lines}");
    let intake = read_as("200805.csv", text.as_bytes(), &profile, &lenient()).expect("it is taken");
    assert_eq!((intake.counts.excluded, intake.counts.accepted), ([1, 1, 1, 0, 0], 1));
    let exclusions: Vec<_> = intake.records.iter().map(|record| record.exclusion).collect();
    let [country, intermediary, region] = Exclusion::OF_RECORDS.map(Some);
    assert_eq!(exclusions, [country, intermediary, region, None]);
    assert_eq!(intake.records[3].value_cents, -150);
}

#[test]
fn columns_are_found_by_name_in_any_order_among_others_after_a_byte_order_mark() {
    let text = "\u{FEFF}\"value_usd\",x,trade_mode,hs8,country,region,firm_name,firm_id,flow,\
                period\r\n7,,10,8,502,\"11019\",n,F1,I,200805\r\n\r\n";
    let intake = intake(text);
    assert_eq!((intake.counts.lines, intake.counts.accepted), (1, 1));
    assert_eq!((intake.records[0].value_cents, intake.records[0].flow), (700, Flow::Import));
}

#[test]
fn late_records_are_taken_from_the_feeds_first_month_on() {
    let limits = ReadLimits { first_period: Period::from_yyyymm(200_801), ..lenient() };
    let line = |period| format!("{period},E,F1,n,11019,502,8,10,1\n");
    let text = HEADER.to_owned() + &line(200_712) + &line(200_801) + &line(200_805);
    let intake =
        read_as("200805.csv", text.as_bytes(), &canonical(), &limits).expect("it is taken");
    assert_eq!(intake.counts.accepted, 2);
    assert_eq!((intake.rejects[0].line, intake.rejects[0].rule), (2, Rule::EarlyPeriod));
}

#[test]
fn an_empty_file_is_refused_and_a_header_alone_is_a_month_without_trade() {
    assert!(refusal("").contains("is empty; its first line must be the header"));
    assert!(refusal("\n\r\n").contains("is empty"));
    assert_eq!(intake(HEADER).counts, Counts::default());
}

#[test]
fn missing_columns_are_all_named() {
    let message = refusal("period,flow,firm,firm_name,region,country,hs6,trade_mode,value_usd\n");
    assert!(
        message.contains("line 1: no column \"firm_id\", \"hs8\"; the header has"),
        "{message}"
    );
    let header = HEADER.replace(',', ";");
    assert!(refusal(&header).contains("split at ';': set the profile's delimiter"));
    let quoted = HEADER.trim_end().replace(',', "\"\t\"");
    match read_text(&format!("\"{quoted}\"\n")) {
        Err(Refused::MissingColumns { advice, .. }) => assert_eq!(advice, Advice::Delimiter('\t')),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_column_that_is_there_twice_is_refused_if_it_is_needed() {
    assert!(
        refusal(&HEADER.replace("hs8", "flow,hs8")).contains("\"flow\" is there more than once")
    );
    let twice_unneeded = HEADER.replace("hs8", "x,x,hs8");
    assert_eq!(intake(&twice_unneeded).counts.lines, 0);
}

#[test]
fn a_header_that_cannot_be_framed_is_refused() {
    assert!(refusal(&format!("\"{HEADER}{GOOD}")).contains("the header breaks the rule \"quote\""));
}

#[test]
fn a_file_with_too_many_rejected_lines_is_refused_with_the_first_of_them() {
    let bad = "200805,E,F1,n,99999,502,8,10,1\n";
    let limits = ReadLimits::default();
    let read = |n_good: usize| {
        let text = HEADER.to_owned() + &GOOD.repeat(n_good) + bad;
        read_as("200805.csv", text.as_bytes(), &canonical(), &limits)
    };
    assert_eq!(read(19).expect("5 % may be rejected").counts.rejected_total(), 1);
    let message = read(18).expect_err("more may not").to_string();
    let expected = "1 of 19 lines are rejected (5.3 %, allowed are 5.0 %); mend them, or \
                    raise max_rejected_share in spillover.toml in the home or the file that \
                    --config names; first: line 20, column region (region): \"99999\", \
                    expected 4 digits of a city of cities.csv ([city] digits)";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn a_raw_line_is_cut_between_characters() {
    let line = format!("{}x,E", "长".repeat(1000));
    let intake = intake(&format!("{HEADER}{line}\n"));
    assert_eq!(intake.rejects[0].raw, "长".repeat(341));
    let blob = [HEADER.as_bytes(), &[0xFF; 4000]].concat();
    let intake = read_as("200805.csv", &blob, &canonical(), &lenient()).expect("it is taken");
    assert!(intake.rejects[0].raw.len() <= Reject::RAW_BYTES_MAX);
}

#[test]
fn a_feed_of_brazil_is_read_as_it_is() {
    let profile = Profile::bundled("comexstat-municipality").expect("a shipped profile");
    let text = "\"DATA\";\"NO_MUN\";\"NO_PAIS\";\"NO_SH4_POR\";\"CATEGORIA\";\"VL_FOB\"\r\n\
                \"2008-05-01\";\"MACEIO\";\"Itália\";\"Açúcares; sólidos\";\"EXPORTACAO\";\
                \"3077\"\r\n\
                \"2008-05-01\";\"MACEIO\";\"Hong Kong\";\"Álcool\";\"IMPORTACAO\";\"0\"\r\n";
    let latin1: Vec<u8> =
        text.chars().map(|letter| u8::try_from(letter).expect("Latin-1")).collect();
    let any_country = ReferenceTexts {
        cities: "city,province,area_km2\nMACEIO,AL,509.3\n".to_owned(),
        regions: None,
        countries: None,
        firms: None,
    };
    let dir = tempfile::tempdir().expect("a folder for the test");
    let path = dir.path().join("200805.csv");
    std::fs::write(&path, latin1).expect("a file in it");
    let period = Period::from_yyyymm(200_805).expect("a valid period");
    let file = FeedFile::new(period, path);
    let places = Places::parse(&any_country).expect("valid tables");
    let intake = read(&file, &profile, &places, &ReadLimits::default()).expect("it is taken");
    assert_eq!((intake.counts.accepted, intake.counts.excluded), (1, [1, 0, 0, 0, 0]));
    assert_eq!(intake.texts.firms.text(intake.records[0].firm), "Açúcares; sólidos");
    assert_eq!(intake.texts.countries.text(intake.records[0].country), "Itália");
    assert_eq!(intake.records[0].value_cents, 307_700);
    let mut by_concordance = profile;
    by_concordance.city = crate::feed::profile::CityRule::Concordance;
    let refused = read(&file, &by_concordance, &places, &ReadLimits::default());
    assert!(matches!(refused, Err(Refused::NoConcordance { .. })));
}

#[test]
fn a_missing_file_is_refused_with_its_path() {
    let period = Period::from_yyyymm(200_805).expect("a valid period");
    let file = FeedFile::new(period, "no/200805.csv".into());
    let error = read(&file, &canonical(), &places(), &lenient()).expect_err("no file");
    assert_eq!(error.to_string(), "cannot open no/200805.csv");
}

#[test]
fn nothing_of_a_rejected_line_stays() {
    let intake = intake(&format!("{HEADER}200805,E,F9,z,11019,601,9,99,x\n{GOOD}"));
    assert_eq!(intake.texts.firms.iter().collect::<Vec<_>>(), ["F1"]);
    assert_eq!(intake.texts.countries.iter().collect::<Vec<_>>(), ["502"]);
}

/// Valid lines, some of them damaged.
fn any_lines() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        3 => Just(GOOD.as_bytes().to_vec()),
        1 => Just(GOOD.replace("F1", "\"F\n1\"").into_bytes()),
        1 => Just(b"\r\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        2 => (0..GOOD.len(), any::<u8>()).prop_map(|(at, byte)| {
            let mut line = GOOD.as_bytes().to_vec();
            line[at] = byte;
            line
        }),
    ];
    prop::collection::vec(line, 0..30).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn every_line_ends_in_exactly_one_way(lines in any_lines()) {
        let bytes = [HEADER.as_bytes(), &lines].concat();
        let intake = read_as("200805.csv", &bytes, &canonical(), &lenient()).expect("it is taken");
        let counts = &intake.counts;
        prop_assert_eq!(intake.records.len() as u64, counts.accepted + counts.excluded_total());
        prop_assert_eq!(intake.rejects.len() as u64, counts.rejected_total());
        let records = intake.records.iter().map(|record| record.line);
        let rejects = intake.rejects.iter().map(|reject| reject.line);
        let mut numbers: Vec<_> = records.chain(rejects).collect();
        numbers.sort_unstable();
        numbers.dedup();
        prop_assert_eq!(numbers.len() as u64, counts.lines);
        prop_assert_eq!(intake.hash, blake3::hash(&bytes).to_string());
    }
}

#[test]
fn what_is_read_does_not_depend_on_the_number_of_threads() {
    let mut text = HEADER.to_owned();
    for at in 0..30_000 {
        let (firm, region) = (at * 7 % 4_001, if at % 97 == 0 { "9" } else { "11019" });
        let of_one = format!("某某有限公司 {firm}");
        let name = if at % 1_000 == 3 { "\"a\nb, \"\"c\"\"\"" } else { &of_one };
        let cents = at % 90;
        writeln!(text, "200805,E,F{firm},{name},{region},502,{at},10,1.{cents:02}")
            .expect("a text takes what is written");
    }
    let dir = tempfile::tempdir().expect("a folder for the test");
    let path = dir.path().join("200805.csv");
    std::fs::write(&path, text).expect("a file in it");
    let period = Period::from_yyyymm(200_805).expect("a valid period");
    let file = FeedFile::new(period, path);
    let on = |n_threads| {
        let room = &mut Room::new(n_threads);
        read_in(room, &file, &canonical(), &places(), &lenient()).expect("it is taken")
    };
    let one = on(1);
    assert!(one.counts.accepted > 29_000 && one.counts.rejected_total() > 300);
    for n_threads in [2, 3, 5] {
        assert!(on(n_threads) == one, "{n_threads} threads read something else");
    }
}

#[test]
fn a_text_that_is_also_a_code_keeps_its_own_code() {
    let mut profile = canonical();
    let map = [("A", "B"), ("B", "C")].map(|(text, code)| (text.to_owned(), code.to_owned()));
    profile.codes.firm_id.map = Some(CodeMap::Inline(map.into()));
    let line = |firm, hs8| format!("200805,E,{firm},n,11019,502,{hs8},10,1\n");
    // The code of ''2 is '2, and the code of '2 is 2.
    let lines = [("A", "''2"), ("B", "'2"), ("A", "2"), ("B", "''2"), ("C", "'2")];
    let lines = lines.map(|(firm, hs8)| line(firm, hs8)).concat();
    let intake = read_as("200805.csv", format!("{HEADER}{lines}").as_bytes(), &profile, &lenient());
    let Intake { texts, records, .. } = intake.expect("the file is taken");
    let codes = records.iter().map(|record| {
        format!("{} {}", texts.firms.text(record.firm), texts.products.text(record.product))
    });
    assert_eq!(codes.collect::<Vec<_>>(), ["B '2", "C 02", "B 02", "C '2", "C 02"]);
}

/// Lines that share their first fields with the previous one, with rejected lines among them.
fn neighbours() -> impl Strategy<Value = Vec<String>> {
    let one_of = |texts: &'static [&'static str]| prop::sample::select(texts);
    let line = (
        (one_of(&["200805", "200805", "200805", "200806"]), one_of(&["E", "E", "I", "X"])),
        (one_of(&["F1", "F1", "F2", ""]), one_of(&["n", "n", "\"n\"", "m,m"])),
        (one_of(&["11019", "11019", "31229", "13909", "9"]), one_of(&["502", "502", "110", "9"])),
        (one_of(&["84713000", "84713001"]), one_of(&["10", "14"]), one_of(&["1", "2.5", "x"])),
    );
    let line =
        line.prop_map(|((period, flow), (firm, name), (region, country), (hs8, mode, usd))| {
            [period, flow, firm, name, region, country, hs8, mode, usd].join(",")
        });
    prop::collection::vec(line, 1..30)
}

/// The ends of a file's lines, in order of line, with texts instead of positions.
fn ends(intake: &Intake) -> Vec<String> {
    let Intake { texts, .. } = intake;
    let mut lines: Vec<(u32, String)> = Vec::new();
    lines.extend(
        intake.rejects.iter().map(|reject| {
            (reject.line, format!("{} {} {}", reject.rule, reject.column, reject.raw))
        }),
    );
    lines.extend(intake.records.iter().map(|record| (record.line, record.spelled(texts))));
    lines.sort();
    lines.into_iter().map(|(_, text)| text).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_line_is_read_the_same_whatever_stands_before_it(lines in neighbours()) {
        let together = ends(&intake(&format!("{HEADER}{}\n", lines.join("\n"))));
        let alone: Vec<String> = lines
            .iter()
            .flat_map(|line| ends(&intake(&format!("{HEADER}{line}\n"))))
            .collect();
        prop_assert_eq!(together, alone);
    }
}
