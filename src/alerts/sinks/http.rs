//! Requests to sinks. No error names an address: it may hold a secret.

use std::sync::Arc;
use std::time::Duration;

use ring::hmac;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Error};

use super::message::Sent;

/// The longest time of a request.
const TIME_MAX: Duration = Duration::from_secs(10);
/// The most bytes of an answer that are read.
const ANSWER_MAX: u64 = 64 << 10;
/// The longest wait that a sink can ask for.
const WAIT_MAX: Duration = Duration::from_hours(1);
/// The wait after a refusal without a number of seconds.
const WAIT: Duration = Duration::from_mins(1);

/// The reason why requests cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The system has no certificates.
    #[error("the system has no certificates of authorities; install ca-certificates")]
    NoCertificates,
    /// The address is none.
    #[error("the address of the sink is none; write https://HOST/PATH without user and password")]
    NoAddress,
    /// The address is not private.
    #[error("the address of the sink begins with http://, which others can read; write https://")]
    NotPrivate,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The address.
    pub url: String,
    /// Headers besides the type.
    pub headers: Vec<(&'static str, String)>,
    /// The body, JSON.
    pub body: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The wait that the header `Retry-After` asks for.
    pub wait: Option<Duration>,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

/// Checks an address: `https`, or `http` on this machine.
///
/// # Errors
/// [`HttpError`] for another one.
pub fn checked(url: &str) -> Result<(), HttpError> {
    let uri: ureq::http::Uri = url.parse().map_err(|_| HttpError::NoAddress)?;
    let host = uri.host().unwrap_or_default();
    let has_user = uri.authority().is_some_and(|of| of.as_str().contains('@'));
    if host.is_empty() || has_user {
        return Err(HttpError::NoAddress);
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if ["127.0.0.1", "localhost", "[::1]"].contains(&host) => Ok(()),
        Some("http") => Err(HttpError::NotPrivate),
        _ => Err(HttpError::NoAddress),
    }
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
}

impl Client {
    /// A client with the certificates of the system.
    ///
    /// # Errors
    /// [`HttpError::NoCertificates`] if the system has none.
    pub fn new() -> Result<Self, HttpError> {
        let found = rustls_native_certs::load_native_certs().certs;
        let roots: Vec<Certificate<'static>> =
            found.iter().map(|of| Certificate::from_der(of.as_ref()).to_owned()).collect();
        if roots.is_empty() {
            return Err(HttpError::NoCertificates);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .build();
        let config = Agent::config_builder()
            .timeout_global(Some(TIME_MAX))
            .http_status_as_error(false)
            // Another address would get the signature.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .user_agent(concat!("spillover/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Ok(Self { agent: config.new_agent() })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// The reason in words, without the address.
    pub fn post(&self, request: &Request) -> Result<Answer, String> {
        let mut post = self.agent.post(&request.url);
        post = post.header("content-type", "application/json; charset=utf-8");
        for (name, value) in &request.headers {
            post = post.header(*name, value);
        }
        let mut answer = post.send(request.body.as_bytes()).map_err(|error| reason(&error))?;
        let wait = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let wait = wait.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec();
        Ok(Answer { status, wait, body: body.map_err(|error| reason(&error))? })
    }
}

/// The result of a status; `None` for success.
#[must_use]
pub fn failed(answer: &Answer) -> Option<Sent> {
    let status = answer.status;
    match status {
        200..=299 => None,
        429 | 503 => {
            let wait = answer.wait.unwrap_or(WAIT).min(WAIT_MAX);
            Some(Sent::Throttled { wait, why: format!("the sink answered with status {status}") })
        }
        _ => Some(Sent::Failed(format!("the sink answered with status {status}"))),
    }
}

/// The reason of a failure, without the address.
fn reason(error: &Error) -> String {
    match error {
        Error::Timeout(_) => format!("the sink did not answer within {} s", TIME_MAX.as_secs()),
        Error::HostNotFound => "the host of the sink is unknown".to_owned(),
        Error::ConnectionFailed => "the sink refuses connections".to_owned(),
        Error::Io(error) => format!("the connection to the sink failed: {}", error.kind()),
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => {
            "the certificate of the sink cannot be verified".to_owned()
        }
        Error::BodyExceedsLimit(_) => "the answer of the sink is too long".to_owned(),
        _ => "the request to the sink failed".to_owned(),
    }
}

/// The HMAC with SHA-256.
#[must_use]
pub fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_private_or_of_this_machine() {
        for url in ["https://a.example/x?key=1", "http://127.0.0.1:8/", "http://localhost/"] {
            checked(url).expect(url);
        }
        for url in ["http://a.example/", "ftp://a.example/", "a.example", "", "https://", "/x"] {
            checked(url).expect_err(url);
        }
        assert!(matches!(checked("https://user:password@a.example/"), Err(HttpError::NoAddress)));
    }

    #[test]
    fn the_hmac_is_that_of_rfc_4231() {
        let hex =
            |bytes: Vec<u8>| bytes.iter().fold(String::new(), |text, b| format!("{text}{b:02x}"));
        let found = hex(hmac_sha256(b"Jefe", b"what do ya want for nothing?"));
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(found, expected);
    }
}
