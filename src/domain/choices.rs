//! Choices the paper leaves open, each with its default (METHODOLOGY, "Choices").

use serde::{Deserialize, Serialize};

/// The cities of a firm that count as affiliates of a plant in a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Cities from which the firm has exported in any year up to then: since its founding, as in
    /// the paper.
    #[default]
    Founded,
    /// Cities from which the firm exports in that year.
    Active,
}

/// The treatment of the firm's own plants in the sums of affiliate cities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnPlants {
    /// Included, as in equation (13).
    #[default]
    Include,
    /// Excluded from `S` and `n` of the affiliate cities and of the province's other cities.
    Exclude,
}

/// The weights of equations (16) and (17).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// The affiliate plant's exports to all destinations.
    #[default]
    Total,
    /// The affiliate plant's exports to the row's destination: the formula's index taken literally.
    Destination,
}

/// The choices in the definition of the indicators (METHODOLOGY, "Choices").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// The affiliate cities.
    pub network: Network,
    /// The treatment of own plants.
    pub own_plants: OwnPlants,
    /// The weights.
    pub weights: Weights,
}
