//! Looking up one path. Source: `getItem` in `next/dist/server/lib/router-utils/filesystem.js`.

use std::borrow::Cow;
use std::collections::HashSet;

use super::definition::{Definition, Definitions};
use super::{MatchFault, Table};
use crate::build::ListingRoot;
use crate::route::params::Params;
use crate::url::{decode_uri_component, encode_uri_path, path_has_prefix, remove_path_prefix};

/// What lies at a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<'t> {
    /// What kind of thing.
    pub kind: ItemKind,
    /// The path within that kind: for a page its route, for a file the path below its folder.
    pub item_path: String,
    /// The locale that stood in the path.
    pub locale: Option<String>,
    /// The page, when it is known at once.
    pub definition: Option<&'t Definition>,
    /// Parameters that came with the lookup.
    pub params: Option<Params>,
}

/// The kinds of things that lie at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// The image optimiser.
    Image,
    /// A static file.
    File(ListingRoot),
    /// A page or handler of the App Router.
    App,
    /// A page of the Pages Router.
    Page,
}

impl ItemKind {
    /// Whether it is a page or handler.
    pub fn is_page(self) -> bool {
        matches!(self, ItemKind::App | ItemKind::Page)
    }
}

/// What a locale at the beginning of a path is to the App Router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppLocale {
    /// Nothing of its own: pages are looked for behind it.
    Stripped,
    /// A segment like any other.
    Segment,
}

/// A path in its three spellings. The others are made only when they can differ.
struct Spellings<'p> {
    raw: Cow<'p, str>,
    decoded: Cow<'p, str>,
}

impl<'p> Spellings<'p> {
    fn of(raw: Cow<'p, str>) -> Spellings<'p> {
        let decoded = match decode_uri_component(&raw) {
            Some(Cow::Owned(decoded)) => Cow::Owned(decoded),
            // Nothing to decode, or not decodable; both stay as they are.
            _ => raw.clone(),
        };
        Spellings { raw, decoded }
    }

    /// The path under which `set` has this file or page.
    fn find(self, set: &HashSet<String>) -> Option<String> {
        if set.contains(self.raw.as_ref()) {
            return Some(self.raw.into_owned());
        }
        if self.decoded != self.raw && set.contains(self.decoded.as_ref()) {
            return Some(self.decoded.into_owned());
        }
        // Some proxies decode paths, so the encoded spelling counts as well. The raw one goes on.
        let changes = |byte: u8| !(byte.is_ascii_alphanumeric() || b"/-_.!~*'()".contains(&byte));
        if self.raw.bytes().any(changes) && set.contains(&encode_uri_path(&self.raw)) {
            return Some(self.raw.into_owned());
        }
        None
    }
}

impl Table {
    /// What lies at `path`, which has basePath and locale. `for_app` says what a locale at its beginning is to the App Router.
    pub fn item(&self, path: &str, for_app: AppLocale) -> Result<Option<Item<'_>>, MatchFault> {
        let path = if self.base_path.is_empty() {
            Cow::Borrowed(path)
        } else if path_has_prefix(path, &self.base_path) {
            remove_path_prefix(path, &self.base_path)
        } else {
            return Ok(None);
        };
        let path = match path.strip_suffix('/') {
            Some(rest) if path != "/" => rest,
            _ => &path,
        };
        if path == "/_next/image" {
            return Ok(Some(Item {
                kind: ItemKind::Image,
                item_path: path.to_owned(),
                locale: None,
                definition: None,
                params: None,
            }));
        }
        let (file_path, file_locale) = self.split(path, true);
        for root in [ListingRoot::NextStatic, ListingRoot::LegacyStatic, ListingRoot::Public] {
            if let Some(item_path) = self.file(root, file_path) {
                return Ok(Some(Item {
                    kind: ItemKind::File(root),
                    item_path,
                    locale: file_locale,
                    definition: None,
                    params: None,
                }));
            }
        }
        let (page_path, locale) = self.split(path, false);
        let (app_path, app_locale) = match for_app {
            AppLocale::Stripped => (page_path, locale.as_deref()),
            AppLocale::Segment => (path, None),
        };
        if let Some(item) = self.app_item(app_path, app_locale)? {
            return Ok(Some(item));
        }
        Ok(self.page_item(page_path, locale))
    }

    /// `path` without its locale, when it has one that counts.
    fn split<'p>(&self, path: &'p str, for_files: bool) -> (&'p str, Option<String>) {
        let Some(locales) = &self.locales else {
            return (path, None);
        };
        let split = if for_files {
            locales.split_for_files(path)
        } else {
            locales.split(path)
        };
        (split.pathname, split.locale.map(str::to_owned))
    }

    fn file(&self, root: ListingRoot, path: &str) -> Option<String> {
        let found = match root {
            ListingRoot::NextStatic if path_has_prefix(path, "/_next/static") => {
                find_file(path, &self.files.next_static)
            }
            ListingRoot::LegacyStatic if path_has_prefix(path, "/static") => {
                find_file(path.strip_prefix("/static")?, &self.files.legacy_static)
            }
            ListingRoot::Public => find_file(path, &self.files.public.read()),
            _ => None,
        }?;
        Some(match root {
            ListingRoot::NextStatic => found.get("/_next/static".len()..)?.to_owned(),
            _ => found,
        })
    }

    fn app_item(&self, path: &str, locale: Option<&str>) -> Result<Option<Item<'_>>, MatchFault> {
        let definition = first(&self.app, path);
        let Some(item_path) = Spellings::of(Cow::Borrowed(path)).find(&self.app_files) else {
            return Ok(None);
        };
        // The App Router knows no locales; only the default one may stand before its pages.
        let other_locale = locale.is_some_and(|locale| {
            self.locales
                .as_ref()
                .is_some_and(|locales| locales.default_locale() != locale)
        });
        if other_locale {
            return Ok(None);
        }
        let params = match definition {
            Some(definition) => self.slot_params(definition, &item_path)?,
            None => None,
        };
        Ok(Some(Item {
            kind: ItemKind::App,
            item_path,
            locale: locale.map(str::to_owned),
            definition,
            params,
        }))
    }

    fn page_item(&self, path: &str, locale: Option<String>) -> Option<Item<'_>> {
        let data = path
            .strip_prefix("/_next/data/")
            .and_then(|rest| rest.strip_prefix(self.build_id.as_str()))
            .filter(|rest| rest.starts_with('/'))
            .and_then(|rest| rest.strip_suffix(".json"));
        let (path, locale, set) = match data {
            Some(page) => {
                let (page, locale) = self.split(page, false);
                let page = if page == "/index" { "/" } else { page };
                (page, locale, &self.data_pages)
            }
            None => (path, locale, &self.page_files),
        };
        let definition = self.page_definition(path, locale.as_deref());
        let item_path = Spellings::of(Cow::Borrowed(path)).find(set)?;
        Some(Item {
            kind: ItemKind::Page,
            item_path,
            locale,
            definition,
            params: None,
        })
    }

    /// The definition for a locale, else one without locale, else any.
    pub fn page_definition(&self, route: &str, locale: Option<&str>) -> Option<&Definition> {
        let definitions = self.pages.get(route)?;
        definitions
            .iter()
            .find(|definition| definition.locale.as_deref() == locale)
            .or_else(|| definitions.iter().find(|definition| definition.locale.is_none()))
            .or_else(|| definitions.first())
    }
}

/// The spelling of `path` under which a file is listed.
fn find_file(path: &str, listed: &HashSet<String>) -> Option<String> {
    if listed.is_empty() {
        return None;
    }
    Spellings::of(Cow::Borrowed(path)).find(listed)
}

fn first<'t>(definitions: &'t Definitions, route: &str) -> Option<&'t Definition> {
    definitions.get(route)?.first()
}
