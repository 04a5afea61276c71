//! `ingest FEED…`: take in every new file in order of period.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use spillover::archive::Archive;
use spillover::engine::{Engine, FileOutcome, Outcome, Request};
use spillover::feed::profile::Profile;
use spillover::feed::reference::ReferenceTexts;
use spillover::feed::source::{discover, feed_profile};
use spillover::settings::{Config, Settings};

use super::progress::{Files, bar, with_causes};
use super::{Done, Home, n_workers};

#[derive(Debug, Args)]
pub struct Ingest {
    /// Files or folders of monthly files.
    #[arg(required = true, value_name = "FEED")]
    feeds: Vec<PathBuf>,
    /// The feed's layout: a shipped profile's name, or a TOML file.
    #[arg(long, value_name = "P")]
    profile: Option<String>,
    /// How many workers compute.
    #[arg(long, value_name = "N", value_parser = super::workers)]
    workers: Option<usize>,
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

impl Ingest {
    pub fn run(self, home: &Home) -> anyhow::Result<Done> {
        let config = home.config()?;
        let profile = self.profile(&config)?;
        let layout = match (&profile, recorded_profile(home.folder())?) {
            (Some(profile), _) => profile.clone(),
            (None, Some(recorded)) => recorded,
            (None, None) => Profile::bundled("canonical")?,
        };
        let found = discover(&self.feeds, &layout)?;
        for refused in &found.refused {
            eprintln!("refused: {}", with_causes(refused));
        }
        let request = Request {
            n_workers: n_workers(self.workers, &config),
            config,
            profile,
            references: self.references()?,
        };
        let mut engine = open(home, request)?;
        let outcomes = engine.ingest(&found.files, &mut Files::watch(found.files.len()))?;
        let summary = Summary::of(&engine, &outcomes, found.refused.len())?;
        summary.print(self.json)?;
        Ok(summary.done())
    }

    /// The layout asked for: `--profile`, else the options file, else a `feed.toml` beside the
    /// feed.
    fn profile(&self, config: &Config) -> anyhow::Result<Option<Profile>> {
        if let Some(name) = self.profile.as_ref().or(config.profile.as_ref()) {
            let path = Path::new(name);
            let is_file = path.extension().is_some_and(|extension| extension == "toml");
            return Ok(Some(if is_file {
                Profile::from_file(path)?
            } else {
                Profile::bundled(name)?
            }));
        }
        for folder in self.folders() {
            if let Some(profile) = feed_profile(folder)? {
                return Ok(Some(profile));
            }
        }
        Ok(None)
    }

    fn references(&self) -> anyhow::Result<Option<ReferenceTexts>> {
        for folder in self.folders() {
            if let Some(texts) = ReferenceTexts::beside(folder)? {
                return Ok(Some(texts));
            }
        }
        Ok(None)
    }

    /// The folders of the feed, each given one or the one that a given file is in.
    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.feeds.iter().map(|path| match path.parent() {
            Some(parent) if !path.is_dir() => parent,
            _ => path,
        })
    }
}

/// Opens a home to write it, with a bar over the segments that are read back.
pub fn open(home: &Home, request: Request) -> anyhow::Result<Engine> {
    let n_segments = Archive::read(home.folder()).and_then(|archive| archive.files());
    let bar = bar(n_segments.map_or(0, |files| files.len()), "restoring");
    let engine = Engine::open(home.folder(), request, |n| bar.inc(n as u64))?;
    bar.finish_and_clear();
    Ok(engine)
}

fn recorded_profile(folder: &Path) -> anyhow::Result<Option<Profile>> {
    let Ok(archive) = Archive::read(folder) else { return Ok(None) };
    let settings = archive.settings()?.map(|text| Settings::from_toml(&text)).transpose()?;
    Ok(settings.map(|settings| settings.profile))
}

/// What an `ingest` did.
#[derive(Debug, Default, Serialize)]
struct Summary {
    files_accepted: usize,
    files_skipped: usize,
    files_refused: usize,
    lines: u64,
    accepted: u64,
    excluded: u64,
    rejected: u64,
    vintage: u32,
    next_month: Option<String>,
}

impl Summary {
    fn of(engine: &Engine, outcomes: &[FileOutcome], n_unnamed: usize) -> anyhow::Result<Self> {
        let mut summary = Self {
            files_refused: n_unnamed,
            vintage: engine.archive().last_vintage()?.unwrap_or_default().0,
            next_month: engine.next_to_close().map(|period| period.to_string()),
            ..Self::default()
        };
        for outcome in outcomes {
            match &outcome.outcome {
                Outcome::Skipped { .. } => summary.files_skipped += 1,
                Outcome::Refused(_) => summary.files_refused += 1,
                Outcome::Accepted { counts, .. } => {
                    summary.files_accepted += 1;
                    summary.lines += counts.lines;
                    summary.accepted += counts.accepted;
                    summary.excluded += counts.excluded_total();
                    summary.rejected += counts.rejected_total();
                }
            }
        }
        Ok(summary)
    }

    fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let Self { files_accepted, files_skipped, files_refused, .. } = self;
        println!(
            "{files_accepted} files accepted, {files_skipped} skipped, {files_refused} refused"
        );
        if *files_accepted > 0 {
            let Self { lines, accepted, excluded, rejected, vintage, .. } = self;
            println!(
                "{lines} lines: {accepted} accepted, {excluded} excluded, {rejected} rejected; \
                 vintage {vintage}"
            );
        } else if *files_refused == 0 {
            println!("nothing new: every file was accepted before");
        }
        Ok(())
    }

    fn done(&self) -> Done {
        if self.files_refused > 0 || self.rejected > 0 { Done::InputRefused } else { Done::Clean }
    }
}
