//! The engine: ingests files, closes months, publishes. This module lists the stages of a feed.
//!
//! ```text
//! files ─▶ read ahead ─▶ accept or refuse ─▶ segment ─┐
//!                              │                      ├─▶ one commit
//!                              ▼                      │
//!                      amounts by role ─▶ dataflow ─▶ parts of `city` and `plant`
//! ```
//!
//! Files are ingested by period. A *step* is one publication: the files up to a December that
//! closes, or to the end of the list. A step is committed whole or not at all. After an error the
//! engine is dropped and the home is unchanged.

mod admission;
pub mod again;
pub mod amounts;
mod budget;
mod codes_seen;
pub mod compact;
mod error;
mod intake;
mod mend;
mod names;
pub mod open;
mod outcome;
mod publisher;
mod reading;
pub mod rebuild;
mod recent;
pub mod recorded;
mod replace;
pub mod replay;
pub mod request;
mod restore;
mod running;
pub mod runs;
mod snapshot;
mod span;
mod step;
pub mod sums;
pub mod survey;
mod upgrade;
pub mod withdraw;

pub use error::{EngineError, with_causes};
pub use names::Names;
pub use open::{Engine, Request};
pub use outcome::{FileOutcome, Observer, Outcome, Refusal, Unwatched, annual_only};
pub use restore::{Restored, State, needs_records};
pub use running::LiveSegment;
pub use withdraw::file_named;
