use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::domain::types::Vintage;
use crate::estimate::formula::{Formula, Interaction};
use crate::estimate::inference::{Inference, Vcov};
use crate::estimate::panel::{Column, Panel};
use crate::estimate::result::Estimate;
use crate::estimate::{Options, estimate};
use crate::render::style::{Controls, Style};
use crate::tables::meanings::Language;

/// Eight plants in two cities and three markets, and a regressor that the plants explain.
fn estimates() -> Vec<Estimate> {
    let rows = || (0..48_i32).map(f64::from);
    let x: Vec<f64> = rows().map(|i| (i * 7.0) % 11.0).collect();
    let z: Vec<f64> = rows().map(|i| (i * 5.0) % 13.0).collect();
    let plant: Vec<u32> = (0..48).map(|i| i / 6).collect();
    let market: Vec<u32> = (0..48).map(|i| i % 6).collect();
    let size: Vec<f64> = plant.iter().map(|plant| f64::from(*plant)).collect();
    let y: Vec<f64> = (0..48)
        .map(|i| {
            0.5 * x[i] - 0.25 * size[i]
                + f64::from(u32::try_from((i * 13) % 17).expect("small")) / 10.0
        })
        .collect();
    let panel = Panel::new(vec![
        ("ln_export".into(), Column::Real(&y)),
        ("x".into(), Column::Real(&x)),
        ("z_1".into(), Column::Real(&z)),
        ("size".into(), Column::Real(&size)),
        ("plant".into(), Column::Code(&plant)),
        ("market".into(), Column::Code(&market)),
    ])
    .expect("columns of one length");
    let vcov = Vcov::Clustered(vec![Interaction::parse("market").expect("an interaction")]);
    let options =
        Options { inference: Inference { vcov, ..Inference::default() }, ..Options::default() };
    ["ln_export ~ x | plant", "ln_export ~ x + z_1 + size | plant + market"]
        .map(|formula| {
            let formula = Formula::parse(formula).expect("a formula");
            estimate(&panel, &formula, &options, None).expect("an estimate")
        })
        .to_vec()
}

fn table(estimates: &[Estimate]) -> RegressionTable<'_> {
    let labels = [("1", "alone"), ("2", "A & B")];
    let model = |(estimate, (name, label))| Model {
        name,
        label,
        estimate,
        seconds: 0.0,
        vintage: Some(Vintage(7)),
    };
    let models = estimates.iter().zip(labels).map(model).collect();
    let notes = vec!["A note.".to_owned()];
    RegressionTable { name: "9", title: "Table 9. A table", models, notes, main_rows: &[] }
}

fn laid_out(table: &RegressionTable<'_>, layout: Layout, style: &Style) -> String {
    document(&[arranged(table, style)], layout, style)
}

#[test]
fn a_table_without_an_estimate_is_its_title_and_the_reasons() {
    let text = laid_out(&table(&[]), Layout::Text, &Style::default());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.first(), Some(&"Table 9. A table"));
    assert!(lines.contains(&"A note.") && !text.contains('─'), "{text}");
}

#[test]
fn models_stand_side_by_side_in_every_layout() {
    let estimates = estimates();
    let (table, style) = (table(&estimates), Style::default());
    let text = laid_out(&table, Layout::Text, &style);
    let parts = ["A table", "(1)", "(2)", "A & B", "z_1", "dropped", "by market", "A note.", "48"];
    for part in parts {
        assert!(text.contains(part), "no \"{part}\" in:\n{text}");
    }
    let markdown = laid_out(&table, Layout::Markdown, &style);
    let rows = markdown.lines().filter(|line| line.starts_with('|'));
    assert!(rows.clone().count() > 8);
    for row in rows {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
    }
    let latex = laid_out(&table, Layout::Latex, &style);
    let parts = [
        "\\caption{A table}",
        "\\label{tab:9}",
        "A \\& B",
        "z\\_1",
        "\\bottomrule",
        "table-align-text-pre=false",
    ];
    for part in parts {
        assert!(latex.contains(part), "no \"{part}\" in:\n{latex}");
    }
    let html = laid_out(&table, Layout::Html, &style);
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("<meta charset=\"utf-8\">"));
    assert!(html.contains("A &amp; B") && html.contains("p &lt; 0.01"), "{html}");
    let elements = ["html", "head", "style", "body", "table", "thead", "tbody", "tr", "th", "td"];
    for element in elements.iter().chain(&["tfoot", "caption", "span"]) {
        let opened = html.matches(&format!("<{element}>")).count()
            + html.matches(&format!("<{element} ")).count();
        assert_eq!(opened, html.matches(&format!("</{element}>")).count(), "{element}: {html}");
    }
}

/// The columns of a terminal at which the decimal points of a line are.
fn points(line: &str) -> Vec<usize> {
    line.char_indices().filter(|(_, letter)| *letter == '.').map(|(at, _)| at).collect()
}

#[test]
fn estimates_and_their_errors_are_aligned_by_the_decimal_point() {
    let estimates = estimates();
    let text = laid_out(&table(&estimates), Layout::Text, &Style::default());
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.starts_with("x ")).expect("the row of x");
    assert!(lines[at].contains("0.") && lines[at + 1].contains("(0."), "{text}");
    assert_eq!(points(lines[at]), points(lines[at + 1]), "{text}");
    assert_eq!(points(lines[at]).len(), 2, "{text}");
}

#[test]
fn main_rows_come_first_and_the_others_are_one_row_of_controls() {
    let estimates = estimates();
    let rows = ["z_1".to_owned()];
    let table = RegressionTable { main_rows: &rows, ..table(&estimates) };
    let text = laid_out(&table, Layout::Text, &Style::default());
    let labels: Vec<&str> =
        text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let place = |label: &str| labels.iter().position(|other| *other == label);
    assert!(place("z_1") < place("Controls") && place("z_1").is_some(), "{text}");
    assert_eq!((place("x"), place("size")), (None, None), "{text}");
    let controls = text.lines().find(|line| line.starts_with("Controls")).expect("a row");
    assert_eq!(controls.split_whitespace().collect::<Vec<_>>(), ["Controls", "yes", "yes"]);
    let each = Style { controls: Controls::Each, ..Style::default() };
    let text = laid_out(&table, Layout::Text, &each);
    assert!(!text.contains("Controls"), "{text}");
    let place = |label: &str| text.lines().position(|line| line.starts_with(label));
    assert!(place("z_1") < place("x ") && place("x ").is_some(), "{text}");
}

#[test]
fn effects_of_some_models_are_yes_or_no_and_texts_are_chinese_on_request() {
    let estimates = estimates();
    let chinese = Style { language: Language::Chinese, ..Style::default() };
    let text = laid_out(&table(&estimates), Layout::Text, &chinese);
    let row = text.lines().find(|line| line.contains("market固定效应")).expect("a row");
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["market固定效应", "否", "是"]);
    for part in ["出口额（对数）", "工厂固定效应", "观测数", "聚类数", "按market聚类", "共线"]
    {
        assert!(text.contains(part), "no {part} in:\n{text}");
    }
    let html = laid_out(&table(&estimates), Layout::Html, &chinese);
    assert!(html.contains("<html lang=\"zh-CN\">"), "{html}");
}

#[test]
fn a_table_wider_than_its_page_continues_in_panels_below() {
    let estimates = estimates();
    let names: Vec<String> = (1..=12).map(|n| n.to_string()).collect();
    let model = |name: &'static str, at: usize| Model {
        name,
        label: "",
        estimate: &estimates[at % 2],
        seconds: 0.0,
        vintage: None,
    };
    let names: Vec<&'static str> = names.into_iter().map(|name| &*name.leak()).collect();
    let models = names.iter().enumerate().map(|(at, name)| model(name, at)).collect();
    let table = RegressionTable { models, ..table(&estimates) };
    let style = Style { width: 80, ..Style::default() };
    let text = laid_out(&table, Layout::Text, &style);
    assert!(text.lines().all(|line| line.width() <= 80), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("Observations")).count(), 3, "{text}");
    for name in &names {
        assert_eq!(text.matches(&format!("({name})")).count(), 1 + usize::from(at_dropped(name)));
    }
    let latex = laid_out(&table, Layout::Latex, &style);
    assert_eq!(latex.matches("\\begin{tabular}").count(), 2, "{latex}");
    assert_eq!(latex.matches("\\begin{table}").count(), 1, "{latex}");
}

/// Every second model has a note on its dropped regressor.
fn at_dropped(name: &str) -> bool {
    name.parse::<usize>().expect("a number").is_multiple_of(2)
}

#[test]
fn each_line_of_a_latex_table_has_a_cell_for_each_column() {
    let estimates = estimates();
    let latex = laid_out(&table(&estimates), Layout::Latex, &Style::default());
    let lines = latex.lines().filter(|line| line.ends_with("\\\\") && line.contains(" & "));
    assert!(lines.clone().count() > 10, "{latex}");
    for line in lines {
        assert_eq!(line.replace("\\&", "").matches('&').count(), 2, "{line}");
        assert_eq!(line.matches('{').count(), line.matches('}').count(), "{line}");
    }
}

#[test]
fn json_has_the_fields_by_name_and_null_where_there_is_nothing() {
    let estimates = estimates();
    let json = models_json(table(&estimates).models.into_iter());
    let model = &json["models"][1];
    let fields = [
        "name",
        "formula",
        "terms",
        "n_obs",
        "n_singletons",
        "n_clusters",
        "k",
        "df_residual",
        "r2",
        "r2_within",
        "fixed_effects",
        "vcov",
        "iterations",
        "relative_residual",
        "seconds",
        "warm_start",
        "vintage",
    ];
    for field in fields {
        assert!(model.get(field).is_some(), "no {field}");
    }
    for field in ["term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
    {
        assert!(model["terms"][0].get(field).is_some(), "no {field} of a term");
    }
    assert_eq!((&model["name"], &model["vintage"]), (&json!("2"), &json!(7)));
    assert_eq!(model["fixed_effects"][0], json!({ "name": "plant", "levels": 8 }));
    assert!(!json.to_string().contains("NaN"));
}

#[test]
fn tidy_rows_hold_each_term_dropped_ones_without_figures_and_failures_once() {
    let estimates = estimates();
    let entry = |estimate: &Estimate| tidy::Entry {
        fit: Some((estimate.clone(), 0.5)),
        ..tidy::Entry::default()
    };
    let failed = tidy::Entry { error: Some("no rows".into()), ..tidy::Entry::default() };
    let entries: Vec<tidy::Entry> = estimates.iter().map(entry).chain([failed]).collect();
    let (sheet, rows) = tidy::rows(&entries);
    let place = |name: &str| sheet.schema.index_of(name).expect("a column");
    let field =
        |row: usize, name: &str| crate::tables::cells::fields_of(&rows, row)[place(name)].clone();
    let terms: Vec<String> = (0..rows.num_rows()).map(|row| field(row, "term")).collect();
    assert_eq!(terms, ["x", "x", "z_1", "size", ""]);
    assert_eq!((field(3, "estimate"), field(3, "n_obs")), (String::new(), "48".to_owned()));
    assert_eq!((field(4, "error"), field(4, "n_obs")), ("no rows".to_owned(), String::new()));
}
