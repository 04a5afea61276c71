//! Tables of the paper and coefficient paths as documents, for `estimate`, `regress` and `demo`.
//!
//! ```text
//! models.rs   regressions side by side      ┐
//! summary.rs  statistics of variables       ├─▶ Grid ─▶ text │ markdown │ latex │ html
//! figure.rs   a binned scatter              │   rows ─▶ csv │ json
//! path.rs     a coefficient by year         ┘   points ─▶ svg
//! ```

mod figure;
mod models;
mod path;
mod placebo;
mod shift_share;
mod summary;

use arrow_array::RecordBatch;
use serde_json::Value;

use super::chart::PlotError;
use super::regression::{Grid, Layout, beside, document, entries, influence, tidy};
use super::style::Style;
use super::table::{self, About, Format, FormatError, TableFile};
use crate::regressions::{Comparison, Outcome, Path, PlaceboOf, ShiftShare, TableResult};
use crate::specification::Wording;
use crate::tables::meanings::Language;
use crate::tables::sheet::Sheet;
use crate::visible;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// Models side by side, in a table layout.
    Table(Layout),
    /// CSV with a row for each term.
    Csv,
    /// JSON with all figures of all models.
    Json,
    /// A chart: one figure, or one path.
    Svg,
}

/// The reason why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The results are not one figure, or not the path of one column, and the format is a chart.
    #[error("--format svg draws one column: name it")]
    NotOneChart,
    /// There is no point to draw.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// The rows do not fit their format.
    #[error(transparent)]
    Rows(#[from] FormatError),
}

impl Style {
    /// A text of a specification in the language.
    #[must_use]
    pub fn wording<'w>(&self, of: &'w Wording) -> &'w str {
        match self.language {
            Language::English => &of.english,
            Language::Chinese => &of.chinese,
        }
    }
}

/// Writes all results in one format.
///
/// # Errors
/// [`ReportError`] if the format is a chart and the results are not one figure with points.
pub fn tables(
    all: &[TableResult],
    format: ReportFormat,
    style: &Style,
) -> Result<String, ReportError> {
    if let ReportFormat::Table(layout) = format {
        let each = |one| std::iter::once(grid(one, style)).chain(influences(one, style));
        let grids: Vec<Grid> = all.iter().flat_map(each).collect();
        return Ok(document(&grids, layout, style));
    }
    match (format, all) {
        (ReportFormat::Json, _) => Ok(json_text(&models::document(all))),
        (ReportFormat::Svg, [TableResult::Figure { title, scatter, .. }]) => {
            Ok(figure::svg(style.wording(title), scatter, style)?)
        }
        (ReportFormat::Svg, _) => Err(ReportError::NotOneChart),
        (_, [TableResult::Summary { summary, rows, .. }]) => {
            Ok(csv_of(&summary::rows(summary, rows)))
        }
        (_, [TableResult::Figure { scatter, .. }]) => Ok(csv_of(&figure::rows(scatter))),
        _ => {
            let outcomes = all.iter().flat_map(TableResult::outcomes);
            entries_csv(&outcomes.map(entries::of_outcome).collect::<Vec<_>>())
        }
    }
}

/// The tables of the influence of groups, one for each model that has it.
fn influences(of: &TableResult, style: &Style) -> Vec<Grid> {
    let one = |outcome: &Outcome| {
        let fit = outcome.result.as_ref().ok()?;
        let grid = influence::grid(&outcome.name(), &fit.estimate, style)?;
        Some(grid.named(&outcome.name(), style.language))
    };
    of.outcomes().iter().filter_map(one).collect()
}

/// The influence of groups on one coefficient of one column, as a chart; `names` gives the name of
/// a group.
///
/// # Errors
/// [`ReportError`] if the results are not one column with groups left out, or the column does not
/// have the regressor.
pub fn influence_chart(
    all: &[TableResult],
    term: Option<&str>,
    style: &Style,
    names: influence::NameOf<'_>,
) -> Result<String, ReportError> {
    let mut outcomes = all.iter().flat_map(TableResult::outcomes);
    let (Some(one), None) = (outcomes.next(), outcomes.next()) else {
        return Err(ReportError::NotOneChart);
    };
    let fit = one.result.as_ref().map_err(|_| PlotError)?;
    Ok(influence::svg((&one.name(), term), &fit.estimate, style, names)?)
}

fn grid(one: &TableResult, style: &Style) -> Grid {
    match one {
        TableResult::Models { name, title, rows, outcomes } => {
            models::grid((name, style.wording(title)), rows, outcomes, style)
        }
        TableResult::Summary { name, title, summary, rows } => {
            let texts = summary::texts(summary, rows, style);
            Grid::plain(style.wording(title), &texts, None).named(name, style.language)
        }
        TableResult::Figure { name, title, scatter } => {
            let (texts, note) = (figure::texts(scatter, style), figure::line(scatter, style));
            Grid::plain(style.wording(title), &texts, Some(note)).named(name, style.language)
        }
    }
}

/// Tables beside the paper's.
///
/// # Errors
/// [`ReportError::NotOneChart`] if the format is a chart.
pub fn comparisons(
    all: &[Comparison],
    format: ReportFormat,
    style: &Style,
) -> Result<String, ReportError> {
    match format {
        ReportFormat::Table(layout) => {
            let grids: Vec<Grid> = all.iter().map(|one| beside::grid(one, style)).collect();
            Ok(document(&grids, layout, style))
        }
        ReportFormat::Csv => Ok(csv_of(&beside::rows(all))),
        ReportFormat::Json => Ok(json_text(&beside::document(all))),
        ReportFormat::Svg => Err(ReportError::NotOneChart),
    }
}

/// Writes coefficients by year of estimation.
///
/// # Errors
/// [`ReportError`] if the format is a chart and the paths are not one path with points.
pub fn paths(paths: &[Path], format: ReportFormat, style: &Style) -> Result<String, ReportError> {
    match (format, paths) {
        (ReportFormat::Table(layout), _) => {
            let grids: Vec<Grid> = paths.iter().map(|path| path::grid(path, style)).collect();
            Ok(document(&grids, layout, style))
        }
        (ReportFormat::Svg, [path]) => Ok(path::svg(path, style)?),
        (ReportFormat::Svg, _) => Err(ReportError::NotOneChart),
        (ReportFormat::Json, _) => Ok(json_text(&path::document(paths))),
        (ReportFormat::Csv, _) => Ok(csv_of(&path::rows(paths))),
    }
}

/// Writes placebo networks beside the sample; a chart draws one of both terms.
///
/// # Errors
/// [`ReportError::Plot`] if there is nothing to draw, or no such term.
pub fn placebo(
    of: &PlaceboOf,
    (format, term): (ReportFormat, Option<&str>),
    style: &Style,
) -> Result<String, ReportError> {
    match format {
        ReportFormat::Table(layout) => Ok(document(&[placebo::grid(of, style)], layout, style)),
        ReportFormat::Svg => Ok(placebo::svg(of, term, style)?),
        ReportFormat::Json => Ok(json_text(&placebo::document(of))),
        ReportFormat::Csv => Ok(csv_of(&placebo::rows(of))),
    }
}

/// Writes shift-share errors.
///
/// # Errors
/// [`ReportError::NotOneChart`] if the format is a chart.
pub fn shift_share(
    of: &ShiftShare,
    format: ReportFormat,
    style: &Style,
) -> Result<String, ReportError> {
    match format {
        ReportFormat::Table(layout) => Ok(document(&[shift_share::grid(of, style)], layout, style)),
        ReportFormat::Svg => Err(ReportError::NotOneChart),
        ReportFormat::Json => Ok(json_text(&shift_share::document(of))),
        ReportFormat::Csv => Ok(csv_of(&shift_share::rows(of))),
    }
}

/// A document as text.
#[must_use]
pub fn json_text(document: &Value) -> String {
    visible::json(&format!("{document:#}\n")).into_owned()
}

fn csv_of(rows: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).expect("a Vec takes what is written");
    }
    let bytes = writer.into_inner().expect("a Vec takes what is written");
    String::from_utf8(bytes).expect("texts are UTF-8")
}

/// The entries as CSV.
///
/// # Errors
/// [`ReportError::Rows`] if a column has a type that no table has: a bug.
///
/// # Panics
/// Never: CSV is UTF-8.
pub fn entries_csv(entries: &[tidy::Entry]) -> Result<String, ReportError> {
    let (sheet, rows) = tidy::rows(entries);
    table_csv(&sheet, rows)
}

/// A table as CSV.
///
/// # Errors
/// [`ReportError::Rows`] if a column has a type that no table has: a bug.
///
/// # Panics
/// Never: CSV is UTF-8.
pub fn table_csv(sheet: &Sheet, rows: RecordBatch) -> Result<String, ReportError> {
    let mut bytes = Vec::new();
    let file = TableFile { sheet, about: &About::default() };
    table::write::<FormatError>(&mut bytes, Format::Csv, &file, std::iter::once(Ok(rows)))?;
    Ok(String::from_utf8(bytes).expect("CSV is UTF-8"))
}
