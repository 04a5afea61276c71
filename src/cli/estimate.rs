//! `estimate`: the paper's tables, or a specification of one's own, from the home.
//!
//! What the home keeps and still holds is printed as it is; the rest is estimated and kept.

use std::io::Write as _;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use anyhow::{anyhow, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use spillover::archive::{Archive, ArchiveError};
use spillover::files;
use spillover::files::trouble::remark;
use spillover::regressions::{
    Ask, Choice, Cleared, Memories, Origin, Outcome, Panels, RegressionError, Regressions, Scatter,
    Standing, Statistics, as_they_stand, as_they_stood, changed_since, check, clear_failures, keep,
    scatter, summarise,
};
use spillover::render::regression::Layout;
use spillover::specification::{Content, Specification};
use spillover::types::{Vintage, Year};

use super::estimates::{self, Shown};
use super::output_format::{OutputFormat, format_of};
use super::target::{Spared, Target};
use super::{Done, Home, UsageError, n_workers, path};

#[derive(Debug, Args)]
pub struct Estimate {
    /// A table, or one of its columns: 1, 2, 3, 3.4, footnote.trimmed, figure1; without it, all.
    #[arg(long, value_name = "N[.C]", conflicts_with = "spec")]
    pub(super) table: Option<String>,
    /// A specification in TOML, laid out as those in streams/specifications.
    #[arg(long, value_name = "FILE")]
    pub(super) spec: Option<PathBuf>,
    /// The last closed year of the sample; without it, the last one there is.
    #[arg(long, value_name = "YEAR")]
    pub(super) through: Option<u16>,
    /// Estimate again what the home keeps, too.
    #[arg(long)]
    pub(super) again: bool,
    /// Estimate again and start from nothing, not from the last solution.
    #[arg(long)]
    pub(super) cold: bool,
    /// Follow a coefficient over the years of estimation; years without an estimate get one.
    #[arg(
        long,
        value_name = "TERM",
        num_args = 0..=1,
        default_missing_value = "affiliate_growth"
    )]
    path: Option<String>,
    /// As it stood when the file of this number had been taken in: the estimates made until then.
    #[arg(long, value_name = "V", conflicts_with_all = ["again", "cold", "path"])]
    vintage: Option<u32>,
    /// Clear the records of columns that failed or lacked data, and estimate nothing.
    #[arg(
        long,
        conflicts_with_all = ["again", "cold", "path", "vintage", "through", "format", "output"]
    )]
    clear_failures: bool,
    /// The format; without it, the one that the file's extension names, else text.
    #[arg(long)]
    format: Option<FormatName>,
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

impl OutputFormat for FormatName {
    fn extensions(&self) -> &'static [&'static str] {
        match self {
            Self::Text => &["txt"],
            Self::Md => &["md", "markdown"],
            Self::Latex => &["tex"],
            Self::Html => &["html", "htm"],
            Self::Csv => &["csv"],
            Self::Json => &["json"],
            Self::Svg => &["svg"],
        }
    }
}

impl FormatName {
    /// The formats of a regression without a figure.
    pub fn of_tables() -> impl TypedValueParser<Value = Self> {
        let tables = Self::value_variants().iter().filter(|format| **format != Self::Svg);
        PossibleValuesParser::new(tables.filter_map(ValueEnum::to_possible_value))
            .try_map(|name| Self::from_str(&name, false))
    }

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
        self.spared(home).check(self.output.as_deref())?;
        let format = format_of(self.format, self.output.as_deref())?;
        let asked = self.asked()?;
        if self.clear_failures {
            return self.clear(home, &asked);
        }
        let is_figure = |of: &Specification| matches!(of.content, Content::Figure(_));
        let can_be_drawn = self.path.is_some() || matches!(&asked[..], [(of, _)] if is_figure(of));
        if format == FormatName::Svg && !can_be_drawn {
            let what = "--format svg draws --table figure1, or a --path";
            return Err(UsageError(what.to_owned()).into());
        }
        if let Some(vintage) = self.vintage {
            let shown = self.as_they_stood(home, &asked, Vintage(vintage))?;
            self.write(home, &estimates::shown(&shown, format)?)?;
            return Ok(done(shown.iter().flat_map(Shown::outcomes)));
        }
        let n_workers = n_workers(None, &home.config()?);
        if let Some(term) = &self.path {
            return path::run(&self, home, &asked, (term, format, n_workers));
        }
        let mut reader = Archive::read(home.folder())?;
        let of = (self.through.map(Year), n_workers);
        let standing = self.standing(&mut reader, &asked, of)?;
        let is_stored = |of: &Specification| matches!(of.content, Content::Regressions(_));
        let shown = if standing.is_whole() && asked.iter().all(|(of, _)| is_stored(of)) {
            let mut outcomes = standing.outcomes;
            asked.iter().map(|(of, _)| models(of, &mut outcomes)).collect()
        } else {
            drop(reader);
            self.estimated(home.folder(), &asked, n_workers)?
        };
        self.write(home, &estimates::shown(&shown, format)?)?;
        Ok(done(shown.iter().flat_map(Shown::outcomes)))
    }

    /// What the home knows of what is asked for; nothing where it is to be estimated again.
    pub(super) fn standing(
        &self,
        archive: &mut Archive,
        asked: &[(Specification, Choice)],
        (through, n_workers): (Option<Year>, usize),
    ) -> anyhow::Result<Standing> {
        let asks = asks(asked);
        if self.again || self.cold {
            return Ok(Standing::nothing(&asks));
        }
        let panels = Panels::open(archive, n_workers)?;
        Ok(as_they_stand(&panels, &asks, through)?)
    }

    /// Estimates what does not stand, and keeps it.
    fn estimated(
        &self,
        folder: &FilePath,
        asked: &[(Specification, Choice)],
        n_workers: usize,
    ) -> anyhow::Result<Vec<Shown>> {
        let through = self.through.map(Year);
        let mut archive = open(folder)?;
        // Asked again: a file may have been taken in since.
        let standing = self.standing(&mut archive, asked, (through, n_workers))?;
        say_changed(&archive, &standing)?;
        let mut memories = self.memories(&archive)?;
        let panels = Panels::open(&mut archive, n_workers)?;
        let mut regressions = Regressions::new(panels, through)?;
        let shown = run(&mut regressions, asked, standing, &mut memories);
        let shown = shown.map_err(|error| self.with_line(error))?;
        say_unread(&regressions.panels.take_unread());
        drop(regressions);
        say_unread(&memories.take_unread());
        memories.store(&mut archive)?;
        let outcomes = shown.iter().flat_map(Shown::outcomes);
        let new: Vec<Outcome> = outcomes.filter(|one| one.origin == Origin::Now).cloned().collect();
        keep(&mut archive, &new)?;
        Ok(shown)
    }

    /// What was estimated until a vintage, from what the home keeps.
    fn as_they_stood(
        &self,
        home: &Home,
        asked: &[(Specification, Choice)],
        vintage: Vintage,
    ) -> anyhow::Result<Vec<Shown>> {
        let archive = Archive::read(home.folder())?;
        let mut outcomes = as_they_stood(&archive, &asks(asked), vintage, self.through.map(Year))?;
        match first_failure(&outcomes) {
            Some((_, why)) => bail!("{why}"),
            None if outcomes.is_empty() => {
                bail!("only regressions are kept by vintage: leave out --vintage");
            }
            None => {}
        }
        let kept = asked.iter().filter(|(of, _)| matches!(of.content, Content::Regressions(_)));
        Ok(kept.map(|(of, _)| models(of, &mut outcomes)).collect())
    }

    /// Clears the records of what failed or lacked data: of all, or of what is named.
    fn clear(&self, home: &Home, asked: &[(Specification, Choice)]) -> anyhow::Result<Done> {
        Archive::read(home.folder())?;
        let mut archive = Archive::open(home.folder())?;
        let is_named = self.table.is_some() || self.spec.is_some();
        let Cleared { n_failed, n_without_data } =
            clear_failures(&mut archive, is_named.then(|| asks(asked)).as_deref())?;
        println!("cleared: {n_failed} failed, {n_without_data} without data");
        Ok(Done::Clean)
    }

    /// What is asked for: all of a specification, or one column of it.
    fn asked(&self) -> anyhow::Result<Vec<(Specification, Choice)>> {
        if let Some(file) = &self.spec {
            let text = files::read_text(file).map_err(|error| {
                let remark = remark(file, &error);
                let what = format!("cannot read the specification {}{remark}", file.display());
                anyhow!(error).context(what)
            })?;
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

    /// What earlier estimations left, if it is wanted.
    pub(super) fn memories(&self, archive: &Archive) -> anyhow::Result<Memories> {
        if self.cold {
            return Ok(Memories::default());
        }
        Ok(Memories::of(archive)?)
    }

    /// Says where in the file a column is named that there is not.
    pub(super) fn with_line(&self, error: anyhow::Error) -> anyhow::Error {
        let wrong = error.downcast_ref::<RegressionError>().and_then(|error| match error {
            RegressionError::InColumn { problem, .. } => problem.name_in_formula(),
            _ => None,
        });
        let Some((file, name)) = self.spec.as_deref().zip(wrong) else { return error };
        let text = files::read_text(file).unwrap_or_default();
        let is_of_name = |letter: char| letter.is_alphanumeric() || "_.".contains(letter);
        let has_name = |line: &str| line.split(|c| !is_of_name(c)).any(|word| word == name);
        match text.lines().position(has_name) {
            Some(at) => error.context(format!("{}, line {}", file.display(), at + 1)),
            None => error,
        }
    }

    fn spared<'a>(&'a self, home: &'a Home) -> Spared<'a> {
        home.spared(self.spec.as_deref().as_slice())
    }

    pub(super) fn write(&self, home: &Home, text: &str) -> anyhow::Result<()> {
        let target = Target::create(self.output.as_deref(), &self.spared(home))?;
        (&target).write_all(text.as_bytes())?;
        target.finish()
    }
}

/// Estimates what does not stand, and shows everything in the order in which it is asked for.
pub fn run(
    regressions: &mut Regressions<'_>,
    asked: &[(Specification, Choice)],
    standing: Standing,
    memories: &mut Memories,
) -> anyhow::Result<Vec<Shown>> {
    let missing = asked.iter().zip(&standing.missing);
    let missing: Vec<Ask<'_>> =
        missing.map(|((specification, _), wanted)| Ask { specification, wanted }).collect();
    let mut outcomes = estimate(regressions, &missing, memories)?;
    outcomes.extend(standing.outcomes);
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

/// Estimates columns; what is wrong with a specification itself is an error, and nothing of it
/// should be kept.
pub fn estimate(
    regressions: &mut Regressions<'_>,
    asks: &[Ask<'_>],
    memories: &mut Memories,
) -> anyhow::Result<Vec<Outcome>> {
    check(&regressions.panels, asks)?;
    let outcomes = regressions.run(asks, Some(memories))?;
    for one in &outcomes {
        match &one.result {
            Err(error) if error.is_of_specification() => {
                return Err(RegressionError::InColumn {
                    specification: one.specification.clone(),
                    column: one.column.clone(),
                    problem: Arc::clone(error),
                }
                .into());
            }
            _ => {}
        }
    }
    Ok(outcomes)
}

pub fn asks(asked: &[(Specification, Choice)]) -> Vec<Ask<'_>> {
    asked.iter().map(|(specification, wanted)| Ask { specification, wanted }).collect()
}

/// The models of a specification, taken from those of all, in the order of its columns.
fn models(specification: &Specification, outcomes: &mut Vec<Outcome>) -> Shown {
    let own = |outcome: &mut Outcome| outcome.specification == specification.name;
    let mut outcomes: Vec<Outcome> = outcomes.extract_if(.., own).collect();
    let columns = specification.columns();
    outcomes.sort_by_key(|one| columns.iter().position(|column| column.name == one.column));
    Shown::Models { title: specification.title.clone(), outcomes }
}

/// The first of some outcomes, if there is none but failures.
fn first_failure(outcomes: &[Outcome]) -> Option<(&Outcome, &RegressionError)> {
    let mut failures = outcomes.iter().map(|one| Some((one, &**one.result.as_ref().err()?)));
    let first = failures.next()?;
    if failures.all(|one| one.is_some()) { first } else { None }
}

/// How a command ended that was asked for columns: one that failed is a failure of the command, one
/// for which the home has no data is input that is not there, however many others there are.
pub fn done<'o>(outcomes: impl Iterator<Item = &'o Outcome>) -> Done {
    let mut names: [Vec<String>; 3] = Default::default();
    for one in outcomes {
        let Err(error) = &one.result else { continue };
        let which = match &**error {
            RegressionError::NotYet { .. } => 0,
            error if error.is_no_data() => 1,
            _ => 2,
        };
        names[which].push(one.name());
    }
    let whats = ["no estimate is kept", "not estimated for want of data", "failed"];
    for (what, names) in whats.iter().zip(&names).filter(|(_, names)| !names.is_empty()) {
        eprintln!("{what}: {}", names.join(", "));
    }
    match &names.map(|names| names.is_empty()) {
        [.., false] => Done::Failed,
        [true, true, true] => Done::Clean,
        _ => Done::InputRefused,
    }
}

/// A home to estimate from: to write it if nobody else does.
pub fn open(folder: &FilePath) -> anyhow::Result<Archive> {
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

/// Says which closed years have changed since what is asked for was estimated.
pub fn say_changed(archive: &Archive, standing: &Standing) -> anyhow::Result<()> {
    let Some((publication, through)) = standing.estimated_before else { return Ok(()) };
    let years = changed_since(archive, publication, through)?;
    if !years.is_empty() {
        eprintln!("{}", estimates::changed(&years));
    }
    Ok(())
}
