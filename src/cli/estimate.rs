//! `estimate`: the paper's tables, or a specification of one's own, from the home.

use std::io::Write as _;
use std::path::{Path as FilePath, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use spillover::archive::{Archive, ArchiveError};
use spillover::publish::regression::Layout;
use spillover::regressions::{
    Ask, Choice, Memories, Outcome, Panels, Path, RegressionError, Regressions, Scatter,
    Statistics, as_they_stood, keep, path, scatter, stale_years, summarise,
};
use spillover::specification::{Content, Specification};
use spillover::types::{Vintage, Year};

use super::estimates::{self, Shown};
use super::target::Target;
use super::{Done, Home, n_workers};

#[derive(Debug, Args)]
pub struct Estimate {
    /// A table, or one of its columns: 1, 2, 3, 3.4, footnote.trimmed, figure1; without it, all.
    #[arg(long, value_name = "N[.C]", conflicts_with = "spec")]
    table: Option<String>,
    /// A specification in TOML, laid out as those in streams/specifications.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// The last closed year of the sample; without it, the last one there is.
    #[arg(long, value_name = "YEAR")]
    through: Option<u16>,
    /// Start from nothing, not from the last solution.
    #[arg(long)]
    cold: bool,
    /// Follow a coefficient over the years of estimation; years without an estimate get one.
    #[arg(
        long,
        value_name = "TERM",
        num_args = 0..=1,
        default_missing_value = "affiliate_growth"
    )]
    path: Option<String>,
    /// As it stood when the file of this number had been taken in: the estimates made until then.
    #[arg(long, value_name = "V", conflicts_with_all = ["cold", "path"])]
    vintage: Option<u32>,
    /// The format.
    #[arg(long, default_value = "text")]
    format: FormatName,
    /// The file to write; without it, the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// In what results of regressions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// Models side by side.
    Text,
    /// Markdown.
    Md,
    /// LaTeX, with booktabs.
    Latex,
    /// HTML.
    Html,
    /// A row for each term.
    Csv,
    /// All figures of all models.
    Json,
    /// A figure: figure1, or --path.
    Svg,
}

impl FormatName {
    /// The layout of a table; none of data and figures.
    pub fn layout(self) -> Option<Layout> {
        match self {
            Self::Text => Some(Layout::Text),
            Self::Md => Some(Layout::Markdown),
            Self::Latex => Some(Layout::Latex),
            Self::Html => Some(Layout::Html),
            Self::Csv | Self::Json | Self::Svg => None,
        }
    }
}

impl Estimate {
    pub fn run(self, home: &Home) -> anyhow::Result<Done> {
        let asked = self.asked()?;
        if let Some(vintage) = self.vintage {
            return self.as_they_stood(&Archive::read(home.folder())?, &asked, Vintage(vintage));
        }
        let mut archive = open(home.folder())?;
        let n_workers = n_workers(None, &home.config()?);
        say_changed(&archive)?;
        let through = self.through.map(Year);
        if let Some(term) = &self.path {
            let path = self.path(&mut archive, &asked, term, n_workers)?;
            return self.write(&estimates::path(&path, self.format)?);
        }
        let mut memories = self.memories(&archive)?;
        let panels = Panels::open(&mut archive, n_workers)?;
        let mut regressions = Regressions::new(panels, through)?;
        let shown = run(&mut regressions, &asked, &mut memories)?;
        say_unread(&regressions.panels.take_unread());
        drop(regressions);
        memories.store(&mut archive)?;
        let outcomes: Vec<Outcome> = shown.iter().flat_map(Shown::outcomes).cloned().collect();
        keep(&mut archive, &outcomes)?;
        if let Some((one, why)) = first_failure(&outcomes) {
            bail!("{} cannot be estimated: {why}", one.name());
        }
        self.write(&estimates::shown(&shown, self.format)?)
    }

    /// Shows what was estimated until a vintage, from what the home keeps.
    fn as_they_stood(
        &self,
        archive: &Archive,
        asked: &[(Specification, Choice)],
        vintage: Vintage,
    ) -> anyhow::Result<Done> {
        let mut outcomes = as_they_stood(archive, &asks(asked), vintage, self.through.map(Year))?;
        match first_failure(&outcomes) {
            Some((_, why)) => bail!("{why}"),
            None if outcomes.is_empty() => {
                bail!("only regressions are kept by vintage: leave out --vintage");
            }
            None => {}
        }
        let kept = asked.iter().filter(|(of, _)| matches!(of.content, Content::Regressions(_)));
        let shown: Vec<Shown> = kept.map(|(of, _)| models(of, &mut outcomes)).collect();
        self.write(&estimates::shown(&shown, self.format)?)
    }

    /// What is asked for: all of a specification, or one column of it.
    fn asked(&self) -> anyhow::Result<Vec<(Specification, Choice)>> {
        if let Some(file) = &self.spec {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the specification {}", file.display()))?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            return Ok(vec![(Specification::parse(&name, &text)?, Choice::All)]);
        }
        let Some(table) = &self.table else {
            return Ok(Specification::bundled().into_iter().map(|s| (s, Choice::All)).collect());
        };
        let (name, column) = match table.split_once('.') {
            Some((name, column)) => (name, Some(column)),
            None => (table.as_str(), None),
        };
        let Some(specification) = Specification::named(name) else {
            let names: Vec<String> = Specification::bundled().into_iter().map(|s| s.name).collect();
            bail!("there is no table \"{name}\"; there are {}", names.join(", "));
        };
        let Some(column) = column else { return Ok(vec![(specification, Choice::All)]) };
        if !specification.columns().iter().any(|own| own.name == column) {
            let own = specification.columns().iter().map(|column| column.name.clone());
            let (specification, column, there) = (name.into(), column.into(), own.collect());
            return Err(RegressionError::UnknownColumn { specification, column, there }.into());
        }
        Ok(vec![(specification, Choice::Named(vec![column.to_owned()]))])
    }

    /// The path of a coefficient; years that have no estimate that still holds get one.
    fn path(
        &self,
        archive: &mut Archive,
        asked: &[(Specification, Choice)],
        term: &str,
        n_workers: usize,
    ) -> anyhow::Result<Path> {
        let [(specification, choice)] = asked else {
            bail!("--path follows one column: name it, as in --table 3.4");
        };
        let columns = specification.columns();
        let named = |name: &String| match choice {
            Choice::Named(names) => names.contains(name),
            _ => true,
        };
        let Some(column) = columns.iter().map(|column| &column.name).rfind(|name| named(name))
        else {
            bail!("{} has no regressions to follow", specification.title);
        };
        let choice = Choice::Named(vec![column.clone()]);
        let mut memories = self.memories(archive)?;
        let years = Panels::open(archive, n_workers)?.years(self.through.map(Year))?;
        for year in years {
            let panels = Panels::open(archive, n_workers)?;
            let known = path(&panels, &specification.name, column, term)?;
            if known.points.iter().any(|point| point.through == year && !point.stale) {
                continue;
            }
            let mut regressions = Regressions::new(panels, Some(year))?;
            let ask = Ask { specification, wanted: &choice };
            let outcomes = regressions.run(&[ask], Some(&mut memories))?;
            say_unread(&regressions.panels.take_unread());
            drop(regressions);
            keep(archive, &outcomes)?;
        }
        let known = path(&Panels::open(archive, n_workers)?, &specification.name, column, term)?;
        if known.points.is_empty() {
            bail!("{} has no estimate of \"{term}\" in any year", known.model);
        }
        Ok(known)
    }

    /// What earlier estimations left, if it is wanted.
    fn memories(&self, archive: &Archive) -> anyhow::Result<Memories> {
        if self.cold {
            return Ok(Memories::default());
        }
        let mut memories = Memories::of(archive)?;
        say_unread(&memories.take_unread());
        Ok(memories)
    }

    fn write(&self, text: &str) -> anyhow::Result<Done> {
        let target = Target::create(self.output.as_deref())?;
        (&target).write_all(text.as_bytes())?;
        target.finish()?;
        Ok(Done::Clean)
    }
}

/// Runs specifications in their order.
pub fn run(
    regressions: &mut Regressions<'_>,
    asked: &[(Specification, Choice)],
    memories: &mut Memories,
) -> anyhow::Result<Vec<Shown>> {
    let mut outcomes = regressions.run(&asks(asked), Some(memories))?;
    let mut shown = Vec::new();
    for (specification, _) in asked {
        let (name, title) = (specification.name.clone(), specification.title.clone());
        shown.push(match &specification.content {
            Content::Regressions(_) => models(specification, &mut outcomes),
            Content::Summary(summary) => {
                let rows: Vec<Statistics> = summarise(regressions, summary)?;
                Shown::Summary { name, title, summary: summary.clone(), rows }
            }
            Content::Figure(figure) => {
                let scatter: Scatter = scatter(regressions, figure)?;
                Shown::Figure { name, title, scatter }
            }
        });
    }
    Ok(shown)
}

fn asks(asked: &[(Specification, Choice)]) -> Vec<Ask<'_>> {
    asked.iter().map(|(specification, wanted)| Ask { specification, wanted }).collect()
}

/// The models of a specification, taken from those of all.
fn models(specification: &Specification, outcomes: &mut Vec<Outcome>) -> Shown {
    let own = |outcome: &mut Outcome| outcome.specification == specification.name;
    let outcomes = outcomes.extract_if(.., own).collect();
    Shown::Models { title: specification.title.clone(), outcomes }
}

/// The first of some outcomes, if there is none but failures.
fn first_failure(outcomes: &[Outcome]) -> Option<(&Outcome, &RegressionError)> {
    let mut failures = outcomes.iter().map(|one| Some((one, &**one.result.as_ref().err()?)));
    let first = failures.next()?;
    if failures.all(|one| one.is_some()) { first } else { None }
}

/// A home to estimate from: to write it if nobody else does.
fn open(folder: &FilePath) -> anyhow::Result<Archive> {
    // What cannot be read is said as such.
    Archive::read(folder)?;
    match Archive::open(folder) {
        Ok(archive) => return Ok(archive),
        Err(ArchiveError::Locked { .. }) => {
            eprintln!("another process writes this home: the estimates are shown and not kept");
        }
        Err(error) if error.is_fatal() => return Err(error.into()),
        Err(error) => eprintln!("{error}: the estimates are shown and not kept"),
    }
    Ok(Archive::read(folder)?)
}

/// Says what earlier estimations left and could not be read.
pub fn say_unread(unread: &[ArchiveError]) {
    for error in unread {
        eprintln!("{}", estimates::unread(error));
    }
}

/// Says which closed years late records have changed since the last estimation.
fn say_changed(archive: &Archive) -> anyhow::Result<()> {
    let years = stale_years(archive)?;
    if !years.is_empty() {
        eprintln!("{}", estimates::changed(&years));
    }
    Ok(())
}
