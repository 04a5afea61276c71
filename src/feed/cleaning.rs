//! Texts to codes: removes what spreadsheets and databases add to a code, and restores what they
//! remove.
//!
//! Nearly every code is already clean. One pass over the classes of its bytes shows this; only
//! other codes cost more.

use std::collections::BTreeMap;

use super::codes::{CodeLayout, CodeMap};
use super::columns::Field;
use super::profile::Profile;
use super::text::{is_wide, narrow, trimmed};
use crate::domain::record::Rule;

/// Classes of bytes that require a closer look at a text.
mod class {
    pub const POINT: u8 = 1;
    pub const PLUS: u8 = 2;
    pub const SPREADSHEET: u8 = 4;
    pub const CONTROL: u8 = 8;
    pub const SPACE: u8 = 16;
    pub const WIDE: u8 = 32;

    /// The class of each byte.
    pub const OF: [u8; 256] = {
        let mut of = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            of[byte] = match byte {
                0x20 => SPACE,
                0..0x20 | 0x7F => CONTROL,
                0x2B => PLUS,
                0x2E => POINT,
                0x22 | 0x27 | 0x3D => SPREADSHEET,
                0x80.. => WIDE,
                _ => 0,
            };
            byte += 1;
        }
        of
    };
}

/// The rules for reading the codes of a file.
#[derive(Debug)]
pub struct Cleaning {
    /// True if texts are trimmed and codes are restored.
    pub is_on: bool,
    codes: [Codes; N_FIELDS],
}

const N_FIELDS: usize = Field::ALL.len();

/// The rules for reading the codes of one field.
#[derive(Debug, Default)]
struct Codes {
    /// The classes of bytes that require a closer look.
    asking: u8,
    /// True if every text requires a closer look.
    always: bool,
    /// The full width of a code in characters; a shorter code may lack digits.
    width: usize,
    is_product: bool,
    /// True if the field keeps the reading of homes made before this cleaning existed.
    is_cleaned: bool,
    pad: char,
    strip: Option<Vec<String>>,
    map: Option<BTreeMap<String, String>>,
}

impl Cleaning {
    /// The rules of a profile.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let is_on = profile.is_trimmed();
        let mut codes: [Codes; N_FIELDS] = Default::default();
        let plain = CodeLayout::default();
        for (field, layout) in profile.codes.by_field().chain([(Field::Period, &plain)]) {
            let checks_digits = profile.checks_codes()
                && matches!(field, Field::FirmId | Field::Region | Field::Country | Field::Hs8);
            codes[field as usize] = Codes::new(field, layout, is_on, checks_digits);
        }
        Self { is_on, codes }
    }

    /// True if a code is its unchanged text.
    #[inline]
    #[must_use]
    pub fn leaves(&self, field: Field, text: &[u8]) -> bool {
        let codes = &self.codes[field as usize];
        let found = text.iter().fold(0, |found, byte| found | class::OF[usize::from(*byte)]);
        let is_odd = codes.is_product && text.len() % 2 == 1;
        found & codes.asking == 0
            && !codes.always
            && text.len() >= codes.width
            && !is_odd
            && (found & class::SPACE == 0 || (text[0] != b' ' && text[text.len() - 1] != b' '))
    }

    /// The code of a text, or `None` if the code is the text itself.
    ///
    /// # Errors
    /// [`Rule::Code`] if a spreadsheet stored the code as a number and its digits are lost.
    #[cold]
    pub fn code(&self, field: Field, text: &str) -> Result<Option<String>, Rule> {
        let codes = &self.codes[field as usize];
        if codes.is_cleaned {
            return codes.cleaned(text);
        }
        if codes.asking != 0 && has_lost_digits(text) {
            return Err(Rule::Code);
        }
        Ok(None)
    }
}

impl Codes {
    fn new(field: Field, layout: &CodeLayout, is_on: bool, checks_digits: bool) -> Self {
        let lost = if checks_digits { class::PLUS } else { 0 };
        let is_product = is_on && field == Field::Hs8;
        let (asking, is_cleaned) = match (is_on, layout.is_plain()) {
            (true, _) => {
                let added = class::SPREADSHEET | class::CONTROL | class::WIDE;
                // The month's format checks digits and points.
                let point = if field == Field::Period { 0 } else { class::POINT };
                (lost | added | point, true)
            }
            (false, false) => (lost, true),
            (false, true) => (lost, false),
        };
        let map = match &layout.map {
            Some(CodeMap::Inline(map)) => Some(map.clone()),
            _ => None,
        };
        Self {
            asking,
            always: map.is_some() || layout.strip.is_some() || (is_cleaned && !is_on),
            width: layout.width.map_or(0, |width| usize::from(width.get())),
            is_product,
            is_cleaned,
            pad: layout.pad.unwrap_or('0'),
            strip: layout.strip.clone().or_else(|| (!is_on).then(Vec::new)),
            map,
        }
    }

    fn cleaned(&self, text: &str) -> Result<Option<String>, Rule> {
        let narrowed = is_wide(text).then(|| text.chars().map(narrow).collect::<String>());
        let bare = self.stripped(trimmed(narrowed.as_deref().unwrap_or(text)));
        if let Some(code) = self.mapped(bare) {
            return Ok(Some(code));
        }
        if self.asking & class::PLUS != 0 && has_lost_digits(bare) {
            return Err(Rule::Code);
        }
        let whole = self.whole(bare);
        let code = whole.as_deref().unwrap_or(bare);
        if let Some(code) = self.mapped(code) {
            return Ok(Some(code));
        }
        Ok((code != text).then(|| code.to_owned()))
    }

    fn mapped(&self, text: &str) -> Option<String> {
        self.map.as_ref().and_then(|map| map.get(text)).cloned()
    }

    /// A text without the additions of spreadsheets: `'123`, `="123"`.
    fn stripped<'t>(&self, text: &'t str) -> &'t str {
        let Some(tokens) = &self.strip else {
            let bare = text.strip_prefix('=').unwrap_or(text);
            let quoted = |mark: char| {
                let inside = bare.strip_prefix(mark)?.strip_suffix(mark)?;
                (!inside.is_empty()).then_some(inside)
            };
            let bare = quoted('"').or_else(|| quoted('\'')).unwrap_or(text);
            return trimmed(bare.strip_prefix('\'').unwrap_or(bare));
        };
        let mut bare = text;
        for token in tokens.iter().filter(|token| !token.is_empty()) {
            if let Some(rest) = bare.strip_prefix(token.as_str()) {
                // The opening mark of a quotation also closes it.
                let closes = token.ends_with('"') && token != "\"";
                bare = if closes { rest.strip_suffix('"').unwrap_or(rest) } else { rest };
            }
            bare = bare.strip_suffix(token.as_str()).unwrap_or(bare);
        }
        if self.is_cleaned && self.asking & class::CONTROL == 0 { bare } else { trimmed(bare) }
    }

    /// A code of digits with its lost digits restored and added digits removed.
    fn whole(&self, text: &str) -> Option<String> {
        let is_on = self.asking & class::CONTROL != 0;
        let mut digits = text.to_owned();
        if is_on && self.asking & class::POINT != 0 {
            digits = without_point(text, self.is_product)?;
        }
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let width = match self.width {
            // A code of the harmonized system has an even number of digits. An odd number means a
            // lost leading zero.
            0 if self.is_product => digits.len() + digits.len() % 2,
            width => width,
        };
        let n_missing = width.saturating_sub(digits.len());
        Some(std::iter::repeat_n(self.pad, n_missing).collect::<String>() + &digits)
    }
}

/// Digits without the `.0` of a number, and a product code without the points between its parts;
/// `None` for another text.
fn without_point(text: &str, is_product: bool) -> Option<String> {
    let mut parts = text.split('.');
    let whole = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !rest.iter().all(|part| digits(part)) {
        return None;
    }
    match rest[..] {
        [] => Some(whole.to_owned()),
        // 0901.11 (heading and subheading) and 090111.00 are codes, not numbers.
        [part] if is_product && part.len() == 2 && matches!(whole.len(), 4 | 6) => {
            Some(whole.to_owned() + part)
        }
        [zeros] if zeros.bytes().all(|byte| byte == b'0') => Some(whole.to_owned()),
        _ if is_product && rest.iter().all(|part| part.len() == 2) => {
            Some(whole.to_owned() + &rest.concat())
        }
        _ => None,
    }
}

/// True if a spreadsheet stored a code as a number: digits, an optional mark with more digits,
/// `E+09`.
fn has_lost_digits(code: &str) -> bool {
    let [mantissa @ .., b'E' | b'e', b'+', b'0'..=b'9', b'0'..=b'9'] = code.as_bytes() else {
        return false;
    };
    let mark = mantissa.iter().position(|byte| matches!(byte, b'.' | b','));
    let (whole, rest) = mantissa.split_at(mark.unwrap_or(mantissa.len()));
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits(whole) && rest.split_first().is_none_or(|(_, decimals)| digits(decimals))
}

#[cfg(test)]
mod tests;
