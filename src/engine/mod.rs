//! The engine: takes in files, closes months, publishes. The table of contents of what happens to a
//! feed.
//!
//! ```text
//! files ─▶ read ahead ─▶ accept or refuse ─▶ segment ─┐
//!                              │                      ├─▶ one commit
//!                              ▼                      │
//!                      amounts by role ─▶ dataflow ─▶ parts of `city` and `plant`
//! ```
//!
//! Files go in by period. A *step* is what is published together: the files up to a December that
//! closes, or up to the end of the list. It is committed whole or not at all; after an error the
//! engine is dropped and the home is as it was.

mod admission;
pub mod amounts;
mod budget;
pub mod compact;
mod error;
mod intake;
mod mend;
pub mod open;
mod outcome;
mod publisher;
mod reading;
pub mod rebuild;
mod recent;
mod replace;
pub mod replay;
pub mod request;
mod restore;
mod running;
mod snapshot;
mod sums;
mod upgrade;
pub mod withdraw;

pub use error::{EngineError, with_causes};
pub use open::{Engine, Request};
pub use outcome::{FileOutcome, Observer, Outcome, Refusal, Unwatched, thin_months};
pub use restore::{Restored, State, needs_records};
pub use running::{LiveSegment, Names};
pub use withdraw::file_named;
