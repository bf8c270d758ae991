//! The parts of a URL, and writing them down again.
//!
//! In: parts, possibly changed by a rule. Out: text for a `Location` header or a proxy target, as Node's `url.format`
//! writes it. Sources: `lib/url.js` of Node 20, `next/dist/shared/lib/router/utils/{format-url,relativize-url}.js`.

use super::query::Query;

/// The parts of a URL. An empty `protocol` means that the URL is relative.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UrlParts {
    /// `http:` and the like, or empty.
    pub protocol: String,
    /// `user` or `user:password`.
    pub auth: Option<String>,
    /// The host name without port, or empty.
    pub hostname: String,
    /// The port when it is not the default one.
    pub port: String,
    /// The path.
    pub pathname: String,
    /// The query, parsed.
    pub query: Query,
    /// The search string with its `?`, or empty.
    pub search: String,
    /// The fragment with its `#`, or empty.
    pub hash: String,
    /// `https://host:port` of an absolute URL.
    pub origin: Option<String>,
    /// Whether `//` stands after the protocol.
    pub slashes: bool,
}

impl UrlParts {
    /// Whether the URL names a server of its own.
    pub fn is_absolute(&self) -> bool {
        !self.protocol.is_empty()
    }

    /// Writes the parts as Node's `url.format` does; `query` counts only when `search` is empty.
    pub fn format(&self) -> String {
        let mut out = self.protocol.clone();
        let slashed = matches!(
            self.protocol.as_str(),
            "http:" | "https:" | "ftp:" | "gopher:" | "file:" | "ws:" | "wss:"
        );
        let has_authority = self.slashes || (slashed && !self.hostname.is_empty());
        if has_authority {
            out.push_str("//");
        }
        if !self.hostname.is_empty() {
            if let Some(auth) = &self.auth {
                push_auth(&mut out, auth);
                out.push('@');
            }
            if self.hostname.contains(':') && !self.hostname.starts_with('[') {
                out.push_str(&format!("[{}]", self.hostname));
            } else {
                out.push_str(&self.hostname);
            }
            if !self.port.is_empty() {
                out.push(':');
                out.push_str(&self.port);
            }
        }
        if has_authority && !self.pathname.is_empty() && !self.pathname.starts_with('/') {
            out.push('/');
        }
        for c in self.pathname.chars() {
            match c {
                '#' => out.push_str("%23"),
                '?' => out.push_str("%3F"),
                other => out.push(other),
            }
        }
        let search = if self.search.is_empty() && !self.query.is_empty() {
            self.query
                .stringify(|text| super::encode_uri_component(text).into_owned())
        } else {
            self.search.clone()
        };
        if !search.is_empty() {
            if !search.starts_with('?') {
                out.push('?');
            }
            out.push_str(&search.replace('#', "%23"));
        }
        if !self.hash.is_empty() {
            if !self.hash.starts_with('#') {
                out.push('#');
            }
            out.push_str(&self.hash);
        }
        out
    }
}

/// Node leaves `! ' ( ) * - . : _ ~` and letters and digits alone.
fn push_auth(out: &mut String, auth: &str) {
    for (i, part) in auth.split(':').enumerate() {
        if i > 0 {
            out.push(':');
        }
        out.push_str(&super::encode_uri_component(part));
    }
}

/// Path, search and query of a relative location, as upstream's own `formatUrl` writes them.
pub fn format_location(pathname: &str, search: &str, query: &Query) -> String {
    let mut out = String::with_capacity(pathname.len() + search.len());
    for c in pathname.chars() {
        match c {
            '#' => out.push_str("%23"),
            '?' => out.push_str("%3F"),
            other => out.push(other),
        }
    }
    let search = if search.is_empty() && !query.is_empty() {
        format!("?{}", query.to_search_params())
    } else {
        search.to_owned()
    };
    // Upstream encodes only the first one.
    out.push_str(&search.replacen('#', "%23", 1));
    out
}

/// `url` resolved against `base`; without its origin when that is the one of `base`. `None` when either is no URL.
pub fn relative_to(url: &str, base: &str) -> Option<String> {
    let base = url::Url::parse(base).ok()?;
    let resolved = base.join(url).ok()?;
    // Opaque origins are all written `null`, and so count as equal.
    let mine = resolved.origin().ascii_serialization();
    if mine == base.origin().ascii_serialization() || is_same_loopback(&resolved, &base) {
        resolved.as_str().get(mine.len()..).map(str::to_owned)
    } else {
        Some(resolved.into())
    }
}

/// Whether two URLs lead to this machine by any of its names. `NextURL` writes all of them as `localhost`, so that what the app
/// took from its request comes back under another name than the server has (`parseURL` of `next-url.js`).
fn is_same_loopback(one: &url::Url, other: &url::Url) -> bool {
    let is_loopback = |url: &url::Url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let ends = |url: &url::Url| (url.scheme().to_owned(), url.port_or_known_default());
    ends(one) == ends(other) && is_loopback(one) && is_loopback(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_written_as_node_does() {
        let parts = UrlParts {
            protocol: "https:".into(),
            hostname: "ex.com".into(),
            pathname: "/a#b?c".into(),
            search: "d=#".into(),
            hash: "e".into(),
            slashes: true,
            ..UrlParts::default()
        };
        assert_eq!(parts.format(), "https://ex.com/a%23b%3Fc?d=%23#e");
        let mail = UrlParts {
            protocol: "mailto:".into(),
            pathname: "a@b".into(),
            ..UrlParts::default()
        };
        assert_eq!(mail.format(), "mailto:a@b");
        assert_eq!(format_location("/fr", "", &Query::parse("a=b c")), "/fr?a=b+c");
    }

    #[test]
    fn a_url_of_the_same_origin_becomes_relative() {
        let base = "http://localhost:3000/x/y?z";
        for (url, expected) in [
            ("/a?b#c", "/a?b#c"),
            ("a", "/x/a"),
            ("http://localhost:3000/a", "/a"),
            ("http://localhost:3001/a", "http://localhost:3001/a"),
            ("https://localhost:3000/a", "https://localhost:3000/a"),
            ("//ex.com", "http://ex.com/"),
        ] {
            assert_eq!(relative_to(url, base).as_deref(), Some(expected), "{url}");
        }
        let base = "http://127.0.0.1:3000/x";
        for (url, expected) in [
            ("http://localhost:3000/a", "/a"),
            ("http://[::1]:3000/a", "/a"),
            ("http://127.0.0.1:3000/a", "/a"),
            ("http://localhost:3001/a", "http://localhost:3001/a"),
            ("http://localhost.example:3000/a", "http://localhost.example:3000/a"),
            ("http://127.0.0.1.example:3000/a", "http://127.0.0.1.example:3000/a"),
        ] {
            assert_eq!(relative_to(url, base).as_deref(), Some(expected), "{url}");
        }
        assert_eq!(relative_to("/a", "/no/base"), None);
        assert_eq!(relative_to("http://[", base), None);
    }
}
