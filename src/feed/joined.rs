//! Joins the portions that several threads read of one file; the result equals that of one thread.

use super::findings::ForeignLines;
use super::refused::REJECTS_SHOWN;
use super::shown::Shown;
use crate::domain::dictionary::Dictionary;
use crate::domain::finding::SHOWN;
use crate::domain::record::{Counts, Record, Reject, Rule, Texts};

/// The records, rejects and counts of a file's lines.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) records: Vec<Record>,
    pub(super) rejects: Vec<Reject>,
    pub(super) counts: Counts,
    pub(super) texts: Texts,
    /// The first rejected lines, and the first of each rule, in the form of messages.
    pub(super) shown: Vec<Shown>,
    /// For lines with several values: the number of lines with a reject, and of all lines.
    pub(super) several: Option<(u64, u64)>,
    /// The names of the columns.
    pub(super) columns: Vec<String>,
    /// Lines in another encoding.
    pub(super) foreign: ForeignLines,
}

/// The part of a file that one thread read: some blocks, in order.
#[derive(Debug, Default)]
pub(super) struct Portion {
    pub(super) sheet: Sheet,
    blocks: Vec<BlockEnd>,
}

/// The progress of a thread at the end of a block.
#[derive(Debug)]
struct BlockEnd {
    number: usize,
    n_records: usize,
    n_rejects: usize,
    n_texts: [usize; 6],
}

impl Portion {
    /// Creates an empty portion that reuses the memory of `records`.
    pub(super) fn into(records: Vec<Record>) -> Self {
        Self { sheet: Sheet { records, ..Sheet::default() }, blocks: Vec::new() }
    }

    /// Marks all lines of a block as read.
    pub(super) fn end_block(&mut self, number: usize, texts: &Texts) {
        let (n_records, n_rejects) = (self.sheet.records.len(), self.sheet.rejects.len());
        let n_texts = dictionaries(texts).map(Dictionary::len);
        self.blocks.push(BlockEnd { number, n_records, n_rejects, n_texts });
    }
}

fn dictionaries(texts: &Texts) -> [&Dictionary; 6] {
    let Texts { firms, names, regions, countries, products, trade_modes } = texts;
    [firms, names, regions, countries, products, trade_modes]
}

fn dictionaries_mut(texts: &mut Texts) -> [&mut Dictionary; 6] {
    let Texts { firms, names, regions, countries, products, trade_modes } = texts;
    [firms, names, regions, countries, products, trade_modes]
}

/// Joins all portions in the order of the file.
///
/// Blocks are visited in order. The new texts of a block are numbered after those of earlier
/// blocks: by first appearance in the file, as one thread numbers them.
pub(super) fn joined(mut portions: Vec<Portion>) -> Sheet {
    // A late thread has a block's number only by default.
    let has_any = |sheet: &Sheet| sheet.counts.lines + sheet.counts.footers > 0;
    portions.retain(|portion| has_any(&portion.sheet));
    if portions.len() < 2 {
        return portions.pop().unwrap_or_default().sheet;
    }
    let mut sheet = Sheet::default();
    sheet.records.reserve_exact(portions.iter().map(|portion| portion.sheet.records.len()).sum());
    let mut order: Vec<(usize, usize, usize)> = Vec::new();
    for (thread, portion) in portions.iter().enumerate() {
        let numbers = portion.blocks.iter().enumerate();
        order.extend(numbers.map(|(at, block)| (block.number, at, thread)));
    }
    order.sort_unstable();
    let mut numbers: Vec<[Vec<u32>; 6]> = portions.iter().map(|_| Default::default()).collect();
    for (_, at, thread) in order {
        let (portion, numbers) = (&portions[thread], &mut numbers[thread]);
        let end = &portion.blocks[at];
        let (first_record, first_reject) = at.checked_sub(1).map_or((0, 0), |before| {
            let before = &portion.blocks[before];
            (before.n_records, before.n_rejects)
        });
        let into = dictionaries_mut(&mut sheet.texts);
        for (of, (from, into)) in
            dictionaries(&portion.sheet.texts).into_iter().zip(into).enumerate()
        {
            for position in numbers[of].len()..end.n_texts[of] {
                let position = u32::try_from(position).expect("texts are numbered by u32");
                numbers[of].push(into.intern(from.text(position)));
            }
        }
        let records = &portion.sheet.records[first_record..end.n_records];
        sheet.records.extend(records.iter().map(|record| renumbered(record, numbers)));
        sheet.rejects.extend_from_slice(&portion.sheet.rejects[first_reject..end.n_rejects]);
    }
    for portion in portions {
        add(&mut sheet.counts, &portion.sheet.counts);
        sheet.shown.extend(portion.sheet.shown);
        if let Some((n_bad, n_lines)) = portion.sheet.several {
            let sum = sheet.several.get_or_insert_default();
            *sum = (sum.0 + n_bad, sum.1 + n_lines);
        }
        sheet.foreign.add(portion.sheet.foreign);
    }
    sheet.shown.sort_by_key(|shown| shown.line);
    leave_first(&mut sheet.shown);
    sheet
}

/// Leaves the lines that one thread would show: each portion has the first ones of its own lines.
fn leave_first(shown: &mut Vec<Shown>) {
    let (mut n_left, mut n_of_rule) = (0, [0; Rule::ALL.len()]);
    shown.retain(|shown| {
        let n_of_rule = &mut n_of_rule[shown.rule as usize];
        *n_of_rule += 1;
        let is_left = is_shown(n_left, *n_of_rule);
        n_left += usize::from(is_left);
        is_left
    });
}

/// True if a rejected line is shown: the first of a file, and the first of each rule.
pub(super) fn is_shown(n_shown: usize, n_of_rule: usize) -> bool {
    n_shown < REJECTS_SHOWN || n_of_rule <= SHOWN
}

fn renumbered(record: &Record, numbers: &[Vec<u32>; 6]) -> Record {
    let [firms, names, regions, countries, products, trade_modes] = numbers;
    Record {
        firm: firms[record.firm as usize],
        name: names[record.name as usize],
        region: regions[record.region as usize],
        country: countries[record.country as usize],
        product: products[record.product as usize],
        trade_mode: trade_modes[record.trade_mode as usize],
        ..*record
    }
}

fn add(sum: &mut Counts, counts: &Counts) {
    sum.lines += counts.lines;
    sum.accepted += counts.accepted;
    sum.rounded += counts.rounded;
    sum.footers += counts.footers;
    for (sum, n) in sum.excluded.iter_mut().zip(counts.excluded) {
        *sum += n;
    }
    for (sum, n) in sum.rejected.iter_mut().zip(counts.rejected) {
        *sum += n;
    }
}
