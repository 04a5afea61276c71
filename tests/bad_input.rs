//! Bad input through the binary. The message has the problem, the place and the remedy, existing
//! data do not change, and the program never panics (`common::run` checks this for every run).

mod common;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use common::{HEADER, Run, Sandbox, csv_rows};

const TABLES: [&str; 4] = ["city", "plant", "files", "rejects"];

/// A home with figures: a firm of two plants and a neighbour, through January 2001.
fn standing() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", "city,province,area_km2\n1101,11,100\n2101,21,50\n");
    sandbox.write("countries.csv", "country\n301\n302\n");
    for month in (200_001..=200_012).chain([200_101]) {
        let lines = [good_line(month, "F", 11_011), good_line(month, "F", 21_011)];
        sandbox.write(&format!("{month}.csv"), file(&lines));
    }
    sandbox.ingest(&[&sandbox.feed()], 1);
    assert_eq!(csv_rows(&sandbox.export("plant")).len(), 3, "two plants have figures");
    sandbox
}

fn good_line(month: u32, firm: &str, region: u32) -> String {
    format!("{month},E,{firm},name,{region},301,84713000,10,{}.50", month % 1000)
}

fn file(lines: &[String]) -> String {
    lines.iter().fold(format!("{HEADER}\n"), |text, line| text + line + "\n")
}

fn tables(sandbox: &Sandbox) -> Vec<String> {
    TABLES.map(|table| sandbox.export(table)).into()
}

/// Asserts the exit code and the messages of a run, and that no existing file changed.
#[track_caller]
fn changes_nothing(sandbox: &Sandbox, arguments: &[&str], code: i32, says: &[&str]) {
    let before = tables(sandbox);
    let run = sandbox.run(arguments);
    says_so(&run, code, says);
    assert!(tables(sandbox) == before, "{arguments:?} changed what was there");
}

#[track_caller]
fn says_so(run: &Run, code: i32, says: &[&str]) {
    assert_eq!(run.code, Some(code), "{}", run.stderr);
    for part in says {
        assert!(run.stderr.contains(part), "it does not say {part:?}:\n{}", run.stderr);
    }
}

/// Asserts that a file is refused and none of its lines count, and removes it.
#[track_caller]
fn refused(sandbox: &Sandbox, name: &str, bytes: impl AsRef<[u8]>, says: &[&str]) {
    let path = sandbox.write(name, bytes);
    let text = path.to_str().expect("a path that is text");
    changes_nothing(sandbox, &["ingest", text], 3, &[&["refused: ", text], says].concat());
    fs::remove_file(path).expect("the file can be removed");
}

#[test]
fn a_file_without_the_columns_of_its_profile_is_refused_and_the_missing_ones_are_named() {
    let sandbox = standing();
    let body = "200102,E,F,n,11011,301,84713000,10";
    let header = HEADER.replace(",value_usd", "");
    let says = ["line 1", "no column \"value_usd\"", "is it of this profile?"];
    refused(&sandbox, "200102.csv", format!("{header}\n{body}\n"), &says);
    let header = HEADER.replace("period", "month").replace("country", "partner");
    let says = ["no column \"period\", \"country\"", "\"month\""];
    refused(&sandbox, "200102.csv", format!("{header}\n{body},1.00\n"), &says);
    let says = ["column \"flow\" is there more than once", "keep one"];
    refused(&sandbox, "200102.csv", format!("{HEADER},flow\n{body},1.00,E\n"), &says);
    // A file without a header: its first line is read as the header.
    refused(&sandbox, "200102.csv", format!("{body},1.00\n"), &["no column \"period\""]);
}

#[test]
fn a_file_with_another_delimiter_is_refused_and_the_delimiter_is_named() {
    let sandbox = standing();
    for (delimiter, shown) in [(";", "';'"), ("\t", "'\\t'"), ("|", "'|'")] {
        let text = file(&[good_line(200_102, "F", 11_011)]).replace(',', delimiter);
        refused(&sandbox, "200102.csv", text, &["split at", shown, "set the profile's delimiter"]);
    }
}

#[test]
fn a_file_in_which_nothing_is_is_refused_and_one_with_a_header_is_a_month_without_trade() {
    let sandbox = standing();
    refused(&sandbox, "200102.csv", "", &["is empty", "its first line must be the header"]);
    refused(&sandbox, "200102.csv", "\u{FEFF}", &["is empty"]);
    refused(&sandbox, "200102.csv", "\n\n\r\n", &["is empty"]);
    let path = sandbox.write("200102.csv", format!("{HEADER}\n"));
    let run = sandbox.run(["ingest", path.to_str().expect("text")]);
    says_so(&run, 0, &["200102.csv", "no line but the header", "counts as one without trade"]);
}

#[test]
fn the_same_table_in_another_dress_gives_the_same_figures() {
    let lines: Vec<String> = [("F", 11_011), ("F", 21_011), ("厂", 11_011)]
        .map(|(firm, region)| good_line(200_102, firm, region))
        .into();
    let figures = |name: &str, bytes: &[u8]| {
        let sandbox = standing();
        sandbox.ingest(&[&sandbox.write(name, bytes)], 1);
        (sandbox.export("city"), sandbox.export("plant"))
    };
    let plain = file(&lines);
    let expected = figures("200102.csv", plain.as_bytes());
    let each_field = |change: &dyn Fn(Vec<&str>) -> String| -> String {
        plain
            .lines()
            .fold(String::new(), |text, line| text + &change(line.split(',').collect()) + "\n")
    };
    let reordered = each_field(&|mut fields| {
        fields.reverse();
        fields.join(",")
    });
    let quoted = each_field(&|fields| format!("\"{}\"", fields.join("\",\"")));
    let wider = each_field(&|fields| format!("extra,{},", fields.join(",")));
    let dresses = [
        ("columns in another order", reordered),
        ("every field quoted", quoted),
        ("columns of no use", wider),
        ("a byte order mark", format!("\u{FEFF}{plain}")),
        ("CRLF", plain.replace('\n', "\r\n")),
        ("blank lines", plain.replace('\n', "\n\n")),
        ("no end of the last line", plain.trim_end().to_owned()),
    ];
    for (dress, text) in dresses {
        assert!(figures("200102.csv", text.as_bytes()) == expected, "{dress}");
    }
    for (suffix, bytes) in [("gz", gz(&plain)), ("zst", zst(&plain)), ("zip", zip(&[&plain]))] {
        assert!(figures(&format!("200102.csv.{suffix}"), &bytes) == expected, "{suffix}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn each_bad_line_is_rejected_by_its_rule_and_the_others_count() {
    let sandbox = standing();
    let with = |column: &str, text: &str| {
        let line = good_line(200_102, "F", 11_011);
        let mut fields: Vec<&str> = line.split(',').collect();
        let at = HEADER.split(',').position(|name| name == column).expect("a column");
        fields[at] = text;
        fields.join(",").into_bytes()
    };
    let long = "x".repeat(70_000);
    let longish = "x".repeat(20_000);
    let bad: Vec<(Vec<u8>, &str, &str)> = vec![
        (with("value_usd", "1,234.50"), "", "columns"),
        (with("value_usd", "\"1,234.50\""), "value_usd", "number"),
        (with("value_usd", "1e"), "value_usd", "number"),
        (with("value_usd", "NaN"), "value_usd", "number"),
        (with("value_usd", "inf"), "value_usd", "number"),
        (with("value_usd", ""), "value_usd", "number"),
        (with("value_usd", "1 2"), "value_usd", "number"),
        (with("value_usd", "1.2.4"), "value_usd", "number"),
        (with("value_usd", "0x10"), "value_usd", "number"),
        (with("value_usd", "99999999999999999999"), "value_usd", "range"),
        (with("value_usd", &"9".repeat(400)), "value_usd", "range"),
        (with("period", "201113"), "period", "period"),
        (with("period", "200100"), "period", "period"),
        (with("period", ""), "period", "period"),
        (with("period", "200103"), "period", "future_period"),
        (with("period", "219912"), "period", "future_period"),
        (with("period", "299912"), "period", "period"),
        (with("period", "199912"), "period", "early_period"),
        (with("flow", "X"), "flow", "flow"),
        (with("firm_id", ""), "firm_id", "firm"),
        (with("firm_id", "  "), "firm_id", "firm"),
        (with("region", "99991"), "region", "region"),
        (with("region", ""), "region", "region"),
        (with("region", "\u{4e2d}\u{56fd}"), "region", "region"),
        (with("country", "999"), "country", "country"),
        (with("country", ""), "country", "country"),
        (with("firm_name", &longish), "firm_name", "length"),
        (with("firm_name", &long), "", "length"),
        (with("firm_name", "\"never closed"), "", "quote"),
        (with("firm_name", "\"closed\" too early"), "", "quote"),
        (b"200102,E,F".to_vec(), "", "columns"),
        (b",x".to_vec(), "", "columns"),
        (
            [&b"200102,E,F,\xFF\xFE,11011,301,84713000,10,1.00"[..]].concat(),
            "firm_name",
            "encoding",
        ),
        (b"\0x\0".to_vec(), "", "columns"),
    ];
    let n_good = bad.len() * 20;
    let mut bytes = format!("{HEADER}\n").into_bytes();
    for (line, _, _) in &bad {
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
    }
    let good = good_line(200_102, "F", 21_011);
    (0..n_good).for_each(|_| bytes.extend_from_slice(format!("{good}\n").as_bytes()));
    let path = sandbox.write("200102.csv", bytes);
    let run = sandbox.run(["ingest", path.to_str().expect("text")]);
    let told = format!("{} of {} lines rejected", bad.len(), bad.len() + n_good);
    says_so(&run, 3, &["200102.csv", &told, "export rejects"]);

    let expected: Vec<[String; 4]> = (2..)
        .zip(&bad)
        .map(|(line, (_, column, rule))| {
            ["200102.csv".into(), format!("{line}"), (*column).into(), (*rule).into()]
        })
        .collect();
    let rejects = csv_rows(&sandbox.export("rejects"));
    assert_eq!(rejects[0], ["vintage", "file", "line", "column", "rule", "raw", "counts"]);
    let found: Vec<&[String]> = rejects[1..].iter().map(|row| &row[1..5]).collect();
    assert_eq!(found, expected);
    assert!(rejects[1..].iter().all(|row| row[5].len() <= 1024), "the raw text is cut");
    // 20 good lines of 102.50 for each bad one, and January's 101.50 of 2101; 1101 has January's
    // alone.
    let city = csv_rows(&sandbox.export("city"));
    let at = city[0].iter().position(|name| name == "export_value").expect("a column");
    let values: Vec<&str> = city[1..].iter().map(|row| row[at].as_str()).collect();
    let february = 10_250 * n_good + 10_150;
    assert_eq!(values, ["101.50", &format!("{}.{:02}", february / 100, february % 100)]);
}

#[test]
fn ragged_lines_past_the_share_that_is_allowed_refuse_the_file_and_the_first_are_named() {
    let sandbox = standing();
    let mut lines: Vec<String> = (0..18).map(|_| good_line(200_102, "F", 11_011)).collect();
    lines.insert(1, "200102,E".into());
    lines.insert(4, format!("{},x,", lines[0]));
    let says = [
        "2 of 20 lines are rejected",
        "10.0 %",
        "line 3 (columns): \"200102,E\"",
        "; line 6 (columns)",
    ];
    refused(&sandbox, "200102.csv", file(&lines), &says);
}

#[test]
fn a_line_of_64_megabytes_is_one_rejected_line() {
    let sandbox = standing();
    let huge = "9".repeat(64 << 20);
    refused(&sandbox, "200102.csv", &huge, &["line 1", "header", "length"]);
    refused(
        &sandbox,
        "200102.csv",
        format!("{HEADER}\n{huge}"),
        &["1 of 1 lines", "line 2 (length)"],
    );
    // The same text between quotes, followed by lines that count.
    let good = format!("{}\n", good_line(200_102, "F", 11_011)).repeat(20);
    let path = sandbox.write("200102.csv", format!("{HEADER}\n200102,E,\"{huge}\n{good}"));
    let run = sandbox.run(["ingest", path.to_str().expect("text")]);
    says_so(&run, 3, &["1 of 21 lines rejected"]);
    let rejects = csv_rows(&sandbox.export("rejects"));
    assert_eq!((rejects.len(), rejects[1][2].as_str(), rejects[1][4].as_str()), (2, "2", "length"));
    assert!(rejects[1][5].len() <= 1024, "{} bytes of it are kept", rejects[1][5].len());
}

#[test]
fn a_file_whose_name_names_no_month_is_refused() {
    let sandbox = standing();
    let text = file(&[good_line(200_102, "F", 11_011)]);
    for name in ["201113.csv", "200100.csv", "february.csv", "200102.txt"] {
        refused(&sandbox, name, &text, &["cannot tell the month", "{YYYY}{MM}*.csv", "rename it"]);
    }
}

#[test]
fn a_file_of_a_month_that_cannot_come_now_is_refused() {
    let sandbox = standing();
    let of = |month| file(&[good_line(month, "F", 11_011)]);
    refused(
        &sandbox,
        "200104.csv",
        of(200_104),
        &["the next month is 200102", "take in 200102 first"],
    );
    refused(&sandbox, "219912.csv", of(219_912), &["a feed may span", "years"]);
    let says = ["199912", "before the feed's first month 200001", "--data"];
    refused(&sandbox, "199912.csv", of(199_912), &says);
    refused(&sandbox, "200101-b.csv", of(200_101), &["200101 has a file already", "revision"]);
}

#[test]
fn packed_files_that_are_damaged_or_bombs_are_refused() {
    let sandbox = standing();
    let table =
        format!("{HEADER}\n{}", format!("{}\n", good_line(200_102, "F", 11_011)).repeat(900));
    let cut = |mut bytes: Vec<u8>| {
        bytes.truncate(bytes.len() / 2);
        bytes
    };
    refused(&sandbox, "200102.csv.gz", cut(gz(&table)), &["to its end", "fetch it again"]);
    refused(&sandbox, "200102.csv.zst", cut(zst(&table)), &["to its end", "fetch it again"]);
    refused(&sandbox, "200102.csv.zip", cut(zip(&[&table])), &["zip", "fetch it again"]);
    let two = zip(&[&table, "x"]);
    refused(&sandbox, "200102.csv.zip", two, &["an archive with 2 files", "may be the feed's"]);
    refused(
        &sandbox,
        "200102.csv.zip",
        zip(&[]),
        &["an archive without a table", "fetch it again"],
    );

    let bomb = format!("{HEADER}\n{}", "0".repeat(128 << 20));
    let says = ["unpacks from", "which no table does", "unpack it yourself"];
    refused(&sandbox, "200102.csv.zip", zip(&[&bomb]), &says);
    refused(&sandbox, "200102.csv.gz", gz(&bomb), &says);
    refused(&sandbox, "200102.csv.zst", zst(&bomb), &says);
}

#[test]
fn a_path_at_which_there_is_no_feed_is_an_error() {
    let sandbox = standing();
    let empty = sandbox.folder().join("empty");
    fs::create_dir(&empty).expect("a folder");
    fs::write(empty.join("readme.txt"), "nothing").expect("a file");
    let path = empty.to_str().expect("text");
    let says = [path, "no file called like \"{YYYY}{MM}*.csv\"", "profile \"canonical\""];
    changes_nothing(&sandbox, &["ingest", path], 1, &says);
    let nowhere = sandbox.folder().join("nowhere");
    let path = nowhere.to_str().expect("text");
    changes_nothing(&sandbox, &["ingest", path], 1, &[path, "check the path"]);
    assert!(!nowhere.exists());
    changes_nothing(&sandbox, &["ingest"], 2, &["FEED"]);
}

#[test]
fn a_home_that_cannot_be_written_is_an_error_and_leaves_nothing_behind() {
    // Permissions do not bind root, so the test uses a path below a regular file, where no folder
    // can be.
    let sandbox = Sandbox::new();
    let file = sandbox.write("200001.csv", file(&[good_line(200_001, "F", 11_011)]));
    sandbox.write("cities.csv", "city,province,area_km2\n1101,11,100\n");
    let below = file.join("home");
    let feed = sandbox.feed();
    for home in [below.as_path(), file.as_path()] {
        let run = common::run(std::process::Command::new(env!("CARGO_BIN_EXE_spillover")).args([
            Path::new("--data"),
            home,
            Path::new("ingest"),
            &feed,
        ]));
        let home = home.to_str().expect("text");
        says_so(&run, 1, &[home]);
        assert!(run.stderr.contains("--data"), "it does not say what to do:\n{}", run.stderr);
    }
    assert_eq!(fs::read_dir(&feed).expect("the feed").count(), 2);
}

#[test]
fn a_second_process_on_the_same_home_is_told_so() {
    let sandbox = standing();
    let path = sandbox.write("200102.csv", file(&[good_line(200_102, "F", 11_011)]));
    let path = path.to_str().expect("text");
    let held = spillover::home::Home::open(&sandbox.home()).expect("this process opens it");
    let pid = format!("(pid {})", std::process::id());
    let says = ["another spillover process is writing", &pid, "wait for it or stop it"];
    changes_nothing(&sandbox, &["ingest", path], 1, &says);
    drop(held);
    assert_eq!(sandbox.run(["ingest", path]).code, Some(0), "the home is free again");
}

#[test]
fn a_home_that_is_not_there_is_an_error_where_it_is_only_read_or_closed() {
    let sandbox = Sandbox::new();
    for arguments in [&["export", "city"][..], &["export", "files"]] {
        says_so(&sandbox.run(arguments), 1, &["there is no spillover home", "ingest a feed first"]);
    }
    sandbox.options("close = \"explicit\"\n");
    says_so(&sandbox.run(["close", "200001"]), 1, &["ingest a feed first"]);
    says_so(&sandbox.run(["close", "200013"]), 2, &["200013"]);
    says_so(&sandbox.run(["export", "cities"]), 2, &["cities"]);
}

#[test]
fn options_and_tables_that_cannot_be_used_are_errors_with_their_place() {
    let sandbox = standing();
    let path = sandbox.write("200102.csv", file(&[good_line(200_102, "F", 11_011)]));
    let path = path.to_str().expect("text");
    let cases = [
        ("netwrok = \"active\"\n", &["spillover.toml", "netwrok"][..]),
        ("network = \"some\"\n", &["spillover.toml", "some"]),
        ("max_rejected_share = 5\n", &["max_rejected_share is 5", "from 0 to 1"]),
        ("workers = 0\n", &["0 workers", "from 1"]),
        ("profile = \"cctv\"\n", &["no profile \"cctv\"", "ccts"]),
        ("supply = \"nowhere.csv\"\n", &["nowhere.csv"]),
    ];
    for (options, says) in cases {
        sandbox.options(options);
        changes_nothing(&sandbox, &["ingest", path], 1, says);
    }
    sandbox.options("");
    sandbox.write("feed.toml", "name = 1\n");
    changes_nothing(&sandbox, &["ingest", path], 1, &["feed.toml"]);
}

#[test]
fn reference_tables_that_make_no_sense_are_errors_with_their_line() {
    let header = "city,province,area_km2";
    let cases = [
        ("city,province\n1101,11\n".to_owned(), &["cities.csv", "line 1", "area_km2"][..]),
        (format!("{header}\n1101,11,-5\n"), &["cities.csv", "line 2", "-5", "area"]),
        (format!("{header}\n1101,11,0\n"), &["cities.csv", "line 2"]),
        (format!("{header}\n1101,11,NaN\n"), &["cities.csv", "line 2", "NaN"]),
        (format!("{header}\n1101,,5\n"), &["cities.csv", "line 2", "province"]),
        (format!("{header}\n1101,11,5\n1101,12,5\n"), &["cities.csv", "line 3", "twice"]),
        (format!("{header}\n1101,11\n"), &["cities.csv"]),
        (format!("{header}\n"), &["cities.csv", "0 cities"]),
    ];
    for (cities, says) in cases {
        let sandbox = Sandbox::new();
        sandbox.write("cities.csv", cities);
        sandbox.write("200001.csv", file(&[good_line(200_001, "F", 11_011)]));
        let feed = sandbox.feed();
        says_so(&sandbox.run(["ingest", feed.to_str().expect("text")]), 1, says);
        says_so(&sandbox.run(["export", "city"]), 1, &["there is no spillover home"]);
    }
}

fn gz(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text.as_bytes()).expect("a Vec can be written");
    encoder.finish().expect("a Vec can be written")
}

fn zst(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 1).expect("a Vec can be written")
}

fn zip(members: &[&str]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut name = String::new();
    for member in members {
        let _ = write!(name, "x");
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(format!("{name}.csv"), options).expect("a member of its own name");
        writer.write_all(member.as_bytes()).expect("a Vec can be written");
    }
    writer.finish().expect("a Vec can be written").into_inner()
}
