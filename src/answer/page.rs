//! The answer of a prerendered page.
//!
//! In: an [`Entry`], the variant that was asked for and the request's conditions. Out: a [`Prepared`] answer, made once for
//! each combination that differs and then reused. Headers and their order: `app-page-runtime.js`, `app-route.js` and
//! `pages-handler.js` of upstream, with `send-payload.js` and `next/dist/compiled/compression` behind them.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock, RwLock};

use bytes::Bytes;
use rustc_hash::FxHashMap;

use self::trimmed::Trimmed;
use super::conditional::{self, Conditions, Validators};
use super::registry::{Prepared, ResponseRegistry};
use crate::http::encoding::{self, Asked, Coding, CompressedVariants, Preferred};
use crate::http::etag;
use crate::http::headers::HeaderList;
use crate::http::status::Status;
use crate::request::MIDDLEWARE_COOKIES_HEADER;
use crate::route::{Address, EntryKind, Variant};
use crate::source::prerender::{Entry, Freshness, Lifetime};

mod trimmed;

/// `Cache-Control` of answers that must not be kept.
pub const NO_STORE: &str = "private, no-cache, no-store, max-age=0, must-revalidate";

/// Headers of which a route handler adds values to those of a rule or of middleware; any other is theirs then
/// (`headersWithMultipleValuesAllowed` of `next/dist/server/send-response.js`).
pub const REPEATED_HEADERS: [&str; 4] = ["set-cookie", "www-authenticate", "proxy-authenticate", "vary"];

/// What a route handler says of a body that may have been decoded since (`FORBIDDEN_HEADERS` there).
const OF_THE_BODY: [&str; 3] = ["content-length", "content-encoding", "transfer-encoding"];

/// What the configuration says about answers.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// `generateEtags`
    pub etags: bool,
    /// Whether data is a text with an `ETag` too, and no stream.
    pub data_etags: bool,
    /// Whether what a route handler says of the length and the coding of its body is not sent.
    pub route_framing_is_dropped: bool,
    /// `poweredByHeader`
    pub powered_by: bool,
    /// `compress`
    pub compress: bool,
    /// The option `preferEncodings`.
    pub preferred: Preferred,
}

/// A page in memory, with the answers that were made from it.
#[derive(Debug)]
pub struct Page {
    /// The rendered answer.
    pub entry: Entry,
    /// How long it lives.
    pub policy: CachePolicy,
    etag: OnceLock<Arc<str>>,
    data_etag: OnceLock<Arc<str>>,
    compressed: CompressedVariants<Variant>,
    answers: RwLock<FxHashMap<AnswerKey, Arc<Prepared>>>,
    /// Whether the disk has it too.
    is_on_disk: AtomicBool,
    trimmed: Option<Box<Trimmed>>,
}

/// How long a page lives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CachePolicy {
    /// For ever: a document of the build that has no entry in the cache.
    Document,
    /// Unknown. It is stale after a second, and clients do not learn how long they may keep it.
    Unknown,
    /// This long.
    Known(Lifetime),
}

impl CachePolicy {
    /// What may be done at `now_ms` with a page made at `created_at_ms` (milliseconds since 1970).
    pub fn freshness(self, created_at_ms: u64, now_ms: u64, expire_blocks: bool) -> Freshness {
        /// What upstream assumes (`calculateRevalidate` of `next/dist/server/lib/incremental-cache/index.js`).
        const ASSUMED: Lifetime = Lifetime {
            revalidate: Some(1.0),
            expire: None,
        };
        match self {
            CachePolicy::Document => Freshness::Fresh,
            CachePolicy::Unknown => ASSUMED.freshness(created_at_ms, now_ms, expire_blocks),
            CachePolicy::Known(lifetime) => lifetime.freshness(created_at_ms, now_ms, expire_blocks),
        }
    }
}

/// Where an answer comes from, as `x-nextjs-cache` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CacheStatus {
    /// From memory.
    #[default]
    Hit,
    /// From memory, and out of date.
    Stale,
    /// From a render that the request has waited for.
    Miss,
}

impl CacheStatus {
    /// The value of the header.
    pub fn as_str(self) -> &'static str {
        match self {
            CacheStatus::Hit => "HIT",
            CacheStatus::Stale => "STALE",
            CacheStatus::Miss => "MISS",
        }
    }
}

/// What makes two answers of one page differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct AnswerKey {
    variant: Variant,
    accepted: Coding,
    not_modified: bool,
    head: bool,
    response: ResponseVariant,
}

/// What the route adds to the page's own answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ResponseVariant {
    /// Status in place of the page's own, for error pages.
    pub status: Option<u16>,
    /// Whether the answer must not be kept, whatever the page's lifetime.
    pub no_store: bool,
    /// Whether the answer must not be kept unless something else says how long it is.
    pub no_store_by_default: bool,
    /// The `Vary` of the route.
    pub vary: Option<&'static str>,
    /// Headers of the layers below the page: see `pipeline/headers.rs`.
    pub leading: HeaderList,
    /// The deployment id, sent with payloads and data when there is one.
    pub deployment_id: Option<Arc<str>>,
    /// Where the answer comes from.
    pub cache: CacheStatus,
    /// Whether the answer is that of a fallback, which says nothing about how long it may be kept.
    pub fallback: bool,
    /// Whether the route is partially prerendered, so that its payload is no error whatever became of the page.
    pub partial: bool,
    /// Whether the answer is only the beginning: a compiled entry goes on from it.
    pub shell: bool,
    /// Whether the headers are for one request only, so that the answer is not kept.
    pub uncacheable: bool,
}

/// What came of asking a page for an answer.
#[derive(Debug)]
pub enum PageAnswer {
    /// Here it is.
    Ready(Arc<Prepared>),
    /// Here it is, for this request alone.
    Once(Status, HeaderList, Bytes),
    /// The body has to be compressed first, off Node's thread: call [`Page::encoded`], then ask again.
    Encode(Variant, Coding),
    /// The page has been trimmed, and the body itself is needed: read it from disk under this address and key, then ask that one.
    Read(Address, String),
}

/// How many answers one page keeps. A page has one per variant, coding and kind of request; more than this come only from
/// header rules with parameters, and such answers are made for one request.
const MAX_ANSWERS: usize = 256;

impl Page {
    /// A page without answers.
    pub fn new(entry: Entry, policy: CachePolicy) -> Self {
        Page {
            entry,
            policy,
            etag: OnceLock::new(),
            data_etag: OnceLock::new(),
            compressed: CompressedVariants::default(),
            answers: RwLock::default(),
            is_on_disk: AtomicBool::new(false),
            trimmed: None,
        }
    }

    /// The answer to a request for `variant`.
    pub fn answer(
        &self,
        registry: &ResponseRegistry,
        settings: Settings,
        variant: Variant,
        response: ResponseVariant,
        conditions: &Conditions<'_>,
        head: bool,
    ) -> PageAnswer {
        let body = self.entry.variant(&variant);
        // Of a trimmed page only variants are asked for that it holds.
        let exists = body.is_some() || self.is_trimmed();
        let content_type = self.content_type(&variant);
        let etag = self.etag(settings, &variant, exists && !response.shell);
        let not_modified = etag.is_some_and(|etag| {
            let held = Validators {
                etag: Some(etag),
                ..Validators::default()
            };
            conditional::fresh(conditions, held)
        });
        let accepted = match conditions.accept_encoding.as_deref() {
            Some(accept_encoding) if settings.compress && !head && !not_modified && !response.shell => {
                encoding::negotiate(accept_encoding, settings.preferred)
            }
            _ => Coding::Identity,
        };
        let key = AnswerKey {
            variant,
            accepted,
            not_modified,
            head,
            response,
        };
        if let Some(answer) = read(&self.answers).get(&key) {
            return PageAnswer::Ready(Arc::clone(answer));
        }
        let (status, mut headers) = self.head(settings, &key, content_type, etag, exists);
        let mut bytes = body.filter(|_| !not_modified).cloned().unwrap_or_default();
        let mut for_now = key.response.uncacheable;
        let is_text = is_text(self.entry.kind, &key.variant, settings);
        let asked = |length: u64| Asked {
            // The key holds what was negotiated; its name negotiates to itself.
            accept_encoding: accepted.as_str(),
            head,
            // Payloads and the bodies of route handlers are streams upstream, whose length does not count.
            length: is_text.then_some(length),
            preferred: settings.preferred,
        };
        let trimmed = self.trimmed.as_deref().filter(|_| !not_modified);
        if let Some(trimmed) = trimmed {
            let asked = asked(trimmed.length(&key.variant));
            let is_known = etag.is_some() || !settings.etags || !is_text;
            let kept = self.kept_variant(&key.variant, asked, &mut headers, &mut bytes);
            let Some(is_improving) = kept.filter(|_| is_known && settings.compress) else {
                return trimmed.read_again();
            };
            for_now |= is_improving;
        } else if settings.compress && !key.response.shell {
            // A shell is compressed together with what follows.
            let coding = encoding::apply(&mut headers, asked(bytes.len() as u64));
            if coding != Coding::Identity {
                match self.compressed.apply(&key.variant, coding, &mut headers, &mut bytes) {
                    None => return PageAnswer::Encode(key.variant, coding),
                    Some(is_improving) => for_now |= is_improving,
                }
            }
        }
        if !not_modified && !key.response.shell {
            headers.set("Content-Length", bytes.len().to_string());
        }
        let mut answers = self.answers.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        // What a client can make up, the name of a segment for instance, is not kept.
        if !exists || for_now || answers.len() >= MAX_ANSWERS {
            return PageAnswer::Once(status, headers, bytes);
        }
        let answer = registry.add(status, headers, bytes);
        answers.insert(key, Arc::clone(&answer));
        PageAnswer::Ready(answer)
    }

    /// Waits until one variant has been compressed, well enough for now.
    pub async fn encoded(self: Arc<Self>, variant: Variant, coding: Coding) {
        if let Some(body) = self.entry.variant(&variant) {
            self.compressed.prepare(variant.clone(), coding, body).await;
        }
    }

    fn content_type(&self, variant: &Variant) -> &str {
        match (self.entry.kind, variant) {
            (EntryKind::AppRoute, _) => self
                .entry
                .headers
                .lines
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
                .map_or("", |(_, value)| value),
            (_, Variant::Html) => "text/html; charset=utf-8",
            (_, Variant::Data) => "application/json; charset=utf-8",
            (_, Variant::Rsc | Variant::Segment(_)) => "text/x-component",
        }
    }

    /// Only strings get an ETag upstream: documents and data, not payloads or the bodies of route handlers.
    fn etag(&self, settings: Settings, variant: &Variant, exists: bool) -> Option<&str> {
        if !settings.etags || !exists || !is_text(self.entry.kind, variant, settings) {
            return None;
        }
        let of = |bytes: &Bytes| Arc::from(etag::of_text(&String::from_utf8_lossy(bytes)));
        match variant {
            Variant::Html if self.is_trimmed() => self.etag.get().map(|etag| &**etag),
            Variant::Data if self.is_trimmed() => self.data_etag.get().map(|etag| &**etag),
            Variant::Html => Some(self.etag.get_or_init(|| of(&self.entry.html))),
            Variant::Data => {
                let data = self.entry.data.as_ref()?;
                Some(self.data_etag.get_or_init(|| of(data)))
            }
            Variant::Rsc | Variant::Segment(_) => None,
        }
    }

    fn head(
        &self,
        settings: Settings,
        key: &AnswerKey,
        content_type: &str,
        etag: Option<&str>,
        exists: bool,
    ) -> (Status, HeaderList) {
        let AnswerKey { variant, response, .. } = key;
        let mut headers = response.leading.clone();
        headers.reserve(16);
        if response.no_store {
            headers.set("Cache-Control", NO_STORE);
        }
        match response.vary {
            // The handler of an app page sets the header, which drops what a rule said; all others add to it.
            Some(vary) if self.entry.kind == EntryKind::AppPage => headers.set("Vary", vary),
            Some(vary) => headers.append_distinct("vary", vary),
            None => {}
        }
        let segment = matches!(variant, Variant::Segment(_));
        if let (Some(id), Variant::Rsc | Variant::Segment(_) | Variant::Data) = (&response.deployment_id, variant) {
            headers.set("x-nextjs-deployment-id", id);
        }
        if self.policy != CachePolicy::Document {
            // What follows a shell is made for this request.
            if !response.shell {
                headers.set("x-nextjs-cache", response.cache.as_str());
                if self.entry.kind == EntryKind::AppPage {
                    headers.set("x-nextjs-prerender", "1");
                }
            }
            if segment {
                // `2`: this route has segments at all, whether or not this one is there.
                headers.set("x-nextjs-postponed", "2");
            } else if self.entry.kind != EntryKind::Pages {
                self.add_own(&mut headers, settings);
                if self.entry.postponed.is_some() {
                    headers.set("x-nextjs-postponed", "1");
                }
            }
            if settings.powered_by && content_type.starts_with("text/html") && self.entry.kind != EntryKind::AppRoute {
                headers.set("X-Powered-By", "Next.js");
            }
            if response.shell || response.no_store_by_default {
                headers.set_default("Cache-Control", NO_STORE);
            } else if let (CachePolicy::Known(lifetime), false) = (self.policy, response.fallback) {
                headers.set_default(cache_control_name(self.entry.kind), lifetime.cache_control());
            }
        } else if settings.powered_by {
            headers.set("X-Powered-By", "Next.js");
        }
        if let Some(etag) = etag {
            headers.set("ETag", etag.to_owned());
        }
        if key.not_modified {
            return (Status::from(304), headers);
        }
        if exists && !content_type.is_empty() {
            headers.set_default("Content-Type", content_type.to_owned());
        }
        (self.status(variant, response, exists), headers)
    }

    /// Adds what the answer itself says, after rules and middleware.
    fn add_own(&self, headers: &mut HeaderList, settings: Settings) {
        for (name, value) in &self.entry.headers.lines {
            if self.entry.kind != EntryKind::AppRoute {
                headers.append(name.clone(), value.clone());
                continue;
            }
            let is_one_of = |names: &[&str]| names.iter().any(|one| name.eq_ignore_ascii_case(one));
            let is_dropped = settings.route_framing_is_dropped && is_one_of(&OF_THE_BODY);
            let is_sent = !is_dropped && !is_one_of(&[MIDDLEWARE_COOKIES_HEADER]);
            if is_sent && (is_one_of(&REPEATED_HEADERS) || !headers.has(name)) {
                headers.append_distinct(name.clone(), value.clone());
            }
        }
    }

    fn status(&self, variant: &Variant, response: &ResponseVariant, exists: bool) -> Status {
        let own = self.entry.status;
        // Without a name, the status that is there stays.
        let named = |status: Option<u16>| status.map_or(Status::from(200), Status::set);
        match variant {
            Variant::Segment(_) if !exists => Status::set(404),
            Variant::Segment(_) => named(response.status),
            Variant::Rsc if response.partial => named(response.status),
            // A payload carries its redirect inside; the client router would not see a redirect status.
            Variant::Rsc if own.is_some_and(|own| (300..400).contains(&own)) => Status::set(200),
            _ if self.entry.kind == EntryKind::AppRoute => Status::set_line(own.or(response.status).unwrap_or(200)),
            _ => named(own.or(response.status)),
        }
    }

    /// Whether the answer itself says something of a header (any case).
    pub fn says(&self, name: &str) -> bool {
        let lines = &self.entry.headers.lines;
        lines.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }
}

impl Page {
    /// Bytes of memory.
    pub fn weight(&self) -> usize {
        if self.is_trimmed() {
            // As many again, for variants that come later.
            return self.entry.weight() + 2 * self.compressed.weight();
        }
        // A compressed variant comes to about a third of what it encodes, and hardly a page is asked for in more than two codings;
        // they are made later, so the estimate counts now.
        self.entry.weight() * 5 / 3
    }
}

/// Headers of a route handler go through a `Headers` object, which spells every name in lower case.
fn cache_control_name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::AppRoute => "cache-control",
        EntryKind::AppPage | EntryKind::Pages => "Cache-Control",
    }
}

/// Whether upstream has the body as a text, which gets an ETag and a length, or as a stream.
fn is_text(kind: EntryKind, variant: &Variant, settings: Settings) -> bool {
    match variant {
        Variant::Html => kind != EntryKind::AppRoute,
        Variant::Data => settings.data_etags,
        _ => false,
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
