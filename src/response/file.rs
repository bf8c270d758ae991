//! The answer to a request for a file.
//!
//! In: what is known of the file, the request's conditions and the headers that routing already set. Out: status, headers
//! in upstream's order, and which bytes to send in which coding. No I/O: the bytes are fetched afterwards, if any.
//! Source: `next/dist/server/lib/router-server.js` (Cache-Control), `SendStream.prototype.send` in
//! `next/dist/compiled/send` (the rest), then `next/dist/compiled/compression`.

use std::sync::Arc;

use super::conditional::{file_precondition, file_range, Conditions, Precondition, Validators};
use super::encoding::{self, Asked, Coding};
use super::headers::HeaderList;
use super::range::{Part, Range};
use super::{date, etag};

/// What a response needs to know of a file. Made once per file, so that its texts are shared by all responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMeta {
    size: u64,
    modified_ms: i64,
    content_type: &'static str,
    etag: Arc<str>,
    last_modified: Arc<str>,
    content_length: Arc<str>,
}

impl FileMeta {
    /// The facts about a file: its size, its modification time in milliseconds and its full `Content-Type`.
    pub fn new(size: u64, modified_ms: i64, content_type: &'static str) -> Self {
        FileMeta {
            size,
            modified_ms,
            content_type,
            etag: etag::of_file(size, modified_ms).into(),
            last_modified: date::format(modified_ms).into(),
            content_length: size.to_string().into(),
        }
    }

    /// The size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The modification time in milliseconds since 1970.
    pub fn modified_ms(&self) -> i64 {
        self.modified_ms
    }

    /// The `Content-Type` of its name.
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// The weak entity tag.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The modification time as `Last-Modified` has it.
    pub fn last_modified(&self) -> &str {
        &self.last_modified
    }
}

/// How long a file may be kept, by where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep<'a> {
    /// `.next/static`: names carry a hash, `public, max-age=31536000, immutable`.
    Immutable,
    /// `public` and `static`: `public, max-age=0`.
    Revalidate,
    /// A service worker below `.next/static/service-worker` \[16.4\]: `must-revalidate`, with the scope it may control
    /// (basePath or `/`).
    ServiceWorker(&'a str),
}

/// What decides beside the file and the request's conditions.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// How long it may be kept. A `Cache-Control` that routing set wins.
    pub keep: Keep<'a>,
    /// `generateEtags`
    pub etags: bool,
    /// `compress`
    pub compress: bool,
    /// Whether the request is a `HEAD`.
    pub head: bool,
}

/// A finished answer, but for its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAnswer {
    /// 200, 206, 304, 412 or 416.
    pub status: u16,
    /// All headers but those of the transport (`Date`, `Connection`, `Transfer-Encoding`).
    pub headers: HeaderList,
    /// What comes after them.
    pub content: Content,
}

/// Which bytes of the file follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// None: a `HEAD`, or a 304.
    Nothing,
    /// All of them.
    Whole(Coding),
    /// A part of them.
    Part(Part, Coding),
    /// The error page of the status, rendered onto these headers: upstream keeps them, `Content-Type` included.
    ErrorPage,
}

/// Decides the answer to a `GET` or `HEAD` for a file. `headers` holds what routing set.
pub fn answer(file: &FileMeta, asked: &Conditions<'_>, policy: Policy<'_>, mut headers: HeaderList) -> FileAnswer {
    match policy.keep {
        Keep::Immutable => headers.set_default("Cache-Control", "public, max-age=31536000, immutable"),
        Keep::ServiceWorker(scope) if !headers.has("cache-control") => {
            headers.push("Cache-Control", "public, max-age=0, must-revalidate");
            headers.set("Service-Worker-Allowed", scope.to_owned());
        }
        Keep::ServiceWorker(_) | Keep::Revalidate => {}
    }
    headers.set_default("Accept-Ranges", "bytes");
    headers.set_default("Cache-Control", "public, max-age=0");
    headers.set_default("Last-Modified", &file.last_modified);
    if policy.etags {
        headers.set_default("ETag", &file.etag);
    }
    headers.set_default("Content-Type", file.content_type);

    let held = Validators {
        etag: headers.get("etag"),
        last_modified: headers.get("last-modified"),
    };
    let range = match file_precondition(asked, held) {
        Precondition::NotModified => return not_modified(headers),
        Precondition::Failed => return error_page(412, headers),
        Precondition::Pass => file_range(asked, held, file.size),
    };
    let (status, part) = match range {
        Range::Unsatisfiable => {
            headers.set("Content-Range", format!("bytes */{}", file.size));
            return error_page(416, headers);
        }
        Range::Part(part) => {
            headers.set("Content-Range", format!("bytes {part}/{}", file.size));
            headers.set("Content-Length", part.size().to_string());
            (206, Some(part))
        }
        Range::Whole => {
            headers.set("Content-Length", &file.content_length);
            (200, None)
        }
    };
    let coding = if policy.compress {
        let asked = Asked {
            accept_encoding: asked.accept_encoding.as_deref().unwrap_or_default(),
            head: policy.head,
            length: None,
        };
        encoding::apply(&mut headers, asked)
    } else {
        Coding::Identity
    };
    let content = match part {
        _ if policy.head => Content::Nothing,
        Some(part) => Content::Part(part, coding),
        None => Content::Whole(coding),
    };
    FileAnswer {
        status,
        headers,
        content,
    }
}

/// A 304 says nothing about content that is not there. Compression leaves it alone for want of a type.
fn not_modified(mut headers: HeaderList) -> FileAnswer {
    for name in [
        "content-encoding",
        "content-language",
        "content-length",
        "content-range",
        "content-type",
    ] {
        headers.remove(name);
    }
    FileAnswer {
        status: 304,
        headers,
        content: Content::Nothing,
    }
}

fn error_page(status: u16, headers: HeaderList) -> FileAnswer {
    FileAnswer {
        status,
        headers,
        content: Content::ErrorPage,
    }
}
