//! Running a compiled entry.
//!
//! In: the decision to render and what routing found out. Out: a [`Render`], everything the entry has to be told. The entry
//! is JavaScript that the team wrote; who serves the engine runs it (`runtime/entry/render.js` under Node) and comes back with
//! `NoFallback`, an error, or nothing at all because the entry has answered.
//! Contract: the adapter documentation of Next.js (`handler(req, res, { waitUntil, requestMeta })`).

use crate::http::headers::HeaderList;
use crate::route::{OutputKind, Overlay, Params};
use crate::url::Query;

/// Everything a compiled entry has to be told.
#[derive(Debug, Clone)]
pub struct Render {
    /// The compiled file below the build folder, for instance `server/app/page.js`.
    pub file: String,
    /// What kind of entry it is.
    pub kind: OutputKind,
    /// Whether it runs in the edge sandbox.
    pub edge: bool,
    /// The page as the manifests name it, for instance `/blog/[slug]/page`.
    pub page: String,
    /// The route, for instance `/blog/[slug]`.
    pub pathname: String,
    /// The params of a dynamic route.
    pub params: Option<Params>,
    /// The query after rewrites; `None` for an entry that works it out.
    pub query: Option<Query>,
    /// The query as it arrived.
    pub init_query: Query,
    /// The target as it arrived, normalised: with basePath, locale and data form.
    pub url: String,
    /// Response headers that are there before the entry adds its own.
    pub headers: HeaderList,
    /// The `Vary` of the route.
    pub vary: Option<&'static str>,
    /// Whether `next-url` cannot change the answer and must not reach the entry.
    pub drop_next_url: bool,
    /// The status to start from: that of an error page, or what middleware has set.
    pub status: Option<u16>,
    /// Whether it is an error page of another path.
    pub is_error_page: bool,
    /// The locale of the request.
    pub locale: Option<String>,
    /// The locale of paths without one.
    pub default_locale: Option<String>,
    /// Whether the host has a default locale of its own.
    pub is_locale_domain: bool,
    /// Whether a React payload is asked for.
    pub is_rsc: bool,
    /// Whether the client router prefetches.
    pub is_prefetch_rsc: bool,
    /// The segment it prefetches.
    pub segment_prefetch: Option<String>,
    /// Whether the request is for `_next/data`.
    pub is_data_request: bool,
    /// The path after rewrites, when it differs from the one that arrived.
    pub rewritten_pathname: Option<String>,
    /// What routing and middleware changed in the headers of the request.
    pub request_headers: Overlay,
}
