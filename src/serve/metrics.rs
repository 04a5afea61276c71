//! Metrics in the format of `OpenMetrics`. No label has an identifier from the data.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::edition::Edition;
use crate::alerts::status::AlertStatus;

/// The media type of `OpenMetrics`.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper limits of durations, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// A route and the class of a status, such as 2 for 200.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Labels {
    route: &'static str,
    status: u16,
}

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        use prometheus_client::encoding::EncodeLabel as _;
        ("route", self.route).encode(encoder.encode_label())?;
        ("status", self.status.to_string()).encode(encoder.encode_label())
    }
}

/// The metrics of the service.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter<u64, AtomicU64>>,
    seconds: Histogram,
    computed: Counter<u64, AtomicU64>,
    connections: Arc<Gauge<i64, AtomicI64>>,
    streams: Gauge<i64, AtomicI64>,
    streams_dropped: Gauge<i64, AtomicI64>,
    publication: Gauge<i64, AtomicI64>,
    vintage: Gauge<i64, AtomicI64>,
    is_ready: Gauge<i64, AtomicI64>,
    alerts: Gauge<i64, AtomicI64>,
    alerts_unacknowledged: Gauge<i64, AtomicI64>,
    alerts_undelivered: Gauge<i64, AtomicI64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("spillover");
        let metrics = Self {
            requests: Family::default(),
            seconds: Histogram::new(SECONDS),
            computed: Counter::default(),
            connections: Arc::default(),
            streams: Gauge::default(),
            streams_dropped: Gauge::default(),
            publication: Gauge::default(),
            vintage: Gauge::default(),
            is_ready: Gauge::default(),
            alerts: Gauge::default(),
            alerts_unacknowledged: Gauge::default(),
            alerts_undelivered: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests by route and status", metrics.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time until the head of an answer",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        let (name, about) = ("answers_computed", "Answers that were computed, not held");
        registry.register(name, about, metrics.computed.clone());
        let connections = Gauge::clone(&metrics.connections);
        registry.register("connections", "Open connections", connections);
        registry.register("event_streams", "Open event streams", metrics.streams.clone());
        registry.register(
            "event_streams_dropped",
            "Event streams ended because their client did not read",
            metrics.streams_dropped.clone(),
        );
        registry.register("publication", "The publication served", metrics.publication.clone());
        registry.register("vintage", "The newest vintage served", metrics.vintage.clone());
        registry.register("ready", "1 if the home can be read", metrics.is_ready.clone());
        for (name, about, gauge) in [
            ("alerts", "Alerts that have not ended", &metrics.alerts),
            ("alerts_unacknowledged", "Those nobody acknowledged", &metrics.alerts_unacknowledged),
            ("alerts_undelivered", "Alerts that wait for a sink", &metrics.alerts_undelivered),
        ] {
            registry.register(name, about, gauge.clone());
        }
        Self { registry, ..metrics }
    }
}

/// A connection that is counted while it is open.
#[derive(Debug)]
pub struct Connected(Arc<Gauge<i64, AtomicI64>>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Counts an answered request.
    pub fn request(&self, route: &'static str, status: u16, time: Duration) {
        self.requests.get_or_create(&Labels { route, status }).inc();
        self.seconds.observe(time.as_secs_f64());
    }

    /// Counts an answer that a reader computes.
    pub fn computed(&self) {
        self.computed.inc();
    }

    /// Counts a connection until the value is dropped.
    #[must_use]
    pub fn connection(&self) -> Connected {
        self.connections.inc();
        Connected(Arc::clone(&self.connections))
    }

    /// All metrics as text.
    ///
    /// # Errors
    /// An error of the encoder: a defect.
    pub fn text(
        &self,
        edition: Option<&Edition>,
        ((n_streams, n_dropped), alerts): ((usize, u64), Option<&AlertStatus>),
    ) -> Result<String, std::fmt::Error> {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.streams.set(number(n_streams as u64));
        self.streams_dropped.set(number(n_dropped));
        self.is_ready.set(i64::from(edition.is_some()));
        self.publication.set(edition.map_or(0, |of| of.publication.into()));
        self.vintage.set(edition.map_or(0, |of| of.vintage.into()));
        let of_alerts = |of: fn(&AlertStatus) -> u32| alerts.map_or(0, of).into();
        self.alerts.set(of_alerts(|of| of.raised));
        self.alerts_unacknowledged.set(of_alerts(|of| of.unacknowledged));
        let undelivered = |of: &AlertStatus| of.sinks.iter().map(|sink| sink.undelivered).sum();
        self.alerts_undelivered.set(of_alerts(undelivered));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
