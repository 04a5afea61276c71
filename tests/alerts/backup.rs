//! Alerts in a backup of their home.

use std::fs;
use std::path::Path;

use crate::common::{Sandbox, csv_rows};
use crate::delivery::{LATE, home, once, rules, webhook};
use crate::receiver::{Receiver, Reply};
use crate::watcher::Watcher;
use spillover::alerts::store::Store;

/// Runs a command on another home.
fn on(sandbox: &Sandbox, home: &Path, arguments: &[&str]) -> crate::common::Run {
    let home = home.to_str().expect("UTF-8");
    sandbox.run(arguments.iter().copied().chain(["--data", home]))
}

#[test]
fn a_backup_has_the_alerts_their_acknowledgements_and_what_is_not_delivered() {
    let (sandbox, _) = home();
    let receiver = Receiver::start();
    receiver.script("/hook", &[Reply::Silence, Reply::Answer(200, "", "{}")]);
    rules(&sandbox, &(LATE.to_owned() + &webhook(&sandbox, "program", &receiver, "/hook")));
    let watcher = Watcher::start(&sandbox, 1);
    receiver.until("/hook", 1);
    watcher.end("-KILL");
    let list = sandbox.run(["alerts", "list"]).stdout;
    let id = csv_rows(&list)[2][0].clone();
    assert_eq!(sandbox.run(["alerts", "ack", &id]).code, Some(0));
    let list = sandbox.run(["alerts", "list"]).stdout;
    let (copy, restored) = (sandbox.folder().join("copy"), sandbox.folder().join("restored"));
    let run = sandbox.run(["backup", copy.to_str().expect("UTF-8")]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let run = on(&sandbox, &restored, &["restore", copy.to_str().expect("UTF-8")]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(on(&sandbox, &restored, &["alerts", "list"]).stdout, list);
    assert!(list.contains(&id) && list.matches(",raised,").count() == 3, "{list}");
    let text = |home: &Path| fs::read(home.join("alerts.toml")).expect("rules");
    assert_eq!(text(&restored), text(&sandbox.home()));
    let status = on(&sandbox, &restored, &["status"]).stdout;
    assert!(status.contains("3 raised, 2 of them not acknowledged"), "{status}");
    assert!(status.contains("undelivered    3 to program"), "{status}");
    // Secrets are not copied: a sink says so at the start.
    let feed = sandbox.feed();
    let watch = ["watch", feed.to_str().expect("UTF-8"), "--once"];
    let run = on(&sandbox, &restored, &watch);
    assert!(run.stderr.contains("sink \"program\" cannot send"), "{}", run.stderr);
    fs::copy(sandbox.home().join("hook.secret"), restored.join("hook.secret")).expect("a secret");
    let before = receiver.received("/hook");
    let run = on(&sandbox, &restored, &watch);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let after = receiver.received("/hook");
    let id = |of: &[crate::receiver::Received]| {
        of.last().expect("one").headers["x-spillover-id"].clone()
    };
    assert!(after.len() > before.len() && id(&after) == id(&before), "the same message");
}

#[test]
fn a_backup_beside_a_watcher_is_never_ahead_of_its_home() {
    let (sandbox, feed) = home();
    rules(&sandbox, LATE);
    once(&sandbox);
    let mut watcher = Watcher::start(&sandbox, 1);
    let mut copies = Vec::new();
    for (month, lines) in &feed.months[24..] {
        sandbox.write(&format!("{month}.csv"), crate::common::nasty_feed::text(lines));
        let to = sandbox.folder().join(format!("copy-{month}"));
        let run = sandbox.run(["backup", to.to_str().expect("UTF-8")]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        copies.push(to);
        if *month != feed.months[25].0 {
            watcher.until_next(&feed.months[25].0);
        }
    }
    drop(watcher);
    for copy in &copies {
        let store = Store::read(copy).expect("readable").expect("alerts");
        let judged = store.progress().expect("read").expect("a publication").vintage;
        let status = on(&sandbox, copy, &["status", "--json"]).stdout;
        let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
        let vintage = status["vintage"].as_u64().expect("a vintage");
        assert!(judged.0 >= 24 && u64::from(judged.0) <= vintage, "{judged} {vintage}");
        let feed = sandbox.feed();
        let run = on(&sandbox, copy, &["watch", feed.to_str().expect("UTF-8"), "--once"]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let own = on(&sandbox, copy, &["alerts", "list", "--open"]).stdout;
        let ids: Vec<String> = csv_rows(&own).iter().map(|row| row[0].clone()).collect();
        assert_eq!(ids.len(), 4, "{own}");
    }
}

#[test]
fn damaged_alerts_stop_a_restore_and_invalid_rules_are_copied_with_a_warning() {
    let (sandbox, _) = home();
    rules(&sandbox, LATE);
    once(&sandbox);
    rules(&sandbox, "[[rule]]\nname = 'x'\n");
    let copy = sandbox.folder().join("copy");
    let run = sandbox.run(["backup", copy.to_str().expect("UTF-8")]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        run.stderr.contains("no rule is evaluated before it is valid: invalid rules"),
        "{}",
        run.stderr
    );
    let path = copy.join("alerts.sqlite");
    let good = fs::read(&path).expect("the database");
    let mut damaged = good.clone();
    let place = damaged.windows(8).position(|of| of == b"\"vintage").expect("an alert");
    damaged[place] = b'x';
    let mut cut = good.clone();
    cut.truncate(good.len() / 2);
    let mut orphan = good.clone();
    orphan[100..140].fill(0xff);
    for (place, bytes) in [damaged, cut, orphan].into_iter().enumerate() {
        fs::write(&path, bytes).expect("damaged");
        let to = sandbox.folder().join(format!("restored-{place}"));
        let run = on(&sandbox, &to, &["restore", copy.to_str().expect("UTF-8")]);
        assert_eq!(run.code, Some(1), "{place}: {}", run.stdout);
        assert!(run.stderr.contains("alerts.sqlite"), "{place}: {}", run.stderr);
        assert!(!to.exists(), "{place}: nothing is written");
    }
}
