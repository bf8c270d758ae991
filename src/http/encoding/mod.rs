//! Whether and how a response is compressed.
//!
//! In: the headers of a response that is about to be sent, and what the client accepts. Out: the coding to apply, with
//! `Vary`, `Content-Encoding` and `Content-Length` set accordingly.
//! Source: `next/dist/compiled/compression`, attached to every response by `next/dist/server/lib/router-server.js`
//! unless `compress: false`. It knows gzip and deflate; brotli and zstd come on top where they are asked for.

mod background;
mod compressed;
mod compressible;
mod encoder;
mod negotiate;
mod stream;

#[cfg(test)]
pub(crate) use background::done as background_done;
pub use compressed::{CompressedVariant, CompressedVariants};
pub use compressible::is_compressible;
pub use encoder::{compress, compress_once, Encoder, Level};
pub use negotiate::{negotiate, Preferred};
pub use stream::compress_body;

use super::ecma::trim;
use super::headers::{has_directive, HeaderList};

/// A body below this many bytes is not compressed.
pub const THRESHOLD: u64 = 1024;

/// A content coding (RFC 9110, 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Coding {
    /// As it is.
    #[default]
    Identity,
    /// `gzip`
    Gzip,
    /// `deflate`: the zlib format, not raw deflate.
    Deflate,
    /// `br`
    Brotli,
    /// `zstd`
    Zstd,
}

impl Coding {
    /// The value of `Content-Encoding`.
    pub fn as_str(self) -> &'static str {
        match self {
            Coding::Identity => "identity",
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    /// The coding of a name, as `Content-Encoding` has it.
    pub fn named(name: &str) -> Option<Coding> {
        use Coding::{Brotli, Deflate, Gzip, Identity, Zstd};
        [Identity, Gzip, Deflate, Brotli, Zstd]
            .into_iter()
            .find(|coding| coding.as_str() == name)
    }
}

/// What decides beside the headers of the response.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `Accept-Encoding` of the request, values joined; empty if absent.
    pub accept_encoding: &'a str,
    /// Whether the request is a `HEAD`.
    pub head: bool,
    /// The length of a body that is handed over whole and whose length is not in the headers. `None` for a stream.
    pub length: Option<u64>,
    /// What the server prefers to gzip.
    pub preferred: Preferred,
}

/// Chooses the coding of a response and writes its headers.
///
/// Call it last, once the status and all other headers stand. `Vary` is added to every answer of a compressible type,
/// also to a small one; not without a `Content-Type`, so not to a 304.
pub fn apply(headers: &mut HeaderList, asked: Asked<'_>) -> Coding {
    let compressible = headers.get("content-type").is_some_and(is_compressible);
    if !compressible || forbids_transform(headers) {
        return Coding::Identity;
    }
    headers.vary("Accept-Encoding");
    if is_small(headers, asked.length) || is_encoded(headers) || asked.head {
        return Coding::Identity;
    }
    let coding = negotiate(asked.accept_encoding, asked.preferred);
    if coding != Coding::Identity {
        headers.set("Content-Encoding", coding.as_str());
        headers.remove("content-length");
    }
    coding
}

fn forbids_transform(headers: &HeaderList) -> bool {
    headers
        .get("cache-control")
        .is_some_and(|value| has_directive(value, "no-transform"))
}

/// The header decides if it is there, else the length of the body that is handed over.
fn is_small(headers: &HeaderList, length: Option<u64>) -> bool {
    match headers.get("content-length").map(trim) {
        Some("") => true,
        Some(header) => header.parse::<f64>().is_ok_and(|length| length < THRESHOLD as f64),
        None => length.is_some_and(|length| length < THRESHOLD),
    }
}

fn is_encoded(headers: &HeaderList) -> bool {
    headers
        .get("content-encoding")
        .is_some_and(|value| !value.is_empty() && value != "identity")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'_> = Asked {
        accept_encoding: "gzip, deflate, br",
        head: false,
        length: None,
        preferred: Preferred::UPSTREAM,
    };

    fn run(headers: &[(&'static str, &'static str)], asked: Asked<'_>) -> (Coding, String) {
        let mut list: HeaderList = headers.iter().copied().collect();
        let coding = apply(&mut list, asked);
        (coding, list.joined().replace('\0', "|"))
    }

    #[test]
    fn headers_as_upstream_leaves_them() {
        let html = ("Content-Type", "text/html; charset=utf-8");
        for (headers, coding, after) in [
            (
                vec![html],
                Coding::Gzip,
                "Content-Type|text/html; charset=utf-8|Vary|Accept-Encoding|Content-Encoding|gzip",
            ),
            (
                vec![("Content-Length", "1024"), html],
                Coding::Gzip,
                "Content-Type|text/html; charset=utf-8|Vary|Accept-Encoding|Content-Encoding|gzip",
            ),
            (
                vec![html, ("Content-Length", "1023")],
                Coding::Identity,
                "Content-Type|text/html; charset=utf-8|Content-Length|1023|Vary|Accept-Encoding",
            ),
            (
                vec![html, ("Cache-Control", "public, no-transform")],
                Coding::Identity,
                "Content-Type|text/html; charset=utf-8|Cache-Control|public, no-transform",
            ),
            (
                vec![html, ("Content-Encoding", "br"), ("vary", "RSC")],
                Coding::Identity,
                "Content-Type|text/html; charset=utf-8|Content-Encoding|br|Vary|RSC, Accept-Encoding",
            ),
            (
                vec![("content-encoding", "identity"), html],
                Coding::Gzip,
                "Content-Encoding|gzip|Content-Type|text/html; charset=utf-8|Vary|Accept-Encoding",
            ),
            (
                vec![("Content-Type", "image/png")],
                Coding::Identity,
                "Content-Type|image/png",
            ),
            (vec![("ETag", "x")], Coding::Identity, "ETag|x"),
        ] {
            assert_eq!(run(&headers, ASKED), (coding, after.to_owned()), "{headers:?}");
        }
        let head = Asked { head: true, ..ASKED };
        assert_eq!(
            run(&[html, ("Content-Length", "2000")], head),
            (
                Coding::Identity,
                "Content-Type|text/html; charset=utf-8|Content-Length|2000|Vary|Accept-Encoding".to_owned()
            )
        );
    }

    #[test]
    fn a_length_that_is_not_a_header_counts_only_without_one() {
        let html = ("Content-Type", "text/html");
        for (length, coding) in [
            (Some(10), Coding::Identity),
            (Some(1024), Coding::Gzip),
            (None, Coding::Gzip),
        ] {
            assert_eq!(run(&[html], Asked { length, ..ASKED }).0, coding);
        }
        let length = Some(10);
        assert_eq!(
            run(&[html, ("Content-Length", "5000")], Asked { length, ..ASKED }).0,
            Coding::Gzip
        );
    }
}
