//! `spillover`: arguments to commands.

/// The standard library's `println!` panics where the standard output is full or closed; here that
/// ends the command as any other failed write does.
macro_rules! println {
    () => { $crate::say(format_args!("")) };
    ($($text:tt)*) => { $crate::say(format_args!($($text)*)) };
}

/// The standard library's `eprintln!` panics where nobody can be told; a command goes on.
macro_rules! eprintln {
    () => { $crate::tell(format_args!("")) };
    ($($text:tt)*) => { $crate::tell(format_args!($($text)*)) };
}

mod cli;

use std::fmt::Arguments;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::process::{ExitCode, exit};

use clap::Parser;

/// Gives back to the system what one year's end took: .cargo/config.toml says how soon.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    end_on_panic();
    match cli::run(cli::Arguments::parse()) {
        Ok(done) => done.code(),
        Err(error) if cli::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("spillover: {error:#}");
            ExitCode::from(1)
        }
    }
}

/// Writes a line to the standard output. Where that fails the command has failed; where nobody
/// reads it any more, as with `| head`, it goes on, for its exit code may be read.
fn say(text: Arguments<'_>) {
    match writeln!(stdout(), "{text}") {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => {
            tell(format_args!("spillover: cannot write to the standard output: {error}"));
            exit(1)
        }
    }
}

/// Writes a line to the standard error, if it can be.
fn tell(text: Arguments<'_>) {
    let _ = writeln!(stderr(), "{text}");
}

/// A panic on any thread ends the process: the other workers would wait for a dead one for ever.
/// What was committed stays, and the next run begins there.
fn end_on_panic() {
    let say = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        say(panic);
        std::process::abort();
    }));
}
