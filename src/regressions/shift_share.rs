//! Shift-share standard errors of the affiliate terms, after Adão, Kolesár and Morales (2019).
//!
//! # Equation
//! Affiliate growth is `g_i = Σ_s w_is x_s` with the shares `w_is = n_s / N_i` of the exporters in
//! each affiliate city and the shocks `x_s`, the mean growth of a city to a destination in a year.
//! With `X̌_j` a term after the other regressors and the effects, `f_i1 = 1`, `f_i2 = D_i`, and `e`
//! the residuals: `R_sj = Σ_i ω_i f_ij w_is e_i`, `X̂_j` the least-squares coefficients of `X̌_j`
//! on `f_ij w_is`, and `V = B M B` with `M_jk = Σ_s X̂_sj X̂_sk R_sj R_sk`, `B = (X̌'ΩX̌)⁻¹`.
//!
//! Two terms with the same shocks, and `X̂` of least norm if shares are collinear, extend the
//! published estimator.

use super::columns::Columns;
use super::error::RegressionError;
use super::market_sums::{Markets, cities_of};
use super::networks::Networks;
use super::source::Source;
use crate::domain::types::{City, Vintage, Year};
use crate::estimate::error::{EstimateError, Stop};
use crate::estimate::inference::term;
use crate::estimate::panel::Column as Values;
use crate::estimate::partial::Partial;
use crate::estimate::result::TermEstimate;
use crate::regressions::placebo::{PLACEBO_TERMS, misfit};

/// The residual of the normal equations to reach, relative to their right-hand side.
const TOLERANCE: f64 = 1e-10;
/// The largest number of iterations.
const ITERATIONS_MAX: usize = 10_000;
/// The degrees of freedom with which t is the normal distribution.
const DF_NORMAL: usize = 1 << 40;

/// Shift-share standard errors of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ShiftShare {
    /// The model: specification and column.
    pub model: String,
    /// The identity of the model.
    pub identity: String,
    /// The last year of the sample.
    pub through: Year,
    /// The newest vintage.
    pub vintage: Vintage,
    /// The number of rows.
    pub n_obs: usize,
    /// The number of shocks.
    pub n_shocks: usize,
    /// The affiliate terms.
    pub terms: Vec<TermEstimate>,
}

/// The shares of shocks in rows, row after row.
#[derive(Debug, Default)]
struct Shares {
    /// The first share of each row, and the end.
    starts: Vec<usize>,
    shocks: Vec<u32>,
    values: Vec<f64>,
    n_shocks: usize,
}

/// The affiliate cities of rows of a panel.
pub struct Affiliates<'n> {
    /// The networks of each year, from the first; `None` if they are the active cities.
    pub networks: &'n [(i32, Option<Networks>)],
}

/// The number of shocks, and the terms with their errors.
type Found = (usize, Vec<TermEstimate>);

/// Computes the errors for the sample of a model; `None` if there are as many shocks as rows.
///
/// # Errors
/// - [`RegressionError::Export`] if the markets cannot be read.
/// - [`EstimateError::NotConverged`] if the coefficients on shares are not found.
pub fn errors(
    source: &Source<'_>,
    columns: &Columns,
    partial: &Partial,
    affiliates: &Affiliates<'_>,
) -> Result<Option<Found>, RegressionError> {
    let Some(Values::Integer(years)) = columns.column("year") else { return Err(misfit("year")) };
    let markets = Markets::read(source, columns, years)?;
    let shares = Shares::of(source, (columns, years), (&markets, partial), affiliates)?;
    let Some(Values::Real(density)) = columns.column("affiliate_ln_density") else {
        return Err(misfit("affiliate_ln_density"));
    };
    let n_obs = partial.rows.len();
    if shares.n_shocks >= n_obs {
        return Ok(None);
    }
    let density: Vec<f64> = partial.rows.iter().map(|&row| density[row as usize]).collect();
    let covariance = shares.covariance(&density, partial)?;
    let of = |(j, name): (usize, &&str)| {
        let std_error = covariance[j * 2 + j].sqrt();
        term((*name).to_owned(), partial.estimates[j], std_error, DF_NORMAL)
    };
    Ok(Some((shares.n_shocks, PLACEBO_TERMS.iter().enumerate().map(of).collect())))
}

impl Shares {
    fn of(
        source: &Source<'_>,
        (columns, years): (&Columns, &[i32]),
        (markets, partial): (&Markets, &Partial),
        affiliates: &Affiliates<'_>,
    ) -> Result<Self, RegressionError> {
        let codes = |name: &str| match columns.column(name) {
            Some(Values::Code(codes)) => Ok(codes),
            _ => Err(misfit(name)),
        };
        let (firms, cities, countries) = (codes("firm")?, codes("city")?, codes("country")?);
        let (texts, of_codes) = (columns.texts_of("firm"), cities_of(source, columns));
        let active = Active::of(firms, cities, years);
        let mut shares = Self { starts: vec![0], ..Self::default() };
        let mut numbers = vec![u32::MAX; markets.len()];
        let mut own: Vec<u32> = Vec::new();
        for &row in &partial.rows {
            let row = row as usize;
            let networks = affiliates.networks.iter().find(|(year, _)| *year == years[row]);
            let year = Year(u16::try_from(years[row]).unwrap_or_default());
            own.clear();
            if let Some((_, Some(networks))) = networks {
                let all = networks.cities(texts.text(firms[row]), year);
                own.extend(all.map(|City(city)| u32::from(city)));
            } else {
                let cities = active.cities(firms[row], years[row]);
                own.extend(cities.map(|city| of_codes[city as usize]));
            }
            own.retain(|&city| city != of_codes[cities[row] as usize]);
            let exporters = markets.of(years[row], countries[row]).map(|(_, of)| of);
            let market = markets.start(years[row], countries[row]).zip(exporters);
            shares.push(market, &own, &mut numbers);
        }
        Ok(shares)
    }

    /// Adds the shares of a row, given the market and the affiliate cities.
    fn push(&mut self, market: Option<(usize, &[f64])>, cities: &[u32], numbers: &mut [u32]) {
        if let Some((start, exporters)) = market {
            let total: f64 = cities.iter().map(|&city| exporters[city as usize]).sum();
            for &city in cities.iter().filter(|&&city| exporters[city as usize] > 0.0) {
                let number = &mut numbers[start + city as usize];
                if *number == u32::MAX {
                    *number = u32::try_from(self.n_shocks).expect("shocks are few");
                    self.n_shocks += 1;
                }
                self.shocks.push(*number);
                self.values.push(exporters[city as usize] / total);
            }
        }
        self.starts.push(self.shocks.len());
    }

    /// `V`, by rows.
    fn covariance(&self, density: &[f64], partial: &Partial) -> Result<[f64; 4], EstimateError> {
        let weight = |row: usize| partial.weights.as_ref().map_or(1.0, |weights| weights[row]);
        let factor = |j: usize, row: usize| if j == 0 { 1.0 } else { density[row] };
        let mut scores: Vec<Vec<f64>> = Vec::new();
        for (j, regressor) in partial.regressors.iter().enumerate() {
            let scaled: Vec<f64> =
                (0..density.len()).map(|row| weight(row).sqrt() * factor(j, row)).collect();
            let target: Vec<f64> =
                regressor.iter().enumerate().map(|(row, x)| weight(row).sqrt() * x).collect();
            let shocks = self.least_squares(&scaled, &target, PLACEBO_TERMS[j])?;
            let residual: Vec<f64> = partial
                .residuals
                .iter()
                .enumerate()
                .map(|(row, e)| weight(row) * factor(j, row) * e)
                .collect();
            let sums = self.scattered(&residual);
            scores.push(shocks.iter().zip(&sums).map(|(x, r)| x * r).collect());
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let meat = |i: usize, j: usize| dot(&scores[i], &scores[j]);
        let bread = |i: usize, j: usize| partial.inverse[i * 2 + j];
        let mut covariance = [0.0; 4];
        for (at, cell) in covariance.iter_mut().enumerate() {
            for (k, l) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                *cell += bread(at / 2, k) * meat(k, l) * bread(l, at % 2);
            }
        }
        Ok(covariance)
    }

    /// `Σ_i w_is v_i` of each shock.
    fn scattered(&self, values: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.n_shocks];
        for (bounds, value) in self.starts.windows(2).zip(values) {
            for at in bounds[0]..bounds[1] {
                sums[self.shocks[at] as usize] += self.values[at] * value;
            }
        }
        sums
    }

    /// `f_i Σ_s w_is χ_s` of each row.
    fn gathered(&self, of_shocks: &[f64], factors: &[f64]) -> Vec<f64> {
        let row = |(bounds, factor): (&[usize], &f64)| {
            let each = (bounds[0]..bounds[1])
                .map(|at| self.values[at] * of_shocks[self.shocks[at] as usize]);
            factor * each.sum::<f64>()
        };
        self.starts.windows(2).zip(factors).map(row).collect()
    }

    /// The coefficients of least norm of a variable on the shares times factors, by conjugate
    /// gradients on the normal equations.
    fn least_squares(
        &self,
        factors: &[f64],
        target: &[f64],
        name: &str,
    ) -> Result<Vec<f64>, EstimateError> {
        let normal = |values: &[f64]| -> Vec<f64> {
            let scaled: Vec<f64> = values.iter().zip(factors).map(|(v, f)| v * f).collect();
            self.scattered(&scaled)
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut solution = vec![0.0; self.n_shocks];
        let mut left = target.to_vec();
        let mut gradient = normal(&left);
        let mut direction = gradient.clone();
        let mut square = dot(&gradient, &gradient);
        let goal = TOLERANCE * TOLERANCE * square;
        for _ in 0..ITERATIONS_MAX {
            if square <= goal {
                return Ok(solution);
            }
            let image = self.gathered(&direction, factors);
            let length = square / dot(&image, &image);
            solution.iter_mut().zip(&direction).for_each(|(x, p)| *x += length * p);
            left.iter_mut().zip(&image).for_each(|(r, image)| *r -= length * image);
            gradient = normal(&left);
            let next = dot(&gradient, &gradient);
            let turn = next / square;
            direction.iter_mut().zip(&gradient).for_each(|(p, g)| *p = g + turn * *p);
            square = next;
        }
        let relative_residual = (square / goal).sqrt() * TOLERANCE;
        Err(EstimateError::NotConverged {
            stop: Stop::IterationLimit,
            iterations: ITERATIONS_MAX,
            relative_residual,
            variable: name.to_owned(),
        })
    }
}

/// The cities in which firms export in a year, from the rows of the panel.
struct Active {
    /// Firm, year and city code, in order.
    all: Vec<(u32, i32, u32)>,
}

impl Active {
    fn of(firms: &[u32], cities: &[u32], years: &[i32]) -> Self {
        let rows = firms.iter().zip(years).zip(cities);
        let mut all: Vec<(u32, i32, u32)> =
            rows.map(|((firm, year), city)| (*firm, *year, *city)).collect();
        all.sort_unstable();
        all.dedup();
        Self { all }
    }

    fn cities(&self, firm: u32, year: i32) -> impl Iterator<Item = u32> {
        let first = self.all.partition_point(|of| (of.0, of.1) < (firm, year));
        let own = self.all[first..].iter().take_while(move |of| (of.0, of.1) == (firm, year));
        own.map(|of| of.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The solution of a symmetric system by Gauss and Jordan.
    fn solved(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
        let n = rows.len();
        for pivot in 0..n {
            let by = rows[pivot][pivot];
            rows[pivot].iter_mut().for_each(|cell| *cell /= by);
            let own = rows[pivot].clone();
            for (_, row) in rows.iter_mut().enumerate().filter(|(i, _)| *i != pivot) {
                let factor = row[pivot];
                row.iter_mut().zip(&own).for_each(|(cell, own)| *cell -= factor * own);
            }
        }
        rows.into_iter().map(|row| row[n]).collect()
    }

    #[test]
    fn errors_are_those_of_dense_least_squares_on_shares() {
        let mut state = 5_u64;
        let mut draw = move || {
            state =
                state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            f64::from(u32::try_from(state >> 40).expect("24 bits")) / f64::from(1 << 24)
        };
        let (n_rows, n_shocks) = (60, 7);
        let dense: Vec<Vec<f64>> = (0..n_rows)
            .map(|_| {
                let raw: Vec<f64> =
                    (0..n_shocks).map(|_| if draw() < 0.5 { draw() } else { 0.0 }).collect();
                let total: f64 = raw.iter().sum::<f64>().max(1e-9);
                raw.into_iter().map(|share| share / total).collect()
            })
            .collect();
        let mut shares = Shares { starts: vec![0], n_shocks, ..Shares::default() };
        for row in &dense {
            for (shock, share) in (0..).zip(row).filter(|(_, share)| **share > 0.0) {
                shares.shocks.push(shock);
                shares.values.push(*share);
            }
            shares.starts.push(shares.shocks.len());
        }
        let mut column = || (0..n_rows).map(|_| draw() - 0.5).collect::<Vec<f64>>();
        let (density, residuals) = (column(), column());
        let regressors = vec![column(), column()];
        let weights: Vec<f64> = column().iter().map(|w| w + 1.0).collect();
        let inverse = vec![2.0, 0.5, 0.5, 3.0];
        let partial = Partial {
            rows: (0..60).collect(),
            weights: Some(weights.clone()),
            restricted: Vec::new(),
            residuals: residuals.clone(),
            regressors: regressors.clone(),
            estimates: vec![1.0, 1.0],
            inverse: inverse.clone(),
        };
        let found = shares.covariance(&density, &partial).expect("a solution");
        let of = |j: usize, row: usize, s: usize| {
            dense[row][s] * if j == 0 { 1.0 } else { density[row] }
        };
        let over = |each: &dyn Fn(usize) -> f64| {
            (0..n_rows).map(|row| weights[row] * each(row)).sum::<f64>()
        };
        let scores: Vec<Vec<f64>> = (0..2)
            .map(|j| {
                let system = (0..n_shocks)
                    .map(|s| {
                        let cells = (0..n_shocks).map(|t| over(&|i| of(j, i, s) * of(j, i, t)));
                        cells.chain([over(&|i| of(j, i, s) * regressors[j][i])]).collect()
                    })
                    .collect();
                let shocks = solved(system);
                (0..n_shocks).map(|s| shocks[s] * over(&|i| of(j, i, s) * residuals[i])).collect()
            })
            .collect();
        let meat =
            |i: usize, j: usize| (0..n_shocks).map(|s| scores[i][s] * scores[j][s]).sum::<f64>();
        for (at, own) in found.iter().enumerate() {
            let mut wanted = 0.0;
            for (k, l) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                wanted += inverse[at / 2 * 2 + k] * meat(k, l) * inverse[l * 2 + at % 2];
            }
            assert!((own - wanted).abs() < 1e-8 * wanted.abs().max(1e-3), "{own}, {wanted}");
        }
    }
}
