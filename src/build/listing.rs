//! The static files of an app: `public/`, the legacy `static/` and `.next/static/`.
//!
//! In: the project folder and the build folder. Out: the URL paths that answer with a file. Read once at start, as
//! `next/dist/server/lib/router-utils/filesystem.js` does: a file added later is not served.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::Path;

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
    pub public: HashSet<String>,
}

impl Listing {
    /// Reads the three folders. One that does not exist has no files.
    pub fn read(dir: &Path, dist_dir: &Path) -> Result<Listing> {
        let mut listing = Listing::default();
        walk(&dir.join("public"), "", &mut listing.public)?;
        walk(&dir.join("static"), "", &mut listing.legacy_static)?;
        walk(&dist_dir.join("static"), "/_next/static", &mut listing.next_static)?;
        Ok(listing)
    }

    /// Whether `path` is a file of `root`, as encoded in the listing.
    pub fn has(&self, root: ListingRoot, path: &str) -> bool {
        match root {
            ListingRoot::NextStatic => self.next_static.contains(path),
            ListingRoot::LegacyStatic => self.legacy_static.contains(path),
            ListingRoot::Public => self.public.contains(path),
        }
    }
}

/// Adds every file below `folder`. Links are followed to what they point at; a link to nothing is skipped.
fn walk(folder: &Path, url: &str, found: &mut HashSet<String>) -> Result<()> {
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
            walk(&path, &child, found)?;
        } else {
            found.insert(child);
        }
    }
    Ok(())
}
