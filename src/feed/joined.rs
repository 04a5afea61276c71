//! What several threads read of one file, put together as if one had read it.

use super::findings::ForeignLines;
use super::shown::Shown;
use crate::domain::dictionary::Dictionary;
use crate::domain::record::{Counts, Record, Reject, Texts};

/// What becomes of a file's lines.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) records: Vec<Record>,
    pub(super) rejects: Vec<Reject>,
    pub(super) counts: Counts,
    pub(super) texts: Texts,
    /// The first rejected lines, and the first of each rule, as a message shows them.
    pub(super) shown: Vec<Shown>,
    /// Of lines that have several values: those with a reject, and all of them.
    pub(super) several: Option<(u64, u64)>,
    /// The names of the columns.
    pub(super) columns: Vec<String>,
    /// Lines of another encoding.
    pub(super) foreign: ForeignLines,
}

/// What one thread read: some blocks of a file, in order.
#[derive(Debug, Default)]
pub(super) struct Portion {
    pub(super) sheet: Sheet,
    blocks: Vec<BlockEnd>,
}

/// How far a thread had come after a block.
#[derive(Debug)]
struct BlockEnd {
    number: usize,
    n_records: usize,
    n_rejects: usize,
    n_texts: [usize; 6],
}

impl Portion {
    /// Nothing read yet; records go where others were.
    pub(super) fn into(records: Vec<Record>) -> Self {
        Self { sheet: Sheet { records, ..Sheet::default() }, blocks: Vec::new() }
    }

    /// Notes that all lines of a block are in the sheet.
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

/// All that was read, in the order of the file.
///
/// Going through the blocks in order, the texts that a thread first met in a block are numbered
/// after those of the blocks before: by first appearance in the file, as one thread numbers them.
pub(super) fn joined(mut portions: Vec<Portion>) -> Sheet {
    // A thread that came late got the number of a block only by default.
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
    sheet
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
