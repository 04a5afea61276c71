//! Panels in text.

use super::*;

#[test]
fn identifiers_in_text_are_what_they_are_written_as() {
    let folder = folder();
    let zeros = ["01", "1", "001", "2", "02", "3", "4", "5", "6", "7"];
    let exponents = ["10E1", "100", "1E2", "2E2", "200", "20E1", "3E2", "300", "1e2", "1E02"];
    let reals = ["1.0", "1", "1.00", "+1", "-0", "0", "0.0", ".0", " 1", "1."];
    let large: Vec<String> = (0..10_u64).map(|i| (9_007_199_254_740_991 + i).to_string()).collect();
    let huge: Vec<String> = (0..10).map(|i| format!("123456789012345678901234567890{i}")).collect();
    let countries = ["NA", "na", "nan", "NULL", "null", ".", "NaN", "TRUE", "inf", "-"];
    let quoted = countries.map(|code| format!("\"{code}\""));
    let lists: [Vec<&str>; 6] = [
        zeros.to_vec(),
        exponents.to_vec(),
        reals.to_vec(),
        large.iter().map(String::as_str).collect(),
        huge.iter().map(String::as_str).collect(),
        quoted.iter().map(String::as_str).collect(),
    ];
    for list in lists {
        let path =
            written(folder.path(), "p.csv", text(NAMES, &|firm| of(&list, firm).into(), ","));
        let table = is_right(&path);
        assert_eq!(table.text("firm", 0), of(&list, base().firm[0]).trim_matches('"'));
    }
    // Without quotes, the code of Namibia is a missing value unless other texts are given for
    // those.
    let none = ReadOptions { missing: Some(vec![String::new()]), ..ReadOptions::default() };
    let namibia = text(NAMES, &|firm| of(&countries, firm).into(), ",");
    is_right_with(&written(folder.path(), "n.csv", namibia), NAMES, &none);
}

#[test]
fn text_is_read_in_every_kind_of_file() {
    let folder = folder();
    let comma = text(NAMES, &|firm| firm.to_string(), ",");
    let plain = |name: &str, text: &str| is_right(&written(folder.path(), name, text));
    plain("panel", &comma);
    plain("panel.parquet", &comma);
    plain("panel.tsv", &comma.replace(',', "\t"));
    plain("semicolon.csv", &comma.replace(',', ";"));
    plain("decimal.csv", &comma.replace(',', ";").replace('.', ","));
    plain("bar.txt", &comma.replace(',', "|"));
    plain("spaces.csv", &comma.replace(',', ", "));
    plain("crlf.csv", &comma.replace('\n', "\r\n"));
    plain("mark.csv", &format!("\u{feff}{comma}"));
    plain("blank.csv", &comma.replace('\n', "\n\n"));
    let quoted: Vec<String> =
        comma.lines().map(|line| format!("\"{}\"", line.replace(',', "\",\""))).collect();
    plain("quoted.csv", &quoted.join("\n"));
    let units = comma.encode_utf16().flat_map(u16::to_le_bytes);
    is_right(&written(folder.path(), "utf16.csv", units.collect::<Vec<u8>>()));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(comma.as_bytes()).expect("packed");
    is_right(&written(folder.path(), "panel.csv.gz", gz.finish().expect("packed")));
    let zst = zstd::encode_all(comma.as_bytes(), 1).expect("packed");
    is_right(&written(folder.path(), "panel.csv.zst", zst));
    is_right(&zipped(folder.path(), "panel.zip", &["panel.csv"], &comma));
}

#[test]
fn chinese_names_and_texts_are_read_in_every_encoding() {
    let folder = folder();
    let names = ["出口额", "人均收入", "企业", "年份"];
    let text = text(names, &|firm| format!("广东第{firm}厂"), ",");
    for encoding in [encoding_rs::UTF_8, encoding_rs::GB18030, encoding_rs::BIG5] {
        let (bytes, _, _) = encoding.encode(&text);
        let path = written(folder.path(), "p.csv", &bytes);
        let given = ReadOptions { encoding: Some(encoding), ..ReadOptions::default() };
        // Big5 has none of the simplified characters; there they are written as numbers.
        if encoding != encoding_rs::BIG5 {
            is_right_with(&path, names, &given);
            is_right_with(&path, names, &ReadOptions::default());
        }
    }
}

#[test]
fn names_are_found_however_they_are_written() {
    let folder = folder();
    let names = ["log y", ".x (1)", "2nd firm", "café^año"];
    let quoted = names.map(|name| format!("`{name}`"));
    let quoted: [&str; 4] = std::array::from_fn(|at| quoted[at].as_str());
    let firm = |firm: i64| firm.to_string();
    let composed = written(folder.path(), "c.csv", text(names, &firm, ","));
    is_right_with(&composed, quoted, &ReadOptions::default());
    let marks = names.map(|name| name.replace('é', "e\u{301}").replace('ñ', "n\u{303}"));
    let marks: [&str; 4] = std::array::from_fn(|at| marks[at].as_str());
    let apart = written(folder.path(), "m.csv", text(marks, &firm, ","));
    is_right_with(&apart, quoted, &ReadOptions::default());
    let plain = [".y", "2x", "firm.id", "_year"];
    let path = written(folder.path(), "d.csv", text(plain, &firm, ","));
    is_right_with(&path, plain, &ReadOptions::default());
    assert!(refused(&path, "`.z` ~ `2x` | firmid").contains("no column \".z\""));
    let said = refused(&path, ".y ~ 2x | firmid");
    assert!(said.contains("no column \"firmid\"; did you mean \"firm.id\"?"), "{said}");
}
