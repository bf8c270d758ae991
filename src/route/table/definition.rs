//! Every page and route handler of a build, by route.
//!
//! In: the manifests of both routers. Out: [`Definition`]s. Sources: `setupFsCheck` in `filesystem.js`, `selectAppPageEntry`
//! in `app-paths.js`.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::catch_all::spread_catch_all;
use super::request_route::request_route;
use crate::build::Build;
use crate::route::decision::OutputKind;
use crate::url::Locales;

/// A page or route handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What kind of code it is.
    pub kind: OutputKind,
    /// The key of its manifest.
    pub page: String,
    /// The route.
    pub pathname: String,
    /// The file, relative to `.next/server`.
    pub file: String,
    /// The locale that a static page of the Pages Router was made for.
    pub locale: Option<String>,
    /// App pages that share this route, slots and spread catch-alls included.
    pub app_paths: Vec<String>,
    /// Whether it runs in the edge sandbox.
    pub edge: bool,
}

impl Definition {
    /// Whether it belongs to the App Router.
    pub fn is_app(&self) -> bool {
        matches!(self.kind, OutputKind::AppPage | OutputKind::AppRoute)
    }
}

/// Pages that no request may ask for directly.
pub const BLOCKED_PAGES: [&str; 3] = ["/_document", "/_app", "/_error"];

/// Definitions of one router, by route; several differ by locale.
pub type Definitions = HashMap<String, Vec<Definition>>;

/// Whether a page of the Pages Router is an API route.
pub fn is_api(page: &str) -> bool {
    page == "/api" || page.starts_with("/api/")
}

/// The definitions of the Pages Router.
pub fn pages(build: &Build, locales: Option<&Locales>) -> Definitions {
    let mut definitions = Definitions::new();
    for (page, file) in &build.pages {
        let split = locales.map(|locales| locales.split(page));
        let pathname = split.map_or(page.as_str(), |split| split.pathname);
        if !is_api(page) && BLOCKED_PAGES.contains(&pathname) {
            continue;
        }
        definitions.entry(pathname.to_owned()).or_default().push(Definition {
            kind: if is_api(page) {
                OutputKind::PagesApi
            } else {
                OutputKind::Pages
            },
            page: page.clone(),
            pathname: pathname.to_owned(),
            file: file.clone(),
            locale: split.and_then(|split| split.locale).map(str::to_owned),
            app_paths: Vec::new(),
            edge: build.edge_functions.contains(page),
        });
    }
    definitions
}

/// The definitions of the App Router, and their routes in order.
pub fn app(build: &Build) -> (Definitions, Vec<String>) {
    let mut definitions = Definitions::new();
    let mut order = Vec::new();
    let mut by_route: IndexMap<String, Vec<String>> = IndexMap::new();
    for page in build.app_paths.keys().filter(|page| page.ends_with("/page")) {
        by_route.entry(request_route(page)).or_default().push(page.clone());
    }
    let last: HashMap<String, String> = by_route
        .iter()
        .filter(|_| build.capabilities.last_app_entry)
        .filter_map(|(route, pages)| Some((route.clone(), pages.last()?.clone())))
        .collect();
    spread_catch_all(&mut by_route);
    for (route, app_paths) in by_route {
        let Some(page) = last.get(&route).cloned().or_else(|| select_entry(&route, &app_paths)) else {
            continue;
        };
        push(
            &mut definitions,
            &mut order,
            build,
            OutputKind::AppPage,
            &page,
            &route,
            app_paths,
        );
    }
    for page in build.app_paths.keys().filter(|page| page.ends_with("/route")) {
        let route = request_route(page);
        push(
            &mut definitions,
            &mut order,
            build,
            OutputKind::AppRoute,
            page,
            &route,
            Vec::new(),
        );
    }
    (definitions, order)
}

fn push(
    definitions: &mut Definitions,
    order: &mut Vec<String>,
    build: &Build,
    kind: OutputKind,
    page: &str,
    route: &str,
    app_paths: Vec<String>,
) {
    let Some(file) = build.app_paths.get(page) else { return };
    order.push(route.to_owned());
    definitions.entry(route.to_owned()).or_default().push(Definition {
        kind,
        page: page.to_owned(),
        pathname: route.to_owned(),
        file: file.clone(),
        locale: None,
        app_paths,
        edge: build.edge_functions.contains(page),
    });
}

/// Of the pages that share a route, the one whose module is loaded: outside a slot if there is one, else the last by name.
fn select_entry(route: &str, app_paths: &[String]) -> Option<String> {
    let mut chosen: Option<&String> = None;
    for page in app_paths.iter().filter(|page| request_route(page) == route) {
        let later = chosen.is_none_or(|chosen| {
            let (chosen_slot, slot) = (chosen.contains("/@"), page.contains("/@"));
            match (chosen_slot, slot) {
                (true, false) => true,
                (false, true) => false,
                _ => locale_compare(chosen, page).is_lt(),
            }
        });
        if later {
            chosen = Some(page);
        }
    }
    chosen.cloned()
}

/// Close to JavaScript's `localeCompare` for file names: punctuation before letters, case last.
fn locale_compare(a: &str, b: &str) -> std::cmp::Ordering {
    let key = |c: char| (c.is_alphanumeric(), c.to_lowercase().next().unwrap_or(c));
    let by_letter = a.chars().map(key).cmp(b.chars().map(key));
    // Small letters come before capitals when nothing else differs.
    by_letter.then_with(|| b.cmp(a))
}
