//! Requests that were answered before, and need not be routed again.
//!
//! In: a request that says nothing but what it wants ([`Plain`]). Out: the answer that such a request got before, if what it was
//! made from is still what would be sent. Routing depends on the target alone then, and is what most of an answer from memory
//! costs: 9 of 14 microseconds of processor time on a busy server, whose caches hold Node's code and not ours.
//!
//! Whether an answer is still good is asked of where it came from, the same cache of pages or files, so that revalidation,
//! expiry, eviction and changes on disk count here as they do elsewhere. A target is remembered when it comes for the second time.

use std::hash::{BuildHasher, Hash, RandomState};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter};

use super::flight::{Answer, Flight};
use super::label;
use crate::build::ListingRoot;
use crate::engine::Engine;
use crate::request::{Origin, Plain};
use crate::response::page::Page;
use crate::response::prepared::Prepared;
use crate::route::{Decision, RedirectReason};
use crate::source::file::StoredFile;
use crate::source::prerender::Freshness;

/// Bytes of remembered targets: some 30,000.
const MAX_BYTES: u64 = 8 << 20;

/// What a remembered target takes beside its text: key, value and the cache's own.
const OVERHEAD: u64 = 256;

/// How many targets are known to have come once. Two that share a place are as if only the later one had come.
const ONCE: usize = 4096;

/// Answers by request.
pub(crate) struct Shortcuts {
    /// Whether the app's rules look at targets alone.
    is_open: bool,
    kept: Cache<Key, Arc<Shortcut>, ByBytes>,
    /// Hashes of what has come once.
    once: Box<[AtomicU64]>,
    hashes: RandomState,
    /// Changes when routing does.
    generation: AtomicU64,
}

/// A way past routing.
#[derive(Debug)]
pub(crate) struct Shortcut {
    answer: Weak<Prepared>,
    source: Source,
    /// What the request is called in metrics and logs.
    pub label: Box<str>,
    generation: u64,
}

/// What an answer was made from.
#[derive(Debug, Clone, Default)]
pub(crate) enum Source {
    /// Nobody has said.
    #[default]
    Unknown,
    /// More than one thing, or a fault that the log is told of each time.
    Several,
    /// A page that was fresh, by its key.
    Page(String, Weak<Page>),
    /// A file in memory.
    File(ListingRoot, String, Weak<StoredFile>),
    /// The target, and nothing else.
    Target(Arc<Prepared>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    encrypted: bool,
    is_subresource: bool,
    target: Box<str>,
    accept_encoding: Box<str>,
}

/// A key that is not owned; hashes as [`Key`] does.
#[derive(Hash)]
struct KeyRef<'a> {
    encrypted: bool,
    is_subresource: bool,
    target: &'a str,
    accept_encoding: &'a str,
}

impl<'a> KeyRef<'a> {
    fn new(plain: Plain<'a>, encrypted: bool) -> Self {
        KeyRef {
            encrypted,
            is_subresource: plain.is_subresource,
            target: plain.target,
            accept_encoding: plain.accept_encoding,
        }
    }

    fn owned(&self) -> Key {
        Key {
            encrypted: self.encrypted,
            is_subresource: self.is_subresource,
            target: self.target.into(),
            accept_encoding: self.accept_encoding.into(),
        }
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.encrypted == key.encrypted
            && self.is_subresource == key.is_subresource
            && self.target == &*key.target
            && self.accept_encoding == &*key.accept_encoding
    }
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Arc<Shortcut>> for ByBytes {
    fn weight(&self, key: &Key, _: &Arc<Shortcut>) -> u64 {
        (key.target.len() + key.accept_encoding.len()) as u64 + OVERHEAD
    }
}

impl Shortcuts {
    /// No ways yet, and none ever unless `is_open`.
    pub fn new(is_open: bool) -> Shortcuts {
        let options = OptionsBuilder::new()
            .estimated_items_capacity((MAX_BYTES / OVERHEAD) as usize)
            .weight_capacity(MAX_BYTES)
            .shards(4)
            .build();
        let kept = match options {
            Ok(options) => Cache::with_options(
                options,
                ByBytes,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // Only a missing value fails, and all are given.
            Err(_) => Cache::with_weighter(64, MAX_BYTES, ByBytes),
        };
        Shortcuts {
            is_open,
            kept,
            once: (0..ONCE).map(|_| AtomicU64::new(0)).collect(),
            hashes: RandomState::new(),
            generation: AtomicU64::new(0),
        }
    }

    /// Routing has changed: nothing that is remembered counts any more.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells routing before a change from routing after it.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Whether a request has come before, as far as is known. From now on it has.
    fn has_come(&self, asked: &KeyRef<'_>) -> bool {
        let hash = self.hashes.hash_one(asked) | 1; // 0 is an empty place
        let place = &self.once[(hash >> 1) as usize % ONCE];
        place.swap(hash, Ordering::Relaxed) == hash
    }
}

impl Engine {
    /// The answer to a request (`method\0target\0name\0value…`) that has been answered before, if it is still the right one.
    pub fn begin_again(&self, head: &str, encrypted: bool) -> Option<Again> {
        let shortcuts = &self.shortcuts;
        // The log of decisions wants to see each of them made.
        if !shortcuts.is_open || tracing::enabled!(target: "ferronext::route", tracing::Level::DEBUG) {
            return None;
        }
        let plain = Plain::of(head)?;
        let shortcut = shortcuts.kept.get(&KeyRef::new(plain, encrypted))?;
        if shortcut.generation != shortcuts.generation() {
            return None;
        }
        let answer = match &shortcut.source {
            Source::Unknown | Source::Several => None,
            Source::Page(key, made_from) => {
                let page = self.cache.page(key)?;
                let is_good = ptr::eq(Arc::as_ptr(&page), made_from.as_ptr());
                (is_good && self.freshness(&page) == Freshness::Fresh).then(|| shortcut.answer.upgrade())?
            }
            Source::File(root, path, made_from) => {
                let file = self.files.current(self.root(*root), path)?;
                ptr::eq(Arc::as_ptr(&file), made_from.as_ptr()).then(|| shortcut.answer.upgrade())?
            }
            Source::Target(answer) => Some(Arc::clone(answer)),
        }?;
        Some(Again { answer, shortcut })
    }

    /// Remembers what a request was answered with. Out: the answer, which has a number now if it is to be remembered.
    pub(super) fn remember(&self, flight: &Flight, answered: Answered, generation: u64) -> Answered {
        if !self.shortcuts.is_open || flight.request.origin != Origin::Client {
            return answered;
        }
        let is_redirect =
            matches!(&flight.decision, Decision::Redirect(redirect) if redirect.reason != RedirectReason::Locale);
        let source = match (&answered, &flight.source) {
            (Answered::Ready(_), Source::Unknown | Source::Several) => return answered,
            (Answered::Ready(_), source) => source,
            (Answered::Once(_), _) if is_redirect => &Source::Unknown,
            (Answered::Once(_), _) => return answered,
        };
        let Some(plain) = Plain::of(flight.request.head()) else {
            return answered;
        };
        let asked = KeyRef::new(plain, flight.request.encrypted);
        if !self.shortcuts.has_come(&asked) {
            return answered;
        }
        let (answer, source) = match answered {
            Answered::Ready(answer) => (answer, source.clone()),
            Answered::Once(Answer { status, headers, body }) => {
                let answer = self.table.add(status, headers, body);
                (Arc::clone(&answer), Source::Target(answer))
            }
        };
        let shortcut = Shortcut {
            answer: Arc::downgrade(&answer),
            source,
            label: label::label_of(flight).into(),
            generation,
        };
        self.shortcuts.kept.insert(asked.owned(), Arc::new(shortcut));
        Answered::Ready(answer)
    }
}

/// An answer that came by a shortcut.
#[derive(Debug)]
pub struct Again {
    /// The answer.
    pub answer: Arc<Prepared>,
    shortcut: Arc<Shortcut>,
}

impl Again {
    /// What the request is called in metrics and logs.
    pub fn label(&self) -> &str {
        &self.shortcut.label
    }
}

/// What a request was answered with.
pub(super) enum Answered {
    /// An answer that has a number.
    Ready(Arc<Prepared>),
    /// An answer for this request.
    Once(Answer),
}
