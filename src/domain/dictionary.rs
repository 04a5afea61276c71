//! A dictionary of texts: text by position, position by text.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// Texts in order of first appearance; records refer to texts by position.
///
/// Codes and identifiers, up to [`Key::SHORT_MAX`] bytes, are stored in the hash table itself, so
/// that a look-up misses the processor's cache at most once. Longer texts are stored one after
/// another.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    list: TextList,
    /// The hash table: open addressing, at most half full.
    slots: Vec<Slot>,
    /// The slot found last: the lines of a firm often follow each other.
    last: Slot,
}

/// Texts stored one after another, found by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextList {
    texts: String,
    /// The end of each text.
    ends: Vec<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    key: Key,
    position: u32,
}

/// A short text itself, or the hash of a longer one; the default stands for no text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key([u64; 2]);

impl Key {
    /// The longest text that fits into a key, in bytes.
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
        // Overlapping reads give the same bytes twice, in the same place.
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
        self.list == other.list
    }
}

impl Eq for Dictionary {}

/// The smallest number of slots of a table that is not empty.
const SLOTS_MIN: usize = 16;

impl Dictionary {
    /// The position of a text; a new text is appended.
    ///
    /// # Panics
    /// Past 2³² different texts, which one file's limit on bytes rules out.
    pub fn intern(&mut self, text: &str) -> u32 {
        self.intern_bytes(text.as_bytes())
    }

    /// The position of a text that the caller knows to be UTF-8; a new text is appended.
    ///
    /// # Panics
    /// If a new text is not UTF-8, and for the reason of [`Dictionary::intern`].
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

    /// The position of a text by its bytes; `None` if it is absent. The next search begins with the
    /// text.
    #[inline]
    pub fn find_again(&mut self, text: &[u8]) -> Option<u32> {
        let key = Key::of(text);
        if !self.is_in(self.last, key, text) {
            self.last = self.find(key, text).ok()?;
        }
        Some(self.last.position)
    }

    /// The position of a text; `None` if it is absent.
    #[must_use]
    pub fn position(&self, text: &str) -> Option<u32> {
        self.position_of(text.as_bytes())
    }

    /// The position of a text by its bytes; `None` if it is absent.
    #[must_use]
    #[inline]
    pub fn position_of(&self, text: &[u8]) -> Option<u32> {
        let key = Key::of(text);
        if self.is_in(self.last, key, text) {
            return Some(self.last.position);
        }
        self.find(key, text).ok().map(|slot| slot.position)
    }

    /// True if the text at a position has these bytes.
    #[must_use]
    #[inline]
    pub fn is_at(&self, position: u32, text: &[u8]) -> bool {
        self.list
            .bounds(position as usize)
            .is_some_and(|(start, end)| self.list.texts.as_bytes()[start..end] == *text)
    }

    #[inline]
    fn is_in(&self, slot: Slot, key: Key, text: &[u8]) -> bool {
        slot.key == key && (!key.is_long() || self.is_at(slot.position, text))
    }

    /// The slot of a text, or the index of a free slot for it.
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
        let position = u32::try_from(self.list.len());
        let position = position.expect("a dictionary holds no more than 2^32 texts");
        self.list.push(std::str::from_utf8(text).expect("the caller knows that it is text"));
        let slot = Slot { key, position };
        if self.slots.len() < 2 * self.list.len() {
            self.grow(slot);
        } else {
            self.slots[free] = slot;
        }
        slot
    }

    /// Doubles the table and adds a slot.
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

    /// Removes the texts and keeps the allocated memory: the next file has about as many.
    pub fn clear(&mut self) {
        self.list.texts.clear();
        self.list.ends.clear();
        self.slots.fill(Slot::default());
        self.last = Slot::default();
    }

    /// The texts by position, without the hash table.
    #[must_use]
    pub fn list(&self) -> &TextList {
        &self.list
    }

    /// The text at a position.
    ///
    /// # Panics
    /// If the position is not from this dictionary.
    #[must_use]
    pub fn text(&self, position: u32) -> &str {
        self.list.text(position)
    }

    /// The number of different texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True if there are no texts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The texts in order of position.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.list.iter()
    }
}

impl TextList {
    fn push(&mut self, text: &str) {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
    }

    fn bounds(&self, position: usize) -> Option<(usize, usize)> {
        let end = *self.ends.get(position)?;
        Some((if position == 0 { 0 } else { self.ends[position - 1] }, end))
    }

    /// The text at a position.
    ///
    /// # Panics
    /// If no text has the position.
    #[must_use]
    pub fn text(&self, position: u32) -> &str {
        let bounds = self.bounds(position as usize);
        let (start, end) = bounds.expect("a position that was handed out");
        &self.texts[start..end]
    }

    /// The number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if there are no texts.
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

        #[test]
        fn a_dictionary_that_was_cleared_is_as_a_new_one(
            before in prop::collection::vec("[ab\0é]{0,20}", 0..100),
            texts in prop::collection::vec("[ab\0é]{0,20}", 0..100),
        ) {
            let (mut used, mut new) = (Dictionary::default(), Dictionary::default());
            for text in &before {
                used.intern(text);
            }
            used.clear();
            prop_assert!(before.iter().all(|text| used.position(text).is_none()));
            for text in &texts {
                prop_assert_eq!(used.intern(text), new.intern(text));
            }
            prop_assert_eq!(used, new);
        }
    }
}
