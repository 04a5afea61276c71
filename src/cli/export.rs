//! `export TABLE`: write a table.

use arrow_array::RecordBatch;
use clap::{Args, ValueEnum};
use spillover::domain::span::Span;
use spillover::domain::types::{Period, Vintage};
use spillover::effect::Results;
use spillover::home::RefusedFile;
use spillover::home::options::{Config, SettingsError};
use spillover::home::parts::Table;
use spillover::reader::Reader;
use spillover::reader::{ledger, moves};
use spillover::regressions::{Kind, exported};
use spillover::render::effect;
use spillover::render::regression::{entries, influence, tidy};
use spillover::render::table::{About, TableFile};
use spillover::spans::SpanSource;
use spillover::specification::{Content, Specification};
use spillover::tables::export::{ExportError, Selection, sheet_of};
use spillover::tables::sheet::Sheet;
use spillover::tables::{months, series};

use super::effect_options::{EffectOptions, ModeOption, say};
use super::ending::{Done, UsageError};
use super::estimate::unread;
use super::home_options::{HomeOptions, n_workers};
use super::name_options::{RowOptions, facts as facts_of};
use super::span_options::SpanOptions;
use super::table_output::TableOutput;

#[derive(Debug, Args)]
pub struct Export {
    /// The table to write.
    table: TableName,
    /// Write the table at this vintage: after the file of this number was ingested.
    #[arg(long, value_name = "V")]
    vintage: Option<u32>,
    /// Write the rejected lines of refused files instead, with the table `rejects`.
    #[arg(long, conflicts_with = "vintage")]
    refused: bool,
    #[command(flatten)]
    rows: RowOptions,
    #[command(flatten)]
    spans: SpanOptions,
    #[command(flatten)]
    effect: EffectOptions,
    #[command(flatten)]
    mode: ModeOption,
    /// The vintages of news [default: the newest one and the one before].
    #[arg(long, value_names = ["V1", "V2"], num_args = 2, conflicts_with = "vintage")]
    news: Option<Vec<u32>>,
    #[command(flatten)]
    output: TableOutput,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TableName {
    /// Exporters of a city to a destination in a year.
    City,
    /// Plants of multi-plant firms by destination and year.
    Plant,
    /// Exporters of a city to a destination in each span of months.
    Months,
    /// Growth and its sources by level in each span: nation, province, city, destination, income
    /// group and groups of your own.
    Series,
    /// Accepted files, with their counts of accepted, excluded and rejected lines.
    Files,
    /// Rejected lines.
    Rejects,
    /// The regression panel: rows of closed years.
    Panel,
    /// The regression panel, computed from records of ordinary trade alone.
    PanelOrdinary,
    /// The regression panel by HS6.
    PanelProduct,
    /// Every estimate, one row for each term.
    Estimates,
    /// The covariance matrices of the coefficients.
    Covariance,
    /// The estimates without each city.
    Influence,
    /// Table 1: plants of multi-plant firms by year.
    Firms,
    /// Table 2: the variables over the sample of table 3.
    Summary,
    /// Figures that a vintage changed, with their values before and after.
    Changes,
    /// The live effect by level.
    Effects,
    /// What each source city accounts for in the live effect.
    Sources,
    /// The change of the live effect between two vintages, step by step.
    News,
    /// The effects of months compared with those of whole years.
    Backtest,
}

impl Export {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.output.check(home)?;
        if self.refused {
            return self.refused(home);
        }
        let mut reader = reader(home)?;
        let selection = Selection { year: self.rows.one_year(), as_of: self.vintage.map(Vintage) };
        reader.check_vintage(selection.as_of)?;
        if let Some(results) = self.live(home, &mut reader)? {
            return self.results(home, &reader, &results);
        }
        match self.table {
            TableName::City => self.published(home, &reader, Table::City)?,
            TableName::Plant => self.published(home, &reader, Table::Plant)?,
            TableName::Months => self.months(home, &reader)?,
            TableName::Series => self.series(home, &reader)?,
            _ => self.spans.refuse()?,
        }
        match self.table {
            TableName::City
            | TableName::Plant
            | TableName::Months
            | TableName::Series
            | TableName::Effects
            | TableName::Sources
            | TableName::News
            | TableName::Backtest => {}
            TableName::Files => {
                let (sheet, rows) = reader.files(selection)?;
                self.write(home, &reader, &sheet, std::iter::once(anyhow::Ok(rows)))?;
            }
            TableName::Changes => {
                let moves = reader.changes(selection.as_of, selection.year)?;
                for year in self.rows.years() {
                    moves.check_year("changes", year)?;
                }
                moves.check()?;
                let rows = moves::rows(moves.years());
                self.write(home, &reader, &moves::sheet("changes"), rows)?;
            }
            TableName::Rejects => {
                let rows = reader.rejects(selection)?;
                self.write(home, &reader, &ledger::rejects_sheet(), rows)?;
            }
            TableName::Panel => self.panel(&mut reader, home, Kind::Plant)?,
            TableName::PanelOrdinary => self.panel(&mut reader, home, Kind::Ordinary)?,
            TableName::PanelProduct => self.panel(&mut reader, home, Kind::Product)?,
            TableName::Estimates => {
                let entries = reader.estimates(selection)?;
                let entries: Vec<_> = entries.iter().map(entries::of_kept).collect();
                let (sheet, rows) = tidy::rows(&entries);
                self.write(home, &reader, &sheet, std::iter::once(anyhow::Ok(rows)))?;
            }
            TableName::Covariance => {
                let (sheet, rows) = entries::covariances(&reader.estimates(selection)?);
                self.write(home, &reader, &sheet, std::iter::once(anyhow::Ok(rows)))?;
            }
            TableName::Influence => {
                let entries = reader.estimates(selection)?;
                let entries: Vec<_> = entries.iter().map(entries::of_kept).collect();
                let (sheet, rows) = influence::rows(&entries);
                self.write(home, &reader, &sheet, std::iter::once(anyhow::Ok(rows)))?;
            }
            TableName::Firms => self.summary(&mut reader, home, "firms", "1")?,
            TableName::Summary => self.summary(&mut reader, home, "summary", "2")?,
        }
        Ok(Done::Clean)
    }

    /// The live effect, its sources, its news or its back-test; `None` for another table.
    fn live(&self, home: &HomeOptions, reader: &mut Reader) -> anyhow::Result<Option<Results>> {
        let is_news = matches!(self.table, TableName::News);
        let is_backtest = matches!(self.table, TableName::Backtest);
        if !is_news && self.news.is_some() {
            return Err(UsageError("--news belongs to the table news; leave it out".into()).into());
        }
        if !is_backtest && self.mode.is_given() {
            let what = "--mode belongs to the table backtest; leave it out";
            return Err(UsageError(what.into()).into());
        }
        let vintages = self.news.as_deref().unwrap_or_default();
        let vintage = vintages.get(1).copied().or(self.vintage).map(Vintage);
        let request = |joint| {
            let (month, span) = self.spans.asked();
            self.effect.request((month, span), vintage, joint)
        };
        let joint = || home.config()?.joint_months().map_err(anyhow::Error::from);
        Ok(Some(match self.table {
            TableName::Effects => Results::Effects(reader.effects(&request(joint()?))?),
            TableName::Sources => Results::Sources(reader.sources(&request(joint()?))?),
            TableName::News => {
                let newest = reader.publication()?.1;
                let before = Vintage(vintage.unwrap_or(newest).0.saturating_sub(1));
                let before = vintages.first().copied().map_or(before, Vintage);
                Results::News(reader.news(&request(joint()?), before)?)
            }
            TableName::Backtest => {
                let request = request(joint()?);
                Results::Backtest(reader.backtest(&request, self.mode.mode())?)
            }
            _ => {
                self.effect.refuse()?;
                return Ok(None);
            }
        }))
    }

    /// Writes results, with what they may claim.
    fn results(
        &self,
        home: &HomeOptions,
        reader: &Reader,
        results: &Results,
    ) -> anyhow::Result<Done> {
        let (sheet, rows) = results.table();
        let facts = effect::facts(results);
        let as_of = self.news.as_ref().and_then(|of| of.get(1).copied()).or(self.vintage);
        let (asked, reader) = ((&self.rows, &self.output), (reader, as_of.map(Vintage)));
        let rows = std::iter::once(anyhow::Ok(rows));
        write_rows(asked, home, reader, (&sheet, &facts), rows)?;
        say(results);
        Ok(Done::Clean)
    }

    /// The kept rejected lines of refused files; a note names files with more lines.
    fn refused(&self, home: &HomeOptions) -> anyhow::Result<Done> {
        if !matches!(self.table, TableName::Rejects) {
            anyhow::bail!(
                "--refused belongs to the table rejects: write `export rejects --refused`"
            );
        }
        let (reader, year) = (reader(home)?, self.rows.one_year());
        let rows = reader.rejects_of_refused(year)?;
        self.write(home, &reader, &ledger::refused_sheet(), rows)?;
        for RefusedFile { name, n_rejected, n_kept, .. } in reader.refused()? {
            if n_kept < n_rejected {
                eprintln!("{name}: the first {n_kept} of {n_rejected} rejected lines are kept");
            }
        }
        Ok(Done::Clean)
    }

    /// The current panel of closed years, which is not stored.
    fn panel(&self, reader: &mut Reader, home: &HomeOptions, kind: Kind) -> anyhow::Result<()> {
        self.refuse_vintage()?;
        let panel = reader.panel(kind, self.rows.one_year())?;
        panel.unread.iter().for_each(|error| eprintln!("{}", unread(error)));
        self.write(home, reader, &panel.sheet, panel.batches.into_iter().map(anyhow::Ok))
    }

    fn summary(
        &self,
        reader: &mut Reader,
        home: &HomeOptions,
        name: &'static str,
        table: &str,
    ) -> anyhow::Result<()> {
        self.refuse_vintage()?;
        let specification = Specification::named(table);
        let Some(Content::Summary(summary)) = specification.map(|of| of.content) else {
            anyhow::bail!("table {table} is no summary");
        };
        let mut rows = reader.summary(&summary, self.rows.one_year())?;
        let year = self.rows.one_year().filter(|_| summary.by.as_deref() == Some("year"));
        if let Some(year) = year {
            rows.retain(|row| row.by == Some(year.0.into()));
        }
        let (sheet, rows) = exported::summary(name, &summary, &rows)?;
        self.write(home, reader, &sheet, std::iter::once(anyhow::Ok(rows)))
    }

    fn refuse_vintage(&self) -> anyhow::Result<()> {
        if self.vintage.is_some() {
            anyhow::bail!("this table has the current state only; leave out --vintage");
        }
        Ok(())
    }

    fn months(&self, home: &HomeOptions, reader: &Reader) -> anyhow::Result<()> {
        let spans = self.spans_of(home, reader)?;
        let choice = self.spans.choice(self.rows.years());
        let rows = spans.months(spans.chosen(months::NAME, &choice)?);
        self.write(home, reader, &months::sheet(), rows)
    }

    fn series(&self, home: &HomeOptions, reader: &Reader) -> anyhow::Result<()> {
        let spans = self.spans_of(home, reader)?;
        let choice = self.spans.choice(self.rows.years());
        let rows = spans.series_rows(spans.chosen(series::NAME, &choice)?);
        self.write(home, reader, &series::sheet(), rows)
    }

    /// The spans of the home at the requested vintage. Their options must be readable, because the
    /// joint months decide about rows.
    fn spans_of<'r>(
        &self,
        home: &HomeOptions,
        reader: &'r Reader,
    ) -> anyhow::Result<SpanSource<'r>> {
        let joint = home.config()?.joint_months()?;
        Ok(reader.spans(self.vintage.map(Vintage), joint)?)
    }

    /// A table as of a month.
    fn of_span(
        &self,
        home: &HomeOptions,
        reader: &Reader,
        table: Table,
        (month, span): (Period, Span),
    ) -> anyhow::Result<()> {
        let spans = self.spans_of(home, reader)?;
        let at = spans.span(span, month)?;
        let sheet = sheet_of(table, spans.definition());
        let named = |name: &str, value: String| (name.to_owned(), value);
        let facts = [named("month", month.to_string()), named("span", span.name().to_owned())];
        let (asked, as_of) = ((&self.rows, &self.output), self.vintage.map(Vintage));
        let (reader, file) = ((reader, as_of), (&sheet, &facts[..]));
        match table {
            Table::City => {
                let rows = std::iter::once(anyhow::Ok(spans.city(at)?));
                write_rows(asked, home, reader, file, rows)
            }
            Table::Plant => write_rows(asked, home, reader, file, spans.plant(at)?),
        }
    }

    fn published(&self, home: &HomeOptions, reader: &Reader, table: Table) -> anyhow::Result<()> {
        if let Some(at) = self.spans.at()? {
            return self.of_span(home, reader, table, at);
        }
        let standing = reader.standing(self.vintage.map(Vintage))?;
        let (table, year) = (reader.table(&standing, table)?, self.rows.one_year());
        table.check(year)?;
        // Without a single year, all parts are checked; each year must exist all the same.
        for asked in self.rows.years() {
            table.check(Some(asked))?;
        }
        self.write(home, reader, &table.sheet(), table.rows_of(year))
    }

    /// Writes the requested rows, with names if requested.
    fn write<E: Into<anyhow::Error>>(
        &self,
        home: &HomeOptions,
        reader: &Reader,
        sheet: &Sheet,
        rows: impl Iterator<Item = Result<RecordBatch, E>>,
    ) -> anyhow::Result<()> {
        let as_of = self.vintage.map(Vintage);
        write_rows((&self.rows, &self.output), home, (reader, as_of), (sheet, &[]), rows)
    }
}

/// Writes the requested rows of a table, with names if requested, and further facts about it.
pub fn write_rows<E: Into<anyhow::Error>>(
    (asked, output): (&RowOptions, &TableOutput),
    home: &HomeOptions,
    (reader, as_of): (&Reader, Option<Vintage>),
    (sheet, facts): (&Sheet, &[(String, String)]),
    rows: impl Iterator<Item = Result<RecordBatch, E>>,
) -> anyhow::Result<()> {
    let choice = asked.choice(reader, as_of)?;
    choice.check(sheet)?;
    let mut about = About { facts: reader.about(as_of)? };
    about.facts.extend(facts.iter().cloned().chain(facts_of(&choice)));
    let about = &about;
    let rows = rows.map(|batch| -> anyhow::Result<RecordBatch> {
        Ok(choice.rows(batch.map_err(Into::into)?).map_err(ExportError::Choice)?)
    });
    match asked.with_names(reader)? {
        None => output.write(home, &TableFile { sheet, about }, rows),
        Some(with) => {
            let rows = rows.map(|batch| -> anyhow::Result<RecordBatch> {
                Ok(with.rows(&batch?).map_err(ExportError::Choice)?)
            });
            let sheet = &with.sheet(sheet);
            output.write(home, &TableFile { sheet, about }, rows)
        }
    }
}

/// Opens a home for reading, with the number of threads from its options.
pub fn reader(home: &HomeOptions) -> anyhow::Result<Reader> {
    // The home comes first: without one, no options matter. An error in the options file must not
    // stop a reader, which needs nothing else of them.
    let reader = Reader::open(home.folder())?;
    let config = match home.config() {
        Err(error) if !matches!(error.downcast_ref(), Some(SettingsError::Read { .. })) => {
            Config::default()
        }
        config => config?,
    };
    Ok(reader.with_workers(n_workers(None, &config)))
}
