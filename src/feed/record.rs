//! What reading a monthly file yields: records, the texts they point to, rejects and counts.
//!
//! A line ends in exactly one of three ways: a [`Record`] that counts, a [`Record`] with an
//! [`Exclusion`], or a [`Reject`]; [`Counts`] adds up to the lines read.

use std::fmt;
use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::types::{City, Flow, Period};

/// Texts in order of first appearance; a record holds positions in it.
///
/// Codes and identifiers, up to [`Key::SHORT_MAX`] bytes, are held in the table of hashes itself: a
/// look-up that misses the processor's cache does so once. Longer texts stand one after another.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    texts: String,
    /// Where each text ends.
    ends: Vec<usize>,
    /// Open addressing, at most half full.
    slots: Vec<Slot>,
    /// The slot found last: the lines of a firm often stand together.
    last: Slot,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: Key,
    position: u32,
}

/// A short text itself, or the hash of a longer one; the default is that of no text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key([u64; 2]);

impl Key {
    /// The longest text that a key holds whole.
    pub const SHORT_MAX: usize = 15;
    const SHORT: u64 = 0x80 << 56;
    const LONG: u64 = 0xFF << 56;

    /// The key of a text.
    #[must_use]
    #[inline]
    #[expect(clippy::missing_panics_doc, reason = "the slices are of the lengths they are cut to")]
    pub fn of(text: &[u8]) -> Self {
        let eight = |at: usize| {
            u64::from_le_bytes(text[at..at + 8].try_into().expect("a slice of eight bytes"))
        };
        let four = |at: usize| {
            u32::from_le_bytes(text[at..at + 4].try_into().expect("a slice of four bytes"))
        };
        // Reads that overlap give the same bytes twice, in the same place.
        let (low, high) = match text.len() {
            0 => (0, 0),
            n @ 1..=3 => {
                let byte = |at: usize| u64::from(text[at]) << (8 * at);
                (byte(0) | byte(n / 2) | byte(n - 1), 0)
            }
            n @ 4..=7 => (u64::from(four(0)) | u64::from(four(n - 4)) << (8 * (n - 4)), 0),
            8 => (eight(0), 0),
            n @ 9..=Self::SHORT_MAX => (eight(0), eight(n - 8) >> (8 * (16 - n))),
            n => {
                let mut hasher = FxHasher::default();
                hasher.write(text);
                return Self([hasher.finish(), Self::LONG | n as u64]);
            }
        };
        Self([low, high | Self::SHORT | (text.len() as u64) << 56])
    }

    fn is_long(self) -> bool {
        self.0[1] >= Self::LONG
    }

    fn is_none(self) -> bool {
        self.0[1] == 0
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves are folded into one")]
    fn hash(self) -> usize {
        let [low, high] = self.0;
        let product = u128::from(low ^ 0x9E37_79B9_7F4A_7C15)
            * u128::from(high.rotate_left(8) ^ 0xD6E8_FEB8_6659_FD93);
        (product as u64 ^ (product >> 64) as u64) as usize
    }
}

impl PartialEq for Dictionary {
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends && self.texts == other.texts
    }
}

impl Eq for Dictionary {}

/// The fewest slots of a table that has any.
const SLOTS_MIN: usize = 16;

impl Dictionary {
    /// The position of a text, added at the end if it is new.
    ///
    /// # Panics
    /// Past 2³² different texts, which one file's limit on bytes rules out.
    pub fn intern(&mut self, text: &str) -> u32 {
        self.intern_bytes(text.as_bytes())
    }

    /// The position of a text that is known to be UTF-8, added at the end if it is new.
    ///
    /// # Panics
    /// If a new text is not UTF-8, or as for [`Dictionary::intern`].
    #[inline]
    pub fn intern_bytes(&mut self, text: &[u8]) -> u32 {
        let key = Key::of(text);
        if !self.is_in(self.last, key, text) {
            self.last = match self.find(key, text) {
                Ok(slot) => slot,
                Err(free) => self.insert(free, key, text),
            };
        }
        self.last.position
    }

    /// The position of a text that is there.
    #[must_use]
    pub fn position(&self, text: &str) -> Option<u32> {
        self.position_of(text.as_bytes())
    }

    /// The position of a text that is there, by its bytes.
    #[must_use]
    #[inline]
    pub fn position_of(&self, text: &[u8]) -> Option<u32> {
        let key = Key::of(text);
        if self.is_in(self.last, key, text) {
            return Some(self.last.position);
        }
        self.find(key, text).ok().map(|slot| slot.position)
    }

    /// Whether the text at a position is this one.
    #[must_use]
    #[inline]
    pub fn is_at(&self, position: u32, text: &[u8]) -> bool {
        self.bounds(position as usize)
            .is_some_and(|(start, end)| self.texts.as_bytes()[start..end] == *text)
    }

    #[inline]
    fn is_in(&self, slot: Slot, key: Key, text: &[u8]) -> bool {
        slot.key == key && (!key.is_long() || self.is_at(slot.position, text))
    }

    /// The slot of a text, or the one that it would have.
    #[inline]
    fn find(&self, key: Key, text: &[u8]) -> Result<Slot, usize> {
        if self.slots.is_empty() {
            return Err(0);
        }
        let mut at = key.hash() & (self.slots.len() - 1);
        loop {
            let slot = self.slots[at];
            if self.is_in(slot, key, text) {
                return Ok(slot);
            }
            if slot.key.is_none() {
                return Err(at);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    #[cold]
    fn insert(&mut self, free: usize, key: Key, text: &[u8]) -> Slot {
        let position = u32::try_from(self.ends.len());
        let position = position.expect("a dictionary holds no more than 2^32 texts");
        self.texts.push_str(std::str::from_utf8(text).expect("the caller knows that it is text"));
        self.ends.push(self.texts.len());
        let slot = Slot { key, position };
        if self.slots.len() < 2 * self.ends.len() {
            self.grow(slot);
        } else {
            self.slots[free] = slot;
        }
        slot
    }

    /// Doubles the table, and adds a slot.
    fn grow(&mut self, new: Slot) {
        let n_slots = (2 * self.slots.len()).max(SLOTS_MIN);
        let held = std::mem::replace(&mut self.slots, vec![Slot::default(); n_slots]);
        for slot in held.into_iter().filter(|slot| !slot.key.is_none()).chain([new]) {
            let mut at = slot.key.hash() & (n_slots - 1);
            while !self.slots[at].key.is_none() {
                at = (at + 1) & (n_slots - 1);
            }
            self.slots[at] = slot;
        }
    }

    fn bounds(&self, position: usize) -> Option<(usize, usize)> {
        let end = *self.ends.get(position)?;
        Some((if position == 0 { 0 } else { self.ends[position - 1] }, end))
    }

    /// The text at a position.
    ///
    /// # Panics
    /// If the position was not handed out by this dictionary.
    #[must_use]
    pub fn text(&self, position: u32) -> &str {
        let bounds = self.bounds(position as usize);
        let (start, end) = bounds.expect("a position that this dictionary handed out");
        &self.texts[start..end]
    }

    /// How many different texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The texts in order of position.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.texts[std::mem::replace(&mut start, end)..end])
    }
}

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
}

impl Exclusion {
    /// All of them, in order of precedence.
    pub const ALL: [Self; 3] = [Self::Country, Self::Intermediary, Self::Region];

    /// The name in tables and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Intermediary => "intermediary",
            Self::Region => "region",
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
    pub const ALL: [Self; 13] = [
        Self::Columns,
        Self::Quote,
        Self::Length,
        Self::Encoding,
        Self::Period,
        Self::FuturePeriod,
        Self::EarlyPeriod,
        Self::Flow,
        Self::Firm,
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
    /// What it breaks.
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_dictionary_numbers_texts_by_first_use(
            texts in prop::collection::vec("[ab\0é]{0,20}", 0..300),
        ) {
            let mut dictionary = Dictionary::default();
            let mut expected: Vec<&str> = Vec::new();
            for text in &texts {
                let known = expected.iter().position(|other| other == text);
                prop_assert_eq!(
                    dictionary.position(text).map(|at| at as usize),
                    known,
                );
                if known.is_none() {
                    expected.push(text);
                }
                let at = dictionary.intern(text);
                prop_assert_eq!(dictionary.text(at), text.as_str());
                prop_assert!(dictionary.is_at(at, text.as_bytes()));
            }
            prop_assert_eq!(dictionary.iter().collect::<Vec<_>>(), expected);
        }
    }
}
