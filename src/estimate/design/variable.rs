//! A regressor or an outcome: a product of columns, multiplied when it is read.

use crate::estimate::error::EstimateError;
use crate::estimate::formula::Term;
use crate::estimate::panel::{Column, Panel};

/// How the constant is called.
const CONSTANT: &str = "(Intercept)";

/// A product of numeric columns; without a factor it is the constant one.
#[derive(Debug, Clone)]
pub struct Variable<'a> {
    /// As the formula writes it.
    pub name: String,
    factors: Vec<Values<'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Values<'a> {
    Real(&'a [f64]),
    Integer(&'a [i64]),
}

impl<'a> Variable<'a> {
    /// The product of the term's columns.
    ///
    /// # Errors
    /// - [`EstimateError::UnknownColumn`]: the panel lacks one.
    /// - [`EstimateError::NotNumeric`]: one holds categories.
    pub fn new(panel: &Panel<'a>, term: &Term) -> Result<Self, EstimateError> {
        let factor = |name: &String| match panel.column(name)? {
            Column::Real(values) => Ok(Values::Real(values)),
            Column::Integer(values) => Ok(Values::Integer(values)),
            Column::Code(_) => Err(EstimateError::NotNumeric { name: name.clone() }),
        };
        let factors = term.factors.iter().map(factor).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { name: Self::name_of(term), factors })
    }

    /// What the variable of a term is called.
    #[must_use]
    pub fn name_of(term: &Term) -> String {
        if term.factors.is_empty() { CONSTANT.into() } else { term.to_string() }
    }

    /// The value in one row of the panel.
    #[must_use]
    pub fn at(&self, row: usize) -> f64 {
        self.factors.iter().map(|factor| factor.at(row)).product()
    }

    /// Writes the values of these rows into every `stride`-th place of `out`.
    pub fn read(&self, rows: &[u32], out: &mut [f64], stride: usize) {
        let Some((first, more)) = self.factors.split_first() else {
            return out.iter_mut().step_by(stride).take(rows.len()).for_each(|place| *place = 1.0);
        };
        match first {
            Values::Real(x) => each(rows, out, stride, |row, place| *place = x[row]),
            Values::Integer(x) => each(rows, out, stride, |row, place| *place = real(x[row])),
        }
        for factor in more {
            match factor {
                Values::Real(x) => each(rows, out, stride, |row, place| *place *= x[row]),
                Values::Integer(x) => each(rows, out, stride, |row, place| *place *= real(x[row])),
            }
        }
    }

    /// Clears `present` where the product, from row `start` on, is not a finite number.
    pub(super) fn mark_missing(&self, start: usize, present: &mut [bool]) {
        match self.factors.as_slice() {
            [Values::Real(values)] => {
                for (present, value) in present.iter_mut().zip(&values[start..]) {
                    *present &= value.is_finite();
                }
            }
            _ => {
                for (row, present) in (start..).zip(present) {
                    *present &= self.at(row).is_finite();
                }
            }
        }
    }
}

impl Values<'_> {
    fn at(&self, row: usize) -> f64 {
        match self {
            Self::Real(values) => values[row],
            Self::Integer(values) => real(values[row]),
        }
    }
}

#[inline]
fn each(rows: &[u32], out: &mut [f64], stride: usize, write: impl Fn(usize, &mut f64)) {
    for (place, &row) in out.iter_mut().step_by(stride).zip(rows) {
        write(row as usize, place);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a regressor is a float; 2^53 is far")]
fn real(value: i64) -> f64 {
    value as f64
}
