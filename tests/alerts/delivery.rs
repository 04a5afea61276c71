//! A watcher and its sinks.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::common::nasty_feed::{CITIES, NastyFeed, text};
use crate::common::{Run, Sandbox, csv_rows};
use crate::receiver::{Receiver, Reply};
use crate::watcher::Watcher;

const HOOK_SECRET: &str = "hook-secret-0123456789";
const ROBOT_SECRET: &str = "SEC0123456789abcdef";
/// Three rules that hold for every home of the past: its next month is late.
pub const LATE: &str = "
[[rule]]
name = 'late'
feed = { late_days = 0 }
[[rule]]
name = 'late again'
feed = { late_days = 1 }
[[rule]]
name = '迟到'
feed = { late_days = 2 }
";

/// A home with two years, and the feed of the months after.
pub fn home() -> (Sandbox, NastyFeed) {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    let feed = NastyFeed::new(7, 26);
    let files = feed.files().take(24).map(|(name, text)| sandbox.write(&name, text));
    let files: Vec<_> = files.collect();
    let paths: Vec<_> = files.iter().map(std::path::PathBuf::as_path).collect();
    sandbox.ingest(&paths, 1);
    (sandbox, feed)
}

fn secret(sandbox: &Sandbox, name: &str, text: &str) {
    let path = sandbox.home().join(name);
    fs::write(&path, format!("{text}\n")).expect("a secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("private");
}

pub fn rules(sandbox: &Sandbox, text: &str) {
    fs::write(sandbox.home().join("alerts.toml"), text).expect("rules");
}

pub fn webhook(sandbox: &Sandbox, name: &str, receiver: &Receiver, path: &str) -> String {
    secret(sandbox, "hook.secret", HOOK_SECRET);
    let url = receiver.url(path);
    format!(
        "[[sink]]\nname = '{name}'\nkind = 'webhook'\nurl = '{url}'\nsecret_file = 'hook.secret'\n"
    )
}

pub fn once(sandbox: &Sandbox) -> Run {
    let feed = sandbox.feed();
    let run = sandbox.run(["watch".as_ref(), feed.as_os_str(), "--once".as_ref()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run
}

fn signed(key: &str, text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

#[test]
fn each_sink_gets_one_digest_with_the_signature_that_it_documents_and_no_log_has_a_secret() {
    let (sandbox, _) = home();
    let receiver = Receiver::start();
    let mut text = LATE.to_owned() + &webhook(&sandbox, "program", &receiver, "/hook");
    for (kind, has_secret) in [("wecom", false), ("dingtalk", true), ("feishu", true)] {
        secret(&sandbox, kind, &receiver.url(&format!("/{kind}?key=private-key")));
        secret(&sandbox, "robot.secret", ROBOT_SECRET);
        let secret = if has_secret { "secret_file = 'robot.secret'\n" } else { "" };
        let sink = [
            "[[sink]]\n",
            &format!("name = '{kind}'\nkind = '{kind}'\nurl_file = '{kind}'\n"),
            "language = 'zh'\n",
            secret,
        ];
        text += &sink.concat();
    }
    rules(&sandbox, &text);
    let run = once(&sandbox);
    let hook = receiver.received("/hook");
    assert_eq!(hook.len(), 1, "{hook:?}\n{}", run.stderr);
    let (header, body) = (|name: &str| hook[0].headers[name].as_str(), &hook[0].body);
    let time = header("x-spillover-timestamp");
    let of = signed(HOOK_SECRET, &format!("{time}.{}", hook[0].text));
    let hex = of.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    assert_eq!(header("x-spillover-signature"), format!("sha256={hex}"));
    assert_eq!(body["id"], header("x-spillover-id"));
    let alerts = body["alerts"].as_array().expect("alerts");
    let names: Vec<_> = alerts.iter().map(|of| of["rule"].as_str().expect("a rule")).collect();
    assert_eq!(names, ["late", "late again", "迟到"]);
    assert_eq!(alerts[0]["key"], "200201");
    for (path, place) in [("/wecom", "text"), ("/dingtalk", "text"), ("/feishu", "content")] {
        let robot = receiver.received(path);
        assert_eq!(robot.len(), 1, "{path}: a digest");
        let content = if path == "/feishu" { "text" } else { "content" };
        let text = robot[0].body[place][content].as_str().expect("a text");
        assert!(
            text.starts_with("3 条预警 [") && text.contains("2002年1月的数据文件已逾期"),
            "{text}"
        );
    }
    let dingtalk = &receiver.received("/dingtalk")[0].path;
    let (_, query) = dingtalk.split_once("&timestamp=").expect("a time");
    let (time, sign) = query.split_once("&sign=").expect("a signature");
    let expected = STANDARD.encode(signed(ROBOT_SECRET, &format!("{time}\n{ROBOT_SECRET}")));
    let expected = expected.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    assert_eq!((time.len(), sign), (13, expected.as_str()), "milliseconds");
    let feishu = &receiver.received("/feishu")[0].body;
    let time = feishu["timestamp"].as_str().expect("a time");
    let expected = STANDARD.encode(signed(&format!("{time}\n{ROBOT_SECRET}"), ""));
    assert_eq!(feishu["sign"], expected);
    let status = sandbox.run(["status", "--json"]).stdout;
    for text in [&run.stderr, &status] {
        for secret in [HOOK_SECRET, ROBOT_SECRET, "private-key"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    // A second run has nothing new to say.
    once(&sandbox);
    assert_eq!(receiver.received("/hook").len(), 1);
}

#[test]
fn a_message_is_repeated_with_its_identifier_until_the_sink_takes_it() {
    let (sandbox, _) = home();
    let receiver = Receiver::start();
    let ok = Reply::Answer(200, "", "{}");
    let throttled = Reply::Answer(429, "Retry-After: 1", "");
    let failed = Reply::Answer(500, "", "");
    let moved = Reply::Answer(302, "Location: /elsewhere", "");
    receiver.script("/hook", &[failed, Reply::Close, throttled, moved, ok]);
    rules(&sandbox, &(LATE.to_owned() + &webhook(&sandbox, "program", &receiver, "/hook")));
    let watcher = Watcher::start(&sandbox, 1);
    let requests = receiver.until("/hook", 5);
    let mut ids: Vec<_> = requests.iter().map(|of| of.headers["x-spillover-id"].clone()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert!(requests.iter().all(|of| of.body["alerts"] == requests[0].body["alerts"]));
    assert!(receiver.received("/elsewhere").is_empty(), "a signature goes to its own address");
    assert!(watcher.log().contains("alerts not delivered"), "{}", watcher.log());
    drop(watcher);
    once(&sandbox);
    assert_eq!(receiver.received("/hook").len(), 5, "a delivered message is not repeated");
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("alerts           3 raised, 3 of them not acknowledged"), "{status}");
    assert!(!status.contains("undelivered"), "{status}");
}

#[test]
fn a_sink_that_never_answers_delays_neither_the_watcher_nor_other_sinks() {
    let (sandbox, feed) = home();
    let receiver = Receiver::start();
    receiver.script("/silent", &[Reply::Silence]);
    let sinks = webhook(&sandbox, "silent", &receiver, "/silent")
        + &webhook(&sandbox, "program", &receiver, "/hook");
    rules(&sandbox, &(LATE.to_owned() + &sinks));
    let mut watcher = Watcher::start(&sandbox, 1);
    receiver.until("/silent", 1);
    receiver.until("/hook", 1);
    let (month, lines) = &feed.months[24];
    sandbox.write(&format!("{month}.csv"), text(lines));
    watcher.until_next(&feed.months[25].0);
    // The next month is late now; the alerts about the month that came have ended.
    let again = receiver.until("/hook", 2);
    assert_eq!(again[1].body["alerts"][0]["key"], feed.months[25].0.as_str());
    drop(watcher);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("undelivered    6 to silent"), "{status}");
    let list = sandbox.run(["alerts", "list"]);
    let rows = csv_rows(&list.stdout);
    let place = rows[0].iter().position(|name| name == "state").expect("a column");
    let found: Vec<_> = rows[1..].iter().map(|row| row[place].as_str()).collect();
    assert_eq!(found, ["cleared", "cleared", "cleared", "raised", "raised", "raised"]);
}

#[test]
fn a_kill_between_outbox_and_delivery_loses_nothing_and_repeats_have_one_identifier() {
    let (sandbox, _) = home();
    let receiver = Receiver::start();
    receiver.script("/hook", &[Reply::Silence, Reply::Answer(200, "", "{}")]);
    rules(&sandbox, &(LATE.to_owned() + &webhook(&sandbox, "program", &receiver, "/hook")));
    let watcher = Watcher::start(&sandbox, 1);
    // The sink has the message and has not answered: the process does not know.
    receiver.until("/hook", 1);
    watcher.end("-KILL");
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("undelivered    3 to program"), "{status}");
    let watcher = Watcher::start(&sandbox, 1);
    let requests = receiver.until("/hook", 2);
    drop(watcher);
    assert_eq!(requests[0].headers["x-spillover-id"], requests[1].headers["x-spillover-id"]);
    assert_eq!(requests[0].body, requests[1].body);
}

#[test]
fn a_sink_without_its_secret_stops_the_start_and_a_bad_rule_names_its_line() {
    let (sandbox, _) = home();
    let receiver = Receiver::start();
    let text = LATE.to_owned() + &webhook(&sandbox, "program", &receiver, "/hook");
    rules(&sandbox, &text);
    let path = sandbox.home().join("hook.secret");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("open");
    let feed = sandbox.feed();
    let run = sandbox.run(["watch".as_ref(), feed.as_os_str()]);
    assert_eq!(run.code, Some(1));
    let expected = "sink \"program\" cannot send: other users can read the secret in ";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    rules(&sandbox, "[[rule]]\nname = 'x'\nz = {}\nsign = {}\n");
    let run = sandbox.run(["alerts", "test"]);
    assert_eq!(run.code, Some(1));
    let expected = "alerts.toml, line 1, column 1: rule \"x\": it has 2 conditions; give one of ";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[test]
fn an_alert_is_acknowledged_once_by_its_identifier() {
    let (sandbox, _) = home();
    let unknown = sandbox.run(["alerts", "ack", "0123456789abcdef"]);
    assert_eq!(unknown.code, Some(2));
    assert!(!sandbox.home().join("alerts.sqlite").exists(), "nothing is created for it");
    rules(&sandbox, LATE);
    once(&sandbox);
    let list = || csv_rows(&sandbox.run(["alerts", "list", "--open"]).stdout);
    let rows = list();
    let at = rows[0].iter().position(|name| name == "acknowledged_at").expect("a column");
    assert_eq!((rows.len(), rows[1][at].as_str()), (4, ""));
    let id = rows[1][0].clone();
    let first = sandbox.run(["alerts", "ack", &id]);
    assert_eq!((first.code, first.stdout.contains("is acknowledged")), (Some(0), true));
    let again = sandbox.run(["alerts", "ack", &id]);
    assert!(again.stdout.contains("was acknowledged at 2"), "{}", again.stdout);
    assert!(!list()[1][at].is_empty());
    let preview = sandbox.run(["alerts", "preview"]);
    assert_eq!(csv_rows(&preview.stdout).len(), 4, "the newest publication from the start");
}
