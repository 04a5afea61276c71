//! Options that take names for codes, and add names to outputs.

use clap::{Args, ValueEnum};
use spillover::domain::types::Year;
use spillover::reader::chosen::{RowChoice, WithNames};
use spillover::reader::names::{Language, NameError, Names, PlaceKind};

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

/// Which rows of a table are written, and with which names.
#[derive(Debug, Args)]
pub struct RowOptions {
    /// Write these years only.
    #[arg(long, value_name = "Y", value_delimiter = ',')]
    year: Vec<u16>,
    /// Write these firms only, by identifier.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    firm: Vec<String>,
    /// Write these cities only, by code or by name in Chinese or English.
    #[arg(long, value_name = "CITY", value_delimiter = ',')]
    city: Vec<String>,
    /// Write these destinations only, by code, ISO code or name in Chinese or English.
    #[arg(long, value_name = "COUNTRY", value_delimiter = ',')]
    country: Vec<String>,
    /// Add columns with the names of cities, provinces and countries.
    #[arg(long, value_name = "LANGUAGE")]
    names: Option<NameLanguage>,
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

    /// The requested rows, with names replaced by codes.
    pub fn choice(&self, names: &Names) -> Result<RowChoice, NameError> {
        let codes = |kind, asked: &[String]| {
            asked.iter().map(|name| names.code(kind, name)).collect::<Result<Vec<_>, _>>()
        };
        Ok(RowChoice {
            years: self.years().collect(),
            firms: self.firm.clone(),
            cities: codes(PlaceKind::City, &self.city)?,
            countries: codes(PlaceKind::Country, &self.country)?,
        })
    }

    /// The names to add.
    pub fn with_names(&self, names: Names) -> Option<WithNames> {
        self.names.map(|language| WithNames { names, language: language.into() })
    }
}
