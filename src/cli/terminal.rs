//! Output for people, one line at a time, and documents for programs.
//!
//! `println!` and `eprintln!` of this binary are defined here. One call prints one line, and each
//! of its characters is visible. A name from outside can neither act on the terminal nor forge a
//! line. A text of several lines comes from a stage that makes each of its cells visible. A
//! document for a program uses [`document`].

use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write, stderr, stdout};
use std::panic::PanicHookInfo;
use std::process::{ExitCode, exit};

use clap::error::Error as UsageError;
use serde::Serialize;
use spillover::estimate::formula::FormulaError;
use spillover::feed::formats::READER;
use spillover::files::scratch;
use spillover::visible;

/// Writes a line to the standard output. A failure is a failure of the command, except for a closed
/// reader, as with `| head`: the command then continues for its exit code.
pub fn say(text: Arguments<'_>) {
    document(&visible::line(&text.to_string()));
}

/// The width of the terminal that shows the standard output; `None` for a file or a pipe.
pub fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

/// Writes a line to the standard error, if possible.
pub fn tell(text: Arguments<'_>) {
    let _ = writeln!(stderr(), "{}", visible::line(&text.to_string()));
}

/// Prints the error of a failed command with its causes, or with the position in a formula.
pub fn failure(error: &anyhow::Error) {
    let Some(formula) = error.downcast_ref::<FormulaError>() else {
        return tell(format_args!("spillover: {error:#}"));
    };
    let [problem, text, caret] = formula.lines();
    tell(format_args!("spillover: {problem}"));
    tell(format_args!("{text}"));
    tell(format_args!("{caret}"));
}

/// Writes a text of several lines to the standard output unchanged, and ends its last line.
pub fn document(text: &str) {
    match writeln!(stdout(), "{}", text.strip_suffix('\n').unwrap_or(text)) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => {
            tell(format_args!("spillover: cannot write to the standard output: {error}"));
            scratch::leave_to_signal();
            scratch::remove_all();
            exit(1)
        }
    }
}

/// Writes a value to the standard output as a JSON document of several lines.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    document(&visible::json(&serde_json::to_string_pretty(value)?));
    Ok(())
}

/// Writes a value to the standard output as a JSON document of one line.
pub fn json_line(value: &impl Serialize) -> anyhow::Result<()> {
    document(&visible::json(&serde_json::to_string(value)?));
    Ok(())
}

/// A writer of log events to the standard error: each write is a whole event.
pub struct LogEvents {
    /// The function that makes an event visible.
    pub escape: fn(&str) -> Cow<'_, str>,
}

impl Write for LogEvents {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        writeln!(stderr(), "{}", (self.escape)(text))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

/// Prints an error of the command line, or the requested help.
///
/// The parser quotes arguments unchanged: they are parsed again in their visible form.
pub fn usage(error: UsageError, parse: impl Fn(Vec<String>) -> Option<UsageError>) -> ExitCode {
    let shown = |text: std::ffi::OsString| visible::line(&text.to_string_lossy()).into_owned();
    let error = parse(std::env::args_os().map(shown).collect()).unwrap_or(error);
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Makes a panic on any thread end the process: other workers would wait forever for a dead one.
/// Committed steps remain, and the next run continues from them.
pub fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        // A reader may panic on a damaged table; this refuses the file.
        if thread.name() == Some(READER) {
            return;
        }
        tell(format_args!("{}", panic_text(thread.name().unwrap_or("of no name"), panic)));
        // A request that panics fails alone.
        #[cfg(feature = "serve")]
        if thread.name() == Some(spillover::serve::THREAD) {
            return;
        }
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            trace.to_string().lines().for_each(|line| tell(format_args!("{line}")));
        }
        std::process::abort();
    }));
}

fn panic_text(thread: &str, panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
    format!("thread '{thread}' panicked{place}: {}", text.unwrap_or("no message"))
}
