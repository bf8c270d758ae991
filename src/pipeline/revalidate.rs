//! A stale answer is rendered anew, away from the request that found it stale.
//!
//! In: a page or a picture that was found stale. Out: a [`Flight`] of its own, in which the compiled entry is asked for the page as nobody
//! in particular: `GET`, the canonical URL, no header and no query of the client. The entry finds its own stale answer,
//! "answers" with it, renders in the background and stores the result, all in upstream's code
//! (`next/dist/server/response-cache/index.js`), so that what the app can see of it is what it sees under upstream.

use super::flight::{Flight, Load, Next, Step};
use crate::answer::page::Page;
use crate::engine::{now_ms, Engine};
use crate::request::{Origin, Request};
use crate::route::{resolve_encoded, Address, Decision, Output, OutputKind, RouteState};
use crate::source::prerender::Freshness;
use crate::url::without_trailing_slash;

/// A page that should be rendered anew.
pub(crate) struct Revalidation {
    /// Its key in the cache.
    key: String,
    /// The request to nobody.
    flight: Flight,
}

impl Revalidation {
    /// The work of a request to nobody, one at a time for each key.
    pub(super) fn new(key: String, flight: Flight) -> Revalidation {
        Revalidation { key, flight }
    }
}

impl Engine {
    /// What may be done with a page in memory.
    pub(super) fn freshness(&self, page: &Page) -> Freshness {
        let entry = &page.entry;
        let now = now_ms();
        let by_time = page
            .life
            .freshness(entry.made_ms, now, self.build.capabilities.expire_blocks);
        by_time.max(self.cache.tags.freshness(&entry.headers.tags, entry.made_ms, now))
    }

    /// The render that this request has found to be due, unless one is under way or the request is only a prefetch.
    pub(super) fn revalidation(
        &self,
        flight: &Flight,
        output: &Output,
        address: &Address,
        key: String,
        router_prefetch: bool,
    ) -> Option<Box<Revalidation>> {
        if self.cache.renders.is_busy(&key, now_ms()) || self.is_prefetch(flight, router_prefetch) {
            return None;
        }
        let request = Request::parse(
            format!("GET\0{}", self.canonical_url(flight, output, address)),
            false,
            Origin::Revalidate,
        );
        let output = Output {
            is_data_request: false,
            ..output.clone()
        };
        let mut state = RouteState::default();
        state.locale.clone_from(&flight.state.locale);
        Some(Box::new(Revalidation {
            key,
            flight: Flight::new(request, flight.driver, state, Decision::Output(Box::new(output))),
        }))
    }

    /// Begins a render, unless another thread was faster. Out: its URL and the flight, whose next step is the render.
    pub(super) fn begin_revalidation(&self, revalidation: Revalidation) -> Option<(String, Flight)> {
        let Revalidation { key, mut flight } = revalidation;
        flight.permit = Some(self.cache.renders.begin(key, flight.driver, now_ms)?);
        let output = match &flight.decision {
            Decision::Output(output) => output,
            Decision::Image => {
                flight.next = Next::Load(Load::Image);
                return Some((flight.request.target.clone(), flight));
            }
            _ => return None,
        };
        let render = self.plain_render(&flight, output, None);
        flight.next = Next::Step(Step::Render(Box::new(render)));
        Some((flight.request.target.clone(), flight))
    }

    /// A prefetch is answered with what is there (`isPrefetch` of `route-module.js`).
    fn is_prefetch(&self, flight: &Flight, router_prefetch: bool) -> bool {
        let headers = flight.state.header_view(&flight.request);
        headers.get("purpose").is_some_and(|purpose| purpose == "prefetch")
            || (router_prefetch && self.build.capabilities.router_prefetch_spares_render)
    }

    /// The URL under which the page was built. The one that the client used may be another that is rewritten to the page, and
    /// it would end up in the answer that everybody gets.
    fn canonical_url(&self, flight: &Flight, output: &Output, address: &Address) -> String {
        let params = output.params.as_ref();
        let path = resolve_encoded(&output.pathname, params).unwrap_or_else(|| address.pathname.clone());
        let locale = flight.state.locale.as_ref();
        let locale = locale.filter(|_| output.kind == OutputKind::Pages);
        let prefix = locale.map_or(String::new(), |locale| format!("/{}", locale.locale));
        let whole = format!("{}{prefix}{path}", self.config.base_path);
        let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
        match without_trailing_slash(&whole) {
            "/" => whole,
            bare if self.config.trailing_slash && !is_file => format!("{bare}/"),
            bare => bare.to_owned(),
        }
    }
}
