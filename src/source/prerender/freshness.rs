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

/// What may be done with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// It is served.
    Fresh,
    /// It is served once more, while it is rendered anew.
    Stale,
    /// Nobody gets it any more: requests wait for a new one.
    Expired,
}

impl Lifetime {
    /// What may be done at `now_ms` with an answer made at `made_ms` (milliseconds since 1970).
    pub fn freshness(&self, made_ms: u64, now_ms: u64, expire_blocks: bool) -> Freshness {
        let is_past = |seconds: f64| now_ms as f64 > made_ms as f64 + seconds * 1000.0;
        if expire_blocks && self.expire.is_some_and(is_past) {
            Freshness::Expired
        } else if self.revalidate.is_some_and(is_past) {
            Freshness::Stale
        } else {
            Freshness::Fresh
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

/// When each tag was revalidated in this process. Empty until somebody revalidates one.
#[derive(Debug, Default)]
pub struct Tags {
    revalidated: RwLock<HashMap<String, Revalidated>>,
}

/// What became of a tag. Both may be set: a tag can be stale now and expire later.
#[derive(Debug, Default, Clone, Copy)]
struct Revalidated {
    stale_ms: Option<u64>,
    expired_ms: Option<u64>,
}

/// How a tag is revalidated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TagRevalidation {
    /// Answers with the tag are not served any more.
    Now,
    /// They are stale; after this many seconds, if any are given, they are not served any more.
    Stale(Option<f64>),
}

impl Tags {
    /// Records that `tags` were revalidated at `now_ms`.
    pub fn revalidate<I: IntoIterator<Item = String>>(&self, tags: I, how: TagRevalidation, now_ms: u64) {
        let mut revalidated = self
            .revalidated
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        for tag in tags {
            let state = revalidated.entry(tag).or_default();
            match how {
                TagRevalidation::Now => state.expired_ms = Some(now_ms),
                TagRevalidation::Stale(expire) => {
                    state.stale_ms = Some(now_ms);
                    if let Some(seconds) = expire {
                        state.expired_ms = Some(now_ms.saturating_add((seconds * 1000.0) as u64));
                    }
                }
            }
        }
    }

    /// What the tags leave of an answer made at `made_ms`.
    pub fn freshness(&self, tags: &[String], made_ms: u64, now_ms: u64) -> Freshness {
        let revalidated = self.revalidated.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        if revalidated.is_empty() {
            return Freshness::Fresh;
        }
        let states = tags.iter().filter_map(|tag| revalidated.get(tag));
        let worst = states.map(|state| {
            // The same millisecond counts here, as it did upstream before 16: asking the compiled entry once too often is
            // harmless, serving an answer that was revalidated is not. A stale answer in doubt would be served as stale
            // until somebody renders it, so there it does not.
            if state.expired_ms.is_some_and(|at| at <= now_ms && at >= made_ms) {
                Freshness::Expired
            } else if state.stale_ms.is_some_and(|at| at > made_ms) {
                Freshness::Stale
            } else {
                Freshness::Fresh
            }
        });
        worst.max().unwrap_or(Freshness::Fresh)
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
    fn an_answer_is_fresh_then_stale_then_expired() {
        let five = lifetime(Some(5.0), Some(9.0));
        let at = |now_ms| five.freshness(1_000, now_ms, true);
        assert_eq!(at(6_000), Freshness::Fresh);
        assert_eq!(at(6_001), Freshness::Stale);
        assert_eq!(at(10_000), Freshness::Stale);
        assert_eq!(at(10_001), Freshness::Expired);
        // Where the expiry does not block, a stale answer is stale for ever.
        assert_eq!(five.freshness(1_000, u64::MAX, false), Freshness::Stale);
        assert_eq!(lifetime(None, None).freshness(0, u64::MAX, true), Freshness::Fresh);
    }

    #[test]
    fn a_revalidated_tag_ends_older_answers_only() {
        let tags = Tags::default();
        let of = |tag: &str, made_ms| tags.freshness(&[tag.to_owned()], made_ms, 1_000);
        tags.revalidate(["a".to_owned()], TagRevalidation::Now, 100);
        assert_eq!(of("a", 99), Freshness::Expired);
        assert_eq!(of("a", 100), Freshness::Expired);
        assert_eq!(of("a", 101), Freshness::Fresh);
        assert_eq!(of("b", 0), Freshness::Fresh);
    }

    #[test]
    fn a_tag_with_a_duration_is_stale_before_it_expires() {
        let tags = Tags::default();
        let at = |now_ms| tags.freshness(&["x".to_owned(), "a".to_owned()], 50, now_ms);
        tags.revalidate(["a".to_owned()], TagRevalidation::Stale(Some(2.0)), 100);
        assert_eq!(at(101), Freshness::Stale);
        assert_eq!(at(2_099), Freshness::Stale);
        assert_eq!(at(2_100), Freshness::Expired);
        tags.revalidate(["a".to_owned()], TagRevalidation::Stale(None), 100);
        assert_eq!(tags.freshness(&["a".to_owned()], 100, 101), Freshness::Fresh);
    }
}
