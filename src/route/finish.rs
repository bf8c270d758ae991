//! From what lies at a path to what answers it.
//!
//! In: an item of the table. Out: the decision, after the checks that the renderer makes of its own. Sources:
//! `handleRequestImpl`, `handleNextDataRequest`, `getRouteMatch` and `renderToResponseImpl` in `next/dist/server/
//! base-server.js`; the end of `handleRequest` in `router-server.js`.

use std::borrow::Cow;

use super::decision::{Decision, NotFound, Output, StaticFile};
use super::router::{Router, Stop};
use super::state::RouteState;
use super::table::{Definition, Item, ItemKind, BLOCKED_PAGES};
use crate::request::Request;
use crate::url::{
    decode_uri_component, is_dynamic_page, page_from_asset_path, path_has_prefix, remove_path_prefix,
    without_trailing_slash,
};

/// `Sec-Fetch-Dest` of requests that cannot show a page (`is-non-html-sec-fetch-dest.js`).
const SUBRESOURCES: [&str; 17] = [
    "audio",
    "audioworklet",
    "font",
    "image",
    "json",
    "manifest",
    "paintworklet",
    "report",
    "script",
    "serviceworker",
    "sharedworker",
    "style",
    "track",
    "video",
    "webidentity",
    "worker",
    "xslt",
];

/// What the renderer makes of a path.
enum PagePath<'p> {
    /// The path of a page.
    Page(Cow<'p, str>),
    /// A data URL that it refuses.
    Refused,
}

impl Router {
    /// The decision for an item.
    pub(super) fn finish(&self, request: &Request, state: &mut RouteState, item: Item<'_>) -> Result<Decision, Stop> {
        match item.kind {
            ItemKind::Image => Ok(Decision::Image),
            ItemKind::File(root) => Ok(Decision::File(StaticFile {
                root,
                relative: decode_uri_component(&item.item_path)
                    .map(|path| path.strip_prefix('/').unwrap_or(&path).to_owned()),
                item_path: item.item_path,
            })),
            ItemKind::App | ItemKind::Page => self.finish_page(request, state, item),
        }
    }

    fn finish_page(&self, request: &Request, state: &mut RouteState, item: Item<'_>) -> Result<Decision, Stop> {
        let path = self.renderer_path(request, state);
        // The renderer looks at the beginning only, so that a catch-all page never sees such a path.
        if path.starts_with("/_next/image") {
            return Ok(Decision::Image);
        }
        let path = match self.page_path(&path, state) {
            PagePath::Page(path) => without_trailing_slash(&path).to_owned(),
            PagePath::Refused => return Ok(Decision::NotFound(NotFound::Unrendered { no_store: true })),
        };
        let output = |definition: &Definition, params| {
            Decision::Output(Box::new(Output {
                kind: definition.kind,
                page: definition.page.clone(),
                pathname: definition.pathname.clone(),
                file: definition.file.clone(),
                params,
                resolved_pathname: path.clone(),
                is_data_request: state.is_data_request,
                edge: definition.edge,
                item_path: item.item_path.clone(),
            }))
        };
        if let Some(definition) = item.definition {
            let mut params = item.params;
            if !self.capabilities.lookup_decides_page {
                // Older renderers match the page again, and only a page with parameters has any.
                if !is_dynamic_page(&definition.pathname) {
                    params = None;
                } else if is_dynamic_page(&path) {
                    params = self.table.params_of(&definition.pathname, &path)?;
                }
            }
            return Ok(output(definition, params));
        }
        let locale = state.locale.as_ref().map(|locale| locale.locale.as_str());
        let missed = Decision::NotFound(NotFound::Unrendered { no_store: false });
        match self.table.rendered_page(&path, locale)? {
            Some((definition, _)) if is_dynamic_page(&item.item_path) && item.item_path != definition.pathname => {
                Ok(missed)
            }
            Some((definition, params)) => Ok(output(definition, params)),
            None if BLOCKED_PAGES.contains(&path.as_str()) => {
                Ok(Decision::NotFound(NotFound::Unrendered { no_store: true }))
            }
            None => Ok(missed),
        }
    }

    /// The path that the renderer is given, without basePath and locale. Notes the locale and whether the path changed.
    fn renderer_path(&self, request: &Request, state: &mut RouteState) -> String {
        let base_path = self.config.base_path.as_str();
        let mut path = state.location.path().to_owned();
        let asked = request.target.split('?').next().unwrap_or_default();
        if let (Some(locales), Some(locale)) = (self.table.locales(), &state.locale) {
            // API routes know no locale.
            let bare = remove_path_prefix(&path, base_path);
            if bare.starts_with(&format!("/{}/api", locale.locale)) {
                path = locales.split(&bare).pathname.to_owned();
            }
        }
        let rewritten = path != asked;
        let bare = remove_path_prefix(&path, base_path).into_owned();
        let bare = match self.table.locales() {
            Some(locales) => {
                let split = locales.split(&bare);
                if let Some(locale) = split.locale {
                    let locale = locale.to_owned();
                    state.set_locale(&locale);
                }
                split.pathname.to_owned()
            }
            None => bare,
        };
        state.rewritten_pathname = rewritten.then(|| bare.clone());
        bare
    }

    /// The page of a data URL; any other path is its own page.
    fn page_path<'p>(&self, path: &'p str, state: &mut RouteState) -> PagePath<'p> {
        let data = path.strip_prefix("/_next/data/").map(|rest| rest.trim_end_matches('/'));
        let Some(data) = data.filter(|data| self.has_pages && !data.is_empty()) else {
            return PagePath::Page(Cow::Borrowed(path));
        };
        let (id, page) = data.split_once('/').unwrap_or((data, ""));
        if id != self.table.build_id() || !page.ends_with(".json") {
            return PagePath::Refused;
        }
        let asset = format!("/{page}");
        let mut page = page_from_asset_path(&asset, ".json").into_owned();
        if self.middleware.is_some() {
            if self.config.trailing_slash && !page.ends_with('/') {
                page.push('/');
            } else if !self.config.trailing_slash {
                page.truncate(without_trailing_slash(&page).len());
            }
        }
        if let Some(locales) = self.table.locales() {
            let split = locales.split(&page);
            match split.locale {
                Some(locale) => {
                    let locale = locale.to_owned();
                    let bare = split.pathname.to_owned();
                    state.set_locale(&locale);
                    page = bare;
                }
                None if self.middleware.is_none() => return PagePath::Refused,
                None => {}
            }
        }
        state.is_data_request = true;
        PagePath::Page(Cow::Owned(page))
    }

    /// What to say when nothing matched.
    pub(super) fn not_found(&self, request: &Request, state: &RouteState) -> Decision {
        let mut path = state.location.pathname.as_str().into();
        for prefix in [&self.config.base_path, &self.config.asset_prefix] {
            if !prefix.is_empty() {
                path = strip(path, prefix);
            }
        }
        if let Some(locale) = &state.locale {
            path = strip(path, &format!("/{}", locale.locale));
        }
        let subresource = || {
            self.capabilities.plain_404_for_subresources
                && request.method.is_read()
                && state
                    .header_view(request)
                    .get("sec-fetch-dest")
                    .is_some_and(|value| SUBRESOURCES.contains(&value.as_ref()))
        };
        if path.starts_with("/_next/static/") || subresource() {
            return Decision::NotFound(NotFound::PlainText);
        }
        let is_data = state
            .header_view(request)
            .get("x-nextjs-data")
            .is_some_and(|value| !value.is_empty());
        if is_data && self.middleware.is_some() && !self.has_app_not_found {
            return Decision::NotFound(NotFound::Data);
        }
        Decision::NotFound(NotFound::Page)
    }

    /// The page of a route, for error pages: `/_not-found` in the App Router, `/404`, `/500` and `/_error` in the other.
    pub fn lookup(&self, pathname: &str, locale: Option<&str>) -> Option<Output> {
        let (kind, page, file, edge) = match self.table.app_page(pathname) {
            Some(found) => (found.kind, found.page.clone(), found.file.clone(), found.edge),
            None => {
                let (page, file) = self.table.manifest_page(pathname, locale)?;
                let kind = if super::table::is_api(pathname) {
                    super::decision::OutputKind::PagesApi
                } else {
                    super::decision::OutputKind::Pages
                };
                let file = file.to_owned();
                (kind, page, file, false)
            }
        };
        Some(Output {
            kind,
            page,
            pathname: pathname.to_owned(),
            file,
            params: None,
            resolved_pathname: pathname.to_owned(),
            is_data_request: false,
            edge,
            item_path: pathname.to_owned(),
        })
    }
}

fn strip<'p>(path: Cow<'p, str>, prefix: &str) -> Cow<'p, str> {
    if path_has_prefix(&path, prefix) {
        Cow::Owned(remove_path_prefix(&path, prefix).into_owned())
    } else {
        path
    }
}
