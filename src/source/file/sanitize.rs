//! The path of an item, made safe.
//!
//! In: the item path as the router matched it, still percent-encoded. Out: a path relative to the root that cannot leave
//! it, or why it is refused. Upstream answers every refusal with the 400 page: `send` reports 400, 403 or 404, and
//! `router-server.js` turns all of them into 400.
//! Source: `SendStream.prototype.pipe` in `next/dist/compiled/send`, where one decoding comes first, then the checks.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathError {
    /// `%` that does not decode to UTF-8.
    Undecodable,
    /// A NUL byte, which ends a path for the operating system.
    Nul,
    /// `..` that is left after normalising.
    Escapes,
    /// The last segment begins with a dot. Dot folders before it, such as `.well-known`, are served.
    Dotfile,
    /// A form that only Windows reads as something else: a drive, a stream, a separator in disguise.
    Windows,
}

/// A path below a root: relative, decoded, without `..`, NUL or empty segments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SafePath<'a>(Cow<'a, str>);

impl SafePath<'_> {
    /// The path with `/` between its segments.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same path without the borrow, to be kept with a route.
    pub fn into_owned(self) -> SafePath<'static> {
        SafePath(Cow::Owned(self.0.into_owned()))
    }
}

/// Checks and decodes an item path. Allocates only if something has to change.
pub fn sanitize(item: &str) -> Result<SafePath<'_>, PathError> {
    sanitize_for(item, cfg!(windows))
}

fn sanitize_for(item: &str, windows: bool) -> Result<SafePath<'_>, PathError> {
    let decoded = decode(item)?;
    if decoded.contains('\0') {
        return Err(PathError::Nul);
    }
    if windows && decoded.contains(['\\', ':']) {
        return Err(PathError::Windows);
    }
    let mut path = normalise(decoded)?;
    // A backslash is a letter on Unix, but `..` beside one is refused everywhere.
    if path.split(['/', '\\']).any(|segment| segment == "..") {
        return Err(PathError::Escapes);
    }
    if path.rsplit('/').next().is_some_and(|last| last.starts_with('.')) {
        return Err(PathError::Dotfile);
    }
    // Windows drops dots and blanks at the end of a name, so that another file would be opened.
    if windows && path.split('/').any(|segment| segment.ends_with(['.', ' '])) {
        return Err(PathError::Windows);
    }
    if item.ends_with('/') {
        // `send` looks for an index in what is written as a folder. The router drops one slash, so this is rare.
        let path = path.to_mut();
        if !path.is_empty() && !path.ends_with('/') {
            path.push('/');
        }
        path.push_str("index.html");
    }
    Ok(SafePath(path))
}

/// `decodeURIComponent`.
fn decode(item: &str) -> Result<Cow<'_, str>, PathError> {
    if !item.contains('%') {
        return Ok(Cow::Borrowed(item));
    }
    let bytes = item.as_bytes();
    let hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let sound = bytes
        .iter()
        .enumerate()
        .all(|(at, byte)| *byte != b'%' || (hex(at + 1) && hex(at + 2)));
    if !sound {
        return Err(PathError::Undecodable);
    }
    percent_decode_str(item)
        .decode_utf8()
        .map_err(|_| PathError::Undecodable)
}

/// Drops the leading slash and empty or `.` segments, and resolves `..` inside the path. A slash at the end stays.
fn normalise(path: Cow<'_, str>) -> Result<Cow<'_, str>, PathError> {
    let is_plain = |path: &str| {
        let mut segments = path.split('/').peekable();
        let mut plain = true;
        while let Some(segment) = segments.next() {
            plain &= !matches!(segment, "." | "..") && (!segment.is_empty() || segments.peek().is_none());
        }
        plain
    };
    let relative = path.strip_prefix('/').unwrap_or(&path);
    if is_plain(relative) {
        let skip = path.len() - relative.len();
        return Ok(match path {
            Cow::Borrowed(path) => Cow::Borrowed(path.get(skip..).unwrap_or_default()),
            Cow::Owned(mut path) => {
                path.drain(..skip);
                Cow::Owned(path)
            }
        });
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop().ok_or(PathError::Escapes)?;
            }
            _ => kept.push(segment),
        }
    }
    let mut out = kept.join("/");
    if path.ends_with('/') && !out.is_empty() {
        out.push('/');
    }
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_as_upstream_takes_them() {
        use PathError::{Dotfile, Escapes, Nul, Undecodable};
        let table: &[(&str, Result<&str, PathError>)] = &[
            ("/a/b.js", Ok("a/b.js")),
            ("a/b.js", Ok("a/b.js")),
            ("/%5Bslug%5D-1.js", Ok("[slug]-1.js")),
            ("/sp%20ace+plus.txt", Ok("sp ace+plus.txt")),
            ("/%C3%A9.txt", Ok("é.txt")),
            ("/é.txt", Ok("é.txt")),
            ("/100%2525.txt", Ok("100%25.txt")),
            ("/a%2Fb.txt", Ok("a/b.txt")),
            ("/a//b/./c.txt", Ok("a/b/c.txt")),
            ("/a/../b.txt", Ok("b.txt")),
            ("/a/%2e%2e/b.txt", Ok("b.txt")),
            ("/.well-known/security.txt", Ok(".well-known/security.txt")),
            ("/a..b/..c/d", Ok("a..b/..c/d")),
            ("/dir/", Ok("dir/index.html")),
            ("/.dir/", Ok(".dir/index.html")),
            ("/dir%2F", Ok("dir/")),
            ("/", Ok("index.html")),
            ("", Ok("")),
            ("/a\\b", Ok("a\\b")),
            ("/../a", Err(Escapes)),
            ("/a/../../b", Err(Escapes)),
            ("/%2e%2e/%2e%2e/etc/passwd", Err(Escapes)),
            ("/..%2f..%2fetc/passwd", Err(Escapes)),
            ("/a\\..\\b", Err(Escapes)),
            ("/..\\b", Err(Escapes)),
            ("/..%5Cb", Err(Escapes)),
            ("/.env", Err(Dotfile)),
            ("/a/.git", Err(Dotfile)),
            ("/%2Eenv", Err(Dotfile)),
            ("/...", Err(Dotfile)),
            ("/a%00.txt", Err(Nul)),
            ("/a\0", Err(Nul)),
            ("/%", Err(Undecodable)),
            ("/%zz", Err(Undecodable)),
            ("/%C3", Err(Undecodable)),
            ("/%FF", Err(Undecodable)),
            ("/%C0%AE", Err(Undecodable)),
        ];
        for (item, want) in table {
            let got = sanitize_for(item, false);
            assert_eq!(got.as_ref().map(SafePath::as_str).map_err(|e| *e), *want, "{item}");
        }
    }

    #[test]
    fn windows_forms_are_refused_there() {
        for item in [
            "/a\\b",
            "/C:/x",
            "/c%3A/x",
            "/a.txt::$DATA",
            "/a.txt:s",
            "/a.txt.",
            "/a. /b",
            "/a%5Cb",
        ] {
            assert_eq!(sanitize_for(item, true), Err(PathError::Windows), "{item}");
        }
        assert_eq!(sanitize_for("/a/b.js", true).unwrap().as_str(), "a/b.js");
    }

    #[test]
    fn a_usual_path_is_borrowed() {
        assert!(matches!(sanitize("/chunks/a-1.js"), Ok(SafePath(Cow::Borrowed(_)))));
    }

    proptest::proptest! {
        #[test]
        fn what_passes_stays_inside(item in "[a./\\\\%0-9A-F:~ ]*|\\PC*", windows: bool) {
            if let Ok(path) = sanitize_for(&item, windows) {
                let path = path.as_str();
                assert!(!path.starts_with('/') && !path.contains('\0'));
                assert!(path.split(['/', '\\']).all(|segment| segment != ".."));
            }
        }
    }
}
