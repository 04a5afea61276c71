//! The way of a request: checks, route, reader, answer.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::routing::any;
use hyper::body::Body as _;
use tokio::runtime::Handle;
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use tracing::info;

use super::call::Call;
use super::edition::{Edition, Held, Length};
use super::events::Events;
use super::follow::{Followed, publication};
use super::format::Format;
use super::guard::{Guard, REPORT_POLICY, Role, secure};
use super::metrics::{MEDIA_TYPE, Metrics};
use super::openapi;
use super::out::{Begun, Out};
use super::page::{self, matches_tag};
use super::problem::Problem;
use super::query::{Query, decoded};
use super::route::{self, Answer, Data, Handler, Route};
use super::routes::ROUTES;
use super::turns::Turn;
use crate::alerts::status::AlertStatus;
use crate::reader::names::Language;
use crate::reader::rows::TableName;

/// The longest address.
const ADDRESS_MAX: usize = 8 << 10;
/// The most bytes of headers.
const HEADERS_MAX: usize = 16 << 10;
/// The smallest answer that is compressed.
const COMPRESSED_MIN: u64 = 1 << 10;
/// The prefix of addresses whose suffix names a format.
const API: &str = "/api/v1/";
/// The prefix of addresses with formats of SDMX.
const SDMX: &str = "/sdmx/";

/// The service.
#[derive(Debug)]
pub struct Service {
    /// The home.
    pub followed: Arc<Followed>,
    /// Who may ask.
    pub guard: Guard,
    /// Counts.
    pub metrics: Metrics,
}

/// A request on its way to its route.
#[derive(Clone, Debug)]
struct Asked {
    /// The address of the client.
    client: std::net::IpAddr,
    /// The path without its suffix, as sent.
    path: String,
    suffix: Option<Format>,
}

/// The router over the list of routes.
pub fn router(service: Arc<Service>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        router = router.route(route.path, any(routed));
    }
    let compressed = SizeAbove::new(COMPRESSED_MIN)
        .and(NotForContentType::const_new("text/event-stream"))
        .and(NotForContentType::const_new("image/png"))
        .and(NotForContentType::const_new("application/vnd."));
    let compression = CompressionLayer::new().compress_when(compressed);
    router
        .fallback(|method: Method| async move {
            check_method(None, &method).err().unwrap_or_else(not_found).answer()
        })
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new("defect", "the request ended in a defect; please report it").answer()
        }))
        .layer(compression)
        .with_state(service)
}

fn not_found() -> Problem {
    Problem::new("not_found", "there is nothing at this address; see /api/v1/openapi.json")
}

/// Answers a request of a connection.
pub async fn answer(
    service: Arc<Service>,
    router: Router,
    peer: SocketAddr,
    request: Request,
) -> Response<Body> {
    let client = service.guard.client(peer.ip(), request.headers());
    let counted = service.guard.count(client);
    let checked = counted.clone().and_then(|_| check(&service.guard, &request));
    let mut answer = match checked {
        Err(problem) => problem.answer(),
        Ok(()) => match page::answer(request.uri().path(), request.headers()) {
            Some(page) => match check_method(None, request.method()) {
                Ok(()) => page,
                Err(problem) => problem.answer(),
            },
            None => through(router, client, request).await,
        },
    };
    secure(answer.headers_mut(), counted.ok());
    answer
}

/// Sends a request through the router, without the suffix of its path.
async fn through(router: Router, client: std::net::IpAddr, mut request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let is_listed = ROUTES.iter().any(|route| route.path == path);
    let may_have_suffix = path.starts_with(API) && !is_listed;
    let (stem, suffix) =
        if may_have_suffix { Format::of_path(&path) } else { (path.as_str(), None) };
    if suffix.is_some() {
        let query = request.uri().query().map_or(String::new(), |query| format!("?{query}"));
        let Ok(uri) = format!("{stem}{query}").parse::<Uri>() else { return not_found().answer() };
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(Asked { client, path: stem.to_owned(), suffix });
    match router.oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// The checks before any route.
fn check(guard: &Guard, request: &Request) -> Result<(), Problem> {
    let uri = request.uri();
    if uri.path_and_query().is_some_and(|of| of.as_str().len() > ADDRESS_MAX) {
        let detail = format!("the address has more than {ADDRESS_MAX} bytes");
        return Err(Problem::new("address_too_long", detail));
    }
    let sizes = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    if sizes.sum::<usize>() > HEADERS_MAX {
        let detail = format!("the headers have more than {HEADERS_MAX} bytes");
        return Err(Problem::new("headers_too_large", detail));
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next(), uri.authority()) {
        (_, _, Some(authority)) => Some(Cow::Borrowed(authority.as_str())),
        (Some(host), None, None) => host.to_str().ok().map(Cow::Borrowed),
        _ => None,
    };
    guard.check_host(host.as_deref())?;
    Guard::check_origin(request.method(), request.headers(), host.as_deref())?;
    if !request.body().is_end_stream() {
        return Err(Problem::new("body_too_large", "a request of this service has no body"));
    }
    Ok(())
}

/// Checks that a route knows the method. This is decided by the matched route and not by the text
/// of the address: a suffix or an escape in an address gives no route another method.
fn check_method(route: Option<&Route>, method: &Method) -> Result<(), Problem> {
    let known = route.map_or("GET, HEAD", Route::methods);
    if known.split(", ").any(|of| of == method.as_str()) {
        return Ok(());
    }
    let detail = format!("the address knows {known}, not {method}");
    Err(Problem::new("method_not_allowed", detail).with("methods", known))
}

/// Answers a request that has a route.
async fn routed(
    State(service): State<Arc<Service>>,
    matched: MatchedPath,
    request: Request,
) -> Response<Body> {
    let started = Instant::now();
    let route = ROUTES.iter().find(|route| route.path == matched.as_str());
    let asked = request.extensions().get::<Asked>().cloned();
    let (Some(route), Some(asked)) = (route, asked) else { return not_found().answer() };
    if let Err(problem) = check_method(Some(route), request.method()) {
        return problem.answer();
    }
    if asked.suffix.is_some_and(|suffix| !route.has(suffix)) {
        return not_found().answer();
    }
    let role = match route.data {
        Data::Open => Role::Analyst,
        _ => service.guard.role(request.headers()),
    };
    let (parts, _) = request.into_parts();
    let answer = match role {
        Role::Nobody => Err(Problem::new(
            "unauthorized",
            "send the token in a header: Authorization: Bearer TOKEN",
        )),
        Role::Analyst if matches!(route.answer, Answer::Change(_)) => {
            match service.guard.may_change() {
                Ok(()) => service.answer(route, &asked, &parts).await,
                Err(problem) => Err(problem),
            }
        }
        Role::Analyst => service.answer(route, &asked, &parts).await,
    };
    let answer = answer.unwrap_or_else(|problem| problem.answer());
    let status = answer.status();
    service.metrics.request(route.path, status.as_u16(), started.elapsed());
    let query = parts.uri.query().unwrap_or_default();
    if is_of_firms(route, &asked, query) {
        let (client, path) = (asked.client.to_string(), asked.path.as_str());
        info!(client, path, query, role = ?role, status = status.as_u16(), "firm-level access");
    }
    answer
}

/// True for an access to data of single firms.
fn is_of_firms(route: &Route, asked: &Asked, query: &str) -> bool {
    let query = Query::parse(query).unwrap_or_default();
    match route.data {
        Data::Firm => true,
        Data::OfTable => {
            let name = asked.path.rsplit('/').next().unwrap_or_default();
            TableName::named(name).is_none_or(TableName::is_of_firms)
        }
        Data::OfKind => query.text("kind") == Some("firm"),
        Data::OfLevel => query.text("level") == Some("plant"),
        Data::Open | Data::Status | Data::Aggregate => false,
    }
}

impl Service {
    async fn answer(
        &self,
        route: &'static Route,
        asked: &Asked,
        request: &Parts,
    ) -> Result<Response<Body>, Problem> {
        let query = Query::parse(request.uri.query().unwrap_or_default())?;
        if !route.has_filters {
            query.check(route::names(route.parameters), &[])?;
        }
        let Some(handler) = route.handler else { return self.own(route, &request.headers) };
        let segments = segments(route.path, &asked.path)?;
        let headers = &request.headers;
        let language = language(headers);
        let accept = headers.get(header::ACCEPT).map(|value| value.to_str().unwrap_or_default());
        // A route of texts has formats of its own.
        let negotiated = if route.has_formats() {
            Format::of_accept(accept, |format| route.has(format))
        } else {
            Ok(Format::Json)
        };
        let format = asked.suffix.map_or(negotiated, Ok)?;
        let accept = accept.unwrap_or_default().to_owned();
        let edition = self.followed.edition()?;
        let path = asked.path.clone();
        let call = Call { edition, path, segments, query, format, accept, language };
        let mut answer = respond((route, handler), call, headers, &self.metrics).await?;
        let headers = answer.headers_mut();
        let vary = HeaderValue::from_static("accept, accept-language, authorization");
        headers.append(header::VARY, vary);
        let language = if language == Language::Chinese { "zh" } else { "en" };
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language));
        Ok(answer)
    }

    /// The routes that need no reader.
    fn own(&self, route: &Route, headers: &HeaderMap) -> Result<Response<Body>, Problem> {
        let edition = self.followed.edition();
        let events: &Events = &self.followed.events;
        let (kind, body) = match route.name {
            "healthz" => ("text/plain; charset=utf-8", Body::from("alive\n")),
            "readyz" => (edition.map(|_| "text/plain; charset=utf-8")?, Body::from("ready\n")),
            "metrics" => {
                // Metrics are complete without the alerts of a damaged database.
                let alerts = AlertStatus::of(self.followed.home()).ok().flatten();
                let counted = (events.n_clients(), alerts.as_ref());
                let text = self.metrics.text(edition.as_deref().ok(), counted);
                let text = text.map_err(|_| Problem::new("defect", "metrics cannot be written"))?;
                (MEDIA_TYPE, Body::from(text))
            }
            "openapi" => {
                let document = openapi::document(ROUTES).to_json();
                let document =
                    document.map_err(|error| Problem::new("defect", error.to_string()))?;
                ("application/json", Body::from(document))
            }
            "events" => {
                let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
                let now = edition.ok().map(|edition| publication(&edition));
                let body = events.client(last.and_then(|id| id.parse().ok()), now.as_ref());
                ("text/event-stream", body)
            }
            name => return Err(Problem::new("defect", format!("the route {name} has no answer"))),
        };
        let mut answer = Response::new(body);
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(answer)
    }
}

/// The segments of a path that a route names, decoded.
fn segments(pattern: &str, path: &str) -> Result<Vec<String>, Problem> {
    let pairs = pattern.split('/').zip(path.split('/'));
    let named = pairs.filter(|(name, _)| name.starts_with('{'));
    named.map(|(_, segment)| decoded(segment, false)).collect()
}

/// The language that a client prefers: Chinese or English.
fn language(headers: &HeaderMap) -> Language {
    let text = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut best = (0.0, Language::English);
    for part in text.unwrap_or_default().split(',') {
        let mut fields = part.split(';').map(str::trim);
        let tag = fields.next().unwrap_or_default().to_ascii_lowercase();
        let weight = fields.find_map(|field| field.strip_prefix("q=")?.parse().ok());
        let weight: f64 = weight.unwrap_or(1.0);
        let language = match tag.split('-').next() {
            Some("zh") => Language::Chinese,
            Some("en" | "*") => Language::English,
            _ => continue,
        };
        if weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

/// Answers from what is held, or by the handler.
async fn respond(
    (route, handler): (&'static Route, Handler),
    call: Call,
    headers: &HeaderMap,
    metrics: &Metrics,
) -> Result<Response<Body>, Problem> {
    let key = format!("{}.{}?{}", call.path, call.format.suffix(), call.query.written());
    let accept = if route.path.starts_with(SDMX) { call.accept.as_str() } else { "" };
    let key = format!("{key} {:?} {accept}", call.language);
    let edition = Arc::clone(&call.edition);
    let tag = (!route.is_live).then(|| tag(&edition, &key));
    if let Some(tag) = tag.as_deref().filter(|tag| matches_tag(headers, tag))
        && edition.answers.get(&key).is_some()
    {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(with_tag(answer, Some(tag)));
    }
    let held = || edition.answers.get(&key).filter(|_| !route.is_live);
    if let Some(held) = held() {
        return Ok(with_tag(whole(&held), tag.as_deref()));
    }
    let turn = if route.is_live { None } else { Some(edition.turn(&key).await?) };
    // An earlier request with the same key may have ended while this one waited.
    if let Some(held) = held() {
        return Ok(with_tag(whole(&held), tag.as_deref()));
    }
    metrics.computed();
    let begun = run((route, handler), call, turn.map(|turn| (key, turn))).await?;
    let not_modified = tag.as_deref().is_some_and(|tag| matches_tag(headers, tag));
    let answer = match begun {
        Begun::Failed(problem) => return Err(problem),
        Begun::Whole(_) | Begun::Chunks { .. } if not_modified => {
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            answer
        }
        Begun::Whole(held) => whole(&held),
        Begun::Chunks { kind, file, vintage, body } => headed(kind, file.as_deref(), vintage, body),
    };
    Ok(with_tag(answer, tag.as_deref()))
}

/// Runs a handler on a thread that may block.
async fn run(
    (route, handler): (&Route, Handler),
    call: Call,
    held_as: Option<(String, Turn)>,
) -> Result<Begun, Problem> {
    let length = match (call.format, route.data) {
        (Format::Json, Data::Status) => Length::State,
        (Format::Json, _) => Length::Short,
        _ => Length::Long,
    };
    let mut lease = call.edition.lease(length).await?;
    let (mut out, begun) = Out::new(Handle::current(), call.edition.vintage);
    if let Some((key, turn)) = held_as {
        let edition = Arc::clone(&call.edition);
        let hold = move |held: &Held| {
            let n_bytes = held.bytes.len() + key.len();
            edition.answers.insert(key, held.clone(), n_bytes);
        };
        out.is_held(Box::new(hold), turn);
    }
    tokio::task::spawn_blocking(move || match handler(&call, lease.reader(), &mut out) {
        Ok(()) => out.finish(),
        Err(problem) => out.fail(problem),
    });
    let defect = || Problem::new("defect", "the request ended in a defect; please report it");
    begun.await.map_err(|_| defect())
}

/// The entity tag of an answer: of the state of the home, the program and the request.
fn tag(edition: &Edition, key: &str) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(edition.tag.as_bytes()).update(key.as_bytes());
    format!("W/\"{}-{}\"", edition.vintage, &hash.finalize().to_hex()[..16])
}

fn with_tag(mut answer: Response<Body>, tag: Option<&str>) -> Response<Body> {
    let headers = answer.headers_mut();
    let cache = if tag.is_some() { "private, no-cache" } else { "no-store" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Some(Ok(tag)) = tag.map(HeaderValue::from_str) {
        headers.insert(header::ETAG, tag);
    }
    answer
}

fn whole(held: &Held) -> Response<Body> {
    headed(held.kind, held.file.as_deref(), held.vintage, Body::from(held.bytes.clone()))
}

fn headed(kind: &'static str, file: Option<&str>, vintage: u32, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert("x-vintage", HeaderValue::from(vintage));
    if kind.starts_with("text/html") || kind.starts_with("image/svg") {
        let policy = HeaderValue::from_static(REPORT_POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let file = file.map(|file| format!("attachment; filename=\"{file}\""));
    if let Some(Ok(file)) = file.as_deref().map(HeaderValue::from_str) {
        headers.insert(header::CONTENT_DISPOSITION, file);
    }
    answer
}
