//! Revisions: each step of a home, its files, and the figures that it changed.
//!
//! Files of one publication change the figures together, so a step is reported as a whole. `diff`
//! recomputes the effect of a single file.

use serde::Serialize;

use crate::domain::types::Vintage;
use crate::home::{FileEntry, Home, Publication};
use crate::reader::moves::{Move, YearMoves, between};
use crate::tables::export::{ExportError, TableAt};

/// Vintages of one publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The newest vintage of the previous publication.
    pub before: Vintage,
    /// The newest vintage of the step.
    pub after: Vintage,
    first: Publication,
    last: Publication,
}

/// The steps of a home in order. Months closed by command belong to the step of the newest vintage
/// at that time.
///
/// # Errors
/// [`ExportError::Home`] if the manifest cannot be read.
pub fn steps(home: &Home) -> Result<Vec<Step>, ExportError> {
    let mut steps: Vec<Step> = Vec::new();
    let mut before = Vintage(0);
    for same in home.publications()?.chunk_by(|a, b| a.1 == b.1) {
        let (first, last, after) = (same[0].0, same[same.len() - 1].0, same[0].1);
        steps.push(Step { before, after, first, last });
        before = after;
    }
    Ok(steps)
}

/// The step that published a vintage.
///
/// # Errors
/// - [`ExportError::Home`] if the manifest cannot be read.
/// - [`ExportError::NoVintage`] if the vintage does not exist.
pub fn step_of(home: &Home, vintage: Vintage) -> Result<Step, ExportError> {
    let steps = steps(home)?;
    let newest = steps.last().map_or(Vintage(0), |step| step.after);
    let step = steps.into_iter().find(|step| vintage > Vintage(0) && step.after >= vintage);
    step.ok_or(ExportError::NoVintage { vintage, newest })
}

/// The contents of a step, and the changes that it caused.
#[derive(Clone, Debug, Serialize)]
pub struct Revision {
    /// Its vintages, `14` or `3-14`.
    pub vintages: String,
    /// The time of the commit, in UTC; `None` for steps of homes of an earlier layout.
    pub committed_at: Option<String>,
    /// The contents: files, withdrawals, closed months, other definitions.
    pub what: Vec<String>,
    /// The changes, by table and year.
    pub years: Vec<YearRevision>,
    /// The largest moves in years with unchanged months, the largest first.
    pub largest: Vec<LargeMove>,
}

/// The changes of a year of a table.
#[derive(Clone, Debug, Serialize)]
pub struct YearRevision {
    /// The table.
    pub table: &'static str,
    /// The year.
    pub year: u16,
    /// The number of months behind the earlier figures; 0 if the year did not exist.
    pub months_before: u8,
    /// The number of months behind the current figures.
    pub months_after: u8,
    /// The number of new rows.
    pub rows_new: usize,
    /// The number of removed rows.
    pub rows_gone: usize,
    /// The number of changed figures, including those of new and removed rows.
    pub figures: usize,
}

/// A figure and the size of its change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LargeMove {
    /// The table.
    pub table: &'static str,
    /// The year.
    pub year: u16,
    /// The firm, if the table has it.
    pub firm: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The country.
    pub country: Option<String>,
    /// Firm, city and country as one text.
    pub key: String,
    /// The column.
    pub column: String,
    /// The value before.
    pub before: String,
    /// The value after.
    pub after: String,
    /// The size in log points: the difference of a figure, or the log ratio of an amount or a
    /// count.
    pub log_points: f64,
}

/// Summarises a step and its `n_largest` largest moves, from both tables before and after it.
///
/// # Errors
/// [`ExportError::Home`], [`ExportError::Rows`] if the home cannot be read.
pub fn revision(
    home: &Home,
    step: Step,
    tables: &[[TableAt; 2]],
    n_largest: usize,
) -> Result<Revision, ExportError> {
    let (mut years, mut largest) = (Vec::new(), Vec::new());
    for [before, after] in tables {
        for year in between(before, after, None) {
            let mut year = year?;
            let revision = year_revision(&mut year, n_largest, &mut largest)?;
            if revision.figures > 0 || revision.months_before != revision.months_after {
                years.push(revision);
            }
        }
    }
    let committed_at = home.committed_at(step.last)?.map(|at| at.to_string());
    let (vintages, what) = (vintages(step), what(home, step)?);
    Ok(Revision { vintages, committed_at, what, years, largest })
}

fn vintages(step: Step) -> String {
    let Step { before, after, .. } = step;
    if after.0 <= before.0 + 1 { after.to_string() } else { format!("{}-{after}", before.0 + 1) }
}

fn year_revision(
    year: &mut YearMoves,
    n_largest: usize,
    largest: &mut Vec<LargeMove>,
) -> Result<YearRevision, ExportError> {
    let (table, of) = (year.table.name(), year.year);
    let is_revision = year.months[0] == year.months[1];
    let mut figures = 0;
    while let Some(moves) = year.next_moves() {
        let moves = moves.map_err(|source| ExportError::Rows { table, year: of, source })?;
        figures += moves.len();
        if is_revision {
            largest.extend(moves.into_iter().filter_map(|moved| large(table, of.0, moved)));
            largest.sort_by(|a, b| b.log_points.abs().total_cmp(&a.log_points.abs()));
            largest.truncate(n_largest);
        }
    }
    let [rows_new, rows_gone] = year.n_rows_new_and_gone();
    let [months_before, months_after] = year.months;
    Ok(YearRevision {
        table,
        year: of.0,
        months_before,
        months_after,
        rows_new,
        rows_gone,
        figures,
    })
}

fn large(table: &'static str, year: u16, moved: Move) -> Option<LargeMove> {
    let Move { key, column, before, after, size } = moved;
    let log_points = size.filter(|size| *size != 0.0)?;
    let [firm, city, country] = key.clone();
    let key = key.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    Some(LargeMove { table, year, firm, city, country, key, column, before, after, log_points })
}

/// The contents of a step, in words.
fn what(home: &Home, step: Step) -> Result<Vec<String>, ExportError> {
    let files = home.files()?;
    let in_step = |at: Vintage| at > step.before && at <= step.after;
    let named = |file: &FileEntry| format!("{} (vintage {})", file.name, file.vintage);
    let mut what = Vec::new();
    for file in files.iter().filter(|file| in_step(file.vintage)) {
        let superseded = files.iter().filter(|old| old.superseded_by == Some(file.vintage));
        let superseded: Vec<String> = superseded.map(named).collect();
        let late = file.months.iter().filter(|month| **month < file.period).count();
        what.push(match (superseded.is_empty(), late) {
            (false, _) => format!("{} instead of {}", named(file), superseded.join(", ")),
            (true, 0) => named(file),
            (true, 1) => format!("{} with late records of an earlier month", named(file)),
            (true, n) => format!("{} with late records of {n} earlier months", named(file)),
        });
    }
    for file in files.iter().filter(|file| file.withdrawn_at.is_some_and(in_step)) {
        what.push(format!("{} withdrawn", named(file)));
    }
    let in_publications = |at: Publication| at >= step.first && at <= step.last;
    let closed = home.closed()?;
    let closed: Vec<String> = closed
        .iter()
        .filter(|(_, at)| in_publications(*at))
        .map(|(month, _)| month.to_string())
        .collect();
    if let (Some(first), Some(last)) = (closed.first(), closed.last()) {
        let to = if first == last { String::new() } else { format!(" to {last}") };
        what.push(format!("{first}{to} closed"));
    }
    let before = Publication(step.first.0 - 1);
    if before.0 > 0 && home.definition_at(before)? != home.definition_at(step.last)? {
        what.push("the home rebuilt under other options".to_owned());
    }
    Ok(what)
}
