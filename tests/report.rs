//! `spillover report`: one month as a page for print, in Chinese and English.

mod common;

use std::path::Path;

use common::{Sandbox, csv_rows};

/// A home of the demo feed up to November 2011, with one model.
fn home() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = [\"3.4\"]\n");
    let feed = Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/demo");
    for entry in std::fs::read_dir(feed).expect("the feed") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name != "201112.csv" {
            sandbox.write(&name, std::fs::read(&path).expect("a file"));
        }
    }
    let run = sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    sandbox
}

fn report(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let run = sandbox.run(["report"].iter().chain(arguments));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout
}

/// A figure of the nation in `series`, in log points.
fn points(sandbox: &Sandbox, month: &str, column: &str) -> String {
    let run = sandbox.run(["export", "series", "--month", month, "--span", "ytd"]);
    let rows = csv_rows(&run.stdout);
    let at = |name: &str| rows[0].iter().position(|own| own == name).expect("a column");
    let row = rows.iter().find(|row| row[at("level")] == "nation").expect("the nation");
    let value: f64 = row[at(column)].parse().expect("a figure");
    format!("{:+.1}", 100.0 * value).replace('-', "\u{2212}")
}

#[test]
fn a_report_is_one_page_with_the_figures_of_its_month_in_both_languages() {
    let sandbox = home();
    let (english, chinese) = (report(&sandbox, &[]), report(&sandbox, &["--lang", "zh"]));
    let growth = points(&sandbox, "201111", "growth");
    let affiliate = points(&sandbox, "201111", "affiliate_growth_weighted_by_exports");
    for expected in [
        "<h1>Report for November 2011</h1>",
        &format!(
            "January to November 2011: continuing exporters grew {growth} log points on average (±"
        ),
        &format!("Exporters in the cities of other plants grew {affiliate} log points."),
        "Model-implied contribution ",
        "not a forecast, not a causal total",
        "<td>Months closed</td>",
        "vintage 47",
    ] {
        assert!(english.contains(expected), "{expected}: {english}");
    }
    for expected in [
        "<h1>2011年11月月报</h1>",
        &format!("2011年1—11月，持续出口企业平均增长 {growth} 对数点（95% 误差 ±"),
        &format!("企业其他工厂所在城市的出口企业增长 {affiliate} 对数点。"),
        "不是预测，也不是因果总量",
        "<td>新关账的月份</td>",
        "美国",
    ] {
        assert!(chinese.contains(expected), "{expected}: {chinese}");
    }
    for page in [&english, &chinese] {
        assert_eq!(page.matches("<svg ").count(), 3, "{page}");
        for outside in ["<script", "<link", "<img", "src=", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert_eq!(page.matches("http").count(), 3, "the names of the space of SVG alone");
    }
}

#[test]
fn another_month_has_its_own_figures_and_one_without_growth_is_refused() {
    let sandbox = home();
    let page = report(&sandbox, &["--month", "2010-06", "--span", "ytd", "-o", "june.html"]);
    assert_eq!(page, "");
    let page = std::fs::read_to_string(sandbox.folder().join("june.html")).expect("the file");
    let growth = points(&sandbox, "201006", "growth");
    assert!(page.contains(&format!("exporters grew {growth} log points")), "{page}");
    assert!(!page.contains("2011</text>"), "a later year in a chart");
    for (month, why) in [("201112", "is not closed"), ("200806", "the feed begins in 200801")] {
        let run = sandbox.run(["report", "--month", month]);
        assert_eq!(run.code, Some(1), "{}", run.stdout);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
}

/// The home with its newest month replaced: `report` and causes of alerts compare two versions.
fn amended() -> Sandbox {
    let sandbox = home();
    sandbox.options("estimate = [\"3.4\"]\nrevision = \"supersede\"\n");
    let text = std::fs::read_to_string(sandbox.feed().join("201111.csv")).expect("a month");
    let (header, lines) = text.split_once('\n').expect("a header");
    let lines: Vec<&str> = lines.lines().skip(40).collect();
    std::fs::create_dir(sandbox.folder().join("again")).expect("a folder");
    let again = sandbox.folder().join("again/201111.csv");
    std::fs::write(&again, format!("{header}\n{}\n", lines.join("\n"))).expect("written");
    let tables = ["cities.csv", "countries.csv"].map(|name| (name, sandbox.feed().join(name)));
    for (name, path) in tables.iter().filter(|(_, path)| path.exists()) {
        std::fs::copy(path, sandbox.folder().join("again").join(name)).expect("a table");
    }
    let run = sandbox.run(["ingest".as_ref(), again.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    sandbox
}

const RULES: &str = "
n_min = 1
firms_min = 1
[[rule]]
name = 'effects'
table = 'effects'
by = 'country'
level = { beyond = 0.00001 }
";

#[test]
fn a_damaged_file_is_an_error_and_never_a_missing_figure_or_cause() {
    let sandbox = amended();
    std::fs::write(sandbox.home().join("alerts.toml"), RULES).expect("rules");
    let page = report(&sandbox, &[]);
    assert!(page.contains("Amended, withdrawn, replaced</td><td>"), "{page}");
    assert!(!page.contains("There is no change"), "{page}");
    let preview = || sandbox.run(["alerts", "preview"]);
    assert!(preview().stdout.contains("Cause: amendments."), "{}", preview().stdout);
    // Only the state before the replacement needs the replaced file.
    for folder in ["segments", "runs"] {
        let path = sandbox.home().join(folder).join("000047.parquet");
        let mut bytes = std::fs::read(&path).expect("the replaced file");
        bytes.iter_mut().step_by(7).for_each(|byte| *byte ^= 0x55);
        std::fs::write(&path, bytes).expect("damaged");
    }
    for run in [sandbox.run(["report"]), preview()] {
        assert_eq!(run.code, Some(1), "{}", run.stdout);
        assert!(run.stderr.contains("segments/000047.parquet is damaged"), "{}", run.stderr);
    }
}

/// A home whose months were published one by one, with alerts.
fn published() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = [\"3.4\"]\n");
    let feed = Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/demo");
    let mut paths: Vec<_> =
        std::fs::read_dir(feed).expect("the feed").map(|of| of.expect("an entry").path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let ingest = |sandbox: &Sandbox| {
        let run = sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    };
    let (early, late): (Vec<_>, Vec<_>) = paths
        .iter()
        .partition(|path| name(path).as_str() < "201109" || name(path).starts_with('c'));
    for path in early {
        sandbox.write(&name(path), std::fs::read(path).expect("a file"));
    }
    ingest(&sandbox);
    let rules = "[[rule]]\nname = \"markets that grow\"\nbreadth = { above = 0.0 }\n";
    std::fs::write(sandbox.home().join("alerts.toml"), rules).expect("rules");
    for path in late {
        if name(path) != "201112.csv" {
            sandbox.write(&name(path), std::fs::read(path).expect("a file"));
            let feed = sandbox.feed();
            let run = sandbox.run(["watch".as_ref(), feed.as_os_str(), "--once".as_ref()]);
            assert_eq!(run.code, Some(0), "{}", run.stderr);
        }
    }
    sandbox
}

#[test]
fn an_older_month_has_the_change_of_its_own_publication_and_its_alerts() {
    let sandbox = published();
    let page = report(&sandbox, &["--month", "201110"]);
    let news = sandbox.run(["effect", "--news", "45", "46", "--format", "json"]);
    assert_eq!(news.code, Some(0), "{}", news.stderr);
    for expected in ["What moved when the month was published", "Vintage 45 to 46, model-implied"] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let newest = report(&sandbox, &[]);
    for expected in ["What moved since the last publication", "Vintage 46 to 47, model-implied"] {
        assert!(newest.contains(expected), "{expected}: {newest}");
    }
    // Months that one publication closed together have no change of their own.
    let earlier = report(&sandbox, &["--month", "201106"]);
    assert!(earlier.contains("There is no change of the model-implied contribution"), "{earlier}");
    assert!(earlier.contains("<p>No alert is about this month.</p>"), "{earlier}");
    let list = csv_rows(&sandbox.run(["alerts", "list"]).stdout);
    let at = |name: &str| list[0].iter().position(|own| own == name).expect("a column");
    let row = list[1..].iter().find(|row| row[at("month")] == "9").expect("an alert");
    let september = report(&sandbox, &["--month", "201109"]);
    let sentence = row[at("text")].replace('"', "&quot;");
    assert!(september.contains(&format!("<td>{sentence}</td><td>raised · 2")), "{september}");
    assert!(sentence.contains("Cause: closed months."), "{sentence}");
    assert_eq!(sandbox.run(["alerts", "ack", &row[at("id")]]).code, Some(0));
    let chinese = report(&sandbox, &["--month", "201109", "--lang", "zh"]);
    for expected in
        ["<h2>预警</h2>", "全国：2011年1—9月正增长市场占比为 ", "<td>未解除，已确认 · 2"]
    {
        assert!(chinese.contains(expected), "{expected}: {chinese}");
    }
}

#[test]
fn a_home_without_estimates_has_a_report_that_says_so() {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = []\n");
    let feed = Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/demo");
    let run = sandbox.run(["ingest".as_ref(), feed.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let page = report(&sandbox, &[]);
    assert!(page.contains("There is no change of the model-implied contribution"), "{page}");
    assert!(!page.contains("Model-implied contribution "), "{page}");
    assert!(!page.contains("<h2>Alerts</h2>"), "no rule was evaluated");
    let february = report(&sandbox, &["--month", "201102", "--lang", "zh"]);
    assert!(february.contains("<h1>2011年1—2月月报</h1>"), "{february}");
    let february = report(&sandbox, &["--month", "201102"]);
    assert!(february.contains("January and February 2011: continuing exporters"), "{february}");
}
