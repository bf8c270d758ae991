//! What Node has to do next for a request.
//!
//! In: a step of the pipeline. Out: one object, whose `kind` says which fields it has; `runtime/steps/run.js` carries it out.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use serde_json::Value;

use super::answer::{flat, replaces, JsAnswer};
use super::cached_image::JsCachedImage;
use crate::engine::{ImageStep, Shell, Step};
use crate::route::{OutputKind, Overlay};
use crate::source::render::Render;

/// What Node has to do next, and what it needs for that. Header lists are names and values in turn.
#[napi(object_from_js = false, discriminant = "kind", discriminant_case = "camelCase")]
pub enum JsStep {
    /// Wait for `engine.load(slot)`, then ask for the next step.
    Load,
    /// The same while an image is made, for as long as the client is there.
    LoadImage,
    /// Send an answer.
    Answer {
        /// The status.
        status: u16,
        /// What it replaces of the status line, see [`replaces`].
        #[napi(ts_type = "'code' | 'line'")]
        replaces: Option<&'static str>,
        /// The headers.
        headers: Vec<String>,
        /// The body, absent when empty.
        body: Option<Buffer>,
    },
    /// Send a head; the chunks of the body are asked for one by one.
    Stream {
        /// The status.
        status: u16,
        /// What it replaces of the status line, see [`replaces`].
        #[napi(ts_type = "'code' | 'line'")]
        replaces: Option<&'static str>,
        /// The headers.
        headers: Vec<String>,
    },
    /// Pass the request on to another server.
    Proxy {
        /// Its absolute URL there.
        url: String,
        /// The headers that stand on the answer whatever comes.
        headers: Vec<String>,
    },
    /// Run a compiled entry.
    Render {
        /// Which one, and how.
        render: JsRender,
    },
    /// Send the beginning of a page, and have the entry render the rest.
    Resume {
        /// The number of the answer to begin with, if it is sent often.
        shell_id: Option<u32>,
        /// The answer to begin with, if not.
        shell: Option<JsAnswer>,
        /// What the entry goes on from.
        postponed: String,
        /// The entry.
        render: JsRender,
    },
    /// Render a stale page in the background, then ask for the next step.
    Revalidate {
        /// The slot of the render.
        slot: u32,
        /// The URL of the page.
        url: String,
    },
    /// Fetch the source of an image from the app itself: `engine.imageFetched`.
    ImageInternal {
        /// The slot of that request.
        slot: u32,
        /// Its method.
        method: String,
        /// Its target.
        url: String,
        /// Bytes of its answer that are taken.
        limit: f64,
    },
    /// Ask the app's cache handler for an image: `engine.imageKept`.
    ImageGet {
        /// The key of the image.
        key: String,
    },
    /// Give the app's cache handler an image: `engine.imageStored`.
    ImageSet {
        /// The key of the image.
        key: String,
        /// The image.
        image: JsCachedImage,
    },
    /// Run middleware: `engine.middlewareAnswered` or `engine.middlewareFailed`.
    Middleware {
        /// The absolute URL of its request.
        url: String,
        /// Whether the request headers that arrived are gone, so that only `request_headers` are left.
        replaces_request_headers: Option<bool>,
        /// Request headers that changed; a name that repeats has several values.
        request_headers: Option<Vec<String>>,
    },
    /// Send the answer of middleware, whose body Node has.
    MiddlewareResponse {
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<String>,
    },
}

/// How a compiled entry is called. What is not the case is absent: each field costs as much as a small function call.
#[napi(object, object_from_js = false)]
pub struct JsRender {
    /// The entry, relative to the build folder.
    pub file: String,
    /// What kind of entry it is.
    #[napi(ts_type = "'APP_PAGE' | 'APP_ROUTE' | 'PAGES' | 'PAGES_API'")]
    pub route_kind: &'static str,
    /// Whether it runs in the edge sandbox.
    pub edge: Option<bool>,
    /// The page as the manifests name it, for instance `/blog/[slug]/page`.
    pub page: String,
    /// The route, for instance `/blog/[slug]`.
    pub pathname: String,
    /// Params of a dynamic route.
    #[napi(ts_type = "Record<string, string | string[]>")]
    pub params: Option<Value>,
    /// The query after rewrites; absent when the entry works it out.
    #[napi(ts_type = "Record<string, string | string[]>")]
    pub query: Option<Value>,
    /// The query as it arrived, if it is another one.
    #[napi(ts_type = "Record<string, string | string[]>")]
    pub init_query: Option<Value>,
    /// The target as it arrived, normalised: with basePath, locale and data form.
    pub url: String,
    /// The status to start from: that of an error page, or what middleware has set.
    pub status: Option<u16>,
    /// Response headers of the rules, names and values in turn.
    pub headers: Vec<String>,
    /// Whether the request headers that arrived are gone, so that only `request_headers` are left.
    pub replaces_request_headers: Option<bool>,
    /// Request headers that changed, names and values in turn; a name that repeats has several values.
    pub request_headers: Option<Vec<String>>,
    /// The `Vary` of the route.
    pub vary: Option<&'static str>,
    /// Whether `next-url` cannot matter and must not reach the entry.
    pub drop_next_url: Option<bool>,
    /// Whether an error page of another path is rendered.
    pub is_error_page: Option<bool>,
    /// The locale of the request.
    pub locale: Option<String>,
    /// The locale of paths without one.
    pub default_locale: Option<String>,
    /// Whether the host has a default locale of its own.
    pub is_locale_domain: Option<bool>,
    /// Whether a React payload is asked for.
    pub is_rsc: Option<bool>,
    /// Whether the client router prefetches.
    pub is_prefetch_rsc: Option<bool>,
    /// The segment it prefetches.
    pub segment_prefetch: Option<String>,
    /// Whether the request is for `_next/data`.
    pub is_data_request: Option<bool>,
    /// The path after rewrites, when it differs.
    pub rewritten_pathname: Option<String>,
}

impl From<Step> for JsStep {
    fn from(step: Step) -> Self {
        match step {
            Step::Load => JsStep::Load,
            Step::LoadImage => JsStep::LoadImage,
            Step::Answer(answer) => {
                let JsAnswer {
                    status,
                    replaces,
                    headers,
                    body,
                } = answer.into();
                JsStep::Answer {
                    status,
                    replaces,
                    headers,
                    body,
                }
            }
            Step::Stream { status, headers } => JsStep::Stream {
                status: status.code,
                replaces: replaces(status),
                headers: flat(&headers),
            },
            Step::Proxy { url, headers } => JsStep::Proxy {
                url,
                headers: flat(&headers),
            },
            Step::Render(render) => JsStep::Render {
                render: (*render).into(),
            },
            Step::Call(call) => JsStep::Render {
                render: call.render.clone().into(),
            },
            Step::Resume {
                shell,
                postponed,
                render,
            } => {
                let (shell_id, shell) = match shell {
                    Shell::Ready(answer) => (Some(answer.id), None),
                    Shell::Once(answer) => (None, Some(answer.into())),
                };
                JsStep::Resume {
                    shell_id,
                    shell,
                    postponed,
                    render: (*render).into(),
                }
            }
            Step::Revalidate { slot, url } => JsStep::Revalidate { slot: slot as u32, url },
            Step::Image(ImageStep::Internal {
                slot,
                method,
                url,
                limit,
            }) => JsStep::ImageInternal {
                slot: slot as u32,
                method,
                url,
                limit: limit as f64,
            },
            Step::Image(ImageStep::Get(key)) => JsStep::ImageGet { key },
            Step::Image(ImageStep::Set(key, entry)) => JsStep::ImageSet {
                key,
                image: entry.into(),
            },
            Step::Middleware { url, request_headers } => {
                let (replaces_request_headers, request_headers) = changed(&request_headers);
                JsStep::Middleware {
                    url,
                    replaces_request_headers,
                    request_headers,
                }
            }
            Step::MiddlewareResponse { status, headers } => JsStep::MiddlewareResponse {
                status,
                headers: flat(&headers),
            },
        }
    }
}

impl From<Render> for JsRender {
    fn from(render: Render) -> Self {
        let (replaces_request_headers, request_headers) = changed(&render.request_headers);
        JsRender {
            file: render.file,
            route_kind: match render.kind {
                OutputKind::AppPage => "APP_PAGE",
                OutputKind::AppRoute => "APP_ROUTE",
                OutputKind::Pages => "PAGES",
                OutputKind::PagesApi => "PAGES_API",
            },
            edge: render.edge.then_some(true),
            page: render.page,
            pathname: render.pathname,
            params: render.params.map(|params| params.to_json()),
            init_query: (render.query.as_ref() != Some(&render.init_query)).then(|| render.init_query.to_json()),
            query: render.query.map(|query| query.to_json()),
            url: render.url,
            status: render.status,
            headers: flat(&render.headers),
            replaces_request_headers,
            request_headers,
            vary: render.vary,
            drop_next_url: render.drop_next_url.then_some(true),
            is_error_page: render.is_error_page.then_some(true),
            locale: render.locale,
            default_locale: render.default_locale,
            is_locale_domain: render.is_locale_domain.then_some(true),
            is_rsc: render.is_rsc.then_some(true),
            is_prefetch_rsc: render.is_prefetch_rsc.then_some(true),
            segment_prefetch: render.segment_prefetch,
            is_data_request: render.is_data_request.then_some(true),
            rewritten_pathname: render.rewritten_pathname,
        }
    }
}

/// Whether the request headers that arrived are gone, and those that changed; nothing where nothing has changed.
fn changed(changes: &Overlay) -> (Option<bool>, Option<Vec<String>>) {
    if changes.is_empty() {
        return (None, None);
    }
    let mut flat = Vec::new();
    for (name, value) in changes.changes() {
        for line in value.lines() {
            flat.push(name.to_owned());
            flat.push(line.to_owned());
        }
    }
    (Some(changes.replaces_all()), Some(flat))
}
