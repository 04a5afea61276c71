use super::*;
use crate::estimate::panel::Column as Slice;

/// Reads the columns `x` as numbers and `f` as levels of a text.
fn read(text: impl AsRef<[u8]>, options: &ReadOptions) -> Result<Table, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("panel");
    std::fs::write(&path, text).expect("written");
    let wanted = Wanted::default().numbers(["x"]).levels(["f"]);
    let read = Table::read(&path, &wanted, options);
    read.map_err(|error| error.to_string().replace(&path.display().to_string(), "panel"))
}

fn table(text: &str) -> Table {
    read(text, &ReadOptions::default()).expect("a panel")
}

fn refused(text: &str) -> String {
    read(text, &ReadOptions::default()).expect_err("not a panel")
}

fn numbers(table: &Table) -> Vec<f64> {
    let panel = table.panel().expect("a panel");
    let Ok(Slice::Real(numbers)) = panel.column("x") else { panic!("reals") };
    numbers.to_vec()
}

fn levels(table: &Table) -> Vec<String> {
    let n_rows = table.panel().expect("a panel").n_rows();
    (0..n_rows).map(|row| table.text("f", row)).collect()
}

fn decimal(mark: DecimalMark) -> ReadOptions {
    ReadOptions { decimal: Some(mark), ..ReadOptions::default() }
}

use crate::feed::layout::DecimalMark;

#[test]
fn levels_are_whole_numbers_only_where_every_text_is_one_in_its_shortest_form() {
    let panel = table("x,f\n1,7\n1,-3\n1,0\n");
    let panel = panel.panel().expect("a panel");
    assert!(matches!(panel.levels("f"), Ok(Slice::Short([7, -3, 0]))));
    for texts in [
        ["01", "1", "001"],
        ["1E3", "1000", "10E2"],
        ["1.0", "1", "+1"],
        ["-0", "0", "00"],
        ["9007199254740992", "9007199254740993", "9007199254740994"],
        ["18446744073709551616", "18446744073709551617", "1"],
        ["0x10", "16", " 16"],
        ["32768", "2147483648", "9007199254740993"],
    ] {
        let table = table(&format!("x,f\n1,{}\n1,{}\n1,{}\n", texts[0], texts[1], texts[2]));
        assert_eq!(levels(&table), texts);
        let panel = table.panel().expect("a panel");
        let Ok(Slice::Code(codes)) = panel.levels("f") else { panic!("{texts:?}") };
        assert_eq!(codes, [0, 1, 2], "{texts:?}");
    }
}

#[test]
fn whole_numbers_stay_so_beside_missing_values_and_turn_into_texts_as_they_were() {
    let table = table("x,f\n1,7\n1,NA\n1,\n1,40000\n1,3000000000\n1,a\n1,7\n");
    assert_eq!(levels(&table), ["7", "", "", "40000", "3000000000", "a", "7"]);
}

#[test]
fn a_column_may_be_numbers_and_levels_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("panel.csv");
    std::fs::write(&path, "x,f\n01,1\n1,2\n1e0,3\n").expect("written");
    let wanted = Wanted::default().numbers(["x", "f"]).levels(["x", "f"]);
    let table = Table::read(&path, &wanted, &ReadOptions::default()).expect("a panel");
    let panel = table.panel().expect("a panel");
    assert!(matches!(panel.column("x"), Ok(Slice::Real([1.0, 1.0, 1.0]))));
    assert!(matches!(panel.levels("x"), Ok(Slice::Code([0, 1, 2]))));
    assert!(matches!(panel.column("f"), Ok(Slice::Short([1, 2, 3]))));
    assert!(matches!(panel.levels("f"), Ok(Slice::Short([1, 2, 3]))));
    assert_eq!(table.text("x", 2), "1e0");
}

#[test]
fn texts_for_missing_values_are_an_option_and_quoted_they_are_texts() {
    let text = "x,f\nNA,NA\n.,\"NA\"\n\"NA\",\"\"\n3,-99\n";
    let is_missing = |table: &Table| numbers(table).iter().map(|x| x.is_nan()).collect::<Vec<_>>();
    let default = table(text);
    assert_eq!(is_missing(&default), [true, true, true, false]);
    assert_eq!(levels(&default), ["", "NA", "", "-99"]);
    assert!(default.notes()[0].contains("\"f\": 1 quoted fields"), "{:?}", default.notes());
    let with = |texts: &[&str]| ReadOptions {
        missing: Some(texts.iter().map(|&text| text.to_owned()).collect()),
        ..ReadOptions::default()
    };
    let none = read("x,f\n,NA\nnan,\n3,.\n", &with(&[""])).expect("a panel");
    assert_eq!(is_missing(&none), [true, true, false]);
    assert_eq!(levels(&none), ["NA", "", "."]);
    let numeric = read("x,f\n-99,-99\n3,NA\n", &with(&["-99"])).expect("a panel");
    assert_eq!(is_missing(&numeric), [true, false]);
    assert_eq!(levels(&numeric), ["", "NA"]);
    let said = read("x,f\nNA,1\n", &with(&[""])).expect_err("a text");
    assert!(said.contains("line 2: column \"x\" holds \"NA\", which is not a number"), "{said}");
}

#[test]
fn truth_values_are_numbers_where_a_column_holds_nothing_else() {
    for (yes, no) in
        [("TRUE", "FALSE"), ("True", "False"), ("true", "false"), ("T", "F"), ("t", "f")]
    {
        let table = table(&format!("x,f\n{yes},{yes}\n{no},{no}\nNA,\n{yes} ,1\n"));
        let found = numbers(&table);
        assert_eq!((&found[..2], found[3]), (&[1.0, 0.0][..], 1.0));
        assert!(found[2].is_nan());
        assert_eq!(levels(&table), [yes, no, "", "1"]);
    }
    for text in ["x,f\nTRUE,1\n0,1\n", "x,f\n0,1\nTRUE,1\n"] {
        assert!(refused(text).contains("write only one of them"), "{}", refused(text));
    }
    assert!(refused("x,f\nyes,1\n").contains("holds \"yes\", which is not a number"));
}

#[test]
fn the_delimiter_is_the_one_that_gives_the_wanted_columns() {
    for delimiter in [",", ";", "\t", "|"] {
        let found = table(&["x", "f\n1.5", "a\n2", "b\n"].join(delimiter));
        assert_eq!(numbers(&found), [1.5, 2.0], "{delimiter:?}");
        assert_eq!(levels(&found), ["a", "b"]);
    }
    assert_eq!(levels(&table("f;\"a,b,c\";x\na,b;2;3\n")), ["a,b"]);
    let given = ReadOptions {
        delimiter: Some(Delimiter::try_from('~').expect("a delimiter")),
        ..ReadOptions::default()
    };
    assert_eq!(levels(&read("x~f\n1~a,b\n", &given).expect("a panel")), ["a,b"]);
    assert_eq!(levels(&table("sep=;\nx;f\n1;a\n")), ["a"]);
    let said = refused("x,f\n1,2,3\n");
    assert!(said.contains("panel, line 2: 3 fields where the header has 2: \"1,2,3\""), "{said}");
}

#[test]
fn spaces_are_part_of_the_delimiter_if_they_follow_it_throughout_the_header() {
    let found = table("f, x, \"z\"\na, 1, 1\nb, \" 2\", \"u, v\"\n");
    assert_eq!((numbers(&found), levels(&found)), (vec![1.0, 2.0], vec!["a".into(), "b".into()]));
    assert_eq!(levels(&table("x, f\n1, a\n2,a\n")), ["a", "a"]);
    assert_eq!(levels(&table("x,f\n 1 , a\n2,a\n")), [" a", "a"]);
    assert_eq!(levels(&table(" x ,f\n1,a\n")), ["a"]);
}

#[test]
fn a_decimal_comma_is_taken_where_it_cannot_be_anything_else() {
    assert_eq!(numbers(&table("x;f\n1,5;a\n-0,25;b\n3;c\n")), [1.5, -0.25, 3.0]);
    assert_eq!(numbers(&table("x,f\n\"1,234\",a\n\"0,5\",b\n")), [1.234, 0.5]);
    let comma = decimal(DecimalMark::Comma);
    let read_with = |text: &str| read(text, &comma).map(|table| numbers(&table));
    assert_eq!(read_with("x;f\n1,234;a\n1e3;b\n"), Ok(vec![1.234, 1000.0]));
    let said = read_with("x;f\n1.5;a\n").expect_err("a point");
    assert!(said.contains("\"1.5\", which is not a number with the mark"), "{said}");
    let point = read("x;f\n1,5;a\n", &decimal(DecimalMark::Point)).expect_err("a comma");
    assert!(point.contains("\"1,5\", which is not a number with the mark"), "{point}");
    for (text, expected) in [
        ("x;f\n1,234;a\n", "line 2: column \"x\" holds \"1,234\", whose comma may be"),
        ("x;f\n1.5;a\n2,5;b\n", "holds \"2,5\" and column \"x\" \"1.5\" in line 2"),
        ("x;f\n1.234,5;a\n", "holds \"1.234,5\"; thousands separators are not read"),
        ("x,f\n\"1,234,567\",a\n", "holds \"1,234,567\"; thousands separators are not read"),
        ("x;f\n1 234;a\n", "holds \"1 234\"; thousands separators are not read"),
        ("x;f\n1'234'567;a\n", "thousands separators are not read"),
    ] {
        assert!(refused(text).contains(expected), "{text}: {}", refused(text));
    }
}

#[test]
fn encodings_are_told_from_the_bytes_or_given() {
    let (gb, _, _) = encoding_rs::GB18030.encode("x,f\n1,广东省东莞市出口企业\n2,广东\n");
    let found = read(&gb, &ReadOptions::default()).expect("a panel");
    assert_eq!(levels(&found), ["广东省东莞市出口企业", "广东"]);
    let text = "x,f\n1,é\n2,東\n";
    let units = |swap: bool, mark: &[u8]| -> Vec<u8> {
        let of = |unit: u16| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() };
        mark.iter().copied().chain(text.encode_utf16().flat_map(of)).collect()
    };
    for bytes in [
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        units(false, b"\xFF\xFE"),
        units(true, b"\xFE\xFF"),
        units(false, b""),
        units(true, b""),
    ] {
        let found = read(&bytes, &ReadOptions::default()).expect("a panel");
        assert_eq!(levels(&found), ["é", "東"]);
        assert_eq!(numbers(&found), [1.0, 2.0]);
    }
    let latin1 = ReadOptions { encoding: Encoding::for_label(b"latin1"), ..ReadOptions::default() };
    assert_eq!(levels(&read(b"x,f\n1,\xE9\n", &latin1).expect("a panel")), ["é"]);
    let utf8 = ReadOptions { encoding: Encoding::for_label(b"utf-8"), ..ReadOptions::default() };
    let said = read(b"x,f\n1,\xE9\n", &utf8).expect_err("no text");
    assert!(said.contains("line 2: column \"f\" holds bytes that are not text"), "{said}");
}

use encoding_rs::Encoding;

#[test]
fn lines_end_in_any_way_and_blank_ones_are_none() {
    for end in ["\n", "\r\n", "\r"] {
        let found = table(&["x,f", "", "1,a", "2,\"b\"", ""].join(end));
        assert_eq!(levels(&found), ["a", "b"], "{end:?}");
    }
    assert!(refused("").contains("is empty"));
    assert!(refused("\n\r\n").contains("is empty"));
    assert!(refused("x,f\n1,\"a\n").contains("line 2: a quoted field begins here"));
    assert!(refused("x,f\n1,\"a\"b\n").contains("line 2: text follows a closing quote"));
}

#[test]
fn names_are_found_in_any_form_and_missing_ones_proposed() {
    assert_eq!(numbers(&table("x,f,f \n1,a,b\n")), [1.0]);
    assert!(refused("x,g\n1,a\n").contains("has no column \"f\"; it has \"x\", \"g\""));
    assert!(refused("x,f,f\n1,a,b\n").contains("two columns \"f\""));
    assert!(refused("X,f\n1,a\n").contains("did you mean \"X\"?"), "{}", refused("X,f\n1,a\n"));
}
