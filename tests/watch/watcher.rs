//! A watcher that runs next to the test, and functions that wait for its state.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use spillover::watch::heartbeat::{Heartbeat, State};

use super::common::Sandbox;

/// A long deadline: on a busy machine a process may not run for some time.
const DEADLINE: Duration = Duration::from_mins(5);

/// A watcher over a sandbox's feed.
pub struct Watcher<'a> {
    sandbox: &'a Sandbox,
    child: Child,
    log: PathBuf,
}

impl<'a> Watcher<'a> {
    pub fn start(sandbox: &'a Sandbox, n_workers: usize) -> Self {
        Self::start_in(sandbox, n_workers, [])
    }

    /// Starts a watcher with additional environment variables.
    pub fn start_in<const N: usize>(
        sandbox: &'a Sandbox,
        n_workers: usize,
        environment: [(&str, OsString); N],
    ) -> Self {
        let log = sandbox.folder().join("watch.log");
        let stderr = File::options().create(true).append(true).open(&log).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_spillover"))
            .arg("--data")
            .arg(sandbox.home())
            .args(["watch", "--interval", "0.02", "--workers", &n_workers.to_string()])
            .arg(sandbox.feed())
            .envs(environment)
            .stdin(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("the binary can be started");
        Self { sandbox, child, log }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    /// Waits until this process's heartbeat is as expected.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Heartbeat) -> bool) -> Heartbeat {
        let begun = Instant::now();
        loop {
            let beat = Heartbeat::read(&self.sandbox.home()).expect("a heartbeat that can be read");
            match beat.filter(|beat| beat.pid == self.child.id()) {
                Some(beat) if holds(&beat) => return beat,
                beat => {
                    let ended = self.child.try_wait().expect("the child can be asked");
                    assert!(
                        ended.is_none() && begun.elapsed() < DEADLINE,
                        "{what} never came ({ended:?}); last {beat:#?}\n{}",
                        self.log()
                    );
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn until_next(&mut self, month: &str) -> Heartbeat {
        self.until(&format!("next month {month}"), |beat| {
            beat.next_month.as_deref() == Some(month) && beat.state == State::Idle
        })
    }

    pub fn until_said(&mut self, text: &str) {
        let log = self.log.clone();
        self.until(text, |_| fs::read_to_string(&log).expect("a log").contains(text));
    }

    /// Waits until it ends by itself with a message.
    pub fn until_failed(mut self, text: &str) {
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("the child can be asked") {
                Some(status) => break status,
                None => assert!(begun.elapsed() < DEADLINE, "{text} never came\n{}", self.log()),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(status.code(), Some(1), "{}", self.log());
        assert!(self.log().contains(text), "{}", self.log());
    }

    /// Sends a signal and waits for the end.
    pub fn end(mut self, signal: &str) -> ExitStatus {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill can be run");
        assert!(sent.success(), "kill {signal} {pid}");
        self.child.wait().expect("the child ends")
    }

    /// Asks it to stop, and asserts that it does and reports it.
    pub fn stop(self) {
        let (home, log) = (self.sandbox.home(), self.log.clone());
        let status = self.end("-TERM");
        let log = fs::read_to_string(log).expect("a log");
        assert_eq!(status.code(), Some(0), "{log}");
        let beat = Heartbeat::read(&home).expect("it can be read").expect("a heartbeat");
        assert_eq!(beat.state, State::Stopped, "{log}");
    }
}

impl Drop for Watcher<'_> {
    /// A failing test leaves no process behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
