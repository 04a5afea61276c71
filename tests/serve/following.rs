//! The service follows its home: new publications, event streams, a home that comes later.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::Sandbox;
use crate::feed;
use crate::service::Service;

/// The longest wait for a state.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// Waits until a function gives a value.
fn wait_for<T>(what: &str, mut get: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = get() {
            return value;
        }
        assert!(start.elapsed() < WAIT_MAX, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// An open event stream.
pub struct Events(BufReader<TcpStream>);

impl Events {
    /// Opens a stream with further headers.
    pub fn open(service: &Service, headers: &str) -> Self {
        let mut stream = TcpStream::connect(service.address).expect("a connection");
        stream.set_read_timeout(Some(WAIT_MAX)).expect("a limit");
        let head = format!("GET /events HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        lines.read_line(&mut line).expect("a status");
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        Self(lines)
    }

    /// The next event: its kind, and its id and data.
    pub fn next(&mut self) -> (String, Option<u64>, serde_json::Value) {
        let (mut kind, mut id) = (None, None);
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).expect("a line in time") > 0, "the stream ended");
            let line = line.trim_end();
            if let Some(text) = line.strip_prefix("event: ") {
                kind = Some(text.to_owned());
            } else if let Some(text) = line.strip_prefix("id: ") {
                id = text.parse().ok();
            } else if let Some(text) = line.strip_prefix("data: ") {
                let data = serde_json::from_str(text).expect("JSON");
                return (kind.expect("a kind before its data"), id, data);
            }
        }
    }
}

#[test]
fn a_new_publication_is_served_and_told_to_event_streams() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let mut events = Events::open(&service, "");
    let (kind, _, data) = events.next();
    assert_eq!((kind.as_str(), &data["vintage"]), ("publication", &24.into()));
    let before = service.get("/api/v1/tables/city?as_of=24");
    feed::add_month(&sandbox, 200_201);
    let (kind, first, data) = events.next();
    assert_eq!((kind.as_str(), &data["file"]), ("file", &"200201.csv".into()));
    let (kind, last, data) = events.next();
    assert_eq!((kind.as_str(), &data["vintage"]), ("publication", &25.into()));
    assert!(first < last, "{first:?} {last:?}");
    // An event follows the publication, so the answer is of the new vintage.
    assert_eq!(service.json("/api/v1/status")["vintage"], 25);
    assert_eq!(service.json("/api/v1/calendar")["next_month"], "2002-02");
    let after = service.get("/api/v1/tables/city?as_of=24");
    assert_eq!(before.json()["rows"], after.json()["rows"], "a vintage does not change");
    assert_ne!(before.header("etag"), after.header("etag"), "newest_vintage does");
    // A client that returns gets what it has missed.
    let id = first.expect("an id");
    let mut again = Events::open(&service, &format!("Last-Event-ID: {id}\r\n"));
    let (kind, id, _) = again.next();
    assert_eq!((kind.as_str(), id), ("publication", last));
    let mut foreign = Events::open(&service, "Last-Event-ID: 999\r\n");
    assert_eq!(foreign.next().0, "resync");
    let text = service.get("/metrics");
    assert!(text.text().contains("spillover_vintage 25\n"), "{}", text.text());
    assert!(text.text().ends_with("# EOF\n"));
    assert!(!text.text().contains("3101000001") && !text.text().contains("304"), "no identifiers");
}

#[test]
fn a_service_stops_on_request_and_ends_its_streams() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let mut events = Events::open(&service, "");
    events.next();
    assert_eq!(service.stop(), Some(0));
    let mut rest = String::new();
    while events.0.read_line(&mut rest).is_ok_and(|n| n > 0) {}
    assert!(!rest.contains("resync"), "{rest}");
}

#[test]
fn a_service_starts_only_where_it_may_and_with_a_home() {
    let sandbox = feed::home();
    let run = |home: &std::path::Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spillover"));
        crate::common::run(command.arg("--data").arg(home).arg("serve").args(arguments))
    };
    let none = run(&sandbox.folder().join("none"), &[]);
    assert_eq!(none.code, Some(1), "{}", none.stderr);
    let open = run(&sandbox.home(), &["--listen", "0.0.0.0:0"]);
    assert_eq!(open.code, Some(1));
    assert!(open.stderr.contains("add --token-file FILE, or --behind-proxy"), "{}", open.stderr);
    let missing = run(&sandbox.home(), &["--token-file", "none"]);
    assert!(missing.stderr.contains("cannot read the token file none"), "{}", missing.stderr);
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let taken = run(&sandbox.home(), &["--listen", &service.address.to_string()]);
    assert_eq!(taken.code, Some(1));
    assert!(taken.stderr.contains("cannot listen on"), "{}", taken.stderr);
}

#[test]
fn a_home_that_disappears_is_a_problem_until_it_is_back() {
    let sandbox: Sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    assert_eq!(service.get("/readyz").status, 200);
    let away = sandbox.folder().join("away");
    std::fs::rename(sandbox.home(), &away).expect("moved away");
    std::fs::create_dir(sandbox.home()).expect("an empty folder");
    std::fs::write(sandbox.home().join("acknowledged"), "no number").expect("written");
    let status = || service.get("/api/v1/status");
    let problem = wait_for("the problem", || Some(status()).filter(|of| of.status == 503));
    assert_eq!(problem.code(), "home_unreadable");
    assert_eq!((service.get("/readyz").status, service.get("/healthz").status), (503, 200));
    std::fs::remove_dir_all(sandbox.home()).expect("removed");
    std::fs::rename(&away, sandbox.home()).expect("back");
    wait_for("the home", || Some(status()).filter(|of| of.status == 200));
}

#[test]
fn a_commit_that_changes_no_answer_leaves_the_held_answers() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let computed = || {
        let metrics = service.get("/metrics");
        let name = "spillover_answers_computed_total ";
        let line = metrics.text().lines().find_map(|line| line.strip_prefix(name));
        line.expect("a count").parse::<u32>().expect("a number")
    };
    let tag = || service.get("/api/v1/series/nation/all").header("etag").to_owned();
    let first = tag();
    assert_eq!(computed(), 1);
    let run = sandbox.run(["snapshot"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    // The service looks at the home more than once in this time.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((tag(), computed()), (first.clone(), 1));
    feed::add_month(&sandbox, 200_201);
    let begun = Instant::now();
    while tag() == first {
        assert!(begun.elapsed().as_secs() < 30, "the publication is not served");
    }
    assert!(computed() > 1);
}
