//! Partially prerendered routes: which shell a request gets, and whether it gets one at all.
//!
//! In: what the build says of a route, and the request. Out: where the shell is kept, or that only the compiled entry knows.
//! Upstream: the first half of `next/dist/build/templates/app-page-runtime.js` (`shellCacheKey`, `ssgCacheKey`,
//! `shouldForceDynamicPPRRender`).

use std::collections::{HashMap, HashSet};

use super::pattern::JsRegex;
use crate::build::{Build, Fallback, PrerenderDynamicRoute, RenderingMode};
use crate::config::NextConfig;
use crate::request::Request;

/// The partially prerendered routes of a build.
#[derive(Debug, Default)]
pub(super) struct PartialRoutes {
    /// By route; absent is a route that is prerendered as a whole or not at all.
    routes: HashMap<String, Shells>,
    /// Clients whose HTML must be complete before its head closes: they get no shell. `None` when no client gets one.
    limited_bots: Option<JsRegex>,
    /// Whether a cookie makes the entry answer with nothing but a shell.
    has_testing_api: bool,
}

/// Where the shells of a route are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shells {
    /// Every path has one of its own; a path without one gets this, if there is any.
    Own(Option<String>),
    /// All paths share this one.
    Shared(String),
    /// A path gets one of its own after its first request: until then the entry sends what paths share, and completes it.
    Completed,
    /// The entry works it out: shells that are completed step by step.
    Unknown,
}

/// The cookie of the testing API (`NEXT_INSTANT_TEST_COOKIE`).
const TESTING_COOKIE: &str = "next-instant-navigation-testing=";

impl PartialRoutes {
    /// Compiles what the build says.
    pub fn compile(build: &Build, config: &NextConfig) -> Self {
        if !config.cache_components {
            return PartialRoutes::default();
        }
        let is_partial = |mode: Option<RenderingMode>| mode == Some(RenderingMode::PartiallyStatic);
        let manifest = &build.prerender;
        let plain = manifest
            .routes
            .iter()
            .filter(|(_, route)| is_partial(route.rendering_mode));
        let plain =
            plain.filter(|(path, route)| route.src_route.as_deref().is_none_or(|source| source == path.as_str()));
        let mut routes: HashMap<String, Shells> = plain.map(|(path, _)| (path.clone(), Shells::Own(None))).collect();
        // A route whose shells are known at several depths has several lines.
        let mut sources = HashSet::new();
        for (line, route) in &manifest.dynamic_routes {
            let source = route.fallback_source_route.as_ref().unwrap_or(line);
            let shells = match sources.insert(source) && source == line {
                true => shells_of(route, config.partial_prefetching),
                false => Shells::Unknown,
            };
            if is_partial(route.rendering_mode) || routes.contains_key(source) {
                routes.insert(source.clone(), shells);
            }
        }
        let bots = config
            .html_limited_bots
            .as_deref()
            .filter(|_| build.capabilities.resumable);
        PartialRoutes {
            routes,
            limited_bots: bots.and_then(|pattern| JsRegex::compile(pattern, true).ok()),
            has_testing_api: config.experimental.expose_testing_api_in_production_build,
        }
    }

    /// Where the shells of a route are kept; `None` when it has none.
    pub fn shells(&self, route: &str) -> Option<&Shells> {
        self.routes.get(route)
    }

    /// Whether the request may be answered from a shell.
    pub fn may_have_shell(&self, request: &Request) -> bool {
        let Some(limited_bots) = &self.limited_bots else {
            return false;
        };
        let agent = request.headers.get("user-agent").unwrap_or_default();
        let is_tested = self.has_testing_api
            && request
                .headers
                .all("cookie")
                .any(|cookies| cookies.contains(TESTING_COOKIE));
        // A text that is too long to say is left to the entry.
        !is_tested && (agent.is_empty() || limited_bots.is_match(agent) == Ok(false))
    }
}

fn shells_of(route: &PrerenderDynamicRoute, partial_prefetching: bool) -> Shells {
    let open = route.fallback_route_params.iter();
    let is_shared = open
        .filter(|param| !route.remaining_prerenderable_params.contains(param))
        .count()
        > 0;
    match (&route.fallback, is_shared) {
        (Fallback::Path(path), true) if route.remaining_prerenderable_params.is_empty() => Shells::Shared(path.clone()),
        (_, true) => Shells::Unknown,
        (Fallback::Path(_) | Fallback::Blocking, false)
            if partial_prefetching && !route.fallback_route_params.is_empty() =>
        {
            Shells::Completed
        }
        (Fallback::Path(path), false) => Shells::Own(Some(path.clone())),
        (Fallback::Blocking | Fallback::Closed, false) => Shells::Own(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(json: &str) -> PrerenderDynamicRoute {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn shells_follow_the_params_that_the_build_left_open() {
        // From builds of 16.4.6: without partial prefetching, and with it.
        let table = [
            (
                r#"{"fallback":null,"remainingPrerenderableParams":[{"paramName":"slug"}],"fallbackRouteParams":[{"paramName":"slug"}]}"#,
                Shells::Own(None),
                Shells::Completed,
            ),
            (
                r#"{"fallback":"/open/[slug]","fallbackRouteParams":[{"paramName":"slug"}]}"#,
                Shells::Shared("/open/[slug]".to_owned()),
                Shells::Shared("/open/[slug]".to_owned()),
            ),
            (
                r#"{"fallback":"/a/[b]","remainingPrerenderableParams":[{"paramName":"b"}],"fallbackRouteParams":[{"paramName":"b"}]}"#,
                Shells::Own(Some("/a/[b]".to_owned())),
                Shells::Completed,
            ),
            (
                r#"{"fallback":"/[a]/[b]","remainingPrerenderableParams":[{"paramName":"a"}],"fallbackRouteParams":[{"paramName":"a"},{"paramName":"b"}]}"#,
                Shells::Unknown,
                Shells::Unknown,
            ),
            (r#"{"fallback":false}"#, Shells::Own(None), Shells::Own(None)),
        ];
        for (json, without, with) in table {
            assert_eq!(shells_of(&route(json), false), without, "{json}");
            assert_eq!(shells_of(&route(json), true), with, "{json}");
        }
    }
}
