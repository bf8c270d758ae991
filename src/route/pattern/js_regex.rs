//! JavaScript regular expressions in Rust.
//!
//! In: the source of an expression from a build or a configuration. Out: a [`JsRegex`] that matches what JavaScript would.
//! Nearly all run on the `regex` crate, in time linear to the text. One with lookaround first tries `fancy-regex`, which is
//! quick for what people write, and goes to [`super::simulation`], which is linear for all, when the text is long or the steps
//! become many. Only backreferences, and groups inside of a lookaround, are left to `fancy-regex` alone: it gives up after a
//! number of steps where JavaScript would hang.

use super::js_translate::translate;
use super::program::repeats_groups;
use super::simulation::Simulation;

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct JsRegex {
    engine: Engine,
    names: Vec<Option<String>>,
}

#[derive(Debug, Clone)]
enum Engine {
    Linear(regex::Regex),
    Simulation {
        /// Absent where that engine is not always right: when the expression looks behind, and for groups in repetitions.
        quick: Option<Box<fancy_regex::Regex>>,
        linear: Box<Simulation>,
    },
    Backtracking(Box<fancy_regex::Regex>),
}

/// The expression needs too many steps for this text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooComplex;

/// Steps after which a backtracking match gives up, some tens of milliseconds.
const STEP_LIMIT: usize = 500_000;

/// Longer texts are not even tried with the quick engine: one step of it may read all of the text.
const QUICK_TEXT: usize = 512;

/// Steps after which the quick engine leaves the text to the linear one, well below a millisecond.
const QUICK_STEPS: usize = 2_000;

/// The groups of one match. Group zero is the whole match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups<'t> {
    text: &'t str,
    spans: smallvec::SmallVec<[Option<(usize, usize)>; 4]>,
}

impl<'t> Groups<'t> {
    fn of(text: &'t str, captures: &fancy_regex::Captures<'t, str>) -> Groups<'t> {
        Groups {
            text,
            spans: captures
                .iter()
                .map(|group| group.map(|group| (group.start(), group.end())))
                .collect(),
        }
    }

    /// What a group matched; `None` when it took no part.
    pub fn get(&self, group: usize) -> Option<&'t str> {
        let (start, end) = (*self.spans.get(group)?)?;
        self.text.get(start..end)
    }
}

/// Whether the groups depend on how JavaScript repeats, which the `regex` crate does not imitate.
fn depends_on_rounds(pattern: &str) -> bool {
    let repeats = |at: usize| matches!(pattern.as_bytes().get(at + 1), Some(b'*' | b'+' | b'?' | b'{'));
    // Most patterns repeat no group at all, and need not be parsed once more to see that.
    memchr::memchr_iter(b')', pattern.as_bytes()).any(repeats)
        && regex_syntax::parse(pattern).is_ok_and(|hir| repeats_groups(&hir))
}

impl JsRegex {
    /// Compiles `source`. The message of an error says what is wrong with it.
    pub fn compile(source: &str, ignore_case: bool) -> Result<JsRegex, String> {
        let translated = translate(source)?;
        let flags = if ignore_case { "(?i)" } else { "" };
        let backtracking = |limit| {
            let pattern = format!("{flags}{}", translated.spelled_out());
            let regex = fancy_regex::RegexBuilder::new(&pattern).backtrack_limit(limit).build();
            regex.map(Box::new).map_err(|error| error.to_string())
        };
        let engine = if translated.has_references {
            Engine::Backtracking(backtracking(STEP_LIMIT)?)
        } else if !translated.has_lookaround && !depends_on_rounds(&translated.pattern) {
            let regex = regex::Regex::new(&format!("{flags}{}", translated.pattern));
            Engine::Linear(regex.map_err(|error| error.to_string())?)
        } else if let Some(linear) = Simulation::compile(&translated.pattern, ignore_case) {
            let sure = translated.has_lookaround && !linear.looks_behind() && !linear.repeats_groups();
            Engine::Simulation {
                // It also refuses some that mean something, such as a repeated lookaround.
                quick: sure.then(|| backtracking(QUICK_STEPS).ok()).flatten(),
                linear: Box::new(linear),
            }
        } else {
            Engine::Backtracking(backtracking(STEP_LIMIT)?)
        };
        Ok(JsRegex {
            engine,
            names: translated.names,
        })
    }

    /// Whether the expression matches somewhere in `text`.
    pub fn is_match(&self, text: &str) -> Result<bool, TooComplex> {
        match &self.engine {
            Engine::Linear(regex) => Ok(regex.is_match(text)),
            Engine::Simulation { quick, linear } => {
                let quick = quick.as_ref().filter(|_| text.len() <= QUICK_TEXT);
                let found = quick.and_then(|quick| quick.is_match(text).ok());
                Ok(found.unwrap_or_else(|| linear.captures(text).is_some()))
            }
            Engine::Backtracking(regex) => regex.is_match(text).map_err(|_| TooComplex),
        }
    }

    /// The groups of the first match.
    pub fn captures<'t>(&self, text: &'t str) -> Result<Option<Groups<'t>>, TooComplex> {
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
                        .map(|group| group.map(|group| (group.start(), group.end())))
                        .collect(),
                })
            }
            Engine::Simulation { quick, linear } => {
                let quick = quick.as_ref().filter(|_| text.len() <= QUICK_TEXT);
                let found = quick.and_then(|quick| quick.captures(text).ok());
                match found {
                    Some(found) => found.map(|captures| Groups::of(text, &captures)),
                    None => linear.captures(text).map(|spans| Groups { text, spans }),
                }
            }
            Engine::Backtracking(regex) => {
                let found = regex.captures(text).map_err(|_| TooComplex)?;
                found.map(|captures| Groups::of(text, &captures))
            }
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
