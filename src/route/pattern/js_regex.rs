//! JavaScript regular expressions in Rust.
//!
//! In: the source of an expression from a build or a configuration. Out: a [`JsRegex`] that matches what JavaScript would.
//! Nearly all run on the `regex` crate, in time linear to the text. Lookaround and backreferences need `fancy-regex`, which
//! gives up after a number of steps where JavaScript would hang.

use std::ops::Range;

use super::js_translate::{translate, Translated};

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct JsRegex {
    engine: Engine,
    names: Vec<Option<String>>,
}

#[derive(Debug, Clone)]
enum Engine {
    Linear(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
}

/// The expression needs too many steps for this text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooComplex;

/// Steps after which a backtracking match gives up, some tens of milliseconds.
const STEP_LIMIT: usize = 500_000;

/// The groups of one match. Group zero is the whole match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups<'t> {
    text: &'t str,
    spans: smallvec::SmallVec<[Option<(usize, usize)>; 4]>,
}

impl<'t> Groups<'t> {
    /// What a group matched; `None` when it took no part.
    pub fn get(&self, group: usize) -> Option<&'t str> {
        let (start, end) = (*self.spans.get(group)?)?;
        self.text.get(start..end)
    }
}

impl JsRegex {
    /// Compiles `source`. The message of an error says what is wrong with it.
    pub fn compile(source: &str, ignore_case: bool) -> Result<JsRegex, String> {
        let Translated {
            pattern,
            names,
            needs_backtracking,
        } = translate(source)?;
        let flags = if ignore_case { "(?i)" } else { "" };
        let pattern = format!("{flags}{pattern}");
        let engine = if needs_backtracking {
            let regex = fancy_regex::RegexBuilder::new(&pattern)
                .backtrack_limit(STEP_LIMIT)
                .build()
                .map_err(|error| error.to_string())?;
            Engine::Backtracking(Box::new(regex))
        } else {
            Engine::Linear(regex::Regex::new(&pattern).map_err(|error| error.to_string())?)
        };
        Ok(JsRegex { engine, names })
    }

    /// Whether the expression matches somewhere in `text`.
    pub fn is_match(&self, text: &str) -> Result<bool, TooComplex> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex.is_match(text)),
            Engine::Backtracking(regex) => regex.is_match(text).map_err(|_| TooComplex),
        }
    }

    /// The groups of the first match.
    pub fn captures<'t>(&self, text: &'t str) -> Result<Option<Groups<'t>>, TooComplex> {
        let spans = |range: Option<Range<usize>>| range.map(|range| (range.start, range.end));
        Ok(match &self.engine {
            Engine::Linear(regex) => {
                // Saying no is cheaper than finding groups, and most rules say no.
                if !regex.is_match(text) {
                    return Ok(None);
                }
                regex.captures(text).map(|captures| Groups {
                    text,
                    spans: captures
                        .iter()
                        .map(|group| spans(group.map(|group| group.range())))
                        .collect(),
                })
            }
            Engine::Backtracking(regex) => regex.captures(text).map_err(|_| TooComplex)?.map(|captures| Groups {
                text,
                spans: captures
                    .iter()
                    .map(|group| spans(group.map(|group| group.range())))
                    .collect(),
            }),
        })
    }

    /// Number and name of each named group.
    pub fn names(&self) -> impl Iterator<Item = (usize, &str)> {
        self.names
            .iter()
            .enumerate()
            .filter_map(|(i, name)| Some((i + 1, name.as_deref()?)))
    }
}

/// Text with a backslash before each of the `special` characters.
pub fn escape_all(text: &str, special: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
