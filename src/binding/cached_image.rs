//! Images that the app's own cache handler keeps.
//!
//! In: an image as Rust has it, or as a cache handler gives it back. Out: the other of the two.

use bytes::Bytes;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::engine::StoredImage;
use crate::source::image::detect::Kind;
use crate::source::image::entry::Entry;

/// An image as a cache handler knows it.
#[napi(object)]
pub struct JsCachedImage {
    /// Its bytes.
    pub buffer: Buffer,
    /// Their tag.
    pub etag: String,
    /// The tag of its source.
    pub upstream_etag: String,
    /// What it is.
    pub extension: String,
    /// Seconds that it is good.
    pub revalidate: Option<f64>,
    /// When it was kept, in milliseconds since 1970.
    pub last_modified: Option<f64>,
}

impl From<Entry> for JsCachedImage {
    fn from(entry: Entry) -> Self {
        JsCachedImage {
            buffer: Vec::from(entry.bytes).into(),
            etag: entry.etag,
            upstream_etag: entry.source_etag,
            extension: entry.kind.extension().to_owned(),
            revalidate: Some(entry.max_age),
            last_modified: None,
        }
    }
}

impl JsCachedImage {
    /// The image, if its format is known.
    pub(super) fn into_kept(self) -> Option<StoredImage> {
        let has_max_age = self.revalidate.is_some();
        Some(StoredImage {
            entry: Entry {
                bytes: Bytes::copy_from_slice(&self.buffer),
                kind: Kind::of_extension(&self.extension)?,
                etag: self.etag,
                source_etag: self.upstream_etag,
                max_age: self.revalidate.unwrap_or_default(),
                expires_ms: 0.0,
            },
            created_at_ms: self.last_modified,
            has_max_age,
        })
    }
}
