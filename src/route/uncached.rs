//! Requests that are not answered from the cache, whatever page they came to.
//!
//! In: a request. Out: whether it goes past the cache, one question for each reason. The entry answers it then.

use super::params::Params;
use crate::request::{Method, Request, PREVIEW_COOKIES};
use crate::url::decode_uri_component;

/// Whether the request may be a server action, which is never answered from cache.
/// Source: `next/dist/server/lib/server-action-request-meta.js`.
pub(super) fn is_possible_action(request: &Request) -> bool {
    request.method == Method::Post
        && (request.headers.get("next-action").is_some()
            || request.headers.get("content-type").is_some_and(|content_type| {
                content_type == "application/x-www-form-urlencoded" || content_type.starts_with("multipart/form-data")
            }))
}

/// Whether the client router's headers for a prefetch came without the one that asks for a payload: the handler answers some of them
/// with a payload all the same.
pub(super) fn is_prefetch(request: &Request) -> bool {
    let is_sent = |name| request.headers.get(name).is_some_and(|value| !value.is_empty());
    is_sent("next-router-prefetch") || is_sent("next-router-segment-prefetch")
}

/// Whether the path itself ends like a payload's file. No page links to such a path, so it comes to the not-found page or to a
/// catch-all route, and what the handler makes of it is for the handler to say.
pub(super) fn names_payload(request: &Request) -> bool {
    let path = request.target.split('?').next().unwrap_or_default();
    path.ends_with(".rsc")
}

/// Draft mode and on-demand revalidation go past the cache. Whether their secrets are right is for the entry to say.
pub(super) fn may_be_cached(request: &Request) -> bool {
    request.headers.get("x-prerender-revalidate").is_none()
        && !request
            .headers
            .all("cookie")
            .any(|cookies| PREVIEW_COOKIES.iter().any(|cookie| cookies.contains(cookie)))
}

/// Whether a param is spelt as the placeholder of a segment is, `[slug]`, encoded or not.
pub(super) fn has_placeholder(params: &Params) -> bool {
    let is_bracketed = |value: &str| {
        let value = decode_uri_component(value);
        value.is_some_and(|value| value.starts_with('[') && value.ends_with(']'))
    };
    params.iter().any(|(_, value)| value.iter().any(is_bracketed))
}
