//! What a request gets that cannot be answered as it asked: redirects to where the answer is, and error pages.
//!
//! Upstream: the 404 case of `next/dist/server/lib/router-server.js`, and `renderErrorToResponseImpl` of `base-server.js`.

use bytes::Bytes;

use super::headers::{leading_headers, response_headers};
use super::output::{has_data_header, locale_of};
use crate::answer::page::NO_STORE;
use crate::engine::{Cause, Engine, ErrorPage, Next, Phase, Provenance, RequestState};
use crate::http::etag;
use crate::http::headers::HeaderList;
use crate::http::status::INTERNAL_SERVER_ERROR;
use crate::route::{NotFound, Output, OutputKind, PageDecision, Redirect, RedirectReason};
use crate::source::render::Render;
use crate::url::Location;

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

impl Engine {
    /// A redirect. The body repeats the location, without a content type, as upstream sends it.
    pub(super) fn redirect(&self, state: &RequestState, redirect: &Redirect) -> Next {
        let mut headers = response_headers(state);
        // A target that is no URL is redirected by upstream's renderer, which spells the name with a capital.
        let is_url = Location::parse(&state.request.target, self.build.capabilities.dialect()).is_ok();
        // So does the redirect to a locale.
        let lower = is_url && redirect.reason != RedirectReason::Locale;
        headers.set(if lower { "location" } else { "Location" }, redirect.location.clone());
        if let Some(refresh) = &redirect.refresh {
            headers.set("Refresh", refresh.clone());
        }
        // The locale is that of the client.
        let provenance = match redirect.reason {
            RedirectReason::Locale => Provenance::Uncacheable,
            _ => Provenance::Target,
        };
        let body = Bytes::from(redirect.location.clone());
        self.answer(state, provenance, redirect.status, headers, body)
    }

    /// Nothing matched.
    pub(super) fn serve_not_found(&self, state: &mut RequestState, kind: NotFound) -> Next {
        match kind {
            NotFound::PlainText => {
                let headers = response_headers(state);
                self.plain_not_found(state, headers)
            }
            NotFound::Page | NotFound::Unrendered { no_store: true } => self.fail(state, Cause::Target, 404),
            // Nothing has been said yet that a page with `getStaticProps` could keep to.
            NotFound::Unrendered { no_store: false } if self.not_found_has_props(state) => {
                self.fail(state, Cause::Target, 404)
            }
            NotFound::Unrendered { no_store: false } => self.fail_openly(state, Cause::Target, 404),
            NotFound::Data => {
                let mut headers = response_headers(state);
                headers.set("Cache-Control", NO_STORE);
                self.no_data(state, headers)
            }
        }
    }

    /// The data of a path that has none.
    pub(super) fn no_data(&self, state: &RequestState, mut headers: HeaderList) -> Next {
        headers.set("x-nextjs-matched-path", state.route.location.pathname.clone());
        headers.set("content-type", "application/json");
        self.answer(state, Provenance::Uncacheable, 404, headers, Bytes::from_static(b"{}"))
    }

    /// Whether the data of `/404` is asked for in an app with middleware, which has none whatever page is there
    /// (`invokeRender` of `router-server.js`).
    pub(super) fn is_data_of_missing(&self, state: &RequestState) -> bool {
        let pathname = &state.route.location.pathname;
        pathname.strip_prefix(self.config.base_path.as_str()) == Some("/404")
            && self.router.has_middleware()
            && has_data_header(state)
    }

    /// A short 404 for something that is no document.
    pub(super) fn plain_not_found(&self, state: &RequestState, mut headers: HeaderList) -> Next {
        headers.set("Cache-Control", NO_STORE);
        headers.set("Content-Type", PLAIN_TEXT);
        self.answer(
            state,
            Provenance::Uncacheable,
            404,
            headers,
            Bytes::from_static(b"Not Found"),
        )
    }

    /// A short text in place of an error page.
    pub(super) fn plain_error(&self, state: &RequestState, mut headers: HeaderList) -> Next {
        if self.settings.etags {
            headers.set("ETag", etag::of_text(INTERNAL_SERVER_ERROR));
        }
        headers.set_default("Content-Type", "text/plain");
        self.answer(
            state,
            Provenance::Uncacheable,
            500,
            headers,
            INTERNAL_SERVER_ERROR.into(),
        )
    }

    /// The app's own page for a status, or a short text if it has none.
    pub(super) fn serve_error_page(&self, state: &mut RequestState, error: ErrorPage) -> Next {
        let locale = state.route.locale.as_ref().map(|state| state.locale.clone());
        match self.error_output(error.status, locale.as_deref()) {
            Some(output) => self.serve_output(state, &output, Some(&error)),
            None => {
                let headers = leading_headers(state, Some(&error));
                self.plain_error(state, headers)
            }
        }
    }

    /// The error page of `status`, which must not be kept.
    pub(super) fn fail(&self, state: &mut RequestState, cause: Cause, status: u16) -> Next {
        let headers = response_headers(state);
        self.fail_onto(state, cause, status, headers)
    }

    /// The error page of `status` on top of the headers of the answer that failed.
    pub(super) fn fail_onto(&self, state: &mut RequestState, cause: Cause, status: u16, headers: HeaderList) -> Next {
        self.start_error_page(state, cause, status, headers, true)
    }

    /// An error page that may say itself how long it is kept: one that a render came to.
    pub(super) fn fail_openly(&self, state: &mut RequestState, cause: Cause, status: u16) -> Next {
        let headers = response_headers(state);
        self.start_error_page(state, cause, status, headers, false)
    }

    /// The render that lets the app's own `_error` see a fault although a static `/500` will be shown: `getInitialProps` is
    /// where apps report errors. `None` when `_error` itself is shown anyway, or no page at all.
    pub(super) fn report_to_error_page(&self, state: &RequestState) -> Option<Render> {
        let locale = locale_of(state);
        let shown = self.router.lookup("/500", locale).filter(|_| self.renders_pages)?;
        if matches!(
            self.decide(state, &shown, Some(500)).decision,
            PageDecision::CorrectSearch(_)
        ) {
            return None;
        }
        let output = self.router.lookup("/_error", locale)?;
        Some(Render {
            is_error_page: true,
            ..self.plain_render(state, &output, Some(500))
        })
    }

    /// The not-found page, with what a page that found nothing has said on the response.
    pub(super) fn not_found_below(&self, state: &mut RequestState, headers: HeaderList) -> Next {
        self.start_error_page(state, Cause::Other, 404, headers, false)
    }

    fn start_error_page(
        &self,
        state: &mut RequestState,
        cause: Cause,
        status: u16,
        headers: HeaderList,
        no_store: bool,
    ) -> Next {
        let page = ErrorPage {
            status,
            headers,
            no_store,
            cause,
        };
        state.enter(Phase::ErrorPage(page.clone()));
        self.serve_error_page(state, page)
    }

    fn not_found_has_props(&self, state: &RequestState) -> bool {
        let page = self.error_output(404, locale_of(state));
        page.is_some_and(|page| page.kind == OutputKind::Pages && self.rules.has_static_props(&page.pathname))
    }

    /// Which page shows a status: the App Router's for 404, the Pages Router's for 404 and 500, `_error` for the rest.
    pub(super) fn error_output(&self, status: u16, locale: Option<&str>) -> Option<Output> {
        let app = (status == 404)
            .then(|| self.router.lookup("/_not-found", None))
            .flatten();
        // A build of the App Router alone lists pages that cannot be rendered: `_app` and `_document` are missing.
        let pages = |page| self.renders_pages.then(|| self.router.lookup(page, locale)).flatten();
        let own = match status {
            404 => pages("/404"),
            500 => pages("/500"),
            _ => None,
        };
        app.or(own).or_else(|| pages("/_error"))
    }
}
