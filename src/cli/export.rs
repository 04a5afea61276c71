//! `export TABLE`: write a table.

use std::path::PathBuf;

use arrow_array::RecordBatch;
use clap::{Args, ValueEnum};
use spillover::archive::Archive;
use spillover::archive::parts::Table;
use spillover::publish::export::{self, ExportError, Selection};
use spillover::publish::format::{self, Format, Sheet};
use spillover::publish::ledger;
use spillover::types::{Vintage, Year};

use super::target::Target;
use super::{Done, Home};

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

/// In what a table is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FormatName {
    /// Comma-separated, UTF-8.
    Csv,
    /// Parquet, zstd.
    Parquet,
    /// A workbook of one sheet.
    Xlsx,
    /// A JSON object a line.
    Jsonl,
    /// SDMX-CSV 2.0.
    SdmxCsv,
}

impl FormatName {
    pub fn format(self) -> Format {
        match self {
            Self::Csv => Format::Csv,
            Self::Parquet => Format::Parquet,
            Self::Xlsx => Format::Xlsx,
            Self::Jsonl => Format::Jsonl,
            Self::SdmxCsv => Format::SdmxCsv,
        }
    }
}

impl Export {
    pub fn run(self, home: &Home) -> anyhow::Result<Done> {
        let archive = Archive::read(home.folder())?;
        match self.table {
            TableName::City => self.published(&archive, Table::City)?,
            TableName::Plant => self.published(&archive, Table::Plant)?,
            TableName::Files => {
                let (sheet, rows) = ledger::files(&archive)?;
                self.write(&sheet, std::iter::once(Ok(rows)))?;
            }
            TableName::Rejects => {
                self.write(&ledger::rejects_sheet(), ledger::rejects(&archive)?)?;
            }
        }
        Ok(Done::Clean)
    }

    fn published(&self, archive: &Archive, table: Table) -> anyhow::Result<()> {
        let selection = Selection { year: self.year.map(Year), as_of: self.vintage.map(Vintage) };
        let sheet = export::sheet(archive, table)?;
        let years = export::years(archive, table, selection)?;
        export::check(archive, table, selection)?;
        self.write(&sheet, years.map(|year| year.map(|(_, rows)| rows)))
    }

    fn write(
        &self,
        sheet: &Sheet,
        rows: impl Iterator<Item = Result<RecordBatch, ExportError>>,
    ) -> anyhow::Result<()> {
        let out = Target::create(self.output.as_deref())?;
        format::write(&out, self.format.format(), sheet, rows)?;
        out.finish()
    }
}
