//! The first lines of a file as a table: delimiter, quotes, header, preceding lines.

use std::io::{Cursor, Read};

use crate::feed::decode::{self, Text};
use crate::feed::frame::{Blocks, Dialect, Framed, Lines};
use crate::feed::header::texts_of;
use crate::feed::layout::Quote;
use crate::feed::line_ends;
use crate::feed::profile::Profile;
use crate::feed::refused::Refused;
use crate::feed::source::FeedFile;
use crate::feed::text::trimmed;

/// The number of bytes that are read of a file.
const BYTES: u64 = 1 << 22;
/// The largest number of lines before a header.
const LINES_BEFORE_MAX: usize = 20;
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The first lines of a file as a table.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) delimiter: char,
    pub(super) is_quoted: bool,
    /// The lines before the header.
    pub(super) before: Vec<String>,
    pub(super) has_header: bool,
    /// The names of the columns; without a header, their numbers.
    pub(super) names: Vec<String>,
    /// The fields of the lines below the header.
    pub(super) rows: Vec<Vec<String>>,
}

/// Lines split with one delimiter and quoting.
struct Split {
    delimiter: u8,
    quote: Quote,
    rows: Vec<(u64, Vec<String>)>,
    n_columns: usize,
    /// The share of lines with this number of columns, per thousand.
    share: usize,
}

/// Reads the first lines of a file; `None` if no delimiter makes a table of them.
///
/// # Errors
/// Those of reading the file.
pub(super) fn read(
    file: &FeedFile,
    profile: &Profile,
    delimiter: Option<&str>,
) -> Result<Option<Sample>, Refused> {
    let (bytes, _) = decode::read_text(file, profile, decode::BYTES_MAX_DEFAULT, |text| {
        let Text { reader, .. } = text;
        let failed = |error| decode::refusal(&file.path, error);
        let mut bytes = Vec::new();
        let reader = line_ends::in_feeds(reader).map_err(failed)?;
        reader.take(BYTES).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    })?;
    // The last line may be incomplete.
    let end = if bytes.len() as u64 == BYTES { memchr::memrchr(b'\n', &bytes) } else { None };
    let bytes = &bytes[..end.unwrap_or(bytes.len())];
    let delimiter = delimiter.and_then(|text| text.bytes().next());
    let delimiters = delimiter.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
    let splits = delimiters.into_iter().flat_map(|delimiter| {
        [Quote::Double, Quote::None].map(|quote| split(bytes, delimiter, quote))
    });
    // Quotes are kept unless lines split better without them.
    let best = splits
        .filter(|split| split.n_columns > 1)
        .max_by_key(|split| (split.share, split.n_columns, split.quote == Quote::Double));
    Ok(best.map(Sample::of))
}

fn split(bytes: &[u8], delimiter: u8, quote: Quote) -> Split {
    let mut blocks = Blocks::new(Cursor::new(bytes), Dialect { delimiter, quote });
    let mut lines = Lines::new(delimiter);
    let mut rows = Vec::new();
    let mut n_bad = 0;
    while blocks.fill(&mut lines).unwrap_or(false) {
        while let Some(framed) = lines.next_line() {
            match framed {
                Framed::Line(line) => {
                    let texts = texts_of(&line);
                    // A field over several lines results from an unclosed quote.
                    n_bad += usize::from(texts.iter().any(|text| text.contains('\n')));
                    rows.push((line.line, texts));
                }
                Framed::Broken { .. } => n_bad += 1,
            }
        }
    }
    let mut counts = std::collections::BTreeMap::new();
    for (_, row) in rows.iter().filter(|(_, row)| row.iter().any(|text| !trimmed(text).is_empty()))
    {
        *counts.entry(row.len()).or_insert(0_usize) += 1;
    }
    let n_rows: usize = counts.values().sum::<usize>() + n_bad;
    let most = counts.into_iter().max_by_key(|(_, n)| *n).unwrap_or((0, 0));
    let n_good = most.1.saturating_sub(n_bad);
    Split { delimiter, quote, rows, n_columns: most.0, share: n_good * 1000 / n_rows.max(1) }
}

/// True if a text is an amount or a date rather than a name.
fn is_number(text: &str) -> bool {
    let text = trimmed(text);
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.chars().all(|letter| letter.is_ascii_digit() || ".,-/+ ".contains(letter))
}

impl Sample {
    fn of(split: Split) -> Self {
        let Split { delimiter, quote, rows, n_columns, .. } = split;
        let is_whole = |row: &[String]| {
            row.len() == n_columns || row.len() == n_columns + 1 || row.len() + 1 == n_columns
        };
        let first = rows.iter().take(LINES_BEFORE_MAX).position(|(_, row)| is_whole(row));
        let first = first.unwrap_or(0);
        let before = rows[..first].iter().map(|(_, row)| row.join(" ")).collect();
        let head = rows.get(first).map(|(_, row)| row.clone()).unwrap_or_default();
        let has_header = !head.iter().any(|text| is_number(text));
        let names = if has_header {
            head.iter().map(|name| trimmed(name).to_owned()).collect()
        } else {
            (1..=head.len()).map(|number| number.to_string()).collect()
        };
        let below = rows.into_iter().skip(first + usize::from(has_header));
        let rows = below
            .map(|(_, row)| row.iter().map(|text| trimmed(text).to_owned()).collect::<Vec<_>>());
        let rows = rows.filter(|row| row.iter().any(|text| !text.is_empty())).collect();
        Self {
            delimiter: char::from(delimiter),
            is_quoted: quote == Quote::Double,
            before,
            has_header,
            names,
            rows,
        }
    }

    /// The texts of a column, in complete lines.
    pub(super) fn column(&self, at: usize) -> impl Iterator<Item = &str> {
        let is_whole = |row: &&Vec<String>| row.len() + 1 >= self.names.len();
        self.rows.iter().filter(is_whole).filter_map(move |row| row.get(at)).map(String::as_str)
    }

    /// The different texts of a column, the most frequent first.
    pub(super) fn distinct(&self, at: usize) -> Vec<(&str, usize)> {
        let mut counts = std::collections::BTreeMap::new();
        for text in self.column(at) {
            *counts.entry(text).or_insert(0_usize) += 1;
        }
        let mut distinct: Vec<_> = counts.into_iter().collect();
        distinct.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        distinct
    }
}
