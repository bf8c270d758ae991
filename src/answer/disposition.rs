//! `Content-Disposition` of an image.
//!
//! In: the URL of its source and what it is. Out: the header, safe whatever the URL holds. Upstream:
//! `getFileNameWithExtension` of `image-optimizer.js`, then `next/dist/compiled/content-disposition`.

use std::fmt::Write;

use crate::url::encode_uri_component;

/// The header for an image: `inline` or `attachment`, and the name under which a client saves it.
pub fn of_image(kind: &str, href: &str, extension: &str) -> String {
    content_disposition(kind, &file_name(href, extension))
}

/// The last part of the path up to its first dot, with the extension of what is sent.
fn file_name(href: &str, extension: &str) -> String {
    let path = href.split('?').next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return "image.bin".to_owned();
    }
    let stem = name.split('.').next().unwrap_or_default();
    format!("{stem}.{extension}")
}

fn content_disposition(kind: &str, name: &str) -> String {
    let mut out = kind.to_ascii_lowercase();
    let is_latin = |c: char| matches!(c, '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{ff}');
    let latin: String = name
        .chars()
        .flat_map(|c| std::iter::repeat_n(if is_latin(c) { c } else { '?' }, units(c, is_latin)))
        .collect();
    let needs_fallback = latin != name;
    // Controls above ASCII may stand in quotes, but have no place in the fallback.
    let quotable = !name.is_empty()
        && name
            .chars()
            .all(|c| matches!(c, '\u{20}'..='\u{7e}' | '\u{80}'..='\u{ff}'));
    if quotable || needs_fallback {
        let text = if needs_fallback { &latin } else { name };
        let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
        // Writing to a text cannot fail.
        let _ = write!(out, "; filename=\"{quoted}\"");
    }
    if needs_fallback || !quotable || has_escape(name) {
        let _ = write!(out, "; filename*=UTF-8''{}", extended(name));
    }
    out
}

/// How many question marks stand for a character: one for each unit that JavaScript has for it.
fn units(c: char, is_latin: impl Fn(char) -> bool) -> usize {
    if is_latin(c) {
        1
    } else {
        c.len_utf16()
    }
}

/// `/%[0-9A-Fa-f]{2}/`
fn has_escape(name: &str) -> bool {
    let bytes = name.as_bytes();
    memchr::memchr_iter(b'%', bytes).any(|at| {
        bytes
            .get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// RFC 8187: what `encodeURIComponent` leaves of `'()*` is encoded, too.
fn extended(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in encode_uri_component(name).chars() {
        match c {
            '\'' | '(' | ')' | '*' => {
                let _ = write!(out, "%{:X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_those_of_upstream() {
        for (href, header) in [
            ("/a.jpg", "attachment; filename=\"a.webp\""),
            ("/x/y/photo.min.jpg?v=1/2", "attachment; filename=\"photo.webp\""),
            ("/x/", "attachment; filename=\"image.bin\""),
            ("/x/?a/b", "attachment; filename=\"image.bin\""),
            ("/.hidden", "attachment; filename=\".webp\""),
            ("/a b.png", "attachment; filename=\"a b.webp\""),
            (
                "/a%20b.png",
                "attachment; filename=\"a%20b.webp\"; filename*=UTF-8''a%2520b.webp",
            ),
            ("/é.png", "attachment; filename=\"é.webp\""),
            (
                "/日本.png",
                "attachment; filename=\"??.webp\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.webp",
            ),
            (
                "/😀.png",
                "attachment; filename=\"??.webp\"; filename*=UTF-8''%F0%9F%98%80.webp",
            ),
            ("/a\"b\\c.png", "attachment; filename=\"a\\\"b\\\\c.webp\""),
            (
                "/(a)'*€.png",
                "attachment; filename=\"(a)'*?.webp\"; filename*=UTF-8''%28a%29%27%2A%E2%82%AC.webp",
            ),
        ] {
            assert_eq!(of_image("attachment", href, "webp"), header, "{href}");
        }
        assert_eq!(of_image("inline", "/a", "png"), "inline; filename=\"a.png\"");
    }

    proptest! {
        #[test]
        fn nothing_in_a_name_ends_the_header(href in "\\PC{0,40}", hostile in "[\r\n\0\"\\\\;]{0,4}") {
            // CVE-2025-55173: what the URL of a source holds must stay a name.
            let header = of_image("attachment", &format!("/{href}{hostile}x"), "webp");
            prop_assert!(!header.contains(['\r', '\n', '\0']), "{header:?}");
        }
    }
}
