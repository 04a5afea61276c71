//! Follows a home: one edition at a time, replaced within a second of a commit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::edition::Edition;
use super::events::Events;
use super::problem::Problem;
use crate::alerts::store::{Store, StoreError};
use crate::clock;
use crate::engine::with_causes;
use crate::home::options::Config;
use crate::home::release::ReleaseTime;
use crate::reader::state::{VintageEntry, n_commits_acknowledged};
use crate::reader::{Reader, ReaderError};
use crate::tables::export::Selection;

/// The time between two looks at the number of commits.
pub const LOOK: Duration = Duration::from_millis(200);
/// The time between two looks while a publication is held back.
const HELD_LOOK: Duration = Duration::from_millis(500);
/// The time between attempts to open a home that cannot be read.
const RETRY: Duration = Duration::from_secs(2);

/// The edition of a home, or the reason why the home cannot be read.
#[derive(Debug)]
pub struct Followed {
    home: PathBuf,
    config: Option<PathBuf>,
    n_workers: usize,
    now: RwLock<Result<Arc<Edition>, Problem>>,
    /// Events of the home.
    pub events: Arc<Events>,
}

/// What a follower has seen of the home.
#[derive(Debug, Default)]
pub struct Seen {
    vintages: BTreeSet<u32>,
    n_estimates: Option<usize>,
    /// The number of the newest alert.
    alert: Option<i64>,
    /// The last reason why the home could not be read.
    why: Option<String>,
}

impl Followed {
    /// A home that is not open yet.
    #[must_use]
    pub fn new(home: PathBuf, config: Option<PathBuf>, n_workers: usize) -> Self {
        let starting = Problem::new("home_unreadable", "the home is not open yet");
        let (now, events) = (RwLock::new(Err(starting)), Arc::new(Events::default()));
        Self { home, config, n_workers, now, events }
    }

    /// The folder of the home.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The edition.
    ///
    /// # Errors
    /// A [`Problem`] if the home cannot be read.
    pub fn edition(&self) -> Result<Arc<Edition>, Problem> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes over a newer state of the home; returns the wait until the next look.
    pub fn look(&self, seen: &mut Seen) -> Duration {
        if let Err(error) = self.tell_alerts(seen) {
            let detail = with_causes(&error);
            if seen.why.as_ref() != Some(&detail) {
                warn!("cannot read the alerts: {detail}");
                seen.why = Some(detail);
            }
        }
        let held = self.edition().ok();
        let is_current = held.as_ref().is_some_and(|edition| {
            let acknowledged = n_commits_acknowledged(&self.home);
            acknowledged.is_ok_and(|n_commits| n_commits <= edition.n_commits)
        });
        if is_current {
            return LOOK;
        }
        // Trouble with the home meets the edition too, which says so.
        if let Ok(Some(until)) = self.held(held.as_deref()) {
            return self.hold(held.as_deref(), until);
        }
        match Edition::open(&self.home, self.config.as_deref(), self.n_workers) {
            Ok(edition) => {
                let edition = Arc::new(edition.after(held.as_deref()));
                seen.why = None;
                let told = held.as_ref().map(|held| held.publication);
                *self.now.write().unwrap_or_else(PoisonError::into_inner) =
                    Ok(Arc::clone(&edition));
                if told != Some(edition.publication) {
                    let (publication, vintage) = (edition.publication, edition.vintage);
                    info!(publication, vintage, "serving");
                }
                if let Err(error) = self.tell(&edition, held.as_deref(), seen) {
                    warn!("cannot tell what changed: {}", with_causes(&error));
                }
                LOOK
            }
            Err(error) => {
                let detail = with_causes(&error);
                if seen.why.as_ref() != Some(&detail) {
                    warn!("cannot read the home: {detail}");
                    seen.why = Some(detail.clone());
                }
                *self.now.write().unwrap_or_else(PoisonError::into_inner) =
                    Err(Problem::new("home_unreadable", detail));
                RETRY
            }
        }
    }

    /// The time until which the newest publication is held back, if it is not shown already.
    fn held(&self, shown: Option<&Edition>) -> Result<Option<Timestamp>, ReaderError> {
        let release = Config::find(self.config.as_deref(), &self.home)?.release_time;
        let Some(release) = release else { return Ok(None) };
        let reader = Reader::open(&self.home)?;
        let (publication, _) = reader.publication()?;
        if shown.is_some_and(|shown| shown.publication >= publication.0) {
            return Ok(None);
        }
        // Without the time of the day, everything stays held.
        let now = clock::now().unwrap_or(Timestamp::UNIX_EPOCH);
        reader.held_until(Some(release), now)
    }

    /// Keeps the edition, or has none yet, until a publication is released.
    fn hold(&self, shown: Option<&Edition>, until: Timestamp) -> Duration {
        let text = ReleaseTime::shown(until);
        if let Some(shown) = shown {
            if shown.held_until().as_ref() != Some(&text) {
                info!(until = text, "a publication is held");
            }
            shown.hold(Some(text));
            return HELD_LOOK;
        }
        let detail = format!("the newest publication is held until {text}");
        let held = Problem::new("held", detail).with("held_until", text);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Err(held);
        HELD_LOOK
    }

    /// Sends an event for each new alert.
    fn tell_alerts(&self, seen: &mut Seen) -> Result<(), StoreError> {
        let store = Store::read(&self.home)?;
        let newest = store.as_ref().map_or(Ok(0), Store::last_number)?;
        if let Some((store, told)) = store.zip(seen.alert).filter(|(_, told)| newest > *told) {
            for stored in store.alerts(told)? {
                let alert = stored.alert;
                self.events.send(
                    "alert",
                    &json!({
                        "id": alert.id,
                        "rule": alert.rule,
                        "key": alert.key,
                        "vintage": alert.vintage,
                        "text": alert.text,
                        "text_zh": alert.text_zh,
                    }),
                );
            }
        }
        seen.alert = Some(newest);
        Ok(())
    }

    /// Sends events about the differences between two editions.
    fn tell(
        &self,
        edition: &Edition,
        before: Option<&Edition>,
        seen: &mut Seen,
    ) -> Result<(), ReaderError> {
        let mut reader = Reader::open(&self.home)?;
        let vintages = reader.vintages()?;
        let estimates = reader.estimates(Selection::default()).map_or(0, |all| all.len());
        let is_first = before.is_none() && seen.n_estimates.is_none();
        let new: Vec<VintageEntry> =
            vintages.into_iter().filter(|of| seen.vintages.insert(of.vintage.0)).collect();
        if !is_first {
            for of in new.iter().filter(|of| of.file.is_some()) {
                self.events.send(
                    "file",
                    &json!({
                        "vintage": of.vintage.0,
                        "file": of.file,
                        "month": of.month.map(|month| month.to_string()),
                    }),
                );
            }
            if before.is_none_or(|before| before.publication != edition.publication) {
                self.events.send("publication", &publication(edition));
            }
            if seen.n_estimates.is_some_and(|n| n != estimates) {
                let (n, vintage) = (estimates, edition.vintage);
                self.events.send("estimate", &json!({ "n_estimates": n, "vintage": vintage }));
            }
        }
        seen.n_estimates = Some(estimates);
        Ok(())
    }
}

/// The content of the event `publication`.
#[must_use]
pub fn publication(edition: &Edition) -> Value {
    json!({ "publication": edition.publication, "vintage": edition.vintage })
}
