//! What middleware has answered.
//!
//! In: status and headers from `runtime/steps/middleware.js`, or the news that it failed. Out: nothing; the request goes on with its
//! next step.

use indexmap::map::Entry;
use indexmap::IndexMap;
use napi_derive::napi;

use super::engine::JsEngine;
use super::fault::guarded;
use crate::route::{HeaderText, MiddlewareReply};

#[napi]
impl JsEngine {
    /// The middleware of the request in `slot` has answered with these headers, lower-case names and values in turn. `locale_added`
    /// says whether the locale of a rewrite's target is not middleware's own. `peer` is the address of the client.
    #[napi(js_name = "middlewareAnswered")]
    pub fn middleware_answered(
        &self,
        slot: u32,
        status: u16,
        headers: Vec<String>,
        locale_added: bool,
        peer: Option<String>,
    ) -> napi::Result<(), String> {
        let reply = MiddlewareReply {
            status,
            headers: grouped(headers),
            locale_added,
        };
        guarded(|| self.engine().middleware_answered(slot as usize, reply, peer))
    }

    /// The middleware of the request in `slot` has failed: it gets the error page for `status`.
    #[napi(js_name = "middlewareFailed")]
    pub fn middleware_failed(&self, slot: u32, status: u16) -> napi::Result<(), String> {
        guarded(|| self.engine().middleware_failed(slot as usize, status))
    }
}

/// Names and values in turn as one entry for each name.
fn grouped(flat: Vec<String>) -> Vec<(String, HeaderText)> {
    let mut grouped: IndexMap<String, HeaderText> = IndexMap::new();
    let mut flat = flat.into_iter();
    while let (Some(name), Some(value)) = (flat.next(), flat.next()) {
        match grouped.entry(name) {
            Entry::Vacant(place) => {
                place.insert(HeaderText::One(value));
            }
            Entry::Occupied(mut place) => place.get_mut().push(value),
        }
    }
    grouped.into_iter().collect()
}
