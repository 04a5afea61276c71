//! Choices the paper leaves open, each with its default (METHODOLOGY, "Choices").

use serde::{Deserialize, Serialize};

/// Which of a firm's cities count as affiliates of a plant in a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Cities in which the firm has exported in any year up to then: from its founding on, as the
    /// paper says.
    #[default]
    Founded,
    /// Cities in which it exports in that year.
    Active,
}

/// Whether the firm's own plants stay in the affiliate cities' sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnPlants {
    /// As equation (13) is written.
    #[default]
    Include,
    /// Left out of `S` and `n` of the affiliate cities, and of the province's other cities.
    Exclude,
}

/// What the weights of equations (16) and (17) are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// The affiliate plant's exports to all destinations.
    #[default]
    Total,
    /// Its exports to the row's destination, taking the formula's index literally.
    Destination,
}

/// The choices in the definition of the indicators (METHODOLOGY, "Choices").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The affiliate cities.
    pub network: Network,
    /// Whether own plants count.
    pub own_plants: OwnPlants,
    /// The weights.
    pub weights: Weights,
}
