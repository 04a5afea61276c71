//! The back-test, and the bands of live effects.

use std::collections::{BTreeMap, BTreeSet};

use super::oracle::{Exports, Row, dot, mean, number, units};
use super::{AFFILIATE, CASES, N_MONTHS, Played, close, figure, home_of, period, table};

/// The effect of a unit at a month and at December of a year, and at the December before.
#[derive(Clone, Debug)]
struct Pair {
    key: String,
    year: u32,
    third: usize,
    effect: f64,
    last: f64,
    before: Option<f64>,
    is_covered: Option<bool>,
}

/// The units of a month with the mean vector and the exports of each.
fn means(
    played: &Played,
    exports: &Exports,
    level: &str,
    month: u32,
) -> BTreeMap<String, (Vec<f64>, i64)> {
    let rows = CASES[0].asked().rows(&played.world, exports, number(period(month)));
    let of_unit = |(key, rows): (String, Vec<Row>)| {
        (key, (mean(&rows), rows.iter().map(|row| row.cents).sum()))
    };
    units(&played.world, level, &rows).into_iter().map(of_unit).collect()
}

/// Thirds of units by exports, the smallest first.
fn thirds(units: &BTreeMap<String, (Vec<f64>, i64)>) -> BTreeMap<String, usize> {
    let mut ranked: Vec<(i64, &String)> =
        units.iter().map(|(key, (_, cents))| (*cents, key)).collect();
    ranked.sort_unstable();
    let n = ranked.len();
    ranked.iter().enumerate().map(|(rank, (_, key))| ((*key).clone(), 3 * rank / n)).collect()
}

/// The mean square of a third's revisions, with the number of years.
fn mean_square(pairs: &[Pair], third: usize) -> (f64, usize) {
    let own: Vec<&Pair> = pairs.iter().filter(|pair| pair.third == third).collect();
    let years: BTreeSet<u32> = own.iter().map(|pair| pair.year).collect();
    let squares: f64 = own.iter().map(|pair| (pair.last - pair.effect).powi(2)).sum();
    (squares / own.len() as f64, years.len())
}

/// Student's t with three degrees of freedom, two-sided 95 %.
const T_3: f64 = 3.182_446_305_284_263;

/// The pairs of a month over the years 2002 to 2004.
fn pairs(played: &Played, level: &str, k: u32, is_real_time: bool) -> Vec<Pair> {
    let now = played.exports(65);
    let mut pairs: Vec<Pair> = Vec::new();
    for year in 2002..=2004 {
        let of = played.coefficients("3.4", &(year - 1).to_string(), &AFFILIATE);
        // Each file closes its month, and the first is that of January 2000.
        let vintage = (year - 2000) * 12 + k;
        let then = if is_real_time { played.exports(vintage) } else { now.clone() };
        let seen = means(played, &then, level, year * 100 + k);
        let last = means(played, &now, level, year * 100 + 12);
        let before = means(played, &now, level, (year - 1) * 100 + 12);
        let thirds = thirds(&seen);
        let mut own = Vec::new();
        for (key, (z, _)) in &seen {
            let Some((z_last, _)) = last.get(key) else { continue };
            let (effect, last, third) = (dot(&of.b, z), dot(&of.b, z_last), thirds[key]);
            let variance = of.variance(z);
            let (mse, n_years) = mean_square(&pairs, third);
            let half = T_3 * (variance + mse).sqrt();
            own.push(Pair {
                key: key.clone(),
                year,
                third,
                effect,
                last,
                before: before.get(key).map(|(z, _)| dot(&of.b, z)),
                is_covered: (n_years == 3).then(|| (last - effect).abs() <= half),
            });
        }
        pairs.extend(own);
    }
    pairs
}

#[test]
fn the_back_test_and_the_bands_equal_plain_loops() {
    let played = Played::new(home_of(34, N_MONTHS));
    let mut n_rows = 0;
    for mode in ["pseudo", "real-time"] {
        let words = ["export", "backtest", "--by", "province", "--mode", mode];
        let found = table(&played.run(&words));
        for k in [3, 8, 11] {
            let pairs = pairs(&played, "province", k, mode == "real-time");
            let keys: BTreeSet<&str> =
                pairs.iter().map(|pair| pair.key.as_str()).chain(["*"]).collect();
            let of_month: Vec<_> =
                found.iter().filter(|row| row["month"] == k.to_string()).collect();
            let found_keys: Vec<&str> = of_month.iter().map(|row| row["key"].as_str()).collect();
            assert_eq!(found_keys, keys.into_iter().collect::<Vec<_>>(), "{words:?} {k}");
            for row in of_month {
                let own: Vec<&Pair> = pairs
                    .iter()
                    .filter(|pair| row["key"] == "*" || pair.key == row["key"])
                    .collect();
                let n = own.len() as f64;
                let mean =
                    |of: &dyn Fn(&Pair) -> f64| own.iter().map(|pair| of(pair)).sum::<f64>() / n;
                let r = |pair: &Pair| pair.last - pair.effect;
                let common =
                    || own.iter().filter_map(|pair| Some((r(pair), pair.last - pair.before?)));
                let ratio = common().map(|(r, _)| r * r).sum::<f64>()
                    / common().map(|(_, naive)| naive * naive).sum::<f64>();
                let same = |column: &str, expected: Option<f64>| {
                    close(figure(row, column), expected, &format!("{words:?} {row:?} {column}"));
                };
                same("n", Some(n));
                same("bias", Some(mean(&r)));
                same("mae", Some(mean(&|pair| r(pair).abs())));
                same("rmse", Some(mean(&|pair| r(pair).powi(2)).sqrt()));
                let agrees = |pair: &Pair| f64::from(u8::from(pair.last * pair.effect > 0.0));
                same("sign_agreement", Some(mean(&agrees)));
                same("rmse_ratio", Some(ratio.sqrt()));
                assert!(own.iter().all(|pair| pair.is_covered.is_none()), "three years in all");
                same("coverage", None);
                n_rows += 1;
            }
        }
    }
    assert!(n_rows > 25, "only {n_rows} rows were compared");
    // The live band of May 2005 has the real-time revisions of three years.
    let pairs = pairs(&played, "province", 5, true);
    let live = means(&played, &played.exports(65), "province", 200_505);
    let (thirds, of) = (thirds(&live), played.coefficients("3.4", "2004", &AFFILIATE));
    for row in table(&played.run(&["export", "effects", "--by", "province"])) {
        let (mse, n_years) = mean_square(&pairs, thirds[&row["key"]]);
        let z = &live[&row["key"]].0;
        let half = T_3 * (of.variance(z) + mse).sqrt();
        let same = |column: &str, expected| close(figure(&row, column), Some(expected), column);
        assert_eq!((n_years, row["years"].as_str()), (3, "3"), "{row:?}");
        assert_eq!(
            (row["revision_mode"].as_str(), row["provisional"].as_str()),
            ("real-time", "true")
        );
        same("revision_rmse", mse.sqrt());
        same("band_low", dot(&of.b, z) - half);
        same("band_high", dot(&of.b, z) + half);
    }
}
