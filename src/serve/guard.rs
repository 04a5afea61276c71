//! Who may ask: names of the service, origin of the request, tokens, and the rate of a client.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::problem::Problem;
use super::token::{TokenError, Tokens};

/// The requests of a client in a window.
const REQUESTS_MAX: u32 = 20_000;
/// The length of a window.
const WINDOW: Duration = Duration::from_secs(10);
/// The number of clients that are counted.
const CLIENTS_MAX: usize = 4_096;

/// Where the service listens, and who may ask.
#[derive(Clone, Debug)]
pub struct Access {
    /// The address.
    pub listen: SocketAddr,
    /// The file with tokens.
    pub token_file: Option<PathBuf>,
    /// True if a proxy in front of the service decides who may ask.
    pub proxy: Proxy,
    /// Further names of the service.
    pub hosts: Vec<String>,
}

/// The place of the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// Clients connect to the service itself.
    #[default]
    Absent,
    /// A proxy checks who asks, and passes on the address of the client.
    InFront,
}

/// The reason why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The address is not of this machine alone.
    #[error(
        "{0} can be reached from other machines: add --token-file FILE, or --behind-proxy if a \
         proxy checks who asks"
    )]
    Open(SocketAddr),
    /// The tokens.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Decides about each request.
#[derive(Debug)]
pub struct Guard {
    hosts: Vec<String>,
    tokens: Option<Tokens>,
    proxy: Proxy,
    clients: Mutex<HashMap<IpAddr, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    start: Instant,
    n: u32,
}

/// The role of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Without a token, where one is needed.
    Nobody,
    /// Reads everything.
    Analyst,
}

/// The rest of a client's requests in its window.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    left: u32,
    seconds: u64,
}

impl Guard {
    /// Reads the tokens, and checks that not everybody may ask.
    ///
    /// # Errors
    /// [`AccessError`] if other machines can reach the service and nothing checks who asks, or the
    /// tokens cannot be read.
    pub fn new(access: &Access) -> Result<Self, AccessError> {
        let tokens = access.token_file.as_deref().map(Tokens::read).transpose()?;
        let is_local = access.listen.ip().is_loopback();
        if !is_local && tokens.is_none() && access.proxy == Proxy::Absent {
            return Err(AccessError::Open(access.listen));
        }
        let ip = access.listen.ip();
        let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
        hosts.push(if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() });
        hosts.extend(access.hosts.iter().map(|host| host.to_ascii_lowercase()));
        Ok(Self { hosts, tokens, proxy: access.proxy, clients: Mutex::default() })
    }

    /// Checks the name by which the service is asked. A page of another site whose name leads to
    /// this address (DNS rebinding) has another one.
    ///
    /// # Errors
    /// A [`Problem`] for another name.
    pub fn check_host(&self, host: Option<&str>) -> Result<(), Problem> {
        let authority = host.and_then(|host| host.parse::<Authority>().ok());
        let name =
            authority.as_ref().map(|of| of.host().trim_end_matches('.').to_ascii_lowercase());
        if name.is_some_and(|name| self.hosts.contains(&name)) {
            return Ok(());
        }
        let shown = host.unwrap_or("none").to_owned();
        let detail = format!("the service has no name \"{shown}\"; start it with --host NAME");
        Err(Problem::new("wrong_host", detail))
    }

    /// Refuses requests that change something from pages of other sites.
    ///
    /// # Errors
    /// A [`Problem`] for a request of another site.
    pub fn check_origin(
        method: &Method,
        headers: &HeaderMap,
        host: Option<&str>,
    ) -> Result<(), Problem> {
        if method.is_safe() {
            return Ok(());
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_own = match (text("sec-fetch-site"), text("origin")) {
            (Some(site), _) => ["same-origin", "none"].contains(&site),
            (None, Some(origin)) => {
                let of = origin.split_once("://").map(|(_, of)| of);
                of.is_some() && of == host
            }
            // A program, not a browser.
            (None, None) => true,
        };
        if is_own {
            return Ok(());
        }
        Err(Problem::new("cross_site", "a page of another site cannot change anything here"))
    }

    /// The role of a request.
    #[must_use]
    pub fn role(&self, headers: &HeaderMap) -> Role {
        let Some(tokens) = &self.tokens else { return Role::Analyst };
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Role::Nobody };
        let token = value.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        match token {
            Some(token) if tokens.has(token) => Role::Analyst,
            _ => Role::Nobody,
        }
    }

    /// Checks that requests may change something: that tokens decide who asks.
    ///
    /// # Errors
    /// A [`Problem`] for a service without tokens.
    pub fn may_change(&self) -> Result<(), Problem> {
        if self.tokens.is_some() {
            return Ok(());
        }
        let detail = "a change needs a token: start the service with --token-file FILE";
        Err(Problem::new("unauthorized", detail))
    }

    /// The address of the client: behind a proxy, the last one that the proxy names.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if self.proxy == Proxy::Absent {
            return peer;
        }
        let mut forwarded = headers.get_all("x-forwarded-for").iter();
        let last = forwarded.next_back().and_then(|value| value.to_str().ok());
        let last = last.and_then(|text| text.rsplit(',').next()?.trim().parse().ok());
        last.unwrap_or(peer)
    }

    /// Counts a request of a client.
    ///
    /// # Errors
    /// A [`Problem`] if the client asks too often.
    pub fn count(&self, client: IpAddr) -> Result<Rate, Problem> {
        let now = Instant::now();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= CLIENTS_MAX {
            clients.retain(|_, window| now - window.start < WINDOW);
        }
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        let window = clients.entry(client).or_insert(Window { start: now, n: 0 });
        if now - window.start >= WINDOW {
            *window = Window { start: now, n: 0 };
        }
        window.n += 1;
        let seconds = WINDOW.saturating_sub(now - window.start).as_secs() + 1;
        if window.n > REQUESTS_MAX {
            let detail = format!("more than {REQUESTS_MAX} requests in {} s", WINDOW.as_secs());
            return Err(Problem::new("too_many_requests", detail));
        }
        Ok(Rate { left: REQUESTS_MAX - window.n, seconds })
    }
}

/// Headers that every answer has.
const HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];
/// The policy of the page.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";
/// The policy of a report, which has its own styles and nothing else.
pub const REPORT_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
/// The policy of every other answer.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Adds the headers of security and of the rate to an answer.
pub fn secure(headers: &mut HeaderMap, rate: Option<Rate>) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let policy = HeaderValue::from_static(DATA_POLICY);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    if let Some(Rate { left, seconds }) = rate {
        headers.insert("ratelimit-limit", HeaderValue::from(REQUESTS_MAX));
        headers.insert("ratelimit-remaining", HeaderValue::from(left));
        headers.insert("ratelimit-reset", HeaderValue::from(seconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(listen: &str, proxy: Proxy) -> Access {
        let listen = listen.parse().expect("an address");
        Access { listen, token_file: None, proxy, hosts: vec!["Monitor.example".to_owned()] }
    }

    #[test]
    fn an_address_for_other_machines_needs_tokens_or_a_proxy() {
        for local in ["127.0.0.1:0", "[::1]:80", "127.8.8.8:1"] {
            Guard::new(&access(local, Proxy::Absent)).expect(local);
        }
        for open in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80"] {
            let error = Guard::new(&access(open, Proxy::Absent)).expect_err(open);
            assert!(error.to_string().contains("--token-file"), "{error}");
            Guard::new(&access(open, Proxy::InFront)).expect(open);
        }
    }

    #[test]
    fn only_names_of_the_service_are_answered() {
        let guard = Guard::new(&access("127.0.0.1:8080", Proxy::Absent)).expect("local");
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:80", "monitor.example."] {
            guard.check_host(Some(host)).expect(host);
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "a b", "@"] {
            guard.check_host(Some(host)).expect_err(host);
        }
        guard.check_host(None).expect_err("no name");
    }

    #[test]
    fn pages_of_other_sites_change_nothing() {
        let check = |method: &Method, pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            });
            Guard::check_origin(method, &pairs.collect(), Some("localhost:8080")).is_ok()
        };
        assert!(check(&Method::GET, &[("origin", "https://evil.example")]));
        assert!(check(&Method::POST, &[]));
        assert!(check(&Method::POST, &[("sec-fetch-site", "same-origin")]));
        assert!(check(&Method::POST, &[("origin", "http://localhost:8080")]));
        assert!(!check(&Method::POST, &[("origin", "http://localhost:8081")]));
        assert!(!check(&Method::POST, &[("origin", "null")]));
        assert!(!check(&Method::POST, &[("sec-fetch-site", "cross-site")]));
        assert!(!check(&Method::PUT, &[("sec-fetch-site", "same-site")]));
    }

    #[test]
    fn the_address_of_a_client_is_the_one_that_the_proxy_added() {
        let peer: IpAddr = "10.0.0.1".parse().expect("an address");
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("1.1.1.1, 192.0.2.7"));
        let of = |proxy| {
            let guard = Guard::new(&access("127.0.0.1:0", proxy)).expect("local");
            guard.client(peer, &headers).to_string()
        };
        assert_eq!(of(Proxy::Absent), "10.0.0.1");
        assert_eq!(of(Proxy::InFront), "192.0.2.7", "the client itself may have written the rest");
    }
}
