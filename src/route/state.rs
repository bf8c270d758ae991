//! Where a request is on its way through routing.

use smallvec::SmallVec;

use super::header_view::{HeaderText, HeaderView, Overlay};
use super::rule::{ResponseHeaders, Subject};
use crate::request::{Request, DATA_HEADER};
use crate::url::{Location, Query};

/// The state of one request between steps. Owned, so that it can wait while JavaScript runs.
#[derive(Debug, Clone, Default)]
pub struct RouteState {
    /// Path and query as rules and middleware have left them; the path has basePath and locale.
    pub location: Location,
    /// What changed in the request headers.
    pub request_headers: Overlay,
    /// Whether this is a `_next/data` request (`isNextDataReq`).
    pub is_data_request: bool,
    /// Locales, when the app has any.
    pub locale: Option<LocaleState>,
    /// Whether a rewrite rule matched.
    pub did_rewrite: bool,
    /// The query that the client sent (`initQuery`).
    pub init_query: Query,
    /// The path that a rewrite or the locale gave the request, when it differs from the one that was asked for
    /// (`rewrittenPathname`).
    pub rewritten_pathname: Option<String>,
    /// The path that was asked for, before any locale was put before it.
    pub(super) asked: String,
    pub(super) headers: ResponseHeaders,
    /// Headers that stay on the answer even where those of rules are dropped.
    pub(super) direct: ResponseHeaders,
    pub(super) tried: SmallVec<[String; 2]>,
    pub(super) attempts: u8,
    /// Whether the locale in the path was inferred, not written by the client (`localePathWasInferred`).
    pub(super) locale_added: bool,
    /// The locale that stood in the path, and the path without it.
    pub(super) first_split: Option<(String, String)>,
    /// The default locale of this host, when the path had none or not.
    pub(super) default_locale: Option<String>,
}

/// Locales of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocaleState {
    /// The locale in use.
    pub locale: String,
    /// The default locale of this host.
    pub default_locale: String,
    /// Whether the path had no locale (`localeInferredFromDefault`).
    pub inferred: bool,
    /// Whether the host is one of the configured domains (`isLocaleDomain`).
    pub is_domain: bool,
}

impl RouteState {
    /// Headers that must be on the answer, in order; later ones replace earlier ones of the same name.
    pub fn response_headers(&self) -> ResponseHeaders {
        let mut all = self.direct.clone();
        for (name, value) in self.headers.iter() {
            all.set(name, value.clone());
        }
        all
    }

    /// Whether any header must be on the answer.
    pub fn has_response_headers(&self) -> bool {
        !self.direct.is_empty() || !self.headers.is_empty()
    }

    /// The request headers as they are now.
    pub fn header_view<'a>(&'a self, request: &'a Request) -> HeaderView<'a> {
        HeaderView::new(&request.headers, &self.request_headers)
    }

    pub(super) fn subject<'a>(&'a self, request: &'a Request) -> Subject<'a> {
        Subject {
            headers: self.header_view(request),
            query: &self.location.query,
        }
    }

    pub(super) fn set_locale(&mut self, locale: &str) {
        if let Some(state) = &mut self.locale {
            if state.locale != locale {
                state.locale = locale.to_owned();
            }
        }
    }

    pub(super) fn mark_data_request(&mut self, with_header: bool) {
        self.is_data_request = true;
        if with_header {
            self.request_headers.set(DATA_HEADER, HeaderText::from("1"));
        }
    }
}
