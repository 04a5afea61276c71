//! Effects, sources, news and back-tests as charts.

use super::{NameOf, label};
use crate::effect::{
    Backtest, BacktestRow, EffectRow, Effects, News, POOLED, Results, STEPS, Sources,
};
use crate::render::chart::{PlotError, RowMark, RowsPlot, rows};
use crate::render::style::Style;

/// The largest number of rows of a chart.
const ROWS_MAX: usize = 30;

/// A row of a chart.
type Row = (String, RowMark);

/// Results as a chart.
///
/// # Errors
/// [`PlotError`] if there is nothing to draw.
pub fn svg(of: &Results, style: &Style, name: NameOf<'_>) -> Result<String, PlotError> {
    let (title, subtitle, all) = match of {
        Results::Effects(of) => effects(of, style, name),
        Results::Sources(of) => sources(of, style, name),
        Results::News(of) => news(of, style, name),
        Results::Backtest(of) => backtest(of, style, name),
    };
    let claim = of.claim().sentence(style.language);
    let x_label = format!("{} · {claim}", style.text("log points", "对数点"));
    rows(&RowsPlot { title: &title, subtitle: &subtitle, x_label: &x_label, rows: &all })
}

/// The effects of the units with the largest exports, in order of key.
fn effects(of: &Effects, style: &Style, name: NameOf<'_>) -> (String, String, Vec<Row>) {
    let mut largest: Vec<&EffectRow> = of.rows.iter().collect();
    largest.sort_by(|a, b| b.cents.cmp(&a.cents).then_with(|| a.key.cmp(&b.key)));
    largest.truncate(ROWS_MAX);
    largest.sort_by(|a, b| (&a.key, a.through).cmp(&(&b.key, b.through)));
    let row = |row: &&EffectRow| {
        let points = |ends: (f64, f64)| (100.0 * ends.0, 100.0 * ends.1);
        let half = row.band.and_then(|band| band.half_width);
        let band = half.map(|half| (row.effect - half, row.effect + half));
        let own = label(of.level.name(), &row.key, name);
        let own = if of.claim.through.len() > 1 { format!("{own} ({})", row.through) } else { own };
        let (interval, band) = (row.interval.map(points), band.map(points));
        (own, RowMark::Point { at: 100.0 * row.effect, interval, band })
    };
    let (month, span, model) = (of.at.end(), of.at.span().name(), &of.model);
    let title = match style.text("en", "zh") {
        "en" => format!("Live effect at {month} ({span}), model {model}"),
        _ => format!("{month}（{span}）的实时效应，模型 {model}"),
    };
    let subtitle = style.text(
        "Points with 95 % intervals of the coefficients; pale: the band with past revisions. Units \
         are not ranked.",
        "点为效应，细线为系数的 95% 区间，浅色为含历史修订的带；各单元不排名次。",
    );
    (title, subtitle.to_owned(), largest.iter().map(row).collect())
}

/// What the sources of the first unit account for, the largest first.
fn sources(of: &Sources, style: &Style, name: NameOf<'_>) -> (String, String, Vec<Row>) {
    let first = of.rows.first().map(|row| row.key.as_str()).unwrap_or_default();
    let mut own: Vec<_> = of.rows.iter().filter(|row| row.key == first).collect();
    own.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    own.truncate(ROWS_MAX);
    let row = own
        .iter()
        .map(|row| (label("city", &row.source_city, name), RowMark::Bar(100.0 * row.contribution)));
    let unit = label(of.level.name(), first, name);
    let (month, span) = (of.at.end(), of.at.span().name());
    let title = match style.text("en", "zh") {
        "en" => format!("What source cities account for: {unit}, {month} ({span})"),
        _ => format!("各来源城市所占的效应：{unit}，{month}（{span}）"),
    };
    let subtitle = style
        .text("All sources add up to the effect of the unit.", "全部来源之和等于该单元的效应。");
    (title, subtitle.to_owned(), row.collect())
}

/// The steps of the first unit's change.
fn news(of: &News, style: &Style, name: NameOf<'_>) -> (String, String, Vec<Row>) {
    let [from, to] = of.vintages;
    let unit = of.units.first();
    let key = unit.map_or("", |unit| unit.key.as_str());
    let steps = match style.text("en", "zh") {
        "en" => STEPS,
        _ => ["迟到记录", "修订与撤回", "新关账月份", "系数"],
    };
    let mut rows: Vec<Row> = Vec::new();
    if let Some(unit) = unit {
        let bar = |sum: f64| RowMark::Bar(100.0 * sum);
        let of_steps = steps.iter().zip(&unit.steps);
        rows.extend(of_steps.map(|(step, parts)| ((*step).to_owned(), bar(parts.iter().sum()))));
        let change = style.text("change", "变化");
        rows.push((change.to_owned(), bar(unit.after - unit.before)));
    }
    let unit = label(of.level.name(), key, name);
    let title = match style.text("en", "zh") {
        "en" => format!("News from vintage {from} to {to}: {unit}"),
        _ => format!("版次 {from} 至 {to} 的变化：{unit}"),
    };
    let subtitle = style.text("The steps add up to the change.", "各步之和等于变化。");
    (title, subtitle.to_owned(), rows)
}

/// The bias and the root mean square of each month, over all units.
fn backtest(of: &Backtest, style: &Style, _name: NameOf<'_>) -> (String, String, Vec<Row>) {
    let pooled = of.rows.iter().filter(|row| row.key == POOLED);
    let row = |row: &BacktestRow| {
        let band = Some((-100.0 * row.rmse, 100.0 * row.rmse));
        (row.month.to_string(), RowMark::Point { at: 100.0 * row.bias, interval: None, band })
    };
    let (mode, model) = (of.mode.name(), &of.model);
    let title = match style.text("en", "zh") {
        "en" => format!("Effect of the year less that of the month ({mode}), model {model}"),
        _ => format!("全年效应减去当月累计效应（{mode}），模型 {model}"),
    };
    let subtitle = style.text(
        "By month. Points: mean difference; pale: root mean square on both sides of zero.",
        "按月份。点为平均差额，浅色为零两侧的均方根。",
    );
    (title, subtitle.to_owned(), pooled.map(row).collect())
}
