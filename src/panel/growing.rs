//! A growing column, in the narrowest form that holds its values so far.
//!
//! ```text
//! whole numbers of 16 bits ─▶ of 32 bits ─▶ reals ─▶ texts
//! ```
//! # Shape
//! Each step holds all values of the previous one, exactly. Texts follow for levels only: above 2⁵³
//! a real would merge whole numbers. A text that is not a whole number in its shortest form (`01`,
//! `1E3`) is not equal to that number. A column of numbers stays a column of reals; a whole number
//! above 2⁵³ becomes the nearest real.

use std::fmt::Write as _;

use arrow_array::Array;

use crate::domain::dictionary::Dictionary;
use crate::estimate::panel::{Column, MISSING};

/// The largest range of whole numbers that a real holds exactly: above it, identifiers would merge.
const WHOLE_MAX: u64 = 1 << 53;

/// The use of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Values that a regression calculates with.
    Number,
    /// Levels of effects and clusters, which are equal or different.
    Level,
}

/// The values of a column.
#[derive(Clone, Debug)]
pub(super) enum Values {
    /// Whole numbers of 16 bits.
    Short(Vec<i16>),
    /// Whole numbers of 32 bits.
    Whole(Vec<i32>),
    /// Reals; NaN is missing.
    Reals(Vec<f64>),
    /// Texts by number; [`MISSING`] is missing.
    Texts(Vec<u32>, Dictionary),
}

impl Values {
    /// The values for the estimator.
    pub(super) fn column(&self) -> Column<'_> {
        match self {
            Self::Short(numbers) => Column::Short(numbers),
            Self::Whole(numbers) => Column::Integer(numbers),
            Self::Reals(numbers) => Column::Real(numbers),
            Self::Texts(codes, _) => Column::Code(codes),
        }
    }

    /// True if equal values are equal numbers.
    pub(super) fn are_numbers(&self) -> bool {
        !matches!(self, Self::Texts(..))
    }
}

/// A column to which values are added.
#[derive(Debug)]
pub(super) struct Growing {
    role: Role,
    values: Values,
    /// The number of rows of the file, if known.
    n_rows: usize,
}

impl Growing {
    /// An empty column; `n_rows` is the number of expected rows, if known.
    pub(super) fn new(role: Role, n_rows: usize) -> Self {
        let mut growing = Self { role, values: Values::Short(Vec::new()), n_rows };
        growing.values = Values::Short(growing.room());
        growing
    }

    /// Memory for the expected rows, if there is enough: a column that grows in steps takes up to
    /// twice as much.
    fn room<T>(&self) -> Vec<T> {
        let mut values = Vec::new();
        let _ = values.try_reserve_exact(self.n_rows);
        values
    }

    pub(super) fn finish(self) -> Values {
        self.values
    }

    /// True if all texts so far are whole numbers.
    pub(super) fn is_of_numbers(&self) -> bool {
        self.values.are_numbers()
    }

    /// Adds whole numbers; invalid entries are missing for any value.
    pub(super) fn extend_wholes(&mut self, values: &[i64], validity: &dyn Array) {
        let has_missing = validity.null_count() > 0;
        let (least, most) =
            values.iter().fold((0, 0), |(least, most), &value| (value.min(least), value.max(most)));
        self.widen_for(least, most, has_missing);
        #[expect(clippy::cast_possible_truncation, reason = "the column was widened for them")]
        match &mut self.values {
            Values::Short(numbers) => numbers.extend(values.iter().map(|&value| value as i16)),
            Values::Whole(numbers) => numbers.extend(values.iter().map(|&value| value as i32)),
            Values::Reals(numbers) => {
                numbers.extend(values.iter().enumerate().map(|(at, &value)| {
                    if has_missing && validity.is_null(at) { f64::NAN } else { nearest(value) }
                }));
            }
            Values::Texts(codes, texts) => {
                let mut digits = String::new();
                for (at, value) in values.iter().enumerate() {
                    codes.push(if validity.is_null(at) {
                        MISSING
                    } else {
                        interned(texts, &mut digits, *value)
                    });
                }
            }
        }
    }

    /// Adds a whole number.
    pub(super) fn push_whole(&mut self, value: i64) {
        self.widen_for(value, value, false);
        #[expect(clippy::cast_possible_truncation, reason = "the column was widened for it")]
        match &mut self.values {
            Values::Short(numbers) => numbers.push(value as i16),
            Values::Whole(numbers) => numbers.push(value as i32),
            Values::Reals(numbers) => numbers.push(nearest(value)),
            Values::Texts(codes, texts) => {
                let code = interned(texts, &mut String::new(), value);
                codes.push(code);
            }
        }
    }

    /// Adds a missing value.
    pub(super) fn push_missing(&mut self) {
        match &mut self.values {
            Values::Texts(codes, _) => codes.push(MISSING),
            _ => self.reals().push(f64::NAN),
        }
    }

    /// Adds a real to a column of reals or numbers.
    pub(super) fn push_real(&mut self, value: f64) {
        self.reals().push(value);
    }

    /// Adds reals.
    pub(super) fn extend_reals(&mut self, values: impl Iterator<Item = f64>) {
        self.reals().extend(values);
    }

    /// Adds a level by its text. The text is not a whole number in its shortest form, or exceeds
    /// 2⁵³.
    ///
    /// # Errors
    /// An error if the bytes are not text.
    pub(super) fn push_text(&mut self, text: &[u8]) -> Result<(), NotText> {
        let (codes, texts) = self.texts();
        let code = if let Some(code) = texts.position_of(text) {
            code
        } else {
            let text = std::str::from_utf8(text).map_err(|_| NotText)?;
            // A decoder replaces invalid bytes by this character, so different texts would merge.
            if text.contains('\u{FFFD}') {
                return Err(NotText);
            }
            texts.intern(text)
        };
        codes.push(code);
        Ok(())
    }

    /// Adds a level by a text that the caller knows to be valid.
    pub(super) fn push_known(&mut self, text: &str) {
        let (codes, texts) = self.texts();
        codes.push(texts.intern(text));
    }

    /// Widens the column until it can hold the whole numbers of a range.
    fn widen_for(&mut self, least: i64, most: i64, has_missing: bool) {
        let fits = |low: i64, high: i64| !has_missing && low <= least && most <= high;
        let size = least.unsigned_abs().max(most.unsigned_abs());
        match &self.values {
            Values::Short(_) if fits(i16::MIN.into(), i16::MAX.into()) => {}
            Values::Short(numbers) if fits(i32::MIN.into(), i32::MAX.into()) => {
                let mut wider = self.room();
                wider.extend(numbers.iter().map(|&number| i32::from(number)));
                self.values = Values::Whole(wider);
            }
            Values::Whole(_) if fits(i32::MIN.into(), i32::MAX.into()) => {}
            Values::Texts(..) => {}
            _ if size <= WHOLE_MAX || self.role == Role::Number => {
                self.reals();
            }
            _ => {
                self.texts();
            }
        }
    }

    /// Converts the column to reals.
    fn reals(&mut self) -> &mut Vec<f64> {
        let mut wider: Vec<f64>;
        match &self.values {
            Values::Short(numbers) => {
                wider = self.room();
                wider.extend(numbers.iter().map(|&number| f64::from(number)));
            }
            Values::Whole(numbers) => {
                wider = self.room();
                wider.extend(numbers.iter().map(|&number| f64::from(number)));
            }
            Values::Reals(_) => wider = Vec::new(),
            Values::Texts(..) => unreachable!("a column of texts takes no reals"),
        }
        if !matches!(self.values, Values::Reals(_)) {
            self.values = Values::Reals(wider);
        }
        match &mut self.values {
            Values::Reals(numbers) => numbers,
            _ => unreachable!("it was made so"),
        }
    }

    /// Converts the column to texts: whole numbers become their digits.
    fn texts(&mut self) -> (&mut Vec<u32>, &mut Dictionary) {
        if self.values.are_numbers() {
            let (mut codes, mut texts) = (self.room(), Dictionary::default());
            let mut digits = String::new();
            let mut code = |value: i64| interned(&mut texts, &mut digits, value);
            match &self.values {
                Values::Short(numbers) => codes.extend(numbers.iter().map(|&n| code(n.into()))),
                Values::Whole(numbers) => codes.extend(numbers.iter().map(|&n| code(n.into()))),
                #[expect(clippy::cast_possible_truncation, reason = "whole, and at most 2^53")]
                Values::Reals(numbers) => codes.extend(
                    numbers.iter().map(|&n| if n.is_nan() { MISSING } else { code(n as i64) }),
                ),
                Values::Texts(..) => {}
            }
            self.values = Values::Texts(codes, texts);
        }
        match &mut self.values {
            Values::Texts(codes, texts) => (codes, texts),
            _ => unreachable!("it was made so"),
        }
    }
}

/// Bytes that are not text in the encoding of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotText;

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, the nearest real above")]
fn nearest(value: i64) -> f64 {
    value as f64
}

fn interned(texts: &mut Dictionary, digits: &mut String, value: i64) -> u32 {
    digits.clear();
    write!(digits, "{value}").expect("a text takes what is written");
    texts.intern(digits)
}
