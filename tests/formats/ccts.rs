//! Customs records in researchers' formats: Access databases until 2006, Stata datasets from 2007,
//! each with the columns of its year.

use dta::stata::dta::byte_order::ByteOrder;
use dta::stata::dta::release::Release;
use dta::stata::dta::value::Value;
use dta::stata::dta::variable_type::VariableType;
use dta::stata::stata_byte::StataByte;
use dta::stata::stata_double::StataDouble;
use dta::stata::stata_int::StataInt;
use dta::stata::stata_long::StataLong;
use encoding_rs::GB18030;
use spillover::domain::record::{Exclusion, Intake};
use spillover::feed::places::Places;
use spillover::feed::profile::Profile;
use spillover::feed::read::{ReadLimits, read};
use spillover::feed::reference::{ReferenceTexts, TablesBeside};
use spillover::feed::source::discover;

use super::fixtures::unpacked;
use super::spelled;
use super::stata::written;

/// Reads a file of this name by a shipped profile.
fn read_as(name: &str, profile: &str, bytes: &[u8]) -> Intake {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), bytes).expect("a file");
    let profile = Profile::bundled(profile).expect("a shipped profile");
    let places = Places::parse(&ReferenceTexts::of(TablesBeside::default(), &profile));
    let found = discover(&[folder.path().to_owned()], &profile).expect("a feed");
    let limits = ReadLimits { max_rejected_share: 1.0, ..ReadLimits::default() };
    read(&found.files[0], &profile, &places.expect("tables"), &limits).expect("it is read")
}

/// Expects two exports and an import; a line without a firm, one without a value, one of China
/// itself.
fn assert_records(name: &str, intake: &Intake, month: &str) {
    let found: Vec<String> = spelled(intake);
    let city = |code: &str| {
        let profile = Profile::bundled("ccts").expect("a shipped profile");
        let texts = ReferenceTexts::of(TablesBeside::default(), &profile);
        Places::parse(&texts).expect("tables").city(code)
    };
    let (beijing, shanghai) = (city("1100"), city("3100"));
    let expected = [
        format!(
            "2 [\"3101234567\", \"某某有限公司\", \"11019\", \"502\", \"01012100\", \"10\"] \
             {beijing:?} {month} Export 100050"
        ),
        format!(
            "3 [\"4403123456\", \"ACME\", \"31229\", \"116\", \"84713000\", \"14\"] {shanghai:?} \
             {month} Export 700"
        ),
        format!(
            "4 [\"4403123456\", \"ACME\", \"31229\", \"116\", \"84713000\", \"10\"] {shanghai:?} \
             {month} Import 2000"
        ),
    ];
    assert_eq!(found[..3], expected, "{name}");
    let excluded = |exclusion: Exclusion| intake.counts.excluded[exclusion as usize];
    let of_rules = [Exclusion::Filter, Exclusion::Missing, Exclusion::Country].map(excluded);
    assert_eq!((intake.counts.accepted, of_rules), (3, [1, 1, 1]), "{name}");
    assert_eq!(intake.rejects, [], "{name}");
}

#[test]
fn every_layout_of_the_databases_gives_the_same_records() {
    for (name, month) in [
        ("2000-01.mdb", "200001"),
        ("2002-01.mdb", "200201"),
        ("data200301.mdb", "200301"),
        ("data200501.mdb", "200501"),
        ("data200512.mdb", "200512"),
        ("200601cn.mdb", "200601"),
    ] {
        let bytes = unpacked(&format!("{name}.gz"));
        assert_records(name, &read_as(name, "ccts-access", &bytes), month);
    }
}

/// A chunk of a year. Firms are doubles; countries and products are numbers.
fn chunk() -> Vec<u8> {
    let text = VariableType::FixedString;
    let columns = [
        ("_进口或出口", VariableType::Byte),
        ("_企业编码", VariableType::Double),
        ("_经营单位", text(40)),
        ("_消费地或生产地", VariableType::Long),
        ("_起运国或目的国", VariableType::Int),
        ("_税号编码", VariableType::Long),
        ("_金额", VariableType::Double),
        ("_贸易方式", VariableType::Byte),
    ];
    let double = |value: Option<f64>| {
        Value::Double(value.map_or(
            StataDouble::Missing(dta::stata::missing_value::MissingValue::System),
            StataDouble::Present,
        ))
    };
    let long = |value| Value::Long(StataLong::Present(value));
    let byte = |value| Value::Byte(StataByte::Present(value));
    let lines = [
        (0, Some(3_101_234_567.0), "某某有限公司", 11019, 502, 1_012_100, Some(1000.5), 10),
        (0, Some(4_403_123_456.0), "ACME", 31229, 116, 84_713_000, Some(7.0), 14),
        (1, Some(4_403_123_456.0), "ACME", 31229, 116, 84_713_000, Some(20.0), 10),
        (0, None, "某厂", 31229, 116, 84_713_000, Some(5.0), 10),
        (0, Some(4_403_123_456.0), "ACME", 31229, 116, 84_713_000, None, 10),
        (1, Some(4_403_123_456.0), "ACME", 31229, 142, 84_713_000, Some(9.0), 10),
    ];
    let rows: Vec<Vec<Value<'_>>> = lines
        .into_iter()
        .map(|(flow, firm, name, place, country, product, value, mode)| {
            let country = Value::Int(StataInt::Present(country));
            vec![
                byte(flow),
                double(firm),
                Value::string(name),
                long(place),
                country,
                long(product),
                double(value),
                byte(mode),
            ]
        })
        .collect();
    written((Release::V114, ByteOrder::LittleEndian), GB18030, &columns, &rows)
}

#[test]
fn a_chunk_of_a_year_gives_records_of_its_december() {
    for name in ["2007_03.dta", "chunk3_2007.dta", "2007.dta", "ccts2007-3.dta"] {
        assert_records(name, &read_as(name, "ccts-stata", &chunk()), "200712");
    }
}
