//! The rows in the sample of a column, and the columns that the exported panels need for it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::paper::agree_in;
use super::{Sandbox, demo, estimate, models, number, repository, term};
use crate::common::{HEADER, csv_rows};

/// A home with `streams/demo` and given options, with some changed files.
fn demo_with(options: &str, reworded: &dyn Fn(&str, String) -> String) -> Sandbox {
    let sandbox = Sandbox::new();
    for file in std::fs::read_dir(repository("streams/demo")).expect("the feed") {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("text");
        sandbox.write(&name, reworded(&name, text));
    }
    sandbox.options(&format!("estimate = []\n{options}"));
    sandbox.ingest(&[&sandbox.feed()], 1);
    sandbox
}

/// The option for the invented firm-year file, which lacks some firm-years.
fn supply() -> String {
    format!("supply = {:?}", repository("tests/reference/supply.csv").display().to_string())
}

fn n_obs(sandbox: &Sandbox, table: &str) -> BTreeMap<String, u64> {
    let models = models(sandbox, &["--table", table]);
    models.into_iter().map(|(name, m)| (name, m["n_obs"].as_u64().expect("a count"))).collect()
}

#[test]
fn a_firm_year_file_with_gaps_cuts_the_column_that_reads_it_and_no_other() {
    let sandbox = demo_with(&supply(), &|_, text| text);
    agree_in(&sandbox, &["6.1", "6.2", "6.3", "6.4", "6.5"], &["--table", "6"]);
    let n_obs = n_obs(&sandbox, "6");
    assert!(n_obs["6.3"] < n_obs["6.4"], "{n_obs:?}");
    agree_in(&sandbox, &["3.4"], &["--table", "3"]);
}

#[test]
fn a_destination_without_income_group_leaves_the_column_with_groups_and_no_other() {
    let without_one = |name: &str, text: String| match name {
        // Japan has neither a group nor a code that leads to one.
        "countries.csv" => {
            let blank = |line: &str| match line.strip_prefix("116,") {
                Some(rest) => format!("116,{}", ",".repeat(rest.matches(',').count())),
                None => line.to_owned(),
            };
            text.lines().map(|line| blank(line) + "\n").collect()
        }
        _ => text,
    };
    let sandbox = demo_with("", &without_one);
    agree_in(&sandbox, &["4.1", "4.2", "4.4"], &["--table", "4"]);
    let (all, fewer) = (n_obs(demo(), "4"), n_obs(&sandbox, "4"));
    assert!(fewer["4.3"] < all["4.3"], "{all:?}, {fewer:?}");
}

#[test]
fn a_specification_without_the_key_sample_asks_for_the_variables_of_each_column() {
    let sandbox = demo();
    let file = sandbox.folder().join("own_samples.toml");
    let column = |name: &str, formula: &str, more: &str| {
        format!("[[column]]\nname = \"{name}\"\nformula = \"{formula}\"\n{more}\n")
    };
    let (few, many) =
        ("ln_export ~ experience | firm^year", "ln_export ~ local_growth | firm^year");
    let text = ["title = \"t\"\n".to_owned(), column("few", few, ""), column("many", many, "")]
        .concat()
        + &column("few_of_many", few, &format!("sample = \"{many}\""));
    std::fs::write(&file, text).expect("written");
    let models = models(sandbox, &["--spec", &file.to_string_lossy()]);
    let n_obs = |name: &str| models[&format!("own_samples.{name}")]["n_obs"].as_u64();
    assert!(n_obs("few") > n_obs("many"), "{models:?}");
    assert_eq!(n_obs("few_of_many"), n_obs("many"));
}

/// The formula of a column of the paper.
fn formula_of(column: &str) -> String {
    let (table, name) = column.split_once('.').expect("a table and a column");
    let file = repository(&format!("streams/specifications/table-{table}.toml"));
    let text = std::fs::read_to_string(file).expect("a specification");
    let table: toml::Table = text.parse().expect("TOML");
    let columns = table["column"].as_array().expect("columns");
    let is_it = |column: &&toml::Value| column["name"].as_str() == Some(name);
    let column = columns.iter().find(is_it).expect("the column");
    column["formula"].as_str().expect("a formula").trim().replace('\n', " ")
}

/// Asserts that `regress` on a panel gives the estimate of the home.
fn regress_gives(sandbox: &Sandbox, file: &PathBuf, column: &str, model: &serde_json::Value) {
    let run = sandbox.run(
        ["regress", "--format", "json", "--cluster", "city^country", "--formula"]
            .map(std::ffi::OsString::from)
            .into_iter()
            .chain([formula_of(column).into(), "--panel".into(), file.into()]),
    );
    assert_eq!(run.code, Some(0), "{column}: {}", run.stderr);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let found = &json["models"][0];
    for count in ["n_obs", "n_singletons", "n_clusters", "df_residual"] {
        assert_eq!(found[count], model[count], "{column}: {count}");
    }
    let terms = model["terms"].as_array().expect("terms");
    assert!(!terms.is_empty(), "{column}");
    for own in terms {
        let name = own["term"].as_str().expect("a name");
        for (field, tolerance) in [("estimate", 1e-9), ("std_error", 1e-8)] {
            let (own, other) = (number(&own[field]), number(&term(found, name)[field]));
            let close = (own - other).abs() <= tolerance * own.abs().max(1e-3);
            assert!(close, "{column} {name} {field}: {own}, {other}");
        }
    }
}

#[test]
fn regress_on_an_exported_panel_gives_the_stored_estimates() {
    let sandbox = demo_with(&supply(), &|_, text| text);
    let all = models(&sandbox, &[]);
    let panels = [
        ("panel", &["3.4", "4.1", "4.3", "4.4", "5.1", "6.1", "6.3", "6.4", "6.5"][..]),
        ("panel-ordinary", &["4.2"]),
        ("panel-product", &["6.2"]),
    ];
    for (panel, columns) in panels {
        for format in ["csv", "parquet"] {
            let file = sandbox.folder().join(format!("{panel}.{format}"));
            let path = file.display().to_string();
            let run = sandbox.run(["export", panel, "--format", format, "-o", &path]);
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            for column in columns {
                regress_gives(&sandbox, &file, column, &all[*column]);
            }
        }
    }
    // The exported panel also has the variables of a column's conditions.
    let rows = csv_rows(&sandbox.export("panel"));
    for (column, variable) in [("5.2", "province_plants"), ("5.3", "destination_plants")] {
        let at = rows[0].iter().position(|name| name == variable).expect("the column");
        let kept = rows.iter().enumerate().filter(|(line, row)| *line == 0 || row[at] == "1");
        let text: Vec<String> = kept.map(|(_, row)| row.join(",")).collect();
        let file = sandbox.folder().join(format!("{variable}.csv"));
        std::fs::write(&file, text.join("\n") + "\n").expect("written");
        regress_gives(&sandbox, &file, column, &all[column]);
    }
}

/// Table 1 by year and variable.
fn table_1(sandbox: &Sandbox) -> BTreeMap<(String, String), Vec<String>> {
    let rows = csv_rows(&sandbox.export("firms"));
    assert_eq!(rows[0], ["year", "variable", "n", "mean", "median", "sd"]);
    let rows = rows.into_iter().skip(1);
    rows.map(|row| ((row[0].clone(), row[1].clone()), row[2..].to_vec())).collect()
}

/// Ingests months `YYYYMM` with their lines: firm, city, destination, dollars and months. If the
/// month of the file differs from that of the line, it comes first.
fn take_in(sandbox: &Sandbox, months: &[&str], lines: &[(&str, &str, &str, &str, &str)]) {
    for month in months {
        let own = lines.iter().filter(|line| line.4.starts_with(month));
        let line = |(firm, city, country, dollars, months): &(&str, &str, &str, &str, &str)| {
            let month = months.rsplit(' ').next().expect("a month");
            format!("{month},E,{firm},某某厂,{city}9,{country},39091010,10,{dollars}")
        };
        let text: Vec<String> = [HEADER.to_owned()].into_iter().chain(own.map(line)).collect();
        let path = sandbox.write(&format!("{month}.csv"), text.join("\n") + "\n");
        sandbox.ingest(&[&path], 1);
    }
}

const MONTHS: [&str; 12] = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"];

fn months_of(year: u16) -> Vec<String> {
    MONTHS.iter().map(|month| format!("{year}{month}")).collect()
}

#[test]
fn table_1_has_the_feeds_first_year_and_follows_its_late_records() {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = []");
    sandbox.write("cities.csv", "city,province,area_km2\n1101,11,10\n3101,31,20\n4403,44,30\n");
    let first = months_of(2001);
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let lines = [
        ("F", "1101", "502", "300.00", "200101"),
        ("F", "3101", "502", "100.00", "200103"),
        ("F", "3101", "116", "50.00", "200104"),
        ("F", "3101", "116", "-50.00", "200105"),
        ("G", "1101", "502", "70.00", "200102"),
        ("H", "1101", "502", "80.00", "200102"),
        ("H", "3101", "502", "80.00", "200102"),
    ];
    take_in(&sandbox, &first, &lines);
    let key = |year: &str, variable: &str| (year.to_owned(), variable.to_owned());
    let row = |figures: [&str; 4]| figures.map(str::to_owned).to_vec();
    // F: 300 and 100; H: 80 and 80; G has one plant.
    let table = table_1(&sandbox);
    assert_eq!(table[&key("2001", "plants")], row(["2", "2", "2", "0"]));
    let share = &table[&key("2001", "largest_plant_share")];
    assert_eq!(share[..3], row(["2", "0.625", "0.625", ""])[..3], "(0.75 + 0.5) / 2");
    let sd: f64 = share[3].parse().expect("a number");
    assert!((sd - 0.125 * 2.0_f64.sqrt()).abs() < 1e-12, "{sd}");
    // Late: H loses a plant, G gains two, F's second plant sells more.
    let late = [
        ("H", "3101", "502", "-80.00", "200201 200112"),
        ("G", "3101", "502", "30.00", "200201 200101"),
        ("G", "4403", "502", "100.00", "200201 200101"),
        ("F", "3101", "116", "200.00", "200201 200106"),
    ];
    take_in(&sandbox, &["200201"], &late);
    let table = table_1(&sandbox);
    assert_eq!(table[&key("2001", "plants")], {
        let sd = 0.5_f64.sqrt().to_string();
        row(["2", "2.5", "2.5", &sd])
    });
    // F: 300 and 300; G: 70, 30 and 100.
    assert_eq!(table[&key("2001", "largest_plant_share")], row(["2", "0.5", "0.5", "0"]));
    let run = sandbox.run(["withdraw", "200201.csv"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let table = table_1(&sandbox);
    assert_eq!(table[&key("2001", "plants")], row(["2", "2", "2", "0"]));
    let text = estimate(&sandbox, &["--table", "1"]).stdout;
    assert!(text.contains("2001") && text.contains("Plants, mean"), "{text}");
    let run = sandbox.run(["estimate", "--table", "2"]);
    assert_eq!(run.code, Some(1), "no year has indicators");
    assert!(run.stderr.contains("no closed year has indicators yet"), "{}", run.stderr);
}

#[test]
fn a_firm_with_two_cities_of_its_network_in_one_province_leaves_5_2_for_good() {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = []");
    sandbox.write("cities.csv", "city,province,area_km2\n1101,11,10\n1102,11,20\n3101,31,30\n");
    let mut lines = Vec::new();
    let months: Vec<String> = [2001, 2002, 2003].into_iter().flat_map(months_of).collect();
    let months: Vec<&str> = months.iter().map(String::as_str).collect();
    for year in ["200101", "200201", "200301"] {
        for (firm, city) in [("F", "1101"), ("F", "3101"), ("G", "1101"), ("G", "3101")] {
            lines.push((firm, city, "502", "100.00", year));
        }
    }
    // F is alone in its first year, and in another city of a province to which it returns.
    lines.retain(|line| !(line.0 == "F" && line.4 == "200101"));
    lines.push(("F", "1102", "502", "5.00", "200101"));
    take_in(&sandbox, &months, &lines);
    let counts = || {
        let rows = csv_rows(&sandbox.export("panel"));
        let at = |name: &str| rows[0].iter().position(|own| own == name).expect("a column");
        let (year, firm, plants) = (at("year"), at("firm"), at("province_plants"));
        let of = |row: &Vec<String>| format!("{} {} {}", row[year], row[firm], row[plants]);
        let mut counts: Vec<String> = rows[1..].iter().map(of).collect();
        counts.dedup();
        counts
    };
    assert_eq!(counts(), ["2002 F 2", "2002 G 1", "2003 F 2", "2003 G 1"]);
    // The city of the first year is removed, and with it the firm's history there.
    let late = [
        ("F", "1102", "502", "-5.00", "200401 200102"),
        ("G", "1102", "116", "1.00", "200401 200212"),
    ];
    take_in(&sandbox, &["200401"], &late);
    assert_eq!(counts(), ["2002 F 1", "2002 G 2", "2003 F 1", "2003 G 2"]);
}
