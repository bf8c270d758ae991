//! The work of one picture.
//!
//! In: what was asked for. Out: the picture, kept where the app's pictures are kept, or the refusal that upstream gives. It runs on
//! tokio and in the workshop, belongs to all who wait, and asks one of them when it needs JavaScript.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use super::found;
use crate::answer::picture::{Found, Picture};
use crate::engine::{now_ms, Engine};
use crate::http::headers::HeaderList;
use crate::pipeline::flight::{Answer, Next, Progress, Step};
use crate::pipeline::images::{ImageWorker, Keeper, Kept, Outcome, Question, Reply};
use crate::request::{Headers, Method, Origin, Request};
use crate::source::image::detect::Kind;
use crate::source::image::disk::Disk;
use crate::source::image::entry::{max_age_of, Entry};
use crate::source::image::params::{content_tag, Params};
use crate::source::image::source::{
    InternalAnswer, Source, Trouble, INTERNAL_INVALID, KIND_NOT_ALLOWED, NO_PICTURE, UPSTREAM_INVALID,
};
use crate::source::image::transform::{inspect, make, Verdict};
use crate::source::prerender::Driver;

/// Who carries out the steps of an internal request until Node has to: no thread has this number.
const NOBODY: Driver = 0;

/// The slot of an internal request that Node has to carry on. Dropped, it is free again.
pub(crate) struct InternalSlot {
    engine: Arc<Engine>,
    pub(super) slot: Option<usize>,
    pub(super) method: String,
    pub(super) url: String,
}

impl std::fmt::Debug for InternalSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InternalSlot({:?})", self.slot)
    }
}

impl Drop for InternalSlot {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.engine.free(slot);
        }
    }
}

/// One piece of work: a picture that somebody waits for.
pub(super) struct Work {
    pub engine: Arc<Engine>,
    pub params: Arc<Params>,
    pub method: Method,
    pub previous: Option<Arc<Picture>>,
}

impl Work {
    // A type of its own, because the work of a picture can wait for another request of the same kind.
    pub fn run(self, worker: ImageWorker) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(async move { self.outcome(&worker).await })
    }

    /// Whether others may have what comes of it. What a source says to another method than `GET` is for nobody else.
    fn is_kept(&self) -> bool {
        self.method == Method::Get
    }

    async fn outcome(&self, worker: &ImageWorker) -> Outcome {
        if let Some((picture, found)) = self.kept(worker).await {
            if self.previous.is_none() || found == Found::Hit {
                return Outcome::Picture(picture, found);
            }
        }
        match self.make(worker).await {
            Ok(entry) => {
                let picture = self.keep(worker, entry).await;
                Outcome::Picture(picture, Found::Miss)
            }
            Err(trouble) => {
                if let Some(previous) = &self.previous {
                    self.keep_on(worker, previous, &trouble).await;
                }
                Outcome::Trouble(trouble)
            }
        }
    }

    /// What is kept of this picture. For one that is to be made anew this tells whether another process has done that.
    async fn kept(&self, worker: &ImageWorker) -> Option<(Arc<Picture>, Found)> {
        let images = &self.engine.images;
        let entry = match &images.keeper {
            Keeper::Nobody => None,
            Keeper::Disk(disk) => self.on_disk(disk, |disk, key| disk.read(key)).await.flatten(),
            Keeper::Handler if self.previous.is_some() => None,
            Keeper::Handler => match worker.ask(|| Question::Get(self.params.key.clone())).await {
                Some(Reply::Kept(Some(kept))) => Some(self.entry_of(kept)),
                _ => None,
            },
        }?;
        let found = found(&entry);
        let picture = Arc::new(Picture::new(entry, self.params.href.clone()));
        if matches!(images.keeper, Keeper::Disk(_)) {
            images.remember(&self.params.key, &picture);
        }
        Some((picture, found))
    }

    fn entry_of(&self, kept: Kept) -> Entry {
        let minimum = self.engine.images.minimum_ttl;
        let Kept {
            entry,
            made_ms,
            has_max_age,
        } = kept;
        let max_age = if has_max_age { entry.max_age } else { minimum };
        let made_ms = made_ms.unwrap_or(now_ms() as f64);
        Entry {
            max_age,
            expires_ms: max_age.max(minimum) * 1000.0 + made_ms,
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

    /// Keeps a picture where the app's pictures are kept.
    async fn keep(&self, worker: &ImageWorker, entry: Entry) -> Arc<Picture> {
        let images = &self.engine.images;
        let picture = Arc::new(Picture::new(entry, self.params.href.clone()));
        if !self.is_kept() {
            return picture;
        }
        match &images.keeper {
            Keeper::Nobody => {}
            Keeper::Disk(disk) => {
                let entry = picture.entry.clone();
                match self.on_disk(disk, move |disk, key| disk.write(key, &entry)).await {
                    Some(Ok(())) => images.is_written(&self.params.key, &picture),
                    Some(Err(why)) => images.is_not_written(&self.params.key, &picture, disk.dir(), &why),
                    None => {}
                }
            }
            Keeper::Handler => {
                let entry = Entry {
                    max_age: picture.entry.max_age.max(images.minimum_ttl),
                    ..picture.entry.clone()
                };
                worker
                    .ask(|| Question::Set(self.params.key.clone(), entry.clone()))
                    .await;
            }
        }
        picture
    }

    /// A picture that cannot be made anew is good for a little longer (`retainPreviousCacheEntry` of `response-cache/index.js`).
    async fn keep_on(&self, worker: &ImageWorker, previous: &Picture, trouble: &Trouble) {
        if let Trouble::Refused(status, text) = trouble {
            tracing::error!("The image {} cannot be made anew: {status} {text}", self.params.href);
        }
        let old = previous.entry.max_age;
        let max_age = if old == 0.0 { 3.0 } else { old }.clamp(3.0, 30.0);
        let entry = Entry {
            max_age,
            expires_ms: Entry::expiry(max_age, self.engine.images.minimum_ttl, now_ms()),
            ..previous.entry.clone()
        };
        self.keep(worker, entry).await;
    }

    async fn make(&self, worker: &ImageWorker) -> Result<Entry, Trouble> {
        let engine = &self.engine;
        let images = &engine.images;
        let href = &self.params.href;
        let closed = |_| Trouble::Failed("ferronext is closing".to_owned());
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
            Verdict::NoPicture(kind) => {
                let kind = kind.map_or("something else", |kind| kind.media_type());
                tracing::error!("The image {href} is no valid image, but {kind}.");
                Err(Trouble::Refused(400, NO_PICTURE))
            }
            Verdict::Forbidden(kind) => {
                let kind = kind.media_type();
                tracing::error!(
                    "The image {href} is {kind}, which images.dangerouslyAllowSVG does not allow. Consider `unoptimized` for it."
                );
                Err(Trouble::Refused(400, KIND_NOT_ALLOWED))
            }
            Verdict::AsItIs(kind) => Ok(self.entry(source.bytes, kind, source.etag.clone(), source.etag, max_age)),
            Verdict::Make { from, to } => {
                let same = self
                    .previous
                    .as_ref()
                    .filter(|previous| previous.entry.is_made_from(&source.etag));
                if let Some(Picture { entry, .. }) = same.map(Arc::as_ref) {
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
                let work = images.workshop.run(images.time_limit, move |work| {
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

    /// Asks this server for a source, with a request of nobody. What needs no JavaScript never leaves Rust.
    async fn internal(&self, worker: &ImageWorker) -> Result<InternalAnswer, Trouble> {
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
        while let Some(slot) = internal.slot.filter(|slot| !self.engine.waits_for_node(*slot)) {
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
            Question::Internal(slot.unwrap_or_else(|| InternalSlot {
                engine: Arc::clone(&self.engine),
                slot: None,
                method: String::new(),
                url: String::new(),
            }))
        });
        match reply.await {
            Some(Reply::Answer(answer)) => Ok(answer),
            _ => Err(self.unavailable()),
        }
    }

    fn internal_slot(&self, slot: usize) -> InternalSlot {
        InternalSlot {
            engine: Arc::clone(&self.engine),
            slot: Some(slot),
            method: self.method.name().to_owned(),
            url: self.params.href.clone(),
        }
    }

    fn unavailable(&self) -> Trouble {
        tracing::error!("The image {} cannot be had: its path failed.", self.params.href);
        Trouble::Refused(500, UPSTREAM_INVALID)
    }

    /// The whole body in a slot; `None` when it is larger than `limit`.
    async fn collect(&self, slot: usize, limit: u64) -> Result<Option<Bytes>, Trouble> {
        let mut whole = Vec::new();
        while let Some(chunk) = Arc::clone(&self.engine).chunk(slot).await {
            let chunk = chunk.map_err(|_| Trouble::Refused(500, INTERNAL_INVALID))?;
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
        let mut flight = self.route(request, NOBODY);
        flight.internal = true;
        match self.serve(&mut flight) {
            Next::Ready(answer) if flight.revalidation.is_none() => Progress::Answer(answer),
            next => {
                flight.next = next;
                Progress::Slot(self.flights().insert(flight))
            }
        }
    }

    /// Whether the next step of a request is one for Node.
    fn waits_for_node(&self, slot: usize) -> bool {
        self.flights().get(slot).is_some_and(|flight| {
            let own = match &flight.next {
                Next::Ready(_) | Next::Load(_) | Next::Body(..) => true,
                Next::Step(step) => matches!(step, Step::Answer(_)),
                Next::Nothing => false,
            };
            !own || flight.revalidation.is_some()
        })
    }
}
