//! `verify`: recomputes everything from the home in one pass, and compares it with the published
//! tables, bit for bit.
//!
//! Input: a home. Output: named findings and the figures that they affect. A finding is a damaged
//! file, or a row or figure that differs from the records. The oracle recomputes in plain loops and
//! shares no operator with the engine.

mod damage;
mod finding;
mod runs;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;

use crate::check::oracle::{Oracle, Tables};
use crate::domain::types::Year;
use crate::engine::replay::Replay;
use crate::engine::{EngineError, LiveSegment};
use crate::home::parts::Table;
use crate::home::segment::Fields;
use crate::home::{Home, Stored};
use crate::tables::cells::fields_of;
use crate::tables::columns;
use crate::tables::export::{ExportError, TableAt, schema_of};
use crate::tables::sorted::by_key;
use crate::tables::{Context, city, plant};

pub use finding::{Affected, FINDINGS_MAX, Finding, Verification};

/// Verifies a home; `progress` is called after each segment.
///
/// # Errors
/// [`EngineError`] if the home cannot be opened at all; damage is a finding, not an error.
pub fn verify(home: &Home, progress: impl FnMut()) -> Result<Verification, EngineError> {
    let mut verification = Verification::default();
    for what in home.integrity()? {
        verification.found(Finding::Manifest(what));
    }
    damage::find(home, &mut verification)?;
    let mut replay = Replay::open(home)?;
    let tables = recompute(&mut replay, &mut verification, progress)?;
    let Some(tables) = tables else {
        look_at_parts(replay.home, &mut verification)?;
        return Ok(verification);
    };
    for table in [Table::City, Table::Plant] {
        if let Err(error) = compare(&replay, table, &tables, &mut verification) {
            verification.found(Finding::Part(table, error));
        }
    }
    Ok(verification)
}

/// Checks the files of both tables, for a home whose figures cannot be compared with the records.
fn look_at_parts(home: &Home, verification: &mut Verification) -> Result<(), EngineError> {
    for table in [Table::City, Table::Plant] {
        for part in home.parts(table, None)? {
            if let Err(error) = part.file.open(home.folder()) {
                verification.found(Finding::Part(table, error.into()));
            }
        }
    }
    Ok(())
}

/// Both tables from the segments; `None` if a segment is damaged, because the figures are then
/// unknown.
fn recompute(
    replay: &mut Replay<'_>,
    verification: &mut Verification,
    mut progress: impl FnMut(),
) -> Result<Option<Tables>, EngineError> {
    let geography = std::sync::Arc::clone(&replay.definition.geography);
    let mut oracle = Oracle::new(replay.calendar, &geography, replay.definition.choices);
    let recorded = replay.home.files()?;
    let stored_runs = replay.home.runs()?;
    let mut whole = true;
    for segment in replay.segments.clone() {
        let run = stored_runs.get(&segment.vintage);
        match count(replay, (&segment, run), &mut oracle) {
            Ok((found, is_run_right)) => {
                if let Some(run) = run.filter(|_| !is_run_right) {
                    let (file, path) = (segment.name.clone(), run.path.clone());
                    verification.found(Finding::Run { file, path });
                }
                verification.n_segments += 1;
                verification.n_records += found;
                let entry = recorded.iter().find(|file| file.vintage == segment.vintage);
                let recorded = entry.map_or(0, |file| file.counts.accepted);
                // A partly replaced file has fewer counted records than accepted ones.
                if found != recorded && segment.gone.is_empty() {
                    let vintage = segment.vintage;
                    verification.found(Finding::Count { vintage, found, recorded });
                }
            }
            Err(error) => {
                whole = false;
                verification.found(Finding::Segment(segment.vintage, error));
            }
        }
        progress();
    }
    Ok(whole.then(|| oracle.tables()))
}

/// Counts the records of a file; false if its run has other sums.
fn count(
    replay: &mut Replay<'_>,
    (segment, run): (&LiveSegment, Option<&Stored>),
    oracle: &mut Oracle<'_>,
) -> Result<(u64, bool), EngineError> {
    let (texts, records) = replay.read(segment, Fields::Figures)?;
    let mut n_shipments = 0;
    replay.names.shipments(&texts, &records, |shipment| {
        oracle.add(&shipment);
        n_shipments += 1;
    });
    // A damaged run is found with the other files.
    let adds_up = |run| runs::adds_up(replay, segment, run, (&texts, &records)).unwrap_or(true);
    Ok((n_shipments, run.is_none_or(adds_up)))
}

fn compare(
    replay: &Replay<'_>,
    table: Table,
    tables: &Tables,
    verification: &mut Verification,
) -> Result<(), ExportError> {
    let mut missing: Vec<Year> = replay.calendar.indicator_years().collect();
    let published = TableAt::published(replay.home, table, None, &replay.definition)?;
    for rows in published.rows(None) {
        let (year, rows) = match rows {
            Ok(rows) => rows,
            Err(error) => {
                // A year that cannot be read is reported once, as damage, and not as missing rows.
                let year = year_of(&error, &missing);
                verification.found(Finding::Part(table, error));
                if let Some(year) = year {
                    missing.retain(|other| *other != year);
                    if let Some(rows) = published.rewritten_year(year) {
                        let expected = expected(replay, table, tables, year)?;
                        differences(table, &rows, &expected, verification);
                    }
                }
                continue;
            }
        };
        missing.retain(|other| *other != year);
        let expected = expected(replay, table, tables, year)?;
        verification.n_rows += rows.num_rows();
        if rows != expected {
            differences(table, &rows, &expected, verification);
        }
    }
    for year in missing {
        let expected = expected(replay, table, tables, year)?;
        differences(table, &expected.slice(0, 0), &expected, verification);
    }
    Ok(())
}

/// The year of the part that an error names, from the part's path.
fn year_of(error: &ExportError, years: &[Year]) -> Option<Year> {
    match error {
        ExportError::Rows { year, .. } => Some(*year),
        ExportError::Home(error) => {
            let text = error.to_string();
            years.iter().copied().find(|year| text.contains(&format!("/{year}/")))
        }
        _ => None,
    }
}

/// The expected rows of a year.
fn expected(
    replay: &Replay<'_>,
    table: Table,
    tables: &Tables,
    year: Year,
) -> Result<RecordBatch, ExportError> {
    let context = Context {
        firms: &replay.names.firms,
        countries: &replay.names.countries,
        definition: &replay.definition,
    };
    let months = replay.calendar.months(year);
    let with_supply = context.definition.supply.is_some();
    let rows = match table {
        Table::City => {
            let rows: Vec<_> = tables.city.iter().filter(|r| r.year == year).copied().collect();
            columns::rows(&city::columns(), &rows, months, &context)
        }
        Table::Plant => {
            let rows: Vec<_> = tables.plant.iter().filter(|r| r.year == year).copied().collect();
            columns::rows(&plant::columns(with_supply), &rows, months, &context)
        }
    };
    let schema = schema_of(table, with_supply);
    let sorted = rows.and_then(|rows| by_key(&schema, &[rows], table.key()));
    sorted.map_err(|source| ExportError::Rows { table: table.name(), year, source })
}

/// Reports the rows and figures that differ. Both sides are sorted by key.
fn differences(
    table: Table,
    published: &RecordBatch,
    expected: &RecordBatch,
    verification: &mut Verification,
) {
    let (mut left, mut right) = (0, 0);
    while left < published.num_rows() || right < expected.num_rows() {
        let keys = (key(table, published, left), key(table, expected, right));
        match keys {
            (Some(key), other) if other.as_ref().is_none_or(|other| key < *other) => {
                verification.found(Finding::ExtraRow(table, in_words(published, left, &key)));
                left += 1;
            }
            (other, Some(key)) if other.as_ref().is_none_or(|other| key < *other) => {
                verification.found(Finding::MissingRow(table, in_words(expected, right, &key)));
                right += 1;
            }
            (Some(key), _) => {
                let words = in_words(published, left, &key);
                figures(table, &words, (published, left), (expected, right), verification);
                (left, right) = (left + 1, right + 1);
            }
            (None, _) => return,
        }
    }
}

fn key(table: Table, rows: &RecordBatch, row: usize) -> Option<Vec<String>> {
    let text = |name: &&str| {
        let column = rows.column_by_name(name)?.as_string_opt::<i32>()?;
        Some(column.value(row).to_owned())
    };
    (row < rows.num_rows()).then(|| table.key().iter().map(text).collect())?
}

fn in_words(rows: &RecordBatch, row: usize, key: &[String]) -> String {
    let year = rows.column_by_name("year").map(|_| fields_of(rows, row)[0].clone());
    format!("{} {}", year.unwrap_or_default(), key.join(" "))
}

fn figures(
    table: Table,
    key: &str,
    published: (&RecordBatch, usize),
    expected: (&RecordBatch, usize),
    verification: &mut Verification,
) {
    let (found, right) = (fields_of(published.0, published.1), fields_of(expected.0, expected.1));
    for ((found, right), field) in found.iter().zip(&right).zip(expected.0.schema().fields()) {
        if found != right {
            let or_absent = |text: &String| {
                if text.is_empty() { "absent".to_owned() } else { text.clone() }
            };
            verification.found(Finding::Figure {
                table,
                key: key.to_owned(),
                column: field.name().clone(),
                published: or_absent(found),
                recomputed: or_absent(right),
            });
        }
    }
}
