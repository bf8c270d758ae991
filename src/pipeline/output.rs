//! A matched page: from the cache if it may, from its compiled entry if it must.

use bytes::Bytes;

use super::headers::{leading_headers, response_headers};
use crate::answer::page::NO_STORE;
use crate::engine::{Engine, ErrorPage, Next, Provenance, RequestState};
use crate::http::headers::HeaderList;
use crate::http::status::Status;
use crate::request::RSC_PARAM;
use crate::route::{Output, OutputKind, PageDecision, PageOutcome, PageRequest};
use crate::source::render::Render;
use crate::url::{Location, Query};

/// A page that is being served, with what was found out about it.
pub(super) struct Call<'a> {
    pub output: &'a Output,
    pub error: Option<&'a ErrorPage>,
    pub outcome: PageOutcome,
    /// What stands on the response before the page adds its own.
    pub headers: HeaderList,
}

impl Engine {
    /// Serves a page, as itself or as the error page `error`.
    pub(super) fn serve_output(&self, state: &mut RequestState, output: &Output, error: Option<&ErrorPage>) -> Next {
        let mut outcome = self.decide(state, output, error.map(|error| error.status));
        outcome.status = outcome.status.or(state.status);
        let mut headers = leading_headers(state, error);
        if let PageDecision::CorrectSearch(rsc) = &outcome.decision {
            let (path, search) = self.init_target(state);
            headers.set("location", format!("{path}{}", rsc.corrected_search(&search)));
            return self.answer(state, Provenance::Uncacheable, 307, headers, Bytes::new());
        }
        let mut call = Call {
            output,
            error,
            outcome,
            headers,
        };
        match call.outcome.decision.clone() {
            PageDecision::Static(file) => {
                call.name_matched_path(state, false);
                self.serve_static(state, call, file)
            }
            PageDecision::Prerendered(prerendered) => {
                call.name_matched_path(state, self.build.capabilities.trimmed_matched_paths);
                self.serve_prerendered(state, call, prerendered)
            }
            PageDecision::Render => {
                call.name_matched_path(state, false);
                // Whether a request gets a shell depends on more than the target.
                let provenance = if error.is_none() && !self.rules.is_partial(output) {
                    Provenance::Entry
                } else {
                    Provenance::Uncacheable
                };
                self.render(state, provenance, call)
            }
            refusal => self.refuse(state, call, &refusal),
        }
    }

    /// What a page does with a request, as itself or as the error page for `status`.
    pub(super) fn decide(&self, state: &RequestState, output: &Output, status: Option<u16>) -> PageOutcome {
        self.rules.decide(
            &self.build,
            PageRequest {
                request: &state.request,
                output,
                pathname: &state.route.location.pathname,
                // Middleware that rewrites to a URL of its own drops the parameter; then the one that arrived counts.
                rsc_param: state
                    .route
                    .location
                    .query
                    .get(RSC_PARAM)
                    .or_else(|| state.route.init_query.get(RSC_PARAM)),
                names_payload: state.names_payload,
                status,
                locale: locale_of(state),
                rewritten_pathname: state.route.rewritten_pathname.as_deref(),
            },
        )
    }

    /// A short answer in place of the page.
    fn refuse(&self, state: &RequestState, mut call: Call<'_>, decision: &PageDecision) -> Next {
        call.vary();
        if *decision != PageDecision::SkipPrefetch {
            call.name_matched_path(state, false);
        }
        // Not that of a status page asked for by its own path, which is worked out later.
        let status = call.error.map(|error| error.status).or(state.status);
        let mut headers = call.headers;
        match decision {
            PageDecision::SkipPrefetch => {
                headers.set("x-matched-path", call.output.pathname.clone());
                headers.set("x-middleware-skip", "1");
                headers.set("cache-control", NO_STORE);
                // What middleware or an error has said stays: the client router navigates by it.
                let status = status.map_or(Status::from(200), Status::set);
                self.answer(
                    state,
                    Provenance::Uncacheable,
                    status,
                    headers,
                    Bytes::from_static(b"{}"),
                )
            }
            PageDecision::PlainNotFound => self.plain_not_found(state, headers),
            PageDecision::MethodNotAllowed => {
                headers.append("Allow", "GET");
                headers.append("Allow", "HEAD");
                self.answer(
                    state,
                    Provenance::Uncacheable,
                    405,
                    headers,
                    Bytes::from_static(b"Method Not Allowed"),
                )
            }
            _ => self.answer(state, Provenance::Uncacheable, 400, headers, Bytes::new()),
        }
    }

    /// The query that the page sees. Pages of the Pages Router find their params in it; one with `getStaticProps` finds
    /// nothing else (`findPageComponentsImpl` of `next-server.js`).
    fn page_query(&self, state: &RequestState, output: &Output) -> Query {
        let mut query = state.route.location.query.clone();
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
    fn init_target(&self, state: &RequestState) -> (String, String) {
        match Location::parse_whole(&state.request.target, self.build.capabilities.dialect()) {
            Ok(location) => (location.pathname, location.search),
            Err(_) => (state.request.target.clone(), String::new()),
        }
    }

    /// How the entry of a page is called whatever the request is.
    pub(super) fn plain_render(&self, state: &RequestState, output: &Output, status: Option<u16>) -> Render {
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
            headers: response_headers(state),
        };
        self.render_of(state, call)
    }

    /// Runs the entry of a page.
    pub(super) fn render(&self, state: &RequestState, provenance: Provenance, call: Call<'_>) -> Next {
        Next::Render(Box::new(self.render_of(state, call)), provenance)
    }

    /// How the entry of a page is called.
    pub(super) fn render_of(&self, state: &RequestState, call: Call<'_>) -> Render {
        let Call { output, outcome, .. } = call;
        let route = &state.route;
        let (path, search) = self.init_target(state);
        let locale = route.locale.as_ref();
        let is_rsc = outcome.rsc.is_some();
        let rsc = outcome.rsc.unwrap_or_default();
        Render {
            file: format!("server/{}", output.file),
            kind: output.kind,
            edge: output.edge,
            page: output.page.clone(),
            pathname: output.pathname.clone(),
            params: output.params.clone(),
            query: (output.kind != OutputKind::PagesApi || output.edge || !self.build.capabilities.api_query_from_url)
                .then(|| self.page_query(state, output)),
            init_query: route.init_query.clone(),
            url: format!("{path}{search}"),
            headers: call.headers,
            vary: outcome.vary,
            // API routes and edge functions are called before anybody asks whether the header matters.
            drop_next_url: output.kind != OutputKind::PagesApi
                && !output.edge
                && !outcome.vary.is_some_and(|vary| vary.ends_with("next-url")),
            status: outcome.status,
            is_error_page: call.error.is_some(),
            locale: locale.map(|locale| locale.locale.clone()),
            default_locale: locale.map(|locale| locale.default_locale.clone()),
            is_locale_domain: locale.is_some_and(|locale| locale.is_domain),
            is_rsc,
            is_prefetch_rsc: rsc.prefetch,
            segment_prefetch: rsc.segment,
            is_data_request: output.is_data_request,
            rewritten_pathname: route.rewritten_pathname.clone(),
            request_headers: route.request_headers.clone(),
        }
    }
}

impl Call<'_> {
    /// Whether this is a page of the Pages Router for a status. With `getStaticProps` it is not kept, unless a page that
    /// found nothing has said on the response how long that is true.
    pub fn is_status_page(&self) -> bool {
        self.output.kind == OutputKind::Pages && matches!(self.output.pathname.as_str(), "/404" | "/500")
    }

    /// Says what the answer varies by, where no page is sent that would say so.
    pub fn vary(&mut self) {
        if let Some(vary) = self.outcome.vary {
            self.headers.append_distinct("vary", vary);
        }
    }

    /// A data request learns which page it came to. Entries say so `trimmed`: without the slash of a locale's first page.
    fn name_matched_path(&mut self, state: &RequestState, trimmed: bool) {
        // API routes and edge functions are called before that is done.
        let is_named = self.error.is_none() && !self.output.edge && self.output.kind != OutputKind::PagesApi;
        // An answer that has a status already does not name its page.
        let status = state.status.or_else(|| state.request.headers.set_before().status());
        if is_named && status.is_none_or(|status| status == 200) && has_data_header(state) {
            let prefix = locale_of(state).map_or(String::new(), |locale| format!("/{locale}"));
            let page = match self.output.pathname.as_str() {
                "/_not-found" => "/404",
                pathname => pathname,
            };
            let mut path = format!("{prefix}{page}");
            if trimmed && path.len() > 1 && path.ends_with('/') {
                path.pop();
            }
            self.headers.set("x-nextjs-matched-path", path);
        }
    }
}

pub(super) fn locale_of(state: &RequestState) -> Option<&str> {
    state.route.locale.as_ref().map(|state| state.locale.as_str())
}

/// Whether routing marked the request as one for data (`x-nextjs-data`); a client's own header was dropped at the door.
pub(super) fn has_data_header(state: &RequestState) -> bool {
    let headers = state.route.header_view(&state.request);
    headers.get("x-nextjs-data").is_some_and(|value| !value.is_empty())
}
