//! All runs of a vintage together, one market after another.
//!
//! A market's relations are added up in a small matrix: a row for each firm, a column for each
//! month. Nothing is held but the matrix and a batch of each run.

use std::ops::RangeInclusive;

use super::SpanError;
use super::source::{CountedSection, SpanSource};
use crate::domain::dictionary::Dictionary;
use crate::domain::types::{City, Country, Firm, Flow, Period};
use crate::home::runs::{Market, RunNumbers};
use crate::indicators::Months;

/// The amounts to read.
pub(super) struct Wanted {
    /// The months of exports, each a column.
    pub(super) exports: RangeInclusive<Period>,
    /// The months of imports, if any: their sum is the last column.
    pub(super) imports: Option<RangeInclusive<Period>>,
}

/// The texts of a scan's numbers.
pub(super) struct ScanTexts {
    /// The firms, in the order in which the runs name them.
    pub(super) firms: Dictionary,
    /// The countries in order of their codes.
    pub(super) countries: Dictionary,
}

/// The relations of a market: for each firm, its amounts.
#[derive(Default)]
pub(super) struct Relations {
    firms: Vec<Firm>,
    amounts: Vec<i64>,
    width: usize,
    /// The row of each firm, with the number of the market in which it was set.
    rows: Vec<(u32, u32)>,
    n_markets: u32,
}

impl Relations {
    /// The firms with their amounts.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Firm, &[i64])> {
        self.firms.iter().copied().zip(self.amounts.chunks_exact(self.width))
    }

    fn clear(&mut self) {
        self.n_markets += 1;
        self.firms.clear();
        self.amounts.clear();
    }

    /// The amounts of a firm.
    fn row(&mut self, firm: Firm) -> &mut [i64] {
        let at = firm.0 as usize;
        if at >= self.rows.len() {
            self.rows.resize((at + 1).next_power_of_two(), (0, 0));
        }
        let (mut row, market) = self.rows[at];
        if market != self.n_markets {
            row = u32::try_from(self.firms.len()).expect("fewer firms than 2^32");
            self.rows[at] = (row, self.n_markets);
            self.firms.push(firm);
            self.amounts.resize(self.amounts.len() + self.width, 0);
        }
        let start = row as usize * self.width;
        &mut self.amounts[start..start + self.width]
    }
}

/// A section and the way to add its rows.
struct Input<'a> {
    of: CountedSection<'a>,
    flow: Flow,
}

impl SpanSource<'_> {
    /// Passes each market with its relations to `each`, in order of the codes of country and city.
    pub(super) fn scan(
        &self,
        wanted: &Wanted,
        mut each: impl FnMut(Market, &Relations),
    ) -> Result<ScanTexts, SpanError> {
        let city_of = |code: &str| self.definition().places.city(code);
        let mut numbers = RunNumbers {
            firms: Dictionary::default(),
            countries: Dictionary::default(),
            city_of: &city_of,
        };
        let mut inputs = Vec::new();
        let imports = wanted.imports.as_ref().map(|months| (Flow::Import, months));
        for asked in [(Flow::Export, &wanted.exports)].into_iter().chain(imports) {
            let sections = self.sections(asked, &mut numbers)?;
            inputs.extend(sections.into_iter().map(|of| Input { of, flow: asked.0 }));
        }
        // Each section has named all its countries with its first rows.
        let ranks = Ranks::of(&numbers.countries);
        let carried = self.definition().successions.carried(&mut numbers.firms);
        let months = Months::of(&wanted.exports);
        let width = months.len() + usize::from(wanted.imports.is_some());
        let mut relations = Relations { width, ..Relations::default() };
        while let Some(next) = inputs.iter().filter_map(|input| ranks.next(input)).min() {
            relations.clear();
            for input in inputs.iter_mut().filter(|input| ranks.next(input) == Some(next)) {
                let (flow, gone) = (input.flow, input.of.gone);
                input.of.section.take(&mut numbers, |firm, month, cents| {
                    if gone.contains(&(month, flow)) {
                        return;
                    }
                    let column = match flow {
                        Flow::Export => months.position(month),
                        Flow::Import => {
                            let is_in =
                                wanted.imports.as_ref().is_some_and(|of| of.contains(&month));
                            is_in.then_some(width - 1)
                        }
                    };
                    if let Some(column) = column {
                        relations.row(Firm(carried.firm(firm.0, month)))[column] += cents;
                    }
                })?;
                let after = ranks.next(input);
                assert!(after.is_none_or(|after| after > next), "a run is not in order of market");
            }
            each(Market { country: next.0, city: next.1 }, &relations);
        }
        let RunNumbers { firms, .. } = numbers;
        Ok(ScanTexts { firms, countries: ranks.countries })
    }
}

/// The countries in order of their codes.
struct Ranks {
    countries: Dictionary,
    ranks: Vec<Country>,
}

impl Ranks {
    fn of(numbered: &Dictionary) -> Self {
        let (countries, ranks) = in_order(numbered);
        let country = |rank| Country(u16::try_from(rank).expect("fewer countries than 2^16"));
        Self { countries, ranks: ranks.into_iter().map(country).collect() }
    }

    fn next(&self, input: &Input<'_>) -> Option<(Country, City)> {
        let Market { country, city } = input.of.section.market()?;
        Some((self.ranks[usize::from(country.0)], city))
    }
}

/// The texts of a dictionary in order, and the new position of each.
pub(super) fn in_order(numbered: &Dictionary) -> (Dictionary, Vec<u32>) {
    let mut order: Vec<(&str, usize)> = numbered.iter().zip(0..).collect();
    order.sort_unstable();
    let (mut ordered, mut positions) = (Dictionary::default(), vec![0; order.len()]);
    for (text, before) in order {
        positions[before] = ordered.intern(text);
    }
    (ordered, positions)
}
