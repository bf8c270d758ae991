//! Header rules. Source: the headers branch of `handleRoute` in `resolve-routes.js`.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::interpolate::interpolate;
use super::source::{RuleSource, SourceOptions};
use super::RuleFault;
use crate::build;
use crate::route::header_view::HeaderText;
use crate::route::params::Params;

/// Up to this many headers are compared with each other.
const FEW: usize = 16;

/// Headers that routing wants on the answer, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseHeaders {
    entries: IndexMap<String, HeaderText>,
    /// Whether a rule made a name or a value that Node refuses to send.
    is_faulty: bool,
}

impl ResponseHeaders {
    /// Sets a header. The name counts as written until the end.
    pub fn set(&mut self, name: &str, value: HeaderText) {
        self.entries.insert(name.to_owned(), value);
    }

    /// The value set under exactly this name.
    pub fn get(&self, name: &str) -> Option<&HeaderText> {
        self.entries.get(name)
    }

    /// Removes the value set under exactly this name.
    pub fn remove(&mut self, name: &str) {
        self.entries.shift_remove(name);
    }

    /// Adds a header of a rule; cookies add up, everything else replaces.
    fn add(&mut self, name: String, value: String) {
        if !name.eq_ignore_ascii_case("set-cookie") {
            self.entries.insert(name, HeaderText::One(value));
            return;
        }
        match self.entries.get_mut(&name) {
            Some(HeaderText::Many(values)) => values.push(value),
            Some(one) => {
                if let HeaderText::One(first) = one {
                    *one = HeaderText::Many(vec![std::mem::take(first), value]);
                }
            }
            None => {
                self.entries.insert(name, HeaderText::Many(vec![value]));
            }
        }
    }

    /// Drops what a rule made unsendable and everything after it. Returns what is wrong, in Node's words.
    pub fn cut_at_fault(&mut self) -> Option<String> {
        if !self.is_faulty {
            return None;
        }
        let faults = self.entries.iter().map(|(name, value)| fault_of(name, value.lines()));
        let (at, message) = faults.enumerate().find_map(|(at, fault)| Some((at, fault?)))?;
        self.entries.truncate(at);
        Some(message)
    }

    /// The headers as they are sent: names that differ only by case are one header, and the later one counts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HeaderText)> {
        // Comparing each with each is quickest for a few, and nothing bounds how many rules there are.
        let mut last = HashMap::new();
        if self.entries.len() > FEW {
            let names = self.entries.keys().enumerate();
            last.extend(names.map(|(i, name)| (name.to_ascii_lowercase(), i)));
        }
        self.entries
            .iter()
            .enumerate()
            .filter(move |(i, (name, _))| match last.is_empty() {
                false => last.get(&name.to_ascii_lowercase()) == Some(i),
                true => !self
                    .entries
                    .keys()
                    .skip(i + 1)
                    .any(|later| later.eq_ignore_ascii_case(name)),
            })
            .map(|(_, (name, value))| (name.as_str(), value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Why Node would not send a header.
fn fault_of(name: &str, lines: &[String]) -> Option<String> {
    if !is_token(name) {
        return Some(format!("Header name must be a valid HTTP token [\"{name}\"]"));
    }
    let faulty = !lines.iter().all(|line| is_sendable(line));
    faulty.then(|| format!("Invalid character in header content [\"{name}\"]"))
}

/// Whether Node takes `name` for a header name (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether Node takes `value` for a header value.
pub fn is_sendable(value: &str) -> bool {
    let is_allowed = |c: char| c == '\t' || (' '..='~').contains(&c) || ('\u{80}'..='\u{ff}').contains(&c);
    value.chars().all(is_allowed)
}

/// A compiled header rule.
#[derive(Debug, Clone)]
pub struct HeaderRule {
    source: RuleSource,
    headers: Vec<(Text, Text)>,
    strip: bool,
}

/// A name or a value.
#[derive(Debug, Clone)]
struct Text {
    written: String,
    /// Whether Node sends it whatever is matched: then nothing is left to look at for each request.
    is_safe: bool,
    /// What a match with parameters makes of it, when that is always the same.
    fixed: Option<String>,
}

impl Text {
    fn compile(written: &str, names: &[String], strip: bool, is_sendable: fn(&str) -> bool) -> Text {
        let uses_any = names.iter().any(|name| written.contains(&format!(":{name}")));
        // Text with a colon loses its backslashes even if it has no parameter.
        let fixed = if uses_any {
            None
        } else {
            interpolate(written, &Params::default(), strip).ok()
        };
        Text {
            is_safe: is_sendable(written) && fixed.as_deref().is_some_and(is_sendable),
            written: written.to_owned(),
            fixed,
        }
    }

    fn fill(&self, params: &Params, strip: bool) -> Result<String, RuleFault> {
        if params.is_empty() {
            return Ok(self.written.clone());
        }
        match &self.fixed {
            Some(fixed) => Ok(fixed.clone()),
            None => Ok(interpolate(&self.written, params, strip)?),
        }
    }
}

impl AsRef<RuleSource> for HeaderRule {
    /// Which requests it is for.
    fn as_ref(&self) -> &RuleSource {
        &self.source
    }
}

impl HeaderRule {
    /// Compiles a rule. `strip` as in [`crate::route::pattern::Template::compile`].
    pub fn compile(rule: &build::HeaderRule, source: &SourceOptions, strip: bool) -> Result<HeaderRule, String> {
        let source = RuleSource::compile(&rule.source, source)?;
        let names = source.names();
        let name = |written: &str| Text::compile(written, &names, strip, is_token);
        let value = |written: &str| Text::compile(written, &names, strip, is_sendable);
        Ok(HeaderRule {
            headers: rule
                .headers
                .iter()
                .map(|pair| (name(&pair.key), value(&pair.value)))
                .collect(),
            source,
            strip,
        })
    }

    /// Adds the headers of a match.
    pub fn apply(&self, params: &Params, headers: &mut ResponseHeaders) -> Result<(), RuleFault> {
        for (name, value) in &self.headers {
            let is_safe = name.is_safe && value.is_safe;
            let (name, value) = (name.fill(params, self.strip)?, value.fill(params, self.strip)?);
            headers.is_faulty |= !is_safe && (!is_token(&name) || !is_sendable(&value));
            headers.add(name, value);
        }
        Ok(())
    }
}
