//! Stored figures of pieces, reused by later estimations and identified by a fingerprint.
//!
//! A fingerprint covers the rows of a piece in their order. Each run of neighbours enters by its
//! place in its part of the panel and by that part's fingerprint; without parts, rows enter by
//! their values. A piece with a known fingerprint is not read: the figures of the earlier
//! estimation are equal to the last bit.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::tables::{MemoryColumn, MemoryError, MemoryTable, Tables};
use crate::estimate::absorb::linear::cholesky::Pivots;
use crate::estimate::absorb::linear::packed_numbers::Packed;
use crate::estimate::absorb::linear::packed_symmetric::PackedSymmetric;
use crate::estimate::absorb::pieces::elimination::Elimination;
use crate::estimate::absorb::pieces::piece::{Figures, Rows};
use crate::estimate::absorb::sample::layout::Layout;
use crate::estimate::absorb::sample::moments::Moments;
use crate::estimate::design::Variable;
use crate::estimate::panel::{Column, Part};

/// Figures of pieces by fingerprint.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// The variables, effects and roles of the figures. Figures of another subject cannot be used.
    subject: String,
    figures: FxHashMap<u64, Arc<Figures>>,
}

/// Makes fingerprints of pieces.
pub struct Fingerprints<'l, 'a> {
    layout: &'l Layout<'a>,
    /// The start of each part of the panel, and its fingerprint.
    parts: Vec<(u32, u64)>,
}

impl Kept {
    /// An empty store for a subject.
    #[must_use]
    pub fn new(subject: String) -> Self {
        Self { subject, figures: FxHashMap::default() }
    }

    /// The store, if it has this subject.
    #[must_use]
    pub fn of_subject(&self, subject: &str) -> Option<&Self> {
        (self.subject == subject && !self.figures.is_empty()).then_some(self)
    }

    /// The figures of a piece with this fingerprint and the same numbers of cells and levels.
    #[must_use]
    pub fn find(&self, fingerprint: u64, rows: &Rows<'_, '_>) -> Option<Arc<Figures>> {
        let found = self.figures.get(&fingerprint)?;
        let (n_cells, width) = (rows.own.len(), rows.layout.width);
        let n_levels: usize = rows.spans().iter().map(std::ops::Range::len).sum();
        let fits = found.rhs.len() == n_cells * width
            && found.products.len() == width * width
            && found.moments.len() == width
            && found.matrix.as_ref().is_none_or(|half| half.n() == n_cells)
            && found.local.scales.len() == n_levels
            && found.local.of_variables.len() == n_levels * width
            && found.local.of_cells.len() == n_levels * n_cells;
        fits.then(|| found.clone())
    }

    /// Stores the figures of a piece.
    pub fn insert(&mut self, fingerprint: u64, figures: Arc<Figures>) {
        self.figures.insert(fingerprint, figures);
    }

    /// The figures as tables: the pieces, their numbers and their shares.
    pub fn into_tables(self) -> [MemoryTable; 4] {
        let mut pieces: Vec<(u64, Arc<Figures>)> = self.figures.into_iter().collect();
        pieces.sort_unstable_by_key(|(fingerprint, _)| *fingerprint);
        let mut columns: [Vec<u64>; 6] = Default::default();
        let (mut numbers, mut shares) = (Vec::new(), Vec::new());
        for (fingerprint, figures) in pieces {
            let figures = figures.as_ref();
            let counts = [
                figures.moments.len(),
                figures.matrix.as_ref().map_or(0, PackedSymmetric::n_entries),
                figures.rhs.len(),
                figures.local.of_variables.len(),
                figures.local.of_cells.len(),
            ];
            columns[0].push(fingerprint);
            columns[1..].iter_mut().zip(counts).for_each(|(column, n)| column.push(n as u64));
            write(figures, &mut numbers);
            shares.extend(figures.local.of_cells.words());
        }
        let named = PIECE_COLUMNS.iter().zip(columns);
        let named = named.map(|(name, c)| ((*name).into(), MemoryColumn::Integers(c)));
        let one = |name: &'static str, column: &str, values: MemoryColumn| MemoryTable {
            name,
            columns: vec![(column.into(), values)],
        };
        [
            one("subject", "subject", MemoryColumn::Texts(vec![self.subject])),
            MemoryTable { name: "pieces", columns: named.collect() },
            one("numbers", "number", MemoryColumn::Reals(numbers)),
            one("shares", "word", MemoryColumn::Integers(shares)),
        ]
    }

    /// Reads the figures from tables.
    pub fn from_tables(tables: &mut Tables) -> Result<Self, MemoryError> {
        let odd = || MemoryError { what: "pieces and numbers do not fit" };
        let subject = tables.texts("subject", "subject")?.pop().ok_or_else(odd)?;
        let columns = PIECE_COLUMNS.map(|name| tables.integers("pieces", name));
        let columns: Vec<Vec<u64>> = columns.into_iter().collect::<Result<_, _>>()?;
        let numbers = tables.reals("numbers", "number")?;
        let shares = tables.integers("shares", "word")?;
        if columns.iter().any(|column| column.len() != columns[0].len()) {
            return Err(odd());
        }
        let (mut rest, mut words) = (numbers.as_slice(), shares.as_slice());
        let mut kept = Self::new(subject);
        for (row, &fingerprint) in columns[0].iter().enumerate() {
            let mut counts = [0; 5];
            for (count, column) in counts.iter_mut().zip(&columns[1..]) {
                *count = usize::try_from(column[row]).map_err(|_| odd())?;
            }
            let figures = read(counts, &mut rest, &mut words).ok_or_else(odd)?;
            kept.insert(fingerprint, Arc::new(figures));
        }
        if rest.is_empty() && words.is_empty() { Ok(kept) } else { Err(odd()) }
    }
}

/// The first number of each fingerprint of runs. It separates them from an earlier version's
/// fingerprints of rows.
const RUNS: u64 = 2;
/// The fingerprint of a piece, and the length of each of its figures.
const PIECE_COLUMNS: [&str; 6] =
    ["fingerprint", "variables", "matrix", "rhs", "local_of_variables", "local_of_cells"];

/// Appends the figures without the shares.
fn write(figures: &Figures, numbers: &mut Vec<f64>) {
    for moments in &figures.moments {
        numbers.extend([moments.weight, moments.mean, moments.centred]);
    }
    numbers.extend_from_slice(&figures.products);
    if let Some(half) = &figures.matrix {
        (0..half.n()).for_each(|i| numbers.extend(half.row(i)));
    }
    let local = &figures.local;
    numbers.extend([local.pivots.least_kept, local.pivots.most_dropped]);
    for values in [&figures.rhs, &local.of_variables, &local.scales] {
        numbers.extend_from_slice(values);
    }
}

/// Takes figures from the front of the numbers and of the words of shares.
fn read(counts: [usize; 5], rest: &mut &[f64], words: &mut &[u64]) -> Option<Figures> {
    let [n_variables, n_matrix, n_rhs, n_of_variables, n_of_cells] = counts;
    let mut take = |n: usize| rest.split_off(..n).map(<[f64]>::to_vec);
    let moments = take(n_variables.checked_mul(3)?)?;
    let moments = moments.chunks_exact(3);
    let moments =
        moments.map(|own| Moments { weight: own[0], mean: own[1], centred: own[2] }).collect();
    let products = take(n_variables.checked_mul(n_variables)?)?;
    let matrix = take(n_matrix)?;
    let matrix = if n_matrix > 0 { Some(PackedSymmetric::from_numbers(&matrix)?) } else { None };
    let pivots = take(2)?;
    let pivots = Pivots { least_kept: pivots[0], most_dropped: pivots[1] };
    let (rhs, of_variables) = (take(n_rhs)?, take(n_of_variables)?);
    let scales = take(n_of_variables.checked_div(n_variables)?)?;
    let of_cells = Packed::take(n_of_cells, words)?;
    let local = Elimination { of_cells, scales, of_variables, pivots };
    Some(Figures { matrix, rhs, products, moments, local })
}

impl<'l, 'a> Fingerprints<'l, 'a> {
    /// Prepares fingerprints from the given parts of the panel, or else from the values.
    #[must_use]
    pub fn new(layout: &'l Layout<'a>) -> Self {
        let starts = |start: &mut u32, part: &Part| {
            let own = *start;
            *start += u32::try_from(part.n_rows).expect("a panel has fewer than 2^32 rows");
            Some((own, part.fingerprint))
        };
        let parts = layout.design.parts.iter().scan(0, starts).collect();
        Self { layout, parts }
    }

    /// The fingerprint of a piece.
    #[must_use]
    pub fn of(&self, piece: &Rows<'_, '_>) -> u64 {
        let rows = self.layout.rows_of(piece.groups.clone());
        let of_panel = &self.layout.design.rows[rows.clone()];
        if self.parts.is_empty() { self.of_values(of_panel) } else { self.of_places(of_panel) }
    }

    fn of_places(&self, rows: &[u32]) -> u64 {
        let mut hash = mixed(rows.len() as u64, RUNS);
        for run in rows.chunk_by(|a, b| a + 1 == *b) {
            let (first, end) = (run[0], run[run.len() - 1] + 1);
            let mut part = self.parts.partition_point(|&(start, _)| start <= first) - 1;
            while let Some(&(start, fingerprint)) = self.parts.get(part).filter(|p| p.0 < end) {
                let next = self.parts.get(part + 1).map_or(end, |&(next, _)| next.min(end));
                for number in
                    [fingerprint, (first.max(start) - start).into(), (next - start).into()]
                {
                    hash = mixed(hash, number);
                }
                part += 1;
            }
        }
        hash
    }

    fn of_values(&self, rows: &[u32]) -> u64 {
        let design = &self.layout.design;
        let columns: Vec<&Column<'_>> = design.effect_columns.iter().flatten().collect();
        let mut hash = rows.len() as u64;
        for &row in rows {
            let row = row as usize;
            hash = columns.iter().fold(hash, |hash, column| mixed(hash, column.bits(row)));
            let values = design.variables.iter().chain(&design.weight).map(|v| v.at(row).to_bits());
            hash = values.fold(hash, mixed);
        }
        hash
    }
}

/// The text that identifies the variables, effects and roles of figures.
#[must_use]
pub fn subject(layout: &Layout<'_>, roles: &[usize]) -> String {
    let design = &layout.design;
    let variables = design.variables.iter().chain(&design.weight).map(|v: &Variable<'_>| &v.name);
    let effects = design.effects.iter().map(|codes| &codes.name);
    let names: Vec<&str> = variables.chain(effects).map(String::as_str).collect();
    let origins: Vec<f64> = design.variables.iter().map(Variable::origin).collect();
    let swept = layout.swept;
    format!("{} | roles {roles:?} | swept {swept:?} | origins {origins:?}", names.join(", "))
}

/// Mixes one more number into a hash: both halves of the product of 128 bits.
#[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
fn mixed(hash: u64, value: u64) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let product = u128::from(hash.rotate_left(29) ^ value ^ FACTOR) * u128::from(FACTOR);
    (product as u64) ^ ((product >> 64) as u64)
}
