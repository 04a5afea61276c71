//! Alerts from outside: the replay equals plain loops over published figures, and a watcher
//! delivers to sinks that throttle, fail, or never answer, through kills.

#![allow(clippy::cast_precision_loss, reason = "plain loops count in floats")]

mod backup;
#[path = "../common/mod.rs"]
mod common;
mod delivery;
#[cfg(feature = "mail")]
mod mail;
mod receiver;
mod replay;
#[path = "../watch/watcher.rs"]
#[allow(dead_code, reason = "the tests of the watcher use the rest")]
mod watcher;
