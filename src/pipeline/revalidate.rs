//! A stale answer is rendered again, away from the request that found it stale.
//!
//! In: a page or an image that was found stale. Out: an internal request, in which the compiled entry is asked for the page without
//! anything of the client: `GET`, the canonical URL, no header and no query. The entry finds its own stale answer, "answers" with it, renders in the background and stores the result, all in upstream's code
//! (`next/dist/server/response-cache/index.js`), so that what the app can see of it is what it sees under upstream.

use crate::answer::page::Page;
use crate::engine::{now_ms, Engine, Load, Next, Provenance, RequestState, Revalidation};
use crate::request::{Origin, Request};
use crate::route::{resolve_encoded, Address, Decision, Output, OutputKind, RouteState};
use crate::source::prerender::Freshness;
use crate::url::without_trailing_slash;

impl Engine {
    /// What may be done with a page in memory.
    pub(super) fn freshness(&self, page: &Page) -> Freshness {
        let entry = &page.entry;
        let now = now_ms();
        let by_time = page
            .policy
            .freshness(entry.created_at_ms, now, self.build.capabilities.expire_blocks);
        by_time.max(self.cache.tags.freshness(&entry.headers.tags, entry.created_at_ms, now))
    }

    /// The render that this request has found to be due, unless one is under way or the request is only a prefetch.
    pub(super) fn revalidation(
        &self,
        state: &RequestState,
        output: &Output,
        address: &Address,
        key: String,
        router_prefetch: bool,
    ) -> Option<Box<Revalidation>> {
        if self.cache.renders.is_busy(&key, now_ms()) || self.is_prefetch(state, router_prefetch) {
            return None;
        }
        let request = Request::parse(
            format!("GET\0{}", self.canonical_url(state, output, address)),
            false,
            Origin::Revalidate,
        );
        let output = Output {
            is_data_request: false,
            ..output.clone()
        };
        let mut route = RouteState::default();
        route.locale.clone_from(&state.route.locale);
        Some(Box::new(Revalidation {
            key,
            state: RequestState::new(request, state.runner, route, Decision::Output(Box::new(output))),
        }))
    }

    /// Begins a render, unless another thread was faster. Out: its URL, and the internal request with what happens next.
    pub(super) fn begin_revalidation(&self, revalidation: Revalidation) -> Option<(String, RequestState, Next)> {
        let Revalidation { key, mut state } = revalidation;
        state.permit = Some(self.cache.renders.begin(key, state.runner, now_ms)?);
        let output = match &state.decision {
            Decision::Output(output) => output,
            Decision::Image => return Some((state.request.target.clone(), state, Next::Load(Load::Image))),
            _ => return None,
        };
        let render = self.plain_render(&state, output, None);
        let next = Next::Render(Box::new(render), Provenance::Uncacheable);
        Some((state.request.target.clone(), state, next))
    }

    /// A prefetch is answered with what is there (`isPrefetch` of `route-module.js`).
    fn is_prefetch(&self, state: &RequestState, router_prefetch: bool) -> bool {
        let headers = state.route.header_view(&state.request);
        headers.get("purpose").is_some_and(|purpose| purpose == "prefetch")
            || (router_prefetch && self.build.capabilities.router_prefetch_spares_render)
    }

    /// The URL under which the page was built. The one that the client used may be another that is rewritten to the page, and
    /// it would end up in the answer for all clients.
    fn canonical_url(&self, state: &RequestState, output: &Output, address: &Address) -> String {
        let params = output.params.as_ref();
        let path = resolve_encoded(&output.pathname, params).unwrap_or_else(|| address.pathname.clone());
        let locale = state.route.locale.as_ref();
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
