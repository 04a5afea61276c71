//! `estimate`: estimate the paper's tables, or your own specification, from the home.
//!
//! The command prints stored estimates that are current. It estimates and stores the others.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use spillover::domain::sample_end::SampleEnd;
use spillover::domain::types::{Vintage, Year};
use spillover::engine::with_causes;
use spillover::files;
use spillover::files::trouble::remark;
use spillover::home::options::ReestimateWhen;
use spillover::home::{Home, HomeError};
use spillover::reader::Reader;
use spillover::reader::names::PlaceKind;
use spillover::regressions::{
    Asked, Choice, Cleared, Estimation, Notice, Outcome, RegressionError, Reuse, TableResult, asks,
    beside_paper, clear_failures, is_published,
};
use spillover::render::regression::Layout;
use spillover::render::report::{self, ReportFormat};
use spillover::render::style::Style;
use spillover::specification::{Content, Specification, Units};

use super::ending::{Done, UsageError};
use super::home_options::{HomeOptions, n_workers};
use super::leave_out_options::CityOptions;
use super::output_format::{OutputFormat, format_of};
use super::style_options::StyleOptions;
use super::target::{Spared, Target};

#[derive(Debug, Args)]
pub struct Estimate {
    /// A table or one of its columns: 1, 2, 3, 3.4, footnote.trimmed, figure1 [default: all].
    #[arg(long, value_name = "N[.C]", conflicts_with = "spec")]
    table: Option<String>,
    /// A specification in TOML, in the format of those in streams/specifications.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// The end of the sample: a closed year, or a closed month for the same months of all years
    /// [default: the last closed year of the home].
    #[arg(long, value_name = "YEAR|YYYYMM")]
    through: Option<SampleEnd>,
    /// Estimate again, even where the home stores a current estimate.
    #[arg(long)]
    again: bool,
    /// Estimate again, and do not start from the last solution.
    #[arg(long)]
    cold: bool,
    /// Follow a coefficient over the years of estimation, and over months with [reestimate] when =
    /// "month"; missing ones are estimated.
    #[arg(
        long,
        value_name = "TERM",
        num_args = 0..=1,
        default_missing_value = "affiliate_growth"
    )]
    path: Option<String>,
    #[command(flatten)]
    leave_out: CityOptions,
    /// Print the estimates beside published ones: estimate, standard error, observations, R2, and
    /// the ratio of the home's figure to the published one.
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["spec", "path"])]
    beside: Option<Source>,
    /// Show the estimates at this vintage: after the file of this number was ingested.
    #[arg(long, value_name = "V", conflicts_with_all = ["again", "cold", "path"])]
    vintage: Option<u32>,
    /// Clear the records of columns that failed or lacked data; do not estimate.
    #[arg(
        long,
        conflicts_with_all = ["again", "cold", "path", "vintage", "through", "format", "output"]
    )]
    clear_failures: bool,
    #[command(flatten)]
    style: StyleOptions,
    /// The format [default: by the file's extension, else text].
    #[arg(long)]
    format: Option<FormatName>,
    /// The file to write [default: standard output].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Published estimates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// Tables 1 to 6 of the paper that the program implements.
    Paper,
}

/// The output formats of regression results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// Models side by side.
    Text,
    /// Markdown.
    Md,
    /// LaTeX, with booktabs and siunitx.
    Latex,
    /// A page in HTML, for browsers and Word.
    Html,
    /// CSV, one row for each term.
    Csv,
    /// All figures of all models.
    Json,
    /// A chart: figure1, or --path.
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
    /// The formats of a regression without a chart.
    pub fn of_tables() -> impl TypedValueParser<Value = Self> {
        let tables = Self::value_variants().iter().filter(|format| **format != Self::Svg);
        PossibleValuesParser::new(tables.filter_map(ValueEnum::to_possible_value))
            .try_map(|name| Self::from_str(&name, false))
    }

    /// The report in this format.
    pub fn report(self) -> ReportFormat {
        match self {
            Self::Text => ReportFormat::Table(Layout::Text),
            Self::Md => ReportFormat::Table(Layout::Markdown),
            Self::Latex => ReportFormat::Table(Layout::Latex),
            Self::Html => ReportFormat::Table(Layout::Html),
            Self::Csv => ReportFormat::Csv,
            Self::Json => ReportFormat::Json,
            Self::Svg => ReportFormat::Svg,
        }
    }
}

impl Estimate {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.spared(home).check(self.output.as_deref())?;
        let format = format_of(self.format, self.output.as_deref())?;
        let asked = self.asked()?;
        if self.clear_failures {
            return self.clear(home, &asked);
        }
        let is_figure = |of: &Specification| matches!(of.content, Content::Figure(_));
        let can_be_drawn = self.path.is_some()
            || self.leave_out.can_be_drawn()
            || matches!(&asked[..], [(of, _)] if is_figure(of));
        if format == FormatName::Svg && !can_be_drawn {
            let what = "--format svg draws --table figure1, a --path, --leave-one-out or --placebo";
            return Err(UsageError(what.to_owned()).into());
        }
        let leave_out = self.leave_out.asked()?;
        let estimation = Estimation {
            home: home.folder(),
            asked: &asked,
            through: self.through,
            when: self.when(home)?,
            reuse: match (self.again, self.cold) {
                (_, true) => Reuse::Nothing,
                (true, false) => Reuse::Solutions,
                (false, false) => Reuse::Estimates,
            },
            leave_out,
            // A vintage is read from stored estimates, and ignores the options.
            n_workers: match self.vintage {
                Some(_) => 1,
                None => n_workers(None, &home.config()?),
            },
        };
        if self.leave_out.shift_share {
            let errors = estimation.shift_share(&mut say)?;
            let (format, style) = (format.report(), self.style.style(self.output.as_deref()));
            self.write(home, &report::shift_share(&errors, format, &style)?)?;
            return Ok(Done::Clean);
        }
        if let Some(draws) = self.leave_out.placebo() {
            let placebo = estimation.placebo(draws, &mut say)?;
            let (format, style) = (format.report(), self.style.style(self.output.as_deref()));
            let term = self.leave_out.term.as_deref();
            self.write(home, &report::placebo(&placebo, (format, term), &style)?)?;
            return Ok(Done::Clean);
        }
        if let Some(term) = &self.path {
            return self.paths(&estimation, term, format, home);
        }
        let tables = match self.vintage {
            Some(vintage) => estimation.tables_at(Vintage(vintage)),
            None => estimation.tables(&mut say),
        };
        let tables = tables.map_err(|error| self.with_line(error.into()))?;
        let (format, style) = (format.report(), self.style.style(self.output.as_deref()));
        let text = match self.beside {
            Some(Source::Paper) => report::comparisons(&beside_paper(&tables), format, &style)?,
            None if format == ReportFormat::Svg && self.leave_out.leave_one_out => {
                self.influence_chart(home, &tables, &style)?
            }
            None => report::tables(&tables, format, &style)?,
        };
        self.write(home, &text)?;
        Ok(done(tables.iter().flat_map(TableResult::outcomes)))
    }

    /// The closings with a point on a path. Other requests do not depend on the options.
    fn when(&self, home: &HomeOptions) -> anyhow::Result<ReestimateWhen> {
        let is_path = self.path.is_some();
        Ok(if is_path { home.config()?.reestimate_when() } else { ReestimateWhen::default() })
    }

    /// The influence of each city on one coefficient, with the names of the cities.
    fn influence_chart(
        &self,
        home: &HomeOptions,
        tables: &[TableResult],
        style: &Style,
    ) -> anyhow::Result<String> {
        let reader = Reader::open(home.folder())?;
        let names = reader.names()?;
        let name =
            |city: &str| names.name(PlaceKind::City, city, style.language).map(str::to_owned);
        Ok(report::influence_chart(tables, self.leave_out.term.as_deref(), style, &name)?)
    }

    fn paths(
        &self,
        estimation: &Estimation<'_>,
        term: &str,
        format: FormatName,
        home: &HomeOptions,
    ) -> anyhow::Result<Done> {
        let (specification, followed) = estimation.followed(term)?;
        if format == FormatName::Svg && followed.len() > 1 {
            let columns: Vec<&str> =
                followed.iter().map(|(column, _)| column.name.as_str()).collect();
            let (name, columns) = (&specification.name, columns.join(", "));
            bail!("--format svg draws one column, and {name} has {columns}: name one of them");
        }
        let paths = estimation.paths(term, &mut say);
        let (paths, outcomes) = paths.map_err(|error| self.with_line(error.into()))?;
        let style = self.style.style(self.output.as_deref());
        self.write(home, &report::paths(&paths, format.report(), &style)?)?;
        Ok(done(outcomes.iter()))
    }

    /// Clears the records of columns that failed or lacked data: all, or those of the named tables.
    fn clear(&self, home: &HomeOptions, asked: &[Asked]) -> anyhow::Result<Done> {
        Home::read(home.folder())?;
        let mut opened = Home::open(home.folder())?;
        let is_named = self.table.is_some() || self.spec.is_some();
        let Cleared { n_failed, n_without_data } =
            clear_failures(&mut opened, is_named.then(|| asks(asked)).as_deref())?;
        println!("cleared: {n_failed} failed, {n_without_data} without data");
        Ok(Done::Clean)
    }

    /// The requested columns: all of a specification, or one.
    fn asked(&self) -> anyhow::Result<Vec<Asked>> {
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
            let mut all = Specification::bundled();
            all.retain(|one| self.beside.is_none() || is_published(&one.name));
            let is_of_month = self.through.is_some_and(|end| !end.is_whole());
            all.retain(|one| !is_of_month || !has_whole_years(one));
            return Ok(all.into_iter().map(|one| (one, Choice::All)).collect());
        };
        let (name, column) = match table.split_once('.') {
            Some((name, column)) => (name, Some(column)),
            None => (table.as_str(), None),
        };
        let Some(specification) = Specification::named(name) else {
            let names: Vec<String> = Specification::bundled().into_iter().map(|s| s.name).collect();
            bail!("there is no table \"{name}\"; there are {}", names.join(", "));
        };
        if self.beside.is_some() && !is_published(name) {
            bail!("the paper publishes no figures of table \"{name}\"; name one of 1 to 6");
        }
        let Some(column) = column else { return Ok(vec![(specification, Choice::All)]) };
        if !specification.columns().iter().any(|own| own.name == column) {
            let own = specification.columns().iter().map(|column| column.name.clone());
            let (specification, column, there) = (name.into(), column.into(), own.collect());
            return Err(RegressionError::UnknownColumn { specification, column, there }.into());
        }
        Ok(vec![(specification, Choice::Named(vec![column.to_owned()]))])
    }

    /// Adds the place in the file to the error of an unknown column.
    fn with_line(&self, error: anyhow::Error) -> anyhow::Error {
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

    fn spared<'a>(&'a self, home: &'a HomeOptions) -> Spared<'a> {
        home.spared(self.spec.as_deref().as_slice())
    }

    fn write(&self, home: &HomeOptions, text: &str) -> anyhow::Result<()> {
        let target = Target::create(self.output.as_deref(), &self.spared(home))?;
        (&target).write_all(text.as_bytes())?;
        target.finish()
    }
}

/// True if a table has whole years only.
fn has_whole_years(of: &Specification) -> bool {
    matches!(&of.content, Content::Summary(summary) if summary.panel == Units::Firm)
}

/// The ending of a command for columns: failed if one failed, else missing input if the home lacks
/// data for one.
pub fn done<'o>(outcomes: impl Iterator<Item = &'o Outcome>) -> Done {
    let mut names: [Vec<String>; 4] = Default::default();
    for one in outcomes {
        let Err(error) = &one.result else { continue };
        let which = match &**error {
            RegressionError::NotYet { .. } => 0,
            error if error.is_of_request() => 1,
            error if error.is_no_data() => 2,
            _ => 3,
        };
        names[which].push(one.name());
    }
    let whats = [
        "no estimate is stored",
        "not estimated: whole years only",
        "not estimated: the home lacks data",
        "failed",
    ];
    for (what, names) in whats.iter().zip(&names).filter(|(_, names)| !names.is_empty()) {
        eprintln!("{what}: {}", names.join(", "));
    }
    match &names.map(|names| names.is_empty()) {
        [.., false] => Done::Failed,
        [true, true, true, true] => Done::Clean,
        _ => Done::InputRefused,
    }
}

/// Prints notices with the results.
pub fn say(notice: Notice) {
    match notice {
        Notice::NotStored(why) => eprintln!("{why}: the estimates are printed but not stored"),
        Notice::Unread(error) => eprintln!("{}", unread(&error)),
        Notice::Changed(years) => eprintln!("{}", changed(&years)),
    }
}

/// The message about an unusable stored state.
pub fn unread(error: &HomeError) -> String {
    let error = with_causes(error);
    format!(
        "the stored state of an estimation cannot be used and is computed again, no figure is \
         affected: {error}"
    )
}

/// The message about closed years that late records have changed since the last estimation.
pub fn changed(years: &[Year]) -> String {
    let years: Vec<String> = years.iter().map(ToString::to_string).collect();
    format!("since the last estimation, late records have changed {}", years.join(", "))
}
