//! The cache, as compiled entries read and write it.
//!
//! In: keys, values and tags from `runtime/cache/cache-handler.js` and `runtime/cache/use-cache-handler.js`. Out: the same values in any
//! thread. What is stored reaches every engine of the build; what is revalidated reaches every build of the process.

use bytes::Bytes;
use indexmap::IndexMap;
use napi::bindgen_prelude::{Buffer, Either, Env, PromiseRaw};
use napi_derive::napi;

use super::engine::JsEngine;
use super::fault::{guarded, guarded_async};
use super::registry::{self, TAGS};
use crate::answer::page::Page;
use crate::engine::{now_ms, Engine, Recalled, Written};
use crate::route::EntryKind;
use crate::source::prerender::{Data, Entry, EntryShape, Headers, Lifetime, Outcome, TagRevalidation};

/// An answer of a page or route handler, see `runtime/cache/cache-handler.js`.
#[napi(object)]
pub struct JsCacheEntry {
    /// `APP_PAGE`, `APP_ROUTE`, `PAGES`, `REDIRECT`, or `NOT_FOUND` for a page that found nothing. `EXPIRED`, with nothing
    /// else, when there is an answer that must not be used.
    pub kind: String,
    /// The status.
    pub status: Option<u16>,
    /// The headers as JSON, absent when the render had none.
    pub headers: Option<String>,
    /// The document or body.
    pub html: Option<Buffer>,
    /// The React payload.
    pub rsc: Option<Buffer>,
    /// The data of a Pages Router page, or the props of a redirect, as JSON.
    pub data: Option<Buffer>,
    /// The payloads of its segments.
    pub segments: Option<Vec<JsSegment>>,
    /// What a render per request goes on from.
    pub postponed: Option<String>,
    /// Seconds until stale, `-1` for never; absent when unknown.
    pub revalidate: Option<f64>,
    /// Seconds until it must not be served.
    pub expire: Option<f64>,
    /// When it was rendered, in milliseconds since 1970. Not read.
    pub created_at_ms: f64,
}

/// A segment of a page.
#[napi(object)]
pub struct JsSegment {
    /// Its path, for instance `/_tree`.
    pub path: String,
    /// Its payload.
    pub data: Buffer,
}

/// A value of the data cache.
#[napi(object, object_from_js = false)]
pub struct JsData {
    /// The value as JSON; absent when the caller has it already.
    pub json: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: f64,
    /// Tells this value from every other.
    pub version: f64,
}

/// What became of a tag, in milliseconds since 1970.
#[napi(object, object_from_js = false)]
pub struct JsTag {
    /// The tag.
    pub tag: String,
    /// Answers made before are stale.
    pub stale: Option<f64>,
    /// Answers made before are not served from this moment on.
    pub expired: Option<f64>,
}

/// The tags that have changed.
#[napi(object, object_from_js = false)]
pub struct JsTags {
    /// What became of them.
    pub tags: Vec<JsTag>,
    /// Ask with this the next time.
    pub version: f64,
}

#[napi]
impl JsEngine {
    /// The answer under the key of a compiled entry, from memory. `null` when memory holds none; it may be on disk.
    #[napi(js_name = "cacheGet")]
    pub fn cache_get(&self, key: String, kind: String) -> napi::Result<Option<JsCacheEntry>, String> {
        guarded(|| portable(self.engine().recall(&key, kind_of(&kind)?)))
    }

    /// The answer under the key of a compiled entry, from disk. `null` when there is none.
    #[napi(js_name = "cacheRead")]
    pub async fn cache_read(
        &self,
        key: String,
        kind: String,
        partial: bool,
        fallback: bool,
    ) -> napi::Result<Option<JsCacheEntry>> {
        let Some(kind) = kind_of(&kind) else { return Ok(None) };
        let engine = self.shared();
        let shape = EntryShape { partial, fallback };
        guarded_async(move || portable(engine.recall_from_disk(&key, kind, shape))).await
    }

    /// A compiled entry has stored an answer. The promise waits for the disk; memory has the answer at once.
    #[napi(js_name = "cacheSet", ts_return_type = "Promise<void>")]
    pub fn cache_set<'env>(
        &self,
        env: &'env Env,
        key: String,
        entry: JsCacheEntry,
        partial: bool,
        fallback: bool,
    ) -> napi::Result<PromiseRaw<'env, ()>> {
        let shape = EntryShape { partial, fallback };
        let written = guarded(|| {
            let entry = stored(entry)?;
            for engine in registry::of_same_build(self.engine()) {
                if !std::ptr::eq(&*engine, self.engine()) {
                    engine.store(&key, entry.clone(), shape, false);
                }
            }
            self.engine().store(&key, entry, shape, true)
        });
        self.write(env, written)
    }

    /// The value of the data cache under `key`, from memory: `null` when memory holds none, `false` when there is one that
    /// must not be used because of its tags. `known` is the version that the caller has parsed, 0 for none.
    #[napi(js_name = "dataGet", ts_return_type = "Data | false | null")]
    pub fn data_get(
        &self,
        key: String,
        tags: Vec<String>,
        known: f64,
    ) -> napi::Result<Option<Either<JsData, bool>>, String> {
        guarded(|| {
            let data = self.engine().data(&key)?;
            Some(usable(self.engine(), &data, &tags, known))
        })
    }

    /// The value of the data cache under `key`, from disk, as [`JsEngine::data_get`] gives it.
    #[napi(js_name = "dataRead", ts_return_type = "Promise<Data | false | null>")]
    pub async fn data_read(&self, key: String, tags: Vec<String>) -> napi::Result<Option<Either<JsData, bool>>> {
        let engine = self.shared();
        guarded_async(move || {
            let data = engine.data_from_disk(&key)?;
            Some(usable(&engine, &data, &tags, 0.0))
        })
        .await
    }

    /// A compiled entry has stored a value in the data cache. The promise waits for the disk; memory has the value at once.
    #[napi(js_name = "dataSet", ts_return_type = "Promise<void>")]
    pub fn data_set<'env>(&self, env: &'env Env, key: String, json: Buffer) -> napi::Result<PromiseRaw<'env, ()>> {
        let json = Bytes::from(json.to_vec());
        let written = guarded(|| {
            for engine in registry::of_same_build(self.engine()) {
                if !std::ptr::eq(&*engine, self.engine()) {
                    engine.store_data(&key, json.clone(), false);
                }
            }
            self.engine().store_data(&key, json, true)
        });
        self.write(env, written)
    }
}

impl JsEngine {
    fn write<'env>(
        &self,
        env: &'env Env,
        written: napi::Result<Option<Written>, String>,
    ) -> napi::Result<PromiseRaw<'env, ()>> {
        let engine = self.shared();
        env.spawn_future(async move {
            let Some(written) = written.map_err(|error| napi::Error::from_reason(error.reason.clone()))? else {
                return Ok(());
            };
            let result = guarded_async(move || engine.write(&written)).await?;
            result.map_err(|error| napi::Error::from_reason(error.to_string()))
        })
    }
}

/// A value of the data cache, `false` if it must not be used because of its tags.
fn usable(engine: &Engine, data: &Data, tags: &[String], known: f64) -> Either<JsData, bool> {
    if engine.tags_expired(tags, data.created_at_ms) {
        return Either::B(false);
    }
    let version = data.version as f64;
    Either::A(JsData {
        json: (version != known).then(|| String::from_utf8_lossy(&data.json).into_owned()),
        created_at_ms: data.created_at_ms as f64,
        version,
    })
}

/// Compiled entries have revalidated tags; with `stale` what carries them is only stale, until `expire` seconds are over.
#[napi(js_name = "revalidateTags")]
pub fn revalidate_tags(tags: Vec<String>, stale: bool, expire: Option<f64>) -> napi::Result<(), String> {
    let how = if stale {
        TagRevalidation::Stale(expire)
    } else {
        TagRevalidation::Now
    };
    guarded(|| {
        tracing::debug!(target: "ferronext::cache", "tags revalidated: {}", tags.join(", "));
        TAGS.revalidate(tags, how, now_ms());
    })
}

/// A number that grows whenever a tag is revalidated in any thread.
#[napi(js_name = "tagsVersion")]
pub fn tags_version() -> napi::Result<f64, String> {
    guarded(|| TAGS.version() as f64)
}

/// The tags that have changed since `version`.
#[napi(js_name = "tagsSince")]
pub fn tags_since(version: f64) -> napi::Result<JsTags, String> {
    guarded(|| {
        let (changes, version) = TAGS.changes_since(version as u64);
        let tags = changes.into_iter().map(|(tag, revalidated)| JsTag {
            tag: tag.to_string(),
            stale: revalidated.stale_ms.map(|ms| ms as f64),
            expired: revalidated.expired_ms.map(|ms| ms as f64),
        });
        JsTags {
            tags: tags.collect(),
            version: version as f64,
        }
    })
}

fn kind_of(kind: &str) -> Option<EntryKind> {
    match kind {
        "APP_PAGE" => Some(EntryKind::AppPage),
        "APP_ROUTE" => Some(EntryKind::AppRoute),
        "PAGES" => Some(EntryKind::Pages),
        _ => None,
    }
}

/// From what an entry stores; `None` for an unknown kind.
fn stored(entry: JsCacheEntry) -> Option<Entry> {
    let bytes = |buffer: Buffer| Bytes::from(buffer.to_vec());
    let (kind, outcome) = match entry.kind.as_str() {
        "REDIRECT" => (EntryKind::Pages, Outcome::Redirect),
        "NOT_FOUND" => (EntryKind::Pages, Outcome::NotFound),
        kind => (kind_of(kind)?, Outcome::Rendered),
    };
    let segments = entry.segments.map(|segments| {
        let pairs = segments.into_iter().map(|segment| (segment.path, bytes(segment.data)));
        pairs.collect::<IndexMap<_, _>>()
    });
    Some(Entry {
        status: entry.status,
        headers: Headers::parse(entry.headers.as_deref()).ok()?,
        html: entry.html.map(bytes).unwrap_or_default(),
        rsc: entry.rsc.map(bytes),
        data: entry.data.map(bytes),
        segments,
        postponed: entry.postponed.map(String::into_boxed_str),
        lifetime: entry.revalidate.map(|revalidate| Lifetime {
            revalidate: (revalidate >= 0.0).then_some(revalidate),
            expire: entry.expire,
        }),
        ..Entry::new(kind, outcome, now_ms())
    })
}

/// To what an entry reads.
fn portable(recalled: Recalled) -> Option<JsCacheEntry> {
    match recalled {
        Recalled::Found(page) => Some(portable_page(&page)),
        Recalled::Expired => Some(JsCacheEntry {
            kind: "EXPIRED".to_owned(),
            status: None,
            headers: None,
            html: None,
            rsc: None,
            data: None,
            segments: None,
            postponed: None,
            revalidate: None,
            expire: None,
            created_at_ms: 0.0,
        }),
        Recalled::Unknown => None,
    }
}

/// Copies, because scripts can write into a Buffer and other threads send these bytes.
fn portable_page(page: &Page) -> JsCacheEntry {
    let Page { entry, .. } = page;
    let buffer = |bytes: &Bytes| Buffer::from(bytes.to_vec());
    JsCacheEntry {
        kind: match entry.outcome {
            Outcome::Rendered => entry.kind.as_str(),
            Outcome::Redirect => "REDIRECT",
            Outcome::NotFound => "NOT_FOUND",
        }
        .to_owned(),
        status: entry.status,
        headers: entry.headers.json.as_deref().map(str::to_owned),
        html: Some(buffer(&entry.html)),
        rsc: entry.rsc.as_ref().map(buffer),
        data: entry.data.as_ref().map(buffer),
        segments: entry.segments.as_ref().map(|segments| {
            let each = segments.iter().map(|(path, data)| JsSegment {
                path: path.clone(),
                data: buffer(data),
            });
            each.collect()
        }),
        postponed: entry.postponed.as_deref().map(str::to_owned),
        revalidate: entry.lifetime.map(|lifetime| lifetime.revalidate.unwrap_or(-1.0)),
        expire: entry.lifetime.and_then(|lifetime| lifetime.expire),
        created_at_ms: entry.created_at_ms as f64,
    }
}
