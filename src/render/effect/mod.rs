//! Effects, sources, news and back-tests as documents: tables for people, CSV and JSON.
//!
//! Tables for people show log points, 100 times a log. Units are in order of key and are not
//! ranked: the interval of a difference may contain zero.

pub mod chart;

use serde_json::{Value, json};

use crate::effect::{
    Backtest, BacktestRow, Baseline, EffectRow, Effects, News, Results, STEPS, SourceRow, Sources,
    Table, UnitNews, Wanted,
};
use crate::render::number::grouped;
use crate::render::regression::{Grid, Layout, document};
use crate::render::report::{ReportError, json_text};
use crate::render::style::Style;
use crate::render::table::{self, About, Format, FormatError, TableFile};
use crate::tables::meanings::Language;

/// The names of keys, if requested: from a level and a key.
pub type NameOf<'n> = &'n dyn Fn(&str, &str) -> Option<String>;

/// The largest number of source cities of a unit in a table for people.
const SOURCES_SHOWN: usize = 12;

fn points(style: &Style, figure: Option<f64>) -> String {
    figure.map_or_else(String::new, |figure| style.digits.figure(100.0 * figure))
}

fn interval(style: &Style, ends: Option<(f64, f64)>) -> String {
    let Some((low, high)) = ends else { return String::new() };
    let (low, high) = style.digits.pair(100.0 * low, 100.0 * high);
    format!("[{low}, {high}]")
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(String::new, |share| format!("{:.1}", 100.0 * share))
}

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn label(level: &str, key: &str, name: NameOf<'_>) -> String {
    name(level, key).map_or_else(|| key.to_owned(), |name| format!("{key} {name}"))
}

/// Results as a table for people.
#[must_use]
pub fn text(of: &Results, layout: Layout, style: &Style, name: NameOf<'_>) -> String {
    let grid = match of {
        Results::Effects(of) => effects(of, style, name),
        Results::Sources(of) => sources(of, style, name),
        Results::News(of) => news(of, style, name),
        Results::Backtest(of) => backtest(of, style, name),
    };
    let mut notes = vec![of.claim().sentence(style.language)];
    notes.extend(grid.notes);
    document(&[Grid { language: style.language, notes, ..grid }], layout, style)
}

/// Facts about results, as name and value: what they may claim, and where a slope changes sign.
#[must_use]
pub fn facts(of: &Results) -> Vec<(String, String)> {
    let (english, chinese) = (Language::English, Language::Chinese);
    let claim = |language| of.claim().sentence(language);
    let mut facts =
        vec![("claim".to_owned(), claim(english)), ("claim_zh".to_owned(), claim(chinese))];
    if let Results::Effects(of) = of {
        for (name, language) in [("slope", english), ("slope_zh", chinese)] {
            let sentences = of.slope_sentences(language);
            facts.extend(sentences.into_iter().map(|sentence| (name.to_owned(), sentence)));
        }
    }
    facts
}

/// Effects as a table for people.
fn effects(of: &Effects, style: &Style, name: NameOf<'_>) -> Grid {
    let zh = style.language == Language::Chinese;
    let columns: &[&str] = if zh {
        &["样本截至", "效应", "标准误", "95% 区间", "修订带", "行数", "出口额（美元）", "覆盖率 %"]
    } else {
        &[
            "through",
            "effect",
            "std. error",
            "95 % interval",
            "band",
            "rows",
            "exports",
            "covered %",
        ]
    };
    let with_value = of.rows.iter().any(|row| row.value.is_some());
    let mut first = vec![of.level.name().to_owned()];
    first.extend(header(columns));
    if with_value {
        let value = if zh { ["美元", "（标准误）"] } else { ["USD", "(std. error)"] };
        first.extend(header(&value));
    }
    let line = |row: &EffectRow| {
        let half = row.band.and_then(|band| band.half_width);
        let band = half.map(|half| (row.effect - half, row.effect + half));
        let mut line = vec![
            label(of.level.name(), &row.key, name),
            row.through.to_string(),
            points(style, Some(row.effect)),
            points(style, row.std_error),
            interval(style, row.interval),
            interval(style, band),
            grouped(usize::try_from(row.n_rows).unwrap_or(usize::MAX)),
            grouped(usize::try_from(row.cents / 100).unwrap_or(0)),
            percent(row.coverage),
        ];
        if with_value {
            let amount = |of: Option<f64>| of.map_or_else(String::new, |of| format!("{of:.0}"));
            line.push(amount(row.value.map(|value| value.0)));
            line.push(amount(row.value.and_then(|value| value.1)));
        }
        line
    };
    let rows: Vec<Vec<String>> = [first].into_iter().chain(of.rows.iter().map(line)).collect();
    let grid = Grid::plain(&title_of_effects(of, zh), &rows, None);
    Grid { notes: notes(of, style), ..grid }
}

fn title_of_effects(of: &Effects, zh: bool) -> String {
    let (month, span) = (of.at.end(), of.at.span().name());
    let (model, component) = (&of.model, of.component.name());
    let (baseline, vintage) = (of.baseline.name(), of.vintage);
    if zh {
        format!(
            "{month}（{span}）的实时效应，模型 {model}，{component}，基准 {baseline}，版次 {vintage}（对数点）"
        )
    } else {
        format!(
            "Live effect at {month} ({span}), model {model}, {component}, baseline {baseline}, \
             vintage {vintage}; log points"
        )
    }
}

/// The notes below effects: the densities, and what a baseline or an amount is not.
fn notes(of: &Effects, style: &Style) -> Vec<String> {
    let mut notes = of.slope_sentences(style.language);
    if of.claim.through.len() > 1 {
        notes.push(
            style
                .text(
                    "The year has closed: its own estimate and that of the year before are shown.",
                    "本年已关账：同时列出本年与上一年的估计。",
                )
                .to_owned(),
        );
    }
    if of.baseline == Baseline::LastYear {
        notes.push(style.text(
            "The change covers the rows of both years with the weights of this year; it is not the \
             difference of two published effects.",
            "变化只含两年均有的行，并用本年权重；它不等于两个已发布效应之差。",
        ).to_owned());
    }
    if of.rows.iter().any(|row| row.value.is_some()) {
        notes.push(
            style
                .text(
                    "Amounts assume a response in proportion to exports.",
                    "美元金额假定反应与出口额成比例。",
                )
                .to_owned(),
        );
    }
    if of.has_backtest == Wanted::No {
        notes.push(
            style
                .text(
                    "This span, baseline or month has no back-test, so there is no band.",
                    "该期间、基准或月份没有回测，因此没有修订带。",
                )
                .to_owned(),
        );
    }
    if of.rows.iter().any(|row| row.band.is_some_and(|band| band.is_provisional() == Some(true))) {
        notes.push(
            style
                .text(
                    "The band is provisional: fewer than five years are behind it.",
                    "修订带为暂定：所依据的年份不足五年。",
                )
                .to_owned(),
        );
    }
    if of.rows.iter().any(|row| row.stale) {
        notes.push(
            style
                .text(
                    "The estimate is stale: the data behind it have changed since.",
                    "估计已过时：其数据此后有变化。",
                )
                .to_owned(),
        );
    }
    notes
}

/// Sources as a table for people: the largest of each unit.
fn sources(of: &Sources, style: &Style, name: NameOf<'_>) -> Grid {
    let zh = style.language == Language::Chinese;
    let columns: &[&str] = if zh {
        &["来源城市", "信息占比 %", "所占效应", "去掉该市", "出口企业数", "平均增长"]
    } else {
        &["source", "information %", "accounts for", "leave out", "exporters", "mean growth"]
    };
    let mut first = vec![of.level.name().to_owned()];
    first.extend(header(columns));
    let mut rows = vec![first];
    for unit in of.rows.chunk_by(|a, b| a.key == b.key) {
        let mut largest: Vec<&SourceRow> = unit.iter().collect();
        largest.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        for row in largest.into_iter().take(SOURCES_SHOWN) {
            #[expect(clippy::cast_precision_loss, reason = "a count")]
            let mean = (row.exporters > 0).then(|| row.growth_sum / row.exporters as f64);
            rows.push(vec![
                label(of.level.name(), &row.key, name),
                label("city", &row.source_city, name),
                percent(Some(row.information)),
                points(style, Some(row.contribution)),
                points(style, row.leave_out),
                grouped(usize::try_from(row.exporters).unwrap_or(0)),
                points(style, mean),
            ]);
        }
    }
    let (month, span, model) = (of.at.end(), of.at.span().name(), &of.model);
    let title = if zh {
        format!("{month}（{span}）效应的来源，模型 {model}（对数点）")
    } else {
        format!("Sources of the effect at {month} ({span}), model {model}; log points")
    };
    let note = if zh {
        format!(
            "每个单元列出绝对值最大的 {SOURCES_SHOWN} 个来源城市；全部来源之和等于该单元的效应。"
        )
    } else {
        format!(
            "The {SOURCES_SHOWN} sources that account for most of each unit; all sources add up to \
             the effect of the unit."
        )
    };
    Grid::plain(&title, &rows, Some(note))
}

/// News as a table for people.
fn news(of: &News, style: &Style, name: NameOf<'_>) -> Grid {
    let zh = style.language == Language::Chinese;
    let [from, to] = of.vintages;
    let steps: [&str; 4] =
        if zh { ["迟到记录", "修订与撤回", "新关账月份", "系数"] } else { STEPS };
    let mut first = vec![of.level.name().to_owned()];
    first.extend(header(if zh {
        &["前", "后", "变化"]
    } else {
        &["before", "after", "change"]
    }));
    first.extend(header(&steps));
    let line = |unit: &UnitNews| {
        let mut line = vec![
            label(of.level.name(), &unit.key, name),
            points(style, Some(unit.before)),
            points(style, Some(unit.after)),
            points(style, Some(unit.after - unit.before)),
        ];
        line.extend(unit.steps.iter().map(|step| points(style, Some(step.iter().sum()))));
        line
    };
    let rows: Vec<Vec<String>> = [first].into_iter().chain(of.units.iter().map(line)).collect();
    let [before, after] = of.months;
    let title = if zh {
        format!("版次 {from}（{before}）至 {to}（{after}）的变化，模型 {}（对数点）", of.model)
    } else {
        format!(
            "News from vintage {from} ({before}) to {to} ({after}), model {}; log points",
            of.model
        )
    };
    let note = style.text(
        "Steps add up to the change. A record is late if it arrived after its month closed.",
        "各步之和等于变化。记录在其月份关账之后到达即为迟到。",
    );
    Grid::plain(&title, &rows, Some(note.to_owned()))
}

/// A back-test as a table for people.
fn backtest(of: &Backtest, style: &Style, name: NameOf<'_>) -> Grid {
    let zh = style.language == Language::Chinese;
    let columns: &[&str] = if zh {
        &["月", "对数", "年数", "偏差", "MAE", "RMSE", "同号 %", "RMSE/上年", "覆盖 %"]
    } else {
        &["month", "n", "years", "bias", "MAE", "RMSE", "sign %", "RMSE / last year", "covered %"]
    };
    let mut first = vec![of.level.name().to_owned()];
    first.extend(header(columns));
    let line = |row: &BacktestRow| {
        vec![
            label(of.level.name(), &row.key, name),
            row.month.to_string(),
            row.n.to_string(),
            row.n_years.to_string(),
            points(style, Some(row.bias)),
            points(style, Some(row.mae)),
            points(style, Some(row.rmse)),
            percent(Some(row.sign_agreement)),
            row.rmse_ratio.map_or_else(String::new, |ratio| style.digits.figure(ratio)),
            percent(row.coverage),
        ]
    };
    let rows: Vec<Vec<String>> = [first].into_iter().chain(of.rows.iter().map(line)).collect();
    let (mode, model) = (of.mode.name(), &of.model);
    let title = if zh {
        format!("回测（{mode}），模型 {model}（对数点）")
    } else {
        format!("Back-test ({mode}), model {model}; log points")
    };
    let note = style.text(
        "The effect of the whole year less that of the month, with the same coefficients.",
        "全年效应减去当月累计效应，系数相同。",
    );
    Grid::plain(&title, &rows, Some(note.to_owned()))
}

/// A table as CSV.
///
/// # Errors
/// [`ReportError::Rows`] if a column has a type that no table has: a bug.
///
/// # Panics
/// Never: CSV is UTF-8.
pub fn csv((sheet, rows): &Table) -> Result<String, ReportError> {
    let mut bytes = Vec::new();
    let file = TableFile { sheet, about: &About::default() };
    let rows = std::iter::once(Ok(rows.clone()));
    table::write::<FormatError>(&mut bytes, Format::Csv, &file, rows)?;
    Ok(String::from_utf8(bytes).expect("CSV is UTF-8"))
}

/// A table as a JSON document, with facts about it.
///
/// # Errors
/// [`ReportError::Rows`] if a column has a type that no table has: a bug.
///
/// # Panics
/// Never: each line is JSON.
pub fn json((sheet, rows): &Table, facts: &[(String, String)]) -> Result<String, ReportError> {
    let mut bytes = Vec::new();
    let file = TableFile { sheet, about: &About::default() };
    let batches = std::iter::once(Ok(rows.clone()));
    table::write::<FormatError>(&mut bytes, Format::Jsonl, &file, batches)?;
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let rows: Vec<Value> =
        lines.map(|line| serde_json::from_slice(line).expect("a line of JSON")).collect();
    let facts = facts.iter().map(|(name, value)| (name.clone(), Value::from(value.clone())));
    let mut document: serde_json::Map<String, Value> = facts.collect();
    document.insert(sheet.name.to_owned(), json!(rows));
    Ok(json_text(&Value::Object(document)))
}
