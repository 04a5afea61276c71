//! Models to a grid of texts, before any layout.

use super::{Layout, Model, RegressionTable, figure, grouped, html, latex, text};
use crate::estimate::formula::Formula;
use crate::estimate::result::{Estimate, TermEstimate};
use crate::visible;

/// The significance levels with their stars, the most stars first.
const STARS: [(f64, &str); 3] = [(0.01, "***"), (0.05, "**"), (0.1, "*")];

/// A line of the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A horizontal rule.
    Rule,
    /// A label, and a text for each model.
    Cells(String, Vec<String>),
}

/// A grid of texts.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The title.
    pub title: String,
    /// The lines of the header.
    pub header: Vec<Line>,
    /// The lines below the header.
    pub body: Vec<Line>,
    /// The notes below the table.
    pub notes: Vec<String>,
}

impl Grid {
    /// Arranges models side by side.
    pub fn of(table: &RegressionTable<'_>) -> Self {
        let models = &table.models;
        let row = |label: &str, cell: &dyn Fn(&Model<'_>) -> String| {
            Line::Cells(label.to_owned(), models.iter().map(cell).collect())
        };
        let mut header = vec![row("", &|model| format!("({})", model.name))];
        header.push(row("", &|model| outcome(model.estimate)));
        if models.iter().any(|model| !model.label.is_empty()) {
            header.push(row("", &|model| model.label.to_owned()));
        }
        let mut body = Vec::new();
        for term in union(models, |model| terms(model.estimate)) {
            body.push(row(term, &|model| coefficient(model.estimate, term)));
            body.push(row("", &|model| std_error(model.estimate, term)));
        }
        body.push(Line::Rule);
        for effect in union(models, |model| effects(model.estimate)) {
            body.push(row(effect, &|model| yes(model.estimate, effect)));
        }
        let or_blank = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{v:.4}"));
        body.push(Line::Rule);
        body.push(row("Observations", &|model| grouped(model.estimate.n_obs)));
        body.push(row("Singletons dropped", &|model| grouped(model.estimate.n_singletons)));
        body.push(row("Clusters", &|m| m.estimate.n_clusters.map_or_else(String::new, grouped)));
        body.push(row("R2", &|model| or_blank(model.estimate.r2)));
        body.push(row("Within R2", &|model| or_blank(model.estimate.r2_within)));
        Self { title: table.title.to_owned(), header, body, notes: notes(table) }
    }

    /// Arranges rows of texts; the first text of each row is its label, and the first row is the
    /// header.
    pub fn plain(title: &str, rows: &[Vec<String>], note: Option<String>) -> Self {
        let line = |cells: &[String]| {
            let (label, cells) =
                cells.split_first().map_or((String::new(), &[][..]), |(l, c)| (l.clone(), c));
            Line::Cells(label, cells.to_vec())
        };
        let mut lines = rows.iter().map(|row| line(row));
        Self {
            title: title.to_owned(),
            header: lines.next().into_iter().collect(),
            body: lines.collect(),
            notes: note.into_iter().collect(),
        }
    }

    /// Lays out the grid. Names of columns and messages can contain any character, so each text
    /// becomes one visible line first.
    pub fn laid_out(&self, layout: Layout) -> String {
        let grid = self.visible();
        match layout {
            Layout::Text => text::plain(&grid),
            Layout::Markdown => text::markdown(&grid),
            Layout::Latex => latex::table(&grid),
            Layout::Html => html::table(&grid),
        }
    }

    fn visible(&self) -> Self {
        let text = |text: &String| visible::line(text).into_owned();
        let line = |line: &Line| match line {
            Line::Rule => Line::Rule,
            Line::Cells(label, cells) => Line::Cells(text(label), cells.iter().map(text).collect()),
        };
        Self {
            title: text(&self.title),
            header: self.header.iter().map(line).collect(),
            body: self.body.iter().map(line).collect(),
            notes: self.notes.iter().map(text).collect(),
        }
    }

    /// The number of models.
    pub fn n_columns(&self) -> usize {
        let cells = |line: &Line| match line {
            Line::Cells(_, cells) => cells.len(),
            Line::Rule => 0,
        };
        self.header.iter().map(cells).max().unwrap_or(0)
    }
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

fn yes(estimate: &Estimate, effect: &str) -> String {
    let found = estimate.fixed_effects.iter().any(|own| own.name == effect);
    if found { "yes".to_owned() } else { String::new() }
}

/// The outcome's name, which can contain any character.
fn outcome(estimate: &Estimate) -> String {
    Formula::parse(&estimate.formula).map_or_else(|_| String::new(), |formula| formula.outcome)
}

fn term<'e>(estimate: &'e Estimate, name: &str) -> Option<&'e TermEstimate> {
    estimate.terms.iter().find(|term| term.term == name)
}

fn coefficient(estimate: &Estimate, name: &str) -> String {
    if estimate.dropped.iter().any(|dropped| dropped.term == name) {
        return "dropped".to_owned();
    }
    term(estimate, name).map_or_else(String::new, |term| {
        let stars = STARS.iter().find(|(level, _)| term.p_value.is_some_and(|p| p < *level));
        format!("{}{}", figure(term.estimate), stars.map_or("", |(_, stars)| stars))
    })
}

fn std_error(estimate: &Estimate, name: &str) -> String {
    let error = term(estimate, name).and_then(|term| term.std_error);
    error.map_or_else(String::new, |error| format!("({})", figure(error)))
}

/// The notes on standard errors, stars, dropped regressors, and others.
fn notes(table: &RegressionTable<'_>) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for Model { estimate, .. } in &table.models {
        let clustered = !estimate.clusters.is_empty();
        let kind = if clustered {
            format!("clustered by {}", estimate.vcov)
        } else {
            estimate.vcov.clone()
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let mut notes = Vec::new();
    if !kinds.is_empty() {
        notes.push(format!("Standard errors in brackets: {}.", kinds.join("; ")));
    }
    let levels: Vec<String> =
        STARS.iter().map(|(level, stars)| format!("{stars} p < {level}")).collect();
    notes.push(format!("{}.", levels.join(", ")));
    for Model { name, estimate, .. } in &table.models {
        for dropped in &estimate.dropped {
            notes.push(format!(
                "({name}): {} dropped, collinear with {}.",
                dropped.term, dropped.collinear
            ));
        }
        notes.extend(estimate.notes.iter().map(|note| format!("({name}): {note}")));
    }
    notes.extend(table.notes.iter().cloned());
    notes
}
