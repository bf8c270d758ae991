//! `/_next/image`: from memory if it is there, else made once for all who wait.
//!
//! In: a request for a picture. Out: the picture, or the refusal that upstream gives. What a request waits for is a piece of
//! work that belongs to all who wait ([`super::images`]); it runs on tokio and in the workshop, and asks whoever waits when it
//! needs JavaScript. Upstream: `handleNextImageRequest` of `next-server.js`, and its `ResponseCache`.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{oneshot, Notify};

use super::flight::{Answer, Flight, Load, Next, Progress, Step};
use super::images::{ImageJob, ImageWorker, Keeper, Kept, Outcome, Question, Reply};
use super::output::{pairs, response_headers};
use super::revalidate::Revalidation;
use crate::engine::{now_ms, Engine};
use crate::request::{Headers, Method, Origin, Request};
use crate::response::conditional::Conditions;
use crate::response::encoding::Coding;
use crate::response::headers::HeaderList;
use crate::response::picture::{Found, Picture, PictureAnswer, PictureFraming, PictureSettings};
use crate::route::{Decision, RouteState};
use crate::source::image::disk::Disk;
use crate::source::image::entry::{max_age_of, Entry};
use crate::source::image::jobs::Next as JobNext;
use crate::source::image::params::{content_tag, Params, Refusal};
use crate::source::image::source::{
    InternalAnswer, Source, Trouble, INTERNAL_INVALID, KIND_NOT_ALLOWED, NO_PICTURE, UPSTREAM_INVALID,
};
use crate::source::image::transform::{inspect, make, Verdict};
use crate::source::prerender::Driver;

/// Who carries out the steps of an internal request until Node has to: no thread has this number.
const NOBODY: Driver = 0;

/// A request for a picture, as far as it has come.
pub(crate) struct ImageCall {
    params: Arc<Params>,
    /// What the source is asked with.
    method: Method,
    /// The picture that is being made anew, when nobody waits for it.
    previous: Option<Arc<Picture>>,
    job: Option<Arc<ImageJob>>,
    reply: Option<oneshot::Sender<Reply>>,
    outcome: Option<Outcome>,
    cancel: Arc<Cancel>,
}

/// Tells that the client has gone away.
#[derive(Debug, Default)]
struct Cancel {
    gone: AtomicBool,
    told: Notify,
}

impl Cancel {
    async fn wait(&self) {
        let told = self.told.notified();
        tokio::pin!(told);
        // Registered before the flag is read, so that no cancellation falls between the two.
        told.as_mut().enable();
        if !self.gone.load(Ordering::Acquire) {
            told.await;
        }
    }
}

/// The slot of an internal request that Node has to carry on. Dropped, it is free again.
pub(crate) struct InternalSlot {
    engine: Arc<Engine>,
    slot: Option<usize>,
    method: String,
    url: String,
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

/// What Node is to do for a picture, then come back through `Engine::image_reply`.
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
    /// Hand a picture to the app's cache handler.
    Set(String, Entry),
}

impl Engine {
    pub(super) fn serve_image(&self, flight: &mut Flight) -> Next {
        if !self.images.served {
            return self.fail(flight, 404);
        }
        // A rewrite can lead from the source of a picture to a picture, and so in a circle.
        if flight.internal {
            let text = Bytes::from_static(b"\"url\" parameter cannot be recursive");
            return self.answer(flight, 400, response_headers(flight), text);
        }
        if flight.image.is_none() {
            match self.image_call(flight) {
                Ok(call) => flight.image = Some(Box::new(call)),
                Err(Refusal::Bad(text)) => {
                    return self.answer(flight, 400, response_headers(flight), Bytes::from(text))
                }
                Err(Refusal::Fault(why)) => return self.image_fault(flight, why),
                Err(Refusal::Page(why)) => {
                    tracing::error!("{why}");
                    return self.fail(flight, 500);
                }
            }
        }
        match self.image_outcome(flight) {
            None => Next::Load(Load::Image),
            Some(Outcome::Picture(picture, found)) => self.send_picture(flight, &picture, found),
            Some(Outcome::Trouble(Trouble::Refused(status, text))) => {
                let text = Bytes::from_static(text.as_bytes());
                self.answer(flight, status, response_headers(flight), text)
            }
            Some(Outcome::Trouble(Trouble::Failed(why))) => self.image_fault(flight, &why),
        }
    }

    /// What fails on the way to a picture ends in a bare text, whatever pages the app has.
    fn image_fault(&self, flight: &Flight, why: &str) -> Next {
        tracing::error!("{why}");
        let text = Bytes::from_static(b"Internal Server Error");
        self.answer(flight, 500, response_headers(flight), text)
    }

    fn image_call(&self, flight: &Flight) -> Result<ImageCall, Refusal> {
        let view = flight.state.header_view(&flight.request);
        let accept = view.get("accept").unwrap_or_default();
        let params = self.images.rules.read(&flight.state.location.query, &accept)?;
        Ok(ImageCall {
            params: Arc::new(params),
            method: match &flight.request.method {
                // There is no picture in the answer to a `HEAD`.
                Method::Head => Method::Get,
                method => method.clone(),
            },
            previous: None,
            job: None,
            reply: None,
            outcome: None,
            cancel: Arc::default(),
        })
    }

    /// What has come of a request: of the work, or at once from memory.
    fn image_outcome(&self, flight: &mut Flight) -> Option<Outcome> {
        let call = flight.image.as_mut()?;
        if call.outcome.is_some() || call.previous.is_some() {
            return call.outcome.clone();
        }
        let picture = self.images.memory.get(&call.params.key)?;
        let found = found(&picture.entry);
        Some(Outcome::Picture(picture, found))
    }

    fn send_picture(&self, flight: &mut Flight, picture: &Arc<Picture>, found: Found) -> Next {
        let Some(call) = flight.image.as_ref() else {
            return Next::Nothing;
        };
        if call.previous.is_some() {
            // Nobody waits for the bytes.
            return Next::Step(Step::Answer(Answer {
                status: 200,
                ..Answer::default()
            }));
        }
        let params = Arc::clone(&call.params);
        flight.revalidation = None;
        if found == Found::Stale {
            flight.revalidation = self.image_revalidation(&params, picture, flight.driver);
        }
        let framing = PictureFraming {
            found,
            immutable: params.immutable,
            rules: pairs(&response_headers(flight)),
            personal: flight.personal,
        };
        let settings = PictureSettings {
            security_policy: &self.images.security_policy,
            disposition: &self.images.disposition,
            compress: self.settings.compress,
            preferred: self.settings.preferred,
        };
        let conditions = Conditions::of(&flight.request.headers);
        let head = flight.request.method == Method::Head;
        match picture.answer(&self.table, settings, framing, &conditions, head) {
            PictureAnswer::Ready(answer) => Next::Ready(answer),
            PictureAnswer::Once(status, headers, body) => Next::Step(Step::Answer(Answer { status, headers, body })),
            PictureAnswer::Encode(coding) => {
                if let Some(call) = flight.image.as_mut() {
                    call.outcome = Some(Outcome::Picture(Arc::clone(picture), found));
                }
                Next::Load(Load::EncodePicture(Arc::clone(picture), coding))
            }
        }
    }

    /// The work of nobody that makes a stale picture anew, unless somebody is at it.
    fn image_revalidation(
        &self,
        params: &Arc<Params>,
        picture: &Arc<Picture>,
        driver: Driver,
    ) -> Option<Box<Revalidation>> {
        let key = format!("image\0{}", params.key);
        if self.cache.renders.is_busy(&key, now_ms()) {
            return None;
        }
        let request = Request {
            method: Method::Get,
            target: "/_next/image".to_owned(),
            headers: Headers::default(),
            encrypted: false,
            origin: Origin::Revalidate,
        };
        let mut flight = Flight::new(request, driver, RouteState::default(), Decision::Image);
        flight.image = Some(Box::new(ImageCall {
            params: Arc::clone(params),
            method: Method::Get,
            previous: Some(Arc::clone(picture)),
            job: None,
            reply: None,
            outcome: None,
            cancel: Arc::default(),
        }));
        Some(Box::new(Revalidation::new(key, flight)))
    }

    /// Compresses a picture for the request in `slot`.
    pub(super) async fn encode_picture(&self, slot: usize, picture: Arc<Picture>, coding: Coding) {
        picture.encoded(coding).await;
        let mut flights = self.flights();
        let Some(flight) = flights.get(slot) else { return };
        flight.next = self.serve(flight);
    }

    /// Waits for the picture of the request in `slot`, or for something that Node has to do for it first.
    pub(super) async fn load_image(self: &Arc<Self>, slot: usize) {
        let (job, cancel) = {
            let mut flights = self.flights();
            let Some(call) = flights.get(slot).and_then(|flight| flight.image.as_mut()) else {
                return;
            };
            let job = match &call.job {
                Some(job) => Arc::clone(job),
                None => self.image_job(call),
            };
            call.job = Some(Arc::clone(&job));
            (job, Arc::clone(&call.cancel))
        };
        let next = tokio::select! {
            biased;
            () = cancel.wait() => None,
            next = job.next() => Some(next),
        };
        // The slot of an internal request that is Node's from now on.
        let mut handed = None;
        let mut flights = self.flights();
        let Some(flight) = flights.get(slot) else { return };
        let driver = flight.driver;
        let Some(call) = flight.image.as_mut() else { return };
        let step = match next {
            // Whatever is answered now is read by nobody.
            None => Some(Step::Answer(Answer {
                status: 503,
                ..Answer::default()
            })),
            Some(JobNext::Ask(question)) => {
                let (what, reply) = question.into_parts();
                call.reply = Some(reply);
                if let Question::Internal(internal) = &what {
                    handed = internal.slot;
                }
                Some(Step::Image(self.image_step(what)))
            }
            Some(JobNext::Done(outcome)) => {
                call.outcome = Some(outcome);
                None
            }
            Some(JobNext::Lost) => {
                let why = format!(
                    "The image {} could not be made, for a fault of ferronext.",
                    call.params.href
                );
                call.outcome = Some(Outcome::Trouble(Trouble::Failed(why)));
                None
            }
        };
        let next = match step {
            Some(step) => {
                if !matches!(step, Step::Image(_)) {
                    call.job = None;
                }
                Next::Step(step)
            }
            None => {
                call.job = None;
                self.serve(flight)
            }
        };
        flight.next = next;
        if let Some(flight) = handed.and_then(|slot| flights.get(slot)) {
            flight.driver = driver;
        }
        drop(flights);
        // After the lock: the last one to go ends the work.
        drop(job);
    }

    fn image_step(&self, question: Question) -> ImageStep {
        match question {
            Question::Internal(mut internal) => ImageStep::Internal {
                slot: internal.slot.take().unwrap_or(usize::MAX),
                method: std::mem::take(&mut internal.method),
                url: std::mem::take(&mut internal.url),
                limit: self.images.max_bytes,
            },
            Question::Get(key) => ImageStep::Get(key),
            Question::Set(key, entry) => ImageStep::Set(key, entry),
        }
    }

    /// Node has done what the request in `slot` was told.
    pub fn image_reply(&self, slot: usize, reply: Reply) {
        let mut flights = self.flights();
        let Some(flight) = flights.get(slot) else { return };
        let Some(call) = flight.image.as_mut() else { return };
        if let Some(sender) = call.reply.take() {
            // Nobody listens when the work has ended meanwhile.
            let _ = sender.send(reply);
        }
        flight.next = Next::Load(Load::Image);
    }

    /// The client of the request in `slot` has gone away.
    pub fn image_cancel(&self, slot: usize) {
        if let Some(call) = self.flights().get(slot).and_then(|flight| flight.image.as_mut()) {
            call.cancel.gone.store(true, Ordering::Release);
            call.cancel.told.notify_waiters();
        }
    }

    /// The work for a request: its own, or that of others who wait for the same.
    fn image_job(self: &Arc<Self>, call: &ImageCall) -> Arc<ImageJob> {
        let ImageCall {
            params,
            method,
            previous,
            ..
        } = call;
        let key = match (previous, method) {
            (Some(_), _) => format!("anew\0{}", params.key),
            (None, Method::Get) => params.key.clone(),
            (None, method) => format!("{method:?}\0{}", params.key),
        };
        let work = Work {
            engine: Arc::clone(self),
            params: Arc::clone(params),
            method: method.clone(),
            previous: previous.clone(),
        };
        self.images.jobs.join(&key, |worker| work.run(worker))
    }

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

/// Whether a picture that is there is still good.
fn found(entry: &Entry) -> Found {
    if now_ms() as f64 > entry.expires_ms {
        Found::Stale
    } else {
        Found::Hit
    }
}

/// One piece of work: a picture that somebody waits for.
struct Work {
    engine: Arc<Engine>,
    params: Arc<Params>,
    method: Method,
    previous: Option<Arc<Picture>>,
}

impl Work {
    // A type of its own, because the work of a picture can wait for another request of the same kind.
    fn run(self, worker: ImageWorker) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
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
                    Some(Ok(())) => images.remember(&self.params.key, &picture),
                    Some(Err(why)) => tracing::error!("The image {} cannot be kept: {why}", self.params.href),
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

    fn entry(
        &self,
        bytes: Bytes,
        kind: crate::source::image::detect::Kind,
        etag: String,
        source_etag: String,
        max_age: f64,
    ) -> Entry {
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
                return Ok(answer_of(answer.status, &answer.headers, answer.body.clone(), limit))
            }
            Progress::Once(answer) => return Ok(answer_of(answer.status, &answer.headers, answer.body, limit)),
            Progress::Slot(slot) => self.internal_slot(slot),
        };
        while let Some(slot) = internal.slot.filter(|slot| !self.engine.waits_for_node(*slot)) {
            match self.engine.step(slot) {
                Step::Load => Arc::clone(&self.engine).load(slot).await,
                Step::Answer(Answer { status, headers, body }) => return Ok(answer_of(status, &headers, body, limit)),
                Step::Stream { status, headers } => {
                    let body = self.collect(slot, limit).await?;
                    return Ok(InternalAnswer {
                        body,
                        ..answer_of(status, &headers, Bytes::new(), limit)
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
        body: (body.len() as u64 <= limit).then_some(body),
    }
}
