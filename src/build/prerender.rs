//! `prerender-manifest.json`, version 4: what was prerendered and how long it lives. Of its fields only those that the server
//! reads.

use std::borrow::Cow;

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

/// One concrete prerendered path. There may be very many of them.
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
    pub src_route: Option<Box<str>>,
    /// What kind of route it is.
    #[serde(default, rename = "dataRoute")]
    pub router: RouteOwner,
    /// Whether the payload of the whole page was prerendered, so that a navigation need not render it.
    #[serde(default, rename = "prefetchDataRoute", deserialize_with = "present")]
    pub has_payload: bool,
    /// How much of it was rendered; absent is all.
    #[serde(default)]
    pub rendering_mode: Option<RenderingMode>,
}

/// What kind of route a prerendered path belongs to, as the URL of its data shows
/// (`isRouteCacheOwner` in `next/dist/server/lib/route-cache-key.js`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RouteOwner {
    /// A route handler, which has no data.
    #[default]
    AppRoute,
    /// A page of the App Router: `.rsc`.
    AppPage,
    /// A page of the Pages Router: `.json`.
    Pages,
    /// Something that this version does not know.
    Unknown,
}

impl<'de> Deserialize<'de> for RouteOwner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let data: Option<Cow<'de, str>> = Option::deserialize(deserializer)?;
        Ok(match data.as_deref() {
            None => RouteOwner::AppRoute,
            Some(data) if data.ends_with(".json") => RouteOwner::Pages,
            Some(data) if data.ends_with(".rsc") => RouteOwner::AppPage,
            Some(_) => RouteOwner::Unknown,
        })
    }
}

/// A page with parameters of which some paths were prerendered.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrerenderDynamicRoute {
    /// What paths get that were not prerendered.
    pub fallback: Fallback,
    /// Seconds until its fallback is stale, where it has one that can be.
    #[serde(default)]
    pub fallback_revalidate: Option<Revalidate>,
    /// Seconds until its fallback is expired.
    #[serde(default)]
    pub fallback_expire: Option<f64>,
    /// How much of it was rendered; absent is all.
    #[serde(default)]
    pub rendering_mode: Option<RenderingMode>,
    /// The route whose parameters this line has filled in a part of.
    #[serde(default)]
    pub fallback_source_route: Option<String>,
    /// The parameters that the fallback leaves open.
    #[serde(default, deserialize_with = "list")]
    pub fallback_route_params: Vec<RouteParam>,
    /// Those of them that a later render may fill in for good.
    #[serde(default, deserialize_with = "list")]
    pub remaining_prerenderable_params: Vec<RouteParam>,
}

/// A parameter of a route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteParam {
    /// Its name.
    pub param_name: String,
}

/// What paths get that were not prerendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing (`false`): they do not exist.
    Closed,
    /// They are rendered when they are first asked for (`null`).
    Blocking,
    /// A document or shell that was prerendered under this path.
    Path(String),
}

impl<'de> Deserialize<'de> for Fallback {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Bool(false) => Ok(Fallback::Closed),
            serde_json::Value::Null => Ok(Fallback::Blocking),
            serde_json::Value::String(path) => Ok(Fallback::Path(path)),
            other => Err(de::Error::custom(format_args!(
                "expected false, null or a path, found {other}"
            ))),
        }
    }
}

/// `null` is an empty list.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RouteParam>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Whether there is anything.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let found: Option<de::IgnoredAny> = Option::deserialize(deserializer)?;
    Ok(found.is_some())
}
