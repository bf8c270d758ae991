//! A file kept in memory.
//!
//! In: its content and facts. Out: shared bytes, plain or compressed. Each coding is computed once, by whoever asks
//! first, off the caller's thread; everyone else waits for that one computation and shares its result.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::load::Fingerprint;
use crate::response::encoding::{compress, is_compressible, Coding, Level};
use crate::response::file::FileMeta;
use crate::response::prepared::Prepared;

/// What makes two usual answers of one file differ: status, coding, and whether it is a `HEAD`.
pub type AnswerKind = (u16, Coding, bool);

/// A small file with what is derived from it.
#[derive(Debug)]
pub struct StoredFile {
    meta: FileMeta,
    bytes: Bytes,
    compressible: bool,
    gzip: OnceCell<Bytes>,
    deflate: OnceCell<Bytes>,
    /// `None` proves nothing, so that the next look reads the file again.
    pub(super) fingerprint: Option<Fingerprint>,
    prepared: Mutex<Vec<(AnswerKind, Arc<Prepared>)>>,
    /// When it was last compared with the disk, in milliseconds of the store's clock. `u64::MAX`: never again.
    checked: AtomicU64,
}

impl StoredFile {
    pub(super) fn new(meta: FileMeta, bytes: Bytes, fingerprint: Option<Fingerprint>, checked: u64) -> Self {
        StoredFile {
            compressible: is_compressible(meta.content_type()),
            meta,
            bytes,
            gzip: OnceCell::new(),
            deflate: OnceCell::new(),
            fingerprint,
            prepared: Mutex::default(),
            checked: AtomicU64::new(checked),
        }
    }

    /// The facts a response needs.
    pub fn meta(&self) -> &FileMeta {
        &self.meta
    }

    /// The answer of this kind, if it was prepared. It lives as long as the file stays in memory.
    pub fn prepared(&self, kind: AnswerKind) -> Option<Arc<Prepared>> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let found = prepared.iter().find(|(other, _)| *other == kind);
        found.map(|(_, answer)| Arc::clone(answer))
    }

    /// Keeps a prepared answer beside the file.
    pub fn keep_prepared(&self, kind: AnswerKind, answer: &Arc<Prepared>) {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.push((kind, Arc::clone(answer)));
    }

    /// The content as it is on disk.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether the type of its name is worth compressing.
    pub fn is_compressible(&self) -> bool {
        self.compressible
    }

    /// The content in a coding, if that is at hand without any work.
    pub fn ready(&self, coding: Coding) -> Option<&Bytes> {
        match coding {
            Coding::Identity => Some(&self.bytes),
            Coding::Gzip => self.gzip.get(),
            Coding::Deflate => self.deflate.get(),
        }
    }

    /// The content in a coding, computed now if need be. Must be called on a tokio runtime.
    pub async fn coded(self: &Arc<Self>, coding: Coding) -> io::Result<Bytes> {
        let cell = match coding {
            Coding::Identity => return Ok(self.bytes.clone()),
            Coding::Gzip => &self.gzip,
            Coding::Deflate => &self.deflate,
        };
        cell.get_or_try_init(|| async {
            let bytes = self.bytes.clone();
            tokio::task::spawn_blocking(move || compress(coding, &bytes, Level::STORED))
                .await
                .unwrap_or_else(|_| Err(io::Error::other("compression was cancelled")))
        })
        .await
        .cloned()
    }

    /// An upper bound of the memory it can come to hold, both codings included: what does not compress grows by less
    /// than a thousandth.
    pub(super) fn weight(&self) -> u64 {
        const OVERHEAD: u64 = 1024;
        let copies = if self.compressible { 3 } else { 1 };
        OVERHEAD + self.bytes.len() as u64 * copies
    }

    /// Whether the last look at the disk is older than `recheck`. Answers yes to one caller per period only: that one
    /// looks, while the others go on with what is here.
    pub(super) fn claim_check(&self, now: u64, recheck: u64) -> bool {
        let checked = self.checked.load(Ordering::Relaxed);
        now.saturating_sub(checked) >= recheck
            && self
                .checked
                .compare_exchange(checked, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}
