//! Reports intake as log lines and heartbeats, and estimates a closing year.

use tracing::{info, warn};

use super::heartbeat::{Pulse, State};
use super::stop::Stop;
use crate::domain::record::Counts;
use crate::domain::types::{Period, Vintage};
use crate::engine::{FileOutcome, Observer, Outcome, thin_months, with_causes};
use crate::home::{Archive, Publication, Seen};
use crate::regressions::{Estimated, RegressionError, YearClose};

/// Tells of an intake.
pub struct Progress<'a> {
    pulse: &'a mut Pulse,
    stop: &'a Stop,
    year_close: &'a mut YearClose,
    publication: Publication,
    /// Files that count once the current step is committed; they are reported then.
    accepted: Vec<(String, Vintage, Counts)>,
    /// What ended an estimation in a way that must end the process.
    pub fatal: Option<RegressionError>,
}

impl<'a> Progress<'a> {
    /// Tells of an intake that begins.
    pub fn new(pulse: &'a mut Pulse, stop: &'a Stop, year_close: &'a mut YearClose) -> Self {
        let publication = Publication::default();
        Self { pulse, stop, year_close, publication, accepted: Vec::new(), fatal: None }
    }

    fn taken_in(&mut self, file: &str, vintage: Vintage, counts: &Counts) {
        let (lines, accepted) = (counts.lines, counts.accepted);
        let (excluded, rejected) = (counts.excluded_total(), counts.rejected_total());
        info!(file, vintage = vintage.0, lines, accepted, excluded, rejected, "ingested");
        if rejected > 0 {
            warn!(file, "{rejected} of {lines} lines rejected; see `export rejects`");
        }
        if lines == 0 {
            warn!(file, "no line but the header; the month counts as one without trade");
        }
        self.pulse.heartbeat.lines_rejected += rejected;
        self.pulse.heartbeat.files_accepted += 1;
    }

    /// Estimates if a year closed.
    fn estimate(&mut self, archive: &mut Archive, closed: &[Period]) {
        if closed.iter().all(|month| month.month() != 12) {
            return;
        }
        self.enter(State::Estimating);
        let estimated = self.year_close.closed(archive, closed);
        self.estimated(estimated);
    }

    /// Reports the result of an estimation. Intake continues, unless the disk fails.
    fn estimated(&mut self, estimated: Result<Option<Estimated>, RegressionError>) {
        match estimated {
            Ok(None) => {}
            Ok(Some(estimated)) => {
                for error in &estimated.unread {
                    let error = with_causes(error);
                    warn!(
                        "the stored state of an estimation cannot be used and is computed again: \
                         {error}"
                    );
                }
                let (year, seconds) = (estimated.year.0, estimated.seconds);
                let errors =
                    || estimated.outcomes.iter().filter_map(|one| one.result.as_ref().err());
                let without_data = errors().filter(|error| error.is_no_data()).count();
                let failed = errors().count() - without_data;
                let estimated = estimated.outcomes.len() - errors().count();
                info!(year, estimated, failed, without_data, seconds, "the year has closed");
            }
            Err(error) => self.failed("the year has closed, but its estimation failed", error),
        }
    }

    /// Tells what failed; on a disk that does not confirm nothing more may be written.
    fn failed(&mut self, what: &str, error: RegressionError) {
        if error.is_fatal() {
            self.fatal = Some(error);
            return;
        }
        let text = with_causes(&error);
        warn!("{what}: {text}");
        self.pulse.heartbeat.error = Some(text);
    }

    fn enter(&mut self, state: State) {
        self.pulse.beat(if self.stop.is_asked() { State::Stopping } else { state });
    }
}

impl Observer for Progress<'_> {
    fn opened(&mut self, archive: &mut Archive) {
        let estimated = self.year_close.catch_up(archive);
        self.estimated(estimated);
    }

    fn file(&mut self, outcome: &FileOutcome) {
        let file = outcome.path.display().to_string();
        let heartbeat = &mut self.pulse.heartbeat;
        match &outcome.outcome {
            Outcome::Accepted { vintage, counts, thin } => {
                self.accepted.push((file.clone(), *vintage, counts.clone()));
                if !thin.is_empty() {
                    warn!(file, "{}", thin_months(thin));
                }
            }
            Outcome::Seen(Seen::Known { accepted_as, superseded_by }) => {
                let superseded_by = superseded_by.map(|by| by.0);
                info!(file, superseded_by, "skipped, accepted before as {accepted_as}");
                heartbeat.files_skipped += 1;
            }
            Outcome::Seen(Seen::Withdrawn { accepted_as, at }) => {
                info!(file, "left out, accepted as {accepted_as} and withdrawn as vintage {at}");
                heartbeat.files_skipped += 1;
            }
            // Whether it is news is for the ledger to tell.
            Outcome::Refused(_) => {}
        }
        heartbeat.last_file = Some(file);
        self.enter(State::Ingesting);
    }

    fn publishing(&mut self, publication: Publication) {
        self.publication = publication;
        self.enter(State::Publishing);
    }

    fn committed(&mut self, archive: &mut Archive, closed: &[Period]) {
        let months: Vec<String> = closed.iter().map(ToString::to_string).collect();
        let accepted = std::mem::take(&mut self.accepted);
        let (publication, files) = (self.publication.0, accepted.len());
        for (file, vintage, counts) in accepted {
            self.taken_in(&file, vintage, &counts);
        }
        info!(publication, files, closed = months.join(" "), "published");
        let heartbeat = &mut self.pulse.heartbeat;
        heartbeat.last_success = Some(heartbeat.now());
        heartbeat.publication = publication;
        self.estimate(archive, closed);
        self.enter(State::Ingesting);
    }

    fn rested(&mut self, archive: &mut Archive) {
        if let Err(error) = self.year_close.store(archive) {
            self.failed("the next estimation begins from an earlier solution", error);
        }
    }

    fn stop_asked(&self) -> bool {
        self.stop.is_asked() || self.fatal.is_some()
    }
}
