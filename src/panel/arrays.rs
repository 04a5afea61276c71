//! Arrow arrays of any type to columns: [`Kind`] describes the values, an array their storage.

use std::fmt::Display;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type,
    Float64Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_schema::{ArrowError, DataType};

use super::growing::{Growing, Role, Values};
use super::kind::Kind;
use super::table::Stored;
use super::wanted::Roles;
use crate::domain::dictionary::Dictionary;

/// A column of a file while arrays are added, in the requested forms.
pub(super) struct Column {
    kind: Kind,
    number: Option<Growing>,
    level: Option<Growing>,
}

impl Column {
    pub(super) fn new(kind: Kind, roles: Roles, n_rows: usize) -> Self {
        // Whole numbers are levels themselves: one form serves both, unless they are large.
        let grow = |role| Growing::new(role, n_rows);
        Self {
            kind,
            number: roles.number.then(|| grow(Role::Number)),
            level: roles.level.then(|| grow(Role::Level)),
        }
    }

    pub(super) fn finish(self, name: String) -> Stored {
        let level = self.level.map(Growing::finish);
        let level = match (self.kind, level) {
            (Kind::Binary, Some(Values::Texts(codes, texts))) => {
                Some(Values::Texts(codes, from_hexadecimal(&texts)))
            }
            (_, level) => level,
        };
        Stored::new(name, self.kind, self.number.map(Growing::finish), level)
    }

    /// Adds the values of an array.
    ///
    /// # Errors
    /// An error if a dictionary's keys exceed its values.
    pub(super) fn append(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        match array.data_type() {
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let keys = dictionary.keys();
                let plain = arrow_select::take::take(dictionary.values(), keys, None)?;
                return self.append(&plain);
            }
            DataType::Null => (0..array.len()).for_each(|_| self.push_missing()),
            DataType::Boolean => {
                let values = array.as_boolean().values();
                let wholes: Vec<i64> = values.iter().map(i64::from).collect();
                self.wholes(&wholes, array);
            }
            DataType::Float16 => {
                let values = array.as_primitive::<Float16Type>();
                self.reals(
                    values.iter().map(|value| {
                        value.map(<Float16Type as ArrowPrimitiveType>::Native::to_f64)
                    }),
                );
            }
            DataType::Float32 => {
                let values = array.as_primitive::<Float32Type>();
                self.reals(values.iter().map(|value| value.map(f64::from)));
            }
            DataType::Float64 => self.reals(array.as_primitive::<Float64Type>().iter()),
            _ if self.kind == Kind::Text || self.kind == Kind::Binary => self.texts(array),
            _ => self.numbers(array),
        }
        Ok(())
    }

    fn texts(&mut self, array: &ArrayRef) {
        match array.data_type() {
            DataType::Utf8 => self.text(array.as_string::<i32>().iter()),
            DataType::LargeUtf8 => self.text(array.as_string::<i64>().iter()),
            DataType::Utf8View => self.text(array.as_string_view().iter()),
            DataType::Binary => self.bytes(array.as_binary::<i32>().iter()),
            DataType::LargeBinary => self.bytes(array.as_binary::<i64>().iter()),
            DataType::BinaryView => self.bytes(array.as_binary_view().iter()),
            _ => self.bytes(array.as_fixed_size_binary().iter()),
        }
    }

    fn numbers(&mut self, array: &ArrayRef) {
        match array.data_type() {
            DataType::UInt64 => {
                let values = array.as_primitive::<UInt64Type>().iter();
                self.decimals(values, |value| i64::try_from(value).ok(), array);
            }
            DataType::Decimal32(..) => {
                let values = array.as_primitive::<Decimal32Type>().iter();
                self.decimals(values, |value| Some(value.into()), array);
            }
            DataType::Decimal64(..) => {
                self.decimals(array.as_primitive::<Decimal64Type>().iter(), Some, array);
            }
            DataType::Decimal128(..) => {
                let values = array.as_primitive::<Decimal128Type>().iter();
                self.decimals(values, |value| i64::try_from(value).ok(), array);
            }
            DataType::Decimal256(..) => {
                type Large = <Decimal256Type as ArrowPrimitiveType>::Native;
                let values = array.as_primitive::<Decimal256Type>().iter();
                let small = |value: Large| value.to_i128()?.try_into().ok();
                self.decimals(values, small, array);
            }
            _ => self.wholes(&wholes(array), array),
        }
    }

    /// Adds whole numbers.
    fn wholes(&mut self, values: &[i64], validity: &ArrayRef) {
        for growing in self.number.iter_mut().chain(&mut self.level) {
            growing.extend_wholes(values, validity);
        }
    }

    /// Adds whole numbers that may be large, or decimals, by their digits.
    fn decimals<T: Copy + Display>(
        &mut self,
        values: impl Iterator<Item = Option<T>> + Clone,
        small: impl Fn(T) -> Option<i64>,
        validity: &ArrayRef,
    ) {
        let scale = if let Kind::Decimal(scale) = self.kind { scale } else { 0 };
        let wholes: Option<Vec<i64>> =
            values.clone().map(|value| value.map_or(Some(0), &small)).collect();
        if let Some(number) = &mut self.number {
            match &wholes {
                Some(wholes) if scale == 0 => number.extend_wholes(wholes, validity),
                _ => values.clone().for_each(|value| {
                    let real = |value: T| {
                        real(small(value), scale).unwrap_or_else(|| {
                            // Parsed as one text, the number is rounded once.
                            let text = format!("{value}e{}", -i16::from(scale));
                            text.parse().expect("digits with an exponent are a number")
                        })
                    };
                    number.push_real(value.map_or(f64::NAN, real));
                }),
            }
        }
        if let Some(level) = &mut self.level {
            match &wholes {
                Some(wholes) => level.extend_wholes(wholes, validity),
                None => values.for_each(|value| match value {
                    Some(value) => level.push_known(&value.to_string()),
                    None => level.push_missing(),
                }),
            }
        }
    }

    fn reals(&mut self, values: impl Iterator<Item = Option<f64>> + Clone) {
        let values = values.map(|value| value.unwrap_or(f64::NAN));
        if let Some(level) = &mut self.level {
            level.extend_reals(values.clone());
        }
        if let Some(number) = &mut self.number {
            number.extend_reals(values);
        }
    }

    fn text<'t>(&mut self, values: impl Iterator<Item = Option<&'t str>>) {
        let Some(level) = &mut self.level else { return };
        values.for_each(|value| match value {
            Some(text) => level.push_known(text),
            None => level.push_missing(),
        });
    }

    /// Adds bytes as hexadecimal texts; their final form is decided at the end.
    fn bytes<'b>(&mut self, values: impl Iterator<Item = Option<&'b [u8]>>) {
        let Some(level) = &mut self.level else { return };
        values.for_each(|value| match value {
            Some(bytes) => level.push_known(&hexadecimal(bytes)),
            None => level.push_missing(),
        });
    }

    fn push_missing(&mut self) {
        for growing in self.number.iter_mut().chain(&mut self.level) {
            growing.push_missing();
        }
    }
}

/// The whole numbers behind an array of whole numbers, dates or times.
fn wholes(array: &ArrayRef) -> Vec<i64> {
    let (data, n) = (array.to_data(), array.len());
    macro_rules! widened {
        ($native:ty) => {
            data.buffer::<$native>(0)[..n].iter().map(|&value| value.into()).collect()
        };
    }
    match array.data_type() {
        DataType::Int8 => widened!(i8),
        DataType::Int16 => widened!(i16),
        DataType::UInt8 => widened!(u8),
        DataType::UInt16 => widened!(u16),
        DataType::UInt32 => widened!(u32),
        DataType::Int32 | DataType::Date32 | DataType::Time32(_) => widened!(i32),
        _ => widened!(i64),
    }
}

/// The powers of ten that a real holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// `digits · 10^-scale` rounded once; `None` if a real cannot hold the digits or the power exactly.
fn real(digits: Option<i64>, scale: i8) -> Option<f64> {
    let power = TENS.get(usize::try_from(scale).ok()?)?;
    #[expect(clippy::cast_precision_loss, reason = "held exactly")]
    let digits = digits.filter(|digits| digits.unsigned_abs() <= 1 << 53)? as f64;
    Some(digits / power)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Replaces hexadecimal by texts if all values are texts; else adds `0x`.
fn from_hexadecimal(held: &Dictionary) -> Dictionary {
    let text = |digits: &str| {
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("made of bytes");
        String::from_utf8((0..digits.len()).step_by(2).map(byte).collect()).ok()
    };
    let texts: Option<Vec<String>> = held.iter().map(text).collect();
    let texts = texts.unwrap_or_else(|| held.iter().map(|digits| format!("0x{digits}")).collect());
    let mut dictionary = Dictionary::default();
    for text in texts {
        dictionary.intern(&text);
    }
    dictionary
}
