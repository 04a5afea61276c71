//! Log lines on the standard error.

use clap::{Args, ValueEnum};
use tracing::level_filters::LevelFilter;

#[derive(Debug, Args)]
pub struct Log {
    /// How log lines are written.
    #[arg(long = "log", value_name = "FORMAT", default_value = "text", env = "SPILLOVER_LOG")]
    format: Format,
    /// Which of them: what goes wrong only, or more.
    #[arg(
        long = "log-level",
        value_name = "LEVEL",
        default_value = "info",
        env = "SPILLOVER_LOG_LEVEL"
    )]
    level: Level,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people, and for the journal.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Log {
    /// Starts logging.
    pub fn start(&self) {
        let level = match self.level {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
        };
        // A log that cannot be written, on a full disk say, must not end what it tells of.
        let lines = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_target(false)
            .with_writer(std::io::stderr)
            .with_ansi(false)
            .log_internal_errors(false);
        match self.format {
            Format::Text => lines.init(),
            Format::Json => lines.json().flatten_event(true).init(),
        }
    }
}
