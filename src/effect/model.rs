//! A column of the regressions as a model of effects: its terms by component, and the variables
//! that a row must have.

use super::component::Component;
use super::error::EffectError;
use crate::estimate::formula::Term;
use crate::regressions::content::Identity;
use crate::specification::{Column, Condition, Panel, Specification, Trade};

/// The growth variables of affiliates, one of which a model has.
const AFFILIATE: [(&str, &str); 2] = [
    ("affiliate_growth", "affiliate_ln_density"),
    ("affiliate_growth_weighted", "affiliate_ln_density_weighted"),
];
/// The growth of the plant's own city, and its density.
const LOCAL: (&str, &str) = ("local_growth", "local_ln_density");
/// The densities, which are those of twelve months unless the user asks for the span's own.
pub const DENSITIES: [&str; 4] = [AFFILIATE[0].1, AFFILIATE[1].1, LOCAL.1, "province_ln_density"];
/// The amounts of a span, which are smaller for fewer months.
const GROWS_WITH_THE_SPAN: [&str; 4] =
    ["ln_export", "ln_import", "ln_firm_export", "ln_export_elsewhere"];

/// The affiliates' pair of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair {
    /// Equations (13) and (14).
    Plain,
    /// Equations (16) and (17).
    Weighted,
}

/// A column as a model of effects.
#[derive(Clone, Debug)]
pub struct Model {
    /// The name, such as `3.4`.
    pub name: String,
    /// The identity of the estimates.
    pub identity: Identity,
    /// The variables that a row must have.
    pub variables: Vec<String>,
    /// The conditions that a row must meet.
    pub keep: Vec<Condition>,
    /// The affiliates' pair.
    pub pair: Pair,
    terms: Vec<Term>,
}

impl Model {
    /// The model of a column such as `3.4`.
    ///
    /// # Errors
    /// - [`EffectError::NoModel`] if there is no such column.
    /// - [`EffectError::Refused`] if its coefficients are not those of log exports on the plants'
    ///   indicators.
    pub fn named(name: &str) -> Result<Self, EffectError> {
        let column = column(name).ok_or_else(|| EffectError::NoModel { name: name.to_owned() })?;
        let refused = |why: &'static str| EffectError::Refused { name: name.to_owned(), why };
        if column.standardise {
            return Err(refused("its coefficients are in standard deviations"));
        }
        if column.centre {
            return Err(refused("its interactions are centred over its own sample"));
        }
        if column.panel == Panel::Product {
            return Err(refused("its rows are products"));
        }
        if column.trade == Trade::Ordinary {
            return Err(refused("its indicators are those of ordinary trade alone"));
        }
        if column.formula.outcome != "ln_export" {
            return Err(refused("its outcome is not the exports of the row"));
        }
        let terms = column.formula.terms.clone();
        let has = |growth: &str| terms.iter().any(|term| is_with(term, growth));
        let pair = match AFFILIATE.map(|(growth, _)| has(growth)) {
            [true, _] => Pair::Plain,
            [false, true] => Pair::Weighted,
            [false, false] => return Err(refused("it has no growth of affiliate cities")),
        };
        Ok(Self {
            name: name.to_owned(),
            identity: Identity::of(&column),
            variables: column.variables().into_iter().map(str::to_owned).collect(),
            keep: column.keep,
            pair,
            terms,
        })
    }

    /// The affiliates' growth and density.
    #[must_use]
    pub fn affiliate(&self) -> (&'static str, &'static str) {
        AFFILIATE[usize::from(self.pair == Pair::Weighted)]
    }

    /// The terms of a component.
    ///
    /// # Errors
    /// [`EffectError::NoComponent`] if the model has none.
    pub fn terms(&self, component: Component) -> Result<Vec<Term>, EffectError> {
        let (growth, density) = self.affiliate();
        let is_of = |term: &&Term| match component {
            Component::Affiliate => is_with(term, growth),
            Component::Local => is_with(term, LOCAL.0),
            Component::Both => is_with(term, growth) || is_with(term, LOCAL.0),
            Component::Density => term.factors == [density],
        };
        let terms: Vec<Term> = self.terms.iter().filter(is_of).cloned().collect();
        let has_local = self.terms.iter().any(|term| is_with(term, LOCAL.0));
        if terms.is_empty() || (component == Component::Both && !has_local) {
            return Err(EffectError::NoComponent { model: self.name.clone(), component });
        }
        Ok(terms)
    }

    /// The growth and the density whose means a component's rows show.
    #[must_use]
    pub fn shown(&self, component: Component) -> Option<(&'static str, &'static str)> {
        match component {
            Component::Affiliate | Component::Density => Some(self.affiliate()),
            Component::Local => Some(LOCAL),
            Component::Both => None,
        }
    }

    /// Checks that the terms of a component are comparable with those of whole years.
    ///
    /// # Errors
    /// [`EffectError::GrowsWithSpan`] for fewer than twelve months and an amount among the terms.
    pub fn check_months(&self, terms: &[Term], n_months: u8) -> Result<(), EffectError> {
        let mut factors = terms.iter().flat_map(|term| &term.factors);
        let amount = factors.find(|name| GROWS_WITH_THE_SPAN.contains(&name.as_str()));
        match amount.filter(|_| n_months < 12) {
            Some(amount) => {
                let (model, variable) = (self.name.clone(), amount.clone());
                Err(EffectError::GrowsWithSpan { model, variable })
            }
            None => Ok(()),
        }
    }
}

/// True if a term contains a variable.
pub fn is_with(term: &Term, variable: &str) -> bool {
    term.factors.iter().any(|factor| factor == variable)
}

fn column(name: &str) -> Option<Column> {
    let (specification, column) = name.split_once('.')?;
    let specification = Specification::named(specification)?;
    specification.columns().iter().find(|own| own.name == column).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(model: &str, component: Component) -> Vec<String> {
        let model = Model::named(model).expect("a model");
        model.terms(component).expect("terms").iter().map(Term::to_string).collect()
    }

    #[test]
    fn a_component_has_the_terms_with_its_growth() {
        let (growth, product) = ("affiliate_growth", "affiliate_growth:affiliate_ln_density");
        assert_eq!(terms("3.4", Component::Affiliate), [growth, product]);
        assert_eq!(
            terms("3.4", Component::Local),
            ["local_growth", "local_growth:local_ln_density"]
        );
        assert_eq!(terms("3.4", Component::Both).len(), 4);
        assert_eq!(terms("3.4", Component::Density), ["affiliate_ln_density"]);
        assert_eq!(terms("6.1", Component::Affiliate), [growth, product, "affiliate_growth:new"]);
        let weighted = terms("4.1", Component::Affiliate);
        assert_eq!(weighted[0], "affiliate_growth_weighted");
        let no_local = Model::named("3.1").expect("a model").terms(Component::Both);
        assert!(matches!(no_local, Err(EffectError::NoComponent { .. })));
    }

    #[test]
    fn columns_in_other_units_or_of_other_rows_are_refused() {
        for name in ["3.5", "4.2", "5.1", "6.2", "footnote.centred"] {
            let error = Model::named(name).expect_err(name);
            assert!(matches!(error, EffectError::Refused { .. }), "{name}: {error}");
        }
        for name in ["3", "3.9", "9.1", "", "figure1"] {
            assert!(matches!(Model::named(name), Err(EffectError::NoModel { .. })), "{name}");
        }
    }

    #[test]
    fn an_amount_among_the_terms_needs_twelve_months() {
        let model = Model::named("6.5").expect("a model");
        let terms = model.terms(Component::Affiliate).expect("terms");
        assert!(model.check_months(&terms, 11).is_err());
        assert!(model.check_months(&terms, 12).is_ok());
        let local = model.terms(Component::Local).expect("terms");
        assert!(model.check_months(&local, 3).is_ok(), "the amount is not a part of it");
    }
}
