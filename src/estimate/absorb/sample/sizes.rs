//! The size of each variable before absorption, and the smallest residual that counts.

use super::layout::Layout;
use super::moments::Moments;
use crate::estimate::absorb::options::AbsorbOptions;
use crate::estimate::design::Variable;

/// The largest relative rounding error of a value with 15 significant digits; values with all
/// digits have a fortieth of it. A remainder of a variable at or below this share is only rounding.
pub const ROUNDING: f64 = 5e-15;

/// The weighted squares of each variable before absorption.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    /// Around the mean.
    pub centred: Vec<f64>,
    /// Around zero.
    pub whole: Vec<f64>,
    /// The remainder that a variable needs: a smaller remainder is explained, or rounding.
    pub explained: Vec<f64>,
}

impl Sizes {
    /// Computes the sizes from the moments of the variables.
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
