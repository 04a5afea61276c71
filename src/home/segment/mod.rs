//! Segments: the records of one accepted file, excluded ones included, as one Parquet file.
//!
//! ```text
//! Texts, [Record] ── sorted by plant, destination ── one column each ─▶ segments/000007.parquet
//!        ◀── Fields::Figures: six columns │ Fields::All: all twelve ──┘
//! ```
//! Columns: `line` u32, `period` i32 (YYYYMM), `flow` (E or I), `firm_id`, `firm_name`, `region`,
//! `city` (null for a region without a city), `country`, `hs8`, `trade_mode`, `value_cents` i64,
//! `excluded` (null for a record that counts). Texts are plain strings to any reader and
//! dictionary-encoded on disk.
//!
//! Invariant: a segment gives back the written records in its order; texts get new numbers.

pub(in crate::home) mod chunk;
mod order;
mod read;
pub(in crate::home) mod text_chunk;
mod write;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

pub use order::sort;
pub use read::{Fields, read, read_months};
pub use write::{Encoded, encode, rewrite};

use crate::domain::types::Vintage;

/// The number of rows of a row group. A month of a large country fits, so that each dictionary is
/// written and read once.
const ROWS_MAX: usize = 1 << 20;
/// The number of rows of a batch in reading.
const ROWS_PER_BATCH: usize = 1 << 15;

/// The path of a file's segment, relative to the home.
fn path(vintage: Vintage) -> String {
    format!("segments/{:06}.parquet", vintage.0)
}

/// The columns in memory; on disk the dictionaries are an encoding and the columns plain strings.
fn schema() -> SchemaRef {
    let text = || DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    Arc::new(Schema::new(vec![
        Field::new("line", DataType::UInt32, false),
        Field::new("period", DataType::Int32, false),
        Field::new("flow", text(), false),
        Field::new("firm_id", text(), false),
        Field::new("firm_name", text(), false),
        Field::new("region", text(), false),
        Field::new("city", text(), true),
        Field::new("country", text(), false),
        Field::new("hs8", text(), false),
        Field::new("trade_mode", text(), false),
        Field::new("value_cents", DataType::Int64, false),
        Field::new("excluded", text(), true),
    ]))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::record::{Exclusion, Record, Texts};
    use crate::domain::types::{City, Flow, Period};
    use crate::home::HomeError;
    use crate::home::durable::Stored;

    const CITIES: [&str; 3] = ["1101", "3101", "4403"];

    fn city_of(text: &str) -> Option<City> {
        CITIES.iter().position(|city| *city == text).map(|at| City(at.try_into().expect("small")))
    }

    fn month() -> (Texts, Vec<Record>) {
        let mut texts = Texts::default();
        let records = (0..100_u32)
            .map(|line| Record {
                firm: texts.firms.intern(&format!("F{}", (line * 7) % 13)),
                name: texts.names.intern(&format!("工厂 {}", (line * 7) % 13)),
                region: texts.regions.intern(&format!("R{}", line % 4)),
                country: texts.countries.intern(&format!("{}", 300 + line % 5)),
                product: texts.products.intern(&format!("{:08}", line % 17)),
                trade_mode: texts.trade_modes.intern(if line % 3 == 0 { "10" } else { "14" }),
                line: line + 2,
                city: (line % 4 < 3).then_some(City((line % 4).try_into().expect("small"))),
                period: Period::new(2001, if line == 50 { 2 } else { 3 }).expect("a month"),
                flow: if line % 6 == 0 { Flow::Import } else { Flow::Export },
                exclusion: (line % 4 == 3).then_some(Exclusion::Region),
                value_cents: i64::from(line) * 1_000_003 - 5_000_000,
            })
            .collect();
        (texts, records)
    }

    fn write(
        home: &Path,
        vintage: Vintage,
        texts: &Texts,
        records: &[Record],
        text_of: &(dyn Fn(City) -> &'static str + Sync),
    ) -> crate::home::Result<Stored> {
        let mut records = records.to_vec();
        sort(&mut records, texts.firms.len());
        let encoded = encode(1, texts, &mut records, text_of);
        encoded.expect("records that fit their columns").store(home, vintage)
    }

    #[test]
    fn a_segment_does_not_depend_on_the_number_of_threads() {
        let (texts, records) = month();
        let text_of = |city: City| CITIES[usize::from(city.0)];
        let on = |n_threads| {
            let mut records = records.clone();
            sort(&mut records, texts.firms.len());
            encode(n_threads, &texts, &mut records, &text_of).expect("fits")
        };
        assert!(on(1) == on(3));
    }

    fn written(home: &Path) -> (Texts, Vec<Record>, Stored) {
        let (texts, records) = month();
        let text_of = |city: City| CITIES[usize::from(city.0)];
        let segment = write(home, Vintage(7), &texts, &records, &text_of).expect("written");
        (texts, records, segment)
    }

    fn spelled(texts: &Texts, record: &Record) -> String {
        format!("{} {}", record.line, record.spelled(texts))
    }

    #[test]
    fn a_segment_gives_back_every_record_and_text() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let (texts, records, segment) = written(home.path());
        assert_eq!(segment.path, "segments/000007.parquet");
        let (found_texts, mut found) =
            read(home.path(), &segment, Fields::All, &city_of).expect("read");
        found.sort_by_key(|record| record.line);
        let spell = |texts: &Texts, records: &[Record]| {
            records.iter().map(|record| spelled(texts, record)).collect::<Vec<_>>()
        };
        assert_eq!(spell(&found_texts, &found), spell(&texts, &records));
    }

    #[test]
    fn figures_leave_out_what_no_figure_needs() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let (_, records, segment) = written(home.path());
        let (all_texts, all) = read(home.path(), &segment, Fields::All, &city_of).expect("read");
        let (texts, found) = read(home.path(), &segment, Fields::Figures, &city_of).expect("read");
        assert_eq!(found.len(), records.len());
        assert!(texts.names.is_empty() && texts.products.is_empty() && texts.regions.is_empty());
        assert_eq!((&texts.firms, &texts.countries), (&all_texts.firms, &all_texts.countries));
        for (figures, all) in found.iter().zip(&all) {
            let expected = Record { name: 0, region: 0, product: 0, line: 0, ..*all };
            assert_eq!(*figures, expected);
        }
    }

    #[test]
    fn a_segment_is_sorted_by_plant_and_destination_whatever_the_order_of_lines() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let (texts, mut records, segment) = written(home.path());
        records.reverse();
        let text_of = |city: City| CITIES[usize::from(city.0)];
        let again = write(home.path(), Vintage(8), &texts, &records, &text_of).expect("written");
        assert_eq!(again.hash, segment.hash);
    }

    #[test]
    fn late_records_are_read_without_the_rest() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let (texts, records, segment) = written(home.path());
        let month = Period::new(2001, 2).expect("a month");
        let (found_texts, found) =
            read_months(home.path(), &segment, Fields::All, &[month], &city_of).expect("read");
        let late = records.iter().find(|record| record.period == month).expect("a late one");
        assert_eq!(found.len(), 1);
        assert_eq!(spelled(&found_texts, &found[0]), spelled(&texts, late));
    }

    #[test]
    fn an_empty_file_is_a_segment_too() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let segment = write(home.path(), Vintage(1), &Texts::default(), &[], &|_| "").expect("ok");
        let (texts, records) = read(home.path(), &segment, Fields::All, &city_of).expect("read");
        assert_eq!((texts, records), (Texts::default(), Vec::new()));
    }

    #[test]
    fn a_file_with_no_exclusion_or_no_city_is_read_back() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let (texts, mut records) = month();
        for record in &mut records {
            (record.city, record.exclusion) = (None, None);
        }
        let segment = write(home.path(), Vintage(1), &texts, &records, &|_| "").expect("written");
        let (_, found) = read(home.path(), &segment, Fields::All, &city_of).expect("read");
        assert_eq!(found.len(), records.len());
        assert!(found.iter().all(|record| record.city.is_none() && record.exclusion.is_none()));
    }

    #[test]
    fn a_city_that_the_reference_tables_lost_is_named() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let (_, _, segment) = written(home.path());
        let error = read(home.path(), &segment, Fields::All, &|_| None).expect_err("no city");
        assert!(matches!(error, HomeError::Value { column: "city", .. }), "{error}");
    }

    #[test]
    fn bytes_that_are_no_parquet_are_an_error_and_no_panic() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let (_, _, segment) = written(home.path());
        let path = home.path().join(&segment.path);
        let bytes = std::fs::read(&path).expect("the segment");
        for cut in [0, 3, bytes.len() / 2, bytes.len() - 9] {
            std::fs::write(&path, &bytes[..cut]).expect("cut");
            let hash = blake3::hash(&bytes[..cut]).to_hex().to_string();
            let cut = Stored { hash, ..segment.clone() };
            let error = read(home.path(), &cut, Fields::All, &city_of).expect_err("no segment");
            assert!(matches!(error, HomeError::Decode { .. }), "{error}");
        }
    }
}
