//! A matched page: from the cache if it may, from its compiled entry if it must.

use std::sync::Arc;

use bytes::Bytes;

use super::flight::{Answer, ErrorPage, Flight, Load, Next, Shell, Step};
use super::lost;
use crate::engine::Engine;
use crate::request::{Method, RSC_PARAM};
use crate::response::conditional::Conditions;
use crate::response::headers::HeaderList;
use crate::response::page::{CacheStatus, Framing, Page, PageAnswer, NO_STORE};
use crate::route::{
    Address, EntryKind, HeaderText, Output, OutputKind, PageDecision, PageOutcome, PageRequest, Prerendered, Variant,
};
use crate::source::prerender::{Entry, Freshness, Lead};
use crate::source::render::Render;
use crate::url::{Location, Query};

/// A page that is being served, with what was found out about it.
struct Call<'a> {
    output: &'a Output,
    error: Option<&'a ErrorPage>,
    outcome: PageOutcome,
    /// What stands on the response before the page adds its own.
    headers: HeaderList,
}

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
    /// Serves a page, as itself or as the error page `error`.
    pub(super) fn serve_output(&self, flight: &mut Flight, output: &Output, error: Option<&ErrorPage>) -> Next {
        let mut outcome = self.rules.decide(
            &self.build,
            PageRequest {
                request: &flight.request,
                output,
                pathname: &flight.state.location.pathname,
                init_search: &flight.state.location.search,
                // Middleware that rewrites to a URL of its own drops the parameter; then the one that arrived counts.
                rsc_param: flight
                    .state
                    .location
                    .query
                    .get(RSC_PARAM)
                    .or_else(|| flight.state.init_query.get(RSC_PARAM)),
                status: error.map(|error| error.status),
                locale: locale_of(flight),
                rewritten_pathname: flight.state.rewritten_pathname.as_deref(),
            },
        );
        outcome.status = outcome.status.or(flight.status);
        let mut headers = leading_headers(flight, error);
        if let PageDecision::CorrectSearch(search) = &outcome.decision {
            headers.set("location", format!("{}{search}", self.init_target(flight).0));
            return self.answer(flight, 307, headers, Bytes::new());
        }
        let mut call = Call {
            output,
            error,
            outcome,
            headers,
        };
        match call.outcome.decision.clone() {
            PageDecision::Static(file) => {
                call.name_matched_path(flight);
                self.serve_static(flight, call, file)
            }
            PageDecision::Prerendered(prerendered) => {
                call.name_matched_path(flight);
                self.serve_prerendered(flight, call, prerendered)
            }
            PageDecision::Render => {
                call.name_matched_path(flight);
                self.render(flight, call)
            }
            refusal => self.refuse(flight, call, &refusal),
        }
    }

    /// A short answer in place of the page.
    fn refuse(&self, flight: &Flight, mut call: Call<'_>, decision: &PageDecision) -> Next {
        if let Some(vary) = call.outcome.vary {
            call.headers.append("vary", vary);
        }
        if *decision != PageDecision::SkipPrefetch {
            call.name_matched_path(flight);
        }
        let mut headers = call.headers;
        match decision {
            PageDecision::SkipPrefetch => {
                headers.set("x-matched-path", call.output.pathname.clone());
                headers.set("x-middleware-skip", "1");
                headers.set("cache-control", NO_STORE);
                self.answer(flight, 200, headers, Bytes::from_static(b"{}"))
            }
            PageDecision::PlainNotFound => self.plain_not_found(flight, headers),
            PageDecision::MethodNotAllowed => {
                headers.append("Allow", "GET");
                headers.append("Allow", "HEAD");
                self.answer(flight, 405, headers, Bytes::from_static(b"Method Not Allowed"))
            }
            _ => self.answer(flight, 400, headers, Bytes::new()),
        }
    }

    fn serve_static(&self, flight: &mut Flight, call: Call<'_>, file: String) -> Next {
        // A key that no storage key leads to.
        let key = format!("document\0{file}");
        match self.page_in_memory(flight, &key) {
            Some(page) => self.serve_page(flight, &call, page, Variant::Html, Serving::default()),
            None if flight.absent.contains(&key) => {
                let why = format!("The document {file} is not in the build. Run `next build` again.");
                if call.error.is_some() {
                    return Next::Step(lost(&why));
                }
                tracing::error!("{why}");
                self.fail(flight, 500)
            }
            None => Next::Load(Load::Document(file, key)),
        }
    }

    fn serve_prerendered(&self, flight: &mut Flight, call: Call<'_>, prerendered: Prerendered) -> Next {
        let Prerendered {
            address,
            fallback,
            variant,
        } = prerendered;
        // What was due when the request began to wait may have been done since.
        flight.revalidation = None;
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
                if freshness == Freshness::Stale {
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
        match self.render(flight, call) {
            Next::Step(Step::Render(render)) => Next::Step(Step::Resume {
                shell,
                postponed,
                render,
            }),
            other => other,
        }
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
    fn render_once(&self, flight: &mut Flight, call: Call<'_>, key: &str) -> Next {
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
        let framing = Framing {
            status: call.outcome.status,
            no_store: call.error.is_some_and(|error| error.no_store),
            no_store_by_default: call.is_status_page() && call.error.is_none_or(|error| error.no_store),
            vary: call.outcome.vary,
            rules: pairs(&call.headers),
            deployment_id: self.deployment_id.clone(),
            personal: flight.personal,
            cache: serving.cache,
            fallback: serving.fallback,
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
            settings.compress &= self.build.capabilities.compressed_route_handlers;
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

    /// The query that the page sees. Pages of the Pages Router find their params in it; one with `getStaticProps` finds
    /// nothing else (`findPageComponentsImpl` of `next-server.js`).
    fn page_query(&self, flight: &Flight, output: &Output) -> Query {
        let mut query = flight.state.location.query.clone();
        if output.kind != OutputKind::Pages {
            return query;
        }
        if self.rules.has_static_props(&output.pathname) {
            query = Query::default();
        }
        for (name, value) in output.params.iter().flat_map(|params| params.iter()) {
            query.set(name, value.clone());
        }
        query
    }

    /// Path and search of the target as it arrived, normalised like a URL.
    fn init_target(&self, flight: &Flight) -> (String, String) {
        match Location::parse_whole(&flight.request.target, self.build.capabilities.dialect()) {
            Ok(location) => (location.pathname, location.search),
            Err(_) => (flight.request.target.clone(), String::new()),
        }
    }

    /// Runs the entry of a page whatever the request is.
    pub(super) fn render_page(&self, flight: &Flight, output: &Output, status: Option<u16>) -> Next {
        let outcome = PageOutcome {
            decision: PageDecision::Render,
            vary: None,
            rsc: None,
            status,
        };
        let call = Call {
            output,
            error: None,
            outcome,
            headers: response_headers(flight),
        };
        self.render(flight, call)
    }

    fn render(&self, flight: &Flight, call: Call<'_>) -> Next {
        let Call { output, outcome, .. } = call;
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
            query: (output.kind != OutputKind::PagesApi || output.edge || !self.build.capabilities.api_query_from_url)
                .then(|| self.page_query(flight, output)),
            init_query: state.init_query.clone(),
            url: format!("{path}{search}"),
            headers: pairs(&call.headers),
            vary: outcome.vary,
            drop_next_url: !outcome.vary.is_some_and(|vary| vary.ends_with("next-url")),
            status: outcome.status,
            locale: locale.map(|locale| locale.locale.clone()),
            default_locale: locale.map(|locale| locale.default_locale.clone()),
            is_locale_domain: locale.is_some_and(|locale| locale.is_domain),
            is_rsc,
            is_prefetch_rsc: rsc.prefetch,
            segment_prefetch: rsc.segment,
            is_data_request: output.is_data_request,
            rewritten_pathname: state.rewritten_pathname.clone(),
            request_headers: state.request_headers.clone(),
        })))
    }
}

impl Call<'_> {
    /// Whether this is a page of the Pages Router for a status. With `getStaticProps` it is not kept, unless a page that
    /// found nothing has said on the response how long that is true.
    fn is_status_page(&self) -> bool {
        self.output.kind == OutputKind::Pages && matches!(self.output.pathname.as_str(), "/404" | "/500")
    }

    /// A data request learns which page it came to.
    fn name_matched_path(&mut self, flight: &Flight) {
        // API routes and edge functions are called before that is done.
        let is_named = self.error.is_none() && !self.output.edge && self.output.kind != OutputKind::PagesApi;
        if is_named && has_data_header(flight) {
            let prefix = locale_of(flight).map_or(String::new(), |locale| format!("/{locale}"));
            let path = format!("{prefix}{}", self.output.pathname);
            self.headers.set("x-nextjs-matched-path", path);
        }
    }
}

pub(super) fn locale_of(flight: &Flight) -> Option<&str> {
    flight.state.locale.as_ref().map(|state| state.locale.as_str())
}

/// Whether routing marked the request as one for data (`x-nextjs-data`); a client's own header was dropped at the door.
fn has_data_header(flight: &Flight) -> bool {
    let headers = flight.state.header_view(&flight.request);
    headers.get("x-nextjs-data").is_some_and(|value| !value.is_empty())
}

/// What stands on the response before the page adds its own: the app's header rules, and what a failed answer left.
pub(super) fn leading_headers(flight: &Flight, error: Option<&ErrorPage>) -> HeaderList {
    let Some(error) = error else {
        return response_headers(flight);
    };
    let mut headers = error.headers.clone();
    if error.no_store {
        headers.set("Cache-Control", NO_STORE);
    }
    headers
}

/// The headers of the app's header rules, in order.
pub(super) fn response_headers(flight: &Flight) -> HeaderList {
    let mut headers = HeaderList::new();
    if !flight.state.has_response_headers() {
        return headers;
    }
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

fn pairs(headers: &HeaderList) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
