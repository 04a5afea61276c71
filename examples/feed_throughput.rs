//! How long does reading a month of customs records take? Writes one, reads it a few times and
//! prints ns a record.
//!
//! `cargo run --release --example feed_throughput [records]`

use std::io::{BufWriter, Write};
use std::time::Instant;

use spillover::feed::places::{Places, ReferenceTexts};
use spillover::feed::profile::Profile;
use spillover::feed::read::{FeedFile, ReadLimits, read};
use spillover::types::Period;

/// Two hundred thousand firms with Chinese names, in the bundled places, to 240 countries.
fn write_month(path: &std::path::Path, n_records: u64) -> anyhow::Result<()> {
    let places = Places::parse(&ReferenceTexts::bundled())?;
    let cities: Vec<_> = places.cities().map(|city| places.code(city).to_owned()).collect();
    let mut out = BufWriter::new(std::fs::File::create(path)?);
    writeln!(out, "period,flow,firm_id,firm_name,region,country,hs8,trade_mode,value_usd")?;
    let mut draw = 1_u64;
    for _ in 0..n_records {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = draw >> 24;
        let firm = random % 200_000;
        let city = &cities[usize::try_from(firm)? % cities.len()];
        let (country, product) = (100 + random % 241, 1_000_000 + random % 7_000);
        let (dollars, cents) = (random % 1_000_003, random % 100);
        writeln!(
            out,
            "200805,E,{:010},某某{firm}有限公司,{city}9,{country},{product:08},10,{dollars}.{cents:02}",
            1_100_000_000 + firm,
        )?;
    }
    Ok(out.flush()?)
}

fn main() -> anyhow::Result<()> {
    let n_records = std::env::args().nth(1).map_or(Ok(2_000_000), |text| text.parse())?;
    let dir = std::env::temp_dir().join(format!("feed-throughput-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let path = dir.join("200805.csv");
    write_month(&path, n_records)?;
    let profile = Profile::bundled("canonical")?;
    let places = Places::parse(&ReferenceTexts::bundled())?;
    let period = Period::from_yyyymm(200_805).expect("a valid period");
    let file = FeedFile { path, name: "200805.csv".to_owned(), period };
    for _ in 0..5 {
        let start = Instant::now();
        let intake = read(&file, &profile, &places, &ReadLimits::default())?;
        let elapsed = start.elapsed();
        assert_eq!(intake.counts.lines, n_records, "lines were lost");
        let per_record = elapsed.as_nanos() / u128::from(n_records.max(1));
        let bytes = intake.n_bytes / n_records.max(1);
        println!("{per_record} ns a record of {bytes} bytes: {:?}", intake.counts);
    }
    Ok(std::fs::remove_dir_all(&dir)?)
}
