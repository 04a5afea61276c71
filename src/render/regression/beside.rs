//! Estimates beside the paper's, a row for each published figure.

use serde_json::{Value, json};

use super::grid::{Grid, Line};
use super::{Layout, figure, grouped};
use crate::regressions::{ComparedFigure, Comparison};

/// The columns of a comparison after the model and the figure.
const HEADER: [&str; 5] = ["home", "(std. error)", "paper", "(std. error)", "home / paper"];

/// A comparison laid out, models one below the other.
#[must_use]
pub fn laid_out(comparison: &Comparison, layout: Layout) -> String {
    let mut body = Vec::new();
    let mut last = None;
    for row in &comparison.rows {
        if last.replace(&row.model).is_some_and(|model| *model != row.model) {
            body.push(Line::Rule);
        }
        body.push(Line::Cells(format!("({}) {}", row.model, label(row)), cells(row)));
    }
    let notes = ["Paper: The Journal of World Economy 2022(2).".to_owned()];
    let grid = Grid {
        title: format!("{}: the home beside the paper", comparison.title),
        header: vec![Line::Cells(String::new(), HEADER.map(str::to_owned).to_vec())],
        body,
        notes: notes.into_iter().chain(comparison.notes.iter().cloned()).collect(),
    };
    grid.laid_out(layout)
}

fn label(row: &ComparedFigure) -> &str {
    match row.figure.as_str() {
        "n_obs" => "Observations",
        "r2" => "R2",
        other => other,
    }
}

fn cells(row: &ComparedFigure) -> Vec<String> {
    let blank = String::new;
    let value = |value: f64| match row.figure.as_str() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of observations"
        )]
        "n_obs" => grouped(value as usize),
        _ => figure(value),
    };
    let in_brackets = |error: String| format!("({error})");
    let paper = match row.figure.as_str() {
        "n_obs" => value(row.paper.value),
        _ => row.paper.text.clone(),
    };
    let paper_std_error = row.paper_std_error.as_ref().map(|error| error.text.clone());
    vec![
        row.home.map_or_else(blank, value),
        row.home_std_error.map(figure).map_or_else(blank, in_brackets),
        paper,
        paper_std_error.map_or_else(blank, in_brackets),
        row.ratio().map_or_else(blank, |ratio| format!("{ratio:.3}")),
    ]
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
        json!({ "title": comparison.title, "rows": rows, "notes": comparison.notes })
    };
    json!({ "comparisons": comparisons.iter().map(table).collect::<Vec<_>>() })
}
