//! `prerender-manifest.json`, version 4: what was prerendered and how long it lives.

use indexmap::IndexMap;
use serde::de::{self, Deserializer};
use serde::Deserialize;

use super::preview::Preview;
use super::routes::Condition;

/// What was prerendered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrerenderManifest {
    /// Format version.
    #[serde(default)]
    pub version: u32,
    /// Concrete paths.
    pub routes: IndexMap<String, PrerenderRoute>,
    /// Pages with parameters.
    pub dynamic_routes: IndexMap<String, PrerenderDynamicRoute>,
    /// Paths whose page answered `notFound` at build time.
    #[serde(default)]
    pub not_found_routes: Vec<String>,
    /// The preview secrets, used by versions without `preview-props.json`.
    #[serde(default)]
    pub preview: Preview,
}

/// Seconds until an entry is stale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Revalidate {
    /// Never by time (`false`).
    Never,
    /// After this many seconds.
    After(f64),
}

impl Revalidate {
    /// Seconds until stale, `None` for never.
    pub fn seconds(self) -> Option<f64> {
        match self {
            Revalidate::Never => None,
            Revalidate::After(seconds) => Some(seconds),
        }
    }
}

impl<'de> Deserialize<'de> for Revalidate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Bool(false) => Ok(Revalidate::Never),
            serde_json::Value::Number(number) => number
                .as_f64()
                .map(Revalidate::After)
                .ok_or_else(|| de::Error::custom("not a finite number")),
            other => Err(de::Error::custom(format_args!(
                "expected a number or false, found {other}"
            ))),
        }
    }
}

/// What happens for a path that was not prerendered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fallback {
    /// `false`: the path does not exist.
    NotFound,
    /// `null`: render and wait.
    #[default]
    Blocking,
    /// A path: serve this shell, render behind it.
    Shell(String),
}

impl<'de> Deserialize<'de> for Fallback {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Bool(false) => Ok(Fallback::NotFound),
            serde_json::Value::Null => Ok(Fallback::Blocking),
            serde_json::Value::String(path) => Ok(Fallback::Shell(path)),
            other => Err(de::Error::custom(format_args!(
                "expected a path, null or false, found {other}"
            ))),
        }
    }
}

/// One concrete prerendered path.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrerenderRoute {
    /// Seconds until stale.
    pub initial_revalidate_seconds: Revalidate,
    /// Seconds until expired.
    #[serde(default)]
    pub initial_expire_seconds: Option<f64>,
    /// The status, when not 200.
    #[serde(default)]
    pub initial_status: Option<u16>,
    /// Headers of the answer; a value is text or a list of texts.
    #[serde(default)]
    pub initial_headers: IndexMap<String, serde_json::Value>,
    /// The page this path belongs to; `null` for a Pages Router page without parameters.
    #[serde(default)]
    pub src_route: Option<String>,
    /// The URL of its data.
    #[serde(default)]
    pub data_route: Option<String>,
    /// The URL of its prefetch data.
    #[serde(default)]
    pub prefetch_data_route: Option<String>,
    /// `STATIC` or `PARTIALLY_STATIC`.
    #[serde(default)]
    pub rendering_mode: Option<String>,
    /// Requests that a platform must not answer from cache.
    #[serde(default)]
    pub experimental_bypass_for: Option<Vec<Condition>>,
    /// Request headers that a revalidation may see.
    #[serde(default)]
    pub allow_header: Vec<String>,
    /// `page` or `route` (16.4).
    #[serde(default)]
    pub route_type: Option<String>,
    /// `complete` or `shell` (16.4).
    #[serde(default)]
    pub response: Option<String>,
    /// `static` or `revalidating` (16.4).
    #[serde(default)]
    pub compute: Option<String>,
}

/// A page with parameters of which some paths were prerendered.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrerenderDynamicRoute {
    /// A JavaScript regular expression for the path.
    #[serde(default)]
    pub route_regex: String,
    /// The URL of its data, with parameters.
    #[serde(default)]
    pub data_route: Option<String>,
    /// A JavaScript regular expression for the data URL.
    #[serde(default)]
    pub data_route_regex: Option<String>,
    /// What happens for other paths.
    #[serde(default)]
    pub fallback: Fallback,
    /// Seconds until the fallback shell is stale.
    #[serde(default)]
    pub fallback_revalidate: Option<Revalidate>,
    /// Seconds until the fallback shell expired.
    #[serde(default)]
    pub fallback_expire: Option<f64>,
    /// The status of the fallback shell.
    #[serde(default)]
    pub fallback_status: Option<u16>,
    /// Headers of the fallback shell.
    #[serde(default)]
    pub fallback_headers: IndexMap<String, serde_json::Value>,
    /// Parameters that the fallback shell leaves open.
    #[serde(default)]
    pub fallback_route_params: Option<serde_json::Value>,
    /// Parameters of the root layout that the fallback shell leaves open.
    #[serde(default)]
    pub fallback_root_params: Option<serde_json::Value>,
    /// The page a more concrete fallback shell belongs to.
    #[serde(default)]
    pub fallback_source_route: Option<String>,
    /// `STATIC` or `PARTIALLY_STATIC`.
    #[serde(default)]
    pub rendering_mode: Option<String>,
    /// Requests that a platform must not answer from cache.
    #[serde(default)]
    pub experimental_bypass_for: Option<Vec<Condition>>,
    /// Request headers that a revalidation may see.
    #[serde(default)]
    pub allow_header: Vec<String>,
}
