//! Groups of rows, such as cities: the products of the residuals without the rows of one group.
//!
//! # Equation
//! With `ṽ` the residuals of the whole sample, `G` the dummies of the effect whose levels groups
//! share, and `S = G'WMG` its system after all other effects are eliminated:
//!
//! `E_g = Σ_{i∈g} w ṽ ṽ'`, `s_g = G_g'Wṽ`, `P₋g = P − E_g − s_g'(S − S_g)⁺ s_g`
//!
//! The other effects lie inside groups. Each group then has its own `S_g`, and `S = Σ_g S_g`. The
//! potentials of the whole sample are the start of the solution without a group, so only the
//! residuals of the group enter. Levels that lose all rows, and rows that become singletons, need
//! no special treatment: both leave residuals of zero.
//!
//! Without this structure the sample without a group is absorbed again.

mod coupling;
mod left_out;
mod shared;
mod sums;

use self::shared::SharedEffect;
pub use self::sums::GroupSums;
use super::Absorbed;
use super::sample::layout::select;
use crate::estimate::design::codes::Codes;
use crate::estimate::error::EstimateError;

/// The groups of a sample.
pub struct Groups<'s, 'a> {
    absorbed: &'s Absorbed<'a>,
    codes: &'s Codes,
    structure: Structure<'s, 'a>,
}

/// The relation of the effects to the groups.
enum Structure<'s, 'a> {
    /// Every effect lies inside groups.
    Apart(GroupSums),
    /// Groups share the levels of one effect.
    OneShared(GroupSums, Box<SharedEffect<'s, 'a>>),
    /// Groups share several effects, or the blocks of the sample are not inside groups.
    Unknown,
}

impl<'s, 'a> Groups<'s, 'a> {
    /// Prepares groups of an absorbed sample; the codes give the group of each row.
    #[must_use]
    pub fn new(absorbed: &'s Absorbed<'a>, codes: &'s Codes) -> Self {
        let layout = absorbed.layout();
        let is_inside = |effect: usize| layout.design.effects[effect].is_nested_in(codes);
        let shared: Vec<usize> =
            layout.iterated().map(|(i, _)| i).filter(|&i| !is_inside(i)).collect();
        let structure = match shared[..] {
            _ if layout.swept.is_some_and(|swept| !is_inside(swept)) => Structure::Unknown,
            [] => Structure::Apart(GroupSums::of(absorbed, codes, None)),
            [one] => SharedEffect::of(absorbed, codes, one).map_or(Structure::Unknown, |system| {
                let effect = &layout.design.effects[one];
                let sums = GroupSums::of(absorbed, codes, Some(effect));
                Structure::OneShared(sums, Box::new(system))
            }),
            _ => Structure::Unknown,
        };
        Self { absorbed, codes, structure }
    }

    /// `P₋g`, by rows of the width.
    ///
    /// # Errors
    /// [`EstimateError::NotConverged`]: the sample without the group was absorbed again, and that
    /// absorption did not converge.
    pub fn products_without(&self, group: usize) -> Result<Vec<f64>, EstimateError> {
        let whole = self.absorbed.symmetric_products();
        match &self.structure {
            Structure::Apart(sums) => Ok(less(&whole, &sums.products[group])),
            Structure::OneShared(sums, system) => {
                let left = less(&whole, &sums.products[group]);
                match system.explained_without(group, sums, &whole) {
                    Some(explained) => Ok(less(&left, &explained)),
                    None => self.absorbed_again(group),
                }
            }
            Structure::Unknown => self.absorbed_again(group),
        }
    }

    /// The sums of the groups; `None` without the structure that makes them sufficient.
    #[must_use]
    pub fn sums(&self) -> Option<&GroupSums> {
        match &self.structure {
            Structure::Apart(sums) | Structure::OneShared(sums, _) => Some(sums),
            Structure::Unknown => None,
        }
    }

    /// `(G_g a)'S⁺(G_h b)` of vectors over the levels of each group, for all pairs of groups `g, h`
    /// and each column; by rows of `g`. Zero if groups share no effect.
    ///
    /// # Shape
    /// `a` and `b` have `width` numbers for each level of each group, as [`GroupSums::scattered`].
    #[must_use]
    pub fn couplings(&self, a: &[f64], b: &[f64], width: usize) -> Vec<Vec<f64>> {
        let n_groups = self.codes.n_levels;
        match &self.structure {
            Structure::OneShared(sums, system) => system.couplings(sums, a, b, width),
            Structure::Apart(_) | Structure::Unknown => vec![vec![0.0; n_groups.pow(2)]; width],
        }
    }

    /// The products of the sample without a group, from its rows.
    fn absorbed_again(&self, group: usize) -> Result<Vec<f64>, EstimateError> {
        let layout = self.absorbed.layout();
        let stays: Vec<u32> = (0..)
            .zip(&self.codes.of_row)
            .filter(|&(_, &own)| own as usize != group)
            .map(|(row, _)| row)
            .collect();
        let design = select(&layout.design, &stays);
        let options = self.absorbed.options.clone();
        let start = self.absorbed.start();
        let again = Absorbed::solve(design, &options, Some(&start))?;
        Ok(again.symmetric_products())
    }
}

/// The entries of one matrix minus those of another.
fn less(from: &[f64], other: &[f64]) -> Vec<f64> {
    from.iter().zip(other).map(|(from, other)| from - other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::absorb::AbsorbOptions;
    use crate::estimate::design::{Design, Request};
    use crate::estimate::formula::{Formula, Interaction};
    use crate::estimate::panel::{Column, Panel};

    /// Plants of seven cities that ship to eight countries in three years.
    fn columns() -> (Vec<[u32; 4]>, Vec<f64>, Vec<f64>) {
        let (mut keys, mut y, mut x) = (Vec::new(), Vec::new(), Vec::new());
        let mut state = 7_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for year in 0..3 {
            for plant in 0..35 {
                for country in (0..8).filter(|country| *country != plant % 5) {
                    if next() % 3 > 0 {
                        keys.push([plant, plant % 7, country, year]);
                        y.push(f64::from(next() % 1000));
                        x.push(f64::from(next() % 1000));
                    }
                }
            }
        }
        (keys, y, x)
    }

    #[test]
    fn the_structure_is_found_and_gives_the_products_of_another_absorption() {
        let (keys, y, x) = columns();
        let of = |place: usize| -> Vec<u32> { keys.iter().map(|key| key[place]).collect() };
        let (plant, city, country, year) = (of(0), of(1), of(2), of(3));
        let named = [("plant", &plant), ("city", &city), ("country", &country), ("year", &year)];
        let mut columns = vec![("y".into(), Column::Real(&y)), ("x".into(), Column::Real(&x))];
        columns.extend(named.map(|(name, codes)| (name.into(), Column::Code(codes))));
        let panel = Panel::new(columns).expect("a panel");
        let groups = [Interaction { factors: vec!["city".into()] }];
        for (effects, is_shared) in [
            ("plant^year + country^year + city^country", true),
            ("plant^year + city^country", false),
        ] {
            let formula = Formula::parse(&format!("y ~ x | {effects}")).expect("a formula");
            let request = Request::of_formula(&formula, &groups, None);
            let design = Design::build(&panel, &request).expect("a sample");
            let options = AbsorbOptions { tolerance: 1e-12, ..AbsorbOptions::default() };
            let absorbed = Absorbed::solve(design, &options, None).expect("absorbed");
            let codes = absorbed.layout().design.clusters[0].clone();
            let groups = Groups::new(&absorbed, &codes);
            let found = match &groups.structure {
                Structure::Apart(_) => Some(false),
                Structure::OneShared(..) => Some(true),
                Structure::Unknown => None,
            };
            assert_eq!(found, Some(is_shared), "{effects}");
            for group in 0..codes.n_levels {
                let own = groups.products_without(group).expect("products");
                let again = groups.absorbed_again(group).expect("products");
                for (own, again) in own.iter().zip(&again) {
                    assert!((own - again).abs() < 1e-9 * again.abs().max(1e6), "{own}, {again}");
                }
            }
        }
    }
}
