//! When each cache tag was revalidated.
//!
//! In: tags that compiled entries revalidate, in whatever thread. Out: what they leave of an answer, and what has changed
//! since a thread last asked, so that upstream's code in every thread of the process knows the same. Upstream keeps this for
//! each thread: `next/dist/server/lib/incremental-cache/tags-manifest.external.js`.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::freshness::Freshness;

/// The revalidated tags of this process. Empty until one is revalidated.
#[derive(Debug, Default)]
pub struct Tags {
    version: AtomicU64,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    tags: HashMap<Arc<str>, (Revalidated, u64)>,
    /// The tags by the version in which they last changed.
    changes: BTreeMap<u64, Arc<str>>,
}

/// What became of a tag, in milliseconds since 1970. Both may be set: a tag can be stale now and expire later.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Revalidated {
    /// Answers made before are stale.
    pub stale_ms: Option<u64>,
    /// Answers made before are not served from this moment on.
    pub expired_ms: Option<u64>,
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
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut version = self.version.load(Ordering::Relaxed);
        for tag in tags {
            let tag: Arc<str> = tag.into();
            version += 1;
            let State { tags, changes } = &mut *state;
            let (revalidated, changed) = tags.entry(Arc::clone(&tag)).or_default();
            match how {
                TagRevalidation::Now => revalidated.expired_ms = Some(now_ms),
                TagRevalidation::Stale(expire) => {
                    revalidated.stale_ms = Some(now_ms);
                    if let Some(seconds) = expire {
                        revalidated.expired_ms = Some(now_ms.saturating_add((seconds * 1000.0) as u64));
                    }
                }
            }
            changes.remove(changed);
            *changed = version;
            changes.insert(version, tag);
        }
        // While the lock is held, so that a reader of the version finds the change.
        self.version.store(version, Ordering::Release);
    }

    /// A number that grows with each change.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The tags that have changed since `version`, and the version up to which that is all.
    pub fn changes_since(&self, version: u64) -> (Vec<(Arc<str>, Revalidated)>, u64) {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let changed = state.changes.range(version + 1..).filter_map(|(_, tag)| {
            let (revalidated, _) = state.tags.get(tag)?;
            Some((Arc::clone(tag), *revalidated))
        });
        (changed.collect(), self.version())
    }

    /// What the tags leave of an answer made at `created_at_ms`.
    pub fn freshness(&self, tags: &[String], created_at_ms: u64, now_ms: u64) -> Freshness {
        if self.version() == 0 {
            return Freshness::Fresh;
        }
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let known = tags.iter().filter_map(|tag| state.tags.get(tag.as_str()));
        let worst = known.map(|(tag, _)| {
            // The same millisecond counts here, as it did upstream before 16: asking the compiled entry once too often is
            // harmless, serving an answer that was revalidated is not. A stale answer in doubt would be served as stale
            // until it is rendered, so there it does not.
            if tag.expired_ms.is_some_and(|at| at <= now_ms && at >= created_at_ms) {
                Freshness::Expired
            } else if tag.stale_ms.is_some_and(|at| at > created_at_ms) {
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

    #[test]
    fn a_revalidated_tag_ends_older_answers_only() {
        let tags = Tags::default();
        let of = |tag: &str, created_at_ms| tags.freshness(&[tag.to_owned()], created_at_ms, 1_000);
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

    #[test]
    fn a_thread_learns_each_change_once() {
        let tags = Tags::default();
        let names = |version| {
            let (changes, next) = tags.changes_since(version);
            let names: Vec<String> = changes.iter().map(|(tag, _)| tag.to_string()).collect();
            (names.join(","), next)
        };
        assert_eq!(names(0), (String::new(), 0));
        tags.revalidate(["a".to_owned(), "b".to_owned()], TagRevalidation::Now, 1);
        assert_eq!(names(0), ("a,b".to_owned(), 2));
        tags.revalidate(["a".to_owned()], TagRevalidation::Stale(None), 2);
        assert_eq!(names(2), ("a".to_owned(), 3));
        assert_eq!(names(0), ("b,a".to_owned(), 3));
        let (changes, _) = tags.changes_since(2);
        assert_eq!(
            changes[0].1,
            Revalidated {
                stale_ms: Some(2),
                expired_ms: Some(1)
            }
        );
    }
}
