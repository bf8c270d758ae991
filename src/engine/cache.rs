//! The cache of one build: what its pages, route handlers and data have left, in memory and on disk.
//!
//! In: addresses of requests, and the keys of compiled entries. Out: pages that can be answered from, and values for entries
//! that render. Both sides see the same answers. What may be done with an answer stands in `source/prerender`; this file says
//! where it is.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{now_ms, Engine};
use crate::answer::page::{CachePolicy, Page};
use crate::build::{Build, RouteOwner};
use crate::config::NextConfig;
use crate::route::{Address, EntryKind};
use crate::source::prerender::files::Turn;
use crate::source::prerender::store::Weigh;
use crate::source::prerender::{
    Data, DataDisk, Disk, Entry, EntryShape, Format, Freshness, Lifetime, Naming, Outcome, SingleFlight, Store, Tags,
};

/// Everything of a build that is cached.
pub(crate) struct Cache {
    kept: Store<CachedValue>,
    naming: Arc<Naming>,
    disk: Disk,
    data: DataDisk,
    /// Whether anything is written (`experimental.isrFlushToDisk`).
    writes: bool,
    told_read_only: AtomicBool,
    /// How long answers live that do not say so on disk. Upstream keeps them for as long as the process lives, too
    /// (`shared-cache-controls.external.js`).
    lifetimes: Mutex<HashMap<String, Lifetime>>,
    /// Revalidated tags are known to every build of the process, as upstream's are.
    pub tags: Arc<Tags>,
    /// The renders that are under way.
    pub renders: Arc<SingleFlight>,
}

/// One value in memory.
#[derive(Clone)]
enum CachedValue {
    Page(Arc<Page>),
    Data(Arc<Data>),
}

impl Weigh for CachedValue {
    fn weight(&self) -> usize {
        match self {
            CachedValue::Page(page) => page.weight(),
            CachedValue::Data(data) => data.weight(),
        }
    }
}

/// What a compiled entry gets when it asks for an answer.
#[derive(Debug)]
pub enum Recalled {
    /// The answer.
    Found(Arc<Page>),
    /// There is one that must not be used: one of its tags has expired.
    Expired,
    /// Memory holds none; it may be on disk.
    Unknown,
}

/// Something that was stored and is not on disk yet.
#[derive(Debug)]
pub struct Written {
    turn: Turn,
    what: What,
}

#[derive(Debug)]
enum What {
    Page(Arc<Page>, EntryShape),
    Data(Arc<Data>),
}

impl Cache {
    /// An empty memory over what is on disk.
    pub fn new(build: &Build, config: &NextConfig, tags: Arc<Tags>) -> Cache {
        let capabilities = &build.capabilities;
        let naming = Arc::new(if capabilities.scoped_cache_paths {
            Naming::by_route(build.app_paths.keys().chain(build.pages.keys()).map(String::as_str))
        } else {
            Naming::ByPath
        });
        let format = Format {
            prefetch_payloads: capabilities.prefetch_payloads,
            whole_payloads: capabilities.whole_payloads,
            pages_meta: capabilities.pages_meta,
            lifetimes: capabilities.stored_lifetimes,
        };
        Cache {
            kept: Store::new(config.cache_max_memory_size.max(0.0) as u64),
            disk: Disk::new(build.dist_dir.join("server"), Arc::clone(&naming), format),
            naming,
            data: DataDisk::new(build.dist_dir.join("cache").join("fetch-cache")),
            writes: config.experimental.isr_flush_to_disk.unwrap_or(true),
            told_read_only: AtomicBool::new(false),
            lifetimes: Mutex::default(),
            tags,
            renders: Arc::default(),
        }
    }

    /// The key in memory of the answer at an address.
    pub fn key(&self, address: &Address) -> String {
        self.naming.memory_key(address)
    }

    /// The answer in memory, which may be trimmed.
    pub fn page(&self, key: &str) -> Option<Arc<Page>> {
        match self.kept.get(key) {
            Some(CachedValue::Page(page)) => Some(page),
            _ => None,
        }
    }

    /// Leaves only the compressed variants of an answer in memory, if there is hardly room for more.
    pub fn trim(&self, key: &str, address: &Address, page: &Arc<Page>) {
        if page.is_trimmed() || !self.kept.is_nearly_full() {
            return;
        }
        if let Some(trimmed) = page.trimmed(address, key) {
            self.replace(key, page, Arc::new(trimmed));
        }
    }

    /// Keys in memory and the bytes of their values.
    pub fn usage(&self) -> (usize, u64) {
        self.kept.usage()
    }

    /// Keeps an answer that was read from disk, unless a newer one has come meanwhile. Out: the one that counts. It takes the place of a
    /// trimmed one, with what is compressed of that: clients want the bodies.
    fn keep_read(&self, key: &str, mut page: Page) -> Arc<Page> {
        page.set_on_disk();
        let trimmed = self.page(key).filter(|page| page.is_trimmed());
        if let Some(trimmed) = &trimmed {
            page.adopt_variants(trimmed);
        }
        let page = Arc::new(page);
        if let Some(trimmed) = trimmed {
            self.replace(key, &trimmed, Arc::clone(&page));
        }
        match self.kept.insert_if_absent(key, CachedValue::Page(Arc::clone(&page))) {
            CachedValue::Page(kept) if !kept.is_trimmed() => kept,
            _ => page,
        }
    }

    /// Puts an answer in the place of another, if that is still there.
    fn replace(&self, key: &str, old: &Arc<Page>, new: Arc<Page>) {
        let is_old = |current: &CachedValue| matches!(current, CachedValue::Page(current) if Arc::ptr_eq(current, old));
        self.kept.replace_if(key, is_old, CachedValue::Page(new));
    }

    /// Removes what processes that ended early have left on disk. Blocks.
    pub fn sweep(&self) {
        if self.writes {
            self.disk.sweep();
            self.data.sweep();
        }
    }

    fn lifetimes(&self) -> MutexGuard<'_, HashMap<String, Lifetime>> {
        self.lifetimes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a folder does not take files at all: it is the same for every file until the operator changes that.
fn takes_no_files(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(
        error.kind(),
        PermissionDenied | ReadOnlyFilesystem | NotADirectory | StorageFull | QuotaExceeded
    )
}

/// Keys of data begin so that they are never those of pages.
fn data_key(key: &str) -> String {
    format!("data\0{key}")
}

impl Engine {
    /// Reads the answer at an address from disk into memory. `None` when there is none to be had. Blocks.
    pub(crate) fn read_page(&self, address: &Address, key: &str) -> Option<Arc<Page>> {
        let cache = &self.cache;
        let storage_key = cache.naming.storage_key(address);
        let shape = EntryShape {
            partial: address.partial,
            fallback: address.fallback,
        };
        let entry = cache.disk.read(&storage_key, address.kind, shape, address.built)?;
        Some(self.keep_from_disk(key, &address.pathname, entry))
    }

    /// Reads a document that the build wrote and that is never rendered again. `file` lies below `.next/server`. Blocks.
    pub(crate) fn read_document(&self, file: &str, key: &str) -> Option<Arc<Page>> {
        let mut entry = Entry::new(EntryKind::Pages, Outcome::Rendered, now_ms());
        entry.html = std::fs::read(self.server_dir().join(file)).ok()?.into();
        Some(self.cache.keep_read(key, Page::new(entry, CachePolicy::Document)))
    }

    fn keep_from_disk(&self, key: &str, pathname: &str, entry: Entry) -> Arc<Page> {
        tracing::debug!(target: "ferronext::cache", "{pathname} read from disk");
        let policy = self.policy_of(key, pathname, &entry);
        self.cache.keep_read(key, Page::new(entry, policy))
    }

    /// How long an answer from disk lives: as it says itself, as it was last rendered, as the build says.
    fn policy_of(&self, key: &str, pathname: &str, entry: &Entry) -> CachePolicy {
        let own = entry.lifetime.or_else(|| self.cache.lifetimes().get(key).copied());
        if let Some(lifetime) = own {
            return CachePolicy::Known(self.rendered_lifetime(entry.kind, lifetime));
        }
        let manifest = &self.build.prerender;
        let router = match entry.kind {
            EntryKind::AppPage => RouteOwner::AppPage,
            EntryKind::AppRoute => RouteOwner::AppRoute,
            EntryKind::Pages => RouteOwner::Pages,
        };
        let built = manifest.routes.get(pathname).filter(|route| route.router == router);
        let initial = built.map(|route| (Some(route.initial_revalidate_seconds), route.initial_expire_seconds));
        let fallback = manifest.dynamic_routes.get(pathname);
        let said = initial.or_else(|| fallback.map(|route| (route.fallback_revalidate, route.fallback_expire)));
        match said {
            Some((Some(revalidate), expire)) => {
                let lifetime = Lifetime {
                    revalidate: revalidate.seconds(),
                    expire,
                };
                CachePolicy::Known(self.with_configured_expire(lifetime))
            }
            _ => CachePolicy::Unknown,
        }
    }

    /// The lifetime that a render gave.
    fn rendered_lifetime(&self, kind: EntryKind, lifetime: Lifetime) -> Lifetime {
        if kind == EntryKind::AppRoute && !self.build.capabilities.route_handlers_expire {
            return lifetime;
        }
        self.with_configured_expire(lifetime)
    }

    /// A lifetime that names no expiry has the configured one: manifests and renders before 16.1 leave it out.
    fn with_configured_expire(&self, lifetime: Lifetime) -> Lifetime {
        Lifetime {
            expire: lifetime
                .expire
                .or(self.config.expire_time.filter(|_| lifetime.revalidate.is_some())),
            ..lifetime
        }
    }

    /// The answer under the key of a compiled entry, from memory.
    pub fn recall(&self, storage_key: &str, kind: EntryKind) -> Recalled {
        match self.cache.page(&self.cache.naming.memory_key_of(storage_key, kind)) {
            // Entries want the bodies themselves.
            Some(page) if !page.is_trimmed() => self.unless_expired(page),
            _ => Recalled::Unknown,
        }
    }

    /// The answer under the key of a compiled entry, from disk. Blocks.
    pub fn recall_from_disk(&self, storage_key: &str, kind: EntryKind, shape: EntryShape) -> Recalled {
        let Some(entry) = self.cache.disk.read(storage_key, kind, shape, false) else {
            return Recalled::Unknown;
        };
        let key = self.cache.naming.memory_key_of(storage_key, kind);
        let pathname = self.cache.naming.pathname_of(storage_key).to_owned();
        self.unless_expired(self.keep_from_disk(&key, &pathname, entry))
    }

    fn unless_expired(&self, page: Arc<Page>) -> Recalled {
        let Entry {
            headers, created_at_ms, ..
        } = &page.entry;
        match self.cache.tags.freshness(&headers.tags, *created_at_ms, now_ms()) {
            Freshness::Expired => Recalled::Expired,
            Freshness::Fresh | Freshness::Stale => Recalled::Found(page),
        }
    }

    /// A compiled entry has stored an answer under `storage_key`. Out: what has to be written to disk, if anything. Of the
    /// engines of one build one `writes`.
    pub fn store(&self, storage_key: &str, entry: Entry, shape: EntryShape, writes: bool) -> Option<Written> {
        let kind = entry.kind;
        let key = self.cache.naming.memory_key_of(storage_key, kind);
        let policy = match entry.lifetime {
            Some(lifetime) => {
                // What can be read back from disk need not be remembered.
                if !self.build.capabilities.stored_lifetimes || kind == EntryKind::Pages {
                    self.cache.lifetimes().insert(key.clone(), lifetime);
                }
                CachePolicy::Known(self.rendered_lifetime(kind, lifetime))
            }
            None => self.policy_of(&key, self.cache.naming.pathname_of(storage_key), &entry),
        };
        tracing::debug!(target: "ferronext::cache", "{storage_key} stored");
        let page = Arc::new(Page::new(entry, policy));
        self.cache
            .kept
            .insert(key.clone(), CachedValue::Page(Arc::clone(&page)));
        self.cache.renders.answered(&key);
        let writes = writes && self.cache.writes;
        let turn = writes.then(|| self.cache.disk.turn(storage_key, kind))??;
        Some(Written {
            turn,
            what: What::Page(page, shape),
        })
    }

    /// The value of the data cache under `key`, from memory. `None` when memory holds none; it may be on disk.
    pub fn data(&self, key: &str) -> Option<Arc<Data>> {
        match self.cache.kept.get(&data_key(key)) {
            Some(CachedValue::Data(data)) => Some(data),
            _ => None,
        }
    }

    /// The value of the data cache under `key`, from disk. Blocks.
    pub fn data_from_disk(&self, key: &str) -> Option<Arc<Data>> {
        // Where nothing is written nothing is read either: it would be what another configuration left.
        let read = self.cache.writes.then(|| self.cache.data.read(key))??;
        let read = Arc::new(read);
        match self
            .cache
            .kept
            .insert_if_absent(&data_key(key), CachedValue::Data(Arc::clone(&read)))
        {
            CachedValue::Data(data) => Some(data),
            CachedValue::Page(_) => Some(read),
        }
    }

    /// Whether a value that was made at `created_at_ms` must not be used any more because of its tags.
    pub fn tags_expired(&self, tags: &[String], created_at_ms: u64) -> bool {
        self.cache.tags.freshness(tags, created_at_ms, now_ms()) == Freshness::Expired
    }

    /// A compiled entry has stored a value in the data cache. Out: what has to be written to disk, if anything.
    pub fn store_data(&self, key: &str, json: Bytes, writes: bool) -> Option<Written> {
        let data = Arc::new(Data::new(json, now_ms()));
        self.cache
            .kept
            .insert(data_key(key), CachedValue::Data(Arc::clone(&data)));
        let turn = (writes && self.cache.writes).then(|| self.cache.data.turn(key))??;
        Some(Written {
            turn,
            what: What::Data(data),
        })
    }

    /// Writes to disk what was stored. Blocks.
    ///
    /// # Errors
    /// When a file cannot be written. Memory has the value all the same.
    pub fn write(&self, written: &Written) -> io::Result<()> {
        let result = match &written.what {
            What::Page(page, shape) => {
                let result = self.cache.disk.write(&written.turn, &page.entry, *shape);
                if result.is_ok() {
                    page.set_on_disk();
                }
                result
            }
            What::Data(data) => self.cache.data.write(&written.turn, data),
        };
        match result {
            // A read-only mount is intended, and a full disk fails each time. It is logged once.
            Err(error) if takes_no_files(&error) => {
                if !self.cache.told_read_only.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "{} cannot be written ({error}). What is rendered at run time is kept in memory only.",
                        written.turn.name().display()
                    );
                }
                Ok(())
            }
            result => {
                // A disk that had no room has some again.
                if result.is_ok() && self.cache.told_read_only.load(Ordering::Relaxed) {
                    self.cache.told_read_only.store(false, Ordering::Relaxed);
                }
                result
            }
        }
    }
}
