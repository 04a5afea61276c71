//! `alerts test` against plain loops over the table `series` at each vintage.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow_array::RecordBatch;
use spillover::Reader;
use spillover::domain::span::{Joint, Span};
use spillover::domain::types::{Period, Vintage};
use spillover::estimate::inference::student_t::p_value;
use spillover::spans::SpanChoice;
use spillover::tables::cells::fields_of;

use crate::common::nasty_feed::{CITIES, NastyFeed};
use crate::common::{Sandbox, csv_rows};

/// Seven years: the last one has deviations from five years.
const N_MONTHS: usize = 84;
const N_ALONE: usize = 4;
const RULES: &str = "
n_min = 1
firms_min = 1
[[rule]]
name = 'z of cities'
by = 'city'
span = 'month'
fdr = 0.95
z = { raise = 1.0, clear = 1.0 }
[[rule]]
name = 'z of the year'
by = 'country'
figure = 'value_growth'
fdr = 0.8
n_min = 2
z = { raise = 1.0 }
[[rule]]
name = 'revisions'
by = 'city'
revision = { beyond = 0.05, months = 6 }
";

/// The figures of a level at a month and a vintage: value and continuing exporters by key.
type Figures = BTreeMap<String, (f64, u64)>;

/// A row of `series`: level, key and all fields.
type Row = (String, String, BTreeMap<String, String>);

struct World<'r> {
    reader: &'r Reader,
    held: BTreeMap<(u32, &'static str, Period), Vec<Row>>,
}

impl World<'_> {
    fn rows(&mut self, vintage: u32, span: &'static str, month: Period) -> &[Row] {
        let reader = self.reader;
        self.held.entry((vintage, span, month)).or_insert_with(|| {
            let source = reader.spans(Some(Vintage(vintage)), Joint::default()).expect("readable");
            let span: Span = span.parse().expect("a span");
            if source.span(span, month).is_err() {
                return Vec::new();
            }
            let (month, span) = (Some(month), Some(span));
            let choice = SpanChoice { years: Vec::new(), month, span };
            let chosen = source.chosen("series", &choice).expect("a span");
            let batches: Vec<RecordBatch> =
                source.series_rows(chosen).collect::<Result<_, _>>().expect("rows");
            let rows = batches.iter().flat_map(|batch| {
                let schema = batch.schema();
                let names: Vec<String> =
                    schema.fields().iter().map(|field| field.name().clone()).collect();
                (0..batch.num_rows()).map(move |row| {
                    let fields: BTreeMap<String, String> =
                        names.iter().cloned().zip(fields_of(batch, row)).collect();
                    (fields["level"].clone(), fields["key"].clone(), fields)
                })
            });
            rows.collect()
        })
    }

    fn figures(
        &mut self,
        (level, figure): (&str, &str),
        (vintage, span, month): (u32, &'static str, Period),
    ) -> Figures {
        let rows = self.rows(vintage, span, month).iter().filter(|(own, ..)| own == level);
        let figures = rows.filter_map(|(_, key, fields)| {
            let n = fields["continuing"].parse().expect("a count");
            Some((key.clone(), (fields[figure].parse().ok()?, n)))
        });
        figures.collect()
    }
}

/// The z and the p-value of each unit with five earlier years or more.
fn deviations(now: &Figures, n_min: u64, earlier: &[Figures]) -> BTreeMap<String, (f64, f64)> {
    let mut found = BTreeMap::new();
    for (key, (value, _)) in now.iter().filter(|(_, (_, n))| *n >= n_min) {
        let past: Vec<f64> = earlier.iter().filter_map(|of| Some(of.get(key)?.0)).collect();
        let years = past.len() as f64;
        if past.len() < 5 {
            continue;
        }
        let mean = past.iter().sum::<f64>() / years;
        let variance = past.iter().map(|of| (of - mean).powi(2)).sum::<f64>() / (years - 1.0);
        let z = (value - mean) / (variance.sqrt() * (1.0 + 1.0 / years).sqrt());
        found.insert(key.clone(), (z, p_value(z, years - 1.0).expect("a p-value")));
    }
    found
}

/// The units that the step-up procedure rejects: p(k) ≤ k/m · fdr for the largest such k.
fn rejected(of: &BTreeMap<String, (f64, f64)>, fdr: f64) -> BTreeSet<String> {
    let mut order: Vec<(&String, f64)> = of.iter().map(|(key, (_, p))| (key, *p)).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let m = order.len() as f64;
    let holds = |k: &usize| order[*k - 1].1 <= *k as f64 / m * fdr;
    let n = (1..=order.len()).rev().find(holds).unwrap_or(0);
    order[..n].iter().map(|(key, _)| (*key).clone()).collect()
}

struct Rule {
    name: &'static str,
    level: &'static str,
    figure: &'static str,
    span: &'static str,
    n_min: u64,
    fdr: f64,
    raise: f64,
}

fn home() -> (Sandbox, Vec<(u32, Vec<Period>)>) {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    let feed = NastyFeed::new(11, N_MONTHS);
    let files: Vec<_> = feed.files().map(|(name, text)| sandbox.write(&name, text)).collect();
    let (many, alone) = files.split_at(N_MONTHS - N_ALONE);
    let paths: Vec<&Path> = many.iter().map(std::path::PathBuf::as_path).collect();
    sandbox.ingest(&paths, 1);
    for path in alone {
        sandbox.ingest(&[path], 1);
    }
    // Publications with the months that they closed, from the home's own calendar.
    let reader = Reader::open(&sandbox.home()).expect("a home");
    let mut steps: BTreeMap<u32, Vec<Period>> = BTreeMap::new();
    let mut newest: BTreeMap<u32, u32> = BTreeMap::new();
    for of in reader.vintages().expect("readable") {
        newest.insert(of.publication.0, of.vintage.0);
    }
    for of in reader.calendar().expect("readable") {
        if let Some(publication) = of.closed_by {
            steps.entry(newest[&publication.0]).or_default().push(of.month);
        }
    }
    (sandbox, steps.into_iter().collect())
}

#[test]
fn replayed_alerts_are_those_of_plain_loops_over_published_figures() {
    let (sandbox, steps) = home();
    assert!(steps.len() > N_ALONE, "months in batches and alone: {steps:?}");
    std::fs::write(sandbox.home().join("alerts.toml"), RULES).expect("rules");
    let run = sandbox.run(["alerts", "test"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let rows = csv_rows(&run.stdout);
    let place = |name: &str| rows[0].iter().position(|own| own == name).expect("a column");
    let columns = ["rule", "key", "year", "month", "vintage"].map(place);
    let (z, value) = (place("z"), place("value"));
    let mut found: BTreeMap<[String; 5], (String, String)> = BTreeMap::new();
    for row in &rows[1..] {
        let key = columns.map(|at| row[at].clone());
        assert!(
            found.insert(key.clone(), (row[z].clone(), row[value].clone())).is_none(),
            "{key:?}"
        );
    }
    let reader = Reader::open(&sandbox.home()).expect("a home");
    let mut world = World { reader: &reader, held: BTreeMap::new() };
    let rules = [
        Rule {
            name: "z of cities",
            level: "city",
            figure: "growth",
            span: "month",
            n_min: 1,
            fdr: 0.95,
            raise: 1.0,
        },
        Rule {
            name: "z of the year",
            level: "country",
            figure: "value_growth",
            span: "ytd",
            n_min: 2,
            fdr: 0.8,
            raise: 1.0,
        },
    ];
    let mut expected = BTreeMap::new();
    for rule in &rules {
        expected.extend(of_deviations(rule, &steps, &mut world));
    }
    let n_deviations = expected.len();
    expected.extend(of_revisions(&steps, &mut world));
    let n_revisions = expected.len() - n_deviations;
    assert!(n_deviations >= 5 && n_revisions >= 1, "{n_deviations} and {n_revisions} alerts");
    let keys = |of: &BTreeMap<[String; 5], (f64, f64)>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), keys(&expected), "{}", run.stderr);
    for (key, (z, value)) in &expected {
        let (found_z, found_value) = &found[key];
        let close =
            |text: &str, of: f64| (text.parse::<f64>().expect("a number") - of).abs() < 1e-9;
        assert!(close(found_value, *value), "{key:?}: {found_value} is not {value}");
        assert!(z.is_nan() || close(found_z, *z), "{key:?}: {found_z} is not {z}");
    }
    // Every file of the feed is new, so a month that was closed before moves by late records.
    let tags = place("tags");
    let causes: BTreeSet<(&str, &str)> = rows[1..]
        .iter()
        .map(|row| (row[columns[0]].as_str(), row[tags].split(' ').next().expect("a word")))
        .collect();
    let is_known = |(rule, cause): &(&str, &str)| match *rule {
        "revisions" => *cause == "late",
        _ => *cause == "closed" || *cause == "late",
    };
    assert!(causes.iter().all(is_known), "{causes:?}");
    let many = RULES.replace("firms_min = 1\n", "firms_min = 1000\n");
    std::fs::write(sandbox.home().join("alerts.toml"), many).expect("rules");
    let none = sandbox.run(["alerts", "test"]);
    assert_eq!((none.code, csv_rows(&none.stdout).len()), (Some(0), 1), "no unit has 1,000 firms");
}

/// The alerts of a rule about deviations, with z and value.
fn of_deviations(
    rule: &Rule,
    steps: &[(u32, Vec<Period>)],
    world: &mut World<'_>,
) -> BTreeMap<[String; 5], (f64, f64)> {
    let mut alerts = BTreeMap::new();
    // For each unit: the side of its alert, and the marks of its months.
    let mut raised: BTreeMap<String, f64> = BTreeMap::new();
    let mut marks: BTreeMap<String, Vec<char>> = BTreeMap::new();
    for (vintage, months) in steps {
        let mut of_step: BTreeMap<String, (Period, f64, f64)> = BTreeMap::new();
        for month in months {
            let years = (1..).map_while(|ago| Period::new(month.year().0 - ago, month.month()));
            let years = years.take_while(|then| then.year().0 >= 2000);
            // Five years with growth begin in the second year of the feed.
            let has_years = month.year().0 >= 2006;
            if !has_years || (rule.span == "ytd" && month.month() < 3) {
                continue;
            }
            let what = (rule.level, rule.figure);
            let now = world.figures(what, (*vintage, rule.span, *month));
            let earlier: Vec<Figures> =
                years.map(|then| world.figures(what, (*vintage, rule.span, then))).collect();
            let of = deviations(&now, rule.n_min, &earlier);
            let rejected = rejected(&of, rule.fdr);
            for (key, (z, _)) in of {
                let is_beyond = z.abs() >= rule.raise && rejected.contains(&key);
                let marks = marks.entry(key.clone()).or_default();
                marks.push(if is_beyond {
                    'R'
                } else if z.abs() < 1.0 {
                    'N'
                } else {
                    'H'
                });
                if is_beyond && raised.get(&key) != Some(&z.signum()) {
                    raised.insert(key.clone(), z.signum());
                    of_step.insert(key.clone(), (*month, z, now[&key].0));
                } else if marks.ends_with(&['N', 'N']) && raised.remove(&key).is_some() {
                    of_step.remove(&key);
                }
            }
        }
        for (key, (month, z, value)) in of_step {
            let (year, of_year) = (month.year().to_string(), month.month().to_string());
            let row = [rule.name.to_owned(), key, year, of_year, vintage.to_string()];
            alerts.insert(row, (z, value));
        }
    }
    alerts
}

/// The alerts of the rule about revisions: the largest move of each city in the six last months.
fn of_revisions(
    steps: &[(u32, Vec<Period>)],
    world: &mut World<'_>,
) -> BTreeMap<[String; 5], (f64, f64)> {
    let mut alerts = BTreeMap::new();
    for pair in steps.windows(2) {
        let [(before, closed_before), (after, closed)] = pair else { unreachable!("two steps") };
        let mut of_step: BTreeMap<String, (f64, Period, f64)> = BTreeMap::new();
        let last = closed.last().expect("each step closes a month").number();
        let first = steps[0].1[0].number();
        let months = (first.max(last - 5)..=closed_before.last().expect("a month").number())
            .filter_map(|n| {
                Period::new(u16::try_from(n / 12).ok()?, u8::try_from(n % 12 + 1).ok()?)
            })
            .filter(|month| month.month() >= 3);
        for month in months {
            let now = world.figures(("city", "growth"), (*after, "ytd", month));
            let then = world.figures(("city", "growth"), (*before, "ytd", month));
            for (key, (value, _)) in now {
                let Some((earlier, _)) = then.get(&key) else { continue };
                let size = (value - earlier).abs();
                if size > 0.05 && of_step.get(&key).is_none_or(|of| size > of.0) {
                    of_step.insert(key, (size, month, value));
                }
            }
        }
        for (key, (_, month, value)) in of_step {
            let (year, of_year) = (month.year().to_string(), month.month().to_string());
            let row = ["revisions".to_owned(), key, year, of_year, after.to_string()];
            alerts.insert(row, (f64::NAN, value));
        }
    }
    alerts
}
