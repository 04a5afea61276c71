//! Placebo networks: the affiliate terms of a model under random affiliate cities.
//!
//! # Equation
//! `T = Σ w e° (g, gD)` over the rows of the sample, with `e°` the residuals of the model without
//! both terms. A draw gives each plant other affiliate cities, as many as it has in each year, and
//! not its own city. Cities are drawn as often as they have plants in the sample. `e°` has no part
//! in the effects and controls, so a draw needs no absorption.
//!
//! Draws depend on the seed and on the order of the plants in the sample; the number of threads
//! changes none.

use arrow_schema::ArrowError;
use rayon::prelude::*;

use super::columns::Columns;
use super::error::RegressionError;
use super::market_sums::{Markets, cities_of};
use super::panels::Kind;
use super::source::Source;
use crate::domain::choices::OwnPlants;
use crate::domain::types::{Vintage, Year};
use crate::estimate::formula::Term;
use crate::estimate::panel::Column as Values;
use crate::estimate::partial::Partial;
use crate::specification::Column;

/// The terms that a placebo replaces.
pub const PLACEBO_TERMS: [&str; 2] = ["affiliate_growth", "affiliate_growth:affiliate_ln_density"];
/// The columns that a placebo reads, besides those of the model.
pub const READS: [&str; 7] = [
    "firm",
    "city",
    "country",
    "year",
    "affiliate_cities",
    "affiliate_growth",
    "affiliate_ln_density",
];
/// The number of plants in one task.
const PLANTS_PER_TASK: usize = 64;
/// The number of logs of counts that are computed once.
const LOGS_KEPT: usize = 1 << 16;
/// The number of random choices of a city before the next free city is taken.
const CHOICES_MAX: usize = 32;

/// A request for placebo networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws {
    /// The number of draws.
    pub n_draws: usize,
    /// The seed.
    pub seed: u64,
}

/// The result of placebo networks.
#[derive(Debug, Clone, PartialEq)]
pub struct Placebo {
    /// The draws as requested.
    pub asked: Draws,
    /// The number of rows.
    pub n_obs: usize,
    /// `T` of the sample.
    pub observed: [f64; 2],
    /// `T` of each draw.
    pub draws: Vec<[f64; 2]>,
    /// The mean share of rows whose drawn cities have an exporter; other rows add nothing.
    pub coverage: f64,
}

/// The placebo of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaceboOf {
    /// The model: specification and column.
    pub model: String,
    /// The identity of the model.
    pub identity: String,
    /// The last year of the sample.
    pub through: Year,
    /// The newest vintage.
    pub vintage: Vintage,
    /// The draws.
    pub placebo: Placebo,
}

impl Placebo {
    /// The p-value of one term: the share of draws, the sample among them, whose `|T|` is not
    /// smaller.
    #[must_use]
    pub fn p_value(&self, term: usize) -> f64 {
        let is_beyond = |draw: &&[f64; 2]| draw[term].abs() >= self.observed[term].abs();
        real(1 + self.draws.iter().filter(is_beyond).count()) / real(1 + self.draws.len())
    }

    /// The p-value of both terms: by `T'M⁻¹T`, with `M` the mean of `TT'` over the draws and the
    /// sample. `None` if `M` is singular.
    #[must_use]
    pub fn joint_p_value(&self) -> Option<f64> {
        let mut sums = [0.0; 3];
        for [a, b] in self.draws.iter().chain([&self.observed]) {
            sums[0] += a * a;
            sums[1] += a * b;
            sums[2] += b * b;
        }
        let determinant = sums[0] * sums[2] - sums[1] * sums[1];
        if determinant <= 1e-12 * sums[0] * sums[2] {
            return None;
        }
        let size = |[a, b]: &[f64; 2]| {
            (sums[2] * a * a - 2.0 * sums[1] * a * b + sums[0] * b * b) / determinant
        };
        let own = size(&self.observed);
        let n_beyond = self.draws.iter().filter(|draw| size(draw) >= own).count();
        Some(real(1 + n_beyond) / real(1 + self.draws.len()))
    }
}

/// The reason why a column has no placebo; `None` if it has one.
#[must_use]
pub fn why_none(source: &Source<'_>, column: &Column) -> Option<&'static str> {
    let has = |term: &Term| column.formula.terms.contains(term);
    if source.definition.choices.own_plants == OwnPlants::Exclude {
        Some("the option own_plants = \"exclude\" gives each firm sums of its own")
    } else if Kind::of(column) != Kind::Plant {
        Some("its panel is not that of plants")
    } else if column.centre {
        Some("its interactions are centred")
    } else if !terms().iter().all(has) {
        Some("it lacks affiliate_growth or its product with affiliate_ln_density")
    } else {
        None
    }
}

/// The terms as formulas name them.
///
/// # Panics
/// Never: the terms are fixed.
#[must_use]
pub fn terms() -> Vec<Term> {
    PLACEBO_TERMS.iter().map(|term| Term::parse(term).expect("a fixed term")).collect()
}

/// A plant with its rows.
struct Plant {
    city: u32,
    n_cities_max: usize,
    /// Positions among the rows of the sample.
    rows: Vec<u32>,
}

/// The computation for a sample. Columns have an entry for each row of the panel.
struct Sample<'s> {
    markets: &'s Markets,
    plants: Vec<Plant>,
    cities_of_plants: Vec<u32>,
    countries: &'s [u32],
    years: &'s [i32],
    /// The number of affiliate cities.
    n_cities: &'s [f64],
    partial: &'s Partial,
    logs: Vec<f64>,
    asked: Draws,
}

/// Draws placebo networks for the sample of a model.
///
/// # Errors
/// [`RegressionError::Export`] if the markets cannot be read.
pub fn placebo(
    source: &Source<'_>,
    columns: &Columns,
    partial: &Partial,
    asked: Draws,
) -> Result<Placebo, RegressionError> {
    let codes = |name: &str| match columns.column(name) {
        Some(Values::Code(codes)) => Ok(codes),
        _ => Err(misfit(name)),
    };
    let reals = |name: &str| match columns.column(name) {
        Some(Values::Real(values)) => Ok(values),
        _ => Err(misfit(name)),
    };
    let Some(Values::Integer(years)) = columns.column("year") else { return Err(misfit("year")) };
    let (firms, cities, countries) = (codes("firm")?, codes("city")?, codes("country")?);
    let markets = Markets::read(source, columns, years)?;
    let of_codes = cities_of(source, columns);
    let cities: Vec<u32> = cities.iter().map(|&code| of_codes[code as usize]).collect();
    let of_panel = OfPanel {
        firms,
        cities: &cities,
        countries,
        years,
        n_cities: reals("affiliate_cities")?,
        growth: reals("affiliate_growth")?,
        density: reals("affiliate_ln_density")?,
    };
    Ok(drawn(&markets, &of_panel, partial, asked))
}

/// Columns of the panel.
#[derive(Clone, Copy)]
struct OfPanel<'p> {
    firms: &'p [u32],
    cities: &'p [u32],
    countries: &'p [u32],
    years: &'p [i32],
    n_cities: &'p [f64],
    growth: &'p [f64],
    density: &'p [f64],
}

/// The placebo of a sample.
fn drawn(markets: &Markets, panel: &OfPanel<'_>, partial: &Partial, asked: Draws) -> Placebo {
    let plants = plants((panel.firms, panel.cities), panel.n_cities, &partial.rows);
    let sample = Sample {
        markets,
        cities_of_plants: plants.iter().map(|plant| plant.city).collect(),
        plants,
        countries: panel.countries,
        years: panel.years,
        n_cities: panel.n_cities,
        partial,
        logs: (0..LOGS_KEPT).map(|n| libm::log(real(n))).collect(),
        asked,
    };
    let mut observed = [0.0; 2];
    for (at, &row) in partial.rows.iter().enumerate() {
        let own = sample.weighted(at) * panel.growth[row as usize];
        observed[0] += own;
        observed[1] += own * panel.density[row as usize];
    }
    let task = |(task, plants): (usize, &[Plant])| sample.sums(task * PLANTS_PER_TASK, plants);
    let tasks: Vec<(Vec<[f64; 2]>, u64)> =
        sample.plants.par_chunks(PLANTS_PER_TASK).enumerate().map(task).collect();
    let (mut draws, mut n_covered) = (vec![[0.0; 2]; asked.n_draws], 0);
    for (sums, covered) in tasks {
        for (draw, sum) in draws.iter_mut().zip(sums) {
            draw[0] += sum[0];
            draw[1] += sum[1];
        }
        n_covered += covered;
    }
    let n_obs = partial.rows.len();
    #[expect(clippy::cast_precision_loss, reason = "a share for reading")]
    let coverage = n_covered as f64 / (real(n_obs) * real(asked.n_draws));
    Placebo { asked, n_obs, observed, draws, coverage }
}

/// The error for a missing column.
pub fn misfit(name: &str) -> RegressionError {
    ArrowError::SchemaError(format!("a placebo needs the column {name}")).into()
}

/// The plants of the sample, in the order of their first rows.
fn plants((firms, cities): (&[u32], &[u32]), n_cities: &[f64], rows: &[u32]) -> Vec<Plant> {
    let mut order: Vec<u32> = (0..).take(rows.len()).collect();
    let key = |at: u32| {
        let row = rows[at as usize];
        (firms[row as usize], cities[row as usize], row)
    };
    order.par_sort_unstable_by_key(|&at| key(at));
    let same = |a: &u32, b: &u32| {
        let (a, b) = (key(*a), key(*b));
        (a.0, a.1) == (b.0, b.1)
    };
    let plant = |own: &[u32]| {
        let most = own.iter().map(|&at| n_cities[rows[at as usize] as usize]).fold(0.0, f64::max);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let n_cities_max = most as usize;
        Plant { city: key(own[0]).1, n_cities_max, rows: own.to_vec() }
    };
    order.chunk_by(same).map(plant).collect()
}

impl Sample<'_> {
    /// `w e°` of a row of the sample.
    fn weighted(&self, at: usize) -> f64 {
        let weight = self.partial.weights.as_ref().map_or(1.0, |weights| weights[at]);
        weight * self.partial.restricted[at]
    }

    /// The sums of some plants for each draw, and the number of rows and draws with an exporter.
    fn sums(&self, first: usize, plants: &[Plant]) -> (Vec<[f64; 2]>, u64) {
        let n_draws = self.asked.n_draws;
        let (mut sums, mut n_covered) = (vec![[0.0; 2]; n_draws], 0);
        let (mut growth, mut exporters) = (vec![0.0; n_draws], vec![0.0; n_draws]);
        for (plant, number) in plants.iter().zip(first..) {
            let (cities, ln_areas) = self.cities(plant, number);
            for &at in &plant.rows {
                let row = self.partial.rows[at as usize] as usize;
                let market = self.markets.of(self.years[row], self.countries[row]);
                let Some((of_growth, of_exporters)) = market else { continue };
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a count"
                )]
                let n_cities = self.n_cities[row] as usize;
                growth.fill(0.0);
                exporters.fill(0.0);
                for cities in cities.chunks_exact(n_draws).take(n_cities) {
                    let sums = growth.iter_mut().zip(&mut exporters);
                    for ((growth, exporters), &city) in sums.zip(cities) {
                        *growth += of_growth[city as usize];
                        *exporters += of_exporters[city as usize];
                    }
                }
                let Some(last) = n_cities.checked_sub(1) else { continue };
                let ln_areas = &ln_areas[last * n_draws..(last + 1) * n_draws];
                let weighted = self.weighted(at as usize);
                for (draw, sum) in sums.iter_mut().enumerate() {
                    let n = exporters[draw];
                    if n > 0.0 {
                        let own = weighted * growth[draw] / n;
                        sum[0] += own;
                        sum[1] += own * (self.ln(n) - ln_areas[draw]);
                        n_covered += 1;
                    }
                }
            }
        }
        (sums, n_covered)
    }

    /// The log of a count.
    fn ln(&self, n: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let kept = self.logs.get(n as usize);
        kept.copied().unwrap_or_else(|| libm::log(n))
    }

    /// The drawn cities of a plant in their order, one place after another with a city for each
    /// draw, and the log of the area of all cities up to that place.
    fn cities(&self, plant: &Plant, number: usize) -> (Vec<u32>, Vec<f64>) {
        let (n_draws, k) = (self.asked.n_draws, plant.n_cities_max);
        let (mut cities, mut ln_areas) = (vec![0; k * n_draws], vec![0.0; k * n_draws]);
        let mut own: Vec<u32> = Vec::with_capacity(k);
        for draw in 0..n_draws {
            let mut state = mixed(self.asked.seed ^ mixed(draw as u64 ^ mixed(number as u64)));
            own.clear();
            let mut area = 0.0;
            for place in 0..k {
                let Some(city) = self.next_city(plant.city, &own, &mut state) else { break };
                own.push(city);
                area += self.markets.areas_km2[city as usize];
                cities[place * n_draws + draw] = city;
                ln_areas[place * n_draws + draw] = libm::log(area);
            }
        }
        (cities, ln_areas)
    }

    /// A city that is neither the plant's nor chosen before; `None` if there is none.
    fn next_city(&self, own: u32, chosen: &[u32], state: &mut u64) -> Option<u32> {
        let is_free = |city: u32| city != own && !chosen.contains(&city);
        for _ in 0..CHOICES_MAX {
            let plants = &self.cities_of_plants;
            let city = plants[below(state, plants.len())];
            if is_free(city) {
                return Some(city);
            }
        }
        let n_cities = self.markets.areas_km2.len();
        let first = below(state, n_cities);
        let each = (first..n_cities).chain(0..first);
        each.filter_map(|city| u32::try_from(city).ok()).find(|&city| is_free(city))
    }
}

/// The next random number below `n`.
fn below(state: &mut u64, n: usize) -> usize {
    *state = mixed(*state);
    let product = u128::from(*state) * n as u128;
    usize::try_from(product >> 64).expect("a number below n")
}

fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use rayon::ThreadPoolBuilder;

    use super::*;

    const N_CITIES: usize = 12;
    const N_COUNTRIES: u32 = 6;

    /// Columns of a panel of plants, drawn at random.
    struct Feed {
        markets: Markets,
        columns: [Vec<u32>; 3],
        years: Vec<i32>,
        figures: [Vec<f64>; 3],
        partial: Partial,
    }

    fn uniform(state: &mut u64) -> f64 {
        real(below(state, 1 << 40)) / real(1 << 40) - 0.5
    }

    impl Feed {
        /// Firms with plants in two to four cities, whose residuals are `effect` times the growth
        /// of their affiliate cities, and noise.
        fn new(seed: u64, effect: f64) -> Self {
            let mut state = mixed(seed);
            let markets = Markets::random(N_CITIES, N_COUNTRIES, 2, || uniform(&mut state));
            let mut state = mixed(seed ^ 0x4D);
            let mut feed = Self {
                markets,
                columns: Default::default(),
                years: Vec::new(),
                figures: Default::default(),
                partial: Partial {
                    rows: Vec::new(),
                    weights: None,
                    restricted: Vec::new(),
                    residuals: Vec::new(),
                    regressors: Vec::new(),
                    estimates: Vec::new(),
                    inverse: Vec::new(),
                },
            };
            for firm in 0..30 {
                let mut cities: Vec<u32> = Vec::new();
                while cities.len() < 2 + below(&mut state, 3) {
                    let city = u32::try_from(below(&mut state, N_CITIES)).expect("small");
                    if !cities.contains(&city) {
                        cities.push(city);
                    }
                }
                for &own in &cities {
                    for (country, year) in (0..N_COUNTRIES).flat_map(|m| [(m, 2000), (m, 2001)]) {
                        feed.push(firm, (own, country, year), &cities, effect, &mut state);
                    }
                }
            }
            feed
        }

        fn push(
            &mut self,
            firm: u32,
            (own, country, year): (u32, u32, i32),
            cities: &[u32],
            effect: f64,
            state: &mut u64,
        ) {
            let (growth, exporters) = self.markets.of(year, country).expect("a market");
            let others = || cities.iter().filter(|city| **city != own).map(|city| *city as usize);
            let sum = |of: &[f64]| others().map(|city| of[city]).sum::<f64>();
            let (s, n) = (sum(growth), sum(exporters));
            let areas = sum(&self.markets.areas_km2);
            let [g, d] = [s / n, libm::log(n) - libm::log(areas)];
            let row = u32::try_from(self.years.len()).expect("few rows");
            let keys = [firm, own, country];
            self.columns.iter_mut().zip(keys).for_each(|(column, key)| column.push(key));
            self.years.push(year);
            let figures = [real(cities.len() - 1), g, d];
            self.figures.iter_mut().zip(figures).for_each(|(column, own)| column.push(own));
            self.partial.rows.push(row);
            self.partial.restricted.push(effect * g + uniform(state));
        }

        fn placebo(&self, n_draws: usize, seed: u64) -> Placebo {
            let [firms, cities, countries] = &self.columns;
            let [n_cities, growth, density] = &self.figures;
            let years = &self.years;
            let panel = OfPanel { firms, cities, countries, years, n_cities, growth, density };
            drawn(&self.markets, &panel, &self.partial, Draws { n_draws, seed })
        }
    }

    #[test]
    fn under_the_null_p_values_are_uniform_and_an_effect_is_found() {
        let n = 120;
        let p_values: Vec<[f64; 3]> = (0..n)
            .map(|seed| {
                let placebo = Feed::new(seed, 0.0).placebo(99, seed);
                let joint = placebo.joint_p_value().expect("two terms");
                [placebo.p_value(0), placebo.p_value(1), joint]
            })
            .collect();
        for test in 0..3 {
            for level in [0.1, 0.5] {
                let share = real(p_values.iter().filter(|p| p[test] <= level).count()) / real(120);
                let error = (level * (1.0 - level) / real(120)).sqrt();
                assert!((share - level).abs() < 3.5 * error, "{test}: {share} at {level}");
            }
        }
        let found = Feed::new(1, 3.0).placebo(99, 1);
        assert!((found.p_value(0) - 0.01).abs() < 1e-12, "{}", found.p_value(0));
    }

    #[test]
    fn draws_do_not_depend_on_the_number_of_threads_and_avoid_the_own_city() {
        let feed = Feed::new(5, 0.0);
        let run = |n: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(n).build().expect("threads");
            pool.install(|| feed.placebo(199, 9))
        };
        let (one, two) = (run(1), run(2));
        assert_eq!(one, two);
        assert_ne!(one.draws, feed.placebo(199, 10).draws, "the seed decides the draws");
        assert!((one.coverage - 1.0).abs() < 1e-12, "every market has exporters");
        let [firms, cities, countries] = &feed.columns;
        let plants = plants((firms, cities), &feed.figures[0], &feed.partial.rows);
        let sample = Sample {
            markets: &feed.markets,
            cities_of_plants: plants.iter().map(|plant| plant.city).collect(),
            plants,
            countries,
            years: &feed.years,
            n_cities: &feed.figures[0],
            partial: &feed.partial,
            logs: Vec::new(),
            asked: Draws { n_draws: 50, seed: 9 },
        };
        for (number, plant) in sample.plants.iter().enumerate() {
            let (drawn, _) = sample.cities(plant, number);
            for draw in 0..50 {
                let mut own: Vec<u32> =
                    drawn.chunks_exact(50).map(|of_place| of_place[draw]).collect();
                assert!(!own.contains(&plant.city));
                own.sort_unstable();
                own.dedup();
                assert_eq!(own.len(), plant.n_cities_max, "cities differ");
            }
        }
    }
}
