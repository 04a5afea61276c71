//! OpenDocument spreadsheets, cell by cell: a row that is repeated a million times takes no memory.

use std::fs::File;
use std::io::{BufRead, BufReader};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zip::ZipArchive;

use super::named::the_one;
use super::number::Number;
use super::problem::TableProblem;
use super::rows::Rows;
use super::sheet::{COLUMNS_MAX, Cell, Sheet};
use crate::feed::layout::FileLayout;

/// Produces the rows of the profile's sheet.
pub(super) fn produce(
    file: &File,
    layout: &FileLayout,
    rows: &mut Rows<'_>,
) -> Result<(), TableProblem> {
    let mut sheets: Vec<(String, bool)> = Vec::new();
    walk(file, |visit| {
        match visit {
            Visit::Sheet(name) => sheets.push((name, false)),
            Visit::Row(_) => sheets.iter_mut().last().into_iter().for_each(|last| last.1 = true),
        }
        Ok(())
    })?;
    if layout.sheet.is_none() && sheets.len() > 1 {
        sheets.retain(|(_, has_cells)| *has_cells);
    }
    let names: Vec<String> = sheets.into_iter().map(|(name, _)| name).collect();
    let meant = &names[the_one("sheet", layout.sheet.as_ref(), &names)?];
    let mut is_meant = false;
    let mut sheet = Sheet::new(rows);
    walk(file, |visit| match visit {
        Visit::Sheet(name) => {
            is_meant = name == *meant;
            Ok(())
        }
        Visit::Row(row) if is_meant => row.put(&mut sheet),
        Visit::Row(_) => Ok(()),
    })?;
    sheet.finish()
}

/// An event of a walk through a document.
enum Visit<'r> {
    /// A sheet begins.
    Sheet(String),
    /// A row that has cells.
    Row(&'r Row),
}

/// A row, possibly repeated.
#[derive(Default)]
struct Row {
    /// The position of its first repetition, counted from 0.
    at: u32,
    n_repeats: u32,
    /// The position of the next cell.
    column: u32,
    /// Cells with content, by column.
    cells: Vec<(u32, Cell)>,
}

/// Visits the sheets and rows of a document in order.
fn walk(
    file: &File,
    mut visit: impl FnMut(Visit<'_>) -> Result<(), TableProblem>,
) -> Result<(), TableProblem> {
    let file = file.try_clone().map_err(TableProblem::damaged)?;
    let mut archive = ZipArchive::new(file).map_err(TableProblem::damaged)?;
    let content = archive.by_name("content.xml").map_err(TableProblem::damaged)?;
    let mut xml = Reader::from_reader(BufReader::new(content));
    xml.config_mut().expand_empty_elements = true;
    let mut row = Row::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(TableProblem::damaged)? {
            Event::Start(element) => match element.name().as_ref() {
                "table:table" => {
                    row = Row::default();
                    visit(Visit::Sheet(attribute(&element, "table:name")?.unwrap_or_default()))?;
                }
                "table:table-row" => {
                    row.n_repeats = repeats(&element, "table:number-rows-repeated")?;
                    row.column = 0;
                    row.cells.clear();
                }
                "table:table-cell" | "table:covered-table-cell" => {
                    let n_repeats = repeats(&element, "table:number-columns-repeated")?;
                    let element = element.into_owned();
                    let cell = cell(&mut xml, &element)?;
                    row.add(&cell, n_repeats)?;
                }
                _ => {}
            },
            Event::End(element) if element.name().as_ref() == "table:table-row" => {
                if !row.cells.is_empty() {
                    visit(Visit::Row(&row))?;
                }
                row.at = row.at.saturating_add(row.n_repeats);
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

impl Row {
    fn add(&mut self, cell: &Cell, n_repeats: u32) -> Result<(), TableProblem> {
        if matches!(cell, Cell::Empty) {
            self.column = self.column.saturating_add(n_repeats);
            return Ok(());
        }
        for _ in 0..n_repeats {
            if self.column as usize >= COLUMNS_MAX {
                return Err(TableProblem::damaged("it has a row that is longer than any"));
            }
            self.cells.push((self.column, cell.clone()));
            self.column += 1;
        }
        Ok(())
    }

    /// Produces all repetitions of the row.
    fn put(&self, sheet: &mut Sheet<'_, '_>) -> Result<(), TableProblem> {
        for at in self.at..self.at.saturating_add(self.n_repeats) {
            for (column, cell) in &self.cells {
                sheet.cell((at, *column), cell.clone())?;
            }
        }
        Ok(())
    }
}

/// Reads the content of a cell up to its end.
fn cell<R: BufRead>(xml: &mut Reader<R>, element: &BytesStart<'_>) -> Result<Cell, TableProblem> {
    let kind = attribute(element, "office:value-type")?;
    let is_error = attribute(element, "calcext:value-type")?.is_some_and(|kind| kind == "error");
    let value = |name: &str| attribute(element, name);
    let text = text(xml)?;
    if is_error || text.starts_with("Err:") {
        return Ok(Cell::Bad(text));
    }
    let stored = match kind.as_deref() {
        Some("float" | "percentage" | "currency") => {
            let value = value("office:value")?.unwrap_or_default();
            let number = Number::parse(&value);
            return Ok(number.map_or(Cell::Bad(value), Cell::Number));
        }
        Some("date") => value("office:date-value")?
            .map(|date| date.strip_suffix("T00:00:00").unwrap_or(&date).to_owned()),
        Some("time") => value("office:time-value")?,
        Some("boolean") => value("office:boolean-value")?,
        Some(_) => value("office:string-value")?,
        None => None,
    };
    let text = stored.unwrap_or(text);
    Ok(if text.is_empty() { Cell::Empty } else { Cell::Text(text) })
}

/// Reads the text of a cell up to its end.
fn text<R: BufRead>(xml: &mut Reader<R>) -> Result<String, TableProblem> {
    let mut text = String::new();
    let mut buffer = Vec::new();
    // Comments are inside of cells, but not part of their text.
    let (mut n_open, mut n_aside, mut n_paragraphs) = (1_u32, 0_u32, 0);
    while n_open > 0 {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(TableProblem::damaged)? {
            Event::Start(element) => {
                n_open += 1;
                match element.name().as_ref() {
                    _ if n_aside > 0 => n_aside += 1,
                    "office:annotation" => n_aside = 1,
                    "text:p" => {
                        if n_paragraphs > 0 {
                            text.push(' ');
                        }
                        n_paragraphs += 1;
                    }
                    "text:s" => {
                        let n_blanks = repeats(&element, "text:c")?.min(256);
                        (0..n_blanks).for_each(|_| text.push(' '));
                    }
                    "text:tab" | "text:line-break" => text.push(' '),
                    _ => {}
                }
            }
            Event::End(_) => {
                n_open -= 1;
                n_aside = n_aside.saturating_sub(1);
            }
            Event::Text(part) if n_aside == 0 => text.push_str(&part.xml10_content()),
            Event::GeneralRef(entity) if n_aside == 0 => {
                let name = entity.as_ref();
                let letter = entity.resolve_char_ref().map_err(TableProblem::damaged)?;
                match (letter, quick_xml::escape::resolve_xml_entity(name)) {
                    (Some(letter), _) => text.push(letter),
                    (None, Some(known)) => text.push_str(known),
                    (None, None) => return Err(TableProblem::damaged("it has an unknown entity")),
                }
            }
            Event::Eof => return Err(TableProblem::damaged("it ends within a cell")),
            _ => {}
        }
    }
    Ok(text)
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, TableProblem> {
    let found = element.try_get_attribute(name).map_err(TableProblem::damaged)?;
    let value = found.map(|found| found.normalized_value(XmlVersion::Implicit1_0));
    let value = value.transpose().map_err(TableProblem::damaged)?;
    Ok(value.map(std::borrow::Cow::into_owned))
}

fn repeats(element: &BytesStart<'_>, name: &str) -> Result<u32, TableProblem> {
    match attribute(element, name)? {
        None => Ok(1),
        Some(number) => number.parse().map_err(TableProblem::damaged),
    }
}
