//! `prerender-manifest.json`, version 4: what was prerendered and how long it lives. Of its fields only those that the server
//! reads.

use indexmap::IndexMap;
use serde::de::{self, Deserializer};
use serde::Deserialize;

use super::preview::Preview;

/// What was prerendered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrerenderManifest {
    /// Concrete paths.
    pub routes: IndexMap<String, PrerenderRoute>,
    /// Pages with parameters.
    pub dynamic_routes: IndexMap<String, PrerenderDynamicRoute>,
    /// The preview secret, used by versions without `preview-props.json`.
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

/// How much of a page was rendered ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum RenderingMode {
    /// A shell; the rest is rendered per request.
    #[serde(rename = "PARTIALLY_STATIC")]
    PartiallyStatic,
    /// All of it.
    #[serde(other)]
    Static,
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
    /// The page this path belongs to; `null` for a Pages Router page without parameters.
    #[serde(default)]
    pub src_route: Option<String>,
    /// The URL of its data.
    #[serde(default)]
    pub data_route: Option<String>,
    /// How much of it was rendered; absent is all.
    #[serde(default)]
    pub rendering_mode: Option<RenderingMode>,
}

/// A page with parameters of which some paths were prerendered.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrerenderDynamicRoute {
    /// How much of it was rendered; absent is all.
    #[serde(default)]
    pub rendering_mode: Option<RenderingMode>,
}
