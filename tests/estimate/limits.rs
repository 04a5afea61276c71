//! The limits of figures: constants, means far from zero, chains, models with a perfect fit.

use spillover::estimate::absorb::AbsorbOptions;
use spillover::estimate::design::singletons::Singletons;
use spillover::estimate::error::EstimateError;
use spillover::estimate::formula::{Formula, Interaction};
use spillover::estimate::inference::covariance::NegativeVariance;
use spillover::estimate::inference::{Inference, Vcov};
use spillover::estimate::least_squares::Collinear;
use spillover::estimate::panel::{Column, Panel};
use spillover::estimate::result::{Estimate, NoStdError};
use spillover::estimate::{Options, estimate};

type Named<'a> = (&'a str, &'a [f64]);

fn run(columns: &[Named<'_>], formula: &str, options: &Options) -> Result<Estimate, EstimateError> {
    let named = columns.iter().map(|(name, values)| ((*name).to_owned(), Column::Real(values)));
    let panel = Panel::new(named.collect()).expect("a panel");
    estimate(&panel, &Formula::parse(formula).expect("a formula"), options, None)
}

fn clustered(clusters: &str) -> Options {
    let clusters = Interaction::parse_sum(clusters).expect("clusters");
    let inference = Inference { vcov: Vcov::Clustered(clusters), ..Inference::default() };
    Options { inference, ..Options::default() }
}

/// Values on a grid of 2⁻¹⁰, so that a shift by a power of two up to 2⁴⁰ is exact.
fn grid(n: u32, factor: u32, modulus: u32) -> Vec<f64> {
    let mut state = u64::from(factor);
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((state >> 33) % u64::from(modulus)).expect("below the modulus")
    };
    (0..n).map(|_| f64::from(next()) / 1024.0).collect()
}

fn levels(n: u32, level: impl Fn(u32) -> u32) -> Vec<f64> {
    (0..n).map(|row| f64::from(level(row))).collect()
}

fn assert_no_errors(found: &Estimate, reason: NoStdError) {
    assert!(!found.terms.is_empty());
    for term in &found.terms {
        assert_eq!((term.std_error, term.std_error_reason), (None, Some(reason)), "{term:?}");
        let others = [term.statistic, term.p_value, term.conf_low, term.conf_high];
        assert_eq!(others, [None; 4], "{term:?}");
        assert!(term.estimate.is_finite());
    }
    assert!(found.notes.iter().any(|note| note.contains("standard error")), "{:?}", found.notes);
    assert_eq!(found.covariance.is_none(), found.notes[0].starts_with("No standard errors"));
}

#[test]
fn constants_are_dropped_beside_effects_whatever_their_digits() {
    let n = 90;
    let (y, x) = (grid(n, 7919, 3001), grid(n, 104_729, 2003));
    // Groups of different sizes.
    let (firm, year) = (levels(n, |row| row * row % 11), levels(n, |row| row % 6));
    let weights: Vec<f64> = (0..n).map(|row| 0.3 + f64::from(row % 7)).collect();
    let without = run(
        &[("y", &y), ("x", &x), ("firm", &firm), ("year", &year)],
        "y ~ x | firm + year",
        &clustered("firm"),
    );
    let without = without.expect("an estimate");
    for constant in [0.1, 0.7, 1.1, 2.3, 0.05, 0.3, 4.605_170_185_988_092, 1e9 / 3.0] {
        let exact = vec![constant; n as usize];
        let rounded: Vec<f64> =
            (0..n).map(|row| constant * (1.0 + f64::from(row % 3) * f64::EPSILON)).collect();
        let of_effects: Vec<f64> =
            firm.iter().zip(&year).map(|(f, t)| 1e12 * (constant + f * f) + constant * t).collect();
        for values in [&exact, &rounded, &of_effects] {
            let columns: [Named<'_>; 6] = [
                ("y", &y),
                ("x", &x),
                ("c", values),
                ("firm", &firm),
                ("year", &year),
                ("w", &weights),
            ];
            let found = run(&columns, "y ~ c + x | firm + year", &clustered("firm"));
            let found = found.expect("an estimate");
            assert_eq!(found.dropped.len(), 1, "{constant}: {:?}", found.terms);
            assert_eq!(found.dropped[0].collinear, Collinear::WithFixedEffects);
            let pairs = found.terms[0].std_error.zip(without.terms[0].std_error);
            let (own, other) = pairs.expect("standard errors");
            assert!((own / other - 1.0).abs() < 1e-9, "{constant}: {own} and {other}");
            let weighted = Options { weights: Some("w".into()), ..clustered("firm") };
            let weighted = run(&columns, "y ~ c + x | firm + year", &weighted);
            assert_eq!(weighted.expect("an estimate").dropped.len(), 1, "{constant} with weights");
        }
    }
}

#[test]
fn a_mean_of_a_million_million_spreads_changes_nothing() {
    let n = 400;
    let noise = grid(n, 48_611, 4001);
    let x = grid(n, 104_729, 2003);
    let (firm, year) = (levels(n, |row| row / 5), levels(n, |row| row % 7));
    let y: Vec<f64> = x.iter().zip(&noise).map(|(x, e)| x + e).collect();
    let far = |values: &[f64], by: f64| values.iter().map(|value| value + by).collect::<Vec<_>>();
    let options = clustered("firm");
    let of = |y: &[f64], x: &[f64]| {
        let columns = [("y", y), ("x", x), ("firm", &firm[..]), ("year", &year[..])];
        run(&columns, "y ~ x | firm + year", &options).expect("an estimate")
    };
    let near = of(&y, &x);
    for by in [2_f64.powi(20), 2_f64.powi(40), -(2_f64.powi(40))] {
        for found in [of(&y, &far(&x, by)), of(&far(&y, by), &x), of(&far(&y, by), &far(&x, -by))] {
            assert!(found.dropped.is_empty(), "{by}");
            let (own, other) = (&found.terms[0], &near.terms[0]);
            assert!((own.estimate / other.estimate - 1.0).abs() < 1e-9, "{by}: {own:?}");
            let errors = own.std_error.zip(other.std_error).expect("standard errors");
            assert!((errors.0 / errors.1 - 1.0).abs() < 1e-9, "{by}: {own:?}");
        }
    }
}

#[test]
fn a_model_that_fits_everything_has_no_standard_errors() {
    let y = [0.3, 1.2, -0.4, 0.8, 0.9, -0.1];
    let (x, z) = ([1.0, -0.5, 0.7, 0.2, 0.4, -1.0], [0.1, 0.9, -0.3, 0.6, 0.75, 0.25]);
    let (firm, year) = ([1.0, 1.0, 2.0, 2.0, 3.0, 3.0], [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    let columns: [Named<'_>; 5] =
        [("y", &y), ("x", &x), ("z", &z), ("firm", &firm), ("year", &year)];
    let found = run(&columns, "y ~ x + z | firm + year", &clustered("firm")).expect("coefficients");
    assert_no_errors(&found, NoStdError::ResidualsZero);

    let n = 60;
    let x = grid(n, 104_729, 2003);
    let (firm, year) = (levels(n, |row| row / 6), levels(n, |row| row % 6));
    let of = |y: &[f64]| {
        let columns = [("y", y), ("x", &x[..]), ("firm", &firm[..]), ("year", &year[..])];
        run(&columns, "y ~ x | firm + year", &clustered("firm")).expect("a coefficient")
    };
    let constant = of(&vec![0.1; n as usize]);
    assert_no_errors(&constant, NoStdError::OutcomeConstant);
    assert_eq!((constant.r2, constant.r2_within), (None, None));
    let sum: Vec<f64> = firm.iter().zip(&year).map(|(f, t)| 0.1 * f * f - 0.7 * t).collect();
    let sum = of(&sum);
    assert_no_errors(&sum, NoStdError::ResidualsZero);
    assert_eq!(sum.r2_within, None);
    let fit: Vec<f64> = x.iter().zip(&firm).map(|(x, f)| 3.0 * x + f / 3.0).collect();
    assert_no_errors(&of(&fit), NoStdError::ResidualsZero);
}

#[test]
fn what_leaves_no_variance_is_named() {
    let n = 40;
    let (y, x) = (grid(n, 7919, 3001), grid(n, 104_729, 2003));
    let (one, firm) = (vec![1.0; n as usize], levels(n, |row| row / 4));
    let columns: [Named<'_>; 4] = [("y", &y), ("x", &x), ("one", &one), ("firm", &firm)];
    for clusters in ["one", "firm + one"] {
        let found = run(&columns, "y ~ x | firm", &clustered(clusters)).expect("a coefficient");
        assert_no_errors(&found, NoStdError::OneCluster);
    }
    let few = run(&[("y", &y[..2]), ("x", &x[..2])], "y ~ x", &Options::default());
    let few = few.expect("coefficients");
    assert_eq!(few.df_residual, 0);
    assert!(few.terms.iter().all(|term| term.std_error.is_none()), "{few:?}");
    // Two clusters, and a regressor that is constant within them: all scores are zero.
    let half = levels(n, |row| row / 20);
    let columns: [Named<'_>; 3] = [("y", &y), ("half", &half), ("g", &half)];
    let found = run(&columns, "y ~ half", &clustered("g")).expect("coefficients");
    let slope = found.terms.iter().find(|term| term.term == "half").expect("a slope");
    assert_eq!(slope.std_error_reason, Some(NoStdError::VarianceZero), "{slope:?}");
}

#[test]
fn a_negative_two_way_variance_is_named_or_repaired() {
    let (four, rest) = (levels(24, |row| row / 4), levels(24, |row| row % 4));
    let mut repaired = 0;
    for seed in 0..60 {
        let (y, x) = (grid(24, 7919 + 2 * seed, 3001), grid(24, 104_729 + 4 * seed, 2003));
        let columns: [Named<'_>; 4] = [("y", &y), ("x", &x), ("a", &four), ("b", &rest)];
        let kept = run(&columns, "y ~ x", &clustered("a + b")).expect("coefficients");
        let negative = |term: &&spillover::estimate::result::TermEstimate| {
            term.std_error_reason == Some(NoStdError::VarianceNegative)
        };
        if kept.terms.iter().filter(negative).count() == 0 {
            continue;
        }
        assert!(!kept.notes.is_empty());
        let mut options = clustered("a + b");
        options.inference.negative_variance = NegativeVariance::Repaired;
        let found = run(&columns, "y ~ x", &options).expect("coefficients");
        assert!(found.notes[0].contains("eigenvalues"), "{:?}", found.notes);
        // If no eigenvalue was positive, the repaired matrix is zero.
        let is_right = |term: &spillover::estimate::result::TermEstimate| {
            term.std_error.is_some() || negative(&term)
        };
        assert!(found.terms.iter().all(is_right), "{found:?}");
        repaired += usize::from(found.terms.iter().all(|term| term.std_error.is_some()));
    }
    assert!(repaired > 0, "no panel has a negative variance");
}

/// Spells of consecutive days, two to four for each listing.
fn spells(n_listings: u32, n_days: u32) -> [Vec<f64>; 4] {
    let mut columns: [Vec<f64>; 4] = Default::default();
    let mut state = 9_u32;
    let mut draw = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24) - 0.5
    };
    for listing in 0..n_listings {
        let first = listing * 7919 % (n_days - 4);
        for day in first..first + 2 + listing % 3 {
            let (x, e) = (draw(), draw());
            let of_effects = f64::from(listing % 13) * 0.3 + f64::from(day) * 0.01;
            let row = [0.5 * x + of_effects + e, x, f64::from(listing), f64::from(day)];
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
    }
    columns
}

#[test]
fn long_chains_converge_on_any_number_of_threads() {
    let [y, x, listing, day] = spells(6000, 1500);
    let group: Vec<f64> = (0..y.len()).map(|row| [3.0, 1.0, 4.0, 1.0, 5.0][row % 5]).collect();
    let columns: [Named<'_>; 6] = [
        ("y", &y),
        ("x", &x),
        ("listing", &listing),
        ("day", &day),
        ("group", &group),
        ("w", &group),
    ];
    let weighted = Options { weights: Some("w".into()), ..Options::default() };
    for (formula, options) in [
        ("y ~ x | listing + day", Options::default()),
        ("y ~ x | listing + day + group", Options::default()),
        ("y ~ x | listing + day", weighted),
    ] {
        let on = |threads: usize, tolerance: f64| {
            let absorb = AbsorbOptions { tolerance, ..AbsorbOptions::default() };
            let options = Options { absorb, ..options.clone() };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let run = || run(&columns, formula, &options).expect("it converges");
            pool.expect("threads").install(run)
        };
        let found = on(1, 1e-10);
        assert!(found.iterations < 300, "{formula}: {} iterations", found.iterations);
        assert_eq!(found, on(2, 1e-10), "{formula}");
        let closer = on(1, 1e-13);
        let errors = found.terms[0].std_error.zip(closer.terms[0].std_error).expect("errors");
        assert!((errors.0 / errors.1 - 1.0).abs() < 1e-9, "{formula}");
        assert!((found.terms[0].estimate - closer.terms[0].estimate).abs() < 1e-9 * errors.0);
    }
}

#[test]
fn options_with_values_that_they_do_not_take_are_refused() {
    let (y, x) = (grid(20, 7919, 3001), grid(20, 104_729, 2003));
    let firm = levels(20, |row| row / 4);
    let columns: [Named<'_>; 3] = [("y", &y), ("x", &x), ("firm", &firm)];
    let of = |absorb: AbsorbOptions| {
        let options = Options { absorb, ..Options::default() };
        run(&columns, "y ~ x | firm", &options)
    };
    for tolerance in [0.0, 1.0, -1e-9, f64::NAN, f64::INFINITY] {
        let error = of(AbsorbOptions { tolerance, ..AbsorbOptions::default() }).expect_err("none");
        assert!(error.to_string().contains("tolerance"), "{error}");
    }
    let none = AbsorbOptions { patience: 0, ..AbsorbOptions::default() };
    assert!(of(none).expect_err("none").to_string().contains("patience"));
    let none = AbsorbOptions { iterations_max: 0, ..AbsorbOptions::default() };
    assert!(of(none).expect_err("none").to_string().contains("iterations"));
}

#[test]
fn an_iteration_that_is_cut_short_names_the_variable_and_the_option() {
    let [y, x, listing, day] = spells(600, 150);
    let columns: [Named<'_>; 4] = [("y", &y), ("x", &x), ("listing", &listing), ("day", &day)];
    let absorb = AbsorbOptions { iterations_max: 3, ..AbsorbOptions::default() };
    let options = Options { absorb, ..Options::default() };
    let error = run(&columns, "y ~ x | listing + day", &options).expect_err("not converged");
    let text = error.to_string();
    assert!(text.contains("raise iterations or tolerance"), "{text}");
    assert!(text.contains("\"y\"") || text.contains("\"x\""), "{text}");
}

#[test]
fn singletons_that_are_kept_count_and_change_no_coefficient() {
    let n = 41;
    let (y, x) = (grid(n, 7919, 3001), grid(n, 104_729, 2003));
    let firm = levels(n, |row| row / 4);
    let columns: [Named<'_>; 3] = [("y", &y), ("x", &x), ("firm", &firm)];
    let dropped = run(&columns, "y ~ x | firm", &Options::default()).expect("an estimate");
    let options = Options { singletons: Singletons::Kept, ..Options::default() };
    let kept = run(&columns, "y ~ x | firm", &options).expect("an estimate");
    assert_eq!((dropped.n_obs, dropped.n_singletons, dropped.k), (40, 1, 11));
    assert_eq!((kept.n_obs, kept.n_singletons, kept.k), (41, 0, 12));
    let pair = (dropped.terms[0].estimate, kept.terms[0].estimate);
    assert!((pair.0 / pair.1 - 1.0).abs() < 1e-12, "{pair:?}");
}
