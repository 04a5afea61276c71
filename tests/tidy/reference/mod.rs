//! docs/REFERENCE.md is generated from the program. `UPDATE_EXPECT=1` writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use super::{root, run};
use spillover::home::options::Config;
use spillover::tables::meanings::{Meaning, meanings};

const PATH: &str = "docs/REFERENCE.md";

/// The tables of `export` in the order of its help, then those of `sync` and `alerts`;
/// `panel-ordinary` has the columns of `panel`.
const TABLES: [&str; 18] = [
    "city",
    "plant",
    "months",
    "series",
    "files",
    "rejects",
    "changes",
    "panel",
    "panel-product",
    "firms",
    "summary",
    "estimates",
    "covariance",
    "influence",
    "vintages",
    "names",
    "alerts",
    "alerts-test",
];

fn help(arguments: &[&str]) -> String {
    let output = run(Command::new(env!("CARGO_BIN_EXE_spillover")).args(arguments).arg("--help"));
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The commands under "Commands:" of the help of a command, each followed by its own.
fn commands(of: &[&str]) -> Vec<Vec<String>> {
    let help = help(of);
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let with_own = |name: &str| {
        let words = [of, &[name]].concat();
        let own = commands(&words);
        std::iter::once(words.into_iter().map(str::to_owned).collect()).chain(own).collect()
    };
    let commands = names.filter(|name| *name != "help").map(with_own);
    commands.collect::<Vec<Vec<Vec<String>>>>().concat()
}

#[derive(serde::Deserialize)]
struct OptionOfAHome {
    key: String,
    default: String,
    english: String,
    chinese: String,
}

fn options() -> Vec<OptionOfAHome> {
    let text = include_bytes!("options.csv").as_slice();
    csv::Reader::from_reader(text).into_deserialize().map(|line| line.expect("a line")).collect()
}

fn reference() -> String {
    let mut text =
        "# Reference\n\nThis file is generated: `UPDATE_EXPECT=1 cargo test --test tidy \
                    reference` writes it.\nThe keys of a feed profile are in \
                    [FEEDS.md](FEEDS.md), terms in [GLOSSARY.md](GLOSSARY.md).\n\n## Commands\n"
            .to_owned();
    for command in commands(&[]) {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let help = help(&words);
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        let (command, help) = (command.join(" "), help.join("\n"));
        write!(text, "\n### {command}\n\n```text\n{}\n```\n", help.trim_end()).expect("a text");
    }
    text.push_str(
        "\n## Exit codes\n\n| code | meaning | 含义 |\n|---|---|---|\n\
         | 0 | done | 完成 |\n\
         | 1 | failed, or the home is damaged | 失败，或数据目录损坏 |\n\
         | 2 | the arguments are invalid | 参数无效 |\n\
         | 3 | done, but input was refused, rejected or is missing | 完成，但有输入被拒绝或缺失 |\n\
         \n## Options of `spillover.toml`\n\n| key | default | meaning | 含义 |\n|---|---|---|---|\n",
    );
    for OptionOfAHome { key, default, english, chinese } in options() {
        writeln!(text, "| `{key}` | {default} | {english} | {chinese} |").expect("a text");
    }
    text.push_str(
        "\n## Columns of tables\n\nTypes: codes and texts are text, counts and years are whole \
         numbers, `USD` has two decimals, all\nother figures are double precision. Logs are \
         natural. An absent figure is an empty cell.\n",
    );
    for table in TABLES {
        let head = "| column | unit | label | meaning | 标签 | 含义 |\n|---|---|---|---|---|---|";
        writeln!(text, "\n### {table}\n\n{head}").expect("a text");
        for Meaning { column, unit, label, label_zh, english, chinese, .. } in meanings(table) {
            let (english, chinese) = (english.replace('|', "\\|"), chinese.replace('|', "\\|"));
            writeln!(
                text,
                "| `{column}` | {unit} | {label} | {english} | {label_zh} | {chinese} |"
            )
            .expect("a text");
        }
    }
    text
}

#[test]
fn the_reference_is_what_the_program_says() {
    let (path, now) = (root().join(PATH), reference());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &now).expect("written");
    }
    let then = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(commands(&[]).len() > 15, "the help lists the commands");
    assert!(
        then == now,
        "{PATH} is stale: UPDATE_EXPECT=1 cargo test --test tidy reference writes it"
    );
}

/// The expected names in an error of serde.
fn expected(text: &str) -> BTreeSet<String> {
    let error = toml::from_str::<Config>(text).expect_err("no such key").to_string();
    let names = error.rsplit("expected one of").next().unwrap_or_default();
    let names =
        if names == error { error.rsplit("expected").next().unwrap_or_default() } else { names };
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_option_is_in_the_reference() {
    let general = expected("nothing = 1");
    let lists = expected("[exclusions]\nnothing = 1");
    assert!(general.len() > 10 && lists.len() == 2, "{general:?} {lists:?}");
    let lists = lists.iter().map(|name| format!("exclusions.{name}"));
    let findings = expected("[findings]\nnothing = 1");
    assert_eq!(findings.len(), 1, "{findings:?}");
    let findings = findings.iter().map(|name| format!("findings.{name}"));
    let closings = expected("[reestimate]\nnothing = 1");
    assert_eq!(closings.len(), 1, "{closings:?}");
    let closings = closings.iter().map(|name| format!("reestimate.{name}"));
    let is_key =
        |name: &&String| !["exclusions", "findings", "reestimate"].contains(&name.as_str());
    let known: BTreeSet<String> = general
        .iter()
        .filter(is_key)
        .cloned()
        .chain(lists)
        .chain(findings)
        .chain(closings)
        .collect();
    let listed: BTreeSet<String> = options().into_iter().map(|of| of.key).collect();
    assert_eq!(listed, known);
}
