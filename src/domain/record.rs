//! The content of a monthly file: records, their texts, rejects and counts.
//!
//! A line ends in exactly one of three ways: a [`Record`] that counts, a [`Record`] with an
//! [`Exclusion`], or a [`Reject`]; [`Counts`] adds up to the lines read.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::dictionary::Dictionary;
use crate::domain::finding::Finding;
use crate::domain::types::{City, Flow, Period};

/// The texts of one file's records, with one dictionary for each column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Firm identifiers.
    pub firms: Dictionary,
    /// Firm names.
    pub names: Dictionary,
    /// Places of production, as the feed writes them.
    pub regions: Dictionary,
    /// Partner country codes.
    pub countries: Dictionary,
    /// Product codes of eight digits.
    pub products: Dictionary,
    /// Customs trade modes.
    pub trade_modes: Dictionary,
}

impl Texts {
    /// Removes the texts and keeps the allocated memory.
    pub fn clear(&mut self) {
        let Self { firms, names, regions, countries, products, trade_modes } = self;
        for dictionary in [firms, names, regions, countries, products, trade_modes] {
            dictionary.clear();
        }
    }
}

/// One valid line of a customs feed: a firm ships a product from a region to a country in a month.
///
/// Texts are positions in the file's [`Texts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Position in [`Texts::firms`].
    pub firm: u32,
    /// Position in [`Texts::names`].
    pub name: u32,
    /// Position in [`Texts::regions`].
    pub region: u32,
    /// Position in [`Texts::countries`].
    pub country: u32,
    /// Position in [`Texts::products`].
    pub product: u32,
    /// Position in [`Texts::trade_modes`].
    pub trade_mode: u32,
    /// The line of the file on which the record starts; the header is line 1.
    pub line: u32,
    /// The city of the region; `None` for the remainder of a province, which is excluded.
    pub city: Option<City>,
    /// The month in which the record counts.
    pub period: Period,
    /// Export or import.
    pub flow: Flow,
    /// The reason for an exclusion from the study.
    pub exclusion: Option<Exclusion>,
    /// The value in US cents; negative for an amendment.
    pub value_cents: i64,
}

/// The reason why a valid record is outside the study. The first reason in this order applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exclusion {
    /// A partner country on the list (Hong Kong).
    Country,
    /// A firm name that marks a trade intermediary.
    Intermediary,
    /// A region without a city in the concordance.
    Region,
    /// A line that the profile's `keep` and `drop` exclude, such as a total next to its parts. It
    /// is counted, but gives no record.
    Filter,
    /// A line without a value, if the profile allows it. It is counted, but gives no record.
    Missing,
}

impl Exclusion {
    /// All exclusions; those of records first, in order of precedence.
    pub const ALL: [Self; 5] =
        [Self::Country, Self::Intermediary, Self::Region, Self::Filter, Self::Missing];
    /// The exclusions of records.
    pub const OF_RECORDS: [Self; 3] = [Self::Country, Self::Intermediary, Self::Region];

    /// The name in tables and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Intermediary => "intermediary",
            Self::Region => "region",
            Self::Filter => "filter",
            Self::Missing => "missing",
        }
    }
}

/// The rule that a rejected line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The number of columns differs from the header.
    Columns,
    /// A quoted field that is never closed, or text after its closing quote.
    Quote,
    /// A line or a field past the limit of length.
    Length,
    /// Bytes that are not text in the file's encoding.
    Encoding,
    /// A period in another format than the profile's.
    Period,
    /// A period after the period of the file.
    FuturePeriod,
    /// A period before the feed's first month.
    EarlyPeriod,
    /// Neither an export nor an import.
    Flow,
    /// No firm identifier.
    Firm,
    /// An identifier or a code without some of its digits: `3.1E+09`, as a spreadsheet writes it.
    Code,
    /// A region that is not in the reference tables.
    Region,
    /// A missing country, or one that is not in the reference table.
    Country,
    /// Not a decimal number with at most two decimals.
    Number,
    /// A number outside the range of amounts.
    Range,
}

impl Rule {
    /// The rules that reject a line because the tables lack its code; a later table may have it.
    pub const OF_CODES: [Self; 2] = [Self::Region, Self::Country];
    /// All rules, in the order in which a line is checked.
    pub const ALL: [Self; 14] = [
        Self::Columns,
        Self::Quote,
        Self::Length,
        Self::Encoding,
        Self::Period,
        Self::FuturePeriod,
        Self::EarlyPeriod,
        Self::Flow,
        Self::Firm,
        Self::Code,
        Self::Region,
        Self::Country,
        Self::Number,
        Self::Range,
    ];

    /// The name in tables and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Columns => "columns",
            Self::Quote => "quote",
            Self::Length => "length",
            Self::Encoding => "encoding",
            Self::Period => "period",
            Self::FuturePeriod => "future_period",
            Self::EarlyPeriod => "early_period",
            Self::Flow => "flow",
            Self::Firm => "firm",
            Self::Code => "code",
            Self::Region => "region",
            Self::Country => "country",
            Self::Number => "number",
            Self::Range => "range",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A line that cannot be a record, with the data to find and correct it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The line of the file on which the reject starts; the header is line 1.
    pub line: u32,
    /// The name of the faulty column in the file; empty if the whole line is at fault.
    pub column: String,
    /// The broken rule.
    pub rule: Rule,
    /// The original line, cut at [`Reject::RAW_BYTES_MAX`], with `�` for bytes that are not text.
    pub raw: String,
}

impl Reject {
    /// The stored length of a rejected line, in bytes.
    pub const RAW_BYTES_MAX: usize = 1024;
}

/// The rejected lines of a refused file that are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptRejects {
    /// The number of all rejected lines.
    pub n_all: u64,
    /// The first of them.
    pub first: Vec<Reject>,
}

impl KeptRejects {
    /// The largest size of the kept lines of a file, in bytes.
    pub const BYTES_MAX: usize = 4 << 20;

    /// Keeps the first lines.
    #[must_use]
    pub fn of(mut rejects: Vec<Reject>) -> Self {
        let n_all = rejects.len() as u64;
        let mut n_bytes = 0;
        let fits = |reject: &&Reject| {
            n_bytes += reject.raw.len() + reject.column.len();
            n_bytes <= Self::BYTES_MAX
        };
        let n_kept = rejects.iter().take_while(fits).count();
        rejects.truncate(n_kept);
        rejects.shrink_to_fit();
        Self { n_all, first: rejects }
    }
}

/// The numbers of lines of a file by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines read, without the header and blank lines.
    pub lines: u64,
    /// Accepted records.
    pub accepted: u64,
    /// Valid records outside the study, by [`Exclusion::ALL`].
    pub excluded: [u64; Exclusion::ALL.len()],
    /// Lines that cannot be records, by [`Rule::ALL`].
    pub rejected: [u64; Rule::ALL.len()],
    /// Accepted and excluded records whose value was rounded to cents.
    pub rounded: u64,
    /// Texts between lines: a total, a note, a repeated header.
    pub footers: u64,
    /// Lines that another file counts as rejected and that were read again; by [`Rule::OF_CODES`].
    pub read_again: [u64; Rule::OF_CODES.len()],
}

impl Counts {
    /// The number of all excluded records.
    #[must_use]
    pub fn excluded_total(&self) -> u64 {
        self.excluded.iter().sum()
    }

    /// The number of all rejected lines.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.iter().sum()
    }
}

/// A month and a flow.
pub type PeriodFlow = (Period, Flow);

/// The number of records of each month and flow.
#[must_use]
pub fn n_by_period_flow(records: &[Record]) -> BTreeMap<PeriodFlow, u64> {
    let mut n_records = BTreeMap::new();
    for same in records.chunk_by(|a, b| (a.period, a.flow) == (b.period, b.flow)) {
        *n_records.entry((same[0].period, same[0].flow)).or_insert(0) += same.len() as u64;
    }
    n_records
}

/// The coverage of a file that is not simply one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The first covered month.
    pub first: Period,
    /// The last covered month.
    pub last: Period,
    /// The part of its months that the file holds: the flow and the part in its name.
    pub part: String,
    /// The flow in its name.
    pub flow: Option<Flow>,
    /// The number of records for each month and flow, including excluded ones.
    pub records: BTreeMap<PeriodFlow, u64>,
}

impl Coverage {
    /// The number of records for each month.
    #[must_use]
    pub fn by_month(&self) -> BTreeMap<Period, u64> {
        let mut by_month = BTreeMap::new();
        for ((period, _), n) in &self.records {
            *by_month.entry(*period).or_insert(0) += n;
        }
        by_month
    }

    /// The covered flows: the one in the name, or those of the records; both flows without records.
    #[must_use]
    pub fn flows(&self) -> Vec<Flow> {
        if let Some(flow) = self.flow {
            return vec![flow];
        }
        let flows = [Flow::Export, Flow::Import];
        let has = |flow: &Flow| self.records.keys().any(|(_, of)| of == flow);
        let found: Vec<Flow> = flows.into_iter().filter(has).collect();
        if found.is_empty() { flows.to_vec() } else { found }
    }
}

/// One monthly file, read completely and parsed; its records do not count before the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    /// The file's name, without its folder.
    pub name: String,
    /// The month in its name.
    pub period: Period,
    /// BLAKE3 of the unpacked bytes, in hexadecimal.
    pub hash: String,
    /// The unpacked size in bytes.
    pub n_bytes: u64,
    /// The texts of the records.
    pub texts: Texts,
    /// Valid lines, excluded ones included, in order of line.
    pub records: Vec<Record>,
    /// Lines that cannot be records, in order of line.
    pub rejects: Vec<Reject>,
    /// The numbers of lines by outcome; they add up to the lines read.
    pub counts: Counts,
    /// The coverage, if the file is not simply one month.
    pub coverage: Option<Coverage>,
    /// The names of its columns, if a line was rejected because the tables lack its code.
    pub columns: Vec<String>,
    /// The findings about the file alone.
    pub findings: Vec<Finding>,
    /// The first rejected lines of each rule, as messages show them.
    pub shown: Vec<(Rule, String)>,
}
