//! What a path can be: a static file, a page, a route handler.
//!
//! In: a path. Out: the item there. Source: `getItem` in `next/dist/server/lib/router-utils/filesystem.js`. All listings are
//! sets, so a lookup costs the same for ten pages and for ten thousand.

mod catch_all;
mod definition;
mod dynamic;
mod item;
mod page_matcher;
mod page_regex;
mod request_route;
mod sort;

#[cfg(test)]
pub(super) use dynamic::segments_of_page;
#[cfg(test)]
pub(super) use sort::sorted;

pub use definition::{is_api, Definition, BLOCKED_PAGES};
pub use dynamic::{DynamicPage, DynamicTable, MatchFault};
pub use item::{AppLocale, Item, ItemKind};

use std::collections::{HashMap, HashSet};

use definition::Definitions;

use super::index::SegmentIndex;
use super::params::Params;
use crate::build::{Build, Listing};
use crate::url::{is_dynamic_page, Locales};

/// Everything a path can be.
#[derive(Debug, Clone)]
pub struct Table {
    base_path: String,
    locales: Option<Locales>,
    build_id: String,
    files: Listing,
    app_files: HashSet<String>,
    page_files: HashSet<String>,
    data_pages: HashSet<String>,
    app: Definitions,
    pages: Definitions,
    /// Keys of `pages-manifest.json`, which error pages are looked up in.
    manifest_pages: HashMap<String, String>,
    dynamic: DynamicTable,
    /// Dynamic pages in the order in which the renderer tries them, and their index.
    rendered: Vec<DynamicPage>,
    rendered_index: SegmentIndex,
    /// Expressions for slots, by app page.
    slots: HashMap<String, Vec<DynamicPage>>,
}

impl Table {
    /// Reads the pages of `build`.
    pub fn compile(build: &Build, base_path: &str, locales: Option<&Locales>) -> Result<Table, String> {
        let (app, app_order) = definition::app(build);
        let pages = definition::pages(build, locales);
        let dynamic = DynamicTable::compile(build, &app_order, locales.is_some())?;
        let page_files = build.pages.keys().map(|page| match locales {
            Some(locales) => locales.split(page).pathname.to_owned(),
            None => page.clone(),
        });
        let mut table = Table {
            base_path: base_path.to_owned(),
            locales: locales.cloned(),
            build_id: build.id.clone(),
            files: build.files.clone(),
            app_files: build.app_routes.values().cloned().collect(),
            page_files: page_files.collect(),
            data_pages: build
                .routes
                .data_routes
                .iter()
                .map(|route| route.page.clone())
                .collect(),
            manifest_pages: build
                .pages
                .iter()
                .map(|(page, file)| (page.clone(), file.clone()))
                .collect(),
            slots: HashMap::new(),
            rendered: Vec::new(),
            rendered_index: SegmentIndex::default(),
            dynamic,
            app,
            pages,
        };
        table.compile_rendered()?;
        table.compile_slots()?;
        Ok(table)
    }

    fn compile_rendered(&mut self) -> Result<(), String> {
        let mut names: Vec<&str> = self
            .pages
            .keys()
            .chain(self.app.keys())
            .map(String::as_str)
            .filter(|page| is_dynamic_page(page))
            .collect();
        names.sort_unstable();
        names.dedup();
        for number in sort::sorted(&names) {
            let Some(page) = names.get(number) else { continue };
            // The renderer's own matching knows no text around a parameter, in any version.
            self.rendered.push(DynamicPage::compile(page, false)?);
            self.rendered_index.push(&dynamic::segments_of_page(page));
        }
        Ok(())
    }

    fn compile_slots(&mut self) -> Result<(), String> {
        for definition in self.app.values().flatten() {
            let mut patterns = Vec::new();
            for page in &definition.app_paths {
                let route = request_route::request_route(page);
                if is_dynamic_page(&route) {
                    patterns.push(DynamicPage::compile(&route, false)?);
                }
            }
            if !patterns.is_empty() {
                self.slots.insert(definition.page.clone(), patterns);
            }
        }
        Ok(())
    }

    /// The dynamic pages.
    pub fn dynamic(&self) -> &DynamicTable {
        &self.dynamic
    }

    /// The locales, when the app has any.
    pub fn locales(&self) -> Option<&Locales> {
        self.locales.as_ref()
    }

    /// The build id.
    pub fn build_id(&self) -> &str {
        &self.build_id
    }

    /// The parameters that an app page takes from a path because of its slots or its own brackets.
    fn slot_params(&self, definition: &Definition, path: &str) -> Result<Option<Params>, MatchFault> {
        for pattern in self.slots.get(&definition.page).into_iter().flatten() {
            if let Some(params) = pattern.matches(path)? {
                return Ok(Some(params));
            }
        }
        Ok(None)
    }

    /// The parameters of `path` for a dynamic route, as the renderer finds them.
    pub fn params_of(&self, route: &str, path: &str) -> Result<Option<Params>, MatchFault> {
        match self.rendered.iter().find(|page| page.page == route) {
            Some(page) => page.matches(path),
            None => Ok(None),
        }
    }

    /// The page for `path` as the renderer finds it when the lookup gave none: an exact one, else the first dynamic one.
    pub fn rendered_page(
        &self,
        path: &str,
        locale: Option<&str>,
    ) -> Result<Option<(&Definition, Option<Params>)>, MatchFault> {
        if !is_dynamic_page(path) {
            if let Some(definition) = self.exact(path, locale) {
                return Ok(Some((definition, None)));
            }
        }
        for number in self.rendered_index.candidates(path) {
            let Some(page) = self.rendered.get(number as usize) else {
                continue;
            };
            if let Some(params) = page.matches(path)? {
                if let Some(definition) = self.exact(&page.page, locale) {
                    return Ok(Some((definition, Some(params))));
                }
            }
        }
        Ok(None)
    }

    /// The definition of a route, in the Pages Router before the App Router.
    pub fn exact(&self, route: &str, locale: Option<&str>) -> Option<&Definition> {
        let pages = self.pages.get(route).and_then(|definitions| {
            let fits = |definition: &&Definition| match (&definition.locale, locale) {
                (Some(own), Some(wanted)) => own == wanted,
                _ => true,
            };
            definitions.iter().find(fits)
        });
        pages.or_else(|| self.app.get(route).and_then(|definitions| definitions.first()))
    }

    /// The definition of a route of the App Router.
    pub fn app_page(&self, route: &str) -> Option<&Definition> {
        self.app.get(route).and_then(|definitions| definitions.first())
    }

    /// The file of a page of the Pages Router, blocked ones included: first the one of the locale.
    pub fn manifest_page(&self, page: &str, locale: Option<&str>) -> Option<(String, &str)> {
        if let Some(locale) = locale {
            let localised = if page == "/" {
                format!("/{locale}")
            } else {
                format!("/{locale}{page}")
            };
            if let Some(file) = self.manifest_pages.get(&localised) {
                return Some((localised, file));
            }
        }
        let file = self.manifest_pages.get(page)?;
        Some((page.to_owned(), file))
    }
}
