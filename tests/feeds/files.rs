//! Names of files, the months that they cover, and the source of the flow.

use super::*;

/// The feed with its months under other names and in other text.
fn named(of: impl Fn(&str, &[String]) -> Vec<(String, String)>) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    for (month, lines) in months() {
        for (name, text) in of(&month, &lines) {
            let path = sandbox.feed().join(&name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file of the feed");
        }
    }
    sandbox
}

const PATTERN: &str = "pattern = \"{YYYY}{MM}*.csv\"";

#[test]
fn a_month_is_told_from_the_names_of_folders() {
    let sandbox =
        named(|month, lines| vec![(format!("{}/{}.csv", &month[..4], &month[4..]), text(lines))]);
    let pattern = [(PATTERN, "pattern = \"{YYYY}/{MM}.csv\"\nrecursive = true")];
    sandbox.write("feed.toml", profile(&pattern, ""));
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
    let names = rows(&sandbox, "files", &["file"]);
    assert_eq!((names.len(), &*names[0]), (13, "2008/01.csv"));
}

#[test]
fn a_header_in_another_encoding_than_the_profiles_refuses_the_file_and_names_it() {
    let names = [("firm_id = \"firm_id\"", "firm_id = \"企业编码\"")];
    let header = HEADER.replace("firm_id", "企业编码");
    let (gb, _, _) = encoding_rs::GB18030.encode(&header);
    let utf_8 = ("encoding = \"utf-8\"", "encoding = \"gb18030\"");
    let [in_utf_8, in_gb] =
        [("gb18030", "utf-8"), ("utf-8", "gb18030")].map(|(found, declared)| {
            format!(
                "the header is written in {found}, and the profile reads {declared}: set [file]"
            )
        });
    for (bytes, changes, expected) in [
        (gb.into_owned(), names.to_vec(), in_utf_8),
        (header.clone().into_bytes(), [names[0], utf_8].to_vec(), in_gb),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("cities.csv", CITIES);
        sandbox.write("feed.toml", profile(&changes, ""));
        let lines = lines(2008).join("\n");
        sandbox.write("200801.csv", [bytes, b"\n".to_vec(), lines.into_bytes()].concat());
        let run = ingest(&sandbox);
        assert_eq!(run.code, Some(3));
        assert!(run.stderr.contains(&expected), "{}", run.stderr);
    }
}

#[test]
fn files_whose_name_begins_with_a_dot_are_not_looked_at() {
    let sandbox = feed(|_, lines| text(lines).into_bytes());
    sandbox.write("._200801.csv", "\0\u{5}\u{16}\u{7}\0Mac OS X");
    sandbox.write("feed.toml", profile(&[(PATTERN, "pattern = \"*{YYYY}{MM}*.csv\"")], ""));
    let run = taken_in(&sandbox);
    assert!(!run.stderr.contains("names_passed_over"), "{}", run.stderr);
    assert_eq!(city(&sandbox), RIGHT);
}

#[test]
fn names_that_the_pattern_passes_over_are_said_and_a_loose_month_takes_them() {
    let sandbox = named(|month, lines| {
        let number = month[4..].trim_start_matches('0');
        vec![(format!("{}-{number}.csv", &month[..4]), text(lines))]
    });
    sandbox.write("notes.txt", "");
    let strict = [(PATTERN, "pattern = \"{YYYY}-{MM}.csv\"")];
    sandbox.write("feed.toml", profile(&strict, ""));
    let run = sandbox.run([Path::new("ingest"), &sandbox.feed()]);
    let expected = "are not called like \"{YYYY}-{MM}.csv\"; rename them, or change [file] pattern";
    assert!(run.stderr.contains("names_passed_over: "), "{}", run.stderr);
    assert!(run.stderr.contains("2008-1.csv") && run.stderr.contains(expected), "{}", run.stderr);
    assert!(!run.stderr.contains("notes.txt") && !run.stderr.contains("cities.csv"));
    let loose = [(PATTERN, "pattern = \"{YYYY}-{M}.csv\"")];
    let other = named(|month, lines| {
        let number = month[4..].trim_start_matches('0');
        vec![(format!("{}-{number}.csv", &month[..4]), text(lines))]
    });
    other.write("feed.toml", profile(&loose, ""));
    taken_in(&other);
    assert_eq!(city(&other), RIGHT);
}

#[test]
fn month_and_flow_are_told_from_the_name_and_parts_close_a_month_together() {
    let of = |month: &str, lines: &[String]| -> Vec<(String, String)> {
        let head = "firm_id,firm_name,region,country,hs8,trade_mode,value_usd\n";
        let bare = |line: &String| line[9..].to_owned() + "\n";
        let text = head.to_owned() + &lines.iter().map(bare).collect::<String>();
        vec![(format!("exp_{month}.csv"), text.clone()), (format!("IMP_{month}.csv"), text)]
    };
    let changes = [
        (PATTERN, "pattern = \"{flow}_{YYYY}{MM}.csv\"\nparts = [\"EXP\", \"IMP\"]"),
        ("period = \"period\"\n", ""),
        ("flow = \"flow\"\n", ""),
        ("format = \"YYYYMM\"", "from = \"name\""),
        ("export = [\"E\"]", "export = [\"EXP\"]"),
        ("import = [\"I\"]", "import = [\"IMP\"]"),
    ];
    let sandbox = named(of);
    sandbox.write("feed.toml", profile(&changes, ""));
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
    let plant = rows(&sandbox, "plant", &["ln_import"]);
    assert!(!plant.is_empty() && plant.iter().all(|value| value != "0"), "{plant:?}");
    assert_eq!(rows(&sandbox, "files", &["file"]).len(), 26);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
    // Without its imports, a month stays open, and the next one waits.
    let sandbox = named(of);
    sandbox.write("feed.toml", profile(&changes, ""));
    std::fs::remove_file(sandbox.feed().join("IMP_200803.csv")).expect("it was there");
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3));
    assert!(run.stderr.contains("but the next month is 200803"), "{}", run.stderr);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("200801 to 200802 closed; next 200803"), "{status}");
}

#[test]
fn a_year_file_with_year_and_month_in_two_columns_closes_the_months_it_has() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", "city,province,area_km2\n3306305,RJ,100\n3550308,SP,200\n");
    let head = "\"CO_ANO\";\"CO_MES\";\"SH4\";\"CO_PAIS\";\"SG_UF_MUN\";\"CO_MUN\";\"KG_LIQUIDO\";\
                \"VL_FOB\"\n";
    let line = |year: u16, month: &str, value: u32| {
        format!("\"{year}\";\"{month}\";\"7210\";\"023\";\"RJ\";\"3306305\";100;{value}\n")
    };
    sandbox.write(
        "EXP_2020_MUN.csv",
        head.to_owned() + &line(2020, "01", 1000) + &line(2020, "2", 1500),
    );
    let changes = [
        (PATTERN, "pattern = \"{flow}_{YYYY}_MUN.csv\"\ncovers = \"year\""),
        ("revision = \"refuse\"", "revision = \"replace-periods\""),
        ("countries = \"customs\"", "countries = \"any\""),
        ("delimiter = \",\"", "delimiter = \";\""),
        ("period = \"period\"\nflow = \"flow\"\n", ""),
        ("firm_id = \"firm_id\"\nfirm_name = \"firm_name\"", "firm_id = \"SH4\""),
        ("region = \"region\"", "region = \"CO_MUN\""),
        ("country = \"country\"", "country = \"CO_PAIS\""),
        ("hs8 = \"hs8\"\ntrade_mode = \"trade_mode\"\n", ""),
        ("value_usd = \"value_usd\"", "value_usd = \"VL_FOB\""),
        ("format = \"YYYYMM\"", "year = \"CO_ANO\"\nmonth = \"CO_MES\""),
        ("export = [\"E\"]", "export = [\"EXP\"]"),
        ("import = [\"I\"]", "import = [\"IMP\"]"),
        ("from = \"prefix\"\ndigits = 4", "from = \"as-is\""),
    ];
    sandbox.write("feed.toml", profile(&changes, ""));
    taken_in(&sandbox);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("202001 to 202002 closed; next 202003"), "{status}");
    // The next year's file shows that the previous year is complete.
    sandbox.write("EXP_2021_MUN.csv", head.to_owned() + &line(2021, "01", 4000));
    taken_in(&sandbox);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("202001 to 202101 closed; next 202102"), "{status}");
    assert_eq!(city(&sandbox), ["3306305,023,4000.00,1000.00,1"]);
}

#[test]
fn months_are_read_in_the_form_that_the_profile_gives() {
    for (format, january) in [
        ("MON-YYYY", ["Jan-2008", "JAN-2009"]),
        ("YYYY[M]MM", ["2008M01", "2009M01"]),
        ("YYMM", ["0801", "0901"]),
        ("YYYY年M月", ["2008年1月", "2009年1月"]),
        ("YYYY-MM-DD", ["2008-01-31 12:00:00", "2009-01-01"]),
    ] {
        let sandbox = feed(|_, lines| {
            let [before, after] = january;
            text(lines)
                .replace("200801,", &format!("{before},"))
                .replace("200901,", &format!("{after},"))
                .into_bytes()
        });
        let format = format!("format = \"{format}\"");
        sandbox.write("feed.toml", profile(&[("format = \"YYYYMM\"", &format)], ""));
        taken_in(&sandbox);
        assert_eq!(city(&sandbox), RIGHT, "{format}");
    }
}

#[test]
fn january_and_february_together_close_both() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("200801-02.csv", text(&lines(2008)));
    let later =
        lines(2008).iter().map(|line| line.replace("200801,", "200803,")).collect::<Vec<_>>();
    sandbox.write("200803-03.csv", text(&later));
    let changes = [(PATTERN, "pattern = \"{YYYY}{MM}-{MM}.csv\"\ncovers = \"range\"")];
    sandbox.write("feed.toml", profile(&changes, ""));
    taken_in(&sandbox);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("200801 to 200803 closed; next 200804"), "{status}");
}
