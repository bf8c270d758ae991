//! Targets that were answered before, and need not be routed again.
//!
//! In: a request that says nothing but what it wants ([`CacheableRequest`]). Out: the [`FastPath`] that a request like it left, if any.
//! Whether an answer is still good is not known here; `pipeline/fast_path.rs` asks that of where it came from.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::provenance::Source;
use crate::answer::registry::{EntryCall, Prepared};
use crate::request::CacheableRequest;
use crate::source::bounded::{self, Bounds};

/// Bytes of remembered targets: some 30,000.
const MAX_BYTES: u64 = 8 << 20;

/// What a remembered target takes beside its text: key, value and the cache's own.
const OVERHEAD: u64 = 256;

/// What the call of an entry takes beside that: some thirty small texts.
const CALL: u64 = 1536;

/// How many targets are known to have come once. Two that share a place are as if only the later one had come.
const ONCE: usize = 4096;

/// Fast paths by what a request asks for.
pub(crate) struct FastPaths {
    /// Whether the app's rules look at targets alone; there are no fast paths else.
    is_enabled: bool,
    kept: Cache<Key, Arc<FastPath>, ByBytes>,
    /// Hashes of what has come once.
    once: Box<[AtomicU64]>,
    hashes: RandomState,
    /// Changes when routing does.
    generation: AtomicU64,
}

/// An answer without routing.
#[derive(Debug)]
pub(crate) struct FastPath {
    pub target: FastPathTarget,
    /// The route of the request in metrics and logs.
    pub label: Box<str>,
    generation: u64,
}

/// What a fast path leads to.
#[derive(Debug)]
pub(crate) enum FastPathTarget {
    /// An answer, if it is still what its source gives.
    Answer(Weak<Prepared>, Source),
    /// An answer that follows from the target alone.
    Fixed(Arc<Prepared>),
    /// The call of an entry.
    Entry(Arc<EntryCall>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    encrypted: bool,
    is_subresource: bool,
    target: Box<str>,
    accept_encoding: Box<str>,
    accept: Box<str>,
}

/// A key that is not owned; hashes as [`Key`] does.
#[derive(Hash)]
pub(crate) struct KeyRef<'a> {
    encrypted: bool,
    is_subresource: bool,
    target: &'a str,
    accept_encoding: &'a str,
    accept: &'a str,
}

impl<'a> KeyRef<'a> {
    pub fn new(request: CacheableRequest<'a>, encrypted: bool) -> Self {
        KeyRef {
            encrypted,
            is_subresource: request.is_subresource,
            target: request.target,
            accept_encoding: request.accept_encoding,
            accept: request.accept,
        }
    }

    pub fn owned(&self) -> Key {
        Key {
            encrypted: self.encrypted,
            is_subresource: self.is_subresource,
            target: self.target.into(),
            accept_encoding: self.accept_encoding.into(),
            accept: self.accept.into(),
        }
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.encrypted == key.encrypted
            && self.is_subresource == key.is_subresource
            && self.target == &*key.target
            && self.accept_encoding == &*key.accept_encoding
            && self.accept == &*key.accept
    }
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Arc<FastPath>> for ByBytes {
    fn weight(&self, key: &Key, fast_path: &Arc<FastPath>) -> u64 {
        let texts = (key.target.len() + key.accept_encoding.len() + key.accept.len()) as u64;
        match &fast_path.target {
            FastPathTarget::Entry(_) => CALL + 4 * texts,
            FastPathTarget::Answer(..) | FastPathTarget::Fixed(_) => OVERHEAD + texts,
        }
    }
}

impl FastPaths {
    /// None yet, and none ever unless `is_enabled`.
    pub fn new(is_enabled: bool) -> FastPaths {
        let weight = if is_enabled { MAX_BYTES } else { 0 };
        let bounds = Bounds {
            weight,
            entries: (weight / OVERHEAD).max(64),
            parts: 4,
        };
        FastPaths {
            is_enabled,
            kept: bounded::cache(bounds, ByBytes),
            once: (0..ONCE).map(|_| AtomicU64::new(0)).collect(),
            hashes: RandomState::new(),
            generation: AtomicU64::new(0),
        }
    }

    /// Routing has changed: no fast path is valid any more.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells routing before a change from routing after it.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Whether there can be any.
    pub fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// The fast path of a request, if routing has not changed since.
    pub fn get(&self, key: &KeyRef<'_>) -> Option<Arc<FastPath>> {
        let fast_path = self.kept.get(key)?;
        (fast_path.generation == self.generation()).then_some(fast_path)
    }

    /// Remembers where a request led, as routing was in `generation`.
    pub fn insert(&self, key: Key, target: FastPathTarget, label: &str, generation: u64) {
        let fast_path = FastPath {
            target,
            label: label.into(),
            generation,
        };
        self.kept.insert(key, Arc::new(fast_path));
    }

    /// Whether a request has come before, as far as is known. From now on it has.
    pub fn has_come(&self, asked: &KeyRef<'_>) -> bool {
        let hash = self.hashes.hash_one(asked) | 1; // 0 is an empty place
        let place = &self.once[(hash >> 1) as usize % ONCE];
        place.swap(hash, Ordering::Relaxed) == hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_once_is_known() {
        let fast_paths = FastPaths::new(true);
        let asked = |target| KeyRef::new(CacheableRequest::of(target).unwrap(), false);
        assert!(!fast_paths.has_come(&asked("GET\0/a")));
        assert!(fast_paths.has_come(&asked("GET\0/a")));
        assert!(!fast_paths.has_come(&asked("GET\0/b")));
        assert!(!fast_paths.has_come(&asked("GET\0/a\0Accept-Encoding\0gzip")));
        let key = asked("GET\0/a").owned();
        assert!(asked("GET\0/a").equivalent(&key) && !asked("GET\0/b").equivalent(&key));
    }
}
