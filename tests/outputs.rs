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
        for file in ["x.dta", "x.xls", "x.ods", "x.txt", "x.csv.gz", "x.json"] {
            let run = sandbox.run(command.iter().chain(&["-o", file]));
            let all = "call the file .csv, .parquet, .pq, .xlsx, .jsonl or .ndjson";
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
    refused(&sandbox, &run, "x.svg", "svg draws --table figure1, or a --path");
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
        ("3.tex", "\\begin{table}"),
        ("3.html", "<table"),
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
