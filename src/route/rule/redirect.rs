//! Redirect rules. Source: the redirect branch of `handleRoute` in `resolve-routes.js`, and `redirect-status.js`.

use super::destination::{stringify_query, Destination, DestinationOptions};
use super::source::{RuleSource, SourceOptions};
use super::RuleFault;
use crate::build;
use crate::route::params::Params;
use crate::url::{collapse_slashes, Query};

/// A compiled redirect rule.
#[derive(Debug, Clone)]
pub struct RedirectRule {
    source: RuleSource,
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    destination: Destination,
}

impl AsRef<RuleSource> for RedirectRule {
    /// Which requests it is for.
    fn as_ref(&self) -> &RuleSource {
        &self.source
    }
}

impl RedirectRule {
    /// Compiles a rule.
    pub fn compile(
        rule: &build::RedirectRule,
        source: &SourceOptions,
        destination: DestinationOptions,
    ) -> Result<RedirectRule, String> {
        let source = RuleSource::compile(&rule.source, source)?;
        let permanent = rule.permanent.unwrap_or(false);
        Ok(RedirectRule {
            destination: Destination::compile(&rule.destination, &source.names(), destination),
            source,
            status: match rule.status_code {
                Some(status) if status != 0 => status,
                _ if permanent => 308,
                _ => 307,
            },
        })
    }

    /// The `Location` for a match.
    pub fn location(&self, params: &Params, query: &Query, initial: &Query) -> Result<String, RuleFault> {
        let mut parts = self.destination.fill(params, query, false)?;
        let query = std::mem::take(&mut parts.query);
        parts.search = stringify_query(&query, initial);
        parts.pathname = collapse_slashes(&parts.pathname);
        Ok(parts.format())
    }
}
