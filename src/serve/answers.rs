//! Answers in every format: records, and rows of tables.
//!
//! JSON has an object with the vintage, facts and `rows`. The other formats have the rows alone;
//! their facts are metadata where the format has a place for them.

use std::io::Write as _;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde_json::{Map, Value, json};

use super::call::Call;
use super::format::Format;
use super::out::{Out, gone};
use super::problem::Problem;
use super::route::{Column, Kind};
use crate::render::table::{self, About, FormatError, TableFile, jsonl};
use crate::tables::meanings::meaning;
use crate::tables::sheet::Sheet;

/// Facts beside the rows of an answer.
pub type Facts = Map<String, Value>;

/// Rows with facts, ready to be written.
pub struct Answered<'a> {
    /// The name, keys and columns of the rows.
    pub sheet: &'a Sheet,
    /// Facts for JSON.
    pub facts: Facts,
    /// Facts for formats with metadata.
    pub about: Vec<(String, String)>,
    /// Facts that are known after the rows, for JSON.
    pub after: &'a dyn Fn() -> Facts,
}

/// An error of writing rows: of a batch or of the format.
#[derive(Debug)]
enum WriteError {
    Problem(Problem),
    Format(FormatError),
}

impl From<FormatError> for WriteError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Problem(problem) => problem,
            WriteError::Format(FormatError::TooManyRows { table }) => {
                let detail = format!(
                    "the table {table} has more rows than a workbook can hold; choose rows, or \
                     take csv or parquet"
                );
                Self::new("too_many_rows", detail)
            }
            WriteError::Format(error) => Self::new("defect", error.to_string()),
        }
    }
}

/// Writes rows in the requested format, while they are read.
///
/// # Errors
/// The problems of the batches; [`Problem`] if the format cannot hold the rows.
pub fn rows(
    (call, out): (&Call, &mut Out),
    answered: Answered<'_>,
    batches: &mut dyn Iterator<Item = Result<RecordBatch, Problem>>,
) -> Result<(), Problem> {
    let Answered { sheet, facts, about, after } = answered;
    let is_for_excel = call.query.is_on("excel")?;
    if is_for_excel && call.format != Format::Csv {
        return Err(Problem::parameter("excel", "it applies to csv alone"));
    }
    let Some(format) = call.format.of_table() else {
        return json_rows((call, out), sheet, facts, (batches, after));
    };
    let format = if is_for_excel { table::Format::ExcelCsv } else { format };
    let suffix = call.format.suffix();
    out.is(call.format.media_type(), Some(format!("{}.{suffix}", sheet.name)));
    let about = About { facts: about };
    let batches = batches.map(|batch| batch.map_err(WriteError::Problem));
    Ok(table::write(out, format, &TableFile { sheet, about: &about }, batches)?)
}

type Batches<'a> = &'a mut dyn Iterator<Item = Result<RecordBatch, Problem>>;

fn json_rows(
    (call, out): (&Call, &mut Out),
    sheet: &Sheet,
    mut facts: Facts,
    (batches, after): (Batches<'_>, &dyn Fn() -> Facts),
) -> Result<(), Problem> {
    // The first batch is read before the first byte, so that its failure is a problem.
    let mut batches = batches.peekable();
    if let Some(Err(_)) = batches.peek() {
        return Err(batches.next().and_then(Result::err).unwrap_or_else(gone));
    }
    facts.insert("columns".to_owned(), columns(sheet, call));
    let mut write = |text: &[u8]| out.write_all(text).map_err(|_| gone());
    let head = Value::Object(facts).to_string();
    write(head.strip_suffix('}').unwrap_or(&head).as_bytes())?;
    write(b",\"rows\":[")?;
    let mut separator: &[u8] = b"\n";
    for batch in batches {
        let mut lines = Vec::new();
        let defect = |error: FormatError| Problem::from(WriteError::from(error));
        jsonl::write(&mut lines, &batch?).map_err(|error| defect(error.into()))?;
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            write(separator)?;
            write(line)?;
            separator = b",\n";
        }
    }
    let tail = Value::Object(after()).to_string();
    let tail = tail.strip_prefix('{').unwrap_or(&tail);
    write(if tail == "}" { b"\n]" } else { b"\n]," })?;
    write(tail.as_bytes())?;
    write(b"\n")
}

/// The columns of a table with type, unit and label.
fn columns(sheet: &Sheet, call: &Call) -> Value {
    let column = |field: &Arc<Field>| {
        let kind = match field.data_type() {
            DataType::Utf8 => "text",
            DataType::Float64 => "number",
            DataType::Decimal128(..) => "amount",
            DataType::Boolean => "flag",
            _ => "integer",
        };
        let mut column = json!({ "name": field.name(), "type": kind });
        if let Some(meaning) = meaning(sheet.name, field.name()) {
            column["unit"] = meaning.unit.as_str().into();
            column["label"] = meaning.label(call.language).into();
        }
        column
    };
    sheet.schema.fields().iter().map(column).collect()
}

/// The facts that every answer has.
#[must_use]
pub fn facts(call: &Call, vintage: u32) -> Facts {
    let mut facts = Facts::new();
    facts.insert("vintage".to_owned(), vintage.into());
    facts.insert("newest_vintage".to_owned(), call.edition.vintage.into());
    facts.insert("publication".to_owned(), call.edition.publication.into());
    facts
}

/// Records with declared columns.
pub struct Records {
    /// The name.
    pub name: &'static str,
    /// The declared columns.
    pub columns: &'static [Column],
    /// Further facts for JSON.
    pub facts: Facts,
    /// The records; a member without a column is in JSON alone.
    pub rows: Vec<Map<String, Value>>,
}

/// Writes records in the requested format.
///
/// # Errors
/// A [`Problem`] if a record does not fit its columns: a defect.
pub fn records(
    (call, out): (&Call, &mut Out),
    vintage: u32,
    records: Records,
) -> Result<(), Problem> {
    out.is_of(vintage);
    let Records { name, columns, facts: more, rows: all } = records;
    if call.format == Format::Json {
        let mut facts = facts(call, vintage);
        facts.extend(more);
        facts.insert("rows".to_owned(), all.into());
        return out.text("application/json", &format!("{}\n", Value::Object(facts)));
    }
    let batch = batch(columns, &all)?;
    let sheet = Sheet { name, keys: &[], schema: batch.schema() };
    let answered = Answered {
        sheet: &sheet,
        facts: Facts::new(),
        about: vec![("vintage".to_owned(), vintage.to_string())],
        after: &Facts::new,
    };
    rows((call, out), answered, &mut std::iter::once(Ok(batch)))
}

/// Writes a JSON document with the facts that every answer has.
///
/// # Errors
/// A [`Problem`] if the client is gone.
pub fn document(
    (call, out): (&Call, &mut Out),
    vintage: u32,
    members: Facts,
) -> Result<(), Problem> {
    out.is_of(vintage);
    let mut facts = facts(call, vintage);
    facts.extend(members);
    out.text("application/json", &format!("{}\n", Value::Object(facts)))
}

/// Records as columns.
fn batch(columns: &[Column], rows: &[Map<String, Value>]) -> Result<RecordBatch, Problem> {
    let values = |name: &'static str| rows.iter().map(move |row| row.get(name));
    let array = |column: &Column| -> ArrayRef {
        let values = values(column.name);
        match column.kind {
            Kind::Integer | Kind::Count(_) => {
                Arc::new(values.map(|value| value?.as_i64()).collect::<Int64Array>())
            }
            Kind::Number => Arc::new(values.map(|value| value?.as_f64()).collect::<Float64Array>()),
            Kind::Flag => Arc::new(values.map(|value| value?.as_bool()).collect::<BooleanArray>()),
            _ => Arc::new(values.map(text).collect::<StringArray>()),
        }
    };
    let field = |column: &Column| {
        let kind = match column.kind {
            Kind::Integer | Kind::Count(_) => DataType::Int64,
            Kind::Number => DataType::Float64,
            Kind::Flag => DataType::Boolean,
            _ => DataType::Utf8,
        };
        Field::new(column.name, kind, true)
    };
    let schema: SchemaRef = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let made = RecordBatch::try_new(schema, columns.iter().map(array).collect());
    made.map_err(|error| Problem::new("defect", error.to_string()))
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The members of a value that is an object.
#[must_use]
pub fn members(value: Value) -> Facts {
    match value {
        Value::Object(members) => members,
        _ => Facts::new(),
    }
}
