//! A file below `public` or `.next/static`: from memory if it is small, in chunks from disk if it is not.

use std::sync::Arc;

use bytes::Bytes;

use super::headers::response_headers;
use crate::answer::body_of;
use crate::answer::conditional::Conditions;
use crate::answer::file::{self, CacheControl, Content, FileAnswer, Policy};
use crate::body::Body;
use crate::build::ListingRoot;
use crate::engine::{Answer, Cause, Engine, FileRequest, Load, Next, Provenance, RequestState, Source};
use crate::http::encoding::Coding;
use crate::http::status::Status;
use crate::request::Method;
use crate::route::StaticFile;
use crate::source::file::{sanitize, FileMeta, Opened, Root, SafePath, StoredFile};

impl Engine {
    /// Serves a file that the router's list contains.
    pub(super) fn serve_file(&self, state: &mut RequestState, file: &StaticFile) -> Next {
        if !state.request.method.is_read() {
            let mut headers = response_headers(state);
            headers.append("Allow", "GET");
            headers.append("Allow", "HEAD");
            return self.fail_onto(state, Cause::Other, 405, headers);
        }
        let Ok(path) = sanitize(&file.item_path) else {
            return self.fail(state, Cause::Target, 400);
        };
        match self.files.peek(self.root(file.root), &path) {
            Some(stored) => self.serve_stored(state, file, path, &stored),
            None => to_be_loaded(file, path),
        }
    }

    fn serve_stored(
        &self,
        state: &mut RequestState,
        file: &StaticFile,
        path: SafePath<'_>,
        stored: &Arc<StoredFile>,
    ) -> Next {
        let answer = self.file_answer(state, file, stored.meta());
        if answer.content == Content::ErrorPage {
            return self.fail_onto(state, Cause::Other, answer.status.code, answer.headers);
        }
        match stored.body_now(answer.content) {
            Some(body) => {
                let source = Source::File(file.root, path.as_str().to_owned(), Arc::downgrade(stored));
                self.send_stored(state, Provenance::Source(source), stored, answer, body)
            }
            None => to_be_loaded(file, path),
        }
    }

    /// Opens a file, or compresses one, for the request in `slot`.
    pub(super) async fn load_file(self: &Arc<Self>, slot: usize, wanted: FileRequest) {
        let opened = self.files.open(self.root(wanted.file.root), &wanted.path).await;
        let Some(meta) = opened.meta() else {
            // The list of the router said it was there: deleted since, or no file at all.
            return self.requests.advance(slot, |state| self.fail(state, Cause::Other, 400));
        };
        let answer = self
            .requests
            .look(slot, |state, _| self.file_answer(state, &wanted.file, meta));
        let Some(answer) = answer else {
            return;
        };
        if answer.content == Content::ErrorPage {
            return self.requests.advance(slot, |state| {
                self.fail_onto(state, Cause::Other, answer.status.code, answer.headers)
            });
        }
        let body = body_of(&opened, answer.content).await;
        self.requests.advance(slot, |state| match (body, &opened) {
            (Ok(body), Opened::Hot(stored)) => self.send_stored(state, Provenance::Uncacheable, stored, answer, body),
            (Ok(body), _) => send(answer, Provenance::Uncacheable, body),
            (Err(error), _) => {
                tracing::error!("{} cannot be sent: {error}", wanted.path.as_str());
                self.fail(state, Cause::Other, 400)
            }
        });
    }

    fn file_answer(&self, state: &RequestState, file: &StaticFile, meta: &FileMeta) -> FileAnswer {
        let policy = Policy {
            cache_control: self.cache_control(file),
            etags: self.settings.etags,
            compress: self.settings.compress,
            preferred: self.settings.preferred,
            head: state.request.method == Method::Head,
            may_be_unchanged: true,
        };
        let asked = Conditions::of(&state.request.headers);
        let status = state.status.or_else(|| state.request.headers.set_before().status());
        let policy = Policy {
            may_be_unchanged: status.is_none_or(|status| (200..300).contains(&status) || status == 304),
            ..policy
        };
        let mut answer = file::answer(meta, &asked, policy, response_headers(state));
        if let (200, Some(status)) = (answer.status.code, state.status) {
            answer.status = Status::set(status);
        }
        answer
    }

    /// A file in memory. The usual answers are prepared once and then cross to Node as a number.
    fn send_stored(
        &self,
        state: &RequestState,
        provenance: Provenance,
        stored: &Arc<StoredFile>,
        answer: FileAnswer,
        body: Body,
    ) -> Next {
        let coding = match answer.content {
            Content::Whole(coding) => coding,
            Content::Nothing => Coding::Identity,
            Content::Part(..) | Content::ErrorPage => return send(answer, provenance, body),
        };
        // A body that a better one is about to follow is sent and not kept.
        let is_final = matches!(&body, Body::Bytes(bytes) if stored.is_final(coding, bytes));
        let has_more = state.route.has_response_headers() || state.uses_preset_headers.get();
        if has_more || !(is_final || matches!(body, Body::Empty)) {
            return send(answer, provenance, body);
        }
        let kind = (answer.status.code, coding, state.request.method == Method::Head);
        if let Some(ready) = stored.prepared(kind) {
            return Next::Ready(ready, provenance);
        }
        match send(answer, provenance, body) {
            Next::Answer(answer, provenance) => {
                let ready = self.registry.add(answer.status, answer.headers, answer.body);
                stored.keep_prepared(kind, &ready);
                Next::Ready(ready, provenance)
            }
            other => other,
        }
    }

    fn cache_control(&self, file: &StaticFile) -> CacheControl<'_> {
        match file.root {
            ListingRoot::NextStatic
                if self.build.capabilities.service_workers && file.item_path.starts_with("/service-worker/") =>
            {
                CacheControl::ServiceWorker(if self.config.base_path.is_empty() {
                    "/"
                } else {
                    &self.config.base_path
                })
            }
            ListingRoot::NextStatic => CacheControl::Immutable,
            ListingRoot::Public | ListingRoot::LegacyStatic => CacheControl::Revalidate,
        }
    }

    pub(super) fn root(&self, folder: ListingRoot) -> &Root {
        match folder {
            ListingRoot::Public => &self.roots.public,
            ListingRoot::NextStatic => &self.roots.next_static,
            ListingRoot::LegacyStatic => &self.roots.legacy_static,
        }
    }
}

fn to_be_loaded(file: &StaticFile, path: SafePath<'_>) -> Next {
    Next::Load(Load::File(FileRequest {
        file: file.clone(),
        path: path.into_owned(),
    }))
}

fn send(answer: FileAnswer, provenance: Provenance, body: Body) -> Next {
    let FileAnswer {
        status,
        mut headers,
        content,
    } = answer;
    match body {
        Body::Empty | Body::Bytes(_) => {
            let body = match body {
                Body::Bytes(bytes) => bytes,
                _ => Bytes::new(),
            };
            if content != Content::Nothing {
                headers.set("Content-Length", body.len().to_string());
            }
            Next::Answer(Answer { status, headers, body }, provenance)
        }
        body => Next::Body(status, headers, body),
    }
}
