//! The rows that the manifest stores and returns.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::domain::finding::{Finding, FindingKind};
use crate::domain::record::{Counts, Coverage, Intake, PeriodFlow, Record, Reject};
use crate::domain::types::{Flow, Period, Vintage};
use crate::feed::findings::unseen::{NewCodes, UNSEEN};
use crate::home::definition::DefinitionTexts;
use crate::home::durable::Stored;
use crate::home::parts::Part;
use crate::home::publication::Publication;

/// The content of one transaction; each file that it names is already durable.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// The publication; publications increase.
    pub publication: Publication,
    /// The newly counted files, in order of vintage.
    pub files: Vec<AcceptedFile>,
    /// The months that close.
    pub closed: Vec<Period>,
    /// Published rows.
    pub parts: Vec<Part>,
    /// The definition of the figures; given once, with the first commit.
    pub definition: Option<DefinitionTexts>,
    /// The files that no longer count.
    pub withdrawn: Vec<Withdrawn>,
    /// Another definition for the whole home.
    pub rebuilt: Option<Rebuilt>,
    /// True if the snapshots become invalid, because their sums cannot be corrected.
    pub void_snapshots: bool,
}

impl Commit {
    /// The newest vintage of the commit; `None` if it only closes months.
    pub(super) fn vintage(&self) -> Option<Vintage> {
        let files = self.files.iter().map(|file| file.vintage);
        let withdrawn = self.withdrawn.iter().map(|withdrawn| withdrawn.at);
        files.chain(withdrawn).chain(self.rebuilt.iter().map(|rebuilt| rebuilt.at)).max()
    }

    /// The files of the home in the commit.
    pub(super) fn stored(&self) -> impl Iterator<Item = &Stored> {
        let segments = self.files.iter().map(|file| &file.segment);
        let reclassified = self.rebuilt.iter().flat_map(|rebuilt| &rebuilt.reclassified);
        let parts = self.parts.iter().map(|part| &part.file);
        let runs = self.files.iter().filter_map(|file| file.run.as_ref());
        segments.chain(reclassified.map(|file| &file.segment)).chain(parts).chain(runs)
    }
}

/// A file that counts after its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedFile {
    /// The vintage of the file.
    pub vintage: Vintage,
    /// The path from which it was read, as given.
    pub path: PathBuf,
    /// Its content.
    pub summary: Summary,
    /// The archived records.
    pub segment: Stored,
    /// Their month sums; `None` if they are to be computed from the records.
    pub run: Option<Stored>,
    /// The replaced files.
    pub supersedes: Vec<Vintage>,
    /// The coverage, if the file is not simply one month, and the last month closed when the file
    /// was accepted.
    pub coverage: Option<(Coverage, Option<Period>)>,
    /// The replaced months and flows of other files.
    pub replaces: Vec<(Vintage, Vec<PeriodFlow>)>,
    /// The numbers of its new codes, if it replaces no file.
    pub new_codes: Option<[NewCodes; UNSEEN.len()]>,
    /// Its regions that no earlier file has.
    pub new_regions: Vec<String>,
}

impl AcceptedFile {
    /// The coverage as the manifest has it.
    #[must_use]
    pub fn covered(&self) -> Option<Covered> {
        let (coverage, closed_through) = self.coverage.as_ref()?;
        let Coverage { first, last, part, records, .. } = coverage.clone();
        Some(Covered { first, last, part, closed_through: *closed_through, records })
    }
}

/// The data that the manifest stores about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The file's name, without its folder.
    pub name: String,
    /// The month in its name.
    pub period: Period,
    /// BLAKE3 of the unpacked bytes, in hexadecimal.
    pub hash: String,
    /// The unpacked size in bytes.
    pub n_bytes: u64,
    /// The numbers of lines by outcome.
    pub counts: Counts,
    /// The rejected lines.
    pub rejects: Vec<Reject>,
    /// The number of accepted records by month.
    pub periods: BTreeMap<Period, u64>,
    /// The sum of |value| over accepted records, in cents; at most `i64::MAX`.
    pub absolute_cents: i64,
    /// The names of the columns, if a line was rejected because the tables lack its code.
    pub columns: Vec<String>,
    /// The findings about the file.
    pub findings: Vec<Finding>,
}

impl Summary {
    /// Computes the summary of a read file.
    #[must_use]
    pub fn of(intake: &Intake) -> Self {
        let accepted = || intake.records.iter().filter(|record| record.exclusion.is_none());
        let mut periods = BTreeMap::new();
        // Late records are few, so runs of one month are long: runs are counted, not records.
        for run in intake.records.chunk_by(|a, b| a.period == b.period) {
            let n = run.iter().filter(|record| record.exclusion.is_none()).count() as u64;
            if n > 0 {
                *periods.entry(run[0].period).or_insert(0) += n;
            }
        }
        let absolute: i128 = accepted().map(|record| i128::from(record.value_cents).abs()).sum();
        Self {
            name: intake.name.clone(),
            period: intake.period,
            hash: intake.hash.clone(),
            n_bytes: intake.n_bytes,
            counts: intake.counts.clone(),
            rejects: intake.rejects.clone(),
            periods,
            absolute_cents: i64::try_from(absolute).unwrap_or(i64::MAX),
            columns: intake.columns.clone(),
            findings: intake.findings.clone(),
        }
    }

    pub(super) fn assert_adds_up(&self) {
        let Counts { lines, accepted, .. } = self.counts;
        let (excluded, rejected) = (self.counts.excluded_total(), self.counts.rejected_total());
        assert!(
            lines == accepted + excluded + rejected
                && rejected == self.rejects.len() as u64
                && accepted == self.periods.values().sum::<u64>(),
            "{}: {lines} lines, {accepted} accepted ({:?}), {excluded} excluded, \
             {rejected} rejected ({} kept)",
            self.name,
            self.periods,
            self.rejects.len()
        );
    }
}

/// A file that no longer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The file.
    pub file: Vintage,
    /// The vintage of the withdrawal.
    pub at: Vintage,
}

/// The home recomputed under another definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// The vintage of the rebuild.
    pub at: Vintage,
    /// The new definition of the figures.
    pub definition: DefinitionTexts,
    /// Files with records that count or are excluded unlike before.
    pub reclassified: Vec<Reclassified>,
}

/// A file with a new division of its records into counted and excluded ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reclassified {
    /// The file.
    pub vintage: Vintage,
    /// The new archived records.
    pub segment: Stored,
    /// The new summary.
    pub summary: Summary,
}

/// An accepted file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// The vintage of the file.
    pub vintage: Vintage,
    /// Its name, without its folder.
    pub name: String,
    /// The path from which it was read, as given.
    pub path: PathBuf,
    /// The month in its name.
    pub period: Period,
    /// BLAKE3 of the unpacked bytes, in hexadecimal.
    pub hash: String,
    /// The unpacked size in bytes.
    pub n_bytes: u64,
    /// The archived records.
    pub segment: Stored,
    /// The numbers of lines by outcome.
    pub counts: Counts,
    /// The months with accepted records, including late ones, in order.
    pub months: Vec<Period>,
    /// The sum of |value| over accepted records, in cents.
    pub absolute_cents: i64,
    /// The publication with which the file began to count.
    pub publication: Publication,
    /// The file that replaced it, if any.
    pub superseded_by: Option<Vintage>,
    /// The vintage of its withdrawal, if any.
    pub withdrawn_at: Option<Vintage>,
    /// The coverage, if the file is not simply one month.
    pub covered: Option<Covered>,
    /// The months and flows that later files replaced.
    pub replaced: Vec<Replaced>,
    /// The findings about the file, and its new codes.
    pub found: Found,
}

impl FileEntry {
    /// True if the records of the file count now.
    #[must_use]
    pub fn counts_now(&self) -> bool {
        self.superseded_by.or(self.withdrawn_at).is_none()
    }

    /// True if the records of the file counted at a vintage.
    #[must_use]
    pub fn counted_at(&self, vintage: Vintage) -> bool {
        let ended = self.superseded_by.or(self.withdrawn_at);
        self.vintage <= vintage && ended.is_none_or(|ended| ended > vintage)
    }

    /// The months and flows of the file that did not count at a vintage although the file did.
    #[must_use]
    pub fn gone_at(&self, vintage: Vintage) -> Vec<PeriodFlow> {
        let gone = self.replaced.iter().filter(|of| of.by <= vintage);
        gone.map(|of| (of.period, of.flow)).collect()
    }

    /// Keeps only the records that count.
    pub fn retain_counting(&self, records: &mut Vec<Record>) {
        if !self.replaced.is_empty() {
            let is_gone = |of: &Replaced, record: &Record| {
                (of.period, of.flow) == (record.period, record.flow)
            };
            records.retain(|record| !self.replaced.iter().any(|of| is_gone(of, record)));
        }
    }
}

/// The coverage of a file, as the manifest stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The first covered month.
    pub first: Period,
    /// The last covered month.
    pub last: Period,
    /// The part of its months that the file holds.
    pub part: String,
    /// The last month closed when the file was accepted.
    pub closed_through: Option<Period>,
    /// The number of records for each month and flow, including excluded ones.
    pub records: BTreeMap<PeriodFlow, u64>,
}

/// A month and a flow of a file whose records another file replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The month.
    pub period: Period,
    /// The flow.
    pub flow: Flow,
    /// The file that replaced it.
    pub by: Vintage,
}

/// The stored findings of a file; empty for files of homes before layout 6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The number of lines, codes, groups or months of each finding.
    pub findings: BTreeMap<FindingKind, u64>,
    /// Its codes, in the order of [`UNSEEN`]; none of a file that took the place of another.
    pub codes: [NewCodes; UNSEEN.len()],
}

/// A refused file with rejected lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedFile {
    /// The name.
    pub name: String,
    /// The month in its name, or the last one.
    pub period: Period,
    /// The number of its rejected lines.
    pub n_rejected: u64,
    /// The number of those that are kept.
    pub n_kept: u64,
}
