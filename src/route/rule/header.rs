//! Header rules. Source: the headers branch of `handleRoute` in `resolve-routes.js`.

use indexmap::IndexMap;

use super::interpolate::interpolate;
use super::source::{RuleSource, SourceOptions};
use super::RuleFault;
use crate::build;
use crate::route::header_view::HeaderText;
use crate::route::params::Params;

/// Headers that routing wants on the answer, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseHeaders {
    entries: IndexMap<String, HeaderText>,
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

    /// The headers as they are sent: names that differ only by case are one header, and the later one counts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HeaderText)> {
        let last = self.entries.len();
        self.entries.iter().enumerate().filter_map(move |(i, (name, value))| {
            let replaced = (i + 1..last).any(|later| {
                self.entries
                    .get_index(later)
                    .is_some_and(|(other, _)| other.eq_ignore_ascii_case(name))
            });
            (!replaced).then_some((name.as_str(), value))
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
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
    /// What a match with parameters makes of it, when that is always the same.
    fixed: Option<String>,
}

impl Text {
    fn compile(written: &str, names: &[String], strip: bool) -> Text {
        let uses_any = names.iter().any(|name| written.contains(&format!(":{name}")));
        // Text with a colon loses its backslashes even if it has no parameter.
        let fixed = if uses_any {
            None
        } else {
            interpolate(written, &Params::default(), strip).ok()
        };
        Text {
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
        let text = |written: &str| Text::compile(written, &names, strip);
        Ok(HeaderRule {
            headers: rule
                .headers
                .iter()
                .map(|pair| (text(&pair.key), text(&pair.value)))
                .collect(),
            source,
            strip,
        })
    }

    /// Adds the headers of a match.
    pub fn apply(&self, params: &Params, headers: &mut ResponseHeaders) -> Result<(), RuleFault> {
        for (name, value) in &self.headers {
            headers.add(name.fill(params, self.strip)?, value.fill(params, self.strip)?);
        }
        Ok(())
    }
}
