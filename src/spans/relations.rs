//! The relations of a year's firms with several cities, held for all spans of the year.
//!
//! The rows of `plant` of 36 spans need the same relations. They are few: most firms export from
//! one city. A scan for each span would read every run 36 times.

use std::ops::RangeInclusive;

use rustc_hash::FxHashMap;

use super::SpanError;
use super::scan::{Relations, ScanTexts, Wanted, in_order};
use super::source::SpanSource;
use crate::domain::choices::Network;
use crate::domain::dictionary::Dictionary;
use crate::domain::rows::PlantFacts;
use crate::domain::span::{Span, SpanAt};
use crate::domain::types::{City, Country, Firm, Period, Plant, Year};
use crate::home::runs::Market;
use crate::indicators::{Bounds, Cumulative, Months};

/// The relations of firms with several cities, in order of firm, destination and city.
pub(super) struct YearRelations {
    year: Year,
    /// The months from the first of a span to the last.
    window: Months,
    relations: Vec<Relation>,
    /// Positions of months in the window, with amounts: those of one relation after another.
    amounts: Vec<(u8, i64)>,
    /// The months of the year at which a city is an affiliate by earlier exports, by plant in
    /// order: bit `k` is set if it is one at month `k`.
    former: Vec<(Plant, u16)>,
    pub(super) firms: Dictionary,
    countries: Dictionary,
}

#[derive(Clone, Copy)]
struct Relation {
    plant: Plant,
    country: Country,
    /// Its amounts.
    start: u32,
    end: u32,
}

/// Bits of all twelve months.
const ALL_MONTHS: u16 = 0x1FFE;

struct Collected {
    window: Months,
    /// The position of the window in the months that are read.
    window_start: usize,
    network: Network,
    /// The calendar years before the year, and the months of the year up to each one.
    years: Vec<Bounds>,
    to_date: Vec<Bounds>,
    sums: Cumulative,
    relations: Vec<Relation>,
    amounts: Vec<(u8, i64)>,
    former: FxHashMap<Plant, u16>,
}

impl SpanSource<'_> {
    /// The relations that the rows of `plant` of some spans of a year need.
    pub(super) fn relations(
        &self,
        year: Year,
        spans: &[SpanAt],
    ) -> Result<YearRelations, SpanError> {
        let network = self.definition().choices.network;
        // A relation is new if it has no exports in the whole year before.
        let first = spans.iter().flat_map(|at| [*at.base().start(), *before(*at).start()]).min();
        let last = spans.iter().map(SpanAt::end).max();
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(YearRelations::none(year));
        };
        let first = first.max(self.calendar().first());
        let from = if network == Network::Founded { self.calendar().first() } else { first };
        let exports = from..=last;
        let mut collected = Collected::new(year, (first, &exports), network);
        let wanted = Wanted { exports, imports: None };
        let texts = self.scan(&wanted, |market, relations| collected.add(market, relations))?;
        Ok(collected.finish(year, texts))
    }
}

impl Collected {
    fn new(
        year: Year,
        (first, exports): (Period, &RangeInclusive<Period>),
        network: Network,
    ) -> Self {
        let all = Months::of(exports);
        let of_year = |year: u16| Some(Period::new(year, 1)?..=Period::new(year, 12)?);
        let before = (exports.start().year().0..year.0).filter_map(of_year);
        let to_date = (1..=12)
            .filter_map(|month| Some(Period::new(year.0, 1)?..=Period::new(year.0, month)?));
        Self {
            window: Months::of(&(first..=*exports.end())),
            window_start: all.position(first).unwrap_or(0),
            network,
            years: before.map(|months| all.bounds(&months)).collect(),
            to_date: to_date.map(|months| all.bounds(&months)).collect(),
            sums: Cumulative::default(),
            relations: Vec::new(),
            amounts: Vec::new(),
            former: FxHashMap::default(),
        }
    }

    fn add(&mut self, market: Market, relations: &Relations) {
        for (firm, months) in relations.iter() {
            if !self.sums.read(months) {
                continue;
            }
            let plant = Plant { firm, city: market.city };
            if self.network == Network::Founded {
                let months = self.affiliate_months();
                if months != 0 {
                    *self.former.entry(plant).or_default() |= months;
                }
            }
            let start = position(self.amounts.len());
            let in_window = (0_u8..).zip(&months[self.window_start..]);
            self.amounts.extend(in_window.filter(|(_, cents)| **cents != 0).map(|(m, c)| (m, *c)));
            let end = position(self.amounts.len());
            if end > start {
                self.relations.push(Relation { plant, country: market.country, start, end });
            }
        }
    }

    /// The months of the year at which earlier exports of the relation make its city an affiliate.
    fn affiliate_months(&self) -> u16 {
        if self.years.iter().any(|of| self.sums.sum(*of) > 0) {
            return ALL_MONTHS;
        }
        let at = (1..).zip(&self.to_date).filter(|(_, of)| self.sums.sum(**of) > 0);
        at.map(|(month, _): (u32, _)| 1_u16 << month).sum()
    }

    fn finish(self, year: Year, texts: ScanTexts) -> YearRelations {
        let Self { window, mut relations, amounts, former, .. } = self;
        let (firms, numbers) = in_order(&texts.firms);
        let mut cities: Vec<Option<City>> = vec![None; numbers.len()];
        let mut has_several = vec![false; numbers.len()];
        for Relation { plant: Plant { firm, city }, .. } in &relations {
            let at = firm.0 as usize;
            has_several[at] |= cities[at].replace(*city).is_some_and(|other| other != *city);
        }
        let numbered = |plant: Plant| Plant { firm: Firm(numbers[plant.firm.0 as usize]), ..plant };
        relations.retain(|of| has_several[of.plant.firm.0 as usize]);
        for of in &mut relations {
            of.plant = numbered(of.plant);
        }
        relations.sort_unstable_by_key(|of| (of.plant.firm, of.country, of.plant.city));
        let of_several = former.into_iter().filter(|(of, _)| has_several[of.firm.0 as usize]);
        let mut former: Vec<(Plant, u16)> =
            of_several.map(|(plant, months)| (numbered(plant), months)).collect();
        former.sort_unstable();
        let countries = texts.countries;
        YearRelations { year, window, relations, amounts, former, firms, countries }
    }
}

/// The months without exports of a new relation: the year before, or the base of `12m`.
fn before(at: SpanAt) -> RangeInclusive<Period> {
    let month = |month| Period::new(at.year().previous().0, month);
    match (at.span(), month(1), month(12)) {
        (Span::YearToDate | Span::Month, Some(january), Some(december)) => january..=december,
        _ => at.base(),
    }
}

fn has_one_city(facts: &[PlantFacts]) -> bool {
    facts.first().is_none_or(|first| facts.iter().all(|of| of.plant.city == first.plant.city))
}

fn position(n: usize) -> u32 {
    u32::try_from(n).expect("fewer amounts of a year than 2^32")
}

impl YearRelations {
    fn none(year: Year) -> Self {
        let month = Period::new(1900, 1).expect("a month");
        Self {
            year,
            window: Months::of(&(month..=month)),
            relations: Vec::new(),
            amounts: Vec::new(),
            former: Vec::new(),
            firms: Dictionary::default(),
            countries: Dictionary::default(),
        }
    }

    /// The facts of the multi-plant firms of a span, in order; `countries` number its markets.
    /// Imports and experience are left out.
    pub(super) fn facts(&self, at: SpanAt, countries: &Dictionary) -> Vec<PlantFacts> {
        let bounds = [at.cur(), at.base(), before(at)].map(|months| self.window.bounds(&months));
        let numbers: Vec<Option<u32>> =
            self.countries.iter().map(|code| countries.position(code)).collect();
        let mut facts = Vec::new();
        for of_firm in self.relations.chunk_by(|a, b| a.plant.firm == b.plant.firm) {
            let start = facts.len();
            for of in of_firm {
                facts.extend(self.fact(of, bounds, &numbers));
            }
            if has_one_city(&facts[start..]) {
                facts.truncate(start);
            }
        }
        let month = 1 << at.end().month();
        let is_multi_plant =
            |plant: &Plant| facts.binary_search_by_key(&plant.firm, |of| of.plant.firm).is_ok();
        let is_active = |plant: &Plant| {
            let start = facts.partition_point(|of| of.plant.firm < plant.firm);
            let of_firm = facts[start..].iter().take_while(|of| of.plant.firm == plant.firm);
            of_firm.into_iter().any(|of| of.plant.city == plant.city)
        };
        let former = self.former.iter().filter(|(_, months)| months & month != 0);
        let left = former.filter(|(plant, _)| is_multi_plant(plant) && !is_active(plant));
        let left: Vec<PlantFacts> = left
            .map(|(plant, _)| PlantFacts {
                year: self.year,
                plant: *plant,
                ..PlantFacts::default()
            })
            .collect();
        facts.extend(left);
        facts.sort_unstable_by_key(PlantFacts::order);
        facts
    }

    /// The facts of a relation with a positive cell in `cur`.
    fn fact(
        &self,
        of: &Relation,
        [cur, base, before]: [Bounds; 3],
        numbers: &[Option<u32>],
    ) -> Option<PlantFacts> {
        let amounts = &self.amounts[of.start as usize..of.end as usize];
        let sum = |bounds: Bounds| -> i64 {
            let within = amounts.iter().filter(|(month, _)| bounds.contains(usize::from(*month)));
            within.map(|(_, cents)| cents).sum()
        };
        let export_cents = Some(sum(cur)).filter(|cents| *cents > 0)?;
        let number = numbers[usize::from(of.country.0)].expect("the market of a cell has a row");
        Some(PlantFacts {
            year: self.year,
            plant: of.plant,
            country: Some(Country(u16::try_from(number).expect("fewer countries than 2^16"))),
            export_cents,
            base_cents: sum(base).max(0),
            new: sum(before) <= 0,
            ..PlantFacts::default()
        })
    }
}
