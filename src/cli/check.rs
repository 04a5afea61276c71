//! `check FEED…`: read a feed without a home, and describe its files.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use spillover::domain::finding::Finding;
use spillover::domain::types::Period;
use spillover::engine::survey::{FileSurvey, RuleTexts, Survey, is_of_months, missing_months};
use spillover::engine::{Request, with_causes};
use spillover::feed::profile::Covers;
use spillover::feed::source::{Discovered, FeedFile, discover, passed_over};

use super::ending::Done;
use super::home_options::HomeOptions;
use super::progress::bar;
use super::terminal;

#[derive(Debug, Args)]
pub struct Check {
    /// Monthly files, or folders of monthly files.
    #[arg(required = true, value_name = "FEED")]
    feeds: Vec<PathBuf>,
    /// The feed's layout: a shipped profile's name, or a TOML file.
    #[arg(long, value_name = "P")]
    profile: Option<String>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// The result of a check.
#[derive(Debug, Serialize)]
struct Report {
    profile: String,
    files: Vec<FileSurvey>,
    first_month: Option<String>,
    last_month: Option<String>,
    missing_months: Vec<String>,
    lines: u64,
    accepted: u64,
    excluded: u64,
    rejected: u64,
    /// Files whose names contain no month.
    refused: Vec<String>,
    passed_over: Option<Finding>,
}

impl Check {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let request = Request::for_feed(&self.feeds, self.profile.as_deref(), home.config()?, 1)?;
        let layout = request.layout_of_new_home()?;
        let found = discover(&self.feeds, &layout)?;
        let mut survey = Survey::new(&request, &found.files)?;
        let bar = bar(found.files.len(), "reading");
        let mut files = Vec::with_capacity(found.files.len());
        for (at, file) in found.files.iter().enumerate() {
            let surveyed = survey.file(file, has_others(&found.files, at));
            bar.inc(1);
            if !self.json {
                bar.suspend(|| print(&surveyed));
            }
            files.push(surveyed);
        }
        bar.finish_and_clear();
        let report = Report::of(&survey, files, &found);
        if self.json {
            terminal::json(&report)?;
        } else {
            report.print();
        }
        Ok(report.done())
    }
}

fn has_others(files: &[FeedFile], at: usize) -> bool {
    let others = files.iter().enumerate().filter(|(other, _)| *other != at);
    others.into_iter().any(|(_, other)| is_of_months(&files[at], other))
}

fn print(survey: &FileSurvey) {
    let FileSurvey { file, format, encoding, looks_like, .. } = survey;
    let encoding = encoding.as_ref().map_or_else(String::new, |encoding| format!(", {encoding}"));
    let other = looks_like.as_ref().map_or_else(String::new, |other| {
        format!(" (it looks like {other}: check [file] encoding)")
    });
    let mut months: Vec<&String> = survey.months.keys().collect();
    if months.is_empty() {
        months.extend(survey.named_months.iter().flatten());
        months.dedup();
    }
    let months = match months[..] {
        [] => "no month".to_owned(),
        [month] => month.clone(),
        [first, .., last] => format!("{first} to {last}"),
    };
    println!("{file}: {format}{encoding}{other}; {months}");
    let n = |rules: &[RuleTexts]| rules.iter().map(|rule| rule.lines).sum::<u64>();
    println!(
        "  {} lines: {} accepted, {} excluded, {} rejected; {} exports, {} imports",
        survey.lines,
        survey.accepted,
        n(&survey.excluded),
        n(&survey.rejected),
        survey.exports,
        survey.imports
    );
    for (what, rules) in [("excluded", &survey.excluded), ("rejected", &survey.rejected)] {
        for RuleTexts { rule, lines, first } in rules {
            println!("  {what} by {rule}: {lines}");
            for text in first {
                println!("    {text}");
            }
        }
    }
    for (what, n) in [("footers", survey.footers), ("rounded values", survey.rounded)] {
        if n > 0 {
            println!("  {what}: {n}");
        }
    }
    survey.findings.iter().for_each(|finding| println!("  {finding}"));
    if let Some(refused) = &survey.refused {
        println!("  refused: {refused}");
    }
}

impl Report {
    fn of(survey: &Survey, files: Vec<FileSurvey>, found: &Discovered) -> Self {
        let profile = survey.profile();
        let mut months: BTreeSet<Period> = BTreeSet::new();
        let with_records = files.iter().flat_map(|file| file.months.keys());
        months.extend(with_records.filter_map(|month| month.parse::<Period>().ok()));
        if matches!(profile.file.covers, Covers::Month | Covers::Range) {
            months.extend(found.files.iter().map(|file| file.period));
        }
        let month = |month: Option<&Period>| month.map(ToString::to_string);
        let sum = |n: fn(&FileSurvey) -> u64| files.iter().map(n).sum();
        let rules = |rules: &[RuleTexts]| rules.iter().map(|rule| rule.lines).sum::<u64>();
        Self {
            profile: profile.name.clone(),
            first_month: month(months.first()),
            last_month: month(months.last()),
            missing_months: missing_months(&months).iter().map(ToString::to_string).collect(),
            lines: sum(|file| file.lines),
            accepted: sum(|file| file.accepted),
            excluded: files.iter().map(|file| rules(&file.excluded)).sum(),
            rejected: files.iter().map(|file| rules(&file.rejected)).sum(),
            refused: found.refused.iter().map(|refused| with_causes(refused)).collect(),
            passed_over: passed_over(&found.passed_over, profile),
            files,
        }
    }

    fn print(&self) {
        let Self { profile, lines, accepted, excluded, rejected, .. } = self;
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        println!(
            "{} files, by the profile \"{profile}\"; months {} to {}",
            self.files.len(),
            or_none(&self.first_month),
            or_none(&self.last_month)
        );
        println!("{lines} lines: {accepted} accepted, {excluded} excluded, {rejected} rejected");
        if !self.missing_months.is_empty() {
            println!("missing months: {}", self.missing_months.join(", "));
        }
        self.refused.iter().for_each(|refused| println!("refused: {refused}"));
        if let Some(finding) = &self.passed_over {
            println!("{finding}");
        }
    }

    fn done(&self) -> Done {
        let any_refused = self.files.iter().any(|file| file.refused.is_some());
        let is_clean = !any_refused
            && self.rejected == 0
            && self.refused.is_empty()
            && self.missing_months.is_empty();
        if is_clean { Done::Clean } else { Done::InputRefused }
    }
}
