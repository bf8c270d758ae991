//! The path that a route and its params stand for.
//!
//! In: a route such as `/blog/[slug]` and decoded params. Out: `/blog/a`, the path under which its answer is kept.
//! Upstream: `interpolateDynamicPath` of `next/dist/server/server-utils.js`, then `decodePathParams`.

use super::params::Params;
use crate::url::{decode_uri_component, encode_uri_component, without_trailing_slash, QueryValue};

/// Puts params into a route. Delimiters inside a value stay encoded, so that a value can
/// never add a segment. Upstream: `interpolateDynamicPath` and `decodePathParams`. `None` when a param is missing.
pub fn resolve(route: &str, params: Option<&Params>) -> Option<String> {
    fill(route, params, push_segment)
}

/// The same path as a URL has it, every param percent-encoded.
pub fn resolve_encoded(route: &str, params: Option<&Params>) -> Option<String> {
    fill(route, params, |out, value| {
        out.push('/');
        out.push_str(&encode_uri_component(value));
    })
}

fn fill(route: &str, params: Option<&Params>, push: impl Fn(&mut String, &str)) -> Option<String> {
    if !route.contains('[') {
        return Some(route.to_owned());
    }
    let params = params?;
    let mut out = String::with_capacity(route.len() + 16);
    for segment in route.split('/').skip(1) {
        let Some(inner) = segment.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
            if segment.contains('[') {
                return None; // affixed or intercepting: the entry resolves it
            }
            out.push('/');
            out.push_str(segment);
            continue;
        };
        let optional = inner.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let name = optional.unwrap_or(inner).trim_start_matches("...");
        match params.get(name) {
            Some(QueryValue::One(value)) if !value.is_empty() => push(&mut out, value),
            Some(QueryValue::Many(values)) if !values.is_empty() => {
                for value in values {
                    push(&mut out, value);
                }
            }
            _ if optional.is_some() => {}
            _ => return None,
        }
    }
    Some(if out.is_empty() { "/".to_owned() } else { out })
}

/// The path that the params of `path` stand for: decoded, but with the delimiters inside of a segment.
pub fn decode_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for segment in without_trailing_slash(path).split('/').skip(1) {
        push_segment(&mut out, &decode_uri_component(segment).unwrap_or(segment.into()));
    }
    out
}

fn push_segment(out: &mut String, value: &str) {
    out.push('/');
    let mut rest = value;
    while let Some(c) = rest.chars().next() {
        match c {
            '/' => out.push_str("%2F"),
            '#' => out.push_str("%23"),
            '?' => out.push_str("%3F"),
            '\\' => out.push_str("%5C"),
            '%' if is_encoded_delimiter(rest) => out.push_str("%25"),
            other => out.push(other),
        }
        rest = &rest[c.len_utf8()..];
    }
}

/// `%2f`, `%23`, `%3f` or `%5c`, whatever the case.
fn is_encoded_delimiter(text: &str) -> bool {
    let code = text.get(1..3).map(str::to_ascii_lowercase);
    matches!(code.as_deref(), Some("2f" | "23" | "3f" | "5c"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &str) -> QueryValue {
        QueryValue::One(value.to_owned())
    }

    #[test]
    fn params_stand_where_the_route_says() {
        let many = QueryValue::Many(vec!["a".to_owned(), "b c".to_owned()]);
        let table = [
            ("/about", Params::default(), Some("/about")),
            (
                "/blog/[slug]",
                Params::from([("slug", one("über"))]),
                Some("/blog/über"),
            ),
            ("/docs/[...all]", Params::from([("all", many)]), Some("/docs/a/b c")),
            ("/shop/[[...opt]]", Params::default(), Some("/shop")),
            ("/[[...opt]]", Params::default(), Some("/")),
            ("/blog/[slug]", Params::default(), None),
        ];
        for (route, params, expected) in table {
            assert_eq!(resolve(route, Some(&params)).as_deref(), expected, "{route}");
        }
    }

    #[test]
    fn a_value_never_adds_a_segment() {
        for (value, expected) in [
            ("a/b", "/blog/a%2Fb"),
            ("a\\b", "/blog/a%5Cb"),
            ("a?b#c", "/blog/a%3Fb%23c"),
            ("a%2fb", "/blog/a%252fb"),
            ("100%", "/blog/100%"),
        ] {
            let params = Params::from([("slug", one(value))]);
            assert_eq!(resolve("/blog/[slug]", Some(&params)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_url_has_every_param_encoded() {
        let many = QueryValue::Many(vec!["a/b".to_owned(), "ü?".to_owned()]);
        let params = Params::from([("all", many)]);
        assert_eq!(
            resolve_encoded("/docs/[...all]", Some(&params)).as_deref(),
            Some("/docs/a%2Fb/%C3%BC%3F")
        );
        assert_eq!(resolve_encoded("/about", None).as_deref(), Some("/about"));
    }
}
