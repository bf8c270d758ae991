//! Results of functions marked `'use cache'`, for all threads and builds of the process.
//!
//! In: results from `runtime/cache/use-cache-handler.js`. Out: the same, in any thread. Keys name the build.

use std::sync::{Arc, OnceLock};

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use super::fault::guarded;
use crate::source::prerender::{Memo, Store};

/// The results. As large as the first app of the process says; upstream's handlers are made once, too.
static MEMOS: OnceLock<Store<Arc<Memo>>> = OnceLock::new();

/// A result, see [`Memo`].
#[napi(object)]
pub struct JsMemo {
    /// The result, serialised.
    pub value: Buffer,
    /// Its tags.
    pub tags: Vec<String>,
    /// Seconds for which a client may use it.
    pub stale: f64,
    /// When it was made, in milliseconds since 1970.
    pub timestamp: f64,
    /// Seconds after which it must not be used.
    pub expire: f64,
    /// Seconds after which it should be made again.
    pub revalidate: f64,
}

/// Makes room for `maxBytes` of results, unless that was done before.
#[napi(js_name = "memoOpen")]
pub fn memo_open(max_bytes: f64) -> napi::Result<(), String> {
    guarded(|| {
        MEMOS.get_or_init(|| Store::new(max_bytes.max(0.0) as u64));
    })
}

/// The result under `key`.
#[napi(js_name = "memoGet")]
pub fn memo_get(key: String) -> napi::Result<Option<JsMemo>, String> {
    guarded(|| {
        let memo = MEMOS.get()?.get(&key)?;
        Some(JsMemo {
            value: memo.value.to_vec().into(),
            tags: memo.tags.clone(),
            stale: memo.stale,
            timestamp: memo.timestamp,
            expire: memo.expire,
            revalidate: memo.revalidate,
        })
    })
}

/// Keeps a result under `key`.
#[napi(js_name = "memoSet")]
pub fn memo_set(key: String, memo: JsMemo) -> napi::Result<(), String> {
    guarded(|| {
        if let Some(memos) = MEMOS.get() {
            let memo = Memo {
                value: memo.value.to_vec().into(),
                tags: memo.tags,
                stale: memo.stale,
                timestamp: memo.timestamp,
                expire: memo.expire,
                revalidate: memo.revalidate,
            };
            memos.insert(key, Arc::new(memo));
        }
    })
}
