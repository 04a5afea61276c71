//! The figures of one month for a briefing: the nation's series, cities, destinations, the live
//! effect, and its change since the publication before.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Decimal128Type, Float64Type, UInt8Type, UInt16Type, UInt64Type};
use arrow_array::{Array as _, RecordBatch};
use jiff::Timestamp;

use super::conditions::{Comparison, Condition};
use super::rows::{RowRequest, TableName};
use super::{Reader, ReaderError};
use crate::domain::series::Level;
use crate::domain::span::{Joint, Span};
use crate::domain::types::{Period, Vintage};
use crate::effect::{EffectRequest, Effects, News};

/// The months that a briefing shows, and their comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BriefingRequest {
    /// The month; the newest one with growth by default.
    pub month: Option<Period>,
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
    pub span: Span,
    /// The vintage of all figures.
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
    /// Its change since the publication before; `None` if either has no effect.
    pub news: Option<News>,
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
    /// The figures of one month for a briefing.
    ///
    /// # Errors
    /// [`ReaderError`] if the month has no growth or the home cannot be read.
    pub fn briefing(&mut self, request: BriefingRequest) -> Result<Briefing, ReaderError> {
        let BriefingRequest { month, span, joint } = request;
        let newest = self.months_with_growth()?.pop();
        let asked = month.or(newest);
        let (_, vintage) = self.publication()?;
        let at = {
            let spans = self.spans(None, joint)?;
            let month = asked.unwrap_or_else(|| spans.calendar().next_to_close());
            spans.span(span, month)?
        };
        let month = at.end();
        let of = |reader: &Self, level, month| {
            figures(reader, &RowRequest { month, ..series(level, span, joint) })
        };
        let nation = of(self, Level::Nation, None)?;
        let cities = of(self, Level::City, Some(month))?;
        let countries = of(self, Level::Country, Some(month))?;
        let live = EffectRequest { month: Some(month), joint, ..EffectRequest::default() };
        let effects = effect_or_none(self.effects(&live))?;
        let news = match (self.vintage_before()?, Some(month) == newest) {
            (Some(before), true) => {
                let request = EffectRequest { month: None, ..live };
                effect_or_none(self.news(&request, before))?
            }
            _ => None,
        };
        let committed_at = self.committed_at()?;
        Ok(Briefing {
            month,
            span,
            vintage,
            committed_at,
            nation,
            cities,
            countries,
            effects,
            news,
        })
    }

    /// The newest vintage of the publication before the newest one.
    fn vintage_before(&self) -> Result<Option<Vintage>, ReaderError> {
        let (_, newest) = self.publication()?;
        let all = self.vintages()?;
        let is_before = |of: &Vintage| *of < newest;
        let mut last: BTreeMap<u32, Vintage> = BTreeMap::new();
        for of in all {
            last.insert(of.publication.0, of.vintage);
        }
        Ok(last.into_values().rfind(is_before))
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
