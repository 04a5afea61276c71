//! Effects of several models, components, baselines, spans and levels.

use std::collections::BTreeMap;

use super::oracle::{Exports, Relation, Row, dot, identified, key, mean, number, units};
use super::{CASES, Case, N_MONTHS, Played, close, figure, home_of, period, table};

#[test]
fn effects_equal_plain_loops_at_several_months_and_vintages() {
    let played = Played::new(home_of(31, N_MONTHS));
    let mut n_rows = 0;
    for (vintage, month, n_cases) in [(65, 200_505, 13), (65, 200_412, 3), (56, 200_408, 7)] {
        let exports = played.exports(vintage);
        for (place, case) in CASES.iter().take(n_cases).enumerate() {
            for level in ["nation", "province", "plant", "province^country", "country"] {
                if level == "nation" && ["within", "strict"].contains(&case.baseline) {
                    continue;
                }
                let is_thinned = place % 3 != 0 && !["nation", "province"].contains(&level);
                if is_thinned {
                    continue;
                }
                n_rows += compare(&played, (&exports, vintage, month), case, level);
            }
        }
    }
    assert!(n_rows > 400, "only {n_rows} rows were compared");
}

/// Compares the effects of a case; returns the number of rows.
fn compare(
    played: &Played,
    (exports, vintage, month): (&Exports, u32, u32),
    case: &Case,
    level: &str,
) -> usize {
    let (vintage, yyyymm) = (vintage.to_string(), month.to_string());
    let mut words = vec!["export", "effects", "--vintage", &vintage, "--month", &yyyymm];
    words.extend(["--model", case.model, "--component", case.component, "--by", level]);
    words.extend(["--baseline", case.baseline, "--span", case.span, "--value", "--no-band"]);
    words.extend(case.own_density.then_some(["--density", "span"]).into_iter().flatten());
    let found = table(&played.run(&words));
    let through = (month / 100 - 1).to_string();
    let found: Vec<_> = found.iter().filter(|row| row["through"] == through).collect();
    let of = played.coefficients(case.model, &through, case.terms);
    assert_eq!(of.through, through);
    let rows = case.asked().rows(&played.world, exports, number(period(month)));
    let expected = units(&played.world, level, &rows);
    let keys: Vec<&String> = found.iter().map(|row| &row["key"]).collect();
    assert_eq!(keys, expected.keys().collect::<Vec<_>>(), "{words:?}");
    let mut totals: BTreeMap<String, i64> = BTreeMap::new();
    for ((city, country), cents) in exports.values(case.span, number(period(month))) {
        let relation: Relation = (String::new(), city, country);
        *totals.entry(key(&played.world, level, &relation)).or_default() += cents;
    }
    let share = identified(&rows, &of.b);
    let mut n_without_error = 0;
    for (row, (key, rows)) in found.iter().zip(&expected) {
        let z = mean(rows);
        let cents: i64 = rows.iter().map(|row| row.cents).sum();
        let total = if level == "plant" { rows[0].plant_cents } else { totals[key] };
        let what = |column: &str| format!("{words:?} {key} {column}");
        let same = |column: &str, expected| close(figure(row, column), expected, &what(column));
        assert_eq!(row["rows"], rows.len().to_string(), "{}", what("rows"));
        same("export_value", Some(cents as f64 / 100.0));
        same("coverage", Some(cents as f64 / total as f64));
        same("effect", Some(dot(&of.b, &z)));
        let error = Some(of.variance(&z).sqrt()).filter(|error| error.is_finite());
        n_without_error += usize::from(error.is_none());
        same("std_error", error);
        let is_one = |column: &str| case.component != "both" && case.component != column;
        same("x_growth", is_one("density").then(|| z[0]));
        same("x_growth_density", is_one("density").then(|| z[1]));
        same("x_density", (case.component == "density").then(|| z[0]));
        same("identified", share);
        let usd = |row: &Row| row.cents as f64 / 100.0;
        let effect = |row: &Row| dot(&of.b, &row.z);
        let value: f64 = rows.iter().map(|row| usd(row) * (1.0 - libm::exp(-effect(row)))).sum();
        let found = figure(row, "value_usd").expect("an amount");
        let of_rows: f64 = rows.iter().map(usd).sum();
        assert!((found - value).abs() <= 1e-9 * of_rows, "{}", what("value_usd"));
        let gradient = |term: usize| {
            rows.iter().map(|row| usd(row) * libm::exp(-effect(row)) * row.z[term]).sum::<f64>()
        };
        let gradient: Vec<f64> = (0..z.len()).map(gradient).collect();
        let error = of.variance(&gradient).sqrt();
        let found = figure(row, "value_se");
        let is_close = found.is_some_and(|found| (found - error).abs() <= 1e-9 * of_rows);
        assert!(is_close || (found.is_none() && error.is_nan()), "{}", what("value_se"));
        let claim =
            if ["within", "strict"].contains(&case.baseline) { "contrast" } else { "accounting" };
        assert_eq!(row["claim"], claim);
    }
    assert!(case.model == "5.2" || n_without_error == 0, "{words:?}");
    found.len()
}

#[test]
fn several_levels_from_one_state_have_the_rows_of_each_alone() {
    use spillover::domain::series::Level;
    use spillover::effect::{EffectLevel, EffectRequest, Wanted};
    let sandbox = crate::home_of(11, crate::N_MONTHS);
    let mut reader = spillover::Reader::open(&sandbox.home()).expect("readable");
    let levels = [Level::City, Level::Country, Level::IncomeGroup, Level::Nation, Level::Province];
    let mut levels: Vec<EffectLevel> = levels.into_iter().map(EffectLevel::Of).collect();
    levels.push(EffectLevel::Plant);
    let months = reader.months_with_growth().expect("months");
    let (mut n_rows, mut n_bands) = (0, 0);
    for month in months.into_iter().rev().take(3) {
        let request = |level| EffectRequest {
            level,
            month: Some(month),
            band: Wanted::Yes,
            value: Wanted::Yes,
            ..EffectRequest::default()
        };
        let all = match reader.effects_by_level(&request(levels[0]), &levels) {
            Err(error) if error.is_absence() => continue,
            all => all.expect("effects"),
        };
        assert_eq!(all.len(), levels.len());
        for (level, together) in levels.iter().zip(all) {
            let alone = reader.effects(&request(*level)).expect("effects");
            // The shortest text of a number is another for any other bits.
            assert_eq!(format!("{together:?}"), format!("{alone:?}"), "{month}, {level:?}");
            n_rows += alone.rows.len();
            n_bands += alone.rows.iter().filter(|row| row.band.is_some()).count();
        }
    }
    assert!(n_rows > 20 && n_bands > 5, "{n_rows} rows, {n_bands} bands");
}
