//! Rules of one kind, and which of them a path can match.

use super::index::{segments_of, Candidates, SegmentIndex};
use super::rule::RuleSource;

/// Rules in order, with an index over their sources.
#[derive(Debug, Clone)]
pub struct RuleSet<R> {
    rules: Vec<R>,
    index: SegmentIndex,
    has_internal: bool,
}

impl<R: AsRef<RuleSource>> RuleSet<R> {
    /// Indexes `rules`.
    pub fn new(rules: Vec<R>) -> RuleSet<R> {
        let mut index = SegmentIndex::default();
        for rule in &rules {
            index.push(&segments_of(rule.as_ref().matcher().tokens()));
        }
        RuleSet {
            has_internal: rules.iter().any(|rule| rule.as_ref().internal),
            rules,
            index,
        }
    }

    /// Numbers of the rules worth trying, in order. Rules of Next.js itself may look at another form of the path.
    pub fn candidates(&self, path: &str, internal_path: Option<&str>) -> Candidates {
        let mut found = self.index.candidates(path);
        if let Some(internal) = internal_path.filter(|internal| self.has_internal && *internal != path) {
            found.extend(self.index.candidates(internal));
            found.sort_unstable();
            found.dedup();
        }
        found
    }

    /// The rule of a number.
    pub fn get(&self, number: u32) -> Option<&R> {
        self.rules.get(number as usize)
    }

    /// Whether some rule was made by Next.js itself.
    pub fn has_internal(&self) -> bool {
        self.has_internal
    }
}
