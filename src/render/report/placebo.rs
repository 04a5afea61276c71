//! Placebo networks as a table, as data and as a chart.

use serde_json::{Value, json};

use crate::regressions::{PLACEBO_TERMS, PlaceboOf};
use crate::render::chart::{self, HistogramPlot, PlotError};
use crate::render::number::grouped;
use crate::render::regression::Grid;
use crate::render::style::Style;

/// The value below which a share of the draws is.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a position among draws"
    )]
    let place = (share * (sorted.len() - 1) as f64).round() as usize;
    sorted[place]
}

fn of_term(of: &PlaceboOf, term: usize) -> Vec<f64> {
    of.placebo.draws.iter().map(|draw| draw[term]).collect()
}

/// The sample's sums beside those of the draws.
pub fn grid(of: &PlaceboOf, style: &Style) -> Grid {
    let placebo = &of.placebo;
    let figure = |value| style.digits.figure(value);
    let header = ["", "T", "2.5 %", "97.5 %", "p"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for (term, name) in PLACEBO_TERMS.iter().enumerate() {
        let mut draws = of_term(of, term);
        draws.sort_by(f64::total_cmp);
        let (low, high) = (quantile(&draws, 0.025), quantile(&draws, 0.975));
        let p_value = placebo.p_value(term);
        rows.push(vec![
            style.term(name),
            figure(placebo.observed[term]),
            figure(low),
            figure(high),
            figure(p_value),
        ]);
    }
    let joint = placebo.joint_p_value().map_or_else(String::new, figure);
    let empty = String::new();
    let both = style.text("both", "联合").to_owned();
    rows.push(vec![both, empty.clone(), empty.clone(), empty, joint]);
    let (n_draws, seed) = (grouped(placebo.asked.n_draws), placebo.asked.seed);
    let (n_obs, share) = (grouped(placebo.n_obs), 100.0 * placebo.coverage);
    let (title, note) = match style.text("en", "zh") {
        "en" => (
            format!("({}) beside placebo networks", of.model),
            format!(
                "{n_draws} draws of other affiliate cities for each plant, seed {seed}; {n_obs} \
                 rows. {share:.1} % of them have an exporter in the drawn cities. T: sum of the \
                 residuals without both terms times the term."
            ),
        ),
        _ => (
            format!("（{}）与安慰剂网络比较", of.model),
            format!(
                "为每个工厂另抽关联城市，共 {n_draws} 次，种子 {seed}；{n_obs} 行，其中 {share:.1}% \
                 在所抽城市有出口企业。T：剔除两项后的残差乘以该项之和。"
            ),
        ),
    };
    Grid::plain(&title, &rows, Some(note)).named(&of.model, style.language)
}

/// The draws as data; draw 0 is the sample.
pub fn rows(of: &PlaceboOf) -> Vec<Vec<String>> {
    let header = ["model", "through", "vintage", "seed", "draw", "t_growth", "t_growth_density"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let all = std::iter::once(&of.placebo.observed).chain(&of.placebo.draws);
    for (draw, [growth, density]) in all.enumerate() {
        rows.push(vec![
            of.model.clone(),
            of.through.to_string(),
            of.vintage.to_string(),
            of.placebo.asked.seed.to_string(),
            draw.to_string(),
            growth.to_string(),
            density.to_string(),
        ]);
    }
    rows
}

/// The sums and p-values as JSON.
pub fn document(of: &PlaceboOf) -> Value {
    let placebo = &of.placebo;
    let term = |(place, name): (usize, &&str)| {
        json!({
            "term": name,
            "observed": placebo.observed[place],
            "p_value": placebo.p_value(place),
            "draws": of_term(of, place),
        })
    };
    json!({
        "model": of.model,
        "identity": of.identity,
        "through": of.through.0,
        "vintage": of.vintage.0,
        "n_obs": placebo.n_obs,
        "n_draws": placebo.asked.n_draws,
        "seed": placebo.asked.seed,
        "coverage": placebo.coverage,
        "joint_p_value": placebo.joint_p_value(),
        "terms": PLACEBO_TERMS.iter().enumerate().map(term).collect::<Vec<_>>(),
    })
}

/// The draws of one term as a histogram with the sample's sum.
pub fn svg(of: &PlaceboOf, term: Option<&str>, style: &Style) -> Result<String, PlotError> {
    let place = match term {
        None => 0,
        Some(term) => PLACEBO_TERMS.iter().position(|own| *own == term).ok_or(PlotError)?,
    };
    let variable = style.term(PLACEBO_TERMS[place]);
    let p_value = style.digits.figure(of.placebo.p_value(place));
    let (n_draws, seed) = (grouped(of.placebo.asked.n_draws), of.placebo.asked.seed);
    let (title, subtitle) = match style.text("en", "zh") {
        "en" => (
            format!("Placebo networks: {variable}, model {}", of.model),
            format!(
                "Draws of other affiliate cities by T: {n_draws} draws, seed {seed}. Two-sided p \
                 {p_value}."
            ),
        ),
        _ => (
            format!("安慰剂网络：{variable}，模型 {}", of.model),
            format!(
                "另抽关联城市的 {n_draws} 次抽样按 T 的分布，种子 {seed}。双侧 p 值 {p_value}。"
            ),
        ),
    };
    chart::histogram(&HistogramPlot {
        title: &title,
        subtitle: &subtitle,
        x_label: style.text("T: sum of residual times term", "T：残差乘以该项之和"),
        values: &of_term(of, place),
        mark: of.placebo.observed[place],
        mark_label: style.text("sample", "样本"),
    })
}
