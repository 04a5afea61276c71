//! `spillover`: arguments to commands.

/// The standard library's `println!` panics where the standard output is full or closed; this one
/// ends the command as any other failed write does. It writes one visible line.
macro_rules! println {
    () => { $crate::cli::terminal::say(format_args!("")) };
    ($($text:tt)*) => { $crate::cli::terminal::say(format_args!($($text)*)) };
}

/// The standard library's `eprintln!` panics where the standard error is closed; with this one the
/// command continues. It writes one visible line.
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

/// Gives back to the system what one year's end took: .cargo/config.toml says how soon.
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

/// A write past the limit of file sizes (`ulimit -f`) fails with an error instead of ending the
/// process; without a handler nothing worse happens than before.
fn outlive_file_size_limit() {
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
}
