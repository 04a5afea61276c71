//! The estimator: what holds of every estimate, agreement with another implementation, the command.

mod columns;
mod command;
mod elimination;
mod kinds;
mod properties;
mod reference;
