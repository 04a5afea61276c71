//! Statistics of variables: tables 1 and 2.

use crate::regressions::Statistics;
use crate::render::number::grouped;
use crate::render::style::Style;
use crate::specification::{Statistic, Summary};
use crate::tables::meanings::meaning;

/// A header and a row for each variable, with figures for reading. If the statistics are separate
/// by a column, its values are across.
pub fn texts(summary: &Summary, rows: &[Statistics], style: &Style) -> Vec<Vec<String>> {
    if summary.by.is_some() {
        return across(summary, rows, style);
    }
    let statistics = summary.statistics.iter().map(|of| label(*of, style));
    let header = std::iter::once(String::new()).chain(statistics).collect();
    let line = |row: &Statistics| {
        let figures = row.figures.iter().zip(&summary.statistics);
        let figures = figures.map(|(value, of)| text(*value, *of, style));
        std::iter::once(style.term(&row.variable)).chain(figures).collect()
    };
    std::iter::once(header).chain(rows.iter().map(line)).collect()
}

/// The values of `by` as columns: a row for each variable and statistic.
fn across(summary: &Summary, rows: &[Statistics], style: &Style) -> Vec<Vec<String>> {
    let mut values: Vec<f64> = rows.iter().filter_map(|row| row.by).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let header = [String::new()].into_iter().chain(values.iter().map(f64::to_string)).collect();
    let mut lines: Vec<Vec<String>> = vec![header];
    for variable in summary.variables.iter().map(ToString::to_string) {
        for (place, statistic) in summary.statistics.iter().enumerate() {
            let name = style.term(&variable);
            let comma = style.text(", ", "，");
            let statistic_label = label(*statistic, style);
            let lowered = style.text("en", "zh") == "en";
            let statistic_label =
                if lowered { statistic_label.to_lowercase() } else { statistic_label };
            let mut line = vec![format!("{name}{comma}{statistic_label}")];
            line.extend(values.iter().map(|by| {
                let is_it = |row: &&Statistics| row.by == Some(*by) && row.variable == variable;
                let found = rows.iter().find(is_it).and_then(|row| row.figures[place]);
                text(found, *statistic, style)
            }));
            lines.push(line);
        }
    }
    lines
}

/// The label of a statistic.
fn label(statistic: Statistic, style: &Style) -> String {
    let name = statistic.name();
    ["firms", "summary"]
        .iter()
        .find_map(|table| meaning(table, name))
        .map_or_else(|| name.to_owned(), |of| of.label(style.language).to_owned())
}

fn text(figure: Option<f64>, of: Statistic, style: &Style) -> String {
    match (figure, of) {
        (None, _) => String::new(),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of observations"
        )]
        (Some(n), Statistic::N) => grouped(n as usize),
        (Some(value), _) => style.digits.figure(value),
    }
}

/// A header and a row for each variable, with figures as data: shortest round-trip.
pub fn rows(summary: &Summary, rows: &[Statistics]) -> Vec<Vec<String>> {
    let mut header = vec!["variable".to_owned()];
    header.extend(summary.by.clone());
    header.extend(summary.statistics.iter().map(|of| of.name().to_owned()));
    let line = |row: &Statistics| {
        let mut line = vec![row.variable.clone()];
        line.extend(row.by.map(|by| by.to_string()));
        line.extend(
            row.figures.iter().map(|value| value.map_or_else(String::new, |v| v.to_string())),
        );
        line
    };
    std::iter::once(header).chain(rows.iter().map(line)).collect()
}
