//! Lines with several values: one for each flow, or one for each month.

use super::*;

/// The lines of a year without month, flow and value, each with its value.
fn parts(year: u16) -> Vec<(String, String)> {
    let part = |line: String| {
        let (rest, value) = line[9..].rsplit_once(',').expect("a value");
        (rest.to_owned(), value.to_owned())
    };
    lines(year).into_iter().map(part).collect()
}

const KEYS: &str = "firm_id,firm_name,region,country,hs8,trade_mode";

fn counts(sandbox: &Sandbox) -> Vec<String> {
    let columns = ["lines", "accepted", "excluded_missing", "excluded_country", "rejected_number"];
    rows(sandbox, "files", &columns)
}

const FLOWS: [(&str, &str); 3] = [
    ("flow = \"flow\"\n", ""),
    ("value_usd = \"value_usd\"\n", ""),
    (
        "export = [\"E\"]\nimport = [\"I\"]",
        "export_value = \"exports\"\nimport_value = \"imports\"",
    ),
];

fn flows_feed(january: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("feed.toml", profile(&FLOWS, ""));
    let head = format!("period,{KEYS},exports,imports\n");
    for (month, is_there) in months().into_iter().map(|(month, lines)| (month, !lines.is_empty())) {
        let year = month[..4].parse().expect("a year");
        let line = |(rest, value): (String, String)| format!("{month},{rest},{value},3.00\n");
        let lines = parts(year).into_iter().filter(|_| is_there).map(line);
        sandbox.write(&format!("{month}.csv"), head.clone() + &lines.collect::<String>());
    }
    let path = sandbox.feed().join("200801.csv");
    let text = std::fs::read_to_string(&path).expect("it was written");
    sandbox.write("200801.csv", text + january);
    sandbox
}

#[test]
fn a_line_with_a_value_for_each_flow_is_two_records() {
    // A flow without a value, a country outside the study, an invalid value.
    let more = "200801,F,plain,11011,301,84713000,10,,7.00\n\
                200801,F,plain,11011,110,84713000,10,1.00,2.00\n\
                200801,F,plain,11011,301,84713000,10,5.00,x\n";
    let sandbox = flows_feed(more);
    sandbox.options("max_rejected_share = 0.5\n");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert_eq!(city(&sandbox), RIGHT);
    assert_eq!(counts(&sandbox)[0], "13,9,1,2,1");
    assert_eq!(counts(&sandbox)[12], "8,8,0,0,0");
    let plant = rows(&sandbox, "plant", &["ln_import"]);
    assert!(plant.iter().all(|value| value != "0"), "{plant:?}");
    let rejects = rows(&sandbox, "rejects", &["line", "column", "rule"]);
    assert_eq!(rejects, ["8,imports,number"]);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn the_share_of_rejects_is_one_of_lines_and_not_of_records() {
    // One of five lines is more than the limit; one of nine records is less.
    let sandbox = flows_feed("200801,F,plain,11011,301,84713000,10,5.00,x\n");
    sandbox.options("max_rejected_share = 0.15\n");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("1 of 5 lines are rejected"), "{}", run.stderr);
}

/// A feed of year files with a value and a quantity for each month.
fn months_feed(profile: String, with_year: bool) -> Sandbox {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("feed.toml", profile);
    for year in [2008, 2009] {
        let head: String = NAMES.map(|month| format!(",{month} Quantity,{month} Value")).concat();
        let head = format!("{}{KEYS}{head}\n", if with_year { "Year," } else { "" });
        // Months without trade are blank in the first year, and zeros in the second.
        let rest = if year == 2008 { ",5," } else { ",5,0" }.repeat(11);
        let start = if with_year { format!("{year},") } else { String::new() };
        let line = |(keys, value): (String, String)| format!("{start}{keys},5,{value}{rest}\n");
        let lines: String = parts(year).into_iter().map(line).collect();
        sandbox.write(&format!("{year}.csv"), head + &lines);
    }
    sandbox
}

fn months_profile(period: &str) -> String {
    let columns = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(' ').zip(1..);
    let columns = columns.map(|(name, month)| format!("\"{month}\" = \"{name} Value\""));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let period = format!("{period}\ncolumns = {{ {columns} }}");
    let changes = [
        ("pattern = \"{YYYY}{MM}*.csv\"", "pattern = \"{YYYY}.csv\"\ncovers = \"year\""),
        ("period = \"period\"\nflow = \"flow\"\n", "flow = { constant = \"E\" }\n"),
        ("value_usd = \"value_usd\"\n", ""),
        ("format = \"YYYYMM\"", &period),
    ];
    profile(&changes, "")
}

#[test]
fn months_as_columns_give_a_record_each() {
    for (period, with_year) in [("from = \"name\"", false), ("year = \"Year\"", true)] {
        let sandbox = months_feed(months_profile(period), with_year);
        taken_in(&sandbox);
        assert_eq!(city(&sandbox), RIGHT, "{period}");
        assert_eq!(counts(&sandbox), ["48,4,44,0,0", "48,48,0,0,0"], "{period}");
        let status = sandbox.run(["status"]).stdout;
        assert!(status.contains("200801 to 200901 closed; next 200902"), "{status}");
        assert!(!status.contains("annual_only"), "{status}");
        assert_eq!(sandbox.run(["verify"]).code, Some(0));
    }
}

#[test]
fn a_profile_says_in_one_way_where_values_are() {
    for (changes, expected) in [
        (
            vec![FLOWS[0], FLOWS[2]],
            "the value is in columns.value_usd, in [flow] export_value and import_value, or in",
        ),
        (
            vec![("import = [\"I\"]", "import_value = \"i\"")],
            "[flow] export_value and import_value name two columns; give both",
        ),
        (
            vec![("format = \"YYYYMM\"", "columns = { \"13\" = \"x\" }")],
            "\"13\" is no month of the year",
        ),
    ] {
        let sandbox = feed(|_, lines| text(lines).into_bytes());
        sandbox.write("feed.toml", profile(&changes, ""));
        let run = ingest(&sandbox);
        assert_eq!(run.code, Some(1), "{expected}");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}
