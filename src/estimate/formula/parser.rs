//! The parser: tokens to a formula.

use super::problem::{FACTORS_MAX, FormulaProblem, TERMS_MAX};
use super::syntax_tree::{Formula, Interaction, Term};
use super::tokens::{Place, Token, tokens};

/// The meaning of one product of the right-hand side.
enum Product {
    Constant(bool),
    Terms(Vec<Term>),
}

pub(super) struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
}

impl Parser {
    pub(super) fn new(text: &str) -> Place<Self> {
        Ok(Self { tokens: tokens(text)?, next: 0 })
    }

    pub(super) fn formula(mut self) -> Place<Formula> {
        if matches!(self.token(), Token::Mark('~') | Token::End) {
            return Err((FormulaProblem::NoOutcome, self.place()));
        }
        let outcome = self.name("the outcome's name")?;
        if !self.takes('~') {
            return Err(self.no_tilde());
        }
        if matches!(self.token(), Token::Mark('|') | Token::End) {
            return Err((FormulaProblem::NoRegressor, self.place()));
        }
        let (terms, intercept) = self.sum()?;
        let effects = match self.token() {
            Token::End => Vec::new(),
            Token::Mark('^') => return Err((FormulaProblem::Power, self.place())),
            Token::Mark('|') => {
                self.next += 1;
                if matches!(self.token(), Token::Zero | Token::One | Token::End) {
                    return Err((FormulaProblem::NoEffect, self.place()));
                }
                self.effects()?
            }
            Token::Mark('~') => return Err((FormulaProblem::Instruments, self.place())),
            _ => return Err(self.unexpected("one of + - : * and |")),
        };
        self.end()?;
        Ok(Formula { outcome, terms, intercept, effects })
    }

    /// Parses interactions up to the end of the text.
    pub(super) fn interactions(mut self) -> Place<Vec<Interaction>> {
        let effects = self.effects()?;
        self.end()?;
        Ok(effects)
    }

    /// Parses one product up to the end of the text.
    pub(super) fn term(mut self) -> Place<Term> {
        let factors = self.factors(':')?;
        if *self.token() == Token::End {
            Ok(Term { factors })
        } else {
            Err(self.unexpected("one variable or product"))
        }
    }

    /// The reason why the outcome is not followed by `~`.
    fn no_tilde(&self) -> (FormulaProblem, usize) {
        let problem = match self.token() {
            Token::Mark('+') => FormulaProblem::SeveralOutcomes,
            Token::Mark('-' | ':' | '*' | '^') => FormulaProblem::ComputedOutcome,
            Token::Mark(_) | Token::End => FormulaProblem::NoTilde,
            _ => return self.unexpected("\"~\""),
        };
        (problem, self.place())
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

    /// Parses names joined by `mark`; a repeated name counts once.
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
        match self.token() {
            Token::Name(name) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    /// Checks that the formula ends after the effects.
    fn end(&self) -> Place<()> {
        let problem = match self.token() {
            Token::End => return Ok(()),
            Token::Mark('|' | '~') => FormulaProblem::Instruments,
            Token::Mark(':' | '*' | '-') => FormulaProblem::EffectOperator,
            _ => return Err(self.unexpected("one of + and ^")),
        };
        Err((problem, self.place()))
    }

    fn takes(&mut self, mark: char) -> bool {
        self.takes_token(&Token::Mark(mark))
    }

    /// Consumes the token if it is next; the end is never consumed.
    fn takes_token(&mut self, token: &Token) -> bool {
        let found = self.token() == token;
        self.next += usize::from(found);
        found
    }

    fn token(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn place(&self) -> usize {
        self.tokens[self.next].1
    }

    fn unexpected(&self, wanted: &'static str) -> (FormulaProblem, usize) {
        let (token, place) = &self.tokens[self.next];
        (FormulaProblem::Expected { wanted, found: token.to_string() }, *place)
    }
}

/// Expands `a*b*c` to its terms: lower orders first, then in written order.
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
