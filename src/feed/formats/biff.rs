//! The records of an Excel 97-2003 workbook that determine its use of memory.
//!
//! Calamine allocates the stated size of a sheet, and a grid around its cells. A few damaged bytes
//! can request more memory than the system has, and a failed allocation ends the process.

use super::problem::TableProblem;

/// The largest number of rows of a sheet.
const ROWS_MAX: u32 = 65_536;
const COLUMNS_MAX: u16 = 256;

/// The record that gives the beginning of a sheet.
const SHEET: u16 = 0x0085;
/// The record with the size of a sheet.
const SIZE: u16 = 0x0200;
/// The record of several numbers in a row.
const NUMBERS: u16 = 0x00BD;
/// The records of cells: formula, rich text, shared text, number, text, truth value or error,
/// compressed number.
const CELLS: [u16; 7] = [0x0006, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E];

/// Checks that all sheets stay within the rows and columns of their format.
///
/// # Errors
/// [`TableProblem`] if a sheet states a larger size, or has a cell outside.
pub(super) fn check_size(workbook: &[u8]) -> Result<(), TableProblem> {
    let mut beginnings = vec![0];
    for (kind, data) in Records(workbook) {
        if kind == SHEET
            && let Some(at) = long(data, 0)
        {
            beginnings.push(at as usize);
        }
    }
    // A damaged beginning may point into a record.
    for at in beginnings {
        let mut records = Records(workbook.get(at..).unwrap_or_default());
        if !records.all(|(kind, data)| is_within(kind, data)) {
            let what = format!("a sheet has more than {ROWS_MAX} rows or {COLUMNS_MAX} columns");
            return Err(TableProblem::damaged(what));
        }
    }
    Ok(())
}

fn is_within(kind: u16, data: &[u8]) -> bool {
    let is_column = |at: usize| short(data, at).is_none_or(|column| column < COLUMNS_MAX);
    match kind {
        SIZE => {
            let size = match data.len() {
                10 => [short(data, 0).map(u32::from), short(data, 2).map(u32::from)],
                _ => [long(data, 0), long(data, 4)],
            };
            let columns = short(data, if data.len() == 10 { 6 } else { 10 });
            let [Some(first), Some(rows)] = size else { return true };
            first <= rows && rows <= ROWS_MAX && columns.is_none_or(|n| n <= COLUMNS_MAX)
        }
        NUMBERS => is_column(2) && is_column(data.len().saturating_sub(2)),
        _ if CELLS.contains(&kind) => is_column(2),
        _ => true,
    }
}

/// The records of a stream with their kinds, up to the first incomplete one.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, n_bytes) = (short(self.0, 0)?, short(self.0, 2)?);
        let (data, rest) = self.0[4..].split_at_checked(n_bytes.into())?;
        self.0 = rest;
        Some((kind, data))
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        let n_bytes = u16::try_from(data.len()).expect("a record");
        [&kind.to_le_bytes()[..], &n_bytes.to_le_bytes(), data].concat()
    }

    fn size(first: u32, rows: u32, columns: u16) -> Vec<u8> {
        let ends = [first.to_le_bytes(), rows.to_le_bytes()].concat();
        record(SIZE, &[&ends[..], &[0, 0], &columns.to_le_bytes(), &[0, 0]].concat())
    }

    #[test]
    fn sheets_within_their_format_pass_and_others_are_refused() {
        assert!(check_size(&size(0, 65_536, 256)).is_ok());
        assert!(check_size(&size(0, 0, 0)).is_ok(), "an empty sheet");
        for bad in [size(0, 65_537, 1), size(0, 4_000_000_000, 1), size(9, 3, 1), size(0, 1, 257)] {
            assert!(check_size(&bad).is_err(), "{bad:?}");
        }
        assert!(check_size(&record(0x0203, &[255, 255, 255, 0])).is_ok());
        assert!(check_size(&record(0x0203, &[0, 0, 0, 1])).is_err());
        assert!(check_size(&record(NUMBERS, &[0, 0, 0, 0, 1, 2, 0, 1])).is_err());
    }

    #[test]
    fn a_sheet_that_begins_inside_a_record_is_checked_from_there() {
        let inner = size(0, 4_000_000_000, 1);
        let outer = record(0x1234, &inner);
        assert!(check_size(&outer).is_ok(), "nothing reads it");
        let at = 12 + 4_u32;
        let pointing = [record(SHEET, &[&at.to_le_bytes()[..], &[0; 4]].concat()), outer].concat();
        assert!(check_size(&pointing).is_err());
    }
}
