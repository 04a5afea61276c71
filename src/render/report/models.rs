//! Regressions side by side, and all results as one JSON document.

use serde_json::{Value, json};

use crate::domain::sample_end::SampleEnd;
use crate::regressions::{Bin, Origin, Outcome, RegressionError, Statistics, TableResult};
use crate::render::regression::{Grid, Model, RegressionTable, arranged, model_json};
use crate::render::style::Style;
use crate::specification::{Statistic, Summary};

/// Arranges models side by side and lists failed models below.
pub fn grid(
    (name, title): (&str, &str),
    main_rows: &[String],
    outcomes: &[Outcome],
    style: &Style,
) -> Grid {
    let names: Vec<String> = outcomes.iter().map(Outcome::name).collect();
    let mut table = RegressionTable { name, title, main_rows, ..RegressionTable::default() };
    for (outcome, name) in outcomes.iter().zip(&names) {
        match &outcome.result {
            Ok(fit) => table.models.push(Model {
                name,
                label: style.wording(&outcome.label),
                estimate: &fit.estimate,
                seconds: fit.seconds,
                vintage: Some(outcome.as_of.1),
            }),
            Err(error) => {
                let message = error.to_string();
                let why = style.about(missing(error, style), style.message(&message));
                let note = style.about(format!("({name})"), why);
                table.notes.push(format!("{note}{}", style.words().stop));
            }
        }
    }
    table.notes.extend(as_of(outcomes, style));
    arranged(&table, style)
}

/// A short reason why a column has no estimate.
fn missing(error: &RegressionError, style: &Style) -> &'static str {
    match error {
        RegressionError::NotYet { .. } => style.text("not estimated", "未估计"),
        RegressionError::WholeYears { .. } => style.text("whole years only", "仅限整年"),
        _ if error.is_no_data() => {
            style.text("not estimated: the home lacks data", "未估计：本库缺少数据")
        }
        _ => style.text("failed", "失败"),
    }
}

/// The end of a sample in words, after "closed years" or "the same months".
fn end_of(through: SampleEnd, english: bool) -> String {
    match (through.is_whole(), english) {
        (_, true) => format!("up to {through}"),
        (true, false) => format!("截至{through}年"),
        (false, false) => format!("截至{through}"),
    }
}

/// Notes on the years, the vintages and the sources (stored or estimated now) of models; one for
/// each if they differ.
fn as_of(outcomes: &[Outcome], style: &Style) -> Vec<String> {
    let source = |one: &Outcome| {
        let english = style.text("en", "zh") == "en";
        let (end, vintage) = (end_of(one.through, english), one.as_of.1);
        match one.origin {
            Origin::Now if english => {
                format!("{end}; estimated now, at vintage {vintage}.")
            }
            Origin::Now => format!("{end}；现在估计，版次{vintage}。"),
            Origin::Kept if english => format!("{end}; stored at vintage {vintage}."),
            Origin::Kept => format!("{end}；已存于版次{vintage}。"),
            Origin::Before if english => {
                format!("{end}; stored at vintage {vintage}, without an identity.")
            }
            Origin::Before => format!("{end}；已存于版次{vintage}，无模型标识。"),
        }
    };
    let has_fits = outcomes.iter().any(|one| one.result.is_ok());
    let mut by_text: Vec<(String, Vec<String>)> = Vec::new();
    for one in outcomes.iter().filter(|one| one.result.is_ok() || !has_fits) {
        let (text, name) = (source(one), format!("({})", one.name()));
        match by_text.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(name),
            None => by_text.push((text, vec![name])),
        }
    }
    let is_whole = outcomes.iter().all(|one| one.through.is_whole());
    if let [(text, _)] = &by_text[..] {
        let years = if is_whole {
            style.text("Closed years ", "已关账年份")
        } else {
            style.text("The same months of all years ", "各年相同月份")
        };
        return vec![years.to_owned() + text];
    }
    let line = |(text, names): &(String, Vec<String>)| {
        let years = if is_whole {
            style.text("closed years ", "已关账年份")
        } else {
            style.text("the same months of all years ", "各年相同月份")
        };
        style.about(names.join(", "), format!("{years}{text}"))
    };
    by_text.iter().map(line).collect()
}

/// All results as one JSON document.
pub fn document(all: &[TableResult]) -> Value {
    let (mut models, mut failed, mut without_data) = (Vec::new(), Vec::new(), Vec::new());
    let (mut summaries, mut figures) = (Vec::new(), Vec::new());
    for one in all {
        match one {
            TableResult::Models { outcomes, .. } => {
                for outcome in outcomes {
                    let (name, vintage) = (outcome.name(), Some(outcome.as_of.1));
                    let mut model = match &outcome.result {
                        Ok(fit) => model_json(&name, &fit.estimate, fit.seconds, vintage),
                        Err(error) => json!({ "name": name, "error": error.to_string() }),
                    };
                    model["identity"] = outcome.identity.hash().into();
                    model["through"] = outcome.through.year().0.into();
                    model["month"] = outcome.through.month().into();
                    model["stored"] = (outcome.origin != Origin::Now).into();
                    match &outcome.result {
                        Ok(_) => models.push(model),
                        Err(error) if error.is_no_data() => without_data.push(model),
                        Err(_) => failed.push(model),
                    }
                }
            }
            TableResult::Summary { name, summary, rows, .. } => {
                let rows: Vec<Value> = rows.iter().map(|row| statistics(summary, row)).collect();
                summaries.push(json!({ "name": name, "rows": rows }));
            }
            TableResult::Figure { name, scatter, .. } => {
                let bin = |b: &Bin| json!({ "x": b.x, "y": b.y, "n": b.n });
                figures.push(json!({
                    "name": name, "outcome": scatter.outcome, "variable": scatter.variable,
                    "slope": scatter.slope, "intercept": scatter.intercept,
                    "std_error": scatter.std_error,
                    "conf_low": scatter.interval.map(|[low, _]| low),
                    "conf_high": scatter.interval.map(|[_, high]| high),
                    "n_obs": scatter.n_obs,
                    "bins": scatter.bins.iter().map(bin).collect::<Vec<_>>(),
                }));
            }
        }
    }
    let mut document = json!({ "models": models });
    for (name, list) in [
        ("failed", failed),
        ("without_data", without_data),
        ("summaries", summaries),
        ("figures", figures),
    ] {
        if !list.is_empty() {
            document[name] = list.into();
        }
    }
    document
}

fn statistics(summary: &Summary, row: &Statistics) -> Value {
    let mut json = json!({ "variable": row.variable });
    if let (Some(by), Some(value)) = (&summary.by, row.by) {
        json[by] = whole(value);
    }
    for (statistic, figure) in summary.statistics.iter().zip(&row.figures) {
        json[statistic.name()] = match (statistic, figure) {
            (Statistic::N, Some(n)) => whole(*n),
            (_, figure) => (*figure).into(),
        };
    }
    json
}

/// A number in full, without a decimal point if it is whole.
fn whole(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "years and counts of rows")]
    let integer = number as i64;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "exact if it is whole")]
    let is_whole = integer as f64 == number;
    if is_whole { integer.into() } else { number.into() }
}
