//! One request to another server, and its answer.
//!
//! In: head and target, then chunks of the body from Node. Out: the head of the answer, then its chunks, at the pace at which
//! they are asked for. Dropped or cancelled, it frees its connection at once.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderMap;
use hyper::body::{Body, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::{Request, Response};
use tokio::sync::Notify;

use super::clock::{Clock, Silence};
use super::connect::code_of;
use super::failure::Failure;
use super::headers::{self, HeaderLines};
use super::pool::{Client, Connection, TlsOptions};
use super::upload::{upload, Framing, Upload, UploadSender};
use super::Target;

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// The reason phrase as it was sent, possibly empty.
    pub reason: String,
    /// The headers that go on to the client.
    pub headers: HeaderLines,
}

/// What is asked of the other server.
#[derive(Debug, Clone)]
pub struct ExchangeRequest {
    /// The method, as written.
    pub method: String,
    /// The headers, complete.
    pub headers: HeaderLines,
    /// How the body is delimited.
    pub framing: Framing,
    /// For how long both sides may be silent.
    pub timeout: Option<Duration>,
}

/// A request that is being answered by another server.
#[derive(Debug)]
pub struct Exchange {
    client: Client,
    tls: TlsOptions,
    target: Target,
    request: ExchangeRequest,
    upload: UploadSender,
    clock: Arc<Clock>,
    answer: Mutex<Option<Incoming>>,
    cancelled: AtomicBool,
    cancel: Notify,
}

impl Exchange {
    /// An exchange that has not begun.
    pub fn new(client: Client, tls: TlsOptions, target: Target, request: ExchangeRequest) -> Exchange {
        let clock = Arc::new(Clock::new(request.timeout));
        Exchange {
            upload: upload(Arc::clone(&clock)),
            client,
            tls,
            target,
            request,
            clock,
            answer: Mutex::new(None),
            cancelled: AtomicBool::new(false),
            cancel: Notify::new(),
        }
    }

    /// Whether the request has a body to be handed over.
    pub fn has_body(&self) -> bool {
        self.request.framing.has_body()
    }

    /// Hands over a chunk of the body and waits while the connection is behind. `false` when no more is wanted.
    pub async fn push(&self, chunk: Bytes) -> bool {
        self.upload.push(chunk).await
    }

    /// The body is complete.
    pub fn finish(&self) {
        self.upload.finish();
    }

    /// The caller no longer waits for the answer.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.cancel.notify_waiters();
        self.upload.abandon();
        self.upload.refuse();
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(answer);
    }

    /// Sends the request and waits for the head of the answer.
    ///
    /// # Errors
    /// When the server cannot be reached, gives no answer, or is silent for too long.
    pub async fn respond(&self) -> Result<Head, Failure> {
        self.clock.tick();
        let sent = self.until_cancelled(self.clock.watch(self.send())).await;
        let result = match sent {
            Some(Ok(result)) => result,
            Some(Err(Silence)) => Err(self.silence()),
            None => Err(Failure::new("the client went away")),
        };
        if result.is_err() {
            self.upload.refuse();
        }
        result
    }

    /// The next chunk of the answer, `None` at its end.
    ///
    /// # Errors
    /// When the answer breaks off.
    pub async fn chunk(&self) -> Result<Option<Bytes>, Failure> {
        let taken = self.answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = taken else { return Ok(None) };
        // The time in which the client did not ask for more is not the server's.
        self.clock.tick();
        let next = self.until_cancelled(self.clock.watch(data(&mut body))).await;
        match next {
            None => Ok(None),
            Some(Err(Silence)) => Err(self.silence()),
            Some(Ok(None)) => Ok(None),
            Some(Ok(Some(Err(_)))) => Err(Failure::new("aborted")),
            Some(Ok(Some(Ok(chunk)))) => {
                let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
                if !self.cancelled.load(Ordering::Acquire) {
                    *answer = Some(body);
                }
                Ok(Some(chunk))
            }
        }
    }

    async fn send(&self) -> Result<Head, Failure> {
        let headers = headers::to_map(&self.request.headers).map_err(Failure::new)?;
        let mut unsent = None;
        loop {
            let kept = self.client.kept(&self.target.origin);
            let was_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.client.connect(&self.target.origin, &self.tls).await?,
            };
            if connection.ready().await.is_err() {
                if was_kept {
                    continue;
                }
                return Err(hang_up());
            }
            self.clock.tick();
            let request = match unsent.take() {
                Some(request) => request,
                None => self.request(headers.clone())?,
            };
            match connection.try_send_request(request).await {
                Ok(response) => return self.answered(connection, response),
                Err(mut error) => {
                    // The server may close a connection that was kept at any moment.
                    unsent = error.take_message();
                    if !was_kept || (unsent.is_none() && !self.may_repeat()) {
                        return Err(failure_of(&error.into_error()));
                    }
                }
            }
        }
    }

    /// Whether a request that may have arrived can be sent once more (RFC 9110, 9.2.2).
    fn may_repeat(&self) -> bool {
        let idempotent = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
        idempotent.contains(&self.request.method.as_str()) && !self.upload.is_touched()
    }

    fn request(&self, headers: HeaderMap) -> Result<Request<Upload>, Failure> {
        let mut request = Request::builder()
            .method(self.request.method.as_str())
            .uri(self.target.path.as_str())
            .body(self.upload.body(self.request.framing))
            .map_err(|error| Failure::new(error.to_string()))?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn answered(&self, connection: Connection, response: Response<Incoming>) -> Result<Head, Failure> {
        self.clock.tick();
        // The client did not ask for another protocol.
        if response.status() == 101 {
            return Err(hang_up());
        }
        let (parts, body) = response.into_parts();
        let headers = headers::of_answer(&parts.headers);
        let headers = headers.ok_or_else(|| Failure::new("the answer is framed in two ways"))?;
        let reason = match parts.extensions.get::<ReasonPhrase>() {
            Some(reason) => reason.as_bytes().iter().map(|&byte| char::from(byte)).collect(),
            None => parts.status.canonical_reason().unwrap_or_default().to_owned(),
        };
        self.client
            .keep(self.target.origin.clone(), connection, keep_alive(&parts.headers));
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.cancelled.load(Ordering::Acquire) {
            *answer = Some(body);
        }
        Ok(Head {
            status: parts.status.as_u16(),
            reason,
            headers,
        })
    }

    /// Waits for `work` unless the exchange is cancelled.
    async fn until_cancelled<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let cancel = self.cancel.notified();
        tokio::pin!(cancel);
        // Registered before the flag is read, so that no cancellation falls between the two.
        cancel.as_mut().enable();
        if self.cancelled.load(Ordering::Acquire) {
            return None;
        }
        tokio::select! {
            biased;
            () = cancel => None,
            done = work => Some(done),
        }
    }

    fn silence(&self) -> Failure {
        let limit = self.request.timeout.unwrap_or_default().as_millis();
        Failure::new(format!("nothing came for {limit} ms (experimental.proxyTimeout)"))
    }
}

/// The next data of a body. Trailers are dropped, as upstream drops them.
async fn data(body: &mut Incoming) -> Option<hyper::Result<Bytes>> {
    loop {
        let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx)).await?;
        match frame.map(|frame| frame.into_data()) {
            Ok(Ok(data)) if data.is_empty() => {}
            Ok(Ok(data)) => return Some(Ok(data)),
            Ok(Err(_trailers)) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}

/// How long the server keeps the connection, less a second for the way; zero when it closes it.
fn keep_alive(headers: &HeaderMap) -> Option<Duration> {
    let hint = headers.get("keep-alive")?.to_str().ok()?;
    let seconds = hint.split(',').find_map(|part| part.trim().strip_prefix("timeout="))?;
    Some(Duration::from_secs(
        seconds.trim().parse::<u64>().ok()?.saturating_sub(1),
    ))
}

/// What Node says of a connection that ends without an answer.
fn hang_up() -> Failure {
    Failure::new("socket hang up")
}

fn failure_of(error: &hyper::Error) -> Failure {
    if error.is_parse() {
        return Failure::new(format!("the answer is not HTTP: {error}"));
    }
    if error.is_body_write_aborted() {
        // A body parser of the user's, for instance, has read it before.
        return Failure::new("the body of the request ended before its Content-Length");
    }
    let source = std::error::Error::source(error);
    match source.and_then(|source| source.downcast_ref::<std::io::Error>()) {
        Some(error) if error.kind() == std::io::ErrorKind::Other => Failure::new(error.to_string()),
        Some(error) => Failure::new(format!("socket hang up ({})", code_of(error))),
        None if error.is_incomplete_message() || error.is_canceled() => hang_up(),
        None => Failure::new(error.to_string()),
    }
}
