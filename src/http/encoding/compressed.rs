//! The compressed variants of a body that is sent often.
//!
//! In: a body, and the coding that a client accepts. Out: its variant in that coding. No request waits for the best one: the first gets one
//! that is compressed fast, once for all requests of that moment, while a thread of low priority makes the best one. Later requests get that.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;

use super::{background, compress, Coding, Level};
use crate::http::headers::HeaderList;

/// A body under a content coding.
#[derive(Debug, Clone)]
pub enum CompressedVariant {
    /// Good enough to be sent, not to be kept.
    Fast(Bytes),
    /// As small as it gets.
    Best(Bytes),
    /// The encoder has failed. The body goes out as it is.
    Failed,
}

impl CompressedVariant {
    /// The bytes.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            CompressedVariant::Fast(bytes) | CompressedVariant::Best(bytes) => Some(bytes),
            CompressedVariant::Failed => None,
        }
    }
}

/// The compressed variants of one body, or of the variants `K` of one page.
#[derive(Debug)]
pub struct CompressedVariants<K = ()> {
    inner: Arc<Inner<K>>,
}

#[derive(Debug)]
struct Inner<K> {
    kept: RwLock<HashMap<(K, Coding), VariantSlot>>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct VariantSlot {
    variant: CompressedVariant,
    /// Whether the best variant is being made.
    ordered: bool,
}

/// Another handle of the same variants.
impl<K> Clone for CompressedVariants<K> {
    fn clone(&self) -> Self {
        CompressedVariants {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<K> Default for CompressedVariants<K> {
    fn default() -> Self {
        CompressedVariants {
            inner: Arc::new(Inner {
                kept: RwLock::default(),
                turn: tokio::sync::Mutex::default(),
            }),
        }
    }
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> CompressedVariants<K> {
    /// The variant of `body` that is there now.
    pub fn get(&self, key: &K, coding: Coding, body: &Bytes) -> Option<CompressedVariant> {
        // Keys of pages are short; the clone spares a second map.
        let slot = (key.clone(), coding);
        let (variant, ordered) = self
            .inner
            .read()
            .get(&slot)
            .map(|slot| (slot.variant.clone(), slot.ordered))?;
        if !ordered {
            self.order(slot, body);
        }
        Some(variant)
    }

    /// Puts the variant of `body` that is there in its place; without one in that coding the body goes out as it is. Out: whether a better
    /// one will come. `None`: there is none yet, call [`CompressedVariants::prepare`].
    pub fn apply(&self, key: &K, coding: Coding, headers: &mut HeaderList, body: &mut Bytes) -> Option<bool> {
        match self.get(key, coding, body)? {
            CompressedVariant::Fast(fast) => {
                *body = fast;
                return Some(true);
            }
            CompressedVariant::Best(best) => *body = best,
            CompressedVariant::Failed => {
                headers.remove("content-encoding");
            }
        }
        Some(false)
    }

    /// The same where the body itself is not at hand: no better variant is asked for.
    pub fn apply_kept(&self, key: &K, coding: Coding, body: &mut Bytes) -> Option<bool> {
        let kept = self.inner.read();
        let slot = kept.get(&(key.clone(), coding))?;
        *body = slot.variant.bytes()?.clone();
        Some(slot.ordered && matches!(slot.variant, CompressedVariant::Fast(_)))
    }

    /// Whether there is a variant of `key` in any coding.
    pub fn has(&self, key: &K) -> bool {
        let is_one = |((of, _), slot): (&(K, Coding), &VariantSlot)| of == key && slot.variant.bytes().is_some();
        self.inner.read().iter().any(is_one)
    }

    /// Bytes of memory that the variants take.
    pub fn weight(&self) -> usize {
        let kept = self.inner.read();
        kept.values()
            .filter_map(|slot| slot.variant.bytes())
            .map(Bytes::len)
            .sum()
    }

    /// Waits until there is a variant to send, and has the best one made. Of the callers that come while there is none, one does the
    /// work. Must be called on a tokio runtime.
    pub async fn prepare(&self, key: K, coding: Coding, body: &Bytes) {
        let _turn = self.inner.turn.lock().await;
        let slot = (key, coding);
        if !self.inner.read().contains_key(&slot) {
            let plain = body.clone();
            let work = tokio::task::spawn_blocking(move || compress(coding, &plain, Level::Quick));
            let variant = match work.await {
                Ok(Ok(bytes)) => CompressedVariant::Fast(bytes),
                Ok(Err(error)) => {
                    tracing::error!("A body could not be compressed: {error}");
                    CompressedVariant::Failed
                }
                // The runtime ends.
                Err(_) => CompressedVariant::Failed,
            };
            let ordered = matches!(variant, CompressedVariant::Failed);
            self.inner
                .write()
                .insert(slot.clone(), VariantSlot { variant, ordered });
        }
        self.order(slot, body);
    }

    /// Has the best variant made, unless that was asked for. When too much is waiting, the next request asks again.
    fn order(&self, slot: (K, Coding), body: &Bytes) {
        {
            let mut kept = self.inner.write();
            match kept.get_mut(&slot) {
                Some(slot) if !slot.ordered => slot.ordered = true,
                _ => return,
            }
        }
        // The owner of the body may be gone by then: a page that was rendered again, a file that was replaced.
        let (inner, body, again) = (Arc::downgrade(&self.inner), body.clone(), slot.clone());
        let taken = background::run(move || {
            let Some(inner) = inner.upgrade() else { return };
            if let Ok(best) = compress(slot.1, &body, Level::Stored) {
                if let Some(slot) = inner.write().get_mut(&slot) {
                    slot.variant = CompressedVariant::Best(best);
                }
            }
        });
        if !taken {
            if let Some(slot) = self.inner.write().get_mut(&again) {
                slot.ordered = false;
            }
        }
    }
}

impl<K> Inner<K> {
    fn read(&self) -> RwLockReadGuard<'_, HashMap<(K, Coding), VariantSlot>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<(K, Coding), VariantSlot>> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoder::tests::{decode, text, CODINGS};
    use super::*;

    #[tokio::test]
    async fn the_first_gets_a_quick_form_and_the_next_the_best() {
        for coding in CODINGS {
            let forms = CompressedVariants::default();
            let body = Bytes::from(text());
            assert!(forms.get(&(), coding, &body).is_none());
            forms.prepare((), coding, &body).await;
            let first = forms.get(&(), coding, &body).unwrap().bytes().unwrap().clone();
            assert_eq!(decode(coding, &first), body);
            background::done().await;
            let Some(CompressedVariant::Best(best)) = forms.get(&(), coding, &body) else {
                panic!("{coding:?}")
            };
            assert_eq!(decode(coding, &best), body);
            assert!(best.len() < first.len() || coding == Coding::Brotli && best.len() <= first.len());
        }
    }

    #[tokio::test]
    async fn what_found_no_place_in_the_queue_is_asked_for_again() {
        let forms = CompressedVariants::default();
        let body = Bytes::from(text());
        let fast = CompressedVariant::Fast(compress(Coding::Gzip, &body, Level::Quick).unwrap());
        let slot = VariantSlot {
            variant: fast,
            ordered: false,
        };
        forms.inner.write().insert(((), Coding::Gzip), slot);
        let get = || forms.get(&(), Coding::Gzip, &body);
        assert!(matches!(get(), Some(CompressedVariant::Fast(_))));
        background::done().await;
        assert!(matches!(get(), Some(CompressedVariant::Best(_))));
    }

    #[tokio::test]
    async fn who_comes_at_once_shares_one_form() {
        let forms = Arc::new(CompressedVariants::default());
        let body = Bytes::from(text());
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (forms, body) = (Arc::clone(&forms), body.clone());
                tokio::spawn(async move {
                    forms.prepare("key", Coding::Gzip, &body).await;
                    forms
                        .get(&"key", Coding::Gzip, &body)
                        .is_some_and(|form| form.bytes().is_some())
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap());
        }
        assert_eq!(forms.inner.read().len(), 1);
    }
}
