//! The numbers of publications.

use std::fmt;

/// The number of a transaction of the engine: 1, 2, 3, … It publishes the figures of its newest
/// vintage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Publication(pub u32);

impl fmt::Display for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
