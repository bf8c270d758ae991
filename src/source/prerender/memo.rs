//! Results of functions that are marked `'use cache'`.
//!
//! In: keys that compiled entries make (build, function, arguments) and results as bytes, which only they read. Out: the same,
//! in any thread of the process. In memory only, as upstream's own handler keeps them
//! (`next/dist/server/lib/cache-handlers/default.js`). How old a result may be is for that interface to say
//! (`runtime/cache/use-cache-handler.js`).

use std::sync::Arc;

use bytes::Bytes;

use super::store::Weigh;

/// A result. All durations are in seconds, as the function gave them.
#[derive(Debug)]
pub struct Memo {
    /// The result, serialised.
    pub value: Bytes,
    /// Its tags.
    pub tags: Vec<String>,
    /// For how long a client may use it.
    pub stale: f64,
    /// When it was made, in milliseconds since 1970, with fractions.
    pub timestamp: f64,
    /// After which time it must not be used.
    pub expire: f64,
    /// After which time it should be made again.
    pub revalidate: f64,
}

impl Weigh for Arc<Memo> {
    fn weight(&self) -> usize {
        /// Struct and index.
        const OVERHEAD: usize = 256;
        OVERHEAD + self.value.len() + self.tags.iter().map(String::len).sum::<usize>()
    }
}
