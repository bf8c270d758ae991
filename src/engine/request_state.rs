//! One request in flight: a value that can wait and go on.
//!
//! In: the request and what routing decided. Out: [`Next`], what happens with it next. Nothing here acts; `pipeline` does. The only owner
//! of these values is the request table.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use smallvec::SmallVec;
use tokio::sync::{oneshot, Notify};

use super::provenance::Provenance;
use super::step::{Answer, Step};
use super::{ImageJob, ImageOutcome, ImageReply};
use crate::answer::image::Image;
use crate::answer::page::Page;
use crate::answer::registry::Prepared;
use crate::body::Body;
use crate::http::encoding::Coding;
use crate::http::headers::HeaderList;
use crate::http::status::Status;
use crate::request::{Method, Request};
use crate::route::{Address, Decision, RouteState, StaticFile, Variant};
use crate::source::file::SafePath;
use crate::source::image::params::Params;
use crate::source::prerender::{End, Permit, RunnerId};
use crate::source::render::Render;

/// A request in flight.
pub(crate) struct RequestState {
    pub request: Request,
    /// The thread and app that carries out its steps.
    pub runner: RunnerId,
    pub route: RouteState,
    pub decision: Decision,
    phase: Phase,
    /// The image request that an error page displaced. The table takes it out: it must not be dropped inside the lock.
    displaced: Option<Box<ImageRequest>>,
    pub lookup: Lookup,
    /// Whether middleware took part: the answer is for this request alone.
    pub uncacheable: bool,
    /// The status that middleware set, which the response keeps from then on.
    pub status: Option<u16>,
    /// Whether headers that the user's server set on the response became part of the answer, which then holds for such responses only.
    pub uses_preset_headers: Cell<bool>,
    /// The render that the request found to be due.
    pub revalidation: Option<Box<Revalidation>>,
    /// Whether an entry without a page for the params took the path for that of an RSC payload.
    pub names_payload: bool,
    /// Whether this server asks itself, for the source of an image.
    pub internal: bool,
    /// What makes this the one render of its page.
    pub permit: Option<Permit>,
}

impl RequestState {
    /// A request of which only the route is known yet.
    pub fn new(request: Request, runner: RunnerId, route: RouteState, decision: Decision) -> RequestState {
        RequestState {
            request,
            runner,
            route,
            decision,
            phase: Phase::Decided,
            displaced: None,
            lookup: Lookup::default(),
            uncacheable: false,
            status: None,
            uses_preset_headers: Cell::new(false),
            revalidation: None,
            names_payload: false,
            internal: false,
            permit: None,
        }
    }

    /// What is being made of the decision.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Begins another phase.
    pub fn enter(&mut self, phase: Phase) {
        if let Phase::Image(image) = std::mem::replace(&mut self.phase, phase) {
            self.displaced = Some(image);
        }
    }

    /// What changes have displaced, to be dropped after the lock of the table.
    pub fn take_displaced(&mut self) -> Option<Box<ImageRequest>> {
        self.displaced.take()
    }

    /// The image that the request asks for, while it is one for an image.
    pub fn image(&mut self) -> Option<&mut ImageRequest> {
        match &mut self.phase {
            Phase::Image(image) => Some(image),
            Phase::Decided | Phase::ErrorPage(_) => None,
        }
    }
}

/// What is being made of a decision.
pub(crate) enum Phase {
    /// What it says.
    Decided,
    /// The app's error page in its place.
    ErrorPage(ErrorPage),
    /// An image.
    Image(Box<ImageRequest>),
}

/// What a request has learned about cached answers.
#[derive(Default)]
pub(crate) struct Lookup {
    /// Keys of entries that are missing or corrupt.
    pub failed_keys: SmallVec<[String; 2]>,
    /// The answer that was read for it, by its key: memory need not have room for it.
    pub loaded: Option<(String, Arc<Page>)>,
    /// Whether it waited for the render of another request.
    pub waited: bool,
}

/// The error page that is on its way.
#[derive(Debug, Clone)]
pub(crate) struct ErrorPage {
    pub status: u16,
    /// Headers of the response before the page adds its own.
    pub headers: HeaderList,
    /// Whether the answer must not be kept.
    pub no_store: bool,
    /// Why it is shown.
    pub cause: Cause,
}

/// Why an error page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The target alone leads to it.
    Target,
    /// Anything else: what a render found, what was sent with the request, or a fault, which is logged each time.
    Other,
}

/// A request for an image, as far as it has come.
pub(crate) struct ImageRequest {
    pub params: Arc<Params>,
    /// What the source is asked with.
    pub method: Method,
    /// The image that is being made again in the background.
    pub previous: Option<Arc<Image>>,
    pub job: Option<Arc<ImageJob>>,
    pub reply: Option<oneshot::Sender<ImageReply>>,
    pub outcome: Option<ImageOutcome>,
    pub cancel: Arc<Cancel>,
}

/// Tells that the client has disconnected.
#[derive(Debug, Default)]
pub(crate) struct Cancel {
    is_cancelled: AtomicBool,
    notify: Notify,
}

impl Cancel {
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    pub async fn wait(&self) {
        let notified = self.notify.notified();
        tokio::pin!(notified);
        // Registered before the flag is read, so that no cancellation falls between the two.
        notified.as_mut().enable();
        if !self.is_cancelled.load(Ordering::Acquire) {
            notified.await;
        }
    }
}

/// A page or an image that is to be made again in the background.
pub(crate) struct Revalidation {
    /// Its key in the cache.
    pub key: String,
    /// The internal request that does it.
    pub state: RequestState,
}

/// What happens next with a request.
pub(crate) enum Next {
    /// Send an answer that is sent often.
    Ready(Arc<Prepared>, Provenance),
    /// Send an answer that was made for this request.
    Answer(Answer, Provenance),
    /// Run a compiled entry.
    Render(Box<Render>, Provenance),
    /// Fetch something, then decide again.
    Load(Load),
    /// Carry out this step.
    Step(Step),
    /// Send a body chunk by chunk.
    Body(Status, HeaderList, Body),
    /// Wait: another part of the program has it.
    Nothing,
}

impl Next {
    /// The step that JavaScript carries out, which leaves the request waiting for what comes of it. `None` while it waits for that.
    pub fn take_step(&mut self) -> Option<Step> {
        match std::mem::replace(self, Next::Nothing) {
            Next::Ready(answer, _) => Some(Step::Answer(Answer {
                status: answer.status,
                headers: answer.headers.clone(),
                body: answer.body.clone(),
            })),
            Next::Answer(answer, _) => Some(Step::Answer(answer)),
            Next::Render(render, _) => Some(Step::Render(render)),
            Next::Load(load) => {
                let step = if matches!(load, Load::Image) {
                    Step::LoadImage
                } else {
                    Step::Load
                };
                *self = Next::Load(load);
                Some(step)
            }
            Next::Step(step) => Some(step),
            Next::Body(status, headers, body) => {
                *self = Next::Body(status, HeaderList::new(), body);
                Some(Step::Stream { status, headers })
            }
            Next::Nothing => None,
        }
    }
}

/// What a request waits for.
pub(crate) enum Load {
    /// A prerendered answer, from disk.
    Page(Address, String),
    /// A document of the build, by its file, from disk.
    Document(String, String),
    /// A render that another request has begun.
    Render(End),
    /// A compressed body.
    Encode(Arc<Page>, Variant, Coding),
    /// A file, from disk or to be compressed.
    File(FileRequest),
    /// An image that is being made.
    Image,
    /// An image that is compressed on its way out.
    EncodeImage(Arc<Image>, Coding),
}

/// A file that was asked for.
#[derive(Clone)]
pub(crate) struct FileRequest {
    pub file: StaticFile,
    pub path: SafePath<'static>,
}
