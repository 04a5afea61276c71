//! Tables as a workbook: a sheet of rows, and a sheet `metadata` with the origin of the table and
//! the labels of its columns.
//!
//! The header and the keys stay in view, each column has a filter, codes are texts, figures are
//! numbers with a format, and an absent figure is a blank cell. A format rounds what is shown, not
//! the number.
//!
//! A workbook's numbers are floating point: it rounds amounts past 2⁵³ cents. No other format does.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field};
use rust_xlsxwriter::{Format, Workbook, Worksheet};
use unicode_width::UnicodeWidthStr as _;

use super::about::TableFile;
use super::error::{FormatError, WORKBOOK_ROWS_MAX};
use crate::clock;
use crate::tables::cells::Cells;
use crate::tables::meanings::meaning;
use crate::tables::sheet::Sheet;

/// The smallest and the largest width of a column, in letters.
const WIDTHS: (usize, usize) = (8, 60);
/// The width of a filter's button beside a name, in letters.
const BUTTON: usize = 3;
/// The sheet of the origin and of the columns.
const METADATA: &str = "metadata";

/// A workbook while rows are added; it is held in memory.
pub struct Book<'t> {
    file: TableFile<'t>,
    sheet: Worksheet,
    formats: Vec<Format>,
    /// The largest width of each column so far, in letters.
    widths: Vec<usize>,
    n_rows: u32,
}

impl<'t> Book<'t> {
    /// Starts a sheet with its header.
    ///
    /// # Errors
    /// - [`FormatError::Workbook`] if the format does not accept a name.
    /// - [`FormatError::Clock`] if the system clock is wrong.
    pub fn start(file: TableFile<'t>) -> Result<Self, FormatError> {
        // The workbook has its creation time, and its library panics on a wrong clock.
        clock::now()?;
        let table = file.sheet;
        let mut sheet = Worksheet::new();
        sheet.set_name(table.name)?;
        let is_key = |field: &Field| table.keys.contains(&field.name().as_str());
        let fields = table.schema.fields();
        let n_keys = fields.iter().take_while(|field| is_key(field) || field.name() == "months");
        sheet.set_freeze_panes(1, u16::try_from(n_keys.count()).unwrap_or(0))?;
        let bold = Format::new().set_bold();
        for (column, field) in (0..).zip(fields) {
            sheet.write_string_with_format(0, column, field.name(), &bold)?;
        }
        let formats = fields.iter().map(|field| number_format(table.name, field)).collect();
        let widths = fields.iter().map(|field| field.name().width() + BUTTON).collect();
        Ok(Self { file, sheet, formats, widths, n_rows: 0 })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// - [`FormatError::TooManyRows`] past the format's limit.
    /// - [`FormatError::Write`] if a column has a type that no table has.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), FormatError> {
        let n_more = u32::try_from(rows.num_rows()).unwrap_or(u32::MAX);
        if n_more > WORKBOOK_ROWS_MAX - self.n_rows {
            return Err(FormatError::TooManyRows { table: self.file.sheet.name });
        }
        for (place, (column, cells)) in (0..).zip(Cells::of_rows(rows)?).enumerate() {
            let format = &self.formats[place];
            let mut text = String::new();
            for (row, line) in (0..rows.num_rows()).zip(self.n_rows + 1..) {
                if cells.is_absent(row) {
                    continue;
                }
                text.clear();
                cells.write(row, &mut text);
                let width = match text.parse::<f64>() {
                    Ok(number) if cells.are_numbers() => {
                        self.sheet.write_number_with_format(line, column, number, format)?;
                        // Digits behind the format's decimals are not shown.
                        text.find('.').map_or(text.len() * 4 / 3 + 1, |point| point * 4 / 3 + 6)
                    }
                    _ => {
                        self.sheet.write_string(line, column, &text)?;
                        text.width()
                    }
                };
                self.widths[place] = self.widths[place].max(width);
            }
        }
        self.n_rows += n_more;
        Ok(())
    }

    /// Writes the workbook.
    ///
    /// # Errors
    /// [`FormatError::Workbook`], [`FormatError::Write`] if it cannot be written.
    pub fn finish(mut self, mut out: impl Write) -> Result<(), FormatError> {
        set_widths(&mut self.sheet, &self.widths)?;
        let n_columns = u16::try_from(self.widths.len()).unwrap_or(u16::MAX);
        if n_columns > 0 {
            self.sheet.autofilter(0, 0, self.n_rows, n_columns - 1)?;
        }
        let mut book = Workbook::new();
        book.push_worksheet(self.sheet);
        book.push_worksheet(metadata(&self.file)?);
        out.write_all(&book.save_to_buffer()?)?;
        Ok(out.flush()?)
    }
}

/// The format of a column's numbers, by type and unit.
fn number_format(table: &str, field: &Field) -> Format {
    let unit = meaning(table, field.name()).map_or("", |of| of.unit.as_str());
    let format = match (field.data_type(), unit) {
        (DataType::Decimal128(..), _) => "#,##0.00",
        (DataType::Float64, unit) if unit.starts_with("log") => "0.0000",
        (DataType::Float64, "share" | "as the variables" | "as the variable") => "0.0000",
        (DataType::Float64 | DataType::Utf8, _) | (_, "year" | "YYYYMM" | "number" | "0/1") => {
            "General"
        }
        _ => "#,##0",
    };
    Format::new().set_num_format(format)
}

fn set_widths(sheet: &mut Worksheet, widths: &[usize]) -> Result<(), FormatError> {
    for (column, width) in (0..).zip(widths) {
        let width = u16::try_from((*width).clamp(WIDTHS.0, WIDTHS.1)).unwrap_or(u16::MAX);
        sheet.set_column_width(column, width)?;
    }
    Ok(())
}

/// The sheet of the origin, and of the columns with unit, labels and meanings.
fn metadata(file: &TableFile<'_>) -> Result<Worksheet, FormatError> {
    let Sheet { name, schema, .. } = file.sheet;
    let mut lines: Vec<Vec<&str>> = vec![vec!["table", name]];
    lines.extend(file.about.facts.iter().map(|(name, value)| vec![name.as_str(), value.as_str()]));
    lines.push(Vec::new());
    let head = ["column", "label", "label_zh", "unit", "description", "description_zh"];
    let n_facts = lines.len();
    lines.push(head.to_vec());
    for field in schema.fields() {
        let mut line = vec![field.name().as_str()];
        if let Some(of) = meaning(name, field.name()) {
            line.extend([&of.label, &of.label_zh, &of.unit].map(String::as_str));
            line.extend([&of.english, &of.chinese].map(String::as_str));
        }
        lines.push(line);
    }
    let mut sheet = Worksheet::new();
    sheet.set_name(METADATA)?;
    let bold = Format::new().set_bold();
    let mut widths = vec![0; head.len()];
    for (at, (row, line)) in (0..).zip(&lines).enumerate() {
        for (place, (column, text)) in (0..).zip(line).enumerate() {
            if at == n_facts || (at < n_facts && place == 0) {
                sheet.write_string_with_format(row, column, *text, &bold)?;
            } else {
                sheet.write_string(row, column, *text)?;
            }
            // A long fact continues over the empty cells beside it.
            if at >= n_facts || place == 0 {
                widths[place] = widths[place].max(text.width());
            }
        }
    }
    set_widths(&mut sheet, &widths)?;
    Ok(sheet)
}
