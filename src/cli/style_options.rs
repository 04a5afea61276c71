//! Options for the look of tables and charts: language, digits, names of variables, rows.

use std::path::Path;

use clap::{Args, ValueEnum, value_parser};
use spillover::render::number::Digits;
use spillover::render::style::{Controls, Style, Variables, WIDTH};

use super::name_options::NameLanguage;
use super::terminal;

/// Language and digits.
#[derive(Clone, Copy, Debug, Args)]
pub struct TextOptions {
    /// The language of labels and notes in tables and charts.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    lang: NameLanguage,
    /// The number of decimals [default: 4; figures that these would show as zero have three
    /// significant digits].
    #[arg(long, value_name = "N", value_parser = value_parser!(u8).range(0..=15))]
    decimals: Option<u8>,
    /// The number of significant digits, instead of a number of decimals.
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "decimals",
        value_parser = value_parser!(u8).range(1..=15)
    )]
    significant: Option<u8>,
}

/// The names of variables in tables and charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VariableNames {
    /// Labels, such as "Affiliate growth".
    Labels,
    /// Names of columns, as in formulas, such as `affiliate_growth`.
    Columns,
}

/// All options for the look of tables.
#[derive(Clone, Copy, Debug, Args)]
pub struct StyleOptions {
    #[command(flatten)]
    text: TextOptions,
    /// The names of variables in tables and charts.
    #[arg(long, value_name = "NAMES", default_value = "labels")]
    variables: VariableNames,
    /// Show a row for each control variable, below the main rows. Without this option, tables with
    /// main rows show one row for all of them.
    #[arg(long)]
    controls: bool,
}

impl TextOptions {
    /// The style, with names of columns and a row for each regressor. A text in a file is not
    /// fitted to the terminal.
    pub fn style(self, output: Option<&Path>) -> Style {
        let digits = match (self.decimals, self.significant) {
            (_, Some(n)) => Digits::Significant(n),
            (Some(n), None) => Digits::Decimals(n),
            (None, None) => Digits::default(),
        };
        let width = if output.is_some() { None } else { terminal::width() };
        Style {
            language: self.lang.into(),
            digits,
            variables: Variables::Columns,
            controls: Controls::Each,
            width: width.unwrap_or(WIDTH),
        }
    }
}

impl StyleOptions {
    /// The style of an output.
    pub fn style(self, output: Option<&Path>) -> Style {
        Style {
            variables: match self.variables {
                VariableNames::Labels => Variables::Labels,
                VariableNames::Columns => Variables::Columns,
            },
            controls: if self.controls { Controls::Each } else { Controls::Together },
            ..self.text.style(output)
        }
    }
}
