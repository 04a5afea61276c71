//! The live effect in plain loops over records: nothing is shared with the program but the reading
//! of segments.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use spillover::domain::types::{Flow, Period};
use spillover::home::definition::Definition;
use spillover::home::segment::{self, Fields};
use spillover::home::{FileEntry, Home};

/// Firm, city and destination.
pub type Relation = (String, String, String);

/// Export cents by relation and month; a month is `12 · year + month − 1`.
#[derive(Clone, Debug, Default)]
pub struct Exports(pub BTreeMap<Relation, BTreeMap<u32, i64>>);

/// A row with its variables by name and its affiliate cities.
#[derive(Clone, Debug)]
pub struct Row {
    pub relation: Relation,
    pub cents: i64,
    pub plant_cents: i64,
    pub values: BTreeMap<&'static str, f64>,
    /// For each affiliate city: `S`, `n`, the weight of (16), the area.
    pub sources: BTreeMap<String, [f64; 4]>,
    pub z: Vec<f64>,
}

/// Cities with their areas and provinces.
pub struct World {
    pub areas: BTreeMap<String, f64>,
    pub provinces: BTreeMap<String, String>,
    /// The feed's first month.
    pub first: u32,
}

/// The number of a month.
pub fn number(month: Period) -> u32 {
    u32::from(month.year().0) * 12 + u32::from(month.month()) - 1
}

impl Exports {
    /// The exports in files, as far as their months and flows count.
    pub fn of(
        home: &Home,
        definition: &Definition,
        counts: impl Fn(&FileEntry, Period) -> bool,
    ) -> Self {
        let city_of = |code: &str| definition.places.city(code);
        let mut exports = Self::default();
        for file in home.files().expect("files") {
            let read = segment::read(home.folder(), &file.segment, Fields::All, &city_of);
            let (mut texts, mut records) = read.expect("a segment");
            definition.successions.carry_over(&mut texts, &mut records);
            for record in records {
                let (None, Some(city)) = (record.exclusion, record.city) else { continue };
                if record.flow != Flow::Export || !counts(&file, record.period) {
                    continue;
                }
                let relation = (
                    texts.firms.text(record.firm).to_owned(),
                    definition.places.code(city).to_owned(),
                    texts.countries.text(record.country).to_owned(),
                );
                let months = exports.0.entry(relation).or_default();
                *months.entry(number(record.period)).or_default() += record.value_cents;
            }
        }
        exports
    }

    fn sum(&self, relation: &Relation, months: &RangeInclusive<u32>) -> i64 {
        self.0.get(relation).map_or(0, |of| of.range(months.clone()).map(|(_, cents)| cents).sum())
    }

    /// The months of a span and the same months a year earlier.
    pub fn months(span: &str, month: u32) -> [RangeInclusive<u32>; 2] {
        let k = month % 12;
        let first = match span {
            "ytd" => month - k,
            // Joint months: January with February.
            "month" => month - u32::from(k == 1),
            "12m" => month - 11,
            other => panic!("no span {other}"),
        };
        [first..=month, first - 12..=month - 12]
    }

    /// `S` and `n` of each market.
    fn markets(&self, [cur, base]: &[RangeInclusive<u32>; 2]) -> Markets<'_> {
        let mut markets = Markets::new();
        for relation in self.0.keys() {
            let (now, before) = (self.sum(relation, cur), self.sum(relation, base));
            if now > 0 && before > 0 {
                let market = markets.entry((&relation.1, &relation.2)).or_default();
                market[0] += growth(now, before);
                market[1] += 1.0;
            }
        }
        markets
    }

    /// The exports of each market.
    pub fn values(&self, span: &str, month: u32) -> BTreeMap<(String, String), i64> {
        let mut values = BTreeMap::new();
        for relation in self.0.keys() {
            let cents = self.sum(relation, &Self::months(span, month)[0]).max(0);
            *values.entry((relation.1.clone(), relation.2.clone())).or_default() += cents;
        }
        values
    }

    /// The rows of a span with the variables that exist.
    pub fn rows(&self, world: &World, span: &str, month: u32) -> Vec<Row> {
        let months = Self::months(span, month);
        let markets = self.markets(&months);
        let mut rows = Vec::new();
        let firms: BTreeSet<&String> = self.0.keys().map(|(firm, ..)| firm).collect();
        for firm in firms {
            let of = FirmOf { exports: self, world, firm, span, month };
            rows.extend(of.rows(&markets));
        }
        rows
    }

    fn growth(&self, relation: &Relation, months: &[RangeInclusive<u32>; 2]) -> Option<f64> {
        let [now, before] = [0, 1].map(|at: usize| self.sum(relation, &months[at]));
        (now > 0 && before > 0).then(|| growth(now, before))
    }
}

/// A firm in a span.
struct FirmOf<'a> {
    exports: &'a Exports,
    world: &'a World,
    firm: &'a str,
    span: &'a str,
    month: u32,
}

type Markets<'a> = BTreeMap<(&'a str, &'a str), [f64; 2]>;

impl FirmOf<'_> {
    fn own(&self) -> impl Iterator<Item = &Relation> {
        self.exports.0.keys().filter(|relation| relation.0 == self.firm)
    }

    fn has(&self, city: &str, months: &RangeInclusive<u32>) -> bool {
        self.own().any(|relation| relation.1 == city && self.exports.sum(relation, months) > 0)
    }

    fn months(&self) -> [RangeInclusive<u32>; 2] {
        Exports::months(self.span, self.month)
    }

    /// The cities of the firm from its founding on; none if it exports from fewer than two.
    fn network(&self) -> BTreeSet<&str> {
        let cities: BTreeSet<&String> = self.own().map(|(_, city, _)| city).collect();
        let [cur, _] = self.months();
        let january = self.month - self.month % 12;
        if cities.iter().filter(|city| self.has(city, &cur)).count() < 2 {
            return BTreeSet::new();
        }
        let is_in = |city: &&String| {
            let years = (self.world.first..january).step_by(12);
            let mut years = years.map(|year| year..=year + 11);
            self.has(city, &cur)
                || self.has(city, &(january..=self.month))
                || years.any(|year| self.has(city, &year))
        };
        cities.into_iter().filter(is_in).map(String::as_str).collect()
    }

    fn plant_cents(&self, city: &str) -> i64 {
        let plant = self.own().filter(|relation| relation.1 == city);
        plant.map(|relation| self.exports.sum(relation, &self.months()[0]).max(0)).sum()
    }

    fn rows(&self, markets: &Markets<'_>) -> Vec<Row> {
        let network = self.network();
        let cents = |relation: &Relation| self.exports.sum(relation, &self.months()[0]);
        if network.is_empty() {
            return Vec::new();
        }
        let row = |relation: &Relation| {
            let (_, city, country) = relation;
            let mut sources = BTreeMap::new();
            for other in network.iter().filter(|other| **other != city.as_str()) {
                let [s, n] = markets.get(&(*other, country)).copied().unwrap_or_default();
                let weight = self.plant_cents(other) as f64;
                sources.insert((*other).to_owned(), [s, n, weight, self.world.areas[*other]]);
            }
            let mut values = self.counts(relation, &network);
            values.insert("affiliate_cities", sources.len() as f64);
            values.extend(affiliate(&sources));
            values.extend(self.local(relation, markets));
            Row {
                relation: relation.clone(),
                cents: cents(relation),
                plant_cents: self.plant_cents(city),
                values,
                sources,
                z: Vec::new(),
            }
        };
        self.own().filter(|relation| cents(relation) > 0).map(row).collect()
    }

    /// Whether a relation is new, and the numbers of plants that samples need.
    fn counts(&self, relation: &Relation, network: &BTreeSet<&str>) -> BTreeMap<&'static str, f64> {
        let [cur, base] = self.months();
        let january = self.month - self.month % 12;
        let before = if self.span == "12m" { base } else { january - 12..=january - 1 };
        let to_country = self.own().filter(|other| other.2 == relation.2);
        let n_to = to_country.filter(|other| self.exports.sum(other, &cur) > 0).count();
        let mut provinces: BTreeMap<&str, usize> = BTreeMap::new();
        for city in network {
            *provinces.entry(&self.world.provinces[*city]).or_default() += 1;
        }
        let most = provinces.values().copied().max().unwrap_or(0);
        BTreeMap::from([
            ("new", f64::from(u8::from(self.exports.sum(relation, &before) <= 0))),
            ("destination_plants", n_to as f64),
            ("province_plants", most as f64),
        ])
    }

    /// The variables of the own city without the plant.
    fn local(&self, relation: &Relation, markets: &Markets<'_>) -> BTreeMap<&'static str, f64> {
        let (_, city, country) = relation;
        let own = self.exports.growth(relation, &self.months());
        let [s, n] = markets.get(&(city, country)).copied().unwrap_or_default();
        let (s, n) = (s - own.unwrap_or(0.0), n - f64::from(u8::from(own.is_some())));
        if n <= 0.0 {
            return BTreeMap::new();
        }
        let density = libm::log(n / self.world.areas[city]);
        BTreeMap::from([("local_growth", s / n), ("local_ln_density", density)])
    }
}

/// A growth, rounded to 2⁻³² as (L1) says.
fn growth(now: i64, before: i64) -> f64 {
    let one = f64::from(1 << 16).powi(2);
    ((libm::log(now as f64) - libm::log(before as f64)) * one).round() / one
}

/// The affiliates' variables from the affiliate cities; none without exporters.
pub fn affiliate(sources: &BTreeMap<String, [f64; 4]>) -> BTreeMap<&'static str, f64> {
    let sum = |of: fn(&[f64; 4]) -> f64| sources.values().map(of).sum::<f64>();
    let mut values = BTreeMap::new();
    if sum(|of| of[1]) > 0.0 {
        values.insert("affiliate_growth", sum(|of| of[0]) / sum(|of| of[1]));
        values.insert("affiliate_ln_density", libm::log(sum(|of| of[1]) / sum(|of| of[3])));
    }
    let with_n = |of: &[f64; 4], value: f64| if of[1] > 0.0 { of[2] * value } else { 0.0 };
    let weights: f64 = sources.values().map(|of| with_n(of, 1.0)).sum();
    if weights > 0.0 {
        let growth: f64 = sources.values().map(|of| with_n(of, of[0] / of[1])).sum();
        let density: f64 = sources.values().map(|of| with_n(of, libm::log(of[1] / of[3]))).sum();
        values.insert("affiliate_growth_weighted", growth / weights);
        values.insert("affiliate_ln_density_weighted", density / weights);
    }
    values
}

/// A model: the variables that rows must have, the terms, and the condition.
pub struct Asked<'a> {
    pub needs: &'a [&'static str],
    pub terms: &'a [&'a [&'static str]],
    pub keep: fn(&Row) -> bool,
    pub span: &'a str,
    /// True for the density of the span itself.
    pub own_density: bool,
    pub baseline: &'a str,
}

const DENSITIES: [&str; 3] =
    ["affiliate_ln_density", "affiliate_ln_density_weighted", "local_ln_density"];

impl Asked<'_> {
    /// The rows with their vectors, compared with the baseline.
    pub fn rows(&self, world: &World, exports: &Exports, month: u32) -> Vec<Row> {
        let mut rows = self.whole(world, exports, month);
        if ["last_year", "strict"].contains(&self.baseline) {
            let before = self.whole(world, exports, month - 12);
            rows.retain_mut(|row| {
                let of = before.iter().find(|before| before.relation == row.relation);
                let Some(of) = of else { return false };
                row.z.iter_mut().zip(&of.z).for_each(|(now, before)| *now -= before);
                true
            });
        }
        if ["within", "strict"].contains(&self.baseline) {
            let kept = not_alone(&rows);
            rows = kept.into_iter().map(|at| rows[at].clone()).collect();
            for term in 0..self.terms.len() {
                let values: Vec<f64> = rows.iter().map(|row| row.z[term]).collect();
                let residuals = swept(&rows, values);
                rows.iter_mut().zip(residuals).for_each(|(row, residual)| row.z[term] = residual);
            }
        }
        rows
    }

    fn whole(&self, world: &World, exports: &Exports, month: u32) -> Vec<Row> {
        let mut rows = exports.rows(world, self.span, month);
        if !self.own_density {
            let year = exports.rows(world, "12m", month);
            rows.retain_mut(|row| {
                let of = year.iter().find(|of| of.relation == row.relation);
                let Some(of) = of else { return false };
                for name in DENSITIES {
                    match of.values.get(name) {
                        Some(value) => row.values.insert(name, *value),
                        None => row.values.remove(name),
                    };
                }
                true
            });
        }
        rows.retain_mut(|row| {
            let is_whole = self.needs.iter().all(|name| row.values.contains_key(name));
            if !is_whole || !(self.keep)(row) {
                return false;
            }
            let term = |term: &&[&str]| term.iter().map(|name| row.values[name]).product();
            row.z = self.terms.iter().map(term).collect();
            true
        });
        rows
    }
}

/// The rows that share their plant and their destination with another such row.
fn not_alone(rows: &[Row]) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..rows.len()).collect();
    loop {
        let alone = |at: &usize| {
            let (own, others) = (&rows[*at].relation, || kept.iter().filter(move |o| *o != at));
            let plant =
                others().any(|o| (&rows[*o].relation.0, &rows[*o].relation.1) == (&own.0, &own.1));
            !(plant && others().any(|o| rows[*o].relation.2 == own.2))
        };
        let left: Vec<usize> = kept.iter().copied().filter(|at| !alone(at)).collect();
        if left.len() == kept.len() {
            return left;
        }
        kept = left;
    }
}

/// Residuals from plant and destination by sweeping both many times.
fn swept(rows: &[Row], mut values: Vec<f64>) -> Vec<f64> {
    let plant = |row: &Row| format!("{}^{}", row.relation.0, row.relation.1);
    let groups = |of: &dyn Fn(&Row) -> String| {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            groups.entry(of(row)).or_default().push(at);
        }
        groups
    };
    let all = [groups(&plant), groups(&|row| row.relation.2.clone())];
    for _ in 0..1500 {
        for rows in all.iter().flat_map(BTreeMap::values) {
            let mean = rows.iter().map(|at| values[*at]).sum::<f64>() / rows.len() as f64;
            for at in rows {
                values[*at] -= mean;
            }
        }
    }
    values
}

/// `1 − R²` of effects on plant and destination, over rows that are not alone.
pub fn identified(rows: &[Row], b: &[f64]) -> Option<f64> {
    let kept: Vec<Row> = not_alone(rows).into_iter().map(|at| rows[at].clone()).collect();
    let effects: Vec<f64> = kept.iter().map(|row| dot(b, &row.z)).collect();
    let mean = effects.iter().sum::<f64>() / effects.len() as f64;
    let total: f64 = effects.iter().map(|e| (e - mean).powi(2)).sum();
    let left: f64 = swept(&kept, effects).iter().map(|e| e * e).sum();
    (total > 0.0).then(|| left / total)
}

/// The scalar product.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The key of a relation at a level.
pub fn key(world: &World, level: &str, (firm, city, country): &Relation) -> String {
    match level {
        "nation" => "all".to_owned(),
        "plant" => format!("{firm}^{city}"),
        "city" => city.clone(),
        "country" => country.clone(),
        "province" => world.provinces[city].clone(),
        "province^country" => format!("{}^{country}", world.provinces[city]),
        other => panic!("no level {other}"),
    }
}

/// The rows of each unit.
pub fn units(world: &World, level: &str, rows: &[Row]) -> BTreeMap<String, Vec<Row>> {
    let mut units: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        units.entry(key(world, level, &row.relation)).or_default().push(row.clone());
    }
    units
}

/// The mean vector of rows, weighted by exports.
pub fn mean(rows: &[Row]) -> Vec<f64> {
    let total: i64 = rows.iter().map(|row| row.cents).sum();
    let mean = |term: usize| {
        rows.iter().map(|row| row.cents as f64 / total as f64 * row.z[term]).sum::<f64>()
    };
    (0..rows[0].z.len()).map(mean).collect()
}
