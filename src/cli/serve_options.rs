//! Options of the service: where it listens, and who may ask.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use spillover::serve::{Access, Proxy};

use super::ending::UsageError;

/// Who may ask the service.
#[derive(Debug, Args)]
pub struct ServeOptions {
    /// A file of mode 0600 with an access token on each line. Requests then need the header
    /// `Authorization: Bearer TOKEN`.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A proxy in front of the service checks who asks. The last address in X-Forwarded-For is that
    /// of the client.
    #[arg(long)]
    behind_proxy: bool,
    /// A further name of the service. Requests by other names are refused.
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
}

impl ServeOptions {
    /// Checks that no option is given, for a command without a service.
    ///
    /// # Errors
    /// [`UsageError`] for a given option.
    pub fn refuse(&self) -> Result<(), UsageError> {
        let given = [
            ("--token-file", self.token_file.is_some()),
            ("--behind-proxy", self.behind_proxy),
            ("--host", !self.host.is_empty()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(UsageError(format!(
                "{option} belongs to a service; add --listen ADDRESS, or leave it out"
            ))),
            None => Ok(()),
        }
    }

    /// The access at an address.
    pub fn at(self, listen: SocketAddr) -> Access {
        let Self { token_file, behind_proxy, host: hosts } = self;
        let proxy = if behind_proxy { Proxy::InFront } else { Proxy::Absent };
        Access { listen, token_file, proxy, hosts }
    }
}
