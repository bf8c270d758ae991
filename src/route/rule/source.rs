//! The part that all rules share: which requests they are for.
//!
//! In: path, headers and query. Out: the parameters of a match. Source: `buildCustomRoute` in
//! `next/dist/server/lib/router-utils/filesystem.js`.

use super::condition::{Conditions, Subject};
use super::RuleFault;
use crate::build::RuleSource as Written;
use crate::route::params::Params;
use crate::route::pattern::{MatchOptions, PathMatcher};

/// How the sources of a kind of rule are matched.
#[derive(Debug, Clone, Default)]
pub struct SourceOptions {
    /// `experimental.caseSensitiveRoutes`.
    pub sensitive: bool,
    /// A path that begins like this never matches, unless Next.js made the rule.
    pub restricted: Option<String>,
}

/// Source, `has` and `missing` of a rule.
#[derive(Debug, Clone)]
pub struct RuleSource {
    matcher: PathMatcher,
    conditions: Conditions,
    /// Made by Next.js itself, and matched on the path without the default locale.
    pub internal: bool,
}

impl RuleSource {
    /// Compiles the shared part of a rule. An error names the rule by its source.
    pub fn compile(written: &Written, options: &SourceOptions) -> Result<RuleSource, String> {
        RuleSource::try_compile(written, options).map_err(|error| format!("{:?} has {error}", written.source))
    }

    fn try_compile(written: &Written, options: &SourceOptions) -> Result<RuleSource, String> {
        let internal = written.internal;
        let matcher = PathMatcher::compile(
            &written.source,
            MatchOptions {
                sensitive: options.sensitive,
                optional_slash: !internal,
                restricted: options.restricted.clone().filter(|_| !internal),
            },
        )
        .map_err(|error| format!("a source that cannot be compiled: {error}"))?;
        Ok(RuleSource {
            matcher,
            conditions: Conditions::compile(&written.conditions)
                .map_err(|error| format!("a condition that cannot be compiled: {error}"))?,
            internal,
        })
    }

    /// The parameters of `path` and of the conditions, or `None` when the rule does not apply.
    pub fn matches(&self, path: &str, subject: &Subject<'_>) -> Result<Option<Params>, RuleFault> {
        let Some(mut params) = self.matcher.matches(path)? else {
            return Ok(None);
        };
        if !self.conditions.is_empty() {
            let Some(found) = self.conditions.check(subject)? else {
                return Ok(None);
            };
            params.assign(found);
        }
        Ok(Some(params))
    }

    /// Every name that a match can have.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.matcher.names().map(str::to_owned).collect();
        if !self.conditions.is_empty() {
            names.extend(self.conditions.names());
        }
        names
    }

    /// The path pattern.
    pub fn matcher(&self) -> &PathMatcher {
        &self.matcher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_cannot_be_compiled_is_named() {
        for (rule, error) in [
            (
                r#"{ "source": "/a/:b(" }"#,
                r#""/a/:b(" has a source that cannot be compiled: "#,
            ),
            (
                r#"{ "source": "/a", "has": [{ "type": "query", "key": "q", "value": "(" }] }"#,
                r#""/a" has a condition that cannot be compiled: "#,
            ),
        ] {
            let written: Written = serde_json::from_str(rule).expect("a rule");
            let compiled = RuleSource::compile(&written, &SourceOptions::default());
            let message = compiled.err().unwrap_or_default();
            assert!(message.starts_with(error), "{message}");
        }
    }
}
