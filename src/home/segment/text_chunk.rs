//! A column of texts, straight from a dictionary's positions to a Parquet column chunk.
//!
//! ```text
//! chunk = dictionary page (the texts in use, by first use)
//!       · data pages (null levels, then positions)
//! positions and levels: runs of one value │ groups of eight, bit-packed (Parquet's hybrid)
//! ```
//! Parquet's writer hashes the text of every row to build a dictionary that the feed already has:
//! nine such columns take half of the time of a segment.

use std::io::Write;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

/// The level of zstd for pages.
pub(super) const ZSTD_LEVEL: i32 = 1;
/// The shortest sequence of one value that is written as a run.
const RUN_MIN: usize = 8;
/// The number of rows of a data page: its data stay in the cache.
const ROWS_A_PAGE: usize = 1 << 16;

/// A column of texts of one row group, encoded.
pub(in crate::home) struct TextChunk {
    page: Page,
    close: ColumnCloseResult,
}

impl TextChunk {
    /// Encodes texts by position; `None` for a row without a text.
    ///
    /// # Errors
    /// The writer's error, or a page past Parquet's 2³¹ bytes.
    ///
    /// # Panics
    /// If a position is outside `texts`, or a row of a column without nulls has no text.
    pub(in crate::home) fn new<R>(
        column: ColumnDescPtr,
        texts: &[&str],
        rows: &[R],
        position: impl Fn(&R) -> Option<u32>,
    ) -> Result<Self> {
        let n_rows = rows.len();
        let mut used = Used::new(texts, column.max_def_level() > 0);
        // A context takes longer to make than a page to compress.
        let mut zstd = Compressor::new(ZSTD_LEVEL)?;
        let mut data = Vec::with_capacity(n_rows.div_ceil(ROWS_A_PAGE));
        let pages = rows.chunks(ROWS_A_PAGE);
        // A chunk without rows has a page, too.
        for rows in pages.chain(rows.is_empty().then_some(rows)) {
            used.take(rows, &position);
            data.push(used.data_page(&mut zstd)?);
        }
        let mut out = TrackedWrite::new(Vec::new());
        let mut pages = SerializedPageWriter::new(&mut out);
        let dictionary = pages.write_page(dictionary_page(&used.texts, &mut zstd)?)?;
        let mut total = Sizes::default();
        total.add(&dictionary);
        for page in data {
            total.add(&pages.write_page(page)?);
        }
        let size = |bytes: usize| i64::try_from(bytes).expect("a chunk is in memory");
        let metadata = ColumnChunkMetaData::builder(column)
            .set_compression(compression())
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_num_values(size(n_rows))
            .set_total_compressed_size(size(total.compressed))
            .set_total_uncompressed_size(size(total.uncompressed))
            .set_dictionary_page_offset(Some(0))
            .set_data_page_offset(size(dictionary.compressed_size))
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: total.written,
            rows_written: n_rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        // The crate hands over bytes that it can read back only as a page.
        let chunk = Page::DictionaryPage {
            buf: out.into_inner()?.into(),
            num_values: 0,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        Ok(Self { page: chunk, close })
    }

    /// Adds the chunk as the next column of a row group.
    ///
    /// # Errors
    /// The writer's error.
    pub(in crate::home) fn append_to<W: Write + Send>(
        self,
        row_group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<()> {
        row_group.append_column(self.page.buffer(), self.close)
    }
}

/// The compression of every page of a segment.
pub(in crate::home) fn compression() -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).expect("1 is a level of zstd"))
}

/// The byte sizes of some pages.
#[derive(Default)]
struct Sizes {
    compressed: usize,
    uncompressed: usize,
    written: u64,
}

impl Sizes {
    fn add(&mut self, page: &PageWriteSpec) {
        self.compressed += page.compressed_size;
        self.uncompressed += page.uncompressed_size;
        self.written += page.bytes_written;
    }
}

/// The texts that rows use, numbered by first use, and the rows of one page.
struct Used<'t> {
    all: &'t [&'t str],
    /// The number of each text; unset for unused ones.
    numbers: Vec<u32>,
    texts: Vec<&'t str>,
    /// The number of the text of each row in the page that has one.
    codes: Vec<u32>,
    /// For each row, one if it has a text and zero if not; `None` for a column without nulls.
    present: Option<Vec<u32>>,
}

impl<'t> Used<'t> {
    const UNUSED: u32 = u32::MAX;

    fn new(all: &'t [&'t str], nullable: bool) -> Self {
        let (numbers, texts) = (vec![Self::UNUSED; all.len()], Vec::new());
        Self { all, numbers, texts, codes: Vec::new(), present: nullable.then(Vec::new) }
    }

    /// Takes the rows of the next page instead of the last page's.
    fn take<R>(&mut self, rows: &[R], position: impl Fn(&R) -> Option<u32>) {
        let Self { all, numbers, texts, codes, present } = self;
        let mut number = |position: u32| {
            let number = &mut numbers[position as usize];
            if *number == Self::UNUSED {
                *number = u32::try_from(texts.len()).expect("positions are u32");
                texts.push(all[position as usize]);
            }
            *number
        };
        codes.clear();
        match present {
            None => codes.extend(rows.iter().map(|row| {
                number(position(row).expect("a column without nulls has a text in each row"))
            })),
            Some(present) => {
                present.clear();
                present.extend(rows.iter().map(|row| u32::from(position(row).is_some())));
                codes.extend(rows.iter().filter_map(position).map(number));
            }
        }
    }

    fn data_page(&self, zstd: &mut Compressor<'_>) -> Result<CompressedPage> {
        let mut plain = Vec::with_capacity(self.codes.len() * 2);
        if let Some(present) = &self.present {
            let mut levels = Vec::new();
            encode(present, 1, &mut levels);
            plain.extend_from_slice(&number(levels.len())?.to_le_bytes());
            plain.extend_from_slice(&levels);
        }
        let n_bits = (usize::BITS - self.texts.len().saturating_sub(1).leading_zeros()).max(1);
        plain.push(u8::try_from(n_bits).expect("at most 32"));
        encode(&self.codes, n_bits, &mut plain);
        let page = Page::DataPage {
            buf: zstd.compress(&plain)?.into(),
            num_values: number(self.present.as_ref().map_or(self.codes.len(), Vec::len))?,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        Ok(CompressedPage::new(page, plain.len()))
    }
}

fn dictionary_page(texts: &[&str], zstd: &mut Compressor<'_>) -> Result<CompressedPage> {
    let mut plain = Vec::with_capacity(texts.iter().map(|text| text.len() + 4).sum());
    for text in texts {
        plain.extend_from_slice(&number(text.len())?.to_le_bytes());
        plain.extend_from_slice(text.as_bytes());
    }
    let page = Page::DictionaryPage {
        buf: zstd.compress(&plain)?.into(),
        num_values: number(texts.len())?,
        encoding: Encoding::PLAIN,
        is_sorted: false,
    };
    Ok(CompressedPage::new(page, plain.len()))
}

/// Parquet stores the byte size of a page in 31 bits.
fn number(n: usize) -> Result<u32> {
    i32::try_from(n)
        .map(i32::cast_unsigned)
        .map_err(|_| ParquetError::General(format!("{n} is past a page's limit of 2^31")))
}

/// Parquet's hybrid of runs and bit-packed groups of eight.
fn encode(values: &[u32], n_bits: u32, out: &mut Vec<u8>) {
    let (mut packed, mut at) = (0, 0);
    while at < values.len() {
        let run = values[at..].iter().take_while(|&&value| value == values[at]).count();
        if run >= RUN_MIN {
            pack(&values[packed..at], n_bits, out);
            varint((run as u64) << 1, out);
            out.extend_from_slice(&values[at].to_le_bytes()[..n_bits.div_ceil(8) as usize]);
            at += run;
            packed = at;
        } else {
            at = values.len().min(at + 8);
        }
    }
    pack(&values[packed..], n_bits, out);
}

/// One bit-packed run; each run but the last of a page has whole groups.
fn pack(values: &[u32], n_bits: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    varint((values.len().div_ceil(8) as u64) << 1 | 1, out);
    for group in values.chunks(8) {
        if n_bits <= 16 {
            // Four values fit into a number of 64 bits.
            let bits_of = |values: &[u32]| {
                let add = |bits: u64, value: &u32| bits << n_bits | u64::from(*value);
                values.iter().rev().fold(0_u64, add)
            };
            let (low, high) = group.split_at(group.len().min(4));
            let bits = u128::from(bits_of(low)) | u128::from(bits_of(high)) << (4 * n_bits);
            out.extend_from_slice(&bits.to_le_bytes()[..n_bits as usize]);
            continue;
        }
        let (mut bits, mut n_held) = (0_u64, 0);
        let padding = std::iter::repeat_n(&0, 8 - group.len());
        for &value in group.iter().chain(padding) {
            bits |= u64::from(value) << n_held;
            n_held += n_bits;
            while n_held >= 8 {
                out.push(bits.to_le_bytes()[0]);
                bits >>= 8;
                n_held -= 8;
            }
        }
    }
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n.to_le_bytes()[0] | 0x80);
        n >>= 7;
    }
    out.push(n.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_groups_are_encoded_as_the_format_has_it() {
        let mut out = Vec::new();
        encode(&[0, 1, 2, 3, 4, 5, 6, 7], 3, &mut out);
        assert_eq!(out, [3, 0b1000_1000, 0b1100_0110, 0b1111_1010]); // the format's own example
        out.clear();
        encode(&[300; 100], 9, &mut out);
        assert_eq!(out, [200, 1, 44, 1]);
        out.clear();
        encode(&[1, 0], 1, &mut out);
        assert_eq!(out, [3, 1]);
    }

    #[test]
    fn packed_values_of_any_width_are_their_bits_in_order() {
        for n_bits in 1..=32 {
            let value = |at: u32| at.wrapping_mul(0x9E37_79B9) >> (32 - n_bits);
            let values: Vec<u32> = (1..=21).map(value).collect();
            let mut out = Vec::new();
            pack(&values, n_bits, &mut out);
            assert_eq!((out[0], out.len()), (3 << 1 | 1, 1 + 3 * n_bits as usize));
            let bit = |at: usize| u32::from(out[1 + at / 8] >> (at % 8) & 1);
            let n_bits = n_bits as usize;
            let unpacked = (0..24)
                .map(|value| (0..n_bits).map(|at| bit(value * n_bits + at) << at).sum::<u32>());
            let unpacked: Vec<u32> = unpacked.collect();
            assert_eq!(unpacked[..21], values, "{n_bits} bits");
            assert_eq!(unpacked[21..], [0, 0, 0]);
        }
    }
}
