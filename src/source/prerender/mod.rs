//! The prerender cache: answers that were rendered before anybody asked, and the data that renders have fetched.
//!
//! In: the address of an answer and the time. Out: an [`Entry`] and how fresh it is, or the reason why there is none: then the
//! compiled entry is asked. Upstream: `next/dist/server/lib/incremental-cache`.
//!
//! - [`key`] where an answer is kept, in memory and on disk
//! - [`entry`] one answer with all its variants
//! - [`freshness`] how long it lives, [`tags`] what ends its life early
//! - [`single_flight`] which request renders an answer
//! - [`store`] what is kept in memory
//! - [`disk`] answers in files, with [`meta`] beside them; [`files`] replaces them as a whole
//! - [`data`] what `fetch` and `unstable_cache` keep, [`memo`] what functions marked `'use cache'` have given

pub mod data;
pub mod disk;
pub mod entry;
pub mod files;
pub mod freshness;
pub mod key;
pub mod memo;
pub mod meta;
pub mod single_flight;
pub mod store;
pub mod tags;

pub use data::{Data, DataDisk};
pub use disk::{Disk, EntryShape, Format};
pub use entry::{Entry, Headers, Outcome};
pub use freshness::{Freshness, Lifetime};
pub use key::Naming;
pub use memo::Memo;
pub use single_flight::{End, Lead, Permit, RunnerId, SingleFlight};
pub use store::Store;
pub use tags::{TagRevalidation, Tags};
