//! New codes: reads rejected lines again whose codes a later table contains.
//!
//! The records of a file's lines become a separate file with a vintage: `verify`, `revisions`,
//! withdrawals and replays treat it as any other. It is withdrawn together with the file of its
//! lines.

use std::fmt;

use super::EngineError;
use super::running::{LiveSegment, Running};
use super::sums::{ABSOLUTE_CENTS_MAX, Sums};
use crate::domain::record::{Counts, Coverage, Exclusion, Intake, Record, n_by_period_flow};
use crate::domain::types::{City, Period, Vintage};
use crate::feed::again::{ReadAgain, Rejected, is_for_a_code, read_again};
use crate::feed::source::named_file;
use crate::home::definition::Definition;
use crate::home::runs;
use crate::home::segment::{Encoded, encode, sort};
use crate::home::{AcceptedFile, Covered, FileEntry, Home, HomeError, Summary};

/// The records of formerly rejected lines, as a file.
pub(super) struct Recovered {
    of: FileEntry,
    summary: Summary,
    sums: Sums,
    segment: Encoded,
    run: runs::Encoded,
    coverage: Option<Coverage>,
}

/// A file of which some rejected lines now count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountsNow {
    /// The file.
    pub name: String,
    /// The vintage of these lines.
    pub vintage: Vintage,
    /// The number of these lines.
    pub n_lines: u64,
}

impl fmt::Display for CountsNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, vintage, n_lines } = self;
        write!(
            f,
            "{n_lines} rejected lines of {name} are read again as vintage {vintage}: the tables \
             have their codes now"
        )
    }
}

/// The name of a file's lines that were read again.
fn name_of(file: &FileEntry) -> String {
    format!("{} (vintage {} read again)", file.name, file.vintage)
}

/// True if the name of a counted file is that of a file, or of its lines that were read again.
pub(super) fn is_or_is_read_again(counting: &str, name: &str) -> bool {
    let rest = counting.strip_prefix(name);
    rest.is_some_and(|rest| {
        rest.is_empty() || (rest.starts_with(" (vintage ") && rest.ends_with(" read again)"))
    })
}

/// Files, with the files of their lines that were read again.
pub(super) fn with_read_again(
    home: &Home,
    vintages: &[Vintage],
) -> Result<Vec<Vintage>, EngineError> {
    let files = home.files()?;
    let names: Vec<String> =
        files.iter().filter(|file| vintages.contains(&file.vintage)).map(name_of).collect();
    let is_of = |file: &&FileEntry| file.counts_now() && names.contains(&file.name);
    let again = files.iter().filter(is_of).map(|file| file.vintage);
    let again = again.filter(|vintage| !vintages.contains(vintage));
    Ok(vintages.iter().copied().chain(again).collect())
}

/// The lines of all files that an earlier definition rejects and a later one accepts as records;
/// `first` is the feed's first month.
pub(super) fn recovered(
    home: &Home,
    definitions: (&Definition, &Definition),
    first: Period,
) -> Result<Vec<Recovered>, EngineError> {
    let mut all = Vec::new();
    for file in home.files()?.into_iter().filter(FileEntry::counts_now) {
        all.extend(of_file(home, definitions, first, file)?);
    }
    let total: i128 =
        all.iter().map(|one: &Recovered| i128::from(one.summary.absolute_cents)).sum();
    if home.absolute_cents()? + total > ABSOLUTE_CENTS_MAX {
        return Err(EngineError::PastRange);
    }
    Ok(all)
}

fn of_file(
    home: &Home,
    (before, after): (&Definition, &Definition),
    first: Period,
    of: FileEntry,
) -> Result<Option<Recovered>, EngineError> {
    let rejects = home.rejects(of.vintage)?;
    let columns = home.columns(of.vintage)?;
    if columns.is_empty() || !rejects.iter().any(|reject| is_for_a_code(reject.rule)) {
        return Ok(None);
    }
    let profile = &after.profile;
    let Some(mut file) = named_file(&of.name, profile) else { return Ok(None) };
    if of.covered.is_none() {
        file.period = of.period;
    }
    let rejected = Rejected { file: &file, columns, rejects: &rejects, first };
    let read = read_again(rejected, profile, [&before.places, &after.places]);
    // A later layout may have other columns.
    let Ok(ReadAgain { mut records, texts, mut counts, lines }) = read else { return Ok(None) };
    if lines.is_empty() {
        return Ok(None);
    }
    of.retain_counting(&mut records);
    count(&mut counts, &records);
    sort(&mut records, texts.firms.len());
    let coverage = of.covered.as_ref().map(|covered| coverage(covered, &records));
    let hash = blake3::hash(format!("{} {lines:?}", of.hash).as_bytes()).to_hex().to_string();
    let n_bytes = rejects.iter().filter(|reject| lines.contains(&reject.line));
    let n_bytes = n_bytes.map(|reject| reject.raw.len() as u64).sum();
    let mut intake = Intake {
        findings: Vec::new(),
        shown: Vec::new(),
        name: name_of(&of),
        period: of.period,
        hash,
        n_bytes,
        texts,
        records,
        rejects: Vec::new(),
        counts,
        coverage: None,
        columns: Vec::new(),
    };
    let summary = Summary::of(&intake);
    let carried = after.successions.carried(&mut intake.texts.firms);
    let sums = Sums::carried(&intake.texts, &intake.records, &carried);
    let of_file = Sums::of(&intake.texts, &intake.records);
    let run = of_file.run(&after.places, &of.path)?;
    let code = |city: City| after.places.code(city);
    let segment = encode(1, &intake.texts, &mut intake.records, &code)
        .map_err(|source| HomeError::encode(&of.path, source))?;
    Ok(Some(Recovered { of, summary, sums, segment, run, coverage }))
}

/// Counts records by their end; lines that are not records keep their counts.
fn count(counts: &mut Counts, records: &[Record]) {
    counts.accepted = 0;
    for exclusion in Exclusion::OF_RECORDS {
        counts.excluded[exclusion as usize] = 0;
    }
    for record in records {
        match record.exclusion {
            None => counts.accepted += 1,
            Some(exclusion) => counts.excluded[exclusion as usize] += 1,
        }
    }
    counts.lines = counts.accepted + counts.excluded_total();
}

fn coverage(covered: &Covered, records: &[Record]) -> Coverage {
    let Covered { first, last, part, .. } = covered.clone();
    Coverage { first, last, part, flow: None, records: n_by_period_flow(records) }
}

impl Recovered {
    /// Makes the records effective and durable.
    pub(super) fn accept(
        self,
        home: &Home,
        running: &mut Running,
        (vintage, closed): (Vintage, Option<Period>),
    ) -> Result<AcceptedFile, EngineError> {
        let Self { of, summary, sums, segment, run, coverage } = self;
        let segment = segment.store(home.folder(), vintage)?;
        let run = run.store(home.folder(), vintage)?;
        running.feed(&sums)?;
        let file = AcceptedFile {
            new_codes: None,
            new_regions: Vec::new(),
            vintage,
            path: of.path,
            summary,
            segment,
            run: Some(run),
            supersedes: Vec::new(),
            coverage: coverage.map(|coverage| (coverage, closed)),
            replaces: Vec::new(),
        };
        running.segments.push(LiveSegment::of(&file));
        Ok(file)
    }
}

/// Makes the records of formerly rejected lines effective, from a vintage on.
pub(super) fn accept_all(
    recovered: Vec<Recovered>,
    home: &Home,
    running: &mut Running,
    first: Vintage,
) -> Result<(Vec<AcceptedFile>, Vec<CountsNow>), EngineError> {
    let closed = running.calendar.last_closed();
    let (mut files, mut now) = (Vec::new(), Vec::new());
    for (at, one) in (first.0..).zip(recovered) {
        let vintage = Vintage(at);
        let (name, n_lines) = (one.of.name.clone(), one.summary.counts.lines);
        now.push(CountsNow { name, vintage, n_lines });
        files.push(one.accept(home, running, (vintage, closed))?);
    }
    Ok((files, now))
}
