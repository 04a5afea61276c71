//! What is odd about a file whose lines are in order: its figures may be others than were meant.
//!
//! A finding warns. An option turns it into a refusal.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// More firms than usual were never seen before.
    UnseenFirms,
    /// More countries than usual were never seen before.
    UnseenCountries,
    /// More regions than usual were never seen before.
    UnseenRegions,
    /// Most records are of earlier months than the file.
    LateShare,
    /// Lines that are equal to lines of another file of the month.
    SameLines,
    /// Values that are the sums of others: totals beside their parts.
    Aggregates,
    /// Codes that differ only in blanks, zeros, width or case.
    NearCodes,
    /// Lines that are text in another encoding than the file's.
    MixedEncoding,
    /// Months with so few records that the file neither closes nor replaces them.
    ThinMonth,
    /// Files of the folder that the pattern passes over.
    NamesPassedOver,
}

impl FindingKind {
    /// All of them, in the order in which they are listed.
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

    /// The kind of a name.
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

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is odd.
    pub kind: FindingKind,
    /// How many codes, lines, groups, months or files are.
    pub n: u64,
    /// Of how many.
    pub of: u64,
    /// The first of them, as a message shows them.
    pub first: Vec<String>,
    /// What they are compared with: a file, an encoding, a usual share, a month, a pattern.
    pub beside: String,
}

/// How many texts a finding shows.
pub const SHOWN: usize = 3;

impl Finding {
    /// The first texts in one.
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
