//! The options of `regress` that describe the format of a panel.

use clap::Args;
use encoding_rs::Encoding;
use spillover::feed::layout::{DecimalMark, Delimiter};
use spillover::panel::ReadOptions;

/// The format of a text panel; an absent option is detected from the file.
#[derive(Debug, Args)]
pub struct PanelOptions {
    /// The field separator: one character, or tab. By default , ; tab or |, as detected in the
    /// header.
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<Delimiter>,
    /// The decimal separator: . or a comma. By default as detected in the numbers.
    #[arg(long, value_name = "MARK", value_parser = decimal)]
    decimal: Option<DecimalMark>,
    /// The encoding: utf-8, gb18030, latin1, utf-16le, big5 or another WHATWG name.
    /// By default as detected in the first mebibyte.
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    encoding: Option<&'static Encoding>,
    /// Texts that stand for a missing value, such as NA,-99. By default NA, NaN, nan, ., null and
    /// NULL; '' for none. An empty field is always missing.
    #[arg(long, value_name = "TEXTS", value_delimiter = ',', allow_hyphen_values = true)]
    missing: Option<Vec<String>>,
}

impl PanelOptions {
    pub fn read_options(&self) -> ReadOptions {
        let Self { delimiter, decimal, encoding, missing } = self;
        ReadOptions {
            delimiter: *delimiter,
            decimal: *decimal,
            encoding: *encoding,
            missing: missing.clone(),
        }
    }
}

fn delimiter(text: &str) -> Result<Delimiter, String> {
    let letter = match text {
        "tab" | "\\t" => '\t',
        _ => {
            let mut letters = text.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => letter,
                _ => return Err("give one character, or tab".to_owned()),
            }
        }
    };
    Delimiter::try_from(letter).map_err(|error| error.to_string())
}

fn decimal(text: &str) -> Result<DecimalMark, String> {
    match text {
        "." => Ok(DecimalMark::Point),
        "," => Ok(DecimalMark::Comma),
        _ => Err("give . or ,".to_owned()),
    }
}

fn encoding(text: &str) -> Result<&'static Encoding, String> {
    let unknown = || {
        "no such encoding; give a name such as utf-8, gb18030, latin1, utf-16le or big5".to_owned()
    };
    Encoding::for_label_no_replacement(text.as_bytes()).ok_or_else(unknown)
}
