//! Measures the time to read a month of customs records. Writes a month, reads it several times and
//! prints nanoseconds for each record. The first month has each firm's records together; the second
//! has no order, so that the dictionaries miss the processor's cache.
//!
//! `cargo bench --bench feed -- [records]`

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use spillover::domain::types::Period;
use spillover::feed::places::{Places, ReferenceTexts, TablesBeside};
use spillover::feed::profile::Profile;
use spillover::feed::read::{FeedFile, ReadLimits, read};

/// The bundled cities; any country code is accepted.
fn places() -> anyhow::Result<Places> {
    let texts = ReferenceTexts::of(TablesBeside::default(), &Profile::bundled("canonical")?);
    Ok(Places::parse(&ReferenceTexts { countries: None, ..texts })?)
}

/// Writes records with a firm for every five records, Chinese names, the bundled cities and 241
/// countries.
fn write_month(path: &Path, n_records: u64, by_firm: bool) -> anyhow::Result<()> {
    let places = places()?;
    let cities: Vec<_> = places.cities().map(|city| places.code(city).to_owned()).collect();
    let n_firms = n_records / 5 + 1;
    let mut out = BufWriter::new(std::fs::File::create(path)?);
    writeln!(out, "period,flow,firm_id,firm_name,region,country,hs8,trade_mode,value_usd")?;
    let mut draw = 1_u64;
    for at in 0..n_records {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = draw >> 24;
        let firm = if by_firm { at / 5 } else { random % n_firms };
        let id = 1_100_000_000 + firm;
        let city = &cities[usize::try_from(firm)? % cities.len()];
        let (country, product) = (100 + random % 241, 1_000_000 + random % 7_000);
        let (dollars, cents) = (random % 1_000_003, random % 100);
        write!(out, "200805,E,{id},某某{firm}有限公司,{city}9,{country},{product:08},10,")?;
        writeln!(out, "{dollars}.{cents:02}")?;
    }
    Ok(out.flush()?)
}

fn main() -> anyhow::Result<()> {
    // cargo adds its own flag.
    let given = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let n_records = given.map_or(Ok(200_000), |text| text.parse())?;
    let dir = std::env::temp_dir().join(format!("feed-throughput-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let path = dir.join("200805.csv");
    let profile = Profile::bundled("canonical")?;
    let places = places()?;
    let period = Period::from_yyyymm(200_805).expect("a valid period");
    let file = FeedFile { name: "200805.csv".to_owned(), ..FeedFile::new(period, path.clone()) };
    for (order, by_firm) in [("by firm", true), ("in no order", false)] {
        write_month(&path, n_records, by_firm)?;
        for _ in 0..5 {
            let start = Instant::now();
            let intake = read(&file, &profile, &places, &ReadLimits::default())?;
            let per_record = start.elapsed().as_nanos() / u128::from(n_records.max(1));
            assert_eq!(intake.counts.lines, n_records, "lines were lost");
            let bytes = intake.n_bytes / n_records.max(1);
            println!("{order}: {per_record} ns a record of {bytes} bytes");
        }
    }
    Ok(std::fs::remove_dir_all(&dir)?)
}
