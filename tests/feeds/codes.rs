//! Codes that a later table adds: lines that were rejected for lack of them count.

use super::*;

const COUNTRIES: &str = "country,iso3\n301,XXX\n116,JPN\n";

/// The profile without bundled countries.
fn any() -> String {
    profile(&[], "")
}

/// The small feed with February 2009, which has a country and a city that are in no table.
fn with_new_codes() -> Sandbox {
    let sandbox = feed(|_, lines| text(lines).into_bytes());
    sandbox.write("feed.toml", any());
    sandbox.write("countries.csv", COUNTRIES);
    sandbox.write(
        "200902.csv",
        text(&[
            "200902,E,3100000001,plain,11011,444,84713000,10,10.00".to_owned(),
            "200902,E,3100000001,plain,31011,301,84713000,10,20.00".to_owned(),
            "200902,E,3100000001,plain,31011,444,84713000,10,x".to_owned(),
            "200902,E,3100000001,plain,11011,301,84713000,10,1.00".to_owned(),
        ]),
    );
    sandbox.options("max_rejected_share = 0.95\n");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert_eq!(rejects(&sandbox), ["2,country,country", "3,region,region", "4,region,region"]);
    sandbox
}

fn rejects(sandbox: &Sandbox) -> Vec<String> {
    rows(sandbox, "rejects", &["line", "column", "rule"])
}

/// The rows of exports to 444, and of exports of the city 3101.
fn new_rows(sandbox: &Sandbox) -> Vec<String> {
    let city = city(sandbox);
    city.into_iter().filter(|row| row.contains(",444,") || row.starts_with("3101,")).collect()
}

fn files(sandbox: &Sandbox) -> Vec<String> {
    rows(sandbox, "files", &["vintage", "file", "lines", "accepted"])
}

#[test]
fn a_country_that_a_later_table_has_counts_as_a_new_vintage() {
    let sandbox = with_new_codes();
    let before = sandbox.export("city");
    sandbox.write("countries.csv", COUNTRIES.to_owned() + "444,SSD\n");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let said = "1 rejected lines of 200902.csv are read again as vintage 15: the tables have";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(new_rows(&sandbox), ["1101,444,10.00,0.00,0"]);
    assert_eq!(files(&sandbox)[14], "15,200902.csv (vintage 14 read again),1,1");
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    // The line counts once, as accepted. The line of the unknown region and country stays rejected.
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("rejected       2\n    region       2\n"), "{status}");
    // No line is read twice.
    assert!(!taken_in(&sandbox).stderr.contains("read again"));
    assert_eq!(files(&sandbox).len(), 15);
    // The previous vintage is unchanged, and revisions contain the new one.
    let earlier = sandbox.run(["export", "city", "--vintage", "14"]);
    assert_eq!(earlier.stdout, before);
    let revisions = sandbox.run(["revisions", "--vintage", "15"]);
    assert_eq!(revisions.code, Some(0), "{}", revisions.stderr);
    assert!(revisions.stdout.contains("(vintage 14 read again)"), "{}", revisions.stdout);
    // The lines are withdrawn together with their file.
    assert_eq!(sandbox.run(["withdraw", "200902.csv"]).code, Some(0));
    assert_eq!(new_rows(&sandbox), [""; 0]);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_city_that_a_rebuild_brings_counts_and_so_does_one_at_a_start() {
    let of = |by_rebuild: bool| {
        let sandbox = with_new_codes();
        sandbox.write("cities.csv", CITIES.to_owned() + "3101,11,700\n");
        let feed = sandbox.feed();
        let run = if by_rebuild {
            sandbox.run([Path::new("rebuild"), Path::new("--tables"), &feed])
        } else {
            ingest(&sandbox)
        };
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let said = run.stdout + &run.stderr;
        assert!(said.contains("1 rejected lines of 200902.csv are read again"), "{said}");
        assert_eq!(new_rows(&sandbox), ["3101,301,20.00,0.00,0"]);
        assert_eq!(sandbox.run(["verify"]).code, Some(0));
        // Then the table gets the country of the same line.
        sandbox.write("countries.csv", COUNTRIES.to_owned() + "444,SSD\n");
        taken_in(&sandbox);
        assert_eq!(new_rows(&sandbox), ["1101,444,10.00,0.00,0", "3101,301,20.00,0.00,0"]);
        assert_eq!(sandbox.run(["verify"]).code, Some(0));
        (sandbox.export("city"), sandbox.export("plant"))
    };
    assert_eq!(of(true), of(false));
}

#[test]
fn the_case_of_a_code_that_comes_later_is_right_from_scratch() {
    let sandbox = with_new_codes();
    sandbox.write("countries.csv", COUNTRIES.to_owned() + "444,SSD\n");
    sandbox.write("cities.csv", CITIES.to_owned() + "3101,11,700\n");
    taken_in(&sandbox);
    let all = sandbox.export("city");
    let other = Sandbox::new();
    for entry in std::fs::read_dir(sandbox.feed()).expect("the feed") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        other.write(&name, std::fs::read(&path).expect("a file"));
    }
    other.options("max_rejected_share = 0.95\n");
    assert_eq!(ingest(&other).code, Some(3));
    assert_eq!(other.export("city"), all);
}

#[test]
fn a_month_that_is_published_again_takes_the_place_of_lines_that_were_read_again() {
    let sandbox = with_new_codes();
    sandbox.write("countries.csv", COUNTRIES.to_owned() + "444,SSD\n");
    taken_in(&sandbox);
    sandbox.options("max_rejected_share = 0.95\nrevision = \"supersede\"\n");
    let lines = ["200902,E,3100000001,plain,11011,444,84713000,10,12.00".to_owned()];
    sandbox.write("200902.csv", text(&lines));
    taken_in(&sandbox);
    assert_eq!(new_rows(&sandbox), ["1101,444,12.00,0.00,0"]);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn a_table_that_changes_what_codes_mean_is_refused_with_the_difference() {
    let sandbox = with_new_codes();
    for (table, text, expected) in [
        ("countries.csv", "country,iso3\n301,XXX\n444,SSD\n", "the row \"116,JPN\" is gone"),
        ("countries.csv", "country\n301\n116\n444\n", "the column iso3 is gone"),
        (
            "cities.csv",
            "city,province,area_km2\n1101,11,101\n1102,11,200\n2101,21,400\n3101,11,700\n",
            "the row \"1101,11,100\" is gone or changed",
        ),
        (
            "countries.csv",
            "country,iso3\n301,XXX\n116,JPN\n444,JPN\n",
            "the country's name \"jpn\"",
        ),
    ] {
        let was = std::fs::read(sandbox.feed().join(table)).expect("the table");
        sandbox.write(table, text);
        let run = ingest(&sandbox);
        assert_eq!(run.code, Some(1), "{expected}");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        sandbox.write(table, was);
    }
    let run = {
        sandbox.write("countries.csv", "country,iso3\n301,XXX\n444,SSD\n");
        sandbox.run([Path::new("rebuild"), Path::new("--tables"), &sandbox.feed()])
    };
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("country 116 is gone"), "{}", run.stderr);
}
