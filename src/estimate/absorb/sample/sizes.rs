//! The size of each variable before absorption, and the smallest residual that counts.

use super::layout::Layout;
use super::moments::Moments;
use crate::estimate::absorb::options::AbsorbOptions;
use crate::estimate::design::Variable;

/// What is lost of a value that is written with 15 significant digits, at most; figures with all
/// their digits lose a fortieth of that. So much of a variable, or less, is nothing but rounding.
pub const ROUNDING: f64 = 5e-15;

/// Weighted squares of each variable before anything is absorbed.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    /// Around the mean.
    pub centred: Vec<f64>,
    /// Around zero.
    pub whole: Vec<f64>,
    /// What has to be left of it to count: less than that is explained, or rounding.
    pub explained: Vec<f64>,
}

impl Sizes {
    /// From the moments of the variables as they are read.
    #[must_use]
    pub fn of(layout: &Layout<'_>, moments: &[Moments], options: &AbsorbOptions) -> Self {
        let variables = &layout.design.variables;
        let origin = |place: usize| variables.get(place).map_or(0.0, Variable::origin);
        let centred: Vec<f64> = moments.iter().map(|moments| moments.centred).collect();
        let whole: Vec<f64> =
            moments.iter().enumerate().map(|(j, m)| m.squares(origin(j))).collect();
        let has_effects = !layout.design.effects.is_empty();
        let share = if has_effects { options.collinear.with_effects } else { 0.0 };
        let explained =
            |(centred, whole): (&f64, &f64)| (share * centred).max(ROUNDING * ROUNDING * whole);
        let explained = centred.iter().zip(&whole).map(explained).collect();
        Self { centred, whole, explained }
    }
}
