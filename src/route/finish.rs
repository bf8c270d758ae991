//! From what lies at a path to what answers it.
//!
//! In: an item of the table. Out: the decision, after the checks that the renderer makes of its own. Sources:
//! `handleRequestImpl`, `handleNextDataRequest`, `getRouteMatch` and `renderToResponseImpl` in `next/dist/server/
//! base-server.js`; the end of `handleRequest` in `router-server.js`.

use std::borrow::Cow;

use super::decision::{Decision, NotFound, Output, OutputKind, StaticFile};
use super::params::Params;
use super::router::{Router, Stop};
use super::state::RouteState;
use super::table::{Definition, Item, ItemKind, MatchFault, BLOCKED_PAGES};
use crate::request::{Request, SUBRESOURCES};
use crate::url::{
    decode_uri_component, is_dynamic_page, page_from_asset_path, parse_target, path_has_prefix, remove_path_prefix,
    without_trailing_slash, Dialect,
};

/// What the renderer makes of a path.
enum PagePath<'p> {
    /// The path of a page.
    Page(Cow<'p, str>),
    /// A data URL that it refuses.
    Refused,
}

impl Router {
    /// The decision for an item.
    pub(super) fn finish(&self, state: &mut RouteState, item: Item<'_>) -> Result<Decision, Stop> {
        match item.kind {
            ItemKind::Image => Ok(Decision::Image),
            ItemKind::File(root) => Ok(Decision::File(StaticFile {
                root,
                relative: decode_uri_component(&item.item_path)
                    .map(|path| path.strip_prefix('/').unwrap_or(&path).to_owned()),
                item_path: item.item_path,
            })),
            ItemKind::App | ItemKind::Page => self.finish_page(state, item),
        }
    }

    /// The decision for a page that the server itself asks for. `path` has no basePath.
    pub(super) fn finish_alone(&self, state: &mut RouteState, path: &str) -> Result<Decision, Stop> {
        let split = self.table.locales().map(|locales| locales.split(path));
        let (path, has_locale) = match split {
            Some(split) => (split.pathname, split.locale.is_some()),
            None => (path, false),
        };
        let path = without_trailing_slash(path);
        let locale = state.locale.as_ref().map(|locale| locale.locale.clone());
        let found = self.table.rendered_page(path, locale.as_deref())?;
        let missed = Decision::NotFound(NotFound::Unrendered { no_store: false });
        Ok(match found {
            Some((definition, _)) if has_locale && definition.is_app() => missed,
            Some((definition, params)) => self.output(state, definition, params, path, path),
            None => missed,
        })
    }

    /// The output of a definition.
    fn output(
        &self,
        state: &RouteState,
        definition: &Definition,
        params: Option<Params>,
        path: &str,
        item_path: &str,
    ) -> Decision {
        let locale = state.locale.as_ref().map(|locale| locale.locale.as_str());
        // The renderer loads the page of the locale in use, whichever one the lookup came upon.
        let localised = match definition.kind {
            OutputKind::Pages if locale.is_some() => self.table.manifest_page(&definition.pathname, locale),
            _ => None,
        };
        let (page, file) = match localised {
            Some((page, file)) => (page, file.to_owned()),
            None => (definition.page.clone(), definition.file.clone()),
        };
        Decision::Output(Box::new(Output {
            kind: definition.kind,
            page,
            pathname: definition.pathname.clone(),
            file,
            params,
            resolved_pathname: path.to_owned(),
            is_data_request: state.is_data_request,
            edge: definition.edge,
            item_path: item_path.to_owned(),
        }))
    }

    fn finish_page(&self, state: &mut RouteState, item: Item<'_>) -> Result<Decision, Stop> {
        let path = self.renderer_path(state);
        // The renderer looks at the beginning only, so that a catch-all page never sees such a path.
        if path.starts_with("/_next/image") {
            return Ok(Decision::Image);
        }
        let path = match self.page_path(&path, state) {
            PagePath::Page(path) => without_trailing_slash(&path).to_owned(),
            PagePath::Refused => return Ok(Decision::NotFound(NotFound::Unrendered { no_store: true })),
        };
        let locale = state.locale.as_ref().map(|locale| locale.locale.clone());
        let output = |definition: &Definition, params| self.output(state, definition, params, &path, &item.item_path);
        // Not even a catch-all page gets these paths. Edge functions are called before that is looked at.
        let is_refused = |edge: bool| !edge && BLOCKED_PAGES.contains(&path.as_str());
        let refused = Decision::NotFound(NotFound::Unrendered { no_store: true });
        let known = item.definition.filter(|_| self.capabilities.lookup_decides_page);
        let found = match known {
            Some(definition) => Some((definition, item.params)),
            None => self.rematch(&item.item_path, &path, locale.as_deref())?,
        };
        Ok(match found {
            Some((definition, _)) if is_refused(definition.edge) => refused,
            Some((definition, params)) => output(definition, params),
            None if is_refused(false) => refused,
            None => Decision::NotFound(NotFound::Unrendered { no_store: false }),
        })
    }

    /// The page of `path` as the renderer finds it. It keeps to the route that the lookup came upon if that one has
    /// parameters, unless an edge function or an API route comes first.
    fn rematch(
        &self,
        looked_up: &str,
        path: &str,
        locale: Option<&str>,
    ) -> Result<Option<(&Definition, Option<Params>)>, Stop> {
        let first = self
            .table
            .rendered_page(path, locale)
            .map_err(|fault| self.rematch_fault(fault))?;
        let Some((definition, _)) = &first else { return Ok(None) };
        let called_first = definition.edge || definition.kind == OutputKind::PagesApi;
        if called_first || !is_dynamic_page(looked_up) || definition.pathname == looked_up {
            return Ok(first);
        }
        let params = self
            .table
            .params_of(looked_up, path)
            .map_err(|fault| self.rematch_fault(fault))?;
        let definition = self.table.exact(looked_up, locale);
        Ok(definition
            .zip(params)
            .map(|(definition, params)| (definition, Some(params))))
    }

    /// What does not decode is no bad request to older renderers, but a fault of theirs.
    fn rematch_fault(&self, fault: MatchFault) -> Stop {
        match fault {
            MatchFault::Undecodable if !self.capabilities.lookup_decides_page => {
                Stop::Fault("failed to decode param".to_owned())
            }
            fault => Stop::from(fault),
        }
    }

    /// The path that the renderer is given, without basePath and locale. Notes the locale and whether the path changed.
    fn renderer_path(&self, state: &mut RouteState) -> String {
        let base_path = self.config.base_path.as_str();
        let mut path = state.location.path().to_owned();
        if let (Some(locales), Some(locale)) = (self.table.locales(), &state.locale) {
            // API routes know no locale.
            let bare = remove_path_prefix(&path, base_path);
            if bare.starts_with(&format!("/{}/api", locale.locale)) {
                path = locales.split(&bare).pathname.to_owned();
            }
        }
        // Dot segments that a rule or an older parser left in the path go here.
        if let Ok(parts) = parse_target(&path, Dialect::Whatwg) {
            path = parts.pathname;
        }
        let rewritten = path != state.asked;
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
        if rewritten {
            state.rewritten_pathname = Some(bare.clone());
        }
        bare
    }

    /// Whether the renderer, when it is to run middleware, answers 404 instead: for what lies with the data of this build and is
    /// no JSON. Source: `handleNextDataRequest` in `base-server.js`.
    pub(super) fn refuses_data_path(&self, path: &str) -> bool {
        let Some(data) = path.strip_prefix("/_next/data/").filter(|_| self.has_pages) else {
            return false;
        };
        let (id, page) = data.split_once('/').unwrap_or((data, ""));
        id == self.table.build_id() && !page.ends_with(".json")
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
        for prefix in [self.config.base_path.as_str(), &self.asset_prefix.get()] {
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
                    OutputKind::PagesApi
                } else {
                    OutputKind::Pages
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
