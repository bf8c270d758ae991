//! The third stage: what to do with a request.
//!
//! In: a [`Request`](crate::request::Request), against rules and routes that were compiled at start. Out: a [`Decision`].
//! Pure: no file is read, no clock, no JavaScript. It can be resumed, because middleware runs outside and because an
//! entry may say that it does not answer this path.

mod address;
mod asset_prefix;
mod check;
mod decision;
mod finish;
mod header_view;
mod index;
mod locale_redirect;
mod middleware;
mod middleware_matcher;
mod origin;
mod page;
mod params;
mod partial;
pub mod pattern;
mod resolve;
mod router;
pub mod rule;
mod rule_set;
mod state;
pub mod table;
mod uncached;
mod walk;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub use address::{Address, EntryKind, Variant};
#[cfg(not(feature = "binding"))]
pub use decision::RouteStep;
pub use decision::{
    Decision, Event, MiddlewareCall, MiddlewareReply, NotFound, Output, OutputKind, Redirect, RedirectReason,
    StaticFile,
};
pub use header_view::{is_single, HeaderText, HeaderView, Overlay};
pub use page::{PageDecision, PageOutcome, PageRequest, PageRules, Prerendered};
pub use params::Params;
pub use resolve::resolve_encoded;
pub use router::Router;
pub use state::RouteState;
