//! Files in every encoding, and files in another encoding than the profile's.

use super::*;

fn ccts_text() -> String {
    "日期,进出口,企业编码,企业名称,境内目的地货源地,贸易伙伴国,商品编码,贸易方式,美元值\n\
     200805,出口,1101910001,北京某某有限公司,11019,502,84713000,10,12.5\n"
        .to_owned()
}

#[test]
fn a_feed_in_gb18030_is_transcoded_and_bytes_that_are_no_text_are_rejected() {
    let profile = Profile::bundled("ccts").expect("a shipped profile");
    let text = ccts_text();
    let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
    let mut bytes = bytes.into_owned();
    bytes.extend_from_slice(b"200805,E,1,\xFF,11019,502,8,10,1\n");
    for encoding in ["gb18030", "detect"] {
        let mut profile = profile.clone();
        profile.file.encoding =
            toml::Value::from(encoding).try_into().expect("the name of an encoding");
        let intake = read_as("ccts200805.csv", &bytes, &profile, &lenient()).expect("it is taken");
        assert_eq!(intake.counts.accepted, 1, "{encoding}");
        assert_eq!(intake.texts.names.text(intake.records[0].name), "北京某某有限公司");
        assert_eq!((intake.rejects[0].rule, intake.rejects[0].line), (Rule::Encoding, 3));
        assert_eq!(intake.hash, blake3::hash(&bytes).to_string());
    }
}

#[test]
fn an_encoding_is_told_from_a_byte_order_mark_or_from_valid_utf_8() {
    let mut profile = canonical();
    profile.file.encoding = TextEncoding::Detect;
    let text = format!("{HEADER}{GOOD}");
    let utf16: Vec<u8> =
        "\u{FEFF}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let marked = format!("\u{FEFF}{text}").into_bytes();
    for bytes in [utf16, marked, text.into_bytes()] {
        let intake = read_as("200805.csv", &bytes, &profile, &lenient()).expect("it is taken");
        assert_eq!(intake.texts.names.text(0), "某某有限公司");
    }
}

/// A profile with the label of an encoding.
fn labelled(label: &str) -> Profile {
    let mut profile = canonical();
    profile.file.encoding = TextEncoding::try_from(label.to_owned()).expect("a label");
    profile
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[test]
fn any_label_is_read_and_a_byte_order_mark_decides() {
    let text = format!("{HEADER}{GOOD}");
    let name = "某某有限公司";
    for label in ["GBK", "gb2312", "big5", "shift_jis", "euc-kr", "euc-jp", "iso-2022-jp"] {
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("a label");
        // Every encoding has 某.
        let text = text.replace(name, "某");
        let bytes = encoding.encode(&text).0;
        let intake = read_as("200805.csv", &bytes, &labelled(label), &lenient()).expect(label);
        assert_eq!(intake.texts.names.text(0), "某", "{label}");
    }
    let marked = format!("\u{FEFF}{text}");
    let cases = [
        ("utf-16le", utf16(&text, u16::to_le_bytes)),
        ("utf-16be", utf16(&text, u16::to_be_bytes)),
        ("detect", utf16(&text, u16::to_be_bytes)),
        ("utf-16", utf16(&marked, u16::to_be_bytes)),
        ("utf-8", utf16(&marked, u16::to_le_bytes)),
        ("gb18030", utf16(&marked, u16::to_le_bytes)),
        ("gb18030", marked.into_bytes()),
    ];
    for (label, bytes) in cases {
        let intake = read_as("200805.csv", &bytes, &labelled(label), &lenient()).expect(label);
        assert_eq!(intake.texts.names.text(0), name, "{label}");
    }
}

#[test]
fn an_encoding_is_told_from_the_whole_file() {
    let ascii = GOOD.replace("某某有限公司", "n").repeat(40_000);
    let bytes = [HEADER.as_bytes(), ascii.as_bytes(), &GB18030.encode(GOOD).0].concat();
    assert!(bytes.len() > 1 << 20);
    let intake = read_as("200805.csv", &bytes, &labelled("detect"), &lenient()).expect("taken");
    assert_eq!((intake.counts.accepted, intake.rejects.len()), (40_001, 0));
    assert_eq!(intake.texts.names.text(1), "某某有限公司");
}

#[test]
fn a_file_that_is_plainly_of_another_encoding_is_refused() {
    let text = format!("{HEADER}{GOOD}");
    let wide = utf16(&text, u16::to_le_bytes);
    let refused = read_as("200805.csv", &wide, &canonical(), &lenient()).expect_err("UTF-16");
    assert!(refused.to_string().contains("written in utf-16le, and the profile reads utf-8"));
    let narrow = labelled("utf-16le");
    let refused = read_as("200805.csv", text.as_bytes(), &narrow, &lenient()).expect_err("UTF-8");
    assert!(refused.to_string().contains("[file] encoding = \"utf-8\""), "{refused}");
}

#[test]
fn a_line_of_utf_8_in_a_file_of_another_encoding_is_rejected() {
    let other = "200805,E,F9,东方贸易,11019,502,8,10,1\n".as_bytes();
    let bytes = [HEADER.as_bytes(), other, &GB18030.encode(GOOD).0].concat();
    let intake = read_as("200805.csv", &bytes, &labelled("gb18030"), &lenient()).expect("taken");
    assert_eq!(intake.counts.accepted, 1);
    assert_eq!((intake.rejects[0].rule, intake.rejects[0].line), (Rule::Encoding, 2));
    assert_eq!(intake.rejects[0].column, "firm_name");
    assert!(intake.rejects[0].raw.contains("东方贸易"), "{}", intake.rejects[0].raw);
    let other = "200805,E,F9,São,11019,502,8,10,1\n".as_bytes();
    let latin = b"200805,E,F9,S\xE3o,11019,502,8,10,1\n";
    let bytes = [HEADER.as_bytes(), other, latin].concat();
    let intake = read_as("200805.csv", &bytes, &labelled("latin1"), &lenient()).expect("taken");
    assert_eq!((intake.counts.accepted, intake.rejects.len()), (1, 1));
    assert_eq!(intake.texts.names.text(0), "São");
}

#[test]
fn a_file_of_a_kind_that_is_not_read_is_refused_by_its_name() {
    for (bytes, name) in [(&b"%PDF-1.7\n"[..], "a PDF document"), (b"<html><table>", "HTML")] {
        let refused = read_as("200805.csv", bytes, &canonical(), &lenient()).expect_err(name);
        assert!(refused.to_string().contains(name), "{refused}");
    }
}

#[test]
fn a_bad_byte_in_a_text_of_utf_8_spoils_its_line_and_not_the_encoding() {
    let mut profile = canonical();
    profile.file.encoding = TextEncoding::Detect;
    let bad = GOOD.replace("某某有限公司", "上海\u{1}经贸公司").into_bytes();
    let bad: Vec<u8> = bad.into_iter().map(|byte| if byte == 1 { 0x80 } else { byte }).collect();
    let bytes = [HEADER.as_bytes(), GOOD.repeat(20).as_bytes(), &bad].concat();
    let intake = read_as("200805.csv", &bytes, &profile, &lenient()).expect("it is taken");
    assert_eq!((intake.counts.accepted, intake.rejects.len()), (20, 1));
    assert_eq!(intake.texts.names.text(0), "某某有限公司");
}
