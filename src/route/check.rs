//! Files, pages and dynamic routes, at the places where upstream looks for them.
//!
//! In: a state. Out: a decision, when something is there. Source: `check_fs` and `checkTrue` in `resolve-routes.js`.

use super::decision::Decision;
use super::params::Params;
use super::router::{Router, Stop};
use super::rule::RewriteRule;
use super::state::RouteState;
use super::table::{AppLocale, Item, ItemKind};
use crate::request::Request;
use crate::url::{path_has_prefix, QueryValue};

impl Router {
    /// Everything behind middleware.
    pub(super) fn find(&self, request: &Request, state: &mut RouteState) -> Result<Option<Decision>, Stop> {
        if let Some(decision) = self.rewrite(&self.before_files, false, request, state)? {
            return Ok(Some(decision));
        }
        if let Some(decision) = self.look_up_files(request, state)? {
            return Ok(Some(decision));
        }
        if let Some(decision) = self.rewrite(&self.after_files, true, request, state)? {
            return Ok(Some(decision));
        }
        if let Some(decision) = self.look_up(request, state)? {
            return Ok(Some(decision));
        }
        self.rewrite(&self.fallback, true, request, state)
    }

    /// A file or page at exactly this path.
    fn look_up_files(&self, request: &Request, state: &mut RouteState) -> Result<Option<Decision>, Stop> {
        let path = state.location.path();
        if state.tried.iter().any(|tried| tried == path) || is_localised_api(request, state, path) {
            return Ok(None);
        }
        let Some(item) = self.table.item(path, self.app_locale(state))? else {
            return Ok(None);
        };
        let api = state.first_split.is_some() && path_has_prefix(path, "/api");
        if api || !self.is_open(&item, state) {
            return Ok(None);
        }
        if let Some(locale) = &item.locale {
            state.set_locale(locale);
        }
        self.finish(state, item).map(Some)
    }

    /// What a locale in the path is to the App Router; an inferred one is none.
    fn app_locale(&self, state: &RouteState) -> AppLocale {
        if self.capabilities.app_owns_locales && !state.locale_added {
            AppLocale::Segment
        } else {
            AppLocale::Stripped
        }
    }

    /// A file or page at this path, else a page with parameters.
    pub(super) fn look_up(&self, request: &Request, state: &mut RouteState) -> Result<Option<Decision>, Stop> {
        let path = state.location.path();
        if is_localised_api(request, state, path) {
            return Ok(None);
        }
        if !state.tried.iter().any(|tried| tried == path) {
            if let Some(item) = self.table.item(path, self.app_locale(state))? {
                if self.is_open(&item, state) {
                    return self.finish(state, item).map(Some);
                }
            }
        }
        let base_path = self.config.base_path.as_str();
        let asked = state.location.pathname.clone();
        let mut bare = asked.as_str();
        if !base_path.is_empty() {
            if !path_has_prefix(bare, base_path) {
                return Ok(None);
            }
            bare = bare
                .get(base_path.len()..)
                .filter(|rest| !rest.is_empty())
                .unwrap_or("/");
        }
        let is_data = bare.starts_with("/_next/data");
        let path = match self.table.locales() {
            Some(locales) => locales.split(bare).pathname,
            None => bare,
        };
        let for_app = self.app_locale(state);
        // To the App Router the path can be another one, with other candidates.
        let mut numbers = self.table.dynamic().candidates(path);
        if for_app == AppLocale::Segment && bare != path {
            numbers.extend(self.table.dynamic().candidates(bare));
            numbers.sort_unstable();
            numbers.dedup();
        }
        for number in numbers {
            let Some(page) = self.table.dynamic().get(number) else {
                continue;
            };
            if state.tried.contains(&page.page) {
                continue;
            }
            let item = || self.table.item(&format!("{base_path}{}", page.page), for_app);
            let is_app = |item: &Option<Item<'_>>| item.as_ref().is_some_and(|item| item.kind == ItemKind::App);
            let (item, params) = match for_app {
                AppLocale::Segment => {
                    let item = item()?;
                    let params = page.matches(if is_app(&item) { bare } else { path })?;
                    let Some(params) = params else { continue };
                    (item, params)
                }
                AppLocale::Stripped => {
                    let Some(params) = page.matches(path)? else { continue };
                    let item = item()?;
                    // The App Router has no pages below a locale, unless locales are its own segments.
                    if is_app(&item) && !self.capabilities.app_owns_locales && state.first_split.is_some() {
                        continue;
                    }
                    (item, params)
                }
            };
            if item.is_some() && is_data {
                state.mark_data_request(self.capabilities.data_request_header);
            }
            if self.config.use_file_system_public_routes || state.did_rewrite {
                let Some(item) = item else { return Ok(None) };
                let item = Item {
                    params: Some(params),
                    ..item
                };
                return self.finish(state, item).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether an item answers at its own path.
    fn is_open(&self, item: &Item<'_>, state: &RouteState) -> bool {
        self.config.use_file_system_public_routes || state.did_rewrite || !item.kind.is_page()
    }

    /// An interception rewrite may lead to a page with parameters of the page the visitor is on.
    pub(super) fn with_state_tree(
        &self,
        rule: &RewriteRule,
        params: Params,
        request: &Request,
        state: &RouteState,
    ) -> Params {
        if !(rule.intercepts && self.capabilities.state_tree_params) {
            return params;
        }
        let header = state.header_view(request).get("next-router-state-tree");
        let Some(mut found) = header.and_then(|header| state_tree_params(&header)) else {
            return params;
        };
        found.assign(params);
        found
    }
}

/// A path that the client wrote with a locale before `/api` matches no API route.
fn is_localised_api(request: &Request, state: &RouteState, path: &str) -> bool {
    let asked = request.target.split('?').next().unwrap_or_default();
    let Some((_, bare)) = &state.first_split else {
        return false;
    };
    path == asked && path_has_prefix(bare, "/api")
}

/// The parameters in a router state: `[name, value, kind]` as the segment of each node.
fn state_tree_params(header: &str) -> Option<Params> {
    let text = crate::url::decode_uri_component(header)?;
    let tree: serde_json::Value = serde_json::from_str(&text).ok()?;
    let mut params = Params::default();
    collect_params(&tree, &mut params, 0);
    Some(params)
}

fn collect_params(node: &serde_json::Value, params: &mut Params, depth: usize) {
    // The header is at most some kilobytes, but its nesting is not to be trusted.
    if depth > 64 {
        return;
    }
    let slots = node.get(1).and_then(serde_json::Value::as_object);
    for slot in slots.into_iter().flat_map(serde_json::Map::values) {
        let Some(segment) = slot.get(0) else { continue };
        let text = |at: usize| segment.get(at).and_then(serde_json::Value::as_str);
        let shown = segment.as_str().or_else(|| text(1)).unwrap_or_default();
        if shown.is_empty() || shown.starts_with("__PAGE__") {
            continue;
        }
        if let (Some(name), Some(value)) = (text(0), text(1)) {
            let value = if matches!(text(2), Some("c" | "oc")) {
                QueryValue::Many(value.split('/').map(str::to_owned).collect())
            } else {
                QueryValue::from(value)
            };
            params.set(name, Some(value));
        }
        collect_params(slot, params, depth + 1);
    }
}
