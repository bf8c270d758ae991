//! Which of many patterns can match a path at all.
//!
//! In: patterns as segments, numbered in their order. Out: for a path, the numbers of those worth trying, in order. The cost
//! follows the depth of the path and the patterns that share its beginning, not the number of patterns. It may name a
//! pattern that does not match; it never leaves out one that does.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::pattern::{stays_in_segment, Modifier, Token};

/// A segment of a pattern, as far as the index can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Exactly this text, but for case.
    Text(String),
    /// A segment that begins with this text, but for case.
    Begins(String),
    /// Any one segment.
    One,
    /// Anything from here on, also nothing.
    Rest,
}

/// Numbers of patterns, in order.
pub type Candidates = SmallVec<[u32; 8]>;

/// Patterns by their segments.
#[derive(Debug, Clone, Default)]
pub struct SegmentIndex {
    root: Node,
    len: u32,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// Patterns that end here.
    here: Vec<u32>,
    /// Patterns that take anything from here on.
    below: Vec<u32>,
    named: HashMap<Box<str>, Node>,
    /// What follows a segment with this beginning.
    begins: HashMap<Box<str>, Node>,
    /// The lengths of these beginnings.
    lengths: Vec<usize>,
    any: Option<Box<Node>>,
}

impl SegmentIndex {
    /// Adds the next pattern. Its number is how many came before it.
    pub fn push(&mut self, segments: &[Segment]) {
        let number = self.len;
        self.len += 1;
        let mut node = &mut self.root;
        for segment in segments {
            node = match segment {
                Segment::Text(text) if text.is_ascii() => {
                    node.named.entry(text.to_ascii_lowercase().into()).or_default()
                }
                Segment::Begins(text) if text.is_ascii() => node.begin(text),
                // Case means more than ASCII here; let the pattern itself decide.
                Segment::Text(_) | Segment::Begins(_) | Segment::One => node.any.get_or_insert_default(),
                Segment::Rest => {
                    node.below.push(number);
                    return;
                }
            };
        }
        node.here.push(number);
    }

    /// The patterns worth trying for `path`, in order.
    pub fn candidates(&self, path: &str) -> Candidates {
        let mut found = Candidates::new();
        if self.len == 0 {
            return found;
        }
        let lower;
        let path = if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
            lower = path.to_ascii_lowercase();
            lower.as_str()
        } else {
            path
        };
        self.root
            .collect(Some(path.strip_prefix('/').unwrap_or(path)), &mut found);
        found.sort_unstable();
        found
    }
}

impl Node {
    /// The node behind segments that begin with `text`.
    fn begin(&mut self, text: &str) -> &mut Node {
        if let Err(at) = self.lengths.binary_search(&text.len()) {
            self.lengths.insert(at, text.len());
        }
        self.begins.entry(text.to_ascii_lowercase().into()).or_default()
    }

    /// `rest` is what follows the last slash that was passed; there may be none.
    fn collect(&self, rest: Option<&str>, found: &mut Candidates) {
        found.extend_from_slice(&self.below);
        // One slash at the end is optional in most patterns, so its empty segment may as well not be there.
        if rest.is_none_or(str::is_empty) {
            found.extend_from_slice(&self.here);
        }
        let Some(rest) = rest else { return };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        if let Some(node) = self.named.get(segment) {
            node.collect(rest, found);
        }
        for beginning in self
            .lengths
            .iter()
            .map_while(|&length| segment.as_bytes().get(..length))
        {
            let node = std::str::from_utf8(beginning)
                .ok()
                .and_then(|text| self.begins.get(text));
            if let Some(node) = node {
                node.collect(rest, found);
            }
        }
        if let Some(node) = &self.any {
            node.collect(rest, found);
        }
    }
}

/// The segments of a pattern.
pub fn segments_of(tokens: &[Token]) -> Vec<Segment> {
    let mut builder = Builder::default();
    let mut tokens = tokens.iter().peekable();
    while let Some(token) = tokens.next() {
        let known = match token {
            Token::Text(text) => builder.text(text),
            Token::Param(param) => {
                let single =
                    param.modifier == Modifier::One && stays_in_segment(&param.pattern) && !param.suffix.contains('/');
                if !single {
                    let begins_segment = param.prefix.starts_with('/');
                    // If it may be absent, what comes next must not join the segment before.
                    let stands_apart = match tokens.peek() {
                        _ if !param.modifier.is_optional() => true,
                        None => true,
                        Some(Token::Text(text)) => text.starts_with('/'),
                        Some(Token::Param(_)) => false,
                    };
                    return builder.rest(begins_segment && stands_apart);
                }
                builder.text(&param.prefix) && builder.unknown() && builder.text(&param.suffix)
            }
        };
        if !known {
            return builder.rest(false);
        }
    }
    builder.finish()
}

#[derive(Default)]
struct Builder {
    done: Vec<Segment>,
    /// The text of the current segment, up to what is not known of it.
    current: String,
    /// Whether the current segment goes on after `current`.
    open: bool,
    started: bool,
}

impl Builder {
    /// Adds text; false when the pattern does not begin with a slash.
    fn text(&mut self, text: &str) -> bool {
        for c in text.chars() {
            if c == '/' {
                if self.started {
                    self.close();
                }
                self.started = true;
            } else if self.started {
                if !self.open {
                    self.current.push(c);
                }
            } else {
                return false;
            }
        }
        true
    }

    fn unknown(&mut self) -> bool {
        self.open = true;
        self.started
    }

    fn close(&mut self) {
        let text = std::mem::take(&mut self.current);
        self.done.push(match std::mem::take(&mut self.open) {
            false => Segment::Text(text),
            true if text.is_empty() => Segment::One,
            true => Segment::Begins(text),
        });
    }

    fn finish(mut self) -> Vec<Segment> {
        if self.started {
            self.close();
        }
        self.done
    }

    /// From here on, anything goes. `complete` says that the current segment is whole as it is.
    fn rest(mut self, complete: bool) -> Vec<Segment> {
        if complete && self.started {
            self.close();
        } else if !self.current.is_empty() {
            self.open = true;
            self.close();
        }
        self.done.push(Segment::Rest);
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::pattern::{MatchOptions, PathMatcher};
    use proptest::prelude::*;

    const SOURCES: [&str; 31] = [
        "/",
        "/a",
        "/a/",
        "/a/b",
        "/:x",
        "/:x/b",
        "/a/:x",
        "/a/:x/",
        "/a/:x*",
        "/a/:x+/b",
        "/:path*",
        "/:path+/",
        "/a-:x",
        "/a-:x/b",
        "/:x.json",
        "/:x(\\d+)/b",
        "/:x(a|b)/b",
        "/:x?/b",
        "/(.*)",
        "/a(.*)",
        "/{a/}?b",
        "/ü/b",
        "/a/:x*c",
        "/a/:x?/:y*",
        "/b/:x*/c",
        "/:x(a|B)/b",
        "/a:x/b",
        "/a-:x(c|2)?",
        "/a{:x-}*",
        "/a:x(\\d)b/:y",
        "/x.:y(json)/:z?",
    ];

    fn index_of(sources: &[&str]) -> (SegmentIndex, Vec<PathMatcher>) {
        let mut index = SegmentIndex::default();
        let matchers: Vec<PathMatcher> = sources
            .iter()
            .map(|source| {
                let options = MatchOptions {
                    optional_slash: true,
                    ..MatchOptions::default()
                };
                PathMatcher::compile(source, options).unwrap()
            })
            .collect();
        for matcher in &matchers {
            index.push(&segments_of(matcher.tokens()));
        }
        (index, matchers)
    }

    #[test]
    fn patterns_elsewhere_are_not_tried() {
        let (index, _) = index_of(&["/a/b", "/a/:x", "/b/:x*", "/:y/b", "/a/:x/c"]);
        assert_eq!(index.candidates("/a/b").as_slice(), [0, 1, 3]);
        assert_eq!(index.candidates("/A/B/").as_slice(), [0, 1, 3]);
        assert_eq!(index.candidates("/b").as_slice(), [2]);
        assert_eq!(index.candidates("/b/x/y").as_slice(), [2]);
        assert!(index.candidates("/z").is_empty());
        let (index, _) = index_of(&[
            "/:l(en|fr)/a",
            "/:l(en|fr)/b",
            "/p-1-:x",
            "/p-2-:x",
            "/p-:x(\\d)/y",
            "/q(.*)",
        ]);
        assert_eq!(index.candidates("/en/b").as_slice(), [1]);
        assert_eq!(index.candidates("/P-2-c").as_slice(), [3]);
        assert_eq!(index.candidates("/p-3/y").as_slice(), [4]);
        assert_eq!(index.candidates("/q1/z").as_slice(), [5]);
    }

    proptest! {
        #[test]
        fn no_match_is_left_out(path in "/(a|b|A|a-|a-c|A-|ab|a1b|1|ü|aü|x\\.json|)(/(a|b|B|c|2|)){0,3}") {
            let (index, matchers) = index_of(&SOURCES);
            let candidates = index.candidates(&path);
            for (number, matcher) in matchers.iter().enumerate() {
                if matcher.matches(&path).unwrap().is_some() {
                    prop_assert!(candidates.contains(&(number as u32)), "{} for {path}", SOURCES[number]);
                }
            }
        }
    }
}
