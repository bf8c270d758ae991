//! Compressing.
//!
//! In: bytes, at once or chunk by chunk. Out: the same bytes coded. Formats and level as upstream's `zlib.createGzip()`
//! and `createDeflate()` (level 6); the coded bytes themselves differ between zlib builds and are not compared.
//! Everything here spends processor time: one megabyte of scripts costs some 15 ms, so it never runs on Node's thread.

use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};

use super::Coding;
use crate::body::{self, Body};

/// How hard to try, 0 to 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(u32);

impl Level {
    /// What upstream uses, for bytes that are sent once.
    pub const DYNAMIC: Level = Level(6);
    /// For bytes that are compressed once and sent often: 1.2 % smaller for 1.6 times the work. Higher gains nothing.
    pub const STORED: Level = Level(8);

    /// A level; above 9 counts as 9.
    pub fn new(level: u32) -> Self {
        Level(level.min(9))
    }
}

/// Compresses a whole body. `Identity` copies.
pub fn compress(coding: Coding, bytes: &[u8], level: Level) -> io::Result<Bytes> {
    let mut encoder = Encoder::new(coding, level);
    let mut out = Vec::with_capacity(bytes.len() / 3 + 64);
    encoder.feed(bytes, FlushCompress::Finish, &mut out)?;
    Ok(Bytes::from(out))
}

/// Compresses a body that arrives in chunks.
pub struct Encoder {
    coding: Coding,
    level: Level,
    /// `None` for `Identity`.
    state: Option<Compress>,
}

/// States of the compressor that wait for their next body. One takes 270 kB and as long to make as compressing a small
/// body, so that making one per answer would cost more than the answer.
static IDLE: Mutex<Vec<(Coding, Level, Compress)>> = Mutex::new(Vec::new());

/// How many states wait at most: 4 MB.
const MAX_IDLE: usize = 16;

/// The window of gzip and deflate: 32 KiB, the most there is and what everybody uses.
const WINDOW_BITS: u8 = 15;

impl Encoder {
    /// An encoder for one body.
    pub fn new(coding: Coding, level: Level) -> Self {
        let idle = || {
            let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
            let fits = idle.iter().position(|(c, l, _)| (*c, *l) == (coding, level))?;
            Some(idle.swap_remove(fits).2)
        };
        let compression = Compression::new(level.0);
        let state = match coding {
            Coding::Identity => None,
            Coding::Gzip => Some(idle().unwrap_or_else(|| Compress::new_gzip(compression, WINDOW_BITS))),
            Coding::Deflate => Some(idle().unwrap_or_else(|| Compress::new(compression, true))),
        };
        Encoder { coding, level, state }
    }

    /// Takes a chunk and returns what is ready. With `flush`, the client can read everything so far: upstream flushes
    /// after every chunk of a stream.
    pub fn write(&mut self, chunk: &[u8], flush: bool) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(if flush { chunk.len() / 2 + 64 } else { 0 });
        let how = if flush {
            FlushCompress::Sync
        } else {
            FlushCompress::None
        };
        self.feed(chunk, how, &mut out)?;
        Ok(out)
    }

    /// Takes the last chunk and returns the rest.
    pub fn finish(mut self, chunk: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(chunk.len() / 2 + 64);
        self.feed(chunk, FlushCompress::Finish, &mut out)?;
        Ok(out)
    }

    fn feed(&mut self, mut chunk: &[u8], how: FlushCompress, out: &mut Vec<u8>) -> io::Result<()> {
        let Some(state) = &mut self.state else {
            out.extend_from_slice(chunk);
            return Ok(());
        };
        loop {
            // Room for at least one more block: `compress_vec` writes only into capacity that is there.
            out.reserve(chunk.len() / 2 + 64);
            let before = state.total_in();
            let status = state.compress_vec(chunk, out, how).map_err(io::Error::other)?;
            let taken = usize::try_from(state.total_in() - before).unwrap_or(chunk.len());
            chunk = chunk.get(taken..).unwrap_or_default();
            let has_room = out.len() < out.capacity();
            match status {
                Status::StreamEnd => return Ok(()),
                _ if chunk.is_empty() && has_room && how != FlushCompress::Finish => return Ok(()),
                // Nothing to do and nothing taken: everything was flushed before.
                Status::BufError if chunk.is_empty() && has_room => return Ok(()),
                _ => {}
            }
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let Some(mut state) = self.state.take() else {
            return;
        };
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            state.reset();
            idle.push((self.coding, self.level, state));
        }
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Encoder({})", self.coding.as_str())
    }
}

/// Chunks up to this size are compressed where they are, which takes less than 0.3 ms; larger ones move to the blocking
/// pool so that a worker of the runtime is not held up.
const INLINE: usize = 16 * 1024;

/// Compresses a body while it is read. `flush` makes every chunk readable at once, as upstream does for rendered
/// streams; a file does not need it. Must be called on a tokio runtime.
pub fn compress_body(mut body: Body, coding: Coding, level: Level, flush: bool) -> Body {
    if coding == Coding::Identity {
        return body;
    }
    let (sender, coded) = body::stream();
    tokio::spawn(async move {
        let mut encoder = Encoder::new(coding, level);
        loop {
            let chunk = tokio::select! {
                chunk = body.chunk() => chunk,
                () = sender.reader_gone() => return,
            };
            let out = match chunk {
                None => {
                    let rest = encoder.finish(&[]).map(Bytes::from);
                    let _ = sender.send(rest).await;
                    return;
                }
                Some(Err(error)) => Err(error),
                Some(Ok(chunk)) if chunk.len() <= INLINE => encoder.write(&chunk, flush),
                Some(Ok(chunk)) => {
                    let work = tokio::task::spawn_blocking(move || {
                        let out = encoder.write(&chunk, flush);
                        (encoder, out)
                    });
                    match work.await {
                        Ok((back, out)) => {
                            encoder = back;
                            out
                        }
                        Err(_) => {
                            let _ = sender.send(Err(io::Error::other("compression was cancelled"))).await;
                            return;
                        }
                    }
                }
            };
            let failed = out.is_err();
            // Without a flush most chunks yield nothing yet.
            if matches!(&out, Ok(bytes) if bytes.is_empty()) {
                continue;
            }
            if sender.send(out.map(Bytes::from)).await.is_err() || failed {
                return;
            }
        }
    });
    coded
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn decode(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match coding {
            Coding::Identity => out.extend_from_slice(bytes),
            Coding::Gzip => {
                flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
            }
            Coding::Deflate => {
                flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut out).unwrap();
            }
        }
        out
    }

    fn text() -> Vec<u8> {
        (0..60_000_u32).flat_map(|i| (i / 7).to_string().into_bytes()).collect()
    }

    #[test]
    fn whole_bodies_read_back() {
        for coding in [Coding::Identity, Coding::Gzip, Coding::Deflate] {
            for level in [Level::DYNAMIC, Level::STORED, Level::new(1), Level::new(99)] {
                let coded = compress(coding, &text(), level).unwrap();
                assert_eq!(decode(coding, &coded), text());
                assert_eq!(decode(coding, &compress(coding, b"", level).unwrap()), b"");
            }
        }
        let coded = compress(Coding::Gzip, b"x", Level::DYNAMIC).unwrap();
        assert_eq!(&coded[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
    }

    #[test]
    fn a_flushed_chunk_is_readable_at_once() {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let mut encoder = Encoder::new(coding, Level::DYNAMIC);
            let mut sent = Vec::new();
            let mut seen = Vec::new();
            for part in [&b"first"[..], b"second", b"third"] {
                sent.extend(encoder.write(part, true).unwrap());
                seen.extend_from_slice(part);
                let mut out = vec![0; seen.len()];
                match coding {
                    Coding::Gzip => flate2::read::GzDecoder::new(&sent[..]).read_exact(&mut out),
                    _ => flate2::read::ZlibDecoder::new(&sent[..]).read_exact(&mut out),
                }
                .unwrap();
                assert_eq!(out, seen);
            }
            sent.extend(encoder.finish(&[]).unwrap());
            assert_eq!(decode(coding, &sent), seen);
        }
    }

    #[tokio::test]
    async fn streams_read_back_and_stop_at_an_error() {
        for flush in [false, true] {
            let mut body = compress_body(Body::from(Bytes::from(text())), Coding::Gzip, Level::DYNAMIC, flush);
            let mut coded = Vec::new();
            while let Some(chunk) = body.chunk().await {
                coded.extend_from_slice(&chunk.unwrap());
            }
            assert_eq!(decode(Coding::Gzip, &coded), text());
        }
        let (sender, source) = body::stream();
        let mut coded = compress_body(source, Coding::Gzip, Level::DYNAMIC, true);
        sender.send(Err(io::Error::other("x"))).await.unwrap();
        assert!(coded.chunk().await.unwrap().is_err());
        assert!(coded.chunk().await.is_none());
        sender.reader_gone().await;
    }

    #[tokio::test]
    async fn the_producer_learns_that_the_client_left() {
        let (sender, source) = body::stream();
        drop(compress_body(source, Coding::Gzip, Level::DYNAMIC, true));
        sender.reader_gone().await;
    }
}
