//! Markets in spans, from the month sums of their relations.
//!
//! A relation is a plant and a destination. Its cells in a span are differences of its cumulative
//! sums over months, so all spans of a year cost one pass over the months.
//!
//! ```text
//! months of a relation ─▶ cumulative sums ─▶ cur, base in each span ─▶ + to the market in the span
//! ```

use std::ops::RangeInclusive;

use crate::domain::rows::CityRow;
use crate::domain::span::SpanAt;
use crate::domain::types::{Growth, LogAmount, Period};

/// The sums of a market in a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketSums {
    /// Sum of the squares of growth, in units of 2⁻⁶⁴: below 2⁷⁶ times 2²⁵ plants.
    pub growth_squared: i128,
    /// Sum of the positive cells of `cur`, in cents.
    pub export_cents: i64,
    /// Sum of the positive cells of `base`, in cents.
    pub base_cents: i64,
    /// Sum of growth, `S`, in units of 2⁻³² log points.
    pub growth: i64,
    /// Relations with positive cells in both.
    pub continuing: u32,
    /// Relations with a positive cell in `cur` alone.
    pub entrants: u32,
    /// Relations with a positive cell in `base` alone.
    pub exits: u32,
}

impl MarketSums {
    /// True if a relation has a positive cell: the market has a row.
    #[must_use]
    pub fn is_row(&self) -> bool {
        self.continuing > 0 || self.entrants > 0 || self.exits > 0
    }

    /// The row of the market, with the key of `of`.
    #[must_use]
    pub fn row(&self, of: CityRow) -> CityRow {
        CityRow {
            exporters: self.continuing + self.entrants,
            continuing: self.continuing,
            entrants: self.entrants,
            exits: self.exits,
            export_cents: self.export_cents,
            base_cents: self.base_cents,
            growth: self.growth,
            ..of
        }
    }

    /// Adds the cells of a relation; `growth` is computed only if both are positive.
    fn add(&mut self, cur: i64, base: i64, growth: impl FnOnce() -> i64) {
        if cur > 0 {
            self.export_cents += cur;
        }
        if base > 0 {
            self.base_cents += base;
        }
        match (cur > 0, base > 0) {
            (true, true) => {
                let growth = growth();
                self.continuing += 1;
                self.growth += growth;
                self.growth_squared += i128::from(growth) * i128::from(growth);
            }
            (true, false) => self.entrants += 1,
            (false, true) => self.exits += 1,
            (false, false) => {}
        }
    }
}

/// A row of months from a first one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    first: Period,
    n_months: usize,
}

/// The positions of a span's months: a sum is a difference of two cumulative sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    start: usize,
    end: usize,
}

impl Bounds {
    /// True if a position is one of the span's.
    #[must_use]
    pub fn contains(self, position: usize) -> bool {
        (self.start..self.end).contains(&position)
    }
}

impl Months {
    /// The months of a range.
    #[must_use]
    pub fn of(range: &RangeInclusive<Period>) -> Self {
        let n_months = (range.end().number() + 1).saturating_sub(range.start().number());
        Self { first: *range.start(), n_months: n_months as usize }
    }

    /// The number of months.
    #[must_use]
    pub fn len(&self) -> usize {
        self.n_months
    }

    /// True if the span has no month.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.n_months == 0
    }

    /// The position of a month; `None` outside the range.
    #[must_use]
    pub fn position(&self, month: Period) -> Option<usize> {
        let at = month.number().checked_sub(self.first.number())? as usize;
        (at < self.n_months).then_some(at)
    }

    /// The positions of some months; those outside the range are left out.
    #[must_use]
    pub fn bounds(&self, months: &RangeInclusive<Period>) -> Bounds {
        let at = |number: u32| number.saturating_sub(self.first.number()) as usize;
        let start = at(months.start().number()).min(self.n_months);
        let end = at(months.end().number() + 1).clamp(start, self.n_months);
        Bounds { start, end }
    }
}

/// The cumulative sums of a relation over months: `n + 1` sums for `n` months.
#[derive(Clone, Debug, Default)]
pub struct Cumulative(Vec<i64>);

impl Cumulative {
    /// Reads another relation's months; false if it has no amount.
    pub fn read(&mut self, months: &[i64]) -> bool {
        self.0.clear();
        self.0.push(0);
        let (mut sum, mut is_any) = (0, false);
        for cents in months {
            sum += cents;
            is_any |= *cents != 0;
            self.0.push(sum);
        }
        is_any
    }

    /// The sum of some months.
    #[must_use]
    pub fn sum(&self, of: Bounds) -> i64 {
        self.0[of.end] - self.0[of.start]
    }
}

/// The computation of markets in spans.
#[derive(Debug)]
pub struct SpanMarkets {
    /// The months of the spans: by kind, then in order of time.
    spans: Vec<[Bounds; 2]>,
    months: Cumulative,
}

impl SpanMarkets {
    /// A computation for spans within some months.
    ///
    /// Neighbours in `spans` that are of one kind share logs: an amount often stays from month to
    /// month.
    #[must_use]
    pub fn new(spans: &[SpanAt], months: Months) -> Self {
        let bounds = |at: &SpanAt| [months.bounds(&at.cur()), months.bounds(&at.base())];
        Self { spans: spans.iter().map(bounds).collect(), months: Cumulative::default() }
    }

    /// Adds a relation, given by its months, to the market in each span.
    pub fn add(&mut self, months: &[i64], market: &mut [MarketSums]) {
        let Self { spans, months: sums } = self;
        if !sums.read(months) {
            return;
        }
        let (mut cur_log, mut base_log) = (LastLog::default(), LastLog::default());
        let mut last = ([0, 0], 0);
        for ([cur, base], market) in spans.iter().zip(market) {
            let (cur, base) = (sums.sum(*cur), sums.sum(*base));
            market.add(cur, base, || {
                if last.0 != [cur, base] {
                    let growth = Growth::between_logs(base_log.of(base), cur_log.of(cur));
                    last = ([cur, base], growth.0);
                }
                last.1
            });
        }
    }
}

/// The log that was taken last.
#[derive(Default)]
struct LastLog(Option<(i64, LogAmount)>);

impl LastLog {
    fn of(&mut self, cents: i64) -> LogAmount {
        match self.0 {
            Some((last, log)) if last == cents => log,
            _ => self.0.insert((cents, LogAmount::of(cents))).1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::span::{Joint, Span};

    fn period(text: &str) -> Period {
        text.parse().expect("a period")
    }

    #[test]
    fn a_market_counts_relations_by_the_signs_of_their_cells_in_the_span() {
        let at = |span, end| SpanAt::new(span, period(end), Joint::NONE).expect("a span");
        let spans = [
            at(Span::TwelveMonths, "200112"),
            at(Span::Month, "200112"),
            at(Span::YearToDate, "200101"),
            at(Span::YearToDate, "200112"),
        ];
        let months = Months::of(&(period("200001")..=period("200112")));
        assert_eq!(months.len(), 24);
        let mut markets = SpanMarkets::new(&spans, months);
        let mut sums = [MarketSums::default(); 4];
        let relation = |cents: &[(&str, i64)]| {
            let mut row = vec![0; months.len()];
            for (month, cents) in cents {
                row[months.position(period(month)).expect("a month of the range")] += cents;
            }
            row
        };
        for cents in [
            &[("200001", 100), ("200101", 200)][..],
            &[("200012", 100), ("200112", 50), ("200111", 350)],
            &[("200001", 10), ("200112", 70)],
            &[("200101", 30), ("200102", -30)],
            &[("200006", 40), ("200106", -1)],
        ] {
            markets.add(&relation(cents), &mut sums);
        }
        let counts = |at: usize| (sums[at].continuing, sums[at].entrants, sums[at].exits);
        let whole = [counts(0), counts(3)];
        assert_eq!(whole, [(3, 0, 1); 2], "the year is the last span of either kind");
        assert_eq!(sums[0], sums[3]);
        assert_eq!(counts(1), (1, 1, 0));
        assert_eq!(counts(2), (1, 1, 1));
        let [half, double] = [Growth::between(100, 50).0, Growth::between(100, 200).0];
        assert_eq!((sums[1].growth, sums[1].growth_squared), (half, i128::from(half).pow(2)));
        assert_eq!((sums[1].export_cents, sums[1].base_cents), (120, 100));
        assert_eq!(sums[2].growth, double);
        let all = double + Growth::between(100, 400).0 + Growth::between(10, 70).0;
        assert_eq!(sums[3].growth, all);
        assert_eq!((sums[3].export_cents, sums[3].base_cents), (670, 250));
        assert!(!MarketSums::default().is_row());
    }

    #[test]
    fn months_outside_the_range_have_no_position_and_no_part_of_a_sum() {
        let months = Months::of(&(period("200003")..=period("200112")));
        assert_eq!(months.position(period("200002")), None);
        assert_eq!(months.position(period("200201")), None);
        let mut sums = Cumulative::default();
        assert!(!sums.read(&vec![0; months.len()]));
        assert!(sums.read(&vec![1; months.len()]));
        let sum = |from, to| sums.sum(months.bounds(&(period(from)..=period(to))));
        assert_eq!([sum("199901", "200012"), sum("199801", "199912")], [10, 0]);
        assert_eq!([sum("200201", "200212"), sum("200112", "200212")], [0, 1]);
    }
}
