//! What the client router asks for.
//!
//! In: request headers and the `_rsc` query parameter. Out: which React payload is wanted, and whether the parameter fits
//! the headers. The parameter makes payloads of one page differ by URL, for caches that ignore `Vary`; an answer to a
//! parameter that does not fit could poison such a cache. Upstream: `handleRSCRequest` of `next/dist/server/base-server.js`
//! and `next/dist/shared/lib/router/utils/cache-busting-search-param.js`.

use std::borrow::Cow;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine;
use sha2::{Digest, Sha256};

use super::Headers;

/// The query parameter that carries the hash.
pub const RSC_PARAM: &str = "_rsc";

/// Marks a request for a React payload.
pub const RSC_HEADER: &str = "rsc";

/// The headers of the client router, without the one that chooses between intercepting routes.
pub const FLIGHT_HEADERS: [&str; 5] = [
    RSC_HEADER,
    "next-router-state-tree",
    "next-router-prefetch",
    "next-hmr-refresh",
    "next-router-segment-prefetch",
];

/// Kinds of prefetch that belong to the hash (`NEXT_ROUTER_PREFETCH_HEADER` in `base-server.js`).
pub const PREFETCHES: &[&str] = &["1", "2", "3"];

/// The same with the prefetch for a navigation at run time.
pub const PREFETCHES_OF_NAVIGATIONS: &[&str] = &["1", "2", "3", "4"];

/// Bytes of the SHA-256 digest that the hash keeps: 96 bits.
const DIGEST_BYTES: usize = 12;

/// The router headers of a request for a React payload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RscRequest {
    /// Whether the client router prefetches (`next-router-prefetch: 1`).
    pub prefetch: bool,
    /// The segment it prefetches, for instance `/_tree`.
    pub segment: Option<String>,
    input: Option<String>,
}

impl RscRequest {
    /// The request that `headers` describe, `None` unless `rsc` is exactly `1`, sent once. `prefetches`: the kinds of
    /// prefetch that belong to the hash.
    pub fn parse(headers: &Headers, prefetches: &[&str]) -> Option<RscRequest> {
        let mut rsc = headers.all(RSC_HEADER);
        if rsc.next() != Some("1") || rsc.next().is_some() {
            return None;
        }
        let prefetch = headers.joined("next-router-prefetch");
        let segment = headers.joined("next-router-segment-prefetch");
        let is_prefetch = prefetch.as_deref() == Some("1");
        Some(RscRequest {
            prefetch: is_prefetch,
            input: hash_input(
                prefetch.as_deref().filter(|value| prefetches.contains(value)),
                segment.as_deref(),
                headers.joined("next-router-state-tree").as_deref(),
                headers.joined("next-url").as_deref(),
            ),
            segment: segment.filter(|_| is_prefetch),
        })
    }

    /// Whether `_rsc` carries the hash of the headers: the current form, or the short one of clients without web crypto.
    pub fn fits(&self, param: Option<&str>) -> bool {
        match (&self.input, param) {
            (None, Some("")) => true,
            (Some(input), Some(param)) => digest(input) == param || short_hash(input) == param,
            _ => false,
        }
    }

    /// `search` (with `?`, or empty) with the `_rsc` that fits. Other parameters stay as they were written.
    pub fn corrected_search(&self, search: &str) -> String {
        let mut out = String::with_capacity(search.len() + 24);
        for pair in search.trim_start_matches('?').split('&') {
            if !pair.is_empty() && !pair.starts_with("_rsc=") {
                out.push(if out.is_empty() { '?' } else { '&' });
                out.push_str(pair);
            }
        }
        out.push(if out.is_empty() { '?' } else { '&' });
        out.push_str(RSC_PARAM);
        if let Some(input) = &self.input {
            out.push('=');
            out.push_str(&digest(input));
        }
        out
    }
}

/// What is hashed; `None` when no header says anything, then the parameter is present and empty.
fn hash_input(
    prefetch: Option<&str>,
    segment: Option<&str>,
    state_tree: Option<&str>,
    next_url: Option<&str>,
) -> Option<String> {
    if prefetch.is_none() && segment.is_none() && state_tree.is_none() && next_url.is_none() {
        return None;
    }
    let parts = [prefetch, segment, state_tree, next_url].map(|part| Cow::from(part.unwrap_or("0")));
    Some(parts.join(","))
}

fn digest(input: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(input.as_bytes())[..DIGEST_BYTES])
}

/// djb2 over UTF-16 units in base 36, at most five characters (`next/dist/shared/lib/hash.js`).
fn short_hash(input: &str) -> String {
    let hash = input.encode_utf16().fold(5381_u32, |hash, unit| {
        hash.wrapping_mul(33).wrapping_add(u32::from(unit))
    });
    let mut digits = Vec::new();
    let mut rest = hash;
    loop {
        digits.push(char::from_digit(rest % 36, 36).unwrap_or('0'));
        rest /= 36;
        if rest == 0 {
            break;
        }
    }
    digits.iter().rev().take(5).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsc(headers: &str) -> Option<RscRequest> {
        RscRequest::parse(&Headers::parse(headers), PREFETCHES)
    }

    #[test]
    fn only_a_single_exact_one_counts() {
        assert!(rsc("rsc\x001").is_some());
        assert!(rsc("RSC\x001").is_some());
        assert_eq!(rsc("rsc\0true"), None);
        assert_eq!(rsc("rsc\x001\0rsc\x001"), None);
        assert_eq!(rsc("accept\0*/*"), None);
    }

    #[test]
    fn hashes_are_upstreams() {
        // Computed with computeCacheBustingSearchParam and its legacy form of next 16.4.6.
        let request = rsc("rsc\x001\0next-router-prefetch\x001\0next-router-segment-prefetch\0/_tree").unwrap();
        assert_eq!(request.segment.as_deref(), Some("/_tree"));
        assert!(request.fits(Some(HASH)));
        assert!(request.fits(Some(SHORT)));
        assert!(!request.fits(Some("")));
        assert!(!request.fits(None));
        assert_eq!(
            request.corrected_search("?a=%20b&_rsc=old"),
            format!("?a=%20b&_rsc={HASH}")
        );
    }

    const HASH: &str = "_i_aeImnuN6u1u1r";
    const SHORT: &str = "1r34m";

    #[test]
    fn without_router_headers_the_parameter_is_there_and_empty() {
        let request = rsc("rsc\x001\0next-router-prefetch\x000").unwrap();
        assert!(request.fits(Some("")));
        assert!(!request.fits(None));
        assert_eq!(request.corrected_search(""), "?_rsc");
        assert_eq!(request.corrected_search("?x=1"), "?x=1&_rsc");
    }
}
