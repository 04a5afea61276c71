//! One table in every format gives the same records, line by line, as a CSV file.
//!
//! `data` has files in formats that no crate here writes, and the script `make.py` that made them.

mod ccts;
mod columnar;
#[path = "../common/mod.rs"]
mod common;
mod fixtures;
mod mutations;
mod stata;
mod workbooks;

use std::io::Write as _;
use std::path::Path;

use spillover::domain::record::{Intake, Rule};
use spillover::domain::types::Period;
use spillover::feed::places::Places;
use spillover::feed::profile::Profile;
use spillover::feed::read::{ReadLimits, read};
use spillover::feed::reference::ReferenceTexts;
use spillover::feed::refused::Refused;
use spillover::feed::source::FeedFile;

/// The table as text.
const CSV: &str = "period,flow,firm_id,firm_name,region,country,hs8,trade_mode,value_usd\n\
    2008-05-01,E,0101234567,某某有限公司,11019,502,84713000,10,1234.5\n\
    2008-05-01,I,F2,ACME,31229,601,01012100,,7\n\
    2008-05-01,E,4101234567,\"甲, \"\"乙\"\" 公司\",11019,502,84713000,10,-2.25\n";

/// The profile of the table, with more keys of `[file]`.
fn profile(keys: &str) -> Profile {
    let text = format!(
        "name = \"test\"\ncountries = \"any\"\n\
         [file]\npattern = \"{{YYYY}}{{MM}}*\"\n{keys}\n\
         [columns]\nperiod = \"period\"\nflow = \"flow\"\nfirm_id = \"firm_id\"\n\
         firm_name = \"firm_name\"\nregion = \"region\"\ncountry = \"country\"\nhs8 = \"hs8\"\n\
         trade_mode = \"trade_mode\"\nvalue_usd = \"value_usd\"\n\
         [period]\nformat = \"YYYY-MM-DD\"\n[flow]\nexport = [\"E\"]\nimport = [\"I\"]\n\
         [city]\nfrom = \"prefix\"\ndigits = 4\n[value]\nunit = 1\n"
    );
    Profile::from_toml(&text, "the test").expect("a profile")
}

fn places() -> Places {
    let cities = "city,province,area_km2\n1101,11,16411\n3122,31,6340.5\n".to_owned();
    Places::parse(&ReferenceTexts { cities, regions: None, countries: None, firms: None })
        .expect("tables")
}

/// Reads a file whose name does not show its format.
fn read_file(bytes: &[u8], profile: &Profile) -> Result<Intake, Refused> {
    let limits = ReadLimits { max_rejected_share: 1.0, ..ReadLimits::default() };
    read_within(bytes, profile, &limits)
}

fn read_within(bytes: &[u8], profile: &Profile, limits: &ReadLimits) -> Result<Intake, Refused> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("200805.csv");
    std::fs::write(&path, bytes).expect("a file");
    let period = Period::new(2008, 5).expect("a month");
    read(&FeedFile::new(period, path), profile, &places(), limits)
}

/// Records with texts instead of positions.
fn spelled(intake: &Intake) -> Vec<String> {
    let texts = &intake.texts;
    let spelled = |record: &spillover::domain::record::Record| {
        let words = [
            texts.firms.text(record.firm),
            texts.names.text(record.name),
            texts.regions.text(record.region),
            texts.countries.text(record.country),
            texts.products.text(record.product),
            texts.trade_modes.text(record.trade_mode),
        ];
        let (period, flow, cents) = (record.period, record.flow, record.value_cents);
        format!("{} {words:?} {:?} {period} {flow:?} {cents}", record.line, record.city)
    };
    intake.records.iter().map(spelled).collect()
}

/// Checks that a file gives the same records as the CSV.
fn assert_same(name: &str, bytes: &[u8], keys: &str) {
    let expected = read_file(CSV.as_bytes(), &profile("")).expect("text is read");
    assert_eq!(expected.counts.accepted, 3);
    for (packing, bytes) in [("as it is", bytes.to_vec()), ("as gz", gz(bytes))] {
        let found = read_file(&bytes, &profile(keys));
        let found = found.unwrap_or_else(|refused| panic!("{name} {packing}: {refused}"));
        assert_eq!(spelled(&found), spelled(&expected), "{name} {packing}");
        assert_eq!(found.rejects, expected.rejects, "{name} {packing}");
    }
}

/// The message about a refused file.
fn refusal(bytes: &[u8], keys: &str) -> String {
    read_file(bytes, &profile(keys)).expect_err("it is refused").to_string()
}

/// Line, column and rule of the rejected lines.
fn rejected(bytes: &[u8], keys: &str) -> Vec<(u32, String, Rule)> {
    let intake = read_file(bytes, &profile(keys)).expect("it is read");
    intake.rejects.into_iter().map(|reject| (reject.line, reject.column, reject.rule)).collect()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}

/// A file of `data`.
fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/data").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
