//! The influence of groups of rows, such as cities, as tables, as data and as a chart.

use std::sync::Arc;

use super::grid::Grid;
use super::tidy::Entry;
use crate::estimate::result::{Estimate, Influence, LeftOut, TermEstimate, WildTerm};
use crate::render::chart::{PlotError, RowMark, RowsPlot, rows as drawn};
use crate::render::number::grouped;
use crate::render::style::Style;
use crate::tables::sheet::Sheet;
use arrow_array::{
    Array as _, ArrayRef, Float64Array, RecordBatch, StringArray, UInt8Array, UInt16Array,
    UInt64Array,
};
use arrow_schema::{Field, Schema, SchemaRef};

/// The largest number of groups in a chart.
const GROUPS_DRAWN_MAX: usize = 30;
/// The regressor of charts, if the model has it.
const TERM_DRAWN: &str = "affiliate_growth";

/// The name of a group, if it is known.
pub type NameOf<'n> = &'n dyn Fn(&str) -> Option<String>;

/// The reason why a group cannot be left out.
fn reason(case: &LeftOut) -> Option<String> {
    let terms: Vec<&str> = case.collinear.iter().map(|of| of.term.as_str()).collect();
    let verb = if terms.len() == 1 { "is" } else { "are" };
    let reason = || format!("{} {verb} collinear without the group", terms.join(", "));
    case.estimates.is_none().then(reason)
}

/// A row of the table: a model without a group, and one of its terms.
struct Row<'e> {
    entry: &'e Entry,
    influence: &'e Influence,
    case: &'e LeftOut,
    term: &'e TermEstimate,
    without: Option<f64>,
}

/// The models without each group as the table `influence`: a row for each model, group and term.
///
/// # Panics
/// Never: the columns fit the schema.
#[must_use]
pub fn rows(entries: &[Entry]) -> (Sheet, RecordBatch) {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for entry in entries {
        let Some(influence) = entry.fit.as_ref().and_then(|(fit, _)| fit.influence.as_ref()) else {
            continue;
        };
        for case in &influence.cases {
            for (place, term) in influence.terms.iter().enumerate() {
                let without = case.estimates.as_ref().map(|estimates| estimates[place]);
                rows.push(Row { entry, influence, case, term, without });
            }
        }
    }
    let texts = |cell: &dyn Fn(&Row<'_>) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(cell).collect::<StringArray>())
    };
    let reals = |cell: &dyn Fn(&Row<'_>) -> Option<f64>| -> ArrayRef {
        let finite = |row| cell(row).filter(|number: &f64| number.is_finite());
        Arc::new(rows.iter().map(finite).collect::<Float64Array>())
    };
    let counts = |cell: &dyn Fn(&Row<'_>) -> Option<u64>| -> ArrayRef {
        Arc::new(rows.iter().map(cell).collect::<UInt64Array>())
    };
    let through: ArrayRef =
        Arc::new(rows.iter().map(|row| Some(row.entry.through?.year().0)).collect::<UInt16Array>());
    let months = rows.iter().map(|row| Some(row.entry.through?.month()));
    let months: ArrayRef = Arc::new(months.collect::<UInt8Array>());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("model", texts(&|row| Some(row.entry.name()))),
        ("through", through),
        ("estimated_vintage", counts(&|row| row.entry.vintage)),
        ("groups", texts(&|row| Some(row.influence.groups.clone()))),
        ("group", texts(&|row| Some(row.case.key.clone()))),
        ("term", texts(&|row| Some(row.term.term.clone()))),
        ("group_rows", counts(&|row| Some(row.case.n_obs as u64))),
        ("estimate", reals(&|row| Some(row.term.estimate))),
        ("estimate_without", reals(&|row| row.without)),
        ("influence", reals(&|row| Some(row.without? - row.term.estimate))),
        ("not_left_out", texts(&|row| reason(row.case))),
        ("identity", texts(&|row| row.entry.model.identity.clone())),
        ("estimate_id", counts(&|row| row.entry.number)),
        ("month", months),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).expect("made to fit");
    let keys = &["model", "through", "estimated_vintage", "groups", "group", "term", "estimate_id"];
    (Sheet { name: "influence", keys, schema }, batch)
}

/// The table of one model: CV3, the bootstrap, and the groups that change a coefficient most.
/// `None` if no group was left out.
#[must_use]
pub fn grid(name: &str, estimate: &Estimate, style: &Style) -> Option<Grid> {
    let influence = estimate.influence.as_ref()?;
    let digits = style.digits;
    let groups = style.levels(&influence.groups);
    let mut header = vec![
        String::new(),
        style.text("estimate", "估计值").to_owned(),
        style.text("CV3 std. error", "CV3 标准误").to_owned(),
        "t".to_owned(),
        "p".to_owned(),
    ];
    if influence.wild.is_some() {
        header.push(style.text("wild p", "wild 自助法 p").to_owned());
    }
    header.push(style.text("smallest without", "剔除后最小").to_owned());
    header.push(style.text("largest without", "剔除后最大").to_owned());
    let shown = |value: Option<f64>| value.map_or_else(String::new, |value| digits.figure(value));
    let mut rows = vec![header];
    for (place, term) in influence.terms.iter().enumerate() {
        let (coefficient, std_error) = match term.std_error {
            Some(std_error) => digits.pair(term.estimate, std_error),
            None => (digits.figure(term.estimate), String::new()),
        };
        let mut row = vec![style.term(&term.term), coefficient, std_error];
        row.extend([shown(term.statistic), shown(term.p_value)]);
        if let Some(wild) = &influence.wild {
            let tested: Option<&WildTerm> = wild.terms.get(place);
            row.push(shown(tested.and_then(|test| test.p_value)));
        }
        let each = influence.cases.iter().filter_map(|case| {
            case.estimates.as_ref().map(|estimates| (estimates[place], case.key.as_str()))
        });
        let mut each: Vec<(f64, &str)> = each.collect();
        each.sort_by(|a, b| a.0.total_cmp(&b.0));
        let end = |of: Option<&(f64, &str)>| {
            of.map_or_else(String::new, |(b, key)| format!("{} ({key})", digits.figure(*b)))
        };
        row.extend([end(each.first()), end(each.last())]);
        rows.push(row);
    }
    let title = match style.text("en", "zh") {
        "en" => format!("({name}) without one group of {groups}"),
        _ => format!("（{name}）逐一剔除{groups}"),
    };
    let mut grid = Grid::plain(&title, &rows, None);
    grid.notes = notes(influence, style);
    Some(grid)
}

/// The notes under the table: the method, and the groups that cannot be left out.
fn notes(of: &Influence, style: &Style) -> Vec<String> {
    let (n, df) = (grouped(of.cases.len()), of.df_t);
    let is_english = style.text("en", "zh") == "en";
    let mut notes = vec![if is_english {
        format!("{n} groups, each left out once; CV3, t with {df} degrees of freedom.")
    } else {
        format!("共 {n} 组，逐一剔除；CV3，t 分布自由度 {df}。")
    }];
    if let Some(wild) = &of.wild {
        let draws = grouped(wild.n_draws);
        notes.push(match (is_english, wild.are_all) {
            (true, true) => format!(
                "Wild cluster bootstrap: Rademacher weights, all {draws} combinations, each \
                 hypothesis of a zero coefficient imposed."
            ),
            (true, false) => format!(
                "Wild cluster bootstrap: Rademacher weights, {draws} draws, seed {}, each \
                 hypothesis of a zero coefficient imposed.",
                wild.seed
            ),
            (false, true) => format!(
                "wild 聚类自助法：Rademacher 权重，全部 {draws} 种组合，施加系数为零的原假设。"
            ),
            (false, false) => format!(
                "wild 聚类自助法：Rademacher 权重，{draws} 次抽样，种子 {}，施加系数为零的原假设。",
                wild.seed
            ),
        });
    }
    for case in &of.cases {
        if let Some(reason) = reason(case) {
            notes.push(if is_english {
                format!("Group {} cannot be left out, so CV3 has no value: {reason}.", case.key)
            } else {
                let terms: Vec<&str> = case.collinear.iter().map(|of| of.term.as_str()).collect();
                format!("{} 无法剔除，故无 CV3：剔除后 {} 共线。", case.key, terms.join(", "))
            });
        }
    }
    notes
}

/// The change of one coefficient by each group left out, the largest changes first.
///
/// # Errors
/// [`PlotError`] if no group was left out.
pub fn svg(
    (name, term): (&str, Option<&str>),
    estimate: &Estimate,
    style: &Style,
    name_of: NameOf<'_>,
) -> Result<String, PlotError> {
    let influence = estimate.influence.as_ref().ok_or(PlotError)?;
    let wanted = term.unwrap_or(TERM_DRAWN);
    let place = influence.terms.iter().position(|own| own.term == wanted);
    let place = if term.is_none() { place.or(Some(0)) } else { place }.ok_or(PlotError)?;
    let own = influence.terms.get(place).ok_or(PlotError)?;
    let change = |case: &LeftOut| {
        let without = case.estimates.as_ref()?[place];
        let known = name_of(&case.key);
        let label = known.map_or_else(|| case.key.clone(), |known| format!("{} {known}", case.key));
        Some((label, without - own.estimate))
    };
    let mut changes: Vec<(String, f64)> = influence.cases.iter().filter_map(change).collect();
    let n_changes = changes.len();
    changes.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
    changes.truncate(GROUPS_DRAWN_MAX);
    let n_drawn = changes.len();
    let rows: Vec<(String, RowMark)> =
        changes.into_iter().map(|(label, change)| (label, RowMark::Bar(change))).collect();
    let (groups, variable) = (style.levels(&influence.groups), style.term(&own.term));
    let (b, error) = match own.std_error {
        Some(error) => style.digits.pair(own.estimate, error),
        None => (style.digits.figure(own.estimate), "–".to_owned()),
    };
    let (title, subtitle) = match style.text("en", "zh") {
        "en" => (
            format!("Influence by {groups}: {variable}, model {name}"),
            format!(
                "Change of the coefficient if one group is left out, the {n_drawn} largest of \
                 {n_changes}. Coefficient {b}, CV3 standard error {error}."
            ),
        ),
        _ => (
            format!("各{groups}的影响：{variable}，模型 {name}"),
            format!(
                "剔除一组后系数的变化，{n_changes} 组中最大的 {n_drawn} 组。系数 {b}，CV3 标准误 \
                 {error}。"
            ),
        ),
    };
    let x_label =
        style.text("Coefficient without the group less coefficient", "剔除该组后的系数减去系数");
    drawn(&RowsPlot { title: &title, subtitle: &subtitle, x_label, rows: &rows })
}
