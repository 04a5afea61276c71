//! A formula as data: its columns and operators, and its written form.

use std::fmt;

use super::names::quoted;

/// A regression: outcome, regressors, intercept and the fixed effects to absorb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    /// The column on the left.
    pub outcome: String,
    /// The regressors, in written order.
    pub terms: Vec<Term>,
    /// True if a constant is estimated; fixed effects absorb it.
    pub intercept: bool,
    /// The fixed effects, in written order.
    pub effects: Vec<Interaction>,
}

/// A product of variables, `a:b`.
#[derive(Debug, Clone, Eq)]
pub struct Term {
    /// The columns to multiply.
    pub factors: Vec<String>,
}

/// Combined codes, `f^g`: one level for each combination that occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// The columns to combine.
    pub factors: Vec<String>,
}

impl Formula {
    /// Every column the formula reads, the outcome first.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for name in self.numbers().chain(self.levels()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The numeric columns: the outcome, then the factors of the regressors.
    pub fn numbers(&self) -> impl Iterator<Item = &str> {
        let factors = self.terms.iter().flat_map(|term| &term.factors);
        [&self.outcome].into_iter().chain(factors).map(String::as_str)
    }

    /// The columns whose values give the levels of the fixed effects.
    pub fn levels(&self) -> impl Iterator<Item = &str> {
        self.effects.iter().flat_map(|effect| &effect.factors).map(String::as_str)
    }
}

impl PartialEq for Term {
    /// Factors may be in any order: products commute.
    fn eq(&self, other: &Self) -> bool {
        self.factors.len() == other.factors.len()
            && self.factors.iter().all(|factor| other.factors.contains(factor))
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ~ ", quoted(&self.outcome))?;
        let mut terms: Vec<String> = self.terms.iter().map(Term::to_string).collect();
        if !self.intercept {
            terms.push("0".into());
        } else if terms.is_empty() {
            terms.push("1".into());
        }
        f.write_str(&terms.join(" + "))?;
        if !self.effects.is_empty() {
            let effects: Vec<String> = self.effects.iter().map(Interaction::to_string).collect();
            write!(f, " | {}", effects.join(" + "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&joined(&self.factors, ":"))
    }
}

impl fmt::Display for Interaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&joined(&self.factors, "^"))
    }
}

fn joined(factors: &[String], by: &str) -> String {
    factors.iter().map(|factor| quoted(factor)).collect::<Vec<_>>().join(by)
}
