//! Renumbered firms: `firms.csv` beside the feed.

use super::*;

const NAMES: &str = "firm_id,successor,from\n";

/// The small feed; from 2009 on, firm 3100000001 has another identifier.
fn renumbered(firms: Option<&str>) -> Sandbox {
    let sandbox = feed(|month, lines| {
        let lines = text(lines);
        let is_later = month.starts_with("2009");
        if is_later { lines.replace("3100000001", "91310000A1") } else { lines }.into_bytes()
    });
    if let Some(rows) = firms {
        sandbox.write("firms.csv", format!("{NAMES}{rows}"));
    }
    sandbox
}

/// The rows of the small feed in which both identifiers are different firms.
const SPLIT: &[&str] =
    &["1101,301,550.00,300.00,1", "1102,116,40.00,80.00,1", "2101,301,75.00,50.00,0"];

/// The published tables.
fn tables(sandbox: &Sandbox) -> [String; 2] {
    ["city", "plant"].map(|table| sandbox.export(table))
}

#[test]
fn a_renumbered_firm_stays_one_firm_under_its_first_identifier() {
    let as_before = feed(|_, lines| text(lines).into_bytes());
    taken_in(&as_before);
    let row = "3100000001,91310000A1,200901\n";
    // The chain begins with an identifier that no file has.
    let chain = "91310000A1,X,201001\n3100000001,91310000A1,2009-01\n";
    for rows in [row, chain] {
        let sandbox = renumbered(Some(rows));
        taken_in(&sandbox);
        assert_eq!(city(&sandbox), RIGHT);
        assert_eq!(tables(&sandbox), tables(&as_before));
        assert_eq!(sandbox.run(["verify"]).code, Some(0));
    }
    let split = renumbered(None);
    taken_in(&split);
    assert_eq!(city(&split), SPLIT);
    // Before its month, the identifier is of another firm.
    let later = renumbered(Some("3100000001,91310000A1,200902\n"));
    taken_in(&later);
    assert_eq!(city(&later), SPLIT);
}

#[test]
fn a_row_is_added_before_the_lines_of_the_successor_come() {
    let sandbox = renumbered(None);
    let january = sandbox.feed().join("200901.csv");
    let text = std::fs::read(&january).expect("the last month");
    std::fs::remove_file(&january).expect("it was there");
    taken_in(&sandbox);
    sandbox.write("firms.csv", format!("{NAMES}3100000001,91310000A1,200901\n"));
    taken_in(&sandbox);
    sandbox.write("200901.csv", text);
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    // The home has recorded the table.
    std::fs::remove_file(sandbox.feed().join("firms.csv")).expect("it was there");
    let late = "200901,E,91310000A1,plain,11011,301,84713000,10,1.00";
    sandbox.write("200902.csv", format!("{HEADER}\n{late}\n"));
    taken_in(&sandbox);
    assert_eq!(city(&sandbox)[0], "1101,301,551.00,300.00,2");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_row_for_lines_that_were_read_asks_for_a_rebuild() {
    let sandbox = renumbered(None);
    taken_in(&sandbox);
    let before = tables(&sandbox);
    sandbox.write("firms.csv", format!("{NAMES}3100000001,91310000A1,200901\n"));
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let said = "firms.csv gives the lines of firm 91310000A1 from 200901 on to another firm, and \
                200901.csv of the home has such lines; `rebuild` the home";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(tables(&sandbox), before);
    let feed = sandbox.feed();
    let run = sandbox.run([Path::new("rebuild"), Path::new("--tables"), &feed]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(city(&sandbox), RIGHT);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    // The vintage before the rebuild keeps its figures, and a restart those of the rebuild.
    let earlier = sandbox.run(["export", "city", "--vintage", "13"]);
    assert_eq!(earlier.stdout, before[0]);
    let late = "200901,E,91310000A1,plain,11011,301,84713000,10,1.00";
    sandbox.write("200902.csv", format!("{HEADER}\n{late}\n"));
    taken_in(&sandbox);
    let once = Sandbox::new();
    for entry in std::fs::read_dir(sandbox.feed()).expect("the feed") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        once.write(&name, std::fs::read(&path).expect("a file"));
    }
    taken_in(&once);
    assert_eq!(tables(&sandbox), tables(&once));
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    // Without its rows the home is as before.
    sandbox.write("firms.csv", NAMES);
    let run = sandbox.run([Path::new("rebuild"), Path::new("--tables"), &feed]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(city(&sandbox)[0], "1101,301,551.00,300.00,1");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_circle_is_refused_with_its_lines() {
    let sandbox = renumbered(Some("A,B,200901\nB,C,200902\nC,A,200903\n"));
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let said = "firms.csv, line 2, column successor: \"A\" succeeds itself, by line 4";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert!(!sandbox.home().join("manifest.sqlite").exists());
}
