//! Files arrive, are published again and withdrawn, with restarts from snapshots in between. At
//! every step the home equals its records, and every vintage can be read, bit for bit.

#[path = "../common/mod.rs"]
mod common;
mod story;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::Sandbox;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use spillover::engine::{Engine, EngineError, Request};
use story::{CITIES, Event, Line, Rules, Story, event, has_files, play, play_under};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 8, max_shrink_iters: 60, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn appended_files_withdrawals_and_restarts_leave_every_vintage_as_it_was(
        events in prop::collection::vec(event(), 4..14)
    ) {
        play("revision = \"append\"", &events);
    }

    #[test]
    fn vintages_that_are_not_stored_are_replayed_as_they_were(
        events in prop::collection::vec(event(), 4..14),
        retention in prop_oneof![Just("\"month-ends\""), Just("1"), Just("3")],
    ) {
        let options = match retention {
            "1" => "revision = \"append\"\nretention = 1",
            "3" => "revision = \"append\"\nretention = 3",
            _ => "revision = \"append\"\nretention = \"month-ends\"",
        };
        play(options, &events);
    }

    #[test]
    fn superseding_files_withdrawals_and_restarts_leave_every_vintage_as_it_was(
        events in prop::collection::vec(event(), 4..14)
    ) {
        play("revision = \"supersede\"", &events);
    }

    #[test]
    fn files_that_replace_months_and_flows_leave_the_lines_of_the_newest_file_of_each(
        events in prop::collection::vec(event(), 4..14)
    ) {
        let (_, story) = play_under(&Rules::replacing(), &events);
        if has_files(&story.many.sandbox.home()) {
            story.check_live_lines();
        }
    }
}

#[test]
fn a_flow_that_is_gone_from_a_month_of_the_new_file_is_gone() {
    let line = |months_late| Line { firm: 0, region: 0, country: 301, months_late, dollars: 100 };
    let year: Vec<(u32, Vec<Line>)> = (0..14).map(|_| (0, vec![line(0)])).collect();
    // The file of February 2001 comes again: it has exports of January, and imports of February.
    let again = vec![(1, vec![line(1)])];
    let events = [Event::Files(year), Event::Files(again)];
    let (_, story) = play_under(&Rules::replacing(), &events);
    assert!(story.check_live_lines() > 0);
    let text = story.many.sandbox.export("city");
    let last = text.lines().last().expect("a row");
    assert!(last.starts_with("2001,2,1101,301,1,1,0,0,100.00,200.00,"), "{text}");
}

#[test]
fn the_stories_of_replaced_months_compare_rows() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut n_withdrawals, mut n_rows) = (0, 0);
    for _ in 0..4 {
        let events = prop::collection::vec(event(), 10..14);
        let events = events.new_tree(&mut runner).expect("a value").current();
        let (counts, story) = play_under(&Rules::replacing(), &events);
        n_withdrawals += counts[0];
        n_rows += story.check_live_lines();
    }
    assert!(n_withdrawals > 1 && n_rows > 30, "{n_withdrawals} withdrawn, {n_rows} compared");
}

#[test]
fn the_stories_that_are_played_have_withdrawals_damage_and_rows() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut sums = [0; 3];
    for _ in 0..8 {
        let events = prop::collection::vec(event(), 10..14);
        let events = events.new_tree(&mut runner).expect("a value").current();
        let counts = play("revision = \"append\"", &events);
        sums = std::array::from_fn(|at| sums[at] + counts[at]);
    }
    let [n_withdrawals, n_damaged, n_rows] = sums;
    assert!(n_withdrawals > 2 && n_damaged > 0 && n_rows > 100, "{sums:?} were compared");
}

#[test]
fn the_newest_two_snapshots_are_kept_and_the_older_files_are_gone() {
    let mut story = Story::new(&Rules::canonical("revision = \"append\""));
    for _ in 0..4 {
        story.take_in(&[(0, Vec::new())]);
        story.play(&Event::Snapshot);
    }
    let kept = story.many.home().snapshots().expect("asked");
    assert_eq!(kept.iter().map(|kept| kept.publication.0).collect::<Vec<_>>(), [4, 3]);
    let folder = story.many.sandbox.home().join("snapshots");
    let names = fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("one").path());
    let mut names: Vec<PathBuf> = names.collect();
    names.sort();
    assert_eq!(names, ["000003.parquet", "000004.parquet"].map(|name| folder.join(name)));
    assert!(story.many.engine().snapshot().expect("asked").is_none(), "there is one");
}

#[test]
fn a_home_that_is_being_opened_is_left_as_soon_as_it_is_not_wanted() {
    let mut story = Story::new(&Rules::canonical("revision = \"append\""));
    for _ in 0..5 {
        story.take_in(&[(0, Vec::new())]);
    }
    story.many.engine = None;
    let home = story.many.sandbox.home();
    let mut n_files = 0;
    let opened = Engine::open(&home, Request::default(), |n| {
        n_files += n;
        if n_files < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(opened, Err(EngineError::Stopped)));
    assert_eq!(n_files, 3);
    story.many.restart();
    story.check();
}

/// Two cities change their areas, and one of them also its province.
#[test]
fn a_home_rebuilt_under_other_areas_and_provinces_is_one_that_was_made_with_them() {
    let other = CITIES.replace("1101,11,100", "1101,11,42.5").replace("1102,11,200", "1102,21,7");
    let line = |at: usize| Line {
        firm: u8::try_from(at % 3).expect("small"),
        region: at % 4,
        country: 301,
        months_late: 0,
        dollars: i16::try_from(10 + at * 7 % 90).expect("small"),
    };
    let mut story = Story::new(&Rules::canonical("revision = \"append\""));
    for month in 0..26 {
        story.take_in(&[(0, (0..12).map(|at| line(month + at * 5)).collect())]);
    }
    story.many.engine = None;
    let (old, new) = (&story.many.sandbox, Sandbox::new());
    old.write("cities.csv", &other);
    let feed = old.feed();
    let refused = old.run([Path::new("ingest"), &feed]);
    assert!(refused.stderr.contains("`rebuild` the home"), "{}", refused.stderr);
    let rebuild = || old.run([Path::new("rebuild"), Path::new("--tables"), &feed]);
    assert_eq!(rebuild().code, Some(0));
    old.write("cities.csv", other.replace("3101,31,400\n", ""));
    let run = rebuild();
    assert_eq!(run.code, Some(1), "fewer cities");
    assert!(run.stderr.contains("cities.csv lacks codes"), "{}", run.stderr);
    old.write("cities.csv", other + "4101,31,9\n");
    assert_eq!(rebuild().code, Some(0), "more cities, one of them in a province with others");
    let run = rebuild();
    assert!(run.stdout.contains("nothing to rebuild"), "{}{}", run.stdout, run.stderr);
    new.options("revision = \"append\"");
    new.ingest(&[&feed], 1);
    for table in ["city", "plant"] {
        assert_eq!(old.export(table), new.export(table));
    }
    assert_eq!(old.run(["verify"]).code, Some(0));
}

#[test]
fn a_missing_snapshot_costs_time_and_no_figure() {
    let mut story = Story::new(&Rules::canonical("revision = \"append\""));
    for _ in 0..14 {
        let line = Line { firm: 1, region: 0, country: 301, months_late: 0, dollars: 7 };
        story.take_in(&[(0, vec![line])]);
    }
    let kept = story.many.home().snapshots().expect("asked");
    assert_eq!(kept.len(), 1, "a year has closed");
    fs::remove_file(story.many.sandbox.home().join(&kept[0].file.path)).expect("removed");
    story.many.restart();
    let restored = story.many.engine().restored();
    assert_eq!((restored.from, restored.damaged.len()), (None, 1));
    story.many.engine().snapshot().expect("kept");
    story.many.restart();
    assert!(story.many.engine().restored().from.is_some());
    story.check();
}
