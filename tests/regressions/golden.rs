//! The layouts byte for byte: table 3 of `streams/demo` in every format, and figure 1.
//!
//! `UPDATE_EXPECT=1 cargo test --test regressions golden` writes the files of `golden/` again;
//! review them by reading the difference. Figures are printed with few enough decimals to be equal
//! on any machine. If a format has all decimals, seven digits are compared, and measurements of the
//! run are left out.

use super::{demo, estimate, repository};
use crate::common::csv_rows;

/// The fields that differ between runs or machines.
const OF_THE_RUN: [&str; 4] = ["seconds", "relative_residual", "iterations", "warm_start"];

/// Compares with the stored file, or stores it.
fn golden(name: &str, found: &str) {
    let path = repository("tests/regressions/golden").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, found).expect("a golden file can be written");
    }
    let stored = std::fs::read_to_string(&path).expect("UPDATE_EXPECT=1 makes it");
    assert!(stored == found, "{name} is laid out otherwise; it is now:\n{found}");
}

fn printed(table: &str, format: &str) -> String {
    // The order of tests decides whether a table is stored, so it is estimated again.
    estimate(demo(), &["--table", table, "--format", format, "--again"]).stdout
}

/// A number rounded to seven digits.
fn rounded(number: f64) -> String {
    format!("{number:.6e}")
}

#[test]
fn tables_to_be_read_are_laid_out_as_stored() {
    for (format, extension) in [("text", "txt"), ("md", "md"), ("latex", "tex"), ("html", "html")] {
        golden(&format!("table3.{extension}"), &printed("3", format));
    }
}

#[test]
fn tables_for_programs_are_laid_out_as_stored() {
    let mut json: serde_json::Value = serde_json::from_str(&printed("3", "json")).expect("JSON");
    round(&mut json);
    golden("table3.json", &format!("{json:#}\n"));
    let rows = csv_rows(&printed("3", "csv"));
    let lines: Vec<String> = rows.iter().map(|row| rounded_line(&rows[0], row)).collect();
    golden("table3.csv", &(lines.join("\n") + "\n"));
}

#[test]
fn the_figure_is_drawn_as_stored() {
    golden("figure1.svg", &printed("figure1", "svg"));
}

fn round(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Number(number) if number.is_f64() => {
            let digits = number.as_f64().map(rounded);
            *value = digits.into();
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(round),
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                if OF_THE_RUN.contains(&name.as_str()) {
                    *value = "of the run".into();
                }
                round(value);
            }
        }
        _ => {}
    }
}

fn rounded_line(header: &[String], row: &[String]) -> String {
    let cell = |(name, cell): (&String, &String)| match cell.parse::<f64>() {
        Ok(_) if OF_THE_RUN.contains(&name.as_str()) => "of the run".into(),
        Ok(number) if cell.contains('.') => rounded(number),
        _ if cell.contains(',') => format!("\"{cell}\""),
        _ => cell.clone(),
    };
    header.iter().zip(row).map(cell).collect::<Vec<_>>().join(",")
}
