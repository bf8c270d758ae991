//! The `.meta` file beside a prerendered answer.
//!
//! In: JSON that `next build`, a running upstream or this module wrote. Out: a [`Meta`], and whether the files beside it
//! belong together. Upstream: `RouteMetadata` of `next/dist/export/routes/types.d.ts`, written by `file-system-cache.js`.
//!
//! One answer is several files, and a process can end between two of them. So what is written here also says what the files
//! beside it hold (the field `ferronext`, which upstream ignores); a reader that finds something else knows that the answer
//! is torn.

use bytes::Bytes;
use flate2::Crc;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::Value;

use super::entry::Entry;
use super::freshness::Lifetime;

/// What a `.meta` file says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Meta {
    /// The status, if the render set one.
    pub status: Option<u16>,
    /// The headers of the render.
    pub headers: Option<Box<RawValue>>,
    /// What a render per request goes on from.
    pub postponed: Option<Box<str>>,
    /// The segments, which lie in files of their own.
    pub segment_paths: Option<Vec<String>>,
    /// How long the answer lives.
    pub cache_control: Option<CacheControl>,
    /// When it was rendered, if that is not the time of the file.
    pub route_cache_last_modified: Option<f64>,
    /// Whose answer it is, if the build wrote it.
    pub route_cache: Option<Owner>,
    /// What the files beside it hold.
    ferronext: Option<Seal>,
}

/// How long an answer lives: `revalidate` in seconds or `false`, `expire` in seconds.
#[derive(Debug, Deserialize)]
pub struct CacheControl {
    revalidate: Value,
    expire: Option<f64>,
}

/// Whose answer the build has left.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// The storage key of the answer.
    pub key: String,
    /// Whether it is the fallback of a route.
    #[serde(default)]
    pub is_fallback: bool,
}

/// What each file holds: its length and CRC-32, by the name of the part.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seal {
    files: IndexMap<String, (u64, u32)>,
}

/// What comparing files with their seal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They belong together, or were not sealed.
    Whole,
    /// They are not those that were sealed: another program wrote them.
    Foreign,
    /// Some of them are.
    Torn,
}

impl Seal {
    /// The seal of `parts`.
    pub fn of<'a>(parts: impl Iterator<Item = (&'a str, &'a Bytes)>) -> Seal {
        let sum = |bytes: &Bytes| {
            let mut crc = Crc::new();
            crc.update(bytes);
            (bytes.len() as u64, crc.sum())
        };
        Seal {
            files: parts.map(|(name, bytes)| (name.to_owned(), sum(bytes))).collect(),
        }
    }
}

impl CacheControl {
    /// As a lifetime.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            revalidate: self.revalidate.as_f64(),
            expire: self.expire,
        }
    }
}

impl Meta {
    /// Whether the files that were read are those that this meta file was written for.
    pub fn check<'a>(&self, parts: impl Iterator<Item = (&'a str, &'a Bytes)>) -> Verdict {
        let Some(sealed) = &self.ferronext else {
            return Verdict::Whole;
        };
        let found = Seal::of(parts);
        let right = |(name, sum): &(&String, &(u64, u32))| found.files.get(*name) == Some(*sum);
        match sealed.files.iter().filter(right).count() {
            all if all == sealed.files.len() => Verdict::Whole,
            0 => Verdict::Foreign,
            _ => Verdict::Torn,
        }
    }
}

/// The fields in upstream's order; those that are absent are left out, as `JSON.stringify` does.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postponed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    segment_paths: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<WrittenLifetime>,
    ferronext: &'a Seal,
}

#[derive(Serialize)]
struct WrittenLifetime {
    revalidate: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire: Option<f64>,
}

/// The `.meta` file of an entry. With `lifetime` it also says how long the entry lives.
///
/// # Errors
/// When the headers of the entry are no JSON.
pub fn write(entry: &Entry, lifetime: bool, seal: &Seal) -> serde_json::Result<Vec<u8>> {
    let headers = entry.headers.json.as_deref();
    let lived = entry.lifetime.filter(|_| lifetime);
    serde_json::to_vec(&Written {
        headers: headers.map(serde_json::from_str).transpose()?,
        status: entry.status,
        postponed: entry.postponed.as_deref(),
        segment_paths: entry
            .segments
            .as_ref()
            .map(|segments| segments.keys().map(String::as_str).collect()),
        cache_control: lived.map(|lifetime| WrittenLifetime {
            revalidate: lifetime.revalidate.map_or(Value::Bool(false), Value::from),
            expire: lifetime.expire,
        }),
        ferronext: seal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::EntryKind;
    use crate::source::prerender::entry::{Headers, Outcome};

    #[test]
    fn what_is_written_reads_back() {
        let mut entry = Entry::new(EntryKind::AppPage, Outcome::Rendered, 0);
        entry.headers = Headers::parse(Some(r#"{"x-next-cache-tags":"a","n":1}"#)).unwrap();
        entry.status = Some(404);
        entry.postponed = Some("4:null{\"a\":1}".into());
        entry.segments = Some(IndexMap::from([("/_tree".to_owned(), Bytes::new())]));
        entry.lifetime = Some(Lifetime {
            revalidate: None,
            expire: Some(9.0),
        });
        let written = write(&entry, true, &Seal::default()).unwrap();
        let meta: Meta = serde_json::from_slice(&written).unwrap();
        assert_eq!(meta.headers.unwrap().get(), entry.headers.json.as_deref().unwrap());
        assert_eq!(meta.status, Some(404));
        assert_eq!(meta.postponed, entry.postponed);
        assert_eq!(meta.segment_paths.unwrap(), ["/_tree"]);
        assert_eq!(meta.cache_control.unwrap().lifetime(), entry.lifetime.unwrap());
        let without = write(&entry, false, &Seal::default()).unwrap();
        assert!(!String::from_utf8(without).unwrap().contains("cacheControl"));
    }

    #[test]
    fn files_of_two_renders_are_torn() {
        let (old, new, empty) = (Bytes::from_static(b"old"), Bytes::from_static(b"new"), Bytes::new());
        let seal = Seal::of([("html", &new), ("rsc", &new)].into_iter());
        let meta = Meta {
            ferronext: Some(seal),
            ..Meta::default()
        };
        let check = |html, rsc| meta.check([("html", html), ("rsc", rsc)].into_iter());
        assert_eq!(check(&new, &new), Verdict::Whole);
        assert_eq!(check(&old, &new), Verdict::Torn);
        assert_eq!(check(&new, &empty), Verdict::Torn);
        assert_eq!(check(&old, &old), Verdict::Foreign);
        assert_eq!(meta.check([("html", &new)].into_iter()), Verdict::Torn);
        assert_eq!(Meta::default().check([("html", &old)].into_iter()), Verdict::Whole);
    }
}
