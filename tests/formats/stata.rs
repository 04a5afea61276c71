//! Stata datasets in releases and encodings that current programs do not write.

use dta::stata::dta::byte_order::ByteOrder;
use dta::stata::dta::dta_writer::DtaWriter;
use dta::stata::dta::header::Header;
use dta::stata::dta::long_string_writer::LongStringWriter;
use dta::stata::dta::release::Release;
use dta::stata::dta::schema::Schema;
use dta::stata::dta::value::Value;
use dta::stata::dta::variable::Variable;
use dta::stata::dta::variable_type::VariableType;
use dta::stata::missing_value::MissingValue;
use dta::stata::stata_byte::StataByte;
use dta::stata::stata_double::StataDouble;
use dta::stata::stata_float::StataFloat;
use dta::stata::stata_int::StataInt;
use dta::stata::stata_long::StataLong;
use encoding_rs::{Encoding, GB18030, UTF_8};
use spillover::domain::record::Rule;

use super::{assert_same, data, refusal, rejected};

/// 2008-05-01 in days after 1960-01-01.
const MAY: f32 = 17_653.0;

type Row<'a> = [Value<'a>; 9];

/// The rows of the table; the firm of the second row is a text.
fn rows() -> [Row<'static>; 3] {
    let row = |flow, firm, name, region, country, hs8, mode: Option<i8>, value| -> Row<'static> {
        [
            Value::Float(StataFloat::Present(MAY)),
            Value::string(flow),
            Value::string(firm),
            Value::string(name),
            Value::Long(StataLong::Present(region)),
            Value::Int(StataInt::Present(country)),
            Value::string(hs8),
            Value::Byte(mode.map_or(StataByte::Missing(MissingValue::System), StataByte::Present)),
            Value::Double(StataDouble::Present(value)),
        ]
    };
    [
        row("E", "0101234567", "某某有限公司", 11019, 502, "84713000", Some(10), 1234.5),
        row("I", "F2", "ACME", 31229, 601, "01012100", None, 7.0),
        row("E", "4101234567", "甲, \"乙\" 公司", 11019, 502, "84713000", Some(10), -2.25),
    ]
}

/// A dataset with a given type of the firms' column.
fn dataset(
    (release, order): (Release, ByteOrder),
    encoding: &'static Encoding,
    firm: VariableType,
    rows: &[Row<'_>],
) -> Vec<u8> {
    let text = VariableType::FixedString;
    let columns = [
        ("period", VariableType::Float),
        ("flow", text(1)),
        ("firm_id", firm),
        ("firm_name", text(40)),
        ("region", VariableType::Long),
        ("country", VariableType::Int),
        ("hs8", text(8)),
        ("trade_mode", VariableType::Byte),
        ("value_usd", VariableType::Double),
    ];
    written((release, order), encoding, &columns, rows)
}

/// A dataset of columns and rows; a column `period` holds days.
pub fn written<'a, R: AsRef<[Value<'a>]>>(
    (release, order): (Release, ByteOrder),
    encoding: &'static Encoding,
    columns: &[(&str, VariableType)],
    rows: &[R],
) -> Vec<u8> {
    let mut schema = Schema::builder();
    for (name, kind) in columns {
        let format = if *name == "period" { "%td" } else { "%9.0g" };
        schema = schema.add_variable(Variable::builder(*kind, *name).format(format));
    }
    let schema = schema.build().expect("a schema");
    let mut bytes = std::io::Cursor::new(Vec::new());
    let writer = DtaWriter::new().encoding(encoding).from_writer(&mut bytes);
    let writer = writer.write_header(Header::builder(release, order).build()).expect("a header");
    let mut writer =
        writer.write_schema(schema).expect("a schema").into_record_writer().expect("no notes");
    for row in rows {
        writer.write_record(row.as_ref()).expect("a record");
    }
    let writer = writer
        .into_long_string_writer()
        .and_then(LongStringWriter::into_value_label_writer)
        .expect("no long texts");
    writer.finish().expect("an end");
    bytes.into_inner()
}

#[test]
fn datasets_of_every_age_are_read_by_the_declared_encoding() {
    use ByteOrder::{BigEndian, LittleEndian};
    let firm = VariableType::FixedString(12);
    let keys = "encoding = \"gb18030\"";
    for (release, order, encoding) in [
        (Release::V110, LittleEndian, GB18030),
        (Release::V114, LittleEndian, GB18030),
        (Release::V115, BigEndian, GB18030),
        (Release::V117, LittleEndian, GB18030),
        (Release::V118, BigEndian, UTF_8),
        (Release::V119, LittleEndian, UTF_8),
    ] {
        let bytes = dataset((release, order), encoding, firm, &rows());
        assert_same(&format!("{release:?}"), &bytes, keys);
    }
    let bytes = dataset((Release::V114, LittleEndian), GB18030, firm, &rows());
    assert_eq!(rejected(&bytes, "")[0], (2, "firm_name".into(), Rule::Encoding));
}

#[test]
fn numbers_with_labels_are_read_as_them_on_request() {
    let bytes = data("labels.dta");
    assert_same("labels.dta", &bytes, "value_labels = true");
    let expected: Vec<_> = (2..5).map(|line| (line, "flow".to_owned(), Rule::Flow)).collect();
    assert_eq!(rejected(&bytes, ""), expected);
}

#[test]
fn a_text_that_stata_cut_within_a_letter_is_a_reject() {
    let mut rows = rows();
    rows[1][3] = Value::string("某某");
    let firm = VariableType::FixedString(12);
    let mut bytes = dataset((Release::V114, ByteOrder::LittleEndian), GB18030, firm, &rows);
    let name = GB18030.encode("某某").0;
    let at = bytes.windows(5).position(|five| five[..4] == name[..] && five[4] == 0);
    bytes[at.expect("the name") + 3] = 0;
    let keys = "encoding = \"gb18030\"";
    assert_eq!(rejected(&bytes, keys), [(3, "firm_name".to_owned(), Rule::Encoding)]);
}

#[test]
fn an_identifier_that_a_real_cannot_hold_refuses_the_file() {
    let with_firm = |firm: VariableType, value: Value<'static>| {
        let mut rows = rows();
        for row in &mut rows {
            row[2] = value.clone();
        }
        dataset((Release::V114, ByteOrder::LittleEndian), GB18030, firm, &rows)
    };
    let keys = "encoding = \"gb18030\"";
    let float = |value| with_firm(VariableType::Float, Value::Float(StataFloat::Present(value)));
    let double =
        |value| with_firm(VariableType::Double, Value::Double(StataDouble::Present(value)));
    for (bytes, value) in
        [(float(16_777_216.0), "16777216"), (double(9e15 + 8e12), "9008000000000000")]
    {
        let message = refusal(&bytes, keys);
        assert!(
            message.contains(&format!("row 2, column \"firm_id\": the code {value}")),
            "{message}"
        );
    }
    assert_eq!(rejected(&float(16_777_215.0), keys), []);
    assert_eq!(rejected(&double(3_101_234_567.0), keys), []);
}
