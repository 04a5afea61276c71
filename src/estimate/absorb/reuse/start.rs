//! An earlier solution as the start of a later one.
//!
//! The values of their columns identify levels, so rows may appear, disappear or move between two
//! solutions. A new level or variable starts from zero. The start changes the result only within
//! the tolerance.

use rustc_hash::FxHashMap;

use super::kept_pieces::Kept;
use super::tables::{MemoryColumn, MemoryError, MemoryTable, Tables};
use crate::estimate::absorb::sample::layout::Layout;
use crate::estimate::absorb::sample::level_sums::Totals;

/// Potentials by effect, level and variable.
#[derive(Debug, Clone, Default)]
pub struct Start {
    variables: Vec<String>,
    effects: Vec<StartEffect>,
    kept: Kept,
}

#[derive(Debug, Clone)]
struct StartEffect {
    name: String,
    levels: FxHashMap<Vec<u64>, usize>,
    potentials: Vec<f64>,
}

impl Start {
    /// The potentials of the effects that an iteration would start with: all iterated effects, or
    /// the remaining one after an elimination.
    pub(in crate::estimate) fn new(
        layout: &Layout<'_>,
        potentials: Option<&Totals>,
        left: Option<usize>,
        kept: Kept,
    ) -> Self {
        let variables: Vec<String> =
            layout.design.variables.iter().map(|variable| variable.name.clone()).collect();
        let Some(potentials) = potentials else {
            return Self { variables, effects: Vec::new(), kept };
        };
        let of_effect = |(place, i): (usize, usize)| StartEffect {
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
        let iterated = iterated.filter(|&(_, i)| left.is_none_or(|left| left == i));
        Self { effects: iterated.map(of_effect).collect(), variables, kept }
    }

    /// The stored figures of pieces.
    pub(in crate::estimate) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The start as tables: variables, effects and, one effect after another, levels.
    pub(in crate::estimate) fn into_tables(self) -> Vec<MemoryTable> {
        let n_variables = self.variables.len();
        let levels: usize = self.effects.iter().map(|effect| effect.levels.len()).sum();
        let n_keys = self.effects.iter().map(StartEffect::n_keys).max().unwrap_or(0);
        let mut keys = vec![Vec::with_capacity(levels); n_keys];
        let mut potentials = vec![Vec::with_capacity(levels); n_variables];
        let (mut names, mut counts, mut widths) = (Vec::new(), Vec::new(), Vec::new());
        for effect in self.effects {
            counts.push(effect.levels.len() as u64);
            widths.push(effect.n_keys() as u64);
            let mut known: Vec<(Vec<u64>, usize)> = effect.levels.into_iter().collect();
            known.sort_unstable_by_key(|&(_, place)| place);
            for (key, _) in known {
                for (i, column) in keys.iter_mut().enumerate() {
                    column.push(key.get(i).copied().unwrap_or(0));
                }
            }
            for level in effect.potentials.chunks_exact(n_variables.max(1)) {
                potentials.iter_mut().zip(level).for_each(|(column, value)| column.push(*value));
            }
            names.push(effect.name);
        }
        let keys = keys.into_iter().enumerate();
        let keys = keys.map(|(i, key)| (format!("key_{i}"), MemoryColumn::Integers(key)));
        let potentials = potentials.into_iter().enumerate();
        let potentials =
            potentials.map(|(j, v)| (format!("potential_{j}"), MemoryColumn::Reals(v)));
        let [subject, pieces, numbers, shares] = self.kept.into_tables();
        vec![
            MemoryTable {
                name: "variables",
                columns: vec![("name".into(), MemoryColumn::Texts(self.variables))],
            },
            MemoryTable {
                name: "effects",
                columns: vec![
                    ("name".into(), MemoryColumn::Texts(names)),
                    ("levels".into(), MemoryColumn::Integers(counts)),
                    ("keys".into(), MemoryColumn::Integers(widths)),
                ],
            },
            MemoryTable { name: "levels", columns: keys.chain(potentials).collect() },
            subject,
            pieces,
            numbers,
            shares,
        ]
    }

    /// Reads the start from tables.
    pub(in crate::estimate) fn from_tables(tables: &mut Tables) -> Result<Self, MemoryError> {
        let odd = MemoryError { what: "levels, keys and potentials do not fit" };
        let variables = tables.texts("variables", "name")?;
        let names = tables.texts("effects", "name")?;
        let counts = tables.integers("effects", "levels")?;
        let widths = tables.integers("effects", "keys")?;
        if counts.len() != names.len() || widths.len() != names.len() {
            return Err(odd);
        }
        let n_keys = widths.iter().max().copied().unwrap_or(0);
        let keys = (0..n_keys).map(|i| tables.integers("levels", &format!("key_{i}")));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let columns = 0..variables.len();
        let potentials = columns.map(|j| tables.reals("levels", &format!("potential_{j}")));
        let potentials = potentials.collect::<Result<Vec<_>, _>>()?;
        let n_levels = counts.iter().try_fold(0_u64, |sum, n| sum.checked_add(*n));
        let fits = |n: usize| Some(n as u64) == n_levels;
        if !(keys.iter().all(|k| fits(k.len())) && potentials.iter().all(|p| fits(p.len()))) {
            return Err(odd);
        }
        let mut rows = 0..usize::try_from(n_levels.unwrap_or(0)).map_err(|_| odd)?;
        let mut effects = Vec::new();
        for ((name, count), width) in names.into_iter().zip(counts).zip(widths) {
            let own: Vec<usize> = rows.by_ref().take(to_usize(count)).collect();
            let key = |row: usize| keys[..to_usize(width)].iter().map(|key| key[row]).collect();
            effects.push(StartEffect {
                name,
                levels: own.iter().map(|&row| key(row)).zip(0..).collect(),
                potentials: own
                    .iter()
                    .flat_map(|&row| potentials.iter().map(move |column| column[row]))
                    .collect(),
            });
        }
        Ok(Self { variables, effects, kept: Kept::from_tables(tables)? })
    }

    /// The start of each level and variable of the layout, zero if unknown, and the number of known
    /// levels of each iterated effect.
    pub(in crate::estimate) fn potentials(&self, layout: &Layout<'_>) -> (Totals, Vec<usize>) {
        let mut start = layout.totals(layout.width);
        let mut n_known = vec![0; start.offsets.len()];
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
                n_known[place] += 1;
                let row = &mut start.values[level * layout.width..][..layout.width];
                for &(from, to) in &columns {
                    row[to] = known.potentials[before * self.variables.len() + from];
                }
            }
        }
        (start, n_known)
    }
}

impl StartEffect {
    /// The number of columns that identify a level.
    fn n_keys(&self) -> usize {
        self.levels.keys().next().map_or(0, Vec::len)
    }
}

fn to_usize(count: u64) -> usize {
    usize::try_from(count).expect("checked against the length of the columns")
}

/// The column values that identify each level of an effect.
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
