//! Reading a file from disk.
//!
//! In: a path. Out: its content if it is small, an open handle if it is large, or what else is there.
//! Blocking: runs on tokio's blocking pool only.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::meta::FileMeta;
use super::mime;
use crate::body::FilePart;

/// A file that is too large to keep in memory. It is open, so it stays the file that its facts describe.
#[derive(Debug, Clone)]
pub struct LargeFile {
    meta: FileMeta,
    file: Arc<File>,
}

impl LargeFile {
    /// The facts a response needs.
    pub fn meta(&self) -> &FileMeta {
        &self.meta
    }

    /// `len` bytes from `start`, read from disk as they are sent.
    pub fn part(&self, start: u64, len: u64) -> FilePart {
        FilePart::new(Arc::clone(&self.file), start, len)
    }
}

/// What was found at a path.
#[derive(Debug)]
pub(super) enum Found {
    /// A small file.
    Small(FileMeta, Bytes, Option<Fingerprint>),
    /// A large one.
    Large(LargeFile),
    /// Nothing that has content.
    Missing,
    /// A folder.
    Directory,
    /// Something that cannot be read.
    Unreadable,
}

/// What tells two states of a file apart. More than upstream's ETag looks at: a copy that keeps the time has another
/// inode or change time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    size: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    identity: (u64, u64, i64, i64),
}

impl Fingerprint {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Fingerprint {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            identity: (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The state of the file at `path` now; `None` if it is gone or no file.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        metadata.is_file().then(|| Fingerprint::of(&metadata))
    }

    /// Kernels stamp times with a clock that ticks every few milliseconds. A file that changed a moment ago may change
    /// again without a trace, so its fingerprint proves nothing.
    fn is_settled(&self) -> bool {
        const TICK: Duration = Duration::from_millis(20);
        let elapsed = self
            .modified
            .and_then(|time| SystemTime::now().duration_since(time).ok());
        elapsed.is_none_or(|elapsed| elapsed > TICK)
    }
}

/// How often a file that changes while it is read is tried again before it is sent from disk.
const ATTEMPTS: usize = 3;

/// Reads the file at `path` if it has at most `max` bytes; `name` decides its type.
pub(super) fn load(path: &Path, name: &str, max: u64) -> Found {
    match try_load(path, name, max) {
        Ok(found) => found,
        Err(error) => match error.kind() {
            // `send` says 404 for these and 500 for the rest; the router makes 400 of both.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Found::Missing,
            _ => {
                tracing::debug!(target: "ferronext::route", "{} cannot be read: {error}", path.display());
                Found::Unreadable
            }
        },
    }
}

fn try_load(path: &Path, name: &str, max: u64) -> io::Result<Found> {
    // Asked before opening: opening a pipe would wait for its other end.
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Ok(Found::Directory);
    }
    if !metadata.is_file() {
        return Ok(Found::Missing);
    }
    let content_type = mime::content_type(name);
    let mut last = None;
    for _ in 0..ATTEMPTS {
        let mut file = File::open(path)?;
        let before = file.metadata()?;
        let meta = FileMeta::new(before.len(), modified_ms(&before), content_type);
        if before.len() <= max {
            let mut bytes = Vec::with_capacity(before.len() as usize + 1);
            // One byte more than expected shows that the file grew.
            (&mut file).take(before.len() + 1).read_to_end(&mut bytes)?;
            let fingerprint = Fingerprint::of(&before);
            if bytes.len() as u64 == before.len() && Fingerprint::of(&file.metadata()?) == fingerprint {
                let fingerprint = fingerprint.is_settled().then_some(fingerprint);
                return Ok(Found::Small(meta, bytes.into(), fingerprint));
            }
        }
        let large = meta.size > max;
        last = Some(LargeFile {
            meta,
            file: Arc::new(file),
        });
        if large {
            break;
        }
    }
    Ok(last.map_or(Found::Missing, Found::Large))
}

/// The modification time as `stat.mtime.getTime()` in Node: a double of milliseconds, rounded half up
/// (`lib/internal/fs/utils.js`).
fn modified_ms(metadata: &Metadata) -> i64 {
    metadata.modified().map_or(0, rounded_ms)
}

fn rounded_ms(time: SystemTime) -> i64 {
    let (seconds, nanoseconds) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (since.as_secs() as f64, since.subsec_nanos()),
        Err(before) => {
            // The operating system counts nanoseconds forward from the second before.
            let before = before.duration();
            match before.subsec_nanos() {
                0 => (-(before.as_secs() as f64), 0),
                nanoseconds => (-(before.as_secs() as f64) - 1.0, 1_000_000_000 - nanoseconds),
            }
        }
    };
    (seconds * 1000.0 + f64::from(nanoseconds) / 1e6 + 0.5).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_as_in_node() {
        for (seconds, nanoseconds, ms) in [
            (0, 0, 0),
            (1_700_000_000, 123_400_000, 1_700_000_000_123),
            // A double cannot tell this from a half.
            (1_700_000_000, 123_499_999, 1_700_000_000_124),
            (1_700_000_000, 123_500_000, 1_700_000_000_124),
            (1_700_000_000, 999_999_999, 1_700_000_001_000),
        ] {
            assert_eq!(rounded_ms(UNIX_EPOCH + Duration::new(seconds, nanoseconds)), ms);
        }
        assert_eq!(rounded_ms(UNIX_EPOCH - Duration::from_millis(1500)), -1500);
        assert_eq!(rounded_ms(UNIX_EPOCH - Duration::from_secs(2)), -2000);
    }

    #[test]
    fn what_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.css");
        fs::write(&path, "body{}").unwrap();
        match load(&path, "a.css", 6) {
            Found::Small(meta, bytes, _) => {
                assert_eq!(bytes, "body{}");
                assert_eq!(meta.size, 6);
                assert_eq!(meta.content_type, "text/css; charset=UTF-8");
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(load(&path, "a.css", 5), Found::Large(large) if large.meta().size == 6));
        assert!(matches!(load(dir.path(), "", 5), Found::Directory));
        for missing in ["none", "a.css/b", "a.css/"] {
            assert!(
                matches!(load(&dir.path().join(missing), missing, 5), Found::Missing),
                "{missing}"
            );
        }
    }
}
