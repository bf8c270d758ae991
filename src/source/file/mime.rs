//! Content types of files.
//!
//! In: a path. Out: the `Content-Type` upstream sends: `mime` 1.6 inside `next/dist/compiled/send`, plus the types that
//! `next/dist/server/serve-static.js` adds (avif, heic, icns, jxl). Text, JavaScript and JSON say `charset=UTF-8`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Content types by extension.
static TYPES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| parse(include_str!("mime.types")));

/// What a file without a known extension is.
pub const DEFAULT: &str = "application/octet-stream";

/// Reads the table, so that no request has to wait for it.
pub fn prepare() {
    LazyLock::force(&TYPES);
}

/// The `Content-Type` of a file.
pub fn content_type(path: &str) -> &'static str {
    // JavaScript lower-cases by Unicode: a Kelvin sign becomes a k.
    let extension = extension(path).to_lowercase();
    TYPES.get(extension.as_str()).copied().unwrap_or(DEFAULT)
}

fn parse(text: &'static str) -> HashMap<&'static str, &'static str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('\t'))
        .flat_map(|(content_type, extensions)| extensions.split(' ').map(move |extension| (extension, content_type)))
        .collect()
}

/// What follows the last dot, slash or backslash: a file named just `js` counts as JavaScript. The search ends with the
/// first line, since `.` in a regular expression does not match a line break.
fn extension(path: &str) -> &str {
    let line_end = path.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(path.len());
    path.get(..line_end)
        .and_then(|line| line.rfind(['.', '/', '\\']))
        .and_then(|at| path.get(at + 1..))
        .unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_as_upstream_sends_them() {
        for (path, want) in [
            ("a/b.js", "application/javascript; charset=UTF-8"),
            ("b.mjs", "application/javascript; charset=UTF-8"),
            ("a.JS", "application/javascript; charset=UTF-8"),
            ("a.css", "text/css; charset=UTF-8"),
            ("a.html", "text/html; charset=UTF-8"),
            ("robots.txt", "text/plain; charset=UTF-8"),
            ("x.json", "application/json; charset=UTF-8"),
            ("x.js.map", "application/json; charset=UTF-8"),
            ("x.json5", "application/json5; charset=UTF-8"),
            ("site.webmanifest", "application/manifest+json"),
            ("x.svg", "image/svg+xml"),
            ("x.xml", "application/xml"),
            ("x.ico", "image/x-icon"),
            ("x.avif", "image/avif"),
            ("x.heic", "image/heic"),
            ("x.jxl", "image/jxl"),
            ("x.icns", "image/x-icns"),
            ("x.woff2", "font/woff2"),
            ("x.wasm", "application/wasm"),
            ("x.mp4", "video/mp4"),
            ("x.tar.gz", "application/gzip"),
            ("LICENSE", DEFAULT),
            ("x.unknown", DEFAULT),
            ("x.", DEFAULT),
            ("", DEFAULT),
            ("js", "application/javascript; charset=UTF-8"),
            ("a.b/js", "application/javascript; charset=UTF-8"),
            ("a\\css", "text/css; charset=UTF-8"),
            ("x.m\u{212a}v", "video/x-matroska"),
            ("a\nb.js", DEFAULT),
        ] {
            assert_eq!(content_type(path), want, "{path:?}");
        }
    }

    #[test]
    fn every_line_of_the_table_counts() {
        let listed = include_str!("mime.types")
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| line.split(['\t', ' ']).count());
        // The space before `charset` is one, too; an extension that stood twice would be missing from the map.
        let charsets = include_str!("mime.types").matches("; charset=").count();
        assert_eq!(listed.map(|words| words - 1).sum::<usize>() - charsets, TYPES.len());
        assert_eq!(TYPES.len(), 1073);
    }
}
