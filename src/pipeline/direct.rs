//! Pages that the user's server asks for itself: `app.renderToHTML()`, `app.renderError()` and the like.
//!
//! In: a path or a status. Out: the one step that runs the page. No rule, no file, no middleware and no prepared answer has
//! a say in it, and nothing waits in a slot. Upstream: `renderToResponse` and `renderErrorToResponseImpl` of
//! `next/dist/server/base-server.js`, called past the router.

use super::flight::{Flight, Next, Step};
use super::output::locale_of;
use crate::engine::Engine;
use crate::request::Request;
use crate::route::{Decision, Output};

const ERROR_PAGES: [&str; 2] = ["/_error", "/404"];

impl Engine {
    /// The step that runs the page of a path. `None` when the app has no such page. The request's origin is `Revalidate`.
    pub fn direct_page(&self, request: Request) -> Option<Step> {
        let flight = self.route(request);
        match &flight.decision {
            Decision::Output(output) => self.direct(&flight, output),
            // Error pages have no route of their own, but newer versions find them by name.
            _ if self.build.capabilities.captured_html && self.renders_pages => {
                let page = flight.state.location.pathname.as_str();
                let output = ERROR_PAGES
                    .contains(&page)
                    .then(|| self.router.lookup(page, locale_of(&flight)));
                self.direct(&flight, &output.flatten()?)
            }
            _ => None,
        }
    }

    /// The step that runs the error page for `status`. `None` when the app has none that can be rendered.
    pub fn direct_error(&self, request: Request, status: u16) -> Option<Step> {
        let flight = self.route(request);
        let output = self.error_output(status, locale_of(&flight))?;
        self.direct(&flight, &output)
    }

    fn direct(&self, flight: &Flight, output: &Output) -> Option<Step> {
        let Next::Step(Step::Render(mut render)) = self.render_page(flight, output, None) else {
            return None;
        };
        render.vary = self.rules.vary(output, &flight.state.location.pathname, false);
        render.drop_next_url = !render.vary.is_some_and(|vary| vary.ends_with("next-url"));
        Some(Step::Render(render))
    }
}
