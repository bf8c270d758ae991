//! The whole life of a request.
//!
//! In: a [`Request`]. Out: a prepared answer, or a slot in which the request goes on step by step. Reads top to bottom:
//! begin, serve the decision, wait for what it needs, come back from an entry, go.

mod direct;
mod fail;
mod fast_path;
mod file;
mod headers;
mod image;
mod label;
mod middleware;
mod outcome;
mod output;
mod prerendered;
mod proxy;
mod revalidate;

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;

pub use self::proxy::Upgrade;
use crate::answer::page::NO_STORE;
use crate::body::Body;
use crate::engine::{Answer, Cause, Due, Engine, Load, Next, Phase, Progress, Provenance, RequestState, Step};
use crate::http::encoding::{self, Asked};
use crate::http::headers::HeaderList;
use crate::http::status::{Status, INTERNAL_SERVER_ERROR};
use crate::request::{Method, Origin, Request, FLIGHT_HEADERS};
use crate::route::{Decision, Event, OutputKind};
use crate::source::prerender::RunnerId;
use crate::source::render::Render;

impl Engine {
    /// Takes a request in. Usually it can be answered at once; else it gets a slot, and `runner` carries out its steps. `name` receives
    /// the route of a request that is answered at once, of which nothing is left after that.
    pub fn begin(&self, request: Request, runner: RunnerId, name: impl FnOnce(&str)) -> Progress {
        let generation = self.fast_paths.generation();
        let mut state = self.route(request, runner);
        let next = self.serve(&mut state);
        tracing::debug!(
            target: "ferronext::route",
            "{:?} {} -> {}",
            state.request.method,
            state.request.target.escape_debug(),
            label::label_of(&state)
        );
        let is_client = state.request.origin == Origin::Client;
        match next {
            Next::Ready(answer, provenance) if state.revalidation.is_none() => {
                name(label::label_of(&state));
                self.remember_ready(&state, &answer, provenance, generation);
                Progress::Answer(answer)
            }
            Next::Answer(answer, provenance) if state.revalidation.is_none() && is_client => {
                name(label::label_of(&state));
                self.remember_once(&state, answer, &provenance, generation)
            }
            next => {
                if let Next::Render(render, provenance) = &next {
                    self.remember_call(&state, render, provenance, generation);
                }
                Progress::Slot(self.requests.insert(state, next))
            }
        }
    }

    fn route(&self, request: Request, runner: RunnerId) -> RequestState {
        let routed = match request.origin {
            Origin::Client => self.router.begin(&request),
            Origin::Revalidate => self.router.begin_unrouted(&request),
        };
        RequestState::new(request, runner, routed.state, routed.decision)
    }

    /// What comes next, from what routing decided.
    fn serve(&self, state: &mut RequestState) -> Next {
        if let Phase::ErrorPage(page) = state.phase() {
            let page = page.clone();
            return self.serve_error_page(state, page);
        }
        // Taken out while it is served, so that nothing of it is copied.
        let decision = std::mem::replace(&mut state.decision, Decision::BadRequest);
        let next = match &decision {
            Decision::Redirect(redirect) => self.redirect(state, redirect),
            Decision::File(file) => self.serve_file(state, file),
            Decision::Output(output) if output.kind == OutputKind::Pages && !self.renders_pages => {
                self.fail_openly(state, Cause::Target, 404)
            }
            // The data of a path that is named like the page for missing ones.
            Decision::Output(_) if self.is_data_of_missing(state) => {
                let headers = headers::response_headers(state);
                self.no_data(state, headers)
            }
            Decision::Output(output) => self.serve_output(state, output, None),
            Decision::NotFound(kind) => self.serve_not_found(state, *kind),
            Decision::BadRequest => self.fail(state, Cause::Target, 400),
            // No request line holds an empty target; a custom server can still set one.
            Decision::Fault { .. } if state.request.target.is_empty() => self.answer(
                state,
                Provenance::Uncacheable,
                500,
                headers::response_headers(state),
                INTERNAL_SERVER_ERROR.into(),
            ),
            Decision::Fault { message, plain } => {
                tracing::error!("{message}");
                if *plain {
                    let mut headers = HeaderList::new();
                    headers.set("Cache-Control", NO_STORE);
                    // Older renderers come to the method before they come to the target.
                    let renders_first = self.renders_pages && !self.build.capabilities.whatwg_targets;
                    if state.request.method == Method::Options && renders_first {
                        self.answer(state, Provenance::Uncacheable, 400, headers, Bytes::new())
                    } else {
                        self.plain_error(state, headers)
                    }
                } else {
                    self.fail(state, Cause::Other, 500)
                }
            }
            Decision::Middleware(call) => self.call_middleware(state, call),
            Decision::MiddlewareResponse { status } => self.middleware_response(state, *status),
            Decision::Proxy { url } => self.serve_proxy(state, url),
            Decision::Image => self.serve_image(state),
        };
        state.decision = decision;
        next
    }

    /// What has to be done next for the request in `slot`.
    pub fn step(&self, slot: usize) -> Step {
        loop {
            match self.requests.due(slot) {
                Some(Due::Call(call)) => return Step::Call(call),
                Some(Due::Step(step)) => return step,
                Some(Due::Revalidation(revalidation)) => {
                    if let Some((url, state, next)) = self.begin_revalidation(*revalidation) {
                        tracing::debug!(target: "ferronext::cache", "{url} is stale and revalidated");
                        let slot = self.requests.insert(state, next);
                        return Step::Revalidate { slot, url };
                    }
                }
                Some(Due::Nothing) => return lost("A request went on while it was waiting."),
                None => return lost("A request went on after it had been answered."),
            }
        }
    }

    /// Waits for what the request in `slot` needs, and decides again.
    pub async fn load(self: Arc<Self>, slot: usize) {
        let taken = self.requests.take_next(slot, |next| matches!(next, Next::Load(_)));
        let Some(Next::Load(load)) = taken else {
            return;
        };
        let mut loaded = None;
        match load {
            Load::Page(address, key) => {
                let read = move |engine: &Engine, key: &str| engine.read_page(&address, key);
                loaded = Some(self.load_page(key, read).await);
            }
            Load::Document(file, key) => {
                let read = move |engine: &Engine, key: &str| engine.read_document(&file, key);
                loaded = Some(self.load_page(key, read).await);
            }
            Load::Encode(page, variant, coding) => page.encoded(variant, coding).await,
            Load::Render(end) => end.wait().await,
            Load::EncodeImage(image, coding) => image.encoded(coding).await,
            Load::File(file) => return self.load_file(slot, file).await,
            Load::Image => return self.load_image(slot).await,
        }
        self.requests.advance(slot, |state| {
            match loaded {
                Some((key, Some(page))) => state.lookup.loaded = Some((key, page)),
                Some((key, None)) => state.lookup.failed_keys.push(key),
                None => {}
            }
            self.serve(state)
        });
    }

    /// The next chunk of the body that is being sent in `slot`.
    pub async fn chunk(self: Arc<Self>, slot: usize) -> Option<std::io::Result<Bytes>> {
        let taken = self.requests.take_next(slot, |next| matches!(next, Next::Body(..)));
        let Some(Next::Body(status, headers, mut body)) = taken else {
            return None;
        };
        let chunk = body.chunk().await;
        self.requests.advance(slot, |_| Next::Body(status, headers, body));
        chunk
    }

    /// The file whose part is the body of the answer in `slot`, with position and length, for a reader of its own. `None` if the body is
    /// no file.
    pub fn take_file(&self, slot: usize) -> Option<(File, u64, u64)> {
        let taken = self
            .requests
            .look(slot, |_, next| match next {
                Next::Body(_, _, Body::File(part)) => part.handle().ok(),
                _ => None,
            })
            .flatten()?;
        self.requests.advance(slot, |_| Next::Nothing);
        Some(taken)
    }

    /// The entry in `slot` has no page for its params: routing goes on after it, with the target that the entry has left, and
    /// without the headers of the client router if it has taken them off. `names_payload`: it took the path for that of a payload.
    pub fn no_fallback(&self, slot: usize, target: String, keeps_flight: bool, names_payload: bool) {
        let item_path = self.requests.look(slot, |state, _| match &state.decision {
            Decision::Output(output) => Some(output.item_path.clone()),
            _ => None,
        });
        let Some(Some(item_path)) = item_path else {
            return;
        };
        self.requests.advance(slot, |state| {
            let mut route = std::mem::take(&mut state.route);
            if !keeps_flight {
                FLIGHT_HEADERS
                    .iter()
                    .for_each(|name| route.request_headers.remove(name));
            }
            state.request.target = target;
            state.names_payload = names_payload;
            let routed = self.router.resume(&state.request, route, Event::NoFallback(item_path));
            state.route = routed.state;
            state.decision = routed.decision;
            state.lookup.failed_keys.clear();
            self.serve(state)
        });
    }

    /// The render that lets the app's `_error` see the fault of the request in `slot`, if a static `/500` will be shown.
    pub fn report_fault(&self, slot: usize) -> Option<Render> {
        self.requests
            .look(slot, |state, _| self.report_to_error_page(state))
            .flatten()
    }

    /// The request in `slot` gets the app's error page for `status`; with `no_store` it must not be kept.
    pub fn error_page(&self, slot: usize, status: u16, no_store: bool) {
        self.requests.advance(slot, |state| {
            state.lookup.failed_keys.clear();
            if no_store {
                self.fail(state, Cause::Other, status)
            } else {
                self.fail_openly(state, Cause::Other, status)
            }
        });
    }

    /// The request in `slot` has been answered.
    pub fn free(&self, slot: usize) {
        self.requests.remove(slot);
    }

    /// An answer that is made for this request.
    fn answer(
        &self,
        state: &RequestState,
        provenance: Provenance,
        status: impl Into<Status>,
        mut headers: HeaderList,
        body: Bytes,
    ) -> Next {
        let status = status.into();
        if self.settings.compress {
            // Small texts are never encoded, but a compressible type says `Vary` all the same.
            let asked = Asked {
                accept_encoding: "",
                head: !state.request.method.is_read(),
                length: Some(body.len() as u64),
                preferred: self.settings.preferred,
            };
            encoding::apply(&mut headers, asked);
        }
        if status.code != 304 {
            headers.set("Content-Length", body.len().to_string());
        }
        Next::Answer(Answer { status, headers, body }, provenance)
    }
}

/// The answer when there is no error page either. The log says why.
fn bare_fault(why: &str) -> Answer {
    tracing::error!("{why}");
    Answer {
        status: Status::set(500),
        headers: HeaderList::new(),
        body: INTERNAL_SERVER_ERROR.into(),
    }
}

/// What JavaScript gets when it asks for a step out of turn.
fn lost(why: &str) -> Step {
    Step::Answer(bare_fault(why))
}
