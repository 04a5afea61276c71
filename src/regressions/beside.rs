//! Compares a home's estimates with the paper's published ones.
//!
//! Tables 3 to 6 are compared by coefficient, standard error, number of observations and R2;
//! tables 1 and 2 by statistic. The published figures are in `streams/reference/paper_*.csv`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::reference::rows;
use super::run::Outcome;
use super::summary::Statistics;
use super::table::TableResult;
use crate::estimate::result::TermEstimate;
use crate::specification::{Summary, Wording};

const TABLES: &str = include_str!("../../streams/reference/paper_tables.csv");
const SAMPLES: &str = include_str!("../../streams/reference/paper_samples.csv");
const SUMMARY: &str = include_str!("../../streams/reference/paper_summary.csv");

/// A table of the home compared with the published table.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The heading of the table.
    pub title: Wording,
    /// The figures, model by model.
    pub rows: Vec<ComparedFigure>,
    /// The state of the home, and the models without an estimate with the reason.
    pub notes: Vec<String>,
}

/// A published figure with the home's figure.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedFigure {
    /// The model, such as `3.1`; the year in table 1; the table's name in table 2.
    pub model: String,
    /// The term, `n_obs`, `r2`, or a variable with its statistic.
    pub figure: String,
    /// The home's figure; `None` without an estimate in the home.
    pub home: Option<f64>,
    /// The standard error of the home's coefficient.
    pub home_std_error: Option<f64>,
    /// The published figure.
    pub paper: Published,
    /// The published standard error.
    pub paper_std_error: Option<Published>,
}

/// A number with the digits in which the paper prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The number.
    pub value: f64,
    /// Its digits.
    pub text: String,
}

impl Published {
    fn new(text: String) -> Self {
        Self { value: text.parse().expect("a test parses the figures"), text }
    }
}

impl ComparedFigure {
    /// The home's figure divided by the published one; `None` without either, or if the latter is
    /// zero.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        self.home.filter(|_| self.paper.value != 0.0).map(|home| home / self.paper.value)
    }
}

/// A table and its column.
type ModelKey = (String, String);

/// A published coefficient with its standard error.
struct PublishedTerm {
    term: String,
    estimate: Published,
    std_error: Published,
}

/// The figures of the paper.
struct Paper {
    /// The coefficients of a model, in the paper's order.
    terms: BTreeMap<ModelKey, Vec<PublishedTerm>>,
    /// The number of observations and R2 of a model.
    samples: BTreeMap<ModelKey, (Published, Published)>,
    /// Table, year (empty in table 2), variable, statistic and value; by table and year.
    statistics: Vec<[String; 5]>,
}

static PAPER: LazyLock<Paper> = LazyLock::new(Paper::read);

impl Paper {
    fn read() -> Self {
        let mut terms: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let columns = ["table", "column", "term", "estimate", "std_error"];
        for [table, column, term, estimate, std_error] in read("paper_tables.csv", TABLES, columns)
        {
            let (estimate, std_error) = (Published::new(estimate), Published::new(std_error));
            let term = PublishedTerm { term, estimate, std_error };
            terms.entry((table, column)).or_default().push(term);
        }
        let samples = read("paper_samples.csv", SAMPLES, ["table", "column", "n_obs", "r2"]);
        let samples = samples.into_iter().map(|[table, column, n_obs, r2]| {
            ((table, column), (Published::new(n_obs), Published::new(r2)))
        });
        let columns = ["table", "year", "variable", "statistic", "value"];
        let mut statistics = read("paper_summary.csv", SUMMARY, columns);
        statistics.sort_by(|[table, year, ..], [other_table, other_year, ..]| {
            (table, year).cmp(&(other_table, other_year))
        });
        Self { terms, samples: samples.collect(), statistics }
    }

    fn of_model(&self, outcome: &Outcome) -> Vec<ComparedFigure> {
        let key = (outcome.specification.clone(), outcome.column.clone());
        let estimate = outcome.result.as_ref().ok().map(|fit| &fit.estimate);
        let row = |figure: &str, home, paper: &Published| ComparedFigure {
            model: outcome.name(),
            figure: figure.to_owned(),
            home,
            home_std_error: None,
            paper: paper.clone(),
            paper_std_error: None,
        };
        let terms = self.terms.get(&key).map(Vec::as_slice).unwrap_or_default();
        let term = |paper: &PublishedTerm| {
            let is_it = |term: &&TermEstimate| term.term == paper.term;
            let own = estimate.and_then(|own| own.terms.iter().find(is_it));
            ComparedFigure {
                home_std_error: own.and_then(|own| own.std_error),
                paper_std_error: Some(paper.std_error.clone()),
                ..row(&paper.term, own.map(|own| own.estimate), &paper.estimate)
            }
        };
        let mut rows: Vec<ComparedFigure> = terms.iter().map(term).collect();
        if let Some((n_obs, r2)) = self.samples.get(&key) {
            #[expect(clippy::cast_precision_loss, reason = "rows are fewer than 2^32")]
            let own = estimate.map(|own| own.n_obs as f64);
            rows.push(row("n_obs", own, n_obs));
            rows.push(row("r2", estimate.and_then(|own| own.r2), r2));
        }
        rows
    }

    fn of_summary(
        &self,
        name: &str,
        summary: &Summary,
        rows: &[Statistics],
    ) -> Vec<ComparedFigure> {
        let own = self.statistics.iter().filter(|[table, ..]| table == name);
        let compared = own.map(|[_, year, variable, statistic, value]| {
            let is_it = |row: &&Statistics| {
                row.variable == *variable && row.by.is_none_or(|by| by.to_string() == *year)
            };
            let place = summary.statistics.iter().position(|of| of.name() == statistic);
            let home = place.and_then(|place| rows.iter().find(is_it)?.figures[place]);
            ComparedFigure {
                model: if year.is_empty() { name.to_owned() } else { year.clone() },
                figure: format!("{variable}, {statistic}"),
                home,
                home_std_error: None,
                paper: Published::new(value.clone()),
                paper_std_error: None,
            }
        });
        compared.collect()
    }
}

fn read<const N: usize>(table: &'static str, text: &str, columns: [&str; N]) -> Vec<[String; N]> {
    rows(table, text, columns).expect("a test parses the figures")
}

/// True if the paper contains a table or a column of it.
#[must_use]
pub fn is_published(specification: &str) -> bool {
    let published = &*PAPER;
    published.samples.keys().any(|(table, _)| table == specification)
        || published.statistics.iter().any(|[table, ..]| table == specification)
}

/// Compares tables with the published ones; tables that the paper lacks are left out.
#[must_use]
pub fn beside_paper(tables: &[TableResult]) -> Vec<Comparison> {
    let published = &*PAPER;
    let compared = tables.iter().map(|table| match table {
        TableResult::Models { title, outcomes, .. } => {
            let rows = outcomes.iter().flat_map(|one| published.of_model(one)).collect();
            let note = |one: &Outcome| {
                let error = one.result.as_ref().err()?;
                Some(format!("({}): not estimated: {error}.", one.name()))
            };
            let as_of = outcomes.first().map(|one| {
                let (through, vintage) = (one.through, one.as_of.1);
                format!("Home: closed years up to {through}, vintage {vintage}.")
            });
            let notes = as_of.into_iter().chain(outcomes.iter().filter_map(note)).collect();
            Comparison { title: title.clone(), rows, notes }
        }
        TableResult::Summary { name, title, summary, rows } => Comparison {
            title: title.clone(),
            rows: published.of_summary(name, summary, rows),
            notes: Vec::new(),
        },
        TableResult::Figure { title, .. } => {
            Comparison { title: title.clone(), rows: Vec::new(), notes: Vec::new() }
        }
    });
    compared.filter(|comparison| !comparison.rows.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::specification::Specification;

    #[test]
    fn every_published_figure_belongs_to_a_column_of_a_specification() {
        let published = &*PAPER;
        assert_eq!(published.terms.values().map(Vec::len).sum::<usize>(), 76);
        assert_eq!((published.samples.len(), published.statistics.len()), (17, 66));
        for (table, column) in published.samples.keys().chain(published.terms.keys()) {
            let specification = Specification::named(table).expect("a table");
            assert!(specification.columns().iter().any(|own| own.name == *column), "{column}");
        }
    }
}
