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

    /// The code of a record in the field that differs within a group.
    fn code<'t>(self, texts: &'t Texts, record: &Record) -> &'t str {
        let of = |dictionary: &'t Dictionary, position| dictionary.text(position);
        match self {
            Self::Product | Self::FirmAndProduct => of(&texts.products, record.product),
            Self::Firm => of(&texts.firms, record.firm),
            Self::Country => of(&texts.countries, record.country),
            Self::Region => of(&texts.regions, record.region),
            Self::TradeMode => of(&texts.trade_modes, record.trade_mode),
        }
    }
}

/// The keys of a record, in the order of [`Over::ALL`].
///
/// Each field is multiplied by a different odd number: the upper bits of the sum depend on all
/// fields. Subtraction then omits a field.
fn keys(record: &Record) -> [u64; 6] {
    let times = |field: u32, factor: u64| (u64::from(field) + 1).wrapping_mul(factor);
    let firm = times(record.firm, 0x9E37_79B9_7F4A_7C15);
    let region = times(record.region, 0xD6E8_FEB8_6659_FD93);
    let country = times(record.country, 0xA076_1D64_78BD_642F);
    let product = times(record.product, 0xE703_7ED1_A0B4_28DB);
    let mode = times(record.trade_mode, 0x8EBC_6AF0_9C88_C6E3);
    let month = times(record.period.as_yyyymm() * 2 + record.flow as u32, 0x5899_65CC_7537_4CC3);
    let all = [firm, region, country, product, mode, month];
    let all = all.into_iter().fold(0_u64, u64::wrapping_add);
    let without = |field: u64| all.wrapping_sub(field);
    [
        without(product),
        without(firm),
        without(firm.wrapping_add(product)),
        without(country),
        without(region),
        without(mode),
    ]
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
    let mut sampled: [Vec<(u64, u32)>; 6] = Default::default();
    for (at, record) in (0_u32..).zip(records) {
        let has = sampling.has(record);
        if has == [false; 2] {
            continue;
        }
        for ((over, key), sampled) in Over::ALL.into_iter().zip(keys(record)).zip(&mut sampled) {
            let by = usize::from(over.leaves_firms_out());
            if has[by] && (key >> 40) & sampling.keys[by] == 0 {
                sampled.push((key, at));
            }
        }
    }
    let mut over = Over::ALL.into_iter().zip(sampled);
    over.find_map(|(over, sampled)| of_field(over, sampled, texts, records))
}

fn of_field(
    over: Over,
    mut sampled: Vec<(u64, u32)>,
    texts: &Texts,
    records: &[Record],
) -> Option<Finding> {
    sampled.sort_unstable();
    let (mut n_groups, mut n_found, mut first) = (0, 0, Vec::new());
    for group in sampled.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() >= GROUP_MIN) {
        n_groups += 1;
        let parts: Vec<(&str, i64)> = group
            .iter()
            .map(|(_, at)| &records[*at as usize])
            .map(|record| (over.code(texts, record), record.value_cents))
            .collect();
        let Some(total) = total(&parts) else { continue };
        n_found += 1;
        if first.len() < SHOWN {
            let line = records[group[total].1 as usize].line;
            first.push(format!("line {line}, \"{}\"", parts[total].0));
        }
    }
    let kind = FindingKind::Aggregates;
    let beside = over.name().to_owned();
    (n_found > 0 && n_found * 2 >= n_groups).then_some(Finding {
        kind,
        n: n_found,
        of: n_groups,
        first,
        beside,
    })
}

/// The position of a total among the records of a group.
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
