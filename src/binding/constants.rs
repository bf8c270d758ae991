//! What Rust and JavaScript must agree on.
//!
//! In: the constants of the stages that own them. Out: one object, which `runtime/` reads once.

use napi_derive::napi;

use crate::answer::page::NO_STORE;
use crate::http::status::INTERNAL_SERVER_ERROR;
use crate::request::{INTERNAL_HEADERS, MIDDLEWARE_COOKIES_HEADER, PREVIEW_COOKIES};

/// Texts and lists that both sides use.
#[napi(object, object_from_js = false)]
pub struct Constants {
    /// Request headers that only the server itself may set, in lower case.
    pub internal_headers: Vec<&'static str>,
    /// Cookies of draft mode and preview mode.
    pub preview_cookies: Vec<&'static str>,
    /// `Cache-Control` of answers that must not be kept.
    pub no_store: &'static str,
    /// The header in which an entry finds the cookies that middleware set.
    pub middleware_cookies_header: &'static str,
    /// The body of a fault for which there is no page.
    pub internal_server_error: &'static str,
}

/// What both sides must agree on.
#[napi]
pub fn constants() -> Constants {
    Constants {
        internal_headers: INTERNAL_HEADERS.to_vec(),
        preview_cookies: PREVIEW_COOKIES.to_vec(),
        no_store: NO_STORE,
        middleware_cookies_header: MIDDLEWARE_COOKIES_HEADER,
        internal_server_error: INTERNAL_SERVER_ERROR,
    }
}
