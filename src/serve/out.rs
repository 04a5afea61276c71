//! The way of an answer from a handler to the client.
//!
//! ```text
//! handler (may block) ─▶ Out ─┬▶ whole answer, if it is small: held for the next request
//!                             └▶ head, then chunks over a channel: as fast as the client reads
//! ```
//! A failure before the first byte is a problem; a later one ends the connection, so that a client
//! notices the missing rest.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use hyper::body::Frame;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::edition::Held;
use super::problem::Problem;
use super::turns::Turn;

/// The largest answer that is sent whole.
const WHOLE_MAX: usize = 512 << 10;
/// The size of a chunk.
const CHUNK: usize = 64 << 10;
/// The number of chunks between a handler and its client.
const N_CHUNKS: usize = 4;
/// The time after the first byte from which an answer is sent in chunks.
const WHOLE_TIME: Duration = Duration::from_millis(100);
/// The longest wait for a client that does not read.
const SLOW_MAX: Duration = Duration::from_secs(30);

/// The beginning of an answer.
#[derive(Debug)]
pub enum Begun {
    /// The whole answer.
    Whole(Held),
    /// The rest follows in chunks.
    Chunks {
        /// The media type.
        kind: &'static str,
        /// The name of the file, for a download.
        file: Option<String>,
        /// The vintage that the answer is about.
        vintage: u32,
        /// The content.
        body: Body,
    },
    /// The request fails.
    Failed(Problem),
}

/// Holds a whole answer for the next request.
pub type Hold = Box<dyn FnOnce(&Held) + Send>;

/// The place where a handler writes its answer.
pub struct Out {
    head: Option<oneshot::Sender<Begun>>,
    /// Chunks to the client, once the answer is sent in chunks.
    chunks: Option<mpsc::Sender<io::Result<Bytes>>>,
    runtime: Handle,
    kind: &'static str,
    file: Option<String>,
    vintage: u32,
    buffer: Vec<u8>,
    /// The content so far, while it is small enough to be held.
    whole: Option<Vec<u8>>,
    began: Option<Instant>,
    hold: Option<Hold>,
    /// The turn of the request. It ends with the answer, or when chunks begin: a slow client keeps
    /// nobody waiting.
    turn: Option<Turn>,
}

impl Out {
    /// A place to write, and the receiver of the answer.
    #[must_use]
    pub fn new(runtime: Handle, vintage: u32) -> (Self, oneshot::Receiver<Begun>) {
        let (head, begun) = oneshot::channel();
        let out = Self {
            head: Some(head),
            chunks: None,
            runtime,
            kind: "application/json",
            file: None,
            vintage,
            buffer: Vec::new(),
            whole: Some(Vec::new()),
            began: None,
            hold: None,
            turn: None,
        };
        (out, begun)
    }

    /// Holds the answer for the next request if it is small, and has the turn of its key.
    pub fn is_held(&mut self, hold: Hold, turn: Turn) {
        (self.hold, self.turn) = (Some(hold), Some(turn));
    }

    /// Sets the media type, and the name of the file for a download.
    pub fn is(&mut self, kind: &'static str, file: Option<String>) {
        (self.kind, self.file) = (kind, file);
    }

    /// Sets the vintage that the answer is about.
    pub fn is_of(&mut self, vintage: u32) {
        self.vintage = vintage;
    }

    /// Writes a text as the whole answer.
    ///
    /// # Errors
    /// A [`Problem`] if the client is gone.
    pub fn text(&mut self, kind: &'static str, text: &str) -> Result<(), Problem> {
        self.is(kind, None);
        self.write_all(text.as_bytes()).map_err(|_| gone())
    }

    /// Ends the answer. If it is small enough, it is held before its turn ends.
    pub fn finish(mut self) {
        if self.chunks.is_some() {
            let _ = self.send();
        }
        let Some(bytes) = self.whole.take().map(Bytes::from) else { return };
        let held = Held { kind: self.kind, file: self.file.take(), vintage: self.vintage, bytes };
        if let Some(hold) = self.hold.take() {
            hold(&held);
        }
        if let Some(head) = self.head.take() {
            let _ = head.send(Begun::Whole(held));
        }
    }

    /// Ends the answer with a failure.
    pub fn fail(mut self, problem: Problem) {
        if let Some(head) = self.head.take() {
            let _ = head.send(Begun::Failed(problem));
        } else if let Some(chunks) = self.chunks.take() {
            let chunk = Err(io::Error::other(problem.code()));
            let _ = self.runtime.block_on(timeout(SLOW_MAX, chunks.send(chunk)));
        }
    }

    /// Begins to send chunks.
    fn begin_chunks(&mut self) {
        let Some(head) = self.head.take() else { return };
        self.turn = None;
        let (chunks, receiver) = mpsc::channel(N_CHUNKS);
        self.chunks = Some(chunks);
        let (kind, file, vintage) = (self.kind, self.file.clone(), self.vintage);
        let body = Body::new(Chunks(receiver));
        let _ = head.send(Begun::Chunks { kind, file, vintage, body });
    }

    /// Sends the buffered bytes.
    fn send(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = Bytes::from(std::mem::take(&mut self.buffer));
        let Some(chunks) = &self.chunks else { return Ok(()) };
        let sent = self.runtime.block_on(timeout(SLOW_MAX, chunks.send(Ok(chunk))));
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client is gone")),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read")),
        }
    }
}

/// The problem of a client that has left; nobody reads it.
#[must_use]
pub fn gone() -> Problem {
    Problem::new("defect", "the client does not read the answer")
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let began = *self.began.get_or_insert_with(Instant::now);
        self.buffer.extend_from_slice(bytes);
        if let Some(whole) = &mut self.whole {
            whole.extend_from_slice(bytes);
        }
        let is_large = self.whole.as_ref().is_none_or(|whole| whole.len() > WHOLE_MAX);
        if is_large {
            self.whole = None;
        }
        if self.chunks.is_none() && (is_large || began.elapsed() > WHOLE_TIME) {
            self.begin_chunks();
        }
        if self.chunks.is_some() && self.buffer.len() >= CHUNK {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The chunks of an answer.
struct Chunks(mpsc::Receiver<io::Result<Bytes>>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}
