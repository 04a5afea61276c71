//! The groups to leave out, and the bootstrap.

use crate::estimate::formula::Interaction;
use crate::estimate::result::Influence;

/// A request to leave out groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaveOut {
    /// The columns whose values are the groups.
    pub groups: Interaction,
    /// The bootstrap, if requested.
    pub wild: Option<Wild>,
}

/// A request for the wild cluster bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wild {
    /// The number of draws.
    pub n_draws: usize,
    /// The seed of the draws.
    pub seed: u64,
}

impl LeaveOut {
    /// True if an influence has the groups and the bootstrap of the request.
    #[must_use]
    pub fn is_answered_by(&self, influence: &Influence) -> bool {
        let is_wild = |asked: Wild| {
            let found = influence.wild.as_ref();
            found.is_some_and(|wild| {
                wild.seed == asked.seed
                    && (wild.n_draws == asked.n_draws
                        || wild.are_all && wild.n_draws < asked.n_draws)
            })
        };
        influence.groups == self.groups.to_string() && self.wild.is_none_or(is_wild)
    }
}
