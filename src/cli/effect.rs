//! `effect` and `backtest`: show the live effect, its sources, its news and its back-test.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use spillover::domain::span::Span;
use spillover::domain::types::{Period, Vintage};
use spillover::effect::Results;
use spillover::reader::Reader;
use spillover::render::effect;
use spillover::render::report::ReportFormat;
use spillover::tables::export::ExportError;

use super::effect_options::{EffectOptions, ModeOption, say};
use super::ending::Done;
use super::estimate::FormatName;
use super::export::reader;
use super::home_options::HomeOptions;
use super::name_options::NameOptions;
use super::output_format::format_of;
use super::style_options::TextOptions;
use super::target::Target;

#[derive(Debug, Args)]
pub struct Effect {
    #[command(flatten)]
    options: EffectOptions,
    /// The month [default: the last closed one].
    #[arg(long, value_name = "YYYYMM")]
    month: Option<Period>,
    /// The months of the growth: ytd, month or 12m [default: ytd].
    #[arg(long, value_name = "SPAN")]
    span: Option<Span>,
    /// Show what was known after the file of this number was ingested.
    #[arg(long, value_name = "V")]
    vintage: Option<u32>,
    /// Show what each source city accounts for.
    #[arg(long, conflicts_with = "news")]
    sources: bool,
    /// Show the change from vintage V1 to V2, step by step.
    #[arg(long, value_names = ["V1", "V2"], num_args = 2, conflicts_with = "vintage")]
    news: Option<Vec<u32>>,
    #[command(flatten)]
    document: DocumentOptions,
}

#[derive(Debug, Args)]
pub struct Backtest {
    #[command(flatten)]
    options: EffectOptions,
    #[command(flatten)]
    mode: ModeOption,
    /// Use what was known after the file of this number was ingested.
    #[arg(long, value_name = "V")]
    vintage: Option<u32>,
    #[command(flatten)]
    document: DocumentOptions,
}

/// The look and the destination of a document.
#[derive(Debug, Args)]
struct DocumentOptions {
    #[command(flatten)]
    names: NameOptions,
    #[command(flatten)]
    text: TextOptions,
    /// The format [default: by the file's extension, else text].
    #[arg(long)]
    format: Option<FormatName>,
    /// The file to write [default: standard output].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Effect {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.document.check(home)?;
        let mut reader = reader(home)?;
        let vintages = self.news.as_deref().unwrap_or_default();
        let vintage = vintages.get(1).copied().or(self.vintage).map(Vintage);
        let joint = home.config()?.joint_months()?;
        let request = self.options.request((self.month, self.span), vintage, joint);
        let results = match vintages.first() {
            Some(before) => Results::News(reader.news(&request, Vintage(*before))?),
            None if self.sources => Results::Sources(reader.sources(&request)?),
            None => Results::Effects(reader.effects(&request)?),
        };
        self.document.write(home, &reader, &results)
    }
}

impl Backtest {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.document.check(home)?;
        let mut reader = reader(home)?;
        let joint = home.config()?.joint_months()?;
        let vintage = self.vintage.map(Vintage);
        let request = self.options.request((None, None), vintage, joint);
        let results = Results::Backtest(reader.backtest(&request, self.mode.mode())?);
        self.document.write(home, &reader, &results)
    }
}

impl DocumentOptions {
    /// The format, and a check of the file before the computation.
    fn check(&self, home: &HomeOptions) -> anyhow::Result<FormatName> {
        home.spared(&[]).check(self.output.as_deref())?;
        Ok(format_of(self.format, self.output.as_deref())?)
    }

    fn write(
        &self,
        home: &HomeOptions,
        reader: &Reader,
        results: &Results,
    ) -> anyhow::Result<Done> {
        let names = self.names.with_names(reader)?;
        let (sheet, rows) = results.table();
        let table = match &names {
            Some(names) => (names.sheet(&sheet), names.rows(&rows).map_err(ExportError::Choice)?),
            None => (sheet, rows),
        };
        let name = |level: &str, key: &str| names.as_ref()?.key(level, key);
        let text = match self.check(home)?.report() {
            ReportFormat::Table(layout) => {
                let style = self.text.style(self.output.as_deref());
                effect::text(results, layout, &style, &name)
            }
            ReportFormat::Json => effect::json(&table, &effect::facts(results))?,
            ReportFormat::Svg => {
                effect::chart::svg(results, &self.text.style(self.output.as_deref()), &name)?
            }
            ReportFormat::Csv => {
                say(results);
                effect::csv(&table)?
            }
        };
        let target = Target::create(self.output.as_deref(), &home.spared(&[]))?;
        (&target).write_all(text.as_bytes())?;
        target.finish()?;
        Ok(Done::Clean)
    }
}
