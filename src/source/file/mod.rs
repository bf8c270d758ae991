//! Static files.
//!
//! In: a root folder and the path of an item that the router found in its list. Out: the file, in memory if it is small,
//! open if it is large, or why it cannot be sent.
//! [`sanitize`] makes the path safe, [`FileStore`] finds the file, [`mime`] names its type.

mod load;
mod meta;
pub mod mime;
mod sanitize;
mod store;
mod stored;

pub use load::LargeFile;
pub use meta::FileMeta;
pub use sanitize::{sanitize, SafePath};
pub use store::{FileStore, Limits, Mutability, Opened, Root};
pub use stored::StoredFile;
