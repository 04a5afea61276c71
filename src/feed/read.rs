//! Reads one whole monthly file: its records, rejects and counts, or the reason for a refusal.

use std::io;
use std::path::Path;
use std::sync::Mutex;

use super::again::is_for_a_code;
use super::check::{Checker, Fault, Months, NoRecord};
use super::decode::{self, Text};
use super::expected::shown;
use super::frame::{Blocks, Dialect, Framed, Line, Lines};
use super::joined::{self, Portion, Sheet};
use super::places::Places;
use super::profile::{Covers, Profile};
use super::refused::Refused;
pub use super::source::FeedFile;
use super::source::FilePart;
use super::split::Span;
use super::{findings, line_ends, opening};
use crate::domain::record::{
    Coverage, Exclusion, Intake, KeptRejects, Record, Reject, Rule, Texts, n_by_period_flow,
};
use crate::domain::types::{Flow, Period};

/// The largest number of rejected lines that are kept; a file with more is refused.
pub const REJECTS_MAX: usize = 500_000;

/// The number of records from which memory grows by an eighth. Months are about as large as the
/// previous one, and doubled memory would stay half empty.
const RECORDS_MANY: usize = 1 << 18;

/// The limits for a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadLimits {
    /// The feed's first month; `None` for a feed without files: the file's own month counts then.
    pub first_period: Option<Period>,
    /// The largest share of rejected lines.
    pub max_rejected_share: f64,
    /// The largest size of the unpacked file, in bytes.
    pub max_bytes: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { first_period: None, max_rejected_share: 0.05, max_bytes: decode::BYTES_MAX_DEFAULT }
    }
}

/// The threads and memory for reading a file.
#[derive(Debug)]
pub struct Room {
    /// The number of threads.
    pub n_threads: usize,
    /// Memory for records. Reuse for the next file saves the system from clearing new pages.
    pub records: Vec<Record>,
    /// Memory for texts, reused likewise.
    pub texts: Texts,
}

impl Room {
    /// Room for this number of threads, without memory.
    #[must_use]
    pub fn new(n_threads: usize) -> Self {
        Self { n_threads, records: Vec::new(), texts: Texts::default() }
    }
}

/// Reads a monthly file on one thread.
///
/// # Errors
/// Those of [`read_in`].
pub fn read(
    file: &FeedFile,
    profile: &Profile,
    places: &Places,
    limits: &ReadLimits,
) -> Result<Intake, Refused> {
    read_in(&mut Room::new(1), file, profile, places, limits)
}

/// Reads a monthly file on a room's threads; the result does not depend on their number.
///
/// The previous records and texts of the room are cleared.
///
/// # Errors
/// - [`Refused::NoConcordance`] if the places do not support the profile's rule
/// - those of [`decode::read_text`] if its bytes cannot become text within the limits
/// - those of `Header::find` if its first line is not the profile's header
/// - [`Refused::Rejected`] if more than the allowed share of its lines is rejected
/// - [`Refused::TooManyRejects`], [`Refused::TooManyLines`] if more of them exist than can be kept
///
/// # Panics
/// If the counts do not add up to the lines read, which is a bug.
pub fn read_in(
    room: &mut Room,
    file: &FeedFile,
    profile: &Profile,
    places: &Places,
    limits: &ReadLimits,
) -> Result<Intake, Refused> {
    if !places.supports(&profile.city) {
        return Err(Refused::NoConcordance { file: file.path.clone() });
    }
    let covers = profile.file.covers;
    let profile = &profile.of_file(file.period, file.part.flow.as_deref());
    let first = limits.first_period.unwrap_or(file.first);
    let first = match covers {
        Covers::Month | Covers::Contents => first,
        // Lines of earlier months repeat in the next file and would count twice.
        Covers::Range | Covers::Year => first.max(file.first),
    };
    let months = Months { first, last: file.period };
    let (sheet, fingerprint) = decode::read_text(file, profile, limits.max_bytes, |text| {
        read_sheet(text, &file.path, room, Rules { profile, places, months })
    })?;
    let Sheet { records, rejects, counts, texts, shown, several, columns, foreign } = sheet;
    let ended = counts.accepted + counts.excluded_total() + counts.rejected_total();
    assert_eq!(counts.lines, ended, "a line of {} ended in no way or in two", file.name);
    let (rejected, lines) = several.unwrap_or((counts.rejected_total(), counts.lines));
    let max_rejected_share = limits.max_rejected_share;
    let too_many =
        Refused::share_of_rejects(&file.path, (rejected, lines), &shown, max_rejected_share);
    if let Some(refused) = too_many {
        return Err(refused.keeping(rejects));
    }
    let coverage = coverage(file, covers, profile, &records)?;
    let is_wanted = rejects.iter().any(|reject: &Reject| is_for_a_code(reject.rule));
    let columns = if is_wanted { columns } else { Vec::new() };
    let month = (covers == Covers::Month).then_some(file.period);
    let mut findings = findings::of_file(&texts, &records, month);
    findings.extend(foreign.finding(counts.lines));
    Ok(Intake {
        name: file.name.clone(),
        period: coverage.as_ref().map_or(file.period, |coverage| coverage.last),
        hash: file.hash_with_name(profile, fingerprint.hash),
        n_bytes: fingerprint.n_bytes,
        texts,
        records,
        rejects,
        counts,
        coverage,
        columns,
        findings,
        shown: shown.into_iter().map(|shown| (shown.rule, shown.to_string())).collect(),
    })
}

/// The months, flow and part that a file covers; `None` for a whole month.
fn coverage(
    file: &FeedFile,
    covers: Covers,
    profile: &Profile,
    records: &[Record],
) -> Result<Option<Coverage>, Refused> {
    if covers == Covers::Month && file.part == FilePart::default() {
        return Ok(None);
    }
    let n_records = n_by_period_flow(records);
    let has_months = !profile.period.columns.is_empty();
    let found = || n_records.keys().map(|(period, _)| *period);
    let span = match covers {
        Covers::Month | Covers::Range => Some((file.first, file.period)),
        Covers::Year if profile.is_annual() => Some((file.first, file.period)),
        // Future months have zeros.
        Covers::Year if has_months => {
            let is_there = |record: &&Record| record.value_cents != 0;
            let months = records.iter().filter(is_there).map(|record| record.period);
            months.max().map(|last| (file.first, last))
        }
        Covers::Year => found().max().map(|last| (file.first, last)),
        Covers::Contents => found().min().zip(found().max()),
    };
    let Some((first, last)) = span else {
        return Err(Refused::NoMonth { file: file.path.clone() });
    };
    let is_of = |codes: &[String], code: &String| codes.contains(code);
    let flow =
        file.part.flow.as_ref().map(|code| {
            if is_of(&profile.flow.export, code) { Flow::Export } else { Flow::Import }
        });
    Ok(Some(Coverage { first, last, part: file.part.key(), flow, records: n_records }))
}

/// The profile, places and months that lines are checked by.
#[derive(Clone, Copy)]
struct Rules<'a> {
    profile: &'a Profile,
    places: &'a Places,
    months: Months,
}

/// The rest of a text; several threads take blocks of it.
struct Shared<'t> {
    blocks: Blocks<Box<dyn io::Read + Send + 't>>,
    /// The refusal that stopped the reading, if any.
    stopped: Option<Refused>,
}

fn read_sheet(
    text: Text<'_>,
    file: &Path,
    room: &mut Room,
    rules: Rules<'_>,
) -> Result<Sheet, Refused> {
    let Rules { profile, places, months } = rules;
    let Text { reader, transcoded, quote } = text;
    let io_error = |error: io::Error| decode::refusal(file, error);
    let dialect = Dialect { quote, ..Dialect::from(&profile.file) };
    let mut lines = Lines::new(dialect.delimiter);
    let reader = line_ends::in_feeds(reader).map_err(io_error)?;
    let mut blocks = Blocks::new(reader, dialect);
    let header = opening::header(&mut blocks, &mut lines, file, profile)?;
    let shared = Mutex::new(Shared { blocks, stopped: None });
    let mut records = std::mem::take(&mut room.records);
    records.clear();
    let texts = std::mem::take(&mut room.texts);
    let take = |lines, records, texts| {
        let checker = Checker::new(&header, profile, places, months, transcoded, texts);
        let portion = Portion::into(records);
        take_portion(&shared, lines, portion, file, checker)
    };
    let portions = std::thread::scope(|scope| {
        let other = || take(Lines::new(dialect.delimiter), Vec::new(), Texts::default());
        let others: Vec<_> = (1..room.n_threads).map(|_| scope.spawn(other)).collect();
        let mut portions = vec![take(lines, records, texts)];
        for other in others {
            portions.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        portions
    });
    let shared = shared.into_inner().expect("a thread that panics ends the others");
    let sheet = joined::joined(portions);
    let sheet = Sheet { columns: header.names().to_vec(), ..sheet };
    match shared.stopped {
        Some(Refused::TooManyRejects { file, rejects_max, .. }) => {
            Err(too_many_rejects(&file, rejects_max, sheet))
        }
        Some(refused) => Err(refused),
        None if sheet.rejects.len() > REJECTS_MAX => {
            Err(too_many_rejects(file, REJECTS_MAX, sheet))
        }
        None => Ok(sheet),
    }
}

fn too_many_rejects(file: &Path, rejects_max: usize, sheet: Sheet) -> Refused {
    let (file, first, kept) = (file.to_owned(), sheet.shown, KeptRejects::of(sheet.rejects));
    Refused::TooManyRejects { file, rejects_max, first, kept }
}

/// Takes blocks until the text ends, and keeps the results of their lines.
fn take_portion(
    shared: &Mutex<Shared<'_>>,
    mut lines: Lines,
    mut portion: Portion,
    file: &Path,
    mut checker: Checker<'_>,
) -> Portion {
    loop {
        let taken = read_lines(&mut lines, file, &mut checker, &mut portion.sheet);
        portion.end_block(lines.block_number(), checker.texts());
        let mut shared = shared.lock().expect("a thread that panics ends the others");
        if let Err(refused) = taken {
            shared.stopped.get_or_insert(refused);
        }
        if shared.stopped.is_some() {
            break;
        }
        match shared.blocks.fill(&mut lines) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                shared.stopped = Some(decode::refusal(file, error));
                break;
            }
        }
    }
    portion.sheet.counts.rounded = checker.n_rounded();
    portion.sheet.texts = checker.into_texts();
    portion
}

/// Reads the lines of a block.
fn read_lines(
    lines: &mut Lines,
    file: &Path,
    checker: &mut Checker<'_>,
    sheet: &mut Sheet,
) -> Result<(), Refused> {
    while let Some(framed) = lines.next_line() {
        sheet.counts.lines += 1;
        let number = match framed {
            Framed::Line(line) => line.line,
            Framed::Broken { line, .. } => line,
        };
        let Ok(number) = u32::try_from(number) else {
            return Err(Refused::TooManyLines { file: file.to_owned() });
        };
        match framed {
            Framed::Broken { rule, raw, .. } => {
                sheet.reject(number, checker, Fault { rule, column: None }, (raw, &[]));
                if let Some((n_bad, n_lines)) = &mut sheet.several {
                    (*n_bad, *n_lines) = (*n_bad + 1, *n_lines + 1);
                }
            }
            Framed::Line(line) if !checker.header().cells().is_empty() => {
                sheet.take_several(number, &line, checker);
            }
            Framed::Line(line) => {
                let end = checker.record(number, &line);
                sheet.end(end, number, checker, &line);
            }
        }
        if sheet.rejects.len() > REJECTS_MAX {
            return Err(too_many_rejects(file, REJECTS_MAX, Sheet::default()));
        }
    }
    Ok(())
}

impl Sheet {
    /// Takes the records of a line with several values. The line counts once for each value, and
    /// once if it is excluded or rejected as a whole.
    #[cold]
    fn take_several(&mut self, number: u32, line: &Line<'_>, checker: &mut Checker<'_>) {
        self.counts.lines -= 1;
        let n_before = self.counts.lines;
        let mut is_bad = false;
        for end in checker.records(number, line) {
            is_bad |= matches!(end, Err(NoRecord::Rejected(_)));
            self.counts.lines += 1;
            self.end(end, number, checker, line);
        }
        if self.counts.lines > n_before {
            let (n_bad, n_lines) = self.several.get_or_insert_default();
            *n_bad += u64::from(is_bad);
            *n_lines += 1;
        }
    }

    #[inline]
    pub(super) fn end(
        &mut self,
        end: Result<Record, NoRecord>,
        number: u32,
        checker: &Checker<'_>,
        line: &Line<'_>,
    ) {
        match end {
            Ok(record) => self.keep(record),
            Err(NoRecord::Rejected(fault)) => {
                self.reject(number, checker, fault, (line.raw, line.fields));
            }
            Err(NoRecord::Excluded(exclusion)) => {
                self.counts.excluded[exclusion as usize] += 1;
            }
            Err(NoRecord::Blank) => self.counts.lines -= 1,
            Err(NoRecord::Footer) => {
                self.counts.lines -= 1;
                self.counts.footers += 1;
            }
        }
    }

    #[inline]
    fn keep(&mut self, record: Record) {
        match record.exclusion {
            None => self.counts.accepted += 1,
            Some(exclusion) => self.counts.excluded[exclusion as usize] += 1,
        }
        let n = self.records.len();
        if n == self.records.capacity() && n >= RECORDS_MANY {
            self.records.reserve_exact(n / 8);
        }
        self.records.push(record);
    }

    fn reject(
        &mut self,
        line: u32,
        checker: &Checker<'_>,
        fault: Fault,
        (raw, fields): (&[u8], &[Span]),
    ) {
        let header = checker.header();
        let column = fault.column.map_or_else(String::new, |at| header.name(at).into_owned());
        self.counts.rejected[fault.rule as usize] += 1;
        if fault.rule == Rule::Encoding {
            self.foreign.look_at(line, raw);
        }
        let of_rule = self.counts.rejected[fault.rule as usize];
        if joined::is_shown(self.shown.len(), usize::try_from(of_rule).unwrap_or(usize::MAX)) {
            self.shown.push(shown(line, header, checker.profile(), fault, (raw, fields)));
        }
        self.rejects.push(Reject { line, column, rule: fault.rule, raw: kept(raw) });
    }
}

// Counts are indexed by variant.
const _: () = assert!(Exclusion::ALL[4] as usize == 4 && Rule::ALL[13] as usize == 13);

/// The part of a line that a reject keeps, cut between characters.
fn kept(raw: &[u8]) -> String {
    // Three more bytes: a character that is cut in two then lies after the cut and does not become
    // `�`.
    let mut text =
        String::from_utf8_lossy(&raw[..raw.len().min(Reject::RAW_BYTES_MAX + 3)]).into_owned();
    let is_cut = |at: &usize| text.is_char_boundary(*at);
    let cut = (0..=text.len().min(Reject::RAW_BYTES_MAX)).rev().find(is_cut);
    text.truncate(cut.expect("0 is a boundary"));
    text
}

#[cfg(test)]
mod tests;
