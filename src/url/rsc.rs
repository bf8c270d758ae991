//! The forms of a React Server Components request: its headers, and the `_rsc` parameter that has to fit them.
//!
//! In: four request headers. Out: the value `_rsc` must have. Source: `next/dist/shared/lib/router/utils/
//! cache-busting-search-param.js`.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use sha2::{Digest, Sha256};

/// The headers that choose a variant of a page.
#[derive(Debug, Clone, Copy, Default)]
pub struct RscHeaders<'a> {
    /// `next-router-prefetch`
    pub prefetch: Option<&'a str>,
    /// `next-router-segment-prefetch`
    pub segment: Option<&'a str>,
    /// `next-router-state-tree`
    pub state_tree: Option<&'a str>,
    /// `next-url`
    pub next_url: Option<&'a str>,
}

impl RscHeaders<'_> {
    /// What is hashed; `None` when no header chooses anything.
    fn input(&self) -> Option<String> {
        let plain = matches!(self.prefetch, None | Some("0"))
            && self.segment.is_none()
            && self.state_tree.is_none()
            && self.next_url.is_none();
        let text = |value: Option<&str>| value.unwrap_or("0").to_owned();
        (!plain).then(|| {
            [
                text(self.prefetch),
                text(self.segment),
                text(self.state_tree),
                text(self.next_url),
            ]
            .join(",")
        })
    }
}

/// The value `_rsc` must have: empty, or twelve bytes of SHA-256 as base64url.
pub fn expected_rsc(headers: &RscHeaders<'_>) -> String {
    let Some(input) = headers.input() else {
        return String::new();
    };
    let digest = Sha256::digest(input.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.get(..12).unwrap_or_default())
}

/// The value older clients send: five characters of a djb2 hash in base 36.
pub fn legacy_expected_rsc(headers: &RscHeaders<'_>) -> String {
    let Some(input) = headers.input() else {
        return String::new();
    };
    let mut hash: u32 = 5381;
    for unit in input.encode_utf16() {
        hash = (hash << 5).wrapping_add(hash).wrapping_add(u32::from(unit));
    }
    let mut digits = Vec::new();
    while hash > 0 || digits.is_empty() {
        digits.push(char::from_digit(hash % 36, 36).unwrap_or('0'));
        hash /= 36;
    }
    digits.iter().rev().take(5).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_follows_the_headers() {
        let none = RscHeaders {
            prefetch: Some("0"),
            ..RscHeaders::default()
        };
        assert_eq!(expected_rsc(&none), "");
        assert_eq!(legacy_expected_rsc(&none), "");
        // Values printed by upstream's own functions.
        let some = RscHeaders {
            prefetch: Some("1"),
            segment: Some("/_tree"),
            ..RscHeaders::default()
        };
        assert_eq!(expected_rsc(&some), EXPECTED);
        assert_eq!(legacy_expected_rsc(&some), EXPECTED_LEGACY);
    }

    const EXPECTED: &str = "_i_aeImnuN6u1u1r";
    const EXPECTED_LEGACY: &str = "1r34m";
}
