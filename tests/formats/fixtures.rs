//! Files written by other programs.

use spillover::domain::record::Rule;
use spillover::feed::read::ReadLimits;

use super::{assert_same, data, gz, profile, read_within, refusal, rejected};

pub const FILES: [(&str, &str); 7] = [
    ("table.xlsx", ""),
    ("table.xls", ""),
    ("table.ods", ""),
    ("table.dta", ""),
    ("table.dbf", "encoding = \"gbk\""),
    ("table.mdb.gz", ""),
    ("table.accdb.gz", ""),
];

/// The bytes of a file, unpacked.
pub fn unpacked(name: &str) -> Vec<u8> {
    let mut bytes = data(name);
    if bytes.starts_with(&[0x1F, 0x8B]) {
        let packed = bytes.split_off(0);
        let mut decoder = flate2::read::GzDecoder::new(&packed[..]);
        std::io::Read::read_to_end(&mut decoder, &mut bytes).expect("it is packed by gzip");
    }
    bytes
}

#[test]
fn a_file_of_each_format_gives_the_records_of_the_text() {
    for (name, keys) in FILES {
        assert_same(name, &unpacked(name), keys);
    }
}

#[test]
fn a_format_that_the_profile_does_not_name_is_refused() {
    let message = refusal(&unpacked("table.dta"), "format = \"excel\"");
    assert!(
        message.contains("is a Stata dataset, and the profile's [file] has format = \"excel\"")
    );
    assert_same("table.dta", &unpacked("table.dta"), "format = \"stata\"");
    let message = refusal(super::CSV.as_bytes(), "format = \"access\"");
    assert!(message.contains("is text, and the profile's"), "{message}");
}

#[test]
fn a_sheet_or_a_table_that_is_not_there_is_named_with_those_that_are() {
    let message = refusal(&unpacked("table.xlsx"), "sheet = \"May\"");
    assert!(message.contains("it has no sheet \"May\", but \"五月\", \"Sheet2\""), "{message}");
    assert_same("table.xls", &unpacked("table.xls"), "sheet = \"五*\"");
    let message = refusal(&unpacked("table.mdb.gz"), "table = \"data{YYYY}{MM}\"");
    assert!(message.contains("it has no table \"data{YYYY}{MM}\", but \"200805\""), "{message}");
    assert_same("table.mdb.gz", &unpacked("table.mdb.gz"), "table = \"{YYYY}{MM}\"");
}

#[test]
fn a_row_of_access_that_cannot_be_read_is_a_reject_and_rows_that_are_lost_refuse_the_file() {
    let bad = rejected(&unpacked("broken.mdb.gz"), "");
    let expected = [(3, "firm_name".to_owned(), Rule::Encoding), (4, String::new(), Rule::Columns)];
    assert_eq!(bad, expected);
    let message = refusal(&unpacked("short.mdb.gz"), "");
    assert!(message.contains("has 3 rows that can be found, and says that it has 4"), "{message}");
}

#[test]
fn a_table_of_dbase_without_its_encoding_gives_rejects_and_one_cut_short_is_refused() {
    let bytes = unpacked("table.dbf");
    let bad = rejected(&bytes, "");
    assert_eq!(bad[0], (2, "firm_name".to_owned(), Rule::Encoding));
    let message = refusal(&bytes[..bytes.len() - 100], "encoding = \"gbk\"");
    assert!(message.contains("it states 4 records and has "), "{message}");
    let message = refusal(&bytes, "encoding = \"detect\"");
    assert!(message.contains("it does not say how its texts are encoded"), "{message}");
}

#[test]
fn a_file_that_is_cut_short_or_damaged_is_refused_and_never_read_in_part() {
    for (name, keys) in FILES {
        let bytes = unpacked(name);
        for n in [bytes.len() / 3, bytes.len() / 2, bytes.len() * 9 / 10] {
            let refused = super::read_file(&bytes[..n], &profile(keys));
            // An Access database has free pages at its end.
            let is_whole = refused.as_ref().is_ok_and(|intake| intake.counts.lines >= 3);
            assert!(refused.is_err() || is_whole, "{name} of {n} bytes: {refused:?}");
        }
    }
}

#[test]
fn the_limit_of_a_file_holds_for_what_its_table_unpacks_to() {
    for (name, keys) in FILES {
        let limits =
            ReadLimits { max_bytes: 200, max_rejected_share: 1.0, ..ReadLimits::default() };
        let bytes = gz(&unpacked(name));
        let refused = read_within(&bytes, &profile(keys), &limits).expect_err("too large");
        assert!(refused.to_string().contains("is more than 200 bytes unpacked"), "{refused}");
    }
}

/// Sectors of 512 bytes follow the header. The header contains the first sectors of the table and
/// of the directory.
#[test]
fn a_workbook_whose_sectors_lead_back_to_themselves_is_refused() {
    let mut bytes = unpacked("table.xls");
    let number = |bytes: &[u8], at: usize| {
        usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four"))).expect("n")
    };
    let (directory, table) = (number(&bytes, 48), number(&bytes, 76));
    let entry = 512 * (table + 1) + 4 * directory;
    let itself = u32::try_from(directory).expect("a sector").to_le_bytes();
    bytes[entry..entry + 4].copy_from_slice(&itself);
    let message = refusal(&bytes, "");
    assert!(message.contains("cut short or damaged"), "{message}");
}
