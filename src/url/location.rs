//! A request target or a destination, taken apart.
//!
//! In: `req.url`, or what a rule or middleware sends the request to. Out: [`UrlParts`] as upstream's `parseUrl` gives
//! them, and from those the [`Location`] that routing changes. Source: `next/dist/shared/lib/router/utils/{parse-url,
//! parse-relative-url}.js`.

use super::format::UrlParts;
use super::legacy;
use super::query::Query;

/// Which parser reads request targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The URL standard: dot segments go, odd characters are encoded.
    #[default]
    Whatwg,
    /// Node's `url.parse`: the path stays as it was sent.
    Legacy,
}

/// A target that is not a URL; upstream throws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidUrl;

/// Where a request is, while rules move it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The path, percent-encoded, with basePath and locale.
    pub pathname: String,
    /// The query, parsed.
    pub query: Query,
    /// The search string with its `?`, or empty. A rewrite changes `query` but not this.
    pub search: String,
}

impl Location {
    /// Parses a request target.
    pub fn parse(target: &str, dialect: Dialect) -> Result<Location, InvalidUrl> {
        parse_target(target, dialect).map(Location::from)
    }

    /// Parses a request target as a part of the server's own absolute URL, in which the legacy parser encodes more.
    pub fn parse_whole(target: &str, dialect: Dialect) -> Result<Location, InvalidUrl> {
        match dialect {
            Dialect::Legacy if target.starts_with('/') => Ok(Location::from(legacy::parse_path_of_absolute(target))),
            _ => Location::parse(target, dialect),
        }
    }

    /// The path, or `/` when there is none.
    pub fn path(&self) -> &str {
        if self.pathname.is_empty() {
            "/"
        } else {
            &self.pathname
        }
    }
}

impl From<UrlParts> for Location {
    fn from(parts: UrlParts) -> Self {
        Location {
            pathname: parts.pathname,
            query: parts.query,
            search: parts.search,
        }
    }
}

/// Parses a target: one that starts with `/` is relative, anything else has to be an absolute URL.
pub fn parse_target(target: &str, dialect: Dialect) -> Result<UrlParts, InvalidUrl> {
    if !target.starts_with('/') {
        return match dialect {
            Dialect::Whatwg => absolute(target),
            Dialect::Legacy => absolute(target).or_else(|_| Ok(legacy::parse_relative(target))),
        };
    }
    if dialect == Dialect::Legacy {
        return Ok(legacy::parse_relative(target));
    }
    if let Some(parts) = plain(target) {
        return Ok(parts);
    }
    let url = url::Url::parse(&format!("http://n{target}")).map_err(|_| InvalidUrl)?;
    // `/` ends the authority, so the host can only be the made-up one.
    let search = url.query().filter(|query| !query.is_empty());
    Ok(UrlParts {
        pathname: url.path().to_owned(),
        query: search.map(Query::parse).unwrap_or_default(),
        search: search.map(|query| format!("?{query}")).unwrap_or_default(),
        hash: hash_of(&url),
        ..UrlParts::default()
    })
}

/// Parses a target whose repeated slashes have become one, also those between its scheme and its host. `None` when it is no URL.
pub fn parse_collapsed(target: &str, dialect: Dialect) -> Option<UrlParts> {
    match dialect {
        Dialect::Whatwg => parse_target(target, dialect).ok(),
        Dialect::Legacy if target.starts_with('/') => Some(legacy::parse_relative(target)),
        Dialect::Legacy => legacy::parse_without_host(target),
    }
}

/// A target that the URL standard leaves exactly as it is; nearly all are.
fn plain(target: &str) -> Option<UrlParts> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, query),
        None => (target, ""),
    };
    let mut previous = 0;
    for &byte in path.as_bytes() {
        // A dot or an encoded one after a slash may be a dot segment.
        let may_be_dots = previous == b'/' && (byte == b'.' || byte == b'%');
        if may_be_dots || !is_plain(byte) {
            return None;
        }
        previous = byte;
    }
    if !query.bytes().all(|byte| is_plain(byte) || byte == b'?') {
        return None;
    }
    Some(UrlParts {
        pathname: path.to_owned(),
        query: Query::parse(query),
        search: if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        },
        ..UrlParts::default()
    })
}

/// Characters that stand for themselves in a path and in a query.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/%-._~!$&()*+,;=:@[]".contains(&byte)
}

fn absolute(target: &str) -> Result<UrlParts, InvalidUrl> {
    let url = url::Url::parse(target).map_err(|_| InvalidUrl)?;
    let search = url.query().filter(|query| !query.is_empty());
    let auth = match (url.username(), url.password()) {
        ("", _) => None,
        (user, Some(password)) => Some(format!("{user}:{password}")),
        (user, None) => Some(user.to_owned()),
    };
    let protocol = format!("{}:", url.scheme());
    let slashes = url
        .as_str()
        .get(protocol.len()..)
        .is_some_and(|rest| rest.starts_with("//"));
    Ok(UrlParts {
        auth,
        hostname: url.host_str().unwrap_or_default().to_owned(),
        port: url.port().map(|port| port.to_string()).unwrap_or_default(),
        pathname: url.path().to_owned(),
        query: search.map(Query::parse).unwrap_or_default(),
        search: search.map(|query| format!("?{query}")).unwrap_or_default(),
        hash: hash_of(&url),
        origin: Some(url.origin().ascii_serialization()),
        protocol,
        slashes,
    })
}

fn hash_of(url: &url::Url) -> String {
    match url.fragment() {
        Some(fragment) if !fragment.is_empty() => format!("#{fragment}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn targets_are_read_by_the_url_standard() {
        for (target, pathname, search, hash) in [
            ("/", "/", "", ""),
            ("/a/b?x=1", "/a/b", "?x=1", ""),
            ("/a?", "/a", "", ""),
            ("/a/../b", "/b", "", ""),
            ("/a/./b/%2e%2E/c", "/a/c", "", ""),
            ("/..", "/", "", ""),
            ("/a b\"<>`{}|^", "/a%20b%22%3C%3E%60%7B%7D|^", "", ""),
            ("/ü?ü", "/%C3%BC", "?%C3%BC", ""),
            ("/a#b?c", "/a", "", "#b?c"),
            ("/a?b'c\"d", "/a", "?b%27c%22d", ""),
            ("/%zz/%41", "/%zz/%41", "", ""),
            ("/@h/:1", "/@h/:1", "", ""),
            ("/.well-known/x", "/.well-known/x", "", ""),
        ] {
            let parts = parse_target(target, Dialect::Whatwg).unwrap();
            assert_eq!(
                (parts.pathname.as_str(), parts.search.as_str(), parts.hash.as_str()),
                (pathname, search, hash),
                "{target}"
            );
            assert_eq!(parts.protocol, "", "{target}");
        }
        assert_eq!(parse_target("*", Dialect::Whatwg), Err(InvalidUrl));
        assert_eq!(parse_target("", Dialect::Whatwg), Err(InvalidUrl));
    }

    #[test]
    fn absolute_targets_keep_their_origin() {
        let parts = parse_target("https://u:p@Ex.com:8443/a?b#c", Dialect::Whatwg).unwrap();
        assert_eq!(parts.origin.as_deref(), Some("https://ex.com:8443"));
        assert_eq!(parts.auth.as_deref(), Some("u:p"));
        assert_eq!(parts.format(), "https://u:p@ex.com:8443/a?b#c");
    }

    proptest! {
        #[test]
        fn any_target_parses_or_is_refused(target in "\\PC{0,30}") {
            for dialect in [Dialect::Whatwg, Dialect::Legacy] {
                let _ = parse_target(&target, dialect);
            }
        }

        #[test]
        fn the_short_way_and_the_long_way_agree(target in "/[a-c.%2e/?=&:@\\[\\]-]{0,16}") {
            if let Some(short) = plain(&target) {
                let url = url::Url::parse(&format!("http://n{target}")).unwrap();
                prop_assert_eq!(short.pathname.as_str(), url.path());
                prop_assert_eq!(short.search.strip_prefix('?').unwrap_or_default(), url.query().unwrap_or_default());
                prop_assert_eq!(short.query, Query::parse(url.query().unwrap_or_default()));
            }
        }
    }
}
