//! The first stage: what arrived.
//!
//! In: method, target and raw headers as Node parsed them. Out: a [`Request`] whose internal headers are gone. Everything
//! after this door may trust that a header in [`INTERNAL_HEADERS`] was not sent by a client.

mod cacheable;
mod rsc;
mod set_before;

pub use cacheable::{may_be_cacheable, CacheableRequest, PREVIEW_COOKIES};
pub use rsc::{RscRequest, FLIGHT_HEADERS, PREFETCHES, PREFETCHES_OF_NAVIGATIONS, RSC_HEADER, RSC_PARAM};
pub use set_before::{is_heeded, SetBefore};

use smallvec::SmallVec;

/// What the client router of the Pages Router sends with its requests for `/_next/data/`.
pub const DATA_HEADER: &str = "x-nextjs-data";

/// Cookies that middleware set, for the entry behind it.
pub const MIDDLEWARE_COOKIES_HEADER: &str = "x-middleware-set-cookie";

/// Request headers that only the server itself may set. A client that sends one is ignored.
/// Source: `next/dist/server/lib/server-ipc/utils.js` of 16.4.
pub const INTERNAL_HEADERS: [&str; 11] = [
    "x-middleware-rewrite",
    "x-middleware-redirect",
    MIDDLEWARE_COOKIES_HEADER,
    "x-middleware-skip",
    "x-middleware-override-headers",
    "x-middleware-next",
    "x-now-route-matches",
    "x-matched-path",
    DATA_HEADER,
    "x-next-resume-state-length",
    "next-resume",
];

/// `Sec-Fetch-Dest` of requests that cannot show a page (`is-non-html-sec-fetch-dest.js`).
pub const SUBRESOURCES: [&str; 17] = [
    "audio",
    "audioworklet",
    "font",
    "image",
    "json",
    "manifest",
    "paintworklet",
    "report",
    "script",
    "serviceworker",
    "sharedworker",
    "style",
    "track",
    "video",
    "webidentity",
    "worker",
    "xslt",
];

/// The method of a request, as far as the pipeline treats methods differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `OPTIONS`
    Options,
    /// Any other method, as written.
    Other(Box<str>),
}

impl Method {
    /// Methods are case-sensitive (RFC 9110, 9.1).
    pub fn parse(name: &str) -> Self {
        match name {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "OPTIONS" => Method::Options,
            other => Method::Other(other.into()),
        }
    }

    /// The method, as written.
    pub fn name(&self) -> &str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Options => "OPTIONS",
            Method::Other(name) => name,
        }
    }

    /// Whether the method only reads: `GET` or `HEAD`.
    pub fn is_read(&self) -> bool {
        matches!(self, Method::Get | Method::Head)
    }
}

/// Request headers in the order they arrived, without [`INTERNAL_HEADERS`].
///
/// Holds Node's `rawHeaders.join('\0')` unchanged and an index into it, so that parsing allocates at most once.
/// A header value can hold no NUL byte (RFC 9110, 5.5; Node's parser rejects it).
#[derive(Debug, Clone, Default)]
pub struct Headers {
    raw: String,
    index: SmallVec<[Span; 24]>,
    claims_data: bool,
    /// Where what the user's server has set before begins, the end where there is nothing.
    set_before: usize,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    name_start: u32,
    name_end: u32,
    value_end: u32,
}

impl Headers {
    /// Parses `name\0value\0name\0value…`; an empty string has no headers.
    pub fn parse(raw: impl Into<String>) -> Self {
        Headers::parse_from(raw.into(), 0)
    }

    /// Parses what begins at byte `start` of `raw`, which is kept as it is.
    pub fn parse_from(raw: String, start: usize) -> Self {
        let mut index = SmallVec::new();
        let mut claims_data = false;
        let mut set_before = raw.len();
        let bytes = raw.as_bytes();
        let mut nuls = memchr::memchr_iter(0, bytes.get(start..).unwrap_or_default()).map(|at| start + at);
        let mut at = start;
        while at < bytes.len() {
            let Some(name_end) = nuls.next() else {
                break;
            };
            let value_end = nuls.next().unwrap_or(bytes.len());
            let name = &raw[at..name_end];
            if name == set_before::MARK {
                set_before = name_end + 1;
                break;
            }
            if is_internal(name) {
                claims_data |= name.eq_ignore_ascii_case(DATA_HEADER) && value_end > name_end + 1;
            } else {
                index.push(Span {
                    name_start: at as u32,
                    name_end: name_end as u32,
                    value_end: value_end as u32,
                });
            }
            at = value_end + 1;
        }
        Headers {
            raw,
            index,
            claims_data,
            set_before,
        }
    }

    /// Whether the client said that it asks for data ([`DATA_HEADER`]). The header itself was dropped; versions whose client router
    /// decides by it are asked through this.
    pub fn claims_data(&self) -> bool {
        self.claims_data
    }

    /// What the user's server has set on the response before.
    pub fn set_before(&self) -> SetBefore<'_> {
        SetBefore::new(self.raw.get(self.set_before..).unwrap_or_default())
    }

    /// The first value of `name` (lower case). Node keeps the first of the headers that must not repeat and joins the
    /// others; callers that need the joined form use [`Headers::joined`].
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Every value of `name` (lower case), in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All values of `name` as Node's `req.headers` joins them: `; ` for `cookie`, `, ` for the rest.
    pub fn joined(&self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        let mut out = values.next()?.to_owned();
        let separator = if name == "cookie" { "; " } else { ", " };
        for value in values {
            out.push_str(separator);
            out.push_str(value);
        }
        Some(out)
    }

    /// Name (as written) and value of each header.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.index.iter().map(|span| {
            let name = &self.raw[span.name_start as usize..span.name_end as usize];
            let value = &self.raw[span.name_end as usize + 1..span.value_end as usize];
            (name, value)
        })
    }
}

fn is_internal(name: &str) -> bool {
    // Every internal header starts with `x-` or `n`; most headers of a browser fail this first look.
    let first = name.as_bytes().first().map_or(0, u8::to_ascii_lowercase);
    (first == b'x' || first == b'n')
        && INTERNAL_HEADERS
            .iter()
            .any(|internal| internal.eq_ignore_ascii_case(name))
}

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// A client over the network.
    #[default]
    Client,
    /// The cache itself, to render an entry again.
    Revalidate,
}

/// One request, as the pipeline sees it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The request target exactly as sent (`req.url`), with basePath, locale, data and RSC forms.
    pub target: String,
    /// The headers without internal ones.
    pub headers: Headers,
    /// Whether the connection is encrypted (`req.socket.encrypted`).
    pub encrypted: bool,
    /// Who asked.
    pub origin: Origin,
}

impl Request {
    /// The origin that the client asked, where a trusted proxy has named it (runtime/http/forwarded-origin.js): no client can send a
    /// header of this name.
    pub fn public_origin(&self) -> Option<&str> {
        self.headers.get(":origin")
    }

    /// What it was taken from, see [`Request::parse`].
    pub fn head(&self) -> &str {
        &self.headers.raw
    }

    /// Takes a request from `method\0target\0name\0value…`, the form in which Node hands it over.
    pub fn parse(head: String, encrypted: bool, origin: Origin) -> Self {
        let mut nuls = memchr::memchr_iter(0, head.as_bytes());
        let method_end = nuls.next().unwrap_or(head.len());
        let target_end = nuls.next().unwrap_or(head.len());
        Request {
            method: Method::parse(&head[..method_end]),
            target: head.get(method_end + 1..target_end).unwrap_or_default().to_owned(),
            encrypted,
            origin,
            headers: Headers::parse_from(head, target_end + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_whatever_their_case() {
        let headers = Headers::parse("Host\0a.example\0Accept\0text/html\0ACCEPT\0*/*");
        assert_eq!(headers.get("host"), Some("a.example"));
        assert_eq!(headers.joined("accept").as_deref(), Some("text/html, */*"));
        assert_eq!(headers.get("cookie"), None);
        assert_eq!(headers.iter().count(), 3);
    }

    #[test]
    fn a_request_is_taken_apart() {
        let request = Request::parse("GET\0/a?b\0Host\0h".into(), true, Origin::Client);
        assert_eq!((request.method, request.target.as_str()), (Method::Get, "/a?b"));
        assert_eq!(request.headers.get("host"), Some("h"));
        for odd in ["", "GET", "GET\0/", "\0\0", "GET\0/\0"] {
            assert_eq!(
                Request::parse(odd.into(), false, Origin::Client).headers.iter().count(),
                0,
                "{odd:?}"
            );
        }
    }

    #[test]
    fn empty_and_odd_input_is_harmless() {
        assert_eq!(Headers::parse("").iter().count(), 0);
        assert_eq!(Headers::parse("lonely").iter().count(), 0);
        assert_eq!(Headers::parse("a\0").get("a"), Some(""));
    }

    #[test]
    fn internal_headers_stop_at_the_door() {
        for name in INTERNAL_HEADERS {
            let raw = format!("{}\0value\0Host\0h", name.to_uppercase());
            let headers = Headers::parse(raw);
            assert_eq!(headers.get(name), None, "{name}");
            assert_eq!(headers.get("host"), Some("h"));
        }
    }
}
