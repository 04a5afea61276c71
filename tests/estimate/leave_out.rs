//! Leaving out cities and the wild bootstrap, compared with dense algebra: every sample without a
//! city is estimated from its dummies, and every draw of the bootstrap is regressed again.

use rayon::ThreadPoolBuilder;
use spillover::estimate::absorb::AbsorbOptions;
use spillover::estimate::formula::{Formula, Interaction};
use spillover::estimate::inference::{Inference, Vcov};
use spillover::estimate::influence::{LeaveOut, Wild};
use spillover::estimate::least_squares::Collinear;
use spillover::estimate::panel::{Column, Panel};
use spillover::estimate::result::{Estimate, Influence, NoStdError};
use spillover::estimate::{Options, estimate};

use super::dense::{Draw, dot, inverse, norm, orthogonalise, without};

/// The largest difference of coefficients and errors.
const APART_MAX: f64 = 1e-7;
/// The smallest remaining share of a regressor's norm if it is not collinear.
const LEFT_MIN: f64 = 1e-6;
/// Sets of effects: the paper's, with effects inside a city's year, with effects inside cities
/// only, without effects, and effects that cities share.
const EFFECTS: [&str; 8] = [
    "plant^year + country^year + city^country",
    "plant^group^year + country^year + city^country",
    "plant^year + country^year + city^country + city^product^year",
    "plant^year + country^year",
    "plant^year + city^country",
    "plant",
    "country^year + product",
    "",
];
/// The number of sets of effects with which the bootstrap works.
const FOR_BOOTSTRAP: [usize; 6] = [0, 1, 2, 4, 5, 7];

/// Plants in cities that ship to countries.
struct Rows {
    names: Vec<&'static str>,
    codes: Vec<Vec<u32>>,
    outcome: Vec<f64>,
    regressors: Vec<Vec<f64>>,
    weights: Option<Vec<f64>>,
}

impl Rows {
    /// Rows in which one country is served by the first city only, and another by one more plant.
    fn new(seed: u64, n_cities: u32, is_weighted: bool) -> Self {
        let mut draw = Draw(seed);
        let names = vec!["plant", "city", "country", "year", "product", "group"];
        let mut codes = vec![Vec::new(); names.len()];
        for year in 0..3 {
            for plant in 0..n_cities * 3 {
                let city = plant % n_cities;
                let mut countries: Vec<u32> =
                    (0..2 + draw.below(4)).map(|_| draw.below(6)).collect();
                if city == 0 {
                    countries.push(7);
                }
                if city == 1 || plant == 2 {
                    countries.push(8);
                }
                for country in countries {
                    let row = [plant, city, country, year, draw.below(3), country % 3];
                    codes.iter_mut().zip(row).for_each(|(codes, code)| codes.push(code));
                }
            }
        }
        let n = codes[0].len();
        let shock =
            |row: usize| f64::from(codes[1][row] * 7 % 5) - f64::from(codes[2][row] * 3 % 4);
        let mut column =
            |by: f64| -> Vec<f64> { (0..n).map(|row| draw.noise() + by * shock(row)).collect() };
        let regressors = vec![column(0.3), column(-0.2)];
        let errors = column(0.5);
        let fitted = |row: usize| 0.4 * regressors[0][row] - 0.7 * regressors[1][row];
        let outcome = (0..n).map(|row| fitted(row) + errors[row]).collect();
        let weights = is_weighted.then(|| (0..n).map(|_| 0.2 + draw.real()).collect());
        Self { names, codes, outcome, regressors, weights }
    }

    fn estimate(&self, effects: &str, wild: Option<Wild>) -> Estimate {
        let mut columns = vec![("y".to_owned(), Column::Real(&self.outcome))];
        let codes = self.names.iter().zip(&self.codes);
        columns.extend(codes.map(|(name, codes)| ((*name).to_owned(), Column::Code(codes))));
        for (place, values) in self.regressors.iter().enumerate() {
            columns.push((format!("x{place}"), Column::Real(values)));
        }
        columns.extend(self.weights.iter().map(|w| ("w".to_owned(), Column::Real(w))));
        let panel = Panel::new(columns).expect("a panel");
        let right = if effects.is_empty() { String::new() } else { format!(" | {effects}") };
        let formula = Formula::parse(&format!("y ~ x0 + x1{right}")).expect("a formula");
        let clusters = Interaction::parse_sum("city").expect("clusters");
        let leave_out = LeaveOut { groups: clusters[0].clone(), wild };
        let options = Options {
            weights: self.weights.as_ref().map(|_| "w".to_owned()),
            inference: Inference { vcov: Vcov::Clustered(clusters), ..Inference::default() },
            leave_out: Some(leave_out),
            absorb: AbsorbOptions { tolerance: 1e-12, ..AbsorbOptions::default() },
            ..Options::default()
        };
        let mut found = estimate(&panel, &formula, &options, None).expect("an estimate");
        found.name_groups(|row| self.codes[1][row].to_string());
        found
    }

    fn dense(&self, effects: &str, is_in: impl Fn(usize) -> bool) -> Dense {
        let rows: Vec<usize> = (0..self.outcome.len()).filter(|&row| is_in(row)).collect();
        let root = |row: usize| self.weights.as_ref().map_or(1.0, |weights| weights[row]).sqrt();
        let mut basis = Vec::new();
        let terms = effects.split('+').map(str::trim).filter(|effect| !effect.is_empty());
        for effect in terms {
            let factor = |name: &str| {
                &self.codes[self.names.iter().position(|own| *own == name).expect("a column")]
            };
            let factors: Vec<&Vec<u32>> = effect.split('^').map(factor).collect();
            let key = |row: usize| -> Vec<u32> { factors.iter().map(|codes| codes[row]).collect() };
            let mut levels: Vec<Vec<u32>> = rows.iter().map(|&row| key(row)).collect();
            levels.sort_unstable();
            levels.dedup();
            for level in levels {
                let dummy = |&row: &usize| if key(row) == level { root(row) } else { 0.0 };
                orthogonalise(&rows.iter().map(dummy).collect::<Vec<f64>>(), &mut basis);
            }
        }
        if effects.is_empty() {
            orthogonalise(&rows.iter().map(|&row| root(row)).collect::<Vec<f64>>(), &mut basis);
        }
        let scaled = |values: &[f64]| -> Vec<f64> {
            rows.iter().map(|&row| values[row] * root(row)).collect()
        };
        let whole: Vec<Vec<f64>> = self.regressors.iter().map(|values| scaled(values)).collect();
        let left: Vec<Vec<f64>> = whole.iter().map(|values| without(values, &basis)).collect();
        let city = rows.iter().map(|&row| self.codes[1][row]).collect();
        Dense { whole, left, outcome: scaled(&self.outcome), basis, city }
    }
}

/// A sample with its dummies as an orthonormal basis. Rows are multiplied by the root of their
/// weight.
struct Dense {
    whole: Vec<Vec<f64>>,
    left: Vec<Vec<f64>>,
    outcome: Vec<f64>,
    basis: Vec<Vec<f64>>,
    city: Vec<u32>,
}

impl Dense {
    /// The regressors of which the dummies leave nothing.
    fn collinear(&self) -> Vec<usize> {
        let is_gone = |&j: &usize| norm(&self.left[j]) <= LEFT_MIN * norm(&self.whole[j]);
        (0..self.left.len()).filter(is_gone).collect()
    }

    /// The coefficients of some regressors on an outcome, and the residuals.
    fn fit(&self, regressors: &[usize], outcome: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let x: Vec<&[f64]> = regressors.iter().map(|&j| self.left[j].as_slice()).collect();
        let mut residual = without(outcome, &self.basis);
        let rows = inverse(&x);
        let sums: Vec<f64> = x.iter().map(|x| dot(x, &residual)).collect();
        let beta: Vec<f64> = rows.iter().map(|row| dot(row, &sums)).collect();
        for (x, b) in x.iter().zip(&beta) {
            residual.iter_mut().zip(*x).for_each(|(r, x)| *r -= b * x);
        }
        (beta, residual)
    }

    /// A coefficient over its error clustered by city, without small-sample factors.
    fn statistic(&self, j: usize, outcome: &[f64]) -> f64 {
        let (beta, residual) = self.fit(&[0, 1], outcome);
        let x: Vec<&[f64]> = self.left.iter().map(Vec::as_slice).collect();
        let row = &inverse(&x)[j];
        let mut sums = vec![0.0; 64];
        for (at, &city) in self.city.iter().enumerate() {
            let influence: f64 = row.iter().zip(&x).map(|(b, x)| b * x[at]).sum();
            sums[city as usize] += influence * residual[at];
        }
        beta[j] / norm(&sums)
    }

    /// The share of all combinations of signs whose statistic is larger.
    fn p_value(&self, j: usize, n_cities: u32) -> f64 {
        let (_, residual) = self.fit(&[1 - j], &self.outcome);
        let own = self.statistic(j, &self.outcome);
        let n_draws = 1_u32 << n_cities;
        let is_larger = |draw: &u32| {
            let sign = |city: u32| if draw >> city & 1 == 0 { 1.0 } else { -1.0 };
            let rows = self.outcome.iter().zip(&residual).zip(&self.city);
            let drawn: Vec<f64> = rows.map(|((y, e), &city)| y - e + sign(city) * e).collect();
            self.statistic(j, &drawn).powi(2) > own * own * (1.0 + 1e-9)
        };
        let n_larger = u32::try_from((0..n_draws).filter(is_larger).count()).expect("few");
        f64::from(n_larger) / f64::from(n_draws)
    }
}

fn influence(of: &Estimate) -> &Influence {
    of.influence.as_ref().expect("groups were left out")
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn real(count: usize) -> f64 {
    count as f64
}

#[test]
fn every_city_left_out_is_what_dense_algebra_says() {
    let mut compared = 0;
    for (seed, effects) in (0..).zip(EFFECTS.into_iter().cycle().take(12)) {
        let rows = Rows::new(seed, 4 + u32::try_from(seed).expect("small") % 3, seed % 3 == 1);
        let found = rows.estimate(effects, None);
        let influence = influence(&found);
        let (whole, _) = {
            let dense = rows.dense(effects, |_| true);
            dense.fit(&[0, 1], &dense.outcome)
        };
        let first = usize::from(effects.is_empty());
        assert_eq!(found.terms.len(), 2 + first);
        let mut sums = [[0.0; 2]; 2];
        for case in &influence.cases {
            let city: u32 = case.key.parse().expect("a code");
            let dense = rows.dense(effects, |row| rows.codes[1][row] != city);
            let (wanted, _) = dense.fit(&[0, 1], &dense.outcome);
            let own = &case.estimates.as_ref().expect("no city is needed")[first..];
            for (own, wanted) in own.iter().zip(&wanted) {
                assert!((own - wanted).abs() < APART_MAX, "{seed} {effects}: {own}, {wanted}");
                compared += 1;
            }
            for (i, row) in sums.iter_mut().enumerate() {
                for (j, cell) in row.iter_mut().enumerate() {
                    *cell += (wanted[i] - whole[i]) * (wanted[j] - whole[j]);
                }
            }
        }
        let n = influence.cases.len();
        let covariance = influence.covariance.as_ref().expect("CV3");
        for (i, row) in sums.iter().enumerate() {
            for (j, sum) in row.iter().enumerate() {
                let own = covariance[(i + first) * (2 + first) + j + first];
                let wanted = real(n - 1) / real(n) * sum;
                assert!((own - wanted).abs() < APART_MAX * sums[i][i].max(sums[j][j]), "{seed}");
            }
        }
        assert_eq!(influence.df_t, n - 1);
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn a_city_without_which_a_regressor_is_collinear_is_named_and_cv3_is_refused() {
    for effects in [EFFECTS[0], EFFECTS[3], EFFECTS[5], ""] {
        let mut rows = Rows::new(3, 6, false);
        let of_city = rows.codes[1].clone();
        let alone = rows.regressors[1].iter().zip(&of_city);
        rows.regressors[1] = alone.map(|(x, city)| if *city == 2 { *x } else { 0.0 }).collect();
        let found = rows.estimate(effects, None);
        let influence = influence(&found);
        for case in &influence.cases {
            let city: u32 = case.key.parse().expect("a code");
            let dense = rows.dense(effects, |row| of_city[row] != city);
            let gone: Vec<String> =
                dense.collinear().iter().map(|place| format!("x{place}")).collect();
            let own: Vec<&str> = case.collinear.iter().map(|of| of.term.as_str()).collect();
            assert_eq!(own, gone, "{effects}: city {city}");
            assert_eq!(case.estimates.is_none(), city == 2, "{effects}: city {city}");
        }
        let by = if effects.is_empty() {
            Collinear::WithRegressors
        } else {
            Collinear::WithFixedEffects
        };
        assert_eq!(influence.cases[2].collinear[0].collinear, by);
        assert!(influence.covariance.is_none());
        for term in &influence.terms {
            assert_eq!(term.std_error_reason, Some(NoStdError::GroupNeeded));
        }
    }
}

#[test]
fn every_draw_of_the_bootstrap_is_what_dense_algebra_says() {
    for (seed, place) in (20..).zip(FOR_BOOTSTRAP) {
        let (effects, n_cities) = (EFFECTS[place], 6);
        let rows = Rows::new(seed, n_cities, seed % 2 == 1);
        let found = rows.estimate(effects, Some(Wild { n_draws: 9999, seed: 1 }));
        let wild = influence(&found).wild.as_ref().expect("a bootstrap");
        assert_eq!((wild.n_draws, wild.are_all), (64, true));
        let dense = rows.dense(effects, |_| true);
        let first = usize::from(effects.is_empty());
        for j in 0..2 {
            let term = &wild.terms[j + first];
            let wanted = dense.p_value(j, n_cities);
            assert_eq!(term.p_value, Some(wanted), "{effects}: x{j}");
            let own = term.statistic.expect("a statistic");
            let clustered = found.terms[j + first].statistic.expect("a statistic");
            assert!((own - clustered).abs() < 1e-6 * clustered.abs(), "{own}, {clustered}");
        }
        if first == 1 {
            assert_eq!(wild.terms[0].p_value, None, "the constant is not tested");
        }
    }
}

#[test]
fn influence_and_draws_do_not_depend_on_the_number_of_threads() {
    let mut rows = Rows::new(9, 15, true);
    let mut draw = Draw(17);
    rows.outcome.iter_mut().for_each(|y| *y += 20.0 * draw.noise());
    let run = |n: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(n).build().expect("threads");
        pool.install(|| rows.estimate(EFFECTS[0], Some(Wild { n_draws: 999, seed: 5 })))
    };
    let (one, two) = (run(1), run(2));
    assert_eq!(one, two);
    let other = rows.estimate(EFFECTS[0], Some(Wild { n_draws: 999, seed: 6 }));
    let p_values = |of: &Estimate| -> Vec<Option<f64>> {
        influence(of).wild.iter().flat_map(|wild| &wild.terms).map(|term| term.p_value).collect()
    };
    assert_ne!(p_values(&one), p_values(&other), "the seed decides the draws");
}

#[derive(serde::Deserialize)]
struct Reference {
    formula: String,
    estimate: Vec<f64>,
    cv3_std_error: Vec<f64>,
    n_obs: usize,
    wild_p_value: Vec<f64>,
}

#[test]
fn cv3_is_that_of_pyfixest_and_the_bootstrap_that_of_wildboottest() {
    let text = include_str!("../reference/leave_out.csv");
    let (head, lines) = text.split_once('\n').expect("a header");
    let names: Vec<&str> = head.trim().split(',').collect();
    let mut columns = vec![Vec::new(); names.len()];
    for line in lines.lines() {
        let cells = line.split(',').map(|cell| cell.parse::<f64>().expect("a number"));
        columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
    }
    let values = names.iter().zip(&columns);
    let values = values.map(|(name, values)| ((*name).to_owned(), Column::Real(values)));
    let panel = Panel::new(values.collect()).expect("a panel");
    let wanted: Reference =
        serde_json::from_str(include_str!("../reference/leave_out.json")).expect("reference");
    let groups = Interaction::parse("city").expect("columns");
    let wild = Some(Wild { n_draws: 9999, seed: 1 });
    let options = Options { leave_out: Some(LeaveOut { groups, wild }), ..Options::default() };
    let formula = Formula::parse(&wanted.formula).expect("a formula");
    let found = estimate(&panel, &formula, &options, None).expect("an estimate");
    assert_eq!(found.n_obs, wanted.n_obs);
    let influence = influence(&found);
    let wild = influence.wild.as_ref().expect("a bootstrap");
    assert_eq!((wild.n_draws, wild.are_all), (512, true));
    // The other program counts the draws of the sample itself by their rounding.
    let ties = 2.0 / 512.0 + 1e-12;
    for (place, term) in influence.terms.iter().enumerate() {
        assert!((term.estimate - wanted.estimate[place]).abs() < 1e-9, "{term:?}");
        let error = term.std_error.expect("CV3");
        let apart = (error / wanted.cv3_std_error[place] - 1.0).abs();
        assert!(apart < 1e-7, "{error}, {}", wanted.cv3_std_error[place]);
        let p_value = wild.terms[place].p_value.expect("a test");
        let apart = (p_value - wanted.wild_p_value[place]).abs();
        assert!(apart <= ties, "{p_value}, {}", wanted.wild_p_value[place]);
    }
}
