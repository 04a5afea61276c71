//! Plays the stories in `streams/cases`: feeds of a few lines with their expected tables.
//!
//! `streams/cases/README.md` describes the format. `UPDATE_EXPECT=1` replaces the expected text by
//! the actual one.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use common::{HEADER, Sandbox, csv_rows};

/// The smallest number of stories: a folder that lost some must fail.
const N_STORIES_MIN: usize = 46;

#[test]
fn every_story_ends_as_it_says() {
    let paths = stories();
    let (n_found, folder) = (paths.len(), folder());
    let n_missing = N_STORIES_MIN.saturating_sub(n_found);
    assert!(n_missing == 0, "{n_found} stories in {}: {n_missing} are missing", folder.display());
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = paths.len().div_ceil(n_threads);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let shares = paths.chunks(share).map(|paths| {
            scope.spawn(move || paths.iter().filter_map(|path| failure(path, update)).collect())
        });
        let threads: Vec<_> = shares.collect();
        let failed = |thread: std::thread::ScopedJoinHandle<'_, Vec<String>>| {
            thread.join().unwrap_or_else(|_| vec!["a story could not be played, see above".into()])
        };
        threads.into_iter().flat_map(failed).collect()
    });
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/cases")
}

fn stories() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("the folder of the stories");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry of the folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "stream"))
        .collect();
    paths.sort();
    paths
}

/// The difference of a story from its expected text; `None` after a rewrite.
fn failure(path: &Path, update: bool) -> Option<String> {
    let name = path.file_name().expect("a story has a name").to_string_lossy();
    println!("playing {name}");
    let told = Story::parse(&fs::read_to_string(path).expect("a story can be read"), &name);
    let played = told.play();
    if played == told {
        return None;
    }
    if update {
        fs::write(path, played.to_text()).expect("a story can be rewritten");
        return None;
    }
    Some(told.difference(&played, &name))
}

/// Blocks under headings, after an introduction.
#[derive(Clone, Debug, PartialEq)]
struct Story {
    about: Vec<String>,
    blocks: Vec<Block>,
}

/// A step of a story.
#[derive(Clone, Debug, PartialEq)]
struct Block {
    heading: String,
    body: Vec<String>,
}

impl Story {
    fn parse(text: &str, name: &str) -> Self {
        let mut story = Self { about: Vec::new(), blocks: Vec::new() };
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("== ") {
                story.blocks.push(Block { heading: heading.trim().to_owned(), body: Vec::new() });
            } else {
                let block = story.blocks.last_mut().map(|block| &mut block.body);
                block.unwrap_or(&mut story.about).push(line.trim_end().to_owned());
            }
        }
        let bodies = story.blocks.iter_mut().map(|block| &mut block.body);
        for body in bodies.chain([&mut story.about]) {
            while body.last().is_some_and(String::is_empty) {
                body.pop();
            }
        }
        assert!(!story.about.is_empty(), "{name} does not begin with what it is about");
        let compares = |block: &Block| {
            block.heading.starts_with("export ") || block.heading.starts_with("diff ")
        };
        // A header alone would be the same for an engine that publishes nothing.
        let has_rows = |block: &Block| compares(block) && block.lines().nth(1).is_some();
        assert!(story.blocks.iter().any(has_rows), "{name} compares no row");
        story
    }

    fn to_text(&self) -> String {
        let mut text = self.about.join("\n") + "\n";
        for block in &self.blocks {
            let _ = write!(text, "\n== {}\n", block.heading);
            block.body.iter().for_each(|line| text.extend([line, "\n"]));
        }
        text
    }

    /// The story with the actual results.
    fn play(&self) -> Self {
        let sandbox = Sandbox::new();
        let blocks = self.blocks.iter().map(|block| block.play(&sandbox)).collect();
        every_line_ended_in_one_way(&sandbox);
        Self { about: self.about.clone(), blocks }
    }

    fn difference(&self, played: &Self, name: &str) -> String {
        let mut text = String::new();
        for (told, played) in self.blocks.iter().zip(&played.blocks).filter(|(a, b)| a != b) {
            let _ = writeln!(text, "{name}: == {}", told.heading);
            let only_in = |lines: &[String], others: &[String], sign: &str| -> String {
                let lines = lines.iter().filter(|line| !others.contains(line));
                lines.fold(String::new(), |text, line| text + "  " + sign + " " + line + "\n")
            };
            text += &only_in(&told.body, &played.body, "told  ");
            text += &only_in(&played.body, &told.body, "played");
        }
        text
    }
}

/// Asserts that accepted, excluded and rejected lines add up to the lines read, in every story.
fn every_line_ended_in_one_way(sandbox: &Sandbox) {
    let files = csv_rows(&sandbox.export("files"));
    let at = |name| files[0].iter().position(|column| column == name).expect("a column of files");
    for file in &files[1..] {
        let number = |name| file[at(name)].parse::<u64>().expect("a count");
        let ended = number("accepted") + number("excluded") + number("rejected");
        assert_eq!(number("lines"), ended, "{file:?}");
    }
}

impl Block {
    fn play(&self, sandbox: &Sandbox) -> Self {
        let (verb, rest) = self.heading.split_once(' ').unwrap_or((&self.heading, ""));
        let body = match verb {
            "file" => self.keep(|text| drop(sandbox.write(rest, text))),
            "options" => self.keep(|text| sandbox.options(&text)),
            "records" => self.keep(|_| drop(sandbox.write(rest, self.records(rest)))),
            "nothing" => self.keep(|_| {
                for month in months(rest) {
                    sandbox.write(&format!("{month}.csv"), format!("{HEADER}\n"));
                }
            }),
            "run" => self.run(sandbox, rest),
            "export" | "diff" => self.export(sandbox, verb, rest),
            _ => panic!("\"== {}\" is no step; see streams/cases/README.md", self.heading),
        };
        Self { heading: self.heading.clone(), body }
    }

    fn keep(&self, does: impl FnOnce(String)) -> Vec<String> {
        does(self.body.iter().fold(String::new(), |text, line| text + line + "\n"));
        self.body.clone()
    }

    fn comments(&self) -> impl Iterator<Item = &String> {
        self.body.iter().filter(|line| line.starts_with('#'))
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.body.iter().map(String::as_str).filter(|line| !line.starts_with('#'))
    }

    /// Canonical lines from `firm region country value [field=text …]`.
    fn records(&self, file: &str) -> String {
        let lines = self.lines().filter(|line| !line.is_empty());
        lines.fold(format!("{HEADER}\n"), |text, line| text + &record(line, &file[..6]) + "\n")
    }

    /// The exit code and the standard error; an expected text that matches is kept.
    fn run(&self, sandbox: &Sandbox, arguments: &str) -> Vec<String> {
        let (mut code, mut stderr) = (Ok(0), String::new());
        for arguments in each_month(arguments) {
            let feed = sandbox.feed().display().to_string();
            let run = sandbox.run(arguments.iter().map(|word| word.replace("FEED", &feed)));
            code = code.and_then(|code| Ok(code.max(run.code.ok_or("ended by a signal")?)));
            stderr += &run.stderr;
        }
        let stderr = stderr
            .replace(&sandbox.feed().display().to_string(), "FEED")
            .replace(&sandbox.home().display().to_string(), "HOME");
        let mut body: Vec<_> = self.comments().cloned().collect();
        body.push(code.map_or_else(str::to_owned, |code: i32| format!("exit {code}")));
        let played: Vec<_> = stderr.lines().map(str::trim_end).collect();
        let told: Vec<_> = self.lines().skip(1).collect();
        let same = says(&told.join("\n"), &played.join("\n"));
        body.extend(if same { told } else { played }.into_iter().map(str::to_owned));
        body
    }

    /// The chosen columns of a table, aligned.
    fn export(&self, sandbox: &Sandbox, verb: &str, arguments: &str) -> Vec<String> {
        let words = std::iter::once(verb).chain(arguments.split_whitespace());
        let run = sandbox.run(words);
        assert_eq!(run.code, Some(0), "{verb} {arguments}: {}", run.stderr);
        let table = csv_rows(&run.stdout);
        let chosen: Vec<String> = match self.lines().next() {
            Some(header) => header.split('|').map(|name| name.trim().to_owned()).collect(),
            None => table[0].clone(),
        };
        let position = |name: &String| {
            let found = table[0].iter().position(|column| column == name);
            found.unwrap_or_else(|| panic!("{verb} {arguments} has no column {name}"))
        };
        let positions: Vec<usize> = chosen.iter().map(position).collect();
        let rows = table[1..].iter().map(|row| positions.iter().map(|&at| shown(&row[at])));
        let rows: Vec<Vec<String>> =
            std::iter::once(chosen.clone()).chain(rows.map(Iterator::collect)).collect();
        self.comments().cloned().chain(aligned(&rows)).collect()
    }
}

/// The months `from..to`, both included.
fn months(range: &str) -> Vec<u32> {
    let (from, to) = range.split_once("..").unwrap_or((range, range));
    let number = |text: &str| text.parse::<u32>().expect("a month YYYYMM");
    (number(from)..=number(to)).filter(|month| (1..=12).contains(&(month % 100))).collect()
}

/// One list of arguments, or one for each month if a word is `from..to`.
fn each_month(arguments: &str) -> Vec<Vec<String>> {
    let words: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
    match words.iter().position(|word| word.contains("..")) {
        None => vec![words],
        Some(at) => months(&words[at])
            .into_iter()
            .map(|month| [&words[..at], &[month.to_string()], &words[at + 1..]].concat())
            .collect(),
    }
}

/// A canonical line from `firm region country value [field=text …]`.
fn record(line: &str, month: &str) -> String {
    let mut words = line.split_whitespace();
    let mut next = || words.next().unwrap_or_else(|| panic!("\"{line}\" is no record"));
    let (firm, region, country, value) = (next(), next(), next(), next());
    let mut fields = [month, "E", firm, firm, region, country, "84713000", "10", value];
    for word in words {
        let (name, text) = word.split_once('=').expect("a field is given as name=text");
        let at = HEADER.split(',').position(|column| column == name);
        fields[at.unwrap_or_else(|| panic!("there is no field {name}"))] = text;
    }
    fields.join(",")
}

/// True if an expected text matches an actual one; `…` stands for any text, including several
/// lines.
fn says(told: &str, played: &str) -> bool {
    let mut parts = told.split('…');
    let Some(mut rest) = parts.next().and_then(|start| played.strip_prefix(start)) else {
        return false;
    };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || told.ends_with('…')
}

/// A figure with nine decimals; other fields unchanged.
fn shown(field: &str) -> String {
    let n_decimals = field.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    match field.parse::<f64>() {
        Ok(figure) if n_decimals > 9 => {
            let text = format!("{figure:.9}");
            let text = text.trim_end_matches('0').trim_end_matches('.');
            if text == "-0" { "0".to_owned() } else { text.to_owned() }
        }
        _ => field.to_owned(),
    }
}

fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let n_columns = rows[0].len();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join(" | ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
