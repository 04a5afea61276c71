//! The content of one commit during an intake.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

use super::EngineError;
use super::replace::Earlier;
use super::running::{LiveSegment, Running};
use crate::domain::record::{Coverage, PeriodFlow};
use crate::domain::types::{Period, Vintage};
use crate::feed::findings::unseen::{NewCodes, UNSEEN};
use crate::home::definition::Definition;
use crate::home::{AcceptedFile, HomeError, Stored, Summary, Withdrawn};

/// The number of files in a step that does not end with a December.
const FILES_A_STEP_MAX: usize = 48;
/// The number of rejected lines in a step. Each is held until the commit, with up to one KiB.
const REJECTS_A_STEP_MAX: u64 = 1 << 17;

/// The content of one commit.
#[derive(Default)]
pub(super) struct Step<'scope> {
    pub(super) files: Vec<AcceptedFile>,
    pub(super) writing: VecDeque<Writing<'scope>>,
    pub(super) closed: Vec<Period>,
    pub(super) withdrawn: Vec<Withdrawn>,
    /// True if the step makes all snapshots invalid.
    pub(super) void_snapshots: bool,
}

/// A segment that is being written.
pub(super) struct Writing<'scope> {
    pub(super) path: PathBuf,
    pub(super) vintage: Vintage,
    pub(super) supersedes: Vec<Vintage>,
    pub(super) replaces: Vec<(Vintage, Vec<PeriodFlow>)>,
    pub(super) coverage: Option<(Coverage, Option<Period>)>,
    pub(super) summary: Summary,
    /// The segment and the run.
    pub(super) segment: ScopedJoinHandle<'scope, Result<(Stored, Stored), HomeError>>,
    pub(super) new_codes: Option<[NewCodes; UNSEEN.len()]>,
    pub(super) new_regions: Vec<String>,
}

impl Step<'_> {
    /// The withdrawal of files that are not in the state and whose records cannot be read.
    pub(super) fn without_reading(withdrawn: Vec<Withdrawn>) -> Self {
        Self { withdrawn, void_snapshots: true, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        let no_files = self.files.is_empty() && self.writing.is_empty();
        no_files && self.closed.is_empty() && self.withdrawn.is_empty()
    }

    pub(super) fn is_due(&self) -> bool {
        let december = self.closed.iter().any(|period| period.month() == 12);
        let n_rejects: u64 = self.summaries().map(|file| file.counts.rejected_total()).sum();
        december
            || self.files.len() + self.writing.len() >= FILES_A_STEP_MAX
            || n_rejects >= REJECTS_A_STEP_MAX
    }

    pub(super) fn summaries(&self) -> impl Iterator<Item = &Summary> {
        let written = self.files.iter().map(|file| &file.summary);
        written.chain(self.writing.iter().map(|writing| &writing.summary))
    }

    /// Waits for segments until at most `n_left` are still being written.
    pub(super) fn settle(
        &mut self,
        running: &mut Running,
        n_left: usize,
    ) -> Result<(), EngineError> {
        while self.writing.len() > n_left {
            let Some(writing) = self.writing.pop_front() else { break };
            let Writing { path, vintage, supersedes, replaces, coverage, .. } = writing;
            let Writing { summary, segment, new_codes, new_regions, .. } = writing;
            let (segment, run) = segment.join().expect("a writer returns its errors")?;
            let file = AcceptedFile {
                vintage,
                path,
                summary,
                segment,
                run: Some(run),
                supersedes,
                coverage,
                replaces,
                new_codes,
                new_regions,
            };
            running.segments.push(LiveSegment::of(&file));
            self.files.push(file);
        }
        Ok(())
    }

    /// Closes a month after the withdrawal of replaced files. The withdrawal touches only roles
    /// that these files already have.
    pub(super) fn close(
        &mut self,
        running: &mut Running,
        (folder, definition): (&Path, &Definition),
        month: Period,
        withdraws: &[Earlier],
    ) -> Result<(), EngineError> {
        for earlier in withdraws {
            running.withdraw(folder, definition, earlier.vintage)?;
        }
        let before = month.year_before();
        let is_read = |writing: &Writing<'_>| {
            writing.has(month) || (writing.has(before) && !running.recent.has(before))
        };
        if self.writing.iter().any(is_read) {
            self.settle(running, 0)?;
        }
        running.close(folder, definition, month)?;
        self.closed.push(month);
        Ok(())
    }

    pub(super) fn hashes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.summaries().map(|summary| (summary.hash.as_str(), summary.name.as_str()))
    }

    pub(super) fn absolute_cents(&self) -> i128 {
        self.summaries().map(|summary| i128::from(summary.absolute_cents)).sum()
    }

    pub(super) fn writing(&self) -> impl Iterator<Item = (Vintage, Period)> {
        self.writing.iter().map(|writing| (writing.vintage, writing.summary.period))
    }
}

impl Writing<'_> {
    pub(super) fn has(&self, month: Period) -> bool {
        self.summary.periods.contains_key(&month)
    }
}
