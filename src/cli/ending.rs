//! How a command ends, and with which exit code.

use std::process::ExitCode;

/// A command line that asks for what cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// How a command ended that did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// All of it.
    Clean,
    /// All of it, but input was refused, rejected or not there.
    InputRefused,
    /// It found that the home is not what it should be.
    Damaged,
    /// A part of it failed, and was said to.
    Failed,
}

impl Done {
    /// The process's exit code: 0 done, 1 failed, 3 done but input was refused, rejected or not
    /// there.
    pub fn code(self) -> ExitCode {
        match self {
            Self::Clean => ExitCode::SUCCESS,
            Self::Damaged | Self::Failed => ExitCode::from(1),
            Self::InputRefused => ExitCode::from(3),
        }
    }
}
