//! Every command of docs/TUTORIAL.md and its Chinese edition runs, and prints what is written.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A command of the tutorial with the output that it shows.
struct Step {
    line: usize,
    command: String,
    output: Option<String>,
}

/// The steps of a document: shell blocks, each with the block of text that follows it.
fn steps(path: &Path) -> Vec<Step> {
    let text = std::fs::read_to_string(path).expect("the tutorial");
    let mut steps: Vec<Step> = Vec::new();
    let mut block: Option<(String, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(language)) => block = Some((language.to_owned(), String::new())),
            (Some((language, content)), Some(_)) => {
                if language == "sh" {
                    let command = std::mem::take(content);
                    steps.push(Step { line: number + 1, command, output: None });
                } else {
                    let step = steps.last_mut().expect("a command before its output");
                    assert!(step.output.is_none(), "line {}: a second output", number + 1);
                    step.output = Some(std::mem::take(content));
                }
                block = None;
            }
            (Some((_, content)), None) => {
                content.push_str(line);
                content.push('\n');
            }
            (None, None) => {}
        }
    }
    steps
}

/// True if a line is the expected one; `…` stands for any characters.
fn fits(expected: &str, line: &str) -> bool {
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// True if the lines are the expected ones; a line `…` stands for any lines.
fn all_fit(expected: &[&str], lines: &[&str]) -> bool {
    match expected {
        [] => lines.is_empty(),
        ["…", rest @ ..] => (0..=lines.len()).any(|n| all_fit(rest, &lines[n..])),
        [first, rest @ ..] => match lines {
            [line, others @ ..] => fits(first, line.trim_end()) && all_fit(rest, others),
            [] => false,
        },
    }
}

fn run(name: &str) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    let program = PathBuf::from(env!("CARGO_BIN_EXE_spillover"));
    let own = program.parent().expect("a folder").display().to_string();
    let path = format!("{own}:{}", std::env::var("PATH").unwrap_or_default());
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let steps = steps(&document);
    for Step { line, command, output } in &steps {
        let script = format!("exec 2>&1; set -e\n{command}");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(folder.path()).env("PATH", &path);
        let done = shell.output().expect("a shell");
        let said = String::from_utf8(done.stdout).expect("UTF-8");
        assert!(done.status.success(), "{name}, line {line}: {command}{said}");
        // A command without a block of text prints nothing that matters.
        let Some(output) = output else { continue };
        let (expected, lines): (Vec<&str>, Vec<&str>) =
            (output.lines().collect(), said.lines().collect());
        assert!(all_fit(&expected, &lines), "{name}, line {line}: {command}\nprints\n{said}");
    }
    steps.iter().filter(|step| step.output.is_some()).count()
}

#[test]
fn every_command_of_the_tutorial_prints_what_is_written() {
    assert!(run("TUTORIAL.md") > 9, "the tutorial has few outputs");
}

#[test]
fn the_chinese_tutorial_has_the_same_commands_and_they_print_what_is_written() {
    assert!(run("TUTORIAL.zh.md") > 9, "the tutorial has few outputs");
    let commands = |name| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
        steps(&path).into_iter().map(|step| step.command).collect::<Vec<_>>()
    };
    assert_eq!(commands("TUTORIAL.md"), commands("TUTORIAL.zh.md"));
}

#[test]
fn a_difference_is_found() {
    assert!(fits("a … c", "a b c") && fits("…", "") && !fits("a … c", "a b d") && !fits("a", "ab"));
    assert!(all_fit(&["a", "…", "c"], &["a", "b", "b", "c"]));
    assert!(!all_fit(&["a", "c"], &["a", "b", "c"]) && !all_fit(&["a"], &[]));
}
