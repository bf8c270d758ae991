//! Request targets as Node's `url.parse` reads them, for versions of Next.js that use it.
//!
//! In: a target that starts with `/`. Out: its parts, with dot segments and most characters as they were sent. Source:
//! `lib/url.js` of Node 20.

use super::format::UrlParts;
use super::query::Query;

/// Parses a relative target.
pub(super) fn parse_relative(target: &str) -> UrlParts {
    parse(target, false)
}

/// Parses a target as it stands in an absolute URL.
pub(super) fn parse_path_of_absolute(target: &str) -> UrlParts {
    parse(target, true)
}

/// Parses what is left of an absolute target when its slashes have become one: a scheme and a path, but no host. `None` for anything else.
pub(super) fn parse_without_host(target: &str) -> Option<UrlParts> {
    let (scheme, path) = target.split_once(':')?;
    let is_scheme = scheme
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte));
    if scheme.is_empty() || !is_scheme || !path.starts_with('/') {
        return None;
    }
    let protocol = format!("{}:", scheme.to_ascii_lowercase());
    Some(UrlParts {
        // Node writes the slashes of a file's URL even where no host follows.
        slashes: protocol == "file:",
        protocol,
        ..parse_path_of_absolute(path)
    })
}

fn parse(target: &str, absolute: bool) -> UrlParts {
    let target = target.trim_matches(|c: char| c < '!' || c == '\u{a0}' || c == '\u{feff}');
    let path_end = target.find(['?', '#']).unwrap_or(target.len());
    let (path, rest) = target.split_at_checked(path_end).unwrap_or((target, ""));
    let path = path.replace('\\', "/");
    // A simple target is taken as it is; any other has its odd characters encoded.
    let simple = !absolute && !path.contains('@') && !rest.contains('#') && !target.contains(char::is_whitespace);
    let (path, rest) = if simple {
        (path, rest.to_owned())
    } else {
        (escape(&path), escape(rest))
    };
    let (search, hash) = match rest.find('#').and_then(|at| rest.split_at_checked(at)) {
        Some((search, hash)) => (search, hash),
        None => (rest.as_str(), ""),
    };
    UrlParts {
        pathname: path,
        query: Query::parse_legacy(search.strip_prefix('?').unwrap_or(search)),
        search: search.to_owned(),
        hash: hash.to_owned(),
        ..UrlParts::default()
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' | ' ' | '"' | '\'' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => {
                out.push_str(&format!("%{:02X}", c as u32));
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_an_absolute_target_has_a_lower_case_scheme_and_no_host() {
        for (target, written) in [
            ("HTTP:/LOCALHOST/A", Some("http:/LOCALHOST/A")),
            ("Http:/U:P@h:80/a{b}?c|#d", Some("http:/U:P@h:80/a%7Bb%7D?c%7C#d")),
            ("FILE:/a", Some("file:///a")),
            ("x:/a", Some("x:/a")),
            ("/a:/b", None),
            ("http:a", None),
            (":/a", None),
            ("nowhere", None),
        ] {
            let parts = parse_without_host(target);
            assert_eq!(parts.map(|parts| parts.format()).as_deref(), written, "{target}");
        }
    }

    #[test]
    fn targets_stay_as_they_were_sent() {
        for (target, pathname, search, hash) in [
            ("/a/../b", "/a/../b", "", ""),
            ("/a{b}?c|d", "/a{b}", "?c|d", ""),
            ("/a{b}@?c|d", "/a%7Bb%7D@", "?c%7Cd", ""),
            ("/a?@b'", "/a", "?@b'", ""),
            ("/a?b#c", "/a", "?b", "#c"),
            ("/a?", "/a", "?", ""),
        ] {
            let parts = parse_relative(target);
            assert_eq!(
                (parts.pathname.as_str(), parts.search.as_str(), parts.hash.as_str()),
                (pathname, search, hash),
                "{target}"
            );
        }
    }
}
