//! The rules of one request, in order, and where they lead.
//!
//! In: a state. Out: the state after headers, redirects and rewrites, or a decision. Source: `handleRoute` in
//! `resolve-routes.js`.

use super::decision::{Decision, Redirect, RedirectReason};
use super::header_view::HeaderText;
use super::params::Params;
use super::router::{Router, Stop};
use super::rule::{is_sendable, stringify_query, HeaderRule, RewriteRule, RuleFault, RuleSource};
use super::rule_set::RuleSet;
use super::state::RouteState;
use crate::request::Request;
use crate::url::{add_path_prefix, join_paths, path_has_prefix, remove_path_prefix, strip_data_path, UrlParts};

const REWRITTEN_PATH: &str = "x-nextjs-rewritten-path";
const REWRITTEN_QUERY: &str = "x-nextjs-rewritten-query";

/// A rule that applies to a request.
struct Match<'r, R> {
    number: u32,
    rule: &'r R,
    params: Params,
}

impl Router {
    /// Whether the path is below `/_next/data`, of this build or another one.
    pub(super) fn is_data_path(&self, state: &RouteState) -> bool {
        let bare = remove_path_prefix(&state.location.pathname, &self.config.base_path);
        path_has_prefix(&bare, "/_next/data") && bare.ends_with(".json")
    }

    /// With middleware, `/_next/data/<id>/p.json` is routed as `/p`.
    pub(super) fn unwrap_data_path(&self, state: &mut RouteState) {
        if self.middleware.is_none() || state.location.pathname.is_empty() {
            return;
        }
        let base_path = self.config.base_path.as_str();
        let has_base_path = !base_path.is_empty() && path_has_prefix(&state.location.pathname, base_path);
        let bare = if has_base_path {
            remove_path_prefix(&state.location.pathname, base_path).into_owned()
        } else {
            state.location.pathname.clone()
        };
        let any_data = path_has_prefix(&bare, "/_next/data") && bare.ends_with(".json");
        let page = strip_data_path(&bare, self.table.build_id()).map(|page| page.into_owned());
        if page.is_some() || (any_data && self.capabilities.foreign_data_paths) {
            state.mark_data_request(self.capabilities.data_request_header);
        }
        let updated = page.is_some();
        let mut path = page.unwrap_or(bare);
        if let Some(locales) = self.table.locales() {
            let split = locales.split(&path);
            match (split.locale, state.default_locale.clone()) {
                (Some(locale), _) => {
                    let locale = locale.to_owned();
                    state.set_locale(&locale);
                }
                (None, Some(default))
                    if self.capabilities.data_path_default_locale && !split.pathname.starts_with("/_next/") =>
                {
                    path = if split.pathname == "/" {
                        format!("/{default}")
                    } else {
                        add_path_prefix(split.pathname, &format!("/{default}"))
                    };
                }
                _ => {}
            }
        }
        if updated {
            if has_base_path {
                path = if path == "/" {
                    base_path.to_owned()
                } else {
                    // `/_next/data/<id>/...json` is the page `/..`, and must not lead out of the basePath.
                    join_paths(base_path, &path)
                };
            }
            state.location.pathname = self.with_trailing_slash(path);
        }
    }

    /// The path that rules of Next.js itself look at: without the default locale. `None` when it is the same.
    fn internal_path(&self, state: &RouteState) -> Option<String> {
        let locales = self.table.locales()?;
        let path = state.location.path();
        let base_path = self.config.base_path.as_str();
        let bare = if base_path.is_empty() {
            path.into()
        } else {
            remove_path_prefix(path, base_path)
        };
        let had_base_path = bare != path;
        let split = locales.split(&bare);
        let is_default = split.locale.is_some() && split.locale == state.default_locale.as_deref();
        let prefix = if had_base_path { base_path } else { "" };
        let mut internal = if is_default && !(split.pathname == "/" && had_base_path) {
            add_path_prefix(split.pathname, prefix)
        } else if is_default || (had_base_path && bare == "/") {
            base_path.to_owned()
        } else {
            add_path_prefix(&bare, prefix)
        };
        if (is_default || had_base_path) && path.ends_with('/') {
            internal = self.with_trailing_slash(internal);
        }
        Some(internal)
    }

    /// Header rules: all that match.
    pub(super) fn apply_headers(&self, request: &Request, state: &mut RouteState) -> Result<(), RuleFault> {
        self.apply_header_rules(&self.headers, request, state)
    }

    /// Header rules for requests that matched something.
    pub(super) fn apply_on_match(&self, request: &Request, state: &mut RouteState) -> Result<(), RuleFault> {
        self.apply_header_rules(&self.on_match, request, state)
    }

    fn apply_header_rules(
        &self,
        rules: &RuleSet<HeaderRule>,
        request: &Request,
        state: &mut RouteState,
    ) -> Result<(), RuleFault> {
        let mut headers = std::mem::take(&mut state.headers);
        let applied = self
            .matches(rules, 0, request, state)
            .try_for_each(|found| found.and_then(|found| found.rule.apply(&found.params, &mut headers)));
        state.headers = headers;
        applied
    }

    /// Redirect rules: the first that matches.
    pub(super) fn redirect(&self, request: &Request, state: &mut RouteState) -> Result<Option<Decision>, RuleFault> {
        let Some(Match { rule, params, .. }) = self.first_match(&self.redirects, 0, request, state)? else {
            return Ok(None);
        };
        let location = rule.location(&params, &state.location.query, &state.init_query)?;
        // Headers of rules do not go onto a redirect.
        state.headers = Default::default();
        Ok(Some(redirect(rule.status, location, RedirectReason::Rule)?))
    }

    /// Rewrites of one moment. With `check`, what each leads to is looked up at once.
    pub(super) fn rewrite(
        &self,
        rules: &RuleSet<RewriteRule>,
        check: bool,
        request: &Request,
        state: &mut RouteState,
    ) -> Result<Option<Decision>, Stop> {
        let mut next = 0;
        while let Some(Match { number, rule, params }) = self.first_match(rules, next, request, state)? {
            let params = self.with_state_tree(rule, params, request, state);
            let target = rule.target(&params, &state.location.query)?;
            let keeps_locale = |locale: Option<&str>| rule.keeps_locale(&params, locale);
            if let Some(decision) = self.follow(request, state, target, keeps_locale)? {
                return Ok(Some(decision));
            }
            if check {
                if let Some(decision) = self.look_up(request, state)? {
                    return Ok(Some(decision));
                }
            }
            // The rules after this one see the new path.
            next = number + 1;
        }
        Ok(None)
    }

    /// The first rule from number `from` on that applies to the request as it is now.
    fn first_match<'r, R: AsRef<RuleSource>>(
        &self,
        rules: &'r RuleSet<R>,
        from: u32,
        request: &Request,
        state: &RouteState,
    ) -> Result<Option<Match<'r, R>>, RuleFault> {
        self.matches(rules, from, request, state).next().transpose()
    }

    /// The rules from number `from` on that apply to the request as it is now, in order.
    fn matches<'r: 's, 's, R: AsRef<RuleSource>>(
        &self,
        rules: &'r RuleSet<R>,
        from: u32,
        request: &'s Request,
        state: &'s RouteState,
    ) -> impl Iterator<Item = Result<Match<'r, R>, RuleFault>> + 's {
        let path = state.location.path();
        let internal = if rules.has_internal() {
            self.internal_path(state)
        } else {
            None
        };
        let candidates = rules.candidates(path, internal.as_deref()).into_iter();
        candidates
            .filter(move |number| *number >= from)
            .filter_map(move |number| {
                let rule = rules.get(number)?;
                let source = rule.as_ref();
                let path = match &internal {
                    Some(internal) if source.internal => internal,
                    _ => path,
                };
                let params = source.matches(path, &state.subject(request)).transpose()?;
                Some(params.map(|params| Match { number, rule, params }))
            })
    }

    /// Moves the request to `target`, or hands it to another server. `keeps_locale` says whether the locale of the target is the one that
    /// the request had.
    fn follow(
        &self,
        request: &Request,
        state: &mut RouteState,
        target: UrlParts,
        keeps_locale: impl Fn(Option<&str>) -> bool,
    ) -> Result<Option<Decision>, Stop> {
        let external = target.is_absolute();
        // Before 16 an external target left before these headers were written.
        let writes_headers = !external || self.capabilities.client_param_parsing_origins;
        let is_rsc = state.header_view(request).get("rsc").as_deref() == Some("1");
        if is_rsc && writes_headers && (!external || self.may_see_path(&target)?) {
            self.show_rewritten(state, &target);
        }
        if external {
            state.headers = Default::default();
            return Ok(Some(Decision::Proxy {
                url: proxy_url(target, state),
            }));
        }
        if let Some(locales) = self.table.locales() {
            let bare = remove_path_prefix(&target.pathname, &self.config.base_path);
            let locale = locales.split(&bare).locale;
            state.locale_added &= keeps_locale(locale);
            if let Some(locale) = locale {
                state.set_locale(locale);
            }
        }
        state.did_rewrite = true;
        state.location.pathname = target.pathname;
        state.location.query.assign(&target.query);
        Ok(None)
    }

    fn may_see_path(&self, target: &UrlParts) -> Result<bool, Stop> {
        let Some(origin) = &target.origin else { return Ok(true) };
        for allowed in &self.client_origins {
            if allowed.is_match(origin).map_err(RuleFault::from)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A client-side navigation has to learn where it really went.
    fn show_rewritten(&self, state: &mut RouteState, target: &UrlParts) {
        if state.location.pathname != target.pathname {
            let path = HeaderText::One(target.pathname.clone());
            state.direct.set(REWRITTEN_PATH, path.clone());
            if self.capabilities.rewritten_path_overrides {
                state.headers.set(REWRITTEN_PATH, path);
            }
        }
        // The legacy parser has `null` where there is no query, which is not the same as an empty one.
        let had_none = !self.capabilities.whatwg_targets && state.location.search.is_empty();
        if state.location.search != target.search || had_none {
            let query = target.search.strip_prefix('?').unwrap_or(&target.search);
            state.direct.set(REWRITTEN_QUERY, HeaderText::from(query));
        }
    }
}

/// The absolute URL of a proxied request.
pub(super) fn proxy_url(mut target: UrlParts, state: &RouteState) -> String {
    let query = std::mem::take(&mut target.query);
    target.search = stringify_query(&query, &state.init_query);
    target.format()
}

/// A redirect as the router answers it.
pub(super) fn redirect(status: u16, location: String, reason: RedirectReason) -> Result<Decision, RuleFault> {
    // Node refuses such a header, and upstream then shows its 500 page.
    if !is_sendable(&location) {
        return Err(RuleFault(
            "Invalid character in header content [\"location\"]".to_owned(),
        ));
    }
    Ok(Decision::Redirect(Redirect {
        status,
        refresh: (status == 308).then(|| format!("0;url={location}")),
        location,
        reason,
    }))
}
