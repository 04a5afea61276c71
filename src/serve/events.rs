//! Server-sent events: what changed in the home, as it changes.
//!
//! Every client has a short queue. A client whose queue is full gets `resync` as its last event and
//! is dropped; it connects again with the number of its last event and gets the later ones, or
//! `resync` if they are no longer held.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::Frame;
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// The time between comments to idle clients.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The wait of a client before it connects again, in milliseconds.
const RETRY_MS: u32 = 5_000;
/// The number of events that a client may be behind.
const QUEUE: usize = 32;
/// The number of events that are held for clients that connect again.
const HELD: usize = 256;

/// An event, as it is sent.
#[derive(Clone, Debug)]
struct Event {
    id: u64,
    text: Bytes,
}

/// The clients, and the events that are held for them.
#[derive(Debug, Default)]
pub struct Events {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: VecDeque<Event>,
    last_id: u64,
    clients: Vec<Sender<Bytes>>,
    n_dropped: u64,
    is_closed: bool,
}

impl Events {
    /// Sends an event to all clients.
    pub fn send(&self, kind: &'static str, data: &Value) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        state.last_id += 1;
        let id = state.last_id;
        let text = Bytes::from(format!("id: {id}\nevent: {kind}\ndata: {data}\n\n"));
        state.held.push_back(Event { id, text: text.clone() });
        if state.held.len() > HELD {
            state.held.pop_front();
        }
        let n_before = state.clients.len();
        let mut n_slow = 0;
        state.clients.retain(|client| match client.try_send(text.clone()) {
            // One place is left for the last event.
            Ok(()) if client.capacity() > 1 => true,
            Ok(()) | Err(TrySendError::Full(_)) => {
                let _ = client.try_send(resync());
                n_slow += 1;
                false
            }
            Err(TrySendError::Closed(_)) => false,
        });
        debug_assert!(state.clients.len() <= n_before);
        state.n_dropped += n_slow;
    }

    /// Adds a client; `last` is the number of the last event that it knows.
    pub fn client(&self, last: Option<u64>, now: Option<&Value>) -> Body {
        let (sender, receiver) = channel(QUEUE);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut first = format!("retry: {RETRY_MS}\n\n").into_bytes();
        if let Some(last) = last {
            let oldest = state.held.front().map_or(state.last_id + 1, |event| event.id);
            if last <= state.last_id && last + 1 >= oldest {
                let later = state.held.iter().filter(|event| event.id > last);
                later.for_each(|event| first.extend_from_slice(&event.text));
            } else {
                first.extend_from_slice(&resync());
            }
        } else {
            let id = state.last_id;
            let text = now.map(|data| format!("id: {id}\nevent: publication\ndata: {data}\n\n"));
            first.extend_from_slice(text.unwrap_or_default().as_bytes());
        }
        if !state.is_closed {
            state.clients.push(sender);
        }
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Body::new(Stream { first: Some(first.into()), receiver, heartbeat })
    }

    /// Ends all streams.
    pub fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clients.clear();
        state.is_closed = true;
    }

    /// The number of clients, and of those that were dropped because they did not read.
    #[must_use]
    pub fn n_clients(&self) -> (usize, u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clients.retain(|client| !client.is_closed());
        (state.clients.len(), state.n_dropped)
    }
}

/// The last event of a client that is behind. It has no number: the client keeps its own.
fn resync() -> Bytes {
    Bytes::from_static(b"event: resync\ndata: {}\n\n")
}

/// The stream of one client.
struct Stream {
    first: Option<Bytes>,
    receiver: Receiver<Bytes>,
    heartbeat: Interval,
}

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if let Poll::Ready(text) = self.receiver.poll_recv(context) {
            return Poll::Ready(text.map(|text| Ok(Frame::data(text))));
        }
        if self.heartbeat.poll_tick(context).is_ready() {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b": alive\n\n")))));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn texts(receiver: &mut Receiver<Bytes>) -> Vec<String> {
        std::iter::from_fn(|| receiver.try_recv().ok())
            .map(|text| String::from_utf8(text.to_vec()).expect("UTF-8"))
            .collect()
    }

    #[test]
    fn a_client_that_does_not_read_gets_resync_last_and_is_dropped() {
        let events = Events::default();
        let (sender, mut receiver) = channel(QUEUE);
        events.state.lock().expect("no panic").clients.push(sender);
        for number in 0..2 * QUEUE {
            events.send("file", &json!({ "number": number }));
        }
        let texts = texts(&mut receiver);
        assert_eq!(texts.len(), QUEUE);
        assert!(
            texts[0].starts_with("id: 1\nevent: file\ndata: {\"number\":0}\n\n"),
            "{}",
            texts[0]
        );
        assert_eq!(texts[QUEUE - 1], "event: resync\ndata: {}\n\n");
        assert_eq!(events.n_clients(), (0, 1));
    }

    #[tokio::test]
    async fn a_client_that_returns_gets_the_later_events_or_resync() {
        use hyper::body::Body as _;
        let events = Events::default();
        for number in 0..=HELD {
            events.send("file", &json!(number));
        }
        let first = async |last, now: Option<&Value>| {
            let mut body = events.client(last, now);
            let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context));
            let bytes = frame.await.expect("a frame").expect("no error").into_data();
            String::from_utf8(bytes.expect("data").to_vec()).expect("UTF-8")
        };
        let last = HELD as u64 + 1;
        let later = first(Some(last - 1), None).await;
        assert!(later.contains(&format!("id: {last}\n")) && !later.contains("resync"), "{later}");
        assert_eq!(later.matches("event: ").count(), 1);
        assert!(!first(Some(last), None).await.contains("event: "), "it knows all");
        assert!(first(Some(0), None).await.contains("event: resync"), "event 1 is no longer held");
        assert!(first(Some(last + 1), None).await.contains("event: resync"), "of another process");
        let now = json!({ "vintage": 7 });
        assert!(
            first(None, Some(&now)).await.contains("event: publication\ndata: {\"vintage\":7}")
        );
    }
}
