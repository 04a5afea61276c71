//! A firm's year to its monthly records: seasons, goods, trade modes, late and corrected records.

use std::collections::BTreeMap;

use crate::domain::types::Flow;

use super::exporting::{AnnualCell, FirmYear};
use super::goods;
use super::lines;
use super::params::Records as Rates;
use super::places::Places;
use super::population::{Firm, Plant};
use super::random::{Stream, whole};
use super::report::Counts;

/// A month number: the year times twelve plus the month from 0.
pub type MonthNumber = u32;

/// Relative value of the months: the Spring Festival's dip in February, the rise before Christmas.
const SEASON: [f64; 12] = [0.92, 0.68, 0.95, 0.98, 1.0, 1.02, 1.06, 1.06, 1.10, 1.02, 1.08, 1.13];

/// Trade modes other than a plant's main one.
const OTHER_MODES: [&str; 5] = ["10", "10", "15", "14", "39"];

/// The first and last month number of a feed, both included.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// First month.
    pub first: MonthNumber,
    /// Last month.
    pub last: MonthNumber,
}

/// The text of a chunk of firms' year.
#[derive(Debug, Default)]
pub struct Text {
    /// The text for the files of the year's months.
    pub months: [Vec<u8>; 12],
    /// The text for files of later years.
    pub later: BTreeMap<MonthNumber, Vec<u8>>,
    /// The numbers of written records.
    pub counts: Counts,
}

/// Writes firms' years as records.
#[derive(Debug)]
pub struct Writer<'a> {
    rates: &'a Rates,
    places: &'a Places,
    span: Span,
    year: u16,
    stream: Stream,
    text: Text,
    line: Vec<u8>,
}

/// The common fields of all records of a cell.
struct Cell<'a> {
    plant: &'a Plant,
    flow: Flow,
    /// `,firm_id,firm_name,region,country,`
    middle: Vec<u8>,
    hong_kong: bool,
    intermediary: bool,
}

/// One record before it is written as a line.
#[derive(Clone, Copy)]
struct Record {
    month: MonthNumber,
    good: u32,
    mode: &'static str,
    cents: i64,
}

impl<'a> Writer<'a> {
    /// A writer for a chunk's year.
    pub fn new(
        (rates, places): (&'a Rates, &'a Places),
        span: Span,
        year: u16,
        stream: Stream,
    ) -> Self {
        Self { rates, places, span, year, stream, text: Text::default(), line: Vec::new() }
    }

    /// The text and the numbers of written records.
    pub fn finish(self) -> Text {
        self.text
    }

    /// Writes the records of a firm's year.
    pub fn firm(&mut self, firm: &Firm, year: &FirmYear) {
        for annual in &year.cells {
            let cell = self.cell(firm, annual);
            self.cell_year(&cell, annual.cents);
        }
    }

    fn cell<'f>(&self, firm: &'f Firm, annual: &AnnualCell) -> Cell<'f> {
        let plant = &firm.plants[usize::from(annual.plant)];
        let city = self.places.cities[usize::from(plant.city)].code;
        let country = self.places.destinations[usize::from(annual.destination)].code;
        let Firm { id, name, intermediary, .. } = firm;
        Cell {
            plant,
            flow: annual.flow,
            middle: lines::middle(id, name, (city, plant.district), country),
            hong_kong: usize::from(annual.destination) == self.places.hong_kong(),
            intermediary: *intermediary,
        }
    }

    /// Spreads a cell's value over months, and each month's over records; the cents add up.
    fn cell_year(&mut self, cell: &Cell<'_>, cents: i64) {
        let weights = self.month_weights(cents);
        let mut left = Parts { cents, weight: weights.iter().sum() };
        let january = MonthNumber::from(self.year) * 12;
        for (month, &weight) in (january..).zip(&weights) {
            let in_month = left.take(weight);
            if in_month > 0 {
                self.cell_month(cell, month, in_month);
            }
        }
    }

    /// Weights of the months with records of a cell; larger cells have more such months.
    #[expect(clippy::cast_precision_loss, reason = "a size, its last cents do not matter")]
    fn month_weights(&mut self, cents: i64) -> [f64; 12] {
        let size = libm::log(cents as f64 / 1e6);
        let share = (self.rates.months_share + 0.1 * size).clamp(0.06, 0.95);
        let mut weights = [0.0; 12];
        for (weight, season) in weights.iter_mut().zip(SEASON) {
            if self.stream.happens(share * season) {
                *weight = season * (0.4 + 1.2 * self.stream.unit());
            }
        }
        if weights.iter().all(|&weight| weight == 0.0) {
            weights[self.stream.below(12) as usize] = 1.0;
        }
        weights
    }

    fn cell_month(&mut self, cell: &Cell<'_>, month: MonthNumber, cents: i64) {
        let more = self.rates.per_month_max - self.rates.per_month_min + 1;
        let n = self.rates.per_month_min + self.stream.below(more);
        let goods = 1 + whole(f64::from(self.rates.goods_max) * goods_rank(cell.plant));
        let mut left = Parts { cents, weight: f64::from(n) };
        for nth in 1..=n {
            let jitter = if nth == n { 1.0 } else { 0.4 + 1.2 * self.stream.unit() };
            let cents = left.take_of_next(jitter, nth == n);
            let record = Record {
                month,
                good: self.stream.below(goods),
                mode: self.mode(cell.plant),
                cents,
            };
            if cents > 0 && (self.span.first..=self.span.last).contains(&month) {
                self.record(cell, record);
            }
        }
    }

    fn mode(&mut self, plant: &Plant) -> &'static str {
        if self.stream.happens(self.rates.main_mode_share) {
            return plant.main_mode;
        }
        let other: &&'static str = self.stream.pick(&OTHER_MODES);
        other
    }

    /// Writes a record into its month's file or a later one, with its corrections.
    fn record(&mut self, cell: &Cell<'_>, record: Record) {
        let late = self.stream.happens(self.rates.late_rate);
        let file = if late { self.later_file(record.month) } else { record.month };
        self.count(cell, record.month, file);
        self.line(cell, record, file);
        let fate = self.stream.unit();
        if fate < self.rates.amended_rate {
            self.amend(cell, record, file);
        } else if fate < self.rates.amended_rate + self.rates.cancelled_rate {
            self.cancel(cell, record, file);
        }
    }

    /// Withdraws 5 to 40 % of a record, half of the time at once, else in a later file.
    #[expect(clippy::cast_possible_truncation, reason = "a share of a value is in its range")]
    #[expect(clippy::cast_precision_loss, reason = "a share of a value, its cents do not matter")]
    fn amend(&mut self, cell: &Cell<'_>, record: Record, file: MonthNumber) {
        let share = 0.05 + 0.35 * self.stream.unit();
        let cents = -((record.cents as f64 * share) as i64).max(1);
        let file = if self.stream.happens(0.5) { file } else { self.later_file(file) };
        self.text.counts.amended += 1;
        self.line(cell, Record { cents, ..record }, file);
    }

    /// Withdraws the whole of a record in a later file, if there is one.
    fn cancel(&mut self, cell: &Cell<'_>, record: Record, file: MonthNumber) {
        let later = self.later_file(file);
        if later > file {
            self.text.counts.cancelled += 1;
            self.line(cell, Record { cents: -record.cents, ..record }, later);
        }
    }

    /// A file some months later, at most the feed's last file.
    fn later_file(&mut self, file: MonthNumber) -> MonthNumber {
        let success = 1.0 / self.rates.lag_months_mean.max(1.0);
        let lag = 1 + self.stream.failures(success).min(23);
        (file + lag).min(self.span.last)
    }

    fn count(&mut self, cell: &Cell<'_>, month: MonthNumber, file: MonthNumber) {
        let counts = &mut self.text.counts;
        match cell.flow {
            Flow::Export => counts.exports += 1,
            Flow::Import => counts.imports += 1,
        }
        counts.hong_kong += u64::from(cell.hong_kong);
        counts.intermediary += u64::from(cell.intermediary);
        counts.late += u64::from(file > month);
    }

    fn line(&mut self, cell: &Cell<'_>, record: Record, file: MonthNumber) {
        let Self { line, text, .. } = self;
        line.clear();
        lines::push_period(line, record.month);
        line.push(b',');
        line.extend_from_slice(cell.flow.code().as_bytes());
        line.extend_from_slice(&cell.middle);
        goods::append_hs8(line, cell.plant.key, record.good);
        line.push(b',');
        line.extend_from_slice(record.mode.as_bytes());
        line.push(b',');
        lines::push_usd(line, record.cents);
        line.push(b'\n');
        text.counts.records += 1;
        text.counts.bytes += line.len() as u64;
        let place = if file / 12 == MonthNumber::from(self.year) {
            &mut text.months[(file % 12) as usize]
        } else {
            text.later.entry(file).or_default()
        };
        place.extend_from_slice(line);
    }
}

/// A permanent rank between 0 and 1 for the number of a plant's goods; most plants have few.
fn goods_rank(plant: &Plant) -> f64 {
    let unit = super::random::keyed_unit(super::random::key(plant.key, 0x6f6f_6473));
    unit * unit
}

/// An amount to divide by weights, without losing a cent.
struct Parts {
    cents: i64,
    weight: f64,
}

impl Parts {
    /// The part of a weight; the remainder goes to the last weight that is not zero.
    fn take(&mut self, weight: f64) -> i64 {
        if weight <= 0.0 {
            return 0;
        }
        let last = self.weight - weight < 1e-9;
        self.take_share(weight / self.weight, last, weight)
    }

    /// The part of the next of several equal weights, scaled by a jitter below two.
    fn take_of_next(&mut self, jitter: f64, last: bool) -> i64 {
        let share = jitter / self.weight;
        self.take_share(share.min(0.9), last, 1.0)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a share of an amount is in its range")]
    #[expect(clippy::cast_precision_loss, reason = "what is rounded off goes to the last part")]
    fn take_share(&mut self, share: f64, last: bool, weight: f64) -> i64 {
        let part = if last { self.cents } else { (self.cents as f64 * share) as i64 };
        self.cents -= part;
        self.weight -= weight;
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_cent() {
        for cents in [1, 7, 100, 12_345, 9_999_999_999_999] {
            let weights = [0.3, 0.0, 1.7, 0.9, 0.0];
            let mut left = Parts { cents, weight: weights.iter().sum() };
            let parts: i64 = weights.iter().map(|&weight| left.take(weight)).sum();
            assert_eq!(parts, cents);
            let mut left = Parts { cents, weight: 3.0 };
            let parts = [(1.6, false), (0.5, false), (1.0, true)];
            assert_eq!(
                parts.map(|(by, last)| left.take_of_next(by, last)).iter().sum::<i64>(),
                cents
            );
        }
    }
}
