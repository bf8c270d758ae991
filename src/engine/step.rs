//! What is done next for a request: by the binding at once, or by JavaScript step by step.
//!
//! In: what `pipeline` decided. Out: [`Progress`] for a request that came in, and [`Step`] for one that has a slot.

use std::sync::Arc;

use bytes::Bytes;

use crate::answer::registry::{EntryCall, Prepared};
use crate::http::headers::HeaderList;
use crate::http::status::Status;
use crate::route::Overlay;
use crate::source::image::entry::Entry;
use crate::source::render::Render;

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
    /// The same, for an image: call `Engine::image_cancel` if the client disconnects meanwhile.
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
    /// Do something for an image, then come back through `Engine::image_reply`.
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

/// What Node does for an image, then comes back through `Engine::image_reply`.
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
    /// Hand an image to the app's cache handler.
    Set(String, Entry),
}
