//! In: size, modification time and type of a file. Out: the facts that a response needs of it, as texts.

use std::sync::Arc;

use crate::http::{date, etag};

/// What a response needs to know of a file. Made once per file, so that its texts are shared by all responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMeta {
    /// Bytes.
    pub size: u64,
    /// The `Content-Type` of its name.
    pub content_type: &'static str,
    /// Its weak entity tag, as upstream's `send` makes it.
    pub etag: Arc<str>,
    /// Its modification time as `Last-Modified` has it.
    pub last_modified: Arc<str>,
    /// Its size as `Content-Length` has it.
    pub content_length: Arc<str>,
}

impl FileMeta {
    /// The facts about a file: its size, its modification time in milliseconds and its full `Content-Type`.
    pub fn new(size: u64, modified_ms: i64, content_type: &'static str) -> Self {
        FileMeta {
            size,
            content_type,
            etag: etag::of_file(size, modified_ms).into(),
            last_modified: date::format(modified_ms).into(),
            content_length: size.to_string().into(),
        }
    }
}
