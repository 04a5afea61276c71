//! The outbox: alerts become messages, and messages wait for their delivery.
//!
//! ```text
//! alerts of a sink ─▶ message (stored with its identifier) ─▶ attempt ─▶ delivered
//!                          ▲                                    └▶ failed: wait, attempt again
//!                          └── alerts that arrive meanwhile are the next message: a digest
//! ```
//! A message is stored before its first attempt, so a repeat after the end of a process has the
//! same identifier and the same alerts.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, TransactionBehavior, params};

use super::alert::Alert;
use super::sinks::{Sent, Sink};
use super::store::{Result, Store, StoreError};
use crate::tables::meanings::Language;

/// The wait after the first failure; it doubles with each further one.
const WAIT_MIN: Duration = Duration::from_secs(1);
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_mins(15);
/// The wait after a sink has refused a message for good.
const WAIT_REFUSED: Duration = Duration::from_hours(1);
/// The number of attempts after which later messages do not wait for a message.
const ATTEMPTS_ALONE: u32 = 6;
/// The most alerts of a message.
const ALERTS_MAX: usize = 50;
/// The digits of an identifier.
const ID_DIGITS: usize = 16;

/// A message that can be sent now.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// The identifier.
    pub id: String,
    /// Its alerts, in order.
    pub alerts: Vec<Alert>,
    /// The number of attempts so far.
    pub n_attempts: u32,
}

/// What a sink does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// It sends a message.
    Send(Due),
    /// It waits until a time, in milliseconds since 1970.
    Wait(i64),
    /// It has nothing to send.
    Nothing,
}

impl Store {
    /// The next message of a sink. Assembles one from new alerts unless an earlier one still waits.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be used.
    pub fn next(&mut self, sink: &Sink, now_ms: i64) -> Result<Next> {
        let after_pause = self.last_attempt(&sink.name)?.map(|at| at + millis(sink.pause()));
        if let Some(at) = after_pause.filter(|at| *at > now_ms) {
            return Ok(if self.has_any(&sink.name)? { Next::Wait(at) } else { Next::Nothing });
        }
        let waiting = self.waiting(&sink.name)?;
        if let Some((id, n_attempts, _)) = waiting.iter().find(|(.., next_at)| *next_at <= now_ms) {
            let alerts = self.alerts_of(id)?;
            return Ok(Next::Send(Due { id: id.clone(), alerts, n_attempts: *n_attempts }));
        }
        if waiting.iter().all(|(_, n_attempts, _)| *n_attempts >= ATTEMPTS_ALONE)
            && let Some(due) = self.assemble(sink, now_ms)?
        {
            return Ok(Next::Send(due));
        }
        let earliest = waiting.iter().map(|(.., next_at)| *next_at).min();
        Ok(earliest.map_or(Next::Nothing, Next::Wait))
    }

    /// Stores the result of an attempt.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written.
    pub fn attempted(&mut self, due: &Due, sent: &Sent, now_ms: i64) -> Result<()> {
        let n_attempts = match sent {
            // Later messages do not wait for one that is refused.
            Sent::Refused(_) => due.n_attempts.max(ATTEMPTS_ALONE) + 1,
            _ => due.n_attempts + 1,
        };
        let (delivered_at, next_at, error) = match sent {
            Sent::Delivered => (Some(now_ms), now_ms, None),
            Sent::Throttled { wait, why } => (None, now_ms + millis(*wait), Some(why)),
            Sent::Failed(why) => (None, now_ms + millis(backoff(&due.id, n_attempts)), Some(why)),
            Sent::Refused(why) => (None, now_ms + millis(WAIT_REFUSED), Some(why)),
        };
        let written = self.connection.execute(
            "UPDATE messages SET n_attempts = ?2, attempted_at = ?3, delivered_at = ?4, \
             next_at = ?5, error = ?6 WHERE id = ?1",
            params![due.id, n_attempts, now_ms, delivered_at, next_at, error],
        );
        written.map(drop).map_err(|source| self.failed(source))
    }

    fn last_attempt(&self, sink: &str) -> Result<Option<i64>> {
        let text = "SELECT max(attempted_at) FROM messages WHERE sink = ?1";
        let at = self.connection.query_row(text, [sink], |row| row.get(0));
        at.map_err(|source| self.failed(source))
    }

    fn has_any(&self, sink: &str) -> Result<bool> {
        let text = "SELECT EXISTS (SELECT 1 FROM outbox o LEFT JOIN messages m ON m.id = o.message \
                    WHERE o.sink = ?1 AND m.delivered_at IS NULL)";
        let has = self.connection.query_row(text, [sink], |row| row.get(0));
        has.map_err(|source| self.failed(source))
    }

    /// Undelivered messages with their attempts and times, the oldest first.
    fn waiting(&self, sink: &str) -> Result<Vec<(String, u32, i64)>> {
        let text = "SELECT id, n_attempts, next_at FROM messages \
                    WHERE sink = ?1 AND delivered_at IS NULL ORDER BY created_at, id";
        let waiting = (|| {
            let mut query = self.connection.prepare(text)?;
            let rows =
                query.query_map([sink], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })();
        waiting.map_err(|source| self.failed(source))
    }

    fn alerts_of(&self, message: &str) -> Result<Vec<Alert>> {
        let text = "SELECT a.content FROM outbox o JOIN alerts a ON a.id = o.alert \
                    WHERE o.message = ?1 ORDER BY a.number";
        self.contents(text, message)
    }

    fn contents(&self, text: &str, parameter: &str) -> Result<Vec<Alert>> {
        let contents = (|| {
            let mut query = self.connection.prepare(text)?;
            let rows = query.query_map([parameter], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<String>>>()
        })();
        let contents = contents.map_err(|source| self.failed(source))?;
        let parsed = contents.iter().map(|content| {
            let invalid = |source| StoreError::Content { path: self.path().to_owned(), source };
            serde_json::from_str(content).map_err(invalid)
        });
        parsed.collect()
    }

    /// Makes a message of the alerts that have none, as many as fit into it.
    fn assemble(&mut self, sink: &Sink, now_ms: i64) -> Result<Option<Due>> {
        let text = "SELECT a.content FROM outbox o JOIN alerts a ON a.id = o.alert \
                    WHERE o.sink = ?1 AND o.message IS NULL ORDER BY a.number";
        let mut alerts = self.contents(text, &sink.name)?;
        let n = n_fitting(&alerts, sink.language, sink.bytes_max());
        alerts.truncate(n);
        if alerts.is_empty() {
            return Ok(None);
        }
        let mut hash = blake3::Hasher::new();
        for text in [&sink.name].into_iter().chain(alerts.iter().map(|alert| &alert.id)) {
            hash.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        let id = hash.finalize().to_hex()[..ID_DIGITS].to_owned();
        let written = (|| {
            let transaction =
                self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let known = transaction
                .query_row("SELECT 1 FROM messages WHERE id = ?1", [&id], |_| Ok(()))
                .optional()?;
            if known.is_none() {
                transaction.execute(
                    "INSERT INTO messages (id, sink, created_at, next_at) VALUES (?1, ?2, ?3, ?3)",
                    params![id, sink.name, now_ms],
                )?;
            }
            for alert in &alerts {
                transaction.execute(
                    "UPDATE outbox SET message = ?3 WHERE alert = ?1 AND sink = ?2",
                    params![alert.id, sink.name, id],
                )?;
            }
            transaction.commit()
        })();
        written.map_err(|source| self.failed(source))?;
        Ok(Some(Due { id, alerts, n_attempts: 0 }))
    }
}

/// The number of alerts whose sentences fit into a text; at least one.
fn n_fitting(alerts: &[Alert], language: Language, bytes_max: usize) -> usize {
    let most = alerts.len().min(ALERTS_MAX);
    let fits = |n: &usize| raw_text("0000000000000000", &alerts[..*n], language).len() <= bytes_max;
    (1..=most).rev().find(fits).unwrap_or(most.min(1))
}

/// The text of a message: a sentence for each alert and the identifier, at most a number of bytes.
#[must_use]
pub fn message_text(id: &str, alerts: &[Alert], language: Language, bytes_max: usize) -> String {
    let text = raw_text(id, alerts, language);
    if text.len() <= bytes_max {
        return text;
    }
    let end = format!("… [{id}]");
    let mut cut = bytes_max.saturating_sub(end.len());
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}{end}", &text[..cut])
}

fn raw_text(id: &str, alerts: &[Alert], language: Language) -> String {
    let zh = language == Language::Chinese;
    let sentence = |of: &Alert| if zh { of.text_zh.clone() } else { of.text.clone() };
    if let [one] = alerts {
        return format!("{} [{id}]", sentence(one));
    }
    let n = alerts.len();
    let head = if zh { format!("{n} 条预警") } else { format!("{n} alerts") };
    let lines: Vec<String> = alerts.iter().map(|of| format!("- {}", sentence(of))).collect();
    format!("{head} [{id}]\n{}", lines.join("\n"))
}

/// The wait after a number of failed attempts: between half and three halves of a power of two. The
/// part depends on the message, so that messages do not return at one time.
#[must_use]
pub fn backoff(id: &str, n_attempts: u32) -> Duration {
    let doubled = WAIT_MIN * 2_u32.saturating_pow(n_attempts.saturating_sub(1).min(16));
    let mut hash = blake3::Hasher::new();
    hash.update(id.as_bytes()).update(&n_attempts.to_le_bytes());
    let part = f64::from(hash.finalize().as_bytes()[0]) / 256.0;
    doubled.min(WAIT_MAX).mul_f64(0.5 + part)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;

    use super::*;
    use crate::alerts::alert::Outcome;
    use crate::alerts::sinks::{Robot, SinkKind, secret::Place};
    use crate::alerts::states::{Progress, States};
    use crate::domain::types::Vintage;

    fn alert(number: usize, n_bytes: usize) -> Alert {
        let text = "x".repeat(n_bytes);
        let (id, text_zh) = (format!("alert{number}"), "预".repeat(n_bytes / 3));
        Alert { id, rule: "r".to_owned(), vintage: 1, text, text_zh, ..Alert::default() }
    }

    fn sink() -> Sink {
        let url = Place::Environment("URL".to_owned());
        let kind = SinkKind::Robot { robot: Robot::Wecom, url, secret: None };
        Sink { name: "duty".to_owned(), language: Language::English, rules: None, kind }
    }

    fn stored(home: &Path, alerts: Vec<Alert>) -> Store {
        let mut store = Store::open(home).expect("opened");
        let progress = Progress { vintage: Vintage(1), last_closed: None };
        let outcome = Outcome { alerts, ..Outcome::default() };
        let sinks = |_: &Alert| vec!["duty".to_owned()];
        let now = Timestamp::UNIX_EPOCH;
        store.record((progress, &States::new()), &outcome, now, &sinks).expect("stored");
        store
    }

    fn due(next: Next) -> Due {
        match next {
            Next::Send(due) => due,
            next => panic!("{next:?}"),
        }
    }

    #[test]
    fn a_repeat_after_an_end_has_the_same_identifier_and_alerts() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut store = stored(home.path(), vec![alert(1, 100), alert(2, 100)]);
        let first = due(store.next(&sink(), 0).expect("read"));
        assert_eq!(first.alerts.len(), 2, "a digest");
        drop(store);
        // The process has ended between the outbox and the delivery; a new alert came meanwhile.
        let mut store = stored(home.path(), vec![alert(3, 100)]);
        assert_eq!(due(store.next(&sink(), 10).expect("read")), first);
        store.attempted(&first, &Sent::Delivered, 20).expect("stored");
        let pause = store.next(&sink(), 30).expect("read");
        assert_eq!(pause, Next::Wait(3_220), "a robot takes 20 messages a minute");
        let next = due(store.next(&sink(), 3_220).expect("read"));
        assert_eq!((next.alerts.len(), next.id == first.id), (1, false));
        store.attempted(&next, &Sent::Delivered, 3_230).expect("stored");
        assert_eq!(store.next(&sink(), 9_999).expect("read"), Next::Nothing);
        assert!(store.undelivered().expect("read").is_empty());
    }

    #[test]
    fn a_failure_waits_longer_each_time_and_is_visible() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut store = stored(home.path(), vec![alert(1, 10)]);
        let mut now = 0;
        for n_attempts in 0..3 {
            let message = due(store.next(&sink(), now).expect("read"));
            assert_eq!(message.n_attempts, n_attempts);
            store.attempted(&message, &Sent::Failed("status 500".to_owned()), now).expect("stored");
            let Next::Wait(until) = store.next(&sink(), now + 1).expect("read") else {
                panic!("it waits");
            };
            now = until.max(now + 3_200);
        }
        let undelivered = store.undelivered().expect("read");
        assert_eq!(undelivered["duty"], (1, Some("status 500".to_owned())));
        let wait = Duration::from_mins(5);
        let message = due(store.next(&sink(), now).expect("read"));
        let throttled = Sent::Throttled { wait, why: "status 429".to_owned() };
        store.attempted(&message, &throttled, now).expect("stored");
        assert_eq!(store.next(&sink(), now + 60_000).expect("read"), Next::Wait(now + 300_000));
    }

    #[test]
    fn a_refused_message_waits_an_hour_and_later_ones_do_not_wait_for_it() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut store = stored(home.path(), vec![alert(1, 10)]);
        let refused = due(store.next(&sink(), 0).expect("read"));
        store.attempted(&refused, &Sent::Refused("550 no".to_owned()), 0).expect("stored");
        let hour = 3_600_000;
        assert_eq!(store.next(&sink(), 3_200).expect("read"), Next::Wait(hour));
        let mut store = stored(home.path(), vec![alert(2, 10)]);
        let next = due(store.next(&sink(), 3_200).expect("read"));
        assert_eq!(next.alerts[0].id, "alert2");
        store.attempted(&next, &Sent::Delivered, 3_300).expect("stored");
        assert_eq!(due(store.next(&sink(), hour).expect("read")).id, refused.id);
        assert_eq!(store.undelivered().expect("read")["duty"], (1, Some("550 no".to_owned())));
    }

    #[test]
    fn waits_are_bounded_and_differ_by_message() {
        for n_attempts in 1..40 {
            let wait = backoff("a", n_attempts);
            assert!(wait >= WAIT_MIN / 2 && wait <= WAIT_MAX * 3 / 2, "{wait:?}");
        }
        assert_ne!(backoff("a", 5), backoff("b", 5));
        assert!(backoff("a", 10) > backoff("a", 1));
    }

    #[test]
    fn a_digest_has_what_fits_and_a_long_sentence_is_cut() {
        let alerts: Vec<Alert> = (0..30).map(|number| alert(number, 300)).collect();
        let n = n_fitting(&alerts, Language::English, 2_048);
        assert_eq!(n, 6);
        let text = message_text("0123456789abcdef", &alerts[..n], Language::English, 2_048);
        assert!(text.starts_with("6 alerts [0123456789abcdef]\n- x") && text.len() <= 2_048);
        let long = [alert(1, 9_000)];
        assert_eq!(n_fitting(&long, Language::Chinese, 2_048), 1);
        let text = message_text("0123456789abcdef", &long, Language::Chinese, 2_048);
        assert!(text.ends_with("预… [0123456789abcdef]") && text.len() <= 2_048);
    }
}
