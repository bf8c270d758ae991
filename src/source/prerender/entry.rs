//! One prerendered answer with all its variants.
//!
//! In: the files that `next build` or a revalidation wrote. Out: an [`Entry`] in memory. Every variant of one entry comes
//! from one render, so HTML, RSC and segments of a page never disagree.
//! Upstream: `next/dist/server/lib/incremental-cache/file-system-cache.js`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::freshness::Lifetime;
use super::key::Naming;
use crate::route::{Address, EntryKind, Variant};

/// The header in which a render leaves its cache tags; it never reaches a client.
pub const TAGS_HEADER: &str = "x-next-cache-tags";

/// One prerendered answer.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What rendered it.
    pub kind: EntryKind,
    /// The status, if the render set one.
    pub status: Option<u16>,
    /// Headers of the render, without cache tags.
    pub headers: Vec<(String, String)>,
    /// The tags that end the life of the answer when they are revalidated.
    pub tags: Vec<String>,
    /// The document, or the body of a route handler.
    pub html: Bytes,
    /// The React payload; absent when the page was postponed.
    pub rsc: Option<Bytes>,
    /// The payload of each segment; `None` when the build wrote none.
    pub segments: Option<HashMap<String, Bytes>>,
    /// The data of a Pages Router page.
    pub data: Option<Bytes>,
    /// Whether the page has a part that is rendered per request.
    pub postponed: bool,
    /// When it was rendered, in milliseconds since 1970.
    pub made_ms: u64,
    /// How long it lives, if the render itself said so; else the build's manifest decides.
    pub lifetime: Option<Lifetime>,
}

/// The `.meta` file beside an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    status: Option<u16>,
    headers: Option<IndexMap<String, Value>>,
    postponed: Option<Value>,
    segment_paths: Option<Vec<String>>,
    cache_control: Option<CacheControl>,
    route_cache_last_modified: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct CacheControl {
    revalidate: Value,
    expire: Option<f64>,
}

impl Entry {
    /// Reads an entry from disk: the newest that is complete. `Ok(None)` when there is none. Blocks; not for Node's thread.
    pub fn read(address: &Address, naming: &Naming, server_dir: &Path) -> io::Result<Option<Entry>> {
        let Some(stems) = naming.stems(address, server_dir) else {
            return Ok(None);
        };
        for stem in stems {
            match Entry::read_stem(address.kind, &stem) {
                Ok(entry) => return Ok(Some(entry)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn read_stem(kind: EntryKind, stem: &Path) -> io::Result<Entry> {
        let primary = with_suffix(stem, if kind == EntryKind::AppRoute { ".body" } else { ".html" });
        // The primary file is written last, so what stands beside it is complete.
        let html = Bytes::from(fs::read(&primary)?);
        let modified = fs::metadata(&primary)?.modified()?;
        let meta = read_meta(&with_suffix(stem, ".meta"), kind)?;
        let postponed = meta.postponed.is_some_and(|value| !value.is_null());
        let mut entry = Entry {
            kind,
            status: meta.status,
            headers: Vec::new(),
            tags: Vec::new(),
            html,
            rsc: None,
            segments: None,
            data: None,
            postponed,
            made_ms: match meta.route_cache_last_modified {
                Some(ms) => ms as u64,
                None => modified
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |age| age.as_millis() as u64),
            },
            lifetime: meta.cache_control.map(|control| Lifetime {
                revalidate: control.revalidate.as_f64(),
                expire: control.expire,
            }),
        };
        entry.set_headers(meta.headers.unwrap_or_default());
        match kind {
            EntryKind::AppPage => {
                if !postponed {
                    entry.rsc = Some(Bytes::from(fs::read(with_suffix(stem, ".rsc"))?));
                }
                if let Some(paths) = meta.segment_paths {
                    entry.segments = Some(read_segments(stem, paths));
                }
            }
            EntryKind::Pages => entry.data = fs::read(with_suffix(stem, ".json")).ok().map(Bytes::from),
            EntryKind::AppRoute => {}
        }
        Ok(entry)
    }

    /// Takes over the headers of a render. Arrays become repeated headers; the cache tags are kept apart.
    pub fn set_headers(&mut self, headers: IndexMap<String, Value>) {
        for (name, value) in headers {
            let values = match value {
                Value::Array(values) => values,
                single => vec![single],
            };
            for value in values {
                let text = match value {
                    Value::String(text) => text,
                    Value::Null => continue,
                    other => other.to_string(),
                };
                if name.eq_ignore_ascii_case(TAGS_HEADER) {
                    self.tags.extend(text.split(',').map(str::to_owned));
                } else {
                    self.headers.push((name.clone(), text));
                }
            }
        }
    }

    /// The bytes of a variant, `None` when the entry has no such variant.
    pub fn variant(&self, variant: &Variant) -> Option<&Bytes> {
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
        let segments: usize = self
            .segments
            .iter()
            .flatten()
            .map(|(path, data)| path.len() + data.len())
            .sum();
        OVERHEAD
            + self.html.len()
            + self.rsc.as_ref().map_or(0, Bytes::len)
            + self.data.as_ref().map_or(0, Bytes::len)
            + segments
    }
}

fn read_segments(stem: &Path, paths: Vec<String>) -> HashMap<String, Bytes> {
    let folder = with_suffix(stem, ".segments");
    paths
        .into_iter()
        .filter_map(|path| {
            // A segment that cannot be read counts as one without a prefetch, as upstream does.
            let file = with_suffix(&folder.join(path.trim_start_matches('/')), ".segment.rsc");
            fs::read(file).ok().map(|bytes| (path, Bytes::from(bytes)))
        })
        .collect()
}

/// `.meta` is optional for the Pages Router (16.0 writes none).
fn read_meta(path: &Path, kind: EntryKind) -> io::Result<Meta> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && kind == EntryKind::Pages => Ok(Meta::default()),
        Err(error) => Err(error),
    }
}

fn with_suffix(stem: &Path, suffix: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn write(dir: &TempDir, name: &str, text: &str) {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn app_page(dir: &TempDir, stem: &str, html: &str) {
        write(dir, &format!("{stem}.html"), html);
        write(dir, &format!("{stem}.rsc"), "payload");
        write(
            dir,
            &format!("{stem}.meta"),
            r#"{"status":200,"headers":{"x-nextjs-stale-time":300,"x-next-cache-tags":"a,b","x":["1","2"]},
               "segmentPaths":["/_tree","/lost"]}"#,
        );
        write(dir, &format!("{stem}.segments/_tree.segment.rsc"), "tree");
    }

    fn isr() -> Address {
        Address {
            built: true,
            kind: EntryKind::AppPage,
            source: "/isr/page".to_owned(),
            pathname: "/isr".to_owned(),
        }
    }

    fn by_route() -> Naming {
        Naming::by_route(["/isr/page"])
    }

    #[test]
    fn reads_a_page_with_its_variants() {
        let dir = TempDir::new().unwrap();
        app_page(&dir, "app/isr", "<html>");
        let entry = Entry::read(&isr(), &by_route(), dir.path()).unwrap().unwrap();
        assert_eq!(entry.tags, ["a", "b"]);
        let pairs: Vec<_> = entry.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("x-nextjs-stale-time", "300"), ("x", "1"), ("x", "2")]);
        assert_eq!(entry.variant(&Variant::Rsc).unwrap(), "payload");
        assert_eq!(entry.variant(&Variant::Segment("/_tree".into())).unwrap(), "tree");
        assert_eq!(entry.variant(&Variant::Segment("/lost".into())), None);
        assert!(entry.made_ms > 0);
    }

    #[test]
    fn what_a_revalidation_wrote_comes_first() {
        let dir = TempDir::new().unwrap();
        let revalidated = by_route().stems(&isr(), Path::new("")).unwrap().swap_remove(0);
        app_page(&dir, "app/isr", "old");
        app_page(&dir, revalidated.to_str().unwrap(), "new");
        assert_eq!(
            Entry::read(&isr(), &by_route(), dir.path()).unwrap().unwrap().html,
            "new"
        );
    }

    #[test]
    fn a_torn_entry_is_an_error_and_a_missing_one_is_none() {
        let dir = TempDir::new().unwrap();
        let read = || Entry::read(&isr(), &Naming::ByPath, dir.path());
        assert!(read().unwrap().is_none());
        app_page(&dir, "app/isr", "x");
        write(&dir, "app/isr.meta", "{\"status\":");
        assert!(read().is_err());
    }
}
