//! The prerender cache: answers that were rendered before anybody asked.
//!
//! In: the address of an answer and the time. Out: a fresh [`Entry`], or the reason why there is none: then the compiled
//! entry is asked. Upstream: `next/dist/server/lib/incremental-cache`.
//!
//! - [`key`] where an answer is kept, in memory and on disk
//! - [`entry`] one answer with all its variants
//! - [`freshness`] how long it lives, and which tags end its life early
//! - [`store`] the entries in memory

pub mod entry;
pub mod freshness;
pub mod key;
pub mod store;

pub use entry::Entry;
pub use freshness::{Lifetime, Tags};
pub use key::Naming;
pub use store::{Lookup, Store};
