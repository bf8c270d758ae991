//! The last stage: what was produced becomes a response.
//!
//! In: a body with what is known about it, and the request headers. Out: status, headers and which bytes to send, cached where they are
//! sent often.

pub mod conditional;
pub mod disposition;
pub mod file;
mod file_body;
pub mod image;
pub mod page;
pub mod registry;

pub use file_body::body_of;
