//! Models to a grid: main rows, controls, effects, counts, notes.

use super::grid::{Cell, Grid, Line};
use super::model::{Model, RegressionTable};
use crate::estimate::formula::Formula;
use crate::estimate::least_squares::Collinear;
use crate::estimate::result::{Estimate, TermEstimate};
use crate::render::number::grouped;
use crate::render::style::{Controls, Style};

/// The significance levels with their stars, the most stars first.
const STARS: [(f64, &str); 3] = [(0.01, "***"), (0.05, "**"), (0.1, "*")];

/// Arranges models side by side.
#[must_use]
pub fn arranged(table: &RegressionTable<'_>, style: &Style) -> Grid {
    let (models, words) = (&table.models, style.words());
    let row = |label: String, cell: &dyn Fn(&Model<'_>) -> Cell| {
        Line::Cells(label, models.iter().map(cell).collect())
    };
    let text = |text: &str| Cell::Text(text.to_owned());
    let name = |model: &Model<'_>| text(&format!("({})", model.name));
    let outcome = |model: &Model<'_>| style.variable(&outcome(model.estimate));
    let mut outcomes: Vec<String> = models.iter().map(outcome).collect();
    outcomes.dedup();
    let mut header = if let [one] = &outcomes[..] {
        vec![row(style.about(style.text("Outcome", "被解释变量"), one), &name)]
    } else {
        let label = |model: &Model<'_>| text(&outcome(model));
        vec![row(String::new(), &name), row(String::new(), &label)]
    };
    if models.iter().any(|model| !model.label.is_empty()) {
        header.push(row(String::new(), &|model| text(model.label)));
    }
    let mut body = Vec::new();
    let (main, controls) = rows_of(table);
    let is_each = style.controls == Controls::Each;
    for name in main.iter().chain(controls.iter().filter(|_| is_each)) {
        let cells = models.iter().map(|model| figures(model.estimate, name, style));
        let (estimates, errors) = cells.unzip();
        body.push(Line::Cells(style.term(name), estimates));
        body.push(Line::Cells(String::new(), errors));
    }
    body.push(Line::Rule);
    let yes = |is_in: bool| text(if is_in { words.yes } else { words.no });
    if !controls.is_empty() && !is_each {
        let has_one =
            |model: &Model<'_>| terms(model.estimate).iter().any(|t| controls.contains(t));
        body.push(row(words.controls.to_owned(), &|model| yes(has_one(model))));
    }
    for effect in union(models, |model| effects(model.estimate)) {
        let label = format!("{}{}", style.levels(effect), words.fixed_effects);
        body.push(row(label, &|model| yes(effects(model.estimate).contains(&effect))));
    }
    if body.last() != Some(&Line::Rule) {
        body.push(Line::Rule);
    }
    let count = |count: usize| Cell::Text(grouped(count));
    let or_empty = |value: Option<f64>| {
        value.map_or_else(Cell::empty, |value| Cell::number(style.digits.figure(value)))
    };
    body.push(row(words.observations.to_owned(), &|model| count(model.estimate.n_obs)));
    body.push(row(words.singletons.to_owned(), &|model| count(model.estimate.n_singletons)));
    if models.iter().any(|model| model.estimate.n_clusters.is_some()) {
        let clusters =
            |model: &Model<'_>| model.estimate.n_clusters.map_or_else(Cell::empty, count);
        body.push(row(words.clusters.to_owned(), &clusters));
    }
    body.push(row(words.r2.to_owned(), &|model| or_empty(model.estimate.r2)));
    body.push(row(words.r2_within.to_owned(), &|model| or_empty(model.estimate.r2_within)));
    let (name, title) = (table.name.to_owned(), table.title.to_owned());
    Grid { name, language: style.language, title, header, body, notes: notes(table, style) }
}

/// The regressors with a row, and the control variables. Without main rows, every regressor has a
/// row.
fn rows_of<'m>(table: &'m RegressionTable<'m>) -> (Vec<&'m str>, Vec<&'m str>) {
    let all = union(&table.models, |model| terms(model.estimate));
    let is_main = |name: &&str| table.main_rows.iter().any(|main| main == name);
    let main: Vec<&str> = table.main_rows.iter().map(String::as_str).collect();
    let main: Vec<&str> = main.into_iter().filter(|name| all.contains(name)).collect();
    if main.is_empty() {
        return (all, Vec::new());
    }
    let controls = all.into_iter().filter(|name| !is_main(name)).collect();
    (main, controls)
}

/// The union of the names of all models, in order of first appearance.
fn union<'m>(models: &'m [Model<'m>], of: impl Fn(&'m Model<'m>) -> Vec<&'m str>) -> Vec<&'m str> {
    let mut all: Vec<&str> = Vec::new();
    for one in models.iter().flat_map(of) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

fn terms(estimate: &Estimate) -> Vec<&str> {
    let kept = estimate.terms.iter().map(|term| term.term.as_str());
    kept.chain(estimate.dropped.iter().map(|term| term.term.as_str())).collect()
}

fn effects(estimate: &Estimate) -> Vec<&str> {
    estimate.fixed_effects.iter().map(|effect| effect.name.as_str()).collect()
}

/// The outcome: the left side of the formula.
fn outcome(estimate: &Estimate) -> String {
    Formula::parse(&estimate.formula).map(|formula| formula.outcome).unwrap_or_default()
}

/// The cells of a coefficient and of its standard error.
fn figures(estimate: &Estimate, name: &str, style: &Style) -> (Cell, Cell) {
    if estimate.dropped.iter().any(|dropped| dropped.term == name) {
        return (Cell::Text(style.words().dropped.to_owned()), Cell::empty());
    }
    let Some(term) = estimate.terms.iter().find(|term| term.term == name) else {
        return (Cell::empty(), Cell::empty());
    };
    match term.std_error {
        None => (starred(term, style.digits.figure(term.estimate)), Cell::empty()),
        Some(error) => {
            let (digits, error) = style.digits.pair(term.estimate, error);
            (starred(term, digits), Cell::in_brackets(error))
        }
    }
}

fn starred(term: &TermEstimate, digits: String) -> Cell {
    let stars = STARS.iter().find(|(level, _)| term.p_value.is_some_and(|p| p < *level));
    match Cell::number(digits) {
        Cell::Number { before, digits, .. } => {
            Cell::Number { before, digits, after: stars.map_or("", |(_, stars)| stars) }
        }
        empty @ Cell::Text(_) => empty,
    }
}

/// The notes on standard errors, stars, dropped regressors, and others.
fn notes(table: &RegressionTable<'_>, style: &Style) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for Model { estimate, .. } in &table.models {
        let clusters = estimate.clusters.iter().map(|clusters| style.levels(&clusters.name));
        let clusters = clusters.collect::<Vec<_>>().join(style.text(" and ", "、"));
        let kind = match (estimate.clusters.is_empty(), style.text("en", "zh")) {
            (true, _) => estimate.vcov.clone(),
            (false, "en") => format!("clustered by {clusters}"),
            (false, _) => format!("按{clusters}聚类"),
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let mut notes = Vec::new();
    let stop = style.words().stop;
    if !kinds.is_empty() {
        let what = style.text("Standard errors in brackets", "括号内为标准误");
        notes.push(format!("{}{stop}", style.about(what, kinds.join("; "))));
    }
    let levels: Vec<String> =
        STARS.iter().map(|(level, stars)| format!("{stars} p < {level}")).collect();
    notes.push(format!("{}{stop}", levels.join(style.text(", ", "，"))));
    for Model { name, estimate, .. } in &table.models {
        for dropped in &estimate.dropped {
            let term = style.term(&dropped.term);
            let with = match dropped.collinear {
                Collinear::WithFixedEffects => style.text("the fixed effects", "固定效应"),
                Collinear::WithRegressors => {
                    style.text("the regressors before it", "其前的解释变量")
                }
            };
            notes.push(match style.text("en", "zh") {
                "en" => format!("({name}): {term} dropped, collinear with {with}."),
                _ => format!("({name})：{term}与{with}共线，已剔除。"),
            });
        }
        let note = |note: &String| style.about(format!("({name})"), style.message(note));
        notes.extend(estimate.notes.iter().map(note));
    }
    notes.extend(table.notes.iter().cloned());
    notes
}
