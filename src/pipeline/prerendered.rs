//! A page whose answer may be in the cache: served from there, waited for, or rendered.

use std::sync::Arc;

use super::flight::{Answer, Flight, Load, Next, Shell, Step};
use super::lost;
use super::output::{pairs, Call};
use super::shortcut::{Origins, Source};
use crate::answer::conditional::Conditions;
use crate::answer::page::{CacheStatus, Framing, Page, PageAnswer};
use crate::engine::Engine;
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
enum Kept {
    /// In memory.
    Here(Address, String, Arc<Page>),
    /// Nobody has looked on disk yet.
    OnDisk(Load),
    /// Nowhere.
    Absent,
}

impl Engine {
    /// Serves a document that the build wrote and nobody renders again.
    pub(super) fn serve_static(&self, flight: &mut Flight, call: Call<'_>, file: String) -> Next {
        // A key that no storage key leads to.
        let key = format!("document\0{file}");
        match self.page_in_memory(flight, &key) {
            Some(page) => {
                flight.made_from(Source::Page(key, Arc::downgrade(&page)));
                self.serve_page(flight, &call, page, Variant::Html, Serving::default())
            }
            None if flight.absent.contains(&key) => {
                let why = format!("The document {file} is not in the build. Run `next build` again.");
                if call.error.is_some() {
                    return Next::Step(lost(&why));
                }
                tracing::error!("{why}");
                flight.origins = Origins::Several;
                self.fail(flight, 500)
            }
            None => Next::Load(Load::Document(file, key)),
        }
    }

    /// Serves the answer that the cache holds, if it may be served.
    pub(super) fn serve_prerendered(&self, flight: &mut Flight, call: Call<'_>, prerendered: Prerendered) -> Next {
        let Prerendered {
            address,
            fallback,
            variant,
        } = prerendered;
        // What was due when the request began to wait may have been done since. A page that found nothing is followed by the
        // not-found page, and is due all the same.
        if call.error.is_none() {
            flight.revalidation = None;
        }
        let own_key = self.cache.key(&address);
        let kept = match self.look_up(flight, address, own_key.clone()) {
            Kept::Absent => fallback.map(|fallback| {
                let key = self.cache.key(&fallback);
                self.look_up(flight, fallback, key)
            }),
            kept => Some(kept),
        };
        let (address, key, page) = match kept {
            Some(Kept::Here(address, key, page)) => (address, key, page),
            Some(Kept::OnDisk(load)) => return Next::Load(load),
            Some(Kept::Absent) | None => return self.render_once(flight, call, &own_key),
        };
        if page.entry.outcome != Outcome::Rendered {
            return self.serve_outcome(flight, call, &page, &address, variant);
        }
        let postponed = page.entry.postponed.as_deref().filter(|_| variant == Variant::Html);
        let postponed = postponed.map(str::to_owned);
        // Only what a client reads on from is sent early.
        let is_early = postponed.is_some() && flight.request.method != Method::Get;
        if is_early || !self.has_variant(&page.entry, &variant) {
            return self.render(flight, call);
        }
        let freshness = self.freshness(&page);
        let serving = Serving {
            fallback: address.fallback,
            shell: postponed.is_some(),
            cache: match freshness {
                // A path without an answer of its own has missed, and so has who waited for a render.
                _ if key != own_key => CacheStatus::Miss,
                Freshness::Stale => CacheStatus::Stale,
                _ if flight.waited => CacheStatus::Miss,
                _ => CacheStatus::Hit,
            },
        };
        match freshness {
            // An error page stands for another URL than its own: the entry decides what becomes of it.
            Freshness::Stale if call.error.is_some() => self.render(flight, call),
            Freshness::Stale | Freshness::Fresh => {
                // Who gets a shell depends on more than the target.
                if freshness == Freshness::Fresh && serving.cache == CacheStatus::Hit && !address.partial {
                    flight.made_from(Source::Page(key, Arc::downgrade(&page)));
                } else if freshness == Freshness::Stale {
                    let prefetch = call.outcome.rsc.as_ref().is_some_and(|rsc| rsc.prefetch);
                    flight.revalidation = self.revalidation(flight, call.output, &address, key, prefetch);
                }
                match postponed {
                    Some(postponed) => self.resume(flight, call, page, postponed, serving),
                    None => self.serve_page(flight, &call, page, variant, serving),
                }
            }
            Freshness::Expired => self.render_once(flight, call, &key),
        }
    }

    /// Where an answer is to be had.
    fn look_up(&self, flight: &Flight, address: Address, key: String) -> Kept {
        match self.page_in_memory(flight, &key) {
            Some(page) => Kept::Here(address, key, page),
            None if flight.absent.contains(&key) => Kept::Absent,
            None => Kept::OnDisk(Load::Page(address, key)),
        }
    }

    /// Sends a shell and lets the entry go on from it.
    fn resume(&self, flight: &Flight, call: Call<'_>, page: Arc<Page>, postponed: String, serving: Serving) -> Next {
        let shell = match self.serve_page(flight, &call, page, Variant::Html, serving) {
            Next::Ready(answer) => Shell::Ready(answer),
            Next::Step(Step::Answer(answer)) => Shell::Once(answer),
            other => return other,
        };
        Next::Step(Step::Resume {
            shell,
            postponed,
            render: Box::new(self.render_of(flight, call)),
        })
    }

    /// The answer that memory holds, or that was read for this request.
    fn page_in_memory(&self, flight: &Flight, key: &str) -> Option<Arc<Page>> {
        let kept = self.cache.page(key);
        kept.or_else(|| {
            flight
                .loaded
                .as_ref()
                .filter(|(of, _)| of == key)
                .map(|(_, page)| Arc::clone(page))
        })
    }

    /// Runs the entry of a page for which there is nothing to show, unless another thread of the process does so already: then
    /// the request waits for that. Within a thread the entry itself brings such requests together, errors included.
    pub(super) fn render_once(&self, flight: &mut Flight, call: Call<'_>, key: &str) -> Next {
        if flight.permit.is_none() && !flight.waited && call.error.is_none() {
            match self.cache.renders.lead(key, flight.driver) {
                Lead::Own(permit) => flight.permit = Some(permit),
                Lead::Joined => {}
                Lead::Elsewhere(end) => {
                    flight.waited = true;
                    // It may be on disk only, if memory is small.
                    flight.absent.clear();
                    return Next::Load(Load::Render(end));
                }
            }
        }
        self.render(flight, call)
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
        flight: &Flight,
        call: &Call<'_>,
        page: Arc<Page>,
        variant: Variant,
        serving: Serving,
    ) -> Next {
        let mut rules = pairs(&call.headers);
        let mut personal = flight.personal;
        // The handler of a route leaves its place to a header that is there, the others add to it.
        let set_before = flight.request.headers.set_before().headers();
        for (name, value) in set_before.filter(|(name, _)| page.says(name) && !is_heeded(name)) {
            if !call.headers.has(name) {
                rules.push((name.to_owned(), value.to_owned()));
                flight.heeds_response.set(true);
                personal = true;
            }
        }
        let framing = Framing {
            status: call.outcome.status,
            no_store: call.error.is_some_and(|error| error.no_store),
            no_store_by_default: call.is_status_page() && call.error.is_none_or(|error| error.no_store),
            vary: call.outcome.vary,
            rules,
            deployment_id: self.deployment_id.clone(),
            personal,
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
        let conditions = Conditions::of(&flight.request.headers);
        let head = flight.request.method == Method::Head;
        let mut settings = self.settings;
        if page.entry.kind == EntryKind::AppRoute {
            // Older lines compress by the type that a rule or middleware has set, not by the handler's own.
            settings.compress &= self.build.capabilities.compressed_route_handlers || call.headers.has("content-type");
        }
        match page.answer(&self.table, settings, variant, framing, &conditions, head) {
            PageAnswer::Ready(answer) => Next::Ready(answer),
            PageAnswer::Once(status, headers, body) => Next::Step(Step::Answer(Answer { status, headers, body })),
            PageAnswer::Encode(variant, coding) => Next::Load(Load::Encode(page, variant, coding)),
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
