//! Rows of a few numbers, four at a time: the compiler keeps them in vector registers.

use faer::traits::pulp::{Arch, Simd, WithSimd};

/// The numbers handled at once; rows are padded to a multiple.
pub const LANES: usize = 4;

/// Runs `work` compiled for the vector registers of the processor; functions called by `work` must
/// be inlined.
#[inline]
pub fn vectorised<W: WithSimd>(work: W) -> W::Output {
    Arch::new().dispatch(work)
}

/// Work on rows of a width known at run time.
pub trait ByWidth: Sized {
    /// The number of values in a row.
    fn width(&self) -> usize;

    /// Does the work for rows that fill `N` registers, with `N` known at compile time.
    fn of_registers<S: Simd, const N: usize>(self, simd: S);

    /// Does the work for any width.
    fn of_any_width(self);
}

/// Runs `work` by the number of vector registers that its rows fill.
#[inline]
pub fn vectorised_by_width(work: impl ByWidth) {
    vectorised(Dispatched(work));
}

struct Dispatched<W>(W);

impl<W: ByWidth> WithSimd for Dispatched<W> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self(work) = self;
        match (work.width() / S::F64_LANES, work.width() % S::F64_LANES) {
            (1, 0) => work.of_registers::<S, 1>(simd),
            (2, 0) => work.of_registers::<S, 2>(simd),
            (3, 0) => work.of_registers::<S, 3>(simd),
            (4, 0) => work.of_registers::<S, 4>(simd),
            _ => work.of_any_width(),
        }
    }
}

/// `sum += row`
#[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
#[inline(always)]
pub fn add(sum: &mut [f64], row: &[f64]) {
    zip(sum, row, |sum, row| *sum += row);
}

/// `from -= row`
#[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
#[inline(always)]
pub fn subtract(from: &mut [f64], row: &[f64]) {
    zip(from, row, |from, row| *from -= row);
}

/// `sum += factor · row`
#[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
#[inline(always)]
pub fn add_scaled(sum: &mut [f64], row: &[f64], factor: f64) {
    zip(sum, row, |sum, row| *sum += factor * row);
}

/// `sum += row²`
#[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
#[inline(always)]
pub fn add_squares(sum: &mut [f64], row: &[f64]) {
    zip(sum, row, |sum, row| *sum += row * row);
}

/// `row /= total`
#[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
#[inline(always)]
pub fn divide(row: &mut [f64], total: f64) {
    for value in row {
        *value /= total;
    }
}

#[expect(clippy::inline_always, reason = "compiled for the registers of the caller")]
#[inline(always)]
fn zip(out: &mut [f64], row: &[f64], each: impl Fn(&mut f64, f64)) {
    let (out, _) = out.as_chunks_mut::<LANES>();
    let (row, _) = row.as_chunks::<LANES>();
    for (out, row) in out.iter_mut().zip(row) {
        for lane in 0..LANES {
            each(&mut out[lane], row[lane]);
        }
    }
}
