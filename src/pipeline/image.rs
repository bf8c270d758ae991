//! `/_next/image`: from memory if it is there, else made once for all requests that wait for it.
//!
//! In: a request for an image. Out: the image, or the error that Next.js answers. A request waits for a job that belongs to all requests
//! for the same image; it runs on tokio and in the worker pool, and asks one of them when it needs JavaScript. Next.js: `handleNextImageRequest` of `next-server.js`, and its `ResponseCache`.

mod work;

use std::sync::Arc;

use bytes::Bytes;

use self::work::ImageTask;
use super::headers::response_headers;
use crate::answer::conditional::Conditions;
use crate::answer::image::{Found, Image, ImageAnswer, ImageSettings, ImageVariant};
use crate::engine::{
    now_ms, Answer, Cause, Engine, ImageJob, ImageOutcome, ImageQuestion, ImageReply, ImageRequest, ImageStep, Load,
    Next, Phase, Provenance, RequestState, Revalidation, Source, Step,
};
use crate::http::status::INTERNAL_SERVER_ERROR;
use crate::request::{Headers, Method, Origin, Request};
use crate::route::{Decision, RouteState};
use crate::source::image::entry::Entry;
use crate::source::image::jobs::Next as JobNext;
use crate::source::image::params::{Params, ParamsError};
use crate::source::image::source::ImageError;
use crate::source::prerender::RunnerId;

impl Engine {
    pub(super) fn serve_image(&self, state: &mut RequestState) -> Next {
        if !self.images.served {
            return self.fail(state, Cause::Target, 404);
        }
        // A rewrite can lead from the source of an image to an image, and so in a circle.
        if state.internal {
            return self.image_refused(state, 400, "\"url\" parameter cannot be recursive");
        }
        if state.image().is_none() {
            match self.image_request(state) {
                Ok(request) => state.enter(Phase::Image(Box::new(request))),
                Err(ParamsError::Bad(text)) => return self.image_refused(state, 400, text),
                Err(ParamsError::Fault(why)) => return self.image_fault(state, why),
                Err(ParamsError::Page(why)) => {
                    tracing::error!("{why}");
                    return self.fail(state, Cause::Other, 500);
                }
            }
        }
        match self.image_outcome(state) {
            None => Next::Load(Load::Image),
            Some(ImageOutcome::Image(image, found)) => self.send_image(state, &image, found),
            Some(ImageOutcome::Failed(ImageError::Refused(status, text))) => self.image_refused(state, status, text),
            Some(ImageOutcome::Failed(ImageError::Failed(why))) => self.image_fault(state, &why),
        }
    }

    fn image_refused(&self, state: &RequestState, status: u16, text: impl Into<Bytes>) -> Next {
        let headers = response_headers(state);
        self.answer(state, Provenance::Uncacheable, status, headers, text.into())
    }

    /// What fails on the way to an image ends in a bare text, whatever pages the app has.
    fn image_fault(&self, state: &RequestState, why: &str) -> Next {
        tracing::error!("{why}");
        self.image_refused(state, 500, INTERNAL_SERVER_ERROR)
    }

    fn image_request(&self, state: &RequestState) -> Result<ImageRequest, ParamsError> {
        let view = state.route.header_view(&state.request);
        let accept = view.get("accept").unwrap_or_default();
        let params = self.images.rules.read(&state.route.location.query, &accept)?;
        Ok(ImageRequest {
            params: Arc::new(params),
            method: match &state.request.method {
                // There is no image in the answer to a `HEAD`.
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

    /// What has come of a request: of the job, or at once from memory.
    fn image_outcome(&self, state: &mut RequestState) -> Option<ImageOutcome> {
        let call = state.image()?;
        if call.outcome.is_some() || call.previous.is_some() {
            return call.outcome.clone();
        }
        let image = self.images.memory.get(&call.params.key)?;
        let found = found(&image.entry);
        Some(ImageOutcome::Image(image, found))
    }

    fn send_image(&self, state: &mut RequestState, image: &Arc<Image>, found: Found) -> Next {
        let Some(call) = state.image() else {
            return Next::Nothing;
        };
        if call.previous.is_some() {
            // No client waits for the bytes.
            return bare_answer(200);
        }
        let params = Arc::clone(&call.params);
        state.revalidation = None;
        if found == Found::Stale {
            state.revalidation = self.image_revalidation(&params, image, state.runner);
        }
        // A rule can lead to an image from any path; only for the usual one it is known that `Accept` matters.
        let provenance = if found == Found::Hit && state.request.target.contains("/_next/image") {
            Provenance::Source(Source::Image(params.key.clone(), Arc::downgrade(image)))
        } else {
            Provenance::Uncacheable
        };
        let variant = ImageVariant {
            found,
            immutable: params.immutable,
            leading: response_headers(state),
            uncacheable: state.uncacheable,
        };
        let settings = ImageSettings {
            security_policy: &self.images.security_policy,
            disposition: &self.images.disposition,
            compress: self.settings.compress,
            preferred: self.settings.preferred,
        };
        let conditions = Conditions::of(&state.request.headers);
        let head = state.request.method == Method::Head;
        match image.answer(&self.registry, settings, variant, &conditions, head) {
            ImageAnswer::Ready(answer) => Next::Ready(answer, provenance),
            ImageAnswer::Once(status, headers, body) => {
                Next::Answer(Answer { status, headers, body }, Provenance::Uncacheable)
            }
            ImageAnswer::Encode(coding) => {
                if let Some(call) = state.image() {
                    call.outcome = Some(ImageOutcome::Image(Arc::clone(image), found));
                }
                Next::Load(Load::EncodeImage(Arc::clone(image), coding))
            }
        }
    }

    /// The internal request that makes a stale image again, unless one is under way.
    fn image_revalidation(
        &self,
        params: &Arc<Params>,
        image: &Arc<Image>,
        runner: RunnerId,
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
        let mut state = RequestState::new(request, runner, RouteState::default(), Decision::Image);
        state.enter(Phase::Image(Box::new(ImageRequest {
            params: Arc::clone(params),
            method: Method::Get,
            previous: Some(Arc::clone(image)),
            job: None,
            reply: None,
            outcome: None,
            cancel: Arc::default(),
        })));
        Some(Box::new(Revalidation { key, state }))
    }

    /// Waits for the image of the request in `slot`, or for something that Node has to do for it first.
    pub(super) async fn load_image(self: &Arc<Self>, slot: usize) {
        let joined = self.requests.update(slot, |state| {
            let call = state.image()?;
            let job = match &call.job {
                Some(job) => Arc::clone(job),
                None => self.image_job(call),
            };
            call.job = Some(Arc::clone(&job));
            Some((job, Arc::clone(&call.cancel)))
        });
        let Some(Some((job, cancel))) = joined else {
            return;
        };
        // Taken out inside the lock and dropped after it, whatever becomes of it: a question may free the slot of an internal request.
        let mut next = tokio::select! {
            biased;
            () = cancel.wait() => None,
            next = job.next() => Some(next),
        };
        // The slot of an internal request that is Node's from now on, and its runner.
        let mut handed = None;
        self.requests.advance(slot, |state| {
            let runner = state.runner;
            let Some(call) = state.image() else {
                return Next::Nothing;
            };
            let outcome = match next.take() {
                Some(JobNext::Ask(question)) => {
                    let (what, reply) = question.into_parts();
                    call.reply = Some(reply);
                    if let ImageQuestion::Internal(internal) = &what {
                        handed = internal.slot().map(|slot| (slot, runner));
                    }
                    return Next::Step(Step::Image(self.image_step(what)));
                }
                // The client has disconnected.
                None => None,
                Some(JobNext::Done(outcome)) => Some(outcome),
                Some(JobNext::Lost) => {
                    let href = &call.params.href;
                    let why = format!("The image {href} could not be made, for a fault of ferronext.");
                    Some(ImageOutcome::Failed(ImageError::Failed(why)))
                }
            };
            // `job` above keeps it until the lock is free: the last holder ends it.
            call.job = None;
            match outcome {
                None => bare_answer(503),
                outcome => {
                    call.outcome = outcome;
                    self.serve(state)
                }
            }
        });
        if let Some((slot, runner)) = handed {
            self.requests.update(slot, |state| state.runner = runner);
        }
        drop((next, job));
    }

    fn image_step(&self, question: ImageQuestion) -> ImageStep {
        match question {
            ImageQuestion::Internal(mut internal) => ImageStep::Internal {
                slot: internal.take().unwrap_or(usize::MAX),
                method: std::mem::take(&mut internal.method),
                url: std::mem::take(&mut internal.url),
                limit: self.images.max_bytes,
            },
            ImageQuestion::Get(key) => ImageStep::Get(key),
            ImageQuestion::Set(key, entry) => ImageStep::Set(key, entry),
        }
    }

    /// Node has done what the step of the request in `slot` asked for.
    pub fn image_reply(&self, slot: usize, reply: ImageReply) {
        let is_image = self
            .requests
            .look(slot, |state, _| matches!(state.phase(), Phase::Image(_)));
        if is_image != Some(true) {
            return;
        }
        let sender = self
            .requests
            .update(slot, |state| state.image().and_then(|call| call.reply.take()));
        if let Some(sender) = sender.flatten() {
            // The job may have ended meanwhile.
            let _ = sender.send(reply);
        }
        self.requests.advance(slot, |_| Next::Load(Load::Image));
    }

    /// The client of the request in `slot` has disconnected.
    pub fn image_cancel(&self, slot: usize) {
        let cancel = self
            .requests
            .update(slot, |state| state.image().map(|call| Arc::clone(&call.cancel)));
        if let Some(cancel) = cancel.flatten() {
            cancel.cancel();
        }
    }

    /// The job for a request: its own, or one that other requests wait for, too.
    fn image_job(self: &Arc<Self>, call: &ImageRequest) -> Arc<ImageJob> {
        let ImageRequest {
            params,
            method,
            previous,
            ..
        } = call;
        let key = match (previous, method) {
            (Some(_), _) => format!("again\0{}", params.key),
            (None, Method::Get) => params.key.clone(),
            (None, method) => format!("{method:?}\0{}", params.key),
        };
        let work = ImageTask {
            engine: Arc::clone(self),
            params: Arc::clone(params),
            method: method.clone(),
            previous: previous.clone(),
        };
        self.images.jobs.join(&key, |worker| work.run(worker))
    }
}

/// Whether an image is still fresh.
pub(super) fn found(entry: &Entry) -> Found {
    if now_ms() as f64 > entry.expires_ms {
        Found::Stale
    } else {
        Found::Hit
    }
}

/// A status for an internal request.
fn bare_answer(status: u16) -> Next {
    let answer = Answer {
        status: status.into(),
        ..Answer::default()
    };
    Next::Answer(answer, Provenance::Uncacheable)
}
