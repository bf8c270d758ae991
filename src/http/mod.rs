//! What HTTP says by itself: values of headers, entity tags, ranges, encodings.
//!
//! In: strings and bytes. Out: the same in the form that a request or an answer needs. Pure except for [`encoding`], which spends
//! processor time.

pub mod date;
pub mod ecma;
pub mod encoding;
pub mod etag;
pub mod headers;
pub mod range;
pub mod status;
