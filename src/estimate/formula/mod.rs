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
//! A name is letters, digits, `_` and `.`, or anything between backquotes, where two backquotes
//! stand for one. Names are compared in Unicode's composed form (NFC). Terms keep the order in
//! which they were written, and a term written twice counts once: of collinear regressors the
//! later one goes.

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
    /// Reads `a^b`, the way clusters are given.
    ///
    /// # Errors
    /// [`FormulaError`] where the text is anything else.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        Self::parse_sum(text).and_then(|all| match <[Self; 1]>::try_from(all) {
            Ok([one]) => Ok(one),
            Err(_) => Err(FormulaError::at((FormulaProblem::SeveralInteractions, 0), text)),
        })
    }

    /// Reads `a^b + c`, the way two-way clusters are given.
    ///
    /// # Errors
    /// [`FormulaError`] where the text is anything else.
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
    /// [`FormulaError`] where the text is anything else.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let text = normal(text);
        let parsed = Parser::new(&text).and_then(Parser::term);
        parsed.map_err(|place| FormulaError::at(place, &text))
    }
}

#[cfg(test)]
mod tests;
