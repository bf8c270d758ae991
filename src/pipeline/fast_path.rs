//! Requests that are answered like one before them, without routing.
//!
//! In: a request that says nothing but what it wants ([`CacheableRequest`]). Out: the answer that a request like it got before, if what
//! that was made from is still what would be sent; or the same compiled entry, called in the same way. Routing depends on the target alone
//! then, and is what most of an answer from memory costs: 9 of 14 microseconds of processor time on a busy server, whose caches hold
//! Node's code and not Rust's.
//!
//! Whether an answer is still valid is asked of its source, the same cache of pages or files, so that revalidation, expiry, eviction and
//! changes on disk count here as they do elsewhere. A target is remembered when it comes for the second time.

use std::ptr;
use std::sync::Arc;

use super::image::found;
use super::label::label_of;
use crate::answer::image::Found;
use crate::answer::page::Page;
use crate::answer::registry::Prepared;
use crate::engine::{
    Answer, Engine, FastPathTarget, Key, KeyRef, Progress, Provenance, Repeated, RequestState, Source,
};
use crate::request::{is_heeded, CacheableRequest, Origin, SetBefore};
use crate::source::prerender::{Freshness, RunnerId};
use crate::source::render::Render;

impl Engine {
    /// What becomes of a request (`method\0target\0name\0value…`) that is like one that has come before. `None` if it has to be
    /// routed. `name` receives its route if it can be answered at once.
    pub fn begin_fast(
        &self,
        head: &str,
        encrypted: bool,
        runner: RunnerId,
        name: impl FnOnce(&str),
    ) -> Option<Progress> {
        // The log of decisions wants to see each of them made.
        if !self.fast_paths.is_enabled() || tracing::enabled!(target: "ferronext::route", tracing::Level::DEBUG) {
            return None;
        }
        let request = CacheableRequest::of(head)?;
        let fast_path = self.fast_paths.get(&KeyRef::new(request, encrypted))?;
        if self.uses_preset_headers(&fast_path.target, request.set_before) {
            return None;
        }
        let answer = match &fast_path.target {
            FastPathTarget::Answer(answer, source) => self.is_current(source).then(|| answer.upgrade())??,
            FastPathTarget::Fixed(answer) => Arc::clone(answer),
            FastPathTarget::Entry(call) => {
                let repeated = Repeated::new(head.to_owned(), encrypted, runner, Arc::clone(call));
                return Some(Progress::Slot(self.requests.insert_repeated(repeated)));
            }
        };
        name(&fast_path.label);
        Some(Progress::Answer(answer))
    }

    /// Whether the answer differs for what the user's server has set on the response.
    fn uses_preset_headers(&self, target: &FastPathTarget, set_before: SetBefore<'_>) -> bool {
        let page = match target {
            FastPathTarget::Answer(_, Source::Page(_, page)) => page.upgrade(),
            _ => None,
        };
        let says = |name| page.as_ref().is_some_and(|page| page.says(name));
        set_before.headers().any(|(name, _)| is_heeded(name) || says(name))
    }

    /// Whether what an answer was made from is what would be sent now.
    fn is_current(&self, source: &Source) -> bool {
        match source {
            Source::Page(key, page) => self.cache.page(key).is_some_and(|current: Arc<Page>| {
                ptr::eq(Arc::as_ptr(&current), page.as_ptr()) && self.freshness(&current) == Freshness::Fresh
            }),
            Source::File(root, path, file) => self
                .files
                .current(self.root(*root), path)
                .is_some_and(|current| ptr::eq(Arc::as_ptr(&current), file.as_ptr())),
            Source::Image(key, image) => self.images.memory.get(key).is_some_and(|current| {
                ptr::eq(Arc::as_ptr(&current), image.as_ptr()) && found(&current.entry) == Found::Hit
            }),
        }
    }

    /// Remembers an answer that is sent often.
    pub(super) fn remember_ready(
        &self,
        state: &RequestState,
        answer: &Arc<Prepared>,
        provenance: Provenance,
        generation: u64,
    ) {
        let Provenance::Source(source) = provenance else {
            return;
        };
        if let Some(key) = self.has_come_twice(state) {
            let target = FastPathTarget::Answer(Arc::downgrade(answer), source);
            self.fast_paths.insert(key, target, label_of(state), generation);
        }
    }

    /// Remembers an answer that was made for one request, if it follows from the target. It gets a number then.
    pub(super) fn remember_once(
        &self,
        state: &RequestState,
        answer: Answer,
        provenance: &Provenance,
        generation: u64,
    ) -> Progress {
        let key = match provenance {
            Provenance::Target => self.has_come_twice(state),
            _ => None,
        };
        let Some(key) = key else {
            return Progress::Once(answer);
        };
        let answer = self.registry.add(answer.status, answer.headers, answer.body);
        let target = FastPathTarget::Fixed(Arc::clone(&answer));
        self.fast_paths.insert(key, target, label_of(state), generation);
        Progress::Answer(answer)
    }

    /// Remembers how an entry is called.
    pub(super) fn remember_call(
        &self,
        state: &RequestState,
        render: &Render,
        provenance: &Provenance,
        generation: u64,
    ) {
        if !matches!(provenance, Provenance::Entry) {
            return;
        }
        if let Some(key) = self.has_come_twice(state) {
            let (route, decision) = (state.route.clone(), state.decision.clone());
            let call = self.registry.add_call(render.clone(), route, decision);
            self.fast_paths
                .insert(key, FastPathTarget::Entry(call), label_of(state), generation);
        }
    }

    /// The key of a cacheable request that has come before.
    fn has_come_twice(&self, state: &RequestState) -> Option<Key> {
        let is_client = state.request.origin == Origin::Client;
        if !self.fast_paths.is_enabled() || !is_client || state.uses_preset_headers.get() {
            return None;
        }
        let key = KeyRef::new(CacheableRequest::of(state.request.head())?, state.request.encrypted);
        self.fast_paths.has_come(&key).then(|| key.owned())
    }
}
