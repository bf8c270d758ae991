//! What an answer was made from, which decides whether the next request may have the same one without routing.
//!
//! In: what `pipeline` used while it made an answer. Out: a [`Provenance`], which every answer carries; `pipeline/fast_path.rs` reads it.

use std::sync::Weak;

use super::request_state::{Cause, ErrorPage};
use crate::answer::image::Image;
use crate::answer::page::Page;
use crate::build::ListingRoot;
use crate::source::file::StoredFile;

/// What an answer was made from.
#[derive(Debug)]
pub(crate) enum Provenance {
    /// From more than the variants below name: other headers, middleware, several sources, or a fault that is logged each time.
    Uncacheable,
    /// From the target alone: it does not change while routing does not.
    Target,
    /// A compiled entry makes it, and the target alone says which.
    Entry,
    /// From the target and one source.
    Source(Source),
}

/// A source of an answer, which may change.
#[derive(Debug)]
pub(crate) enum Source {
    /// A page that was fresh, by its key.
    Page(String, Weak<Page>),
    /// A file in memory.
    File(ListingRoot, String, Weak<StoredFile>),
    /// An image that was fresh, by its key.
    Image(String, Weak<Image>),
}

impl Provenance {
    /// The same for an error page: it may be sent again only if the target alone leads to it.
    pub fn of_error_page(self, error: Option<&ErrorPage>) -> Provenance {
        match error {
            Some(error) if error.cause != Cause::Target => Provenance::Uncacheable,
            _ => self,
        }
    }
}
