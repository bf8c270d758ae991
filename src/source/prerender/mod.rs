//! The prerender cache: answers that were rendered before anybody asked.
//!
//! In: the address of an answer and the time. Out: an [`Entry`] and how fresh it is, or the reason why there is none: then the
//! compiled entry is asked. Upstream: `next/dist/server/lib/incremental-cache`.
//!
//! - [`key`] where an answer is kept, in memory and on disk
//! - [`entry`] one answer with all its variants
//! - [`freshness`] how long it lives, and which tags end its life early
//! - [`single_flight`] who may render an answer anew
//! - [`store`] the entries in memory

pub mod entry;
pub mod freshness;
pub mod key;
pub mod single_flight;
pub mod store;

pub use entry::Entry;
pub use freshness::{Freshness, Lifetime, TagRevalidation, Tags};
pub use key::Naming;
pub use single_flight::{Permit, SingleFlight};
pub use store::{Lookup, Store};
