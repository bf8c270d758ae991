//! `/_next/image`: from memory if it is there, else made once for all who wait.
//!
//! In: a request for a picture. Out: the picture, or the refusal that upstream gives. What a request waits for is a piece of
//! work that belongs to all who wait ([`super::images`]); it runs on tokio and in the workshop, and asks whoever waits when it
//! needs JavaScript. Upstream: `handleNextImageRequest` of `next-server.js`, and its `ResponseCache`.

mod work;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{oneshot, Notify};

pub(crate) use self::work::InternalSlot;
use self::work::Work;
use super::flight::{Answer, Flight, Load, Next, Step};
use super::images::{ImageJob, Outcome, Question, Reply};
use super::output::{pairs, response_headers};
use super::revalidate::Revalidation;
use super::shortcut::Source;
use crate::answer::conditional::Conditions;
use crate::answer::picture::{Found, Picture, PictureAnswer, PictureFraming, PictureSettings};
use crate::engine::{now_ms, Engine};
use crate::http::encoding::Coding;
use crate::request::{Headers, Method, Origin, Request};
use crate::route::{Decision, RouteState};
use crate::source::image::entry::Entry;
use crate::source::image::jobs::Next as JobNext;
use crate::source::image::params::{Params, Refusal};
use crate::source::image::source::Trouble;
use crate::source::prerender::Driver;

/// A request for a picture, as far as it has come.
pub(crate) struct ImageCall {
    params: Arc<Params>,
    /// What the source is asked with.
    method: Method,
    /// The picture that is being made anew, when nobody waits for it.
    previous: Option<Arc<Picture>>,
    job: Option<Arc<ImageJob>>,
    reply: Option<oneshot::Sender<Reply>>,
    outcome: Option<Outcome>,
    cancel: Arc<Cancel>,
}

/// Tells that the client has gone away.
#[derive(Debug, Default)]
struct Cancel {
    gone: AtomicBool,
    told: Notify,
}

impl Cancel {
    async fn wait(&self) {
        let told = self.told.notified();
        tokio::pin!(told);
        // Registered before the flag is read, so that no cancellation falls between the two.
        told.as_mut().enable();
        if !self.gone.load(Ordering::Acquire) {
            told.await;
        }
    }
}

/// What Node is to do for a picture, then come back through `Engine::image_reply`.
#[derive(Debug)]
pub enum ImageStep {
    /// Carry out the steps of the request in `slot`, which is Node's from now on, and collect what it answers.
    Internal {
        /// The slot.
        slot: usize,
        /// Its method.
        method: String,
        /// Its URL.
        url: String,
        /// Bytes of the answer that are taken.
        limit: u64,
    },
    /// Ask the app's cache handler for this key.
    Get(String),
    /// Hand a picture to the app's cache handler.
    Set(String, Entry),
}

impl Engine {
    pub(super) fn serve_image(&self, flight: &mut Flight) -> Next {
        if !self.images.served {
            return self.fail(flight, 404);
        }
        // A rewrite can lead from the source of a picture to a picture, and so in a circle.
        if flight.internal {
            let text = Bytes::from_static(b"\"url\" parameter cannot be recursive");
            return self.answer(flight, 400, response_headers(flight), text);
        }
        if flight.image.is_none() {
            match self.image_call(flight) {
                Ok(call) => flight.image = Some(Box::new(call)),
                Err(Refusal::Bad(text)) => {
                    return self.answer(flight, 400, response_headers(flight), Bytes::from(text))
                }
                Err(Refusal::Fault(why)) => return self.image_fault(flight, why),
                Err(Refusal::Page(why)) => {
                    tracing::error!("{why}");
                    return self.fail(flight, 500);
                }
            }
        }
        match self.image_outcome(flight) {
            None => Next::Load(Load::Image),
            Some(Outcome::Picture(picture, found)) => self.send_picture(flight, &picture, found),
            Some(Outcome::Trouble(Trouble::Refused(status, text))) => {
                let text = Bytes::from_static(text.as_bytes());
                self.answer(flight, status, response_headers(flight), text)
            }
            Some(Outcome::Trouble(Trouble::Failed(why))) => self.image_fault(flight, &why),
        }
    }

    /// What fails on the way to a picture ends in a bare text, whatever pages the app has.
    fn image_fault(&self, flight: &Flight, why: &str) -> Next {
        tracing::error!("{why}");
        let text = Bytes::from_static(b"Internal Server Error");
        self.answer(flight, 500, response_headers(flight), text)
    }

    fn image_call(&self, flight: &Flight) -> Result<ImageCall, Refusal> {
        let view = flight.state.header_view(&flight.request);
        let accept = view.get("accept").unwrap_or_default();
        let params = self.images.rules.read(&flight.state.location.query, &accept)?;
        Ok(ImageCall {
            params: Arc::new(params),
            method: match &flight.request.method {
                // There is no picture in the answer to a `HEAD`.
                Method::Head => Method::Get,
                method => method.clone(),
            },
            previous: None,
            job: None,
            reply: None,
            outcome: None,
            cancel: Arc::default(),
        })
    }

    /// What has come of a request: of the work, or at once from memory.
    fn image_outcome(&self, flight: &mut Flight) -> Option<Outcome> {
        let call = flight.image.as_mut()?;
        if call.outcome.is_some() || call.previous.is_some() {
            return call.outcome.clone();
        }
        let picture = self.images.memory.get(&call.params.key)?;
        let found = found(&picture.entry);
        Some(Outcome::Picture(picture, found))
    }

    fn send_picture(&self, flight: &mut Flight, picture: &Arc<Picture>, found: Found) -> Next {
        let Some(call) = flight.image.as_ref() else {
            return Next::Nothing;
        };
        if call.previous.is_some() {
            // Nobody waits for the bytes.
            return Next::Step(Step::Answer(Answer {
                status: 200.into(),
                ..Answer::default()
            }));
        }
        let params = Arc::clone(&call.params);
        flight.revalidation = None;
        if found == Found::Stale {
            flight.revalidation = self.image_revalidation(&params, picture, flight.driver);
        }
        // A rule can lead to a picture from any path; only for the usual one it is known that `Accept` matters.
        if found == Found::Hit && flight.request.target.contains("/_next/image") {
            flight.made_from(Source::Picture(params.key.clone(), Arc::downgrade(picture)));
        }
        let framing = PictureFraming {
            found,
            immutable: params.immutable,
            rules: pairs(&response_headers(flight)),
            personal: flight.personal,
        };
        let settings = PictureSettings {
            security_policy: &self.images.security_policy,
            disposition: &self.images.disposition,
            compress: self.settings.compress,
            preferred: self.settings.preferred,
        };
        let conditions = Conditions::of(&flight.request.headers);
        let head = flight.request.method == Method::Head;
        match picture.answer(&self.table, settings, framing, &conditions, head) {
            PictureAnswer::Ready(answer) => Next::Ready(answer),
            PictureAnswer::Once(status, headers, body) => Next::Step(Step::Answer(Answer { status, headers, body })),
            PictureAnswer::Encode(coding) => {
                if let Some(call) = flight.image.as_mut() {
                    call.outcome = Some(Outcome::Picture(Arc::clone(picture), found));
                }
                Next::Load(Load::EncodePicture(Arc::clone(picture), coding))
            }
        }
    }

    /// The work of nobody that makes a stale picture anew, unless somebody is at it.
    fn image_revalidation(
        &self,
        params: &Arc<Params>,
        picture: &Arc<Picture>,
        driver: Driver,
    ) -> Option<Box<Revalidation>> {
        let key = format!("image\0{}", params.key);
        if self.cache.renders.is_busy(&key, now_ms()) {
            return None;
        }
        let request = Request {
            method: Method::Get,
            target: "/_next/image".to_owned(),
            headers: Headers::default(),
            encrypted: false,
            origin: Origin::Revalidate,
        };
        let mut flight = Flight::new(request, driver, RouteState::default(), Decision::Image);
        flight.image = Some(Box::new(ImageCall {
            params: Arc::clone(params),
            method: Method::Get,
            previous: Some(Arc::clone(picture)),
            job: None,
            reply: None,
            outcome: None,
            cancel: Arc::default(),
        }));
        Some(Box::new(Revalidation::new(key, flight)))
    }

    /// Compresses a picture for the request in `slot`.
    pub(super) async fn encode_picture(&self, slot: usize, picture: Arc<Picture>, coding: Coding) {
        picture.encoded(coding).await;
        let mut flights = self.flights();
        let Some(flight) = flights.get(slot) else { return };
        flight.next = self.serve(flight);
    }

    /// Waits for the picture of the request in `slot`, or for something that Node has to do for it first.
    pub(super) async fn load_image(self: &Arc<Self>, slot: usize) {
        let (job, cancel) = {
            let mut flights = self.flights();
            let Some(call) = flights.get(slot).and_then(|flight| flight.image.as_mut()) else {
                return;
            };
            let job = match &call.job {
                Some(job) => Arc::clone(job),
                None => self.image_job(call),
            };
            call.job = Some(Arc::clone(&job));
            (job, Arc::clone(&call.cancel))
        };
        let next = tokio::select! {
            biased;
            () = cancel.wait() => None,
            next = job.next() => Some(next),
        };
        // The slot of an internal request that is Node's from now on.
        let mut handed = None;
        let mut flights = self.flights();
        let Some(flight) = flights.get(slot) else { return };
        let driver = flight.driver;
        let Some(call) = flight.image.as_mut() else { return };
        let step = match next {
            // Whatever is answered now is read by nobody.
            None => Some(Step::Answer(Answer {
                status: 503.into(),
                ..Answer::default()
            })),
            Some(JobNext::Ask(question)) => {
                let (what, reply) = question.into_parts();
                call.reply = Some(reply);
                if let Question::Internal(internal) = &what {
                    handed = internal.slot;
                }
                Some(Step::Image(self.image_step(what)))
            }
            Some(JobNext::Done(outcome)) => {
                call.outcome = Some(outcome);
                None
            }
            Some(JobNext::Lost) => {
                let why = format!(
                    "The image {} could not be made, for a fault of ferronext.",
                    call.params.href
                );
                call.outcome = Some(Outcome::Trouble(Trouble::Failed(why)));
                None
            }
        };
        let next = match step {
            Some(step) => {
                if !matches!(step, Step::Image(_)) {
                    call.job = None;
                }
                Next::Step(step)
            }
            None => {
                call.job = None;
                self.serve(flight)
            }
        };
        flight.next = next;
        if let Some(flight) = handed.and_then(|slot| flights.get(slot)) {
            flight.driver = driver;
        }
        drop(flights);
        // After the lock: the last one to go ends the work.
        drop(job);
    }

    fn image_step(&self, question: Question) -> ImageStep {
        match question {
            Question::Internal(mut internal) => ImageStep::Internal {
                slot: internal.slot.take().unwrap_or(usize::MAX),
                method: std::mem::take(&mut internal.method),
                url: std::mem::take(&mut internal.url),
                limit: self.images.max_bytes,
            },
            Question::Get(key) => ImageStep::Get(key),
            Question::Set(key, entry) => ImageStep::Set(key, entry),
        }
    }

    /// Node has done what the request in `slot` was told.
    pub fn image_reply(&self, slot: usize, reply: Reply) {
        let mut flights = self.flights();
        let Some(flight) = flights.get(slot) else { return };
        let Some(call) = flight.image.as_mut() else { return };
        if let Some(sender) = call.reply.take() {
            // Nobody listens when the work has ended meanwhile.
            let _ = sender.send(reply);
        }
        flight.next = Next::Load(Load::Image);
    }

    /// The client of the request in `slot` has gone away.
    pub fn image_cancel(&self, slot: usize) {
        if let Some(call) = self.flights().get(slot).and_then(|flight| flight.image.as_mut()) {
            call.cancel.gone.store(true, Ordering::Release);
            call.cancel.told.notify_waiters();
        }
    }

    /// The work for a request: its own, or that of others who wait for the same.
    fn image_job(self: &Arc<Self>, call: &ImageCall) -> Arc<ImageJob> {
        let ImageCall {
            params,
            method,
            previous,
            ..
        } = call;
        let key = match (previous, method) {
            (Some(_), _) => format!("anew\0{}", params.key),
            (None, Method::Get) => params.key.clone(),
            (None, method) => format!("{method:?}\0{}", params.key),
        };
        let work = Work {
            engine: Arc::clone(self),
            params: Arc::clone(params),
            method: method.clone(),
            previous: previous.clone(),
        };
        self.images.jobs.join(&key, |worker| work.run(worker))
    }
}

/// Whether a picture that is there is still good.
pub(super) fn found(entry: &Entry) -> Found {
    if now_ms() as f64 > entry.expires_ms {
        Found::Stale
    } else {
        Found::Hit
    }
}
