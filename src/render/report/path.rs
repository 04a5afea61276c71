//! A coefficient by end of its sample, as a table, as data and as a chart.

use serde_json::{Value, json};

use crate::regressions::content::short;
use crate::regressions::{Origin, Path, Point};
use crate::render::chart::{self, PathPlot, PathPoint, PlotError};
use crate::render::number::grouped;
use crate::render::regression::Grid;
use crate::render::style::Style;

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

/// The last column: the last month of each year of the sample.
const MONTH: &str = "month";

fn path_line(p: &Point, written: impl Fn(f64) -> String) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(String::new, &written);
    vec![
        p.through.year().to_string(),
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

/// The points of all paths as data, with a header.
pub fn rows(paths: &[Path]) -> Vec<Vec<String>> {
    let beside = ["model", "term", "identity", "source", MONTH];
    let mut rows = vec![PATH_HEADER.iter().chain(&beside).map(|name| (*name).to_owned()).collect()];
    for path in paths {
        for point in &path.points {
            let mut row = path_line(point, |figure| figure.to_string());
            let source = if point.origin == Origin::Now { "estimated" } else { "stored" };
            row.extend([path.model.clone(), path.term.clone(), path.identity.clone()]);
            row.extend([source.to_owned(), point.through.month().to_string()]);
            rows.push(row);
        }
    }
    rows
}

fn path_json(path: &Path) -> Value {
    let point = |p: &Point| {
        json!({
            "through": p.through.year().0, "vintage": p.vintage.0, "estimate": p.estimate,
            "std_error": p.std_error, "conf_low": p.conf_low, "conf_high": p.conf_high,
            "n_obs": p.n_obs, "iterations": p.iterations, "seconds": p.seconds,
            "warm_start": p.warm_start, "stale": p.stale, "stored": p.origin != Origin::Now,
            "month": p.through.month(),
        })
    };
    let points: Vec<Value> = path.points.iter().map(point).collect();
    json!({
        "model": path.model, "identity": path.identity, "term": path.term, "points": points,
    })
}

/// One path, or several, as a JSON document.
pub fn document(paths: &[Path]) -> Value {
    match paths {
        [path] => path_json(path),
        paths => json!({ "paths": paths.iter().map(path_json).collect::<Vec<_>>() }),
    }
}

fn title(path: &Path, style: &Style) -> String {
    let (term, model) = (style.term(&path.term), &path.model);
    match style.text("en", "zh") {
        "en" => format!("{term} in ({model}) by year of estimation"),
        _ => format!("({model}) 中{term}的系数，按估计年份"),
    }
}

/// The path as a table.
pub fn grid(path: &Path, style: &Style) -> Grid {
    // A path over closed years alone needs no months.
    let has_months = path.points.iter().any(|point| !point.through.is_whole());
    let lines = path.points.iter().map(|point| {
        let mut line = path_line(point, |value| style.digits.figure(value));
        line.extend(has_months.then(|| point.through.month().to_string()));
        line
    });
    let header = PATH_HEADER.iter().copied().chain(has_months.then_some(MONTH));
    let header = header.map(str::to_owned).collect();
    let rows: Vec<Vec<String>> = std::iter::once(header).chain(lines).collect();
    let years = |is_now: bool| {
        let of = path.points.iter().filter(|point| (point.origin == Origin::Now) == is_now);
        of.map(|point| point.through.to_string()).collect::<Vec<_>>().join(", ")
    };
    let sources = [
        (style.text("estimated now", "现在估计"), years(true)),
        (style.text("stored", "已存"), years(false)),
    ];
    let sources = sources.iter().filter(|(_, years)| !years.is_empty());
    let sources: Vec<String> = sources.map(|(what, years)| style.about(what, years)).collect();
    let (model, stop) = (style.text("Model", "模型"), style.words().stop);
    let note = format!("{model} {}; {}{stop}", short(&path.identity), sources.join("; "));
    Grid::plain(&title(path, style), &rows, Some(note)).named(&path.model, style.language)
}

/// The path as a chart.
pub fn svg(path: &Path, style: &Style) -> Result<String, PlotError> {
    let ends = |point: &Point| {
        let (low, high) = (point.conf_low, point.conf_high);
        let at = point.estimate;
        PathPoint {
            year: i32::from(point.through.year().0),
            month: point.through.month(),
            interval: (low.unwrap_or(at), high.unwrap_or(at)),
            estimate: at,
        }
    };
    let points: Vec<_> = path.points.iter().map(ends).collect();
    let whole = path.points.iter().rev().find(|point| point.through.is_whole());
    let last = whole.or(path.points.last());
    let figure = |value: f64| style.digits.figure(value);
    let last_label = last.map_or_else(String::new, |point| match point.std_error {
        Some(error) => {
            let (estimate, error) = style.digits.pair(point.estimate, error);
            format!("{estimate} ({error})")
        }
        None => figure(point.estimate),
    });
    let has_months = path.points.iter().any(|point| !point.through.is_whole());
    let counts = last.map(|point| (grouped(point.n_obs), point.through));
    let subtitle = counts.map_or_else(String::new, |(n, year)| match style.text("en", "zh") {
        "en" => format!(
            "Coefficient with its 95 % confidence interval; standard error in brackets. \
             N = {n} up to {year}.{}",
            if has_months { " Pale marks: samples that end at a month." } else { "" }
        ),
        _ => format!(
            "系数及其95%置信区间；括号内为标准误。截至{year}{}N = {n}。{}",
            if year.is_whole() { "年" } else { "" },
            if has_months { "浅色点：样本止于当月。" } else { "" }
        ),
    });
    let (title, label) = (title(path, style), style.term(&path.term));
    chart::path(&PathPlot {
        title: &title,
        subtitle: &subtitle,
        x_label: style.words().year_of_estimation,
        y_label: &label,
        points: &points,
        last_label: &last_label,
    })
}
