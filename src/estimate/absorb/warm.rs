//! An earlier solution as the start of a later one.
//!
//! Levels are known by the values of their columns, so rows may have come, gone or moved in
//! between; a level or a
//! variable that was not there starts from zero. The result does not depend on the start beyond the
//! tolerance.

use rustc_hash::FxHashMap;

use super::layout::Layout;
use super::sums::Target;

/// Potentials by effect, level and variable.
#[derive(Debug, Clone, Default)]
pub struct Start {
    variables: Vec<String>,
    effects: Vec<StartEffect>,
}

#[derive(Debug, Clone)]
struct StartEffect {
    name: String,
    levels: FxHashMap<Vec<u64>, usize>,
    potentials: Vec<f64>,
}

impl Start {
    pub(super) fn new(layout: &Layout<'_>, potentials: Option<&Target>) -> Self {
        let variables: Vec<String> =
            layout.design.variables.iter().map(|variable| variable.name.clone()).collect();
        let Some(potentials) = potentials else {
            return Self { variables, effects: Vec::new() };
        };
        let kept = |(place, i): (usize, usize)| StartEffect {
            name: layout.design.effects[i].name.clone(),
            levels: keys(layout, i).into_iter().zip(0..).collect(),
            potentials: potentials
                .effect(place)
                .chunks_exact(layout.width)
                .flat_map(|level| &level[..variables.len()])
                .copied()
                .collect(),
        };
        let iterated = layout.iterated().map(|(i, _)| i).enumerate();
        Self { effects: iterated.map(kept).collect(), variables }
    }

    /// The start of each level and variable of the layout, zero where nothing is known.
    pub(super) fn potentials(&self, layout: &Layout<'_>) -> Target {
        let mut start = layout.totals(layout.width);
        let columns: Vec<(usize, usize)> = layout
            .design
            .variables
            .iter()
            .enumerate()
            .filter_map(|(to, v)| Some((self.variables.iter().position(|n| *n == v.name)?, to)))
            .collect();
        for (place, (i, codes)) in layout.iterated().enumerate() {
            let Some(known) = self.effects.iter().find(|effect| effect.name == codes.name) else {
                continue;
            };
            for (level, key) in (start.offsets[place]..).zip(keys(layout, i)) {
                let Some(&before) = known.levels.get(&key) else { continue };
                let row = &mut start.values[level * layout.width..][..layout.width];
                for &(from, to) in &columns {
                    row[to] = known.potentials[before * self.variables.len() + from];
                }
            }
        }
        start
    }
}

/// The column values that stand for each level of an effect.
fn keys(layout: &Layout<'_>, effect: usize) -> Vec<Vec<u64>> {
    let codes = &layout.design.effects[effect];
    let columns = &layout.design.effect_columns[effect];
    let mut keys = vec![Vec::new(); codes.n_levels];
    for (&row, &level) in layout.design.rows.iter().zip(&codes.of_row) {
        let key = &mut keys[level as usize];
        if key.is_empty() {
            *key = columns.iter().map(|column| column.bits(row as usize)).collect();
        }
    }
    keys
}
