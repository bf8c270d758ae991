//! The body of a request on its way to another server.
//!
//! In: chunks from Node, at most a few ahead of the connection. Out: a body for hyper. Its end is only an end when Node said
//! so: a client that goes away half-way must not look like one that sent everything.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use super::clock::Clock;

/// How many chunks Node may be ahead of the connection. Node's own are 64 KiB at most.
const AHEAD: usize = 4;

/// How the body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// There is no body.
    None,
    /// By its length.
    Length(u64),
    /// By chunks.
    Chunked,
}

impl Framing {
    /// Whether there are bytes to wait for.
    pub fn has_body(self) -> bool {
        matches!(self, Framing::Chunked | Framing::Length(1..))
    }
}

/// The writing end, which Node has.
#[derive(Debug)]
pub struct UploadSender {
    chunks: Mutex<Option<mpsc::Sender<Bytes>>>,
    shared: Arc<Shared>,
}

/// The body, which hyper has. A second one goes on where the first stopped: it is made when a request has to be sent again.
#[derive(Debug)]
pub struct Upload {
    shared: Arc<Shared>,
    framing: Framing,
}

#[derive(Debug)]
struct Shared {
    chunks: Mutex<mpsc::Receiver<Bytes>>,
    complete: AtomicBool,
    touched: AtomicBool,
    clock: Arc<Clock>,
}

/// A body and its writing end.
pub fn upload(clock: Arc<Clock>) -> UploadSender {
    let (sender, receiver) = mpsc::channel(AHEAD);
    UploadSender {
        chunks: Mutex::new(Some(sender)),
        shared: Arc::new(Shared {
            chunks: Mutex::new(receiver),
            complete: AtomicBool::new(false),
            touched: AtomicBool::new(false),
            clock,
        }),
    }
}

impl UploadSender {
    /// The body of one attempt to send the request.
    pub fn body(&self, framing: Framing) -> Upload {
        Upload {
            shared: Arc::clone(&self.shared),
            framing,
        }
    }

    /// Hands over a chunk and waits while the connection is behind. `false` when the connection is gone.
    pub async fn push(&self, chunk: Bytes) -> bool {
        let sender = self.chunks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match sender {
            Some(sender) => sender.send(chunk).await.is_ok(),
            None => false,
        }
    }

    /// The body is complete.
    pub fn finish(&self) {
        self.shared.complete.store(true, Ordering::Release);
        self.abandon();
    }

    /// Nothing more comes, whether the body is complete or not.
    pub fn abandon(&self) {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The reader has ended; callers that wait in [`UploadSender::push`] are released.
    pub fn refuse(&self) {
        self.shared
            .chunks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .close();
    }

    /// Whether a byte of the body has been taken, so that it cannot be sent again.
    pub fn is_touched(&self) -> bool {
        self.shared.touched.load(Ordering::Acquire)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let shared = &self.shared;
        let polled = shared
            .chunks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .poll_recv(cx);
        polled.map(|chunk| match chunk {
            Some(chunk) => {
                shared.touched.store(true, Ordering::Release);
                shared.clock.tick();
                Some(Ok(Frame::data(chunk)))
            }
            None if shared.complete.load(Ordering::Acquire) => None,
            None => Some(Err(io::Error::other("the client went away"))),
        })
    }

    fn is_end_stream(&self) -> bool {
        !self.framing.has_body() && self.framing != Framing::Chunked
    }

    fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::None => SizeHint::with_exact(0),
            Framing::Length(length) => SizeHint::with_exact(length),
            Framing::Chunked => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn next(body: &mut Upload) -> Option<io::Result<Bytes>> {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
        Some(frame.map(|frame| frame.into_data().unwrap()))
    }

    #[tokio::test]
    async fn only_a_finished_body_ends() {
        let sender = upload(Arc::new(Clock::new(None)));
        let mut body = sender.body(Framing::Chunked);
        assert!(!sender.is_touched());
        assert!(sender.push(Bytes::from_static(b"ab")).await);
        assert_eq!(next(&mut body).await.unwrap().unwrap(), "ab");
        assert!(sender.is_touched());
        sender.finish();
        assert!(next(&mut body).await.is_none());
        assert!(!sender.push(Bytes::from_static(b"late")).await);

        let sender = upload(Arc::new(Clock::new(None)));
        let mut body = sender.body(Framing::Length(10));
        sender.abandon();
        assert!(next(&mut body).await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_writer_waits_for_the_connection_and_is_released_by_a_refusal() {
        let sender = Arc::new(upload(Arc::new(Clock::new(None))));
        for _ in 0..AHEAD {
            assert!(sender.push(Bytes::from_static(b"x")).await);
        }
        let waiting = tokio::spawn({
            let sender = Arc::clone(&sender);
            async move { sender.push(Bytes::from_static(b"y")).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        sender.refuse();
        assert!(!waiting.await.unwrap());
    }
}
