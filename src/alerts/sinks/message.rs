//! A message to a sink, and the result of an attempt.

use std::time::Duration;

use crate::alerts::alert::Alert;

/// A message to a sink.
#[derive(Clone, Debug)]
pub struct Message<'m> {
    /// The identifier: the same for every attempt.
    pub id: &'m str,
    /// The alerts.
    pub alerts: &'m [Alert],
    /// The sentences, as many as the sink takes.
    pub text: String,
}

/// The result of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The sink has the message.
    Delivered,
    /// The sink takes messages later.
    Throttled {
        /// The wait that it asks for.
        wait: Duration,
        /// The reason.
        why: String,
    },
    /// The attempt failed.
    Failed(String),
    /// The sink refuses the message for good: a repeat is of use after somebody mends the cause.
    Refused(String),
}
