//! A file kept in memory.
//!
//! In: its content and facts. Out: shared bytes, plain or compressed.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::OnceLock;

use bytes::Bytes;

use super::load::Fingerprint;
use super::meta::FileMeta;
use crate::http::encoding::{is_compressible, Coding, CompressedVariant, CompressedVariants};

/// A small file with what is derived from it.
#[derive(Debug)]
pub struct StoredFile {
    meta: FileMeta,
    bytes: Bytes,
    compressible: bool,
    forms: CompressedVariants,
    /// `None` proves nothing, so that the next look reads the file again.
    pub(super) fingerprint: Option<Fingerprint>,
    derived: OnceLock<Box<dyn Any + Send + Sync>>,
    /// When it was last compared with the disk, in milliseconds of the store's clock. `u64::MAX`: never again.
    checked: AtomicU64,
}

impl StoredFile {
    pub(super) fn new(meta: FileMeta, bytes: Bytes, fingerprint: Option<Fingerprint>, checked: u64) -> Self {
        StoredFile {
            compressible: is_compressible(meta.content_type),
            meta,
            bytes,
            forms: CompressedVariants::default(),
            fingerprint,
            derived: OnceLock::new(),
            checked: AtomicU64::new(checked),
        }
    }

    /// The facts a response needs.
    pub fn meta(&self) -> &FileMeta {
        &self.meta
    }

    /// What a later stage has made of the file, which lives as long as the file stays in memory. There is room for one type.
    pub fn derived<T: Any + Send + Sync + Default>(&self) -> Option<&T> {
        self.derived.get_or_init(|| Box::new(T::default())).downcast_ref()
    }

    /// The content as it is on disk.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The content in a coding, if that is at hand without any work.
    pub fn ready(&self, coding: Coding) -> Option<Bytes> {
        if coding == Coding::Identity {
            return Some(self.bytes.clone());
        }
        self.forms.get(&(), coding, &self.bytes)?.bytes().cloned()
    }

    /// Whether these bytes are what every later answer in the coding is going to have, too.
    pub fn is_final(&self, coding: Coding, body: &Bytes) -> bool {
        coding == Coding::Identity
            || matches!(self.forms.get(&(), coding, &self.bytes), Some(CompressedVariant::Best(best)) if best.as_ptr() == body.as_ptr())
    }

    /// The content in a coding, compressed now if need be; `None` when that fails. Must be called on a tokio runtime.
    pub async fn coded(&self, coding: Coding) -> Option<Bytes> {
        if self.ready(coding).is_none() {
            self.forms.prepare((), coding, &self.bytes).await;
        }
        self.ready(coding)
    }

    /// An upper bound of the memory it can come to hold, with a form in each coding, for what brotli and zstd make half as
    /// large at least; gzip and deflate add less than a thousandth to anything.
    pub(super) fn weight(&self) -> u64 {
        const OVERHEAD: u64 = 1024;
        let copies = if self.compressible { 4 } else { 1 };
        OVERHEAD + self.bytes.len() as u64 * copies
    }

    /// Whether the last look at the disk is older than `recheck`.
    pub(super) fn is_due(&self, now: u64, recheck: u64) -> bool {
        now.saturating_sub(self.checked.load(Ordering::Relaxed)) >= recheck
    }

    /// Whether the last look at the disk is older than `recheck`. Answers yes to one caller per period only: that one
    /// looks, while the others go on with what is here.
    pub(super) fn claim_check(&self, now: u64, recheck: u64) -> bool {
        let checked = self.checked.load(Ordering::Relaxed);
        self.is_due(now, recheck)
            && self
                .checked
                .compare_exchange(checked, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}
