//! One prerendered answer with all its variants.
//!
//! In: what a render left, from disk or from a compiled entry. Out: an [`Entry`] in memory. Every variant of one entry comes
//! from one render, so HTML, RSC and segments of a page never disagree.

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::Value;

use super::freshness::Lifetime;
use crate::route::{EntryKind, Variant};

/// The header in which a render leaves its cache tags; it never reaches a client.
pub const TAGS_HEADER: &str = "x-next-cache-tags";

/// One prerendered answer.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What rendered it.
    pub kind: EntryKind,
    /// What came of rendering it.
    pub outcome: Outcome,
    /// The status, if the render set one.
    pub status: Option<u16>,
    /// The headers as the render left them.
    pub headers: Headers,
    /// The document, or the body of a route handler.
    pub html: Bytes,
    /// The React payload; absent when the page was postponed.
    pub rsc: Option<Bytes>,
    /// The payload of each segment, in the order of the render; `None` when it wrote none.
    pub segments: Option<IndexMap<String, Bytes>>,
    /// The data of a Pages Router page, as JSON. Of a redirect the props that say where to.
    pub data: Option<Bytes>,
    /// What a render per request goes on from, if a part of the page is left to it.
    pub postponed: Option<Box<str>>,
    /// When it was rendered, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// How long it lives, if the render itself said so; else the build's manifest decides.
    pub lifetime: Option<Lifetime>,
}

/// What came of a render.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A page or the body of a route handler.
    Rendered,
    /// `getStaticProps` redirects.
    Redirect,
    /// `getStaticProps` found nothing.
    NotFound,
}

/// The headers of a render.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    /// As JSON, for compiled entries: cache tags, numbers and arrays are still there. `None` when the render had none.
    pub json: Option<Box<str>>,
    /// As lines, without the cache tags.
    pub lines: Vec<(String, String)>,
    /// The tags that end the life of the answer when they are revalidated.
    pub tags: Vec<String>,
}

impl Headers {
    /// Reads a JSON object of headers. Arrays become repeated lines; the cache tags are kept apart.
    ///
    /// # Errors
    /// When it is no object.
    pub fn parse(json: Option<&str>) -> serde_json::Result<Headers> {
        let Some(json) = json else {
            return Ok(Headers::default());
        };
        let mut headers = Headers {
            json: Some(json.into()),
            ..Headers::default()
        };
        let fields: IndexMap<String, Value> = serde_json::from_str(json)?;
        for (name, value) in fields {
            if name.eq_ignore_ascii_case(TAGS_HEADER) {
                // Upstream looks at a single text only.
                let tags = value.as_str().into_iter().flat_map(|text| text.split(','));
                headers.tags = tags.map(str::to_owned).collect();
                continue;
            }
            let values = match value {
                Value::Array(values) => values,
                single => vec![single],
            };
            for value in values {
                match value {
                    Value::String(text) => headers.lines.push((name.clone(), text)),
                    Value::Null => {}
                    other => headers.lines.push((name.clone(), other.to_string())),
                }
            }
        }
        Ok(headers)
    }

    /// Bytes of memory, roughly.
    fn weight(&self) -> usize {
        let lines: usize = self.lines.iter().map(|(name, value)| name.len() + value.len()).sum();
        let tags: usize = self.tags.iter().map(String::len).sum();
        lines + tags + self.json.as_ref().map_or(0, |json| json.len())
    }
}

impl Entry {
    /// An answer in which nothing has been filled in.
    pub fn new(kind: EntryKind, outcome: Outcome, created_at_ms: u64) -> Entry {
        Entry {
            kind,
            outcome,
            status: None,
            headers: Headers::default(),
            html: Bytes::new(),
            rsc: None,
            segments: None,
            data: None,
            postponed: None,
            created_at_ms,
            lifetime: None,
        }
    }

    /// The bytes of a variant, `None` when the entry has no such variant.
    pub fn variant(&self, variant: &Variant) -> Option<&Bytes> {
        if self.outcome != Outcome::Rendered {
            return None;
        }
        match variant {
            Variant::Html => Some(&self.html),
            Variant::Rsc => self.rsc.as_ref(),
            Variant::Data => self.data.as_ref(),
            Variant::Segment(path) => self.segments.as_ref()?.get(path),
        }
    }

    /// Roughly how many bytes of memory the entry holds.
    pub fn weight(&self) -> usize {
        /// Struct, key and index of an entry, so that a cache of empty pages is bounded too.
        const OVERHEAD: usize = 512;
        let segments = self.segments.iter().flatten();
        OVERHEAD
            + self.html.len()
            + self.rsc.as_ref().map_or(0, Bytes::len)
            + self.data.as_ref().map_or(0, Bytes::len)
            + self.postponed.as_ref().map_or(0, |state| state.len())
            + self.headers.weight()
            + segments.map(|(path, data)| path.len() + data.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lines_and_tags() {
        let json = r#"{"x-nextjs-stale-time":300,"x-next-cache-tags":"a,b","x":["1","2"],"none":null}"#;
        let headers = Headers::parse(Some(json)).unwrap();
        assert_eq!(headers.tags, ["a", "b"]);
        let lines: Vec<_> = headers.lines.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(lines, [("x-nextjs-stale-time", "300"), ("x", "1"), ("x", "2")]);
        assert_eq!(headers.json.as_deref(), Some(json));
        assert!(Headers::parse(Some("[]")).is_err());
        assert!(Headers::parse(None).unwrap().lines.is_empty());
    }

    #[test]
    fn a_redirect_has_no_document() {
        let mut entry = Entry::new(EntryKind::Pages, Outcome::Redirect, 0);
        entry.data = Some(Bytes::from_static(b"{}"));
        assert_eq!(entry.variant(&Variant::Html), None);
        assert_eq!(entry.variant(&Variant::Data), None);
    }
}
