//! A PostgreSQL server of a test, on a socket and a port of its own, in a temporary folder.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{csv_rows, run};

/// The password of the user `postgres` over TCP.
pub const PASSWORD: &str = "open sesame/1";
/// The password in an address.
pub const ENCODED: &str = "open%20sesame%2F1";

/// A running server; it ends with the value.
pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
}

/// The folder with the programs of the newest installed PostgreSQL.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let found = debian.filter(|path| path.join("initdb").is_file());
    let number = |path: &PathBuf| {
        let version = path.parent()?.file_name()?.to_str()?;
        version.parse::<u32>().ok()
    };
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file())
    };
    let found = found.max_by_key(number).or_else(on_path);
    found.expect("PostgreSQL is missing: apt-get install postgresql")
}

impl Server {
    /// Starts a server with an empty database `trade`.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let server = Self { programs: programs(), folder, port };
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(server.folder.path()));
        }
        let password = server.folder.path().join("password");
        std::fs::write(&password, PASSWORD).expect("a file");
        if is_root() {
            done(Command::new("chown").arg("postgres").arg(&password));
        }
        done(
            server
                .command("initdb")
                .args(["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256"])
                .args(["--encoding=UTF8", "--locale=C", "--no-sync"])
                .arg(format!("--pwfile={}", password.display()))
                .arg(server.data()),
        );
        server.resume();
        server.sql("CREATE DATABASE trade", "postgres");
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of the server, as a user that is not root.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/");
        command
    }

    /// Starts the server after [`Server::stop`].
    pub fn resume(&self) {
        let folder = self.folder.path().display();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories={folder} -c \
             fsync=off -c ssl=off",
            self.port
        );
        let log = self.folder.path().join("log");
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.data()).arg("-o").arg(options);
        done(command.arg("-l").arg(log).args(["-w", "start"]));
    }

    /// Ends the server at once, as a loss of power would.
    pub fn stop(&self) {
        let mut command = self.command("pg_ctl");
        done(command.arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"]));
    }

    /// The address over the socket, without a password.
    pub fn url(&self) -> String {
        let folder = self.folder.path().display();
        format!("postgres://postgres@/trade?host={folder}&port={}", self.port)
    }

    /// The address over TCP, with a password as it is written in an address.
    pub fn url_with(&self, password: &str) -> String {
        format!("postgres://postgres:{password}@127.0.0.1:{}/trade", self.port)
    }

    /// The command `psql` with a statement.
    pub fn psql(&self, sql: &str, database: &str) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        command.arg("-h").arg(self.folder.path()).args(["-p", &self.port.to_string()]);
        command.args(["-U", "postgres", "-d", database, "-X", "-q", "--csv", "-c", sql]);
        command.env("PGOPTIONS", "--client-min-messages=warning");
        command.env("PSQL_PAGER", "");
        command
    }

    fn sql(&self, sql: &str, database: &str) -> String {
        let run = run(&mut self.psql(sql, database));
        assert_eq!(run.code, Some(0), "{sql}: {}", run.stderr);
        run.stdout
    }

    /// Runs a statement in the database `trade`.
    pub fn run(&self, sql: &str) {
        self.sql(sql, "trade");
    }

    /// The rows of a query, without the header.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        csv_rows(&self.sql(sql, "trade"))[1..].to_vec()
    }

    /// The first cell of a query.
    pub fn cell(&self, sql: &str) -> String {
        self.rows(sql)[0][0].clone()
    }

    /// The rows of a table with its header, in order of some columns.
    pub fn table(&self, name: &str, order: &str) -> Vec<Vec<String>> {
        let sql = format!("SELECT * FROM {name} ORDER BY {order}");
        csv_rows(&self.sql(&sql, "trade"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut command = self.command("pg_ctl");
        let _ = command.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]).output();
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    String::from_utf8_lossy(&output.stdout).trim() == "0"
}

/// Runs a command; asserts that it succeeds.
pub fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    output
}

/// A path of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
