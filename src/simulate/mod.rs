//! Simulated customs feeds: from the model of [`crate::theory`], or from equation (15) with known
//! coefficients.
//!
//! ```text
//!   Places ── cities.csv, countries.csv
//!   Population ─┐ firms, plants            ┌─ exporting::Model  (Mode::Theory)
//!   Markets ────┤                          │
//!   Seen ───────┴─► Trade: a firm's year ◄─┴─ linear::Panel     (Mode::Linear) ── truth*
//!                        │ annual cells
//!                        ▼
//!                  records::Writer ─► Files: YYYYMM.csv
//! ```
//!
//! Years are simulated one at a time, and firms in chunks of a fixed size. Each chunk has its own
//! random streams; chunks run in parallel and are written in order. The bytes therefore depend on
//! the parameters and the seed alone. Memory depends on the number of firms, the cells of a year
//! (linear mode) and the few records that wait for a file of a later year.
//!
//! ```no_run
//! use spillover::simulate::{self, Params};
//!
//! let report = simulate::write(&Params::demo(), std::path::Path::new("feed"))?;
//! println!("{} records", report.counts.records);
//! # Ok::<(), simulate::SimulateError>(())
//! ```

mod error;
mod exporting;
mod files;
mod goods;
mod linear;
mod lines;
mod market;
mod names;
mod params;
mod places;
mod population;
mod random;
mod records;
mod report;
mod targets;
#[cfg(test)]
mod tests;

use std::path::Path;

use rayon::prelude::*;

pub use error::SimulateError;
pub use linear::{Check, check};
pub use params::{Coefficients, Economy, Linear, Mode, Params, Population, Records, Targets};
pub use report::{Counts, Report, Target, YearReport};

use exporting::{Decisions, FirmYear, Model, Signal, Trade};
use files::Files;
use market::{Markets, Seen};
use places::Places;
use population::{Firm, Population as Firms};
use random::{Purpose, Stream};
use records::{MonthNumber, Span, Text, Writer};
use report::YearSums;

/// The number of firms that share a set of streams. It decides the bytes of a feed, so it never
/// changes.
const CHUNK_FIRMS: usize = 512;
/// The number of chunks for each thread at a time: it bounds the text in memory.
const CHUNKS_PER_THREAD: usize = 4;

/// Writes a simulated feed and its reference tables into a directory.
///
/// Linear mode omits everything that would alter a cell: intermediaries, Hong Kong, late and
/// corrected records.
///
/// # Errors
/// - Those of [`Params::check`]; [`SimulateError::Size`] also if there are fewer places than
///   requested.
/// - [`SimulateError::NotContractive`] if linear exports have no fixed point.
/// - [`SimulateError::NotEmpty`] if the directory is not empty.
/// - [`SimulateError::File`] if a file cannot be written.
pub fn write(params: &Params, out: &Path) -> Result<Report, SimulateError> {
    params.check()?;
    let places = Places::choose(params)?;
    let mut files = Files::create(out, span(params))?;
    files.write_beside("cities.csv", &places.cities_csv())?;
    files.write_beside("countries.csv", &places.countries_csv(params.from.year().0))?;
    match params.mode {
        Mode::Theory => write_theory(params, &places, &mut files),
        Mode::Linear => write_linear(&params.without_noise(), &places, &mut files),
    }
}

/// Simulates the model's years; years before the feed's first are not written.
fn write_theory(
    params: &Params,
    places: &Places,
    files: &mut Files,
) -> Result<Report, SimulateError> {
    let first_year = params.from.year().0.saturating_sub(params.economy.years_before);
    let mut firms = Firms::found(params, places, first_year);
    let mut markets = Markets::open(&params.economy, places, params.seed);
    let mut seen = Seen::nobody(places);
    let mut report = Report::default();
    for year in first_year..=params.to.year().0 {
        if year > first_year {
            firms.advance(params, places, year);
            markets.advance();
        }
        let here = (year, places.cities.len());
        let decisions = Decisions::new(&params.economy, &markets, &seen, here);
        let model = Model { params, places, decisions };
        let work = Work { params, places, firms: &firms.firms, trade: &model, year };
        let signals = if year < params.from.year().0 {
            work.unwritten_signals()
        } else {
            work.write(files, &mut report)?
        };
        seen = Seen::nobody(places);
        for signal in &signals {
            seen.add(signal.city, signal.market, signal.from_mean);
        }
    }
    Ok(report)
}

/// Draws the panel of equation (15) year by year, and writes it and the truth.
fn write_linear(
    params: &Params,
    places: &Places,
    files: &mut Files,
) -> Result<Report, SimulateError> {
    let first_year = params.from.year().0;
    let mut firms = Firms::found(params, places, first_year);
    let mut markets = Markets::open(&params.economy, places, params.seed);
    let mut panel = linear::Panel::new(params, places);
    let mut truth = linear::Truth::default();
    let mut report = Report::default();
    for year in first_year..=params.to.year().0 {
        if year > first_year {
            panel.forget(&firms.advance(params, places, year));
            markets.advance();
        }
        let drawn = panel.draw(&firms.firms, &markets, year)?;
        truth.add(places, &firms.firms, &drawn);
        let work = Work { params, places, firms: &firms.firms, trade: &drawn, year };
        work.write(files, &mut report)?;
    }
    truth.write(params, places, files)?;
    if params.linear.targets == Targets::Paper {
        report.targets = targets::targets(&report.years, &truth.moments);
        files.write_beside("truth_targets.csv", targets::csv_of(&report.targets).as_bytes())?;
    }
    Ok(report)
}

/// The input of a year's simulation.
struct Work<'a, T: Trade> {
    params: &'a Params,
    places: &'a Places,
    firms: &'a [Firm],
    trade: &'a T,
    year: u16,
}

/// The result of a chunk of firms for a year.
struct ChunkYear {
    text: Text,
    signals: Vec<Signal>,
    sums: YearSums,
}

impl<T: Trade> Work<'_, T> {
    /// Writes the year's records; returns the signals of its exporters.
    fn write(&self, files: &mut Files, report: &mut Report) -> Result<Vec<Signal>, SimulateError> {
        files.open_year(self.year)?;
        let mut signals = Vec::new();
        let mut sums = YearSums::default();
        let records_before = report.counts.records;
        let chunks: Vec<(usize, &[Firm])> = self.firms.chunks(CHUNK_FIRMS).enumerate().collect();
        for batch in chunks.chunks(CHUNKS_PER_THREAD * rayon::current_num_threads()) {
            let years: Vec<ChunkYear> =
                batch.par_iter().map(|&(chunk, firms)| self.chunk(chunk, firms)).collect();
            for year in years {
                report.counts.add(&year.text.counts);
                files.append(self.year, year.text)?;
                signals.extend(year.signals);
                sums.add(year.sums);
            }
        }
        let records = report.counts.records - records_before;
        report.years.push(sums.report(self.year, records));
        Ok(signals)
    }

    fn chunk(&self, chunk: usize, firms: &[Firm]) -> ChunkYear {
        let records = self.stream(Purpose::Records, chunk);
        let rates = (&self.params.records, self.places);
        let mut writer = Writer::new(rates, span(self.params), self.year, records);
        let (mut signals, mut sums) = (Vec::new(), YearSums::default());
        self.each_firm(chunk, firms, |firm, year| {
            sums.firm(firm, self.places, year);
            writer.firm(firm, year);
            signals.extend_from_slice(&year.signals);
        });
        ChunkYear { text: writer.finish(), signals, sums }
    }

    /// The signals of a year that is simulated but not written.
    fn unwritten_signals(&self) -> Vec<Signal> {
        let chunk_signals = |(chunk, firms): (usize, &[Firm])| {
            let mut signals = Vec::new();
            self.each_firm(chunk, firms, |_, year| signals.extend_from_slice(&year.signals));
            signals
        };
        let chunks: Vec<Vec<Signal>> =
            self.firms.par_chunks(CHUNK_FIRMS).enumerate().map(chunk_signals).collect();
        chunks.concat()
    }

    fn each_firm(&self, chunk: usize, firms: &[Firm], mut done: impl FnMut(&Firm, &FirmYear)) {
        let mut stream = self.stream(Purpose::Imports, chunk);
        let mut year = FirmYear::default();
        for (slot, firm) in (chunk * CHUNK_FIRMS..).zip(firms) {
            year.cells.clear();
            year.signals.clear();
            self.trade.of_firm(slot, firm, &mut stream, &mut year);
            done(firm, &year);
        }
    }

    fn stream(&self, purpose: Purpose, chunk: usize) -> Stream {
        Stream::open(self.params.seed, purpose, u64::from(self.year), chunk as u64)
    }
}

fn span(params: &Params) -> Span {
    let number = |period: crate::domain::types::Period| {
        MonthNumber::from(period.year().0) * 12 + MonthNumber::from(period.month()) - 1
    };
    Span { first: number(params.from), last: number(params.to) }
}
