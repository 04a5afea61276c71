//! Errors in a formula, with their place.

use std::fmt;

use thiserror::Error;
use unicode_width::UnicodeWidthStr as _;

/// The largest number of factors of `a*b*…`, which stands for 2ⁿ − 1 terms.
pub(super) const FACTORS_MAX: usize = 8;
/// The largest number of terms of a formula.
pub(super) const TERMS_MAX: usize = 512;

/// A text that is not a formula: the problem and its place, shown with a caret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct FormulaError {
    /// The problem.
    pub problem: FormulaProblem,
    /// The formula as one line.
    pub text: String,
    /// The number of characters before the place.
    pub column: usize,
}

impl FormulaError {
    pub(super) fn at((problem, column): (FormulaProblem, usize), text: &str) -> Self {
        let blank = |letter: char| letter.is_whitespace() || letter.is_control();
        let text = text.chars().map(|letter| if blank(letter) { ' ' } else { letter }).collect();
        Self { problem, text, column }
    }
}

impl FormulaError {
    /// The problem, the formula, and a caret under the place.
    #[must_use]
    pub fn lines(&self) -> [String; 3] {
        let before: String = self.text.chars().take(self.column).collect();
        // A Chinese character takes two columns of a terminal.
        let margin = " ".repeat(before.width());
        [self.problem.to_string(), format!("  {}", self.text), format!("  {margin}^")]
    }

    /// The problem and its place in one line, for use in another message.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        format!("{}, at character {} of {:?}", self.problem, self.column + 1, self.text)
    }
}

impl fmt::Display for FormulaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}

/// A problem of a formula.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormulaProblem {
    /// The formula has a character outside the grammar.
    #[error(
        "a formula has no {0:?}; use + - : * ^ | and column names, a name with other characters \
         between backquotes"
    )]
    Character(char),
    /// The formula has the full-width form of a character of the grammar.
    #[error("{0:?} is a full-width character; write {1:?}")]
    FullWidth(char, char),
    /// A backquote is never closed.
    #[error("a quoted name is empty or not closed; write it between two backquotes")]
    OpenQuote,
    /// The formula has a function.
    #[error("{name}() is a function, and a formula takes names of columns only; {}", instead(name))]
    Function {
        /// The function.
        name: String,
    },
    /// A bracket does not belong to a function.
    #[error("a formula has no parentheses; write out the terms, as in a:c + b:c")]
    Parentheses,
    /// An effect has a slope.
    #[error(
        "effects with slopes, {name}[…], are not supported; add the products of dummies and the \
         variable as columns of the panel"
    )]
    Slope {
        /// The effect.
        name: String,
    },
    /// The formula has `.`, which stands for all other columns in R.
    #[error("\".\" for all other columns is not supported; write the names of the columns")]
    AllColumns,
    /// There is no outcome before `~`.
    #[error("there is no outcome before ~; write a formula as y ~ x + z | firm + year")]
    NoOutcome,
    /// There is no `~`.
    #[error("there is no ~; write a formula as y ~ x + z | firm + year")]
    NoTilde,
    /// There are several outcomes: `y1 + y2 ~ …`
    #[error("a formula has one outcome; estimate one formula for each")]
    SeveralOutcomes,
    /// The outcome is computed: `a:b ~ …`
    #[error("the outcome is one column; add a computed outcome as a column of the panel")]
    ComputedOutcome,
    /// There is no regressor after `~`.
    #[error("there is no regressor after ~; write 1 for a regression without regressors")]
    NoRegressor,
    /// There is no effect, or a number, after `|`.
    #[error("there is no fixed effect after |; leave | out for a regression without fixed effects")]
    NoEffect,
    /// There is a second `|` or a second `~`.
    #[error(
        "a formula has one ~ and one |: regressions with instruments are not supported; write \
         fixed effects as f + g"
    )]
    Instruments,
    /// There is a power among the regressors.
    #[error(
        "^ combines fixed effects, after |; among regressors write a product as a:b and a power as \
         a column of the panel"
    )]
    Power,
    /// Effects are combined with an operator of regressors.
    #[error("effects and clusters are combined by ^ and added by +; write f^g or f + g")]
    EffectOperator,
    /// There are several interactions instead of one.
    #[error("expected one interaction, such as a^b, and found several")]
    SeveralInteractions,
    /// There is another token instead of a name.
    #[error("expected {wanted} and found {found}")]
    Expected {
        /// The expected token.
        wanted: &'static str,
        /// The found token.
        found: String,
    },
    /// The `-` is not followed by `1` or an earlier term.
    #[error("the removed term was not added before")]
    NothingToRemove,
    /// There are too many factors in `a*b*…`, or too many terms.
    #[error("too many terms: at most {FACTORS_MAX} factors in a product and {TERMS_MAX} terms")]
    TooMany,
    /// An effect is written twice.
    #[error("the fixed effect is there twice")]
    EffectTwice,
}

/// The alternative to a function of R or fixest.
fn instead(name: &str) -> &'static str {
    match name {
        "i" | "C" | "factor" | "as.factor" | "as.character" => {
            "write a factor after | as a fixed effect, or its dummies as columns of the panel"
        }
        "l" | "f" | "d" | "L" | "F" | "D" | "lag" | "lead" | "diff" => {
            "write the lag, lead or difference as a column of the panel"
        }
        "c" | "cbind" | "list" | "sw" | "sw0" | "csw" | "csw0" | "mvsw" => {
            "estimate one formula for each combination"
        }
        _ => "add its result as a column of the panel",
    }
}
