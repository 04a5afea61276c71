//! Texts to numbers: the decimal mark, truth values, missing values.

use super::missing::Missing;
use super::problem::CsvProblem;
use crate::feed::layout::DecimalMark;
use crate::panel::growing::{Growing, Role, Values};

/// A column of numbers while texts are added.
pub(super) struct Numbers {
    name: String,
    growing: Growing,
    sort: Sort,
}

/// The kind of a column's values so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Missing,
    Numbers,
    Booleans,
}

/// The decimal mark of a text: given, or inferred from its numbers.
#[derive(Debug, Default)]
pub(super) struct Marks {
    given: Option<DecimalMark>,
    /// The first number with a comma, and the first with a point.
    comma: Option<Seen>,
    point: Option<Seen>,
    /// True if some comma cannot separate thousands.
    is_decimal: bool,
}

/// A number in its original form.
#[derive(Clone, Debug)]
struct Seen {
    line: u64,
    column: String,
    text: String,
}

impl Numbers {
    pub(super) fn new(name: &str) -> Self {
        let mut growing = Growing::new(Role::Number, 0);
        growing.extend_reals(std::iter::empty());
        Self { name: name.to_owned(), growing, sort: Sort::Missing }
    }

    pub(super) fn finish(self) -> Values {
        self.growing.finish()
    }

    /// Adds the number of a text.
    ///
    /// # Errors
    /// An error if the text is neither a number, a truth value nor missing, or differs in kind from
    /// earlier values.
    pub(super) fn push(
        &mut self,
        text: &[u8],
        line: u64,
        missing: &Missing,
        marks: &mut Marks,
    ) -> Result<(), CsvProblem> {
        let text = text.trim_ascii();
        if missing.may_be_numbers && missing.has(text) {
            self.growing.push_real(f64::NAN);
            return Ok(());
        }
        let (value, sort) = match self.read(text, line, marks) {
            Some(number) if number.is_nan() => (number, self.sort),
            Some(number) => (number, Sort::Numbers),
            None if text.is_empty() || missing.has(text) => (f64::NAN, self.sort),
            None => match boolean(text) {
                Some(value) => (value, Sort::Booleans),
                None => return Err(self.problem(text, marks)),
            },
        };
        if self.sort == Sort::Missing {
            self.sort = sort;
        } else if self.sort != sort {
            let (column, text) = (self.name.clone(), lossy(text));
            return Err(CsvProblem::MixedBooleans { column, text });
        }
        self.growing.push_real(value);
        Ok(())
    }

    fn read(&self, text: &[u8], line: u64, marks: &mut Marks) -> Option<f64> {
        let seen = || Some(Seen { line, column: self.name.clone(), text: lossy(text) });
        if marks.given == Some(DecimalMark::Comma) {
            return if text.contains(&b'.') {
                None
            } else {
                with_comma(text).or_else(|| plain(text))
            };
        }
        if let Some(number) = plain(text) {
            if marks.point.is_none() && text.contains(&b'.') {
                marks.point = seen();
            }
            return Some(number);
        }
        if marks.given.is_some() || text.contains(&b'.') {
            return None;
        }
        let number = with_comma(text)?;
        if marks.comma.is_none() {
            marks.comma = seen();
        }
        marks.is_decimal |= !may_be_thousands(text);
        Some(number)
    }

    fn problem(&self, text: &[u8], marks: &Marks) -> CsvProblem {
        let (column, text) = (self.name.clone(), lossy(text));
        if with_separators(&text) {
            CsvProblem::Thousands { column, text }
        } else if marks.given.is_some() && text.contains(['.', ',']) {
            CsvProblem::Mark { column, text }
        } else {
            CsvProblem::NotNumber { column, text }
        }
    }
}

impl Marks {
    pub(super) fn new(given: Option<DecimalMark>) -> Self {
        Self { given, ..Self::default() }
    }

    /// Checks that the numbers of the text have one known decimal mark.
    ///
    /// # Errors
    /// The problem, with the line of a number that shows it.
    pub(super) fn check(&self) -> Result<(), (u64, CsvProblem)> {
        let Some(Seen { line, column, text }) = self.comma.clone() else { return Ok(()) };
        match self.point.clone() {
            Some(point) => {
                let (other_column, other) = (point.column, point.text);
                let other_line = point.line;
                let mixed =
                    CsvProblem::MixedMarks { column, text, other_column, other, other_line };
                Err((line, mixed))
            }
            None if !self.is_decimal => Err((line, CsvProblem::UnknownMark { column, text })),
            None => Ok(()),
        }
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// The number of a text with a decimal point; a whole number becomes the nearest real.
fn plain(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The number of a text with one decimal comma.
fn with_comma(text: &[u8]) -> Option<f64> {
    let at = text.iter().position(|byte| *byte == b',')?;
    let mut with_point = text.to_vec();
    with_point[at] = b'.';
    plain(&with_point)
}

/// True if the comma may separate thousands: three digits follow it, and one to three digits come
/// before it, of which the first is not zero.
fn may_be_thousands(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let Some(at) = digits.iter().position(|byte| *byte == b',') else { return false };
    let (whole, rest) = (&digits[..at], &digits[at + 1..]);
    (1..=3).contains(&whole.len())
        && whole[0] != b'0'
        && rest.len() == 3
        && rest.iter().all(u8::is_ascii_digit)
}

/// True if a text is a number with thousands separators.
fn with_separators(text: &str) -> bool {
    const SEPARATORS: [char; 7] = [',', '.', ' ', '\'', '_', '\u{a0}', '\u{202f}'];
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut groups = digits.split(SEPARATORS);
    let first = groups.next().unwrap_or_default();
    let is_number = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let groups: Vec<&str> = groups.collect();
    !first.is_empty()
        && is_number(first)
        && groups.iter().all(|group| is_number(group))
        && groups.first().is_some_and(|group| group.len() == 3)
}

/// A truth value in the form of R, pandas, polars and databases.
fn boolean(text: &[u8]) -> Option<f64> {
    match text {
        b"TRUE" | b"True" | b"true" | b"T" | b"t" => Some(1.0),
        b"FALSE" | b"False" | b"false" | b"F" | b"f" => Some(0.0),
        _ => None,
    }
}
