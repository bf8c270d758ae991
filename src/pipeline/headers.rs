//! Which headers are there before an answer adds its own.
//!
//! In: a request as routing left it. Out: a [`HeaderList`]. A response gets its headers in layers, each of which replaces the same name of
//! those before it, but for `Set-Cookie` and `Vary`, which add up:
//!
//! 1. preset: what the user's server has set on the response ([`set_before`]);
//! 2. rules and middleware, in the order in which routing met them ([`response_headers`]);
//! 3. error: what a failed answer left for the page that is shown in its place ([`leading_headers`]);
//! 4. content: the page (`answer/page.rs`), file (`answer/file.rs`), image (`answer/image.rs`) or entry, with its type and validators;
//! 5. caching: `Cache-Control`, `Vary` and `x-nextjs-cache`, in the same places, because what they say depends on what 1 to 3 left;
//! 6. encoding: `Content-Encoding`, `Vary`, `Content-Length` (`http/encoding`);
//! 7. connection: Node's `Date`, `Connection`, `Keep-Alive` and framing.
//!
//! `docs/internals/headers.md` lists every header with its place.

use crate::answer::page::NO_STORE;
use crate::engine::{ErrorPage, RequestState};
use crate::http::headers::HeaderList;
use crate::route::HeaderText;

/// What stands on the response before the page adds its own: the app's header rules, and what a failed answer left.
pub(super) fn leading_headers(state: &RequestState, error: Option<&ErrorPage>) -> HeaderList {
    let Some(error) = error else {
        return response_headers(state);
    };
    let mut headers = error.headers.clone();
    if error.no_store {
        headers.set("Cache-Control", NO_STORE);
    }
    headers
}

/// What the user's server has set on the response and any answer heeds.
pub(super) fn set_before(state: &RequestState) -> HeaderList {
    let heeded = state.request.headers.set_before().heeded();
    if !heeded.is_empty() {
        state.uses_preset_headers.set(true);
    }
    let mut headers = HeaderList::new();
    for (name, value) in heeded {
        headers.append(name.to_owned(), value.to_owned());
    }
    headers
}

/// What stands on the response before the answer adds its own: what the user's server has set, then the app's header rules and
/// middleware, which replace it, in order.
pub(super) fn response_headers(state: &RequestState) -> HeaderList {
    let mut headers = set_before(state);
    if !state.route.has_response_headers() {
        return headers;
    }
    let replaces = !headers.is_empty();
    for (name, value) in state.route.response_headers().iter() {
        if replaces {
            headers.remove(name);
        }
        match value {
            HeaderText::One(line) => headers.append(name.to_owned(), line.clone()),
            HeaderText::Many(lines) => {
                for line in lines {
                    headers.append(name.to_owned(), line.clone());
                }
            }
        }
    }
    headers
}
