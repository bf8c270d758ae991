//! A page of which memory keeps only the compressed variants.
//!
//! In: a page that the disk has too, and of which something has been compressed. Out: the same page without documents, payloads and data. It
//! answers clients that take a coding; for others the page is read again.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use indexmap::IndexMap;

use super::{read, AnswerKey, CachePolicy, Page, PageAnswer};
use crate::http::encoding::{self, Asked, Coding};
use crate::http::headers::HeaderList;
use crate::route::{Address, Variant};
use crate::source::prerender::{Entry, Headers, Outcome};

/// What is known of a page whose bodies are no longer in memory, only their compressed variants.
#[derive(Debug)]
pub(super) struct Trimmed {
    /// Where the page is read from again.
    pub(super) address: Address,
    key: String,
    /// Bytes of the document and of the data.
    html: usize,
    data: usize,
}

impl Page {
    /// Says that the disk has the page too, so that it can be read again.
    pub fn set_on_disk(&self) {
        self.is_on_disk.store(true, Ordering::Relaxed);
    }

    /// The page without what is not sent to clients that take a coding: documents, payloads and data, of which there are compressed
    /// variants. `None` if nothing has been compressed yet, if clients have asked for a body itself, or if the page could not be read again.
    pub fn trimmed(&self, address: &Address, key: &str) -> Option<Page> {
        let is_plain = self.entry.outcome == Outcome::Rendered && self.entry.postponed.is_none();
        let can_be_read = self.is_on_disk.load(Ordering::Relaxed) && self.policy != CachePolicy::Document;
        if self.is_trimmed() || !is_plain || !can_be_read || self.compressed.weight() == 0 || self.has_sent_bodies() {
            return None;
        }
        let Entry {
            html,
            rsc,
            segments,
            data,
            ..
        } = &self.entry;
        let headers = Headers {
            json: None,
            ..self.entry.headers.clone()
        };
        let mut entry = Entry::new(self.entry.kind, self.entry.outcome, self.entry.created_at_ms);
        entry.status = self.entry.status;
        entry.lifetime = self.entry.lifetime;
        entry.headers = headers;
        // That there is such a variant is known without it.
        entry.rsc = rsc.as_ref().map(|_| Bytes::new());
        entry.segments = segments.as_ref().map(|_| IndexMap::new());
        entry.data = data.as_ref().map(|_| Bytes::new());
        let mut page = Page::new(entry, self.policy);
        page.etag = self.etag.clone();
        page.data_etag = self.data_etag.clone();
        page.compressed = self.compressed.clone();
        page.trimmed = Some(Box::new(Trimmed {
            address: address.clone(),
            key: key.to_owned(),
            html: html.len(),
            data: data.as_ref().map_or(0, Bytes::len),
        }));
        Some(page)
    }

    /// Whether a client without a coding has had an answer.
    fn has_sent_bodies(&self) -> bool {
        let is_body = |key: &AnswerKey| key.accepted == Coding::Identity && !key.head && !key.not_modified;
        read(&self.answers).keys().any(is_body)
    }

    /// Whether only compressed variants are left of the page.
    pub fn is_trimmed(&self) -> bool {
        self.trimmed.is_some()
    }

    /// Whether a variant can be answered from memory, in one coding at least.
    pub fn holds(&self, variant: &Variant) -> bool {
        !self.is_trimmed() || self.compressed.has(variant)
    }

    /// Shares the compressed variants of a trimmed page that comes from the same render.
    pub fn adopt_variants(&mut self, trimmed: &Page) {
        let Some(lengths) = &trimmed.trimmed else { return };
        let is_same = trimmed.entry.created_at_ms == self.entry.created_at_ms
            && lengths.html == self.entry.html.len()
            && lengths.data == self.entry.data.as_ref().map_or(0, Bytes::len);
        if is_same {
            self.compressed = trimmed.compressed.clone();
        }
    }

    /// Puts the variant that is kept in the place of the body. Out: whether a better one will come; `None` if the body itself is needed.
    pub(super) fn kept_variant(
        &self,
        variant: &Variant,
        asked: Asked<'_>,
        headers: &mut HeaderList,
        bytes: &mut Bytes,
    ) -> Option<bool> {
        match encoding::apply(headers, asked) {
            Coding::Identity => None,
            coding => self.compressed.apply_kept(variant, coding, bytes),
        }
    }
}

impl Trimmed {
    /// Bytes of the body of a variant, of those whose length counts.
    pub(super) fn length(&self, variant: &Variant) -> u64 {
        match variant {
            Variant::Data => self.data as u64,
            _ => self.html as u64,
        }
    }

    /// The body itself is needed.
    pub(super) fn read_again(&self) -> PageAnswer {
        PageAnswer::Read(self.address.clone(), self.key.clone())
    }
}
