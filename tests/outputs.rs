//! Output files: the extension selects the format, a spreadsheet runs no text, and rows say whether
//! their file counts.

mod common;

use std::fs;

use common::{HEADER, Run, Sandbox, csv_rows};

/// A line of the canonical layout.
fn line(period: &str, firm: &str, region: &str, country: &str, value: &str) -> String {
    format!("{period},E,{firm},厂,{region},{country},84713000,10,{value}\n")
}

/// A home with two years of firms that have hostile and long identifiers, and plants in two cities
/// each.
fn home() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", "city,province,area_km2\n0101,01,100\n1102,11,50\n");
    for at in 0..24 {
        let period = format!("{}{:02}", 2000 + at / 12, at % 12 + 1);
        let value = format!("{}.50", 100 + at);
        let firms = ["=cmd|' /C calc'!A0", "@SUM(A1)", "-5", "3100000002000017123", "东莞厂"];
        let lines = firms.iter().flat_map(|firm| {
            ["01019", "11029"].map(|region| line(&period, firm, region, "116", &value))
        });
        sandbox.write(&format!("{period}.csv"), format!("{HEADER}\n{}", lines.collect::<String>()));
    }
    sandbox.ingest(&[&sandbox.feed()], 1);
    sandbox
}

/// Asserts a usage error with a text, and that no file was written.
fn refused(sandbox: &Sandbox, run: &Run, file: &str, says: &str) {
    assert_eq!(run.code, Some(2), "{file}: {}", run.stderr);
    assert!(run.stderr.contains(says), "{file}: {}", run.stderr);
    assert!(run.stdout.is_empty() && !sandbox.folder().join(file).exists(), "{file} is written");
}

#[test]
fn the_extension_of_an_output_file_is_its_format_or_an_error() {
    let sandbox = home();
    let written = |command: &[&str], file: &str| {
        let run = sandbox.run(command.iter().chain(&["-o", file]));
        assert_eq!(run.code, Some(0), "{file}: {}", run.stderr);
        fs::read(sandbox.folder().join(file)).expect("it is written")
    };
    for command in [&["export", "plant"][..], &["export", "files"], &["diff", "0", "24"]] {
        assert!(written(command, "x.parquet").starts_with(b"PAR1"), "{command:?}");
        assert!(written(command, "x.PQ").starts_with(b"PAR1"), "{command:?}");
        assert!(written(command, "x.xlsx").starts_with(b"PK"), "{command:?}");
        assert!(written(command, "x.jsonl").starts_with(b"{\""), "{command:?}");
        let csv = written(command, "x.csv");
        assert_eq!(csv, written(command, "no extension"), "{command:?}");
        let sdmx = [command, &["--format", "sdmx-csv"]].concat();
        assert!(written(&sdmx, "sdmx.csv").starts_with(b"STRUCTURE,"), "{command:?}");
        assert!(written(command, "x.dta").starts_with(b"<stata_dta>"), "{command:?}");
        assert!(written(command, "x.arrow").starts_with(b"ARROW1"), "{command:?}");
        for file in ["x.sav", "x.xls", "x.ods", "x.txt", "x.csv.gz", "x.json"] {
            let run = sandbox.run(command.iter().chain(&["-o", file]));
            let all = "call the file .csv, .parquet, .pq, .xlsx, .dta, .arrow, .feather, .jsonl \
                       or .ndjson";
            refused(&sandbox, &run, file, all);
        }
        for (format, file) in [("csv", "y.parquet"), ("parquet", "y.csv"), ("csv", "y.dta")] {
            let run = sandbox.run(command.iter().chain(&["--format", format, "-o", file]));
            refused(&sandbox, &run, file, &format!("--format is {format}, whose files"));
        }
    }
    // The name is checked before any estimation.
    let run = sandbox.run(["estimate", "-o", "x.docx"]);
    refused(&sandbox, &run, "x.docx", "call the file .txt, .md, .markdown, .tex, .html, .htm, ");
    let run = sandbox.run(["estimate", "--format", "latex", "-o", "x.md"]);
    refused(&sandbox, &run, "x.md", "--format is latex, whose files are called .tex");
    let run = sandbox.run(["estimate", "--table", "3", "-o", "x.svg"]);
    let draws = "svg draws --table figure1, a --path, --leave-one-out or --placebo";
    refused(&sandbox, &run, "x.svg", draws);
    let panel = sandbox.write("panel.csv", "y,x,f\n1,2,a\n2,3,a\n4,4,b\n3,1,b\n5,2,b\n");
    let regress = |more: [&str; 2]| {
        let panel = panel.to_str().expect("UTF-8");
        sandbox.run(["regress", "--panel", panel, "--formula", "y ~ x | f"].iter().chain(&more))
    };
    let run = regress(["--fixed-effects", "effects.parquet"]);
    refused(&sandbox, &run, "effects.parquet", "--fixed-effects writes CSV");
    assert_eq!(regress(["--fixed-effects", "effects.csv"]).code, Some(0));
    let run = regress(["--format", "svg"]);
    refused(&sandbox, &run, "no file", "[possible values: text, md, latex, html, csv, json]");
}

#[test]
fn estimates_are_laid_out_as_the_extension_says() {
    let sandbox = Sandbox::new();
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/demo");
    sandbox.ingest(&[&demo], 1);
    let begins = [
        ("3.txt", "Table 3"),
        ("3.tex", "% \\usepackage{booktabs,siunitx}"),
        ("3.html", "<!DOCTYPE html>"),
        ("3.json", "{\n"),
        ("3.csv", "estimate_id,"),
        ("3.md", "**Table 3"),
    ];
    for (file, begin) in begins {
        let run = sandbox.run(["estimate", "--table", "3", "-o", file]);
        assert_eq!(run.code, Some(0), "{file}: {}", run.stderr);
        let text = fs::read_to_string(sandbox.folder().join(file)).expect("it is written");
        assert!(text.starts_with(begin), "{file}:\n{text}");
    }
    let run = sandbox.run(["estimate", "--table", "figure1", "-o", "figure.svg"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let text = fs::read_to_string(sandbox.folder().join("figure.svg")).expect("it is written");
    assert!(text.starts_with("<svg"), "{text}");
}

#[test]
fn csv_for_excel_is_marked_defused_and_has_codes_as_texts() {
    let sandbox = home();
    let plain = sandbox.export("plant");
    assert!(plain.starts_with("year,months,firm,"), "{plain}");
    assert!(!plain.contains('\r') && plain.contains(",=cmd|' /C calc'!A0,0101,116,"), "{plain}");
    for command in [&["export", "plant", "--excel"][..], &["diff", "0", "24", "--excel"]] {
        let run = sandbox.run(command);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let text = run.stdout.strip_prefix('\u{feff}').expect("a byte order mark");
        assert!(
            text.lines().count() > 1 && text.matches('\n').count() == text.matches("\r\n").count()
        );
        let cells: Vec<String> = csv_rows(text).concat();
        for cell in [
            "'=cmd|' /C calc'!A0",
            "'@SUM(A1)",
            "'-5",
            "=\"3100000002000017123\"",
            "=\"0101\"",
            "东莞厂",
        ] {
            assert!(cells.iter().any(|other| other == cell), "no {cell} in {cells:?}");
        }
        let is_text_formula = |cell: &&String| cell.starts_with("=\"") && cell.ends_with('"');
        let formulas = cells.iter().filter(|cell| cell.starts_with(['=', '@', '+', '\t']));
        assert!(
            formulas.clone().count() > 0 && formulas.clone().all(|cell| is_text_formula(&cell))
        );
    }
    // Numbers stay numbers, including negative ones.
    let run = sandbox.run(["export", "plant", "--excel"]);
    assert!(run.stdout.contains(",100.50,") || run.stdout.contains(".00,"), "{}", run.stdout);
    for more in [&["-o", "x.xlsx"][..], &["--format", "sdmx-csv"], &["-o", "x.parquet"]] {
        let run = sandbox.run(["export", "plant", "--excel"].iter().chain(more));
        refused(&sandbox, &run, "x.xlsx", "--excel applies to CSV");
    }
}

#[test]
fn rejected_lines_and_files_say_whether_their_file_counts() {
    let sandbox = Sandbox::new();
    sandbox.options("revision = \"supersede\"\nmax_rejected_share = 1.0\n");
    let month = |name: &str, bad: &str| {
        let period = &name[..6];
        let good = line(period, "F1", "11009", "116", "1.00");
        let text = format!("{HEADER}\n{good}{}", line(period, "F1", "11009", "116", bad));
        let path = sandbox.write(name, text);
        let run = sandbox.run([std::ffi::OsStr::new("ingest"), path.as_os_str()]);
        assert_eq!(run.code, Some(3), "{}", run.stderr);
    };
    month("200001.csv", "one");
    month("200002.csv", "two");
    month("200001-mended.csv", "three");
    let run = sandbox.run(["withdraw", "200002.csv"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let counting = |table: &str, vintage: &str| -> Vec<(String, String)> {
        let run = sandbox.run(["export", table, "--vintage", vintage]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let rows = csv_rows(&run.stdout);
        assert_eq!(rows[0].last().map(String::as_str), Some("counts"), "it is appended");
        let pairs = rows[1..].iter().map(|row| (row[0].clone(), row[row.len() - 1].clone()));
        pairs.collect()
    };
    let expected = [
        ("1", vec![("1", "1")]),
        ("2", vec![("1", "1"), ("2", "1")]),
        ("3", vec![("1", "0"), ("2", "1"), ("3", "1")]),
        ("4", vec![("1", "0"), ("2", "0"), ("3", "1")]),
    ];
    for table in ["rejects", "files"] {
        for (vintage, expected) in &expected {
            let expected: Vec<(String, String)> =
                expected.iter().map(|(file, counts)| ((*file).into(), (*counts).into())).collect();
            assert_eq!(counting(table, vintage), expected, "{table} at {vintage}");
        }
    }
    let now = sandbox.run(["export", "rejects", "--format", "jsonl"]);
    assert_eq!(now.stdout.matches("\"counts\":0}").count(), 2, "{}", now.stdout);
}

#[test]
fn each_shell_completes_each_command_and_each_command_has_a_man_page() {
    let sandbox = Sandbox::new();
    let help = sandbox.run(["--help"]).stdout;
    let commands = help.split("Commands:").nth(1).expect("the commands");
    let commands = commands.split("Options:").next().expect("the commands");
    let names = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<&str> = names.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 20 && names.contains(&"ingest"), "{names:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = sandbox.run(["completions", shell]);
        assert_eq!(run.code, Some(0), "{shell}: {}", run.stderr);
        for name in &names {
            assert!(run.stdout.contains(name), "{shell} does not complete {name}");
        }
    }
    let folder = sandbox.folder().join("man1");
    let folder = folder.to_str().expect("UTF-8");
    let missing = sandbox.run(["manual", folder]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("name a folder that exists"), "{}", missing.stderr);
    fs::create_dir(folder).expect("a folder");
    assert_eq!(sandbox.run(["manual", folder]).code, Some(0));
    for name in names.iter().filter(|name| **name != "help") {
        let page = fs::read_to_string(format!("{folder}/spillover-{name}.1")).expect("a page");
        assert!(page.contains(".SH OPTIONS"), "{name}: {page}");
    }
}

/// The column of a table by name.
fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let place = rows[0].iter().position(|column| column == name).expect("a column");
    rows[1..].iter().map(|row| row[place].clone()).collect()
}

#[test]
fn rows_are_chosen_by_names_or_codes_and_names_stand_after_their_codes() {
    let home = home();
    let export = |arguments: &[&str]| {
        let run = home.run([&["export"], arguments].concat());
        assert_eq!(run.code, Some(0), "{arguments:?}: {}", run.stderr);
        csv_rows(&run.stdout)
    };
    let all = export(&["plant"]);
    assert!(all.len() > 4, "rows of plants");
    for japan in ["116", "日本", "Japan", "JPN", "jp"] {
        assert_eq!(export(&["plant", "--country", japan]), all, "{japan}");
    }
    assert_eq!(export(&["plant", "--country", "Germany"]).len(), 1, "no exports to Germany");
    let some = export(&["plant", "--city", "0101", "--firm=-5,东莞厂", "--year", "2001"]);
    assert_eq!(column(&some, "city"), ["0101", "0101"]);
    assert_eq!(column(&some, "firm"), ["-5", "东莞厂"]);
    for (language, name) in [("zh", "日本"), ("en", "Japan")] {
        let named = export(&["plant", "--names", language]);
        let at = named[0].iter().position(|column| column == "country").expect("a column");
        assert_eq!(named[0][at + 1], "country_name");
        assert!(named[1..].iter().all(|row| row[at + 1] == name), "{language}");
    }
}

#[test]
fn a_name_of_no_place_and_a_column_that_is_not_there_are_refused() {
    let home = home();
    let refused = |arguments: &[&str], message: &str| {
        let run = home.run(arguments);
        assert_eq!(run.code, Some(1), "{arguments:?}: {}", run.stdout);
        assert!(run.stderr.contains(message), "{}", run.stderr);
    };
    let near = "there is no country \"Japn\"; give a code, an ISO code, or a name in Chinese or \
                English; similar: 日本 Japan (116)";
    refused(&["export", "city", "--country", "Japn"], near);
    refused(&["export", "files", "--city", "0101"], "the table files has no column city");
    refused(&["export", "city", "--year", "2001,2031"], "city has no year 2031");
    let row = ["explain", "--firm=-5", "--city", "0101", "--year", "2001", "--country"];
    refused(&[&row[..], &["Japn"]].concat(), "similar: 日本 Japan (116)");
    let named = home.run([&row[..], &["日本"]].concat());
    let coded = home.run([&row[..], &["116"]].concat());
    assert_eq!((named.code, named.stdout.as_str()), (Some(0), coded.stdout.as_str()));
}

/// The JSON that a command prints.
fn json(sandbox: &Sandbox, command: &[&str]) -> serde_json::Value {
    let run = sandbox.run(command);
    assert_eq!(run.code, Some(0), "{command:?}: {}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

#[test]
fn commands_that_change_a_home_print_json_on_request() {
    let home = home();
    let withdrawn = json(&home, &["withdraw", "200112.csv", "--json"]);
    let file = serde_json::json!({
        "file": "200112.csv", "file_vintage": 24, "vintage": 25, "records": 10,
    });
    assert_eq!(withdrawn, serde_json::json!({ "withdrawn": [file] }));
    let nothing = json(&home, &["rebuild", "--json"]);
    assert_eq!((&nothing["rebuilt"], &nothing["vintage"]), (&false.into(), &().into()));
    home.options("network = \"active\"");
    let rebuilt = json(&home, &["rebuild", "--json"]);
    assert_eq!((&rebuilt["rebuilt"], &rebuilt["vintage"]), (&true.into(), &26.into()));
    assert_eq!((&rebuilt["files_changed"], &rebuilt["snapshot"]), (&0.into(), &true.into()));
    let again = json(&home, &["snapshot", "--json"]);
    assert_eq!((&again["saved"], &again["cells"]), (&false.into(), &().into()));
    let steps = json(&home, &["revisions", "--json", "--names", "en", "--last", "9"]);
    let steps = steps.as_array().expect("steps");
    let moved = steps.iter().flat_map(|step| step["largest"].as_array().expect("moves"));
    let moved: Vec<&serde_json::Value> = moved.filter(|moved| moved["country"] == "116").collect();
    assert!(!moved.is_empty() && moved.iter().all(|moved| moved["country_name"] == "Japan"));
    let lines = home.run(["diff", "0", "24", "--json"]);
    let same = home.run(["diff", "0", "24", "--format", "jsonl"]);
    assert!(lines.code == Some(0) && lines.stdout.lines().count() > 10, "{}", lines.stderr);
    assert_eq!(lines.stdout, same.stdout);
}

#[test]
fn a_closed_month_is_printed_as_json_and_read_in_both_styles() {
    let sandbox = Sandbox::new();
    sandbox.options("close = \"explicit\"");
    let text = format!("{HEADER}\n{}", line("200001", "F1", "11009", "116", "1.00"));
    let path = sandbox.write("200001.csv", text);
    let run = sandbox.run([std::ffi::OsStr::new("ingest"), path.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let wrong = sandbox.run(["close", "2000-1"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("\"2000-1\" is not a month; write YYYYMM"), "{}", wrong.stderr);
    let closed = json(&sandbox, &["close", "2000-01", "--json"]);
    assert_eq!((&closed["closed"], &closed["next_month"]), (&"200001".into(), &"200002".into()));
    assert_eq!((&closed["vintage"], closed["publication"].is_u64()), (&1.into(), true));
}

#[test]
fn a_firm_is_found_by_its_name_and_has_its_newest_name_beside_its_code() {
    let home = home();
    let shared = home.run(["export", "plant", "--firm", "厂"]);
    assert_eq!(shared.code, Some(1), "{}", shared.stdout);
    assert!(shared.stderr.contains("\"厂\" is the name of 5 firms: "), "{}", shared.stderr);
    let none = home.run(["export", "plant", "--firm", "=cmd|' /C calc'!A1"]);
    let near = "there is no firm \"=cmd|' /C calc'!A1\"; give an identifier";
    assert!(none.code == Some(1) && none.stderr.contains(near), "{}", none.stderr);
    // The last line of the newest file renames one firm.
    let renamed = line("200201", "-5", "01019", "116", "5.00").replace(",厂,", ",新名厂,");
    let path = home.write("200201.csv", format!("{HEADER}\n{renamed}"));
    let run = home.run([std::ffi::OsStr::new("ingest"), path.as_os_str()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let export = |arguments: &[&str]| {
        let run = home.run([&["export", "plant"], arguments].concat());
        assert_eq!(run.code, Some(0), "{arguments:?}: {}", run.stderr);
        csv_rows(&run.stdout)
    };
    let by_name = export(&["--firm", "新名厂", "--year", "2001", "--names", "zh"]);
    assert_eq!(column(&by_name, "firm"), ["-5", "-5"]);
    assert_eq!(column(&by_name, "firm_name"), ["新名厂", "新名厂"]);
    let at = by_name[0].iter().position(|name| name == "firm").expect("a column");
    assert_eq!(by_name[0][at + 1], "firm_name");
    let all = column(&export(&["--year", "2001", "--names", "en"]), "firm_name");
    assert_eq!(all.iter().filter(|name| *name == "厂").count(), all.len() - 2);
    let row =
        ["explain", "--firm", "新名厂", "--city", "0101", "--country", "日本", "--year", "2001"];
    let explained = json(&home, &[&row[..], &["--names", "en", "--json"]].concat());
    assert_eq!(explained["firm"], "-5");
    assert_eq!(explained["names"]["firm"]["-5"], "新名厂");
    assert_eq!(explained["names"]["country"]["116"], "Japan");
    let text = home.run([&row[..], &["--names", "zh"]].concat()).stdout;
    assert!(text.starts_with("-5 新名厂 in 0101 to 116 日本, 2001, 12 months"), "{text}");
    let (n_digits, is_digit) = (17, |letter: char| letter.is_ascii_digit());
    let longest = text.split(|c| !is_digit(c)).map(str::len).filter(|n| *n != 19).max();
    assert!(longest < Some(n_digits), "16-digit figures in {text}");
    assert!(text.contains(" USD"), "{text}");
    let diff = home.run(["diff", "0", "24", "--firm", "新名厂", "--country", "JPN"]);
    let firms = column(&csv_rows(&diff.stdout), "firm");
    assert!(!firms.is_empty() && firms.iter().all(|firm| firm == "-5"), "{}", diff.stderr);
}

#[test]
fn workbooks_datasets_and_parquet_say_where_they_come_from() {
    let home = home();
    let bytes = |file: &str| {
        let run = home.run(["export", "plant", "--year", "2001", "-o", file]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        fs::read(home.folder().join(file)).expect("it is written")
    };
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    let dataset = bytes("plant.dta");
    for text in
        ["vintage: 24", "definition_network: founded", "rows_year: 2001", "program: spillover"]
    {
        assert!(has(&dataset, text), "no {text}");
    }
    let parquet = bytes("plant.parquet");
    assert!(has(&parquet, "spillover.vintage") && has(&parquet, "spillover.definition"));
}
