//! Images on disk.
//!
//! In: keys and images. Out: the image of a key. A folder for each key below `.next/cache/images`, with one file in it; see
//! [`super::entry`] for its name. A file is complete before it has its name, so a reader never sees half of one. What was used least
//! recently is deleted when there is no more room. Everything here blocks.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::entry::Entry;

/// Images on disk, bounded by bytes.
#[derive(Debug)]
pub struct Disk {
    dir: PathBuf,
    /// Where files are while they are written: beside the folder, because upstream takes whatever lies in it for an image.
    unfinished: PathBuf,
    limit: Option<u64>,
    used: Mutex<Option<Used>>,
    next: AtomicU64,
}

/// What is on disk, by when it was used.
#[derive(Debug, Default)]
struct Used {
    limit: u64,
    total: u64,
    turn: u64,
    by_key: HashMap<String, (u64, u64)>,
    by_turn: BTreeMap<u64, String>,
}

impl Disk {
    /// The cache below a build folder. `limit` bytes; absent is half of what is free when it is first used.
    pub fn new(dist_dir: &Path, limit: Option<u64>) -> Disk {
        let cache = dist_dir.join("cache");
        Disk {
            dir: cache.join("images"),
            unfinished: cache.join("images-unfinished"),
            limit,
            used: Mutex::default(),
            next: AtomicU64::new(0),
        }
    }

    /// The image of a key, if there is one that can be read.
    pub fn read(&self, key: &str) -> Option<Entry> {
        let dir = self.dir.join(key);
        // There are two for a moment after an image was made again: the younger counts.
        let entry = fs::read_dir(&dir)
            .ok()?
            .flatten()
            .filter_map(|file| Entry::of_file(file.file_name().to_str()?, Bytes::new()))
            .max_by(|a, b| a.expires_ms.total_cmp(&b.expires_ms))?;
        let bytes = fs::read(dir.join(entry.file_name()))
            .ok()
            .filter(|bytes| !bytes.is_empty())?;
        self.used().touch(key);
        Some(Entry {
            bytes: bytes.into(),
            ..entry
        })
    }

    /// Keeps an image, in place of the one that was there.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] when it is larger than all that may be kept; else why it cannot be written.
    pub fn write(&self, key: &str, entry: &Entry) -> io::Result<()> {
        if entry.bytes.is_empty() {
            return Err(io::Error::other("an image without bytes is not kept"));
        }
        let size = entry.bytes.len() as u64;
        let evicted = self.used().add(key, size, || self.room())?;
        for key in evicted {
            self.delete(&key);
        }
        let written = self.put(key, entry);
        if written.is_err() {
            self.used().with(|used| used.remove(key));
        }
        written
    }

    /// What may be kept, when it is the disk that says it: more than before, once there is room again.
    fn room(&self) -> Option<u64> {
        self.limit.is_none().then(|| half_of_free(&self.dir))
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn put(&self, key: &str, entry: &Entry) -> io::Result<()> {
        let (dir, name) = (self.dir.join(key), entry.file_name());
        fs::create_dir_all(&dir)?;
        fs::create_dir_all(&self.unfinished)?;
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let draft = self.unfinished.join(format!("{}-{number}", std::process::id()));
        let written = fs::File::create(&draft)
            .and_then(|mut file| file.write_all(&entry.bytes))
            .and_then(|()| fs::rename(&draft, dir.join(&name)));
        if let Err(error) = written {
            let _ = fs::remove_file(&draft);
            return Err(error);
        }
        for old in fs::read_dir(&dir)?.flatten() {
            if old.file_name().to_str() != Some(&name) {
                let _ = fs::remove_file(old.path());
            }
        }
        Ok(())
    }

    fn delete(&self, key: &str) {
        if let Err(error) = fs::remove_dir_all(self.dir.join(key)) {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::error!("The image {key} cannot be deleted from the cache: {error}");
            }
        }
    }

    /// What is on disk; looked up when it is first asked.
    fn used(&self) -> Guard<'_> {
        let mut guard = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.is_none() {
            let (used, evicted) = self.survey();
            *guard = Some(used);
            for key in evicted {
                self.delete(&key);
            }
        }
        Guard(guard)
    }

    /// Finds what earlier processes have left, the one that expires first being the first to go.
    fn survey(&self) -> (Used, Vec<String>) {
        let mut used = Used {
            limit: self.limit.unwrap_or_else(|| half_of_free(&self.dir)),
            ..Used::default()
        };
        let mut found = Vec::new();
        for dir in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let Ok(key) = dir.file_name().into_string() else {
                continue;
            };
            for file in fs::read_dir(dir.path()).into_iter().flatten().flatten() {
                let entry = file
                    .file_name()
                    .to_str()
                    .and_then(|name| Entry::of_file(name, Bytes::new()));
                if let (Some(entry), Ok(meta)) = (entry, file.metadata()) {
                    found.push((entry.expires_ms, key.clone(), meta.len()));
                }
            }
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut evicted = Vec::new();
        for (_, key, size) in found {
            match used.add(&key, size, || None) {
                Ok(keys) => evicted.extend(keys),
                Err(_) => evicted.push(key),
            }
        }
        (used, evicted)
    }

    #[cfg(test)]
    fn total(&self) -> u64 {
        self.used().with(|used| used.total)
    }
}

/// The one who looks at what is on disk.
struct Guard<'a>(MutexGuard<'a, Option<Used>>);

impl Guard<'_> {
    fn with<T: Default>(mut self, look: impl FnOnce(&mut Used) -> T) -> T {
        self.0.as_mut().map(look).unwrap_or_default()
    }

    fn touch(self, key: &str) {
        self.with(|used| used.touch(key));
    }

    fn add(mut self, key: &str, size: u64, room: impl FnOnce() -> Option<u64>) -> io::Result<Vec<String>> {
        match self.0.as_mut() {
            Some(used) => used.add(key, size, room),
            None => Ok(Vec::new()),
        }
    }
}

impl Used {
    fn touch(&mut self, key: &str) {
        if let Some((turn, _)) = self.by_key.get_mut(key) {
            self.by_turn.remove(turn);
            self.turn += 1;
            *turn = self.turn;
            self.by_turn.insert(self.turn, key.to_owned());
        }
    }

    /// Counts an image in. Returns those that have to go for it. `room` is what is free where no option says how much may be kept.
    fn add(&mut self, key: &str, size: u64, room: impl FnOnce() -> Option<u64>) -> io::Result<Vec<String>> {
        if size > self.limit {
            let limit = self.limit;
            let Some(room) = room() else {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    format!("{size} bytes are more than images.maximumDiskCacheSize allows in all, {limit}"),
                ));
            };
            self.limit = self.total + room;
            if size > self.limit {
                return Err(io::Error::new(
                    io::ErrorKind::StorageFull,
                    "no space is left on the disk",
                ));
            }
        }
        self.remove(key);
        let mut evicted = Vec::new();
        while self.total + size > self.limit {
            let Some((_, oldest)) = self.by_turn.first_key_value() else {
                break;
            };
            let oldest = oldest.clone();
            self.remove(&oldest);
            evicted.push(oldest);
        }
        self.turn += 1;
        self.total += size;
        self.by_key.insert(key.to_owned(), (self.turn, size));
        self.by_turn.insert(self.turn, key.to_owned());
        Ok(evicted)
    }

    fn remove(&mut self, key: &str) {
        if let Some((turn, size)) = self.by_key.remove(key) {
            self.by_turn.remove(&turn);
            self.total -= size;
        }
    }
}

/// Half of what is free on the disk of a folder.
#[cfg(unix)]
fn half_of_free(dir: &Path) -> u64 {
    let _ = fs::create_dir_all(dir);
    rustix::fs::statvfs(dir).map_or(UNKNOWN, |disk| disk.f_bavail.saturating_mul(disk.f_frsize) / 2)
}

#[cfg(not(unix))]
fn half_of_free(_dir: &Path) -> u64 {
    UNKNOWN
}

/// The limit where the system does not say how much is free.
const UNKNOWN: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::super::detect::Kind;
    use super::*;

    fn entry(size: usize, expires_ms: f64) -> Entry {
        Entry {
            bytes: vec![7; size].into(),
            kind: Kind::Webp,
            etag: "e".to_owned(),
            source_etag: "s".to_owned(),
            max_age: 60.0,
            expires_ms,
        }
    }

    #[test]
    fn a_image_is_kept_and_replaced() {
        let dist = tempfile::tempdir().unwrap();
        let disk = Disk::new(dist.path(), None);
        assert_eq!(disk.read("a"), None);
        disk.write("a", &entry(10, 1.0)).unwrap();
        assert_eq!(disk.read("a"), Some(entry(10, 1.0)));
        disk.write("a", &entry(20, 2.0)).unwrap();
        assert_eq!(disk.read("a"), Some(entry(20, 2.0)));
        let names: Vec<_> = fs::read_dir(dist.path().join("cache/images/a"))
            .unwrap()
            .flatten()
            .collect();
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].file_name(), "60.2.e.s.webp");
        assert_eq!(disk.total(), 20);
        assert_eq!(
            fs::read_dir(dist.path().join("cache/images-unfinished"))
                .unwrap()
                .count(),
            0
        );
        assert!(disk.write("b", &entry(0, 1.0)).is_err());
    }

    #[test]
    fn endless_variants_stay_under_the_limit() {
        // CVE-2026-27980
        let dist = tempfile::tempdir().unwrap();
        let disk = Disk::new(dist.path(), Some(1000));
        for index in 0..100 {
            disk.write(&index.to_string(), &entry(300, 1.0)).unwrap();
            if index > 0 {
                assert!(disk.read("0").is_some(), "used again and again");
            }
        }
        assert_eq!(disk.total(), 900);
        assert_eq!(fs::read_dir(dist.path().join("cache/images")).unwrap().count(), 3);
        assert!(disk.write("large", &entry(1001, 1.0)).is_err());
        assert_eq!(disk.read("large"), None);
    }

    #[test]
    fn what_earlier_processes_left_counts() {
        let dist = tempfile::tempdir().unwrap();
        let first = Disk::new(dist.path(), None);
        for (index, expires) in [3.0, 1.0, 2.0].into_iter().enumerate() {
            first.write(&index.to_string(), &entry(400, expires)).unwrap();
        }
        let second = Disk::new(dist.path(), Some(1000));
        assert_eq!(second.total(), 800);
        assert_eq!(second.read("1"), None, "it would have expired first");
        assert!(second.read("0").is_some() && second.read("2").is_some());
    }

    #[test]
    fn foreign_files_are_left_alone() {
        let dist = tempfile::tempdir().unwrap();
        let dir = dist.path().join("cache/images/k");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("readme.txt"), "x").unwrap();
        fs::write(dir.join("60.5.e.s.webp"), "").unwrap();
        let disk = Disk::new(dist.path(), Some(10));
        assert_eq!(disk.read("k"), None);
        assert_eq!(disk.read("../k"), None);
    }
}
