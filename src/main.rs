//! `spillover`: arguments to commands.

/// Prints one visible line. The standard library's `println!` panics if the standard output is full
/// or closed; this macro ends the command like any other failed write.
macro_rules! println {
    () => { $crate::cli::terminal::say(format_args!("")) };
    ($($text:tt)*) => { $crate::cli::terminal::say(format_args!($($text)*)) };
}

/// Prints one visible line. The standard library's `eprintln!` panics if the standard error is
/// closed; after this macro the command continues.
macro_rules! eprintln {
    () => { $crate::cli::terminal::tell(format_args!("")) };
    ($($text:tt)*) => { $crate::cli::terminal::tell(format_args!($($text)*)) };
}

mod cli;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use signal_hook::consts::SIGXFSZ;
use spillover::files::scratch;

/// Returns the memory of a year's end to the system; .cargo/config.toml sets the delay.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::terminal::end_on_panic();
    outlive_file_size_limit();
    let arguments = match cli::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            return cli::terminal::usage(error, |shown| {
                cli::Arguments::try_parse_from(shown).err()
            });
        }
    };
    let done = cli::run(arguments);
    scratch::leave_to_signal();
    match done {
        Ok(done) => done.code(),
        Err(error) if cli::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            cli::terminal::failure(&error);
            ExitCode::from(if error.is::<cli::UsageError>() { 2 } else { 1 })
        }
    }
}

/// Makes a write past the limit of file sizes (`ulimit -f`) fail with an error instead of ending
/// the process. If no handler can be set, the default behaviour stays.
fn outlive_file_size_limit() {
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}
