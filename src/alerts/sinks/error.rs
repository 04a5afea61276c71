//! The reasons why a sink cannot send.

use super::http::HttpError;
use super::secret::SecretError;

/// The reason why a sink cannot send.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// A secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The client of HTTP, or an address.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// This program has no mail.
    #[error("this program is built without mail; build it with --features mail")]
    NoMail,
    /// The addresses of mail.
    #[error("{0}; correct the sink in alerts.toml")]
    Mail(String),
}
