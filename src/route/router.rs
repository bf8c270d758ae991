//! The router: everything compiled at start, and the steps of one request.
//!
//! In: a build and a configuration, then requests. Out: [`RouteStep`]s. The order is that of `resolveRoutes` in
//! `next/dist/server/lib/router-utils/resolve-routes.js`.

use super::asset_prefix::AssetPrefix;
use super::decision::{Decision, Event, NotFound, Redirect, RedirectReason, RouteStep};
use super::header_view::HeaderText;
use super::locale_redirect::locale_redirect;
use super::middleware_matcher::MiddlewareMatcher;
use super::origin::ServedAt;
use super::rule::{DestinationOptions, HeaderRule, RedirectRule, RewriteRule, RuleFault, SourceOptions};
use super::rule_set::RuleSet;
use super::state::{LocaleState, RouteState};
use super::table::{MatchFault, Table};
use crate::build::{Build, Capabilities, Condition, ConditionType};
use crate::config::NextConfig;
use crate::error::{Code, Error};
use crate::request::{may_be_cacheable, Request, DATA_HEADER};
use crate::url::{
    add_path_prefix, any_data_page, collapse_slashes, has_repeated_slashes, host_name, parse_collapsed, parse_target,
    path_has_prefix, remove_path_prefix, Dialect, Locales, Location,
};

/// Upstream gives up after this many tries.
const MAX_ATTEMPTS: u8 = 5;

/// Routing for one build and configuration.
#[derive(Debug, Clone)]
pub struct Router {
    pub(super) config: NextConfig,
    pub(super) capabilities: Capabilities,
    pub(super) table: Table,
    pub(super) headers: RuleSet<HeaderRule>,
    pub(super) on_match: RuleSet<HeaderRule>,
    pub(super) redirects: RuleSet<RedirectRule>,
    pub(super) before_files: RuleSet<RewriteRule>,
    pub(super) after_files: RuleSet<RewriteRule>,
    pub(super) fallback: RuleSet<RewriteRule>,
    pub(super) middleware: Option<MiddlewareMatcher>,
    pub(super) client_origins: Vec<super::pattern::JsRegex>,
    pub(super) served_at: ServedAt,
    pub(super) asset_prefix: AssetPrefix,
    pub(super) has_app_not_found: bool,
    pub(super) has_pages: bool,
    pub(super) preview_mode_id: String,
    targets_alone: bool,
}

/// Why routing stopped without a decision of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    BadRequest,
    Fault(String),
}

impl From<RuleFault> for Stop {
    fn from(fault: RuleFault) -> Self {
        Stop::Fault(fault.0)
    }
}

impl From<MatchFault> for Stop {
    fn from(fault: MatchFault) -> Self {
        match fault {
            MatchFault::Undecodable => Stop::BadRequest,
            MatchFault::TooComplex => Stop::Fault("a route took too many steps to match".to_owned()),
        }
    }
}

impl Router {
    /// Compiles every rule and route. Fails on a rule that cannot be compiled, as upstream does at start.
    pub fn compile(build: &Build, config: &NextConfig) -> Result<Router, Error> {
        Router::try_compile(build, config).map_err(|message| {
            Error::new(
                Code::BadConfig,
                format!("A rule or route of this build cannot be compiled: {message}."),
            )
        })
    }

    fn try_compile(build: &Build, config: &NextConfig) -> Result<Router, String> {
        let routes = &build.routes;
        let capabilities = build.capabilities;
        let locales = config.i18n.as_ref().map(Locales::compile);
        let open = SourceOptions {
            sensitive: config.experimental.case_sensitive_routes,
            restricted: None,
        };
        let restricted = SourceOptions {
            restricted: Some(format!("{}/_next", config.base_path)),
            ..open.clone()
        };
        let destination = DestinationOptions {
            encode_host: capabilities.encoded_destination_hosts,
            strip_separators: capabilities.strips_separators,
            keep_auth: capabilities.destination_auth,
        };
        let strip = capabilities.strips_separators;
        let headers = |rules: &[crate::build::HeaderRule]| -> Result<_, String> {
            let rules = rules.iter().map(|rule| HeaderRule::compile(rule, &open, strip));
            Ok(RuleSet::new(rules.collect::<Result<Vec<_>, _>>()?))
        };
        let rewrites = |rules: &[crate::build::RewriteRule], options: &SourceOptions| -> Result<_, String> {
            let rules = rules
                .iter()
                .map(|rule| RewriteRule::compile(rule, options, destination, &config.base_path));
            Ok(RuleSet::new(rules.collect::<Result<Vec<_>, _>>()?))
        };
        let redirects = routes
            .redirects
            .iter()
            .map(|rule| RedirectRule::compile(rule, &restricted, destination));
        let redirects: Vec<RedirectRule> = redirects.collect::<Result<_, String>>()?;
        let table = Table::compile(build, &config.base_path, locales.as_ref())?;
        let origins = config.experimental.client_param_parsing_origins.iter().flatten();
        let client_origins: Vec<_> = origins
            .filter(|_| capabilities.client_param_parsing_origins)
            .map(|origin| super::pattern::JsRegex::compile(origin, false))
            .collect::<Result<_, _>>()?;
        let targets_alone = build.middleware.is_none()
            && config.i18n.is_none()
            && client_origins.is_empty()
            && routes.conditions().all(is_of_targets);
        Ok(Router {
            targets_alone,
            headers: headers(&routes.headers)?,
            on_match: if capabilities.on_match_headers {
                headers(&routes.on_match_headers)?
            } else {
                headers(&[])?
            },
            redirects: RuleSet::new(redirects),
            // Upstream forgets the case option for these, so that they always ignore case.
            before_files: rewrites(&routes.rewrites.before_files, &SourceOptions::default())?,
            after_files: rewrites(&routes.rewrites.after_files, &open)?,
            fallback: rewrites(&routes.rewrites.fallback, &open)?,
            middleware: build
                .middleware
                .as_deref()
                .map(MiddlewareMatcher::compile)
                .transpose()?,
            has_app_not_found: table.app_page("/_not-found").is_some(),
            has_pages: !build.pages.is_empty(),
            preview_mode_id: build.preview.preview_mode_id.clone(),
            served_at: ServedAt::new(None, 3000, config.experimental.trust_host_header),
            asset_prefix: AssetPrefix::new(&config.asset_prefix),
            client_origins,
            capabilities,
            table,
            config: config.clone(),
        })
    }

    /// Sets the address from the options of `next()`; without it the server is at `localhost:3000`.
    pub fn served_at(mut self, hostname: Option<&str>, port: u16) -> Router {
        self.served_at = ServedAt::new(hostname, port, self.config.experimental.trust_host_header);
        self
    }

    /// Sets the prefix of asset URLs, which a custom server may change while it runs. One slash at the end goes.
    pub fn set_asset_prefix(&self, prefix: &str) {
        self.asset_prefix.set(prefix);
    }

    /// Whether two requests that are [`CacheableRequest`](crate::request::CacheableRequest) and say the same are routed alike: there is no middleware, no
    /// locale is looked for, and no rule looks at a header that a plain request may have.
    pub fn looks_at_targets_alone(&self) -> bool {
        self.targets_alone
    }

    /// Begins. Never runs middleware itself: [`Decision::Middleware`] asks the caller to.
    pub fn begin(&self, request: &Request) -> RouteStep {
        if let Some(decision) = locale_redirect(&self.config, self.table.locales(), request) {
            return RouteStep {
                decision,
                state: RouteState::default(),
            };
        }
        self.start(request, RouteState::default())
    }

    /// Begins a request that the server made itself to render a path again (`res.revalidate`): no rules, no middleware, no
    /// files, only the page. Source: `revalidate` in `next-server.js`, `getRouteMatch` in `base-server.js`.
    pub fn begin_unrouted(&self, request: &Request) -> RouteStep {
        let mut state = RouteState::default();
        let decided = self.page_alone(request, &mut state);
        self.step(request, state, decided)
    }

    fn page_alone(&self, request: &Request, state: &mut RouteState) -> Result<Option<Decision>, Stop> {
        let Ok(location) = Location::parse(&request.target, Dialect::Whatwg) else {
            return Ok(Some(Decision::BadRequest));
        };
        state.init_query = location.query.clone();
        state.asked.clone_from(&location.pathname);
        state.location = location;
        let bare = remove_path_prefix(&state.location.pathname, &self.config.base_path).into_owned();
        self.find_locale(request, state);
        state.location.pathname.clone_from(&state.asked);
        self.finish_alone(state, &bare).map(Some)
    }

    /// Goes on after middleware answered, or after the entry of an output said that it has no fallback.
    pub fn resume(&self, request: &Request, mut state: RouteState, event: Event) -> RouteStep {
        match event {
            Event::NoFallback(item_path) => {
                state.tried.push(item_path);
                state.attempts += 1;
                if state.attempts > MAX_ATTEMPTS {
                    return RouteStep {
                        decision: Decision::Fault {
                            message: format!("Attempted to handle request too many times {}", request.target),
                            plain: false,
                        },
                        state,
                    };
                }
                // All of it again, so that the way behind the output that was tried is found; changed request headers stay.
                let state = RouteState {
                    request_headers: state.request_headers,
                    is_data_request: state.is_data_request,
                    direct: state.direct,
                    rewritten_pathname: state.rewritten_pathname,
                    tried: state.tried,
                    attempts: state.attempts,
                    ..RouteState::default()
                };
                self.start(request, state)
            }
            Event::Middleware(reply) => {
                let decided = self.apply_middleware(request, &mut state, reply);
                let decided = match decided {
                    Ok(None) => self.after_middleware(request, &mut state),
                    other => other,
                };
                self.step(request, state, decided)
            }
        }
    }

    fn start(&self, request: &Request, mut state: RouteState) -> RouteStep {
        let decided = self.until_middleware(request, &mut state);
        self.step(request, state, decided)
    }

    fn step(&self, request: &Request, mut state: RouteState, decided: Result<Option<Decision>, Stop>) -> RouteStep {
        let decision = match decided {
            Ok(Some(decision)) => decision,
            Ok(None) => self.not_found(request, &state),
            Err(stop) => {
                // Routing that stops half-way leaves no header of a rule behind.
                state.headers = Default::default();
                match stop {
                    Stop::BadRequest => Decision::BadRequest,
                    Stop::Fault(message) => Decision::Fault { message, plain: false },
                }
            }
        };
        let decision = match state.headers.cut_at_fault() {
            None => decision,
            Some(message) => Decision::Fault { message, plain: false },
        };
        if matches!(
            decision,
            Decision::File(_) | Decision::NotFound(_) | Decision::BadRequest | Decision::Fault { .. }
        ) {
            self.find_error_locale(request, &mut state);
        }
        RouteStep { decision, state }
    }

    /// Error pages speak the locale of the path that was asked for, whatever locale a rule led to.
    fn find_error_locale(&self, request: &Request, state: &mut RouteState) {
        let (Some(locales), Some(default)) = (self.table.locales(), state.default_locale.clone()) else {
            return;
        };
        let target =
            parse_target(&request.target, Dialect::Whatwg).map_or_else(|_| String::new(), |parts| parts.pathname);
        let bare = remove_path_prefix(&target, &self.config.base_path);
        let page = any_data_page(&bare).unwrap_or(&bare);
        let locale = locales.split(page).locale.unwrap_or(&default).to_owned();
        state.set_locale(&locale);
    }

    fn until_middleware(&self, request: &Request, state: &mut RouteState) -> Result<Option<Decision>, Stop> {
        let dialect = if self.capabilities.whatwg_targets {
            Dialect::Whatwg
        } else {
            Dialect::Legacy
        };
        if has_repeated_slashes(&request.target) {
            return Ok(Some(slash_redirect(&request.target, dialect)));
        }
        // The legacy parser takes anything, but the URL that upstream then builds from it must have a path.
        let is_path = request.target.starts_with('/') || dialect == Dialect::Whatwg;
        let location = Location::parse(&request.target, dialect).ok().filter(|_| is_path);
        let Some(location) = location else {
            // An empty target, which only a custom server can set, is the root to the legacy parser and its header rules.
            if request.target.is_empty() && dialect == Dialect::Legacy {
                "/".clone_into(&mut state.location.pathname);
                self.apply_headers(request, state)?;
            }
            return Ok(Some(Decision::Fault {
                message: format!("Invalid URL: {}", request.target),
                plain: true,
            }));
        };
        state.init_query = location.query.clone();
        state.location = location;
        state.asked.clone_from(&state.location.pathname);
        self.find_locale(request, state);
        if !self.capabilities.data_request_header && request.headers.claims_data() && self.is_data_path(state) {
            state.request_headers.set(DATA_HEADER, HeaderText::from("1"));
        }
        self.unwrap_data_path(state);
        self.apply_headers(request, state)?;
        if let Some(redirect) = self.redirect(request, state)? {
            return Ok(Some(redirect));
        }
        if let Some(call) = self.middleware_call(request, state) {
            if self.refuses_data_path(&state.location.pathname) {
                state.headers = Default::default();
                return Ok(Some(Decision::NotFound(NotFound::Unrendered { no_store: true })));
            }
            return Ok(Some(Decision::Middleware(Box::new(call))));
        }
        self.after_middleware(request, state)
    }

    fn after_middleware(&self, request: &Request, state: &mut RouteState) -> Result<Option<Decision>, Stop> {
        let found = self.find(request, state)?;
        if matches!(
            found,
            Some(Decision::File(_) | Decision::Output(_) | Decision::Image | Decision::NotFound(_))
        ) {
            self.apply_on_match(request, state)?;
        }
        Ok(found)
    }

    /// Splits the locale off and, when there is none, puts the default one before the path.
    fn find_locale(&self, request: &Request, state: &mut RouteState) {
        let Some(locales) = self.table.locales() else { return };
        let host = state.header_view(request).get("host").map(|host| host_name(&host));
        let base_path = self.config.base_path.as_str();
        let pathname = state.location.pathname.as_str();
        let had_base_path = path_has_prefix(pathname, base_path);
        let had_slash = pathname.ends_with('/');
        let prefix = &*self.asset_prefix.get();
        let bare = if !base_path.is_empty() && had_base_path {
            remove_path_prefix(state.location.path(), base_path)
        } else if !prefix.is_empty() && path_has_prefix(pathname, prefix) {
            remove_path_prefix(state.location.path(), prefix)
        } else {
            state.location.path().into()
        };
        let split = locales.split(&bare);
        let domain = locales.domain_of_host(host.as_deref());
        let default_locale = domain
            .map_or(locales.default_locale(), |domain| &domain.default_locale)
            .to_owned();
        let locale_state = LocaleState {
            locale: split.locale.unwrap_or(&default_locale).to_owned(),
            inferred: split.locale.is_none(),
            is_domain: domain.is_some(),
            default_locale: default_locale.clone(),
        };
        state.first_split = split
            .locale
            .map(|locale| (locale.to_owned(), split.pathname.to_owned()));
        if split.locale.is_none() && !split.pathname.starts_with("/_next/") {
            let localised = if split.pathname == "/" {
                format!("/{default_locale}")
            } else {
                add_path_prefix(split.pathname, &format!("/{default_locale}"))
            };
            let mut pathname = add_path_prefix(&localised, if had_base_path { base_path } else { "" });
            if had_slash {
                pathname = self.with_trailing_slash(pathname);
            }
            state.location.pathname = pathname;
            state.locale_added = true;
        }
        state.default_locale = Some(default_locale);
        state.locale = Some(locale_state);
    }

    /// Adds the slash that `trailingSlash` wants, unless middleware gets URLs as they are.
    pub(super) fn with_trailing_slash(&self, pathname: String) -> String {
        let as_they_are = self.config.skip_proxy_url_normalize || self.config.skip_middleware_url_normalize;
        if self.config.trailing_slash && !as_they_are && !pathname.ends_with('/') {
            pathname + "/"
        } else {
            pathname
        }
    }
}

fn slash_redirect(target: &str, dialect: Dialect) -> Decision {
    let collapsed = collapse_slashes(target);
    // What is no URL is sent back as it is: routing fails upstream, and the renderer redirects without parsing.
    let parts = parse_collapsed(&collapsed, dialect);
    let location = parts.map_or(collapsed, |parts| parts.format());
    Decision::Redirect(Redirect {
        status: 308,
        refresh: Some(format!("0;url={location}")),
        location,
        reason: RedirectReason::Slashes,
    })
}

/// Whether a condition holds for all plain requests to a target, or for none.
fn is_of_targets(condition: &Condition) -> bool {
    match condition.kind {
        ConditionType::Query | ConditionType::Unknown => true,
        ConditionType::Header => !may_be_cacheable(condition.key.as_deref().unwrap_or_default()),
        ConditionType::Cookie | ConditionType::Host => false,
    }
}
