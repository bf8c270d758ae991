//! What a response carries after its headers.
//!
//! In: bytes that are already in memory, an open file, or a producer that is still running. Out: chunks, one at a time,
//! at the pace of the reader. Bytes in memory are shared, never copied; a file of any size costs one
//! [`READ_SIZE`] buffer; a producer waits when its reader is slow (RFC 9112 leaves framing to the transport).

use std::fs::File;
use std::io;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;

use bytes::Bytes;
use tokio::sync::{mpsc, Semaphore, SemaphorePermit};

/// How much of a file is read at a time, as much as Node's file streams read. Chunks become garbage of Node's, which takes its time
/// to give them back: with twice as much, 200 slow downloads took three times the memory.
pub const READ_SIZE: usize = 64 * 1024;

/// How many chunks are read, or compressed, at a time, in the whole process: one for each core, and four at least, because a disk is
/// faster with several. Tokio has up to 512 threads for work that blocks, and each that ever held a chunk keeps some megabytes of
/// the allocator's: 200 downloads at once came to 2 GB.
fn places() -> Semaphore {
    let cores = available_parallelism().map_or(1, usize::from);
    Semaphore::new(cores.clamp(4, 32))
}

/// Apart from each other, so that a network drive that hangs holds up nothing but its own files.
static READING: LazyLock<Semaphore> = LazyLock::new(places);
static COMPRESSING: LazyLock<Semaphore> = LazyLock::new(places);

/// Waits for a turn to compress a chunk on tokio's blocking pool. Keep what it returns until that is done.
pub async fn turn_to_compress() -> Option<SemaphorePermit<'static>> {
    // It is never closed.
    COMPRESSING.acquire().await.ok()
}

/// How many chunks a producer may be ahead of its reader.
const AHEAD: usize = 2;

/// The body of a response.
#[derive(Debug, Default)]
pub enum Body {
    /// No body at all.
    #[default]
    Empty,
    /// Bytes in memory.
    Bytes(Bytes),
    /// A part of an open file.
    File(FilePart),
    /// Chunks from a producer that is still running.
    Stream(Chunks),
}

impl Body {
    /// The next chunk, `None` at the end. An error ends the body: what was promised cannot be delivered.
    ///
    /// Must run on a tokio runtime when the body is a file.
    pub async fn chunk(&mut self) -> Option<io::Result<Bytes>> {
        match self {
            Body::Empty => None,
            Body::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Body::Empty;
                (!bytes.is_empty()).then_some(Ok(bytes))
            }
            Body::File(part) => part.chunk().await,
            Body::Stream(chunks) => chunks.receiver.recv().await,
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            Body::Empty
        } else {
            Body::Bytes(bytes)
        }
    }
}

/// A part of a file that is open. Reading names its position, so parts of one handle do not disturb each other.
#[derive(Debug)]
pub struct FilePart {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl FilePart {
    /// The `len` bytes of `file` that begin at `start`.
    pub fn new(file: Arc<File>, start: u64, len: u64) -> Self {
        FilePart {
            file,
            at: start,
            left: len,
        }
    }

    /// A handle of its own on the same file, with the position and the length of what is left.
    ///
    /// # Errors
    /// When the process has no more handles.
    pub fn handle(&self) -> io::Result<(File, u64, u64)> {
        Ok((self.file.try_clone()?, self.at, self.left))
    }

    async fn chunk(&mut self) -> Option<io::Result<Bytes>> {
        if self.left == 0 {
            return None;
        }
        let want = self.left.min(READ_SIZE as u64) as usize;
        let (file, at) = (Arc::clone(&self.file), self.at);
        let turn = READING.acquire().await;
        let read = tokio::task::spawn_blocking(move || read_at(&file, at, want)).await;
        drop(turn);
        match read {
            Ok(Ok(bytes)) => {
                self.at += bytes.len() as u64;
                self.left -= bytes.len() as u64;
                Some(Ok(bytes))
            }
            Ok(Err(error)) => {
                self.left = 0;
                Some(Err(error))
            }
            Err(_) => {
                self.left = 0;
                Some(Err(io::Error::other("the read was cancelled")))
            }
        }
    }
}

/// Reads up to `want` bytes, at least one: a file that ends too early was cut short while it was being sent.
fn read_at(file: &File, at: u64, want: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; want];
    loop {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, &mut buffer, at);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, &mut buffer, at);
        match read {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                buffer.truncate(read);
                return Ok(buffer.into());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The reading end of a producer's chunks.
#[derive(Debug)]
pub struct Chunks {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
}

/// The writing end of a producer's chunks. Dropping it ends the body.
#[derive(Debug, Clone)]
pub struct ChunkSender {
    sender: mpsc::Sender<io::Result<Bytes>>,
}

/// The reader went away; the producer may stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyClosed;

impl ChunkSender {
    /// Hands over a chunk, waiting while the reader is `AHEAD` chunks behind.
    pub async fn send(&self, chunk: io::Result<Bytes>) -> Result<(), BodyClosed> {
        self.sender.send(chunk).await.map_err(|_| BodyClosed)
    }

    /// Resolves when the reader went away, so that a producer which waits for something else can stop too.
    pub async fn reader_gone(&self) {
        self.sender.closed().await;
    }
}

/// A new stream: what the producer keeps, and the body that yields what it sends.
pub fn stream() -> (ChunkSender, Body) {
    let (sender, receiver) = mpsc::channel(AHEAD);
    (ChunkSender { sender }, Body::Stream(Chunks { receiver }))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    async fn collect(mut body: Body) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(chunk) = body.chunk().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn each_kind_yields_its_bytes_and_ends() {
        assert_eq!(collect(Body::Empty).await.unwrap(), b"");
        assert_eq!(collect(Bytes::from_static(b"abc").into()).await.unwrap(), b"abc");
        assert_eq!(collect(Bytes::new().into()).await.unwrap(), b"");

        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..READ_SIZE * 2 + 10).map(|i| (i % 251) as u8).collect();
        file.write_all(&content).unwrap();
        let file = Arc::new(file);
        let whole = Body::File(FilePart::new(file.clone(), 0, content.len() as u64));
        assert_eq!(collect(whole).await.unwrap(), content);
        let part = Body::File(FilePart::new(file, 5, 7));
        assert_eq!(collect(part).await.unwrap(), &content[5..12]);
    }

    #[tokio::test]
    async fn a_file_that_was_cut_short_is_an_error_not_a_short_body() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abc").unwrap();
        let body = Body::File(FilePart::new(Arc::new(file), 0, 10));
        assert_eq!(collect(body).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_producer_and_tells_it_when_the_reader_left() {
        let (sender, body) = stream();
        let producer = tokio::spawn(async move {
            for part in ["a", "b", "c"] {
                sender.send(Ok(Bytes::from_static(part.as_bytes()))).await.unwrap();
            }
        });
        assert_eq!(collect(body).await.unwrap(), b"abc");
        producer.await.unwrap();

        let (sender, body) = stream();
        drop(body);
        sender.reader_gone().await;
        assert_eq!(sender.send(Ok(Bytes::new())).await, Err(BodyClosed));
    }
}
