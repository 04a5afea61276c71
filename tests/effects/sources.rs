//! Sources, which add up to effects.

use std::collections::BTreeMap;

use super::oracle::{Row, affiliate, dot, number, units};
use super::{CASES, Case, Coefficients, N_MONTHS, Played, close, figure, home_of, period, table};

#[test]
fn sources_equal_plain_loops_and_add_up_to_the_effects() {
    let played = Played::new(home_of(32, N_MONTHS));
    let exports = played.exports(65);
    let month = number(period(200_505));
    let mut n_rows = 0;
    for case in [&CASES[0], &CASES[4], &CASES[10], &CASES[11]] {
        let of = played.coefficients(case.model, "2004", case.terms);
        let rows = case.asked().rows(&played.world, &exports, month);
        let year = exports.rows(&played.world, "12m", month);
        for level in ["nation", "city", "plant"] {
            let mut words = vec!["export", "sources", "--by", level, "--model", case.model];
            words.extend(["--span", case.span]);
            words.extend(case.own_density.then_some(["--density", "span"]).into_iter().flatten());
            let found = table(&played.run(&words));
            let expected = sources(&played, (case, level), &of, (&rows, &year));
            let keys: Vec<_> =
                found.iter().map(|row| (row["key"].clone(), row["source_city"].clone())).collect();
            assert_eq!(keys, expected.keys().cloned().collect::<Vec<_>>(), "{words:?}");
            let mut sums: BTreeMap<String, [f64; 2]> = BTreeMap::new();
            for (row, (key, parts)) in found.iter().zip(&expected) {
                let names = ["growth_sum", "exporters", "information", "contribution"];
                for (name, part) in names.iter().zip(parts) {
                    close(figure(row, name), Some(*part), &format!("{words:?} {key:?} {name}"));
                }
                let leave_out = Some(parts[4]).filter(|part| part.is_finite());
                close(figure(row, "leave_out"), leave_out, &format!("{words:?} {key:?} leave_out"));
                let sum = sums.entry(key.0.clone()).or_default();
                sum[0] += figure(row, "information").expect("a share");
                sum[1] += figure(row, "contribution").expect("a part");
                n_rows += 1;
            }
            words[1] = "effects";
            for row in table(&played.run(&words)) {
                let [information, contribution] = sums[&row["key"]];
                assert!((information - 1.0).abs() < 1e-12, "{words:?} {row:?} {information}");
                let effect = figure(&row, "effect").expect("an effect");
                assert!((contribution - effect).abs() < 1e-12, "{words:?} {row:?}");
            }
        }
    }
    assert!(n_rows > 300, "only {n_rows} rows were compared");
}

/// By unit and source: growth, exporters, information, contribution, leave-out (NaN if none).
fn sources(
    played: &Played,
    (case, level): (&Case, &str),
    of: &Coefficients,
    (rows, year): (&[Row], &[Row]),
) -> BTreeMap<(String, String), [f64; 5]> {
    let growth = if case.model == "4.1" { "affiliate_growth_weighted" } else { "affiliate_growth" };
    let effect = |values: &BTreeMap<&'static str, f64>| -> Option<f64> {
        let term = |term: &&[&'static str]| -> Option<f64> {
            term.iter().map(|name| values.get(name).copied()).product()
        };
        let terms: Option<Vec<f64>> = case.terms.iter().map(term).collect();
        Some(dot(&of.b, &terms?))
    };
    let mut all: BTreeMap<(String, String), [f64; 5]> = BTreeMap::new();
    for (unit, rows) in units(&played.world, level, rows) {
        let total: i64 = rows.iter().map(|row| row.cents).sum();
        for row in &rows {
            let weight = row.cents as f64 / total as f64;
            let own = effect(&row.values).expect("a whole row");
            let slope = {
                let one = row.values.iter().map(|(n, v)| (*n, if *n == growth { 1.0 } else { *v }));
                effect(&one.collect()).expect("a whole row")
            };
            // With the density of the span, a row of twelve months is not needed.
            let year = year.iter().find(|of| of.relation == row.relation).unwrap_or(row);
            let n: f64 = row.sources.values().map(|of| of[1]).sum();
            let is_in = |of: &[f64; 4]| if of[1] > 0.0 { of[2] } else { 0.0 };
            let weights: f64 = row.sources.values().map(is_in).sum();
            for (city, source) in &row.sources {
                let (share, part) = if case.model == "4.1" {
                    let share = is_in(source) / weights;
                    (share, if source[1] > 0.0 { share * source[0] / source[1] } else { 0.0 })
                } else {
                    (source[1] / n, source[0] / n)
                };
                let without = |sources: &BTreeMap<String, [f64; 4]>| {
                    let mut left = sources.clone();
                    left.remove(city);
                    affiliate(&left)
                };
                let mut values = row.values.clone();
                let (near, far) = (without(&row.sources), without(&year.sources));
                let far = if case.own_density { &near } else { &far };
                let density = growth.replace("growth", "ln_density");
                values.retain(|name, _| *name != growth && *name != density);
                let left = near.iter().filter(|(name, _)| **name == growth);
                values.extend(left.map(|(n, v)| (*n, *v)));
                let left = far.iter().filter(|(name, _)| **name == density);
                values.extend(left.map(|(n, v)| (*n, *v)));
                *values.get_mut("affiliate_cities").expect("a count") -= 1.0;
                let sums = all.entry((unit.clone(), city.clone()));
                let sums = sums.or_insert([0.0, 0.0, 0.0, 0.0, f64::NAN]);
                sums[0] += source[0];
                sums[1] += source[1];
                sums[2] += weight * share;
                sums[3] += weight * slope * part;
                if let Some(without) = effect(&values) {
                    let before = if sums[4].is_nan() { 0.0 } else { sums[4] };
                    sums[4] = before + weight * (own - without);
                }
            }
        }
    }
    all
}
