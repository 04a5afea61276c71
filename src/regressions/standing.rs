//! Regression tables from stored estimates: the current ones, and those at a vintage.
//!
//! An estimate is current while its content and the sources of its panel are unchanged, and so is a
//! reason for missing data. A failed column is tried again.

use std::sync::Arc;

use super::closing::Choice;
use super::content::{Identity, errors_in_words};
use super::error::RegressionError;
use super::group::Fit;
use super::keep::Stamps;
use super::panels::{Kind, Panels};
use super::run::{Ask, Origin, Outcome};
use super::stored;
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::Vintage;
use crate::estimate::influence::LeaveOut;
use crate::home::{Home, Publication, StoredEstimate, StoredState};
use crate::specification::{Column, Specification};
use crate::tables::export::ExportError;

/// The current estimates of the requested columns, and the columns without one.
#[derive(Debug)]
pub struct Standing {
    /// The outcomes of columns with a current estimate.
    pub outcomes: Vec<Outcome>,
    /// The other columns, for each ask.
    pub missing: Vec<Choice>,
    /// The newest publication at which one of the other columns was estimated, with the end of its
    /// sample; `None` if none was.
    pub estimated_before: Option<(Publication, SampleEnd)>,
}

impl Standing {
    /// A state in which all requested columns are missing.
    #[must_use]
    pub fn nothing(asks: &[Ask<'_>]) -> Self {
        let wanted = |ask: &Ask<'_>| {
            let columns = ask.specification.columns().iter();
            let wanted = columns.filter(|column| ask.wanted.wants(column));
            Choice::Named(wanted.map(|column| column.name.clone()).collect())
        };
        let missing = asks.iter().map(wanted).collect();
        Self { outcomes: Vec::new(), missing, estimated_before: None }
    }

    /// The same state, in which estimates without the influence of some groups are missing.
    #[must_use]
    pub fn with_influence(mut self, asks: &[Ask<'_>], asked: &LeaveOut) -> Self {
        let lacks = |one: &mut Outcome| {
            let fit = one.result.as_ref().ok();
            let influence = fit.map(|fit| fit.estimate.influence.as_ref());
            influence.is_some_and(|own| !own.is_some_and(|own| asked.is_answered_by(own)))
        };
        for one in self.outcomes.extract_if(.., lacks) {
            let of_ask = asks.iter().position(|ask| {
                let columns = ask.specification.columns().iter();
                ask.specification.name == one.specification
                    && columns.filter(|own| ask.wanted.wants(own)).any(|own| own.name == one.column)
            });
            if let Some(Choice::Named(names)) = of_ask.map(|place| &mut self.missing[place]) {
                names.push(one.column);
            }
        }
        self
    }

    /// True if no column is missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.missing.iter().all(|choice| *choice == Choice::Named(Vec::new()))
    }
}

/// The current estimates of the requested columns, over the closed years up to `through` or all,
/// or over the same months of all years up to it.
///
/// # Errors
/// - [`RegressionError::NoYear`], [`RegressionError::NotClosed`],
///   [`RegressionError::MonthNotClosed`] if there are no such years.
/// - [`RegressionError::Home`] if the manifest cannot be read.
/// - [`RegressionError::OtherVersion`], [`RegressionError::Unreadable`] for unreadable estimates.
pub fn as_they_stand(
    panels: &Panels<'_>,
    asks: &[Ask<'_>],
    through: Option<SampleEnd>,
) -> Result<Standing, RegressionError> {
    let mut standing = Standing { missing: Vec::new(), ..Standing::nothing(&[]) };
    if Standing::nothing(asks).is_whole() {
        standing.missing = asks.iter().map(|_| Choice::Named(Vec::new())).collect();
        return Ok(standing);
    }
    let years = panels.years(through)?;
    let through = through.unwrap_or(SampleEnd::of_year(years[years.len() - 1]));
    let kept = panels.source.home.estimates()?;
    let mut stamps = Stamps::default();
    for Ask { specification, wanted } in asks {
        let mut missing = Vec::new();
        for column in specification.columns().iter().filter(|column| wanted.wants(column)) {
            let identity = Identity::of(column);
            if let Err(error) = Kind::at(column, through) {
                let of = Kept { specification, column, identity };
                standing.outcomes.push(of.impossible(through, error));
                continue;
            }
            let is_it = |one: &&StoredEstimate| {
                one.through == through && is_of(one, &identity) && !one.stamp.is_empty()
            };
            let newest = kept.iter().rev().find(is_it);
            let stands = match newest {
                Some(one) if !matches!(one.state, StoredState::Failed(_)) => {
                    !stamps.are_others(panels, one)?
                }
                _ => false,
            };
            if let Some(one) = newest.filter(|_| stands) {
                let kept = Kept { specification, column, identity };
                standing.outcomes.push(kept.outcome(one, Origin::Kept)?);
            } else {
                let estimated = newest.filter(|one| one.state.is_estimated());
                let before = estimated.map(|one| (one.publication, one.through));
                standing.estimated_before = standing.estimated_before.max(before);
                missing.push(column.name.clone());
            }
        }
        standing.missing.push(Choice::Named(missing));
    }
    Ok(standing)
}

fn is_of(one: &StoredEstimate, identity: &Identity) -> bool {
    one.model.as_ref().is_some_and(|model| model.identity == identity.hash())
}

/// The requested columns at a vintage: of the estimates made until then, the newest for the last
/// closed year or for `through`.
///
/// # Errors
/// - [`ExportError::NoVintage`] if the vintage does not exist.
/// - [`RegressionError::Home`] if the manifest cannot be read.
/// - [`RegressionError::OtherVersion`], [`RegressionError::Unreadable`] for unreadable estimates.
pub fn as_they_stood(
    home: &Home,
    asks: &[Ask<'_>],
    vintage: Vintage,
    through: Option<SampleEnd>,
) -> Result<Vec<Outcome>, RegressionError> {
    let newest = home.last_vintage()?.unwrap_or_default();
    if vintage > newest {
        return Err(ExportError::NoVintage { vintage, newest }.into());
    }
    let mut kept = home.estimates()?;
    // Without a stamp, the home prevented the estimation.
    kept.retain(|one| !one.stamp.is_empty());
    kept.retain(|one| through.map_or(one.through.is_whole(), |end| one.through == end));
    let mut outcomes = Vec::new();
    for Ask { specification, wanted } in asks {
        let is_bundled = Specification::named(&specification.name).as_ref() == Some(specification);
        for column in specification.columns().iter().filter(|column| wanted.wants(column)) {
            let of = Kept { specification, column, identity: Identity::of(column) };
            let mut own = Vec::new();
            for one in &kept {
                if is_of(one, &of.identity) {
                    own.push((one, Origin::Kept));
                } else if is_bundled && of.was_before(one)? {
                    own.push((one, Origin::Before));
                }
            }
            let then = own.iter().filter(|(one, _)| one.vintage <= vintage);
            let newest = then.max_by_key(|(one, _)| (one.through, one.number));
            outcomes.push(if let Some((one, origin)) = newest {
                of.outcome(one, *origin)?
            } else {
                let others = kept.iter().filter(|one| of.has_labels_of(one)).count();
                let first = own.iter().map(|(one, _)| one.vintage).min();
                of.not_yet(vintage, (through, first), others > own.len())
            });
        }
    }
    Ok(outcomes)
}

/// A column whose stored estimates are searched.
struct Kept<'s> {
    specification: &'s Specification,
    column: &'s Column,
    identity: Identity,
}

impl Kept<'_> {
    /// The outcome of a column from its stored estimate.
    fn outcome(&self, one: &StoredEstimate, origin: Origin) -> Result<Outcome, RegressionError> {
        let told = |told: &String, is_no_data| {
            Err(Arc::new(RegressionError::Before { told: told.clone(), is_no_data }))
        };
        Ok(Outcome {
            through: one.through,
            as_of: (one.publication, one.vintage),
            stamp: one.stamp.clone(),
            origin,
            result: match (&one.state, stored::fit(one)?) {
                (StoredState::NoData(why), _) => told(why, true),
                (StoredState::Failed(why), _) => told(why, false),
                (StoredState::Estimated { .. }, fit) => {
                    Ok(fit.expect("what is estimated has a fit"))
                }
            },
            ..self.unanswered()
        })
    }

    fn not_yet(
        &self,
        vintage: Vintage,
        (through, first): (Option<SampleEnd>, Option<Vintage>),
        has_others: bool,
    ) -> Outcome {
        let model = format!("{}.{}", self.specification.name, self.column.name);
        let error = RegressionError::NotYet { model, vintage, first, has_others };
        Outcome {
            through: through.unwrap_or_default(),
            as_of: (Publication::default(), vintage),
            result: Err(Arc::new(error)),
            ..self.unanswered()
        }
    }

    /// The outcome of a column whose panel does not have the requested end.
    fn impossible(&self, through: SampleEnd, error: RegressionError) -> Outcome {
        Outcome { through, origin: Origin::Now, result: Err(Arc::new(error)), ..self.unanswered() }
    }

    fn unanswered(&self) -> Outcome {
        Outcome {
            specification: self.specification.name.clone(),
            column: self.column.name.clone(),
            label: self.column.label.clone(),
            identity: self.identity.clone(),
            panel: Kind::of(self.column),
            through: SampleEnd::default(),
            as_of: (Publication::default(), Vintage::default()),
            stamp: String::new(),
            origin: Origin::Kept,
            result: Err(Arc::new(RegressionError::NoYear { through: None })),
        }
    }

    fn has_labels_of(&self, one: &StoredEstimate) -> bool {
        (&one.specification, &one.column) == (&self.specification.name, &self.column.name)
    }

    /// True if an estimate from before layout 3 belongs to this column of a bundled table. Its
    /// labels, formula, panel and clusters are compared.
    fn was_before(&self, one: &StoredEstimate) -> Result<bool, RegressionError> {
        if one.model.is_some() || !self.has_labels_of(one) {
            return Ok(false);
        }
        let is_same = |Fit { estimate, .. }: Fit| {
            estimate.formula == self.column.formula.to_string()
                && estimate.vcov == errors_in_words(&self.column.inference.vcov)
                && one.panel == Kind::of(self.column).name()
        };
        Ok(stored::fit(one)?.is_none_or(is_same))
    }
}
