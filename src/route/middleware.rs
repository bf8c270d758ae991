//! Middleware: whether it runs, with which URL, and what its answer does to routing.
//!
//! In: a request, and later what middleware answered. Out: a [`MiddlewareCall`], and the changed state. Sources:
//! `middleware-route-matcher.js`, the middleware branch of `resolve-routes.js`, `runMiddleware` in `next-server.js`.

use indexmap::IndexMap;
use rustc_hash::FxHashSet;

use super::decision::{Decision, MiddlewareCall, MiddlewareReply, RedirectReason};
use super::header_view::HeaderText;
use super::router::{Router, Stop};
use super::rule::RuleFault;
use super::state::RouteState;
use super::walk::{proxy_url, redirect};
use crate::request::{Request, MIDDLEWARE_COOKIES_HEADER};
use crate::url::{
    any_data_page, decode_uri_component, parse_target, relative_to, remove_path_prefix, Dialect, Location,
};

/// Headers of an answer that go no further (`ipcForbiddenHeaders`).
const FORBIDDEN: [&str; 7] = [
    "accept-encoding",
    "keepalive",
    "keep-alive",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "expect",
];

/// The status of `Response.error()`. It is the answer, but none that could be sent.
const NETWORK_ERROR: u16 = 0;

impl Router {
    /// Whether this app has middleware.
    pub fn has_middleware(&self) -> bool {
        self.middleware.is_some()
    }

    /// The call of middleware for this request, if it runs.
    pub(super) fn middleware_call(&self, request: &Request, state: &mut RouteState) -> Option<MiddlewareCall> {
        let middleware = self.middleware.as_ref()?;
        let path = state.location.pathname.as_str();
        let subject = state.subject(request);
        let decoded = decode_uri_component(state.location.path());
        let runs = middleware.matches(path, &subject)
            || decoded.is_some_and(|decoded| decoded != path && middleware.matches(&decoded, &subject));
        if !runs {
            return None;
        }
        // The renderer runs middleware, and adds these before it looks whether it may.
        for (name, value) in self.served_at.forwarded(request, &state.header_view(request)) {
            state.request_headers.set(name, HeaderText::One(value));
        }
        if self.is_on_demand_revalidation(request, state) {
            return None;
        }
        self.take_data_locale(request, state);
        Some(MiddlewareCall {
            url: self.middleware_url(request, state),
        })
    }

    /// The renderer takes the locale from the data path that the client asked for, of whatever build
    /// (`getNextPathnameInfo` in `base-server.js`).
    fn take_data_locale(&self, request: &Request, state: &mut RouteState) {
        let Some(locales) = self.table.locales() else { return };
        let path = request.target.split('?').next().unwrap_or_default();
        let bare = remove_path_prefix(path, &self.config.base_path);
        if let Some(locale) = any_data_page(&bare).and_then(|page| locales.split(page).locale) {
            state.set_locale(locale);
        }
    }

    /// A revalidation that the server itself asked for skips middleware.
    fn is_on_demand_revalidation(&self, request: &Request, state: &RouteState) -> bool {
        let header = state.header_view(request).get("x-prerender-revalidate");
        header.is_some_and(|value| !value.is_empty() && value == self.preview_mode_id)
    }

    fn middleware_url(&self, request: &Request, state: &RouteState) -> String {
        let (protocol, page_url) = self.served_at.page_url(request, &state.header_view(request));
        if self.config.skip_proxy_url_normalize || self.config.skip_middleware_url_normalize {
            return page_url;
        }
        let locale = match &state.locale {
            Some(locale) => format!("/{}", locale.locale),
            None => String::new(),
        };
        let query = state.location.query.to_search_params();
        let question = if query.is_empty() { "" } else { "?" };
        let target = format!("{locale}{}{question}{query}", state.location.pathname);
        self.served_at.url(request, protocol, &target)
    }

    /// What the answer of middleware does. `None` goes on with the next rule.
    pub(super) fn apply_middleware(
        &self,
        request: &Request,
        state: &mut RouteState,
        reply: MiddlewareReply,
    ) -> Result<Option<Decision>, Stop> {
        let base = self.served_at.routing_url(request, &state.header_view(request));
        let mut headers = reply.headers;
        if let Some(names) = take(&mut headers, "x-middleware-override-headers") {
            override_headers(request, state, &names, &mut headers);
        }
        let has = |headers: &[(String, HeaderText)], name: &str| one(headers, name).is_some();
        let answered =
            !has(&headers, "x-middleware-rewrite") && !has(&headers, "x-middleware-next") && !has(&headers, "location");
        let rewrite = one(&headers, "x-middleware-rewrite");
        let location = one(&headers, "location");
        for (name, value) in &headers {
            copy_header(state, name, value);
        }
        if let Some(rewrite) = rewrite {
            let target = relative_to(&rewrite, &base).ok_or_else(|| invalid_url(&rewrite))?;
            state
                .headers
                .set("x-middleware-rewrite", HeaderText::One(target.clone()));
            let dialect = self.dialect_for(&target);
            let parts = parse_target(&target, dialect).map_err(|_| invalid_url(&target))?;
            if parts.is_absolute() {
                return Ok(Some(Decision::Proxy {
                    url: proxy_url(parts, state),
                }));
            }
            state.location = Location::from(parts);
            state.locale_added = reply.locale_added;
            if let Some(locales) = self.table.locales() {
                // Upstream does not take the basePath off here.
                if let Some(locale) = locales.split(&state.location.pathname).locale {
                    let locale = locale.to_owned();
                    state.set_locale(&locale);
                }
            }
        }
        if let Some(location) = location {
            if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
                state.headers.set("location", HeaderText::One(location));
                return Ok(Some(Decision::MiddlewareResponse { status: reply.status }));
            }
            let target = relative_to(&location, &base).ok_or_else(|| invalid_url(&location))?;
            let parts = parse_target(&target, self.dialect_for(&target)).map_err(|_| invalid_url(&target))?;
            state.headers.remove("location");
            return Ok(Some(redirect(
                reply.status,
                parts.format(),
                RedirectReason::Middleware,
            )?));
        }
        if answered && reply.status == NETWORK_ERROR {
            return Ok(Some(self.not_found(request, state)));
        }
        if answered {
            return Ok(Some(Decision::MiddlewareResponse { status: reply.status }));
        }
        Ok(None)
    }

    fn dialect_for(&self, target: &str) -> Dialect {
        if target.starts_with('/') && !self.capabilities.whatwg_targets {
            Dialect::Legacy
        } else {
            Dialect::Whatwg
        }
    }
}

fn invalid_url(url: &str) -> Stop {
    Stop::from(RuleFault(format!("Invalid URL: {url}")))
}

fn take(headers: &mut Vec<(String, HeaderText)>, name: &str) -> Option<String> {
    let at = headers.iter().position(|(other, _)| other == name)?;
    match headers.remove(at).1 {
        HeaderText::One(text) => Some(text).filter(|text| !text.is_empty()),
        HeaderText::Many(texts) => Some(texts.join(",")),
    }
}

/// The value of a header, unless it is empty.
fn one(headers: &[(String, HeaderText)], name: &str) -> Option<String> {
    match &headers.iter().find(|(other, _)| other == name)?.1 {
        HeaderText::One(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        HeaderText::Many(texts) => texts.first().cloned(),
    }
}

/// `names` lists every request header that is left; each value is in a header of its own. Those that were there stay where
/// they were.
fn override_headers(request: &Request, state: &mut RouteState, names: &str, headers: &mut Vec<(String, HeaderText)>) {
    let listed: FxHashSet<&str> = names.split(',').map(str::trim).collect();
    let mut carried: IndexMap<String, HeaderText> = IndexMap::new();
    for (name, value) in std::mem::take(headers) {
        match name.strip_prefix("x-middleware-request-") {
            Some(inner) if listed.contains(inner) => {
                carried.insert(inner.to_owned(), value);
            }
            _ => headers.push((name, value)),
        }
    }
    let before = state.header_view(request).names();
    state.request_headers.clear();
    let in_order = before.iter().map(String::as_str).chain(names.split(',').map(str::trim));
    for name in in_order {
        if let Some(value) = carried.get_mut(name) {
            let value = std::mem::replace(value, HeaderText::Many(Vec::new()));
            if !value.lines().is_empty() {
                state.request_headers.set(name, value);
            }
        }
    }
}

/// Most headers go to the client and, so that pages see them, onto the request.
fn copy_header(state: &mut RouteState, name: &str, value: &HeaderText) {
    let skipped = [
        "content-length",
        "x-middleware-next",
        "x-middleware-rewrite",
        "x-middleware-redirect",
        "x-middleware-refresh",
    ];
    if FORBIDDEN.contains(&name) || skipped.contains(&name) {
        return;
    }
    if name == MIDDLEWARE_COOKIES_HEADER {
        state.request_headers.set(name, value.clone());
        return;
    }
    if matches!(value, HeaderText::One(text) if text.is_empty()) {
        return;
    }
    state.headers.set(name, value.clone());
    state.request_headers.set(name, value.clone());
}
