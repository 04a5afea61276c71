use std::time::{Duration, SystemTime};

use super::*;
use crate::watch::look::is_marked;

const JANUARY: &str = "200001.csv";
const FEBRUARY: &str = "200002.csv";
const MARCH: &str = "200003.csv";

fn stamp(n_bytes: u64) -> Stamp {
    Stamp { n_bytes, modified: SystemTime::UNIX_EPOCH + Duration::from_secs(n_bytes) }
}

fn file(name: &str) -> FeedFile {
    let period = name[..6].parse().expect("a month");
    let path = PathBuf::from("feed").join(name);
    FeedFile { is_named: false, ..FeedFile::new(period, path) }
}

fn look(files: &[(&str, u64)]) -> Look {
    let files = files.iter().map(|(name, n_bytes)| (file(name), stamp(*n_bytes)));
    Look { files: files.collect(), ..Look::default() }
}

fn rules(next: &str) -> Rules {
    Rules { next: next.parse().ok(), by_file: true, at_once: false, markers_only: false }
}

fn names(ready: &Ready) -> Vec<&str> {
    ready.files.iter().map(|(file, _)| file.name.as_str()).collect()
}

fn archived(ledger: &mut Ledger, ready: &Ready) {
    for (file, stamp) in &ready.files {
        let verdict = Verdict::Archived { hash: file.name.clone() };
        ledger.judge(file.path.clone(), *stamp, verdict);
    }
}

#[test]
fn a_file_is_ready_when_it_looks_the_same_twice_or_has_a_marker() {
    let mut ledger = Ledger::default();
    let grown = ledger.ready(&look(&[(JANUARY, 10)]), rules("200001"), |_, _| false);
    assert_eq!((names(&grown), grown.n_growing), (vec![], 1));
    let growing = ledger.ready(&look(&[(JANUARY, 20)]), rules("200001"), |_, _| false);
    assert_eq!((names(&growing), growing.n_growing), (vec![], 1));
    let whole = ledger.ready(&look(&[(JANUARY, 20)]), rules("200001"), |_, _| false);
    assert_eq!((names(&whole), whole.n_growing), (vec![JANUARY], 0));
    let mut ledger = Ledger::default();
    let marked = ledger.ready(&look(&[(JANUARY, 10)]), rules("200001"), |_, _| true);
    assert_eq!(names(&marked), [JANUARY]);
}

#[test]
fn without_a_marker_nothing_is_ready_where_only_markers_count() {
    let (mut ledger, rules) = (Ledger::default(), Rules { markers_only: true, ..rules("200001") });
    for _ in 0..3 {
        assert_eq!(names(&ledger.ready(&look(&[(JANUARY, 10)]), rules, |_, _| false)), [""; 0]);
    }
    assert_eq!(names(&ledger.ready(&look(&[(JANUARY, 10)]), rules, |_, _| true)), [JANUARY]);
}

#[test]
fn what_was_judged_is_not_looked_into_again_until_it_changes() {
    let mut ledger = Ledger::default();
    let ready = ledger.ready(&look(&[(JANUARY, 10)]), rules("200001"), |_, _| true);
    archived(&mut ledger, &ready);
    let asked = |file: &FeedFile, _| panic!("{} was looked at again", file.name);
    assert_eq!(ledger.ready(&look(&[(JANUARY, 10)]), rules("200002"), asked), Ready::default());
    let changed = ledger.ready(&look(&[(JANUARY, 11)]), rules("200002"), |_, _| true);
    assert_eq!(names(&changed), [JANUARY]);
    ledger.judge(file(JANUARY).path, stamp(11), Verdict::Refused);
    assert_eq!(ledger.ready(&look(&[(JANUARY, 11)]), rules("200002"), asked), Ready::default());
    assert_eq!(ledger.n_refused(), 1);
}

#[test]
fn months_past_a_gap_wait_and_are_not_read() {
    let mut ledger = Ledger::default();
    let gap = ledger.ready(&look(&[(JANUARY, 1), (MARCH, 3)]), rules("200001"), |_, _| true);
    assert_eq!((names(&gap), gap.n_waiting), (vec![JANUARY], 1));
    assert_eq!(gap.awaited.map(|month| month.to_string()).as_deref(), Some("200002"));
    archived(&mut ledger, &gap);
    let there = [(JANUARY, 1), (FEBRUARY, 2), (MARCH, 3)];
    let filled = ledger.ready(&look(&there), rules("200002"), |_, _| true);
    assert_eq!((names(&filled), filled.n_waiting), (vec![FEBRUARY, MARCH], 0));
}

#[test]
fn a_feed_does_not_begin_before_all_that_is_there_is_whole() {
    let mut ledger = Ledger::default();
    let there = look(&[(JANUARY, 1), (FEBRUARY, 2)]);
    let is_february = |file: &FeedFile, _| file.name == FEBRUARY;
    let copied = ledger.ready(&there, rules(""), is_february);
    assert_eq!((names(&copied), copied.n_waiting, copied.n_growing), (vec![], 1, 1));
    assert_eq!(names(&ledger.ready(&there, rules(""), is_february)), [JANUARY, FEBRUARY]);
}

#[test]
fn a_feed_does_not_begin_with_the_month_after_one_that_was_refused() {
    let mut ledger = Ledger::default();
    ledger.judge(file(JANUARY).path, stamp(1), Verdict::Refused);
    let there = [(JANUARY, 1), (FEBRUARY, 2)];
    let refused = ledger.ready(&look(&there), rules(""), |_, _| true);
    assert_eq!((names(&refused), refused.n_waiting), (vec![], 1));
    let mended = ledger.ready(&look(&[(JANUARY, 9), (FEBRUARY, 2)]), rules(""), |_, _| true);
    assert_eq!(names(&mended), [JANUARY, FEBRUARY]);
}

#[test]
fn a_file_that_could_not_be_read_is_tried_again_less_and_less_often() {
    let mut ledger = Ledger::default();
    let mut tried_at = Vec::new();
    for n_looks in 1..100 {
        let ready = ledger.ready(&look(&[(JANUARY, 10)]), rules("200001"), |_, _| true);
        if !ready.files.is_empty() {
            let is_news = ledger.could_not_read(file(JANUARY).path, stamp(10));
            assert_eq!(is_news, n_looks == 1, "look {n_looks}");
            tried_at.push(n_looks);
        }
    }
    assert_eq!(tried_at, [1, 3, 7, 15, 31, 63]);
    assert_eq!(ledger.n_unreadable(), 1);
}

/// The ledger that the next run reads.
fn known(ledger: &Ledger, is_seen: impl Fn(&Path, &str) -> bool) -> Ledger {
    Ledger::from_json(ledger.to_json().as_bytes(), is_seen).expect("an earlier run wrote it")
}

#[test]
fn the_next_run_knows_what_the_home_bears_out_and_tries_the_rest_again() {
    let mut ledger = Ledger::default();
    for (name, n_bytes) in [(JANUARY, 1), (FEBRUARY, 2)] {
        let verdict = Verdict::Archived { hash: name.to_owned() };
        ledger.judge(file(name).path, stamp(n_bytes), verdict);
    }
    ledger.judge(file(MARCH).path, stamp(3), Verdict::Refused);
    let next = known(&ledger, |_, hash| hash == JANUARY);
    let settled = [(JANUARY, 1), (FEBRUARY, 2), (MARCH, 3)]
        .map(|(name, n_bytes)| next.is_settled(&file(name).path, stamp(n_bytes)));
    assert_eq!(settled, [true, false, false]);
    Ledger::from_json(b"{", |_, _| true).expect_err("what is no ledger is told");
}

#[test]
fn what_is_gone_is_forgotten_but_not_when_the_folder_went_with_it() {
    let mut ledger = Ledger::default();
    let ready = ledger.ready(&look(&[(JANUARY, 1), (FEBRUARY, 2)]), rules("200001"), |_, _| true);
    archived(&mut ledger, &ready);
    let unmounted = Look { empty: vec![PathBuf::from("feed")], ..Look::default() };
    ledger.ready(&unmounted, rules("200003"), |_, _| true);
    assert_eq!(ledger.n_judged_in(Path::new("feed")), 2);
    ledger.ready(&look(&[(FEBRUARY, 2)]), rules("200003"), |_, _| true);
    assert_eq!(ledger.n_judged_in(Path::new("feed")), 1);
}

#[test]
fn a_file_that_json_cannot_tell_of_is_read_again_by_the_next_run_and_stops_nothing() {
    let mut ledger = Ledger::default();
    let verdict = || Verdict::Archived { hash: "a".to_owned() };
    let old = Stamp { n_bytes: 1, modified: SystemTime::UNIX_EPOCH - Duration::from_secs(1) };
    ledger.judge("feed/200001.csv".into(), old, verdict());
    ledger.judge("feed/200002.csv".into(), stamp(2), verdict());
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"feed/200003\xba\xa3.csv");
        ledger.judge(name.into(), stamp(3), verdict());
    }
    let next = known(&ledger, |_, _| true);
    assert!(next.is_settled(Path::new("feed/200002.csv"), stamp(2)));
    assert_eq!(next.judged.len(), 1);
}

#[test]
fn a_marker_that_is_older_than_its_file_was_made_for_an_earlier_version() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(JANUARY);
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let written_at = |path: &Path, seconds| {
        let file = std::fs::File::create(path).expect("a file");
        file.set_modified(at(seconds)).expect("a time");
    };
    let stamp = |seconds| Stamp { n_bytes: 0, modified: at(seconds) };
    let is_marked = |stamp| is_marked(&path, stamp).expect("it can be looked at");
    assert!(!is_marked(stamp(100)));
    written_at(&folder.path().join("200001.csv.done"), 100);
    assert!(is_marked(stamp(99)) && is_marked(stamp(100)));
    assert!(!is_marked(stamp(101)));
}
