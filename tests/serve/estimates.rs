//! Stored estimates and coefficient paths, equal to those of the commands.

use crate::common::csv_rows;
use crate::feed;
use crate::service::Service;

#[test]
fn a_regression_table_is_that_of_the_command_in_every_layout() {
    let sandbox = feed::demo();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    for (layout, format) in
        [("text", "text"), ("markdown", "md"), ("latex", "latex"), ("html", "html")]
    {
        let run = sandbox.run(["estimate", "--table", "3", "--format", format]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let answer = service.get(&format!("/api/v1/estimates/3?layout={layout}"));
        assert_eq!(answer.text().trim_end(), run.stdout.trim_end(), "{layout}");
    }
    let run = sandbox.run(["estimate", "--table", "3", "--format", "json"]);
    let printed: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let json = service.json("/api/v1/estimates/3");
    let first = |of: &serde_json::Value| of["models"][0]["terms"].clone();
    assert_eq!(first(&json), first(&printed));
    assert_eq!(json["models"].as_array().map(Vec::len), Some(5));
    assert_eq!(json["stale_models"], serde_json::json!([]));
    let one = service.json("/api/v1/estimates/3.4");
    assert_eq!(one["models"].as_array().map(Vec::len), Some(1));
    let csv = service.get("/api/v1/estimates.csv");
    assert_eq!(csv.text(), sandbox.export("estimates"));
    for (address, status) in [
        ("/api/v1/estimates/9", 404),
        ("/api/v1/estimates/3.9", 404),
        ("/api/v1/estimates/1?as_of=36", 404),
        ("/api/v1/estimates/figure1?as_of=36", 404),
        ("/api/v1/estimates/3?layout=pdf", 400),
        ("/api/v1/estimates/3?through=1999", 404),
        ("/api/v1/path?table=3&term=none", 404),
        ("/api/v1/path", 400),
    ] {
        assert_eq!(service.get(address).status, status, "{address}");
    }
}

#[test]
fn a_path_is_that_of_the_command_and_ends_at_the_requested_vintage() {
    let sandbox = feed::demo();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let csv = service.get("/api/v1/path.csv?table=3.4");
    let rows = csv_rows(csv.text());
    let run = sandbox.run(["estimate", "--table", "3.4", "--path", "--format", "csv"]);
    let printed = csv_rows(&run.stdout);
    let column = |rows: &[Vec<String>], name: &str| {
        let at = rows[0].iter().position(|of| of == name).expect("a column");
        rows[1..].iter().map(|row| row[at].clone()).collect::<Vec<_>>()
    };
    // The command estimates stale years again; the service shows what is stored, and marks it.
    for (own, theirs) in [("through", "year"), ("estimate", "estimate"), ("n_obs", "n_obs")] {
        assert_eq!(column(&rows, own).last(), column(&printed, theirs).last(), "{own}");
    }
    assert_eq!(column(&rows, "stale"), ["1", "1", "0"]);
    assert_eq!(rows.len(), 4, "2009 to 2011: {rows:?}");
    let earlier = service.json("/api/v1/path?table=3.4&as_of=36");
    assert_eq!(earlier["rows"].as_array().map(Vec::len), Some(2), "{earlier}");
}

#[test]
fn figures_and_summaries_are_those_of_the_command_at_the_newest_vintage() {
    let sandbox = feed::demo();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    for (table, part) in [("figure1", "figures"), ("2", "summaries")] {
        let run = sandbox.run(["estimate", "--table", table, "--format", "json"]);
        let printed: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        let json = service.json(&format!("/api/v1/estimates/{table}"));
        assert!(json[part][0].is_object(), "{json}");
        assert_eq!(json[part], printed[part], "{table}");
    }
    let bins = csv_rows(service.get("/api/v1/estimates/figure1.csv").text());
    assert_eq!(bins[0], ["x", "y", "n"]);
    let n_rows: usize = bins[1..].iter().map(|bin| bin[2].parse::<usize>().expect("rows")).sum();
    let figure = service.json("/api/v1/estimates/figure1");
    assert_eq!(Some(n_rows as u64), figure["figures"][0]["n_obs"].as_u64());
}

#[test]
fn the_influence_of_cities_is_that_of_the_export() {
    let sandbox = feed::demo();
    let run = sandbox.run(["estimate", "--table", "3.4", "--leave-one-out"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let csv = service.get("/api/v1/influence.csv");
    assert!(csv_rows(csv.text()).len() > 20, "{}", csv.text());
    assert_eq!(csv.text(), sandbox.export("influence"));
}
