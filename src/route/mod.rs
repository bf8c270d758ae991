//! tmp
mod address;
mod page;
mod params;
pub mod tmp;
pub use address::{Address, EntryKind, Variant};
pub use page::*;
pub use params::Params;
pub use tmp::*;
