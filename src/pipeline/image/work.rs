//! The work of one image.
//!
//! In: what was asked for. Out: the image, kept where the app's images are kept, or the error that Next.js answers. It runs on
//! tokio and in the worker pool, belongs to all requests that wait, and asks one of them when it needs JavaScript.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use super::found;
use crate::answer::image::{Found, Image};
use crate::engine::{
    now_ms, Answer, Engine, ImageOutcome, ImageQuestion, ImageReply, ImageWorker, InternalSlot, Keeper, Next, Progress,
    Step, StoredImage,
};
use crate::http::headers::HeaderList;
use crate::request::{Headers, Method, Origin, Request};
use crate::source::image::detect::Kind;
use crate::source::image::disk::Disk;
use crate::source::image::entry::{max_age_of, Entry};
use crate::source::image::params::{content_tag, Params};
use crate::source::image::source::{
    ImageError, InternalAnswer, Source, INTERNAL_INVALID, KIND_NOT_ALLOWED, NOT_AN_IMAGE, UPSTREAM_INVALID,
};
use crate::source::image::transform::{inspect, make, Verdict};
use crate::source::prerender::RunnerId;

/// The runner of an internal request until Node has to carry it on: no thread has this number.
const NO_RUNNER: RunnerId = 0;

/// One job: an image that a request waits for.
pub(super) struct ImageTask {
    pub engine: Arc<Engine>,
    pub params: Arc<Params>,
    pub method: Method,
    pub previous: Option<Arc<Image>>,
}

impl ImageTask {
    // A type of its own, because the work of an image can wait for another request of the same kind.
    pub fn run(self, worker: ImageWorker) -> Pin<Box<dyn Future<Output = ImageOutcome> + Send>> {
        Box::pin(async move { self.outcome(&worker).await })
    }

    /// Whether others may have what comes of it. What a source answers to another method than `GET` is for this request alone.
    fn is_kept(&self) -> bool {
        self.method == Method::Get
    }

    async fn outcome(&self, worker: &ImageWorker) -> ImageOutcome {
        if let Some((image, found)) = self.kept(worker).await {
            if self.previous.is_none() || found == Found::Hit {
                return ImageOutcome::Image(image, found);
            }
        }
        match self.make(worker).await {
            Ok(entry) => {
                let image = self.keep(worker, entry).await;
                ImageOutcome::Image(image, Found::Miss)
            }
            Err(error) => {
                if let Some(previous) = &self.previous {
                    self.keep_on(worker, previous, &error).await;
                }
                ImageOutcome::Failed(error)
            }
        }
    }

    /// What is kept of this image. For a stale one this finds out whether another process has made it again.
    async fn kept(&self, worker: &ImageWorker) -> Option<(Arc<Image>, Found)> {
        let images = &self.engine.images;
        let entry = match &images.keeper {
            Keeper::Memory => None,
            Keeper::Disk(disk) => self.on_disk(disk, |disk, key| disk.read(key)).await.flatten(),
            Keeper::Handler if self.previous.is_some() => None,
            Keeper::Handler => match worker.ask(|| ImageQuestion::Get(self.params.key.clone())).await {
                Some(ImageReply::Stored(Some(kept))) => Some(self.entry_of(kept)),
                _ => None,
            },
        }?;
        let found = found(&entry);
        let image = Arc::new(Image::new(entry, self.params.href.clone()));
        if matches!(images.keeper, Keeper::Disk(_)) {
            images.remember(&self.params.key, &image);
        }
        Some((image, found))
    }

    fn entry_of(&self, kept: StoredImage) -> Entry {
        let minimum = self.engine.images.minimum_ttl;
        let StoredImage {
            entry,
            created_at_ms,
            has_max_age,
        } = kept;
        let max_age = if has_max_age { entry.max_age } else { minimum };
        let created_at_ms = created_at_ms.unwrap_or(now_ms() as f64);
        Entry {
            max_age,
            expires_ms: max_age.max(minimum) * 1000.0 + created_at_ms,
            ..entry
        }
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        disk: &Arc<Disk>,
        work: impl FnOnce(&Disk, &str) -> T + Send + 'static,
    ) -> Option<T> {
        let (disk, key) = (Arc::clone(disk), self.params.key.clone());
        tokio::task::spawn_blocking(move || work(&disk, &key)).await.ok()
    }

    /// Keeps an image where the app's images are kept.
    async fn keep(&self, worker: &ImageWorker, entry: Entry) -> Arc<Image> {
        let images = &self.engine.images;
        let image = Arc::new(Image::new(entry, self.params.href.clone()));
        if !self.is_kept() {
            return image;
        }
        match &images.keeper {
            Keeper::Memory => {}
            Keeper::Disk(disk) => {
                let entry = image.entry.clone();
                match self.on_disk(disk, move |disk, key| disk.write(key, &entry)).await {
                    Some(Ok(())) => images.is_written(&self.params.key, &image),
                    Some(Err(why)) => images.is_not_written(&self.params.key, &image, disk.dir(), &why),
                    None => {}
                }
            }
            Keeper::Handler => {
                let entry = Entry {
                    max_age: image.entry.max_age.max(images.minimum_ttl),
                    ..image.entry.clone()
                };
                worker
                    .ask(|| ImageQuestion::Set(self.params.key.clone(), entry.clone()))
                    .await;
            }
        }
        image
    }

    /// An image that cannot be made again stays fresh a little longer (`retainPreviousCacheEntry` of `response-cache/index.js`).
    async fn keep_on(&self, worker: &ImageWorker, previous: &Image, error: &ImageError) {
        let old = previous.entry.max_age;
        let max_age = if old == 0.0 { 3.0 } else { old }.clamp(3.0, 30.0);
        let entry = Entry {
            max_age,
            expires_ms: Entry::expiry(max_age, self.engine.images.minimum_ttl, now_ms()),
            ..previous.entry.clone()
        };
        self.keep(worker, entry).await;
        // Last, so that a reader of the log finds the image with its new lifetime.
        if let ImageError::Refused(status, text) = error {
            tracing::error!("The image {} cannot be made again: {status} {text}", self.params.href);
        }
    }

    async fn make(&self, worker: &ImageWorker) -> Result<Entry, ImageError> {
        let engine = &self.engine;
        let images = &engine.images;
        let href = &self.params.href;
        let closed = |_| ImageError::Failed("ferronext is closing".to_owned());
        let (source, _turn) = if self.params.absolute {
            let turn = images.sources.acquire().await.map_err(closed)?;
            (images.remote.fetch(href).await?, turn)
        } else {
            let answer = self.internal(worker).await?;
            let turn = images.sources.acquire().await.map_err(closed)?;
            (answer.into_source(href, images.internal)?, turn)
        };
        let max_age = max_age_of(&source.cache_control).max(images.minimum_ttl);
        match inspect(&source.bytes, self.params.format.as_deref(), images.policy) {
            Verdict::NotAnImage(kind) => {
                let kind = kind.map_or("something else", |kind| kind.media_type());
                tracing::error!("The image {href} is no valid image, but {kind}.");
                Err(ImageError::Refused(400, NOT_AN_IMAGE))
            }
            Verdict::Forbidden(kind) => {
                let kind = kind.media_type();
                tracing::error!(
                    "The image {href} is {kind}, which images.dangerouslyAllowSVG does not allow. Consider `unoptimized` for it."
                );
                Err(ImageError::Refused(400, KIND_NOT_ALLOWED))
            }
            Verdict::AsItIs(kind) => Ok(self.entry(source.bytes, kind, source.etag.clone(), source.etag, max_age)),
            Verdict::Make { from, to } => {
                let same = self
                    .previous
                    .as_ref()
                    .filter(|previous| previous.entry.is_made_from(&source.etag));
                if let Some(Image { entry, .. }) = same.map(Arc::as_ref) {
                    let max_age = if entry.max_age == 0.0 { max_age } else { entry.max_age };
                    return Ok(self.entry(entry.bytes.clone(), to, entry.etag.clone(), source.etag, max_age));
                }
                let (policy, width, quality) = (images.policy, self.params.width, self.params.quality);
                let Source {
                    bytes,
                    etag: source_etag,
                    ..
                } = source;
                let original = bytes.clone();
                let work = images.workers.run(images.time_limit, move |work| {
                    let made = make(&original, from, to, width, quality, policy, work)?;
                    let etag = content_tag(&made);
                    Ok::<_, String>((Bytes::from(made), etag))
                });
                match work.await {
                    Ok(Ok((made, etag))) => Ok(self.entry(made, to, etag, source_etag, max_age)),
                    failed => {
                        let why = match failed {
                            Ok(Err(why)) => why,
                            _ => "it took too long, or its decoder failed".to_owned(),
                        };
                        tracing::debug!("The image {href} is sent as it is: {why}");
                        Ok(self.entry(bytes, from, source_etag.clone(), source_etag, images.minimum_ttl))
                    }
                }
            }
        }
    }

    fn entry(&self, bytes: Bytes, kind: Kind, etag: String, source_etag: String, max_age: f64) -> Entry {
        Entry {
            bytes,
            kind,
            etag,
            source_etag,
            max_age,
            expires_ms: Entry::expiry(max_age, self.engine.images.minimum_ttl, now_ms()),
        }
    }

    /// Asks this server for a source, with an internal request. What needs no JavaScript never leaves Rust.
    async fn internal(&self, worker: &ImageWorker) -> Result<InternalAnswer, ImageError> {
        let limit = self.engine.images.max_bytes;
        let begin = || self.engine.begin_internal(&self.method, &self.params.href);
        let internal = match begin() {
            Progress::Answer(answer) => {
                return Ok(answer_of(
                    answer.status.code,
                    &answer.headers,
                    answer.body.clone(),
                    limit,
                ))
            }
            Progress::Once(answer) => return Ok(answer_of(answer.status.code, &answer.headers, answer.body, limit)),
            Progress::Slot(slot) => self.internal_slot(slot),
        };
        while let Some(slot) = internal.slot().filter(|slot| !self.engine.waits_for_node(*slot)) {
            match self.engine.step(slot) {
                Step::Load => Arc::clone(&self.engine).load(slot).await,
                Step::Answer(Answer { status, headers, body }) => {
                    return Ok(answer_of(status.code, &headers, body, limit))
                }
                Step::Stream { status, headers } => {
                    let body = self.collect(slot, limit).await?;
                    return Ok(InternalAnswer {
                        body,
                        ..answer_of(status.code, &headers, Bytes::new(), limit)
                    });
                }
                _ => return Err(self.unavailable()),
            }
        }
        let mut first = Some(internal);
        let reply = worker.ask(|| {
            let slot = first.take().or_else(|| match begin() {
                Progress::Slot(slot) => Some(self.internal_slot(slot)),
                Progress::Answer(_) | Progress::Once(_) => None,
            });
            ImageQuestion::Internal(slot.unwrap_or_else(|| InternalSlot::none(&self.engine.requests)))
        });
        match reply.await {
            Some(ImageReply::Answer(answer)) => Ok(answer),
            _ => Err(self.unavailable()),
        }
    }

    fn internal_slot(&self, slot: usize) -> InternalSlot {
        let (method, url) = (self.method.name().to_owned(), self.params.href.clone());
        InternalSlot::new(&self.engine.requests, slot, method, url)
    }

    fn unavailable(&self) -> ImageError {
        tracing::error!("The image {} cannot be had: its path failed.", self.params.href);
        ImageError::Refused(500, UPSTREAM_INVALID)
    }

    /// The whole body in a slot; `None` when it is larger than `limit`.
    async fn collect(&self, slot: usize, limit: u64) -> Result<Option<Bytes>, ImageError> {
        let mut whole = Vec::new();
        while let Some(chunk) = Arc::clone(&self.engine).chunk(slot).await {
            let chunk = chunk.map_err(|_| ImageError::Refused(500, INTERNAL_INVALID))?;
            if (whole.len() + chunk.len()) as u64 > limit {
                return Ok(None);
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Some(whole.into()))
    }
}

fn answer_of(status: u16, headers: &HeaderList, body: Bytes, limit: u64) -> InternalAnswer {
    InternalAnswer {
        status,
        cache_control: headers.get("cache-control").unwrap_or_default().to_owned(),
        etag: headers.get("etag").map(str::to_owned),
        is_written: !body.is_empty(),
        body: (body.len() as u64 <= limit).then_some(body),
    }
}

impl Engine {
    /// Begins an internal request. Its answer, or the slot in which it goes on.
    fn begin_internal(&self, method: &Method, url: &str) -> Progress {
        // Nothing of a client is in it: no header, no cookie, no address.
        let request = Request {
            method: method.clone(),
            target: url.to_owned(),
            headers: Headers::default(),
            encrypted: false,
            origin: Origin::Client,
        };
        let mut state = self.route(request, NO_RUNNER);
        state.internal = true;
        match self.serve(&mut state) {
            Next::Ready(answer, _) if state.revalidation.is_none() => Progress::Answer(answer),
            next => Progress::Slot(self.requests.insert(state, next)),
        }
    }

    /// Whether the next step of a request is one for Node.
    fn waits_for_node(&self, slot: usize) -> bool {
        let waits = self.requests.look(slot, |state, next| {
            let is_own = match next {
                Next::Ready(..) | Next::Answer(..) | Next::Load(_) | Next::Body(..) => true,
                Next::Render(..) | Next::Step(_) | Next::Nothing => false,
            };
            !is_own || state.revalidation.is_some()
        });
        waits == Some(true)
    }
}
