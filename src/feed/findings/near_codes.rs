//! Codes that differ only in blanks, zeros, width or case: one firm under two codes.

use rustc_hash::FxHashMap;

use crate::domain::dictionary::Dictionary;
use crate::domain::finding::{Finding, FindingKind, SHOWN};
use crate::domain::record::Texts;
use crate::feed::text::{is_blank, narrow};

/// Two similar codes, with their field.
type Pair = String;

/// True if a code has its shortest form; most codes do, and need no further check.
fn is_plain(code: &str) -> bool {
    let bytes = code.as_bytes();
    bytes.first() != Some(&b'0')
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_lowercase())
}

/// The common form of similar codes.
fn common(code: &str) -> String {
    let letters = code.chars().map(narrow).filter(|letter| !is_blank(*letter));
    let text: String = letters.flat_map(char::to_uppercase).collect();
    match text.trim_start_matches('0') {
        "" if !text.is_empty() => "0".to_owned(),
        bare => bare.to_owned(),
    }
}

fn pair(field: &str, a: &str, b: &str) -> Pair {
    format!("{field} \"{a}\" and \"{b}\"")
}

fn finding(n: u64, first: Vec<Pair>) -> Option<Finding> {
    let (kind, beside) = (FindingKind::NearCodes, String::new());
    (n > 0).then_some(Finding { kind, n, of: n, first, beside })
}

/// Finds similar codes in one file.
pub(super) fn within(texts: &Texts) -> Option<Finding> {
    let Texts { firms, regions, countries, trade_modes, .. } = texts;
    let fields = [
        ("firm_id", firms),
        ("region", regions),
        ("country", countries),
        ("trade_mode", trade_modes),
    ];
    let (mut n, mut first) = (0, Vec::new());
    for (field, codes) in fields {
        let mut others: FxHashMap<String, u32> = FxHashMap::default();
        for at in 0..u32::try_from(codes.len()).unwrap_or(u32::MAX) {
            let code = codes.text(at);
            if is_plain(code) {
                continue;
            }
            let common = common(code);
            let near = if common == code { None } else { codes.position(&common) };
            let near = near.or_else(|| others.insert(common, at));
            if let Some(near) = near {
                n += 1;
                if first.len() < SHOWN {
                    first.push(pair(field, codes.text(near), code));
                }
            }
        }
    }
    finding(n, first)
}

/// Forms of a home's codes that are not the shortest.
#[derive(Debug, Default)]
pub struct Spellings {
    n_codes: u32,
    /// The lengths of codes that begin with a zero, as bits of a number.
    zero_widths: u64,
    has_lowercase: bool,
}

impl Spellings {
    /// Adds the codes that are new since the last call.
    fn look_at(&mut self, codes: &Dictionary) {
        let n_codes = u32::try_from(codes.len()).unwrap_or(u32::MAX);
        for at in self.n_codes..n_codes {
            let code = codes.text(at).as_bytes();
            if code.first() == Some(&b'0') {
                self.zero_widths |=
                    1_u64.checked_shl(u32::try_from(code.len()).unwrap_or(64)).unwrap_or(0);
            }
            self.has_lowercase |= code.iter().any(u8::is_ascii_lowercase);
        }
        self.n_codes = n_codes;
    }

    /// The home's code that is similar to a new one.
    fn near<'c>(&self, code: &str, codes: &'c Dictionary) -> Option<&'c str> {
        let common = common(code);
        let known = |text: &str| {
            let position = if text == code { None } else { codes.position(text) };
            position.map(|at| codes.text(at))
        };
        let padded = (common.len() + 1..64).filter(|width| self.zero_widths >> width & 1 == 1);
        let padded = padded.map(|width| format!("{common:0>width$}"));
        let lowercase = self.has_lowercase.then(|| common.to_lowercase());
        known(&common).or_else(|| padded.chain(lowercase).find_map(|text| known(&text)))
    }

    /// Finds new codes that are similar to known ones.
    pub fn find<'n>(
        &mut self,
        field: &str,
        known: &Dictionary,
        new: impl Iterator<Item = &'n str>,
    ) -> Option<Finding> {
        self.look_at(known);
        let (mut n, mut first) = (0, Vec::new());
        for code in new {
            if is_plain(code) && self.zero_widths == 0 && !self.has_lowercase {
                continue;
            }
            if let Some(near) = self.near(code, known) {
                n += 1;
                if first.len() < SHOWN {
                    first.push(pair(field, near, code));
                }
            }
        }
        finding(n, first)
    }
}
