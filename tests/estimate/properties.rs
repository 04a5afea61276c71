//! Properties of every estimate: equal on any number of threads, with either solver and from any
//! start. Models that cannot be estimated give the reason.

use rayon::ThreadPoolBuilder;
use spillover::estimate::absorb::{AbsorbOptions, Absorbed, Method};
use spillover::estimate::design::{Design, Request};
use spillover::estimate::error::EstimateError;
use spillover::estimate::fixed_effects;
use spillover::estimate::formula::{Formula, Interaction};
use spillover::estimate::inference::degrees_of_freedom::{Redundancy, SmallSample};
use spillover::estimate::inference::{Inference, Vcov, fit};
use spillover::estimate::least_squares::Collinear;
use spillover::estimate::panel::{Column, Panel};
use spillover::estimate::result::Estimate;
use spillover::estimate::{Options, estimate};

const PAPER: &str = "y ~ x + z + x:z | plant^year + country^year + city^country";

/// A panel of plants in cities, generated from a seed without a library.
#[derive(Default)]
struct Made {
    real: Vec<(&'static str, Vec<f64>)>,
    codes: Vec<(&'static str, Vec<u32>)>,
}

impl Made {
    #[expect(clippy::many_single_char_names, reason = "the columns are called that")]
    fn new(plants: u32, years: u32) -> Self {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut draw = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            f64::from(u32::try_from(state >> 40).expect("24 bits")) / f64::from(1 << 24)
        };
        let (mut y, mut x, mut z, mut w) = (vec![], vec![], vec![], vec![]);
        let (mut plant, mut city, mut country, mut year) = (vec![], vec![], vec![], vec![]);
        for t in 0..years {
            for i in 0..plants {
                for m in 0..12 {
                    let noise = draw() + draw() + draw();
                    if draw() * f64::from(m + 1) > 1.5 {
                        continue;
                    }
                    let (a, b, c) =
                        (f64::from(i % 7), f64::from(m * t % 5), f64::from(i % 9 * m % 4));
                    x.push(draw() + 0.3 * a);
                    z.push(draw() - 0.1 * b);
                    w.push(draw() + 0.1);
                    y.push(2.0 * x[x.len() - 1] - z[z.len() - 1] + a + b + c + noise);
                    plant.push(i);
                    city.push(i % 9);
                    country.push(m);
                    year.push(t);
                }
            }
        }
        let twice = x.iter().map(|x| 2.0 * x).collect();
        let of_two = |a: &[u32], b: &[u32]| -> Vec<f64> {
            a.iter().zip(b).map(|(&a, &b)| f64::from(a * 31 + b) + 0.1).collect()
        };
        let (of_plant, of_year) = (of_two(&plant, &year), of_two(&country, &year));
        let of_relation = of_two(&city, &country);
        Self {
            real: vec![
                ("y", y),
                ("x", x),
                ("z", z),
                ("w", w),
                ("twice", twice),
                ("of_plant", of_plant),
                ("of_year", of_year),
                ("of_relation", of_relation),
            ],
            codes: vec![("plant", plant), ("city", city), ("country", country), ("year", year)],
        }
    }

    fn panel(&self) -> Panel<'_> {
        self.first(self.real[0].1.len())
    }

    /// The panel's first rows.
    fn first(&self, n: usize) -> Panel<'_> {
        let real = self.real.iter().map(|(name, v)| ((*name).into(), Column::Real(&v[..n])));
        let codes = self.codes.iter().map(|(name, v)| ((*name).into(), Column::Code(&v[..n])));
        Panel::new(real.chain(codes).collect()).expect("a panel")
    }
}

fn options(clusters: &str, method: Method, weights: bool) -> Options {
    let clusters = Interaction::parse_sum(clusters).expect("clusters");
    Options {
        weights: weights.then(|| "w".into()),
        inference: Inference { vcov: Vcov::Clustered(clusters), ..Inference::default() },
        absorb: AbsorbOptions { method, ..AbsorbOptions::default() },
        ..Options::default()
    }
}

fn run(panel: &Panel<'_>, formula: &str, options: &Options) -> Result<Estimate, EstimateError> {
    estimate(panel, &Formula::parse(formula).expect("a formula"), options, None)
}

fn absorbed<'a>(panel: &Panel<'a>, formula: &str, options: &AbsorbOptions) -> Absorbed<'a> {
    let request = Request::of_formula(&Formula::parse(formula).expect("a formula"), &[], None);
    let design = Design::build(panel, &request).expect("a sample");
    Absorbed::solve(design, options, None).expect("it converges")
}

fn assert_close(a: &Estimate, b: &Estimate, tolerance: f64) {
    assert_eq!((a.n_obs, a.k, a.df_t, a.terms.len()), (b.n_obs, b.k, b.df_t, b.terms.len()));
    for (a, b) in a.terms.iter().zip(&b.terms) {
        assert!((a.estimate / b.estimate - 1.0).abs() < tolerance, "{a:?} and {b:?}");
        let errors = a.std_error.zip(b.std_error).expect("standard errors");
        assert!((errors.0 / errors.1 - 1.0).abs() < tolerance, "{a:?} and {b:?}");
    }
}

#[test]
fn one_thread_and_two_give_the_same_bits() {
    let made = Made::new(900, 4);
    let panel = made.panel();
    for method in [Method::General, Method::Fastest] {
        for formula in [PAPER, "y ~ x + z | plant + year", "y ~ x | city", "y ~ x + z"] {
            let options = options("city^country", method, true);
            let on = |n: usize| {
                let pool = ThreadPoolBuilder::new().num_threads(n).build().expect("threads");
                pool.install(|| run(&panel, formula, &options)).expect("an estimate")
            };
            let (one, two) = (on(1), on(2));
            assert_eq!(one, two, "{formula}");
            assert_eq!(one.covariance, two.covariance, "{formula}");
        }
    }
}

#[test]
fn elimination_within_blocks_agrees_with_the_general_solver() {
    let made = Made::new(900, 4);
    let panel = made.panel();
    for weights in [false, true] {
        let general = options("city^country", Method::General, weights);
        let fastest = options("city^country", Method::Fastest, weights);
        let general = run(&panel, PAPER, &general).expect("an estimate");
        let fastest = run(&panel, PAPER, &fastest).expect("an estimate");
        assert!(fastest.iterations < general.iterations);
        assert_close(&general, &fastest, 1e-8);
    }
    let found = absorbed(&panel, PAPER, &AbsorbOptions::default());
    let elimination = found.elimination.expect("city^country lives inside cities");
    assert_eq!((elimination.effect, elimination.local), (2, Vec::new()));
}

#[test]
fn an_earlier_solution_saves_iterations_and_changes_nothing() {
    let made = Made::new(900, 4);
    let (panel, before) = (made.panel(), made.first(made.real[0].1.len() * 3 / 4));
    let formula = Formula::parse(PAPER).expect("a formula");
    for method in [Method::General, Method::Fastest] {
        let options = options("city^country", method, false);
        let cold = estimate(&panel, &formula, &options, None).expect("an estimate");
        let keeping = AbsorbOptions { keep: true, ..options.absorb.clone() };
        let start = absorbed(&before, PAPER, &keeping).start();
        let warm = estimate(&panel, &formula, &options, Some(&start)).expect("an estimate");
        assert!(warm.warm_start && !cold.warm_start);
        assert_close(&cold, &warm, 1e-8);
        let own = absorbed(&panel, PAPER, &options.absorb).start();
        let again = estimate(&panel, &formula, &options, Some(&own)).expect("an estimate");
        assert!(again.iterations <= 2, "{} iterations", again.iterations);
    }
}

#[test]
fn models_on_one_sample_are_those_estimated_alone() {
    let made = Made::new(500, 3);
    let panel = made.panel();
    let right = "| plant^year + country^year + city^country";
    let formulas: Vec<Formula> = ["x + z", "x", "z + twice + x"]
        .iter()
        .map(|terms| Formula::parse(&format!("y ~ {terms} {right}")).expect("a formula"))
        .collect();
    let clusters = Interaction::parse_sum("city^country").expect("clusters");
    let union = Formula::parse(&format!("y ~ x + z + twice {right}")).expect("a formula");
    let design = Design::build(&panel, &Request::of_formula(&union, &clusters, None));
    let all = Absorbed::solve(design.expect("a sample"), &AbsorbOptions::default(), None);
    let inference = Inference { vcov: Vcov::Clustered(clusters), ..Inference::default() };
    let mut all = all.expect("it converges");
    let together = fit(&mut all, &formulas, &inference).expect("estimates");
    for (formula, own) in formulas.iter().zip(&together) {
        let options = options("city^country", Method::Fastest, false);
        let alone = estimate(&panel, formula, &options, None).expect("an estimate");
        assert_close(&alone, own, 1e-10);
        assert_eq!(alone.dropped, own.dropped);
    }
}

#[test]
fn outcome_is_fit_plus_effects_plus_residual() {
    let made = Made::new(300, 3);
    let panel = made.panel();
    let formula = Formula::parse(PAPER).expect("a formula");
    let mut absorbed = absorbed(&panel, PAPER, &AbsorbOptions::default());
    let estimates = fit(&mut absorbed, std::slice::from_ref(&formula), &Inference::default());
    let estimate = &estimates.expect("an estimate")[0];
    let effects = fixed_effects::recover(&absorbed, &formula, estimate).expect("effects");
    let design = &absorbed.layout().design;
    let mut rss = 0.0;
    let mut by_effect: Vec<Vec<f64>> =
        effects.iter().map(|e| vec![0.0; e.codes.n_levels]).collect();
    for (row, &of_panel) in design.rows.iter().enumerate() {
        let value = |name: &str| {
            let found = design.variables.iter().find(|v| v.name == name).expect("a variable");
            found.at(of_panel as usize)
        };
        let fit: f64 = estimate.terms.iter().map(|t| t.estimate * value(&t.term)).sum();
        let of_effects: f64 = effects.iter().map(|e| e.values[e.codes.of_row[row] as usize]).sum();
        let residual = value("y") - fit - of_effects;
        rss += residual * residual;
        for (sums, effect) in by_effect.iter_mut().zip(&effects) {
            sums[effect.codes.of_row[row] as usize] += residual;
        }
    }
    assert!((rss / estimate.rss - 1.0).abs() < 1e-9);
    assert!(
        by_effect.iter().flatten().all(|sum| sum.abs() < 1e-7),
        "residuals sum to zero in every level"
    );
}

#[test]
fn collinear_regressors_are_dropped_and_named() {
    let formula = "y ~ x + twice + of_plant + of_year + of_relation \
                   | plant^year + country^year + city^country";
    for (plants, years, method, weights) in [
        (300, 3, Method::General, false),
        (300, 3, Method::Fastest, false),
        (300, 3, Method::Fastest, true),
        (40, 2, Method::Fastest, true),
    ] {
        let made = Made::new(plants, years);
        let found = run(&made.panel(), formula, &options("city", method, weights));
        let found = found.expect("an estimate");
        let dropped: Vec<_> =
            found.dropped.iter().map(|d| (d.term.as_str(), d.collinear)).collect();
        let explained = |term| (term, Collinear::WithFixedEffects);
        let twice = ("twice", Collinear::WithRegressors);
        let wanted = [explained("of_plant"), explained("of_year"), explained("of_relation"), twice];
        assert_eq!(dropped, wanted, "{plants} plants, {years} years");
        assert_eq!(found.terms.len(), 1);
    }
    let made = Made::new(300, 3);
    let panel = made.panel();
    let none = run(&panel, "y ~ of_plant | plant^year", &options("city", Method::Fastest, false));
    assert!(none.expect("an estimate without terms").terms.is_empty());
}

#[test]
fn a_mean_far_above_its_spread_moves_the_constant_alone() {
    let made = Made::new(40, 3);
    let values = |name: &str| &made.real.iter().find(|(own, _)| *own == name).expect("a column").1;
    let (outcome, regressor) = (values("y"), values("x"));
    for by in [1e3, 1e6, 1e8] {
        let far: Vec<f64> = regressor.iter().map(|x| x + by).collect();
        let near: Vec<f64> = far.iter().map(|far| far - by).collect();
        let columns = [("y", outcome), ("far", &far), ("near", &near), ("w", values("w"))];
        let named = columns.map(|(name, values)| (name.to_owned(), Column::Real(values)));
        let panel = Panel::new(named.to_vec()).expect("a panel");
        for (vcov, weights) in [(Vcov::Iid, None), (Vcov::Hc1, Some("w".to_owned()))] {
            let inference = Inference { vcov, ..Inference::default() };
            let options = Options { inference, weights, ..Options::default() };
            let far = run(&panel, "y ~ far", &options).expect("an estimate");
            let near = run(&panel, "y ~ near", &options).expect("an estimate");
            assert!(far.dropped.is_empty(), "{by:e}: {:?}", far.dropped);
            let (moved, slope) = (&far.terms[1], &near.terms[1]);
            assert!((moved.estimate - slope.estimate).abs() < 1e-9 * slope.estimate.abs());
            let errors = moved.std_error.zip(slope.std_error).expect("errors");
            assert!((errors.0 - errors.1).abs() < 1e-9 * errors.1);
            let constant = near.terms[0].estimate - by * slope.estimate;
            assert!((far.terms[0].estimate - constant).abs() < 1e-8 * constant.abs());
            let cell = |of: &Estimate, at| of.covariance_of(at, at).expect("kept");
            let across = near.covariance_of(0, 1).expect("kept");
            let variance = cell(&near, 0) - 2.0 * by * across + by * by * cell(&near, 1);
            assert!((cell(&far, 0) - variance).abs() < 1e-8 * variance);
        }
    }
    let same = vec![0.1; outcome.len()];
    let columns = [("y", outcome), ("same", &same)];
    let named = columns.map(|(name, values)| (name.to_owned(), Column::Real(values)));
    let panel = Panel::new(named.to_vec()).expect("a panel");
    let found = run(&panel, "y ~ same", &Options::default()).expect("an estimate");
    assert_eq!(found.dropped[0].collinear, Collinear::WithRegressors);
}

#[test]
fn what_cannot_be_estimated_says_why() {
    let made = Made::new(60, 2);
    let panel = made.panel();
    let default = Options::default();
    let limit = AbsorbOptions { iterations_max: 1, ..AbsorbOptions::default() };
    let limited = run(&panel, PAPER, &Options { absorb: limit, ..Options::default() });
    assert!(
        matches!(limited, Err(EstimateError::NotConverged { iterations: 1, .. })),
        "{limited:?}"
    );
    let few = Panel::new(vec![
        ("y".into(), Column::Integer(&[1, 2])),
        ("x".into(), Column::Integer(&[3, 5])),
    ]);
    let few = few.expect("a panel");
    let alone = run(&few, "y ~ 1 | x", &default);
    assert!(matches!(alone, Err(EstimateError::NoRows { n_singletons: 2, .. })));
    let empty = Panel::new(vec![("y".into(), Column::Real(&[]))]).expect("a panel");
    assert!(matches!(run(&empty, "y ~ 1", &default), Err(EstimateError::NoRows { .. })));
    let three = run(&panel, PAPER, &options("city + year + country", Method::Fastest, false));
    assert!(matches!(three, Err(EstimateError::ClusterWays { n: 3 })));
}

#[test]
fn errors_with_reghdfes_degrees_of_freedom_are_those_worked_by_hand() {
    // Two towns without common levels: firms 0 and 1 in years 0 to 2, firms 2 and 3 in years 3 to
    // 5. Effects have 4 + 6 levels in 2 connected components: 8 of them are free. With x that is 9
    // parameters of 12 observations; fixest counts 4 + 6 - 1 levels, 10 parameters.
    let firm = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3];
    let year = [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5];
    let x = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0];
    let y = [2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 3.0, 0.0, 0.0, 1.0, 0.0];
    let columns = vec![
        ("y".into(), Column::Real(&y)),
        ("x".into(), Column::Real(&x)),
        ("firm".into(), Column::Code(&firm)),
        ("year".into(), Column::Code(&year)),
    ];
    let panel = Panel::new(columns).expect("a panel");
    // A town's products are Σ ab - Σ over firms of sums / 3 - Σ over years of sums / 2 + sums / 6.
    // x'x: 1 - 1/3 - 1/2 + 1/6 = 1/3 and four times that; x'y: 2 - 2/3 - 1 + 1/2 = 5/6 and
    // 6 - 2 - 4 + 4/3 = 4/3.
    let (xx, xy) = (5.0 / 3.0, 5.0 / 6.0 + 4.0 / 3.0);
    let beta = xy / xx;
    // y'y: 5 - 5/3 - 5/2 + 9/6 = 7/3 and 10 - 10/3 - 16/2 + 16/6 = 4/3.
    let rss = 7.0 / 3.0 + 4.0 / 3.0 - beta * xy;
    for (dof, parameters) in [(Redundancy::Fixest, 10), (Redundancy::Reghdfe, 9)] {
        let small_sample = SmallSample { dof, ..SmallSample::default() };
        let inference = Inference { small_sample, ..Inference::default() };
        let options = Options { inference, ..Options::default() };
        let found = run(&panel, "y ~ x | firm + year", &options).expect("an estimate");
        assert_eq!(found.k, parameters);
        let error = (rss / f64::from(12 - i32::try_from(parameters).expect("few")) / xx).sqrt();
        assert!((found.terms[0].estimate - beta).abs() < 1e-9, "{:?} and {beta}", found.terms);
        let own = found.terms[0].std_error.expect("an error");
        assert!((own - error).abs() < 1e-9, "{own} and {error}");
    }
}

#[test]
fn what_is_printed_has_no_nan() {
    let made = Made::new(60, 2);
    let found = run(&made.panel(), PAPER, &Options::default()).expect("an estimate");
    let json = serde_json::to_string(&found).expect("JSON");
    assert!(json.contains("\"n_clusters\":null") && !json.contains("NaN"), "{json}");
}
