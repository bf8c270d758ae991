//! Compressing.
//!
//! In: bytes, at once or chunk by chunk. Out: the same bytes coded. Formats and level as upstream's `zlib.createGzip()`
//! and `createDeflate()` (level 6); the coded bytes themselves differ between zlib builds and are not compared.
//! Everything here spends processor time: one megabyte of scripts costs some 15 ms, so it never runs on Node's thread.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::{Compression, GzBuilder};

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
    let mut encoder = Encoder::with_capacity(coding, level, bytes.len() / 3);
    encoder.feed(bytes)?;
    encoder.finish().map(Bytes::from)
}

/// Compresses a body that arrives in chunks.
pub struct Encoder(Inner);

enum Inner {
    Identity(Vec<u8>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Deflate(Box<ZlibEncoder<Vec<u8>>>),
}

/// Unix, as Node's zlib writes it (RFC 1952, 2.3.1).
const GZIP_OS: u8 = 3;

impl Encoder {
    /// An encoder for one body.
    pub fn new(coding: Coding, level: Level) -> Self {
        Encoder::with_capacity(coding, level, 0)
    }

    fn with_capacity(coding: Coding, level: Level, capacity: usize) -> Self {
        let (sink, level) = (Vec::with_capacity(capacity), Compression::new(level.0));
        Encoder(match coding {
            Coding::Identity => Inner::Identity(sink),
            Coding::Gzip => Inner::Gzip(Box::new(GzBuilder::new().operating_system(GZIP_OS).write(sink, level))),
            Coding::Deflate => Inner::Deflate(Box::new(ZlibEncoder::new(sink, level))),
        })
    }

    /// Takes a chunk and returns what is ready. With `flush`, the client can read everything so far: upstream flushes
    /// after every chunk of a stream.
    pub fn write(&mut self, chunk: &[u8], flush: bool) -> io::Result<Vec<u8>> {
        self.feed(chunk)?;
        Ok(match &mut self.0 {
            Inner::Identity(sink) => std::mem::take(sink),
            Inner::Gzip(encoder) => {
                if flush {
                    encoder.flush()?;
                }
                std::mem::take(encoder.get_mut())
            }
            Inner::Deflate(encoder) => {
                if flush {
                    encoder.flush()?;
                }
                std::mem::take(encoder.get_mut())
            }
        })
    }

    /// Ends the body and returns the rest.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        match self.0 {
            Inner::Identity(sink) => Ok(sink),
            Inner::Gzip(encoder) => encoder.finish(),
            Inner::Deflate(encoder) => encoder.finish(),
        }
    }

    fn feed(&mut self, chunk: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Inner::Identity(sink) => sink.write_all(chunk),
            Inner::Gzip(encoder) => encoder.write_all(chunk),
            Inner::Deflate(encoder) => encoder.write_all(chunk),
        }
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Inner::Identity(_) => "Encoder(identity)",
            Inner::Gzip(_) => "Encoder(gzip)",
            Inner::Deflate(_) => "Encoder(deflate)",
        })
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
                    let rest = encoder.finish().map(Bytes::from);
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
            sent.extend(encoder.finish().unwrap());
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
