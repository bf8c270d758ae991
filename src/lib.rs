//! ferronext: Next.js's custom-server API, `next(options)`, in Rust.
//!
//! `next build` leaves compiled entries and, for everything that needs no code, finished answers. This crate reads such a
//! build once and then answers requests from it; what needs the team's code is handed back to the engine's runner.
//!
//! # The life of a request
//!
//! ```text
//! bytes -> Request -> Location -> Decision -> Produced -> Response
//!          request    url         route       source      answer
//! ```
//!
//! 1. [`request`]: what arrived. Internal headers are dropped while headers are parsed.
//! 2. [`url`]: one canonical form of the target, for rules, cache keys and file look-ups alike.
//! 3. [`route`]: the decision. Pure, and resumable where JavaScript has a say.
//! 4. [`source`]: files, prerendered answers, and what a compiled entry has to be told. The only stage with I/O.
//! 5. [`answer`]: what was produced becomes a response; those that are sent often are prepared once.
//!
//! [`http`] is what HTTP says by itself, which all of them may use. [`engine`] holds what was compiled at start, [`pipeline`] is the way
//! through the stages. `binding` is the Node addon.

#![warn(missing_docs)]

// With the binding, only the addon uses this crate: its modules are private, so that the compiler reports dead code. Without it they are
// public, for the programs and fuzz targets of the tests, and `missing_docs` reads them. Written twice, because `cfg` cannot choose a
// visibility, and rustfmt does not find modules that a macro declares.
#[cfg(feature = "binding")]
mod answer;
#[cfg(feature = "binding")]
mod body;
#[cfg(feature = "binding")]
mod build;
#[cfg(feature = "binding")]
mod config;
#[cfg(feature = "binding")]
mod engine;
#[cfg(feature = "binding")]
mod error;
#[cfg(feature = "binding")]
mod http;
#[cfg(feature = "binding")]
mod pipeline;
mod priority;
#[cfg(feature = "binding")]
mod request;
#[cfg(feature = "binding")]
mod route;
#[cfg(feature = "binding")]
mod source;
#[cfg(feature = "binding")]
mod url;

#[cfg(not(feature = "binding"))]
pub mod answer;
#[cfg(not(feature = "binding"))]
pub mod body;
#[cfg(not(feature = "binding"))]
pub mod build;
#[cfg(not(feature = "binding"))]
pub mod config;
#[cfg(not(feature = "binding"))]
pub mod engine;
#[cfg(not(feature = "binding"))]
pub mod error;
#[cfg(not(feature = "binding"))]
#[doc(hidden)]
pub mod fuzzed;
#[cfg(not(feature = "binding"))]
pub mod http;
#[cfg(not(feature = "binding"))]
pub mod pipeline;
#[cfg(not(feature = "binding"))]
pub mod request;
#[cfg(not(feature = "binding"))]
pub mod route;
#[cfg(not(feature = "binding"))]
pub mod source;
#[cfg(not(feature = "binding"))]
pub mod url;

#[cfg(feature = "binding")]
mod binding;
