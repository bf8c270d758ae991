//! `server/middleware-manifest.json` and `server/functions-config-manifest.json`: middleware, and what runs at the edge.

use std::collections::HashSet;
use std::path::Path;

use indexmap::IndexMap;
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
struct EdgeFunction {
    #[serde(default)]
    matchers: Vec<Matcher>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MiddlewareManifest {
    middleware: IndexMap<String, EdgeFunction>,
    functions: IndexMap<String, EdgeFunction>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FunctionsConfigManifest {
    functions: IndexMap<String, FunctionConfig>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FunctionConfig {
    matchers: Option<Vec<Matcher>>,
}

/// Reads both manifests; each may be absent. The app's middleware is known by when it runs, edge functions by their pages.
pub(super) fn load(server: &Path) -> Result<(Option<Vec<Matcher>>, HashSet<String>)> {
    let mut manifest: MiddlewareManifest = read::json_if_present(&server.join("middleware-manifest.json"))?;
    let mut config: FunctionsConfigManifest = read::json_if_present(&server.join("functions-config-manifest.json"))?;
    let at_the_edge = manifest.middleware.shift_remove("/").map(|function| function.matchers);
    let in_node = || {
        let function = config.functions.shift_remove("/_middleware")?;
        // Without matchers it runs for every request.
        Some(function.matchers.unwrap_or_else(|| {
            vec![Matcher {
                regexp: ".*".to_owned(),
                conditions: Conditions::default(),
            }]
        }))
    };
    let matchers = at_the_edge.or_else(in_node);
    Ok((matchers, manifest.functions.into_keys().collect()))
}
