//! In: the matchers of the app's middleware. Out: whether it runs for a path. Source: `middleware-route-matcher.js`.

use super::pattern::JsRegex;
use super::rule::{Conditions, Subject};
use crate::build::Matcher;

/// When middleware runs.
#[derive(Debug, Clone)]
pub(super) struct MiddlewareMatcher {
    matchers: Vec<(JsRegex, Conditions)>,
}

impl MiddlewareMatcher {
    pub(super) fn compile(matchers: &[Matcher]) -> Result<MiddlewareMatcher, String> {
        let matchers = matchers.iter().map(|matcher| {
            let regex = JsRegex::compile(&matcher.regexp, false)?;
            let conditions = Conditions::compile(&matcher.conditions)?;
            Ok((regex, conditions))
        });
        Ok(MiddlewareMatcher {
            matchers: matchers.collect::<Result<_, String>>()?,
        })
    }

    /// Whether it runs for `path`. What cannot be decided counts as a match: middleware may be what keeps people out.
    pub(super) fn matches(&self, path: &str, subject: &Subject<'_>) -> bool {
        self.matchers.iter().any(|(regex, conditions)| {
            regex.is_match(path).unwrap_or(true)
                && (conditions.is_empty() || conditions.check(subject).map_or(true, |found| found.is_some()))
        })
    }
}
