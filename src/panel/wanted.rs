//! The requested columns of a file, and the format of its text.

use encoding_rs::Encoding;

use crate::estimate::formula::{Formula, Interaction, normal};
use crate::feed::layout::{DecimalMark, Delimiter};

/// The columns to read, each with its use.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub(super) columns: Vec<(String, Roles)>,
}

/// The use of a column.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Roles {
    pub(super) number: bool,
    pub(super) level: bool,
}

/// The given options for a panel of text.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The delimiter of fields; `None`: detected from the header.
    pub delimiter: Option<Delimiter>,
    /// The decimal mark; `None`: detected from the numbers.
    pub decimal: Option<DecimalMark>,
    /// The encoding; `None`: detected from the first mebibyte.
    pub encoding: Option<&'static Encoding>,
    /// The texts that mean a missing value; `None`: [`super::MISSING_DEFAULT`]. An empty field is
    /// always missing.
    pub missing: Option<Vec<String>>,
}

impl Wanted {
    /// The columns of a regression: outcome, regressors and weights as numbers, factors of effects
    /// and clusters as levels.
    #[must_use]
    pub fn of(formula: &Formula, clusters: &[Interaction], weights: Option<&str>) -> Self {
        let mut wanted = Self::default().numbers(formula.numbers().chain(weights));
        let factors = clusters.iter().flat_map(|cluster| &cluster.factors).map(String::as_str);
        wanted = wanted.levels(formula.levels().chain(factors));
        wanted
    }

    /// Adds these columns as numbers.
    #[must_use]
    pub fn numbers<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        names.into_iter().for_each(|name| self.roles(name).number = true);
        self
    }

    /// Adds these columns as levels.
    #[must_use]
    pub fn levels<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        names.into_iter().for_each(|name| self.roles(name).level = true);
        self
    }

    fn roles(&mut self, name: &str) -> &mut Roles {
        let name = normal(name);
        let known = self.columns.iter().position(|(own, _)| *own == name);
        let at = known.unwrap_or_else(|| {
            self.columns.push((name.into_owned(), Roles::default()));
            self.columns.len() - 1
        });
        &mut self.columns[at].1
    }
}

impl ReadOptions {
    /// The name of the first given option.
    pub(super) fn given(&self) -> Option<&'static str> {
        let Self { delimiter, decimal, encoding, missing } = self;
        let all = [
            ("delimiter", delimiter.is_some()),
            ("decimal", decimal.is_some()),
            ("encoding", encoding.is_some()),
            ("missing", missing.is_some()),
        ];
        all.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }
}
