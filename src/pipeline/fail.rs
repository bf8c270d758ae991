//! What a request gets that cannot be answered as it asked: redirects to where the answer is, and error pages.
//!
//! Upstream: the 404 case of `next/dist/server/lib/router-server.js`, and `renderErrorToResponseImpl` of `base-server.js`.

use bytes::Bytes;

use super::flight::{ErrorPage, Flight, Next};
use super::output::leading_headers;
use crate::engine::Engine;
use crate::response::headers::HeaderList;
use crate::response::page::NO_STORE;
use crate::route::{Output, Redirect};

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

impl Engine {
    /// A redirect. The body repeats the location, without a content type, as upstream sends it.
    pub(super) fn redirect(&self, flight: &Flight, redirect: &Redirect) -> Next {
        let mut headers = flight.routed.response_headers();
        headers.set("location", redirect.location.clone());
        if redirect.status == 308 {
            headers.set("Refresh", format!("0;url={}", redirect.location));
        }
        self.answer(flight, redirect.status, headers, Bytes::from(redirect.location.clone()))
    }

    /// Nothing matched.
    pub(super) fn serve_not_found(&self, flight: &mut Flight) -> Next {
        let is_asset = flight.routed.is_missing_asset;
        if is_asset || self.rules.is_plain_not_found(&flight.request) {
            let headers = flight.routed.response_headers();
            return self.plain_not_found(flight, headers);
        }
        self.fail(flight, 404, HeaderList::new())
    }

    /// A short 404 for something that is no document.
    pub(super) fn plain_not_found(&self, flight: &Flight, mut headers: HeaderList) -> Next {
        headers.set("Cache-Control", NO_STORE);
        headers.set("Content-Type", PLAIN_TEXT);
        self.answer(flight, 404, headers, Bytes::from_static(b"Not Found"))
    }

    /// The app's own page for a status, or a short text if it has none.
    pub(super) fn serve_error_page(&self, flight: &mut Flight, error: ErrorPage) -> Next {
        match self.error_output(error.status, flight.routed.locale.as_deref()) {
            Some(output) => self.serve_output(flight, &output, Some(&error)),
            None => {
                let mut headers = leading_headers(flight, Some(&error));
                headers.set("Content-Type", "text/plain");
                self.answer(flight, 500, headers, Bytes::from_static(b"Internal Server Error"))
            }
        }
    }

    /// Which page shows a status: the App Router's for 404, the Pages Router's for 404 and 500, `_error` for the rest.
    fn error_output(&self, status: u16, locale: Option<&str>) -> Option<Output> {
        let own = match status {
            404 => self
                .router
                .lookup("/_not-found", None)
                .or_else(|| self.router.lookup("/404", locale)),
            500 => self.router.lookup("/500", locale),
            _ => None,
        };
        own.or_else(|| self.router.lookup("/_error", locale))
    }
}
