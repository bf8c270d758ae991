//! One cookie out of a `Cookie` header, as the `cookie` package that Next.js compiles in reads it.

use std::borrow::Cow;

use crate::url::decode_uri_component;

/// The first value of cookie `name`.
pub fn cookie<'a>(header: &'a str, name: &str) -> Option<Cow<'a, str>> {
    header.split(';').enumerate().find_map(|(i, pair)| {
        // The separator takes the spaces after it.
        let pair = if i > 0 { pair.trim_start_matches(' ') } else { pair };
        let (key, value) = pair.split_once('=')?;
        if key.trim() != name {
            return None;
        }
        let mut value = value.trim();
        if let Some(rest) = value.strip_prefix('"') {
            // The last character goes whatever it is.
            let end = rest.char_indices().last().map_or(0, |(at, _)| at);
            value = rest.get(..end).unwrap_or_default();
        }
        Some(decode_uri_component(value).unwrap_or(Cow::Borrowed(value)))
    })
}

#[cfg(test)]
mod tests {
    use super::cookie;

    #[test]
    fn the_first_cookie_of_a_name_counts() {
        let header = "a=1; b = \"x%20y\" ;c=%zz; a=2; d; e=";
        for (name, value) in [
            ("a", Some("1")),
            ("b", Some("x y")),
            ("c", Some("%zz")),
            ("d", None),
            ("e", Some("")),
            ("f", None),
        ] {
            assert_eq!(cookie(header, name).as_deref(), value, "{name}");
        }
        assert_eq!(cookie("a=\"", "a").as_deref(), Some(""));
    }
}
