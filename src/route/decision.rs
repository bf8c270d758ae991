//! What routing decides, and how it goes on.

use super::header_view::HeaderText;
use super::params::Params;
use super::state::RouteState;
use crate::build::ListingRoot;

/// What running middleware needs beyond the request itself. Its headers are those of the request, seen through
/// [`RouteState::request_headers`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MiddlewareCall {
    /// The absolute URL of its `Request`.
    pub url: String,
}

/// One step of routing: what to do now, and the state to go on from.
#[derive(Debug, Clone)]
pub struct RouteStep {
    /// What to do now.
    pub decision: Decision,
    /// Where the request is, and what has to be on the answer. Give it back to [`Router::resume`](super::Router::resume).
    pub state: RouteState,
}

/// What to do with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Answer with a redirect.
    Redirect(Redirect),
    /// Answer with a static file.
    File(StaticFile),
    /// Answer with a page or a route handler, prerendered or rendered.
    Output(Box<Output>),
    /// Answer with an optimised image; `state.location.query` holds the parameters.
    Image,
    /// Let another server answer.
    Proxy {
        /// The absolute URL.
        url: String,
    },
    /// Run middleware, then resume with [`Event::Middleware`].
    Middleware(Box<MiddlewareCall>),
    /// Answer with what middleware said, body included.
    MiddlewareResponse {
        /// Its status.
        status: u16,
    },
    /// Nothing is there.
    NotFound(NotFound),
    /// A parameter of the path does not decode: the 400 page.
    BadRequest,
    /// Routing failed. Upstream logs the message and shows the 500 page.
    Fault {
        /// What went wrong.
        message: String,
        /// Whether not even an error page can be rendered, so that the answer is plain text.
        plain: bool,
    },
}

/// A redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The status.
    pub status: u16,
    /// `Location`, which is also the body.
    pub location: String,
    /// `Refresh`, only for 308 and not for locales.
    pub refresh: Option<String>,
    /// Why.
    pub reason: RedirectReason,
}

/// Why a request is redirected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectReason {
    /// To the visitor's locale. Sent before compression is attached.
    Locale,
    /// The path had repeated slashes or backslashes.
    Slashes,
    /// A rule of the configuration, or the trailing-slash rule of Next.js itself.
    Rule,
    /// Middleware said so.
    Middleware,
}

/// A static file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticFile {
    /// The folder.
    pub root: ListingRoot,
    /// The path below the folder, percent-encoded or not, as upstream gives it to `send`, which decodes it once.
    pub item_path: String,
    /// The decoded path below the folder, without leading slash; `None` when it does not decode.
    pub relative: Option<String>,
}

/// What kind of code answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputKind {
    /// A page of the App Router.
    AppPage,
    /// A route handler of the App Router.
    AppRoute,
    /// A page of the Pages Router.
    Pages,
    /// An API route of the Pages Router.
    PagesApi,
}

/// The page or route handler that answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// What kind of code it is.
    pub kind: OutputKind,
    /// The key of its manifest, for instance `/blog/[slug]/page`.
    pub page: String,
    /// The route, for instance `/blog/[slug]`.
    pub pathname: String,
    /// The file, relative to `.next/server`.
    pub file: String,
    /// Decoded parameters; `None` for a page without any, and where upstream has none to give.
    pub params: Option<Params>,
    /// The path that the page stands for, without basePath, locale and data form, still percent-encoded.
    pub resolved_pathname: String,
    /// Whether the answer is the page's data (`_next/data`).
    pub is_data_request: bool,
    /// Whether it runs in the edge sandbox.
    pub edge: bool,
    /// What [`RouteState`] remembers when the entry says "no fallback".
    pub item_path: String,
}

/// Where and how nothing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFound {
    /// Plain text `Not Found`, with `no-store`: a missing static file, or a sub-resource that would not show a page.
    PlainText,
    /// The not-found page, with `no-store`.
    Page,
    /// `{}` with `x-nextjs-matched-path`: a data request in an app with middleware.
    Data,
    /// The not-found page of the renderer: something matched, but there is no page to render. Upstream sets `no-store`
    /// when it refuses the path and leaves the header to the page when it merely finds none.
    Unrendered {
        /// Whether to set `no-store`.
        no_store: bool,
    },
}

/// What happened since the last step.
#[derive(Debug, Clone)]
pub enum Event {
    /// Middleware answered.
    Middleware(MiddlewareReply),
    /// The entry of the output says that it has no fallback for this path.
    NoFallback(String),
}

/// What middleware answered.
#[derive(Debug, Clone, Default)]
pub struct MiddlewareReply {
    /// The status.
    pub status: u16,
    /// The headers, by lower-case name; several `set-cookie` lines are one entry.
    pub headers: Vec<(String, HeaderText)>,
    /// Whether the locale of a rewrite's target was added to what middleware wrote (`rewriteLocaleWasInferred`).
    pub locale_added: bool,
}
