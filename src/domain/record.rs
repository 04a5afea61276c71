//! What reading a monthly file yields: records, the texts they point to, rejects and counts.
//!
//! A line ends in exactly one of three ways: a [`Record`] that counts, a [`Record`] with an
//! [`Exclusion`], or a [`Reject`]; [`Counts`] adds up to the lines read.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::dictionary::Dictionary;
use crate::domain::types::{City, Flow, Period};

/// The texts of one file's records, one dictionary a column.
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
    /// Forgets the texts and keeps their room.
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
    /// The physical line of the file it starts on, the header being line 1.
    pub line: u32,
    /// The city of the region; none for the remainder of a province, which is excluded.
    pub city: Option<City>,
    /// The month it counts in.
    pub period: Period,
    /// Export or import.
    pub flow: Flow,
    /// Why it is outside the study, if it is.
    pub exclusion: Option<Exclusion>,
    /// The value in US cents; negative for an amendment.
    pub value_cents: i64,
}

/// Why a valid record is outside the study; the first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exclusion {
    /// A partner country on the list (Hong Kong).
    Country,
    /// A firm name that marks a trade intermediary.
    Intermediary,
    /// A region that the concordance gives no city.
    Region,
    /// A line that the profile's `keep` and `drop` leave out: a total beside its parts. It is
    /// counted, and no record.
    Filter,
    /// A line without a value, if the profile allows that. It is counted, and is no record.
    Missing,
}

impl Exclusion {
    /// All of them; those of records in order of precedence.
    pub const ALL: [Self; 5] =
        [Self::Country, Self::Intermediary, Self::Region, Self::Filter, Self::Missing];
    /// Those of records.
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

/// Why a line cannot be a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The number of columns is not the header's.
    Columns,
    /// A quoted field that is never closed, or text after its closing quote.
    Quote,
    /// A line or a field past the limit of length.
    Length,
    /// Bytes that are not text in the file's encoding.
    Encoding,
    /// Not a period as the profile writes it.
    Period,
    /// A period after the file's own.
    FuturePeriod,
    /// A period before the feed's first.
    EarlyPeriod,
    /// Neither an export nor an import.
    Flow,
    /// No firm identifier.
    Firm,
    /// An identifier or a code that has lost digits: `3.1E+09`, as a spreadsheet writes it.
    Code,
    /// A region that the reference tables do not know.
    Region,
    /// A country that the reference table does not know, or none.
    Country,
    /// Not a decimal number with at most two decimals.
    Number,
    /// A number past the range of amounts.
    Range,
}

impl Rule {
    /// All of them, in the order in which a line is checked.
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

/// A line that cannot be a record, with what one needs to find and mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The physical line it starts on, the header being line 1.
    pub line: u32,
    /// The column at fault, by its name in the file; empty where the whole line is.
    pub column: String,
    /// The broken rule.
    pub rule: Rule,
    /// The line as it stands, cut at [`Reject::RAW_BYTES_MAX`], with `�` for bytes that are not
    /// text.
    pub raw: String,
}

impl Reject {
    /// How much of a rejected line is kept.
    pub const RAW_BYTES_MAX: usize = 1024;
}

/// How the lines of a file ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines read, without the header and blank lines.
    pub lines: u64,
    /// Records that count.
    pub accepted: u64,
    /// Valid records outside the study, by [`Exclusion::ALL`].
    pub excluded: [u64; Exclusion::ALL.len()],
    /// Lines that cannot be records, by [`Rule::ALL`].
    pub rejected: [u64; Rule::ALL.len()],
    /// Accepted and excluded records whose value was rounded to cents.
    pub rounded: u64,
    /// A text between lines: a total, a note, the header repeated.
    pub footers: u64,
}

impl Counts {
    /// All excluded records.
    #[must_use]
    pub fn excluded_total(&self) -> u64 {
        self.excluded.iter().sum()
    }

    /// All rejected lines.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.iter().sum()
    }
}

/// A month of a flow.
pub type PeriodFlow = (Period, Flow);

/// What a file covers that is not simply a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The first month that it covers.
    pub first: Period,
    /// The last month that it covers.
    pub last: Period,
    /// Which part of its months it is: the flow and the part in its name.
    pub part: String,
    /// The flow in its name.
    pub flow: Option<Flow>,
    /// How many records it has of each month and flow, excluded ones included.
    pub records: BTreeMap<PeriodFlow, u64>,
}

impl Coverage {
    /// How many records it has of each month.
    #[must_use]
    pub fn by_month(&self) -> BTreeMap<Period, u64> {
        let mut by_month = BTreeMap::new();
        for ((period, _), n) in &self.records {
            *by_month.entry(*period).or_insert(0) += n;
        }
        by_month
    }

    /// The flows that it covers: the one in its name, or those of its records; both if it has none.
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

/// One monthly file, read whole and taken apart; nothing of it counts before it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    /// The file's name, without its folder.
    pub name: String,
    /// The month in its name.
    pub period: Period,
    /// BLAKE3 of the decompressed bytes, in hexadecimal.
    pub hash: String,
    /// Decompressed size in bytes.
    pub n_bytes: u64,
    /// The texts the records point to.
    pub texts: Texts,
    /// Valid lines, excluded ones included, in order of line.
    pub records: Vec<Record>,
    /// Lines that cannot be records, in order of line.
    pub rejects: Vec<Reject>,
    /// How the lines ended; adds up.
    pub counts: Counts,
    /// What it covers, where it is not simply a month.
    pub coverage: Option<Coverage>,
}
