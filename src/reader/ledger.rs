//! The tables `files` and `rejects`: accepted files and rejected lines.
//!
//! Refused files have no vintage; their rejected lines are a table without this column.
//!
//! The column `counts` of both tables is true if the row's file counts at the requested vintage. A
//! superseded or withdrawn file stays in the tables, and so do its rejected lines.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use crate::domain::record::{Exclusion, Reject, Rule};
use crate::domain::types::{Vintage, Year};
use crate::home::{FileEntry, Home};
use crate::tables::export::{ExportError, Selection, check_year};
use crate::tables::sheet::Sheet;

/// The accepted files of a selection, in their state at its vintage.
fn selected(
    home: &Home,
    table: &'static str,
    selection: Selection,
) -> Result<Vec<FileEntry>, ExportError> {
    let as_of = selection.as_of.unwrap_or(Vintage(u32::MAX));
    let newest = home.last_vintage()?.unwrap_or_default();
    let is_there = |vintage: &Vintage| (Vintage(1)..=newest).contains(vintage);
    if let Some(vintage) = selection.as_of.filter(|vintage| !is_there(vintage)) {
        return Err(ExportError::NoVintage { vintage, newest });
    }
    let of_year = |file: &FileEntry| selection.year.is_none_or(|year| year == file.period.year());
    let mut files = home.files()?;
    files.retain(|file| file.vintage <= as_of);
    check_year(table, selection.year, files.iter().map(|file| file.period.year()))?;
    files.retain(of_year);
    for file in &mut files {
        file.superseded_by = file.superseded_by.filter(|by| *by <= as_of);
        file.withdrawn_at = file.withdrawn_at.filter(|at| *at <= as_of);
    }
    Ok(files)
}

/// The table `files`: one row for each accepted file, with its lines by outcome.
///
/// # Errors
/// [`ExportError::Home`] if the manifest cannot be read.
///
/// # Panics
/// Never: the columns fit the schema.
pub fn files(home: &Home, selection: Selection) -> Result<(Sheet, RecordBatch), ExportError> {
    let files = selected(home, "files", selection)?;
    let mut columns = FileColumns { files: &files, fields: Vec::new(), arrays: Vec::new() };
    columns.number("vintage", |file| u64::from(file.vintage.0));
    columns.number("period", |file| u64::from(file.period.as_yyyymm()));
    columns.text("file", |file| Some(file.name.clone()));
    columns.text("hash", |file| Some(file.hash.clone()));
    columns.number("lines", |file| file.counts.lines);
    columns.number("accepted", |file| file.counts.accepted);
    columns.number("excluded", |file| file.counts.excluded_total());
    columns.number("rejected", |file| file.counts.rejected_total());
    for (position, exclusion) in Exclusion::ALL.iter().enumerate() {
        let name = format!("excluded_{}", exclusion.name());
        columns.number(&name, |file| file.counts.excluded[position]);
    }
    for (position, rule) in Rule::ALL.iter().enumerate() {
        let name = format!("rejected_{}", rule.name());
        columns.number(&name, |file| file.counts.rejected[position]);
    }
    columns.number("rounded", |file| file.counts.rounded);
    columns.number("footers", |file| file.counts.footers);
    columns.text("superseded_by", |file| file.superseded_by.map(|by| by.to_string()));
    columns.text("withdrawn_at", |file| file.withdrawn_at.map(|at| at.to_string()));
    columns.flag("counts", FileEntry::counts_now);
    let schema: SchemaRef = Arc::new(Schema::new(columns.fields));
    let rows = RecordBatch::try_new(Arc::clone(&schema), columns.arrays).expect("made to fit");
    Ok((Sheet { name: "files", keys: &["vintage"], schema }, rows))
}

struct FileColumns<'a> {
    files: &'a [FileEntry],
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl FileColumns<'_> {
    fn number(&mut self, name: &str, value: impl Fn(&FileEntry) -> u64) {
        self.fields.push(Field::new(name, DataType::UInt64, false));
        self.arrays.push(Arc::new(UInt64Array::from_iter_values(self.files.iter().map(value))));
    }

    fn flag(&mut self, name: &str, value: impl Fn(&FileEntry) -> bool) {
        self.fields.push(Field::new(name, DataType::Boolean, false));
        let values: Vec<bool> = self.files.iter().map(value).collect();
        self.arrays.push(Arc::new(BooleanArray::from(values)));
    }

    fn text(&mut self, name: &str, value: impl Fn(&FileEntry) -> Option<String>) {
        self.fields.push(Field::new(name, DataType::Utf8, true));
        self.arrays.push(Arc::new(self.files.iter().map(value).collect::<StringArray>()));
    }
}

/// The name, keys and columns of the table `rejects`.
#[must_use]
pub fn rejects_sheet() -> Sheet {
    Sheet { name: "rejects", keys: &["vintage", "line"], schema: rejects_schema() }
}

fn rejects_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("vintage", DataType::UInt32, false),
        Field::new("file", DataType::Utf8, false),
        Field::new("line", DataType::UInt32, false),
        Field::new("column", DataType::Utf8, false),
        Field::new("rule", DataType::Utf8, false),
        Field::new("raw", DataType::Utf8, false),
        Field::new("counts", DataType::Boolean, false),
    ]))
}

/// The table `rejects`, in batches of one file.
///
/// # Errors
/// [`ExportError::Home`] if the manifest cannot be read; also for each file.
pub fn rejects(
    home: &Home,
    selection: Selection,
) -> Result<impl Iterator<Item = Result<RecordBatch, ExportError>>, ExportError> {
    let files = selected(home, "rejects", selection)?;
    let files = files.into_iter().filter(|file| file.counts.rejected_total() > 0);
    Ok(files.map(|file| Ok(reject_rows(&file, &home.rejects(file.vintage)?))))
}

fn reject_rows(file: &FileEntry, rejects: &[Reject]) -> RecordBatch {
    let (vintage, counts) = (file.vintage, file.counts_now());
    let text = |value: fn(&Reject) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rejects.iter().map(value)))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(rejects.iter().map(|_| vintage.0))),
        Arc::new(StringArray::from_iter_values(rejects.iter().map(|_| &file.name))),
        Arc::new(UInt32Array::from_iter_values(rejects.iter().map(|reject| reject.line))),
        text(|reject| &reject.column),
        text(|reject| reject.rule.name()),
        text(|reject| &reject.raw),
        Arc::new(BooleanArray::from(vec![counts; rejects.len()])),
    ];
    RecordBatch::try_new(rejects_schema(), columns).expect("made to fit")
}

/// The name, keys and columns of the rejected lines of refused files.
#[must_use]
pub fn refused_sheet() -> Sheet {
    Sheet { name: "rejects", keys: &["file", "line"], schema: refused_schema() }
}

fn refused_schema() -> SchemaRef {
    let fields = rejects_schema();
    let fields = fields.fields().iter().filter(|of| !["vintage", "counts"].contains(&&**of.name()));
    Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()))
}

/// The kept rejected lines of refused files, in batches of one file.
///
/// # Errors
/// [`ExportError::Home`] if the manifest cannot be read; also for each file.
pub fn refused(
    home: &Home,
    year: Option<Year>,
) -> Result<impl Iterator<Item = Result<RecordBatch, ExportError>>, ExportError> {
    let files = home.refused()?.into_iter();
    let files = files.filter(move |file| year.is_none_or(|year| file.period.year() == year));
    Ok(files.map(|file| Ok(refused_rows(&file.name, &home.rejects_of_refused(&file.name)?))))
}

fn refused_rows(file: &str, rejects: &[Reject]) -> RecordBatch {
    let text = |value: fn(&Reject) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rejects.iter().map(value)))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rejects.iter().map(|_| file))),
        Arc::new(UInt32Array::from_iter_values(rejects.iter().map(|reject| reject.line))),
        text(|reject| &reject.column),
        text(|reject| reject.rule.name()),
        text(|reject| &reject.raw),
    ];
    RecordBatch::try_new(refused_schema(), columns).expect("made to fit")
}
