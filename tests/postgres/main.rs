//! `spillover sync` and the option `sink`, with a PostgreSQL server that the test starts.

#[path = "../common/mod.rs"]
mod common;
mod rows;
mod server;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Run, Sandbox};
use rows::{assert_equal_to_export, assert_equal_to_fresh};
use server::{ENCODED, Server, repository};

/// The tables that are compared with `export`.
const TABLES: [&str; 6] = ["city", "plant", "months", "series", "estimates", "files"];
/// The longest wait for something that happens at once on an idle machine.
const WAIT_MAX: Duration = Duration::from_mins(2);

/// A home of the demo feed up to a month, and the feed's files after it.
fn demo(through: &str) -> (Sandbox, Vec<PathBuf>) {
    let (sandbox, mut later) = (Sandbox::new(), Vec::new());
    sandbox.options("revision = \"supersede\"\nestimate = [\"3.4\"]\n");
    for entry in std::fs::read_dir(repository("streams/demo")).expect("the feed") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let is_month = name.starts_with(|first: char| first.is_ascii_digit());
        if is_month && name.as_str() > through {
            later.push(path);
        } else {
            sandbox.write(&name, std::fs::read(&path).expect("a file"));
        }
    }
    later.sort();
    take_in(&sandbox);
    (sandbox, later)
}

fn take_in(sandbox: &Sandbox) {
    let run = sandbox.run(["ingest".as_ref(), sandbox.feed().as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

/// Adds a file of the demo feed, with more lines.
fn add(sandbox: &Sandbox, path: &std::path::Path, lines: &str) {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).expect("a file");
    sandbox.write(&name, format!("{}\n{lines}", text.trim_end()));
    take_in(sandbox);
}

fn sync(sandbox: &Sandbox, server: &Server) -> Run {
    sandbox.run(["sync", &server.url()])
}

fn synced(sandbox: &Sandbox, server: &Server) -> String {
    let run = sync(sandbox, server);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout
}

fn refused(run: &Run, why: &str) {
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stderr.contains(why), "{}", run.stderr);
}

/// The numbers of rows that a sync reports: new, changed and gone.
fn n_rows(said: &str) -> [usize; 3] {
    let (_, counts) = said.split_once(": rows ").expect("the counts of rows");
    let numbers = counts.split(", ").map(|of| of.split(' ').next().expect("a number"));
    let numbers: Vec<usize> = numbers.map(|of| of.parse().expect("a number")).collect();
    numbers.try_into().expect("three numbers")
}

fn publication(server: &Server) -> String {
    server.cell("SELECT publication FROM spillover.publication")
}

/// A run of the program that goes on.
fn spawn(sandbox: &Sandbox, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillover"));
    command.current_dir(sandbox.folder()).arg("--data").arg(sandbox.home()).args(arguments);
    let log = std::fs::File::create(sandbox.folder().join("log")).expect("a log");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it starts")
}

/// Waits until something holds.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < WAIT_MAX, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn every_table_has_the_rows_of_its_export_with_types_comments_and_names() {
    let (server, (sandbox, _)) = (Server::start(), demo("201002.csv"));
    let said = synced(&sandbox, &server);
    assert!(said.contains(", schema spillover: rows "), "{said}");
    for table in TABLES {
        assert_equal_to_export(&sandbox, &server, table);
    }
    rows::assert_effects_equal_to_export(&sandbox, &server, "201002");
    assert!(synced(&sandbox, &server).contains("already"), "nothing is new");
    let types = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema \
                 = 'spillover' AND table_name = 'plant'";
    let types = server.rows(types);
    for (column, kind) in
        [("export_value", "numeric"), ("local_growth", "double precision"), ("plants", "bigint")]
    {
        assert!(types.contains(&vec![column.to_owned(), kind.to_owned()]), "{column}: {types:?}");
    }
    let comment = "SELECT col_description('spillover.city'::regclass, 4)";
    let comment = server.cell(comment);
    assert!(comment.contains("Code of the destination [code]. 目的国"), "{comment}");
    let without = "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE \
                   relnamespace = 'spillover'::regnamespace AND relname IN ('city', 'plant', \
                   'months', 'series', 'effects', 'files', 'vintages', 'names') AND attnum > 0 AND \
                   relkind = 'r' AND col_description(attrelid, attnum) IS NULL";
    assert_eq!(server.cell(without), "0", "a column has no comment");
    let named = "SELECT city_zh, city_en, country_zh, country_en FROM spillover.city_named WHERE \
                 city = '3100' AND country = '502' LIMIT 1";
    assert_eq!(server.rows(named)[0], ["上海市", "Shanghai", "美国", "United States"]);
    let named = "SELECT DISTINCT name_zh, name_en FROM spillover.series_named WHERE key = '31^502'";
    assert_eq!(server.rows(named)[0], ["31 · 美国", "31 · United States"]);
    let vintages = "SELECT count(*), count(committed_at), min(period), max(vintage) FROM \
                    spillover.vintages";
    assert_eq!(server.rows(vintages)[0], ["26", "26", "200801", "26"]);
}

#[test]
fn late_amended_and_withdrawn_files_change_exactly_their_figures() {
    let (server, (sandbox, later)) = (Server::start(), demo("200912.csv"));
    let [n_all, ..] = n_rows(&synced(&sandbox, &server));
    let check = |what: &str, said: &str| {
        let counts = n_rows(said);
        for table in TABLES {
            assert_equal_to_export(&sandbox, &server, table);
        }
        rows::assert_effects_equal_to_export(&sandbox, &server, &newest_month(&sandbox));
        assert_equal_to_fresh(&sandbox, &server);
        assert!(counts.iter().sum::<usize>() < n_all, "{what}: {counts:?} of {n_all} rows");
        counts
    };
    let late = "200903,E,9900000001,迟报企业,31009,502,84713000,10,123456.78\n";
    add(&sandbox, &later[0], late);
    let [n_new, n_changed, _] = check("a late line", &synced(&sandbox, &server));
    assert!(n_new > 0 && n_changed > 0);
    let city = "SELECT export_value FROM spillover.city WHERE year = 2009 AND city = '3100' AND \
                country = '502'";
    let before: f64 = server.cell(city).parse().expect("an amount");
    // The same month again, without the late line.
    let amended = sandbox.folder().join("201001.csv");
    std::fs::copy(&later[0], &amended).expect("a copy");
    add(&sandbox, &amended, "");
    check("an amended month", &synced(&sandbox, &server));
    let after: f64 = server.cell(city).parse().expect("an amount");
    assert!((before - after - 123_456.78).abs() < 1e-6, "{before} {after}");
    add(&sandbox, &later[1], "");
    let run = sandbox.run(["withdraw", "200906.csv"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let [.., n_gone] = check("a withdrawn file", &synced(&sandbox, &server));
    assert!(n_gone > 0, "a withdrawn file leaves all rows");
    let stale = "SELECT count(*) FROM spillover.estimates WHERE stale";
    assert_ne!(server.cell(stale), "0", "a withdrawn file leaves the estimate as it was");
}

/// The newest closed month, YYYYMM.
fn newest_month(sandbox: &Sandbox) -> String {
    let names = std::fs::read_dir(sandbox.feed()).expect("the feed");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let months = names.filter(|name| name.starts_with("20"));
    months.max().expect("a month").trim_end_matches(".csv").to_owned()
}

/// A session that locks a table, until the child ends.
fn locked(server: &Server, table: &str) -> Child {
    let sql =
        format!("BEGIN; LOCK TABLE spillover.{table} IN EXCLUSIVE MODE; SELECT pg_sleep(600)");
    let child = server.psql(&sql, "trade").stdout(Stdio::null()).spawn().expect("psql");
    let sql = format!(
        "SELECT count(*) FROM pg_locks WHERE relation = 'spillover.{table}'::regclass AND granted \
         AND mode = 'ExclusiveLock'"
    );
    wait_until("the lock", || server.cell(&sql) == "1");
    child
}

fn unlock(server: &Server, mut child: Child) {
    server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' \
                AND pid <> pg_backend_pid()",
    );
    child.kill().expect("killed");
    child.wait().expect("ended");
}

/// The number of sessions of a sync that wait for a lock, or of all its sessions.
fn n_sessions(server: &Server, condition: &str) -> usize {
    let sql = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'spillover sync'{condition}"
    );
    server.cell(&sql).parse().expect("a number")
}

#[test]
fn a_kill_at_any_table_leaves_one_publication_and_the_next_sync_continues() {
    let (server, (sandbox, later)) = (Server::start(), demo("200911.csv"));
    // The first sync has nothing to fall back to: kills leave no schema at all, or all of it.
    for wait_ms in [0, 100, 400, 1000] {
        let mut child = spawn(&sandbox, &["sync", &server.url()]);
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().expect("killed");
        child.wait().expect("ended");
        wait_until("the end of the session", || n_sessions(&server, "") == 0);
        let there = server.cell("SELECT count(*) FROM pg_namespace WHERE nspname = 'spillover'");
        let is_whole = there == "1" && publication(&server) == "2";
        assert!(there == "0" || is_whole, "{there}");
    }
    synced(&sandbox, &server);
    let before = publication(&server);
    add(&sandbox, &later[0], "200902,E,9900000001,迟报,31009,502,84713000,10,1.01\n");
    for table in ["city", "months", "effects", "estimates", "vintages", "synced", "publication"] {
        let old = rows::all(&server, "spillover");
        let lock = locked(&server, table);
        let mut child = spawn(&sandbox, &["sync", &server.url()]);
        let waits = " AND wait_event_type = 'Lock'";
        wait_until("the wait for the lock", || n_sessions(&server, waits) == 1);
        child.kill().expect("killed");
        child.wait().expect("ended");
        unlock(&server, lock);
        wait_until("the end of the session", || n_sessions(&server, "") == 0);
        assert_eq!(publication(&server), before, "{table}");
        assert_eq!(rows::all(&server, "spillover"), old, "{table}");
    }
    let said = synced(&sandbox, &server);
    assert!(n_rows(&said)[0] > 0, "{said}");
    assert_ne!(publication(&server), before);
    assert_equal_to_fresh(&sandbox, &server);
}

#[test]
fn a_server_that_stops_keeps_its_publication_and_two_syncs_do_not_mix() {
    let (server, (sandbox, later)) = (Server::start(), demo("200911.csv"));
    synced(&sandbox, &server);
    let before = publication(&server);
    add(&sandbox, &later[0], "");
    let lock = locked(&server, "months");
    let mut child = spawn(&sandbox, &["sync", &server.url()]);
    wait_until("the wait for the lock", || {
        n_sessions(&server, " AND wait_event_type = 'Lock'") == 1
    });
    let why = "another sync is writing the schema spillover of ";
    refused(&sync(&sandbox, &server), why);
    server.stop();
    assert_eq!(child.wait().expect("ended").code(), Some(1));
    let log = std::fs::read_to_string(sandbox.folder().join("log")).expect("the log");
    assert!(log.contains("which keeps its publication; run the sync again"), "{log}");
    refused(&sync(&sandbox, &server), "check the address, and whether the server runs");
    drop(lock.wait_with_output());
    server.resume();
    assert_eq!(publication(&server), before);
    synced(&sandbox, &server);
    assert_ne!(publication(&server), before);
    assert_equal_to_fresh(&sandbox, &server);
}

#[test]
fn another_home_layout_or_table_is_refused_with_what_to_do() {
    let (server, (sandbox, later)) = (Server::start(), demo("200812.csv"));
    server.run("CREATE SCHEMA spillover; CREATE TABLE spillover.mine (a int)");
    refused(&sync(&sandbox, &server), "has tables that no sync made; name another schema");
    server.run("DROP TABLE spillover.mine");
    synced(&sandbox, &server);
    // Homes with the same files and times of commits, in seconds, have the same rows.
    let (other, _) = demo("200811.csv");
    refused(&sync(&other, &server), "of another home; name another schema with --schema");
    let run = other.run(["sync", &server.url(), "--schema", "an \"other\""]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(server.cell("SELECT publication FROM \"an \"\"other\"\"\".publication"), "1");
    let backup = sandbox.folder().join("backup");
    let run = sandbox.run(["backup".as_ref(), backup.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    add(&sandbox, &later[0], "");
    synced(&sandbox, &server);
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillover"));
    let older = common::run(command.arg("--data").arg(&backup).args(["sync", &server.url()]));
    refused(&older, "has vintage 13, and the home has vintage 12 as its newest");
    server.run("UPDATE spillover.publication SET layout = '0-earlier'");
    refused(&sync(&sandbox, &server), "DROP SCHEMA \"spillover\" CASCADE");
    assert_eq!(publication(&server), "2", "a refusal changes nothing");
}

#[test]
fn a_password_is_used_and_never_shown() {
    let (server, (sandbox, _)) = (Server::start(), demo("200801.csv"));
    let good = sandbox.run(["sync", &server.url_with(ENCODED)]);
    assert_eq!(good.code, Some(0), "{}", good.stderr);
    let none = sandbox.run(["sync", &server.url_with("").replace(":@", "@")]);
    refused(&none, "check user, password (PGPASSWORD)");
    for (password, why) in [
        ("wrong-secret", "check user, password (PGPASSWORD)"),
        ("wrong-secret@more", "has @, /, ? or # inside a part; write %40"),
        ("wrong-secret/1", "has @, /, ? or # inside a part; write %40"),
    ] {
        let url = server.url_with(password);
        let run = sandbox.run(["sync", "--log-level", "debug", &url]);
        refused(&run, why);
        assert!(!format!("{run:?}").contains("secret"), "{run:?}");
        sandbox.options(&format!("sink = \"{url}\"\n"));
        let run = sandbox.run(["sync"]);
        refused(&run, why);
        assert!(!format!("{run:?}").contains("secret"), "{run:?}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillover"));
    command.arg("--data").arg(sandbox.home()).env("PGPASSWORD", server::PASSWORD);
    let url = server.url_with("").replace(":@", "@");
    let run = common::run(command.args(["sync", &url]));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

#[test]
fn a_database_that_is_down_delays_no_intake_and_follows_once_it_is_up() {
    let (server, (sandbox, later)) = (Server::start(), demo("200801.csv"));
    sandbox.options(&format!("sink = \"{}\"\nsink_schema = \"live\"\n", server.url()));
    server.stop();
    let feed = sandbox.feed().to_string_lossy().into_owned();
    let mut child = spawn(&sandbox, &["watch", &feed, "--interval", "0.1"]);
    for path in &later[..2] {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        sandbox.write(&name, std::fs::read(path).expect("a file"));
        let month = name.trim_end_matches(".csv").to_owned();
        wait_until("the intake", || sandbox.run(["status"]).stdout.contains(&month));
    }
    let log = || std::fs::read_to_string(sandbox.folder().join("log")).expect("the log");
    wait_until("the report", || log().contains("check the address, and whether the server runs"));
    server.resume();
    let there = "SELECT count(*) FROM pg_namespace WHERE nspname = 'live'";
    wait_until("the sync", || server.cell(there) == "1");
    let vintage = "SELECT vintage FROM live.publication";
    assert_eq!(server.cell(vintage), "3");
    let name = later[2].file_name().expect("a name").to_string_lossy().into_owned();
    sandbox.write(&name, std::fs::read(&later[2]).expect("a file"));
    wait_until("the next sync", || server.cell(vintage) == "4");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    assert_eq!(child.wait().expect("ended").code(), Some(0), "{}", log());
    assert_eq!(log().matches("cannot connect to").count(), 1, "{}", log());
}

#[test]
fn a_sync_that_follows_writes_each_publication_and_once_ends_with_the_database() {
    let (server, (sandbox, later)) = (Server::start(), demo("200812.csv"));
    let mut child = spawn(&sandbox, &["sync", &server.url(), "--follow"]);
    let there = "SELECT count(*) FROM pg_namespace WHERE nspname = 'spillover'";
    wait_until("the first sync", || server.cell(there) == "1");
    add(&sandbox, &later[0], "");
    wait_until("the next sync", || publication(&server) == "2");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    sandbox.options(&format!("sink = \"{}\"\n", server.url()));
    let name = later[1].file_name().expect("a name").to_string_lossy().into_owned();
    sandbox.write(&name, std::fs::read(&later[1]).expect("a file"));
    let feed = sandbox.feed().to_string_lossy().into_owned();
    let once = ["watch", &feed, "--once", "--interval", "0"];
    let run = sandbox.run(once);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(publication(&server), "3");
    server.stop();
    refused(&sandbox.run(once), "check the address, and whether the server runs");
}
