//! How long a prerendered answer may be served.
//!
//! In: when an answer was made, its lifetime, and the time. Out: whether it is fresh. Upstream counts the same way in
//! `next/dist/server/lib/incremental-cache/index.js` (`get`, `calculateRevalidate`). What tags add stands in `tags.rs`.

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
    /// It is served once more, while it is revalidated.
    Stale,
    /// It is not served any more: requests wait for a new one.
    Expired,
}

impl Lifetime {
    /// What may be done at `now_ms` with an answer made at `created_at_ms` (milliseconds since 1970).
    pub fn freshness(&self, created_at_ms: u64, now_ms: u64, expire_blocks: bool) -> Freshness {
        let is_past = |seconds: f64| now_ms as f64 > created_at_ms as f64 + seconds * 1000.0;
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
}
