//! The entries in memory.
//!
//! In: storage keys and entries. Out: the entry of a key. Bounded by bytes; the least valuable entries go first. Entries
//! are shared, never copied. Written by the build's files and by what compiled entries hand to the cache handler.

use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::Weighter;

use super::entry::Entry;

/// What the memory knows of a key.
#[derive(Debug, Clone)]
pub enum Lookup<E> {
    /// The entry.
    Hit(Arc<E>),
    /// There is an entry nobody may be given: the compiled entry decides what happens with this key.
    Withdrawn,
    /// Nothing: look on disk.
    Unknown,
}

/// Something that takes room in the cache.
pub trait Weigh {
    /// Bytes of memory.
    fn weight(&self) -> usize;
}

impl Weigh for Entry {
    fn weight(&self) -> usize {
        Entry::weight(self)
    }
}

/// A slot of the cache; `None` is a withdrawn key.
type Slot<E> = Option<Arc<E>>;

#[derive(Clone)]
struct ByBytes;

impl<E: Weigh> Weighter<String, Slot<E>> for ByBytes {
    fn weight(&self, key: &String, slot: &Slot<E>) -> u64 {
        // A withdrawn key still costs its index entry.
        const WITHDRAWN: usize = 128;
        (key.len() + slot.as_ref().map_or(WITHDRAWN, |entry| entry.weight())) as u64
    }
}

/// Entries by storage key, bounded by bytes.
pub struct Store<E: Weigh> {
    entries: Cache<String, Slot<E>, ByBytes>,
}

impl<E: Weigh> Store<E> {
    /// A store for at most `max_bytes` of entries.
    pub fn new(max_bytes: u64) -> Self {
        /// What an average page weighs with its variants; only sizes the index.
        const AVERAGE: u64 = 32 * 1024;
        let expected = (max_bytes / AVERAGE).max(64) as usize;
        Store {
            entries: Cache::with_weighter(expected, max_bytes.max(1), ByBytes),
        }
    }

    /// What the memory knows of `key`.
    pub fn lookup(&self, key: &str) -> Lookup<E> {
        match self.entries.get(key) {
            Some(Some(entry)) => Lookup::Hit(entry),
            Some(None) => Lookup::Withdrawn,
            None => Lookup::Unknown,
        }
    }

    /// Keeps `entry` under `key`, in place of what was there.
    pub fn insert(&self, key: String, entry: Arc<E>) {
        self.entries.insert(key, Some(entry));
    }

    /// Nobody gets the entry of `key` any more until a new one is inserted.
    pub fn withdraw(&self, key: String) {
        self.entries.insert(key, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Page(usize);

    impl Weigh for Page {
        fn weight(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn withdrawn_is_not_unknown() {
        let store = Store::new(1 << 20);
        assert!(matches!(store.lookup("a"), Lookup::Unknown));
        store.insert("a".into(), Arc::new(Page(10)));
        assert!(matches!(store.lookup("a"), Lookup::Hit(page) if page.0 == 10));
        store.withdraw("a".into());
        assert!(matches!(store.lookup("a"), Lookup::Withdrawn));
    }

    #[test]
    fn memory_stays_under_its_limit() {
        let store = Store::new(100_000);
        for index in 0..1000 {
            store.insert(format!("key{index}"), Arc::new(Page(1_000)));
        }
        assert!(store.entries.weight() <= 100_000);
    }
}
