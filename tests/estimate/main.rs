//! The estimator: what holds of every estimate, agreement with another implementation, the command.

mod command;
mod elimination;
mod properties;
mod reference;
