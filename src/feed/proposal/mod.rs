//! Proposes a profile for a feed without one, from the feed's files.
//!
//! ```text
//! names ─▶ pattern ─▶ one file ─ sample ─▶ columns by name ─▶ forms by value ─▶ entries
//!                                                  └▶ ambiguous ─▶ questions
//! ```
//! Each proposed line has a reason; ambiguous lines become questions. An answer is a key of the
//! profile with its value; the whole proposal is then repeated with it.

mod aliases;
mod fields;
mod names;
mod proposed;
mod sample;
mod values;

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use self::fields::Fields;
use self::names::Names;
pub use self::proposed::{Answers, Entry, Proposal, Question};
use super::pattern::FilePattern;
use super::places::TablesBeside;
use super::profile::{Profile, ProfileError};
use super::refused::Refused;
use super::source::{FeedError, candidates, discover};

/// The reason for a missing proposal.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// The folder cannot be listed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// No file of the folder may be data.
    #[error("{} has no file that may be a table; name the folder of the feed", dir.display())]
    NoFiles {
        /// The folder.
        dir: PathBuf,
    },
    /// An answer is not a valid value of its key.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The file cannot be read.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Proposes a profile for the feed in a folder.
///
/// # Errors
/// [`ProposalError`] if there is no file, or no answer could make it readable.
pub fn propose(
    folder: &Path,
    answers: &Answers,
    tables: &TablesBeside,
) -> Result<Proposal, ProposalError> {
    let all = candidates(folder)?;
    let mut proposal = Proposal::default();
    let Some(mut names) = names::pattern(&all) else {
        return Err(ProposalError::NoFiles { dir: folder.to_owned() });
    };
    if let Some(Value::String(pattern)) = answers.get("file.pattern")
        && let Ok(read) = FilePattern::try_from(pattern.clone())
    {
        names = Names { pattern: pattern.clone(), n_dates: read.n_dates(), ..names };
    }
    proposal.others.clone_from(&names.others);
    files(&mut proposal, &names, &all, answers);
    let provisional = provisional(&proposal, answers)?;
    let found = discover(&[folder.to_owned()], &provisional)?;
    let largest = found.files.iter().max_by_key(|file| {
        let size = file.on_disk().metadata().map_or(0, |file| file.len());
        (size, std::cmp::Reverse(file.period))
    });
    let Some(file) = largest else {
        return Err(ProposalError::NoFiles { dir: folder.to_owned() });
    };
    proposal.sample = Some(file.clone());
    let delimiter = answers.get("file.delimiter").and_then(Value::as_str);
    let sample = match sample::read(file, &provisional, delimiter) {
        Ok(sample) => sample,
        Err(Refused::ZipMembers { names, .. }) => {
            ask_member(&mut proposal, &names);
            return Ok(proposal.answered(answers));
        }
        Err(refused) => return Err(refused.into()),
    };
    let Some(sample) = sample else {
        proposal.ask(
            "file.delimiter",
            "No delimiter makes a table of the lines: what stands between two fields?",
            &[",", ";", "\"\\t\"", "|"].map(str::to_owned),
        );
        return Ok(proposal.answered(answers));
    };
    Fields { file, names: &names, sample: &sample, found: &found, tables, answers }
        .tell(&mut proposal);
    Ok(proposal.answered(answers))
}

/// A profile that finds and unpacks the files; its other keys do not match any file.
fn provisional(proposal: &Proposal, answers: &Answers) -> Result<Profile, ProposalError> {
    let canonical = Profile::bundled("canonical")?;
    let mut table = Table::try_from(&canonical).expect("a profile is plain TOML");
    let file = table["file"].as_table_mut().expect("a table of keys");
    for entry in proposal.entries.iter().filter(|entry| entry.section == "file") {
        file.insert(entry.key.clone(), entry.value.clone());
    }
    file.insert("encoding".to_owned(), "detect".into());
    for key in ["member", "sheet", "table", "recursive"] {
        if let Some(answer) = answers.get(&format!("file.{key}")) {
            file.insert(key.to_owned(), answer.clone());
        }
    }
    if file["pattern"].as_str().is_some_and(|pattern| pattern.contains("{flow}")) {
        let codes = |key: &str| {
            let of = |entry: &&Entry| entry.section == "flow" && entry.key == key;
            proposal.entries.iter().find(of).map(|entry| entry.value.clone())
        };
        let flows = [codes("export"), codes("import")];
        let columns = table["columns"].as_table_mut().expect("a table of keys");
        columns.remove("flow");
        let flow = table["flow"].as_table_mut().expect("a table of keys");
        for (key, codes) in ["export", "import"].into_iter().zip(flows) {
            flow.extend(codes.map(|codes| (key.to_owned(), codes)));
        }
    }
    Ok(Profile::from_toml(&table.to_string(), "the proposal")?)
}

/// Proposes the keys that follow from the names of files.
fn files(to: &mut Proposal, names: &Names, all: &[String], answers: &Answers) {
    to.set("", "name", "own", "any name, for messages");
    let n = all.len() - names.others.len();
    let why = format!("{n} of {} files are called so", all.len());
    to.set("file", "pattern", names.pattern.as_str(), &why);
    if all.iter().any(|name| name.contains('/')) {
        to.set("file", "recursive", true, "the files are in folders of the folder");
    }
    let (covers, why) = match names.n_dates {
        (1, 1) => ("month", "a file is of the month in its name"),
        (1, 0) => ("year", "a file is of the year in its name"),
        (0, 0) => ("contents", "no name has a month: the lines say it"),
        _ => ("range", "a file is of the months in its name"),
    };
    to.set("file", "covers", covers, why);
    if names.pattern.contains("{flow}") {
        let array = |codes: &[String]| -> Value { codes.to_vec().into() };
        to.set("flow", "export", array(&names.exports), "from the names of files");
        to.set("flow", "import", array(&names.imports), "from the names of files");
        if !names.exports.is_empty() && !names.imports.is_empty() {
            let parts = [&names.exports[..], &names.imports[..]].concat();
            to.set("file", "parts", parts, "a month closes when both flows are there");
        }
    }
    if let Some(member) = answers.get("file.member") {
        to.set("file", "member", member.clone(), "as answered");
    }
}

fn ask_member(to: &mut Proposal, members: &[String]) {
    let mut patterns: Vec<String> = members
        .iter()
        .filter_map(|name| names::pattern(std::slice::from_ref(name)))
        .map(|names| names.pattern)
        .collect();
    patterns.sort();
    patterns.dedup();
    to.ask("file.member", "The archives have several files: which are the feed's?", &patterns);
}
