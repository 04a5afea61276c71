//! Packed files, complete or cut short, and those that unpack to too much.

use std::io::{Read, Write};

use super::*;
use crate::feed::pattern::MemberPattern;

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}

fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}

/// The output of `xz` (Debian's xz-utils) for `{HEADER}{GOOD}{GOOD}` of the tests.
const XZ: &[u8] = include_bytes!("two_lines.csv.xz");

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).expect("memory does not fail");
        writer.write_all(bytes).expect("memory does not fail");
    }
    writer.finish().expect("memory does not fail").into_inner()
}

#[test]
fn a_packed_file_gives_the_same_as_an_unpacked_one_whatever_it_is_called() {
    let text = format!("{HEADER}{GOOD}{GOOD}");
    let plain = intake(&text);
    let (first, second) = text.as_bytes().split_at(100);
    let zst = zstd::encode_all(text.as_bytes(), 3).expect("memory does not fail");
    let packed =
        [[gz(first), gz(second)].concat(), zst, zipped(&[("dir/200805.csv", text.as_bytes())])];
    let more = [[bz2(first), bz2(second)].concat(), XZ.to_vec()];
    for bytes in packed.into_iter().chain(more) {
        let packed = read_as("200805.csv", &bytes, &canonical(), &lenient()).expect("it is taken");
        assert_eq!(packed, plain);
    }
}

/// A zip archive whose members have these names.
fn read_member(pattern: Option<&str>, members: &[(&str, &[u8])]) -> Result<Intake, Refused> {
    let mut profile = canonical();
    let read = |text: &str| MemberPattern::try_from(text.to_owned()).expect("a pattern");
    profile.file.member = pattern.map(read);
    read_as("200805.zip", &zipped(members), &profile, &lenient())
}

#[test]
fn a_zip_archive_gives_the_one_table_that_is_meant_and_names_what_else_may_be() {
    let text = format!("{HEADER}{GOOD}");
    let table: (&str, &[u8]) = ("200805.csv", text.as_bytes());
    let aside = [
        ("__MACOSX/._200805.csv", &b"\0\x05\x16\x07"[..]),
        ("dir/.DS_Store", b"\0"),
        ("README.txt", b"of this month"),
        ("dir/leiame.pdf", b"%PDF-1.4"),
        ("Thumbs.db", b"\xD0\xCF\x11\xE0"),
    ];
    for name in aside {
        let intake = read_member(None, &[name, table]).expect("the table alone is meant");
        assert_eq!(intake.counts.accepted, 1, "{}", name.0);
    }
    let codes: (&str, &[u8]) = ("dir/Codes.csv", b"code,name\n");
    let message = read_member(None, &[table, codes]).expect_err("two tables").to_string();
    assert!(message.contains("2 files that may be the feed's (\"200805.csv\", \"dir/Codes.csv\")"));
    assert!(message.contains("[file] member ="), "{message}");
    let named = read_member(Some("20*.CSV"), &[table, codes]).expect("it is named");
    assert_eq!(named.counts.accepted, 1);
    let message = read_member(Some("EXP*.csv"), &[table]).expect_err("none is called so");
    assert!(message.to_string().contains("called like \"EXP*.csv\"; it has \"200805.csv\""));
    let refused = read_member(None, &[aside[2]]);
    assert!(matches!(refused, Err(Refused::NoTable { .. })), "{refused:?}");
}

#[test]
fn a_packed_file_that_is_cut_short_is_refused() {
    let text = HEADER.to_owned() + &GOOD.repeat(1000);
    let zst = zstd::encode_all(text.as_bytes(), 3).expect("memory does not fail");
    let zip = zipped(&[("200805.csv", text.as_bytes())]);
    for bytes in [gz(text.as_bytes()), zst, zip, bz2(text.as_bytes()), XZ.to_vec()] {
        let cut = &bytes[..bytes.len() - 9];
        let refused = read_as("200805.csv", cut, &canonical(), &lenient());
        let refused = refused.expect_err("half a file is none");
        assert!(matches!(refused, Refused::Read { .. } | Refused::Zip { .. }), "{refused}");
    }
}

#[test]
fn a_file_that_unpacks_to_too_much_is_refused() {
    let bomb = zstd::encode_all(io::repeat(b'0').take(80 << 20), 1).expect("memory does not fail");
    let in_zip = {
        let mut text = HEADER.as_bytes().to_vec();
        text.resize(80 << 20, b'\n');
        zipped(&[("200805.csv", &text)])
    };
    let of_lines = zstd::encode_all(HEADER.as_bytes().chain(io::repeat(b'\n').take(80 << 20)), 1)
        .expect("memory does not fail");
    for bytes in [of_lines, in_zip] {
        let refused = read_as("200805.csv", &bytes, &canonical(), &lenient());
        assert!(matches!(refused, Err(Refused::Bomb { .. })), "{refused:?}");
    }
    // The first line is not a header; this shows before the whole file is unpacked.
    assert!(read_as("200805.csv", &bomb, &canonical(), &lenient()).is_err());
    let limits = ReadLimits { max_bytes: 100, ..lenient() };
    let text = HEADER.to_owned() + GOOD;
    let refused = read_as("200805.csv", text.as_bytes(), &canonical(), &limits);
    assert!(matches!(refused, Err(Refused::TooLarge { max_bytes: 100, .. })), "{refused:?}");
}
