//! Small files stay in memory.
//!
//! In: a root and a safe path. Out: the file. [`FileStore::peek`] answers from memory without waiting and without
//! allocating; when it has nothing, [`FileStore::open`] goes to the disk, on tokio's blocking pool.
//!
//! Upstream asks the disk at every request, so a file in `public` may be replaced while the server runs. Here a file is
//! compared with the disk when the last comparison is older than [`Limits::recheck`]; the one request that finds this
//! waits for the comparison (some 50 us), the others are answered from memory meanwhile. So no answer is older than that
//! period plus one comparison. Files below `.next/static` carry a hash of their content in their name and are never
//! looked at again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::load::{load, Fingerprint, Found, LargeFile};
use super::meta::FileMeta;
use super::mime;
use super::sanitize::SafePath;
use super::stored::StoredFile;
use crate::source::bounded::{self, Bounds};

/// How much is kept, and for how long unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// All files together, compressed forms included. 64 MiB holds the `.next/static` of a large app several times.
    pub total: u64,
    /// One file. 1 MiB takes every chunk a bundler should emit and most images; what is larger spends its time on the
    /// network, so that reading it from disk does not show.
    pub file: u64,
    /// How old a comparison with the disk may be. One second is below what a person who replaces a file notices, and at
    /// 10,000 requests a second it spares 9,999 of 10,000 system calls. Zero compares at every request, as upstream does.
    pub recheck: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            total: 64 << 20,
            file: 1 << 20,
            recheck: Duration::from_secs(1),
        }
    }
}

/// Whether files of a root may change while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// Never: the name holds a hash of the content.
    Immutable,
    /// At any time.
    Changing,
}

/// A folder whose files are served.
#[derive(Debug, Clone)]
pub struct Root {
    id: u32,
    path: Arc<Path>,
    mutability: Mutability,
}

impl Root {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What is at a path.
#[derive(Debug)]
pub enum Opened {
    /// A small file, in memory.
    Hot(Arc<StoredFile>),
    /// A large file, open.
    Large(LargeFile),
    /// Nothing. The router's list said otherwise, so it was deleted since; upstream answers 400, as for the next two.
    Missing,
    /// A folder.
    Directory,
    /// Something that cannot be read, for instance for lack of rights.
    Unreadable,
}

impl Opened {
    /// The facts a response needs, if it is a file.
    pub fn meta(&self) -> Option<&FileMeta> {
        match self {
            Opened::Hot(file) => Some(file.meta()),
            Opened::Large(file) => Some(file.meta()),
            Opened::Missing | Opened::Directory | Opened::Unreadable => None,
        }
    }
}

/// Files in memory, bounded. Shared by all roots and threads of a process.
pub struct FileStore {
    files: Cache<Key, Arc<StoredFile>, Weight>,
    limits: Limits,
    started: Instant,
    roots: AtomicU32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    root: u32,
    path: Box<str>,
}

/// A key that is not owned; hashes as [`Key`] does.
#[derive(Hash)]
struct KeyRef<'a> {
    root: u32,
    path: &'a str,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.root == key.root && self.path == &*key.path
    }
}

#[derive(Debug, Clone)]
struct Weight;

impl Weighter<Key, Arc<StoredFile>> for Weight {
    fn weight(&self, key: &Key, file: &Arc<StoredFile>) -> u64 {
        file.weight() + key.path.len() as u64
    }
}

impl FileStore {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        mime::prepare();
        let bounds = Bounds {
            weight: limits.total,
            entries: (limits.total / (32 << 10)).clamp(16, 1 << 16),
            // Each must have room for several of the heaviest files.
            parts: (limits.total / (limits.file.max(1) * 12)).clamp(1, 16),
        };
        FileStore {
            files: bounded::cache(bounds, Weight),
            limits,
            started: Instant::now(),
            roots: AtomicU32::new(0),
        }
    }

    /// Makes a folder known. Keep the result: another call for the same folder does not share its files.
    pub fn root(&self, path: impl Into<PathBuf>, mutability: Mutability) -> Root {
        Root {
            id: self.roots.fetch_add(1, Ordering::Relaxed),
            path: path.into().into(),
            mutability,
        }
    }

    /// The file, if it is in memory and need not be compared with the disk first. Neither waits nor allocates.
    ///
    /// `None` asks the caller to [`open`](FileStore::open) it, and should not be ignored: of all requests that find a
    /// comparison due, only this one is told.
    pub fn peek(&self, root: &Root, path: &SafePath<'_>) -> Option<Arc<StoredFile>> {
        let file = self.files.get(&KeyRef {
            root: root.id,
            path: path.as_str(),
        })?;
        (!self.must_check(root, &file)).then_some(file)
    }

    /// The file, if it is in memory and no comparison with the disk is due. Unlike [`peek`](FileStore::peek) it does not take it
    /// upon the caller to compare.
    pub fn current(&self, root: &Root, path: &str) -> Option<Arc<StoredFile>> {
        let file = self.files.get(&KeyRef { root: root.id, path })?;
        (!self.is_due(root, &file)).then_some(file)
    }

    /// The file, from memory or disk. Must be called on a tokio runtime.
    pub async fn open(&self, root: &Root, path: &SafePath<'_>) -> Opened {
        let key = Key {
            root: root.id,
            path: path.as_str().into(),
        };
        let full = root.path.join(path.as_str());
        match self.files.get_value_or_guard_async(&key).await {
            Ok(file) => self.compare(root, key, full, file).await,
            // The guard makes others wait who ask for the same file meanwhile.
            Err(guard) => {
                let opened = self.read(&key, full).await;
                if let Opened::Hot(file) = &opened {
                    // Fails only if the file was removed from the store meanwhile; it is still good to send.
                    let _ = guard.insert(Arc::clone(file));
                }
                opened
            }
        }
    }

    /// How many files are in memory, and an upper bound of their bytes.
    pub fn usage(&self) -> (usize, u64) {
        (self.files.len(), self.files.weight())
    }

    /// A stored file, after one look at the disk unless that cannot tell anything new.
    async fn compare(&self, root: &Root, key: Key, full: PathBuf, file: Arc<StoredFile>) -> Opened {
        // `peek` may have claimed the check on behalf of this very request, so the disk is asked in any case.
        if root.mutability == Mutability::Immutable {
            return Opened::Hot(file);
        }
        if let Some(known) = file.fingerprint {
            let path = full.clone();
            let now = tokio::task::spawn_blocking(move || Fingerprint::read(&path)).await;
            if now.is_ok_and(|now| now == Some(known)) {
                return Opened::Hot(file);
            }
        }
        let opened = self.read(&key, full).await;
        match &opened {
            Opened::Hot(file) => self.files.insert(key, Arc::clone(file)),
            _ => {
                self.files.remove(&key);
            }
        }
        opened
    }

    async fn read(&self, key: &Key, full: PathBuf) -> Opened {
        let (name, max, checked) = (key.path.clone(), self.limits.file, self.now());
        let found = tokio::task::spawn_blocking(move || load(&full, &name, max)).await;
        match found {
            Ok(Found::Small(meta, bytes, fingerprint)) => {
                Opened::Hot(Arc::new(StoredFile::new(meta, bytes, fingerprint, checked)))
            }
            Ok(Found::Large(file)) => Opened::Large(file),
            Ok(Found::Missing) => Opened::Missing,
            Ok(Found::Directory) => Opened::Directory,
            // A read that was cancelled says nothing of the file.
            Ok(Found::Unreadable) | Err(_) => Opened::Unreadable,
        }
    }

    fn must_check(&self, root: &Root, file: &StoredFile) -> bool {
        root.mutability == Mutability::Changing && file.claim_check(self.now(), self.recheck())
    }

    fn is_due(&self, root: &Root, file: &StoredFile) -> bool {
        root.mutability == Mutability::Changing && file.is_due(self.now(), self.recheck())
    }

    fn recheck(&self) -> u64 {
        self.limits.recheck.as_millis() as u64
    }

    /// Milliseconds since the store was made.
    fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

impl std::fmt::Debug for FileStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (files, bytes) = self.usage();
        write!(f, "FileStore({files} files, {bytes} bytes)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::sanitize::sanitize;
    use super::*;
    use crate::http::encoding::Coding;

    fn hot(opened: Opened) -> Arc<StoredFile> {
        match opened {
            Opened::Hot(file) => file,
            other => panic!("{other:?}"),
        }
    }

    fn store(recheck: Duration) -> FileStore {
        FileStore::new(Limits {
            recheck,
            ..Limits::default()
        })
    }

    #[tokio::test]
    async fn small_files_stay_and_are_peeked() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.txt"), "hello").unwrap();
        let store = store(Duration::from_secs(3600));
        let root = store.root(dir.path(), Mutability::Changing);
        let path = sanitize("/a.txt").unwrap();
        assert!(store.peek(&root, &path).is_none());
        let file = hot(store.open(&root, &path).await);
        assert_eq!(file.bytes(), "hello");
        assert!(Arc::ptr_eq(&file, &store.peek(&root, &path).unwrap()));
        let other = store.root(dir.path(), Mutability::Immutable);
        assert!(store.peek(&other, &path).is_none());
        assert!(matches!(
            store.open(&root, &sanitize("/none").unwrap()).await,
            Opened::Missing
        ));
        assert!(matches!(
            store.open(&root, &sanitize("").unwrap()).await,
            Opened::Directory
        ));
        assert_eq!(store.usage().0, 1);
    }

    #[tokio::test]
    async fn a_changed_file_is_noticed_and_an_immutable_one_is_not_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let disk = dir.path().join("a.txt");
        fs::write(&disk, "one").unwrap();
        let store = store(Duration::ZERO);
        let changing = store.root(dir.path(), Mutability::Changing);
        let fixed = store.root(dir.path(), Mutability::Immutable);
        let path = sanitize("/a.txt").unwrap();
        for root in [&changing, &fixed] {
            assert_eq!(hot(store.open(root, &path).await).bytes(), "one");
        }
        fs::write(&disk, "two").unwrap();
        assert!(store.peek(&changing, &path).is_none());
        assert_eq!(hot(store.open(&changing, &path).await).bytes(), "two");
        assert_eq!(store.peek(&fixed, &path).unwrap().bytes(), "one");
        fs::remove_file(&disk).unwrap();
        assert!(matches!(store.open(&changing, &path).await, Opened::Missing));
        assert!(store.peek(&changing, &path).is_none());
    }

    #[tokio::test]
    async fn an_unchanged_file_keeps_its_compressed_form() {
        let dir = tempfile::tempdir().unwrap();
        let disk = dir.path().join("a.js");
        fs::write(&disk, "x".repeat(5000)).unwrap();
        let long_ago = std::time::SystemTime::now() - Duration::from_secs(60);
        fs::File::options()
            .write(true)
            .open(&disk)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        let store = store(Duration::ZERO);
        let root = store.root(dir.path(), Mutability::Changing);
        let path = sanitize("/a.js").unwrap();
        let file = hot(store.open(&root, &path).await);
        assert!(file.ready(Coding::Gzip).is_none());
        let coded = file.coded(Coding::Gzip).await.unwrap();
        assert!(coded.len() < 200);
        let again = hot(store.open(&root, &path).await);
        assert!(again
            .ready(Coding::Gzip)
            .is_some_and(|ready| ready.len() <= coded.len()));
    }

    #[tokio::test]
    async fn large_files_are_not_kept_and_the_total_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let store = FileStore::new(Limits {
            total: 100_000,
            file: 5_000,
            ..Limits::default()
        });
        let root = store.root(dir.path(), Mutability::Changing);
        fs::write(dir.path().join("big.bin"), vec![7; 5001]).unwrap();
        let path = sanitize("/big.bin").unwrap();
        assert!(matches!(store.open(&root, &path).await, Opened::Large(file) if file.meta().size == 5001));
        assert!(store.peek(&root, &path).is_none());
        for index in 0..100 {
            fs::write(dir.path().join(format!("{index}.bin")), vec![7; 4000]).unwrap();
            let item = format!("/{index}.bin");
            hot(store.open(&root, &sanitize(&item).unwrap()).await);
        }
        let (files, bytes) = store.usage();
        assert!(files < 25 && bytes <= 100_000, "{files} {bytes}");
    }

    #[tokio::test]
    async fn many_at_once_get_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.js"), "x".repeat(9000)).unwrap();
        let store = Arc::new(store(Duration::from_secs(3600)));
        let root = store.root(dir.path(), Mutability::Changing);
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let (store, root) = (Arc::clone(&store), root.clone());
                tokio::spawn(async move {
                    let file = hot(store.open(&root, &sanitize("/a.js").unwrap()).await);
                    file.coded(Coding::Gzip).await.unwrap().len()
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap() < 200);
        }
        assert_eq!(store.usage().0, 1);
    }

    #[tokio::test]
    async fn one_caller_per_period_compares() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.txt"), "x").unwrap();
        let store = store(Duration::from_millis(50));
        let root = store.root(dir.path(), Mutability::Changing);
        let path = sanitize("/a.txt").unwrap();
        store.open(&root, &path).await;
        assert!(store.peek(&root, &path).is_some());
        tokio::time::sleep(Duration::from_millis(80)).await;
        assert!(store.peek(&root, &path).is_none());
        assert!(store.peek(&root, &path).is_some());
    }
}
