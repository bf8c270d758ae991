//! What compiled entries have stored and revalidated.
//!
//! In: entries and tags from `runtime/cache-handler.js`. Out: nothing; every engine of the build knows of them from here on.

use bytes::Bytes;
use indexmap::IndexMap;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use serde_json::Value;

use super::engine::JsEngine;
use super::fault::guarded;
use super::registry;
use crate::engine::Written;
use crate::route::EntryKind;
use crate::source::prerender::{Lifetime, TagRevalidation};

/// What a cache handler was given to store, see `runtime/cache-handler.js`.
#[napi(object, object_to_js = false)]
pub struct JsCacheEntry {
    /// `APP_PAGE`, `APP_ROUTE` or `PAGES`; anything else is not Rust's to serve.
    pub kind: String,
    /// The status.
    pub status: Option<u16>,
    /// The headers as JSON.
    pub headers: String,
    /// The document or body.
    pub html: Option<Buffer>,
    /// The React payload.
    pub rsc: Option<Buffer>,
    /// The data of a Pages Router page.
    pub data: Option<Buffer>,
    /// The payloads of its segments.
    pub segments: Vec<JsSegment>,
    /// Whether a part is rendered per request.
    pub postponed: bool,
    /// Seconds until stale, `-1` for never.
    pub revalidate: Option<f64>,
    /// Seconds until it must not be served.
    pub expire: Option<f64>,
    /// When it was rendered, in milliseconds since 1970.
    pub made_ms: f64,
}

/// A segment of a page.
#[napi(object, object_to_js = false)]
pub struct JsSegment {
    /// Its path, for instance `/_tree`.
    pub path: String,
    /// Its payload.
    pub data: Buffer,
}

#[napi]
impl JsEngine {
    /// A compiled entry has stored an answer, or removed one.
    #[napi(js_name = "cacheSet")]
    pub fn cache_set(&self, key: String, entry: Option<JsCacheEntry>) -> napi::Result<(), String> {
        guarded(|| {
            let entry = entry.and_then(written);
            for engine in registry::of_same_build(self.engine()) {
                engine.stored(&key, entry.clone());
            }
        })
    }

    /// A compiled entry has revalidated tags; with `stale` their answers are only stale, until `expire` seconds are over.
    #[napi(js_name = "tagsRevalidated")]
    pub fn tags_revalidated(&self, tags: Vec<String>, stale: bool, expire: Option<f64>) -> napi::Result<(), String> {
        let how = if stale {
            TagRevalidation::Stale(expire)
        } else {
            TagRevalidation::Now
        };
        guarded(|| {
            for engine in registry::of_same_build(self.engine()) {
                engine.tags_revalidated(tags.clone(), how);
            }
        })
    }
}

fn written(entry: JsCacheEntry) -> Option<Written> {
    let bytes = |buffer: Buffer| Bytes::from(buffer.to_vec());
    Some(Written {
        kind: match entry.kind.as_str() {
            "APP_PAGE" => EntryKind::AppPage,
            "APP_ROUTE" => EntryKind::AppRoute,
            "PAGES" => EntryKind::Pages,
            _ => return None,
        },
        status: entry.status,
        headers: serde_json::from_str::<IndexMap<String, Value>>(&entry.headers).ok()?,
        html: bytes(entry.html?),
        rsc: entry.rsc.map(bytes),
        data: entry.data.map(bytes),
        segments: entry
            .segments
            .into_iter()
            .map(|segment| (segment.path, bytes(segment.data)))
            .collect(),
        postponed: entry.postponed,
        lifetime: entry.revalidate.map(|revalidate| Lifetime {
            revalidate: (revalidate >= 0.0).then_some(revalidate),
            expire: entry.expire,
        }),
        made_ms: entry.made_ms as u64,
    })
}
