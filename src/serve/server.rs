//! The accept loop, with limits that protect the service from its clients.
//!
//! ```text
//! accept ─▶ a place (connections are limited) ─▶ first bytes in 10 s ─▶ HTTP/1 or HTTP/2
//!                                                  head in 10 s, writes in 30 s
//! ```

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, warn};

use super::service::{Service, answer};
use super::stream::LimitedStream;

/// The time for the head of a request.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// The size of a request's head.
const HEAD_BYTES: u32 = 32 << 10;
/// The number of a request's headers.
const HEADERS_MAX: usize = 64;
/// The number of requests that a connection of HTTP/2 has at once.
const STREAMS_MAX: u32 = 64;
/// The time between signs of life on a connection of HTTP/2.
const PING: Duration = Duration::from_secs(20);
/// The time for open requests after a stop request.
const STOP_MAX: Duration = Duration::from_secs(10);
/// The first bytes of HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";
/// The wait after an error of `accept`, such as for too many open files.
const ACCEPT_WAIT: Duration = Duration::from_millis(50);

/// Answers on a listener until `stopped` is done, then ends open requests.
pub async fn run(
    listener: TcpListener,
    (service, router): (Arc<Service>, Router),
    n_connections_max: usize,
    stopped: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(n_connections_max));
    let graceful = GracefulShutdown::new();
    let builder = Arc::new(builder());
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            () = &mut stopped => break,
            accepted = next(&listener, &places) => accepted,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!("cannot accept a connection: {error}");
                sleep(ACCEPT_WAIT).await;
                continue;
            }
        };
        let (service, router, builder) =
            (Arc::clone(&service), router.clone(), Arc::clone(&builder));
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let _counted = (service.metrics.connection(), place);
            let _ = stream.set_nodelay(true);
            let Some(is_http2) = is_http2(&stream).await else { return };
            let builder = Builder::clone(&builder);
            let builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
            let answered = service_fn(move |request: hyper::Request<Incoming>| {
                let (service, router) = (Arc::clone(&service), router.clone());
                async move {
                    let request: Request = request.map(Body::new);
                    Ok::<_, std::convert::Infallible>(answer(service, router, peer, request).await)
                }
            });
            let stream = TokioIo::new(LimitedStream::new(stream));
            let connection = builder.serve_connection(stream, answered).into_owned();
            if let Err(error) = watcher.watch(connection).await {
                debug!("a connection ended: {error}");
            }
        });
    }
    drop(listener);
    service.followed.events.close();
    let _ = timeout(STOP_MAX, graceful.shutdown()).await;
}

type Accepted = (TcpStream, std::net::SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// The next connection, once there is a place for it.
async fn next(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES as usize)
        .max_headers(HEADERS_MAX)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(HEAD_MAX)
        .max_header_list_size(HEAD_BYTES)
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(32)
        .max_send_buf_size(64 << 10);
    builder
}

/// True if the first bytes are those of HTTP/2; `None` if they do not come in time.
async fn is_http2(stream: &TcpStream) -> Option<bool> {
    let until = Instant::now() + HEAD_MAX;
    let mut first = [0; PREFACE.len()];
    loop {
        let left = until.checked_duration_since(Instant::now())?;
        let n_bytes = timeout(left, stream.peek(&mut first)).await.ok()?.ok()?;
        if n_bytes == 0 {
            return None;
        }
        let is_same = first[..n_bytes] == PREFACE[..n_bytes];
        if !is_same || n_bytes == PREFACE.len() {
            return Some(is_same);
        }
        // A part of the first bytes is there, and `peek` returns it at once.
        sleep(Duration::from_millis(10)).await;
    }
}
