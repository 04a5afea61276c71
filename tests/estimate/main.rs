//! The estimator: properties of every estimate, agreement with another implementation, the command.

mod columns;
mod command;
mod dense;
mod elimination;
mod kinds;
mod leave_out;
mod limits;
mod properties;
mod reference;
