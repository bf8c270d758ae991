//! Requests that say nothing but what they want.
//!
//! In: a request as Node hands it over. Out: what of it can bear on the answer, if that is no more than the target and the codings
//! that the client takes. Two such requests that say the same get the same answer, unless a rule of the app looks at more
//! (`Router::looks_at_targets_alone`).

use memchr::memmem;

use super::{set_before, SetBefore, SUBRESOURCES};

/// All of a `GET` request that can bear on its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CacheableRequest<'a> {
    /// The request target as sent.
    pub target: &'a str,
    /// `Accept-Encoding`; empty when absent.
    pub accept_encoding: &'a str,
    /// `Accept`, where an image is asked for; else, and when absent, empty.
    pub accept: &'a str,
    /// Whether `Sec-Fetch-Dest` says that it is for a part of a page.
    pub is_subresource: bool,
    /// What the user's server has set on the response. Whether it bears on an answer depends on the answer.
    pub set_before: SetBefore<'a>,
}

/// Cookies of draft mode and preview mode (`COOKIE_NAME_PRERENDER_BYPASS` and `COOKIE_NAME_PRERENDER_DATA` of upstream).
pub const PREVIEW_COOKIES: [&str; 2] = ["__prerender_bypass", "__next_preview_data"];

/// The only path for which `Accept` matters.
const IMAGES: &[u8] = b"/_next/image";

/// Longer targets are not worth remembering.
const MAX_TARGET: usize = 512;

/// Browsers send some twenty bytes of `Accept-Encoding`, and some sixty of `Accept` for images.
const MAX_VALUE: usize = 128;

impl<'a> CacheableRequest<'a> {
    /// Takes a request apart (`method\0target\0name\0value…`). `None` if it has a header that is not known to bear on nothing, so
    /// that one which a later version listens to is never missed.
    pub fn of(head: &'a str) -> Option<CacheableRequest<'a>> {
        let rest = head.strip_prefix("GET\0")?;
        let mut nuls = memchr::memchr_iter(0, rest.as_bytes());
        let target_end = nuls.next().unwrap_or(rest.len());
        let target = &rest[..target_end];
        if target.len() > MAX_TARGET {
            return None;
        }
        let is_image = memmem::find(target.as_bytes(), IMAGES).is_some();
        let (mut accept_encoding, mut accept, mut destination) = (None, None, None);
        let mut set_before = SetBefore::default();
        let mut at = target_end + 1;
        while at < rest.len() {
            let name_end = nuls.next()?;
            let value_end = nuls.next().unwrap_or(rest.len());
            let (name, value) = (&rest[at..name_end], &rest[name_end + 1..value_end]);
            at = value_end + 1;
            if name == set_before::MARK {
                set_before = SetBefore::new(&rest[name_end + 1..]);
                break;
            }
            let kept = if name.eq_ignore_ascii_case(ACCEPT_ENCODING) {
                &mut accept_encoding
            } else if name.eq_ignore_ascii_case(SEC_FETCH_DEST) {
                &mut destination
            } else if is_image && name.eq_ignore_ascii_case("accept") {
                &mut accept
            } else if is_ignored(name) || (name.eq_ignore_ascii_case(COOKIE) && !is_preview(value)) {
                continue;
            } else {
                return None;
            };
            // Repeated headers are joined elsewhere.
            if value.len() > MAX_VALUE || kept.replace(value).is_some() {
                return None;
            }
        }
        Some(CacheableRequest {
            target,
            accept_encoding: accept_encoding.unwrap_or_default(),
            accept: accept.unwrap_or_default(),
            is_subresource: destination.is_some_and(|value| SUBRESOURCES.contains(&value)),
            set_before,
        })
    }
}

/// Headers of plain requests that bear on their answers.
const ACCEPT_ENCODING: &str = "accept-encoding";
const SEC_FETCH_DEST: &str = "sec-fetch-dest";
const COOKIE: &str = "cookie";

/// Whether a plain request may have a header of this name.
pub fn may_be_cacheable(name: &str) -> bool {
    let listens_to = [ACCEPT_ENCODING, SEC_FETCH_DEST, COOKIE];
    is_ignored(name) || listens_to.iter().any(|own| name.eq_ignore_ascii_case(own))
}

fn is_preview(cookies: &str) -> bool {
    let holds = |cookie: &str| memmem::find(cookies.as_bytes(), cookie.as_bytes()).is_some();
    PREVIEW_COOKIES.into_iter().any(holds)
}

/// Whether a header, by its name, bears on no answer, or on none but those of conditional requests, which need headers that are not in
/// this list, and of images.
fn is_ignored(name: &str) -> bool {
    let names: &[&str] = match name.len() {
        2 => &["te"],
        3 => &["dnt", "via"],
        4 => &["host"],
        6 => &["accept", "origin", "pragma"],
        // `:method` is how Node says that a request came by HTTP/2, `:origin` what a proxy says of it (runtime/http/request-head.js).
        7 => &["referer", "sec-gpc", ":method", ":origin"],
        8 => &["priority"],
        9 => &["sec-ch-ua", "x-real-ip", "save-data"],
        10 => &["connection", "keep-alive", "user-agent", "tracestate"],
        11 => &["traceparent"],
        12 => &["content-type", "x-request-id"],
        13 => &["authorization", "cache-control"],
        14 => &["sec-fetch-mode", "sec-fetch-site", "sec-fetch-user"],
        15 => &["accept-language", "x-forwarded-for"],
        16 => &[
            "sec-ch-ua-mobile",
            "x-forwarded-host",
            "x-forwarded-port",
            "x-requested-with",
        ],
        17 => &["x-forwarded-proto"],
        18 => &["sec-ch-ua-platform"],
        25 => &["upgrade-insecure-requests"],
        _ => &[],
    };
    names.iter().any(|harmless| name.eq_ignore_ascii_case(harmless))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::request::{Method, Origin, Request};

    #[test]
    fn what_a_browser_sends_for_a_page_is_plain() {
        let head = "GET\0/a?b=c\0Host\0h\0Connection\0keep-alive\0sec-ch-ua\0\"x\"\0sec-ch-ua-mobile\0?0\0Upgrade-Insecure-Requests\x001\0\
            User-Agent\0Mozilla\0Accept\0text/html\0Sec-Fetch-Site\0none\0Sec-Fetch-Mode\0navigate\0Sec-Fetch-User\0?1\0\
            Sec-Fetch-Dest\0document\0Accept-Encoding\0gzip, deflate, br, zstd\0Accept-Language\0en\0Cookie\0theme=dark; a=b";
        assert_eq!(
            CacheableRequest::of(head),
            Some(CacheableRequest {
                target: "/a?b=c",
                accept_encoding: "gzip, deflate, br, zstd",
                accept: "",
                is_subresource: false,
                set_before: SetBefore::default(),
            })
        );
        assert_eq!(CacheableRequest::of("GET\0/").map(|plain| plain.target), Some("/"));
        let set = CacheableRequest::of("GET\0/\0Host\0h\0:set\x00404\0etag\0\"a\"").map(|plain| plain.set_before);
        assert_eq!(set.and_then(|set| set.status()), Some(404));
        let image = CacheableRequest::of("GET\0/base/_next/image?url=a\0Accept\0image/webp");
        assert_eq!(image.map(|plain| plain.accept), Some("image/webp"));
        let script = CacheableRequest::of("GET\0/x.js\0sec-fetch-dest\0script");
        assert_eq!(script.map(|plain| plain.is_subresource), Some(true));
    }

    #[test]
    fn anything_else_is_not() {
        for head in [
            "",
            "GET",
            "HEAD\0/",
            "POST\0/",
            "get\0/",
            "GET\0/\0Lonely",
            "GET\0/\0rsc\x001",
            "GET\0/\0Next-Router-Prefetch\x001",
            "GET\0/\0next-url\0/a",
            "GET\0/\0If-None-Match\0\"a\"",
            "GET\0/\0If-Modified-Since\0x",
            "GET\0/\0Range\0bytes=0-1",
            "GET\0/\0x-nextjs-data\x001",
            "GET\0/\0x-prerender-revalidate\0secret",
            "GET\0/\0x-middleware-prefetch\x001",
            "GET\0/\0purpose\0prefetch",
            "GET\0/\0next-action\0a",
            "GET\0/\0content-length\x005",
            "GET\0/\0x-anything\x001",
            "GET\0/\0Cookie\0a=b; __prerender_bypass=c",
            "GET\0/\0cookie\0__next_preview_data=c",
            "GET\0/\0accept-encoding\0gzip\0accept-encoding\0br",
            "GET\0/\0sec-fetch-dest\0script\0sec-fetch-dest\0document",
            "GET\0/_next/image\0accept\0image/webp\0accept\0image/avif",
        ] {
            assert_eq!(CacheableRequest::of(head), None, "{head:?}");
        }
        let long = format!("GET\0/{}", "a".repeat(MAX_TARGET));
        assert_eq!(CacheableRequest::of(&long), None);
    }

    proptest! {
        #[test]
        fn what_is_plain_is_read_as_the_request_is(
            method in "(GET|GET|GET|HEAD|get)",
            target in "[/a?=&%\u{e9}]{0,12}",
            headers in prop::collection::vec(
                ("(host|Accept-Encoding|cookie|RSC|Range|sec-fetch-dest|x-nextjs-data|TE|)", "[a-z=_;, \u{e9}]{0,8}"),
                0..6,
            ),
            cut in 0..4_usize,
        ) {
            let mut head = format!("{method}\0{target}");
            headers.iter().for_each(|(name, value)| head.extend(["\0", name, "\0", value]));
            let cut = head.char_indices().nth_back(cut).map_or(head.len(), |(at, _)| at);
            head.truncate(cut);
            if let Some(plain) = CacheableRequest::of(&head) {
                let request = Request::parse(head.clone(), false, Origin::Client);
                prop_assert_eq!(request.method, Method::Get);
                prop_assert_eq!(&request.target, plain.target);
                prop_assert_eq!(request.headers.joined("accept-encoding").unwrap_or_default(), plain.accept_encoding);
                for name in ["rsc", "range", "x-nextjs-data"] {
                    prop_assert_eq!(request.headers.get(name), None);
                }
            }
        }
    }
}
