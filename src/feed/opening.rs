//! The lines before the first record of a text: skipped lines and the header.

use std::io::{self, Read};
use std::path::Path;

use super::decode;
use super::frame::{Blocks, Framed, Lines};
use super::header::{Header, joined_rows, texts_of};
use super::profile::Profile;
use super::refused::Refused;

/// Reads up to the first record.
///
/// # Errors
/// Those of `Header::find` and of reading.
pub(super) fn header<R: Read>(
    blocks: &mut Blocks<R>,
    lines: &mut Lines,
    file: &Path,
    profile: &Profile,
) -> Result<Header, Refused> {
    let io_error = |error: io::Error| decode::refusal(file, error);
    for _ in 0..profile.file.skip_lines {
        while !lines.skip_line() {
            if !blocks.fill(lines).map_err(io_error)? {
                return Err(Refused::Empty { file: file.to_owned() });
            }
        }
    }
    let mut next = |lines: &mut Lines| -> Result<(), Refused> {
        while lines.is_at_end() && blocks.fill(lines).map_err(io_error)? {}
        Ok(())
    };
    next(lines)?;
    match profile.file.header.number() {
        1 => Header::find(lines.next_line(), file, profile),
        0 => {
            let place = lines.place();
            let (n_columns, line) = match lines.next_line() {
                Some(Framed::Line(line)) => (line.fields.len(), line.line),
                // A month without trade.
                None => (profile.columns.last_number(), 1),
                other => return Header::find(other, file, profile),
            };
            lines.return_to(place);
            Header::of_names(vec![String::new(); n_columns], (file, line), profile)
        }
        n_rows => {
            let (mut rows, mut first) = (Vec::new(), 0);
            for _ in 0..n_rows {
                next(lines)?;
                match lines.next_line() {
                    Some(Framed::Line(line)) => {
                        rows.push(texts_of(&line));
                        first = if rows.len() == 1 { line.line } else { first };
                    }
                    other => return Header::find(other, file, profile),
                }
            }
            Header::of_names(joined_rows(&rows), (file, first), profile)
        }
    }
}
