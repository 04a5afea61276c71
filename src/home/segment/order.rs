//! The order of a segment: by firm, city, country, flow, period and line.
//!
//! The records of a file come in order of line. Their order is then one number of 64 bits: the five
//! fields, each in the bits that its largest value needs, and the position of the record. Numbers
//! sort several times faster than records of 56 bytes. Records whose number needs more bits, or
//! whose lines are not in order, are sorted where they lie.

use crate::domain::record::Record;
use crate::domain::types::Flow;

/// Sorts records into the order of a segment.
///
/// # Panics
/// If a record's firm is not below `n_firms`.
pub fn sort(records: &mut Vec<Record>, n_firms: usize) {
    match Widths::of(records, n_firms) {
        Some(widths) => widths.sort(records),
        None => sort_in_place(records, n_firms),
    }
}

/// The number of bits of each field in the number of a record, and the first month.
struct Widths {
    city: u32,
    country: u32,
    month: u32,
    position: u32,
    first_month: u32,
}

impl Widths {
    /// The widths for some records; `None` if their lines are not in order, or a number does not
    /// have enough bits.
    ///
    /// # Panics
    /// If a record's firm is not below `n_firms`.
    fn of(records: &[Record], n_firms: usize) -> Option<Self> {
        let (mut firm, mut city, mut country, mut line) = (0, 0, 0, 0);
        let (mut first_month, mut last_month) = (u32::MAX, 0);
        for record in records {
            firm = firm.max(record.firm);
            city = city.max(city_of(record));
            country = country.max(record.country);
            first_month = first_month.min(month_of(record));
            last_month = last_month.max(month_of(record));
            if record.line < line {
                return None;
            }
            line = record.line;
        }
        assert!(records.is_empty() || (firm as usize) < n_firms, "firm {firm} of {n_firms} firms");
        let widths = Self {
            city: width(city),
            country: width(country),
            month: width(last_month.saturating_sub(first_month)),
            position: usize::BITS - records.len().leading_zeros(),
            first_month,
        };
        let below_firm = widths.city + widths.country + 1 + widths.month + widths.position;
        (width(firm) + below_firm <= u64::BITS).then_some(widths)
    }

    fn number(&self, record: &Record, position: u64) -> u64 {
        let number = u64::from(record.firm) << self.city | u64::from(city_of(record));
        let number = number << self.country | u64::from(record.country);
        let number = number << 1 | u64::from(record.flow == Flow::Import);
        let number = number << self.month | u64::from(month_of(record) - self.first_month);
        number << self.position | position
    }

    fn sort(&self, records: &mut Vec<Record>) {
        let numbered = (0_u64..).zip(&*records);
        let mut numbers: Vec<u64> = numbered.map(|(at, record)| self.number(record, at)).collect();
        numbers.sort_unstable();
        let positions = (1_u64 << self.position) - 1;
        let at = |number: u64| usize::try_from(number & positions).expect("a position in memory");
        *records = numbers.into_iter().map(|number| records[at(number)]).collect();
    }
}

/// The number of bits of a value.
fn width(largest: u32) -> u32 {
    u32::BITS - largest.leading_zeros()
}

fn city_of(record: &Record) -> u32 {
    record.city.map_or(0, |city| u32::from(city.0) + 1)
}

fn month_of(record: &Record) -> u32 {
    u32::from(record.period.year().0) * 12 + u32::from(record.period.month())
}

/// Sorts records by a counting sort of firms, which are dense, then within each firm.
fn sort_in_place(records: &mut [Record], n_firms: usize) {
    let mut ends = vec![0_usize; n_firms];
    for record in &*records {
        ends[record.firm as usize] += 1;
    }
    let mut start = 0;
    let mut next = Vec::with_capacity(n_firms);
    for end in &mut ends {
        next.push(start);
        start += *end;
        *end = start;
    }
    let mut start = 0;
    for firm in 0..n_firms {
        while next[firm] < ends[firm] {
            let at = next[firm];
            let other = records[at].firm as usize;
            if other != firm {
                records.swap(at, next[other]);
            }
            next[other] += 1;
        }
        records[start..ends[firm]].sort_unstable_by_key(within_firm);
        start = ends[firm];
    }
}

/// City and country in one number, and flow, period and line in another: a comparison of five
/// fields takes five branches.
fn within_firm(record: &Record) -> (u64, u64) {
    let city = u64::from(city_of(record));
    let flow = u64::from(record.flow == Flow::Import);
    let month = u64::from(month_of(record));
    (city << 32 | u64::from(record.country), flow << 48 | month << 32 | u64::from(record.line))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::types::{City, Period};

    /// Firm, city, country, whether it is an import, and month.
    type Key = (u32, Option<u16>, u32, bool, (u16, u8));

    /// Records of up to 40 firms; `wide` ones have countries and cities past the bits of a number.
    fn records(wide: bool) -> impl Strategy<Value = Vec<Record>> {
        let countries = if wide { 0..u32::MAX } else { 0..5_u32 };
        let months = (2000_u16..2003, 1_u8..=12);
        let one = (0..40_u32, prop::option::of(0..3_u16), countries, any::<bool>(), months);
        prop::collection::vec((one, 0..3_u32), 0..200).prop_map(|all| {
            let mut line = 1;
            let record = |((firm, city, country, is_import, (year, month)), lines): (Key, u32)| {
                line += lines;
                Record {
                    firm,
                    name: line,
                    region: 0,
                    country,
                    product: 0,
                    trade_mode: 0,
                    line,
                    city: city.map(City),
                    period: Period::new(year, month).expect("a month"),
                    flow: if is_import { Flow::Import } else { Flow::Export },
                    exclusion: None,
                    value_cents: 1,
                }
            };
            all.into_iter().map(record).collect()
        })
    }

    /// The order in full, which ties of one line and one key keep.
    fn ordered(records: &[Record]) -> Vec<Record> {
        let mut records = records.to_vec();
        records.sort_by_key(|record| (record.firm, within_firm(record)));
        records
    }

    proptest! {
        #[test]
        fn numbers_give_the_order_of_the_fields(of in records(false)) {
            let widths = Widths::of(&of, 40).expect("few values fit into 64 bits");
            let mut sorted = of.clone();
            widths.sort(&mut sorted);
            prop_assert_eq!(&sorted, &ordered(&of));
            let mut sorted = of.clone();
            sort_in_place(&mut sorted, 40);
            let keys = |of: &[Record]| -> Vec<_> {
                of.iter().map(|record| (record.firm, within_firm(record))).collect()
            };
            prop_assert_eq!(keys(&sorted), keys(&ordered(&of)));
        }

        #[test]
        fn what_has_no_number_is_sorted_too(wide in records(true), few in records(false)) {
            for mut of in [wide, few.into_iter().rev().collect()] {
                let ordered = ordered(&of);
                sort(&mut of, 40);
                let keys = |of: &[Record]| -> Vec<_> {
                    of.iter().map(|record| (record.firm, within_firm(record))).collect()
                };
                prop_assert_eq!(keys(&of), keys(&ordered));
            }
        }
    }

    #[test]
    fn large_values_have_no_number() {
        let record = |country, line| Record {
            firm: u32::MAX >> 4,
            name: 0,
            region: 0,
            country,
            product: 0,
            trade_mode: 0,
            line,
            city: Some(City(1)),
            period: Period::new(2008, 5).expect("a month"),
            flow: Flow::Export,
            exclusion: None,
            value_cents: 1,
        };
        let n_firms = 1 << 28;
        assert!(Widths::of(&[record(u32::MAX, 1), record(0, 2)], n_firms).is_none());
        assert!(Widths::of(&[record(5, 1), record(0, 2)], n_firms).is_some());
        assert!(Widths::of(&[record(5, 2), record(0, 1)], n_firms).is_none());
    }
}
