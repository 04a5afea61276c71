//! Reports intake and estimations as log lines and heartbeats.

use tracing::{info, warn};

use super::heartbeat::{Pulse, State};
use super::stop::Stop;
use crate::domain::record::Counts;
use crate::domain::types::{Period, Vintage};
use crate::engine::{FileOutcome, Observer, Outcome, with_causes};
use crate::home::{Home, Publication, Seen};
use crate::regressions::{Estimated, EstimationFailure, EstimationObserver};

/// Reports an intake.
pub struct Progress<'a> {
    pulse: &'a mut Pulse,
    stop: &'a Stop,
    publication: Publication,
    /// Files that count once the current step is committed; they are reported then.
    accepted: Vec<(String, Vintage, Counts)>,
}

impl<'a> Progress<'a> {
    /// Reports the beginning of an intake.
    pub fn new(pulse: &'a mut Pulse, stop: &'a Stop) -> Self {
        Self { pulse, stop, publication: Publication::default(), accepted: Vec::new() }
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

    fn enter(&mut self, state: State) {
        self.pulse.beat(if self.stop.is_asked() { State::Stopping } else { state });
    }
}

impl Observer for Progress<'_> {
    fn file(&mut self, outcome: &FileOutcome) {
        let file = outcome.path.display().to_string();
        let heartbeat = &mut self.pulse.heartbeat;
        match &outcome.outcome {
            Outcome::Accepted { vintage, counts, findings } => {
                self.accepted.push((file.clone(), *vintage, counts.clone()));
                for finding in findings {
                    warn!(file, "{finding}");
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
            // The ledger decides whether a refusal is new.
            Outcome::Refused(_) => {}
        }
        heartbeat.last_file = Some(file);
        self.enter(State::Ingesting);
    }

    fn publishing(&mut self, publication: Publication) {
        self.publication = publication;
        self.enter(State::Publishing);
    }

    fn committed(&mut self, _: &mut Home, closed: &[Period]) {
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
        self.enter(State::Ingesting);
    }

    fn stop_asked(&self) -> bool {
        self.stop.is_asked()
    }
}

impl EstimationObserver for Progress<'_> {
    fn estimating(&mut self) {
        self.enter(State::Estimating);
    }

    fn not_estimated(&mut self) {
        self.enter(State::Ingesting);
    }

    fn estimated(&mut self, estimated: &Estimated) {
        for error in &estimated.unread {
            let error = with_causes(error);
            warn!(
                "the stored state of an estimation cannot be used and is computed again: {error}"
            );
        }
        let (end, seconds) = (estimated.end, estimated.seconds);
        let errors = || estimated.outcomes.iter().filter_map(|one| one.result.as_ref().err());
        let without_data = errors().filter(|error| error.is_no_data()).count();
        let failed = errors().count() - without_data;
        let estimated = estimated.outcomes.len() - errors().count();
        let end_text = end.to_string();
        let what = if end.is_whole() { "the year has closed" } else { "the month has closed" };
        let year = end.year().0;
        info!(year, through = end_text, estimated, failed, without_data, seconds, "{what}");
        self.enter(State::Ingesting);
    }

    fn failed(&mut self, failure: &EstimationFailure) {
        let text = with_causes(failure);
        warn!("{text}");
        self.pulse.heartbeat.error = Some(text);
        self.enter(State::Ingesting);
    }
}
