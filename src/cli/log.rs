//! Log lines on the standard error.

use clap::{Args, ValueEnum};
use spillover::visible;
use tracing::level_filters::LevelFilter;

use super::terminal::LogEvents;

#[derive(Debug, Args)]
pub struct Log {
    /// The format of log lines.
    #[arg(
        long = "log",
        value_name = "FORMAT",
        default_value = "text",
        env = "SPILLOVER_LOG",
        hide_env_values = true
    )]
    format: Format,
    /// The lowest level to log.
    #[arg(
        long = "log-level",
        value_name = "LEVEL",
        default_value = "info",
        env = "SPILLOVER_LOG_LEVEL",
        hide_env_values = true
    )]
    level: Level,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Text for people and for the system journal.
    Text,
    /// One JSON object per line.
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
        // A log that cannot be written, for example on a full disk, must not end the command.
        let lines = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_target(false)
            .with_ansi(false)
            .log_internal_errors(false);
        match self.format {
            Format::Text => lines.with_writer(|| LogEvents { escape: visible::line }).init(),
            Format::Json => lines
                .with_writer(|| LogEvents { escape: visible::json })
                .json()
                .flatten_event(true)
                .init(),
        }
    }
}
