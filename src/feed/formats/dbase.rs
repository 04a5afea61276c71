//! Tables of dBase and FoxPro.
//!
//! Numbers are stored as text and passed on unchanged. Texts are in the profile's encoding. Records
//! marked as deleted are skipped. Texts in a separate file (memo fields) are empty cells.

use std::fs::File;
use std::io::{BufReader, Read};

use encoding_rs::Encoding;

use super::number;
use super::problem::TableProblem;
use super::rows::Rows;
use crate::feed::encoding::TextEncoding;
use crate::feed::layout::FileLayout;

const HEADER_BYTES: usize = 32;
const FIELD_BYTES: usize = 32;
const NAME_BYTES: usize = 11;
/// The byte after the descriptions of fields.
const FIELDS_END: u8 = 0x0D;
/// The byte after the last record.
const FILE_END: u8 = 0x1A;

/// A field of each record.
struct Field {
    name: String,
    kind: u8,
    n_bytes: usize,
}

/// Produces the records of a table.
pub(super) fn produce(
    file: File,
    layout: &FileLayout,
    rows: &mut Rows<'_>,
) -> Result<(), TableProblem> {
    let TextEncoding::Label(encoding) = layout.encoding else {
        return Err(TableProblem::Encoding);
    };
    let mut file = BufReader::new(file);
    let mut head = [0; HEADER_BYTES];
    file.read_exact(&mut head).map_err(TableProblem::damaged)?;
    let n_records = u32::from_le_bytes(head[4..8].try_into().expect("four bytes"));
    let n_header_bytes = usize::from(u16::from_le_bytes([head[8], head[9]]));
    let n_record_bytes = usize::from(u16::from_le_bytes([head[10], head[11]]));
    let mut rest = vec![0; n_header_bytes.saturating_sub(HEADER_BYTES)];
    file.read_exact(&mut rest).map_err(TableProblem::damaged)?;
    let fields = fields(&rest, encoding);
    let n_bytes: usize = fields.iter().map(|field| field.n_bytes).sum();
    if fields.is_empty() || n_record_bytes != n_bytes + 1 {
        let cause = format!("records of {n_record_bytes} bytes have fields of {n_bytes}");
        return Err(TableProblem::damaged(cause));
    }
    rows.header(fields.iter().map(|field| field.name.as_str()))?;
    let mut record = vec![0; n_record_bytes];
    for at in 0..n_records {
        let read = file.read_exact(&mut record[..1]);
        let is_end = record[0] == FILE_END;
        let read = read.and_then(|()| file.read_exact(&mut record[1..]));
        if is_end || read.is_err() {
            let cause = format!("it states {n_records} records and has {at}");
            return Err(TableProblem::damaged(cause));
        }
        if record[0] == b'*' {
            rows.blank_row()?;
            continue;
        }
        let mut from = 1;
        for field in &fields {
            put(rows, field, &record[from..from + field.n_bytes], encoding)?;
            from += field.n_bytes;
        }
        rows.end_row()?;
    }
    Ok(())
}

/// The fields that a header describes.
fn fields(described: &[u8], encoding: &'static Encoding) -> Vec<Field> {
    let fields = described.chunks_exact(FIELD_BYTES).take_while(|field| field[0] != FIELDS_END);
    let field = |bytes: &[u8]| {
        let name = bytes[..NAME_BYTES].split(|byte| *byte == 0).next().unwrap_or_default();
        let name = encoding.decode_without_bom_handling(name).0.trim().to_owned();
        let (kind, length, decimals) = (bytes[11], usize::from(bytes[16]), bytes[17]);
        // Long texts store the second byte of their length in the place of the decimals.
        let is_text = kind == b'C';
        let n_bytes = if is_text { length + 256 * usize::from(decimals) } else { length };
        Field { name, kind, n_bytes }
    };
    fields.map(field).collect()
}

/// A field of a record.
fn put(
    rows: &mut Rows<'_>,
    field: &Field,
    bytes: &[u8],
    encoding: &'static Encoding,
) -> Result<(), TableProblem> {
    match (field.kind, bytes) {
        (b'C', _) => {
            let (text, is_bad) = encoding.decode_without_bom_handling(bytes);
            let text = text.trim_end_matches([' ', '\0']);
            rows.text_or_bad((!is_bad).then_some(text), text);
        }
        (b'N' | b'F', _) => {
            let text = String::from_utf8_lossy(bytes);
            let text = text.trim_matches([' ', '\0']);
            // A number that is too long for its field is stored as asterisks.
            rows.text_or_bad((!text.contains('*')).then_some(text), text);
        }
        (b'D', _) => put_date(rows, bytes),
        (b'L', [b'T' | b't' | b'Y' | b'y']) => rows.plain(true),
        (b'L', [b'F' | b'f' | b'N' | b'n']) => rows.plain(false),
        (b'I', &[a, b, c, d]) => rows.plain(i32::from_le_bytes([a, b, c, d])),
        (b'Y', _) => match bytes.try_into().map(i64::from_le_bytes) {
            Ok(value) => rows.text(&ten_thousandths(value)),
            Err(_) => rows.bad(""),
        },
        (b'B', _) if bytes.len() == 8 => {
            rows.real(number::of_bytes(bytes.try_into().expect("eight bytes")))?;
        }
        (b'T', _) if bytes.len() == 8 => {
            let [day, time] = [&bytes[..4], &bytes[4..]]
                .map(|half| i32::from_le_bytes(half.try_into().expect("four bytes")));
            let text = number::julian(day.into(), time.into());
            let is_empty = day == 0 || bytes == b"        ";
            if is_empty { rows.empty() } else { rows.text_or_bad(text.as_deref(), "") }
        }
        // An unknown truth value; texts and pictures in a separate file.
        (b'L' | b'M' | b'G' | b'P' | b'B', _) => rows.empty(),
        (kind, _) => {
            let data_type = format!("\"{}\"", char::from(kind));
            return Err(TableProblem::Type { column: field.name.clone(), data_type });
        }
    }
    Ok(())
}

/// Produces a date of eight digits; a blank date is an empty cell.
fn put_date(rows: &mut Rows<'_>, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match text.trim_matches([' ', '\0']) {
        "" => rows.empty(),
        text if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            rows.plain(format_args!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]));
        }
        text => rows.bad(text),
    }
}

/// A number of ten thousandths as a decimal.
fn ten_thousandths(value: i64) -> String {
    let (sign, digits) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    let text = format!("{sign}{}.{:04}", digits / 10_000, digits % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
