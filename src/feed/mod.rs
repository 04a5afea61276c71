//! Bytes to records or rejects.
//!
//! Input: the files of a feed in the format of some agency, and a [`profile::Profile`] that
//! describes the format. Output: for each file an [`Intake`](crate::domain::record::Intake) with
//! its records, its rejected lines and their counts, or a refusal ([`refused::Refused`]).
//!
//! ```text
//! folders ─ source ─▶ files ─ decode ─▶ text ─ frame ─▶ lines ─ check ─▶ records | rejects
//!            (pattern)        (unpack,          (quotes,        (header,       │
//!                              hash,             limits)         amount,       │ read
//!                              transcode)                        places)       ▼
//!                                                                       Intake | Refused
//! ```
//!
//! Invariant: every line ends in exactly one of three ways, and accepted + excluded + rejected =
//! lines read. No bytes make the stage panic or take more memory than its limits allow. A bad line
//! is data; a bad file is a value.

pub mod again;
pub mod amount;
pub mod check;
pub mod cleaning;
pub mod codes;
pub mod columns;
pub mod container;
pub mod decode;
pub mod described;
pub mod encoding;
mod expected;
pub mod filter;
pub mod findings;
pub mod formats;
pub mod frame;
pub mod groups;
pub mod header;
pub mod income_groups;
mod joined;
pub mod later;
pub mod layout;
mod line_ends;
mod months;
pub mod number;
mod opening;
pub mod pattern;
pub mod period_format;
pub mod places;
pub mod profile;
pub mod proposal;
pub mod read;
pub mod reference;
pub mod refused;
pub mod regions;
pub mod shown;
pub mod source;
#[cfg(test)]
mod spelled;
pub mod split;
pub mod successions;
pub mod supply;
pub mod text;
