//! Repeated slashes: such a path is redirected to its collapsed form before anything else.
//!
//! Source: `normalizeRepeatedSlashes` in `next/dist/shared/lib/utils.js`, and its use in `resolve-routes.js`.

/// Whether the part of `target` before `?` holds a backslash or `//`.
pub fn has_repeated_slashes(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let mut previous = 0;
    for &byte in path.as_bytes() {
        if byte == b'\\' || (byte == b'/' && previous == b'/') {
            return true;
        }
        previous = byte;
    }
    false
}

/// Backslashes become slashes and runs of slashes become one; the query stays, an empty one goes.
pub fn collapse_slashes(target: &str) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, query),
        None => (target, ""),
    };
    let mut out = String::with_capacity(target.len());
    let mut previous = ' ';
    for c in path.chars() {
        let c = if c == '\\' { '/' } else { c };
        if !(c == '/' && previous == '/') {
            out.push(c);
        }
        previous = c;
    }
    // Upstream looks only at what stands between the first two question marks.
    if query.split('?').next().is_some_and(|first| !first.is_empty()) {
        out.push('?');
        out.push_str(query);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_collapse_and_the_query_stays() {
        for (target, collapsed) in [
            ("//a", "/a"),
            ("/a//b///c", "/a/b/c"),
            ("/a\\b", "/a/b"),
            ("/\\/a", "/a"),
            ("//a?b=//c", "/a?b=//c"),
            ("//a?", "/a"),
            ("//a??b", "/a"),
            ("//a?b?c", "/a?b?c"),
            ("http://h/p", "http:/h/p"),
        ] {
            assert!(has_repeated_slashes(target), "{target}");
            assert_eq!(collapse_slashes(target), collapsed, "{target}");
        }
        for clean in ["/", "/a/b/", "/a?b=//c", "", "/a?\\"] {
            assert!(!has_repeated_slashes(clean), "{clean}");
        }
    }
}
