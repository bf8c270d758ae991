//! Which format a client asks for.
//!
//! In: the configured formats and the `Accept` header. Out: one of the formats, or none of them. Upstream asks
//! `@hapi/accept`, and then insists that the header names the format: `image/*` alone changes nothing.

use std::cmp::Ordering;

use crate::http::ecma::parse_float;

/// The header is none that `@hapi/accept` understands; upstream answers 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidAccept;

/// One entry of the header.
#[derive(Debug)]
struct Range<'a> {
    kind: String,
    subkind: String,
    quality: f64,
    /// How many parameters stand before the quality.
    specificity: usize,
    position: usize,
    /// Names of those parameters, each counted once.
    params: Vec<&'a str>,
}

/// The best of `formats` that `accept` names; `None` when it names none.
///
/// # Errors
/// When a parameter of the header has no value.
pub fn negotiate<'f>(formats: &'f [String], accept: &str) -> Result<Option<&'f str>, InvalidAccept> {
    let text = normalize(accept);
    let mut ranges = Vec::new();
    // Also those that are refused with `q=0`: a wildcard does not bring them back.
    let mut named = Vec::new();
    for (position, part) in text.split(',').enumerate() {
        let Some(range) = parse_range(part, position)? else {
            continue;
        };
        named.push((range.kind.clone(), range.subkind.clone()));
        if range.quality > 0.0 {
            ranges.push(range);
        }
    }
    ranges.sort_by(by_preference);
    let is_named = |format: &str| {
        named
            .iter()
            .any(|(kind, subkind)| format.split_once('/') == Some((kind.as_str(), subkind.as_str())))
    };
    for range in &ranges {
        let chosen = formats.iter().find(|format| {
            let lower = format.to_ascii_lowercase();
            let (kind, subkind) = lower.split_once('/').unwrap_or((&lower, ""));
            match (range.kind.as_str(), range.subkind.as_str()) {
                ("*", _) => !is_named(&lower),
                (wanted, "*") => wanted == kind && !is_named(&lower),
                (wanted, exact) => wanted == kind && exact == subkind,
            }
        });
        if let Some(format) = chosen {
            return Ok(accept.contains(format.as_str()).then_some(format.as_str()));
        }
    }
    Ok(None)
}

/// The header without blanks. What stands in quotes after `=` is never looked at, so a letter stands for it.
fn normalize(accept: &str) -> String {
    let mut out = String::with_capacity(accept.len());
    let mut rest = accept;
    while let Some(at) = rest.find("=\"") {
        let (before, quoted) = rest.split_at(at + 2);
        let Some(end) = quoted.find('"') else { break };
        out.push_str(&before[..before.len() - 1]);
        out.push('q');
        rest = &quoted[end + 1..];
    }
    out.push_str(rest);
    out.retain(|c| c != ' ' && c != '\t');
    if out.is_empty() && accept.is_empty() {
        out.push_str("*/*");
    }
    out
}

fn parse_range(part: &str, position: usize) -> Result<Option<Range<'_>>, InvalidAccept> {
    let mut pieces = part.split(';');
    let token = pieces.next().unwrap_or_default().to_lowercase();
    let Some((kind, subkind)) = token.split_once('/').filter(|_| is_media_range(&token)) else {
        return Ok(None);
    };
    let mut range = Range {
        kind: kind.to_owned(),
        subkind: subkind.split('/').next().unwrap_or_default().to_owned(),
        quality: 1.0,
        specificity: 0,
        position,
        params: Vec::new(),
    };
    let mut after_quality = false;
    for piece in pieces {
        let mut sides = piece.split('=');
        let (name, value, more) = (sides.next().unwrap_or_default(), sides.next(), sides.next());
        let (Some(value), None) = (value.filter(|value| !value.is_empty()), more) else {
            return Err(InvalidAccept);
        };
        if name == "q" || name == "Q" {
            after_quality = true;
            range.quality = quality(value);
        } else if !after_quality && !range.params.contains(&name) {
            range.params.push(name);
        }
    }
    range.specificity = range.params.len();
    Ok(Some(range))
}

/// What cannot be a quality counts as 1.
fn quality(text: &str) -> f64 {
    let value = parse_float(text);
    if !value.is_finite() || value > 1.0 || (value < 0.001 && value != 0.0) {
        1.0
    } else {
        value
    }
}

/// `validMediaRx` of `@hapi/accept`, whose alternatives are not all anchored.
fn is_media_range(token: &str) -> bool {
    if token.starts_with("*/*") {
        return true;
    }
    let is_token = |text: &str| !text.is_empty() && text.chars().all(is_token_char);
    let slashes: Vec<usize> = memchr::memchr_iter(b'/', token.as_bytes()).collect();
    let wild = slashes
        .iter()
        .any(|&at| token[..at].chars().next_back().is_some_and(is_token_char) && token[at + 1..].starts_with('*'));
    let ends = slashes
        .last()
        .is_some_and(|&at| token[..at].chars().next_back().is_some_and(is_token_char) && is_token(&token[at + 1..]));
    wild || ends
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_!#$%&'*+-.^`|~".contains(c)
}

fn by_preference(a: &Range<'_>, b: &Range<'_>) -> Ordering {
    b.quality
        .total_cmp(&a.quality)
        .then_with(|| by_name(&a.kind, &b.kind))
        .then_with(|| by_name(&a.subkind, &b.subkind))
        .then_with(|| b.specificity.cmp(&a.specificity))
        .then_with(|| a.position.cmp(&b.position))
}

fn by_name(a: &str, b: &str) -> Ordering {
    match (a == "*", b == "*") {
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn formats(list: &[&str]) -> Vec<String> {
        list.iter().map(|format| (*format).to_owned()).collect()
    }

    #[test]
    fn answers_as_hapi_accept_does() {
        let both = formats(&["image/avif", "image/webp"]);
        let webp = formats(&["image/webp"]);
        for (accept, of_both, of_webp) in [
            ("", None, None),
            ("*/*", None, None),
            ("image/*", None, None),
            ("image/webp", Some("image/webp"), Some("image/webp")),
            ("image/avif,image/webp,*/*", Some("image/avif"), Some("image/webp")),
            ("image/webp,image/avif", Some("image/avif"), Some("image/webp")),
            (
                "image/avif;q=0.5,image/webp;q=0.8",
                Some("image/webp"),
                Some("image/webp"),
            ),
            ("image/avif;q=0, image/*", None, None),
            ("image/webp;q=0", None, None),
            ("IMAGE/WEBP", None, None),
            ("image/webp;q=2", Some("image/webp"), Some("image/webp")),
            ("image/webp;q=abc", Some("image/webp"), Some("image/webp")),
            (
                "text/html, image/webp;v=\"a,b\";q=0.1",
                Some("image/webp"),
                Some("image/webp"),
            ),
            ("image/*,image/webp;q=0.1", None, Some("image/webp")),
            ("nonsense", None, None),
            (",,,", None, None),
        ] {
            assert_eq!(negotiate(&both, accept), Ok(of_both), "{accept}");
            assert_eq!(negotiate(&webp, accept), Ok(of_webp), "{accept}");
        }
        for accept in ["image/webp;q", "image/webp;q=", "image/webp;a=b=c", "image/webp;"] {
            assert_eq!(negotiate(&both, accept), Err(InvalidAccept), "{accept}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_harmless(accept in "\\PC*") {
            let _ = negotiate(&formats(&["image/avif", "image/webp"]), &accept);
        }

        #[test]
        fn only_what_is_named_is_chosen(accept in "(image/(avif|webp|\\*|png)|\\*/\\*)(;q=(0|1|0\\.[0-9]))?(,(image/(avif|webp|\\*)|\\*/\\*)(;q=(0|1|0\\.[0-9]))?){0,4}") {
            if let Ok(Some(format)) = negotiate(&formats(&["image/avif", "image/webp"]), &accept) {
                prop_assert!(accept.contains(format));
            }
        }
    }
}
