//! The answer to a request for a file.
//!
//! In: what is known of the file, the request's conditions and the headers that routing already set. Out: status, headers
//! in upstream's order, and which bytes to send in which coding. No I/O: the bytes are fetched afterwards, if any.
//! Source: `next/dist/server/lib/router-server.js` (Cache-Control), `SendStream.prototype.send` in
//! `next/dist/compiled/send` (the rest), then `next/dist/compiled/compression`.

use super::conditional::{file_precondition, file_range, Conditions, Precondition, Validators};
use crate::http::encoding::{self, Asked, Coding, Preferred};
use crate::http::headers::HeaderList;
use crate::http::range::{Part, Range};
use crate::http::status::Status;
use crate::source::file::FileMeta;

/// How long a file may be kept, by where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheControl<'a> {
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
    pub cache_control: CacheControl<'a>,
    /// `generateEtags`
    pub etags: bool,
    /// `compress`
    pub compress: bool,
    /// The option `preferEncodings`.
    pub preferred: Preferred,
    /// Whether the request is a `HEAD`.
    pub head: bool,
    /// Whether the status that is on the response allows for a 304.
    pub may_be_unchanged: bool,
}

/// A finished answer, but for its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAnswer {
    /// 200, 206, 304, 412 or 416.
    pub status: Status,
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

/// How many headers [`answer`] adds at most.
const MOST_HEADERS: usize = 10;

/// Decides the answer to a `GET` or `HEAD` for a file. `headers` holds what routing set.
pub fn answer(file: &FileMeta, asked: &Conditions<'_>, policy: Policy<'_>, mut headers: HeaderList) -> FileAnswer {
    headers.reserve(MOST_HEADERS);
    match policy.cache_control {
        CacheControl::Immutable => headers.set_default("Cache-Control", "public, max-age=31536000, immutable"),
        CacheControl::ServiceWorker(scope) if !headers.has("cache-control") => {
            headers.push("Cache-Control", "public, max-age=0, must-revalidate");
            headers.set("Service-Worker-Allowed", scope.to_owned());
        }
        CacheControl::ServiceWorker(_) | CacheControl::Revalidate => {}
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
        Precondition::NotModified if policy.may_be_unchanged => return not_modified(headers),
        Precondition::Failed => return error_page(412, headers),
        Precondition::NotModified | Precondition::Pass => file_range(asked, held, file.size),
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
            preferred: policy.preferred,
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
        status: Status::from(status),
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
        status: Status::from(304),
        headers,
        content: Content::Nothing,
    }
}

fn error_page(status: u16, headers: HeaderList) -> FileAnswer {
    FileAnswer {
        status: Status::from(status),
        headers,
        content: Content::ErrorPage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Headers;

    const POLICY: Policy<'_> = Policy {
        cache_control: CacheControl::Revalidate,
        etags: true,
        compress: true,
        preferred: Preferred::UPSTREAM,
        head: false,
        may_be_unchanged: true,
    };
    const TAG: &str = "W/\"49c9-18bcfe5687b\"";
    const COMMON: &str = "Accept-Ranges: bytes|Cache-Control: public, max-age=0|\
        Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT|ETag: W/\"49c9-18bcfe5687b\"|";

    /// Status and headers for a text file of 18889 bytes.
    fn run(asked: &[(&str, &str)], policy: Policy<'_>, set: &[(&'static str, &'static str)]) -> (u16, String, Content) {
        let file = FileMeta::new(18889, 1_700_000_000_123, "text/plain; charset=UTF-8");
        let flat: Vec<_> = asked.iter().flat_map(|(name, value)| [*name, *value]).collect();
        let headers = Headers::parse(flat.join("\0"));
        let answer = answer(&file, &Conditions::of(&headers), policy, set.iter().copied().collect());
        let lines: Vec<_> = answer
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        (answer.status.code, lines.join("|"), answer.content)
    }

    #[test]
    fn answers_as_a_running_upstream_gave_them() {
        use Content::{ErrorPage, Nothing, Whole};
        let gzip = ("Accept-Encoding", "gzip, deflate, br");
        let part = |start, end| Part { start, end };
        let typed = "Content-Type: text/plain; charset=UTF-8|";
        type Case<'a> = (&'a [(&'a str, &'a str)], u16, &'a str, Content);
        let table: &[Case<'_>] = &[
            (
                &[],
                200,
                "Content-Length: 18889|Vary: Accept-Encoding",
                Whole(Coding::Identity),
            ),
            (
                &[gzip],
                200,
                "Vary: Accept-Encoding|Content-Encoding: gzip",
                Whole(Coding::Gzip),
            ),
            (
                &[("Range", "bytes=0-9"), gzip],
                206,
                "Content-Range: bytes 0-9/18889|Content-Length: 10|Vary: Accept-Encoding",
                Content::Part(part(0, 9), Coding::Identity),
            ),
            (
                &[("Range", "bytes=0-1999"), gzip],
                206,
                "Content-Range: bytes 0-1999/18889|Vary: Accept-Encoding|Content-Encoding: gzip",
                Content::Part(part(0, 1999), Coding::Gzip),
            ),
            (
                &[("Range", "bytes=0-1,4-5")],
                200,
                "Content-Length: 18889|Vary: Accept-Encoding",
                Whole(Coding::Identity),
            ),
            (
                &[("Range", "bytes=99999-"), gzip],
                416,
                "Content-Range: bytes */18889",
                ErrorPage,
            ),
            (&[("If-Match", "\"x\"")], 412, "", ErrorPage),
            (
                &[("If-None-Match", "\"x\"")],
                200,
                "Content-Length: 18889|Vary: Accept-Encoding",
                Whole(Coding::Identity),
            ),
        ];
        for (asked, status, rest, content) in table {
            let want = format!("{COMMON}{typed}{rest}");
            let want = (*status, want.trim_end_matches('|').to_owned(), *content);
            assert_eq!(run(asked, POLICY, &[]), want, "{asked:?}");
        }
        let not_modified = (304, COMMON.trim_end_matches('|').to_owned(), Nothing);
        assert_eq!(run(&[("If-None-Match", TAG), gzip], POLICY, &[]), not_modified);
        let head = Policy { head: true, ..POLICY };
        assert_eq!(run(&[("If-None-Match", TAG)], head, &[]), not_modified);
        assert_eq!(
            run(&[gzip], head, &[]),
            (
                200,
                format!("{COMMON}{typed}Content-Length: 18889|Vary: Accept-Encoding"),
                Nothing
            )
        );
    }

    #[test]
    fn where_a_file_lies_decides_how_long_it_may_be_kept() {
        let with = |cache_control, set: &[(&'static str, &'static str)]| {
            run(
                &[],
                Policy {
                    cache_control,
                    ..POLICY
                },
                set,
            )
            .1
        };
        assert!(with(CacheControl::Immutable, &[])
            .starts_with("Cache-Control: public, max-age=31536000, immutable|Accept-Ranges: bytes|Last-Modified"));
        assert!(with(CacheControl::ServiceWorker("/base"), &[]).starts_with(
            "Cache-Control: public, max-age=0, must-revalidate|Service-Worker-Allowed: /base|Accept-Ranges: bytes|"
        ));
        for keep in [
            CacheControl::Immutable,
            CacheControl::Revalidate,
            CacheControl::ServiceWorker("/"),
        ] {
            let headers = with(keep, &[("cache-control", "public, max-age=5")]);
            assert!(headers.starts_with("cache-control: public, max-age=5|Accept-Ranges: bytes|Last-Modified"));
        }
    }

    #[test]
    fn header_rules_win() {
        let set = [
            ("etag", "\"mine\""),
            ("Content-Encoding", "br"),
            ("Content-Language", "de"),
            ("accept-ranges", "none"),
        ];
        let gzip = ("Accept-Encoding", "gzip");
        let (status, headers, content) = run(&[gzip], POLICY, &set);
        assert_eq!((status, content), (200, Content::Whole(Coding::Identity)));
        assert_eq!(
            headers,
            "etag: \"mine\"|Content-Encoding: br|Content-Language: de|accept-ranges: none|\
             Cache-Control: public, max-age=0|Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT|\
             Content-Type: text/plain; charset=UTF-8|Content-Length: 18889|Vary: Accept-Encoding"
        );
        let (status, headers, _) = run(&[("If-None-Match", "\"mine\"")], POLICY, &set);
        assert_eq!(status, 304);
        assert!(!headers.contains("Content-"));
        assert_eq!(run(&[("If-None-Match", TAG)], POLICY, &set).0, 200);
        assert_eq!(
            run(&[gzip], POLICY, &[("Content-Type", "image/png")]).2,
            Content::Whole(Coding::Identity)
        );
    }

    #[test]
    fn what_is_switched_off_stays_away() {
        let gzip = ("Accept-Encoding", "gzip");
        let plain = Policy {
            etags: false,
            compress: false,
            ..POLICY
        };
        let (_, headers, content) = run(&[gzip], plain, &[]);
        assert_eq!(content, Content::Whole(Coding::Identity));
        assert!(!headers.contains("ETag") && !headers.contains("Vary"));
        // Without a tag no `If-Match` can hold, not even the true one.
        assert_eq!(run(&[("If-Match", TAG)], plain, &[]).0, 412);
    }
}
