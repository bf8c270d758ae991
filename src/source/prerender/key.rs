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

    /// The key in memory that the key of a compiled entry stands for.
    pub fn memory_key_of(&self, storage_key: &str, kind: EntryKind) -> String {
        match self {
            Naming::ByPath => join(kind.as_str(), pathname(storage_key)),
            Naming::ByRoute(sources) => {
                let parts = split_storage_key(storage_key);
                match parts.and_then(|(digest, page_path)| Some((sources.get(digest)?, page_path))) {
                    Some((source, page_path)) => join(source, pathname(page_path)),
                    // No route that a request can be matched with: only compiled entries will ask for it.
                    None => join(kind.as_str(), storage_key),
                }
            }
        }
    }

    /// The path whose answer the key of a compiled entry stands for.
    pub fn pathname_of<'a>(&self, storage_key: &'a str) -> &'a str {
        let page_path = match self {
            Naming::ByPath => None,
            Naming::ByRoute(_) => split_storage_key(storage_key).map(|(_, page_path)| page_path),
        };
        pathname(page_path.unwrap_or(storage_key))
    }

    /// The key under which compiled entries store.
    pub fn storage_key(&self, address: &Address) -> String {
        let page_path = page_path(&address.pathname);
        match self {
            Naming::ByPath => page_path,
            Naming::ByRoute(_) => format!(
                "/route-cache/{}/{}/${page_path}",
                address.kind.as_str(),
                digest(&address.source),
            ),
        }
    }

    /// Where the answers under the key of a compiled entry lie below `server_dir` (`.next/server`). `None` when the key would
    /// leave the folder.
    pub fn stems(&self, storage_key: &str, kind: EntryKind, server_dir: &Path) -> Option<Stems> {
        let (page_path, scoped) = match self {
            Naming::ByPath => (storage_key, None),
            Naming::ByRoute(_) => (split_storage_key(storage_key)?.1, Some(storage_key)),
        };
        if !is_contained(storage_key) || !is_contained(page_path) {
            return None;
        }
        let below = |folder: &Path, path: &str| folder.join(path.trim_start_matches('/'));
        let folder = match kind {
            EntryKind::Pages => "pages",
            EntryKind::AppPage | EntryKind::AppRoute => "app",
        };
        let built = below(&server_dir.join(folder), page_path);
        Some(match scoped {
            Some(key) => Stems {
                stored: below(server_dir, key),
                built: Some(built),
            },
            None => Stems {
                stored: built,
                built: None,
            },
        })
    }
}

/// Names of files without their extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stems {
    /// Where renders at run time are stored.
    pub stored: PathBuf,
    /// Where the build has left an answer, if that is somewhere else. Another route may have made it.
    pub built: Option<PathBuf>,
}

/// Digest of the route and page path of `/route-cache/<KIND>/<digest>/$<page path>`.
fn split_storage_key(key: &str) -> Option<(&str, &str)> {
    let (_, rest) = key.strip_prefix("/route-cache/")?.split_once('/')?;
    rest.split_once("/$")
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
            partial: false,
            fallback: false,
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
        assert_eq!(naming.storage_key(&isr), key);
        for naming in [naming, Naming::ByPath] {
            for (kind, source, pathname) in [
                (EntryKind::AppPage, "/isr/page", "/isr"),
                (EntryKind::Pages, "/", "/"),
                (EntryKind::Pages, "/", "/index"),
            ] {
                let address = address(kind, source, pathname);
                let key = naming.storage_key(&address);
                assert_eq!(naming.memory_key_of(&key, kind), naming.memory_key(&address), "{key}");
            }
        }
        let unknown = Naming::by_route([]).memory_key_of("odd", EntryKind::Pages);
        assert_eq!(unknown, "PAGES\0odd");
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
        let server = Path::new("/server");
        for naming in [Naming::by_route(["/[[...a]]/page"]), Naming::ByPath] {
            let stems = |path| {
                let address = address(EntryKind::AppPage, "/[[...a]]/page", path);
                naming.stems(&naming.storage_key(&address), EntryKind::AppPage, server)
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
            let Stems { stored, built } = stems("/a/b").unwrap();
            assert!(stored.starts_with("/server") && stored.ends_with("a/b"));
            assert!(built.is_none_or(|built| built == Path::new("/server/app/a/b")));
        }
        // A key as no entry makes it.
        let by_route = Naming::by_route([]);
        let key = "/route-cache/../x/$/a";
        assert_eq!(by_route.stems(key, EntryKind::AppPage, server), None);
    }
}
