//! A small feed with all difficulties for incremental figures. Plants open and close; cells are
//! amended, cancelled and revived. There are late records, imports, intermediaries, Hong Kong and
//! quoted names.
//!
//! The same seed gives the same feed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::HEADER;

/// Cities with areas that are not round numbers; two of them are alone in their province.
pub const CITIES: &str = "city,province,area_km2\n\
    1101,11,731.25\n1102,11,2418\n1103,11,90.5\n2101,21,1024\n2102,21,17\n\
    3101,31,555.000001\n4101,41,6340\n";

const REGIONS: [&str; 7] = ["1101", "1102", "1103", "2101", "2102", "3101", "4101"];
const COUNTRIES: [&str; 5] = ["301", "116", "502", "601", "110"];
const N_FIRMS: u64 = 14;

/// The months of a feed in order, with their lines.
pub struct NastyFeed {
    /// `YYYYMM` and the lines of the file, without the header.
    pub months: Vec<(String, Vec<String>)>,
}

/// The generator splitmix64, which is short and gives the same numbers on every machine.
pub struct Random(u64);

impl Random {
    /// A sequence for a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        let at = self.below(texts.len() as u64);
        texts[usize::try_from(at).expect("a position in a short list")]
    }

    /// Shuffles items.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            let other = self.below(at as u64 + 1);
            things.swap(at, usize::try_from(other).expect("a position in a list"));
        }
    }
}

/// The content of a record; an amendment repeats it.
#[derive(Clone)]
struct Trade {
    month: usize,
    firm: u64,
    region: &'static str,
    country: &'static str,
    flow: &'static str,
    cents: i64,
}

impl NastyFeed {
    /// A feed of `n_months` months from January 2000; prints its seed.
    pub fn new(seed: u64, n_months: usize) -> Self {
        println!("seed {seed}, {n_months} months");
        let mut random = Random::new(seed);
        let mut past: Vec<Trade> = Vec::new();
        let months = (0..n_months).map(|month| {
            let mut trades = trades_of(month, &mut random);
            trades.extend(corrections(&past, month, &mut random));
            past.extend_from_slice(&trades);
            (name_of(month), trades.iter().map(|trade| line(trade, &mut random)).collect())
        });
        Self { months: months.collect() }
    }

    /// The files, one for each month, as name and text.
    pub fn files(&self) -> impl Iterator<Item = (String, String)> {
        self.months.iter().map(|(month, lines)| (format!("{month}.csv"), text(lines)))
    }

    /// The same lines in another order within each month.
    pub fn shuffled(&self, random: &mut Random) -> Self {
        let mut months = self.months.clone();
        for (_, lines) in &mut months {
            random.shuffle(lines);
        }
        Self { months }
    }

    /// The same lines in a file for each year of their months, as year and text.
    pub fn years(&self) -> Vec<(String, String)> {
        let mut years: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in self.months.iter().flat_map(|(_, lines)| lines) {
            years.entry(line[..4].to_owned()).or_default().push(line.clone());
        }
        years.into_iter().map(|(year, lines)| (year, text(&lines))).collect()
    }

    /// The same lines, with each month split into `n_parts` files.
    pub fn cut(&self, n_parts: usize) -> Vec<(String, String)> {
        let parts = |(month, lines): &(String, Vec<String>)| -> Vec<(String, String)> {
            let size = lines.len().div_ceil(n_parts);
            let part = |(at, lines): (usize, &[String])| (format!("{month}-{at}.csv"), text(lines));
            lines.chunks(size).enumerate().map(part).collect()
        };
        self.months.iter().flat_map(parts).collect()
    }
}

/// A file of the canonical layout.
pub fn text(lines: &[String]) -> String {
    lines.iter().fold(format!("{HEADER}\n"), |text, line| text + line + "\n")
}

fn name_of(month: usize) -> String {
    format!("{}{:02}", 2000 + month / 12, month % 12 + 1)
}

/// The shipments of a month. Firms ship from one to four cities each; some plants do not trade in
/// some quarters, or never in January.
fn trades_of(month: usize, random: &mut Random) -> Vec<Trade> {
    let mut trades = Vec::new();
    for firm in 0..N_FIRMS {
        for plant in 0..=firm % 4 {
            let at = usize::try_from((firm * 3 + plant * 2) % 7).expect("one of seven");
            let rests = (month as u64 / 3 + firm + plant).is_multiple_of(4);
            for country in COUNTRIES {
                if rests || random.below(100) < 55 {
                    continue;
                }
                let flow = if random.one_in(8) { "I" } else { "E" };
                let cents = i64::try_from(random.below(2_000_000)).expect("a small amount");
                let region = REGIONS[at];
                trades.push(Trade { month, firm, region, country, flow, cents });
            }
        }
    }
    trades
}

/// Late records, amendments and cancellations of shipments in any earlier month.
fn corrections(past: &[Trade], month: usize, random: &mut Random) -> Vec<Trade> {
    if past.is_empty() {
        return Vec::new();
    }
    let n_corrections = past.len() as u64 / 25 + 6;
    let correction = |random: &mut Random| {
        let at = random.below(past.len() as u64);
        let trade = past[usize::try_from(at).expect("a position in a list")].clone();
        let cents = match random.below(6) {
            0 | 1 => -trade.cents,
            2 => -trade.cents * 7 / 3 - 1,
            3 => -trade.cents / 3,
            _ => trade.cents / 2 + 1,
        };
        // Some are for a month in which the plant may have no shipments.
        let month = if random.one_in(4) { (trade.month + 5).min(month) } else { trade.month };
        Trade { month, cents, ..trade }
    };
    (0..n_corrections).map(|_| correction(random)).collect()
}

fn line(trade: &Trade, random: &mut Random) -> String {
    let Trade { month, firm, region, country, flow, cents } = trade;
    let names = ["厂", "\"a \"\"quoted\"\" name, with a comma\"", "plain", ""];
    let name = if random.one_in(40) { "东方进出口公司" } else { random.of(&names) };
    let district = random.below(9);
    let mut line =
        format!("{},{flow},f{firm:02},{name},{region}{district},{country}", name_of(*month));
    let (sign, cents) = (if *cents < 0 { "-" } else { "" }, cents.abs());
    let product = random.of(&["84713000", "61091000"]);
    let _ = write!(line, ",{product},10,{sign}{}.{:02}", cents / 100, cents % 100);
    line
}
