//! Effects, sources, news and back-tests as tables.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, RecordBatch, StringArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::backtest::{Backtest, BacktestRow};
use super::effects::{EffectRow, Effects};
use super::live::Claim;
use super::news::{News, PARTS, STEPS, UnitNews};
use super::sources::{SourceRow, Sources};
use crate::tables::cells::truth;
use crate::tables::columns::VALUE_TYPE;
use crate::tables::sheet::Sheet;

/// A table with its rows.
pub type Table = (Sheet, RecordBatch);

/// The results of a request.
#[derive(Clone, Debug)]
pub enum Results {
    /// Effects.
    Effects(Effects),
    /// Their sources.
    Sources(Sources),
    /// Their news.
    News(News),
    /// Their back-test.
    Backtest(Backtest),
}

impl Results {
    /// The results as a table.
    #[must_use]
    pub fn table(&self) -> Table {
        match self {
            Self::Effects(of) => of.table(),
            Self::Sources(of) => of.table(),
            Self::News(of) => of.table(),
            Self::Backtest(of) => of.table(),
        }
    }

    /// What the figures may claim.
    #[must_use]
    pub fn claim(&self) -> &Claim {
        match self {
            Self::Effects(of) => &of.claim,
            Self::Sources(of) => &of.claim,
            Self::News(of) => &of.claim,
            Self::Backtest(of) => &of.claim,
        }
    }
}

/// The content of a column.
enum Values<Row> {
    Text(fn(&Row) -> &str),
    Name(fn(&Row) -> Option<&'static str>),
    Year(fn(&Row) -> u16),
    Month(fn(&Row) -> u8),
    Vintage(fn(&Row) -> u32),
    Count(fn(&Row) -> Option<u64>),
    Cents(fn(&Row) -> i64),
    Figure(fn(&Row) -> Option<f64>),
    Truth(fn(&Row) -> Option<bool>),
}

type Column<Row> = (&'static str, Values<Row>);

impl<Row> Values<Row> {
    fn field(&self, name: &str) -> Field {
        let field = |kind, nullable| Field::new(name, kind, nullable);
        match self {
            Self::Text(_) => field(DataType::Utf8, false),
            Self::Name(_) => field(DataType::Utf8, true),
            Self::Year(_) => field(DataType::UInt16, false),
            Self::Month(_) => field(DataType::UInt8, false),
            Self::Vintage(_) => field(DataType::UInt32, false),
            Self::Count(_) => field(DataType::UInt64, true),
            Self::Cents(_) => field(VALUE_TYPE, false),
            Self::Figure(_) => field(DataType::Float64, true),
            Self::Truth(_) => truth(name),
        }
    }

    fn array(&self, rows: &[Row]) -> ArrayRef {
        let rows = rows.iter();
        match self {
            Self::Text(of) => Arc::new(StringArray::from_iter_values(rows.map(of))),
            Self::Name(of) => Arc::new(rows.map(of).collect::<StringArray>()),
            Self::Year(of) => Arc::new(UInt16Array::from_iter_values(rows.map(of))),
            Self::Month(of) => Arc::new(UInt8Array::from_iter_values(rows.map(of))),
            Self::Vintage(of) => Arc::new(UInt32Array::from_iter_values(rows.map(of))),
            Self::Count(of) => Arc::new(rows.map(of).collect::<UInt64Array>()),
            Self::Cents(of) => {
                let cents = Decimal128Array::from_iter_values(rows.map(of).map(i128::from));
                Arc::new(cents.with_data_type(VALUE_TYPE))
            }
            Self::Figure(of) => {
                let finite = |row| of(row).filter(|figure: &f64| figure.is_finite());
                Arc::new(rows.map(finite).collect::<Float64Array>())
            }
            Self::Truth(of) => Arc::new(rows.map(of).collect::<BooleanArray>()),
        }
    }
}

fn table<Row>(
    (name, keys): (&'static str, &'static [&'static str]),
    columns: &[Column<Row>],
    rows: &[Row],
) -> Table {
    let fields: Vec<Field> = columns.iter().map(|(name, values)| values.field(name)).collect();
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let arrays = columns.iter().map(|(_, values)| values.array(rows)).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays);
    (Sheet { name, keys, schema }, batch.expect("columns are made for their fields"))
}

type OfEffects<'e> = (&'e Effects, &'e EffectRow);

fn effect_columns<'e>() -> Vec<Column<OfEffects<'e>>> {
    let mut columns = effect_keys();
    columns.extend(effect_figures());
    columns
}

fn effect_keys<'e>() -> Vec<Column<OfEffects<'e>>> {
    vec![
        ("year", Values::Year(|(of, _)| of.at.year().0)),
        ("month", Values::Month(|(of, _)| of.at.end().month())),
        ("span", Values::Text(|(of, _)| of.at.span().name())),
        ("vintage", Values::Vintage(|(of, _)| of.vintage.0)),
        ("model", Values::Text(|(of, _)| &of.model)),
        ("through", Values::Year(|(_, row)| row.through.0)),
        ("estimated_vintage", Values::Vintage(|(_, row)| row.estimated_vintage.0)),
        ("level", Values::Text(|(of, _)| of.level.name())),
        ("key", Values::Text(|(_, row)| &row.key)),
        ("component", Values::Text(|(of, _)| of.component.name())),
        ("baseline", Values::Text(|(of, _)| of.baseline.name())),
        ("claim", Values::Text(|(of, _)| of.claim.kind)),
    ]
}

fn effect_figures<'e>() -> Vec<Column<OfEffects<'e>>> {
    vec![
        ("rows", Values::Count(|(_, row)| Some(row.n_rows))),
        ("export_value", Values::Cents(|(_, row)| row.cents)),
        ("coverage", Values::Figure(|(_, row)| row.coverage)),
        ("x_growth", Values::Figure(|(_, row)| row.x_growth)),
        ("x_growth_density", Values::Figure(|(_, row)| row.x_growth_density)),
        ("x_density", Values::Figure(|(_, row)| row.x_density)),
        ("effect", Values::Figure(|(_, row)| Some(row.effect))),
        ("std_error", Values::Figure(|(_, row)| row.std_error)),
        ("df", Values::Count(|(_, row)| u64::try_from(row.df).ok())),
        ("conf_low", Values::Figure(|(_, row)| Some(row.interval?.0))),
        ("conf_high", Values::Figure(|(_, row)| Some(row.interval?.1))),
        ("identified", Values::Figure(|(_, row)| row.identified)),
        ("revision_rmse", Values::Figure(|(_, row)| Some(row.band?.revision_rmse))),
        ("revision_mode", Values::Name(|(_, row)| Some(row.band?.mode.name()))),
        ("years", Values::Count(|(_, row)| u64::try_from(row.band?.n_years).ok())),
        ("band_low", Values::Figure(|(_, row)| Some(row.effect - row.band?.half_width?))),
        ("band_high", Values::Figure(|(_, row)| Some(row.effect + row.band?.half_width?))),
        ("provisional", Values::Truth(|(_, row)| row.band?.is_provisional())),
        ("value_usd", Values::Figure(|(_, row)| Some(row.value?.0))),
        ("value_se", Values::Figure(|(_, row)| row.value?.1)),
        ("stale", Values::Truth(|(_, row)| Some(row.stale))),
    ]
}

/// The key columns of `effects`.
const EFFECT_KEYS: &[&str] = &[
    "year",
    "month",
    "span",
    "vintage",
    "model",
    "through",
    "estimated_vintage",
    "level",
    "key",
    "component",
    "baseline",
];

impl Effects {
    /// The table `effects`.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows: Vec<OfEffects<'_>> = self.rows.iter().map(|row| (self, row)).collect();
        table(("effects", EFFECT_KEYS), &effect_columns(), &rows)
    }

    /// The name, keys and columns of the table `effects`.
    #[must_use]
    pub fn sheet() -> Sheet {
        table(("effects", EFFECT_KEYS), &effect_columns(), &[]).0
    }
}

impl Sources {
    /// The table `sources`.
    #[must_use]
    pub fn table(&self) -> Table {
        const KEYS: &[&str] =
            &["year", "month", "span", "vintage", "model", "level", "key", "source_city"];
        type Of<'s> = (&'s Sources, &'s SourceRow);
        let columns: [Column<Of<'_>>; 13] = [
            ("year", Values::Year(|(of, _)| of.at.year().0)),
            ("month", Values::Month(|(of, _)| of.at.end().month())),
            ("span", Values::Text(|(of, _)| of.at.span().name())),
            ("vintage", Values::Vintage(|(of, _)| of.vintage.0)),
            ("model", Values::Text(|(of, _)| &of.model)),
            ("level", Values::Text(|(of, _)| of.level.name())),
            ("key", Values::Text(|(_, row)| &row.key)),
            ("source_city", Values::Text(|(_, row)| &row.source_city)),
            ("growth_sum", Values::Figure(|(_, row)| Some(row.growth_sum))),
            ("exporters", Values::Count(|(_, row)| u64::try_from(row.exporters).ok())),
            ("information", Values::Figure(|(_, row)| Some(row.information))),
            ("contribution", Values::Figure(|(_, row)| Some(row.contribution))),
            ("leave_out", Values::Figure(|(_, row)| row.leave_out)),
        ];
        let rows: Vec<Of<'_>> = self.rows.iter().map(|row| (self, row)).collect();
        table(("sources", KEYS), &columns, &rows)
    }
}

/// A part of a unit's change, by the positions of its step and part.
type OfNews<'n> = (&'n News, &'n UnitNews, [usize; 2]);

impl News {
    /// The table `news`.
    #[must_use]
    pub fn table(&self) -> Table {
        const KEYS: &[&str] =
            &["model", "level", "key", "from_vintage", "to_vintage", "step", "part"];
        let columns: [Column<OfNews<'_>>; 8] = [
            ("model", Values::Text(|(of, ..)| &of.model)),
            ("level", Values::Text(|(of, ..)| of.level.name())),
            ("key", Values::Text(|(_, unit, _)| &unit.key)),
            ("from_vintage", Values::Vintage(|(of, ..)| of.vintages[0].0)),
            ("to_vintage", Values::Vintage(|(of, ..)| of.vintages[1].0)),
            ("step", Values::Text(|(.., [step, _])| STEPS[*step])),
            ("part", Values::Text(|(.., [_, part])| PARTS[*part])),
            ("delta", Values::Figure(|(_, unit, [step, part])| Some(unit.steps[*step][*part]))),
        ];
        let mut places: Vec<[usize; 2]> = (0..STEPS.len())
            .flat_map(|step| (0..PARTS.len()).map(move |part| [step, part]))
            .collect();
        places.sort_unstable_by_key(|[step, part]| (STEPS[*step], PARTS[*part]));
        let of_unit = |unit| places.iter().map(move |place| (self, unit, *place));
        let rows: Vec<OfNews<'_>> = self.units.iter().flat_map(of_unit).collect();
        table(("news", KEYS), &columns, &rows)
    }
}

impl Backtest {
    /// The table `backtest`.
    #[must_use]
    pub fn table(&self) -> Table {
        const KEYS: &[&str] = &["mode", "model", "level", "key", "month"];
        type Of<'b> = (&'b Backtest, &'b BacktestRow);
        let columns: [Column<Of<'_>>; 13] = [
            ("mode", Values::Text(|(of, _)| of.mode.name())),
            ("model", Values::Text(|(of, _)| &of.model)),
            ("level", Values::Text(|(of, _)| of.level.name())),
            ("key", Values::Text(|(_, row)| &row.key)),
            ("month", Values::Month(|(_, row)| row.month)),
            ("n", Values::Count(|(_, row)| u64::try_from(row.n).ok())),
            ("years", Values::Count(|(_, row)| u64::try_from(row.n_years).ok())),
            ("bias", Values::Figure(|(_, row)| Some(row.bias))),
            ("mae", Values::Figure(|(_, row)| Some(row.mae))),
            ("rmse", Values::Figure(|(_, row)| Some(row.rmse))),
            ("sign_agreement", Values::Figure(|(_, row)| Some(row.sign_agreement))),
            ("rmse_ratio", Values::Figure(|(_, row)| row.rmse_ratio)),
            ("coverage", Values::Figure(|(_, row)| row.coverage)),
        ];
        let rows: Vec<Of<'_>> = self.rows.iter().map(|row| (self, row)).collect();
        table(("backtest", KEYS), &columns, &rows)
    }
}
