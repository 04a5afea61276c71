//! The watcher itself: repeats rounds until a stop request.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::error::WatchError;
use super::heartbeat::{Pulse, State, replace};
use super::ledger::{LEDGER, Ledger, Ready, Rules, Verdict};
use super::lock::lock;
use super::look::{Look, Stamp, is_marked};
use super::plan::{Plan, Watched};
use super::preparation::Preparation;
use super::progress::Progress;
use super::room;
use super::stop::Stop;
use crate::clock;
use crate::domain::finding::FindingKind;
use crate::domain::types::Period;
use crate::engine::recorded::calendar;
use crate::engine::request::tables_beside;
use crate::engine::{
    Engine, EngineError, FileOutcome, Outcome, Refusal, Request, annual_only, with_causes,
};
use crate::feed::profile::Profile;
use crate::feed::refused::Refused;
use crate::feed::source::{FeedError, NothingTaken, discover, passed_over};
use crate::files;
use crate::home::options::Close;
use crate::home::seen::seen;
use crate::home::{CompactionRules, Home, HomeError};
use crate::regressions::{ClosingEstimates, EstimationFailure, Reestimating};

/// The longest wait between two tries while the disk is full.
const PAUSE_MAX: Duration = Duration::from_mins(5);

/// The next action after a round.
enum Next {
    /// The watcher looks again after the interval.
    Look,
    /// Another look is not known to change anything.
    Rest,
    /// A user has to repair a problem first.
    Pause(WatchError),
    /// The disk is still full.
    StillFull,
}

/// A watcher that runs.
pub struct Watcher {
    plan: Plan,
    engine: Option<Engine>,
    /// The database, open as long as the watcher runs. Its shared files then persist, and others
    /// can read it on a full disk too.
    reader: Option<Home>,
    closings: ClosingEstimates,
    preparation: Preparation,
    ledger: Ledger,
    /// The last state of the files that define a new home, in the feed's folder.
    beside: Option<Vec<Option<Stamp>>>,
    pulse: Pulse,
    /// The last message about waiting files; the watcher does not repeat it.
    said_waiting: String,
    is_paused: bool,
    /// The wait before the next attempt on a full disk; zero while there is space.
    full_for: Duration,
}

impl Watcher {
    /// A watcher before its first look.
    ///
    /// # Errors
    /// [`WatchError::Estimate`] if the options name an unknown table.
    pub fn new(plan: Plan) -> Result<Self, WatchError> {
        let closings = ClosingEstimates::of(&plan.config, plan.n_workers)?;
        let preparation = Preparation::new(plan.config.joint_months().unwrap_or_default());
        let pulse = Pulse::new(&plan.home, &plan.feeds, plan.interval);
        let (engine, reader, ledger) = (None, None, Ledger::default());
        let (said_waiting, full_for) = (String::new(), Duration::ZERO);
        let is_paused = false;
        Ok(Self {
            plan,
            engine,
            reader,
            closings,
            preparation,
            ledger,
            beside: None,
            pulse,
            said_waiting,
            is_paused,
            full_for,
        })
    }

    /// Watches to the end, and writes the result into the heartbeat.
    pub fn run(mut self, stop: &Stop) -> Result<Watched, WatchError> {
        let _lock = lock(&self.plan.home)?;
        self.pulse.begin();
        let ended = self.remember().and_then(|()| {
            self.pulse.beat(State::Starting);
            self.rounds(stop)
        });
        // The engine is dropped last: it completes the database's log.
        self.reader = None;
        self.engine = None;
        match ended {
            Ok(()) => {
                info!("stopped");
                self.pulse.beat(State::Stopped);
            }
            Err(ref failure) => {
                let text = with_causes(failure);
                error!("failed: {text}");
                self.pulse.heartbeat.error = Some(text);
                self.pulse.beat(State::Failed);
            }
        }
        let beat = &self.pulse.heartbeat;
        ended.map(|()| Watched {
            files_accepted: beat.files_accepted,
            files_refused: beat.files_refused,
            files_unreadable: beat.files_unreadable,
            files_waiting: beat.files_waiting,
            lines_rejected: beat.lines_rejected,
        })
    }

    fn rounds(&mut self, stop: &Stop) -> Result<(), WatchError> {
        let (home, feeds) = (self.plan.home.display().to_string(), &self.plan.feeds);
        info!(home, ?feeds, interval_s = self.plan.interval.as_secs_f64(), "watching");
        while !stop.is_asked() {
            let next = self.round(stop)?;
            self.full_for = match next {
                Next::Pause(WatchError::NoRoom { .. }) | Next::StillFull => {
                    (self.full_for * 2).min(PAUSE_MAX).max(self.plan.interval)
                }
                _ => Duration::ZERO,
            };
            let begun = Instant::now();
            match next {
                Next::Rest if self.plan.once => return Ok(()),
                Next::Pause(failure) if self.plan.once => return Err(failure),
                Next::Pause(failure) => self.pause(&failure),
                Next::StillFull => self.pulse.write(),
                Next::Look => self.rest(),
                Next::Rest => {
                    self.rest();
                    if let Some(engine) = self.engine.as_mut() {
                        let until = (stop, begun + self.plan.interval);
                        self.preparation.work(engine, &self.closings, &mut self.pulse, until);
                    }
                }
            }
            let wait = self.full_for.max(self.plan.interval);
            if stop.wait(wait.saturating_sub(begun.elapsed())) {
                break;
            }
        }
        info!("asked to stop");
        self.pulse.beat(State::Stopping);
        Ok(())
    }

    fn pause(&mut self, failure: &WatchError) {
        let reason = with_causes(failure);
        self.is_paused = true;
        if self.pulse.heartbeat.reason.as_ref() != Some(&reason) {
            warn!("paused: {reason}");
        }
        self.pulse.pause(reason);
    }

    fn rest(&mut self) {
        if std::mem::take(&mut self.is_paused) {
            info!("resumed");
            self.pulse.heartbeat.error = None;
        }
        self.pulse.beat(State::Idle);
    }

    /// One look, and the action that follows from it.
    fn round(&mut self, stop: &Stop) -> Result<Next, WatchError> {
        clock::now()?;
        // The check also runs during a wait for space, without an engine that would notice.
        if !self.pulse.is_in_place() {
            let home = self.plan.home.clone();
            return Err(EngineError::from(HomeError::Moved { home }).into());
        }
        if !self.full_for.is_zero() && self.is_still_full() {
            return Ok(Next::StillFull);
        }
        match self.look_and_take_in(stop) {
            Ok(next) => Ok(next),
            Err(error) if error.is_no_room() => {
                // The next opening of the home removes what the engine wrote and did not commit.
                self.engine = None;
                Ok(Next::Pause(WatchError::NoRoom {
                    home: self.plan.home.clone(),
                    source: Box::new(error),
                }))
            }
            // The next round is the last one.
            Err(WatchError::Engine(EngineError::Stopped)) => Ok(Next::Rest),
            Err(error @ WatchError::Feed(_)) => Ok(Next::Pause(error)),
            Err(error) => Err(error),
        }
    }

    /// True if the home's disk is still full. The engine reports other problems of the home better.
    fn is_still_full(&self) -> bool {
        let path = self.plan.home.clone();
        let tried = room::probe(&path).map_err(|source| HomeError::Write { path, source });
        tried.is_err_and(|error| error.is_no_room())
    }

    fn look_and_take_in(&mut self, stop: &Stop) -> Result<Next, WatchError> {
        let mut may_begin = true;
        let layout = match &self.engine {
            Some(engine) => engine.profile().clone(),
            // A problem of the home is reported before the first file appears.
            None if self.has_recorded()? => self.open(stop)?.profile().clone(),
            None => {
                may_begin = self.is_whole_beside();
                match self.request().and_then(|request| request.layout(&self.plan.home)) {
                    Err(_) if !may_begin => return Ok(Next::Look),
                    layout => layout?,
                }
            }
        };
        let mut look = self.look(&layout);
        let ready = self.ready(&look);
        if !may_begin {
            return Ok(Next::Look);
        }
        if self.engine.is_none() && !ready.files.is_empty() {
            // The first month may be in the missing folder.
            if let Some(missing) = look.missing.pop() {
                return Ok(Next::Pause(missing.into()));
            }
            if let Some(dir) = look.empty.pop() {
                let (pattern, profile) = (layout.file.pattern.clone(), layout.name.clone());
                return Ok(Next::Pause(FeedError::NoFiles { dir, pattern, profile }.into()));
            }
        }
        if !ready.files.is_empty() && !stop.is_asked() {
            if self.engine.is_none() {
                self.open(stop)?;
            }
            self.take_in(&ready, stop)?;
        }
        self.pulse.heartbeat.files_refused = self.ledger.n_refused();
        self.pulse.heartbeat.files_unreadable = self.ledger.n_unreadable();
        Ok(self.next(look, &ready))
    }

    /// True if the reference tables and the profile of the feed are unchanged since the last round.
    /// They define a new home permanently.
    fn is_whole_beside(&mut self) -> bool {
        let beside = tables_beside(&self.plan.feeds);
        let now = Some(beside.map(|path| Stamp::of(path.as_path()).ok()).collect());
        let is_same = self.beside == now;
        self.beside = now;
        is_same || (self.plan.once && self.plan.interval.is_zero())
    }

    fn request(&self) -> Result<Request, EngineError> {
        let Plan { feeds, profile, config, n_workers, .. } = &self.plan;
        Request::for_feed(feeds, profile.as_deref(), config.clone(), *n_workers)
    }

    fn has_recorded(&self) -> Result<bool, EngineError> {
        match Home::read(&self.plan.home) {
            Ok(home) => Ok(home.definition()?.is_some()),
            Err(HomeError::NoHome { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn open(&mut self, stop: &Stop) -> Result<&Engine, WatchError> {
        let request = self.request()?;
        self.pulse.beat(State::Starting);
        info!("opening the home");
        let layout = request.layout(&self.plan.home)?;
        let files = match discover(&self.plan.feeds, &layout) {
            // A missing feed cannot restore damaged records.
            Err(error) if error.is_absence() => Vec::new(),
            found => found?.files,
        };
        let mut engine = Engine::open_or_mend(&self.plan.home, request, &files, |_| {
            if stop.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if self.reader.is_none() {
            self.reader = Some(Home::follow(&self.plan.home).map_err(EngineError::from)?);
        }
        for (publication, damaged) in &engine.restored().damaged {
            warn!(%publication, %damaged, "a snapshot cannot be used; no figure is affected");
        }
        for name in &engine.restored().mended {
            warn!("the records of {name} were damaged and are restored from the file");
        }
        let progress = Progress::new(&mut self.pulse, stop);
        let mut observer = Reestimating::new(progress, &mut self.closings);
        engine.catch_up(&mut observer);
        stopped(observer.finish().1)?;
        note(&mut self.pulse, engine.home(), engine.next_to_close())?;
        let beat = &self.pulse.heartbeat;
        info!(vintage = beat.vintage, next_month = beat.next_month, "the home is open");
        for now in &engine.restored().counts_now {
            info!("{now}");
        }
        if let Some(message) = annual_only(engine.profile()) {
            warn!("{message}");
        }
        Ok(self.engine.insert(engine))
    }

    /// Lists the feed, and reports files without a month as refused.
    fn look(&mut self, layout: &Profile) -> Look {
        let mut look = Look::at(&self.plan.feeds, layout);
        self.pulse.heartbeat.looks += 1;
        if look.missing.is_empty() {
            self.pulse.heartbeat.last_look = Some(self.pulse.heartbeat.now());
        }
        let refuses = self.plan.config.refused_findings().contains(&FindingKind::NamesPassedOver);
        if let Some(finding) = passed_over(&self.ledger.news(&look.passed_over), layout) {
            if refuses {
                warn!("{}", NothingTaken(&finding));
            } else {
                warn!("{finding}");
            }
        }
        if refuses && !look.passed_over.is_empty() {
            look.files.clear();
        }
        for (path, stamp, refused) in &look.unnamed {
            if !self.ledger.is_settled(path, *stamp) {
                self.refuse(path, *stamp, with_causes(refused));
            }
        }
        look
    }

    fn ready(&mut self, look: &Look) -> Ready {
        let rules = Rules {
            next: self.engine.as_ref().and_then(Engine::next_to_close),
            by_file: self.plan.config.close.unwrap_or_default() == Close::File,
            at_once: self.plan.once && self.plan.interval.is_zero(),
            markers_only: self.plan.markers_only,
        };
        let unread = RefCell::new(Vec::new());
        let ready = self.ledger.ready(look, rules, |file, stamp| {
            is_marked(file.on_disk(), stamp).unwrap_or_else(|error| {
                unread.borrow_mut().push((file.path.clone(), stamp, error));
                false
            })
        });
        for (path, stamp, error) in unread.into_inner() {
            if self.ledger.could_not_read(path.clone(), stamp) {
                warn!("cannot look at the marker of {}: {error}", path.display());
            }
        }
        self.pulse.heartbeat.files_growing = ready.n_growing;
        self.pulse.heartbeat.files_waiting = ready.n_waiting;
        let waiting = match ready.awaited {
            Some(month) if ready.n_waiting > 0 => {
                format!("{} files wait for {month}", ready.n_waiting)
            }
            _ => String::new(),
        };
        if waiting != self.said_waiting && !waiting.is_empty() {
            info!("{waiting}");
        }
        self.said_waiting = waiting;
        ready
    }

    fn take_in(&mut self, ready: &Ready, stop: &Stop) -> Result<(), WatchError> {
        let Some(engine) = self.engine.as_mut() else { return Ok(()) };
        let files: Vec<_> = ready.files.iter().map(|(file, _)| file.clone()).collect();
        self.pulse.heartbeat.error = None;
        self.pulse.beat(State::Ingesting);
        let progress = Progress::new(&mut self.pulse, stop);
        let mut observer = Reestimating::new(progress, &mut self.closings);
        let outcomes = engine.ingest(&files, &mut observer)?;
        stopped(observer.finish().1)?;
        note(&mut self.pulse, engine.home(), engine.next_to_close())?;
        for ((_, stamp), outcome) in ready.files.iter().zip(outcomes) {
            self.judge(outcome, *stamp);
        }
        let kept = replace(&self.plan.home.join(LEDGER), self.ledger.to_json().as_bytes());
        if let Err(error) = kept {
            warn!("cannot write {LEDGER}; the next run reads the feed again: {error}");
        }
        if let Some(engine) = self.engine.as_mut() {
            engine.snapshot_if_due()?;
            engine.store_missing_runs()?;
            for damaged in engine.compact(CompactionRules::default())?.damaged {
                let why = with_causes(&damaged);
                warn!("a year of a table was not folded and is unchanged: {why}; run `verify`");
            }
        }
        Ok(())
    }

    fn judge(&mut self, outcome: FileOutcome, stamp: Stamp) {
        let FileOutcome { path, hash, outcome } = outcome;
        match &outcome {
            Outcome::Accepted { .. } | Outcome::Seen(_) => {
                if let Some(hash) = hash {
                    self.ledger.judge(path, stamp, Verdict::Archived { hash });
                }
            }
            // The file waits for another file; the next look shows whether that one has arrived.
            Outcome::Refused(Refusal::Gap { .. } | Refusal::FirstRefused { .. }) => {
                self.pulse.heartbeat.files_waiting += 1;
            }
            Outcome::Refused(refusal) if may_pass(refusal) => {
                if self.ledger.could_not_read(path, stamp) {
                    warn!("not read, will be tried again: {}", with_causes(refusal));
                }
            }
            Outcome::Refused(refusal) => self.refuse(&path, stamp, with_causes(refusal)),
        }
    }

    fn refuse(&mut self, path: &Path, stamp: Stamp, why: String) {
        warn!("refused: {why}");
        self.pulse.heartbeat.error = Some(why);
        self.ledger.judge(path.to_owned(), stamp, Verdict::Refused);
    }

    fn next(&self, mut look: Look, ready: &Ready) -> Next {
        if let Some(missing) = look.missing.pop() {
            return Next::Pause(missing.into());
        }
        let emptied = |dir: &PathBuf| self.ledger.n_judged_in(dir) > 0;
        if let Some(dir) = look.empty.into_iter().find(emptied) {
            return Next::Pause(WatchError::Emptied { dir });
        }
        let is_first = self.pulse.heartbeat.looks < 2;
        if ready.n_growing > 0 && is_first { Next::Look } else { Next::Rest }
    }

    /// Restores the position of the home and the ledger of an earlier run, without files that the
    /// home does not hold. Without the ledger, the watcher reads the same files again and skips
    /// them.
    fn remember(&mut self) -> Result<(), WatchError> {
        let home = match Home::read(&self.plan.home) {
            // The watcher waits for space here as at any other time.
            Err(error) if error.is_no_room() => return Ok(()),
            Err(HomeError::NoHome { .. }) => return Ok(()),
            home => home.map_err(EngineError::from)?,
        };
        let next = calendar(&home)?.map(|calendar| calendar.next_to_close());
        note(&mut self.pulse, &home, next)?;
        let path = self.plan.home.join(LEDGER);
        let bytes = match files::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            bytes => bytes.map_err(|source| WatchError::Ledger { path, source })?,
        };
        let accepted = home.files().map_err(EngineError::from)?;
        let ledger = Ledger::from_json(&bytes, |path, hash| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            seen(&accepted, &name, hash).is_some()
        });
        match ledger {
            Ok(ledger) => self.ledger = ledger,
            Err(error) => warn!("{LEDGER} is damaged; the feed is read again: {error}"),
        }
        Ok(())
    }
}

/// The failure of the disk that stopped an intake, as the watcher's error.
fn stopped(failure: Option<EstimationFailure>) -> Result<(), WatchError> {
    failure.map_or(Ok(()), |failure| Err(WatchError::Estimation(Box::new(failure))))
}

/// Writes the position of the home into the heartbeat.
fn note(pulse: &mut Pulse, home: &Home, next: Option<Period>) -> Result<(), EngineError> {
    let (publication, vintage) = home.last_publication()?.unwrap_or_default();
    pulse.heartbeat.publication = publication.0;
    pulse.heartbeat.vintage = vintage.0;
    pulse.heartbeat.next_month = next.map(|month| month.to_string());
    Ok(())
}

/// True if the reason of a refusal is not in the bytes of the file.
fn may_pass(refusal: &Refusal) -> bool {
    let Refusal::Unreadable(refused) = refusal else { return false };
    refused.is_of_system() || matches!(**refused, Refused::Changed { .. })
}

#[cfg(test)]
mod tests;
