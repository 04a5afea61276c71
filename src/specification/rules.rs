//! The rules of a sample: conditions, dropped extremes, dropped units.

use serde::Deserialize;

use super::SpecificationProblem;
use crate::estimate::formula::{Interaction, unquoted};

/// A condition for rows: `plants >= 5`. A row without the value does not meet it.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The column.
    pub variable: String,
    /// The comparison.
    pub comparison: Comparison,
    /// The number to compare with.
    pub number: f64,
}

/// The comparison of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

/// Longer signs first: `<=` starts with `<`.
const BY_LENGTH: [Comparison; 6] = [
    Comparison::LessOrEqual,
    Comparison::GreaterOrEqual,
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::Greater,
];

impl Comparison {
    /// The written sign.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl Condition {
    /// Reads `column sign number`; a column's name with blanks or signs is between backquotes.
    ///
    /// # Errors
    /// [`SpecificationProblem::Condition`] for anything else.
    pub fn parse(text: &str) -> Result<Self, SpecificationProblem> {
        let bad = || SpecificationProblem::Condition(text.to_owned());
        // A sign between backquotes belongs to the name.
        let n_name = text.trim_start().starts_with('`').then(|| text.rfind('`')).flatten();
        let (name, rest) = text.split_at(n_name.map_or(0, |last| last + 1));
        let sign = |comparison: Comparison| Some((rest.split_once(comparison.sign())?, comparison));
        let ((before, number), comparison) =
            BY_LENGTH.into_iter().find_map(sign).ok_or_else(bad)?;
        let number: f64 = number.trim().parse().map_err(|_| bad())?;
        let variable = if name.is_empty() { before } else { name }.trim();
        let is_name = if name.is_empty() {
            !variable.is_empty() && !variable.contains(char::is_whitespace)
        } else {
            variable.len() > 2 && before.trim().is_empty()
        };
        (is_name && number.is_finite()).then_some(()).ok_or_else(bad)?;
        Ok(Self { variable: unquoted(variable), comparison, number })
    }

    /// True if a value meets the condition; a missing value does not.
    #[must_use]
    #[expect(
        clippy::float_cmp,
        reason = "conditions are about counts and dummies, which are exact"
    )]
    pub fn holds(&self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        match self.comparison {
            Comparison::Less => value < self.number,
            Comparison::LessOrEqual => value <= self.number,
            Comparison::Greater => value > self.number,
            Comparison::GreaterOrEqual => value >= self.number,
            Comparison::Equal => value == self.number,
            Comparison::NotEqual => value != self.number,
        }
    }
}

/// A rule that drops the rows with the smallest and the largest values of a variable.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trim {
    /// The variable.
    pub variable: String,
    /// The share of rows at each end.
    pub share: f64,
}

impl Trim {
    pub(super) fn checked(self) -> Result<Self, SpecificationProblem> {
        share(self.share, 0.5)?;
        Ok(Self { variable: unquoted(&self.variable), ..self })
    }
}

/// A rule that drops the units, such as firm-years, with the largest values of a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct DropLargest {
    /// The variable, constant within a unit.
    pub variable: String,
    /// The share of units.
    pub share: f64,
    /// The unit.
    pub of: Interaction,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DropLargestFile {
    variable: String,
    share: f64,
    of: String,
}

impl DropLargestFile {
    pub(super) fn read(self) -> Result<DropLargest, SpecificationProblem> {
        share(self.share, 1.0)?;
        let of = Interaction::parse(&self.of)?;
        Ok(DropLargest { variable: unquoted(&self.variable), share: self.share, of })
    }
}

fn share(share: f64, max: f64) -> Result<(), SpecificationProblem> {
    (share > 0.0 && share < max).then_some(()).ok_or(SpecificationProblem::Share(share, max))
}
