//! The service: a home over HTTP, for people, programs and monitors.
//!
//! ```text
//! commits ─▶ follow ─▶ edition: one publication, several readers ─┐
//!                └▶ events (SSE)                                  ▼
//! client ─▶ server ─▶ guard ─▶ service ─▶ route ─▶ api: a call of the reader ─▶ answers ─▶ client
//!           limits    host, token, rate             (may block)                  formats
//! ```
//! Invariants: a request sees one publication. Handlers call methods of [`crate::Reader`] and
//! compute no figure. A route, its parameters and its answer are one entry of a list, which also
//! makes the `OpenAPI` document.

mod answers;
mod api;
mod cache;
mod call;
mod edition;
mod events;
mod figures;
mod follow;
mod format;
mod guard;
mod metrics;
mod openapi;
mod out;
mod page;
mod problem;
mod query;
mod route;
mod routes;
mod sdmx;
mod selection;
mod server;
mod service;
mod stream;
mod token;
mod turns;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tracing::info;

pub use guard::{Access, AccessError, Proxy};
pub use token::TokenError;

use follow::{Followed, Seen};
use guard::Guard;
use metrics::Metrics;
use service::{Service, router};

/// The name of the threads that answer. A panic of one ends its request, not the process.
pub const THREAD: &str = "answers";
/// The threads that run handlers: more than readers, so that waiting ones do not block others.
const N_BLOCKING: usize = 32;
/// The open files beside connections.
const N_FILES: u64 = 256;
/// The most connections.
const N_CONNECTIONS: u64 = 8_192;

/// What is served, and to whom.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The home.
    pub home: PathBuf,
    /// The options file that a user named.
    pub config: Option<PathBuf>,
    /// The number of threads for panels.
    pub n_workers: usize,
    /// Where the service listens, and who may ask.
    pub access: Access,
}

/// The reason why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Who may ask.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The address.
    #[error("cannot listen on {address}; choose another address with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// Threads.
    #[error("cannot start threads")]
    Threads(#[source] io::Error),
}

/// A running service.
#[derive(Debug)]
pub struct Serving {
    /// The address.
    pub address: SocketAddr,
    stop: Arc<tokio::sync::Notify>,
    is_stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts to answer on threads of its own. A home that cannot be read does not stop the start: the
/// service answers once the home is there.
///
/// # Errors
/// [`ServeError`] if the address cannot be used, or other machines could ask without a check.
pub fn serve(options: ServeOptions) -> Result<Serving, ServeError> {
    let ServeOptions { home, config, n_workers, access } = options;
    let guard = Guard::new(&access)?;
    let runtime = runtime().map_err(ServeError::Threads)?;
    let listen = |source| ServeError::Listen { address: access.listen, source };
    let listener = runtime.block_on(TcpListener::bind(access.listen)).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let followed = Arc::new(Followed::new(home, config, n_workers));
    let mut seen = Seen::default();
    followed.look(&mut seen);
    let service = Service { followed: Arc::clone(&followed), guard, metrics: Metrics::default() };
    let service = Arc::new(service);
    let router = router(Arc::clone(&service));
    let (stop, is_stopped) =
        (Arc::new(tokio::sync::Notify::new()), Arc::new(AtomicBool::new(false)));
    let mut threads = Vec::new();
    let stopped = Arc::clone(&stop);
    threads.push(thread("accept", move || {
        let n_connections = connections_max();
        let stopped = async move { stopped.notified().await };
        runtime.block_on(server::run(listener, (service, router), n_connections, stopped));
        runtime.shutdown_timeout(Duration::from_secs(1));
    })?);
    let ended = Arc::clone(&is_stopped);
    threads.push(thread("follow", move || {
        while !ended.load(Ordering::SeqCst) {
            std::thread::sleep(followed.look(&mut seen));
        }
    })?);
    info!(address = %address, "listening");
    Ok(Serving { address, stop, is_stopped, threads })
}

impl Serving {
    /// Ends open requests and all threads.
    pub fn stop(self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        self.stop.notify_one();
        for thread in self.threads {
            // A panic of the thread has ended the process.
            let _ = thread.join();
        }
    }
}

fn runtime() -> io::Result<Runtime> {
    let n_threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4);
    Builder::new_multi_thread()
        .worker_threads(n_threads)
        .max_blocking_threads(N_BLOCKING)
        .thread_name(THREAD)
        .enable_io()
        .enable_time()
        .build()
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ServeError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map_err(ServeError::Threads)
}

/// The number of connections that the limit of open files allows; the limit is raised first.
fn connections_max() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = N_CONNECTIONS + N_FILES;
    let hard = limit.maximum.unwrap_or(wanted);
    let current = limit.current.unwrap_or(wanted).max(wanted.min(hard));
    let raised = Rlimit { current: Some(current), maximum: limit.maximum };
    let n_files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => current,
        Err(_) => limit.current.unwrap_or(wanted),
    };
    usize::try_from(n_files.saturating_sub(N_FILES).clamp(64, N_CONNECTIONS)).unwrap_or(64)
}
