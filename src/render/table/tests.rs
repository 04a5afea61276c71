//! One small table in every format.

use std::sync::Arc;

use std::io::Cursor;

use arrow_array::{Decimal128Array, Float64Array, StringArray, UInt16Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::tables::sheet::Sheet;

fn sheet() -> Sheet {
    let value = DataType::Decimal128(19, 2);
    let schema = Arc::new(Schema::new(vec![
        Field::new("year", DataType::UInt16, false),
        Field::new("city", DataType::Utf8, false),
        Field::new("export_value", value, false),
        Field::new("growth", DataType::Float64, true),
    ]));
    Sheet { name: "city", keys: &["year", "city"], schema }
}

fn rows() -> RecordBatch {
    let cents =
        Decimal128Array::from(vec![5, -120_500]).with_data_type(DataType::Decimal128(19, 2));
    RecordBatch::try_new(
        sheet().schema,
        vec![
            Arc::new(UInt16Array::from(vec![2001, 2002])),
            Arc::new(StringArray::from(vec!["01\"é", "1102"])),
            Arc::new(cents),
            Arc::new(Float64Array::from(vec![None, Some(0.1 + 0.2)])),
        ],
    )
    .expect("columns that fit")
}

fn written(format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    let about = About { facts: vec![("vintage".to_owned(), "7".to_owned())] };
    let (sheet, rows) = (sheet(), std::iter::once(Ok(rows())));
    let file = TableFile { sheet: &sheet, about: &about };
    write::<FormatError>(&mut out, format, &file, rows).expect("written");
    out
}

/// A table without facts about it.
fn alone(sheet: &Sheet) -> TableFile<'_> {
    const NOTHING: &About = &About { facts: Vec::new() };
    TableFile { sheet, about: NOTHING }
}

fn text(format: Format) -> String {
    String::from_utf8(written(format)).expect("text")
}

#[test]
fn csv_for_excel_is_marked_as_utf_8_and_its_texts_stay_texts() {
    let schema = Arc::new(Schema::new(vec![
        Field::new("firm", DataType::Utf8, true),
        Field::new("growth", DataType::Float64, true),
    ]));
    let firms = vec![Some("=cmd|' /C calc'!A0"), Some("0101"), Some("东莞, \"a\""), None];
    let growth = vec![Some(-0.5), None, Some(1e-7), Some(2.0)];
    let columns: Vec<arrow_array::ArrayRef> =
        vec![Arc::new(StringArray::from(firms)), Arc::new(Float64Array::from(growth))];
    let rows = RecordBatch::try_new(Arc::clone(&schema) as _, columns).expect("columns that fit");
    let sheet = Sheet { name: "plant", keys: &["firm"], schema };
    let text = |format| {
        let (mut out, rows) = (Vec::new(), std::iter::once(Ok(rows.clone())));
        write::<FormatError>(&mut out, format, &alone(&sheet), rows).expect("written");
        String::from_utf8(out).expect("text")
    };
    assert_eq!(
        text(Format::ExcelCsv),
        "\u{feff}\"firm\",\"growth\"\r\n\"'=cmd|' /C calc'!A0\",-0.5\r\n\
         \"=\"\"0101\"\"\",\"\"\r\n\"东莞, \"\"a\"\"\",0.0000001\r\n\"\",2\r\n"
    );
    assert_eq!(
        text(Format::Csv),
        "firm,growth\n=cmd|' /C calc'!A0,-0.5\n0101,\n\"东莞, \"\"a\"\"\",0.0000001\n,2\n"
    );
}

#[test]
fn json_lines_have_numbers_as_they_are_and_null_for_absent() {
    let lines = text(Format::Jsonl);
    let expected = "{\"year\":2001,\"city\":\"01\\\"é\",\"export_value\":0.05,\"growth\":null}\n\
         {\"year\":2002,\"city\":\"1102\",\"export_value\":-1205.00,\
         \"growth\":0.30000000000000004}\n";
    assert_eq!(lines, expected);
    for line in lines.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("JSON");
    }
}

#[test]
fn sdmx_csv_names_the_structure_then_dimensions_then_measures() {
    let expected = "STRUCTURE,STRUCTURE_ID,ACTION,CITY,TIME_PERIOD,EXPORT_VALUE,GROWTH\n\
         dataflow,SPILLOVER:CITY(1.0.0),I,\"01\"\"é\",2001,0.05,\n\
         dataflow,SPILLOVER:CITY(1.0.0),I,1102,2002,-1205.00,0.30000000000000004\n";
    assert_eq!(text(Format::SdmxCsv), expected);
}

#[test]
fn sdmx_csv_has_the_code_of_a_total_for_a_dimension_that_a_row_is_not_divided_by() {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let schema = Arc::new(Schema::new(vec![text("firm"), text("city"), text("before")]));
    let column = |values: [Option<&str>; 2]| Arc::new(StringArray::from(values.to_vec()));
    let (firms, cities) = (column([None, Some("F1")]), column([Some("1101"); 2]));
    let rows =
        RecordBatch::try_new(Arc::clone(&schema), vec![firms, cities, column([None, Some("2")])]);
    let sheet = Sheet { name: "changes", keys: &["firm", "city"], schema };
    let mut out = Vec::new();
    let rows = std::iter::once(Ok(rows.expect("columns that fit")));
    write::<FormatError>(&mut out, Format::SdmxCsv, &alone(&sheet), rows).expect("written");
    let expected = "STRUCTURE,STRUCTURE_ID,ACTION,FIRM,CITY,BEFORE\n\
         dataflow,SPILLOVER:CHANGES(1.0.0),I,_T,1101,\n\
         dataflow,SPILLOVER:CHANGES(1.0.0),I,F1,1101,2\n";
    assert_eq!(String::from_utf8(out).expect("text"), expected);
}

#[test]
fn parquet_gives_back_the_rows() {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(&written(Format::Parquet)).expect("written");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file);
    let mut batches = reader.and_then(ParquetRecordBatchReaderBuilder::build).expect("Parquet");
    let read = batches.next().expect("a batch").expect("rows");
    assert_eq!(read.columns(), rows().columns());
    assert_eq!(read.schema(), described(sheet().name, &sheet().schema));
}

#[test]
fn a_workbook_keeps_codes_as_text_and_leaves_absent_cells_blank() {
    let mut book = zip::ZipArchive::new(Cursor::new(written(Format::Xlsx))).expect("a workbook");
    let mut part = |name: &str| {
        let mut text = String::new();
        let mut file = book.by_name(name).expect("a part of it");
        io::Read::read_to_string(&mut file, &mut text).expect("text");
        text
    };
    let sheet = part("xl/worksheets/sheet1.xml");
    assert!(!sheet.contains("<f>"), "a text is no formula: {sheet}");
    assert!(sheet.contains("<v>-1205</v></c>"), "{sheet}");
    assert!(sheet.contains("<v>0.30000000000000004</v></c>"), "{sheet}");
    assert!(!sheet.contains("r=\"D2\""), "an absent figure is no cell: {sheet}");
    assert!(sheet.contains("<c r=\"B3\" t=\"s\">"), "a code is a text: {sheet}");
    let pane = "xSplit=\"2\" ySplit=\"1\"";
    for part in ["<autoFilter ref=\"A1:D3\"/>", pane, "<col min=\"3\" max=\"3\" width="] {
        assert!(sheet.contains(part), "no {part} in {sheet}");
    }
    let formats = part("xl/styles.xml");
    assert!(formats.contains("formatCode=\"0.0000\""), "{formats}");
    let texts = part("xl/sharedStrings.xml");
    for text in
        ["1102", "vintage", "7", "Exports (USD)", "出口额（美元）", "log", "持续出口企业出口额"]
    {
        assert!(texts.contains(text), "no {text} in {texts}");
    }
    assert!(part("xl/workbook.xml").contains("name=\"metadata\""));
}

#[test]
fn a_workbook_refuses_more_rows_than_a_sheet_has() {
    let schema: SchemaRef =
        Arc::new(Schema::new(vec![Field::new("year", DataType::UInt16, false)]));
    let sheet = Sheet { name: "city", keys: &["year"], schema: Arc::clone(&schema) };
    let n_rows = error::WORKBOOK_ROWS_MAX as usize + 1;
    let rows = RecordBatch::try_new(schema, vec![Arc::new(UInt16Array::from(vec![1; n_rows]))])
        .expect("a column");
    let mut out = Vec::new();
    let error =
        write::<FormatError>(&mut out, Format::Xlsx, &alone(&sheet), std::iter::once(Ok(rows)))
            .expect_err("too many rows");
    assert!(error.to_string().starts_with("the table city has more than 1048575 rows"), "{error}");
    assert!(out.is_empty());
}

#[test]
fn parquet_says_where_it_comes_from_and_what_its_columns_mean() {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(&written(Format::Parquet)).expect("written");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    let facts = reader.metadata().file_metadata().key_value_metadata().expect("metadata").clone();
    let vintage = facts.iter().find(|fact| fact.key == "spillover.vintage").expect("the vintage");
    assert_eq!(vintage.value.as_deref(), Some("7"));
    let of_growth = reader.schema().field_with_name("growth").expect("a column").metadata().clone();
    assert_eq!(of_growth["label"], "Export growth (log)");
    assert_eq!(
        (of_growth["label_zh"].as_str(), of_growth["unit"].as_str()),
        ("出口增长（对数）", "log")
    );
    assert!(of_growth["description"].starts_with("Mean log growth"));
}

mod datasets {
    use arrow_array::{ArrayRef, BooleanArray, UInt8Array};
    use dta::stata::dta::dta_reader::DtaReader;
    use dta::stata::dta::long_string_table::LongStringTable;
    use dta::stata::dta::record_reader::RecordReader;
    use dta::stata::dta::release::Release;
    use dta::stata::dta::schema_reader::SchemaReader;
    use dta::stata::dta::value::Value;
    use dta::stata::dta::value_label_table::ValueLabelTable;
    use dta::stata::dta::variable::Variable;
    use dta::stata::stata_double::StataDouble;

    use super::*;

    fn records(bytes: &[u8]) -> RecordReader<Cursor<Vec<u8>>> {
        let header = DtaReader::new().from_reader(Cursor::new(bytes.to_vec()));
        let mut notes = header.read_header().and_then(SchemaReader::read_schema).expect("read");
        notes.skip_to_end().expect("notes");
        notes.into_record_reader().expect("records")
    }

    fn double(value: &Value<'_>) -> Option<f64> {
        match value {
            Value::Double(StataDouble::Present(value)) => Some(*value),
            Value::Double(StataDouble::Missing(_)) => None,
            other => panic!("no double: {other:?}"),
        }
    }

    #[test]
    fn a_dataset_of_stata_has_the_rows_with_labels_and_notes() {
        let bytes = written(Format::Stata);
        let mut reader = records(&bytes);
        assert_eq!(reader.header().release(), Release::V118);
        let variables = reader.schema().variables().to_vec();
        let names: Vec<&str> = variables.iter().map(Variable::name).collect();
        assert_eq!(names, ["year", "city", "export_value", "growth"]);
        assert_eq!(variables[3].label(), "Export growth (log) · 出口增长（对数）");
        assert_eq!(variables[2].format(), "%20.2fc");
        let mut rows = Vec::new();
        while let Some(record) = reader.read_record().expect("a record") {
            let [_, Value::String(city), value, growth] = record.values() else { panic!("a row") };
            rows.push((city.to_string(), double(value), double(growth)));
        }
        let expected = [
            ("01\"é".to_owned(), Some(0.05), None),
            ("1102".to_owned(), Some(-1205.0), Some(0.1 + 0.2)),
        ];
        assert_eq!(rows, expected);
        let header = DtaReader::new().from_reader(Cursor::new(bytes));
        let mut notes = header.read_header().and_then(SchemaReader::read_schema).expect("read");
        let mut texts = Vec::new();
        while let Some(note) = notes.read_characteristic().expect("a note") {
            texts.push((note.name().to_owned(), note.value().to_owned()));
        }
        assert_eq!(texts[0], ("note0".to_owned(), "1".to_owned()));
        assert_eq!(texts[1], ("note1".to_owned(), "vintage: 7".to_owned()));
        assert!(texts.iter().any(|(_, text)| text == "unit: log"), "{texts:?}");
    }

    /// Long texts, flags, absent values of each type, and odd names of columns.
    #[test]
    fn flags_have_value_labels_and_long_texts_stay_whole() {
        let fields = [
            ("raw", DataType::Utf8),
            ("counts", DataType::Boolean),
            ("2nd column of a name that is longer than Stata allows", DataType::UInt8),
            ("2nd column of a name that is longer than Stata wants", DataType::UInt8),
        ];
        let fields = fields.map(|(name, kind)| Field::new(name, kind, true));
        let schema: SchemaRef = Arc::new(Schema::new(fields.to_vec()));
        let long = "东莞".repeat(900);
        let texts = [Some(long.as_str()), None, Some(""), Some("short")];
        let numbers = || Arc::new(UInt8Array::from(vec![Some(255), None, Some(0), Some(101)]));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(texts.to_vec())),
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)])),
            numbers(),
            numbers(),
        ];
        let rows = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns that fit");
        let sheet = Sheet { name: "rejects", keys: &[], schema };
        let mut out = Vec::new();
        // Two batches: the second begins with the third row.
        let parts = [rows.slice(0, 2), rows.slice(2, 2)].map(Ok);
        write::<FormatError>(&mut out, Format::Stata, &alone(&sheet), parts.into_iter())
            .expect("written");
        let mut long_texts = LongStringTable::for_reading();
        let mut of_long = records(&out).seek_long_strings().expect("long texts");
        of_long.read_remaining_into(&mut long_texts).expect("long texts");
        let mut labels = ValueLabelTable::new();
        let mut of_values = records(&out).seek_value_labels().expect("value labels");
        of_values.read_remaining_into(&mut labels).expect("value labels");
        let mut reader = records(&out);
        let variables = reader.schema().variables().to_vec();
        assert_eq!(variables[2].name(), "_2nd_column_of_a_name_that_is_lo");
        assert_eq!(variables[3].name(), "_2nd_column_of_a_name_that_is__2");
        let set = labels.get(variables[1].value_label_name()).expect("labels of the flag");
        assert_eq!((set.label_for(0), set.label_for(1)), (Some("no · 否"), Some("yes · 是")));
        let mut found = Vec::new();
        while let Some(record) = reader.read_record().expect("a record") {
            let [Value::LongStringRef(text), Value::Byte(flag), Value::Int(number), _] =
                record.values()
            else {
                panic!("a row")
            };
            let text = long_texts.get(text).map(|text| text.data().to_vec());
            let text = text.map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
            let text = text.map(|text| text.trim_end_matches('\0').to_owned());
            found.push((text, flag.present(), number.present()));
        }
        let expected = [
            (Some(long), Some(1), Some(255)),
            (None, Some(0), None),
            (None, None, Some(0)),
            (Some("short".to_owned()), Some(1), Some(101)),
        ];
        assert_eq!(found, expected);
    }
}
