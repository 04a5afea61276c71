//! Specifications to estimates: columns that share sample and effects are solved once, whichever
//! specifications they are of.
//!
//! The sample of a specification is the rows in which none of the variables of any of its columns
//! is absent, as far as the panel has them. A column that reads a variable without any value fails,
//! by that name, and asks nothing of the others' sample.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::columns::Columns;
use super::error::RegressionError;
use super::group::{self, Asked, Group, Sample};
use super::memories::Memories;
use super::panels::{Kind, Panels};
use crate::archive::Publication;
use crate::estimate::result::Estimate;
use crate::specification::{Column, Specification};
use crate::types::{Vintage, Year};

/// What to estimate.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'s> {
    /// The specification.
    pub specification: &'s Specification,
    /// Its columns that are wanted.
    pub wanted: &'s dyn Wanted,
}

/// Which columns are wanted.
pub trait Wanted: std::fmt::Debug {
    /// Whether one is.
    fn wants(&self, column: &Column) -> bool;
}

/// A model that was estimated.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The estimate.
    pub estimate: Estimate,
    /// Seconds from the panel to the estimates of all columns solved with it.
    pub seconds: f64,
}

/// What became of a column.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The specification's name.
    pub specification: String,
    /// The column's name.
    pub column: String,
    /// What is different about it.
    pub label: String,
    /// The panel.
    pub panel: Kind,
    /// The last year of the sample.
    pub through: Year,
    /// The newest publication and file.
    pub as_of: (Publication, Vintage),
    /// What the panel was made from; nothing where the home did not let it be made, so that a later
    /// estimation may go well.
    pub stamp: String,
    /// The estimate, or why there is none.
    pub result: Result<Fit, Arc<RegressionError>>,
}

impl Outcome {
    /// How the model is called: specification and column.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.specification, self.column)
    }
}

/// The regressions of a home.
pub struct Regressions<'a> {
    /// Its panels.
    pub panels: Panels<'a>,
    years: Vec<Year>,
    loaded: BTreeMap<Kind, Result<Columns, Arc<RegressionError>>>,
}

impl<'a> Regressions<'a> {
    /// Over the closed years up to one, or all.
    ///
    /// # Errors
    /// [`RegressionError::NoYear`], [`RegressionError::NotClosed`] if there are none.
    pub fn new(panels: Panels<'a>, through: Option<Year>) -> Result<Self, RegressionError> {
        let years = panels.years(through)?;
        Ok(Self { panels, years, loaded: BTreeMap::new() })
    }

    /// The years of the sample.
    #[must_use]
    pub fn years(&self) -> &[Year] {
        &self.years
    }

    /// Reads the columns that names stand for into memory, once. A panel that cannot be made is an
    /// outcome of its columns; a disk that fails or is full is none: the same may go well later.
    fn load(&mut self, wanted: &BTreeMap<Kind, BTreeSet<String>>) -> Result<(), RegressionError> {
        for (&kind, names) in wanted {
            let loaded = match self.read(kind, names) {
                Err(error) if error.is_of_disk() => return Err(error),
                loaded => loaded.map_err(Arc::new),
            };
            self.loaded.insert(kind, loaded);
        }
        Ok(())
    }

    /// Reads columns of a panel into memory.
    ///
    /// # Errors
    /// [`RegressionError`] if a year cannot be made or read.
    pub(super) fn read(
        &mut self,
        kind: Kind,
        names: &BTreeSet<String>,
    ) -> Result<Columns, RegressionError> {
        self.panels.prepare(kind, &self.years)?;
        Columns::load(&self.panels, kind, &self.years, names)
    }

    /// A panel's columns, once loaded.
    fn columns(&self, kind: Kind) -> Result<&Columns, Arc<RegressionError>> {
        self.loaded[&kind].as_ref().map_err(Arc::clone)
    }

    /// Estimates what is asked for, in its order; `memories` are used where they fit, and those
    /// of the new solutions put in their place.
    ///
    /// # Errors
    /// [`RegressionError`] if the home cannot be read or its disk fails; a column that fails is an
    /// outcome.
    pub fn run(
        &mut self,
        asks: &[Ask<'_>],
        memories: Option<&mut Memories>,
    ) -> Result<Vec<Outcome>, RegressionError> {
        let mut wanted: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
        for ask in asks {
            let columns = ask.specification.columns();
            for kind in columns.iter().filter(|c| ask.wanted.wants(c)).map(Kind::of) {
                let names = wanted.entry(kind).or_default();
                names.extend(columns.iter().flat_map(Column::reads).map(str::to_owned));
            }
        }
        self.load(&wanted)?;
        let (mut outcomes, mut groups) = (Vec::new(), Vec::new());
        for ask in asks {
            self.specification(ask, &mut outcomes, &mut groups)?;
        }
        for (place, result) in group::solve(&groups, memories) {
            outcomes[place].result = result;
        }
        Ok(outcomes)
    }

    /// Puts the columns of a specification into groups; what cannot be estimated is an outcome.
    fn specification<'s>(
        &'s self,
        ask: &Ask<'s>,
        outcomes: &mut Vec<Outcome>,
        groups: &mut Vec<Group<'s, 's>>,
    ) -> Result<(), RegressionError> {
        let mut by_kind: BTreeMap<Kind, Vec<Asked<'s>>> = BTreeMap::new();
        for column in ask.specification.columns().iter().filter(|c| ask.wanted.wants(c)) {
            let kind = Kind::of(column);
            by_kind.entry(kind).or_default().push(Asked { place: outcomes.len(), column });
            outcomes.push(self.unanswered(ask.specification, column)?);
        }
        let name = ask.specification.name.as_str();
        for (kind, asked) in by_kind {
            let columns = match self.columns(kind) {
                Ok(columns) => columns,
                Err(error) => {
                    for one in &asked {
                        let outcome = &mut outcomes[one.place];
                        outcome.result = Err(Arc::clone(&error));
                        if error.is_of_home() {
                            outcome.stamp.clear();
                        }
                    }
                    continue;
                }
            };
            let sample = Arc::new(Sample::of(&self.panels, kind, columns, ask.specification));
            for one in asked {
                if let Err(error) = sample.check(one.column) {
                    outcomes[one.place].result = Err(Arc::new(error));
                    continue;
                }
                match groups.iter_mut().find(|group| group.takes(&sample, &one)) {
                    Some(group) => group.push(name, one),
                    None => groups.push(Group::new(Arc::clone(&sample), name, one)),
                }
            }
        }
        Ok(())
    }

    /// The outcome of a column before there is one.
    fn unanswered(
        &self,
        specification: &Specification,
        column: &Column,
    ) -> Result<Outcome, RegressionError> {
        let kind = Kind::of(column);
        Ok(Outcome {
            specification: specification.name.clone(),
            column: column.name.clone(),
            label: column.label.clone(),
            panel: kind,
            through: self.years[self.years.len() - 1],
            as_of: self.panels.archive.last_publication()?.unwrap_or_default(),
            stamp: self.panels.stamps(kind, &self.years)?,
            result: Err(Arc::new(RegressionError::NoYear { through: None })),
        })
    }
}
