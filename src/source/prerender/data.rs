//! The data cache: what `fetch` and `unstable_cache` have kept.
//!
//! In: keys that compiled entries make (the digest of a request) and values as JSON, which only they read. Out: the same, with
//! the time. On disk in upstream's format and place, `.next/cache/fetch-cache`, one file for each value.
//! Upstream: the `FETCH` branches of `next/dist/server/lib/incremental-cache/file-system-cache.js`.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use bytes::Bytes;

use super::files::{Files, Turn};

/// A value of the data cache.
#[derive(Debug)]
pub struct Data {
    /// The value as JSON.
    pub json: Bytes,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// Tells this value from every other one of the process, so that who has parsed it need not do so again.
    pub version: u64,
}

impl Data {
    /// A value that is new to this process.
    pub fn new(json: Bytes, created_at_ms: u64) -> Data {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Data {
            json,
            created_at_ms,
            version: LAST.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }

    /// Bytes of memory.
    pub fn weight(&self) -> usize {
        /// Struct and index.
        const OVERHEAD: usize = 128;
        OVERHEAD + self.json.len()
    }
}

/// The values of one build on disk. Everything here blocks; it is not for Node's thread.
#[derive(Debug)]
pub struct DataDisk {
    dir: PathBuf,
    files: Files,
}

impl DataDisk {
    /// The values below `dir` (`.next/cache/fetch-cache`).
    pub fn new(dir: PathBuf) -> DataDisk {
        DataDisk {
            files: Files::new(&dir),
            dir,
        }
    }

    /// The value of `key`, `None` when there is none.
    pub fn read(&self, key: &str) -> Option<Data> {
        let path = self.path(key)?;
        let json = fs::read(&path).ok()?;
        let modified = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()?;
        let age = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Data::new(json.into(), age.as_millis() as u64))
    }

    /// Takes a turn to write the value of `key`. `None` when that is no name of a file.
    pub fn turn(&self, key: &str) -> Option<Turn> {
        self.path(key).map(Turn::take)
    }

    /// Writes a value, unless something newer has come since its turn was taken.
    ///
    /// # Errors
    /// When the file cannot be written. What was there before stays.
    pub fn write(&self, turn: &Turn, data: &Data) -> io::Result<()> {
        match turn.wait() {
            Some(_guard) => self
                .files
                .replace(&[(turn.name().to_owned(), &data.json)], data.created_at_ms),
            None => Ok(()),
        }
    }

    /// Removes what processes that ended early have left.
    pub fn sweep(&self) {
        self.files.sweep();
    }

    /// Keys are digests; anything else could leave the folder.
    fn path(&self, key: &str) -> Option<PathBuf> {
        let is_name = !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        is_name.then(|| self.dir.join(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn what_was_written_reads_back_with_its_time() {
        let dir = TempDir::new().unwrap();
        let disk = DataDisk::new(dir.path().join("fetch-cache"));
        assert!(disk.read("a1").is_none());
        let data = Data::new(Bytes::from_static(b"{}"), 5_000);
        disk.write(&disk.turn("a1").unwrap(), &data).unwrap();
        let read = disk.read("a1").unwrap();
        assert_eq!((&read.json[..], read.created_at_ms), (&b"{}"[..], 5_000));
        assert!(read.version > data.version);
    }

    #[test]
    fn a_key_is_the_name_of_a_file() {
        let dir = TempDir::new().unwrap();
        let disk = DataDisk::new(dir.path().to_owned());
        for hostile in ["", "..", "../x", "a/b", "a\\b", "a:b", ".ferronext-tmp"] {
            assert_eq!(disk.path(hostile), None, "{hostile}");
        }
    }
}
