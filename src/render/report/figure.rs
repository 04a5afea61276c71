//! Figure 1 as a table, as data and as a chart.

use crate::regressions::{Bin, Scatter};
use crate::render::chart::{self, PlotError, ScatterPlot};
use crate::render::number::grouped;
use crate::render::style::Style;

/// The regression line of a scatter, in words.
pub fn line(scatter: &Scatter, style: &Style) -> String {
    let n = grouped(scatter.n_obs);
    let slope = slope(scatter, style, style.text("95% CI ", "95%置信区间"));
    match style.text("en", "zh") {
        "en" => format!("Slope {slope}; N = {n}."),
        _ => format!("斜率 {slope}；N = {n}。"),
    }
}

/// The slope, and its confidence interval in brackets if it has one.
fn slope(scatter: &Scatter, style: &Style, what: &str) -> String {
    let figure = |value| style.digits.figure(value);
    let between = style.text(" to ", "至");
    let interval = scatter
        .interval
        .map(|[low, high]| format!(" ({what}{}{between}{})", figure(low), figure(high)));
    figure(scatter.slope) + &interval.unwrap_or_default()
}

/// A header and a row for each bin, with figures for reading.
pub fn texts(scatter: &Scatter, style: &Style) -> Vec<Vec<String>> {
    let bin = style.text("Bin", "分组").to_owned();
    let variables = [&scatter.variable, &scatter.outcome].map(|name| style.variable(name));
    let [x, y] = variables;
    let header = vec![bin, x, y, style.words().observations.to_owned()];
    let figure = |value| style.digits.figure(value);
    let line = |(place, bin): (usize, &Bin)| {
        vec![(place + 1).to_string(), figure(bin.x), figure(bin.y), grouped(bin.n)]
    };
    std::iter::once(header).chain(scatter.bins.iter().enumerate().map(line)).collect()
}

/// The bins as data, each with the regression line and the total number of rows.
pub fn rows(scatter: &Scatter) -> Vec<Vec<String>> {
    let Scatter { slope, intercept, n_obs, .. } = scatter;
    let beside = ["slope", "intercept", "n_obs", "std_error", "conf_low", "conf_high"];
    let [low, high] = scatter.interval.map_or([None; 2], |interval| interval.map(Some));
    let inference = [scatter.std_error, low, high]
        .map(|value| value.map(|value| value.to_string()).unwrap_or_default());
    let header = ["bin", scatter.variable.as_str(), scatter.outcome.as_str(), "n"];
    let header = header.iter().chain(&beside).map(|name| (*name).to_owned()).collect();
    let line = |(place, bin): (usize, &Bin)| {
        let own = [(place + 1).to_string(), bin.x.to_string(), bin.y.to_string()];
        let beside = [bin.n.to_string(), slope.to_string(), intercept.to_string()];
        own.into_iter().chain(beside).chain([n_obs.to_string()]).chain(inference.clone()).collect()
    };
    std::iter::once(header).chain(scatter.bins.iter().enumerate().map(line)).collect()
}

/// The scatter as a chart.
pub fn svg(title: &str, scatter: &Scatter, style: &Style) -> Result<String, PlotError> {
    let points: Vec<(f64, f64)> = scatter.bins.iter().map(|bin| (bin.x, bin.y)).collect();
    let n_bins = scatter.bins.len();
    let bins = match style.text("en", "zh") {
        "en" => format!("Points are means of {n_bins} groups of equal size. "),
        _ => format!("各点为{n_bins}个等量分组的均值。"),
    };
    let slope = slope(scatter, style, "");
    chart::scatter(&ScatterPlot {
        title,
        subtitle: &(bins + &line(scatter, style)),
        x_label: &style.variable(&scatter.variable),
        y_label: &style.variable(&scatter.outcome),
        points: &points,
        line: (scatter.slope, scatter.intercept),
        line_label: &format!("{} {slope}", style.text("slope", "斜率")),
    })
}
