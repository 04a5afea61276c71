//! The part of a table that a request asks for: order, page, columns and names.
//!
//! A cursor has the vintage and a number of rows. The next page is of the same vintage, even after
//! a new publication.

use std::cell::Cell;
use std::sync::Arc;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;

use super::answers::Facts;
use super::call::Call;
use super::format::Format;
use super::problem::Problem;
use crate::reader::chosen::WithNames;
use crate::reader::conditions::{SortKeys, check_columns, sorted};
use crate::tables::sheet::Sheet;

/// The rows of a page of JSON without a request.
const PAGE: usize = 1_000;
/// The most rows of a page.
pub const PAGE_MAX: usize = 10_000;
/// The most rows that are sorted.
const SORT_MAX: usize = 2_000_000;

/// Batches of a table.
type Batches<'a> = &'a mut dyn Iterator<Item = Result<RecordBatch, Problem>>;

/// Order, page, columns and names.
pub struct Selection {
    sort: SortKeys,
    columns: Option<Vec<String>>,
    names: Option<WithNames>,
    offset: usize,
    limit: Option<usize>,
}

/// The rows that a selection has passed on.
#[derive(Debug, Default)]
pub struct Passed {
    n_rows: Cell<usize>,
    has_more: Cell<bool>,
}

impl Selection {
    /// The selection of a request on a table, for an answer at a vintage.
    ///
    /// # Errors
    /// A [`Problem`] if a parameter has a bad value, or the table does not have a column.
    pub fn of(
        call: &Call,
        sheet: &Sheet,
        vintage: u32,
        names: Option<WithNames>,
    ) -> Result<Self, Problem> {
        let query = &call.query;
        let key = |text: String| match text.strip_prefix('-') {
            Some(name) => (name.to_owned(), true),
            None => (text, false),
        };
        let sort: SortKeys = query.list::<String>("sort")?.into_iter().map(key).collect();
        check(sheet, "sort", sort.iter().map(|(name, _)| name.as_str()))?;
        let columns = query.list::<String>("columns")?;
        check(sheet, "columns", columns.iter().map(String::as_str))?;
        let columns = Some(columns).filter(|columns| !columns.is_empty());
        let offset = query.text("page").map_or(Ok(0), |page| offset(page, vintage))?;
        let limit = query.count("limit", PAGE_MAX)?;
        let is_paged = call.format == Format::Json || offset > 0;
        let limit = limit.or(is_paged.then_some(PAGE));
        Ok(Self { sort, columns, names, offset, limit })
    }

    /// The sheet of the selected columns, with names.
    ///
    /// # Errors
    /// A [`Problem`] if the columns do not fit the table: a defect.
    pub fn sheet(&self, sheet: &Sheet) -> Result<Sheet, Problem> {
        let mut own = sheet.clone();
        if let Some(columns) = &self.columns {
            let at = columns.iter().map(|name| sheet.schema.index_of(name));
            let at = at.collect::<Result<Vec<_>, _>>().map_err(defect)?;
            own.schema = Arc::new(sheet.schema.project(&at).map_err(defect)?);
        }
        Ok(self.names.as_ref().map_or(own.clone(), |names| names.sheet(&own)))
    }

    /// The selected rows.
    ///
    /// # Errors
    /// The problems of the batches; [`Problem`] if too many rows are to be sorted.
    pub fn rows<'b>(
        &'b self,
        batches: Batches<'b>,
        passed: &'b Passed,
    ) -> Result<Box<dyn Iterator<Item = Result<RecordBatch, Problem>> + 'b>, Problem> {
        let mut batches: Box<dyn Iterator<Item = Result<RecordBatch, Problem>> + 'b> =
            if self.sort.is_empty() {
                Box::new(batches)
            } else {
                Box::new(std::iter::once(Ok(self.in_order(batches)?)))
            };
        let mut skip = self.offset;
        let mut left = self.limit.unwrap_or(usize::MAX);
        Ok(Box::new(std::iter::from_fn(move || {
            loop {
                let batch = match batches.next()? {
                    Ok(batch) => batch,
                    Err(problem) => return Some(Err(problem)),
                };
                let n_skipped = skip.min(batch.num_rows());
                skip -= n_skipped;
                let n_rows = batch.num_rows() - n_skipped;
                if n_rows == 0 {
                    continue;
                }
                if left == 0 {
                    passed.has_more.set(true);
                    return None;
                }
                let n_taken = n_rows.min(left);
                left -= n_taken;
                passed.n_rows.set(passed.n_rows.get() + n_taken);
                passed.has_more.set(n_taken < n_rows);
                if n_taken < n_rows {
                    // Nothing after this batch is needed.
                    batches = Box::new(std::iter::empty());
                }
                return Some(self.shown(&batch.slice(n_skipped, n_taken)));
            }
        })))
    }

    /// The facts about the page, for the end of a JSON document.
    #[must_use]
    pub fn page(&self, call: &Call, vintage: u32, passed: &Passed) -> Facts {
        let mut facts = Facts::new();
        facts.insert("n_rows".to_owned(), passed.n_rows.get().into());
        let next = passed.has_more.get().then(|| {
            let cursor = format!("{vintage}-{}", self.offset + passed.n_rows.get());
            let query = call.query.with("as_of", &vintage.to_string()).with("page", &cursor);
            format!("{}?{}", call.path, query.written())
        });
        facts.insert("next".to_owned(), next.into());
        facts
    }

    fn in_order(&self, batches: Batches<'_>) -> Result<RecordBatch, Problem> {
        let (mut held, mut n_rows) = (Vec::new(), 0);
        for batch in batches {
            let batch = batch?;
            n_rows += batch.num_rows();
            if n_rows > SORT_MAX {
                let detail = format!(
                    "the answer would sort more than {SORT_MAX} rows; choose rows, for example one \
                     year, or leave sort out"
                );
                return Err(Problem::new("too_many_rows", detail));
            }
            held.push(batch);
        }
        let Some(first) = held.first() else {
            return Ok(RecordBatch::new_empty(Arc::new(arrow_schema::Schema::empty())));
        };
        let all = concat_batches(&first.schema(), &held).map_err(defect)?;
        let mut rows = sorted(&all, &self.sort).map_err(defect)?;
        let end = self.limit.map(|limit| self.offset + limit + 1);
        rows.truncate(end.unwrap_or(usize::MAX));
        take_record_batch(&all, &UInt32Array::from(rows)).map_err(defect)
    }

    fn shown(&self, batch: &RecordBatch) -> Result<RecordBatch, Problem> {
        let mut batch = batch.clone();
        if let Some(columns) = &self.columns {
            let schema = batch.schema();
            let at = columns.iter().map(|name| schema.index_of(name));
            let at = at.collect::<Result<Vec<_>, _>>().map_err(defect)?;
            batch = batch.project(&at).map_err(defect)?;
        }
        match &self.names {
            None => Ok(batch),
            Some(names) => names.rows(&batch).map_err(defect),
        }
    }
}

fn check<'c>(
    sheet: &Sheet,
    parameter: &str,
    columns: impl Iterator<Item = &'c str>,
) -> Result<(), Problem> {
    check_columns(sheet, columns).map_err(|error| Problem::parameter(parameter, error))
}

/// The number of rows before a page.
fn offset(page: &str, vintage: u32) -> Result<usize, Problem> {
    let cursor = page
        .split_once('-')
        .and_then(|(of, offset)| Some((of.parse::<u32>().ok()?, offset.parse::<u32>().ok()?)));
    match cursor {
        Some((of, offset)) if of == vintage => Ok(offset as usize),
        Some((of, _)) => Err(Problem::parameter(
            "page",
            format!("the page is of vintage {of}, the answer of {vintage}; add as_of={of}"),
        )),
        None => Err(Problem::parameter("page", "take the address in \"next\" of the page before")),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
fn defect(error: ArrowError) -> Problem {
    Problem::new("defect", error.to_string())
}
