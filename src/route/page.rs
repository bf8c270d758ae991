//! What a matched page does with a request, before anything is rendered.
//!
//! In: the matched output, the request, and what the build prerendered. Out: a [`PageDecision`]. Pure, like the rest of the
//! stage. Upstream: `renderToResponseWithComponentsImpl` of `next/dist/server/base-server.js`, in its order, and the first
//! part of the compiled handlers, as far as they decide whether a cached answer may be sent.

use std::borrow::Cow;
use std::collections::HashSet;

use super::address::{Address, EntryKind, Variant};
use super::partial::{PartialRoutes, Shells};
use super::pattern::{MatchOptions, PathMatcher};
use super::resolve::{decode_path, resolve};
use super::uncached::{has_placeholder, is_possible_action, is_prefetch, may_be_cached, names_payload};
use super::{Output, OutputKind};
use crate::build::{Build, Fallback, RouteOwner};
use crate::config::NextConfig;
use crate::request::{Method, Request, RscRequest, PREFETCHES, PREFETCHES_OF_NAVIGATIONS, RSC_HEADER, SUBRESOURCES};
use crate::url::{encode_uri_component, path_has_prefix, remove_path_prefix, split_locale, Location, QueryValue};

/// The `Vary` of every answer of the App Router.
const VARY_RSC: &str = "rsc, next-router-state-tree, next-router-prefetch, next-router-segment-prefetch";

/// The `Vary` of paths that an intercepting route may answer.
const VARY_RSC_NEXT_URL: &str =
    "rsc, next-router-state-tree, next-router-prefetch, next-router-segment-prefetch, next-url";

/// What the segment of an intercepting route begins with.
const INTERCEPTION_MARKERS: [&str; 4] = ["(..)(..)", "(.)", "(..)", "(...)"];

/// What to do with the request.
#[derive(Debug, Clone, PartialEq)]
pub enum PageDecision {
    /// `_rsc` does not fit these headers: 307 to the same target with one that does.
    CorrectSearch(RscRequest),
    /// Middleware prefetch of a page that has no data to prefetch: `{}`.
    SkipPrefetch,
    /// 404 for something that is no document.
    PlainNotFound,
    /// 405: the page is static.
    MethodNotAllowed,
    /// 400: `OPTIONS` on a page.
    BadMethod,
    /// The cached answer if there is a fresh one, else the compiled entry.
    Prerendered(Prerendered),
    /// A document that the build wrote and that is never revalidated, by its file below `.next/server`.
    Static(String),
    /// The compiled entry.
    Render,
}

/// Where the answer of a prerendered page is kept, and what of it is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Prerendered {
    /// Its own answer.
    pub address: Address,
    /// The answer that a path gets which has none of its own.
    pub fallback: Option<Address>,
    /// What of it is wanted.
    pub variant: Variant,
}

/// The decision and what goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct PageOutcome {
    /// What to do.
    pub decision: PageDecision,
    /// The `Vary` of the route.
    pub vary: Option<&'static str>,
    /// The router headers, if a React payload is asked for.
    pub rsc: Option<RscRequest>,
    /// The status of a status page that was asked for by its own path.
    pub status: Option<u16>,
}

/// What the rules need to know about the request beside its headers.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<'a> {
    /// The request.
    pub request: &'a Request,
    /// The matched page.
    pub output: &'a Output,
    /// The path after rewrites, without basePath.
    pub pathname: &'a str,
    /// The `_rsc` of the query after rewrites.
    pub rsc_param: Option<&'a QueryValue>,
    /// Whether an entry that found nothing has taken the path for that of a payload.
    pub names_payload: bool,
    /// The status, when the page is rendered as an error page.
    pub status: Option<u16>,
    /// The locale of the request.
    pub locale: Option<&'a str>,
    /// The path that a rewrite or the locale led to ([`RouteState::rewritten_pathname`](super::RouteState)).
    pub rewritten_pathname: Option<&'a str>,
}

/// The rules of one build, compiled at start.
#[derive(Debug)]
pub struct PageRules {
    /// Pages Router pages with `getStaticProps`.
    static_props: HashSet<String>,
    intercepted: Vec<PathMatcher>,
    validate_rsc: bool,
    plain_not_found: bool,
    /// Whether Rust may answer from the prerender cache: not if the app brings a cache of its own.
    serve_prerendered: bool,
    partial: PartialRoutes,
    base_path: String,
    exact_rsc_header: bool,
    /// The kinds of prefetch that belong to `_rsc`.
    prefetches: &'static [&'static str],
}

impl PageRules {
    /// Compiles the rules.
    pub fn compile(build: &Build, config: &NextConfig) -> Self {
        let prerender = &build.prerender;
        let mut static_props: HashSet<String> = prerender.dynamic_routes.keys().cloned().collect();
        let locales = config.i18n.iter().flat_map(|i18n| &i18n.locales).map(String::as_str);
        for (path, route) in &prerender.routes {
            if route.router == RouteOwner::Pages {
                // A page without parameters is prerendered once for each locale.
                let page = || split_locale(path, locales.clone()).pathname;
                static_props.insert(route.src_route.as_deref().unwrap_or_else(page).to_owned());
            }
        }
        let rewrites = build.routes.rewrites.before_files.iter();
        let intercepted = rewrites.filter(|rule| rule.is_interception());
        PageRules {
            static_props,
            intercepted: intercepted
                .filter_map(|rule| PathMatcher::compile(&rule.source.source, MatchOptions::default()).ok())
                .collect(),
            validate_rsc: config
                .experimental
                .validate_rsc_request_headers
                .unwrap_or(build.capabilities.validate_rsc_by_default),
            plain_not_found: build.capabilities.plain_404_for_subresources,
            serve_prerendered: config.cache_handler.is_none() && !config.experimental.test_proxy,
            partial: PartialRoutes::compile(build, config),
            base_path: config.base_path.clone(),
            exact_rsc_header: build.capabilities.exact_rsc_header,
            prefetches: if build.capabilities.supports_navigation_prefetch {
                PREFETCHES_OF_NAVIGATIONS
            } else {
                PREFETCHES
            },
        }
    }

    /// Whether a request that found nothing gets a short text.
    pub fn is_plain_not_found(&self, request: &Request) -> bool {
        self.plain_not_found
            && request.method.is_read()
            && request
                .headers
                .get("sec-fetch-dest")
                .is_some_and(|destination| SUBRESOURCES.contains(&destination))
    }

    /// Whether a page of the Pages Router has `getStaticProps`.
    pub fn has_static_props(&self, pathname: &str) -> bool {
        self.static_props.contains(pathname)
    }

    /// Whether a page is partially prerendered, and may be answered from a shell.
    pub fn is_partial(&self, output: &Output) -> bool {
        output.kind == OutputKind::AppPage && self.partial.shells(&output.pathname).is_some()
    }

    /// What the page does with the request.
    pub fn decide(&self, build: &Build, asked: PageRequest<'_>) -> PageOutcome {
        let PageRequest { request, output, .. } = asked;
        let mut rsc = RscRequest::parse(&request.headers, self.prefetches);
        let is_404 = is_not_found(output, asked.status);
        if is_404 && asked.names_payload {
            rsc.get_or_insert_default();
        }
        let own_status = match output.pathname.as_str() {
            "/404" | "/_not-found" if rsc.is_none() && !self.is_data(build, output) => Some(404),
            "/500" => Some(500),
            _ => None,
        };
        let status = asked.status.or(own_status);
        let outcome = |decision, vary, rsc| PageOutcome {
            decision,
            vary,
            rsc,
            status,
        };
        // API routes and edge functions are called before any of the rules below.
        if output.kind == OutputKind::PagesApi || output.edge {
            return outcome(PageDecision::Render, None, rsc);
        }
        if let Some(rsc) = rsc.as_ref().filter(|_| self.validate_rsc && !is_404) {
            if !rsc.fits(asked.rsc_param.and_then(QueryValue::as_one)) {
                return outcome(PageDecision::CorrectSearch(rsc.clone()), None, None);
            }
        }
        let vary = self.vary(output, asked.pathname, rsc.is_some());
        let decision = self.decide_kind(build, &asked, rsc.as_ref(), is_404);
        outcome(decision, vary, rsc)
    }

    /// Whether a page is made ahead of requests, from props.
    fn is_ssg(&self, build: &Build, output: &Output) -> bool {
        // A status page is a document even where it has props, and its props are listed by locale.
        let is_document = output.file.ends_with(".html");
        (output.kind == OutputKind::Pages && !is_document && self.static_props.contains(&output.pathname))
            || build.prerender.routes.contains_key(&output.pathname)
    }

    /// Whether the data of a status page is asked for, and it has any.
    fn is_data(&self, build: &Build, output: &Output) -> bool {
        output.is_data_request && self.is_ssg(build, output)
    }

    /// What the answer of a page varies by. API routes and edge functions say so themselves.
    pub fn vary(&self, output: &Output, pathname: &str, is_rsc: bool) -> Option<&'static str> {
        let is_app = matches!(output.kind, OutputKind::AppPage | OutputKind::AppRoute);
        if output.kind == OutputKind::PagesApi || output.edge {
            None
        } else if is_app && self.is_intercepted(pathname) {
            Some(VARY_RSC_NEXT_URL)
        } else if is_app || is_rsc {
            Some(VARY_RSC)
        } else {
            None
        }
    }

    fn decide_kind(
        &self,
        build: &Build,
        asked: &PageRequest<'_>,
        rsc: Option<&RscRequest>,
        is_404: bool,
    ) -> PageDecision {
        let PageRequest { request, output, .. } = asked;
        let is_error_component = is_404 || output.pathname == "/_error";
        let is_error = is_error_component || output.pathname == "/500";
        let is_static_document = output.file.ends_with(".html");
        let is_ssg = self.is_ssg(build, output);
        if !is_ssg
            && !is_error_component
            && request
                .headers
                .get("x-middleware-prefetch")
                .is_some_and(|value| !value.is_empty())
        {
            return PageDecision::SkipPrefetch;
        }
        if is_404 && rsc.is_none() && !self.is_data(build, output) && self.is_plain_not_found(request) {
            return PageDecision::PlainNotFound;
        }
        let is_action = is_possible_action(request);
        if (is_static_document || is_ssg) && !is_action && !is_error && !request.method.is_read() {
            return PageDecision::MethodNotAllowed;
        }
        if is_static_document {
            return PageDecision::Static(output.file.clone());
        }
        if request.method == Method::Options && !is_404 && output.kind != OutputKind::AppRoute {
            return PageDecision::BadMethod;
        }
        if output.kind == OutputKind::AppPage && rsc.is_none() && (self.is_loosely_rsc(request) || is_prefetch(request))
        {
            return PageDecision::Render;
        }
        if is_action || !self.serve_prerendered || !may_be_cached(request) || names_payload(request) {
            return PageDecision::Render;
        }
        match self.prerendered(build, asked, rsc) {
            Some(prerendered) => PageDecision::Prerendered(prerendered),
            None => PageDecision::Render,
        }
    }

    /// Where the answer is kept, `None` for what is rendered per request.
    fn prerendered(&self, build: &Build, asked: &PageRequest<'_>, rsc: Option<&RscRequest>) -> Option<Prerendered> {
        let address = self.address(build, asked)?;
        let variant = self.variant(build, asked, rsc);
        let shells = match asked.output.kind {
            OutputKind::AppPage => self.partial.shells(&asked.output.pathname),
            _ => None,
        };
        let Some(shells) = shells else {
            return Some(Prerendered {
                address,
                fallback: None,
                variant,
            });
        };
        if !self.partial.may_have_shell(asked.request) {
            return None;
        }
        if build.capabilities.placeholders_are_open && asked.output.params.as_ref().is_some_and(has_placeholder) {
            return None;
        }
        let is_navigation = rsc.is_some_and(|rsc| !rsc.prefetch);
        let has_payload = || {
            build
                .prerender
                .routes
                .get(&address.pathname)
                .is_some_and(|route| route.has_payload)
        };
        if is_navigation && !(address.built && has_payload()) {
            return None;
        }
        let own = Address {
            partial: true,
            ..address
        };
        let fallback = |path: &String| Address {
            pathname: path.clone(),
            built: false,
            fallback: true,
            ..own.clone()
        };
        let (address, fallback) = match shells {
            Shells::Own(path) => (own.clone(), path.as_ref().filter(|_| !own.built).map(fallback)),
            // What the build has rendered of such a route is a matter for the entry.
            Shells::Shared(_) if own.built => return None,
            Shells::Shared(path) => (fallback(path), None),
            Shells::Completed if !is_written_one_way(&own.pathname) => return None,
            Shells::Completed => (own, None),
            Shells::Unknown => return None,
        };
        Some(Prerendered {
            address,
            fallback,
            variant,
        })
    }

    /// The address of the cached answer, `None` for pages that are rendered per request.
    fn address(&self, build: &Build, asked: &PageRequest<'_>) -> Option<Address> {
        let output = asked.output;
        let (kind, router, source) = match output.kind {
            OutputKind::AppPage => (EntryKind::AppPage, RouteOwner::AppPage, &output.page),
            OutputKind::AppRoute => (EntryKind::AppRoute, RouteOwner::AppRoute, &output.page),
            OutputKind::Pages => (EntryKind::Pages, RouteOwner::Pages, &output.pathname),
            OutputKind::PagesApi => return None,
        };
        let resolved = resolve(&output.pathname, output.params.as_ref())?;
        if build.capabilities.kept_by_rewritten_path
            && asked
                .rewritten_pathname
                .is_some_and(|path| decode_path(path) != resolved)
        {
            return None;
        }
        let pathname = match asked.locale.filter(|_| kind == EntryKind::Pages) {
            Some(locale) if resolved == "/" => format!("/{locale}"),
            Some(locale) => format!("/{locale}{resolved}"),
            None => resolved,
        };
        // Entries take `/index` for `/`, where a page with parameters keeps nothing.
        let is_index = pathname == "/index";
        let pathname = if is_index { "/".to_owned() } else { pathname };
        let generated = build.prerender.dynamic_routes.get(&output.pathname);
        let built = build.prerender.routes.get(&pathname);
        let owned = built.is_some_and(|route| {
            route.router == router
                && route
                    .src_route
                    .as_deref()
                    .unwrap_or(&resolved_source(&pathname, asked.locale))
                    == output.pathname
        });
        // Where only the paths of the build exist, the entry says what becomes of another.
        let is_open = generated.is_some_and(|route| route.fallback != Fallback::Closed);
        (owned || (is_open && !is_index)).then(|| Address {
            kind,
            source: source.clone(),
            built: owned,
            partial: false,
            fallback: false,
            pathname,
        })
    }

    /// Whether an entry of an older version takes the request for one for a React payload, although it is none.
    fn is_loosely_rsc(&self, request: &Request) -> bool {
        !self.exact_rsc_header && request.headers.all(RSC_HEADER).any(|value| !value.is_empty())
    }

    fn variant(&self, build: &Build, asked: &PageRequest<'_>, rsc: Option<&RscRequest>) -> Variant {
        match (asked.output.kind, rsc) {
            (OutputKind::AppPage, Some(rsc)) => match &rsc.segment {
                Some(segment) => Variant::Segment(segment.clone()),
                None => Variant::Rsc,
            },
            (OutputKind::Pages, _) if self.asks_for_data(build, asked.request) => Variant::Data,
            _ => Variant::Html,
        }
    }

    /// Whether the target itself is a data URL, of whatever build: entries look at what the client asked for. So a rewrite
    /// that leads to one gets the document, and an error page of a data URL comes as data.
    fn asks_for_data(&self, build: &Build, request: &Request) -> bool {
        let is_data = |path: &str| path_has_prefix(&remove_path_prefix(path, &self.base_path), "/_next/data");
        // Dot segments are gone from the URL that an entry reads.
        is_data(&request.target)
            || (request.target.contains("/_next/")
                && Location::parse_whole(&request.target, build.capabilities.dialect())
                    .is_ok_and(|location| is_data(&location.pathname)))
    }

    /// Whether an intercepting route may answer this path, or is this path.
    fn is_intercepted(&self, pathname: &str) -> bool {
        let is_marked = |segment: &str| INTERCEPTION_MARKERS.iter().any(|marker| segment.starts_with(marker));
        (pathname.contains("/(") && pathname.split('/').any(is_marked))
            || self
                .intercepted
                .iter()
                .any(|pattern| matches!(pattern.matches(pathname), Ok(Some(_))))
    }
}

fn is_not_found(output: &Output, status: Option<u16>) -> bool {
    matches!(output.pathname.as_str(), "/404" | "/_not-found") || (output.pathname == "/_error" && status == Some(404))
}

/// Whether `encodeURIComponent` leaves a path as it is: it encodes the key of a completed shell, but not the key of what the build made.
fn is_written_one_way(pathname: &str) -> bool {
    let is_plain = |segment| matches!(encode_uri_component(segment), Cow::Borrowed(_));
    pathname.split('/').all(is_plain)
}

fn resolved_source(pathname: &str, locale: Option<&str>) -> String {
    let stripped = locale.and_then(|locale| pathname.strip_prefix('/')?.strip_prefix(locale));
    match stripped {
        Some("") => "/".to_owned(),
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        _ => pathname.to_owned(),
    }
}
