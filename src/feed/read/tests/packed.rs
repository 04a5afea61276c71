//! Files that are packed, whole or cut short, and those that unpack to too much.

use std::io::{Read, Write};

use super::*;

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory does not fail");
    encoder.finish().expect("memory does not fail")
}

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
    for bytes in packed {
        let packed = read_as("200805.csv", &bytes, &canonical(), &lenient()).expect("it is taken");
        assert_eq!(packed, plain);
    }
}

#[test]
fn a_zip_archive_of_no_file_or_two_is_refused() {
    for members in [&[][..], &[("a.csv", &b"x"[..]), ("b.csv", &b"y"[..])]] {
        let refused = read_as("200805.zip", &zipped(members), &canonical(), &lenient());
        assert!(matches!(refused, Err(Refused::ZipMembers { .. })), "{refused:?}");
    }
}

#[test]
fn a_packed_file_that_is_cut_short_is_refused() {
    let text = HEADER.to_owned() + &GOOD.repeat(1000);
    let zst = zstd::encode_all(text.as_bytes(), 3).expect("memory does not fail");
    let zip = zipped(&[("200805.csv", text.as_bytes())]);
    for bytes in [gz(text.as_bytes()), zst, zip] {
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
    // Its first line is no header, which is found out before it is unpacked.
    assert!(read_as("200805.csv", &bomb, &canonical(), &lenient()).is_err());
    let limits = ReadLimits { max_bytes: 100, ..lenient() };
    let text = HEADER.to_owned() + GOOD;
    let refused = read_as("200805.csv", text.as_bytes(), &canonical(), &limits);
    assert!(matches!(refused, Err(Refused::TooLarge { max_bytes: 100, .. })), "{refused:?}");
}
