//! `export TABLE`: write a table.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use spillover::archive::Archive;
use spillover::archive::parts::Table;
use spillover::publish::export::{self, Format, Selection};
use spillover::publish::ledger;
use spillover::types::{Vintage, Year};

use super::{Done, Home, output};

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
    /// The format.
    #[arg(long, default_value = "csv")]
    format: FormatName,
    /// The file to write; without it, the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
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
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    Csv,
    Parquet,
}

impl Export {
    pub fn run(self, home: &Home) -> anyhow::Result<Done> {
        let archive = Archive::read(home.folder())?;
        let format = match self.format {
            FormatName::Csv => Format::Csv,
            FormatName::Parquet => Format::Parquet,
        };
        match self.table {
            TableName::City => self.published(&archive, Table::City, format)?,
            TableName::Plant => self.published(&archive, Table::Plant, format)?,
            TableName::Files => {
                let (schema, rows) = ledger::files(&archive)?;
                let out = output(self.output.as_deref())?;
                export::write(out, format, &schema, std::iter::once(Ok(rows)))?;
            }
            TableName::Rejects => {
                let rows = ledger::rejects(&archive)?;
                let out = output(self.output.as_deref())?;
                export::write(out, format, &ledger::rejects_schema(), rows)?;
            }
        }
        Ok(Done::Clean)
    }

    fn published(
        &self,
        archive: &Archive,
        table: Table,
        format: Format,
    ) -> Result<(), anyhow::Error> {
        let selection = Selection { year: self.year.map(Year), as_of: self.vintage.map(Vintage) };
        let schema = export::schema_of(table, export::has_supply(archive)?);
        let years = export::years(archive, table, selection)?;
        export::check(archive, table, selection)?;
        let out = output(self.output.as_deref())?;
        let rows = years.map(|year| year.map(|(_, rows)| rows));
        Ok(export::write(out, format, &schema, rows)?)
    }
}
