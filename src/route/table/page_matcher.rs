//! Matching one dynamic page against a path.
//!
//! In: a page such as `/blog/[...slug]`, then paths. Out: the text of each parameter. Pages whose parameters are whole
//! segments need no expression; the others get the one of [`super::page_regex`].

use smallvec::SmallVec;

use super::page_regex::{page_regex, PageParam};
use crate::route::pattern::{JsRegex, TooComplex};
use crate::url::is_interception_page;

/// The text of each parameter; one that may be absent may be missing.
pub type Found<'p> = SmallVec<[Option<&'p str>; 4]>;

/// A compiled page.
#[derive(Debug, Clone)]
pub enum PageMatcher {
    /// Whole segments.
    Segments {
        /// Text, or `None` for a parameter.
        fixed: Vec<Option<Box<str>>>,
        /// A catch-all at the end: whether it may be absent.
        rest: Option<bool>,
    },
    /// Anything else.
    Regex(Box<JsRegex>),
}

impl PageMatcher {
    /// Compiles a page. `affixes` as in [`page_regex`].
    pub fn compile(page: &str, affixes: bool) -> Result<(PageMatcher, Vec<PageParam>), String> {
        let regex = page_regex(page, affixes);
        let matcher = match whole_segments(page) {
            Some(segments) => segments,
            None => PageMatcher::Regex(Box::new(JsRegex::compile(&regex.source, false)?)),
        };
        Ok((matcher, regex.params))
    }

    /// The parameters of `path`. `count` is how many the page has.
    pub fn matches<'p>(&self, path: &'p str, count: usize) -> Result<Option<Found<'p>>, TooComplex> {
        match self {
            PageMatcher::Segments { fixed, rest } => Ok(match_segments(fixed, *rest, path)),
            PageMatcher::Regex(regex) => {
                let groups = regex.captures(path)?;
                Ok(groups.map(|groups| (1..=count).map(|group| groups.get(group)).collect()))
            }
        }
    }
}

fn whole_segments(page: &str) -> Option<PageMatcher> {
    if is_interception_page(page) {
        return None;
    }
    let mut fixed = Vec::new();
    let mut segments = page.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        if !segment.contains('[') {
            fixed.push(Some(segment.into()));
            continue;
        }
        let inner = segment.strip_prefix('[')?.strip_suffix(']')?;
        let optional = inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        let inner = optional.unwrap_or(inner);
        if inner.contains(['[', ']']) {
            return None;
        }
        let repeat = inner.starts_with("...");
        match (repeat, optional.is_some(), segments.peek()) {
            (true, optional, None) => {
                return Some(PageMatcher::Segments {
                    fixed,
                    rest: Some(optional),
                })
            }
            (false, false, _) if !inner.is_empty() => fixed.push(None),
            _ => return None,
        }
    }
    Some(PageMatcher::Segments { fixed, rest: None })
}

fn match_segments<'p>(fixed: &[Option<Box<str>>], rest: Option<bool>, path: &'p str) -> Option<Found<'p>> {
    let mut found = Found::new();
    // The expression of a page begins with a slash for each segment.
    let mut after = path;
    for segment in fixed {
        let head = after.strip_prefix('/')?;
        let end = head.find('/').unwrap_or(head.len());
        let (head, tail) = head.split_at_checked(end)?;
        match segment {
            Some(text) if &**text == head => {}
            None if !head.is_empty() => found.push(Some(head)),
            _ => return None,
        }
        after = tail;
    }
    let Some(optional) = rest else {
        // One slash at the end is allowed.
        return matches!(after, "" | "/").then_some(found);
    };
    match after.strip_prefix('/') {
        Some(rest) if !rest.is_empty() => {
            if rest.contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
                return None;
            }
            let whole = rest.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(rest);
            found.push(Some(whole));
        }
        None if !after.is_empty() => return None,
        _ if optional => found.push(None),
        _ => return None,
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGES: [&str; 10] = [
        "/[a]",
        "/a/[b]",
        "/[a]/b",
        "/[a]/[b]",
        "/[...a]",
        "/[[...a]]",
        "/a/[...b]",
        "/a/[[...b]]",
        "/a/[b]/[...c]",
        "/a/[b]/[[...c]]",
    ];

    proptest! {
        #[test]
        fn segments_and_expressions_agree(
            page in proptest::sample::select(&PAGES[..]),
            path in "(/(a|b|A|c%20|é|x\n|)){0,4}|a",
        ) {
            let (matcher, params) = PageMatcher::compile(page, true).unwrap();
            let is_segments = matches!(matcher, PageMatcher::Segments { .. });
            prop_assert!(is_segments);
            let regex = JsRegex::compile(&page_regex(page, true).source, false).unwrap();
            let expected = regex.captures(&path).unwrap();
            let found = matcher.matches(&path, params.len()).unwrap();
            prop_assert_eq!(found.is_some(), expected.is_some(), "{} on {:?}", page, path);
            for (i, text) in found.iter().flatten().enumerate() {
                prop_assert_eq!(*text, expected.as_ref().and_then(|groups| groups.get(i + 1)), "{} on {:?}", page, path);
            }
        }
    }
}
