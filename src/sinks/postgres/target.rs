//! The database of a sync: its address, its password, and a connection.

use std::io;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The schema of a database without another choice.
pub const SCHEMA: &str = "spillover";
/// The longest names in PostgreSQL, in bytes.
const NAME_BYTES_MAX: usize = 63;
/// The longest wait for a connection, unless the address has another one.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// The longest time without an answer to sent data.
const UNANSWERED_MAX: Duration = Duration::from_secs(30);
/// The oldest version of the server, as it numbers itself.
const VERSION_MIN: i32 = 120_000;
/// Options of every session: other settings of the server could end a long transaction, and a
/// server that checks its client frees the lock of a client that was killed.
const SESSION: &str = "SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0; \
                       SET lock_timeout = '60s'; SET application_name = 'spillover sync'";
const CHECK_CLIENT: &str = "SET client_connection_check_interval = '5s'";
/// The version that knows the option of [`CHECK_CLIENT`].
const VERSION_CHECKS: i32 = 140_000;

/// A schema of a database, and the way to it.
#[derive(Clone, Debug)]
pub struct Target {
    config: Config,
    /// The address as in messages: without user and password.
    shown: String,
    /// The schema.
    pub schema: String,
}

/// An address that cannot be used. Its text has no part of the address.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Another kind of address.
    #[error("the address of the database must begin with postgres://, as in {EXAMPLE}")]
    Scheme,
    /// A character that ends a part of the address is inside another one.
    #[error(
        "the address of the database has @, /, ? or # inside a part; write %40, %2F, %3F or %23, \
         or leave the password out and set PGPASSWORD"
    )]
    Character,
    /// No host, or no database.
    #[error("the address of the database has no {what}; write it as in {EXAMPLE}")]
    Missing {
        /// The missing part.
        what: &'static str,
    },
    /// An option or a port of the address.
    #[error("the address of the database cannot be read")]
    Address(#[source] postgres::Error),
    /// A name that a schema cannot have.
    #[error(
        "a schema cannot be named {name:?}; give a name of 1 to {NAME_BYTES_MAX} bytes that does \
         not begin with pg_"
    )]
    Schema {
        /// The name.
        name: String,
    },
}

const EXAMPLE: &str = "postgres://USER@HOST:5432/DATABASE";

/// A database that cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No connection.
    #[error("cannot connect to {target}; {}", advice(source))]
    Connect {
        /// The address.
        target: String,
        /// The cause.
        source: postgres::Error,
    },
    /// The certificates of the system, or those that `SSL_CERT_FILE` names.
    #[error("cannot read the certificates for {target}; check SSL_CERT_FILE")]
    Certificates {
        /// The address.
        target: String,
        /// The cause.
        source: io::Error,
    },
    /// TLS.
    #[error("cannot prepare TLS: a defect, please report it")]
    Tls(#[from] rustls::Error),
    /// The server is too old.
    #[error("{target} is PostgreSQL {version}; use version {} or newer", VERSION_MIN / 10_000)]
    Version {
        /// The address.
        target: String,
        /// The version of the server.
        version: String,
    },
    /// The database stores texts in another encoding.
    #[error(
        "{target} stores texts as {encoding}; make the database with `createdb --encoding=UTF8 \
         --template=template0`"
    )]
    Encoding {
        /// The address.
        target: String,
        /// Its encoding.
        encoding: String,
    },
}

/// What to do about a connection that failed.
fn advice(error: &postgres::Error) -> &'static str {
    let causes = || std::iter::successors(std::error::Error::source(error), |of| of.source());
    if causes().any(|of| of.downcast_ref::<rustls::Error>().is_some())
        || error.to_string().contains("TLS")
    {
        return "name the certificate of its authority in SSL_CERT_FILE, or add \
                ?sslmode=disable to the address if nobody can read the network";
    }
    match error.code() {
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => "create the database",
        Some(_) => "check user, password (PGPASSWORD) and pg_hba.conf",
        // The server asks for a password, and there is none.
        None if error.to_string() == "invalid configuration" => {
            "check user, password (PGPASSWORD) and pg_hba.conf"
        }
        None => "check the address, and whether the server runs",
    }
}

impl Target {
    /// The schema of the database at an address. The password of the address counts before the
    /// other one.
    ///
    /// # Errors
    /// [`TargetError`]; no message has the password.
    pub fn new(url: &str, schema: &str, password: Option<String>) -> Result<Self, TargetError> {
        let rest = ["postgres://", "postgresql://"].iter().find_map(|of| url.strip_prefix(of));
        let rest = rest.ok_or(TargetError::Scheme)?;
        let authority_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at(authority_ends);
        if authority.matches('@').count() > 1 || after.contains('@') || after.contains('#') {
            return Err(TargetError::Character);
        }
        let is_reserved = schema.is_empty() || schema.starts_with("pg_") || schema.contains('\0');
        if is_reserved || schema.len() > NAME_BYTES_MAX {
            return Err(TargetError::Schema { name: schema.to_owned() });
        }
        let mut config = Config::from_str(url).map_err(TargetError::Address)?;
        if config.get_hosts().is_empty() {
            return Err(TargetError::Missing { what: "host" });
        }
        let Some(database) = config.get_dbname().map(str::to_owned) else {
            return Err(TargetError::Missing { what: "database" });
        };
        if let (None, Some(password)) = (config.get_password(), password) {
            config.password(password);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_MAX);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(UNANSWERED_MAX);
        }
        let shown = format!("{}/{database}", shown(&config));
        Ok(Self { config, shown, schema: schema.to_owned() })
    }

    /// The address as in messages: hosts, port and database.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Connects.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn connect(&self) -> Result<Client, ConnectError> {
        let is_local = |host: &Host| matches!(host, Host::Unix(_));
        let is_plain = self.config.get_ssl_mode() == SslMode::Disable
            || self.config.get_hosts().iter().all(is_local);
        let connected =
            if is_plain { self.config.connect(NoTls) } else { self.config.connect(self.tls()?) };
        let mut client = connected.map_err(|source| self.not_connected(source))?;
        self.prepare(&mut client).map(|()| client)
    }

    /// Checks the server, and sets the options of the session.
    fn prepare(&self, client: &mut Client) -> Result<(), ConnectError> {
        let failed = |source| self.not_connected(source);
        let sql = "SELECT current_setting('server_version_num')::int4, \
                   current_setting('server_version'), current_setting('server_encoding')";
        let row = client.query_one(sql, &[]).map_err(failed)?;
        let (number, version, encoding): (i32, String, String) =
            (row.get(0), row.get(1), row.get(2));
        let target = self.shown.clone();
        if number < VERSION_MIN {
            return Err(ConnectError::Version { target, version });
        }
        if encoding != "UTF8" {
            return Err(ConnectError::Encoding { target, encoding });
        }
        client.batch_execute(SESSION).map_err(failed)?;
        if number >= VERSION_CHECKS {
            client.batch_execute(CHECK_CLIENT).map_err(failed)?;
        }
        Ok(())
    }

    fn not_connected(&self, source: postgres::Error) -> ConnectError {
        ConnectError::Connect { target: self.shown.clone(), source }
    }

    /// TLS by the certificates of the system.
    fn tls(&self) -> Result<MakeRustlsConnect, ConnectError> {
        let certificates =
            |source| ConnectError::Certificates { target: self.shown.clone(), source };
        let loaded = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(loaded.certs);
        if let (true, Some(error)) = (roots.is_empty(), loaded.errors.into_iter().next()) {
            return Err(certificates(io::Error::other(error)));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}

/// The hosts with their ports.
fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| match host {
        Host::Tcp(name) => format!("{name}:{}", port(at)),
        Host::Unix(path) => format!("{}:{}", path.display(), port(at)),
    });
    hosts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target, String> {
        Target::new(url, SCHEMA, None).map_err(|error| {
            let text = crate::engine::with_causes(&error);
            assert!(!text.contains("secret"), "{text}");
            text
        })
    }

    #[test]
    fn an_address_is_shown_without_user_and_password() {
        let found = target("postgres://me:secret@db.example:5433/trade?sslmode=require");
        let found = found.expect("an address");
        assert_eq!(found.shown(), "db.example:5433/trade");
        assert!(!format!("{found:?}").contains("secret"));
        let local = target("postgresql:///trade?host=/run/postgresql").expect("an address");
        assert_eq!(local.shown(), "/run/postgresql:5432/trade");
    }

    #[test]
    fn no_refusal_shows_a_part_of_the_address() {
        for url in [
            "mysql://me:secret@db/trade",
            "postgres://me:secret@more@db/trade",
            "postgres://me:se/secret@db/trade",
            "postgres://me:se#secret@db/trade",
            "postgres://me:secret@db",
            "postgres://me:secret@/trade",
            "postgres://me:secret@db:port/trade",
            "postgres://me:secret@db/trade?sslmode=secret",
        ] {
            assert!(target(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_reserved_schema_is_refused() {
        for schema in ["", "pg_mine", &"a".repeat(64)] {
            assert!(Target::new("postgres://db/trade", schema, None).is_err(), "{schema}");
        }
    }
}
