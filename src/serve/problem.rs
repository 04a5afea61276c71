//! Errors of the API as `application/problem+json`, each with a stable code.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::effect::EffectError;
use crate::engine::with_causes;
use crate::reader::ReaderError;
use crate::reader::explain::ExplainError;
use crate::reader::names::NameError;
use crate::regressions::RegressionError;
use crate::spans::SpanError;
use crate::tables::export::ExportError;

/// The kinds of problems: code, status and title. The codes do not change.
pub const KINDS: [(&str, StatusCode, &str); 26] = [
    ("bad_request", StatusCode::BAD_REQUEST, "The request cannot be read"),
    ("unknown_parameter", StatusCode::BAD_REQUEST, "The address has an unknown parameter"),
    ("bad_parameter", StatusCode::BAD_REQUEST, "A parameter has a bad value"),
    ("several_places", StatusCode::BAD_REQUEST, "A name has several codes"),
    ("unauthorized", StatusCode::UNAUTHORIZED, "The request needs a token"),
    ("cross_site", StatusCode::FORBIDDEN, "Another site sent the request"),
    ("not_found", StatusCode::NOT_FOUND, "There is nothing at this address"),
    ("no_vintage", StatusCode::NOT_FOUND, "There is no such vintage"),
    ("no_year", StatusCode::NOT_FOUND, "There is no such year or month"),
    ("no_place", StatusCode::NOT_FOUND, "There is no such place or firm"),
    ("no_row", StatusCode::NOT_FOUND, "There is no such row"),
    ("no_estimate", StatusCode::NOT_FOUND, "There is no such estimate"),
    ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "The address does not know the method"),
    ("not_acceptable", StatusCode::NOT_ACCEPTABLE, "There is no such format"),
    ("inside_batch", StatusCode::CONFLICT, "The vintage is not stored"),
    ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, "A request has no body"),
    ("address_too_long", StatusCode::URI_TOO_LONG, "The address is too long"),
    ("headers_too_large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large"),
    ("wrong_host", StatusCode::MISDIRECTED_REQUEST, "The service has another name"),
    ("too_many_rows", StatusCode::UNPROCESSABLE_ENTITY, "The answer is too large"),
    ("too_many_requests", StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
    ("defect", StatusCode::INTERNAL_SERVER_ERROR, "The service failed"),
    ("home_unreadable", StatusCode::SERVICE_UNAVAILABLE, "The home cannot be read"),
    ("no_picture", StatusCode::NOT_IMPLEMENTED, "The service cannot draw pictures"),
    ("held", StatusCode::SERVICE_UNAVAILABLE, "The publication is held until its release"),
    ("busy", StatusCode::SERVICE_UNAVAILABLE, "The service is busy"),
];

/// A failed request.
#[derive(Clone, Debug)]
pub struct Problem {
    code: &'static str,
    detail: Cow<'static, str>,
    members: Map<String, Value>,
}

impl Problem {
    /// A problem of a kind.
    ///
    /// # Panics
    /// If the list of kinds does not have the code.
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        assert!(KINDS.iter().any(|(of, ..)| *of == code), "no kind of problem has the code {code}");
        Self { code, detail: detail.into(), members: Map::new() }
    }

    /// The problem of a parameter.
    #[must_use]
    pub fn parameter(name: &str, detail: impl std::fmt::Display) -> Self {
        Self::new("bad_parameter", format!("{name}: {detail}")).with("parameter", name)
    }

    /// The problem with a further member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    fn kind(&self) -> &'static (&'static str, StatusCode, &'static str) {
        KINDS.iter().find(|(of, ..)| *of == self.code).expect("checked by new")
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self) -> Response<Body> {
        let (code, status, title) = self.kind();
        let mut document = json!({
            "type": format!("urn:spillover:problem:{code}"),
            "title": title,
            "status": status.as_u16(),
            "code": code,
            "detail": self.detail,
        });
        for (name, value) in &self.members {
            document[name] = value.clone();
        }
        let mut answer = Response::new(Body::from(document.to_string()));
        *answer.status_mut() = *status;
        let headers = answer.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match *code {
            "unauthorized" => {
                let scheme = HeaderValue::from_static("Bearer realm=\"spillover\"");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            "method_not_allowed" => {
                let known = self.members.get("methods").and_then(Value::as_str);
                let known = known.and_then(|known| HeaderValue::from_str(known).ok());
                let known = known.unwrap_or(HeaderValue::from_static("GET, HEAD"));
                headers.insert(header::ALLOW, known);
            }
            "busy" | "held" | "home_unreadable" | "too_many_requests" => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        answer
    }
}

/// The problem of a text that is neither a code nor a name.
impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        let detail = error.to_string();
        match error {
            NameError::Several(of) => Self::new("several_places", detail).with("places", of.places),
            NameError::NoPlace(of) => Self::new("no_place", detail).with("similar", of.near),
        }
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        let code = match &error {
            ExportError::NoVintage { .. } => "no_vintage",
            ExportError::NoYear { .. } => "no_year",
            ExportError::NotStored { .. } => "inside_batch",
            _ => "home_unreadable",
        };
        Self::new(code, with_causes(&error))
    }
}

impl From<RegressionError> for Problem {
    fn from(error: RegressionError) -> Self {
        let code = match &error {
            RegressionError::Home(_)
            | RegressionError::Engine(_)
            | RegressionError::Unreadable { .. } => "home_unreadable",
            _ => "no_estimate",
        };
        Self::new(code, with_causes(&error))
    }
}

impl From<EffectError> for Problem {
    fn from(error: EffectError) -> Self {
        let code = match &error {
            EffectError::Home(_) | EffectError::Rows(_) => "home_unreadable",
            EffectError::Span(_) | EffectError::NoMonth => "no_year",
            EffectError::NoEstimate { .. } | EffectError::NoCovariance { .. } => "no_estimate",
            _ => "bad_parameter",
        };
        Self::new(code, with_causes(&error))
    }
}

impl From<ReaderError> for Problem {
    fn from(error: ReaderError) -> Self {
        let detail = with_causes(&error);
        match error {
            ReaderError::InsideBatch(of) => Self::new("inside_batch", detail)
                .with("before", of.before.map(|of| of.0))
                .with("after", of.after.map(|of| of.0)),
            ReaderError::NoVintageThen(_) => Self::new("no_vintage", detail),
            ReaderError::NoColumn(_) | ReaderError::Condition(_) => {
                Self::new("bad_parameter", detail)
            }
            ReaderError::Export(error) | ReaderError::Span(SpanError::Export(error)) => {
                error.into()
            }
            ReaderError::Span(
                SpanError::NotClosed { .. }
                | SpanError::Joint { .. }
                | SpanError::Annual { .. }
                | SpanError::BeforeFeed { .. },
            ) => Self::new("no_year", detail),
            ReaderError::Regression(error) => error.into(),
            ReaderError::Effect(error) => error.into(),
            ReaderError::Explain(ExplainError::Unknown { .. }) => Self::new("no_place", detail),
            ReaderError::Explain(ExplainError::NoRow { .. }) => Self::new("no_row", detail),
            ReaderError::Explain(ExplainError::Export(error)) => error.into(),
            _ => Self::new("home_unreadable", detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_a_problem_has_the_status_of_its_kind() {
        for (at, (code, status, title)) in KINDS.iter().enumerate() {
            assert!(KINDS[at + 1..].iter().all(|(other, ..)| other != code), "{code} twice");
            assert!(status.is_client_error() || status.is_server_error(), "{code}");
            let answer = Problem::new(code, "why").answer();
            assert_eq!(answer.status(), *status);
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
            assert!(!title.is_empty());
        }
    }
}
