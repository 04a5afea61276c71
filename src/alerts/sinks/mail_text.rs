//! The keys of a sink of mail.

use std::path::PathBuf;

use serde::Deserialize;

/// A server of mail, and addresses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailText {
    /// The server.
    pub server: String,
    /// The port; 465 with TLS from the beginning, 587 with STARTTLS.
    pub port: Option<u16>,
    /// How the connection becomes private.
    #[serde(default)]
    pub tls: MailTls,
    /// The user.
    pub user: Option<String>,
    /// The file with the password.
    pub password_file: Option<PathBuf>,
    /// The variable with the password.
    pub password_env: Option<String>,
    /// The sender.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
}

/// How a connection to a server of mail becomes private.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// TLS from the beginning.
    #[default]
    Implicit,
    /// STARTTLS; without it nothing is sent.
    Starttls,
    /// No TLS: for a server on this machine alone.
    None,
}
