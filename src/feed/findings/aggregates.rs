//! Totals among their parts.
//!
//! A group is the records that agree in all but one field. A total in it is the sum of its parts.
//! With several levels of parts (`TOTAL`, chapter, heading), all parts sum to a multiple of the
//! total. The parts may also be those records whose codes begin with the total's code. Such values
//! occur by chance in few groups; totals occur in most.

use crate::domain::dictionary::Dictionary;
use crate::domain::finding::{Finding, FindingKind, SHOWN};
use crate::domain::record::{Record, Texts};

/// The approximate number of records sampled for each field.
const SAMPLED: usize = 1 << 13;
/// The least number of sampled firms, and of sampled pairs of region and country.
const GROUPS_MIN: usize = 16;
/// The largest number of levels of parts below a total.
const LEVELS_MAX: i128 = 4;
/// The smallest number of records of a group with a total and its parts.
const GROUP_MIN: usize = 3;

/// A field that totals may sum over; the key omits it. One column may be the firm and the product.
#[derive(Clone, Copy)]
enum Over {
    Product,
    Firm,
    FirmAndProduct,
    Country,
    Region,
    TradeMode,
}

impl Over {
    const ALL: [Self; 6] = [
        Self::Product,
        Self::Firm,
        Self::FirmAndProduct,
        Self::Country,
        Self::Region,
        Self::TradeMode,
    ];

    fn leaves_firms_out(self) -> bool {
        matches!(self, Self::Firm | Self::FirmAndProduct)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Product => "hs8",
            Self::Firm => "firm_id",
            Self::FirmAndProduct => "firm_id and hs8",
            Self::Country => "country",
            Self::Region => "region",
            Self::TradeMode => "trade_mode",
        }
    }

    /// The codes of the field that differs within a group.
    fn codes(self, texts: &Texts) -> &Dictionary {
        match self {
            Self::Product | Self::FirmAndProduct => &texts.products,
            Self::Firm => &texts.firms,
            Self::Country => &texts.countries,
            Self::Region => &texts.regions,
            Self::TradeMode => &texts.trade_modes,
        }
    }

    /// The position of a record's code in [`Over::codes`].
    fn position(self, record: &Record) -> u32 {
        match self {
            Self::Product | Self::FirmAndProduct => record.product,
            Self::Firm => record.firm,
            Self::Country => record.country,
            Self::Region => record.region,
            Self::TradeMode => record.trade_mode,
        }
    }
}

/// One more than a field's position, times an odd number of the field.
fn times(field: u32, factor: u64) -> u64 {
    (u64::from(field) + 1).wrapping_mul(factor)
}

const FIRM: u64 = 0x9E37_79B9_7F4A_7C15;
const REGION: u64 = 0xD6E8_FEB8_6659_FD93;
const COUNTRY: u64 = 0xA076_1D64_78BD_642F;
const PRODUCT: u64 = 0xE703_7ED1_A0B4_28DB;
const TRADE_MODE: u64 = 0x8EBC_6AF0_9C88_C6E3;
const MONTH_AND_FLOW: u64 = 0x5899_65CC_7537_4CC3;

/// The key of a record with all fields. Its upper bits depend on each of them, and subtraction
/// omits a field.
fn whole_key(record: &Record) -> u64 {
    let month_and_flow = record.period.as_yyyymm() * 2 + record.flow as u32;
    let fields = [
        times(record.firm, FIRM),
        times(record.region, REGION),
        times(record.country, COUNTRY),
        times(record.product, PRODUCT),
        times(record.trade_mode, TRADE_MODE),
        times(month_and_flow, MONTH_AND_FLOW),
    ];
    fields.into_iter().fold(0, u64::wrapping_add)
}

/// The part of a record's key that totals over a field omit.
fn omitted(over: Over, record: &Record) -> u64 {
    match over {
        Over::Product => times(record.product, PRODUCT),
        Over::Firm => times(record.firm, FIRM),
        Over::FirmAndProduct => {
            times(record.firm, FIRM).wrapping_add(times(record.product, PRODUCT))
        }
        Over::Country => times(record.country, COUNTRY),
        Over::Region => times(record.region, REGION),
        Over::TradeMode => times(record.trade_mode, TRADE_MODE),
    }
}

/// The sampled records: those of some firms, and of some pairs of region and country; of these, the
/// records with a drawn key. Other records cost one product and one sum.
struct Sampling {
    firms: u32,
    pairs: u64,
    keys: [u64; 2],
}

impl Sampling {
    fn of(texts: &Texts, n_records: usize) -> Self {
        let all = (n_records / SAMPLED).next_power_of_two();
        let among = |n: usize| all.min((n / GROUPS_MIN).max(1).next_power_of_two());
        let n_firms = among(texts.firms.len());
        let n_pairs = among(texts.regions.len() * texts.countries.len());
        let mask = |n: usize| n as u64 - 1;
        Self {
            firms: u32::try_from(mask(n_firms)).unwrap_or(0),
            pairs: mask(n_pairs),
            keys: [mask(all / n_firms), mask(all / n_pairs)],
        }
    }

    /// True for a record of a drawn firm, and true for a record of a drawn pair.
    #[inline]
    fn has(&self, record: &Record) -> [bool; 2] {
        let pair = u64::from(record.region) << 32 | u64::from(record.country);
        let pair = pair.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        [record.firm & self.firms == 0, pair & self.pairs == 0]
    }
}

/// Finds totals among their parts, if most groups of a field have one.
pub(super) fn find(texts: &Texts, records: &[Record]) -> Option<Finding> {
    if records.len() < GROUP_MIN {
        return None;
    }
    let sampling = Sampling::of(texts, records.len());
    let mut drawn: [Vec<(u64, u32)>; 2] = Default::default();
    for (at, record) in (0_u32..).zip(records) {
        let has = sampling.has(record);
        if has != [false; 2] {
            let key = whole_key(record);
            for (drawn, _) in drawn.iter_mut().zip(has).filter(|(_, has)| *has) {
                drawn.push((key, at));
            }
        }
    }
    let mut sampled = Vec::new();
    Over::ALL.into_iter().find_map(|over| {
        let by = usize::from(over.leaves_firms_out());
        let keys = drawn[by]
            .iter()
            .map(|(key, at)| (key.wrapping_sub(omitted(over, &records[*at as usize])), *at));
        sampled.clear();
        sampled.extend(keys.filter(|(key, _)| (key >> 40) & sampling.keys[by] == 0));
        if has_no_totals(over, &sampled, texts, records) {
            return None;
        }
        leave_groups(&mut sampled);
        of_field(over, &sampled, texts, records).finding()
    })
}

/// The part of sampled keys that is looked at first: one in eight.
const FIRST_KEYS: u64 = 7;
/// The number of groups that decide: if most groups had a total, a quarter of so many would have
/// one but for one case in 10⁷.
const GROUPS_DECIDE: u64 = 128;

/// True if few of the first groups have a total; nearly all files are clean.
fn has_no_totals(over: Over, sampled: &[(u64, u32)], texts: &Texts, records: &[Record]) -> bool {
    let mut first: Vec<(u64, u32)> =
        sampled.iter().filter(|(key, _)| (key >> 56) & FIRST_KEYS == 0).copied().collect();
    leave_groups(&mut first);
    let groups = of_field(over, &first, texts, records);
    groups.n >= GROUPS_DECIDE && groups.n_found * 4 < groups.n
}

/// The number of counters of keys, a power of two: twice the number of sampled records.
const COUNTERS: usize = 2 * SAMPLED;

/// Removes most records that have no group, and sorts the rest: a key that is counted together with
/// others occurs no more often than the counter says.
fn leave_groups(sampled: &mut Vec<(u64, u32)>) {
    let mut counters = vec![0_u8; COUNTERS];
    let counter = |key: u64| usize::try_from(key >> 20).unwrap_or(usize::MAX) % COUNTERS;
    for (key, _) in &*sampled {
        let n = &mut counters[counter(*key)];
        *n = n.saturating_add(1);
    }
    sampled.retain(|(key, _)| usize::from(counters[counter(*key)]) >= GROUP_MIN);
    sampled.sort_unstable();
}

fn of_field(over: Over, sampled: &[(u64, u32)], texts: &Texts, records: &[Record]) -> Groups {
    let codes = over.codes(texts);
    let of_two_lengths = is_of_two_lengths(codes);
    let (mut n_groups, mut n_found, mut first) = (0, 0, Vec::new());
    let mut parts: Vec<(&str, i64)> = Vec::new();
    for group in sampled.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() >= GROUP_MIN) {
        n_groups += 1;
        parts.clear();
        parts.extend(group.iter().map(|(_, at)| {
            let record = &records[*at as usize];
            let code = if of_two_lengths { codes.text(over.position(record)) } else { "" };
            (code, record.value_cents)
        }));
        let Some(total) = total(&parts) else { continue };
        n_found += 1;
        if first.len() < SHOWN {
            let record = &records[group[total].1 as usize];
            let code = codes.text(over.position(record));
            first.push(format!("line {}, \"{code}\"", record.line));
        }
    }
    Groups { over, n: n_groups, n_found, first }
}

/// The groups of a field among sampled records.
struct Groups {
    over: Over,
    n: u64,
    /// The number of groups with a total.
    n_found: u64,
    /// The first totals.
    first: Vec<String>,
}

impl Groups {
    /// The finding, if most groups have a total.
    fn finding(self) -> Option<Finding> {
        let Self { over, n, n_found, first } = self;
        let (kind, beside) = (FindingKind::Aggregates, over.name().to_owned());
        (n_found > 0 && n_found * 2 >= n).then_some(Finding {
            kind,
            n: n_found,
            of: n,
            first,
            beside,
        })
    }
}

/// True if a code may begin with another one.
fn is_of_two_lengths(codes: &Dictionary) -> bool {
    let mut lengths = codes.iter().map(str::len).filter(|length| *length > 0);
    let first = lengths.next();
    lengths.any(|length| Some(length) != first)
}

/// The position of a total among the records of a group. Without codes, only the largest value can
/// be a total.
fn total(parts: &[(&str, i64)]) -> Option<usize> {
    let is_multiple = |sum: i128, value: i64| {
        let value = i128::from(value);
        value > 0 && sum > 0 && sum % value == 0 && sum / value <= LEVELS_MAX
    };
    // A repeated code is not a total of itself.
    let (largest, _) = parts.iter().enumerate().max_by_key(|(_, (_, value))| *value)?;
    let value = parts[largest].1;
    let below = || parts.iter().filter(|(_, of)| *of < value);
    let sum = below().map(|(_, of)| i128::from(*of)).sum();
    if below().filter(|(_, of)| *of != 0).count() >= 2 && is_multiple(sum, value) {
        return Some(largest);
    }
    parts.iter().position(|(code, value)| {
        let is_part = |of: &&(&str, i64)| {
            !code.is_empty() && of.0.len() > code.len() && of.0.starts_with(code)
        };
        let sum = parts.iter().filter(is_part).map(|(_, of)| i128::from(*of)).sum();
        parts.iter().filter(is_part).count() >= 2 && is_multiple(sum, *value)
    })
}
