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
//! A name is letters, digits, `_` and `.`, or anything between backquotes. Terms keep the order in
//! which
//! they were written, and a term written twice counts once: of collinear regressors the later one
//! goes.

use std::fmt;

use thiserror::Error;

/// Factors that one `a*b*…` may have: it stands for 2ⁿ − 1 terms.
const FACTORS_MAX: usize = 8;
/// Terms a formula may have.
const TERMS_MAX: usize = 512;

/// A regression: outcome, regressors, intercept and the fixed effects to absorb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula {
    /// The column on the left.
    pub outcome: String,
    /// The regressors, as written.
    pub terms: Vec<Term>,
    /// Whether a constant is estimated; fixed effects absorb it.
    pub intercept: bool,
    /// The fixed effects, as written.
    pub effects: Vec<Interaction>,
}

/// A product of variables, `a:b`.
#[derive(Debug, Clone, Eq)]
pub struct Term {
    /// The columns multiplied.
    pub factors: Vec<String>,
}

/// Codes combined, `f^g`: one level for each combination that occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// The columns combined.
    pub factors: Vec<String>,
}

/// Where and why a text is not a formula; shown with a caret under the place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem}\n  {text}\n  {}^", " ".repeat(*.column))]
pub struct FormulaError {
    /// What is wrong.
    pub problem: FormulaProblem,
    /// The formula's line.
    pub text: String,
    /// Characters before the place.
    pub column: usize,
}

/// What can be wrong with a formula.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormulaProblem {
    /// A character outside the grammar.
    #[error("a formula has no {0:?}; use + - : * ^ | and column names")]
    Character(char),
    /// A backquote that is never closed.
    #[error("a quoted name is not closed")]
    OpenQuote,
    /// A name was expected and something else found.
    #[error("expected {wanted} and found {found}")]
    Expected {
        /// What the grammar asks for.
        wanted: &'static str,
        /// What stands there.
        found: String,
    },
    /// `-` before anything but `1` or a term written earlier.
    #[error("the term taken away was not added before")]
    NothingToRemove,
    /// `a*b*…` with too many factors, or too many terms.
    #[error("too many terms: at most {FACTORS_MAX} factors in a product and {TERMS_MAX} terms")]
    TooMany,
    /// An effect written twice.
    #[error("the fixed effect is there twice")]
    EffectTwice,
}

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
        let line: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let parsed = tokens(&line).and_then(|tokens| Parser { tokens, next: 0 }.formula());
        parsed.map_err(|(problem, column)| FormulaError { problem, text: line, column })
    }

    /// Every column the formula reads, the outcome first.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut names = vec![self.outcome.as_str()];
        let factors = self.terms.iter().map(|t| &t.factors);
        for factor in factors.chain(self.effects.iter().map(|e| &e.factors)).flatten() {
            if !names.contains(&factor.as_str()) {
                names.push(factor);
            }
        }
        names
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
            Err(_) => Err(FormulaError {
                problem: FormulaProblem::Expected {
                    wanted: "one interaction",
                    found: "several".into(),
                },
                text: text.into(),
                column: 0,
            }),
        })
    }

    /// Reads `a^b + c`, the way two-way clusters are given.
    ///
    /// # Errors
    /// [`FormulaError`] where the text is anything else.
    pub fn parse_sum(text: &str) -> Result<Vec<Self>, FormulaError> {
        let parsed = tokens(text).and_then(|tokens| {
            let mut parser = Parser { tokens, next: 0 };
            let effects = parser.effects()?;
            parser.end()?;
            Ok(effects)
        });
        parsed.map_err(|(problem, column)| FormulaError { problem, text: text.into(), column })
    }
}

impl Term {
    /// Reads `a` or `a:b`.
    ///
    /// # Errors
    /// [`FormulaError`] where the text is anything else.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        let parsed = tokens(text).and_then(|tokens| {
            let mut parser = Parser { tokens, next: 0 };
            let factors = parser.factors(':')?;
            parser.end()?;
            Ok(Self { factors })
        });
        parsed.map_err(|(problem, column)| FormulaError { problem, text: text.into(), column })
    }
}

impl PartialEq for Term {
    /// Products commute.
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

/// A name as the grammar reads it back.
fn quoted(name: &str) -> String {
    let plain = name.chars().all(in_name) && !matches!(name, "" | "0" | "1");
    if plain { name.into() } else { format!("`{name}`") }
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

type Place<T> = Result<T, (FormulaProblem, usize)>;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Zero,
    One,
    Mark(char),
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?}"),
            Self::Zero => f.write_str("0"),
            Self::One => f.write_str("1"),
            Self::Mark(mark) => write!(f, "{mark:?}"),
            Self::End => f.write_str("the end"),
        }
    }
}

/// The words of the text, each with the number of characters before it.
fn tokens(text: &str) -> Place<Vec<(Token, usize)>> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let start = at;
        at += 1;
        match c {
            ' ' | '\t' | '\n' | '\r' => {}
            '~' | '+' | '-' | ':' | '*' | '^' | '|' => tokens.push((Token::Mark(c), start)),
            '`' => {
                let length = chars[at..].iter().position(|&c| c == '`').filter(|&n| n > 0);
                let end = at + length.ok_or((FormulaProblem::OpenQuote, start))?;
                tokens.push((Token::Name(chars[at..end].iter().collect()), start));
                at = end + 1;
            }
            c if in_name(c) => {
                at += chars[at..].iter().take_while(|&&c| in_name(c)).count();
                tokens.push((word(chars[start..at].iter().collect()), start));
            }
            c => return Err((FormulaProblem::Character(c), start)),
        }
    }
    tokens.push((Token::End, chars.len()));
    Ok(tokens)
}

fn word(name: String) -> Token {
    match name.as_str() {
        "0" => Token::Zero,
        "1" => Token::One,
        _ => Token::Name(name),
    }
}

/// What one product of the right-hand side means.
enum Product {
    Constant(bool),
    Terms(Vec<Term>),
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
}

impl Parser {
    fn formula(mut self) -> Place<Formula> {
        let outcome = self.name("the outcome's name")?;
        if !self.takes('~') {
            return Err(self.unexpected("\"~\""));
        }
        let (terms, intercept) = self.sum()?;
        let effects = if self.takes('|') { self.effects()? } else { Vec::new() };
        self.end()?;
        Ok(Formula { outcome, terms, intercept, effects })
    }

    fn sum(&mut self) -> Place<(Vec<Term>, bool)> {
        let (mut terms, mut intercept) = (Vec::new(), true);
        let mut adds = !self.takes('-');
        if adds {
            self.takes('+');
        }
        loop {
            let place = self.place();
            match self.product()? {
                Product::Constant(one) => intercept = one == adds,
                Product::Terms(all) if adds => include(&mut terms, all),
                Product::Terms(all) => {
                    remove(&mut terms, &all).map_err(|problem| (problem, place))?;
                }
            }
            if terms.len() > TERMS_MAX {
                return Err((FormulaProblem::TooMany, place));
            }
            adds = self.takes('+');
            if !adds && !self.takes('-') {
                return Ok((terms, intercept));
            }
        }
    }

    fn product(&mut self) -> Place<Product> {
        let place = self.place();
        if self.takes_token(&Token::Zero) {
            return Ok(Product::Constant(false));
        }
        if self.takes_token(&Token::One) {
            return Ok(Product::Constant(true));
        }
        let mut factors = vec![self.factors(':')?];
        while self.takes('*') {
            factors.push(self.factors(':')?);
        }
        if factors.len() > FACTORS_MAX {
            return Err((FormulaProblem::TooMany, place));
        }
        let terms = expanded(&factors);
        if terms.iter().any(|term| term.factors.len() > FACTORS_MAX) {
            return Err((FormulaProblem::TooMany, place));
        }
        Ok(Product::Terms(terms))
    }

    fn effects(&mut self) -> Place<Vec<Interaction>> {
        let mut effects: Vec<Interaction> = Vec::new();
        loop {
            let place = self.place();
            let effect = Interaction { factors: self.factors('^')? };
            let same = |other: &Interaction| {
                Term { factors: other.factors.clone() } == Term { factors: effect.factors.clone() }
            };
            if effects.iter().any(same) {
                return Err((FormulaProblem::EffectTwice, place));
            }
            effects.push(effect);
            if !self.takes('+') {
                return Ok(effects);
            }
        }
    }

    /// Names joined by `mark`; one that comes twice counts once.
    fn factors(&mut self, mark: char) -> Place<Vec<String>> {
        let mut names = vec![self.name("a column's name")?];
        while self.takes(mark) {
            let place = self.place();
            let name = self.name("a column's name")?;
            if !names.contains(&name) {
                names.push(name);
            }
            if names.len() > FACTORS_MAX {
                return Err((FormulaProblem::TooMany, place));
            }
        }
        Ok(names)
    }

    fn name(&mut self, wanted: &'static str) -> Place<String> {
        match &self.tokens[self.next].0 {
            Token::Name(name) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    fn end(&self) -> Place<()> {
        let at_end = self.tokens[self.next].0 == Token::End;
        if at_end { Ok(()) } else { Err(self.unexpected("the end of the formula")) }
    }

    fn takes(&mut self, mark: char) -> bool {
        self.takes_token(&Token::Mark(mark))
    }

    /// Steps over the token if it is next; the end is never stepped over.
    fn takes_token(&mut self, token: &Token) -> bool {
        let found = self.tokens[self.next].0 == *token;
        self.next += usize::from(found);
        found
    }

    fn place(&self) -> usize {
        self.tokens[self.next].1
    }

    fn unexpected(&self, wanted: &'static str) -> (FormulaProblem, usize) {
        let (token, place) = &self.tokens[self.next];
        (FormulaProblem::Expected { wanted, found: token.to_string() }, *place)
    }
}

/// `a*b*c` as its terms: lower orders first, then as written.
fn expanded(factors: &[Vec<String>]) -> Vec<Term> {
    let mut subsets: Vec<u32> = (1..1 << factors.len()).collect();
    subsets.sort_by_key(|subset| (subset.count_ones(), subset.reverse_bits() ^ u32::MAX));
    let mut terms = Vec::new();
    for subset in subsets {
        let mut names: Vec<String> = Vec::new();
        for (i, factor) in factors.iter().enumerate() {
            if subset >> i & 1 == 1 {
                names.extend(
                    factor.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>(),
                );
            }
        }
        include(&mut terms, vec![Term { factors: names }]);
    }
    terms
}

fn include(terms: &mut Vec<Term>, more: Vec<Term>) {
    for term in more {
        if !terms.contains(&term) {
            terms.push(term);
        }
    }
}

fn remove(terms: &mut Vec<Term>, less: &[Term]) -> Result<(), FormulaProblem> {
    for term in less {
        let place = terms.iter().position(|t| t == term).ok_or(FormulaProblem::NothingToRemove)?;
        terms.remove(place);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
