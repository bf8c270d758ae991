//! ferronext: Next.js's custom-server API, `next(options)`, in Rust.
//!
//! `next build` leaves compiled entries and, for everything that needs no code, finished answers. This crate reads such a
//! build once and then answers requests from it; what needs the team's code is handed back to whoever drives the engine.
//!
//! # The life of a request
//!
//! ```text
//! bytes -> Request -> Location -> Decision -> Produced -> Response
//!          request    url         route       source      response
//! ```
//!
//! 1. [`request`]: what arrived. Internal headers are dropped while headers are parsed.
//! 2. [`url`]: one canonical form of the target, for rules, cache keys and file look-ups alike.
//! 3. [`route`]: the decision. Pure, and resumable where JavaScript has a say.
//! 4. [`source`]: files, prerendered answers, and what a compiled entry has to be told. The only stage with I/O.
//! 5. [`response`]: conditional requests, ranges, encodings, headers; answers that are prepared once and sent often.
//!
//! [`engine`] holds what was compiled at start, [`pipeline`] is the way through the stages. `binding` is the Node addon.

#![warn(missing_docs)]

pub mod body;
pub mod build;
pub mod config;
pub mod engine;
pub mod error;
#[doc(hidden)]
pub mod fuzzed;
pub mod pipeline;
mod priority;
pub mod request;
pub mod response;
pub mod route;
pub mod source;
pub mod url;

#[cfg(feature = "binding")]
mod binding;
