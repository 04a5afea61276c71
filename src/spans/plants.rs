//! Plants of multi-plant firms in a span: the facts from which the rows of `plant` are computed.
//!
//! A firm is multi-plant by `cur` alone. Its affiliate cities have a positive cell in `cur`, in a
//! calendar year before `t`, or in the months of `t` up to the span's month. `experience` and `new`
//! look at whole calendar years before `t`; for `12m` they look at the blocks of twelve months that
//! end a year, two years, … before the span.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use rustc_hash::FxHashSet;

use super::SpanError;
use super::scan::{Relations, ScanTexts, Wanted, in_order};
use super::source::SpanSource;
use crate::domain::choices::Network;
use crate::domain::rows::{CityRow, PlantFacts};
use crate::domain::span::{Span, SpanAt};
use crate::domain::types::{City, Country, Firm, Period, Plant};
use crate::home::definition::Definition;
use crate::home::runs::Market;
use crate::indicators::{Bounds, Cumulative, MarketSums, Months, SpanMarkets, YearMarkets};
use crate::tables::derived::portions;
use crate::tables::facts::Numbers;

/// The plants of multi-plant firms in a span, with the markets that they read.
pub struct PlantsOfSpan {
    /// The span.
    pub at: SpanAt,
    /// Firms and countries, each in order of their codes.
    pub numbers: Numbers,
    /// The markets of the span.
    pub markets: Vec<CityRow>,
    /// The facts, in order.
    pub facts: Vec<PlantFacts>,
}

impl SpanSource<'_> {
    /// The plants of a span.
    ///
    /// # Errors
    /// [`SpanError::Home`] if a file of the home cannot be read.
    pub fn plants(&self, at: SpanAt) -> Result<PlantsOfSpan, SpanError> {
        let history = History::of(at, self.calendar().first());
        let wanted = Wanted { exports: history.months.clone(), imports: Some(at.cur()) };
        let mut collected = Collected::new(at, history, self.definition().choices.network);
        let texts = self.scan(&wanted, |market, relations| collected.add(market, relations))?;
        Ok(collected.finish(at, texts))
    }
}

/// The months of a span's plants: those of the span, and those of earlier years.
struct History {
    /// All months up to the span's last.
    months: RangeInclusive<Period>,
    cur: Bounds,
    base: Bounds,
    /// The blocks before the span, the newest first: whole years, or blocks of twelve months.
    blocks: Vec<Bounds>,
    /// The calendar years before `t`, and `t` up to the span's month.
    years: Vec<Bounds>,
}

impl History {
    fn of(at: SpanAt, first: Period) -> Self {
        let months = first..=at.end();
        let positions = Months::of(&months);
        let mut years = Vec::new();
        let mut year = at.end().year();
        while year >= first.year() {
            let of = |month| Period::new(year.0, month);
            if let (Some(january), Some(december)) = (of(1), of(12)) {
                years.push(positions.bounds(&(january..=december)));
            }
            year = year.previous();
        }
        let blocks = match at.span() {
            Span::YearToDate | Span::Month => years[1..].to_vec(),
            Span::TwelveMonths => {
                let (mut blocks, mut block) = (Vec::new(), at.base());
                while *block.end() >= first {
                    blocks.push(positions.bounds(&block));
                    block = block.start().year_before()..=block.end().year_before();
                }
                blocks
            }
        };
        let (cur, base) = (positions.bounds(&at.cur()), positions.bounds(&at.base()));
        Self { months, cur, base, blocks, years }
    }
}

/// A relation with a positive cell in `cur`; firms have the numbers of the scan.
struct Exporting {
    firm: Firm,
    city: City,
    country: Country,
    cur: i64,
    base: i64,
    import: i64,
    experience: bool,
    new: bool,
}

/// The first city of a firm in `cur`, and whether it has another.
#[derive(Clone, Copy)]
enum Cities {
    None,
    One(City),
    Several,
}

struct Collected {
    history: History,
    network: Network,
    span_markets: SpanMarkets,
    sums: Cumulative,
    markets: Vec<CityRow>,
    exporting: Vec<Exporting>,
    /// The cities of each firm in `cur`.
    cities: Vec<Cities>,
    /// Plants that exported before, by firm and city.
    former: FxHashSet<Plant>,
    at: SpanAt,
}

impl Collected {
    fn new(at: SpanAt, history: History, network: Network) -> Self {
        Self {
            network,
            span_markets: SpanMarkets::new(&[at], Months::of(&history.months)),
            history,
            sums: Cumulative::default(),
            markets: Vec::new(),
            exporting: Vec::new(),
            cities: Vec::new(),
            former: FxHashSet::default(),
            at,
        }
    }

    fn add(&mut self, market: Market, relations: &Relations) {
        let mut sums = [MarketSums::default()];
        for (firm, amounts) in relations.iter() {
            let Some((import, months)) = amounts.split_last() else { continue };
            self.span_markets.add(months, &mut sums);
            self.add_relation(firm, market, months, *import);
        }
        if sums[0].is_row() {
            let Market { country, city } = market;
            let key = CityRow { year: self.at.year(), city, country, ..CityRow::default() };
            self.markets.push(sums[0].row(key));
        }
    }

    fn add_relation(&mut self, firm: Firm, market: Market, months: &[i64], import: i64) {
        let Self { history, sums, .. } = self;
        if !sums.read(months) {
            return;
        }
        let Market { country, city } = market;
        let exported = |of: &Bounds| sums.sum(*of) > 0;
        if self.network == Network::Founded && history.years.iter().any(exported) {
            self.former.insert(Plant { firm, city });
        }
        let cur = sums.sum(history.cur);
        if cur <= 0 {
            return;
        }
        self.exporting.push(Exporting {
            firm,
            city,
            country,
            cur,
            base: sums.sum(history.base).max(0),
            import: import.max(0),
            experience: history.blocks.iter().any(exported),
            new: !history.blocks.first().is_some_and(exported),
        });
        let at = firm.0 as usize;
        if at >= self.cities.len() {
            self.cities.resize(at + 1, Cities::None);
        }
        self.cities[at] = match self.cities[at] {
            Cities::None => Cities::One(city),
            Cities::One(other) if other == city => Cities::One(other),
            _ => Cities::Several,
        };
    }

    fn finish(self, at: SpanAt, texts: ScanTexts) -> PlantsOfSpan {
        let Self { markets, exporting, cities, former, .. } = self;
        let is_multi_plant =
            |firm: Firm| matches!(cities.get(firm.0 as usize), Some(Cities::Several));
        let (firms, numbers) = in_order(&texts.firms);
        let numbered = |firm: Firm| Firm(numbers[firm.0 as usize]);
        let mut facts = Vec::new();
        let mut active: FxHashSet<Plant> = FxHashSet::default();
        for of in exporting.into_iter().filter(|of| is_multi_plant(of.firm)) {
            active.insert(Plant { firm: of.firm, city: of.city });
            facts.push(PlantFacts {
                year: at.year(),
                plant: Plant { firm: numbered(of.firm), city: of.city },
                country: Some(of.country),
                export_cents: of.cur,
                base_cents: of.base,
                import_cents: of.import,
                experience: of.experience,
                new: of.new,
            });
        }
        let left = former.into_iter().filter(|of| is_multi_plant(of.firm) && !active.contains(of));
        facts.extend(left.map(|plant| PlantFacts {
            year: at.year(),
            plant: Plant { firm: numbered(plant.firm), city: plant.city },
            ..PlantFacts::default()
        }));
        facts.sort_unstable_by_key(PlantFacts::order);
        let numbers = Numbers { firms, countries: texts.countries };
        PlantsOfSpan { at, numbers, markets, facts }
    }
}

impl PlantsOfSpan {
    /// The rows of `plant` in order of key, a batch at a time.
    pub fn rows(
        self,
        definition: &Arc<Definition>,
    ) -> impl Iterator<Item = Result<RecordBatch, ArrowError>> + use<> {
        let definition = Arc::clone(definition);
        let Self { at, numbers, markets, facts } = self;
        let markets = YearMarkets::of(markets, &definition.geography);
        let mut n_done = 0;
        std::iter::from_fn(move || {
            let portion = portions(&facts[n_done..], 1).pop()?;
            n_done += portion.len();
            Some(definition.plant_batch(&markets, portion, at.n_months(), &numbers))
        })
    }
}
