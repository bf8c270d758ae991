//! `server/middleware-manifest.json` and `server/functions-config-manifest.json`: middleware, and what runs at the edge.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::de::IgnoredAny;
use serde::Deserialize;

use super::read;
use super::routes::Conditions;
use crate::error::Result;

/// When middleware runs.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Matcher {
    /// A JavaScript regular expression for the path, with basePath, locale and data forms already in it.
    pub regexp: String,
    /// What else must be true.
    #[serde(flatten, deserialize_with = "read::named")]
    pub conditions: Conditions,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MiddlewareManifest {
    middleware: HashMap<String, Function>,
    functions: HashMap<String, IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FunctionsConfigManifest {
    functions: HashMap<String, Function>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Function {
    matchers: Option<Vec<Matcher>>,
}

/// Reads both manifests; each may be absent. The app's middleware is known by when it runs, edge functions by their pages.
pub(super) fn load(server: &Path) -> Result<(Option<Vec<Matcher>>, HashSet<String>)> {
    let mut manifest: MiddlewareManifest = read::json_if_present(&server.join("middleware-manifest.json"))?;
    let mut config: FunctionsConfigManifest = read::json_if_present(&server.join("functions-config-manifest.json"))?;
    let matchers = match manifest.middleware.remove("/") {
        Some(at_the_edge) => Some(at_the_edge.matchers.unwrap_or_default()),
        None => config.functions.remove("/_middleware").map(|in_node| {
            // Without matchers it runs for every request.
            in_node.matchers.unwrap_or_else(|| {
                vec![Matcher {
                    regexp: ".*".to_owned(),
                    conditions: Conditions::default(),
                }]
            })
        }),
    };
    Ok((matchers, manifest.functions.into_keys().collect()))
}
