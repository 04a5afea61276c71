//! Options that take names for codes, and add names to outputs.

use clap::{Args, ValueEnum};
use spillover::domain::types::{Vintage, Year};
use spillover::reader::Reader;
use spillover::reader::chosen::{RowChoice, WithNames};
use spillover::reader::names::{Language, NameError, PlaceKind};

/// The language of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NameLanguage {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl From<NameLanguage> for Language {
    fn from(language: NameLanguage) -> Self {
        match language {
            NameLanguage::Zh => Self::Chinese,
            NameLanguage::En => Self::English,
        }
    }
}

/// The written rows of a table, and their names.
#[derive(Debug, Args)]
pub struct RowOptions {
    /// Write these years only.
    #[arg(long, value_name = "Y", value_delimiter = ',')]
    year: Vec<u16>,
    /// Write these firms only, by identifier or by name as in the records.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    firm: Vec<String>,
    /// Write these cities only, by code or by name in Chinese or English.
    #[arg(long, value_name = "CITY", value_delimiter = ',')]
    city: Vec<String>,
    /// Write these destinations only, by code, ISO code or name in Chinese or English.
    #[arg(long, value_name = "COUNTRY", value_delimiter = ',')]
    country: Vec<String>,
    #[command(flatten)]
    names: NameOptions,
}

/// Whether names are added to codes.
#[derive(Clone, Copy, Debug, Args)]
pub struct NameOptions {
    /// Add the names of firms, cities, provinces and countries to their codes. Names of firms are
    /// those of the records in either language.
    #[arg(long, value_name = "LANGUAGE")]
    names: Option<NameLanguage>,
}

impl NameOptions {
    /// The names with their language, if requested.
    pub fn with_names(self, reader: &Reader) -> anyhow::Result<Option<WithNames>> {
        let Some(language) = self.names else { return Ok(None) };
        let names = reader.names()?.with_firms(reader.firm_names()?.clone());
        Ok(Some(WithNames { names, language: language.into() }))
    }
}

impl RowOptions {
    /// The requested years; empty for all.
    pub fn years(&self) -> impl Iterator<Item = Year> {
        self.year.iter().copied().map(Year)
    }

    /// The year, if exactly one is requested: other years are not read.
    pub fn one_year(&self) -> Option<Year> {
        match self.year[..] {
            [year] => Some(Year(year)),
            _ => None,
        }
    }

    /// The requested rows, with names replaced by codes. A firm of an earlier vintage may have no
    /// counted record now, so its identifier counts without a check.
    pub fn choice(&self, reader: &Reader, as_of: Option<Vintage>) -> anyhow::Result<RowChoice> {
        let mut names = reader.names()?;
        if !self.firm.is_empty() {
            names = names.with_firms(reader.firm_names()?.clone());
        }
        let codes = |kind, asked: &[String]| {
            let code = |name: &String| match names.code(kind, name) {
                Err(NameError::NoPlace(none))
                    if kind == PlaceKind::Firm && as_of.is_some() && none.near.is_empty() =>
                {
                    Ok(name.clone())
                }
                found => found,
            };
            asked.iter().map(code).collect::<Result<Vec<_>, _>>()
        };
        Ok(RowChoice {
            years: self.years().collect(),
            firms: codes(PlaceKind::Firm, &self.firm)?,
            cities: codes(PlaceKind::City, &self.city)?,
            countries: codes(PlaceKind::Country, &self.country)?,
        })
    }

    /// The names to add.
    pub fn with_names(&self, reader: &Reader) -> anyhow::Result<Option<WithNames>> {
        self.names.with_names(reader)
    }
}

/// The choice of rows as facts about the output.
pub fn facts(choice: &RowChoice) -> Vec<(String, String)> {
    let years = choice.years.iter().map(ToString::to_string).collect();
    let RowChoice { firms, cities, countries, .. } = choice.clone();
    let chosen = [("year", years), ("firm", firms), ("city", cities), ("country", countries)];
    let chosen = chosen.into_iter().filter(|(_, values)| !values.is_empty());
    chosen.map(|(name, values)| (format!("rows_{name}"), values.join(", "))).collect()
}
