//! What a parameter's pattern can match, as far as an index has to know.
//!
//! In: a JavaScript regular expression. Out: whether each match is text within one segment of a path. Saying no is always safe.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::js_translate::translate;

/// Whether every match takes at least one character and has no slash.
pub fn stays_in_segment(pattern: &str) -> bool {
    if pattern == "[^\\/]+?" {
        return true;
    }
    let parsed = translate(&without_lookaround(pattern)).and_then(|translated| {
        let hir = regex_syntax::parse(&translated.pattern);
        hir.map_err(|error| error.to_string())
    });
    parsed.is_ok_and(|hir| hir.properties().minimum_len().is_some_and(|length| length > 0) && !can_match_slash(&hir))
}

fn can_match_slash(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'/'),
        HirKind::Class(Class::Unicode(class)) => {
            let holds = |range: &regex_syntax::hir::ClassUnicodeRange| (range.start()..=range.end()).contains(&'/');
            class.ranges().iter().any(holds)
        }
        HirKind::Class(Class::Bytes(_)) => true,
        HirKind::Repetition(repetition) => can_match_slash(&repetition.sub),
        HirKind::Capture(capture) => can_match_slash(&capture.sub),
        HirKind::Concat(list) | HirKind::Alternation(list) => list.iter().any(can_match_slash),
    }
}

/// The pattern without its assertions about what stands around, so that it matches no less.
fn without_lookaround(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '(' if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|open| rest.starts_with(open)) => {
                rest = rest.get(group_length(rest)..).unwrap_or_default();
                continue;
            }
            '\\' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            '[' => class_length(rest),
            other => other.len_utf8(),
        };
        let (piece, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(piece);
        rest = tail;
    }
    out
}

/// The length of the group that `text` begins with.
fn group_length(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match rest.chars().next() {
            Some('\\') => at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            Some('[') => at += class_length(rest),
            Some(c) => {
                at += c.len_utf8();
                match c {
                    '(' => depth += 1,
                    ')' if depth == 1 => return at,
                    ')' => depth -= 1,
                    _ => {}
                }
            }
            None => break,
        }
    }
    text.len()
}

/// The length of the class that `text` begins with.
fn class_length(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            ']' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::stays_in_segment;

    #[test]
    fn only_text_within_a_segment_counts() {
        for pattern in [
            "[^\\/]+?",
            "[^/]+",
            "\\d+",
            "\\d{1,}",
            "[\\w-]+",
            "en|fr|nl\\-NL",
            "(?:en|fr)-\\d",
            "(?!api)[^/]+",
            "[^/]+(?<!x)",
            "\\bold\\b",
            "[^\\/\\-]+?",
            "(?:(?!-to-)[^\\/])+?",
            "\\w+\\.html",
            "[^/)(]+",
        ] {
            assert!(stays_in_segment(pattern), "{pattern}");
        }
        for pattern in [
            ".*",
            ".+",
            "[^/]*",
            "[^.]+",
            "\\D+",
            "\\S",
            "\\W",
            "[+-9]",
            "a|",
            "a|b/c",
            "(?!api).*",
            "(?:a)?",
            "\\u002f",
            "(?=a)*",
            "[^",
            "(",
            "\\",
        ] {
            assert!(!stays_in_segment(pattern), "{pattern}");
        }
    }
}
