//! `init FEED`: propose a profile for a feed.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write as _, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use spillover::engine::open::definition_of_new_home;
use spillover::engine::{Request, with_causes};
use spillover::feed::profile::Profile;
use spillover::feed::proposal::{Answers, Proposal, Question, propose};
use spillover::feed::read::{ReadLimits, Room, read_in};
use spillover::feed::reference::TablesBeside;
use spillover::feed::source::{FeedFile, discover};
use spillover::home::options::Config;
use toml::Value;

use super::UsageError;
use super::ending::Done;
use super::home_options::HomeOptions;
use super::target::Target;

/// The number of records in the output.
const RECORDS_SHOWN: usize = 10;

#[derive(Debug, Args)]
pub struct Init {
    /// The folder of the feed.
    #[arg(value_name = "FEED")]
    feed: PathBuf,
    /// Set a key of the profile, such as `columns.value_usd=VL_FOB`; the value is TOML or a text.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Write the profile to this file instead of feed.toml in the folder.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Init {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let target = self.output.clone().unwrap_or_else(|| self.feed.join("feed.toml"));
        if target.symlink_metadata().is_ok() {
            return Err(UsageError(format!(
                "{} is there, and init does not overwrite it; rename it, or name another file with \
                 -o",
                target.display()
            ))
            .into());
        }
        let mut answers = self.set.iter().map(|set| answer(set)).collect::<Result<Answers, _>>()?;
        let tables = TablesBeside::of(&self.feed)?;
        let is_asked = stdin().is_terminal() && stdout().is_terminal();
        let proposal = loop {
            let proposal = propose(&self.feed, &answers, &tables)?;
            match proposal.questions.first() {
                Some(question) if is_asked => {
                    let Some(value) = asked(question)? else { break proposal };
                    answers.insert(question.key.clone(), value);
                }
                _ => break proposal,
            }
        };
        proposal.text().lines().for_each(|line| println!("{line}"));
        proposal.others.iter().for_each(|name| eprintln!("passed over: {name}"));
        if !proposal.questions.is_empty() {
            tell_open(&proposal.questions);
            return Ok(Done::InputRefused);
        }
        let profile = proposal.profile()?;
        let is_whole = show(&self.feed, &proposal, &profile, &tables)?;
        let file = Target::create(Some(&target), &home.spared(&[]))?;
        (&file).write_all(proposal.text().as_bytes())?;
        file.finish()?;
        let (target, feed) = (target.display(), self.feed.display());
        println!("wrote {target}; check it, then run: spillover check {feed}");
        Ok(if is_whole { Done::Clean } else { Done::InputRefused })
    }
}

/// A key and its value, as TOML or else as a text.
fn answer(text: &str) -> Result<(String, Value), UsageError> {
    let Some((key, value)) = text.split_once('=') else {
        return Err(UsageError(format!("--set {text} has no value; write KEY=VALUE")));
    };
    let (key, value) = (key.trim().to_owned(), value_of(value));
    let value = if is_list(&key) { list_of(value) } else { value };
    Ok((key, value))
}

fn value_of(text: &str) -> Value {
    let read: Option<BTreeMap<String, Value>> = toml::from_str(&format!("value = {text}")).ok();
    let value = read.and_then(|mut read| read.remove("value"));
    value.unwrap_or_else(|| Value::String(text.trim().to_owned()))
}

/// Asks a question; `None` at the end of the input.
fn asked(question: &Question) -> anyhow::Result<Option<Value>> {
    println!("{}", question.text);
    for (at, choice) in question.choices.iter().enumerate() {
        println!("  {}: {choice}", at + 1);
    }
    println!("{} = ? (a number of the list, or a value)", question.key);
    stdout().flush()?;
    let mut line = String::new();
    if stdin().lock().read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let line = line.trim();
    let number = line.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let choice = number.and_then(|number| question.choices.get(number));
    let value = choice.map_or_else(|| value_of(line), |choice| value_of(choice));
    // A code of digits alone is still a text.
    Ok(Some(if is_list(&question.key) { list_of(value) } else { value }))
}

/// True if the value of a key is a list of texts.
fn is_list(key: &str) -> bool {
    ["flow.export", "flow.import"].contains(&key)
}

fn list_of(value: Value) -> Value {
    match value {
        Value::Array(_) => value,
        Value::String(code) => Value::from(vec![code]),
        other => Value::from(vec![other.to_string()]),
    }
}

/// Reports the open keys.
fn tell_open(questions: &[Question]) {
    eprintln!("nothing is written: these keys cannot be told from the files");
    for Question { key, text, choices } in questions {
        eprintln!("{key}: {text}");
        if !choices.is_empty() {
            eprintln!("  such as {}", choices.join(" | "));
        }
        eprintln!("  answer with --set {key}=VALUE");
    }
}

/// Prints the first records of the sample; true if all of its lines are read.
fn show(
    feed: &Path,
    proposal: &Proposal,
    profile: &Profile,
    tables: &TablesBeside,
) -> anyhow::Result<bool> {
    let found = discover(&[feed.to_owned()], profile)?.files;
    let is_sample =
        |file: &&FeedFile| Some(&file.path) == proposal.sample.as_ref().map(|of| &of.path);
    let Some(file) = found.iter().find(is_sample).or(found.first()) else { return Ok(false) };
    let request = Request {
        config: Config::default(),
        profile: Some(profile.clone()),
        references: tables.clone(),
        n_workers: 1,
    };
    let definition = definition_of_new_home(&request)?;
    // Late lines of the sample are of months that other files of the feed begin.
    let first_period = found.iter().map(|file| file.first).min();
    let limits = ReadLimits { first_period, max_rejected_share: 1.0, ..ReadLimits::default() };
    let read = read_in(&mut Room::new(1), file, profile, &definition.places, &limits);
    let intake = match read {
        Ok(intake) => intake,
        Err(refused) => {
            eprintln!("refused: {}", with_causes(&refused));
            return Ok(false);
        }
    };
    println!("the first records of {}:", intake.name);
    for record in intake.records.iter().take(RECORDS_SHOWN) {
        let texts = &intake.texts;
        println!(
            "  {} {} firm {} region {} country {} hs8 {} mode {} {}{}.{:02} USD",
            record.period,
            record.flow.code(),
            texts.firms.text(record.firm),
            texts.regions.text(record.region),
            texts.countries.text(record.country),
            texts.products.text(record.product),
            texts.trade_modes.text(record.trade_mode),
            if record.value_cents < 0 { "-" } else { "" },
            record.value_cents.unsigned_abs() / 100,
            record.value_cents.unsigned_abs() % 100
        );
    }
    let counts = &intake.counts;
    println!(
        "{} lines: {} accepted, {} excluded, {} rejected",
        counts.lines,
        counts.accepted,
        counts.excluded_total(),
        counts.rejected_total()
    );
    intake.shown.iter().for_each(|(_, text)| println!("  rejected {text}"));
    intake.findings.iter().for_each(|finding| println!("  {finding}"));
    Ok(counts.rejected_total() == 0)
}
