//! A regressor or an outcome: a product of columns, multiplied when it is read.

use crate::estimate::error::EstimateError;
use crate::estimate::formula::Term;
use crate::estimate::panel::{Column, Panel};

/// The name of the constant.
const CONSTANT: &str = "(Intercept)";
/// The number of rows that decide whether a variable is far from zero.
const ROWS_LOOKED_AT: usize = 4096;
/// The largest ratio of mean to spread for which a variable is not centred: its squares lose four
/// of a value's 53 bits.
const SPREADS_FROM_ZERO_MAX: f64 = 16.0;

/// A product of numeric columns; without a factor it is the constant one.
#[derive(Debug, Clone)]
pub struct Variable<'a> {
    /// The name, as in the formula.
    pub name: String,
    factors: Vec<Values<'a>>,
    /// The number subtracted from every value when it is read.
    origin: f64,
}

#[derive(Debug, Clone, Copy)]
enum Values<'a> {
    Real(&'a [f64]),
    Integer(&'a [i32]),
    Short(&'a [i16]),
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
            Column::Short(values) => Ok(Values::Short(values)),
            Column::Code(_) => Err(EstimateError::NotNumeric { name: name.clone() }),
        };
        let factors = term.factors.iter().map(factor).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { name: Self::name_of(term), factors, origin: 0.0 })
    }

    /// The name of a term's variable.
    #[must_use]
    pub fn name_of(term: &Term) -> String {
        if term.factors.is_empty() { CONSTANT.into() } else { term.to_string() }
    }

    /// True if the variable is the constant one.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.factors.is_empty()
    }

    /// The number subtracted from every value when it is read; zero unless the variable is centred.
    #[must_use]
    pub fn origin(&self) -> f64 {
        self.origin
    }

    /// Changes the variable to deviations from its weighted mean over these rows. A spread far
    /// below the mean would otherwise be lost in the rounding of squares.
    pub(super) fn centre(&mut self, rows: &[u32], weights: Option<&[f64]>) {
        let Some(&first) = rows.first().filter(|_| !self.is_constant()) else { return };
        let near = self.at(first as usize);
        let (mut sum, mut total) = (0.0, 0.0);
        for (position, &row) in rows.iter().enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[position]);
            sum += weight * (self.at(row as usize) - near);
            total += weight;
        }
        let mean = near + sum / total;
        if mean.is_finite() {
            self.origin = mean;
        }
    }

    /// Changes a variable whose mean is many spreads from zero to deviations from a nearby value.
    /// That value is the first row's, or the mean of some rows if the first is far from it.
    ///
    /// Fixed effects remove the mean anyway, so the exact mean is not needed. Rows added later
    /// leave the origin unchanged as long as the first row stays.
    pub(super) fn centre_if_far(&mut self, rows: &[u32]) {
        let Some(&first) = rows.first() else { return };
        let near = self.at(first as usize);
        let step = rows.len().div_ceil(ROWS_LOOKED_AT);
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for &row in rows.iter().step_by(step) {
            let apart = self.at(row as usize) - near;
            n += 1.0;
            sum += apart;
            squares += apart * apart;
        }
        let (apart, spread) = (sum / n, (squares / n - (sum / n).powi(2)).max(0.0).sqrt());
        let is_far = |distance: f64| distance.abs() > SPREADS_FROM_ZERO_MAX * spread;
        if squares.is_finite() && is_far(near + apart) {
            self.origin = if is_far(apart) { near + apart } else { near };
        }
    }

    /// The value in one row of the panel, minus the origin.
    #[must_use]
    pub fn at(&self, row: usize) -> f64 {
        self.factors.iter().map(|factor| factor.at(row)).product::<f64>() - self.origin
    }

    /// Writes the values of these rows into every `stride`-th place of `out`.
    pub fn read(&self, rows: &[u32], out: &mut [f64], stride: usize) {
        let Some((first, more)) = self.factors.split_first() else {
            return out.iter_mut().step_by(stride).take(rows.len()).for_each(|place| *place = 1.0);
        };
        match first {
            Values::Real(x) => each(rows, out, stride, |row, place| *place = x[row]),
            Values::Integer(x) => each(rows, out, stride, |row, place| *place = x[row].into()),
            Values::Short(x) => each(rows, out, stride, |row, place| *place = x[row].into()),
        }
        for factor in more {
            match factor {
                Values::Real(x) => multiply(rows, out, stride, x),
                Values::Integer(x) => multiply(rows, out, stride, x),
                Values::Short(x) => multiply(rows, out, stride, x),
            }
        }
        if self.origin != 0.0 {
            each(rows, out, stride, |_, place| *place -= self.origin);
        }
    }

    /// Clears `present` if the product is not a finite number; the rows begin at `start`.
    pub(super) fn mark_missing(&self, start: usize, present: &mut [bool]) {
        match self.factors.as_slice() {
            [Values::Real(values)] => {
                for (present, value) in present.iter_mut().zip(&values[start..]) {
                    *present &= value.is_finite();
                }
            }
            [Values::Real(a), Values::Real(b)] => {
                let products = a[start..].iter().zip(&b[start..]).map(|(a, b)| a * b);
                for (present, product) in present.iter_mut().zip(products) {
                    *present &= product.is_finite();
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
            Self::Integer(values) => values[row].into(),
            Self::Short(values) => values[row].into(),
        }
    }
}

#[inline]
fn each(rows: &[u32], out: &mut [f64], stride: usize, write: impl Fn(usize, &mut f64)) {
    for (place, &row) in out.iter_mut().step_by(stride).zip(rows) {
        write(row as usize, place);
    }
}

#[inline]
fn multiply<T: Copy + Into<f64>>(rows: &[u32], out: &mut [f64], stride: usize, values: &[T]) {
    each(rows, out, stride, |row, place| *place *= values[row].into());
}
