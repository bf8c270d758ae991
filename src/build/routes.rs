//! `routes-manifest.json`, version 3: the rules and the dynamic routes of the app. Of its fields only those that the server
//! reads.

use serde::de::{self, Deserializer};
use serde::Deserialize;

use super::read;

/// The rules and routes of the app.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutesManifest {
    /// Redirect rules, the internal trailing-slash ones first.
    pub redirects: Vec<RedirectRule>,
    /// Header rules.
    pub headers: Vec<HeaderRule>,
    /// Header rules that apply once an output matched (16.4).
    #[serde(default)]
    pub on_match_headers: Vec<HeaderRule>,
    /// Rewrite rules.
    #[serde(default)]
    pub rewrites: Rewrites,
    /// Dynamic pages, sorted.
    pub dynamic_routes: Vec<DynamicRoute>,
    /// Pages with a data URL.
    #[serde(default)]
    pub data_routes: Vec<DataRoute>,
}

impl RoutesManifest {
    /// Every condition of every rule.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let rewrites = [
            &self.rewrites.before_files,
            &self.rewrites.after_files,
            &self.rewrites.fallback,
        ];
        let sources = self.redirects.iter().map(|rule| &rule.source);
        let sources = sources.chain(
            self.headers
                .iter()
                .chain(&self.on_match_headers)
                .map(|rule| &rule.source),
        );
        let sources = sources.chain(rewrites.into_iter().flatten().map(|rule| &rule.source));
        sources.flat_map(|source| {
            let Conditions { has, missing } = &source.conditions;
            has.iter().chain(missing).flatten()
        })
    }
}

/// Which requests a rule is for: the part that all rules share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleSource {
    /// The path pattern.
    pub source: String,
    /// Set by Next.js itself: matched without the default locale and without an optional trailing slash.
    #[serde(default)]
    pub internal: bool,
    /// What else must be true.
    #[serde(flatten, deserialize_with = "read::named")]
    pub conditions: Conditions,
}

/// What must be true of a request besides its path.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Conditions {
    /// Every condition must hold.
    #[serde(default)]
    pub has: Option<Vec<Condition>>,
    /// No condition may hold.
    #[serde(default)]
    pub missing: Option<Vec<Condition>>,
}

/// A redirect rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RedirectRule {
    /// Which requests it is for.
    #[serde(flatten, deserialize_with = "read::named")]
    pub source: RuleSource,
    /// Where to.
    pub destination: String,
    /// The status; wins over `permanent`.
    #[serde(default)]
    pub status_code: Option<u16>,
    /// 308 instead of 307.
    #[serde(default)]
    pub permanent: Option<bool>,
}

/// A rewrite rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewriteRule {
    /// Which requests it is for.
    #[serde(flatten, deserialize_with = "read::named")]
    pub source: RuleSource,
    /// Where to: a path or an absolute URL.
    pub destination: String,
}

impl RewriteRule {
    /// Whether the build made it for an intercepting route: those are rewrites for requests that come from a certain page, and
    /// only they look at this header.
    pub fn is_interception(&self) -> bool {
        let has = self.source.conditions.has.as_deref().unwrap_or_default();
        let key = has.first().and_then(|condition| condition.key.as_deref());
        key.is_some_and(|key| key.eq_ignore_ascii_case("next-url"))
    }
}

/// Rewrite rules by the moment they apply.
#[derive(Debug, Clone, Default)]
pub struct Rewrites {
    /// Before files are looked up; each match applies.
    pub before_files: Vec<RewriteRule>,
    /// After files, before dynamic routes.
    pub after_files: Vec<RewriteRule>,
    /// When nothing else matched.
    pub fallback: Vec<RewriteRule>,
}

impl<'de> Deserialize<'de> for Rewrites {
    /// A bare list means `afterFiles`, as the configuration allows.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Phases {
            #[serde(default)]
            before_files: Vec<RewriteRule>,
            #[serde(default)]
            after_files: Vec<RewriteRule>,
            #[serde(default)]
            fallback: Vec<RewriteRule>,
        }
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_null() {
            return Ok(Rewrites::default());
        }
        if value.is_array() {
            let after_files = serde_json::from_value(value).map_err(de::Error::custom)?;
            return Ok(Rewrites {
                after_files,
                ..Rewrites::default()
            });
        }
        let phases: Phases = serde_json::from_value(value).map_err(de::Error::custom)?;
        Ok(Rewrites {
            before_files: phases.before_files,
            after_files: phases.after_files,
            fallback: phases.fallback,
        })
    }
}

/// A header rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderRule {
    /// Which requests it is for.
    #[serde(flatten, deserialize_with = "read::named")]
    pub source: RuleSource,
    /// The headers to set.
    pub headers: Vec<HeaderPair>,
}

/// Name and value of a header; both may hold parameters.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct HeaderPair {
    /// Name.
    pub key: String,
    /// Value.
    pub value: String,
}

/// One entry of `has` or `missing`.
#[derive(Debug, Clone, Deserialize)]
pub struct Condition {
    /// Where to look.
    #[serde(rename = "type")]
    pub kind: ConditionType,
    /// The name of the header, cookie or query parameter; nothing for `host`.
    #[serde(default)]
    pub key: Option<String>,
    /// A regular expression for the whole value; absent or empty asks only for presence.
    #[serde(default)]
    pub value: Option<String>,
}

/// Where a condition looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConditionType {
    /// A request header.
    Header,
    /// A cookie.
    Cookie,
    /// A query parameter.
    Query,
    /// The `Host` header without its port.
    Host,
    /// Anything else; such a condition never holds.
    #[serde(other)]
    Unknown,
}

/// A page with parameters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DynamicRoute {
    /// The page, for instance `/blog/[slug]`.
    pub page: String,
    /// Meant for external routers only.
    #[serde(default)]
    pub skip_internal_routing: bool,
}

/// A page with a data URL.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataRoute {
    /// The page.
    pub page: String,
    /// A JavaScript regular expression for the data URL's path.
    pub data_route_regex: String,
}
