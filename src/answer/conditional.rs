//! Conditional requests.
//!
//! In: the request's preconditions and the validators of what would be sent. Out: whether to send it.
//! Two rule sets upstream, both kept: payloads ask only [`fresh`] (`next/dist/server/send-payload.js` with
//! `next/dist/compiled/fresh`); files ask [`file_precondition`] (`next/dist/compiled/send`). They differ from RFC 9110
//! (13.2.2) in that `If-Modified-Since` counts beside `If-None-Match`, and `Cache-Control: no-cache` of the request
//! forbids a 304.

use std::borrow::Cow;

use crate::http::date;
use crate::http::headers::has_directive;
use crate::http::range::{self, Range};
use crate::request::Headers;

/// The headers of a request that bear on what is sent, collected in one pass.
///
/// Repeated headers are joined as in Node's `req.headers`; an empty one counts as absent, as it does upstream.
#[derive(Debug, Clone, Default)]
pub struct Conditions<'a> {
    /// `If-Match`
    pub if_match: Option<Cow<'a, str>>,
    /// `If-None-Match`
    pub if_none_match: Option<Cow<'a, str>>,
    /// `If-Modified-Since`
    pub if_modified_since: Option<Cow<'a, str>>,
    /// `If-Unmodified-Since`
    pub if_unmodified_since: Option<Cow<'a, str>>,
    /// `If-Range`
    pub if_range: Option<Cow<'a, str>>,
    /// `Range`
    pub range: Option<Cow<'a, str>>,
    /// `Cache-Control`
    pub cache_control: Option<Cow<'a, str>>,
    /// `Accept-Encoding`
    pub accept_encoding: Option<Cow<'a, str>>,
}

impl<'a> Conditions<'a> {
    /// Collects them.
    pub fn of(headers: &'a Headers) -> Self {
        let mut found = Conditions::default();
        for (name, value) in headers.iter() {
            // The length rules out nearly every other header before a comparison of letters.
            let (slot, full_name, joins) = match name.len() {
                5 => (&mut found.range, "range", true),
                8 if ends_with(name, 'h') => (&mut found.if_match, "if-match", true),
                8 => (&mut found.if_range, "if-range", true),
                13 if ends_with(name, 'h') => (&mut found.if_none_match, "if-none-match", true),
                13 => (&mut found.cache_control, "cache-control", true),
                15 => (&mut found.accept_encoding, "accept-encoding", true),
                17 => (&mut found.if_modified_since, "if-modified-since", false),
                19 => (&mut found.if_unmodified_since, "if-unmodified-since", false),
                _ => continue,
            };
            if !name.eq_ignore_ascii_case(full_name) {
                continue;
            }
            match slot {
                None => *slot = Some(Cow::Borrowed(value)),
                Some(so_far) if joins => {
                    let so_far = so_far.to_mut();
                    so_far.push_str(", ");
                    so_far.push_str(value);
                }
                // Node keeps the first of the headers that must not repeat.
                Some(_) => {}
            }
        }
        found.drop_empty();
        found
    }

    fn drop_empty(&mut self) {
        for slot in [
            &mut self.if_match,
            &mut self.if_none_match,
            &mut self.if_modified_since,
            &mut self.if_unmodified_since,
            &mut self.if_range,
            &mut self.range,
            &mut self.cache_control,
            &mut self.accept_encoding,
        ] {
            slot.take_if(|value| value.is_empty());
        }
    }
}

fn ends_with(name: &str, letter: char) -> bool {
    name.ends_with(|last: char| last.eq_ignore_ascii_case(&letter))
}

/// The validators of what would be sent, as they stand in its headers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Validators<'a> {
    /// `ETag`
    pub etag: Option<&'a str>,
    /// `Last-Modified`
    pub last_modified: Option<&'a str>,
}

/// Whether the client holds a current copy, so that a 304 answers it.
///
/// For a payload, `last_modified` is always absent upstream, and so a request with `If-Modified-Since` never gets a 304.
pub fn fresh(conditions: &Conditions<'_>, held: Validators<'_>) -> bool {
    let none_match = conditions.if_none_match.as_deref();
    let modified_since = conditions.if_modified_since.as_deref();
    if none_match.is_none() && modified_since.is_none() {
        return false;
    }
    if conditions
        .cache_control
        .as_deref()
        .is_some_and(|value| has_directive(value, "no-cache"))
    {
        return false;
    }
    if let Some(list) = none_match.filter(|list| *list != "*") {
        let Some(etag) = held.etag.filter(|etag| !etag.is_empty()) else {
            return false;
        };
        if !lists_tag(list, etag) {
            return false;
        }
    }
    match modified_since {
        None => true,
        Some(since) => match (held.last_modified.and_then(date::parse), date::parse(since)) {
            (Some(modified), Some(since)) => modified <= since,
            _ => false,
        },
    }
}

/// What the preconditions of a request for a file lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Send it.
    Pass,
    /// 304: nothing changed.
    NotModified,
    /// 412: it changed, and the client does not want it then.
    Failed,
}

/// Weighs all four preconditions for a file.
pub fn file_precondition(conditions: &Conditions<'_>, held: Validators<'_>) -> Precondition {
    if conditions.if_match.is_none()
        && conditions.if_unmodified_since.is_none()
        && conditions.if_none_match.is_none()
        && conditions.if_modified_since.is_none()
    {
        Precondition::Pass
    } else if changed(conditions, held) {
        Precondition::Failed
    } else if fresh(conditions, held) {
        Precondition::NotModified
    } else {
        Precondition::Pass
    }
}

/// Whether `If-Match`, or else `If-Unmodified-Since`, is not met.
fn changed(conditions: &Conditions<'_>, held: Validators<'_>) -> bool {
    if let Some(list) = conditions.if_match.as_deref() {
        return match held.etag.filter(|etag| !etag.is_empty()) {
            None => true,
            Some(etag) => list != "*" && !lists_tag(list, etag),
        };
    }
    match conditions.if_unmodified_since.as_deref().and_then(date::parse) {
        None => false,
        Some(limit) => held
            .last_modified
            .and_then(date::parse)
            .is_none_or(|modified| modified > limit),
    }
}

/// Which part of a file of `size` bytes to send, `If-Range` considered.
pub fn file_range(conditions: &Conditions<'_>, held: Validators<'_>, size: u64) -> Range {
    match conditions.range.as_deref() {
        Some(header) => match range::parse(header, size) {
            Range::Whole => Range::Whole,
            _ if !range_is_fresh(conditions, held) => Range::Whole,
            range => range,
        },
        None => Range::Whole,
    }
}

/// `If-Range` with a quote is a tag, and needs only to contain the held one; anything else is a date.
fn range_is_fresh(conditions: &Conditions<'_>, held: Validators<'_>) -> bool {
    let Some(value) = conditions.if_range.as_deref() else {
        return true;
    };
    if value.contains('"') {
        return held.etag.is_some_and(|etag| !etag.is_empty() && value.contains(etag));
    }
    match (held.last_modified.and_then(date::parse), date::parse(value)) {
        (Some(modified), Some(limit)) => modified <= limit,
        _ => false,
    }
}

/// Whether a list of tags holds `etag`, weak or strong. Only spaces around a tag are blank.
fn lists_tag(list: &str, etag: &str) -> bool {
    list.split(',')
        .map(|tag| tag.trim_matches(' '))
        .any(|tag| tag == etag || tag.strip_prefix("W/") == Some(etag) || etag.strip_prefix("W/") == Some(tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Headers;

    const TAG: &str = "W/\"400-18bcfe5687b\"";
    const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    const EARLIER: &str = "Tue, 14 Nov 2023 22:13:19 GMT";
    const HELD: Validators<'_> = Validators {
        etag: Some(TAG),
        last_modified: Some(DATE),
    };

    fn headers(pairs: &[(&str, &str)]) -> Headers {
        let flat: Vec<_> = pairs.iter().flat_map(|(name, value)| [*name, *value]).collect();
        Headers::parse(flat.join("\0"))
    }

    #[test]
    fn conditions_are_collected_as_node_joins_them() {
        let headers = headers(&[
            ("If-None-Match", "\"a\""),
            ("Host", "h"),
            ("IF-NONE-MATCH", "\"b\""),
            ("If-Modified-Since", EARLIER),
            ("If-Modified-Since", DATE),
            ("Range", ""),
            ("Cache-Control", "no-cache"),
            ("X-FiveFiv-h", "x"),
        ]);
        let found = Conditions::of(&headers);
        assert_eq!(found.if_none_match.as_deref(), Some("\"a\", \"b\""));
        assert_eq!(found.if_modified_since.as_deref(), Some(EARLIER));
        assert_eq!(found.cache_control.as_deref(), Some("no-cache"));
        assert_eq!(found.range, None);
        assert_eq!(found.if_match, None);
    }

    #[test]
    fn files() {
        use Precondition::{Failed, NotModified, Pass};
        let other = "\"other\"";
        let table: &[(&[(&str, &str)], Precondition)] = &[
            (&[], Pass),
            (&[("if-none-match", TAG)], NotModified),
            (&[("if-none-match", "\"400-18bcfe5687b\"")], NotModified),
            (&[("if-none-match", "\"a\" ,  W/\"400-18bcfe5687b\"  ,x")], NotModified),
            (&[("if-none-match", "\tW/\"400-18bcfe5687b\"")], Pass),
            (&[("if-none-match", "*")], NotModified),
            (&[("if-none-match", "*, x")], Pass),
            (&[("if-none-match", other)], Pass),
            (&[("if-modified-since", DATE)], NotModified),
            (&[("if-modified-since", EARLIER)], Pass),
            (&[("if-modified-since", "yesterday")], Pass),
            (&[("if-modified-since", "2023-11-14T22:13:20Z")], NotModified),
            (&[("if-none-match", TAG), ("if-modified-since", EARLIER)], Pass),
            (
                &[("if-none-match", TAG), ("cache-control", "max-age=0, no-cache")],
                Pass,
            ),
            (&[("if-none-match", TAG), ("cache-control", "No-Cache")], NotModified),
            (&[("if-none-match", TAG), ("cache-control", "no-cache=x")], NotModified),
            (&[("if-match", TAG)], Pass),
            (&[("if-match", "*")], Pass),
            (&[("if-match", other)], Failed),
            (&[("if-match", ",")], Failed),
            (&[("if-match", TAG), ("if-unmodified-since", EARLIER)], Pass),
            (&[("if-match", TAG), ("if-none-match", TAG)], NotModified),
            (&[("if-unmodified-since", DATE)], Pass),
            (&[("if-unmodified-since", EARLIER)], Failed),
            (&[("if-unmodified-since", "soon")], Pass),
        ];
        for (pairs, want) in table {
            let headers = headers(pairs);
            assert_eq!(file_precondition(&Conditions::of(&headers), HELD), *want, "{pairs:?}");
        }
    }

    #[test]
    fn payloads_have_no_date() {
        let held = Validators {
            etag: Some("\"abc1\""),
            last_modified: None,
        };
        let table: &[(&[(&str, &str)], bool)] = &[
            (&[], false),
            (&[("if-none-match", "\"abc1\"")], true),
            (&[("if-none-match", "W/\"abc1\"")], true),
            (&[("if-none-match", "abc1")], false),
            (&[("if-none-match", "*")], true),
            (&[("if-modified-since", DATE)], false),
            (&[("if-none-match", "\"abc1\""), ("if-modified-since", DATE)], false),
            (&[("if-none-match", "\"abc1\""), ("cache-control", "no-cache")], false),
        ];
        for (pairs, want) in table {
            let headers = headers(pairs);
            assert_eq!(fresh(&Conditions::of(&headers), held), *want, "{pairs:?}");
        }
        let headers = headers(&[("if-none-match", "\"a\"")]);
        assert!(!fresh(&Conditions::of(&headers), Validators::default()));
    }

    #[test]
    fn if_range() {
        let part = range::parse("bytes=0-9", 1024);
        for (value, want) in [
            (TAG, part),
            ("\"400-18bcfe5687b\"", Range::Whole),
            ("\"other\"", Range::Whole),
            (DATE, part),
            (EARLIER, Range::Whole),
            ("nonsense", Range::Whole),
            ("", part),
        ] {
            let headers = headers(&[("range", "bytes=0-9"), ("if-range", value)]);
            assert_eq!(file_range(&Conditions::of(&headers), HELD, 1024), want, "{value}");
        }
        let headers = headers(&[("range", "bytes=5000-"), ("if-range", "\"x\"")]);
        assert_eq!(file_range(&Conditions::of(&headers), HELD, 1024), Range::Whole);
    }
}
