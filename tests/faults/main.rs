//! Faults: the process is killed, bits flip, files are cut, writes fail, lines are garbage. The
//! guarantees of the home must hold in all cases.
//!
//! The script `tests/faults/run` does the same at every system call; `script.rs` tests the script,
//! which needs Python 3.9. The rest needs only the Rust toolchain. `SPILLOVER_FAULTS` sets the
//! number of points that a test tries (a number, or `all`).

#[path = "../common/mod.rs"]
mod common;

mod bits;
mod damage;
#[cfg(target_os = "linux")]
mod flood;
#[cfg(unix)]
mod kills;
mod lines;
mod losses;
mod parsers;
#[cfg(target_os = "linux")]
mod script;
mod small_home;
mod writes;
