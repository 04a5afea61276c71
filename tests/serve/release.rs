//! A publication that is held back until its hour of release.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::client::send;
use crate::common::Sandbox;
use crate::feed;
use crate::service::Service;

/// A time of the day in China, some seconds from now.
fn hour(seconds: i64) -> String {
    let at = Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    let local = TimeZone::fixed(Offset::constant(8)).to_datetime(at);
    local.time().strftime("%H:%M:%S").to_string()
}

fn release(sandbox: &Sandbox, time: &str) {
    let path = sandbox.home().join("spillover.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let other = text.lines().filter(|line| !line.starts_with("release_time"));
    let lines: Vec<&str> = other.collect();
    let text = format!("{}\nrelease_time = \"{time}\"\n", lines.join("\n"));
    std::fs::write(&path, text).expect("options");
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(2), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_publication_is_shown_at_its_hour_and_not_before() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let before = service.json("/api/v1/status");
    assert_eq!((&before["newest_vintage"], &before["held_until"]), (&24.into(), &().into()));
    release(&sandbox, &hour(20));
    let begun = Instant::now();
    feed::add_month(&sandbox, 200_201);
    assert!(begun.elapsed() < Duration::from_secs(15), "the machine is too slow for this test");
    let held = || service.json("/api/v1/status")["held_until"].clone();
    until("the publication is held", || held().is_string());
    let text = held().as_str().expect("a time").to_owned();
    assert!(text.ends_with("+08:00"), "{text}");
    let release_at: Timestamp = text.parse().expect("a time");
    for path in ["status", "vintages", "calendar", "files", "alerts", "tables/city", "report"] {
        let answer = service.get(&format!("/api/v1/{path}"));
        if Timestamp::now() < release_at {
            assert_eq!(answer.header("x-vintage"), "24", "{path}");
        }
    }
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains(&format!("is held until {text}")), "{status}");
    // A service that starts meanwhile has no earlier state to show.
    let other = Service::start::<&str>(&sandbox.home(), &[]);
    let answer = send(other.address, "GET", "/api/v1/status", &[]);
    if Timestamp::now() < release_at {
        assert_eq!((answer.status, answer.code().as_str()), (503, "held"), "{}", answer.text());
        assert_eq!(answer.json()["held_until"], text.as_str());
        assert_eq!(send(other.address, "GET", "/readyz", &[]).status, 503);
    }
    for of in [&service, &other] {
        let newest = || send(of.address, "GET", "/api/v1/status", &[]);
        until("the publication is released", || {
            let answer = newest();
            answer.status == 200 && answer.json()["newest_vintage"] != 24
        });
        assert!(Timestamp::now() >= release_at, "it is not shown before");
        assert_eq!(newest().json()["held_until"], serde_json::Value::Null);
    }
    let status = sandbox.run(["status"]).stdout;
    assert!(!status.contains("is held until"), "{status}");
}

#[test]
fn alerts_judge_a_publication_after_its_release() {
    let sandbox = feed::home();
    let rules = "[[rule]]\nname = 'late'\nfeed = { late_days = 0 }\n";
    std::fs::write(sandbox.home().join("alerts.toml"), rules).expect("rules");
    let (folder, list) = (sandbox.feed(), || sandbox.run(["alerts", "list"]).stdout);
    let once = || {
        let run = sandbox.run(["watch".as_ref(), folder.as_os_str(), "--once".as_ref()]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    };
    // The commit was seconds ago: the next such hour is tomorrow.
    release(&sandbox, &hour(-120));
    once();
    assert_eq!(list().lines().count(), 1, "held: {}", list());
    assert_eq!(sandbox.run(["alerts", "preview"]).stdout.lines().count(), 1);
    release(&sandbox, &hour(3));
    let preview = || sandbox.run(["alerts", "preview"]).stdout.lines().count();
    until("the publication is released", || preview() > 1);
    once();
    assert!(list().lines().count() > 1, "{}", list());
}

#[test]
fn a_time_that_is_none_is_refused_with_its_line() {
    let sandbox = feed::home();
    release(&sandbox, "25:00");
    let run = sandbox.run(["status"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    let expected = "release_time is \"25:00\"; write the hour in China, such as \"10:00\"";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}
