//! Which content types are worth compressing.
//!
//! In: a `Content-Type`. Out: what the `compressible` package inside `next/dist/compiled/compression` says of it: text,
//! JSON and XML by name, and the types marked compressible in the mime-db it embeds (MIT licence).

use crate::http::ecma::is_blank;

/// Types of mime-db with `compressible: true` that the rule by name does not cover, sorted. No type that the rule covers
/// is marked otherwise.
#[rustfmt::skip]
const LISTED: &[&str] = &[
    "application/dart",
    "application/ecmascript",
    "application/javascript",
    "application/json",
    "application/postscript",
    "application/raml+yaml",
    "application/rtf",
    "application/tar",
    "application/toml",
    "application/vnd.dart",
    "application/vnd.ms-fontobject",
    "application/vnd.ms-opentype",
    "application/wasm",
    "application/x-httpd-php",
    "application/x-javascript",
    "application/x-ns-proxy-autoconfig",
    "application/x-sh",
    "application/x-tar",
    "application/x-virtualbox-hdd",
    "application/x-virtualbox-ova",
    "application/x-virtualbox-ovf",
    "application/x-virtualbox-vbox",
    "application/x-virtualbox-vdi",
    "application/x-virtualbox-vhd",
    "application/x-virtualbox-vmdk",
    "application/x-www-form-urlencoded",
    "application/xml",
    "application/xml-dtd",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/vnd.adobe.photoshop",
    "image/x-icon",
    "image/x-ms-bmp",
    "message/rfc822",
    "model/gltf-binary",
    "x-shader/x-fragment",
    "x-shader/x-vertex",
];

/// Whether upstream's server would compress this content type.
pub fn is_compressible(content_type: &str) -> bool {
    let bare = content_type
        .trim_start_matches(is_blank)
        .split(|c| c == ';' || is_blank(c))
        .next()
        .unwrap_or_default();
    if starts_with(bare, "text/") || ["+json", "+text", "+xml"].iter().any(|suffix| ends_with(bare, suffix)) {
        return true;
    }
    LISTED
        .binary_search_by(|listed| listed.bytes().cmp(bare.bytes().map(|b| b.to_ascii_lowercase())))
        .is_ok()
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}

fn ends_with(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|at| text.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types() {
        assert!(LISTED.is_sorted());
        for (content_type, want) in [
            ("text/html; charset=utf-8", true),
            ("TEXT/x-component", true),
            ("application/JavaScript;charset=UTF-8", true),
            (" application/json", true),
            ("application/manifest+json", true),
            ("image/svg+xml", true),
            ("application/ld+json ; x", true),
            ("image/x-icon", true),
            ("font/ttf", true),
            ("application/wasm", true),
            ("font/woff2", false),
            ("image/png", false),
            ("application/octet-stream", false),
            ("application/pdf", false),
            ("video/mp4", false),
            ("", false),
            (";text/html", false),
            ("+xml", true),
            ("xml", false),
        ] {
            assert_eq!(is_compressible(content_type), want, "{content_type}");
        }
    }
}
