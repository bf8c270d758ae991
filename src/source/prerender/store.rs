//! What is kept in memory.
//!
//! In: keys and values. Out: the value of a key. Bounded by bytes; the least valuable values go first. Values are shared, so
//! they are cheap to clone.

use std::time::Duration;

use quick_cache::sync::{Cache, EntryAction, EntryResult};
use quick_cache::Weighter;

use crate::source::bounded::{self, Bounds};

/// Something that takes room in memory.
pub trait Weigh {
    /// Bytes of memory.
    fn weight(&self) -> usize;
}

#[derive(Clone)]
struct ByBytes;

impl<V: Weigh> Weighter<String, V> for ByBytes {
    fn weight(&self, key: &String, value: &V) -> u64 {
        (key.len() + value.weight()) as u64
    }
}

/// Values by key, bounded by bytes.
pub struct Store<V> {
    values: Cache<String, V, ByBytes>,
}

/// A part of the store is locked on its own and bounded on its own, so a value that is heavier than a part is not kept. This
/// leaves room for any page in practice.
const PART: u64 = 16 * 1024 * 1024;

/// More locks than this do not help the few threads that a process has.
const MAX_PARTS: u64 = 8;

impl<V: Weigh + Clone> Store<V> {
    /// A store for at most `max_bytes`; nothing is kept if that is 0.
    pub fn new(max_bytes: u64) -> Self {
        /// What an average page weighs with its variants; only sizes the index.
        const AVERAGE: u64 = 32 * 1024;
        let bounds = Bounds {
            weight: max_bytes,
            entries: (max_bytes / AVERAGE).max(64),
            parts: (max_bytes / PART).clamp(1, MAX_PARTS),
        };
        Store {
            values: bounded::cache(bounds, ByBytes),
        }
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<V> {
        self.values.get(key)
    }

    /// Keeps `value` under `key`, in place of what was there.
    pub fn insert(&self, key: String, value: V) {
        self.values.insert(key, value);
    }

    /// Keeps `value` under `key` unless something has come there before. Out: what counts from now on.
    pub fn insert_if_absent(&self, key: &str, value: V) -> V {
        let mut made = Some(value);
        let kept: Result<V, ()> = self.values.get_or_insert_with(key, || made.take().ok_or(()));
        match (kept, made) {
            (Ok(value), _) | (Err(()), Some(value)) => value,
            (Err(()), None) => unreachable!("the value was taken only to be kept"),
        }
    }

    /// Puts `value` in the place of the value of `key`, if that is the one which is `meant`.
    pub fn replace_if(&self, key: &str, meant: impl FnOnce(&V) -> bool, value: V) {
        let replaced = self.values.entry(key, Some(Duration::ZERO), |_, current| {
            // The old value goes out of the lock to be dropped.
            EntryAction::Retain(meant(current).then(|| std::mem::replace(current, value)))
        });
        if let EntryResult::Retained(Some(old)) = replaced {
            drop(old);
        }
    }

    /// Whether there is hardly room for more.
    pub fn is_nearly_full(&self) -> bool {
        self.values.weight() > self.values.capacity() / 5 * 4
    }

    /// Keys in memory and the bytes of their values.
    pub fn usage(&self) -> (usize, u64) {
        (self.values.len(), self.values.weight())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Debug)]
    struct Page(usize);

    impl Weigh for Arc<Page> {
        fn weight(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn what_came_first_stays_unless_it_is_replaced() {
        let store = Store::new(1 << 20);
        assert!(store.get("a").is_none());
        assert_eq!(store.insert_if_absent("a", Arc::new(Page(10))).0, 10);
        assert_eq!(store.insert_if_absent("a", Arc::new(Page(20))).0, 10);
        store.insert("a".into(), Arc::new(Page(30)));
        assert_eq!(store.get("a").unwrap().0, 30);
    }

    #[test]
    fn memory_stays_under_its_limit() {
        let store = Store::new(100_000);
        for index in 0..1000 {
            store.insert(format!("key{index}"), Arc::new(Page(1_000)));
        }
        assert!(store.usage().1 <= 100_000);
        assert!(store.usage().1 > 50_000);
    }

    #[test]
    fn a_value_is_replaced_only_if_it_is_the_one_that_is_meant() {
        let store = Store::new(1 << 20);
        store.replace_if("a", |_| true, Arc::new(Page(1)));
        assert!(store.get("a").is_none());
        store.insert("a".into(), Arc::new(Page(10)));
        store.replace_if("a", |page: &Arc<Page>| page.0 == 20, Arc::new(Page(1)));
        assert_eq!(store.get("a").unwrap().0, 10);
        let before = store.usage().1;
        store.replace_if("a", |page: &Arc<Page>| page.0 == 10, Arc::new(Page(1)));
        assert_eq!(store.get("a").unwrap().0, 1);
        assert_eq!(store.usage().1, before - 9);
    }

    #[test]
    fn a_store_of_nothing_keeps_nothing() {
        let store = Store::new(0);
        assert_eq!(store.insert_if_absent("a", Arc::new(Page(10))).0, 10);
        store.insert("b".into(), Arc::new(Page(10)));
        assert!(store.get("a").is_none() && store.get("b").is_none());
    }
}
