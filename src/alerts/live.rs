//! Alerts beside a watcher: evaluation after each publication, and delivery, each on threads of its
//! own. The watcher waits for neither.
//!
//! ```text
//! commits of the home ─▶ evaluation ─▶ alerts.sqlite ─▶ a thread for each sink ─▶ sinks
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender as Channel, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{info, warn};

use super::alert::{Alert, Outcome};
use super::evaluate::{Step, evaluate, steps};
use super::outbox::{Due, Next, message_text};
use super::presence;
use super::settings::{AlertsFileError, Settings};
use super::sinks::{Message, Sender, Sent, Sink};
use super::states::{Progress, States};
use super::store::{Store, StoreError};
use crate::clock;
use crate::domain::span::Joint;
use crate::engine::with_causes;
use crate::files::private;
use crate::home::release::ReleaseTime;
use crate::reader::state::n_commits_acknowledged;
use crate::reader::{Reader, ReaderError};

/// The lock of the process that evaluates and sends.
const LOCK: &str = "alerts.lock";
/// The time between two looks at the home and at the outbox.
const LOOK: Duration = Duration::from_millis(500);
/// The time between two evaluations of rules that depend on the time.
const HOUR: Duration = Duration::from_hours(1);
/// The wait after a failure.
const RETRY: Duration = Duration::from_secs(30);
/// The longest wait for threads at the end; an attempt that is cut is repeated later.
const STOP_MAX: Duration = Duration::from_secs(2);
/// The longest delivery of a run that ends.
const ONCE_MAX: Duration = Duration::from_secs(30);

/// The reason why alerts do not start.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {
    /// The file of rules.
    #[error(transparent)]
    File(#[from] AlertsFileError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The home.
    #[error(transparent)]
    Reader(Box<ReaderError>),
    /// A sink.
    #[error("sink \"{name}\" cannot send: {source}")]
    Sink {
        /// The sink.
        name: String,
        /// The reason.
        source: super::sinks::SenderError,
    },
    /// Another process evaluates the rules.
    #[error("another process evaluates the alerts of {}; stop it first", home.display())]
    Locked {
        /// The home.
        home: PathBuf,
    },
    /// The lock or a thread.
    #[error("cannot start the alerts of {}", home.display())]
    System {
        /// The home.
        home: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The clock of the system.
    #[error(transparent)]
    Clock(#[from] clock::ClockError),
}

impl From<ReaderError> for AlertsError {
    fn from(error: ReaderError) -> Self {
        Self::Reader(Box::new(error))
    }
}

/// The home, and the choices that rules do not have.
#[derive(Clone, Debug)]
pub struct AlertsOptions {
    /// The home.
    pub home: PathBuf,
    /// The joint months of the span `month`.
    pub joint: Joint,
    /// The hour in China until which a publication is not judged.
    pub release_time: Option<ReleaseTime>,
}

/// Running alerts.
#[derive(Debug)]
pub struct Alerting {
    stop: Arc<AtomicBool>,
    ended: Receiver<()>,
    threads: Vec<JoinHandle<()>>,
    _lock: File,
}

/// Starts alerts beside a watcher; `None` for a home without rules. The rules are read again before
/// each evaluation; sinks are read at the start.
///
/// # Errors
/// [`AlertsError`] if the rules, a secret or the database cannot be used.
pub fn start(options: &AlertsOptions) -> Result<Option<Alerting>, AlertsError> {
    let Some(settings) = Settings::find(None, &options.home)? else { return Ok(None) };
    let senders = senders(&settings)?;
    let lock = lock(&options.home)?;
    Store::open(&options.home)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (channel, ended) = channel();
    let mut threads = Vec::new();
    let mut spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
        let channel: Channel<()> = channel.clone();
        let run = move || {
            run();
            drop(channel);
        };
        let spawned = Builder::new().name(format!("alerts-{name}")).spawn(run);
        let home = options.home.clone();
        threads.push(spawned.map_err(|source| AlertsError::System { home, source })?);
        Ok::<_, AlertsError>(())
    };
    let (n_rules, n_sinks) = (settings.rules.len(), senders.len());
    for (sink, sender) in senders {
        let (home, stop) = (options.home.clone(), Arc::clone(&stop));
        spawn(&sink.name.clone(), Box::new(move || deliver(&home, (&sink, &sender), &stop)))?;
    }
    let (own, is_stopped) = (options.clone(), Arc::clone(&stop));
    spawn("rules", Box::new(move || follow(&own, settings, &is_stopped)))?;
    info!(rules = n_rules, sinks = n_sinks, "alerts");
    Ok(Some(Alerting { stop, ended, threads, _lock: lock }))
}

impl Alerting {
    /// Ends all threads. An attempt that takes too long is left behind and repeated later.
    pub fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        // The channel closes with the last thread.
        let _ = self.ended.recv_timeout(STOP_MAX);
        for thread in self.threads.into_iter().filter(JoinHandle::is_finished) {
            let _ = thread.join();
        }
    }
}

/// Evaluates the rules of a home once, and delivers for at most half a minute. A home without rules
/// has nothing to do.
///
/// # Errors
/// [`AlertsError`] if the rules, the home or the database cannot be used.
pub fn once(options: &AlertsOptions) -> Result<(), AlertsError> {
    let Some(settings) = Settings::find(None, &options.home)? else { return Ok(()) };
    let senders = senders(&settings)?;
    let _lock = lock(&options.home)?;
    let mut store = Store::open(&options.home)?;
    let mut said = BTreeSet::new();
    publication(options, &settings, &mut store, &mut said)?;
    let end = Instant::now() + ONCE_MAX;
    for (sink, sender) in &senders {
        while Instant::now() < end {
            match attempt(&mut store, (sink, sender))? {
                Wait::Again => {}
                Wait::For(time) if Instant::now() + time < end => std::thread::sleep(time),
                Wait::For(_) | Wait::Idle => break,
            }
        }
    }
    Ok(())
}

fn senders(settings: &Settings) -> Result<Vec<(Sink, Sender)>, AlertsError> {
    let ready = |sink: &Sink| match sink.sender() {
        Ok(sender) => Ok((sink.clone(), sender)),
        Err(source) => Err(AlertsError::Sink { name: sink.name.clone(), source }),
    };
    settings.sinks.iter().map(ready).collect()
}

fn lock(home: &Path) -> Result<File, AlertsError> {
    let failed = |source| AlertsError::System { home: home.to_owned(), source };
    let file = private::open_or_create(&home.join(LOCK)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AlertsError::Locked { home: home.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Evaluates the rules after each publication, when the feed's state changes, and each hour.
fn follow(options: &AlertsOptions, mut settings: Settings, stop: &AtomicBool) {
    let mut seen = None;
    let mut last = Instant::now();
    let mut wait = Duration::ZERO;
    let mut said = BTreeSet::new();
    while !stop.load(Ordering::SeqCst) {
        std::thread::sleep(LOOK);
        wait = wait.saturating_sub(LOOK);
        let now = state_of(&options.home);
        let is_due = now != seen || last.elapsed() >= HOUR;
        if !wait.is_zero() || !is_due {
            continue;
        }
        match Settings::find(None, &options.home) {
            Ok(found) => settings = found.unwrap_or_default(),
            Err(error) => say(&mut said, with_causes(&error)),
        }
        let evaluated = Store::open(&options.home)
            .map_err(AlertsError::from)
            .and_then(|mut store| publication(options, &settings, &mut store, &mut said));
        match evaluated {
            Ok(None) => (seen, last) = (now, Instant::now()),
            Ok(Some(rest)) => wait = rest.min(RETRY),
            Err(error) => {
                say(&mut said, with_causes(&error));
                wait = RETRY;
            }
        }
    }
}

/// The state whose change is a reason to evaluate: commits, and refused files.
fn state_of(home: &Path) -> Option<(u64, usize)> {
    let n_commits = n_commits_acknowledged(home).ok()?;
    let beat = crate::watch::heartbeat::Heartbeat::read(home).ok().flatten();
    Some((n_commits, beat.map_or(0, |beat| beat.files_refused)))
}

/// Reports a problem once.
fn say(said: &mut BTreeSet<String>, text: String) {
    if !said.contains(&text) {
        warn!("alerts: {text}");
        said.insert(text);
    }
}

/// Evaluates the released publications that were not evaluated before, and stores their alerts.
/// Returns the time until the next release if a publication is held back.
fn publication(
    options: &AlertsOptions,
    settings: &Settings,
    store: &mut Store,
    said: &mut BTreeSet<String>,
) -> Result<Option<Duration>, AlertsError> {
    let mut reader = match Reader::open(&options.home) {
        Err(ReaderError::Home(crate::home::HomeError::NoHome { .. })) => return Ok(None),
        reader => reader?,
    };
    let (progress, mut states) = (store.progress()?, store.states()?);
    let now = clock::now()?;
    let (joint, all) = (options.joint, steps(&reader, options.joint, progress)?);
    let (all, rest) = released(&reader, options.release_time, all, now)?;
    let missed = missed(all.clone(), progress);
    for step in &missed {
        let outcome = evaluate((&mut reader, joint), &settings.rules, step, &mut states)?;
        record(settings, store, (step, &states), &outcome, now)?;
        for note in outcome.notes {
            say(said, note);
        }
        info!(vintage = step.vintage.0, alerts = outcome.alerts.len(), "rules evaluated");
    }
    let newest = match missed.last() {
        Some(step) => Some(step.clone()),
        None => all.into_iter().next_back(),
    };
    let Some(newest) = newest else { return Ok(rest) };
    let before = missed.first().map_or(newest.vintage, |step| step.before);
    let step = Step { before, closed: Vec::new(), ..newest };
    let outcome = presence::evaluate(&mut reader, &settings.rules, (&step, now), &mut states)?;
    record(settings, store, (&step, &states), &outcome, now)?;
    Ok(rest)
}

/// The steps of released publications, and the time until the next release if one is held back.
fn released(
    reader: &Reader,
    release: Option<ReleaseTime>,
    mut steps: Vec<Step>,
    now: Timestamp,
) -> Result<(Vec<Step>, Option<Duration>), ReaderError> {
    if release.is_none() {
        return Ok((steps, None));
    }
    let times: BTreeMap<u32, Timestamp> = reader
        .vintages()?
        .into_iter()
        .filter_map(|of| Some((of.publication.0, of.committed_at?)))
        .collect();
    let held =
        |step: &Step| ReleaseTime::held_until(release, times.get(&step.publication).copied(), now);
    // A publication shows all earlier ones, so none is judged before an earlier one is.
    let n = steps.iter().take_while(|step| held(step).is_none()).count();
    let until = steps.get(n).and_then(held);
    steps.truncate(n);
    let rest = until.and_then(|until| Duration::try_from(until.duration_since(now)).ok());
    Ok((steps, rest))
}

fn record(
    settings: &Settings,
    store: &mut Store,
    (step, states): (&Step, &States),
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), StoreError> {
    let progress = Progress { vintage: step.vintage, last_closed: step.last_closed };
    let sinks_of = |alert: &Alert| settings.sinks_of(alert);
    let n_new = store.record((progress, states), outcome, now, &sinks_of)?;
    if n_new > 0 {
        info!(vintage = step.vintage.0, n_new, "alerts raised");
    }
    Ok(())
}

/// The publications after the last evaluated one; for a home that was never evaluated, the newest
/// one with its last month.
fn missed(mut all: Vec<Step>, progress: Option<Progress>) -> Vec<Step> {
    let Some(progress) = progress else {
        let newest = all.pop().map(|step| {
            let closed = step.closed.last().copied().into_iter().collect();
            Step { closed, ..step }
        });
        return newest.into_iter().collect();
    };
    let is_new =
        |step: &Step| step.vintage > progress.vintage || step.last_closed > progress.last_closed;
    all.retain(is_new);
    all
}

/// Alerts that an evaluation would raise now, and the reasons why rules are not evaluated. Nothing
/// is stored. Without a publication to evaluate, the newest one is judged as if it were the first.
///
/// # Errors
/// [`AlertsError`] if the home or the database cannot be read.
pub fn preview(
    reader: &mut Reader,
    (options, settings): (&AlertsOptions, &Settings),
) -> Result<Outcome, AlertsError> {
    let store = Store::read(&options.home)?;
    let progress = store.as_ref().map(Store::progress).transpose()?.flatten();
    let mut states = store.map_or_else(|| Ok(States::new()), |store| store.states())?;
    let now = clock::now()?;
    let of = |progress| -> Result<Vec<Step>, ReaderError> {
        let all = steps(reader, options.joint, progress)?;
        Ok(missed(released(reader, options.release_time, all, now)?.0, progress))
    };
    let mut judged = of(progress)?;
    if judged.is_empty() {
        (judged, states) = (of(None)?, States::new());
    }
    let mut all = Outcome::default();
    for step in &judged {
        let figures = evaluate((&mut *reader, options.joint), &settings.rules, step, &mut states)?;
        let present = (step, now);
        let present = presence::evaluate(reader, &settings.rules, present, &mut states)?;
        for outcome in [figures, present] {
            all.alerts.extend(outcome.alerts);
            all.notes.extend(outcome.notes);
        }
    }
    Ok(all)
}

/// What a sink waits for.
enum Wait {
    /// Nothing: another message may be due.
    Again,
    /// A time.
    For(Duration),
    /// New alerts.
    Idle,
}

/// Delivers the messages of a sink.
fn deliver(home: &Path, of: (&Sink, &Sender), stop: &AtomicBool) {
    let mut said = BTreeSet::new();
    let mut store = None;
    while !stop.load(Ordering::SeqCst) {
        let opened = match store.take() {
            Some(store) => Ok(store),
            None => Store::open(home),
        };
        let attempted = opened.and_then(|mut own| {
            let wait = attempt(&mut own, of);
            store = Some(own);
            wait
        });
        match attempted {
            Ok(Wait::Again) => {}
            Ok(Wait::For(time)) => std::thread::sleep(time.min(LOOK)),
            Ok(Wait::Idle) => std::thread::sleep(LOOK),
            Err(error) => {
                say(&mut said, with_causes(&error));
                store = None;
                std::thread::sleep(LOOK);
            }
        }
    }
}

/// Sends the next message of a sink, if one is due.
fn attempt(store: &mut Store, (sink, sender): (&Sink, &Sender)) -> Result<Wait, StoreError> {
    let now = unix_ms();
    let due = match store.next(sink, now)? {
        Next::Send(due) => due,
        Next::Wait(until) => {
            let time = u64::try_from(until - now).unwrap_or_default();
            return Ok(Wait::For(Duration::from_millis(time)));
        }
        Next::Nothing => return Ok(Wait::Idle),
    };
    let Due { id, alerts, n_attempts } = &due;
    let text = message_text(id, alerts, sink.language, sink.bytes_max());
    let sent = sender.send(&Message { id, alerts, text }, now);
    store.attempted(&due, &sent, unix_ms())?;
    let (sink, n_alerts) = (sink.name.as_str(), alerts.len());
    match sent {
        Sent::Delivered => info!(sink, message_id = id, n_alerts, "alerts delivered"),
        Sent::Throttled { why, .. } | Sent::Failed(why) | Sent::Refused(why)
            if *n_attempts == 0 =>
        {
            warn!(
                sink,
                message_id = id,
                n_alerts,
                "alerts not delivered, they are sent again: {why}"
            );
        }
        Sent::Throttled { .. } | Sent::Failed(_) | Sent::Refused(_) => {}
    }
    Ok(Wait::Again)
}

fn unix_ms() -> i64 {
    clock::now().unwrap_or(Timestamp::UNIX_EPOCH).as_millisecond()
}
