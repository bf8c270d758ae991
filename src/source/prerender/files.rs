//! Files that are replaced as a whole.
//!
//! In: paths and their new bytes. Out: files that hold the old bytes or the new ones, whenever the process ends: bytes go to
//! a temporary file on the same file system, and a rename puts it in place (POSIX `rename` is atomic for readers).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, FileTimes};
use std::hash::{BuildHasher, BuildHasherDefault};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rustc_hash::FxHasher;

/// Replaces files below one folder.
#[derive(Debug)]
pub struct Files {
    temporary: PathBuf,
}

/// The folder for files that are being written. The dot keeps it out of upstream's listings.
const TEMPORARY: &str = ".ferronext-tmp";

/// A temporary file of this age belongs to a process that is gone: writing one takes milliseconds.
const ABANDONED: Duration = Duration::from_secs(60);

/// Makes names of temporary files and numbers of turns.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Files that belong together are written by one at a time, whichever engine writes them; a name always comes to the same lock.
static LOCKS: [Mutex<()>; 32] = [const { Mutex::new(()) }; 32];

/// For each name that is about to be written, the number of the last writer.
static LATEST: Mutex<BTreeMap<PathBuf, u64>> = Mutex::new(BTreeMap::new());

/// A place in the order in which files of one name are written: a later turn has something newer.
#[derive(Debug)]
pub struct Turn {
    name: PathBuf,
    number: u64,
}

impl Turn {
    /// Takes the next turn for `name`. Never waits for long.
    pub fn take(name: PathBuf) -> Turn {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        latest().insert(name.clone(), number);
        Turn { name, number }
    }

    /// The name.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Waits until no other writer is at it. `None` when a newer turn was taken.
    pub fn wait(&self) -> Option<MutexGuard<'static, ()>> {
        let hash = BuildHasherDefault::<FxHasher>::default().hash_one(&self.name);
        // The lock guards no data.
        let guard = LOCKS[hash as usize % LOCKS.len()]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        (latest().get(&self.name) == Some(&self.number)).then_some(guard)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut latest = latest();
        if latest.get(&self.name) == Some(&self.number) {
            latest.remove(&self.name);
        }
    }
}

fn latest() -> MutexGuard<'static, BTreeMap<PathBuf, u64>> {
    // Every change is one call on the map.
    LATEST.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    /// Replaces files in the folder `root` and below.
    pub fn new(root: &Path) -> Files {
        Files {
            temporary: root.join(TEMPORARY),
        }
    }

    /// Gives each file its bytes, in this order, with `modified_ms` (milliseconds since 1970) as its time. All bytes are on
    /// disk before the first file changes.
    ///
    /// # Errors
    /// When a file cannot be written. If that is so before the first rename, nothing has changed.
    pub fn replace(&self, files: &[(PathBuf, &Bytes)], modified_ms: u64) -> io::Result<()> {
        let modified = UNIX_EPOCH + Duration::from_millis(modified_ms);
        let mut written = Vec::with_capacity(files.len());
        let result = self.write_all(files, modified, &mut written).and_then(|()| {
            // Without it files of two processes could come to stand together.
            let _lock = self.lock();
            written.iter().try_for_each(|(temporary, path)| put(temporary, path))
        });
        if result.is_err() {
            for (temporary, _) in &written {
                // Those that were renamed are gone already.
                let _ = fs::remove_file(temporary);
            }
        }
        result
    }

    /// Keeps other processes from replacing files here, until it is dropped. `None` where that is not to be had: a folder can be
    /// locked on Unix, and not on every file system.
    fn lock(&self) -> Option<File> {
        let folder = File::open(&self.temporary).ok()?;
        folder.lock().ok()?;
        Some(folder)
    }

    /// The same for a reader: what is being replaced is complete by then.
    pub fn settled(&self) -> Option<File> {
        let folder = File::open(&self.temporary).ok()?;
        folder.lock_shared().ok()?;
        Some(folder)
    }

    fn write_all<'a>(
        &self,
        files: &'a [(PathBuf, &Bytes)],
        modified: SystemTime,
        written: &mut Vec<(PathBuf, &'a Path)>,
    ) -> io::Result<()> {
        for (path, bytes) in files {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let temporary = self.temporary.join(format!("{}-{number}", std::process::id()));
            let mut file = create(&temporary)?;
            written.push((temporary, path));
            file.write_all(bytes)?;
            file.set_times(FileTimes::new().set_modified(modified))?;
        }
        Ok(())
    }

    /// Removes what processes that ended early have left. Call it once, before requests come.
    pub fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.temporary) else {
            return; // nothing was written yet
        };
        for entry in entries.flatten() {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            // A file has the time of its answer once it is complete, so an old answer looks abandoned only if it was not
            // renamed within the same moment.
            let age = modified.map(|time| time.elapsed().unwrap_or_default());
            if age.is_ok_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(entry.path()); // another process may have been faster
            }
        }
    }
}

/// Creates a file, and its folder if it is missing.
fn create(path: &Path) -> io::Result<File> {
    match File::create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_parent(path)?;
            File::create(path)
        }
        other => other,
    }
}

/// Renames a file into its place, and makes the folder if it is missing.
fn put(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::rename(temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_parent(path)?;
            fs::rename(temporary, path)
        }
        other => other,
    }
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// A path with more at the end of its last name.
pub fn with_suffix(stem: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(stem);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).map(|entries| entries.flatten().collect::<Vec<_>>());
        entries
            .unwrap_or_default()
            .iter()
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn files_are_replaced_with_their_time_and_leave_nothing_behind() {
        let dir = TempDir::new().unwrap();
        let files = Files::new(dir.path());
        let path = dir.path().join("a/b/c.html");
        for text in ["old", "new"] {
            let bytes = Bytes::from_static(text.as_bytes());
            files.replace(&[(path.clone(), &bytes)], 1_234_567).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(modified.duration_since(UNIX_EPOCH).unwrap().as_millis(), 1_234_567);
        assert!(names(&dir.path().join(TEMPORARY)).is_empty());
    }

    #[test]
    fn what_cannot_be_written_changes_nothing() {
        let dir = TempDir::new().unwrap();
        let files = Files::new(dir.path());
        let good = dir.path().join("good");
        let bytes = Bytes::from_static(b"x");
        let bad = dir.path().join("bad");
        fs::create_dir(&bad).unwrap();
        let written = files.replace(&[(bad, &bytes), (good.clone(), &bytes)], 0);
        assert!(written.is_err());
        assert!(!good.exists());
        assert!(names(&dir.path().join(TEMPORARY)).is_empty());
    }

    #[test]
    fn who_comes_too_late_writes_nothing() {
        let name = PathBuf::from("/a page");
        let (older, newer) = (Turn::take(name.clone()), Turn::take(name.clone()));
        assert!(older.wait().is_none());
        assert!(newer.wait().is_some());
        drop(older);
        assert!(newer.wait().is_some());
        drop(newer);
        assert!(!latest().contains_key(&name));
    }

    #[test]
    fn only_abandoned_files_are_swept() {
        let dir = TempDir::new().unwrap();
        let files = Files::new(dir.path());
        let folder = dir.path().join(TEMPORARY);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("new"), "").unwrap();
        let old = File::create(folder.join("old")).unwrap();
        old.set_times(FileTimes::new().set_modified(SystemTime::now() - ABANDONED * 2))
            .unwrap();
        files.sweep();
        assert_eq!(names(&folder), ["new"]);
    }
}
