//! What this process has answered, for Prometheus.
//!
//! In: one call for each request and each render, from apps that were created with `metrics`. Out: the text of the
//! OpenMetrics format. Worker threads of one process count together.

use std::sync::LazyLock;

use napi_derive::napi;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::engine::JsEngine;
use super::fault::{guarded, to_js};
use crate::error::{Code, Error};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
    cache: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Timed {
    route: String,
    cache: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Rendered {
    route: String,
    /// `request`: a client waits for it. `background`: a stale answer is revalidated.
    cause: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheKind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FastPath {
    path: String,
    state: String,
    /// Why it is off: `app`, `version` or `environment`. Empty when it is on.
    reason: String,
}

/// From a tenth of what an answer from memory takes to the patience of a visitor.
const BUCKETS: [f64; 13] = [
    0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Durations<Timed>,
    renders: Durations<Rendered>,
    in_flight: Gauge,
    entries: Family<CacheKind, Gauge>,
    bytes: Family<CacheKind, Gauge>,
    fast_paths: Family<FastPath, Gauge>,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

impl Metrics {
    fn new() -> Metrics {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let metrics = Metrics {
            registry: Registry::with_prefix("ferronext"),
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            renders: Family::new_with_constructor(histogram),
            in_flight: Gauge::default(),
            entries: Family::default(),
            bytes: Family::default(),
            fast_paths: Family::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Metrics {
        let registry = &mut self.registry;
        registry.register(
            "requests",
            "Requests by route, status and what the cache did",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "From the call of the handler to the end of the answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register_with_unit(
            "render_duration",
            "Time in the compiled entry, by what asked for the render",
            Unit::Seconds,
            self.renders.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Requests that are not answered yet and need more than memory",
            self.in_flight.clone(),
        );
        registry.register("cache_entries", "Pages and files in memory", self.entries.clone());
        registry.register(
            "fast_paths",
            "Compiled entries by whether a fast path around them is taken, and why not",
            self.fast_paths.clone(),
        );
        registry.register_with_unit("cache", "Memory that they take", Unit::Bytes, self.bytes.clone());
        self
    }
}

/// Counts a request that has been answered. `cache` is what `x-nextjs-cache` said, or empty.
#[napi(js_name = "recordRequest")]
pub fn record_request(
    method: String,
    route: String,
    status: u16,
    cache: String,
    seconds: f64,
) -> napi::Result<(), String> {
    guarded(|| {
        let cache = cache_label(&cache);
        METRICS
            .durations
            .get_or_create(&Timed {
                route: route.clone(),
                cache,
            })
            .observe(seconds);
        METRICS
            .requests
            .get_or_create(&Answered {
                method: method_label(&method),
                route,
                status,
                cache,
            })
            .inc();
    })
}

/// Counts a render of a compiled entry.
#[napi(js_name = "recordRender")]
pub fn record_render(route: String, background: bool, seconds: f64) -> napi::Result<(), String> {
    guarded(|| {
        let cause = if background { "background" } else { "request" };
        METRICS
            .renders
            .get_or_create(&Rendered { route, cause })
            .observe(seconds);
    })
}

/// Counts an entry for which a fast path is on or off, or takes it back when it is the other.
#[napi(js_name = "recordFastPath")]
pub fn record_fast_path(path: String, state: String, reason: String, delta: i32) -> napi::Result<(), String> {
    guarded(|| {
        METRICS
            .fast_paths
            .get_or_create(&FastPath { path, state, reason })
            .inc_by(delta.into());
    })
}

/// All metrics in the OpenMetrics text format. The sizes are those of this engine.
#[napi(js_name = "metricsText")]
pub fn metrics_text(engine: &JsEngine) -> napi::Result<String, String> {
    guarded(|| {
        let engine = engine.engine();
        METRICS.in_flight.set(as_gauge(engine.in_flight() as u64));
        for (kind, (entries, bytes)) in ["pages", "files"].into_iter().zip(engine.memory()) {
            METRICS
                .entries
                .get_or_create(&CacheKind { kind })
                .set(as_gauge(entries as u64));
            METRICS.bytes.get_or_create(&CacheKind { kind }).set(as_gauge(bytes));
        }
        let mut text = String::new();
        encode(&mut text, &METRICS.registry).map_err(|error| {
            to_js(Error::new(
                Code::Internal,
                format!("Metrics cannot be written: {error}."),
            ))
        })?;
        Ok(text)
    })?
}

fn as_gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A client may send any text as its method; the label is one of few.
fn method_label(method: &str) -> &'static str {
    match method {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// An app can set the header itself, so the same holds here.
fn cache_label(status: &str) -> &'static str {
    match status {
        "HIT" => "hit",
        "STALE" => "stale",
        "MISS" => "miss",
        "REVALIDATED" => "revalidated",
        "PRERENDER" => "prerender",
        _ => "none",
    }
}
