//! A matched page: from the cache if it may, from its compiled entry if it must.

use std::sync::Arc;

use bytes::Bytes;

use super::flight::{ErrorPage, Flight, Load, Next, Step};
use crate::engine::{now_ms, Engine};
use crate::request::Method;
use crate::response::conditional::Conditions;
use crate::response::headers::HeaderList;
use crate::response::page::{Framing, Page, PageAnswer, NO_STORE};
use crate::route::{Address, HeaderText, Output, PageDecision, PageOutcome, PageRequest, Variant};
use crate::source::prerender::{Entry, Lifetime, Lookup};
use crate::source::render::Render;
use crate::url::Location;

impl Engine {
    /// Serves a page, as itself or as the error page `error`.
    pub(super) fn serve_output(&self, flight: &mut Flight, output: &Output, error: Option<&ErrorPage>) -> Next {
        let outcome = self.rules.decide(
            &self.build,
            PageRequest {
                request: &flight.request,
                output,
                pathname: &flight.state.location.pathname,
                init_search: &flight.state.location.search,
                rsc_param: flight.state.location.query.get("_rsc"),
                status: error.map(|error| error.status),
                locale: flight.state.locale.as_ref().map(|state| state.locale.as_str()),
            },
        );
        let mut headers = leading_headers(flight, error);
        match &outcome.decision {
            PageDecision::CorrectSearch(search) => {
                headers.set("location", format!("{}{search}", self.init_target(flight).0));
                self.answer(flight, 307, headers, Bytes::new())
            }
            PageDecision::SkipPrefetch => {
                append_vary(&mut headers, outcome.vary);
                headers.set("x-matched-path", output.pathname.clone());
                headers.set("x-middleware-skip", "1");
                headers.set("cache-control", NO_STORE);
                self.answer(flight, 200, headers, Bytes::from_static(b"{}"))
            }
            PageDecision::PlainNotFound => {
                append_vary(&mut headers, outcome.vary);
                self.plain_not_found(flight, headers)
            }
            PageDecision::MethodNotAllowed => {
                append_vary(&mut headers, outcome.vary);
                headers.append("Allow", "GET");
                headers.append("Allow", "HEAD");
                self.answer(flight, 405, headers, Bytes::from_static(b"Method Not Allowed"))
            }
            PageDecision::BadMethod => {
                append_vary(&mut headers, outcome.vary);
                self.answer(flight, 400, headers, Bytes::new())
            }
            PageDecision::Static(address) => {
                let key = format!("static\0{}", address.pathname);
                match self.pages.lookup(&key) {
                    Lookup::Hit(page) => self.serve_page(flight, page, Variant::Html, &outcome, error),
                    _ if flight.missing => self.render(flight, output, outcome, error),
                    _ => Next::Load(Load::Page(address.clone(), key)),
                }
            }
            PageDecision::Prerendered(address, variant) => {
                self.serve_prerendered(flight, output, address.clone(), variant.clone(), outcome, error)
            }
            PageDecision::Render => self.render(flight, output, outcome, error),
        }
    }

    fn serve_prerendered(
        &self,
        flight: &mut Flight,
        output: &Output,
        address: Address,
        variant: Variant,
        outcome: PageOutcome,
        error: Option<&ErrorPage>,
    ) -> Next {
        let key = self.naming.memory_key(&address);
        match self.pages.lookup(&key) {
            Lookup::Hit(page) if self.is_fresh(&page) && has_variant(&page.entry, &variant) => {
                self.serve_page(flight, page, variant, &outcome, error)
            }
            // Only what the build wrote is looked for on disk; later answers come through the cache handler.
            Lookup::Unknown if !flight.missing && self.build.prerender.routes.contains_key(&address.pathname) => {
                Next::Load(Load::Page(address, key))
            }
            _ => self.render(flight, output, outcome, error),
        }
    }

    fn is_fresh(&self, page: &Page) -> bool {
        let entry = &page.entry;
        !entry.postponed
            && page
                .lifetime
                .is_some_and(|lifetime| lifetime.is_fresh(entry.made_ms, now_ms()))
            && !self.tags.any_since(&entry.tags, entry.made_ms)
    }

    fn serve_page(
        &self,
        flight: &Flight,
        page: Arc<Page>,
        variant: Variant,
        outcome: &PageOutcome,
        error: Option<&ErrorPage>,
    ) -> Next {
        let framing = Framing {
            status: error.map(|error| error.status),
            no_store: error.is_some_and(|error| error.no_store),
            vary: outcome.vary,
            rules: pairs(&leading_headers(flight, error)),
            deployment_id: None,
        };
        let variant = match variant {
            // A page without segments answers a segment prefetch with its whole payload.
            Variant::Segment(_) if page.entry.segments.is_none() => Variant::Rsc,
            variant => variant,
        };
        let conditions = Conditions::of(&flight.request.headers);
        let head = flight.request.method == Method::Head;
        match page.answer(&self.table, self.settings, variant, framing, &conditions, head) {
            PageAnswer::Ready(answer) => Next::Ready(answer),
            PageAnswer::Encode(variant, coding) => Next::Load(Load::Encode(page, variant, coding)),
        }
    }

    /// Reads a prerendered answer from disk into memory. `false` when there is none to be had.
    pub(super) async fn load_page(self: &Arc<Self>, address: Address, key: String) -> bool {
        let engine = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || {
            let lifetime = engine.lifetime_of(&address);
            let entry = Entry::read(&address, &engine.naming, &engine.server_dir());
            match entry {
                Ok(Some(entry)) => {
                    let lifetime = entry.lifetime.or(lifetime);
                    engine.pages.insert(key, Arc::new(Page::new(entry, lifetime)));
                    true
                }
                Ok(None) => false,
                Err(error) => {
                    tracing::warn!(
                        "The prerendered answer of {} cannot be read and is rendered anew: {error}",
                        address.pathname
                    );
                    false
                }
            }
        });
        read.await.unwrap_or(false)
    }

    /// The lifetime that the build gave an answer; `None` for documents without one.
    fn lifetime_of(&self, address: &Address) -> Option<Lifetime> {
        let route = self.build.prerender.routes.get(&address.pathname)?;
        Some(Lifetime {
            revalidate: route.initial_revalidate_seconds.seconds(),
            expire: route.initial_expire_seconds,
        })
    }

    /// Path and search of the target as it arrived, normalised like a URL.
    fn init_target(&self, flight: &Flight) -> (String, String) {
        match Location::parse(&flight.request.target, self.build.capabilities.dialect()) {
            Ok(location) => (location.pathname, location.search),
            Err(_) => (flight.request.target.clone(), String::new()),
        }
    }

    fn render(&self, flight: &Flight, output: &Output, outcome: PageOutcome, error: Option<&ErrorPage>) -> Next {
        let state = &flight.state;
        let (path, search) = self.init_target(flight);
        let locale = state.locale.as_ref();
        let is_rsc = outcome.rsc.is_some();
        let rsc = outcome.rsc.unwrap_or_default();
        Next::Step(Step::Render(Box::new(Render {
            file: format!("server/{}", output.file),
            kind: output.kind,
            edge: output.edge,
            page: output.page.clone(),
            pathname: output.pathname.clone(),
            params: output.params.clone(),
            query: state.location.query.clone(),
            init_query: state.init_query.clone(),
            url: format!("{path}{search}"),
            headers: pairs(&leading_headers(flight, error)),
            vary: outcome.vary,
            drop_next_url: !outcome.vary.is_some_and(|vary| vary.ends_with("next-url")),
            status: error.map(|error| error.status),
            locale: locale.map(|locale| locale.locale.clone()),
            default_locale: locale.map(|locale| locale.default_locale.clone()),
            is_locale_domain: locale.is_some_and(|locale| locale.is_domain),
            is_rsc,
            is_prefetch_rsc: rsc.prefetch,
            segment_prefetch: rsc.segment,
            is_data_request: output.is_data_request,
            rewritten_pathname: state.rewritten_pathname.clone(),
        })))
    }
}

fn has_variant(entry: &Entry, variant: &Variant) -> bool {
    match variant {
        // A segment that a page with segments does not have is a 404, and that is cached too.
        Variant::Segment(_) => entry.segments.is_some() || entry.rsc.is_some(),
        variant => entry.variant(variant).is_some(),
    }
}

/// What stands on the response before the page adds its own: the app's header rules, and what a failed answer left.
pub(super) fn leading_headers(flight: &Flight, error: Option<&ErrorPage>) -> HeaderList {
    let mut headers = response_headers(flight);
    if let Some(error) = error {
        for (name, value) in error.headers.iter() {
            headers.append(name.to_owned(), value.to_owned());
        }
        if error.no_store {
            headers.set("Cache-Control", NO_STORE);
        }
    }
    headers
}

/// The headers of the app's header rules, in order.
pub(super) fn response_headers(flight: &Flight) -> HeaderList {
    let mut headers = HeaderList::new();
    for (name, value) in flight.state.response_headers().iter() {
        match value {
            HeaderText::One(line) => headers.append(name.to_owned(), line.clone()),
            HeaderText::Many(lines) => {
                for line in lines {
                    headers.append(name.to_owned(), line.clone());
                }
            }
        }
    }
    headers
}

fn append_vary(headers: &mut HeaderList, vary: Option<&'static str>) {
    if let Some(vary) = vary {
        headers.append("Vary", vary);
    }
}

fn pairs(headers: &HeaderList) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
