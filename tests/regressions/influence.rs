//! Cities left out through the binary: stored with the estimate, exported, drawn, and refused where
//! the options do not fit.

use super::commands::exported;
use super::{Sandbox, estimate, models, number, repository, term};

fn home() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.options("estimate = []");
    sandbox.ingest(&[&repository("streams/demo")], 1);
    sandbox
}

#[test]
fn influence_is_stored_with_its_estimate_and_exported() {
    let sandbox = home();
    let asked = ["--table", "3.4", "--leave-one-out", "--wild-bootstrap", "199", "--seed", "3"];
    let first = &models(&sandbox, &asked)["3.4"];
    assert_eq!(first["stored"], false);
    let again = &models(&sandbox, &asked)["3.4"];
    assert_eq!(again["stored"], true, "the influence was stored");
    assert_eq!(again["influence"], first["influence"]);
    let influence = &first["influence"];
    let cases = influence["cases"].as_array().expect("cases");
    assert!(cases.len() > 10, "{} cities", cases.len());
    let rows: u64 = cases.iter().map(|case| case["n_obs"].as_u64().expect("rows")).sum();
    assert_eq!(Some(rows), first["n_obs"].as_u64());
    // CV3 from the coefficients that are printed.
    let own = number(&term(first, "affiliate_growth")["estimate"]);
    let shifts = cases.iter().map(|case| (number(&case["estimates"][0]) - own).powi(2));
    let n = f64::from(u32::try_from(cases.len()).expect("few"));
    let wanted = ((n - 1.0) / n * shifts.sum::<f64>()).sqrt();
    let found = number(&influence["terms"][0]["std_error"]);
    assert!((found / wanted - 1.0).abs() < 1e-9, "{found}, {wanted}");
    // Other draws are another request; without the bootstrap the stored estimate answers.
    let plain = &models(&sandbox, &["--table", "3.4", "--leave-one-out"])["3.4"];
    assert_eq!(plain["stored"], true);
    let other = &models(&sandbox, &[&asked[..6], &["4"]].concat())["3.4"];
    assert_eq!(other["stored"], false);

    let exported = exported(&sandbox, "influence");
    let n_terms = influence["terms"].as_array().expect("terms").len();
    assert_eq!(exported.len(), 2 * cases.len() * n_terms, "two estimates were stored");
    for row in exported.iter().filter(|row| row["term"] == "affiliate_growth") {
        let [own, without, influence] = ["estimate", "estimate_without", "influence"]
            .map(|name| row[name].parse::<f64>().expect("a number"));
        assert!((without - own - influence).abs() < 1e-12);
    }
}

#[test]
fn the_chart_has_a_bar_for_each_city_in_both_languages() {
    let sandbox = home();
    let asked = ["--table", "3.4", "--leave-one-out"];
    let n_cities =
        models(&sandbox, &asked)["3.4"]["influence"]["n_groups"].as_u64().expect("a count");
    for (language, text) in [("en", "Influence by City"), ("zh", "各城市的影响")] {
        let run =
            estimate(&sandbox, &[&asked[..], &["--format", "svg", "--lang", language]].concat());
        assert!(run.stdout.contains(text), "{}", run.stdout);
        let bars = ["#b8520a", "#1b65a8"].map(|colour| run.stdout.matches(colour).count());
        assert_eq!(bars.iter().sum::<usize>() as u64, n_cities);
    }
}

#[test]
fn options_that_do_not_fit_are_refused_with_the_remedy() {
    let sandbox = home();
    for (arguments, text) in [
        (&["--table", "3.4", "--wild-bootstrap"][..], "name the groups by --leave-one-out"),
        (&["--table", "3.4", "--seed", "2"], "--seed belongs to"),
        (&["--table", "3", "--leave-one-out", "--format", "svg"], "draws one column"),
    ] {
        let run = sandbox.run([&["estimate"], arguments].concat());
        assert_ne!(run.code, Some(0), "{arguments:?}");
        assert!(run.stderr.contains(text), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn placebo_networks_are_drawn_from_their_seed_and_refused_without_the_terms() {
    let sandbox = home();
    let placebo = |more: &[&str]| {
        let asked = ["--table", "3.4", "--placebo", "99", "--format", "json"];
        let run = estimate(&sandbox, &[&asked[..], more].concat());
        serde_json::from_str::<serde_json::Value>(&run.stdout).expect("JSON")
    };
    let first = placebo(&["--seed", "7"]);
    assert_eq!(first, placebo(&["--seed", "7"]));
    assert_ne!(first["terms"][0]["draws"], placebo(&["--seed", "8"])["terms"][0]["draws"]);
    let draws = first["terms"][0]["draws"].as_array().expect("draws");
    assert_eq!(draws.len(), 99);
    // The p-value from the printed draws.
    let observed = number(&first["terms"][0]["observed"]).abs();
    let n_beyond = draws.iter().filter(|draw| number(draw).abs() >= observed).count();
    let wanted = f64::from(u32::try_from(1 + n_beyond).expect("few")) / 100.0;
    assert!((number(&first["terms"][0]["p_value"]) - wanted).abs() < 1e-12);
    let model = &models(&sandbox, &["--table", "3.4"])["3.4"];
    assert_eq!(first["n_obs"], model["n_obs"]);
    let run = estimate(&sandbox, &["--table", "3.4", "--placebo", "99", "--format", "svg"]);
    assert!(run.stdout.contains("Placebo networks") && run.stdout.contains(">sample<"));
    for (table, text) in [("4.1", "has no affiliate terms"), ("3", "take one column")] {
        let run = sandbox.run(["estimate", "--table", table, "--placebo"]);
        assert_ne!(run.code, Some(0), "{table}");
        assert!(run.stderr.contains(text), "{table}: {}", run.stderr);
    }
}

#[test]
fn shift_share_errors_belong_to_the_coefficients_of_the_column() {
    let sandbox = home();
    let run = estimate(&sandbox, &["--table", "3.4", "--shift-share", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let model = &models(&sandbox, &["--table", "3.4"])["3.4"];
    assert_eq!(found["n_obs"], model["n_obs"]);
    for own in found["terms"].as_array().expect("terms") {
        let wanted = number(&term(model, own["term"].as_str().expect("a name"))["estimate"]);
        assert!((number(&own["estimate"]) - wanted).abs() < 1e-9 * wanted.abs().max(1.0));
        assert!(number(&own["std_error"]) > 0.0);
    }
    let shocks = found["n_shocks"].as_u64().expect("a count");
    assert!(shocks > 10 && shocks < found["n_obs"].as_u64().expect("rows"), "{shocks}");
}
