//! How long a prerendered answer may be served.
//!
//! In: when an answer was made, its lifetime, its tags, and the time. Out: whether it is fresh. Upstream counts the same way
//! in `next/dist/server/lib/incremental-cache/index.js` (`get`, `calculateRevalidate`) and `tags-manifest.external.js`.

use std::collections::HashMap;
use std::sync::RwLock;

/// The lifetime of an answer, as rendering it decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lifetime {
    /// Seconds until the answer is stale; `None` is never.
    pub revalidate: Option<f64>,
    /// Seconds until a stale answer must not be served any more; `None` is not limited.
    pub expire: Option<f64>,
}

impl Lifetime {
    /// Whether an answer made at `made_ms` is still fresh at `now_ms` (milliseconds since 1970).
    pub fn is_fresh(&self, made_ms: u64, now_ms: u64) -> bool {
        match self.revalidate {
            None => true,
            Some(seconds) => (now_ms as f64) <= made_ms as f64 + seconds * 1000.0,
        }
    }

    /// The value of `Cache-Control` (`next/dist/server/lib/cache-control.js`).
    pub fn cache_control(&self) -> String {
        /// Upstream's stand-in for "never": one year in seconds (`CACHE_ONE_YEAR_SECONDS`).
        const ONE_YEAR: u32 = 31_536_000;
        match (self.revalidate, self.expire) {
            (None, _) => format!("s-maxage={ONE_YEAR}"),
            (Some(revalidate), Some(expire)) if revalidate < expire => {
                format!("s-maxage={revalidate}, stale-while-revalidate={}", expire - revalidate)
            }
            (Some(revalidate), _) => format!("s-maxage={revalidate}"),
        }
    }
}

/// When each tag was last revalidated in this process. Empty until somebody revalidates one.
#[derive(Debug, Default)]
pub struct Tags {
    revalidated_ms: RwLock<HashMap<String, u64>>,
}

impl Tags {
    /// Records that `tags` were revalidated at `now_ms`.
    pub fn revalidate<I: IntoIterator<Item = String>>(&self, tags: I, now_ms: u64) {
        let mut revalidated = self
            .revalidated_ms
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        for tag in tags {
            revalidated.insert(tag, now_ms);
        }
    }

    /// Whether any of `tags` was revalidated at or after `made_ms`. The same millisecond counts: asking the compiled entry
    /// once too often is harmless, serving an answer that was revalidated is not.
    pub fn any_since(&self, tags: &[String], made_ms: u64) -> bool {
        let revalidated = self
            .revalidated_ms
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        !revalidated.is_empty()
            && tags
                .iter()
                .any(|tag| revalidated.get(tag).is_some_and(|&at| at >= made_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(revalidate: Option<f64>, expire: Option<f64>) -> Lifetime {
        Lifetime { revalidate, expire }
    }

    #[test]
    fn cache_control_is_upstreams() {
        let table = [
            (None, None, "s-maxage=31536000"),
            (Some(5.0), None, "s-maxage=5"),
            (
                Some(5.0),
                Some(31_536_000.0),
                "s-maxage=5, stale-while-revalidate=31535995",
            ),
            (Some(10.0), Some(10.0), "s-maxage=10"),
        ];
        for (revalidate, expire, expected) in table {
            assert_eq!(lifetime(revalidate, expire).cache_control(), expected);
        }
    }

    #[test]
    fn an_answer_is_fresh_until_its_time_has_passed() {
        let five = lifetime(Some(5.0), None);
        assert!(five.is_fresh(1_000, 6_000));
        assert!(!five.is_fresh(1_000, 6_001));
        assert!(lifetime(None, None).is_fresh(0, u64::MAX));
    }

    #[test]
    fn a_revalidated_tag_ends_older_answers_only() {
        let tags = Tags::default();
        let of = |tag: &str| vec![tag.to_owned()];
        tags.revalidate(of("a"), 100);
        assert!(tags.any_since(&of("a"), 99));
        assert!(tags.any_since(&of("a"), 100));
        assert!(!tags.any_since(&of("a"), 101));
        assert!(!tags.any_since(&of("b"), 0));
    }
}
