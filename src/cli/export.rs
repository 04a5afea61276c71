//! `export TABLE`: write a table.

use clap::{Args, ValueEnum};
use spillover::archive::Archive;
use spillover::archive::parts::Table;
use spillover::engine::replay::Standing;
use spillover::publish::export::{ExportError, Selection, TableAt, check_year};
use spillover::publish::revisions::step_of;
use spillover::publish::{ledger, moves};
use spillover::regressions::{KeptEstimate, Kind, Panels, Regressions, exported, kept, summarise};
use spillover::render::regression::{entries, tidy};
use spillover::settings::{Config, SettingsError};
use spillover::specification::{Content, Specification};
use spillover::types::{Vintage, Year};

use super::ending::Done;
use super::estimate::unread;
use super::home_options::{HomeOptions, n_workers};
use super::table_output::TableOutput;

#[derive(Debug, Args)]
pub struct Export {
    /// The table.
    table: TableName,
    /// One year only.
    #[arg(long, value_name = "Y")]
    year: Option<u16>,
    /// As it stood when the file of this number had been taken in.
    #[arg(long, value_name = "V")]
    vintage: Option<u32>,
    #[command(flatten)]
    output: TableOutput,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TableName {
    /// Exporters of a city to a destination in a year.
    City,
    /// Plants of multi-plant firms by destination and year.
    Plant,
    /// Accepted files, with their lines by how they ended.
    Files,
    /// Lines that could not be records.
    Rejects,
    /// The rows of closed years that regressions are estimated on.
    Panel,
    /// The same, computed from records of ordinary trade alone.
    PanelOrdinary,
    /// The same by HS6.
    PanelProduct,
    /// Every estimate, a row for each term.
    Estimates,
    /// The covariance matrices of the coefficients.
    Covariance,
    /// Table 1: plants of multi-plant firms by year.
    Firms,
    /// Table 2: the variables over the sample of table 3.
    Summary,
    /// Figures that moved when a vintage was published, before and after.
    Changes,
}

impl Export {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        self.output.check(home)?;
        let archive = Archive::read(home.folder())?;
        check_vintage(&archive, self.vintage.map(Vintage))?;
        let selection = Selection { year: self.year.map(Year), as_of: self.vintage.map(Vintage) };
        match self.table {
            TableName::City => self.published(home, &archive, Table::City)?,
            TableName::Plant => self.published(home, &archive, Table::Plant)?,
            TableName::Files => {
                let (sheet, rows) = ledger::files(&archive, selection)?;
                self.output.write(home, &sheet, std::iter::once(Ok(rows)))?;
            }
            TableName::Changes => self.changes(home, &archive)?,
            TableName::Rejects => {
                self.output.write(
                    home,
                    &ledger::rejects_sheet(),
                    ledger::rejects(&archive, selection)?,
                )?;
            }
            TableName::Panel => self.panel(archive, home, Kind::Plant)?,
            TableName::PanelOrdinary => self.panel(archive, home, Kind::Ordinary)?,
            TableName::PanelProduct => self.panel(archive, home, Kind::Product)?,
            TableName::Estimates => self.estimates(archive, home)?,
            TableName::Covariance => self.covariance(archive, home)?,
            TableName::Firms => self.summary(archive, home, "firms", "1")?,
            TableName::Summary => self.summary(archive, home, "summary", "2")?,
        }
        Ok(Done::Clean)
    }

    /// A panel of closed years as it stands; nothing of it is kept.
    fn panel(&self, mut archive: Archive, home: &HomeOptions, kind: Kind) -> anyhow::Result<()> {
        self.refuse_vintage()?;
        let mut panels = Panels::open(&mut archive, n_workers(None, &home.config()?))?;
        let mut years = panels.years(None)?;
        if let Some(year) = self.year.map(Year) {
            panels.years(Some(year))?;
            years.retain(|other| *other == year);
        }
        let (sheet, rows) = exported::panel(&mut panels, kind, &years)?;
        panels.take_unread().iter().for_each(|error| eprintln!("{}", unread(error)));
        self.output.write(home, &sheet, rows.into_iter().map(Ok))
    }

    fn estimates(&self, archive: Archive, home: &HomeOptions) -> anyhow::Result<()> {
        let kept = self.kept(archive, home)?;
        let (sheet, rows) = tidy::rows(&kept.iter().map(entries::of_kept).collect::<Vec<_>>());
        self.output.write(home, &sheet, std::iter::once(Ok(rows)))
    }

    fn covariance(&self, archive: Archive, home: &HomeOptions) -> anyhow::Result<()> {
        let (sheet, rows) = entries::covariances(&self.kept(archive, home)?);
        self.output.write(home, &sheet, std::iter::once(Ok(rows)))
    }

    /// The estimates of the home, of the year and up to the vintage that are asked for.
    fn kept(&self, mut archive: Archive, home: &HomeOptions) -> anyhow::Result<Vec<KeptEstimate>> {
        let panels = Panels::open(&mut archive, n_workers(None, &home.config()?))?;
        let newest = self.vintage.unwrap_or(u32::MAX);
        let mut kept = kept(&panels)?;
        check_year("estimates", self.year.map(Year), kept.iter().map(|one| one.stored.through))?;
        kept.retain(|one| {
            one.stored.vintage.0 <= newest
                && self.year.is_none_or(|year| one.stored.through.0 == year)
        });
        Ok(kept)
    }

    fn summary(
        &self,
        mut archive: Archive,
        home: &HomeOptions,
        name: &'static str,
        table: &str,
    ) -> anyhow::Result<()> {
        self.refuse_vintage()?;
        let specification = Specification::named(table);
        let Some(Content::Summary(summary)) = specification.map(|of| of.content) else {
            anyhow::bail!("table {table} is no summary");
        };
        let panels = Panels::open(&mut archive, n_workers(None, &home.config()?))?;
        let mut regressions = Regressions::new(panels, self.year.map(Year))?;
        let mut rows = summarise(&mut regressions, &summary)?;
        if let Some(year) = self.year.filter(|_| summary.by.as_deref() == Some("year")) {
            rows.retain(|row| row.by == Some(year.into()));
        }
        let (sheet, rows) = exported::summary(name, &summary, &rows)?;
        self.output.write(home, &sheet, std::iter::once(Ok(rows)))
    }

    fn refuse_vintage(&self) -> anyhow::Result<()> {
        if self.vintage.is_some() {
            anyhow::bail!("this table is kept as it stands now; leave out --vintage");
        }
        Ok(())
    }

    fn published(&self, home: &HomeOptions, archive: &Archive, table: Table) -> anyhow::Result<()> {
        let standing = standing(home, archive, self.vintage.map(Vintage))?;
        let (table, year) = (standing.table(archive, table)?, self.year.map(Year));
        table.check(year)?;
        self.output.write(
            home,
            &table.sheet(),
            table.rows(year).map(|year| year.map(|(_, rows)| rows)),
        )
    }

    /// Every figure that moved when the vintage, or the newest one, was published.
    fn changes(&self, home: &HomeOptions, archive: &Archive) -> anyhow::Result<()> {
        let vintage = self.vintage.map(Vintage).or(archive.last_vintage()?).unwrap_or_default();
        let step = step_of(archive, vintage)?;
        let sides = BothSides::at(home, archive, step.before, step.after)?;
        let year = self.year.map(Year);
        check_year("changes", year, sides.tables.iter().flatten().flat_map(TableAt::years))?;
        let years =
            sides.tables.iter().flat_map(|[before, after]| moves::between(before, after, year));
        self.output.write(home, &moves::sheet("changes"), moves::rows(years))
    }
}

/// Whether a vintage that was asked for is there.
fn check_vintage(archive: &Archive, asked: Option<Vintage>) -> anyhow::Result<()> {
    let newest = archive.last_vintage()?.unwrap_or_default();
    match asked {
        Some(vintage) if vintage == Vintage(0) || vintage > newest => {
            Err(ExportError::NoVintage { vintage, newest }.into())
        }
        _ => Ok(()),
    }
}

/// Both tables as of a vintage.
pub fn standing(
    home: &HomeOptions,
    archive: &Archive,
    vintage: Option<Vintage>,
) -> anyhow::Result<Standing> {
    // A reader needs nothing else of the options: a file with a slip in it does not stop it.
    let config = match home.config() {
        Err(error) if !matches!(error.downcast_ref(), Some(SettingsError::Read { .. })) => {
            Config::default()
        }
        config => config?,
    };
    let n_workers = n_workers(None, &config);
    Ok(Standing::at(archive, vintage, n_workers)?)
}

/// Both tables as of two vintages.
pub struct BothSides {
    /// Each before and after.
    pub tables: Vec<[TableAt; 2]>,
    /// Where they are, if they were replayed.
    _standing: [Standing; 2],
}

impl BothSides {
    pub fn at(
        home: &HomeOptions,
        archive: &Archive,
        before: Vintage,
        after: Vintage,
    ) -> anyhow::Result<Self> {
        let before = standing(home, archive, Some(before))?;
        let after = standing(home, archive, Some(after))?;
        let both = |table| Ok([before.table(archive, table)?, after.table(archive, table)?]);
        let tables = Table::ALL.into_iter().map(both).collect::<anyhow::Result<_>>()?;
        Ok(Self { tables, _standing: [before, after] })
    }
}
