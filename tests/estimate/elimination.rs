//! Elimination within blocks on random panels: it agrees with the general solver, warm and cold, on
//! any number of threads.

use proptest::prelude::*;
use rayon::ThreadPoolBuilder;
use spillover::estimate::absorb::{AbsorbOptions, Method};
use spillover::estimate::formula::{Formula, Interaction};
use spillover::estimate::inference::{Inference, Vcov};
use spillover::estimate::memory::Memory;
use spillover::estimate::panel::{Column, Panel, Part};
use spillover::estimate::result::Estimate;
use spillover::estimate::{Estimated, Options, estimate, estimate_all};

/// Sets of effects: the paper's, with products, with groups of destinations, with redundant
/// effects.
const EFFECTS: [&str; 6] = [
    "plant^year + country^year + city^country",
    "plant^year + country^year + city^country + city^product^year",
    "plant^group^year + country^year + city^country",
    "plant^year + plant^group^year + country^year + city^country",
    "plant^group^year + country^year + city^country + city^product^year",
    "plant^year + country^year + city^country + city^product^year + city^group^year",
];
const VARIABLES: [&str; 4] = ["y ~ x", "y ~ x + z", "y ~ x + z + x:z", "z ~ x"];

/// Rows of plants in cities that ship products to countries, in order of year.
#[derive(Debug, Clone)]
struct Rows {
    keys: [(&'static str, Vec<i32>); 6],
    values: [(&'static str, Vec<f64>); 4],
}

impl Rows {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn new(seed: u64, cities: i64, years: i64) -> Self {
        let mut state = seed | 1;
        let mut below = move |n: i64| {
            state =
                state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(0x1405_7B7E_F767_814F);
            i64::try_from(state >> 33).expect("31 bits") % n
        };
        let mut keys =
            ["plant", "city", "country", "year", "product", "group"].map(|n| (n, vec![]));
        let mut values = ["y", "x", "z", "w"].map(|n| (n, vec![]));
        for year in 0..years {
            for plant in 0..cities * 12 {
                let city = plant % cities;
                for _ in 0..=below(2 + plant % 7) {
                    let (country, product) = (below(9).min(below(9)), below(4) + plant % 3);
                    let row = [plant, city, country, 2000 + year, product, country % 3];
                    let row = row.map(|value| i32::try_from(value).expect("small numbers"));
                    keys.iter_mut().zip(row).for_each(|(key, value)| key.1.push(value));
                    let mut real = || below(1 << 20) as f64 / f64::from(1 << 20);
                    let (x, z) = (real() + 0.1 * plant as f64, real() - 0.3 * country as f64);
                    let effects = (plant * 7 % 5 + country * year % 3 + city * country % 4) as f64;
                    let row = [x - 0.5 * z + 0.2 * x * z + effects + real(), x, z, 0.1 + real()];
                    values.iter_mut().zip(row).for_each(|(column, value)| column.1.push(value));
                }
            }
        }
        Self { keys, values }
    }

    fn n(&self) -> usize {
        self.keys[0].1.len()
    }

    /// The number of rows before the last year.
    fn n_before(&self) -> usize {
        let years = &self.keys[3].1;
        years.partition_point(|year| *year < years[years.len() - 1])
    }

    /// The first rows as a panel; each year is a part whose fingerprint is the year with `salt`.
    fn panel(&self, n: usize, salt: u64) -> Panel<'_> {
        let keys = self.keys.iter().map(|(name, v)| ((*name).into(), Column::Integer(&v[..n])));
        let values = self.values.iter().map(|(name, v)| ((*name).into(), Column::Real(&v[..n])));
        let parts = self.keys[3].1[..n].chunk_by(|a, b| a == b).map(|years| Part {
            n_rows: years.len(),
            fingerprint: u64::from(years[0].unsigned_abs()) * 1000 + salt,
        });
        let parts: Vec<Part> = parts.collect();
        Panel::new(keys.chain(values).collect()).expect("a panel").in_parts(parts)
    }
}

fn options(method: Method, weights: bool) -> Options {
    let clusters = Interaction::parse_sum("city^country").expect("clusters");
    Options {
        weights: weights.then(|| "w".into()),
        inference: Inference { vcov: Vcov::Clustered(clusters), ..Inference::default() },
        absorb: AbsorbOptions { method, tolerance: 1e-12, ..AbsorbOptions::default() },
        ..Options::default()
    }
}

fn run(panel: &Panel<'_>, formula: &str, options: &Options, memory: Option<&Memory>) -> Estimated {
    let formula = Formula::parse(formula).expect("a formula");
    estimate_all(panel, &[formula], options, memory).expect("an estimate")
}

/// Estimates without a memory for a later estimation.
fn run_alone(panel: &Panel<'_>, formula: &str, options: &Options) -> Estimate {
    let formula = Formula::parse(formula).expect("a formula");
    estimate(panel, &formula, options, None).expect("an estimate")
}

fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    ThreadPoolBuilder::new().num_threads(1).build().expect("a thread").install(work)
}

fn assert_close(a: &Estimated, b: &Estimated) {
    assert_alike(&a.estimates[0], &b.estimates[0]);
}

fn assert_alike(a: &Estimate, b: &Estimate) {
    assert_eq!((a.n_obs, a.k, a.df_t, &a.dropped), (b.n_obs, b.k, b.df_t, &b.dropped));
    assert_eq!(a.terms.len(), b.terms.len());
    assert!(!a.terms.is_empty() || !a.dropped.is_empty(), "nothing is compared");
    for (a, b) in a.terms.iter().zip(&b.terms) {
        let scale = a.std_error.expect("an error");
        assert!((a.estimate - b.estimate).abs() < 1e-7 * scale, "{a:?} and {b:?}");
        let apart = a.std_error.zip(b.std_error).map(|(a, b)| (a / b - 1.0).abs());
        assert!(apart.is_some_and(|apart| apart < 1e-7), "{a:?} and {b:?}");
    }
    let apart = a.r2_within.zip(b.r2_within).map(|(a, b)| (a - b).abs());
    assert!(apart.is_some_and(|apart| apart < 1e-9), "{a:?} and {b:?}");
}

/// Asserts equality to the last bit, except for facts about the computation.
fn assert_same(a: &Estimated, b: &Estimated) {
    assert_eq!(a.estimates, b.estimates);
    assert_eq!(a.estimates[0].covariance, b.estimates[0].covariance);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn eliminating_within_blocks_is_iterating_all_effects(
        seed in any::<u64>(),
        cities in 4_i64..9,
        years in 2_i64..6,
        shape in 0..EFFECTS.len(),
        variables in 0..VARIABLES.len(),
        weights in any::<bool>(),
    ) {
        let rows = Rows::new(seed, cities, years);
        let panel = rows.panel(rows.n(), 0);
        let formula = format!("{} | {}", VARIABLES[variables], EFFECTS[shape]);
        let general = run(&panel, &formula, &options(Method::General, weights), None);
        let fastest = run(&panel, &formula, &options(Method::Fastest, weights), None);
        prop_assert!(general.elimination.is_none());
        assert_close(&general, &fastest);
        let on_one =
            on_one_thread(|| run(&panel, &formula, &options(Method::Fastest, weights), None));
        assert_same(&fastest, &on_one);
    }

    #[test]
    fn what_keeps_nothing_comes_to_the_same(
        seed in any::<u64>(),
        cities in 4_i64..9,
        years in 2_i64..6,
        shape in 0..EFFECTS.len(),
        weights in any::<bool>(),
    ) {
        let rows = Rows::new(seed, cities, years);
        let (panel, options) = (rows.panel(rows.n(), 0), options(Method::Fastest, weights));
        let formula = format!("y ~ x + z + x:z | {}", EFFECTS[shape]);
        let alone = run_alone(&panel, &formula, &options);
        assert_alike(&run(&panel, &formula, &options, None).estimates[0], &alone);
        let on_one = on_one_thread(|| run_alone(&panel, &formula, &options));
        prop_assert_eq!(&alone, &on_one);
        prop_assert_eq!(&alone.covariance, &on_one.covariance);
    }

    #[test]
    fn a_year_that_closes_reads_its_own_rows_only(
        seed in any::<u64>(),
        cities in 4_i64..9,
        years in 3_i64..6,
        shape in 0..EFFECTS.len(),
        weights in any::<bool>(),
    ) {
        let rows = Rows::new(seed, cities, years);
        let formula = format!("y ~ x + z | {}", EFFECTS[shape]);
        let options = options(Method::Fastest, weights);
        let before = run(&rows.panel(rows.n_before(), 0), &formula, &options, None);
        let tables = before.memory.into_tables();
        prop_assert!(tables.iter().all(|table| Memory::TABLES.contains(&table.name)));
        let memory = Memory::from_tables(tables).expect("a memory");
        let panel = rows.panel(rows.n(), 0);
        let warm = run(&panel, &formula, &options, Some(&memory));
        let reads_some = warm.elimination.as_ref().is_none_or(|own| own.n_kept < own.n_pieces);
        prop_assert!(reads_some, "{:?}", warm.elimination);
        assert_close(&run(&panel, &formula, &options, None), &warm);
        // With other fingerprints everything is read again and gives the same bits.
        let mut again = run(&rows.panel(rows.n(), 1), &formula, &options, Some(&memory));
        prop_assert!(again.elimination.as_ref().is_none_or(|own| own.n_kept == 0));
        // The facts about the computation may differ here.
        again.estimates[0].warm_start = warm.estimates[0].warm_start;
        assert_same(&warm, &again);
    }
}

#[test]
fn a_closed_year_is_not_read_again() {
    let rows = Rows::new(11, 8, 6);
    for (effects, n_local) in EFFECTS.into_iter().zip([0, 1, 0, 0, 1, 2]) {
        let formula = format!("y ~ x + z | {effects}");
        let options = options(Method::Fastest, false);
        let before = run(&rows.panel(rows.n_before(), 0), &formula, &options, None);
        let warm = run(&rows.panel(rows.n(), 0), &formula, &options, Some(&before.memory));
        let pieces = warm.elimination.expect("blocks");
        assert_eq!(pieces.local.len(), n_local, "{effects}");
        assert!(2 * pieces.n_kept > pieces.n_pieces, "{pieces:?} with {effects}");
    }
}

#[test]
fn a_late_record_is_read_again_with_its_city_and_year_only() {
    let mut rows = Rows::new(7, 8, 4);
    let formula = "y ~ x + z | plant^year + country^year + city^country + city^product^year";
    let options = options(Method::Fastest, false);
    let values_only = |rows: &Rows| {
        let all = run(&rows.panel(rows.n(), 0).in_parts(Vec::new()), formula, &options, None);
        all.memory
    };
    let memory = values_only(&rows);
    let n = rows.n();
    rows.values[0].1[n / 3] += 0.25;
    let panel = rows.panel(n, 0).in_parts(Vec::new());
    let warm = run(&panel, formula, &options, Some(&memory));
    let pieces = warm.elimination.as_ref().expect("blocks");
    assert_eq!(pieces.n_kept, pieces.n_pieces - 1);
    assert_close(&run(&panel, formula, &options, None), &warm);
}

#[test]
fn a_damaged_memory_is_refused() {
    let rows = Rows::new(3, 6, 3);
    let formula = format!("y ~ x | {}", EFFECTS[1]);
    let found = run(&rows.panel(rows.n(), 0), &formula, &options(Method::Fastest, false), None);
    let tables = found.memory.into_tables();
    for lost in 0..tables.len() {
        let mut tables = tables.clone();
        tables.remove(lost);
        assert!(Memory::from_tables(tables).is_err(), "without table {lost}");
    }
}
