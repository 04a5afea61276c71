//! The real binary as a service on a free port.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::client::{Answer, send};

/// A running service, ended on drop.
pub struct Service {
    child: Child,
    /// The address.
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
}

impl Service {
    /// Starts the service of a home with further arguments.
    pub fn start<S: AsRef<OsStr>>(home: &Path, arguments: &[S]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spillover"));
        command.arg("--data").arg(home).args(["serve", "--listen", "127.0.0.1:0"]);
        Self::run(command.args(arguments))
    }

    /// Starts a command that prints the address of its service.
    pub fn run(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let log = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(err.expect("piped")).lines() {
                let mut log = lines.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line.expect("UTF-8"));
                log.push('\n');
            }
        });
        let mut out = BufReader::new(out.expect("piped"));
        let mut first = String::new();
        out.read_line(&mut first).expect("a line");
        std::thread::spawn(move || drop(out.read_to_end(&mut Vec::new())));
        let address = first.trim().strip_prefix("http://").and_then(|of| of.strip_suffix('/'));
        let address = address.unwrap_or_else(|| {
            panic!("no address: {first}{}", log.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let address = address.parse().expect("an address");
        Self { child, address, log }
    }

    /// Reads an address.
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// Reads an address with headers.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        send(self.address, "GET", path, headers)
    }

    /// Reads an address whose answer is a JSON document.
    pub fn json(&self, path: &str) -> serde_json::Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the service to stop, and returns its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = self.log();
        if !std::thread::panicking() {
            assert!(!log.contains("panicked"), "it panicked:\n{log}");
        }
    }
}
