//! News, which add up to changes.

use std::collections::{BTreeMap, BTreeSet};

use spillover::domain::types::{Period, Vintage};
use spillover::home::FileEntry;

use super::oracle::{Relation, Row, dot, number, units};
use super::{CASES, N_MONTHS, Played, close, figure, home_of, period, table};

/// Weight and vector of each relation.
type Weights = BTreeMap<Relation, (f64, Vec<f64>)>;

#[test]
fn news_equal_plain_loops_and_add_up_to_the_change() {
    let sandbox = home_of(33, N_MONTHS);
    assert_eq!(sandbox.run(["withdraw", "200404.csv"]).code, Some(0));
    let played = Played::new(sandbox);
    let mut n_rows = 0;
    for ([from, to], [before, after]) in [
        ([60_u32, 66], [200_412_u32, 200_505]),
        ([55, 59], [200_407, 200_411]),
        ([64, 65], [200_504, 200_505]),
    ] {
        let then = period(before);
        let (old, new) = (Vintage(from), Vintage(to));
        let late = |file: &FileEntry, of: Period| {
            file.counted_at(old) || (file.counted_at(new) && file.vintage > old && of <= then)
        };
        let amended = |file: &FileEntry, of: Period| file.counted_at(new) && of <= then;
        let states = [
            (played.exports(from), before),
            (played.exports_of(late), before),
            (played.exports_of(amended), before),
            (played.exports(to), after),
        ];
        let through = |month: u32| (month / 100 - 1).to_string();
        let case = &CASES[0];
        let coefficients =
            [before, after].map(|month| played.coefficients("3.4", &through(month), case.terms));
        for level in ["nation", "province", "plant"] {
            let (first, last) = (from.to_string(), to.to_string());
            let words = ["export", "news", "--by", level, "--news", &first, &last];
            let found = table(&played.run(&words));
            let all = states.each_ref().map(|(exports, month)| {
                let rows = case.asked().rows(&played.world, exports, number(period(*month)));
                weights(&units(&played.world, level, &rows))
            });
            let expected = news(&all, &coefficients.each_ref().map(|of| of.b.clone()));
            assert_eq!(found.len(), 12 * expected.len(), "{words:?}");
            for (unit, (change, parts)) in &expected {
                let own: Vec<_> = found.iter().filter(|row| &row["key"] == unit).collect();
                let sum: f64 = own.iter().map(|row| figure(row, "delta").expect("a part")).sum();
                let effect = |vintage: &str, month: u32| {
                    let month = month.to_string();
                    let words = ["export", "effects", "--by", level, "--no-band"];
                    let at = ["--month", &month, "--vintage", vintage];
                    let rows = table(&played.run(&[&words[..], &at].concat()));
                    let row = rows.iter().find(|row| &row["key"] == unit).expect("a unit");
                    figure(row, "effect").expect("an effect")
                };
                if level != "plant" {
                    let shown = effect(&last, after) - effect(&first, before);
                    assert!((sum - shown).abs() < 1e-12, "{words:?} {unit}: {sum}, {shown}");
                }
                assert!((sum - change).abs() < 1e-9, "{words:?} {unit}: {sum} is not {change}");
                for row in own {
                    let part = parts[&(row["step"].clone(), row["part"].clone())];
                    let what = format!("{words:?} {unit} {} {}", row["step"], row["part"]);
                    close(figure(row, "delta"), Some(part), &what);
                    n_rows += 1;
                }
            }
        }
    }
    assert!(n_rows > 500, "only {n_rows} rows were compared");
}

fn weights(units: &BTreeMap<String, Vec<Row>>) -> BTreeMap<String, Weights> {
    let of_unit = |(key, rows): (&String, &Vec<Row>)| {
        let total: i64 = rows.iter().map(|row| row.cents).sum();
        let weight =
            |row: &Row| (row.relation.clone(), (row.cents as f64 / total as f64, row.z.clone()));
        (key.clone(), rows.iter().map(weight).collect())
    };
    units.iter().map(of_unit).collect()
}

type Change = (f64, BTreeMap<(String, String), f64>);

/// The change of each unit of all states with its parts.
fn news(states: &[BTreeMap<String, Weights>; 4], b: &[Vec<f64>; 2]) -> BTreeMap<String, Change> {
    let steps = [
        ("late", 0, 1, 0, 0),
        ("amended", 1, 2, 0, 0),
        ("closed", 2, 3, 0, 0),
        ("coefficients", 3, 3, 0, 1),
    ];
    let mut all = BTreeMap::new();
    for unit in states[0].keys().filter(|unit| states.iter().all(|of| of.contains_key(*unit))) {
        let effect = |state: usize, b: &[f64]| -> f64 {
            states[state][unit].values().map(|(w, z)| w * dot(b, z)).sum()
        };
        let mut parts = BTreeMap::new();
        for (step, from, to, old, new) in steps {
            let (before, after) = (&states[from][unit], &states[to][unit]);
            let mean_effect = f64::midpoint(effect(from, &b[old]), effect(to, &b[new]));
            let mut sums = [0.0; 3];
            let relations: BTreeSet<&Relation> = before.keys().chain(after.keys()).collect();
            for relation in relations {
                let (one, other) = (before.get(relation), after.get(relation));
                let z = [one.or(other).expect("one has it"), other.or(one).expect("one has it")];
                let w = [one.map_or(0.0, |of| of.0), other.map_or(0.0, |of| of.0)];
                let estimates = b[old].iter().zip(&b[new]);
                for ((b_old, b_new), (z_old, z_new)) in estimates.zip(z[0].1.iter().zip(&z[1].1)) {
                    let weight = f64::midpoint(w[0], w[1]);
                    sums[0] += weight * f64::midpoint(*b_old, *b_new) * (z_new - z_old);
                    sums[1] += weight * (b_new - b_old) * f64::midpoint(*z_old, *z_new);
                }
                let effects = [dot(&b[old], &z[0].1), dot(&b[new], &z[1].1)];
                sums[2] += (w[1] - w[0]) * (f64::midpoint(effects[0], effects[1]) - mean_effect);
            }
            for (part, sum) in ["indicators", "coefficients", "weights"].into_iter().zip(sums) {
                parts.insert((step.to_owned(), part.to_owned()), sum);
            }
        }
        all.insert(unit.clone(), (effect(3, &b[1]) - effect(0, &b[0]), parts));
    }
    all
}
