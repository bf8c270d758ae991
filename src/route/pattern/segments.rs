//! Patterns that need no regular expression: whole segments of text, whole segments that are parameters, and perhaps a
//! repeated parameter at the end. Nearly all rules and pages are of this form.
//!
//! In: the tokens of a pattern, then a path. Out: the text of each parameter. This matches exactly what the expression of
//! [`super::source`] matches; it only costs less, above all in memory (an expression takes some 15 KB).

use smallvec::SmallVec;

use super::token::{Modifier, Token};

/// A pattern in segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    fixed: Vec<Segment>,
    end: End,
    sensitive: bool,
    optional_slash: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Text(Box<str>),
    Param,
}

/// What follows the fixed segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing.
    Here,
    /// A parameter, or nothing.
    Optional,
    /// A list of segments.
    List { at_least_one: bool },
    /// `(.*)`: a slash, and then anything within a line.
    Anything,
}

/// The characters that `.` does not match in JavaScript.
const LINE_ENDS: [char; 4] = ['\n', '\r', '\u{2028}', '\u{2029}'];

/// The text of each parameter, in order; one that may be absent may be missing.
pub type Found<'p> = SmallVec<[Option<&'p str>; 4]>;

impl Segments {
    /// The pattern as segments, or `None` when it is not of this form.
    pub fn compile(tokens: &[Token], sensitive: bool, optional_slash: bool) -> Option<Segments> {
        let mut segments = Segments {
            fixed: Vec::new(),
            end: End::Here,
            sensitive,
            optional_slash,
        };
        let mut tokens = tokens.iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                Token::Text(text) => segments.push_text(text)?,
                Token::Param(param)
                    if param.prefix == "/"
                        && param.suffix.is_empty()
                        && param.pattern == ".*"
                        && param.modifier == Modifier::One
                        && tokens.peek().is_none() =>
                {
                    segments.end = End::Anything;
                }
                Token::Param(param) => {
                    let whole = param.prefix == "/" && param.suffix.is_empty() && param.pattern == "[^\\/]+?";
                    let stands_alone = match tokens.peek() {
                        None => true,
                        Some(Token::Text(text)) => text.starts_with('/'),
                        Some(Token::Param(next)) => next.prefix == "/",
                    };
                    if !whole || !stands_alone {
                        return None;
                    }
                    match param.modifier {
                        Modifier::One => segments.fixed.push(Segment::Param),
                        _ if tokens.peek().is_some() => return None,
                        Modifier::Optional => segments.end = End::Optional,
                        Modifier::Some => segments.end = End::List { at_least_one: true },
                        Modifier::Any => segments.end = End::List { at_least_one: false },
                    }
                }
            }
        }
        Some(segments)
    }

    fn push_text(&mut self, text: &str) -> Option<()> {
        // Letters beyond ASCII have rules of their own for case.
        if !text.is_ascii() {
            return None;
        }
        for segment in text.strip_prefix('/')?.split('/') {
            self.fixed.push(Segment::Text(segment.into()));
        }
        Some(())
    }

    /// The parameters of `path`.
    pub fn matches<'p>(&self, path: &'p str) -> Option<Found<'p>> {
        let mut rest = Some(path.strip_prefix('/')?);
        let mut found = Found::new();
        for segment in &self.fixed {
            let (head, tail) = next(rest?);
            match segment {
                Segment::Text(text) => {
                    let same = if self.sensitive {
                        head == &**text
                    } else {
                        head.eq_ignore_ascii_case(text)
                    };
                    if !same {
                        return None;
                    }
                }
                Segment::Param if head.is_empty() => return None,
                Segment::Param => found.push(Some(head)),
            }
            rest = tail;
        }
        if self.end == End::Anything {
            found.push(Some(rest.filter(|rest| !rest.contains(LINE_ENDS))?));
            return Some(found);
        }
        let rest = match rest {
            // One slash at the end leaves an empty segment.
            Some(rest) if self.optional_slash && rest.is_empty() => None,
            Some(rest) if self.optional_slash => Some(rest.strip_suffix('/').unwrap_or(rest)),
            other => other,
        };
        match (self.end, rest) {
            (End::Here, None) => {}
            (End::Here, Some(_)) | (End::Anything, _) => return None,
            (End::Optional | End::List { at_least_one: false }, None) => found.push(None),
            (End::List { at_least_one: true }, None) => return None,
            (End::Optional, Some(rest)) if rest.is_empty() || rest.contains('/') => return None,
            (End::List { .. }, Some(rest)) if rest.split('/').any(str::is_empty) => return None,
            (_, Some(rest)) => found.push(Some(rest)),
        }
        Some(found)
    }
}

/// The first segment, and what follows its slash.
fn next(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((head, tail)) => (head, Some(tail)),
        None => (path, None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::js_regex::JsRegex;
    use super::super::source::regex_source;
    use super::super::token::parse;
    use super::*;
    use proptest::prelude::*;

    const SOURCES: [&str; 22] = [
        "/",
        "/a",
        "/a/",
        "/A/b",
        "/:x",
        "/:x/",
        "/a/:x",
        "/:x/b",
        "/:x/:y",
        "/:p*",
        "/:p+",
        "/:p?",
        "/a/:p*",
        "/a/:p+",
        "/a/:p?",
        "/a/:x/:p*",
        "/:x/a/:p+",
        "/a//b",
        "/(.*)",
        "/a/:x(.*)",
        "/:x/(.*)",
        "/a/b/:p(.*)",
    ];

    proptest! {
        #[test]
        fn segments_and_expressions_agree(
            source in proptest::sample::select(&SOURCES[..]),
            path in "(/(a|b|A|B|c%20|\n|\u{2028}b|)){0,4}",
            optional_slash: bool,
            sensitive: bool,
        ) {
            let tokens = parse(source, "/").unwrap();
            let segments = Segments::compile(&tokens, sensitive, optional_slash).unwrap();
            let regex = JsRegex::compile(&regex_source(&tokens, optional_slash).unwrap(), !sensitive).unwrap();
            let expected = regex.captures(&path).unwrap();
            // A request's path is never empty, so only the expressions say anything about that.
            prop_assume!(!path.is_empty());
            let found = segments.matches(&path);
            prop_assert_eq!(found.is_some(), expected.is_some(), "{} on {}", source, path);
            for (i, text) in found.iter().flatten().enumerate() {
                prop_assert_eq!(*text, expected.as_ref().and_then(|groups| groups.get(i + 1)), "{} on {}", source, path);
            }
        }
    }

    #[test]
    fn other_patterns_are_left_to_expressions() {
        for source in [
            "/a-:x",
            "/:x.html",
            "/:x(\\d+)",
            "/(.*)/a",
            "/(.+)",
            "/a(.*)",
            "/:p*/b",
            "/:path+/",
            "/{a}?",
            "/ü",
            "a",
            "/:x?/:y",
        ] {
            let tokens = parse(source, "/").unwrap();
            assert_eq!(Segments::compile(&tokens, false, true), None, "{source}");
        }
    }
}
