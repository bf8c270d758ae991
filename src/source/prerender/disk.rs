//! Prerendered answers on disk, in upstream's format and places, so that upstream and ferronext can take turns on one build.
//!
//! In: storage keys and entries. Out: files, and entries read back from them: what was stored at run time, else what the build
//! has left. Everything here blocks; it is not for Node's thread. Upstream: `file-system-cache.js`.
//!
//! A file appears whole or not at all ([`Files`]), and the files of one answer are checked against each other ([`meta`]), so a
//! process may end at any moment.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use indexmap::IndexMap;

use super::entry::{Entry, Headers, Outcome};
use super::files::{with_suffix, Files, Turn};
use super::key::Naming;
use super::meta::{self, Meta, Seal, Verdict};
use crate::route::EntryKind;

/// What this version of Next.js does differently from others.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The payload of a page of which a part is rendered per request has a suffix of its own, and is there.
    pub prefetch_payloads: bool,
    /// Otherwise it has the usual one if nothing of the page is rendered per request; else it is never there.
    pub whole_payloads: bool,
    /// Pages of the Pages Router have a `.meta` file; without it they are not whole.
    pub pages_meta: bool,
    /// The `.meta` file says how long an answer of the App Router lives.
    pub lifetimes: bool,
}

/// How a compiled entry uses an answer; it decides which files there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryShape {
    /// Whether a part of the route may be rendered per request.
    pub partial: bool,
    /// Whether it is the fallback of a route.
    pub fallback: bool,
}

/// The prerendered answers of one build.
#[derive(Debug)]
pub struct Disk {
    server_dir: PathBuf,
    naming: Arc<Naming>,
    format: Format,
    files: Files,
    /// Answers that could not be read; each is logged once.
    complained: Mutex<HashSet<PathBuf>>,
}

/// How many unreadable answers are remembered.
const MAX_COMPLAINTS: usize = 1_000;

impl Disk {
    /// The answers below `server_dir` (`.next/server`).
    pub fn new(server_dir: PathBuf, naming: Arc<Naming>, format: Format) -> Disk {
        Disk {
            files: Files::new(&server_dir),
            server_dir,
            naming,
            format,
            complained: Mutex::default(),
        }
    }

    /// The answer under `key`. `trusts_build` says that the manifest names this route as the owner of the answer that the build
    /// has left. `None` when there is none that can be used; why it cannot be used is logged once.
    pub fn read(&self, key: &str, kind: EntryKind, shape: EntryShape, trusts_build: bool) -> Option<Entry> {
        let stems = self.naming.stems(key, kind, &self.server_dir)?;
        let read = || match self.read_stem(kind, &stems.stored, shape, |_| true) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => match &stems.built {
                // What stands at the scoped place counts, even if it is torn: it is newer than the build.
                Some(built) if !exists(&with_suffix(&stems.stored, primary_suffix(kind))) => {
                    let is_own = |meta: &Meta| trusts_build || owns(meta, key, kind, shape);
                    self.read_stem(kind, built, shape, is_own)
                        .map_err(|error| (error, built.clone()))
                }
                _ => Err((error, stems.stored.clone())),
            },
            other => other.map_err(|error| (error, stems.stored.clone())),
        };
        // Another process may be about to replace its files: they are read again after that.
        let stored = read().or_else(|first| match self.files.settled() {
            Some(_lock) if exists(&with_suffix(&first.1, primary_suffix(kind))) => read(),
            _ => Err(first),
        });
        match stored {
            Ok(entry) => entry,
            Err((error, stem)) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.complain(stem, &error);
                }
                None
            }
        }
    }

    /// `Ok(None)` when it belongs to another key.
    fn read_stem(
        &self,
        kind: EntryKind,
        stem: &Path,
        shape: EntryShape,
        is_own: impl Fn(&Meta) -> bool,
    ) -> io::Result<Option<Entry>> {
        let primary = with_suffix(stem, primary_suffix(kind));
        let html = Bytes::from(fs::read(&primary)?);
        let modified = fs::metadata(&primary)?.modified()?;
        let meta = self.read_meta(kind, stem)?;
        if !is_own(&meta) {
            return Ok(None);
        }
        let created_at_ms = match meta.route_cache_last_modified {
            Some(ms) => ms as u64,
            None => modified
                .duration_since(UNIX_EPOCH)
                .map_or(0, |age| age.as_millis() as u64),
        };
        let mut entry = Entry::new(kind, Outcome::Rendered, created_at_ms);
        entry.html = html;
        entry.status = meta.status;
        entry.headers = Headers::parse(meta.headers.as_ref().map(|json| json.get()))?;
        entry.postponed.clone_from(&meta.postponed);
        if self.format.lifetimes && kind != EntryKind::Pages {
            entry.lifetime = meta.cache_control.as_ref().map(meta::CacheControl::lifetime);
        }
        match kind {
            EntryKind::AppPage => {
                if let Some(suffix) = self.payload_suffix(shape, entry.postponed.is_some()) {
                    entry.rsc = Some(Bytes::from(fs::read(with_suffix(stem, suffix))?));
                }
                entry.segments = meta.segment_paths.as_ref().map(|paths| read_segments(stem, paths));
            }
            EntryKind::Pages if !shape.fallback => {
                entry.data = Some(Bytes::from(fs::read(with_suffix(stem, ".json"))?));
            }
            EntryKind::Pages | EntryKind::AppRoute => {}
        }
        match meta.check(parts(&entry)) {
            Verdict::Whole => Ok(Some(entry)),
            // Where upstream writes no `.meta` file, one of ours may have stayed beside its answer.
            Verdict::Foreign if kind == EntryKind::Pages && !self.format.pages_meta => Ok(Some(entry)),
            Verdict::Foreign | Verdict::Torn => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its files are of different renders",
            )),
        }
    }

    fn read_meta(&self, kind: EntryKind, stem: &Path) -> io::Result<Meta> {
        match fs::read(with_suffix(stem, ".meta")) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && kind == EntryKind::Pages && !self.format.pages_meta =>
            {
                Ok(Meta::default())
            }
            Err(error) => Err(error),
        }
    }

    /// The suffix of the payload's file, `None` where there is none.
    fn payload_suffix(&self, shape: EntryShape, postponed: bool) -> Option<&'static str> {
        match shape {
            EntryShape { fallback: true, .. } => None,
            EntryShape { partial: true, .. } if self.format.prefetch_payloads => Some(".prefetch.rsc"),
            EntryShape { partial: true, .. } if postponed || !self.format.whole_payloads => None,
            _ => Some(".rsc"),
        }
    }

    /// Takes a turn to write the answer under `key`. `None` when there is no such file: the key would leave the folder.
    pub fn turn(&self, key: &str, kind: EntryKind) -> Option<Turn> {
        Some(Turn::take(self.naming.stems(key, kind, &self.server_dir)?.stored))
    }

    /// Writes an answer, unless something newer has come since its turn was taken. Redirects and what was not found live in
    /// memory only, in upstream as here.
    ///
    /// # Errors
    /// When a file cannot be written. What was there before stays.
    pub fn write(&self, turn: &Turn, entry: &Entry, shape: EntryShape) -> io::Result<()> {
        let stem = turn.name();
        if entry.outcome != Outcome::Rendered {
            return Ok(());
        }
        let Some(_guard) = turn.wait() else {
            return Ok(());
        };
        let mut whole = Vec::new();
        let has_payload = !(shape.fallback || shape.partial && !self.format.prefetch_payloads);
        for (name, bytes) in parts(entry) {
            let path = match name {
                HTML => continue,
                PAYLOAD if !has_payload => continue,
                PAYLOAD if shape.partial => with_suffix(stem, ".prefetch.rsc"),
                PAYLOAD => with_suffix(stem, ".rsc"),
                DATA if shape.fallback => continue,
                DATA => with_suffix(stem, ".json"),
                segment => segment_file(stem, segment),
            };
            whole.push((name, path, bytes));
        }
        let primary = with_suffix(stem, primary_suffix(entry.kind));
        let sealed = whole.iter().map(|(name, _, bytes)| (*name, *bytes));
        let seal = Seal::of(sealed.chain([(HTML, &entry.html)]));
        let lifetimes = self.format.lifetimes && entry.kind != EntryKind::Pages;
        let meta = Bytes::from(meta::write(entry, lifetimes, &seal)?);
        let mut files: Vec<(PathBuf, &Bytes)> = whole.into_iter().map(|(_, path, bytes)| (path, bytes)).collect();
        files.push((with_suffix(stem, ".meta"), &meta));
        files.push((primary, &entry.html)); // last: it is what makes the answer visible
        self.files.replace(&files, entry.created_at_ms)
    }

    /// Removes what processes that ended early have left.
    pub fn sweep(&self) {
        self.files.sweep();
    }

    fn complain(&self, stem: PathBuf, error: &io::Error) {
        let mut complained = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.len() < MAX_COMPLAINTS && complained.insert(stem.clone()) {
            tracing::warn!(
                "The prerendered answer {} cannot be read and is rendered again: {error}",
                stem.display()
            );
        }
    }
}

/// Names of the parts of an answer in its seal. Those of segments begin with a slash.
const HTML: &str = "html";
const PAYLOAD: &str = "rsc";
const DATA: &str = "json";

/// The parts that have files of their own.
fn parts(entry: &Entry) -> impl Iterator<Item = (&str, &Bytes)> {
    let single = [
        (HTML, Some(&entry.html)),
        (PAYLOAD, entry.rsc.as_ref()),
        (DATA, entry.data.as_ref()),
    ];
    let segments = entry.segments.iter().flatten();
    single
        .into_iter()
        .filter_map(|(name, bytes)| Some((name, bytes?)))
        .chain(segments.map(|(path, bytes)| (path.as_str(), bytes)))
}

fn primary_suffix(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::AppRoute => ".body",
        EntryKind::AppPage | EntryKind::Pages => ".html",
    }
}

fn segment_file(stem: &Path, segment: &str) -> PathBuf {
    let folder = with_suffix(stem, ".segments");
    with_suffix(&folder.join(segment.trim_start_matches('/')), ".segment.rsc")
}

/// A segment that cannot be read counts as one without a prefetch, as upstream does.
fn read_segments(stem: &Path, paths: &[String]) -> IndexMap<String, Bytes> {
    let read = |path: &String| Some((path.clone(), Bytes::from(fs::read(segment_file(stem, path)).ok()?)));
    paths.iter().filter_map(read).collect()
}

/// Whether the build made an answer for the very key.
fn owns(meta: &Meta, key: &str, kind: EntryKind, shape: EntryShape) -> bool {
    meta.route_cache.as_ref().is_some_and(|owner| {
        // A shell is also looked for by requests for the page itself, which do not call it a fallback.
        let is_shell = kind == EntryKind::AppPage && shape.partial && meta.postponed.is_some();
        owner.key == key && (owner.is_fallback == shape.fallback || is_shell)
    })
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
#[path = "disk_tests.rs"]
mod tests;
