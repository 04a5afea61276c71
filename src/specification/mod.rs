//! Specifications of estimates, as data. Each column of a table is a formula, a panel and rules for
//! its sample, in TOML; a new column needs no code.
//!
//! ```text
//! TOML ─▶ Specification ─┬─ Column: formula, panel, trade, keep, trim, drop_largest, centre, …
//!                        ├─ Summary: statistics of variables (tables 1 and 2)
//!                        └─ Figure: a binned scatter (figure 1)
//! ```
//! The paper's specifications are in `streams/specifications` and in the program.

mod conventions;
mod error;
mod rules;
mod settings;

use serde::Deserialize;

pub use conventions::{EstimatorSettings, SingletonsName, small_sample};
pub use error::{SpecificationError, SpecificationProblem};
pub use rules::{Comparison, Condition, DropLargest, Trim};
use settings::{Shared, VcovName};

use crate::estimate::absorb::AbsorbOptions;
use crate::estimate::design::singletons::Singletons;
use crate::estimate::formula::{Formula, Interaction, Term, unquoted};
use crate::estimate::inference::Inference;
use crate::toml_text;

/// One table or figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Specification {
    /// The name for commands: `3`, `footnote`, or the name of its file.
    pub name: String,
    /// The title.
    pub title: Wording,
    /// The regressors that have a row in tables, in order; the others are control variables. Empty
    /// if each has a row.
    pub rows: Vec<String>,
    /// Its content.
    pub content: Content,
}

/// A text in both languages. It decides no figure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// English.
    pub english: String,
    /// Chinese; the English text if the specification has no Chinese one.
    pub chinese: String,
}

impl Wording {
    fn new(english: String, chinese: Option<String>) -> Self {
        Self { chinese: chinese.unwrap_or_else(|| english.clone()), english }
    }
}

/// The content of a specification.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Regressions side by side.
    Regressions(Vec<Column>),
    /// Statistics of variables.
    Summary(Summary),
    /// A binned scatter.
    Figure(Figure),
}

/// The panel of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Panel {
    /// Plant × destination × year: the table `plant` of closed years.
    #[default]
    Plant,
    /// Plant × HS6 × destination × year.
    Product,
}

/// The records behind the panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trade {
    /// All records.
    #[default]
    All,
    /// Records of ordinary trade, `trade_mode` 10.
    Ordinary,
}

/// One model.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The name within the specification.
    pub name: String,
    /// A short label.
    pub label: Wording,
    /// The regression.
    pub formula: Formula,
    /// The rows.
    pub panel: Panel,
    /// The records.
    pub trade: Trade,
    /// A formula whose variables must be present too, although the regression does not read them.
    pub sample: Option<Formula>,
    /// The conditions that rows must meet.
    pub keep: Vec<Condition>,
    /// Variables whose extremes are dropped.
    pub trim: Vec<Trim>,
    /// Units that are dropped for the size of a variable.
    pub drop_largest: Vec<DropLargest>,
    /// True if the factors of interactions are centred over the sample.
    pub centre: bool,
    /// True if outcome and regressors are measured in their standard deviations over the sample.
    pub standardise: bool,
    /// The column of weights.
    pub weights: Option<String>,
    /// The computation of standard errors.
    pub inference: Inference,
    /// The options of the absorption.
    pub absorb: AbsorbOptions,
    /// The treatment of rows alone in a level of a fixed effect.
    pub singletons: Singletons,
}

/// The rows of statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Units {
    /// The rows of the plant panel.
    #[default]
    Plant,
    /// Multi-plant firms by closed year, including the feed's first.
    Firm,
}

/// Statistics of variables.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The rows.
    pub panel: Units,
    /// The regression whose sample is used, without singletons; `None` for all rows.
    pub sample: Option<Formula>,
    /// The variables: columns, or products of columns.
    pub variables: Vec<Term>,
    /// The unit that counts once: a value for each of its levels; `None` for each row.
    pub of: Option<Interaction>,
    /// The column for whose values the statistics are separate; `None` for all together.
    pub by: Option<String>,
    /// The statistics.
    pub statistics: Vec<Statistic>,
}

/// A statistic of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// The number of values.
    N,
    /// The mean.
    Mean,
    /// The median.
    Median,
    /// The standard deviation, with n − 1.
    Sd,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
}

/// A binned scatter of an outcome on one variable; effects are absorbed from both.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The regression whose sample is used, without singletons; `None` for the formula's own.
    pub sample: Option<Formula>,
    /// The outcome, the variable and the effects.
    pub formula: Formula,
    /// The computation of the slope's standard error.
    pub inference: Inference,
    /// The number of bins, each with the same number of rows.
    pub bins: usize,
}

/// The specifications in the program, by name.
const BUNDLED: [(&str, &str); 8] = [
    ("1", include_str!("../../streams/specifications/table-1.toml")),
    ("2", include_str!("../../streams/specifications/table-2.toml")),
    ("3", include_str!("../../streams/specifications/table-3.toml")),
    ("4", include_str!("../../streams/specifications/table-4.toml")),
    ("5", include_str!("../../streams/specifications/table-5.toml")),
    ("6", include_str!("../../streams/specifications/table-6.toml")),
    ("footnote", include_str!("../../streams/specifications/footnote.toml")),
    ("figure1", include_str!("../../streams/specifications/figure-1.toml")),
];

impl Specification {
    /// The specifications of the paper, in its order.
    ///
    /// # Panics
    /// Never: a test parses them.
    #[must_use]
    pub fn bundled() -> Vec<Self> {
        let parse = |(name, text)| Self::parse(name, text).expect("a test parses them");
        BUNDLED.into_iter().map(parse).collect()
    }

    /// A specification of the paper; `None` if it has none with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::bundled().into_iter().find(|specification| specification.name == name)
    }

    /// Reads a specification.
    ///
    /// # Errors
    /// [`SpecificationError`] with the column and the problem.
    pub fn parse(name: &str, text: &str) -> Result<Self, SpecificationError> {
        let wrong = |column: Option<&str>, problem| SpecificationError {
            specification: name.to_owned(),
            column: column.map(str::to_owned),
            problem,
        };
        let file: File = toml_text::read(text)
            .map_err(|error| wrong(None, SpecificationProblem::Toml(error)))?;
        let File { sample, cluster, vcov, ssc, dof, estimator, weights, .. } = file;
        let File { title, title_zh, rows, column, summary, figure, .. } = file;
        let shared = Shared { sample, cluster, vcov, ssc, dof, estimator, weights };
        let content = match (column.is_empty(), summary, figure) {
            (false, None, None) => {
                let read = |column: ColumnFile| {
                    let name = column.name.clone();
                    column.read(&shared).map_err(|problem| wrong(Some(&name), problem))
                };
                Content::Regressions(column.into_iter().map(read).collect::<Result<_, _>>()?)
            }
            (true, Some(summary), None) => {
                Content::Summary(summary.read(&shared).map_err(|problem| wrong(None, problem))?)
            }
            (true, None, Some(figure)) => {
                Content::Figure(figure.read(&shared).map_err(|problem| wrong(None, problem))?)
            }
            _ => return Err(wrong(None, SpecificationProblem::Content)),
        };
        let title = Wording::new(title, title_zh);
        let rows = rows.iter().map(|text| Ok(Term::parse(text)?.to_string()));
        let rows = rows.collect::<Result<_, _>>().map_err(|problem| wrong(None, problem))?;
        let specification = Self { name: name.to_owned(), title, rows, content };
        if let Some(row) = specification.unknown_row() {
            return Err(wrong(None, SpecificationProblem::Row(row.clone())));
        }
        let names: Vec<&str> = specification.columns().iter().map(|c| c.name.as_str()).collect();
        match names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
            Some((_, twice)) => Err(wrong(Some(twice), SpecificationProblem::Twice)),
            None => Ok(specification),
        }
    }

    /// A requested row that is a regressor of no column.
    fn unknown_row(&self) -> Option<&String> {
        let terms = self.columns().iter().flat_map(|column| &column.formula.terms);
        let terms: Vec<String> = terms.map(Term::to_string).collect();
        self.rows.iter().find(|row| !terms.contains(row))
    }

    /// The regressions; empty for a summary or a figure.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        match &self.content {
            Content::Regressions(columns) => columns,
            Content::Summary(_) | Content::Figure(_) => &[],
        }
    }
}

impl Column {
    /// The columns of the panel in which a row must have a value, each once: those of the formula,
    /// of the sample's formula, and the weights.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        let mut names = self.formula.columns();
        let others = self.sample.iter().flat_map(Formula::columns).chain(self.weights.as_deref());
        for name in others {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Every column of the panel that the regression reads.
    #[must_use]
    pub fn reads(&self) -> Vec<&str> {
        let mut names = self.variables();
        names.extend(self.inference.vcov.clusters().iter().flat_map(factors));
        names.extend(self.keep.iter().map(|condition| condition.variable.as_str()));
        names.extend(self.trim.iter().map(|trim| trim.variable.as_str()));
        for drop in &self.drop_largest {
            names.push(&drop.variable);
            names.extend(factors(&drop.of));
        }
        names
    }
}

fn factors(interaction: &Interaction) -> impl Iterator<Item = &str> {
    interaction.factors.iter().map(String::as_str)
}

/// A specification in its written form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    title_zh: Option<String>,
    #[serde(default)]
    rows: Vec<String>,
    sample: Option<String>,
    cluster: Option<String>,
    vcov: Option<VcovName>,
    ssc: Option<String>,
    dof: Option<conventions::DofName>,
    estimator: Option<EstimatorSettings>,
    weights: Option<String>,
    #[serde(default)]
    column: Vec<ColumnFile>,
    summary: Option<SummaryFile>,
    figure: Option<FigureFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    name: String,
    label: Option<String>,
    label_zh: Option<String>,
    formula: String,
    #[serde(default)]
    panel: Panel,
    #[serde(default)]
    trade: Trade,
    sample: Option<String>,
    #[serde(default)]
    keep: Vec<String>,
    #[serde(default)]
    trim: Vec<Trim>,
    #[serde(default)]
    drop_largest: Vec<rules::DropLargestFile>,
    #[serde(default)]
    centre: bool,
    #[serde(default)]
    standardise: bool,
    cluster: Option<String>,
    vcov: Option<VcovName>,
    ssc: Option<String>,
    dof: Option<conventions::DofName>,
    estimator: Option<EstimatorSettings>,
    weights: Option<String>,
}

impl ColumnFile {
    fn read(self, shared: &Shared) -> Result<Column, SpecificationProblem> {
        let own = Shared {
            sample: self.sample,
            cluster: self.cluster,
            vcov: self.vcov,
            ssc: self.ssc,
            dof: self.dof,
            estimator: self.estimator,
            weights: self.weights,
        };
        let settings = own.or(shared);
        let inference = settings.inference()?;
        let estimator = settings.estimator.clone().unwrap_or_default();
        if (self.panel, self.trade) == (Panel::Product, Trade::Ordinary) {
            return Err(SpecificationProblem::OrdinaryProducts);
        }
        let keep = self.keep.iter().map(|text| Condition::parse(text));
        let drop_largest = self.drop_largest.into_iter().map(rules::DropLargestFile::read);
        Ok(Column {
            label: Wording::new(self.label.unwrap_or_default(), self.label_zh),
            formula: Formula::parse(self.formula.trim())?,
            panel: self.panel,
            trade: self.trade,
            sample: settings.sample(None)?,
            keep: keep.collect::<Result<_, _>>()?,
            trim: self.trim.into_iter().map(Trim::checked).collect::<Result<_, _>>()?,
            drop_largest: drop_largest.collect::<Result<_, _>>()?,
            centre: self.centre,
            standardise: self.standardise,
            weights: settings.weights.as_deref().map(unquoted),
            inference,
            absorb: estimator.absorb()?,
            singletons: estimator.singletons(),
            name: self.name,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SummaryFile {
    #[serde(default)]
    panel: Units,
    sample: Option<String>,
    variables: Vec<String>,
    of: Option<String>,
    by: Option<String>,
    statistics: Vec<Statistic>,
}

impl SummaryFile {
    fn read(self, shared: &Shared) -> Result<Summary, SpecificationProblem> {
        let variables = self.variables.iter().map(|text| Term::parse(text));
        Ok(Summary {
            panel: self.panel,
            sample: shared.sample(self.sample.as_deref())?,
            variables: variables.collect::<Result<_, _>>()?,
            of: self.of.map(|text| Interaction::parse(&text)).transpose()?,
            by: self.by.as_deref().map(unquoted),
            statistics: self.statistics,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FigureFile {
    sample: Option<String>,
    formula: String,
    bins: usize,
}

/// The largest number of bins.
const BINS_MAX: usize = 1000;

impl FigureFile {
    fn read(self, shared: &Shared) -> Result<Figure, SpecificationProblem> {
        let sample = shared.sample(self.sample.as_deref())?;
        let formula = Formula::parse(self.formula.trim())?;
        let one_variable = matches!(formula.terms.as_slice(), [term] if term.factors.len() == 1);
        if !one_variable || !(2..=BINS_MAX).contains(&self.bins) {
            return Err(SpecificationProblem::Figure);
        }
        Ok(Figure { sample, formula, inference: shared.inference()?, bins: self.bins })
    }
}

#[cfg(test)]
mod tests;
