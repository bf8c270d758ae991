//! A request in flight: a value that can wait and go on.
//!
//! In: the request and what routing has decided so far. Out: the next [`Step`]. Nothing here does anything; `pipeline` does.

use std::cell::Cell;
use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::answer::page::Page;
use crate::answer::picture::Picture;
use crate::answer::prepared::{EntryCall, Prepared};
use crate::body::Body;
use crate::http::encoding::Coding;
use crate::http::headers::HeaderList;
use crate::http::status::Status;
use crate::request::Request;
use crate::route::{Address, Decision, Overlay, RouteState, StaticFile, Variant};
use crate::source::file::SafePath;
use crate::source::prerender::{Driver, End, Permit};
use crate::source::render::Render;

use super::image::{ImageCall, ImageStep};
use super::revalidate::Revalidation;
use super::shortcut::{Origins, Source};

/// What became of a request that came in.
#[derive(Debug)]
pub enum Progress {
    /// It can be answered now.
    Answer(Arc<Prepared>),
    /// So can this, with what was made for it alone.
    Once(Answer),
    /// It goes on in this slot.
    Slot(usize),
}

/// What has to be done next for a request in a slot.
#[derive(Debug)]
pub enum Step {
    /// Wait for `Engine::load`, then ask again.
    Load,
    /// The same, for a picture: say `Engine::image_cancel` if the client goes away meanwhile.
    LoadImage,
    /// Send this.
    Answer(Answer),
    /// Send this, then the chunks of `Engine::chunk`.
    Stream {
        /// The status.
        status: Status,
        /// The headers.
        headers: HeaderList,
    },
    /// Let another server answer, through `Engine::exchange`.
    Proxy {
        /// The absolute URL, as rules and middleware wrote it.
        url: String,
        /// What stands on the answer before the other server adds its own.
        headers: HeaderList,
    },
    /// Send this and go on as with `Render`: the entry writes what follows.
    Resume {
        /// The beginning of the answer.
        shell: Shell,
        /// What the entry goes on from.
        postponed: String,
        /// The entry.
        render: Box<Render>,
    },
    /// Run a compiled entry. It answers, or comes back through `Engine::no_fallback` or `Engine::error_page`.
    Render(Box<Render>),
    /// The same as for another request before.
    Call(Arc<EntryCall>),
    /// Render the page whose request waits in `slot` while this one goes on, then ask again.
    Revalidate {
        /// The slot of the render. Free it when it has ended.
        slot: usize,
        /// The URL of the page.
        url: String,
    },
    /// Do something for a picture, then come back through `Engine::image_reply`.
    Image(ImageStep),
    /// Run middleware, then come back through `Engine::middleware_answered` or `Engine::middleware_failed`.
    Middleware {
        /// The absolute URL of its request.
        url: String,
        /// What changed in the headers of the request.
        request_headers: Overlay,
    },
    /// Send what middleware answered, with its body.
    MiddlewareResponse {
        /// The status.
        status: u16,
        /// The headers.
        headers: HeaderList,
    },
}

/// The beginning of an answer.
#[derive(Debug, Clone)]
pub enum Shell {
    /// One that is sent often.
    Ready(Arc<Prepared>),
    /// One for this request alone.
    Once(Answer),
}

/// An answer that is made for one request.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status.
    pub status: Status,
    /// The headers.
    pub headers: HeaderList,
    /// The body.
    pub body: Bytes,
}

/// A request in flight.
pub struct Flight {
    pub(crate) request: Request,
    /// Who carries out its steps.
    pub(crate) driver: Driver,
    pub(crate) state: RouteState,
    pub(crate) decision: Decision,
    /// Set while the app's error page is prepared.
    pub(crate) error: Option<ErrorPage>,
    /// Answers that are not to be had, by their keys: they turned out to be missing or torn.
    pub(crate) absent: SmallVec<[String; 2]>,
    /// Whether middleware had a say in it: the answer is made for this request and not kept.
    pub(crate) personal: bool,
    /// The status of what middleware answered, which stands on the response from then on.
    pub(crate) status: Option<u16>,
    /// Whether what the user's server has set on the response has become part of the answer, which is for such responses only then.
    pub(crate) heeds_response: Cell<bool>,
    /// The render that the request has found to be due.
    pub(crate) revalidation: Option<Box<Revalidation>>,
    /// What a request for a picture has come to.
    pub(crate) image: Option<Box<ImageCall>>,
    /// Whether an entry that found nothing has taken the path for that of a payload.
    pub(crate) names_payload: bool,
    /// Whether this server asks itself, for the source of a picture.
    pub(crate) internal: bool,
    /// What makes this the one render of its page.
    pub(crate) permit: Option<Permit>,
    /// The answer that was read for it, by its key: memory need not have room for it.
    pub(crate) loaded: Option<(String, Arc<Page>)>,
    /// Whether it has waited for the render of somebody else.
    pub(crate) waited: bool,
    /// Where its answer comes from, if the next request may have the same.
    pub(crate) origins: Origins,
    pub(crate) next: Next,
}

impl Flight {
    /// A request about which nothing but its route is known yet.
    pub(crate) fn new(request: Request, driver: Driver, state: RouteState, decision: Decision) -> Flight {
        Flight {
            request,
            driver,
            state,
            decision,
            error: None,
            absent: SmallVec::new(),
            personal: false,
            status: None,
            heeds_response: Cell::new(false),
            revalidation: None,
            image: None,
            names_payload: false,
            internal: false,
            permit: None,
            loaded: None,
            waited: false,
            origins: Origins::Unknown,
            next: Next::Nothing,
        }
    }

    /// Notes what the answer is made from, unless it is known to be made from more.
    pub(crate) fn made_from(&mut self, source: Source) {
        if !matches!(self.origins, Origins::Several) {
            self.origins = Origins::One(source);
        }
    }
}

/// The error page that is on its way.
#[derive(Debug, Clone)]
pub(crate) struct ErrorPage {
    pub status: u16,
    /// What stands on the response before the page adds its own.
    pub headers: HeaderList,
    /// Whether the answer must not be kept.
    pub no_store: bool,
}

/// What happens next.
pub(crate) enum Next {
    /// It can be answered now.
    Ready(Arc<Prepared>),
    /// Something has to be fetched first.
    Load(Load),
    /// The step to hand out.
    Step(Step),
    /// A body to be sent chunk by chunk.
    Body(Status, HeaderList, Body),
    /// Somebody else has it.
    Nothing,
}

/// What a request waits for.
pub(crate) enum Load {
    /// A prerendered answer, from disk.
    Page(Address, String),
    /// A document of the build, by its file, from disk.
    Document(String, String),
    /// A render that somebody else has begun.
    Render(End),
    /// A compressed body.
    Encode(Arc<Page>, Variant, Coding),
    /// A file, from disk or to be compressed.
    File(FileRequest),
    /// A picture that is being made.
    Image,
    /// A picture that is compressed on its way out.
    EncodePicture(Arc<Picture>, Coding),
}

/// A file that was asked for.
#[derive(Clone)]
pub(crate) struct FileRequest {
    pub file: StaticFile,
    pub path: SafePath<'static>,
}
