//! One small table in every format.

use std::sync::Arc;

use std::io::Cursor;

use arrow_array::{Decimal128Array, Float64Array, StringArray, UInt16Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

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
    write::<FormatError>(&mut out, format, &sheet(), std::iter::once(Ok(rows()))).expect("written");
    out
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
        write::<FormatError>(&mut out, format, &sheet, rows).expect("written");
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
    write::<FormatError>(&mut out, Format::SdmxCsv, &sheet, rows).expect("written");
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
    assert!(sheet.contains("<c r=\"C3\"><v>-1205</v></c>"), "{sheet}");
    assert!(sheet.contains("<c r=\"D3\"><v>0.30000000000000004</v></c>"), "{sheet}");
    assert!(!sheet.contains("r=\"D2\""), "an absent figure is no cell: {sheet}");
    assert!(sheet.contains("<c r=\"B3\" t=\"s\">"), "a code is a text: {sheet}");
    let texts = part("xl/sharedStrings.xml");
    assert!(texts.contains("<t>1102</t>"), "{texts}");
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
    let error = write::<FormatError>(&mut out, Format::Xlsx, &sheet, std::iter::once(Ok(rows)))
        .expect_err("too many rows");
    assert!(error.to_string().starts_with("the table city has more than 1048575 rows"), "{error}");
    assert!(out.is_empty());
}
