//! `server/middleware-manifest.json` and `server/functions-config-manifest.json`: middleware, and what runs at the edge.

use std::path::Path;

use indexmap::IndexMap;
use serde::Deserialize;

use super::read;
use super::routes::Conditions;
use crate::error::Result;

/// When middleware runs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Matcher {
    /// A JavaScript regular expression for the path, with basePath, locale and data forms already in it.
    pub regexp: String,
    /// The matcher as the team wrote it.
    #[serde(default)]
    pub original_source: String,
    /// What else must be true.
    #[serde(flatten, deserialize_with = "read::named")]
    pub conditions: Conditions,
}

/// A file that the edge sandbox makes available to a bundle.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// The name in the sandbox.
    pub name: String,
    /// The path, relative to the build folder.
    pub file_path: String,
}

/// A bundle for the edge sandbox.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EdgeFunction {
    /// The scripts, relative to the build folder, in order of evaluation.
    #[serde(default)]
    pub files: Vec<String>,
    /// The name in `_ENTRIES`.
    #[serde(default)]
    pub name: String,
    /// The page.
    #[serde(default)]
    pub page: String,
    /// When it runs.
    #[serde(default)]
    pub matchers: Vec<Matcher>,
    /// WebAssembly modules.
    #[serde(default)]
    pub wasm: Vec<Asset>,
    /// Other files.
    #[serde(default)]
    pub assets: Vec<Asset>,
    /// Environment variables.
    #[serde(default)]
    pub env: IndexMap<String, String>,
    /// The entry file; absent before 16.
    #[serde(default)]
    pub entrypoint: Option<String>,
}

/// The middleware of the app.
#[derive(Debug, Clone)]
pub enum MiddlewareSource {
    /// Runs in the edge sandbox.
    Edge(Box<EdgeFunction>),
    /// Runs in Node, from `server/middleware.js`.
    Node(Vec<Matcher>),
}

impl MiddlewareSource {
    /// When it runs.
    pub fn matchers(&self) -> &[Matcher] {
        match self {
            MiddlewareSource::Edge(function) => &function.matchers,
            MiddlewareSource::Node(matchers) => matchers,
        }
    }
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

/// Reads both manifests; each may be absent.
pub(super) fn load(server: &Path) -> Result<(Option<MiddlewareSource>, IndexMap<String, EdgeFunction>)> {
    let mut manifest: MiddlewareManifest = read::json_if_present(&server.join("middleware-manifest.json"))?;
    let mut config: FunctionsConfigManifest = read::json_if_present(&server.join("functions-config-manifest.json"))?;
    let source = match manifest.middleware.shift_remove("/") {
        Some(function) => Some(MiddlewareSource::Edge(Box::new(function))),
        None => config.functions.shift_remove("/_middleware").map(|function| {
            // Without matchers it runs for every request.
            MiddlewareSource::Node(function.matchers.unwrap_or_else(|| {
                vec![Matcher {
                    regexp: ".*".to_owned(),
                    original_source: "/:path*".to_owned(),
                    conditions: Conditions::default(),
                }]
            }))
        }),
    };
    Ok((source, manifest.functions))
}
