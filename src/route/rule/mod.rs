//! Rules of `next.config`: redirects, rewrites and headers, compiled once.

mod condition;
mod cookie;
mod destination;
mod header;
mod interpolate;
mod redirect;
mod rewrite;
mod source;
#[cfg(test)]
mod tests;

pub use condition::{Conditions, Subject};
pub use cookie::cookie;
pub use destination::{stringify_query, DestinationOptions};
pub use header::{is_sendable, HeaderRule, ResponseHeaders};
#[cfg(test)]
pub use interpolate::interpolate;
pub use redirect::RedirectRule;
pub use rewrite::RewriteRule;
pub use source::{RuleSource, SourceOptions};

/// A rule that cannot be applied to this request; upstream throws and answers 500.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFault(pub String);

impl From<super::pattern::TooComplex> for RuleFault {
    fn from(_: super::pattern::TooComplex) -> Self {
        RuleFault("a regular expression of a rule took too many steps".to_owned())
    }
}

impl From<String> for RuleFault {
    fn from(message: String) -> Self {
        RuleFault(message)
    }
}

impl std::fmt::Display for RuleFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
