//! Pages that the user's server asks for itself: `app.renderToHTML()`, `app.renderError()` and the like.
//!
//! In: a path or a status. Out: how its entry is called. No rule, no file, no middleware and no prepared answer has
//! a say in it, and nothing waits in a slot. The router is what strips a base path and finds a locale, so a path is taken as
//! it is and the page learns no locale. Upstream: `renderToResponse` and `renderErrorToResponseImpl` of
//! `next/dist/server/base-server.js`, called past the router.

use crate::engine::{Engine, RequestState};
use crate::request::Request;
use crate::route::{Decision, Output, OutputKind};
use crate::source::prerender::RunnerId;
use crate::source::render::Render;
use crate::url::{path_has_prefix, Locales};

/// It never waits, so it needs no runner.
const DIRECT: RunnerId = 0;

impl Engine {
    /// How the page of a path is called. `None` when the app has no such page. The request's origin is `Revalidate`.
    pub fn direct_page(&self, request: Request) -> Option<Render> {
        let state = self.route(request, DIRECT);
        let path = state.route.location.pathname.as_str();
        let base_path = &self.config.base_path;
        let locales = self.config.i18n.as_ref().map(Locales::compile);
        let is_localised = locales.as_ref().is_some_and(|all| all.split(path).locale.is_some());
        let has_slash = path.len() > 1 && path.ends_with('/');
        let is_for_the_router = has_slash || (!base_path.is_empty() && path_has_prefix(path, base_path));
        match &state.decision {
            // A document is kept per locale and found by that name only.
            Decision::Output(output)
                if !is_localised && !is_for_the_router && (locales.is_none() || !output.file.ends_with(".html")) =>
            {
                Some(self.direct(&state, output, None))
            }
            // Newer versions find what has no route, such as error pages, by the name in the manifest.
            _ if self.build.capabilities.captured_html && self.renders_pages => {
                let output = self.router.lookup(path, None)?;
                Some(self.direct(&state, &output, None))
            }
            _ => None,
        }
    }

    /// How the error page for `status` is called, in the default locale or in none. `None` when the app has none that can be rendered.
    pub fn direct_error(&self, request: Request, status: u16, localised: bool) -> Option<Render> {
        let state = self.route(request, DIRECT);
        let i18n = self.config.i18n.as_ref().filter(|_| localised);
        let locale = i18n.map(|i18n| i18n.default_locale.as_str());
        let output = self.error_output(status, locale)?;
        Some(self.direct(&state, &output, locale))
    }

    /// How the entry of a page is called that has no route of its own, by its name in the manifest. `None` when the build has none that can
    /// be rendered.
    pub fn direct_entry(&self, request: Request, page: &str) -> Option<Render> {
        let state = self.route(request, DIRECT);
        let locale = self.config.i18n.as_ref().map(|i18n| i18n.default_locale.as_str());
        let output = self.router.lookup(page, locale)?;
        if output.kind == OutputKind::Pages && !self.renders_pages {
            return None;
        }
        Some(self.direct(&state, &output, locale.filter(|_| output.kind == OutputKind::Pages)))
    }

    fn direct(&self, state: &RequestState, output: &Output, locale: Option<&str>) -> Render {
        let mut render = self.plain_render(state, output, None);
        render.vary = self.rules.vary(output, &state.route.location.pathname, false);
        render.drop_next_url = !render.vary.is_some_and(|vary| vary.ends_with("next-url"));
        render.locale = locale.map(str::to_owned);
        render.default_locale = locale.map(str::to_owned);
        render.is_locale_domain = false;
        render
    }
}
