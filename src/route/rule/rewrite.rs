//! Rewrite rules. Source: the rewrite branch of `handleRoute` in `resolve-routes.js`.

use super::destination::{Destination, DestinationOptions};
use super::source::{RuleSource, SourceOptions};
use super::RuleFault;
use crate::build;
use crate::route::params::Params;
use crate::url::{Query, UrlParts};

/// A compiled rewrite rule.
#[derive(Debug, Clone)]
pub struct RewriteRule {
    source: RuleSource,
    /// Whether it leads into an interception route.
    pub intercepts: bool,
    destination: Destination,
}

impl AsRef<RuleSource> for RewriteRule {
    /// Which requests it is for.
    fn as_ref(&self) -> &RuleSource {
        &self.source
    }
}

impl RewriteRule {
    /// Compiles a rule.
    pub fn compile(
        rule: &build::RewriteRule,
        source: &SourceOptions,
        destination: DestinationOptions,
    ) -> Result<RewriteRule, String> {
        let source = RuleSource::compile(&rule.source, source)?;
        // Only rewrites that the build made for interception routes look at this header.
        let intercepts = rule
            .source
            .conditions
            .has
            .iter()
            .flatten()
            .next()
            .is_some_and(|condition| {
                condition
                    .key
                    .as_deref()
                    .is_some_and(|key| key.eq_ignore_ascii_case("next-url"))
            });
        Ok(RewriteRule {
            destination: Destination::compile(&rule.destination, &source.names(), destination),
            source,
            intercepts,
        })
    }

    /// Where a match leads.
    pub fn target(&self, params: &Params, query: &Query) -> Result<UrlParts, RuleFault> {
        self.destination.fill(params, query, true)
    }
}
