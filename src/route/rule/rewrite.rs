//! Rewrite rules. Source: the rewrite branch of `handleRoute` in `resolve-routes.js`.

use super::destination::{Destination, DestinationOptions};
use super::source::{RuleSource, SourceOptions};
use super::RuleFault;
use crate::build;
use crate::route::params::Params;
use crate::url::{Query, QueryValue, UrlParts};

/// How a destination begins that goes to the locale of the request (`next build` writes it).
const INTERNAL_LOCALE: &str = "/:nextInternalLocale";

/// A compiled rewrite rule.
#[derive(Debug, Clone)]
pub struct RewriteRule {
    source: RuleSource,
    /// Whether it leads into an interception route.
    pub intercepts: bool,
    destination: Destination,
    /// Whether it leads to the locale that the request has.
    leads_to_locale: bool,
}

impl AsRef<RuleSource> for RewriteRule {
    /// Which requests it is for.
    fn as_ref(&self) -> &RuleSource {
        &self.source
    }
}

impl RewriteRule {
    /// Compiles a rule of an app below `base_path`.
    pub fn compile(
        rule: &build::RewriteRule,
        source: &SourceOptions,
        destination: DestinationOptions,
        base_path: &str,
    ) -> Result<RewriteRule, String> {
        let source = RuleSource::compile(&rule.source, source)?;
        let bare = rule.destination.strip_prefix(base_path);
        Ok(RewriteRule {
            destination: Destination::compile(&rule.destination, &source.names(), destination),
            intercepts: rule.is_interception(),
            leads_to_locale: bare.is_some_and(|bare| bare.starts_with(INTERNAL_LOCALE)),
            source,
        })
    }

    /// Where a match leads.
    pub fn target(&self, params: &Params, query: &Query) -> Result<UrlParts, RuleFault> {
        self.destination.fill(params, query, true)
    }

    /// Whether the target's `locale` is the one that the request had, and not one that the rule names.
    pub fn keeps_locale(&self, params: &Params, locale: Option<&str>) -> bool {
        self.leads_to_locale && params.get("nextInternalLocale").and_then(QueryValue::as_one) == locale
    }
}
