//! Formulas in fixest's syntax, text to types.
//!
//! ```text
//! formula := name "~" sum [ "|" effects ]
//! sum     := [sign] product { sign product }         sign    := "+" | "-"
//! product := interaction { "*" interaction }         a*b     = a + b + a:b
//! interaction := atom { ":" atom }                   atom    := name | "0" | "1"
//! effects := effect { "+" effect }                   effect  := name { "^" name }
//! ```
//!
//! A name has letters, digits, `_` and `.`, or any characters between backquotes; two backquotes
//! inside stand for one. Names are compared in Unicode's composed form (NFC). Terms keep their
//! written order, and a term written twice counts once. Of collinear regressors, the later one is
//! dropped.

mod names;
mod parser;
mod problem;
mod syntax_tree;
mod tokens;

pub use self::names::{normal, unquoted};
use self::parser::Parser;
pub use self::problem::{FormulaError, FormulaProblem};
pub use self::syntax_tree::{Formula, Interaction, Term};

impl Formula {
    /// Reads `y ~ a + b:c + d*e | f + g^h`.
    ///
    /// # Errors
    /// [`FormulaError`] at the first place that the grammar does not allow.
    ///
    /// # Examples
    /// ```
    /// # use spillover::estimate::formula::Formula;
    /// let formula = Formula::parse("y ~ a*b | plant^year + country")?;
    /// assert_eq!(formula.to_string(), "y ~ a + b + a:b | plant^year + country");
    /// # Ok::<(), spillover::estimate::formula::FormulaError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let text = normal(text);
        let parsed = Parser::new(&text).and_then(Parser::formula);
        parsed.map_err(|place| FormulaError::at(place, &text))
    }
}

impl Interaction {
    /// Reads `a^b`, the form of one-way clusters.
    ///
    /// # Errors
    /// [`FormulaError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        Self::parse_sum(text).and_then(|all| match <[Self; 1]>::try_from(all) {
            Ok([one]) => Ok(one),
            Err(_) => Err(FormulaError::at((FormulaProblem::SeveralInteractions, 0), text)),
        })
    }

    /// Reads `a^b + c`, the form of two-way clusters.
    ///
    /// # Errors
    /// [`FormulaError`] for any other text.
    pub fn parse_sum(text: &str) -> Result<Vec<Self>, FormulaError> {
        let text = normal(text);
        let parsed = Parser::new(&text).and_then(Parser::interactions);
        parsed.map_err(|place| FormulaError::at(place, &text))
    }
}

impl Term {
    /// Reads `a` or `a:b`.
    ///
    /// # Errors
    /// [`FormulaError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let text = normal(text);
        let parsed = Parser::new(&text).and_then(Parser::term);
        parsed.map_err(|place| FormulaError::at(place, &text))
    }
}

#[cfg(test)]
mod tests;
