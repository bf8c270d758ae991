//! A page whose answer may be in the cache: served from there, waited for, or rendered.

use std::sync::Arc;

use super::bare_fault;
use super::output::Call;
use crate::answer::conditional::Conditions;
use crate::answer::page::{CacheStatus, Page, PageAnswer, ResponseVariant};
use crate::engine::{Answer, Cause, Engine, Load, Next, Provenance, RequestState, Shell, Source, Step};
use crate::request::{is_heeded, Method};
use crate::route::{Address, EntryKind, Prerendered, Variant};
use crate::source::prerender::{Entry, Freshness, Lead, Outcome};

/// How an answer from the cache is served.
#[derive(Debug, Clone, Copy, Default)]
struct Serving {
    cache: CacheStatus,
    fallback: bool,
    shell: bool,
}

/// Where an answer is to be had.
enum Place {
    /// In memory.
    Memory(Address, String, Arc<Page>),
    /// Perhaps on disk, where it has not been looked for yet.
    Unread(Load),
    /// Nowhere.
    Nowhere,
}

impl Engine {
    /// Serves a document that the build wrote and that is never rendered again.
    pub(super) fn serve_static(&self, state: &mut RequestState, call: Call<'_>, file: String) -> Next {
        // A key that no storage key leads to.
        let key = format!("document\0{file}");
        match self.page_in_memory(state, &key) {
            Some(page) => {
                let source = Provenance::Source(Source::Page(key, Arc::downgrade(&page)));
                self.serve_page(state, source, &call, page, Variant::Html, Serving::default())
            }
            None if state.lookup.failed_keys.contains(&key) => {
                let why = format!("The document {file} is not in the build. Run `next build` again.");
                if call.error.is_some() {
                    return Next::Answer(bare_fault(&why), Provenance::Uncacheable);
                }
                tracing::error!("{why}");
                self.fail(state, Cause::Other, 500)
            }
            None => Next::Load(Load::Document(file, key)),
        }
    }

    /// Serves the answer that the cache holds, if it may be served.
    pub(super) fn serve_prerendered(&self, state: &mut RequestState, call: Call<'_>, prerendered: Prerendered) -> Next {
        let Prerendered {
            address,
            fallback,
            variant,
        } = prerendered;
        // What was due when the request began to wait may have been done since. A page that found nothing is followed by the
        // not-found page, and is due all the same.
        if call.error.is_none() {
            state.revalidation = None;
        }
        let own_key = self.cache.key(&address);
        let kept = match self.look_up(state, address, own_key.clone(), &variant) {
            Place::Nowhere => fallback.map(|fallback| {
                let key = self.cache.key(&fallback);
                self.look_up(state, fallback, key, &variant)
            }),
            kept => Some(kept),
        };
        let (address, key, page) = match kept {
            Some(Place::Memory(address, key, page)) => (address, key, page),
            Some(Place::Unread(load)) => return Next::Load(load),
            Some(Place::Nowhere) | None => return self.render_once(state, call, &own_key),
        };
        if page.entry.outcome != Outcome::Rendered {
            return self.serve_outcome(state, call, &page, &address, variant);
        }
        let postponed = page.entry.postponed.as_deref().filter(|_| variant == Variant::Html);
        let postponed = postponed.map(str::to_owned);
        // Only what a client reads on from is sent early.
        let is_early = postponed.is_some() && state.request.method != Method::Get;
        if is_early || !self.has_variant(&page.entry, &variant) {
            return self.render(state, Provenance::Uncacheable, call);
        }
        let freshness = self.freshness(&page);
        let serving = Serving {
            fallback: address.fallback,
            shell: postponed.is_some(),
            cache: match freshness {
                // A path without an answer of its own has missed, and so has who waited for a render.
                _ if key != own_key => CacheStatus::Miss,
                Freshness::Stale => CacheStatus::Stale,
                _ if state.lookup.waited => CacheStatus::Miss,
                _ => CacheStatus::Hit,
            },
        };
        match freshness {
            // An error page stands for another URL than its own: the entry decides what becomes of it.
            Freshness::Stale if call.error.is_some() => self.render(state, Provenance::Uncacheable, call),
            Freshness::Stale | Freshness::Fresh => {
                self.cache.trim(&key, &address, &page);
                let mut provenance = Provenance::Uncacheable;
                // Whether a request gets a shell depends on more than the target.
                if freshness == Freshness::Fresh && serving.cache == CacheStatus::Hit && !address.partial {
                    provenance = Provenance::Source(Source::Page(key, Arc::downgrade(&page)));
                } else if freshness == Freshness::Stale {
                    let prefetch = call.outcome.rsc.as_ref().is_some_and(|rsc| rsc.prefetch);
                    state.revalidation = self.revalidation(state, call.output, &address, key, prefetch);
                }
                match postponed {
                    Some(postponed) => self.resume(state, call, page, postponed, serving),
                    None => self.serve_page(state, provenance, &call, page, variant, serving),
                }
            }
            Freshness::Expired => self.render_once(state, call, &key),
        }
    }

    /// Where an answer is to be had.
    fn look_up(&self, state: &RequestState, address: Address, key: String, variant: &Variant) -> Place {
        match self.page_in_memory(state, &key) {
            Some(page) if !page.is_trimmed() => Place::Memory(address, key, page),
            Some(page) if page.holds(variant) && !state.lookup.failed_keys.contains(&key) => {
                Place::Memory(address, key, page)
            }
            _ if state.lookup.failed_keys.contains(&key) => Place::Nowhere,
            _ => Place::Unread(Load::Page(address, key)),
        }
    }

    /// Sends a shell and lets the entry go on from it.
    fn resume(
        &self,
        state: &RequestState,
        call: Call<'_>,
        page: Arc<Page>,
        postponed: String,
        serving: Serving,
    ) -> Next {
        let provenance = Provenance::Uncacheable;
        let shell = match self.serve_page(state, provenance, &call, page, Variant::Html, serving) {
            Next::Ready(answer, _) => Shell::Ready(answer),
            Next::Answer(answer, _) => Shell::Once(answer),
            other => return other,
        };
        Next::Step(Step::Resume {
            shell,
            postponed,
            render: Box::new(self.render_of(state, call)),
        })
    }

    /// The answer that memory holds, or that was read for this request.
    fn page_in_memory(&self, state: &RequestState, key: &str) -> Option<Arc<Page>> {
        let read = state.lookup.loaded.as_ref().filter(|(of, _)| of == key);
        match (self.cache.page(key), read) {
            (Some(kept), Some((_, read))) if kept.is_trimmed() => Some(Arc::clone(read)),
            (kept, read) => kept.or_else(|| read.map(|(_, page)| Arc::clone(page))),
        }
    }

    /// Runs the entry of a page for which there is nothing to show, unless another thread of the process does so already: then
    /// the request waits for that. Within a thread the entry itself brings such requests together, errors included.
    pub(super) fn render_once(&self, state: &mut RequestState, call: Call<'_>, key: &str) -> Next {
        if state.permit.is_none() && !state.lookup.waited && call.error.is_none() {
            match self.cache.renders.lead(key, state.runner) {
                Lead::Own(permit) => state.permit = Some(permit),
                Lead::Joined => {}
                Lead::Elsewhere(end) => {
                    state.lookup.waited = true;
                    // It may be on disk only, if memory is small.
                    state.lookup.failed_keys.clear();
                    return Next::Load(Load::Render(end));
                }
            }
        }
        self.render(state, Provenance::Uncacheable, call)
    }

    fn has_variant(&self, entry: &Entry, variant: &Variant) -> bool {
        match variant {
            // A segment that a page with segments does not have is a 404, and that is cached too. Where it is something
            // else the entry says so.
            Variant::Segment(_) if self.build.capabilities.missing_segments_are_404 || entry.segments.is_none() => {
                entry.segments.is_some() || entry.rsc.is_some()
            }
            variant => entry.variant(variant).is_some(),
        }
    }

    fn serve_page(
        &self,
        state: &RequestState,
        provenance: Provenance,
        call: &Call<'_>,
        page: Arc<Page>,
        variant: Variant,
        serving: Serving,
    ) -> Next {
        let mut leading = call.headers.clone();
        let mut uncacheable = state.uncacheable;
        // The handler of a route leaves its place to a header that is there, the others add to it.
        let set_before = state.request.headers.set_before().headers();
        for (name, value) in set_before.filter(|(name, _)| page.says(name) && !is_heeded(name)) {
            if !call.headers.has(name) {
                leading.append(name.to_owned(), value.to_owned());
                state.uses_preset_headers.set(true);
                uncacheable = true;
            }
        }
        let response = ResponseVariant {
            status: call.outcome.status,
            no_store: call.error.is_some_and(|error| error.no_store),
            no_store_by_default: call.is_status_page() && call.error.is_none_or(|error| error.no_store),
            vary: call.outcome.vary,
            leading,
            deployment_id: self.deployment_id.clone(),
            uncacheable,
            cache: serving.cache,
            fallback: serving.fallback,
            partial: self.rules.is_partial(call.output),
            shell: serving.shell,
        };
        let variant = match variant {
            // A page without segments answers a segment prefetch with its whole payload.
            Variant::Segment(_) if page.entry.segments.is_none() => Variant::Rsc,
            variant => variant,
        };
        let conditions = Conditions::of(&state.request.headers);
        let head = state.request.method == Method::Head;
        let mut settings = self.settings;
        if page.entry.kind == EntryKind::AppRoute {
            // Older lines compress by the type that a rule or middleware has set, not by the handler's own.
            settings.compress &= self.build.capabilities.compressed_route_handlers || call.headers.has("content-type");
        }
        match page.answer(&self.registry, settings, variant, response, &conditions, head) {
            PageAnswer::Ready(answer) => Next::Ready(answer, provenance.of_error_page(call.error)),
            PageAnswer::Once(status, headers, body) => {
                Next::Answer(Answer { status, headers, body }, Provenance::Uncacheable)
            }
            PageAnswer::Encode(variant, coding) => Next::Load(Load::Encode(page, variant, coding)),
            PageAnswer::Read(address, key) => Next::Load(Load::Page(address, key)),
        }
    }

    /// Reads an answer from disk, away from Node's thread.
    pub(super) async fn load_page(
        self: &Arc<Self>,
        key: String,
        read: impl FnOnce(&Engine, &str) -> Option<Arc<Page>> + Send + 'static,
    ) -> (String, Option<Arc<Page>>) {
        let (engine, wanted) = (Arc::clone(self), key.clone());
        let page = tokio::task::spawn_blocking(move || read(&engine, &wanted)).await;
        (key, page.unwrap_or(None))
    }
}
