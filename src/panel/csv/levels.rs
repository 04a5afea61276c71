//! Texts to levels: equal texts give equal levels.

use super::missing::Missing;
use crate::panel::growing::{Growing, NotText, Role, Values};

/// A column of levels while texts are added.
pub(super) struct Levels {
    growing: Growing,
    /// The number of quoted fields whose text means a missing value if it is not quoted.
    pub(super) n_quoted: u64,
}

impl Default for Levels {
    fn default() -> Self {
        Self { growing: Growing::new(Role::Level, 0), n_quoted: 0 }
    }
}

impl Levels {
    pub(super) fn finish(self) -> Values {
        self.growing.finish()
    }

    /// Adds the level of a text; an empty text is missing.
    ///
    /// # Errors
    /// An error if the bytes are not text.
    pub(super) fn push(
        &mut self,
        text: &[u8],
        quoted: bool,
        missing: &Missing,
    ) -> Result<(), NotText> {
        if text.is_empty() {
            self.growing.push_missing();
            return Ok(());
        }
        if missing.has(text) {
            if !quoted {
                self.growing.push_missing();
                return Ok(());
            }
            self.n_quoted += 1;
        }
        match whole(text) {
            Some(whole) if self.growing.is_of_numbers() => {
                self.growing.push_whole(whole);
                Ok(())
            }
            _ => self.growing.push_text(text),
        }
    }
}

/// The number of digits up to which every whole number is below 2⁶³.
const DIGITS_MAX: usize = 18;

/// The whole number of a text in its shortest form; other forms are texts.
fn whole(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let is_shortest = match digits {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', ..] => digits.len() <= DIGITS_MAX,
        _ => false,
    };
    if !is_shortest {
        return None;
    }
    let mut value = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if digits.len() < text.len() { -value } else { value })
}
