//! Alerts: rules over published figures, their replay over history, and messages.
//!
//! ```text
//! alerts.toml ─▶ settings, rules ─┐
//! Reader ─▶ observe: figures ─────┼▶ judge: verdicts ─▶ states ─▶ evaluate: alerts, texts
//!             numerics: z, q ─────┘      presence: feed, estimates  ├▶ replay: all publications
//!                                                                   └▶ store: alerts.sqlite
//! live: beside a watcher ─▶ evaluate ─▶ store ─▶ outbox ─▶ sinks: webhook, robots, mail
//! ```
//! Input: a home at its publications, and rules. Output: alerts. A rule reads what a reader sees,
//! so an alert never delays a commit, and a replay raises what a watcher would have raised.

pub mod alert;
pub mod backup;
pub mod briefing;
pub mod evaluate;
pub mod judge;
pub mod live;
pub mod numerics;
pub mod observe;
pub mod outbox;
mod presence;
pub mod replay;
mod rule_text;
pub mod rules;
pub mod settings;
pub mod sheets;
pub mod sinks;
pub mod states;
pub mod status;
pub mod store;
mod text;

pub use alert::Alert;
pub use settings::{AlertsFileError, Settings};
