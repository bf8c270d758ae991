//! Percent-encoding as JavaScript's `encodeURIComponent` and `decodeURIComponent` do it.

use std::borrow::Cow;

use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};

/// Everything but letters, digits and `- _ . ! ~ * ' ( )`.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// `encodeURIComponent`.
pub fn encode_uri_component(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, COMPONENT).into()
}

/// `encodeURIComponent` for each segment of a path (`next/dist/shared/lib/encode-uri-path.js`).
pub fn encode_uri_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (i, segment) in path.split('/').enumerate() {
        if i > 0 {
            out.push('/');
        }
        out.extend(utf8_percent_encode(segment, COMPONENT));
    }
    out
}

/// `decodeURIComponent`: `None` where JavaScript throws, that is for a `%` without two hex digits and for bytes that are
/// not UTF-8.
pub fn decode_uri_component(text: &str) -> Option<Cow<'_, str>> {
    let Some(first) = text.find('%') else {
        return Some(Cow::Borrowed(text));
    };
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(bytes.get(..first)?);
    let mut rest = bytes.get(first..)?;
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            let (high, low) = (*tail.first()?, *tail.get(1)?);
            out.push(hex(high)? << 4 | hex(low)?);
            rest = tail.get(2..)?;
        } else {
            out.push(byte);
            rest = tail;
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn components_encode_as_in_javascript() {
        for (text, encoded) in [
            ("a-b_c.d!e~f*g'h(i)", "a-b_c.d!e~f*g'h(i)"),
            (
                "a b/c?d#e&f=g+h:i;j,k@l$m",
                "a%20b%2Fc%3Fd%23e%26f%3Dg%2Bh%3Ai%3Bj%2Ck%40l%24m",
            ),
            ("ü", "%C3%BC"),
            ("[slug]", "%5Bslug%5D"),
        ] {
            assert_eq!(encode_uri_component(text), encoded);
        }
        assert_eq!(encode_uri_path("/a b/ü+%.txt"), "/a%20b/%C3%BC%2B%25.txt");
    }

    #[test]
    fn decoding_fails_where_javascript_throws() {
        assert_eq!(decode_uri_component("a%20b+c").as_deref(), Some("a b+c"));
        assert_eq!(decode_uri_component("%C3%bc").as_deref(), Some("ü"));
        for wrong in ["%", "%2", "%zz", "%E0%A4", "%ff", "%c3", "%ED%A0%80"] {
            assert_eq!(decode_uri_component(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(text in "\\PC*") {
            let encoded = encode_uri_component(&text);
            let decoded = decode_uri_component(&encoded);
            prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
        }

        #[test]
        fn decoding_never_panics(text in "[%0-9a-fA-Fü/]{0,12}") {
            let _ = decode_uri_component(&text);
        }
    }
}
