//! An image that is kept.
//!
//! In: what was made and for how long it is good. Out: the name of its file in the cache, and back. The layout is upstream's
//! (`writeToCacheDir` of `image-optimizer.js`), so that both servers can use one folder in turns:
//! `<max-age>.<expires>.<etag>.<source etag>.<extension>`.

use bytes::Bytes;

use super::detect::Kind;
use super::params::js_number;
use crate::http::ecma::parse_int;

/// An image with what is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The bytes that are sent.
    pub bytes: Bytes,
    /// What they are.
    pub kind: Kind,
    /// Their tag, as it is sent.
    pub etag: String,
    /// The tag of the source. The same as `etag` when the source was left as it is.
    pub source_etag: String,
    /// Seconds that clients may keep it.
    pub max_age: f64,
    /// When it becomes stale, in milliseconds since 1970.
    pub expires_ms: f64,
}

impl Entry {
    /// When an image with this lifetime in seconds becomes stale. No sooner than the configuration says.
    pub fn expiry(max_age: f64, minimum: f64, now_ms: u64) -> f64 {
        max_age.max(minimum) * 1000.0 + now_ms as f64
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        let (max_age, expires) = (js_number(self.max_age), js_number(self.expires_ms));
        let extension = self.kind.extension();
        format!("{max_age}.{expires}.{}.{}.{extension}", self.etag, self.source_etag)
    }

    /// The image in a file of this name; `None` when the name is none of an image's.
    pub fn of_file(name: &str, bytes: Bytes) -> Option<Entry> {
        let mut parts = name.splitn(5, '.');
        let mut part = || parts.next();
        let (max_age, expires, etag, source_etag, extension) = (part()?, part()?, part()?, part()?, part()?);
        Some(Entry {
            bytes,
            kind: Kind::of_extension(extension)?,
            etag: etag.to_owned(),
            source_etag: source_etag.to_owned(),
            max_age: max_age.parse().ok()?,
            expires_ms: expires.parse().ok()?,
        })
    }

    /// Whether it was made from the source, and another source with this tag would give the same.
    pub fn is_made_from(&self, source_etag: &str) -> bool {
        self.source_etag != self.etag && self.source_etag == source_etag
    }
}

/// Seconds that `Cache-Control` of a source allows (`getMaxAge`): what it says of shared caches before what it says of all.
pub fn max_age_of(cache_control: &str) -> f64 {
    let find = |wanted: &str| {
        let mut found = None;
        for directive in cache_control.split(',') {
            let mut sides = directive.trim().split('=');
            if sides.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted)) {
                // The last one counts.
                found = Some(sides.next().unwrap_or_default());
            }
        }
        found.filter(|value| !value.is_empty())
    };
    let age = find("s-maxage").or_else(|| find("max-age")).unwrap_or_default();
    let bare = age
        .strip_prefix('"')
        .and_then(|age| age.strip_suffix('"'))
        .unwrap_or(age);
    parse_int(bare).map_or(0.0, |seconds| seconds as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_upstream() {
        let entry = Entry {
            bytes: Bytes::from_static(b"x"),
            kind: Kind::Webp,
            etag: "abc_-".to_owned(),
            source_etag: "Vy8iMSI".to_owned(),
            max_age: 14_400.0,
            expires_ms: 1_790_000_000_123.0,
        };
        assert_eq!(entry.file_name(), "14400.1790000000123.abc_-.Vy8iMSI.webp");
        assert_eq!(
            Entry::of_file(&entry.file_name(), entry.bytes.clone()),
            Some(entry.clone())
        );
        for wrong in ["", "a.b.c.d.e", "1.2.a.b", "1.2.a.b.exe", "1.2.a.b.webp.tmp"] {
            assert_eq!(Entry::of_file(wrong, Bytes::new()), None, "{wrong}");
        }
        assert!(entry.is_made_from("Vy8iMSI") && !entry.is_made_from("other"));
        assert_eq!(Entry::expiry(5.0, 60.0, 1000), 61_000.0);
    }

    #[test]
    fn ages_are_read_as_upstream_reads_them() {
        for (header, seconds) in [
            ("", 0.0),
            ("public", 0.0),
            ("max-age=60", 60.0),
            ("public, Max-Age=60, S-MaxAge=120", 120.0),
            ("s-maxage=0, max-age=60", 0.0),
            ("s-maxage=, max-age=60", 60.0),
            ("max-age=\"90\"", 90.0),
            ("max-age=60, max-age=70", 70.0),
            ("max-age=abc", 0.0),
            ("max-age=12abc", 12.0),
            ("max-age = 60", 0.0),
        ] {
            assert_eq!(max_age_of(header), seconds, "{header}");
        }
    }
}
