//! `series/{level}/{key}`: growth and its sources of one unit over time.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, UInt8Type, UInt16Type};
use arrow_array::{Array as _, RecordBatch};

use crate::domain::series::Level;
use crate::domain::span::Span;
use crate::domain::types::{Period, Vintage, Year};
use crate::reader::Reader;
use crate::reader::chosen::{RowChoice, WithNames};
use crate::reader::conditions::{Comparison, Condition};
use crate::reader::names::{Language, Names, PlaceKind};
use crate::reader::rows::{RowRequest, TableName};
use crate::render::chart::{YearsPlot, monthly};
use crate::serve::answers::{self, Answered, Facts, facts};
use crate::serve::call::Call;
use crate::serve::figures;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::selection::{Passed, Selection};
use crate::tables::series;

/// The key for all units of a level.
const ALL_UNITS: &str = "*";

/// `series/{level}/{key}`; the key `*` stands for all units.
///
/// # Errors
/// A [`Problem`] if there is no such level, unit, vintage or month, or the home cannot be read.
pub fn rows(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let (level, key) = (call.segment(0), call.segment(1));
    let level = Level::ALL.into_iter().find(|of| of.name() == level).ok_or_else(|| {
        let there = Level::ALL.map(Level::name).join(", ");
        Problem::new("not_found", format!("there is no level \"{level}\"; there are {there}"))
    })?;
    let key = match level {
        _ if key == ALL_UNITS => key.to_owned(),
        Level::City => call.code(reader, PlaceKind::City, key)?,
        Level::Country => call.code(reader, PlaceKind::Country, key)?,
        _ => key.to_owned(),
    };
    let (from, to) = (call.query.month("from")?, call.query.month("to")?);
    let span = call.query.value::<Span>("span")?;
    let as_of = call.as_of(reader)?;
    let vintage = call.vintage(as_of);
    out.is_of(vintage);
    let sheet = series::sheet();
    let selection = Selection::of(call, &sheet, vintage, None)?;
    let rows = Rows { call, reader, as_of, level };
    let batches = rows.chosen(&key, span, (from, to))?;
    if batches.iter().all(|batch| batch.num_rows() == 0) && !rows.has_unit(&key)? {
        let detail = format!("there is no {} \"{key}\" with exports", level.name());
        return Err(Problem::new("no_place", detail));
    }
    if call.format.is_figure() {
        return figure((call, out), (level, &key), span.unwrap_or(Span::YearToDate), &batches);
    }
    let (passed, shown) = (Passed::default(), selection.sheet(&sheet)?);
    let mut batches = batches.into_iter().map(Ok);
    let mut selected = selection.rows(&mut batches, &passed)?;
    let mut facts = facts(call, vintage);
    facts.insert("level".to_owned(), level.name().into());
    facts.insert("key".to_owned(), key.clone().into());
    facts.extend(names(call, level, &key));
    let about = reader.about(as_of)?;
    let after = || selection.page(call, vintage, &passed);
    let answered = Answered { sheet: &shown, facts, about, after: &after };
    answers::rows((call, out), answered, &mut selected)
}

/// The growth of a unit by month, with its earlier years.
fn figure(
    (call, out): (&Call, &mut Out),
    (level, key): (Level, &str),
    span: Span,
    batches: &[RecordBatch],
) -> Result<(), Problem> {
    if key == ALL_UNITS {
        let detail = "a figure shows one unit; name it, or ask for effects";
        return Err(Problem::new("bad_parameter", detail).with("parameter", "key"));
    }
    let language = call.language;
    let text = |english: &'static str, chinese: &'static str| match language {
        Language::English => english,
        Language::Chinese => chinese,
    };
    let names = WithNames { names: Names::clone(&call.edition.names), language };
    let unit = match level {
        Level::Nation => text("Nation", "全国").to_owned(),
        _ => names.key(level.name(), key).unwrap_or_else(|| key.to_owned()),
    };
    let title = match language {
        Language::English => format!("Growth of exports: {unit}"),
        Language::Chinese => format!("{unit}：出口增长"),
    };
    let span_label = match span {
        Span::YearToDate => text("year to date", "年初累计"),
        Span::Month => text("month", "当月"),
        Span::TwelveMonths => text("twelve months", "近十二个月"),
    };
    let vintage = call.edition.vintage;
    let subtitle = match language {
        Language::English => format!(
            "Mean log growth of continuing exporters, {span_label}; grey: earlier years. Vintage \
             {vintage}"
        ),
        Language::Chinese => {
            format!("持续出口企业对数增长的平均值，{span_label}；灰线为以往各年。版本 {vintage}")
        }
    };
    let chart = monthly(&YearsPlot {
        title: &title,
        subtitle: &subtitle,
        x_label: text("month", "月份"),
        y_label: text("log points", "对数点"),
        points: &points(batches, span),
    });
    figures::write((call, out), chart)
}

/// Year, month and growth in log points of each row with a growth.
fn points(batches: &[RecordBatch], span: Span) -> Vec<(i32, i32, f64)> {
    let mut points = Vec::new();
    for batch in batches {
        let column = |name: &str| batch.column_by_name(name).expect("a column of series");
        let (years, months) = (column("year"), column("month"));
        let years = years.as_primitive::<UInt16Type>();
        let months = months.as_primitive::<UInt8Type>();
        let growth = column("growth").as_primitive::<Float64Type>();
        let spans = column("span").as_string::<i32>();
        for row in (0..batch.num_rows()).filter(|row| spans.value(*row) == span.name()) {
            if growth.is_valid(row) {
                let (year, month) = (years.value(row).into(), months.value(row).into());
                points.push((year, month, 100.0 * growth.value(row)));
            }
        }
    }
    points
}

/// The names of a unit.
fn names(call: &Call, level: Level, key: &str) -> Facts {
    use crate::reader::names::Language::{Chinese, English};
    let names = &call.edition.names;
    let of = |language| match level {
        Level::City => names.name(PlaceKind::City, key, language),
        Level::Country => names.name(PlaceKind::Country, key, language),
        Level::Province => names.province(key, language),
        _ => None,
    };
    let mut facts = Facts::new();
    for (name, language) in [("name_zh", Chinese), ("name_en", English)] {
        facts.insert(name.to_owned(), of(language).into());
    }
    facts
}

/// The rows of a level at a vintage.
struct Rows<'r> {
    call: &'r Call,
    reader: &'r Reader,
    as_of: Option<Vintage>,
    level: Level,
}

impl Rows<'_> {
    /// The rows of a unit, a batch for each year.
    fn chosen(
        &self,
        key: &str,
        span: Option<Span>,
        (from, to): (Option<Period>, Option<Period>),
    ) -> Result<Vec<RecordBatch>, Problem> {
        let equal = |column: &str, value: String| Condition {
            column: column.to_owned(),
            comparison: Comparison::Equal,
            values: vec![value],
        };
        let mut conditions = Vec::new();
        if key != ALL_UNITS {
            conditions.push(equal("key", key.to_owned()));
        }
        conditions.extend(span.map(|span| equal("span", span.name().to_owned())));
        let mut batches = Vec::new();
        for year in self.reader.years_with_growth()? {
            let is_before = from.is_some_and(|from| year < from.year());
            if is_before || to.is_some_and(|to| year > to.year()) {
                continue;
            }
            let mut bounds = conditions.clone();
            let months = [(from, Comparison::AtLeast), (to, Comparison::AtMost)];
            for (month, comparison) in months {
                if let Some(month) = month.filter(|month| month.year() == year) {
                    let values = vec![month.month().to_string()];
                    bounds.push(Condition { column: "month".to_owned(), comparison, values });
                }
            }
            let mut batch = RecordBatch::clone(&*self.year(year)?);
            for condition in &bounds {
                let rows = condition.rows(batch);
                batch = rows.map_err(|error| Problem::new("defect", error.to_string()))?;
            }
            batches.push(batch);
        }
        Ok(batches)
    }

    /// True if any year has the unit.
    fn has_unit(&self, key: &str) -> Result<bool, Problem> {
        let batches = self.chosen(key, None, (None, None))?;
        Ok(batches.iter().any(|batch| batch.num_rows() > 0))
    }

    /// The rows of a year: held, or computed for all levels at once.
    fn year(&self, year: Year) -> Result<Arc<RecordBatch>, Problem> {
        let edition = &self.call.edition;
        let vintage = self.as_of.unwrap_or(Vintage(edition.vintage));
        let key = |level: Level| (vintage, year, level.name().to_owned());
        if let Some(rows) = edition.series.get(&key(self.level)) {
            return Ok(rows);
        }
        let _turn = edition.series_turn(vintage, year);
        if let Some(rows) = edition.series.get(&key(self.level)) {
            return Ok(rows);
        }
        let all = self.computed(year)?;
        let mut wanted = None;
        for level in Level::ALL {
            let condition = Condition {
                column: "level".to_owned(),
                comparison: Comparison::Equal,
                values: vec![level.name().to_owned()],
            };
            let rows = condition.rows(all.clone());
            let rows = rows.map_err(|error| Problem::new("defect", error.to_string()))?;
            let (rows, n_bytes) = (Arc::new(rows.clone()), rows.get_array_memory_size());
            edition.series.insert(key(level), Arc::clone(&rows), n_bytes);
            if level == self.level {
                wanted = Some(rows);
            }
        }
        wanted.ok_or_else(|| Problem::new("defect", "a level is missing"))
    }

    fn computed(&self, year: Year) -> Result<RecordBatch, Problem> {
        let request = RowRequest {
            as_of: self.as_of,
            choice: RowChoice { years: vec![year], ..RowChoice::default() },
            ..RowRequest::of(TableName::Series, self.call.edition.joint)
        };
        self.reader.rows(&request, |rows| {
            let batches = rows.batches.collect::<Result<Vec<_>, _>>()?;
            let all = arrow_select::concat::concat_batches(&rows.sheet.schema, &batches);
            all.map_err(|error| Problem::new("defect", error.to_string()))
        })
    }
}
