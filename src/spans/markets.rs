//! The markets of spans.

use super::SpanError;
use super::scan::Wanted;
use super::source::SpanSource;
use crate::domain::dictionary::Dictionary;
use crate::domain::rows::{CityRow, MonthsRow};
use crate::domain::span::SpanAt;
use crate::indicators::{MarketSums, Months, SpanMarkets};

/// The rows of the table `months`.
pub struct MarketsOfSpans {
    /// The countries in order of their codes.
    pub countries: Dictionary,
    /// For each span, its rows in order of city and country.
    pub spans: Vec<(SpanAt, Vec<MonthsRow>)>,
}

impl SpanSource<'_> {
    /// The markets of some spans, from one scan. Spans that are near each other in time share most
    /// of the months that are read.
    ///
    /// # Errors
    /// [`SpanError::Home`] if a file of the home cannot be read.
    pub fn markets(&self, spans: &[SpanAt]) -> Result<MarketsOfSpans, SpanError> {
        let first = spans.iter().map(|at| *at.base().start()).min();
        let last = spans.iter().map(SpanAt::end).max();
        let Some((first, last)) = first.zip(last) else {
            return Ok(MarketsOfSpans { countries: Dictionary::default(), spans: Vec::new() });
        };
        // Neighbours of one kind share logs.
        let mut by_kind = spans.to_vec();
        by_kind.sort_unstable_by_key(|at| (at.span(), at.end()));
        let exports = first..=last;
        let mut markets = SpanMarkets::new(&by_kind, Months::of(&exports));
        let mut sums = vec![MarketSums::default(); by_kind.len()];
        let mut rows: Vec<(SpanAt, Vec<MonthsRow>)> =
            by_kind.iter().map(|at| (*at, Vec::new())).collect();
        let wanted = Wanted { exports, imports: None };
        let texts = self.scan(&wanted, |market, relations| {
            sums.fill(MarketSums::default());
            for (_, months) in relations.iter() {
                markets.add(months, &mut sums);
            }
            for ((at, rows), sums) in rows.iter_mut().zip(&sums).filter(|(_, sums)| sums.is_row()) {
                let key = CityRow {
                    year: at.year(),
                    city: market.city,
                    country: market.country,
                    ..CityRow::default()
                };
                let growth_squared = sums.growth_squared;
                rows.push(MonthsRow { at: *at, market: sums.row(key), growth_squared });
            }
        })?;
        for (_, rows) in &mut rows {
            rows.sort_unstable_by_key(|row| row.market.key());
        }
        rows.sort_by_key(|(at, _)| (at.end(), at.span()));
        Ok(MarketsOfSpans { countries: texts.countries, spans: rows })
    }
}
