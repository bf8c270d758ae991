//! Prefixes of paths: basePath and its like.
//!
//! Source: `next/dist/shared/lib/router/utils/{path-has-prefix,remove-path-prefix,add-path-prefix,
//! remove-trailing-slash}.js`.

use std::borrow::Cow;

/// Where the path part of `path` ends: at the first `?` or `#`.
fn path_end(path: &str) -> usize {
    path.find(['?', '#']).unwrap_or(path.len())
}

/// Whether `path` is `prefix` or lies below it.
pub fn path_has_prefix(path: &str, prefix: &str) -> bool {
    let Some(rest) = path.get(..path_end(path)).and_then(|path| path.strip_prefix(prefix)) else {
        return false;
    };
    rest.is_empty() || rest.starts_with('/')
}

/// `path` without `prefix`, always with a leading slash; `path` itself when it has no such prefix.
pub fn remove_path_prefix<'a>(path: &'a str, prefix: &str) -> Cow<'a, str> {
    if !path_has_prefix(path, prefix) {
        return Cow::Borrowed(path);
    }
    match path.get(prefix.len()..) {
        Some(rest) if rest.starts_with('/') => Cow::Borrowed(rest),
        Some("") | None => Cow::Borrowed("/"),
        Some(rest) => Cow::Owned(format!("/{rest}")),
    }
}

/// `prefix` before `path`; `path` itself when it is not absolute.
pub fn add_path_prefix(path: &str, prefix: &str) -> String {
    if path.starts_with('/') {
        format!("{prefix}{path}")
    } else {
        path.to_owned()
    }
}

/// `path` without one trailing slash; `/` stays.
pub fn without_trailing_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => rest,
        _ => path,
    }
}

/// Two absolute paths as one, as Node's `path.posix.join` does: dot segments are resolved, repeated slashes collapse.
pub fn join_paths(base: &str, path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in base.split('/').chain(path.split('/')) {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let end = if path.ends_with('/') && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_a_segment() {
        for (path, has, removed) in [
            ("/blog", true, "/"),
            ("/blog/", true, "/"),
            ("/blog/1", true, "/1"),
            ("/blog?a=/x", true, "/?a=/x"),
            ("/blogging", false, "/blogging"),
            ("/", false, "/"),
            ("", false, ""),
        ] {
            assert_eq!(path_has_prefix(path, "/blog"), has, "{path}");
            assert_eq!(remove_path_prefix(path, "/blog"), removed, "{path}");
        }
        assert!(path_has_prefix("/x", ""));
        assert_eq!(remove_path_prefix("/x", ""), "/x");
    }

    #[test]
    fn joined_paths_have_no_dots() {
        for (path, joined) in [
            ("/a", "/base/a"),
            ("/a/", "/base/a/"),
            ("/..", "/"),
            ("/../", "/"),
            ("/../../x", "/x"),
            ("/./a//b/../c", "/base/a/c"),
            ("/...", "/base/..."),
            ("/%2e%2e", "/base/%2e%2e"),
        ] {
            assert_eq!(join_paths("/base", path), joined, "{path}");
        }
    }

    #[test]
    fn trailing_slash() {
        assert_eq!(without_trailing_slash("/"), "/");
        assert_eq!(without_trailing_slash("/a/"), "/a");
        assert_eq!(without_trailing_slash("/a"), "/a");
        assert_eq!(add_path_prefix("/", "/docs"), "/docs/");
        assert_eq!(add_path_prefix("x", "/docs"), "x");
    }
}
