//! Changes between two states of the published tables: each figure, before and after.
//!
//! ```text
//! a year of a table, before ─┐ rows paired by key
//!                     after ─┴─▶ a figure that differs between the sides is a move
//! ```
//! A new or removed row changes each of its figures that are not absent. `months` is not a figure:
//! it describes a year's figures and accompanies each change.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt8Type;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt8Array, UInt16Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use crate::domain::types::Year;
use crate::home::parts::Table;
use crate::tables::cells::Cells;
use crate::tables::export::{ExportError, TableAt};
use crate::tables::sheet::Sheet;

/// The number of rows compared at a time.
const ROWS_AT_A_TIME: usize = 1 << 14;

/// A changed figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The firm, city and country of the row; `None` for the firm in a table without firms.
    pub key: [Option<String>; 3],
    /// The column.
    pub column: String,
    /// The earlier value; `None` if it was absent.
    pub before: Option<String>,
    /// The new value; `None` if it is absent.
    pub after: Option<String>,
    /// The size of the change in log points, if it is defined: the difference of a figure, or the
    /// log ratio of an amount or a count.
    pub size: Option<f64>,
}

/// A year of a table in two states, with rows paired by key.
pub struct YearMoves {
    /// The table.
    pub table: Table,
    /// The year.
    pub year: Year,
    /// The number of months behind the figures, before and after; zero if the year is absent.
    pub months: [u8; 2],
    sides: [RecordBatch; 2],
    pairs: Vec<[Option<usize>; 2]>,
    at: usize,
}

impl YearMoves {
    /// Pairs the rows of two states of a year, each sorted by key.
    ///
    /// # Errors
    /// Arrow's error for a key that is not a text: a damaged or foreign part.
    pub fn new(
        table: Table,
        year: Year,
        before: RecordBatch,
        after: RecordBatch,
    ) -> Result<Self, ArrowError> {
        let pairs = paired(table.key(), &before, &after)?;
        let months = [&before, &after].map(months);
        Ok(Self { table, year, months, sides: [before, after], pairs, at: 0 })
    }

    /// The numbers of new rows and of removed rows.
    #[must_use]
    pub fn n_rows_new_and_gone(&self) -> [usize; 2] {
        let lack = |side: usize| self.pairs.iter().filter(|pair| pair[side].is_none()).count();
        [lack(0), lack(1)]
    }

    /// The moves of the next rows; `None` after all rows are compared.
    ///
    /// # Errors
    /// An error if a column has a type that no table has.
    pub fn next_moves(&mut self) -> Option<Result<Vec<Move>, ArrowError>> {
        if self.at >= self.pairs.len() {
            return None;
        }
        let end = self.pairs.len().min(self.at + ROWS_AT_A_TIME);
        let pairs = &self.pairs[self.at..end];
        self.at = end;
        Some(self.moves(pairs))
    }

    fn moves(&self, pairs: &[[Option<usize>; 2]]) -> Result<Vec<Move>, ArrowError> {
        let mut moves: Vec<(usize, Move)> = Vec::new();
        for name in self.figures() {
            let columns = [0, 1].map(|side| self.sides[side].column_by_name(&name));
            let cells = columns.map(|column| column.map(Cells::of).transpose());
            let [before, after] = cells;
            let cells = [before?, after?];
            let is_flag = columns.iter().flatten().any(|c| *c.data_type() == DataType::UInt8);
            for (at, pair) in pairs.iter().enumerate() {
                if let ([Some(a), Some(b)], [Some(row), Some(other)]) = (&cells, pair)
                    && a.is_same(*row, b, *other)
                {
                    continue;
                }
                let [before, after] = [0, 1].map(|side| text(cells[side].as_ref(), pair[side]));
                if before == after {
                    continue;
                }
                let is_float = cells.iter().flatten().any(|c| matches!(c, Cells::Float(_)));
                // A figure of a province without exporters is 0, so the difference has no size.
                let is_zero = |side: &Option<String>| side.as_deref() == Some("0");
                let is_absent =
                    name.starts_with("province") && (is_zero(&before) || is_zero(&after));
                let size = size(before.as_deref(), after.as_deref(), is_float)
                    .filter(|_| !is_flag && !is_absent);
                let key = self.key(*pair)?;
                moves.push((at, Move { key, column: name.clone(), before, after, size }));
            }
        }
        moves.sort_by_key(|(at, _)| *at);
        Ok(moves.into_iter().map(|(_, moved)| moved).collect())
    }

    /// The columns with figures, of both sides.
    fn figures(&self) -> Vec<String> {
        let keys = self.table.key();
        let mut names: Vec<String> = Vec::new();
        for side in [1, 0] {
            for field in self.sides[side].schema().fields() {
                let name = field.name();
                let is_figure = name != "year" && name != "months" && !keys.contains(&&**name);
                if is_figure && !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        names
    }

    fn key(&self, pair: [Option<usize>; 2]) -> Result<[Option<String>; 3], ArrowError> {
        let side = usize::from(pair[0].is_none());
        let row = pair[side].expect("a pair has a row on one side at least");
        let texts = keys(&["city", "country"], &self.sides[side])?;
        let firm = keys(&["firm"], &self.sides[side]).ok();
        Ok([
            firm.map(|firm| firm[0].value(row).to_owned()),
            Some(texts[0].value(row).to_owned()),
            Some(texts[1].value(row).to_owned()),
        ])
    }
}

fn text(cells: Option<&Cells<'_>>, row: Option<usize>) -> Option<String> {
    let (cells, row) = (cells?, row?);
    let mut text = String::new();
    cells.write(row, &mut text);
    (!text.is_empty()).then_some(text)
}

fn size(before: Option<&str>, after: Option<&str>, is_float: bool) -> Option<f64> {
    let before: f64 = before?.parse().ok()?;
    let after: f64 = after?.parse().ok()?;
    if is_float {
        return Some(after - before);
    }
    (before > 0.0 && after > 0.0).then(|| libm::log(after / before))
}

fn months(rows: &RecordBatch) -> u8 {
    let column = rows.column_by_name("months").and_then(|c| c.as_primitive_opt::<UInt8Type>());
    column.filter(|column| !column.is_empty()).map_or(0, |column| column.value(0))
}

fn keys<'r>(names: &[&str], rows: &'r RecordBatch) -> Result<Vec<&'r StringArray>, ArrowError> {
    let text = |name: &&str| {
        rows.column_by_name(name)
            .and_then(|column| column.as_string_opt::<i32>())
            .ok_or_else(|| ArrowError::SchemaError(format!("no text column {name}")))
    };
    names.iter().map(text).collect()
}

/// Merges two sides that are sorted by key.
fn paired(
    names: &[&str],
    before: &RecordBatch,
    after: &RecordBatch,
) -> Result<Vec<[Option<usize>; 2]>, ArrowError> {
    let (left, right) = (keys(names, before)?, keys(names, after)?);
    let order = |a: usize, b: usize| {
        let values = left.iter().zip(&right).map(|(l, r)| l.value(a).cmp(r.value(b)));
        values.fold(Ordering::Equal, Ordering::then)
    };
    let mut pairs = Vec::with_capacity(after.num_rows());
    let (mut a, mut b) = (0, 0);
    while a < before.num_rows() || b < after.num_rows() {
        let order = match (a < before.num_rows(), b < after.num_rows()) {
            (true, true) => order(a, b),
            (true, false) => Ordering::Less,
            _ => Ordering::Greater,
        };
        pairs.push([order.is_le().then_some(a), order.is_ge().then_some(b)]);
        a += usize::from(order.is_le());
        b += usize::from(order.is_ge());
    }
    Ok(pairs)
}

/// The years of a table that differ between two states, in order; unchanged years are not read.
///
/// # Errors
/// Those of [`TableAt::year`], for each year.
pub fn between<'t>(
    before: &'t TableAt,
    after: &'t TableAt,
    year: Option<Year>,
) -> impl Iterator<Item = Result<YearMoves, ExportError>> + use<'t> {
    years_between(before, after, year).into_iter().map(|of| {
        let (left, right) = (before.year(of)?, after.year(of)?);
        YearMoves::new(after.table(), of, left, right).map_err(|source| ExportError::Rows {
            table: after.table().name(),
            year: of,
            source,
        })
    })
}

/// The years (or the given one) whose rows may differ between two states of a table, in order.
pub(super) fn years_between(before: &TableAt, after: &TableAt, year: Option<Year>) -> Vec<Year> {
    let mut years: Vec<Year> = before.years().chain(after.years()).collect();
    years.sort_unstable();
    years.dedup();
    years.retain(|of| year.is_none_or(|year| year == *of) && before.differs(after, *of));
    years
}

/// The columns of the table `changes` and of the output of `diff`.
#[must_use]
pub fn sheet(name: &'static str) -> Sheet {
    Sheet { name, keys: &["table", "firm", "city", "country", "year", "column"], schema: schema() }
}

fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("table", false),
        Field::new("year", DataType::UInt16, false),
        Field::new("months", DataType::UInt8, false),
        text("firm", true),
        text("city", false),
        text("country", false),
        text("column", false),
        text("before", true),
        text("after", true),
    ]))
}

/// The moves of years as rows of [`sheet`], in portions.
pub fn rows(
    years: impl Iterator<Item = Result<YearMoves, ExportError>>,
) -> impl Iterator<Item = Result<RecordBatch, ExportError>> {
    years.flat_map(|year| {
        let (mut year, mut failed) = match year {
            Ok(year) => (Some(year), None),
            Err(error) => (None, Some(error)),
        };
        std::iter::from_fn(move || {
            if let Some(error) = failed.take() {
                return Some(Err(error));
            }
            let of = year.as_mut()?;
            let (table, at) = (of.table.name(), of.year);
            let rows = of.next_moves()?.and_then(|moves| batch(of, &moves));
            Some(rows.map_err(|source| ExportError::Rows { table, year: at, source }))
        })
    })
}

fn batch(of: &YearMoves, moves: &[Move]) -> Result<RecordBatch, ArrowError> {
    let n = moves.len();
    let months = if of.months[1] > 0 { of.months[1] } else { of.months[0] };
    let text = |value: &dyn Fn(&Move) -> Option<String>| -> ArrayRef {
        Arc::new(moves.iter().map(value).collect::<StringArray>())
    };
    let columns: Vec<ArrayRef> = vec![
        text(&|_| Some(of.table.name().to_owned())),
        Arc::new(UInt16Array::from(vec![of.year.0; n])),
        Arc::new(UInt8Array::from(vec![months; n])),
        text(&|moved| moved.key[0].clone()),
        text(&|moved| moved.key[1].clone()),
        text(&|moved| moved.key[2].clone()),
        text(&|moved| Some(moved.column.clone())),
        text(&|moved| moved.before.clone()),
        text(&|moved| moved.after.clone()),
    ];
    RecordBatch::try_new(schema(), columns)
}

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, UInt32Array};

    use super::*;

    fn year(rows: &[(&str, u32, Option<f64>)]) -> RecordBatch {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("months", Arc::new(UInt8Array::from(vec![3; rows.len()]))),
            ("city", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
            ("country", Arc::new(StringArray::from(vec!["502"; rows.len()]))),
            ("exporters", Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.1)))),
            ("growth", Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>())),
        ];
        RecordBatch::try_from_iter(columns).expect("columns of one length")
    }

    fn spelled(moves: &[Move]) -> Vec<String> {
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let line =
            |m: &Move| format!("{} {} {} {}", or(&m.key[1]), m.column, or(&m.before), or(&m.after));
        moves.iter().map(line).collect()
    }

    #[test]
    fn rows_that_come_go_or_change_move_the_figures_that_differ() {
        let before = year(&[("a", 1, Some(0.5)), ("b", 2, None), ("d", 4, None)]);
        let after = year(&[("a", 1, Some(0.25)), ("c", 3, None), ("d", 4, None)]);
        let mut moves = YearMoves::new(Table::City, Year(2001), before, after).expect("paired");
        assert_eq!(moves.n_rows_new_and_gone(), [1, 1]);
        assert_eq!(moves.months, [3, 3]);
        let found = moves.next_moves().expect("rows").expect("figures");
        assert_eq!(spelled(&found), ["a growth 0.5 0.25", "b exporters 2 -", "c exporters - 3"]);
        assert_eq!(found[0].size, Some(-0.25));
        assert!(moves.next_moves().is_none());
    }

    #[test]
    fn an_amount_moves_by_the_log_of_its_ratio() {
        assert_eq!(size(Some("2"), Some("2"), false), Some(0.0));
        assert_eq!(size(Some("1"), Some("2.718281828459045"), false), Some(1.0));
        assert_eq!(size(Some("0"), Some("2"), false), None);
        assert_eq!(size(None, Some("2"), true), None);
    }
}
