//! What Node has to do next for a request.
//!
//! In: a step of the pipeline. Out: one flat object; `runtime/driver.js` reads `kind` and the fields that belong to it.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use serde_json::Value;

use super::answer::JsAnswer;
use super::image::JsPicture;
use crate::pipeline::{ImageStep, Shell, Step};
use crate::response::headers::HeaderList;
use crate::response::status::{Replaces, Status};
use crate::route::{OutputKind, Overlay};
use crate::source::render::Render;

/// See `runtime/driver.js` for what each kind means.
#[napi(object, object_from_js = false)]
pub struct JsStep {
    /// `load`, `loadImage`, `answer`, `stream`, `proxy`, `render`, `resume`, `revalidate`, `image`, `middleware` or `middlewareResponse`.
    pub kind: &'static str,
    /// `answer`, `stream`: the status. `render`: the status to start from.
    pub status: Option<u16>,
    /// `answer`, `stream`: what the status replaces, see [`replaces`].
    pub replaces: Option<&'static str>,
    /// Header names and values in turn.
    pub headers: Vec<String>,
    /// `answer`: the body.
    pub body: Option<Buffer>,
    /// `image`: `internal`, `get` or `set`.
    pub question: Option<&'static str>,
    /// `image`, `internal`: the method of the request in `slot`.
    pub method: Option<String>,
    /// `image`, `internal`: bytes of the answer that are taken.
    pub limit: Option<f64>,
    /// `image`, `get` and `set`: the name of the picture.
    pub key: Option<String>,
    /// `image`, `set`: the picture.
    pub picture: Option<JsPicture>,
    /// `render`: what the entry has to be told.
    pub file: Option<String>,
    /// `APP_PAGE`, `APP_ROUTE`, `PAGES` or `PAGES_API`.
    pub route_kind: Option<&'static str>,
    /// Whether it runs in the edge sandbox. This and what follows is absent where it is not so.
    pub edge: Option<bool>,
    /// The page as the manifests name it.
    pub page: Option<String>,
    /// The route.
    pub pathname: Option<String>,
    /// Params of a dynamic route.
    pub params: Option<Value>,
    /// The query after rewrites.
    pub query: Option<Value>,
    /// The query as it arrived, if it is another one.
    pub init_query: Option<Value>,
    /// `revalidate`: the slot of the render.
    pub slot: Option<u32>,
    /// `resume`: the number of the answer to begin with, if it is sent often.
    pub shell_id: Option<u32>,
    /// `resume`: the answer to begin with, if not.
    pub shell: Option<JsAnswer>,
    /// `resume`: what the entry goes on from.
    pub postponed: Option<String>,
    /// `render`: the target as it arrived, normalised. `middleware`: the absolute URL of its request. `proxy`: where the request
    /// goes. `revalidate`: the URL of the page.
    pub url: Option<String>,
    /// Whether the request headers that arrived are gone, so that only `request_headers` are left.
    pub replaces_request_headers: Option<bool>,
    /// Request headers that changed, names and values in turn; a name that repeats has several values.
    pub request_headers: Option<Vec<String>>,
    /// The `Vary` of the route.
    pub vary: Option<&'static str>,
    /// Whether `next-url` must not reach the entry.
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

impl JsStep {
    fn of_kind(kind: &'static str) -> Self {
        JsStep {
            kind,
            status: None,
            replaces: None,
            headers: Vec::new(),
            body: None,
            question: None,
            method: None,
            limit: None,
            key: None,
            picture: None,
            file: None,
            route_kind: None,
            edge: None,
            page: None,
            pathname: None,
            params: None,
            query: None,
            init_query: None,
            slot: None,
            shell_id: None,
            shell: None,
            postponed: None,
            url: None,
            replaces_request_headers: None,
            request_headers: None,
            vary: None,
            drop_next_url: None,
            is_error_page: None,
            locale: None,
            default_locale: None,
            is_locale_domain: None,
            is_rsc: None,
            is_prefetch_rsc: None,
            segment_prefetch: None,
            is_data_request: None,
            rewritten_pathname: None,
        }
    }

    fn with_request_headers(self, changes: &Overlay) -> Self {
        if changes.is_empty() {
            return self;
        }
        let mut flat = Vec::new();
        for (name, value) in changes.changes() {
            for line in value.lines() {
                flat.push(name.to_owned());
                flat.push(line.to_owned());
            }
        }
        JsStep {
            replaces_request_headers: Some(changes.replaces_all()),
            request_headers: Some(flat),
            ..self
        }
    }
}

impl From<Step> for JsStep {
    fn from(step: Step) -> Self {
        match step {
            Step::Load => JsStep::of_kind("load"),
            Step::LoadImage => JsStep::of_kind("loadImage"),
            Step::Answer(answer) => JsStep {
                status: Some(answer.status.code),
                replaces: replaces(answer.status),
                headers: flat(&answer.headers),
                // Made for this request: its memory goes to Node as it is, unless it is shared.
                body: (!answer.body.is_empty()).then(|| Vec::from(answer.body).into()),
                ..JsStep::of_kind("answer")
            },
            Step::Stream { status, headers } => JsStep {
                status: Some(status.code),
                replaces: replaces(status),
                headers: flat(&headers),
                ..JsStep::of_kind("stream")
            },
            Step::Proxy { url, headers } => JsStep {
                url: Some(url),
                headers: flat(&headers),
                ..JsStep::of_kind("proxy")
            },
            Step::Render(render) => of_render(*render),
            Step::Call(call) => of_render(call.render.clone()),
            Step::Resume {
                shell,
                postponed,
                render,
            } => {
                let step = JsStep {
                    kind: "resume",
                    postponed: Some(postponed),
                    ..of_render(*render)
                };
                match shell {
                    Shell::Ready(answer) => JsStep {
                        shell_id: Some(answer.id),
                        ..step
                    },
                    Shell::Once(answer) => JsStep {
                        shell: Some(JsAnswer::new(
                            answer.status,
                            &answer.headers,
                            Some(Vec::from(answer.body).into()),
                        )),
                        ..step
                    },
                }
            }
            Step::Revalidate { slot, url } => JsStep {
                slot: Some(slot as u32),
                url: Some(url),
                ..JsStep::of_kind("revalidate")
            },
            Step::Image(step) => of_image(step),
            Step::Middleware { url, request_headers } => JsStep {
                url: Some(url),
                ..JsStep::of_kind("middleware").with_request_headers(&request_headers)
            },
            Step::MiddlewareResponse { status, headers } => JsStep {
                status: Some(status),
                headers: flat(&headers),
                ..JsStep::of_kind("middlewareResponse")
            },
        }
    }
}

fn of_image(step: ImageStep) -> JsStep {
    let image = JsStep::of_kind("image");
    match step {
        ImageStep::Internal {
            slot,
            method,
            url,
            limit,
        } => JsStep {
            question: Some("internal"),
            slot: Some(slot as u32),
            method: Some(method),
            url: Some(url),
            limit: Some(limit as f64),
            ..image
        },
        ImageStep::Get(key) => JsStep {
            question: Some("get"),
            key: Some(key),
            ..image
        },
        ImageStep::Set(key, entry) => JsStep {
            question: Some("set"),
            key: Some(key),
            picture: Some(entry.into()),
            ..image
        },
    }
}

fn of_render(render: Render) -> JsStep {
    JsStep {
        status: render.status,
        headers: render
            .headers
            .into_iter()
            .flat_map(|(name, value)| [name, value])
            .collect(),
        file: Some(render.file),
        route_kind: Some(match render.kind {
            OutputKind::AppPage => "APP_PAGE",
            OutputKind::AppRoute => "APP_ROUTE",
            OutputKind::Pages => "PAGES",
            OutputKind::PagesApi => "PAGES_API",
        }),
        // What is not the case is left out: each field costs as much as a small function call.
        edge: render.edge.then_some(true),
        page: Some(render.page),
        pathname: Some(render.pathname),
        params: render.params.map(|params| params.to_json()),
        init_query: (render.query.as_ref() != Some(&render.init_query)).then(|| render.init_query.to_json()),
        query: render.query.map(|query| query.to_json()),
        url: Some(render.url),
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
        ..JsStep::of_kind("render").with_request_headers(&render.request_headers)
    }
}

/// What a status replaces of the status line that the user's server has chosen: `code`, `line`, or nothing.
pub fn replaces(status: Status) -> Option<&'static str> {
    match status.replaces {
        Replaces::Nothing => None,
        Replaces::Code => Some("code"),
        Replaces::Line => Some("line"),
    }
}

/// Names and values in turn, the form that `writeHead` takes.
pub fn flat(headers: &HeaderList) -> Vec<String> {
    headers
        .iter()
        .flat_map(|(name, value)| [name.to_owned(), value.to_owned()])
        .collect()
}
