//! Where a prerendered answer is kept.
//!
//! In: the kind of route, its source and the resolved path. Out: an [`Address`], and through [`Naming`] the key in memory
//! and the files on disk.
//! Upstream: `next/dist/server/lib/route-cache-key.js` (scoped addresses) and `file-system-cache.js` (folders).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::route::{Address, EntryKind};

/// How this version of Next.js names what it stores. Since 15.5.2x and 16.1 the route is part of the key, so that two
/// routes that can produce the same path never share an entry.
#[derive(Debug, Clone)]
pub enum Naming {
    /// By path alone.
    ByPath,
    /// By route and path. Routes appear as digests; this finds the route of a digest.
    ByRoute(HashMap<String, String>),
}

impl Naming {
    /// Naming by route, for these sources.
    pub fn by_route<'a>(sources: impl IntoIterator<Item = &'a str>) -> Self {
        Naming::ByRoute(
            sources
                .into_iter()
                .map(|source| (digest(source), source.to_owned()))
                .collect(),
        )
    }

    /// The key in memory.
    pub fn memory_key(&self, address: &Address) -> String {
        match self {
            Naming::ByPath => join(address.kind.as_str(), &address.pathname),
            Naming::ByRoute(_) => join(&address.source, &address.pathname),
        }
    }

    /// The keys in memory that the key of a compiled entry stands for; `kind` is `None` when it stored "nothing".
    pub fn memory_keys_of(&self, storage_key: &str, kind: Option<EntryKind>) -> Vec<String> {
        match self {
            Naming::ByPath => {
                let kinds = [EntryKind::AppPage, EntryKind::AppRoute, EntryKind::Pages];
                let wanted = kinds.into_iter().filter(|each| kind.is_none_or(|kind| kind == *each));
                wanted.map(|kind| format!("{}\0{storage_key}", kind.as_str())).collect()
            }
            Naming::ByRoute(sources) => {
                let parts = storage_key
                    .strip_prefix("/route-cache/")
                    .and_then(|rest| rest.split_once('/'))
                    .and_then(|(_, rest)| rest.split_once("/$"));
                let Some((digest, page_path)) = parts else {
                    return Vec::new();
                };
                let source = sources.get(digest).into_iter();
                source
                    .map(|source| format!("{source}\0{}", pathname(page_path)))
                    .collect()
            }
        }
    }

    /// The key under which compiled entries store, for the versions that have one beside the path.
    fn storage_key(&self, address: &Address) -> Option<String> {
        match self {
            Naming::ByPath => None,
            Naming::ByRoute(_) => Some(format!(
                "/route-cache/{}/{}/${}",
                address.kind.as_str(),
                digest(&address.source),
                page_path(&address.pathname)
            )),
        }
    }

    /// File names without extension below `server_dir` (`.next/server`), in the order in which to look: what a
    /// revalidation wrote, then what the build wrote. `None` when the path would leave the folder.
    pub fn stems(&self, address: &Address, server_dir: &Path) -> Option<Vec<PathBuf>> {
        let page_path = page_path(&address.pathname);
        if !is_contained(&page_path) {
            return None;
        }
        let folder = match address.kind {
            EntryKind::Pages => "pages",
            EntryKind::AppPage | EntryKind::AppRoute => "app",
        };
        let revalidated = self
            .storage_key(address)
            .map(|key| server_dir.join(key.trim_start_matches('/')));
        let built = server_dir.join(folder).join(page_path.trim_start_matches('/'));
        Some(revalidated.into_iter().chain([built]).collect())
    }
}

/// On the path of every request: one allocation, no formatting.
fn join(first: &str, second: &str) -> String {
    let mut key = String::with_capacity(first.len() + 1 + second.len());
    key.push_str(first);
    key.push('\0');
    key.push_str(second);
    key
}

fn digest(source: &str) -> String {
    hex(&Sha256::digest(source.as_bytes()))
}

/// The path of a page path: the way back from [`page_path`].
fn pathname(page_path: &str) -> &str {
    match page_path {
        "/index" => "/",
        path => match path.strip_prefix("/index") {
            Some(rest) if rest == "/index" || rest.starts_with("/index/") => rest,
            _ => path,
        },
    }
}

/// `/` is `/index` and `/index` is `/index/index` (`next/dist/shared/lib/page-path/normalize-page-path.js`).
fn page_path(pathname: &str) -> String {
    if pathname == "/" {
        "/index".to_owned()
    } else if pathname == "/index" || pathname.starts_with("/index/") {
        format!("/index{pathname}")
    } else {
        pathname.to_owned()
    }
}

/// Whether every segment is an ordinary name. A path from a request may hold `..`, NUL, or a separator of another system.
fn is_contained(page_path: &str) -> bool {
    page_path.starts_with('/')
        && !page_path.contains(['\0', '\\'])
        && page_path[1..]
            .split('/')
            .all(|segment| !segment.is_empty() && segment != "." && segment != "..")
        // Drive letters and alternate data streams exist only on Windows; elsewhere `:` is an ordinary character.
        && (!cfg!(windows) || !page_path.contains(':'))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(kind: EntryKind, source: &str, pathname: &str) -> Address {
        Address {
            built: true,
            kind,
            source: source.to_owned(),
            pathname: pathname.to_owned(),
        }
    }

    #[test]
    fn storage_keys_are_upstreams_and_lead_back_to_memory() {
        let naming = Naming::by_route(["/isr/page", "/"]);
        let isr = address(EntryKind::AppPage, "/isr/page", "/isr");
        // From the `.meta` of a real 16.4.6 build.
        let key = "/route-cache/APP_PAGE/c38585bae9266f2d684c4cd533090fd2a7343508ef724dfe5c9c985af08154be/$/isr";
        assert_eq!(naming.storage_key(&isr).as_deref(), Some(key));
        assert_eq!(naming.memory_keys_of(key, None), [naming.memory_key(&isr)]);
        let root = address(EntryKind::Pages, "/", "/");
        let key = naming.storage_key(&root).unwrap();
        assert_eq!(
            naming.memory_keys_of(&key, Some(EntryKind::Pages)),
            [naming.memory_key(&root)]
        );
        assert!(naming.memory_keys_of("/route-cache/PAGES/unknown/$/a", None).is_empty());
        assert!(naming.memory_keys_of("odd", None).is_empty());
    }

    #[test]
    fn root_and_index_have_names_of_their_own() {
        for (path, page) in [
            ("/", "/index"),
            ("/index", "/index/index"),
            ("/index/a", "/index/index/a"),
            ("/indexes", "/indexes"),
        ] {
            assert_eq!(page_path(path), page);
            assert_eq!(pathname(page), path);
        }
    }

    #[test]
    fn no_path_leaves_its_folder() {
        let naming = Naming::by_route(["/[[...a]]/page"]);
        let stems = |path| {
            naming.stems(
                &address(EntryKind::AppPage, "/[[...a]]/page", path),
                Path::new("/server"),
            )
        };
        for hostile in [
            "/../x",
            "/a/../../x",
            "/a//b",
            "/a/./b",
            "/a\0b",
            "/a\\..\\b",
            "relative",
        ] {
            assert_eq!(stems(hostile), None, "{hostile:?}");
        }
        assert_eq!(stems("/a/b").map(|stems| stems.len()), Some(2));
    }
}
