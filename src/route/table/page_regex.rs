//! The expression that a dynamic page matches paths with.
//!
//! In: a page such as `/blog/[...slug]`. Out: a JavaScript expression and the parameters of its groups. Source:
//! `getRouteRegex` in `next/dist/shared/lib/router/utils/route-regex.js`, and `get-dynamic-param.js`.

use crate::route::pattern::escape_all;
use crate::url::{interception_marker, without_trailing_slash};

/// A parameter of a page. Its group number is its place in the list, from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageParam {
    /// The name.
    pub name: String,
    /// A list of segments (`[...a]`).
    pub repeat: bool,
    /// Whether a later parameter has the same name, which then is the one that counts.
    pub replaced: bool,
}

/// The expression of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRegex {
    /// JavaScript source.
    pub source: String,
    /// Its groups.
    pub params: Vec<PageParam>,
}

/// Builds the expression. `affixes` also matches what stands around a parameter in its segment.
pub fn page_regex(page: &str, affixes: bool) -> PageRegex {
    let mut source = String::from("^");
    let mut params = Vec::new();
    let page = without_trailing_slash(page);
    for segment in page.strip_prefix('/').unwrap_or(page).split('/') {
        let marker = interception_marker(segment);
        let Some((before, name, after)) = parameter(segment) else {
            source.push('/');
            source.push_str(&escape(segment));
            continue;
        };
        let (name, optional) = unwrap(name, "[", "]");
        let (name, repeat) = match name.strip_prefix("...") {
            Some(name) => (name, true),
            None => (name, false),
        };
        // The build refuses a name that stands twice, but does not see one with text around it.
        for earlier in params
            .iter_mut()
            .filter(|earlier: &&mut PageParam| earlier.name == name)
        {
            earlier.replaced = true;
        }
        params.push(PageParam {
            name: name.to_owned(),
            repeat,
            replaced: false,
        });
        if let Some(marker) = marker {
            source.push_str(&format!("/{}([^/]+?)", escape(marker)));
        } else {
            let pattern = match (repeat, optional) {
                (true, true) => "(?:/(.+?))?",
                (true, false) => "/(.+?)",
                (false, _) => "/([^/]+?)",
            };
            if affixes && !before.is_empty() {
                source.push_str(&format!("/{}", escape(before)));
                source.push_str(pattern.get(1..).unwrap_or_default());
            } else {
                source.push_str(pattern);
            }
        }
        if affixes {
            source.push_str(&escape(after));
        }
    }
    source.push_str("(?:/)?$");
    PageRegex { source, params }
}

/// What stands before, inside and after the brackets of a segment.
fn parameter(segment: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = segment.split_once('[')?;
    // Either `[[…]]` or `[…]`; the inner form is greedy about nothing.
    let end = if rest.starts_with('[') {
        rest.find(']')
            .and_then(|end| rest.get(end + 1..)?.starts_with(']').then_some(end + 1))
    } else {
        None
    };
    let end = match end {
        Some(end) => end,
        None => rest.find(']').filter(|&end| end > 0)?,
    };
    let (name, after) = rest.split_at_checked(end)?;
    Some((before, name, after.strip_prefix(']')?))
}

fn unwrap<'a>(name: &'a str, open: &str, close: &str) -> (&'a str, bool) {
    match name.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
        Some(inner) => (inner, true),
        None => (name, false),
    }
}

/// Escapes text for a JavaScript regular expression, as `escape-string-regexp` does.
fn escape(text: &str) -> String {
    escape_all(text, "|\\{}()[]^$+*?.-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_expressions() {
        for (page, affixes, source) in [
            ("/", true, "^/(?:/)?$"),
            ("/blog/[slug]", true, "^/blog/([^/]+?)(?:/)?$"),
            ("/a.b-c/[...x]", true, "^/a\\.b\\-c/(.+?)(?:/)?$"),
            ("/shop/[[...f]]", true, "^/shop(?:/(.+?))?(?:/)?$"),
            ("/a/pre[x]post", true, "^/a/pre([^/]+?)post(?:/)?$"),
            ("/a/pre[x]post", false, "^/a/([^/]+?)(?:/)?$"),
            ("/feed/(..)[id]", true, "^/feed/\\(\\.\\.\\)([^/]+?)(?:/)?$"),
            ("/[a]/[b]", false, "^/([^/]+?)/([^/]+?)(?:/)?$"),
            ("/[]", true, "^/\\[\\](?:/)?$"),
        ] {
            assert_eq!(page_regex(page, affixes).source, source, "{page}");
        }
        let params = page_regex("/[a]/[[...b]]", true).params;
        assert_eq!(params[0].name, "a");
        assert!(params[1].repeat);
        let params = page_regex("/[a]-x/[b]/[a]", true).params;
        assert_eq!(
            params.iter().map(|param| param.replaced).collect::<Vec<_>>(),
            [true, false, false]
        );
    }
}
