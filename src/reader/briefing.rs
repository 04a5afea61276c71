//! The figures of one month for a briefing: the nation's series, cities, destinations, the live
//! effect, and its change since the publication before.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Decimal128Type, Float64Type, UInt8Type, UInt16Type, UInt64Type};
use arrow_array::{Array as _, RecordBatch};
use jiff::Timestamp;

use super::conditions::{Comparison, Condition};
use super::rows::{RowRequest, TableName};
use super::{Reader, ReaderError};
use crate::domain::series::Level;
use crate::domain::span::{Joint, Span, SpanAt};
use crate::domain::types::{Period, Vintage};
use crate::effect::{EffectRequest, Effects, News};

/// The months that a briefing shows, and their comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BriefingRequest {
    /// The month; the newest one with growth by default.
    pub month: Option<Period>,
    /// The vintage; `None` for the newest.
    pub as_of: Option<Vintage>,
    /// The span of the growth.
    pub span: Span,
    /// The joint months of the span `month`.
    pub joint: Joint,
}

/// Figures of a unit of `series` in one span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnitFigures {
    /// The unit.
    pub key: String,
    /// The month at which the span ends, as YYYYMM.
    pub month: u32,
    /// The number of markets.
    pub n_markets: u64,
    /// The number of exporting relations.
    pub n_exporters: u64,
    /// Those with exports a year earlier.
    pub n_continuing: u64,
    /// Those without.
    pub n_entrants: u64,
    /// Relations of a year earlier that ended.
    pub n_exits: u64,
    /// The exports, in cents.
    pub export_cents: i128,
    /// The mean log growth.
    pub growth: Option<f64>,
    /// Its standard error.
    pub growth_se: Option<f64>,
    /// The log growth of the exports.
    pub value_growth: Option<f64>,
    /// The growth in affiliate cities, weighted by exports.
    pub affiliate_growth: Option<f64>,
}

/// The figures of one month.
#[derive(Clone, Debug)]
pub struct Briefing {
    /// The month.
    pub month: Period,
    /// The span.
    pub at: SpanAt,
    /// The joint months of the span `month`.
    pub joint: Joint,
    /// The vintage of all figures but those of the news.
    pub vintage: Vintage,
    /// The time of its commit, in UTC.
    pub committed_at: Option<Timestamp>,
    /// The nation at each month, in order.
    pub nation: Vec<UnitFigures>,
    /// The cities at the month.
    pub cities: Vec<UnitFigures>,
    /// The destinations at the month.
    pub countries: Vec<UnitFigures>,
    /// The live effect of the nation; `None` without an estimate.
    pub effects: Option<Effects>,
    /// Its change at the publication of the month; at the newest publication for the newest month.
    /// `None` if a publication has no effect, or published later months too.
    pub news: Option<News>,
    /// The alerts about the month; `None` if no rule was ever evaluated.
    pub alerts: Option<Vec<BriefedAlert>>,
}

/// An alert about the month of a briefing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BriefedAlert {
    /// The sentence in English, with its causes.
    pub text: String,
    /// The sentence in Chinese.
    pub text_zh: String,
    /// The time at which it was raised, in UTC.
    pub raised_at: String,
    /// True if it has ended.
    pub has_ended: bool,
    /// True if somebody has acknowledged it.
    pub is_acknowledged: bool,
}

impl Briefing {
    /// The nation at the month.
    #[must_use]
    pub fn now(&self) -> Option<&UnitFigures> {
        self.at(self.month)
    }

    /// The nation at another month.
    #[must_use]
    pub fn at(&self, month: Period) -> Option<&UnitFigures> {
        self.nation.iter().find(|of| of.month == month.as_yyyymm())
    }
}

impl Reader {
    /// The figures of one month for a briefing, without alerts.
    ///
    /// # Errors
    /// [`ReaderError`] if the month has no growth or the home cannot be read.
    pub fn briefing(&mut self, request: BriefingRequest) -> Result<Briefing, ReaderError> {
        let BriefingRequest { month, as_of, span, joint } = request;
        let vintage = as_of.map_or_else(|| Ok(self.publication()?.1), Ok::<_, ReaderError>)?;
        let (at, last) = {
            let spans = self.spans(as_of, joint)?;
            let calendar = spans.calendar();
            let last = calendar.last_closed();
            let newest = last.filter(|last| last.year_before() >= calendar.first());
            let month = month.or(newest).unwrap_or_else(|| calendar.next_to_close());
            (spans.span(span, month)?, last)
        };
        let month = at.end();
        let of = |reader: &Self, level, month| {
            figures(reader, &RowRequest { as_of, month, ..series(level, span, joint) })
        };
        let nation = of(self, Level::Nation, None)?;
        let cities = of(self, Level::City, Some(month))?;
        let countries = of(self, Level::Country, Some(month))?;
        let live =
            EffectRequest { month: Some(month), joint, vintage: as_of, ..EffectRequest::default() };
        let effects = effect_or_none(self.effects(&live))?;
        let compared = if last == Some(month) {
            Some(vintage)
        } else {
            self.publication_of(month, vintage, joint)?
        };
        let before = compared.map(|after| self.vintage_before(after)).transpose()?.flatten();
        let news = match compared.zip(before) {
            None => None,
            Some((after, before)) => {
                let request = EffectRequest { month: None, vintage: Some(after), ..live };
                effect_or_none(self.news(&request, before))?
            }
        };
        let committed_at = self.committed_at_vintage(vintage)?;
        Ok(Briefing {
            month,
            at,
            joint,
            vintage,
            committed_at,
            nation,
            cities,
            countries,
            effects,
            news,
            alerts: None,
        })
    }

    /// The newest vintage of the publication that closed a month, if it closed no later month and
    /// is not after a vintage.
    fn publication_of(
        &self,
        month: Period,
        most: Vintage,
        joint: Joint,
    ) -> Result<Option<Vintage>, ReaderError> {
        let entry = self.calendar()?.into_iter().find(|entry| entry.month == month);
        let vintage = entry.and_then(|entry| entry.vintage).filter(|of| *of <= most);
        let Some(vintage) = vintage else { return Ok(None) };
        let last = match self.spans(Some(vintage), joint) {
            Err(error) if error.is_absence() => return Ok(None),
            spans => spans?.calendar().last_closed(),
        };
        Ok(Some(vintage).filter(|_| last == Some(month)))
    }

    /// The newest vintage of the last publication before a vintage.
    fn vintage_before(&self, vintage: Vintage) -> Result<Option<Vintage>, ReaderError> {
        let all = self.home.publications()?.into_iter().map(|(_, of)| of);
        Ok(all.filter(|of| *of < vintage).max())
    }

    /// The time of the commit that published a vintage, in UTC.
    fn committed_at_vintage(&self, vintage: Vintage) -> Result<Option<Timestamp>, ReaderError> {
        let all = self.home.publications()?.into_iter().filter(|(_, of)| *of >= vintage);
        match all.min_by_key(|(_, of)| *of) {
            Some((publication, _)) => Ok(self.home.committed_at(publication)?),
            None => Ok(None),
        }
    }
}

/// A result of the live effect, or `None` if the home has no effect at the month. A home that
/// cannot be read is an error, never a missing figure.
fn effect_or_none<T>(result: Result<T, ReaderError>) -> Result<Option<T>, ReaderError> {
    match result {
        Err(error) if error.is_absence() => Ok(None),
        result => result.map(Some),
    }
}

/// The rows of a level of `series` in one kind of span.
fn series(level: Level, span: Span, joint: Joint) -> RowRequest {
    let equal = |column: &str, value: &str| Condition {
        column: column.to_owned(),
        comparison: Comparison::Equal,
        values: vec![value.to_owned()],
    };
    let conditions = vec![equal("level", level.name())];
    RowRequest { conditions, span: Some(span), ..RowRequest::of(TableName::Series, joint) }
}

fn figures(reader: &Reader, request: &RowRequest) -> Result<Vec<UnitFigures>, ReaderError> {
    reader.rows(request, |rows| {
        let mut all = Vec::new();
        for batch in rows.batches {
            all.extend(figures_of(&batch?));
        }
        Ok(all)
    })
}

fn figures_of(batch: &RecordBatch) -> Vec<UnitFigures> {
    let column = |name: &str| batch.column_by_name(name).expect("a column of series");
    let years = column("year").as_primitive::<UInt16Type>();
    let months = column("month").as_primitive::<UInt8Type>();
    let cents = column("export_value").as_primitive::<Decimal128Type>();
    let count = |name: &str, row| column(name).as_primitive::<UInt64Type>().value(row);
    let figure = |name: &str, row| {
        let cells = column(name).as_primitive::<Float64Type>();
        (!cells.is_null(row)).then(|| cells.value(row))
    };
    let of = |row| UnitFigures {
        key: column("key").as_string::<i32>().value(row).to_owned(),
        month: 100 * u32::from(years.value(row)) + u32::from(months.value(row)),
        n_markets: count("markets", row),
        n_exporters: count("exporters", row),
        n_continuing: count("continuing", row),
        n_entrants: count("entrants", row),
        n_exits: count("exits", row),
        export_cents: cents.value(row),
        growth: figure("growth", row),
        growth_se: figure("growth_se", row),
        value_growth: figure("value_growth", row),
        affiliate_growth: figure("affiliate_growth_weighted_by_exports", row),
    };
    (0..batch.num_rows()).map(of).collect()
}
