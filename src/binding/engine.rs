//! A build that is being served.
//!
//! In: requests as one string each. Out: the number of a ready answer, or a slot in which the request goes on step by step.
//! Every app and every worker thread of the process that serves the same build shares one engine and one cache.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Either};
use napi_derive::napi;

use super::answer::{as_text, JsAnswer};
use super::fault::{guarded, to_js};
use super::step::{JsRender, JsStep};
use super::text::Text;
use crate::answer::registry::Prepared;
use crate::engine::Engine;
use crate::engine::{Answer, Progress, Step};
use crate::error::{Code, Error};
use crate::http::encoding::Preferred;
use crate::http::etag;
use crate::request::{Origin, Request};
use crate::source::prerender::RunnerId;

/// A part of an open file.
#[napi(object, object_from_js = false)]
pub struct JsFilePart {
    /// The file descriptor.
    pub fd: i32,
    /// Where it begins, in bytes.
    pub start: f64,
    /// How long it is, in bytes.
    pub length: f64,
}

/// The engine of one build, as one app in one thread uses it.
#[napi(js_name = "Engine")]
pub struct JsEngine {
    engine: Arc<Engine>,
    key: u32,
    runner: RunnerId,
}

/// Tells runners apart, in all threads of the process. None is 0.
static LAST_RUNNER: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The engines of this thread by key. A class method costs 150 ns more than a function, to look up and guard `this`.
    static OPEN: RefCell<Vec<Option<Opened>>> = const { RefCell::new(Vec::new()) };
}

/// An engine as one thread sees it.
struct Opened {
    engine: Arc<Engine>,
    /// The answer whose number [`begin`] returned last. Another thread may replace the page before Node has asked for the
    /// answer, and the page was all that kept it.
    last: Option<Arc<Prepared>>,
    /// The answer that [`begin`] made for one request, until Node takes it.
    once: Option<Answer>,
    /// Who carries out the steps of its requests.
    runner: RunnerId,
    /// The route of the request that [`begin`] answered last, for apps that count or log requests.
    route: Option<String>,
}

impl Opened {
    fn start_client(&mut self, head: &str, encrypted: bool) -> i32 {
        let route = &mut self.route;
        let again = self
            .engine
            .begin_fast(head, encrypted, self.runner, |name| set_route(route, name));
        match again {
            Some(progress) => self.number(progress),
            None => self.start(Request::parse(head.to_owned(), encrypted, Origin::Client)),
        }
    }

    fn start(&mut self, request: Request) -> i32 {
        let route = &mut self.route;
        let progress = self.engine.begin(request, self.runner, |name| set_route(route, name));
        self.number(progress)
    }

    /// What [`begin`] returns.
    fn number(&mut self, progress: Progress) -> i32 {
        match progress {
            Progress::Answer(answer) => {
                let id = answer.id as i32;
                self.last = Some(answer);
                id
            }
            Progress::Once(answer) => {
                self.once = Some(answer);
                ONCE
            }
            Progress::Slot(slot) => -(slot as i32) - 1,
        }
    }
}

fn set_route(route: &mut Option<String>, name: &str) {
    if let Some(route) = route {
        route.clear();
        route.push_str(name);
    }
}

/// What [`begin`] returns for an answer that was made for one request: [`take_answer`] has it. No slot is that high.
const ONCE: i32 = i32::MIN;

/// Takes a request in: `method \0 target \0 name \0 value …`, and what the user's server has set on the response, if it has
/// (`src/request/set_before.rs`). Returns the number of a ready answer, [`ONCE`], or `-slot - 1`.
#[napi]
pub fn begin(engine: u32, #[napi(ts_arg_type = "string")] head: Text, encrypted: bool) -> napi::Result<i32, String> {
    guarded(|| {
        head.read(|head| {
            OPEN.with_borrow_mut(|open| match open.get_mut(engine as usize) {
                Some(Some(opened)) => Ok(opened.start_client(head, encrypted)),
                _ => Err(closed()),
            })
        })
        .unwrap_or_else(|| Err(not_a_text()))
    })?
}

/// The answer that [`begin`] has just made: `status \0 replaces \0 name \0 value … \0 body`, one text instead of an object, a list and a
/// buffer, which cost more than all that led to a redirect. An object if it is no such text.
#[napi(js_name = "takeAnswer")]
pub fn take_answer(engine: u32) -> napi::Result<Either<String, JsAnswer>, String> {
    guarded(|| {
        let taken = OPEN.with_borrow_mut(|open| match open.get_mut(engine as usize) {
            Some(Some(opened)) => opened.once.take(),
            _ => None,
        });
        let answer = taken.ok_or_else(closed)?;
        Ok(match as_text(&answer) {
            Some(text) => Either::A(text),
            None => Either::B(answer.into()),
        })
    })?
}

fn not_a_text() -> napi::Error<String> {
    to_js(Error::new(Code::Internal, "The head of a request is no text."))
}

fn closed() -> napi::Error<String> {
    to_js(Error::new(Code::Internal, "This engine is closed."))
}

/// The codings that an app prefers to gzip.
pub(super) fn preferred(engine: u32) -> Preferred {
    OPEN.with_borrow(|open| match open.get(engine as usize) {
        Some(Some(opened)) => opened.engine.preferred(),
        _ => Preferred::UPSTREAM,
    })
}

impl JsEngine {
    /// The engine itself.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, for work that goes on elsewhere.
    pub(super) fn shared(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// Who carries out the steps of requests that come in here.
    pub(super) fn runner(&self) -> RunnerId {
        self.runner
    }

    pub(super) fn new(engine: Arc<Engine>) -> Self {
        let runner = LAST_RUNNER.fetch_add(1, Ordering::Relaxed) + 1;
        let key = OPEN.with_borrow_mut(|open| {
            open.push(Some(Opened {
                engine: Arc::clone(&engine),
                last: None,
                once: None,
                runner,
                route: None,
            }));
            open.len() - 1
        });
        JsEngine {
            engine,
            key: key as u32,
            runner,
        }
    }
}

impl Drop for JsEngine {
    fn drop(&mut self) {
        // Runs on the thread that made it, or after that thread's values are gone.
        let _ = OPEN.try_with(|open| open.borrow_mut().get_mut(self.key as usize).and_then(Option::take));
        self.engine.abandon(self.runner);
    }
}

#[napi]
impl JsEngine {
    /// The key of this engine on this thread, for [`begin`].
    #[napi(getter)]
    pub fn key(&self) -> u32 {
        self.key
    }

    /// From now on [`begin`] keeps the route of what it answers, for [`route`](JsEngine::route).
    #[napi(js_name = "nameRoutes")]
    pub fn name_routes(&self) -> napi::Result<(), String> {
        guarded(|| {
            OPEN.with_borrow_mut(|open| {
                if let Some(Some(opened)) = open.get_mut(self.key as usize) {
                    opened.route.get_or_insert_default();
                }
            });
        })
    }

    /// The route of the request in `slot`; without one, of the request that [`begin`] answered last.
    #[napi]
    pub fn route(&self, slot: Option<u32>) -> napi::Result<String, String> {
        guarded(|| match slot {
            Some(slot) => self.engine.label(slot as usize),
            None => OPEN.with_borrow(|open| match open.get(self.key as usize) {
                Some(Some(opened)) => opened.route.clone().unwrap_or_default(),
                _ => String::new(),
            }),
        })
    }

    /// The key with which the build signs the data of preview mode, `null` where it has none.
    #[napi(getter, js_name = "previewSigningKey")]
    pub fn preview_signing_key(&self) -> Option<String> {
        Some(self.engine.preview_signing_key().to_owned()).filter(|key| !key.is_empty())
    }

    /// How the page of a path is called past rules, files and middleware, `null` if there is no such page.
    #[napi(js_name = "directPage")]
    pub fn direct_page(&self, head: String) -> napi::Result<Option<JsRender>, String> {
        guarded(|| {
            let request = Request::parse(head, false, Origin::Revalidate);
            self.engine.direct_page(request).map(JsRender::from)
        })
    }

    /// How the app's error page for `status` is called, in the default locale or in none, `null` if it has none that can be rendered.
    #[napi(js_name = "directError")]
    pub fn direct_error(&self, head: String, status: u16, localised: bool) -> napi::Result<Option<JsRender>, String> {
        guarded(|| {
            let request = Request::parse(head, false, Origin::Revalidate);
            self.engine.direct_error(request, status, localised).map(JsRender::from)
        })
    }

    /// How the entry of a page is called, by its name in the manifest, `null` if the build has none that can be rendered.
    #[napi(js_name = "directEntry")]
    pub fn direct_entry(&self, head: String, page: String) -> napi::Result<Option<JsRender>, String> {
        guarded(|| {
            let request = Request::parse(head, false, Origin::Revalidate);
            self.engine.direct_entry(request, &page).map(JsRender::from)
        })
    }

    /// Like [`begin`], for a request of the server itself, which goes past rules and middleware.
    #[napi(js_name = "beginRevalidate")]
    pub fn begin_revalidate(&self, head: String) -> napi::Result<i32, String> {
        guarded(|| {
            OPEN.with_borrow_mut(|open| match open.get_mut(self.key as usize) {
                Some(Some(opened)) => Ok(opened.start(Request::parse(head, false, Origin::Revalidate))),
                _ => Err(closed()),
            })
        })?
    }

    /// What Node has to do next for the request in `slot`; the number of the call if it is to call an entry as it has done before.
    #[napi]
    pub fn step(&self, slot: u32) -> napi::Result<Either<JsStep, u32>, String> {
        guarded(|| match self.engine.step(slot as usize) {
            Step::Call(call) => Either::B(call.id),
            step => Either::A(step.into()),
        })
    }

    /// The call of an entry with this number.
    #[napi]
    pub fn call(&self, id: u32) -> napi::Result<JsRender, String> {
        guarded(|| match self.engine.prepared_call(id) {
            Some(call) => Ok(call.render.clone().into()),
            None => Err(to_js(Error::new(Code::Internal, format!("Call {id} is gone.")))),
        })?
    }

    /// Waits for what the request in `slot` needs from disk or from a compressor.
    #[napi]
    pub async fn load(&self, slot: u32) -> napi::Result<()> {
        Arc::clone(&self.engine).load(slot as usize).await;
        Ok(())
    }

    /// Looks for files that were added to `public` or removed from it.
    #[napi(js_name = "refreshPublic")]
    pub async fn refresh_public(&self) -> napi::Result<()> {
        let engine = Arc::clone(&self.engine);
        let work = tokio::task::spawn_blocking(move || engine.refresh_public()).await;
        match work {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(napi::Error::from_reason(error.message().to_owned())),
            Err(error) => Err(napi::Error::from_reason(error.to_string())),
        }
    }

    /// The next chunk of the body of the answer in `slot`, `null` at its end.
    #[napi]
    pub async fn chunk(&self, slot: u32) -> napi::Result<Option<Buffer>> {
        match Arc::clone(&self.engine).chunk(slot as usize).await {
            None => Ok(None),
            // Its memory goes to Node as it is, unless it is shared.
            Some(Ok(bytes)) => Ok(Some(Vec::from(bytes).into())),
            Some(Err(error)) => Err(napi::Error::from_reason(error.to_string())),
        }
    }

    /// The file whose part is the body of the answer in `slot`: from then on the descriptor is the caller's to close. `null` if the body
    /// is no file, or files have no descriptors here; then `chunk` has it.
    #[napi(js_name = "takeFile")]
    pub fn take_file(&self, slot: u32) -> napi::Result<Option<JsFilePart>, String> {
        #[cfg(unix)]
        return guarded(|| {
            use std::os::fd::IntoRawFd;
            let (file, start, length) = self.engine.take_file(slot as usize)?;
            Some(JsFilePart {
                fd: file.into_raw_fd(),
                start: start as f64,
                length: length as f64,
            })
        });
        #[cfg(not(unix))]
        Ok(None)
    }

    /// The entry in `slot` has no page for its params: routing goes on after it, with the target that it has left on the
    /// request, and with the headers of the client router or without. `namesPayload`: it took the path for that of a payload.
    #[napi(js_name = "noFallback")]
    pub fn no_fallback(
        &self,
        slot: u32,
        target: String,
        keeps_flight: bool,
        names_payload: bool,
    ) -> napi::Result<(), String> {
        guarded(|| {
            self.engine
                .no_fallback(slot as usize, target, keeps_flight, names_payload)
        })
    }

    /// The render that lets the app's `_error` see the fault of the request in `slot`, `null` if it will be shown anyway.
    #[napi(js_name = "reportFault")]
    pub fn report_fault(&self, slot: u32) -> napi::Result<Option<JsRender>, String> {
        guarded(|| self.engine.report_fault(slot as usize).map(JsRender::from))
    }

    /// The request in `slot` is to be answered with the app's error page for `status`; with `noStore` it must not be kept.
    #[napi(js_name = "errorPage")]
    pub fn error_page(&self, slot: u32, status: u16, no_store: bool) -> napi::Result<(), String> {
        guarded(|| self.engine.error_page(slot as usize, status, no_store))
    }

    /// The request in `slot` has been answered.
    #[napi]
    pub fn free(&self, slot: u32) -> napi::Result<(), String> {
        guarded(|| self.engine.free(slot as usize))
    }

    /// The answer with this number. Fails if it is gone; the one that `begin` returned last never is.
    #[napi]
    pub fn answer(&self, id: u32) -> napi::Result<JsAnswer, String> {
        guarded(|| {
            let last = OPEN.with_borrow(|open| match open.get(self.key as usize) {
                Some(Some(opened)) => opened.last.clone().filter(|answer| answer.id == id),
                _ => None,
            });
            let Some(answer) = last.or_else(|| self.engine.prepared(id)) else {
                return Err(to_js(Error::new(Code::Internal, format!("Answer {id} is gone."))));
            };
            // A copy, once for each thread: scripts can write into a Buffer, and other threads send these bytes, too.
            let body = (!answer.body.is_empty()).then(|| answer.body.to_vec().into());
            Ok(JsAnswer::new(answer.status, &answer.headers, body))
        })?
    }

    /// Changes the prefix of asset URLs.
    #[napi(js_name = "setAssetPrefix")]
    pub fn set_asset_prefix(&self, prefix: String) -> napi::Result<(), String> {
        guarded(|| self.engine.set_asset_prefix(&prefix))
    }

    /// What JavaScript has to know about the build and its version of `next`, see `Traits` and `Capabilities`.
    #[napi(ts_return_type = "Record<string, boolean>")]
    pub fn traits(&self) -> napi::Result<serde_json::Value, String> {
        guarded(|| serde_json::to_value(self.engine.traits()).unwrap_or_default())
    }
}

/// The `ETag` of a text.
#[napi(js_name = "etagOfText")]
pub fn etag_of_text(text: String) -> napi::Result<String, String> {
    guarded(|| etag::of_text(&text))
}

/// For tests: a panic inside the addon.
#[napi(js_name = "panicForTests")]
pub fn panic_for_tests() -> napi::Result<(), String> {
    guarded(|| panic!("on purpose"))
}
