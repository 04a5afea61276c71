//! A server that plays sinks: it answers by a script, and keeps what it gets.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest wait for a request.
const WAIT_MAX: Duration = Duration::from_mins(3);

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Path and query.
    pub path: String,
    /// Headers by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: serde_json::Value,
    /// The body as text.
    pub text: String,
}

/// What the server does with a request.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// A status, a further header and a body.
    Answer(u16, &'static str, &'static str),
    /// The connection ends.
    Close,
    /// No answer comes.
    Silence,
}

#[derive(Default)]
struct State {
    replies: BTreeMap<String, VecDeque<Reply>>,
    received: Vec<Received>,
    /// Connections without an answer, kept open.
    open: Vec<TcpStream>,
}

/// A running server.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Starts a server; a path without a script answers as a robot that takes all messages.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let own = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&own);
                std::thread::spawn(move || answer(stream.expect("a connection"), &state));
            }
        });
        Self { address, state }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sets the replies of a path, in order; the last one is repeated.
    pub fn script(&self, path: &str, replies: &[Reply]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.replies.insert(path.to_owned(), replies.iter().copied().collect());
    }

    /// The requests of a path so far.
    pub fn received(&self, path: &str) -> Vec<Received> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let of_path = |of: &&Received| of.path.split('?').next() == Some(path);
        state.received.iter().filter(of_path).cloned().collect()
    }

    /// Waits for a number of requests of a path.
    pub fn until(&self, path: &str, n: usize) -> Vec<Received> {
        let begun = Instant::now();
        loop {
            let received = self.received(path);
            if received.len() >= n {
                return received;
            }
            assert!(begun.elapsed() < WAIT_MAX, "{path} got {} of {n} requests", received.len());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let Some(received) = read(&mut reader) else { return };
    let mut stream = reader.into_inner();
    let path = received.path.split('?').next().unwrap_or_default().to_owned();
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.received.push(received);
    let ok = Reply::Answer(200, "", r#"{"errcode":0,"code":0}"#);
    let reply = match state.replies.get_mut(&path) {
        Some(replies) if replies.len() > 1 => replies.pop_front(),
        Some(replies) => replies.front().copied(),
        None => None,
    };
    match reply.unwrap_or(ok) {
        Reply::Answer(status, header, body) => {
            let n = body.len();
            let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
            let head = format!("HTTP/1.1 {status} X\r\n{header}Content-Length: {n}\r\n\r\n{body}");
            let _ = stream.write_all(head.as_bytes());
        }
        Reply::Close => {}
        Reply::Silence => state.open.push(stream),
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|n| *n > 0)?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let n = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; n];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8(body).expect("UTF-8");
    Some(Received { path, headers, body: serde_json::from_str(&text).expect("JSON"), text })
}
