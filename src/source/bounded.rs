//! Caches that are bounded by weight.
//!
//! In: how much there is room for. Out: an empty cache of `quick_cache` for it, which drops the least valuable first.

use std::hash::Hash;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

/// How much a cache keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The weight of everything. Nothing is kept if it is 0.
    pub weight: u64,
    /// How many entries that will come to; only sizes the index.
    pub entries: u64,
    /// Parts that are locked apart. They split the weight evenly, and what is heavier than a part is not kept.
    pub parts: u64,
}

/// An empty cache.
pub fn cache<K: Eq + Hash, V: Clone, W: Weighter<K, V> + Clone>(bounds: Bounds, weighter: W) -> Cache<K, V, W> {
    let Bounds { weight, entries, parts } = bounds;
    let options = OptionsBuilder::new()
        .weight_capacity(weight)
        .estimated_items_capacity(entries as usize)
        .shards(parts as usize)
        .build();
    match options {
        Ok(options) => Cache::with_options(
            options,
            weighter,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        ),
        // Only a missing value fails, and all are given.
        Err(_) => Cache::with_weighter(entries as usize, weight, weighter),
    }
}
