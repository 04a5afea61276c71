//! The format and destination of the tables of `export` and `diff`.

use std::io::{IsTerminal, stdout};
use std::path::PathBuf;

use arrow_array::RecordBatch;
use clap::{Args, ValueEnum};
use spillover::render::table::{self, Format, TableFile};

use super::ending::UsageError;
use super::home_options::HomeOptions;
use super::output_format::{OutputFormat, format_of, name};
use super::target::Target;

#[derive(Debug, Args)]
pub struct TableOutput {
    /// The format [default: by the file's extension, else csv].
    #[arg(long)]
    format: Option<FormatName>,
    /// Write one JSON object per line, as --format jsonl does.
    #[arg(long, conflicts_with_all = ["format", "excel"])]
    json: bool,
    /// Write CSV for Excel: UTF-8 with a byte order mark, codes and formulas as text.
    #[arg(long)]
    excel: bool,
    /// The file to write [default: standard output].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The output formats of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// Comma-separated, UTF-8.
    Csv,
    /// Parquet, zstd.
    Parquet,
    /// An Excel workbook: a sheet of rows and a sheet of metadata.
    Xlsx,
    /// A dataset of Stata 14 or newer, with labels.
    Dta,
    /// An Arrow file (Feather).
    Arrow,
    /// One JSON object per line.
    Jsonl,
    /// SDMX-CSV 2.0.
    SdmxCsv,
}

impl OutputFormat for FormatName {
    fn extensions(&self) -> &'static [&'static str] {
        match self {
            Self::Csv | Self::SdmxCsv => &["csv"],
            Self::Parquet => &["parquet", "pq"],
            Self::Xlsx => &["xlsx"],
            Self::Dta => &["dta"],
            Self::Arrow => &["arrow", "feather"],
            Self::Jsonl => &["jsonl", "ndjson"],
        }
    }
}

impl TableOutput {
    /// The format.
    ///
    /// # Errors
    /// [`UsageError`] if options contradict each other.
    fn format(&self) -> Result<Format, UsageError> {
        let asked = self.format.or(self.json.then_some(FormatName::Jsonl));
        let format = format_of(asked, self.output.as_deref())?;
        if self.excel && format != FormatName::Csv {
            return Err(UsageError(format!(
                "--excel applies to CSV, and the output is {}; leave it out{}",
                name(&format),
                if format == FormatName::Xlsx { ", a workbook needs none" } else { "" }
            )));
        }
        let is_binary = matches!(
            format,
            FormatName::Parquet | FormatName::Xlsx | FormatName::Dta | FormatName::Arrow
        );
        if is_binary && self.output.is_none() && stdout().is_terminal() {
            return Err(UsageError(format!(
                "{} is not for a terminal; name a file with -o",
                name(&format)
            )));
        }
        Ok(match format {
            FormatName::Csv if self.excel => Format::ExcelCsv,
            FormatName::Csv => Format::Csv,
            FormatName::Parquet => Format::Parquet,
            FormatName::Xlsx => Format::Xlsx,
            FormatName::Dta => Format::Stata,
            FormatName::Arrow => Format::Arrow,
            FormatName::Jsonl => Format::Jsonl,
            FormatName::SdmxCsv => Format::SdmxCsv,
        })
    }

    /// Checks the request before the computation.
    ///
    /// # Errors
    /// [`UsageError`] if options contradict each other, and an error if the file is inside a home.
    pub fn check(&self, home: &HomeOptions) -> anyhow::Result<()> {
        home.spared(&[]).check(self.output.as_deref())?;
        self.format()?;
        Ok(())
    }

    /// Writes a table: completely, or not at all.
    pub fn write<E: Into<anyhow::Error>>(
        &self,
        home: &HomeOptions,
        file: &TableFile<'_>,
        rows: impl Iterator<Item = Result<RecordBatch, E>>,
    ) -> anyhow::Result<()> {
        let format = self.format()?;
        let out = Target::create(self.output.as_deref(), &home.spared(&[]))?;
        let rows = rows.map(|rows| rows.map_err(Into::into));
        table::write::<anyhow::Error>(&out, format, file, rows)?;
        out.finish()
    }
}
