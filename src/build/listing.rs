//! The static files of an app: `public/`, the legacy `static/` and `.next/static/`.
//!
//! In: the project folder and the build folder. Out: the URL paths that answer with a file. Read once at start, as
//! `next/dist/server/lib/router-utils/filesystem.js` does: a file added later is not served, unless `watchPublic` asks for
//! [`PublicFiles::refresh`].

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, SystemTime};

use super::read;
use crate::error::Result;
use crate::url::encode_uri_path;

/// Which folder a static file lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListingRoot {
    /// `.next/static`, below `/_next/static`.
    NextStatic,
    /// `static/`, below `/static`.
    LegacyStatic,
    /// `public/`, at the root.
    Public,
}

/// URL paths of static files, percent-encoded segment by segment.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Files of `.next/static`, as `/_next/static/…`.
    pub next_static: HashSet<String>,
    /// Files of `static/`, as `/…` (without `/static`).
    pub legacy_static: HashSet<String>,
    /// Files of `public/`, as `/…`.
    pub public: PublicFiles,
}

/// URL paths of the files of `public/`. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct PublicFiles {
    paths: Arc<RwLock<HashSet<String>>>,
    /// When each folder had last been changed before it was read; empty before the first look.
    folders: Arc<Mutex<Vec<(PathBuf, SystemTime)>>>,
}

impl PublicFiles {
    /// The paths, as they are now.
    pub fn read(&self) -> RwLockReadGuard<'_, HashSet<String>> {
        self.paths.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks for files that were added or removed. A folder without changes costs one system call. Blocks.
    ///
    /// # Errors
    /// When a folder cannot be read. What was known stays.
    pub fn refresh(&self, folder: &Path) -> Result<()> {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if !folders.is_empty() && folders.iter().all(|(path, seen)| changed(path) == Some(*seen)) {
            return Ok(());
        }
        let (mut paths, mut seen) = (HashSet::new(), Vec::new());
        walk(folder, "", &mut paths, Some(&mut seen))?;
        // Kernels stamp times with a clock that ticks every few milliseconds: a folder that changed a moment ago may change again
        // without a trace, so that the next look reads it again.
        const SETTLED: Duration = Duration::from_millis(100);
        let now = SystemTime::now();
        let is_settled = |time: &SystemTime| now.duration_since(*time).is_ok_and(|age| age > SETTLED);
        if !seen.iter().all(|(_, time)| is_settled(time)) {
            seen.clear();
        }
        *folders = seen;
        *self.paths.write().unwrap_or_else(PoisonError::into_inner) = paths;
        Ok(())
    }
}

fn changed(folder: &Path) -> Option<SystemTime> {
    std::fs::metadata(folder).ok()?.modified().ok()
}

impl Listing {
    /// Reads the three folders. One that does not exist has no files.
    pub fn read(dir: &Path, dist_dir: &Path) -> Result<Listing> {
        let mut listing = Listing::default();
        let mut public = HashSet::new();
        walk(&dir.join("public"), "", &mut public, None)?;
        listing.public.paths = Arc::new(RwLock::new(public));
        walk(&dir.join("static"), "", &mut listing.legacy_static, None)?;
        walk(
            &dist_dir.join("static"),
            "/_next/static",
            &mut listing.next_static,
            None,
        )?;
        Ok(listing)
    }
}

/// Adds every file below `folder`, and to `folders` when each folder was changed. Links are followed to what they point at; a
/// link to nothing is skipped.
fn walk(
    folder: &Path,
    url: &str,
    found: &mut HashSet<String>,
    mut folders: Option<&mut Vec<(PathBuf, SystemTime)>>,
) -> Result<()> {
    if let (Some(folders), Some(time)) = (folders.as_deref_mut(), changed(folder)) {
        folders.push((folder.to_owned(), time));
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(read::unreadable(folder, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| read::unreadable(folder, &error))?;
        // A name that is not UTF-8 cannot be written in a URL path that decodes to it.
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = entry.path();
        let child = format!("{url}/{}", encode_uri_path(name));
        let kind = entry.file_type().map_err(|error| read::unreadable(&path, &error))?;
        let is_dir = if kind.is_symlink() {
            match std::fs::metadata(&path) {
                Ok(target) => target.is_dir(),
                Err(_) => continue,
            }
        } else {
            kind.is_dir()
        };
        if is_dir {
            walk(&path, &child, found, folders.as_deref_mut())?;
        } else {
            found.insert(child);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_that_come_and_go_are_seen() {
        let dir = tempfile::tempdir().unwrap();
        let public = dir.path().join("public");
        let files = Listing::read(dir.path(), dir.path()).unwrap().public;
        let seen = |path: &str| {
            files.refresh(&public).unwrap();
            files.read().contains(path)
        };
        assert!(!seen("/a%20b.txt"));
        fs::create_dir_all(public.join("deep/er")).unwrap();
        fs::write(public.join("a b.txt"), "").unwrap();
        assert!(seen("/a%20b.txt"));
        fs::write(public.join("deep/er/c.txt"), "").unwrap();
        assert!(seen("/deep/er/c.txt"));
        fs::remove_file(public.join("a b.txt")).unwrap();
        assert!(!seen("/a%20b.txt"));
        // Also by what lies in folders whose last change is long ago.
        let long_ago = SystemTime::now() - Duration::from_secs(60);
        for folder in ["", "deep", "deep/er"] {
            let folder = fs::File::open(public.join(folder)).unwrap();
            folder.set_modified(long_ago).unwrap();
        }
        assert!(seen("/deep/er/c.txt"));
        assert_eq!(files.folders.lock().unwrap().len(), 3);
        fs::write(public.join("deep/er/d.txt"), "").unwrap();
        assert!(seen("/deep/er/d.txt"));
    }
}
