//! An output is never written into a home, by any path, nor over the command's input.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::common::Sandbox;
use super::{content, regress_with_effects, run_on, says, standing};

/// The manifest and the segments, which a reading command must not change. The database's index and
/// the locks change with each reader.
fn precious(home: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut all = content(home);
    all.retain(|(path, _)| !["sqlite-shm", "sqlite-wal"].iter().any(|end| path.ends_with(end)));
    all
}

#[test]
fn an_output_that_leads_into_a_home_is_refused_whichever_way_and_the_home_stays() {
    let sandbox = standing();
    let (home, folder) = (sandbox.home(), sandbox.folder());
    symlink(&home, folder.join("to-home")).expect("a link to the home");
    symlink(home.join("manifest.sqlite"), folder.join("to-manifest")).expect("a link to a file");
    symlink(home.join("new.csv"), folder.join("to-new")).expect("a link to nothing yet");
    symlink("to-new", folder.join("twice")).expect("a link to a link");
    fs::hard_link(home.join("manifest.sqlite"), folder.join("hard.csv")).expect("another name");
    let before = precious(&home);
    let ways = [
        "home/manifest.sqlite",
        "home/new.csv",
        "home/segments/000001.parquet",
        "home/published/city/new.csv",
        "feed/../home/acknowledged",
        "to-home/lock",
        "to-home/segments/../new.csv",
        "to-manifest",
        "to-new",
        "twice",
        "hard.csv",
    ];
    for way in ways {
        let run = sandbox.run(["export", "city", "-o", way]);
        says(&run, 1, &[way, "home"]);
        assert!(precious(&home) == before, "{way}");
    }
    for command in [
        &["diff", "1", "26", "-o", "home/new.csv"][..],
        &["estimate", "--table", "3", "-o", "home/new.csv"],
        &["simulate", "--demo", "--out", "home"],
        &["simulate", "--demo", "--out", "home/new"],
        &["simulate", "--demo", "--out", "to-home/new"],
    ] {
        says(&sandbox.run(command), 1, &["is inside the home", "outside of it"]);
        assert!(precious(&home) == before, "{command:?}");
    }
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn an_output_into_another_home_or_one_that_is_still_to_come_is_refused() {
    let sandbox = standing();
    let other = Sandbox::new();
    let text = |path: std::path::PathBuf| path.to_str().expect("text").to_owned();
    other.write("cities.csv", fs::read(sandbox.feed().join("cities.csv")).expect("a table"));
    other.write("200001.csv", fs::read(sandbox.feed().join("200001.csv")).expect("a month"));
    other.ingest(&[&other.feed()], 1);
    let before = precious(&other.home());
    for name in ["manifest.sqlite", "new.csv"] {
        let run = sandbox.run(["export", "city", "-o", &text(other.home().join(name))]);
        says(&run, 1, &["is inside the home"]);
        assert!(precious(&other.home()) == before, "{name}");
    }
    // A home without its database is still a home.
    fs::remove_file(other.home().join("manifest.sqlite")).expect("removed");
    let run = sandbox.run(["export", "city", "-o", &text(other.home().join("new.csv"))]);
    says(&run, 1, &["is inside the home"]);
    let run = run_on(Path::new("coming"), &sandbox, ["simulate", "--demo", "--out", "coming/feed"]);
    says(&run, 1, &["is inside the home"]);
    assert!(!sandbox.folder().join("coming").exists());
}

#[test]
fn an_output_over_what_the_command_reads_is_refused() {
    let sandbox = standing();
    let panel = sandbox.folder().join("panel.csv");
    let text = "y,x,g\n1,1,a\n2,3,a\n2,2,b\n5,4,b\n4,6,b\n";
    fs::write(&panel, text).expect("a panel");
    symlink("panel.csv", sandbox.folder().join("link.csv")).expect("a link to it");
    for effects in ["panel.csv", "./panel.csv", "link.csv"] {
        let run = sandbox.run(regress_with_effects(effects));
        says(&run, 1, &[effects, "that this command reads"]);
        assert_eq!(fs::read_to_string(&panel).expect("the panel"), text);
    }
    let run = sandbox.run(regress_with_effects("e.csv"));
    says(&run, 0, &[]);
    assert!(sandbox.folder().join("e.csv").is_file());
    fs::write(sandbox.folder().join("own.toml"), "").expect("options");
    let run = sandbox.run(["--config", "own.toml", "export", "city", "-o", "own.toml"]);
    says(&run, 1, &["own.toml", "that this command reads"]);
    fs::write(sandbox.folder().join("spec.toml"), "title = \"none\"\n").expect("a specification");
    let run = sandbox.run(["estimate", "--spec", "spec.toml", "-o", "spec.toml"]);
    assert_eq!(run.code, Some(1));
    assert!(fs::read_to_string(sandbox.folder().join("spec.toml")).is_ok_and(|t| t.len() > 5));
}

#[test]
fn a_home_is_not_begun_inside_another_one() {
    let sandbox = standing();
    let inner = sandbox.home().join("segments/inner");
    let run = run_on(&inner, &sandbox, ["ingest", "feed"]);
    says(&run, 1, &["is inside the home", "--data"]);
    assert!(!inner.exists());
}
