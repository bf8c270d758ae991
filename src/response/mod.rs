//! The last stage: what was produced becomes a response.
//!
//! In: a body with what is known about it, and the request headers. Out: status, headers and which bytes to send.
//! Pure except for [`encoding`], which spends processor time.

pub mod conditional;
pub mod date;
pub mod disposition;
pub mod ecma;
pub mod encoding;
pub mod etag;
pub mod file;
pub mod headers;
pub mod page;
pub mod picture;
pub mod prepared;
pub mod range;
pub mod status;
