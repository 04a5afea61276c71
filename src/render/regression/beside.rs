//! Estimates beside the paper's, a row for each published figure.

use serde_json::{Value, json};

use super::grid::{Cell, Grid, Line};
use crate::regressions::{ComparedFigure, Comparison};
use crate::render::number::grouped;
use crate::render::style::Style;

/// A comparison as a table.
#[must_use]
pub fn grid(comparison: &Comparison, style: &Style) -> Grid {
    let mut body = Vec::new();
    let mut last = None;
    for row in &comparison.rows {
        if last.replace(&row.model).is_some_and(|model| *model != row.model) {
            body.push(Line::Rule);
        }
        body.push(Line::Cells(format!("({}) {}", row.model, label(row, style)), cells(row, style)));
    }
    let source = style
        .text("Paper: The Journal of World Economy 2022(2).", "论文：《世界经济》2022年第2期。");
    let (title, beside) = (
        style.wording(&comparison.title),
        style.text("the home beside the paper", "本库与论文对照"),
    );
    let heads = style.words().beside.map(|head| Cell::Text(head.to_owned()));
    Grid {
        title: style.about(title, beside),
        header: vec![Line::Cells(String::new(), heads.to_vec())],
        body,
        notes: std::iter::once(source.to_owned()).chain(comparison.notes.iter().cloned()).collect(),
        ..Grid::default()
    }
    .named("", style.language)
}

fn label(row: &ComparedFigure, style: &Style) -> String {
    match row.figure.as_str() {
        "n_obs" => style.words().observations.to_owned(),
        "r2" => style.words().r2.to_owned(),
        other => match other.split_once(", ") {
            Some((variable, statistic)) => format!("{}, {statistic}", style.term(variable)),
            None => style.term(other),
        },
    }
}

fn cells(row: &ComparedFigure, style: &Style) -> Vec<Cell> {
    let is_count = row.figure == "n_obs";
    let value = |value: f64| {
        if !is_count {
            return Cell::number(style.digits.figure(value));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of observations"
        )]
        let count = value as usize;
        Cell::Text(grouped(count))
    };
    let home = match (row.home, row.home_std_error) {
        (None, _) => [Cell::empty(), Cell::empty()],
        (Some(home), None) => [value(home), Cell::empty()],
        (Some(home), Some(error)) => {
            let (home, error) = style.digits.pair(home, error);
            [Cell::number(home), Cell::in_brackets(error)]
        }
    };
    let as_printed = || Cell::number(row.paper.text.clone());
    let paper = if is_count { value(row.paper.value) } else { as_printed() };
    let paper_std_error = row.paper_std_error.as_ref().map(|error| error.text.clone());
    let ratio = row.ratio().map_or_else(String::new, |ratio| format!("{ratio:.3}"));
    let beside = [paper, Cell::in_brackets(paper_std_error.unwrap_or_default())];
    home.into_iter().chain(beside).chain([Cell::number(ratio)]).collect()
}

/// All comparisons as rows, with a header.
#[must_use]
pub fn rows(comparisons: &[Comparison]) -> Vec<Vec<String>> {
    let header = ["model", "figure", "home", "home_std_error", "paper", "paper_std_error", "ratio"];
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let row = |row: &ComparedFigure| {
        vec![
            row.model.clone(),
            row.figure.clone(),
            number(row.home),
            number(row.home_std_error),
            row.paper.text.clone(),
            row.paper_std_error.as_ref().map_or_else(String::new, |error| error.text.clone()),
            number(row.ratio()),
        ]
    };
    let all = comparisons.iter().flat_map(|comparison| &comparison.rows).map(row);
    std::iter::once(header.map(str::to_owned).to_vec()).chain(all).collect()
}

/// All comparisons as one JSON document.
#[must_use]
pub fn document(comparisons: &[Comparison]) -> Value {
    let row = |row: &ComparedFigure| {
        json!({
            "model": row.model,
            "figure": row.figure,
            "home": row.home,
            "home_std_error": row.home_std_error,
            "paper": row.paper.value,
            "paper_std_error": row.paper_std_error.as_ref().map(|error| error.value),
            "ratio": row.ratio(),
        })
    };
    let table = |comparison: &Comparison| {
        let rows: Vec<Value> = comparison.rows.iter().map(row).collect();
        json!({ "title": comparison.title.english, "rows": rows, "notes": comparison.notes })
    };
    json!({ "comparisons": comparisons.iter().map(table).collect::<Vec<_>>() })
}
