//! Workbooks: types of cells, blank rows, errors of formulas, unpacking bombs.

use std::io::Write as _;

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};
use spillover::domain::record::Rule;

use super::{CSV, assert_same, profile, read_file, refusal, rejected};

/// Writes the table into a sheet, starting at a row.
fn fill(sheet: &mut Worksheet, from: u32) {
    let day = Format::new().set_num_format("yyyy/mm");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(CSV.as_bytes());
    for (row, record) in (from..).zip(reader.records()) {
        for (column, text) in (0_u16..).zip(&record.expect("a record")) {
            let is_number = row > from && matches!(column, 4 | 5 | 7 | 8);
            match text.parse::<f64>() {
                Ok(number) if is_number => sheet.write_number(row, column, number).map(drop),
                _ if row > from && column == 0 => {
                    let date = ExcelDateTime::from_ymd(2008, 5, 1).expect("a date");
                    sheet.write_datetime_with_format(row, column, date, &day).map(drop)
                }
                _ => sheet.write_string(row, column, text).map(drop),
            }
            .expect("a cell");
        }
    }
}

fn book(fill: impl Fn(&mut Workbook)) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(&mut book);
    book.save_to_buffer().expect("a workbook")
}

#[test]
fn numbers_and_dates_go_by_their_type_and_empty_sheets_are_passed_over() {
    let bytes = book(|book| {
        book.add_worksheet();
        fill(book.add_worksheet(), 0);
        book.add_worksheet();
    });
    assert_same("xlsx", &bytes, "");
    let two = book(|book| (0..2).for_each(|_| fill(book.add_worksheet(), 0)));
    let message = refusal(&two, "");
    assert!(
        message.contains("it has 2 sheets (\"Sheet1\", \"Sheet2\"); name the one"),
        "{message}"
    );
    assert_same("xlsx", &two, "sheet = \"Sheet2\"");
}

#[test]
fn a_row_is_a_line_whatever_is_blank_before_it() {
    let bytes = book(|book| {
        let sheet = book.add_worksheet();
        fill(sheet, 7);
        sheet.write_string(9, 2, " ").expect("a cell");
        sheet.write_string(9, 3, "a name\nof two lines").expect("a cell");
        sheet.write_string(20, 20, "aside").expect("a cell");
    });
    let intake = read_file(&bytes, &profile("")).expect("it is read");
    let lines: Vec<_> = intake.records.iter().map(|record| record.line).collect();
    assert_eq!(lines, [9, 11]);
    let rejects: Vec<_> = intake.rejects.iter().map(|reject| (reject.line, reject.rule)).collect();
    assert_eq!(rejects, [(10, Rule::Firm), (21, Rule::Period)]);
}

#[test]
fn an_error_of_a_formula_rejects_its_row() {
    let bytes = book(|book| {
        let sheet = book.add_worksheet();
        fill(sheet, 0);
        let lookup = Formula::new("=VLOOKUP(1,A:A,1,0)").set_result("#N/A");
        sheet.write_formula(2, 2, lookup).expect("a cell");
        let sum = Formula::new("=1+2").set_result("3");
        sheet.write_formula(3, 8, sum).expect("a cell");
    });
    assert_eq!(rejected(&bytes, ""), [(3, "firm_id".to_owned(), Rule::Encoding)]);
    let intake = read_file(&bytes, &profile("")).expect("it is read");
    assert_eq!(intake.records[1].value_cents, 300);
    assert!(intake.rejects[0].raw.contains("\u{FFFD}#N/A"), "{}", intake.rejects[0].raw);
}

#[test]
fn an_identifier_past_the_digits_of_a_number_refuses_the_file() {
    let bytes = book(|book| {
        let sheet = book.add_worksheet();
        fill(sheet, 0);
        sheet.write_number(2, 2, 310_123_456_789_012_345.0).expect("a cell");
    });
    let message = refusal(&bytes, "");
    assert!(message.contains("row 3, column \"firm_id\": the code 310123456789012"), "{message}");
    assert!(message.contains("a real of 64 bits, which has lost digits"), "{message}");
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).expect("memory does not fail");
        writer.write_all(bytes).expect("memory does not fail");
    }
    writer.finish().expect("memory does not fail").into_inner()
}

#[test]
fn a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read() {
    let blanks = vec![b' '; 80 << 20];
    for name in ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"] {
        let bytes = zipped(&[("xl/workbook.xml", b"<workbook/>"), (name, &blanks)]);
        let message = refusal(&bytes, "");
        assert!(message.contains("which no table does"), "{message}");
    }
}

const ODS: &str = "<office:document-content><office:body><office:spreadsheet>\
    <table:table table:name=\"t\">ROWS</table:table></office:spreadsheet></office:body>\
    </office:document-content>";

#[test]
fn a_sheet_of_open_document_that_repeats_its_cells_takes_no_memory() {
    let repeated = |rows: &str| {
        let content = ODS.replace("ROWS", rows);
        let mimetype = b"application/vnd.oasis.opendocument.spreadsheet";
        zipped(&[("mimetype", mimetype), ("content.xml", content.as_bytes())])
    };
    let empty = "<table:table-row table:number-rows-repeated=\"1000000\">\
                 <table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>";
    let cell = "<table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell \
                office:value-type=\"float\" office:value=\"1\" \
                table:number-columns-repeated=\"16384\"/></table:table-row>";
    let message = refusal(&repeated(&empty.repeat(2)), "");
    assert!(message.contains("is empty"), "{message}");
    let message = refusal(&repeated(cell), "");
    assert!(message.contains("no column \"period\""), "{message}");
}
