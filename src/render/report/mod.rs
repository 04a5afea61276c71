//! Tables of the paper and coefficient paths as documents, for `estimate`, `regress` and `demo`.

use serde_json::{Value, json};

use super::chart::{self, PathPlot, PlotError, ScatterPlot};
use super::regression::{
    Layout, Model, RegressionTable, beside, entries, figure, grouped, model_json, plain_table, tidy,
};
use super::table::{self, Format, FormatError};
use crate::regressions::content::short;
use crate::regressions::{
    Bin, Comparison, Origin, Outcome, Path, Point, RegressionError, Scatter, Statistics,
    TableResult,
};
use crate::specification::{Statistic, Summary};
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

/// Writes all results in one format.
///
/// # Errors
/// [`ReportError`] if the format is a chart and the results are not one figure with points.
pub fn tables(all: &[TableResult], format: ReportFormat) -> Result<String, ReportError> {
    if let ReportFormat::Table(layout) = format {
        let tables: Vec<String> = all.iter().map(|one| laid_out(one, layout)).collect();
        return Ok(tables.join("\n"));
    }
    match (format, all) {
        (ReportFormat::Json, _) => Ok(json_text(&document(all))),
        (ReportFormat::Svg, [TableResult::Figure { title, scatter, .. }]) => svg(title, scatter),
        (_, [TableResult::Summary { summary, rows, .. }]) => {
            Ok(csv_of(&summary_rows(summary, rows, |x| x.to_string())))
        }
        (_, [TableResult::Figure { scatter, .. }]) => Ok(csv_of(&with_line(scatter))),
        _ => tidy_csv(all),
    }
}

/// Tables beside the paper's.
///
/// # Errors
/// [`ReportError::NotOneChart`] if the format is a chart.
pub fn comparisons(all: &[Comparison], format: ReportFormat) -> Result<String, ReportError> {
    match format {
        ReportFormat::Table(layout) => {
            let tables: Vec<String> = all.iter().map(|one| beside::laid_out(one, layout)).collect();
            Ok(tables.join("\n"))
        }
        ReportFormat::Csv => Ok(csv_of(&beside::rows(all))),
        ReportFormat::Json => Ok(json_text(&beside::document(all))),
        ReportFormat::Svg => Err(ReportError::NotOneChart),
    }
}

/// A document as text.
#[must_use]
pub fn json_text(document: &Value) -> String {
    visible::json(&format!("{document:#}\n")).into_owned()
}

fn laid_out(one: &TableResult, layout: Layout) -> String {
    match one {
        TableResult::Models { title, outcomes } => models(title, outcomes, layout),
        TableResult::Summary { title, summary, rows, .. } => {
            let texts = match summary.by {
                Some(_) => across(summary, rows),
                None => summary_rows(summary, rows, figure),
            };
            plain_table(title, &texts, None, layout)
        }
        TableResult::Figure { title, scatter, .. } => {
            plain_table(title, &bin_rows(scatter, figure), Some(line_of(scatter)), layout)
        }
    }
}

/// Arranges models side by side and lists failed models below.
fn models(title: &str, outcomes: &[Outcome], layout: Layout) -> String {
    let names: Vec<String> = outcomes.iter().map(Outcome::name).collect();
    let mut table = RegressionTable { title, ..RegressionTable::default() };
    for (outcome, name) in outcomes.iter().zip(&names) {
        match &outcome.result {
            Ok(fit) => table.models.push(Model {
                name,
                label: &outcome.label,
                estimate: &fit.estimate,
                seconds: fit.seconds,
                vintage: Some(outcome.as_of.1),
            }),
            Err(error) => {
                table.notes.push(format!("({name}): {}: {error}.", missing(error)));
            }
        }
    }
    table.notes.extend(as_of(outcomes));
    table.laid_out(layout)
}

/// A short reason why a column has no estimate.
fn missing(error: &RegressionError) -> &'static str {
    match error {
        RegressionError::NotYet { .. } => "not estimated",
        _ if error.is_no_data() => "not estimated: the home lacks data",
        _ => "failed",
    }
}

/// Notes on the years, the vintages and the sources (stored or estimated now) of models; one for
/// each if they differ.
fn as_of(outcomes: &[Outcome]) -> Vec<String> {
    let told = |one: &Outcome| {
        let (through, vintage) = (one.through, one.as_of.1);
        match one.origin {
            Origin::Now => format!("up to {through}; estimated now, at vintage {vintage}."),
            Origin::Kept => format!("up to {through}; stored at vintage {vintage}."),
            Origin::Before => {
                format!("up to {through}; stored at vintage {vintage}, without an identity.")
            }
        }
    };
    let has_fits = outcomes.iter().any(|one| one.result.is_ok());
    let mut by_text: Vec<(String, Vec<String>)> = Vec::new();
    for one in outcomes.iter().filter(|one| one.result.is_ok() || !has_fits) {
        let (text, name) = (told(one), format!("({})", one.name()));
        match by_text.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(name),
            None => by_text.push((text, vec![name])),
        }
    }
    if let [(text, _)] = &by_text[..] {
        return vec![format!("Closed years {text}")];
    }
    let line = |(text, names): &(String, Vec<String>)| {
        format!("{}: closed years {text}", names.join(", "))
    };
    by_text.iter().map(line).collect()
}

fn document(all: &[TableResult]) -> Value {
    let (mut models, mut failed, mut without_data) = (Vec::new(), Vec::new(), Vec::new());
    let (mut summaries, mut figures) = (Vec::new(), Vec::new());
    for one in all {
        match one {
            TableResult::Models { outcomes, .. } => {
                for outcome in outcomes {
                    let (name, vintage) = (outcome.name(), Some(outcome.as_of.1));
                    let mut model = match &outcome.result {
                        Ok(fit) => model_json(&name, &fit.estimate, fit.seconds, vintage),
                        Err(error) => json!({ "name": name, "error": error.to_string() }),
                    };
                    model["identity"] = outcome.identity.hash().into();
                    model["through"] = outcome.through.0.into();
                    model["stored"] = (outcome.origin != Origin::Now).into();
                    match &outcome.result {
                        Ok(_) => models.push(model),
                        Err(error) if error.is_no_data() => without_data.push(model),
                        Err(_) => failed.push(model),
                    }
                }
            }
            TableResult::Summary { name, summary, rows, .. } => {
                let rows: Vec<Value> = rows.iter().map(|row| statistics(summary, row)).collect();
                summaries.push(json!({ "name": name, "rows": rows }));
            }
            TableResult::Figure { name, scatter, .. } => {
                let bin = |b: &Bin| json!({ "x": b.x, "y": b.y, "n": b.n });
                figures.push(json!({
                    "name": name, "outcome": scatter.outcome, "variable": scatter.variable,
                    "slope": scatter.slope, "intercept": scatter.intercept,
                    "n_obs": scatter.n_obs,
                    "bins": scatter.bins.iter().map(bin).collect::<Vec<_>>(),
                }));
            }
        }
    }
    let mut document = json!({ "models": models });
    for (name, list) in [
        ("failed", failed),
        ("without_data", without_data),
        ("summaries", summaries),
        ("figures", figures),
    ] {
        if !list.is_empty() {
            document[name] = list.into();
        }
    }
    document
}

fn statistics(summary: &Summary, row: &Statistics) -> Value {
    let mut json = json!({ "variable": row.variable });
    if let (Some(by), Some(value)) = (&summary.by, row.by) {
        json[by] = whole(value);
    }
    for (statistic, figure) in summary.statistics.iter().zip(&row.figures) {
        json[statistic.name()] = match (statistic, figure) {
            (Statistic::N, Some(n)) => whole(*n),
            (_, figure) => (*figure).into(),
        };
    }
    json
}

/// A number in full, without a decimal point if it is whole.
fn whole(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "years and counts of rows")]
    let integer = number as i64;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "exact if it is whole")]
    let is_whole = integer as f64 == number;
    if is_whole { integer.into() } else { number.into() }
}

/// A header and a row for each variable. Figures are shortest round-trip for data, and rounded for
/// reading.
fn summary_rows(
    summary: &Summary,
    rows: &[Statistics],
    written: impl Fn(f64) -> String,
) -> Vec<Vec<String>> {
    let mut header = vec!["variable".to_owned()];
    header.extend(summary.by.clone());
    header.extend(summary.statistics.iter().map(|of| of.name().to_owned()));
    let line = |row: &Statistics| {
        let mut line = vec![row.variable.clone()];
        line.extend(row.by.map(|by| by.to_string()));
        let figures = row.figures.iter().zip(&summary.statistics);
        line.extend(figures.map(|(value, of)| match (value, of) {
            (None, _) => String::new(),
            (Some(n), Statistic::N) => format!("{n}"),
            (Some(value), _) => written(*value),
        }));
        line
    };
    std::iter::once(header).chain(rows.iter().map(line)).collect()
}

/// The values of `by` as columns: a row for each variable and statistic.
fn across(summary: &Summary, rows: &[Statistics]) -> Vec<Vec<String>> {
    let mut values: Vec<f64> = rows.iter().filter_map(|row| row.by).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let header = [String::new()].into_iter().chain(values.iter().map(f64::to_string)).collect();
    let mut lines: Vec<Vec<String>> = vec![header];
    for variable in summary.variables.iter().map(ToString::to_string) {
        for (place, statistic) in summary.statistics.iter().enumerate() {
            let mut line = vec![format!("{variable}, {}", statistic.name())];
            line.extend(values.iter().map(|by| {
                let is_it = |row: &&Statistics| row.by == Some(*by) && row.variable == variable;
                let found = rows.iter().find(is_it).and_then(|row| row.figures[place]);
                found.map_or_else(String::new, |value| match statistic {
                    Statistic::N => value.to_string(),
                    _ => figure(value),
                })
            }));
            lines.push(line);
        }
    }
    lines
}

/// The regression line of a scatter, in words.
fn line_of(scatter: &Scatter) -> String {
    format!("Slope {}; N = {}.", figure(scatter.slope), grouped(scatter.n_obs))
}

/// The bins, each with the regression line and the total number of rows.
fn with_line(scatter: &Scatter) -> Vec<Vec<String>> {
    let Scatter { slope, intercept, n_obs, .. } = scatter;
    let header = ["slope", "intercept", "n_obs"].map(str::to_owned);
    let figures = [slope.to_string(), intercept.to_string(), n_obs.to_string()];
    let mut rows = bin_rows(scatter, |x| x.to_string());
    for (place, row) in rows.iter_mut().enumerate() {
        row.extend(if place == 0 { header.clone() } else { figures.clone() });
    }
    rows
}

fn bin_rows(scatter: &Scatter, written: impl Fn(f64) -> String) -> Vec<Vec<String>> {
    let header = ["bin", scatter.variable.as_str(), scatter.outcome.as_str(), "n"];
    let line = |(place, bin): (usize, &Bin)| {
        vec![(place + 1).to_string(), written(bin.x), written(bin.y), bin.n.to_string()]
    };
    let header = header.map(str::to_owned).to_vec();
    std::iter::once(header).chain(scatter.bins.iter().enumerate().map(line)).collect()
}

fn csv_of(rows: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).expect("a Vec takes what is written");
    }
    let bytes = writer.into_inner().expect("a Vec takes what is written");
    String::from_utf8(bytes).expect("texts are UTF-8")
}

/// All models as CSV, with a row for each term.
fn tidy_csv(all: &[TableResult]) -> Result<String, ReportError> {
    let outcomes = all.iter().flat_map(TableResult::outcomes);
    entries_csv(&outcomes.map(entries::of_outcome).collect::<Vec<_>>())
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
    let mut bytes = Vec::new();
    table::write::<FormatError>(&mut bytes, Format::Csv, &sheet, std::iter::once(Ok(rows)))?;
    Ok(String::from_utf8(bytes).expect("CSV is UTF-8"))
}

fn svg(title: &str, scatter: &Scatter) -> Result<String, ReportError> {
    let points: Vec<(f64, f64)> = scatter.bins.iter().map(|bin| (bin.x, bin.y)).collect();
    Ok(chart::scatter(&ScatterPlot {
        title,
        x_label: &scatter.variable,
        y_label: &scatter.outcome,
        points: &points,
        line: (scatter.slope, scatter.intercept),
        note: &line_of(scatter),
    })?)
}

/// Writes coefficients by year of estimation.
///
/// # Errors
/// [`ReportError`] if the format is a chart and the paths are not one path with points.
pub fn paths(paths: &[Path], format: ReportFormat) -> Result<String, ReportError> {
    if let ReportFormat::Table(layout) = format {
        let tables: Vec<String> = paths.iter().map(|path| path_table(path, layout)).collect();
        return Ok(tables.join("\n"));
    }
    match (format, paths) {
        (ReportFormat::Svg, [path]) => path_svg(path),
        (ReportFormat::Svg, _) => Err(ReportError::NotOneChart),
        (ReportFormat::Json, [path]) => Ok(json_text(&path_json(path))),
        (ReportFormat::Json, _) => {
            let paths: Vec<Value> = paths.iter().map(path_json).collect();
            Ok(json_text(&json!({ "paths": paths })))
        }
        _ => Ok(path_csv(paths)),
    }
}

fn path_svg(path: &Path) -> Result<String, ReportError> {
    let ends = |point: &Point| {
        let (low, high) = (point.conf_low, point.conf_high);
        let at = point.estimate;
        (i32::from(point.through.0), low.unwrap_or(at), at, high.unwrap_or(at))
    };
    let points: Vec<_> = path.points.iter().map(ends).collect();
    let title = path_title(path);
    Ok(chart::path(&PathPlot { title: &title, y_label: &path.term, points: &points })?)
}

fn path_json(path: &Path) -> Value {
    let point = |p: &Point| {
        json!({
            "through": p.through.0, "vintage": p.vintage.0, "estimate": p.estimate,
            "std_error": p.std_error, "conf_low": p.conf_low, "conf_high": p.conf_high,
            "n_obs": p.n_obs, "iterations": p.iterations, "seconds": p.seconds,
            "warm_start": p.warm_start, "stale": p.stale, "stored": p.origin != Origin::Now,
        })
    };
    let points: Vec<Value> = path.points.iter().map(point).collect();
    json!({
        "model": path.model, "identity": path.identity, "term": path.term, "points": points,
    })
}

fn path_title(path: &Path) -> String {
    format!("{} in ({}) by year of estimation", path.term, path.model)
}

/// The columns of a path.
const PATH_HEADER: [&str; 11] = [
    "year",
    "vintage",
    "estimate",
    "std_error",
    "conf_low",
    "conf_high",
    "n_obs",
    "iterations",
    "seconds",
    "start",
    "stale",
];

fn path_line(p: &Point, written: impl Fn(f64) -> String) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(String::new, &written);
    vec![
        p.through.to_string(),
        p.vintage.to_string(),
        number(Some(p.estimate)),
        number(p.std_error),
        number(p.conf_low),
        number(p.conf_high),
        p.n_obs.to_string(),
        p.iterations.to_string(),
        number(Some(p.seconds)),
        if p.warm_start { "warm" } else { "cold" }.to_owned(),
        if p.stale { "stale" } else { "" }.to_owned(),
    ]
}

fn path_csv(paths: &[Path]) -> String {
    let beside = ["model", "term", "identity", "source"];
    let mut rows = vec![PATH_HEADER.iter().chain(&beside).map(|name| (*name).to_owned()).collect()];
    for path in paths {
        for point in &path.points {
            let mut row = path_line(point, |figure| figure.to_string());
            let source = if point.origin == Origin::Now { "estimated" } else { "stored" };
            row.extend([path.model.clone(), path.term.clone(), path.identity.clone()]);
            row.push(source.to_owned());
            rows.push(row);
        }
    }
    csv_of(&rows)
}

fn path_table(path: &Path, layout: Layout) -> String {
    let lines = path.points.iter().map(|point| path_line(point, figure));
    let header = PATH_HEADER.map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(lines).collect();
    let years = |is_now: bool| {
        let of = path.points.iter().filter(|point| (point.origin == Origin::Now) == is_now);
        of.map(|point| point.through.to_string()).collect::<Vec<_>>().join(", ")
    };
    let told = [("estimated now", years(true)), ("stored", years(false))];
    let told = told.iter().filter(|(_, years)| !years.is_empty());
    let told: Vec<String> = told.map(|(what, years)| format!("{what}: {years}")).collect();
    let note = format!("Model {}; {}.", short(&path.identity), told.join("; "));
    plain_table(&path_title(path), &rows, Some(note), layout)
}
