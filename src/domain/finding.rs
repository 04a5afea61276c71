//! Findings: odd features of a file with valid lines, whose figures may be unintended.
//!
//! A finding is a warning. An option turns it into a refusal.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of an odd feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Unusually many firms never appeared before.
    UnseenFirms,
    /// Unusually many countries never appeared before.
    UnseenCountries,
    /// Unusually many regions never appeared before.
    UnseenRegions,
    /// Most records are of earlier months than the file.
    LateShare,
    /// Lines are equal to lines of another file of the month.
    SameLines,
    /// Values are the sums of others: totals among their parts.
    Aggregates,
    /// Codes differ only in blanks, zeros, width or case.
    NearCodes,
    /// Lines are in another encoding than the file.
    MixedEncoding,
    /// Months have so few records that the file neither closes nor replaces them.
    ThinMonth,
    /// The pattern passes over files of the folder.
    NamesPassedOver,
}

impl FindingKind {
    /// All kinds, in the order of lists.
    pub const ALL: [Self; 10] = [
        Self::UnseenFirms,
        Self::UnseenCountries,
        Self::UnseenRegions,
        Self::LateShare,
        Self::SameLines,
        Self::Aggregates,
        Self::NearCodes,
        Self::MixedEncoding,
        Self::ThinMonth,
        Self::NamesPassedOver,
    ];

    /// The name in options, tables and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnseenFirms => "unseen_firms",
            Self::UnseenCountries => "unseen_countries",
            Self::UnseenRegions => "unseen_regions",
            Self::LateShare => "late_share",
            Self::SameLines => "same_lines",
            Self::Aggregates => "aggregates",
            Self::NearCodes => "near_codes",
            Self::MixedEncoding => "mixed_encoding",
            Self::ThinMonth => "thin_month",
            Self::NamesPassedOver => "names_passed_over",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A finding about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The kind of the finding.
    pub kind: FindingKind,
    /// The number of odd codes, lines, groups, months or files.
    pub n: u64,
    /// The number of all of these.
    pub of: u64,
    /// The first odd ones, in the form of messages.
    pub first: Vec<String>,
    /// The object of the comparison: a file, an encoding, a usual share, a month, a pattern.
    pub beside: String,
}

/// The largest number of texts in a finding.
pub const SHOWN: usize = 3;

impl Finding {
    /// The first texts as one text.
    fn shown(&self) -> String {
        let n_more = self.n.saturating_sub(self.first.len() as u64);
        let more = if n_more == 0 { String::new() } else { format!(" and {n_more} more") };
        self.first.join(", ") + &more
    }
}

/// A share in percent with one decimal.
#[must_use]
pub fn percent(n: u64, of: u64) -> String {
    let per_mille = (n * 1000 + of / 2).checked_div(of).unwrap_or(0);
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, n, of, first, beside } = self;
        let shown = self.shown();
        write!(f, "{kind}: ")?;
        match kind {
            FindingKind::UnseenFirms => write!(
                f,
                "{n} of {of} firms ({}) were never seen before, and {beside} are usual: {shown}; \
                 check [columns] firm_id and [codes.firm_id] in the profile",
                percent(*n, *of)
            ),
            FindingKind::UnseenCountries => write!(
                f,
                "{n} of {of} countries ({}) were never seen before, and {beside} are usual: \
                 {shown}; check [columns] country and [codes.country] in the profile",
                percent(*n, *of)
            ),
            FindingKind::UnseenRegions => write!(
                f,
                "{n} of {of} regions ({}) were never seen before, and {beside} are usual: \
                 {shown}; check [columns] region and [codes.region] in the profile",
                percent(*n, *of)
            ),
            FindingKind::LateShare => write!(
                f,
                "{n} of {of} records are of months before {beside}: {shown}; if each file repeats \
                 earlier months, set [file] covers and revision = \"replace-periods\" in the \
                 profile"
            ),
            FindingKind::SameLines => write!(
                f,
                "{n} of {of} records are equal to records of {beside}, which count already: \
                 {shown}; if it is an extract of the same lines, withdraw one of the two files"
            ),
            FindingKind::Aggregates => write!(
                f,
                "in {n} of {of} groups that differ only in {beside}, a value is the sum of others: \
                 {shown}; leave totals out with drop in the profile"
            ),
            FindingKind::NearCodes => write!(
                f,
                "{n} codes differ from others only in blanks, zeros, width or case: {shown}; set \
                 width, strip or map in [codes] of the profile"
            ),
            FindingKind::MixedEncoding => write!(
                f,
                "{n} of {of} lines are text in {beside} and not in the file's encoding: {shown}; \
                 convert these lines, or check [file] encoding in the profile"
            ),
            FindingKind::ThinMonth => write!(
                f,
                "fewer than a tenth of the median month's records are of {}; they count as late \
                 records, and neither close nor replace these months",
                first.join(", ")
            ),
            FindingKind::NamesPassedOver => write!(
                f,
                "{shown} are not called like \"{beside}\"; rename them, or change [file] pattern \
                 in the profile"
            ),
        }
    }
}
