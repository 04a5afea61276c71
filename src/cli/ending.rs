//! The ending of a command, and its exit code.

use std::process::ExitCode;

/// An invalid combination of arguments.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// The ending of a completed command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// All of the work is done.
    Clean,
    /// The work is done, but some input was refused, rejected or missing.
    InputRefused,
    /// The command found that the home is damaged or wrong.
    Damaged,
    /// A part of the work failed, and the command reported it.
    Failed,
}

impl Done {
    /// The process's exit code: 0 done, 1 failed, 3 done but input was refused, rejected or
    /// missing.
    pub fn code(self) -> ExitCode {
        match self {
            Self::Clean => ExitCode::SUCCESS,
            Self::Damaged | Self::Failed => ExitCode::from(1),
            Self::InputRefused => ExitCode::from(3),
        }
    }
}
