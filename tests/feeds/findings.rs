//! Findings about files with valid lines: they are reported, counted, and refused on request.

use super::*;

/// Turns findings into refusals.
fn refuse(sandbox: &Sandbox, findings: &str) {
    std::fs::create_dir_all(sandbox.home()).expect("a home");
    sandbox.options(&format!("[findings]\nrefuse = [{findings}]\n"));
}

/// The line of `status` about a finding.
fn status(sandbox: &Sandbox, finding: &str) -> Option<String> {
    let status = sandbox.run(["status"]).stdout;
    let start = format!("  finding        {finding} ");
    status.lines().find(|line| line.starts_with(&start)).map(str::to_owned)
}

/// The small feed with a second extract of January 2009 that repeats one of its lines.
fn overlapping() -> Sandbox {
    let sandbox = feed(|_, lines| text(lines).into_bytes());
    sandbox.write("feed.toml", profile(&[("\"refuse\"", "\"append\"")], ""));
    let other = "200901,E,3100000009,plain,11021,116,84713000,10,7.00".to_owned();
    sandbox.write("200901-part2.csv", text(&[lines(2009)[2].clone(), other]));
    sandbox
}

#[test]
fn lines_that_a_file_of_the_month_has_already_are_said_and_counted() {
    let sandbox = overlapping();
    let run = taken_in(&sandbox);
    let expected = "200901-part2.csv: same_lines: 1 of 2 records are equal to records of \
                    200901.csv, which count already: line 2;";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    let counted = status(&sandbox, "same_lines").expect("it is counted");
    assert!(counted.ends_with("in 1 files, the last 200901-part2.csv"), "{counted}");
    // One process per file: the first file is read from the home.
    let sandbox = overlapping();
    let part = sandbox.feed().join("200901-part2.csv");
    let text = std::fs::read(&part).expect("the second extract");
    std::fs::remove_file(&part).expect("it was there");
    taken_in(&sandbox);
    std::fs::write(&part, text).expect("it comes later");
    assert!(taken_in(&sandbox).stderr.contains("same_lines: 1 of 2"));
}

#[test]
fn a_finding_that_the_options_name_refuses_the_file() {
    let sandbox = overlapping();
    refuse(&sandbox, "\"same_lines\"");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("[findings] refuse in spillover.toml names same_lines"));
    assert_eq!(city(&sandbox), RIGHT);
    assert_eq!(status(&sandbox, "same_lines"), None);
    refuse(&sandbox, "\"same_line\"");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("unknown variant"), "{}", run.stderr);
}

#[test]
fn the_watcher_warns_of_findings() {
    let sandbox = overlapping();
    let feed = sandbox.feed();
    let watch = [Path::new("watch"), &feed, Path::new("--once"), Path::new("--interval")];
    let run = sandbox.run(watch.into_iter().chain([Path::new("0")]));
    assert!(run.stderr.contains("same_lines: 1 of 2"), "{}", run.stderr);
}

#[test]
fn totals_beside_their_parts_are_said() {
    let sandbox = feed(|_, lines| {
        let more = lines.iter().filter(|line| line.contains("3100000002,plain,11011"));
        let parts = more.flat_map(|line| {
            let (value, sum) = match &line[..4] {
                "2008" => ("200.00", "239.00"),
                _ => ("400.00", "439.00"),
            };
            let line =
                |product: &str, of: &str| line.replace(value, of).replace("84713000", product);
            [line("84713010", "13.00"), line("84713020", "26.00"), line("847130", sum)]
        });
        let lines: Vec<String> = lines.iter().cloned().chain(parts).collect();
        text(&lines).into_bytes()
    });
    let run = taken_in(&sandbox);
    let expected = "200801.csv: aggregates: in 1 of 1 groups that differ only in hs8, a value is \
                    the sum of others: line 8, \"847130\"; leave totals out with drop";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    assert!(status(&sandbox, "aggregates").is_some_and(|line| line.contains("in 2 files")));
}

#[test]
fn a_file_that_repeats_earlier_months_is_said() {
    let sandbox = feed(|month, lines| {
        let all: Vec<String> = if month == "200901" {
            lines.iter().cloned().chain(super::lines(2008)).collect()
        } else {
            lines.to_vec()
        };
        let more = super::lines(2008).iter().map(|line| line.replace("plain", "other")).collect();
        text(&if month == "200901" { [all, more].concat() } else { all }).into_bytes()
    });
    let run = taken_in(&sandbox);
    let expected = "200901.csv: late_share: 8 of 12 records are of months before 200901: line 6 \
                    of 200801, line 7 of 200801, line 8 of 200801 and 5 more; if each file repeats";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[test]
fn a_firm_under_two_codes_is_said() {
    let sandbox = feed(|month, lines| {
        let firm = if month == "200901" { "310000001" } else { "0310000001" };
        text(lines).replace("3100000001", firm).into_bytes()
    });
    let run = taken_in(&sandbox);
    let expected = "200901.csv: near_codes: 1 codes differ from others only in blanks, zeros, \
                    width or case: firm_id \"0310000001\" and \"310000001\"; set width";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[test]
fn lines_of_another_encoding_are_said() {
    let sandbox = feed(|month, lines| {
        let many: Vec<String> = (0..10)
            .flat_map(|at| lines.iter().map(move |line| line.replace("plain", &format!("厂{at}"))))
            .collect();
        let text = text(&many);
        let (gb, _, _) = encoding_rs::GB18030.encode(&text);
        let utf8 = if month == "200901" {
            lines[0].replace("plain", "北方贸易")
        } else {
            String::new()
        };
        [&*gb, utf8.as_bytes()].concat()
    });
    sandbox.write("feed.toml", profile(&[("\"utf-8\"", "\"gb18030\"")], ""));
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let expected = "200901.csv: mixed_encoding: 1 of 41 lines are text in UTF-8 and not in the \
                    file's encoding: line 42;";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

/// A month of firms, some of them new in it.
fn firms(month: u32, n_old: u32, n_new: u32) -> String {
    let old = (0..n_old).map(|firm| format!("31000{firm:05}"));
    let new = (0..n_new).map(|firm| format!("9{month}{firm:03}"));
    let line = |firm: String| format!("{month},E,{firm},plain,11011,301,84713000,10,100.00");
    text(&old.chain(new).map(line).collect::<Vec<_>>())
}

#[test]
fn more_new_firms_than_usual_are_said_from_the_seventh_month_on_also_after_a_restart() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    for month in 1..=5 {
        sandbox.write(&format!("20080{month}.csv"), firms(200_800 + month, 50, 1));
    }
    sandbox.write("200806.csv", firms(200_806, 30, 30));
    let run = taken_in(&sandbox);
    assert!(!run.stderr.contains("unseen"), "it is too early: {}", run.stderr);
    sandbox.write("200807.csv", firms(200_807, 30, 30));
    let run = taken_in(&sandbox);
    let expected = "200807.csv: unseen_firms: 30 of 60 firms (50.0 %) were never seen before, and \
                    2.0 % are usual: \"9200807000\", \"9200807001\", \"9200807002\" and 27 more;";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    assert!(!run.stderr.contains("unseen_countries") && !run.stderr.contains("unseen_regions"));
    sandbox.write("200808.csv", firms(200_808, 50, 1).replace(",11011,", ",11021,"));
    let run = taken_in(&sandbox);
    assert!(run.stderr.contains("unseen_regions: 1 of 1 regions (100.0 %)"), "{}", run.stderr);
    sandbox.write("200809.csv", firms(200_809, 50, 1).replace(",301,", ",116,"));
    let run = taken_in(&sandbox);
    assert!(run.stderr.contains("unseen_countries: 1 of 1 countries"), "{}", run.stderr);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn nothing_is_taken_in_beside_files_that_are_passed_over_if_the_options_say_so() {
    let sandbox = feed(|_, lines| text(lines).into_bytes());
    sandbox.write("2009-2.csv", text(&[]));
    refuse(&sandbox, "\"names_passed_over\"");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("refused: names_passed_over: "), "{}", run.stderr);
    assert!(run.stderr.contains("nothing of the feed is taken in"), "{}", run.stderr);
    std::fs::remove_file(sandbox.feed().join("2009-2.csv")).expect("it was there");
    taken_in(&sandbox);
}

#[test]
fn a_clean_feed_has_no_finding() {
    let sandbox = feed(|_, lines| text(lines).into_bytes());
    let run = taken_in(&sandbox);
    let no_line = "no line but the header; the month counts as one without trade";
    assert!(run.stderr.lines().all(|line| line.ends_with(no_line)), "{}", run.stderr);
    assert!(!sandbox.run(["status"]).stdout.contains("finding"));
}
