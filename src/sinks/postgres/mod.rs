//! The tables of the newest publication in a schema of a PostgreSQL database.
//!
//! ```text
//! Reader ─▶ content: units (table and year or month) with identities ─┐
//! database: identities of what it has ────────────────────────────────┴▶ units that differ
//!     ─▶ COPY BINARY ─▶ rows that go, change, come ─▶ publication, identities ─▶ COMMIT
//! ```
//! One transaction writes one publication, so a kill at any point leaves the publication before or
//! this one. An advisory lock admits one writer. The database names the history of its home, so
//! another home cannot replace its rows.

mod content;
mod copy;
mod error;
mod follow;
mod merge;
mod schema;
mod session;
mod state;
mod target;
mod write;

pub use copy::Unstorable;
pub use error::{Changed, SyncError, Synced};
pub use follow::{Follow, Following};
pub use session::Stopping;
pub use target::{ConnectError, SCHEMA, Target, TargetError};
pub use write::sync;
