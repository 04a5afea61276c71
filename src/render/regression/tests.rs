use super::*;
use crate::estimate::formula::{Formula, Interaction};
use crate::estimate::inference::{Inference, Vcov};
use crate::estimate::panel::{Column, Panel};
use crate::estimate::{Options, estimate};

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
    RegressionTable { title: "A table", models, notes: vec!["A note.".to_owned()] }
}

#[test]
fn models_stand_side_by_side_in_every_layout() {
    let estimates = estimates();
    let table = table(&estimates);
    let text = table.laid_out(Layout::Text);
    let said = ["A table", "(1)", "(2)", "A & B", "z_1", "dropped", "by market", "A note.", "48"];
    for part in said {
        assert!(text.contains(part), "no \"{part}\" in:\n{text}");
    }
    let markdown = table.laid_out(Layout::Markdown);
    assert!(
        markdown
            .lines()
            .filter(|line| line.starts_with('|'))
            .all(|line| { line.replace("\\|", "").matches('|').count() == 4 })
    );
    let latex = table.laid_out(Layout::Latex);
    for part in ["\\begin{tabular}{lrr}", "A \\& B", "z\\_1", "\\bottomrule", "$^{***}$ p $<$ 0.01"]
    {
        assert!(latex.contains(part), "no \"{part}\" in:\n{latex}");
    }
    let html = table.laid_out(Layout::Html);
    assert!(html.contains("A &amp; B") && html.contains("p &lt; 0.01"), "{html}");
    for element in ["table", "thead", "tbody", "tr", "th", "td", "tfoot", "caption"] {
        let opened = html.matches(&format!("<{element}>")).count()
            + html.matches(&format!("<{element} ")).count();
        assert_eq!(opened, html.matches(&format!("</{element}>")).count(), "{element}: {html}");
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

#[test]
fn figures_have_digits_that_say_something() {
    let texts = [0.0, 0.123_45, -12.345_6, 1234.56, 0.000_456_7, 1.5e9, 2e-7].map(figure);
    assert_eq!(texts, ["0", "0.1235", "-12.346", "1234.6", "0.000457", "1.50e9", "2.00e-7"]);
}
