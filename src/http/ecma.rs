//! How JavaScript reads numbers and blanks in a text.
//!
//! In: a part of a header. Out: what `parseInt`, `parseFloat` and `trim` make of it. Upstream's packages read quality
//! values and ranges with these, so a sloppy header means the same here. Source: ECMA-262, 19.2.4, 19.2.5 and 22.1.3.32.

/// Whether JavaScript's `trim` and `\s` treat the character as blank.
pub fn is_blank(c: char) -> bool {
    matches!(c, '\u{feff}') || (c != '\u{85}' && c.is_whitespace())
}

/// `text.trim()`.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// `parseInt(text, 10)`: leading digits, or `None` for `NaN`. Too large a number saturates.
///
/// Minus is not handled: upstream never hands one over, because it splits ranges at `-` first.
pub fn parse_int(text: &str) -> Option<u64> {
    let text = text.trim_start_matches(is_blank);
    let digits = text.strip_prefix('+').unwrap_or(text).bytes();
    let mut value: Option<u64> = None;
    for digit in digits.take_while(u8::is_ascii_digit) {
        let so_far = value.unwrap_or(0);
        value = Some(so_far.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    }
    value
}

/// `parseFloat(text)`: the longest leading number, `NaN` without one.
pub fn parse_float(text: &str) -> f64 {
    let text = text.trim_start_matches(is_blank);
    let bytes = text.as_bytes();
    let digits_from = |from: usize| {
        bytes
            .get(from..)
            .map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count())
    };
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    if text.get(sign..).is_some_and(|rest| rest.starts_with("Infinity")) {
        return if bytes.first() == Some(&b'-') {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    let whole = digits_from(sign);
    let mut end = sign + whole;
    let mut digits = whole;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits_from(end + 1);
        digits += fraction;
        end += 1 + fraction;
    }
    if digits == 0 {
        return f64::NAN;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let exponent_sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits_from(end + 1 + exponent_sign);
        if exponent > 0 {
            end += 1 + exponent_sign + exponent;
        }
    }
    text.get(..end)
        .and_then(|number| number.parse().ok())
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_node_reads_them() {
        for (text, value) in [
            ("0.5", 0.5),
            (" 1", 1.0),
            (".5x", 0.5),
            ("5.", 5.0),
            ("-0.5", -0.5),
            ("+1e2", 100.0),
            ("1e", 1.0),
            ("1e+", 1.0),
            ("1E-1z", 0.1),
            ("0x10", 0.0),
            ("-Infinityx", f64::NEG_INFINITY),
            ("\u{a0}3", 3.0),
        ] {
            assert_eq!(parse_float(text), value, "{text:?}");
        }
        for text in ["", ".", "-", "abc", "+.e5", "NaN", "inf", "\u{85}3"] {
            assert!(parse_float(text).is_nan(), "{text:?}");
        }
        for (text, value) in [
            ("12abc", Some(12)),
            (" +7", Some(7)),
            ("", None),
            ("x", None),
            ("99999999999999999999999", Some(u64::MAX)),
            ("0x10", Some(0)),
        ] {
            assert_eq!(parse_int(text), value, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            parse_float(&text);
            parse_int(&text);
            trim(&text);
        }
    }
}
