//! The whole life of a request.
//!
//! In: a [`Request`]. Out: a prepared answer, or a slot in which the request goes on step by step. Reads top to bottom:
//! begin, serve the decision, wait for what it needs, come back from an entry, go.

mod direct;
mod fail;
mod file;
pub(crate) mod flight;
mod image;
pub(crate) mod images;
mod label;
mod middleware;
mod outcome;
mod output;
mod prerendered;
mod proxy;
mod revalidate;
pub(crate) mod shortcut;

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;

pub use self::flight::{Answer, Progress, Shell, Step};
use self::flight::{Flight, Load, Next};
pub use self::image::ImageStep;
pub use self::images::{Kept, Reply, TlsTrust};
pub use self::proxy::Upgrade;
use self::shortcut::Repeated;
use crate::answer::page::NO_STORE;
use crate::body::Body;
use crate::engine::Engine;
use crate::http::encoding::{self, Asked};
use crate::http::headers::HeaderList;
use crate::http::status::Status;
use crate::request::{Method, Origin, Request, FLIGHT_HEADERS};
use crate::route::{Decision, Event, OutputKind};
use crate::source::prerender::Driver;
use crate::source::render::Render;

impl Engine {
    /// Takes a request in. Usually it can be answered at once; else it gets a slot, and `driver` carries out its steps. `name` is told
    /// the route of a request that can be answered at once, of which nothing is left after that.
    pub fn begin(&self, request: Request, driver: Driver, name: impl FnOnce(&str)) -> Progress {
        let generation = self.shortcuts.generation();
        let mut flight = self.route(request, driver);
        let next = self.serve(&mut flight);
        let is_client = flight.request.origin == Origin::Client;
        tracing::debug!(
            target: "ferronext::route",
            "{:?} {} -> {}",
            flight.request.method,
            flight.request.target.escape_debug(),
            label::label_of(&flight)
        );
        let answered = match next {
            Next::Ready(answer) if flight.revalidation.is_none() => Progress::Answer(answer),
            Next::Step(Step::Answer(answer)) if flight.revalidation.is_none() && is_client => Progress::Once(answer),
            next => {
                if let Next::Step(Step::Render(render)) = &next {
                    self.remember_call(&flight, render, generation);
                }
                flight.next = next;
                return Progress::Slot(self.flights().insert(flight));
            }
        };
        name(label::label_of(&flight));
        self.remember(&mut flight, answered, generation)
    }

    fn route(&self, request: Request, driver: Driver) -> Flight {
        let routed = match request.origin {
            Origin::Client => self.router.begin(&request),
            Origin::Revalidate => self.router.begin_unrouted(&request),
        };
        Flight::new(request, driver, routed.state, routed.decision)
    }

    /// What comes next, from what routing decided.
    fn serve(&self, flight: &mut Flight) -> Next {
        if let Some(page) = flight.error.clone() {
            return self.serve_error_page(flight, page);
        }
        // Taken out while it is served, so that nothing of it is copied.
        let decision = std::mem::replace(&mut flight.decision, Decision::BadRequest);
        let next = match &decision {
            Decision::Redirect(redirect) => self.redirect(flight, redirect),
            Decision::File(file) => self.serve_file(flight, file),
            Decision::Output(output) if output.kind == OutputKind::Pages && !self.renders_pages => {
                self.fail_openly(flight, 404)
            }
            // The data of a path that is named like the page for missing ones.
            Decision::Output(_) if self.is_data_of_missing(flight) => {
                let headers = output::response_headers(flight);
                self.no_data(flight, headers)
            }
            Decision::Output(output) => self.serve_output(flight, output, None),
            Decision::NotFound(kind) => self.serve_not_found(flight, *kind),
            Decision::BadRequest => self.fail(flight, 400),
            // No request line holds an empty target; a custom server can still set one.
            Decision::Fault { .. } if flight.request.target.is_empty() => self.answer(
                flight,
                500,
                output::response_headers(flight),
                Bytes::from_static(b"Internal Server Error"),
            ),
            Decision::Fault { message, plain } => {
                tracing::error!("{message}");
                if *plain {
                    let mut headers = HeaderList::new();
                    headers.set("Cache-Control", NO_STORE);
                    // Older renderers come to the method before they come to the target.
                    let renders_first = self.renders_pages && !self.build.capabilities.whatwg_targets;
                    if flight.request.method == Method::Options && renders_first {
                        self.answer(flight, 400, headers, Bytes::new())
                    } else {
                        self.plain_error(flight, headers)
                    }
                } else {
                    self.fail(flight, 500)
                }
            }
            Decision::Middleware(call) => self.call_middleware(flight, call),
            Decision::MiddlewareResponse { status } => self.middleware_response(flight, *status),
            Decision::Proxy { url } => self.serve_proxy(flight, url),
            Decision::Image => self.serve_image(flight),
        };
        flight.decision = decision;
        next
    }

    /// What has to be done next for the request in `slot`.
    pub fn step(&self, slot: usize) -> Step {
        let mut flights = self.flights();
        if let Some(call) = flights.repeated(slot).and_then(Repeated::call) {
            return Step::Call(call);
        }
        let Some(flight) = flights.get(slot) else {
            return lost("A request went on after it had been answered.");
        };
        if let Some(revalidation) = flight.revalidation.take() {
            if let Some((url, render)) = self.begin_revalidation(*revalidation) {
                tracing::debug!(target: "ferronext::cache", "{url} is stale and rendered anew");
                let slot = flights.insert(render);
                return Step::Revalidate { slot, url };
            }
        }
        let Some(flight) = flights.get(slot) else {
            return lost("A request went on after it had been answered.");
        };
        match std::mem::replace(&mut flight.next, Next::Nothing) {
            Next::Ready(answer) => Step::Answer(Answer {
                status: answer.status,
                headers: answer.headers.clone(),
                body: answer.body.clone(),
            }),
            Next::Load(load) => {
                let step = if matches!(load, Load::Image) {
                    Step::LoadImage
                } else {
                    Step::Load
                };
                flight.next = Next::Load(load);
                step
            }
            Next::Step(step) => step,
            Next::Body(status, headers, body) => {
                flight.next = Next::Body(status, HeaderList::new(), body);
                Step::Stream { status, headers }
            }
            Next::Nothing => lost("A request went on while it was waiting."),
        }
    }

    /// Waits for what the request in `slot` needs, and decides again.
    pub async fn load(self: Arc<Self>, slot: usize) {
        let load = {
            let mut flights = self.flights();
            match flights
                .get(slot)
                .map(|flight| std::mem::replace(&mut flight.next, Next::Nothing))
            {
                Some(Next::Load(load)) => load,
                Some(other) => {
                    if let Some(flight) = flights.get(slot) {
                        flight.next = other;
                    }
                    return;
                }
                None => return,
            }
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
            Load::EncodePicture(picture, coding) => return self.encode_picture(slot, picture, coding).await,
            Load::File(file) => return self.load_file(slot, file).await,
            Load::Image => return self.load_image(slot).await,
        }
        let mut flights = self.flights();
        if let Some(flight) = flights.get(slot) {
            match loaded {
                Some((key, Some(page))) => flight.loaded = Some((key, page)),
                Some((key, None)) => flight.absent.push(key),
                None => {}
            }
            let next = self.serve(flight);
            flight.next = next;
        }
    }

    /// The next chunk of the body that is being sent in `slot`.
    pub async fn chunk(self: Arc<Self>, slot: usize) -> Option<std::io::Result<Bytes>> {
        let taken = self
            .flights()
            .get(slot)
            .map(|flight| std::mem::replace(&mut flight.next, Next::Nothing));
        let Some(Next::Body(status, headers, mut body)) = taken else {
            return None;
        };
        let chunk = body.chunk().await;
        if let Some(flight) = self.flights().get(slot) {
            flight.next = Next::Body(status, headers, body);
        }
        chunk
    }

    /// The file whose part is the body of the answer in `slot`, with position and length, for a reader of its own. `None` if the body is
    /// no file.
    pub fn take_file(&self, slot: usize) -> Option<(File, u64, u64)> {
        let mut flights = self.flights();
        let flight = flights.get(slot)?;
        let Next::Body(_, _, Body::File(part)) = &flight.next else {
            return None;
        };
        let taken = part.handle().ok()?;
        flight.next = Next::Nothing;
        Some(taken)
    }

    /// The entry in `slot` has no page for its params: routing goes on after it, with the target that the entry has left, and
    /// without the headers of the client router if it has taken them off. `names_payload`: it took the path for that of a payload.
    pub fn no_fallback(&self, slot: usize, target: String, keeps_flight: bool, names_payload: bool) {
        let mut flights = self.flights();
        let Some(flight) = flights.get(slot) else {
            return;
        };
        let Decision::Output(output) = &flight.decision else {
            return;
        };
        let event = Event::NoFallback(output.item_path.clone());
        let mut state = std::mem::take(&mut flight.state);
        if !keeps_flight {
            FLIGHT_HEADERS
                .iter()
                .for_each(|name| state.request_headers.remove(name));
        }
        flight.request.target = target;
        flight.names_payload = names_payload;
        let routed = self.router.resume(&flight.request, state, event);
        flight.state = routed.state;
        flight.decision = routed.decision;
        flight.absent.clear();
        let next = self.serve(flight);
        flight.next = next;
    }

    /// The render that lets the app's `_error` see the fault of the request in `slot`, if a static `/500` will be shown.
    pub fn report_fault(&self, slot: usize) -> Option<Render> {
        let mut flights = self.flights();
        let flight = flights.get(slot)?;
        self.report_to_error_page(flight)
    }

    /// The request in `slot` gets the app's error page for `status`; with `no_store` nobody may keep it.
    pub fn error_page(&self, slot: usize, status: u16, no_store: bool) {
        let mut flights = self.flights();
        let Some(flight) = flights.get(slot) else {
            return;
        };
        flight.absent.clear();
        let next = if no_store {
            self.fail(flight, status)
        } else {
            self.fail_openly(flight, status)
        };
        flight.next = next;
    }

    /// The request in `slot` has been answered.
    pub fn free(&self, slot: usize) {
        let flight = self.flights().remove(slot);
        drop(flight); // after the lock: a body may have a file to close
    }

    /// An answer for this request alone.
    fn answer(&self, flight: &Flight, status: impl Into<Status>, mut headers: HeaderList, body: Bytes) -> Next {
        let status = status.into();
        if self.settings.compress {
            // Small texts are never encoded, but a compressible type says `Vary` all the same.
            let asked = Asked {
                accept_encoding: "",
                head: !flight.request.method.is_read(),
                length: Some(body.len() as u64),
                preferred: self.settings.preferred,
            };
            encoding::apply(&mut headers, asked);
        }
        if status.code != 304 {
            headers.set("Content-Length", body.len().to_string());
        }
        Next::Step(Step::Answer(Answer { status, headers, body }))
    }
}

/// The answer when not even an error page can be had. Nobody would know why, so the log says it.
fn lost(why: &str) -> Step {
    tracing::error!("{why}");
    Step::Answer(Answer {
        status: Status::set(500),
        headers: HeaderList::new(),
        body: Bytes::from_static(b"Internal Server Error"),
    })
}
