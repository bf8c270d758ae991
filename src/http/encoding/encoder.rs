//! Encoders.
//!
//! In: bytes, at once or chunk by chunk. Out: the same bytes coded. gzip and deflate at least as small as what upstream's
//! `zlib.createGzip()` and `createDeflate()` make (level 6); the coded bytes themselves differ between zlib builds and are not compared.
//! Everything here spends processor time: one megabyte of scripts costs some 15 ms, so it never runs on Node's thread
//! beyond a small chunk.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use brotli::enc::BrotliEncoderParams;
use brotli::CompressorWriter;
use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};
use libdeflater::{CompressionLvl, Compressor};
use zstd::stream::write::Encoder as ZstdWriter;
use zstd::zstd_safe::CParameter;

use super::Coding;

/// How hard to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For bytes that a client waits for and that will soon have a better variant.
    Quick,
    /// For bytes that are sent once. Of gzip and deflate what upstream uses.
    Dynamic,
    /// For bytes that are compressed once and sent often.
    Stored,
}

impl Level {
    /// gzip and deflate of a whole body, 0 to 12. 5 leaves less than zlib's 6 of all that was tried, in half to three quarters of the
    /// time: of a page of 7.5 kB 1,475 bytes against 1,516 (40 us, 64), of a chunk of 350 kB 106.7 kB against 106.8 (5.5 ms, 7.4). 8 takes
    /// as long as zlib's 8; from 10 on it takes nine times as long to save two percent, and 9 MB.
    fn libdeflate(self) -> CompressionLvl {
        let level = match self {
            Level::Quick => 1,
            Level::Dynamic => 5,
            Level::Stored => 8,
        };
        CompressionLvl::new(level).unwrap_or_default()
    }

    /// brotli, 0 to 11. Of a chunk of 350 kB 2 leaves 110 kB, and 10 leaves 92 in 26 times the time; 11 leaves 90.5 and takes three
    /// times as long again. From 5 on a stream would hold up to 33 MB, with 4 it holds 2.
    fn brotli(self) -> i32 {
        match self {
            Level::Quick => 2,
            Level::Dynamic => 4,
            Level::Stored => 10,
        }
    }

    /// zstd, 1 to 22. Of the same chunk 1 leaves 119 kB, 3 leaves 109, and 19 leaves 95 in the time of brotli's 10. Beyond that only
    /// the window grows.
    fn zstd(self) -> i32 {
        match self {
            Level::Quick => 1,
            Level::Dynamic => 3,
            Level::Stored => 19,
        }
    }

    /// The window of brotli and zstd, as a power of two. A stream holds one for as long as it lasts, so that thousands of
    /// slow ones add up: 256 KiB. Whole bodies get what a browser must accept (RFC 9659: 8 MiB for zstd), cut to their size
    /// by the encoders.
    fn window(self) -> u32 {
        match self {
            Level::Dynamic => 18,
            Level::Quick | Level::Stored => 22,
        }
    }
}

/// Compresses a whole body that is kept. `Identity` copies.
///
/// # Errors
/// When the encoder fails.
pub fn compress(coding: Coding, bytes: &[u8], level: Level) -> io::Result<Bytes> {
    let mut out = whole(coding, bytes, level)?;
    out.shrink_to_fit();
    Ok(Bytes::from(out))
}

/// Compresses a whole body that is sent once.
///
/// # Errors
/// When the encoder fails.
pub fn compress_once(coding: Coding, bytes: &[u8]) -> io::Result<Vec<u8>> {
    whole(coding, bytes, Level::Dynamic)
}

fn whole(coding: Coding, bytes: &[u8], level: Level) -> io::Result<Vec<u8>> {
    match coding {
        Coding::Gzip | Coding::Deflate => deflate(coding, bytes, level),
        _ => Encoder::sized(coding, level, Some(bytes.len()))?.finish(bytes),
    }
}

/// States of compressors that wait for their next body. Making one takes as long as compressing a small body.
struct Idle<K, S>(Mutex<Vec<(K, S)>>);

impl<K: PartialEq, S> Idle<K, S> {
    const fn new() -> Self {
        Idle(Mutex::new(Vec::new()))
    }

    fn take(&self, kind: &K) -> Option<S> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = idle.iter().position(|(k, _)| k == kind)?;
        Some(idle.swap_remove(fits).1)
    }

    /// Keeps a state, unless `most` of its kind wait already.
    fn give(&self, kind: K, state: S, most: usize) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.iter().filter(|(k, _)| *k == kind).count() < most {
            idle.push((kind, state));
        }
    }
}

/// For whole bodies. One takes 0.7 MB.
static COMPRESSORS: Idle<Level, Compressor> = Idle::new();

/// How many of each level wait at most: on Node's thread there is one at a time, and a few threads make what is sent often.
const MAX_COMPRESSORS: usize = 2;

/// For streams. One takes 270 kB.
static STREAMS: Idle<Coding, Compress> = Idle::new();

/// How many of each coding wait at most: 4 MB of gzip, which nearly all of them are.
const MAX_STREAMS: usize = 16;

/// gzip or deflate of a whole body, which libdeflate makes in one go. What is too short to become shorter it stores as it is, at once; zlib
/// takes as long to look at that as Node takes to send it.
fn deflate(coding: Coding, bytes: &[u8], level: Level) -> io::Result<Vec<u8>> {
    let mut compressor = COMPRESSORS
        .take(&level)
        .unwrap_or_else(|| Compressor::new(level.libdeflate()));
    let mut out;
    let length = if coding == Coding::Gzip {
        out = vec![0; compressor.gzip_compress_bound(bytes.len())];
        compressor.gzip_compress(bytes, &mut out)
    } else {
        out = vec![0; compressor.zlib_compress_bound(bytes.len())];
        compressor.zlib_compress(bytes, &mut out)
    }
    .map_err(io::Error::other)?;
    out.truncate(length);
    COMPRESSORS.give(level, compressor, MAX_COMPRESSORS);
    Ok(out)
}

/// Compresses a body that arrives in chunks.
pub struct Encoder {
    coding: Coding,
    state: State,
}

enum State {
    Identity,
    /// gzip or deflate; `None` once it has been given back.
    Zlib(Option<Compress>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(Box<ZstdWriter<'static, Vec<u8>>>),
}

/// gzip and deflate of a stream: what upstream uses.
const ZLIB_LEVEL: Compression = Compression::new(6);

/// The window of gzip and deflate: 32 KiB, the largest there is, and what all encoders use.
const WINDOW_BITS: u8 = 15;

/// What brotli hands on at a time.
const BROTLI_BUFFER: usize = 4096;

impl Encoder {
    /// An encoder for one body of unknown size.
    ///
    /// # Errors
    /// When the encoder cannot be made.
    pub fn new(coding: Coding) -> io::Result<Self> {
        Encoder::sized(coding, Level::Dynamic, None)
    }

    fn sized(coding: Coding, level: Level, size: Option<usize>) -> io::Result<Self> {
        let idle = || STREAMS.take(&coding);
        let state = match coding {
            Coding::Identity => State::Identity,
            Coding::Gzip => State::Zlib(Some(
                idle().unwrap_or_else(|| Compress::new_gzip(ZLIB_LEVEL, WINDOW_BITS)),
            )),
            Coding::Deflate => State::Zlib(Some(idle().unwrap_or_else(|| Compress::new(ZLIB_LEVEL, true)))),
            Coding::Brotli => State::Brotli(Box::new(brotli(level, size))),
            Coding::Zstd => State::Zstd(Box::new(zstd(level, size)?)),
        };
        Ok(Encoder { coding, state })
    }

    /// Takes a chunk and returns what is ready. With `flush`, the client can read everything so far: upstream flushes
    /// after every chunk of a stream.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn write(&mut self, chunk: &[u8], flush: bool) -> io::Result<Vec<u8>> {
        match &mut self.state {
            State::Identity => Ok(chunk.to_vec()),
            State::Zlib(state) => {
                let mut out = Vec::with_capacity(if flush { chunk.len() / 2 + 64 } else { 0 });
                let how = if flush {
                    FlushCompress::Sync
                } else {
                    FlushCompress::None
                };
                feed(state.as_mut(), chunk, how, &mut out)?;
                Ok(out)
            }
            State::Brotli(writer) => {
                writer.write_all(chunk)?;
                // A flush of nothing is a block of nothing.
                if flush && !chunk.is_empty() {
                    writer.flush()?;
                }
                Ok(std::mem::take(writer.get_mut()))
            }
            State::Zstd(writer) => {
                writer.write_all(chunk)?;
                if flush && !chunk.is_empty() {
                    writer.flush()?;
                }
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }

    /// Takes the last chunk and returns the rest.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn finish(mut self, chunk: &[u8]) -> io::Result<Vec<u8>> {
        match std::mem::replace(&mut self.state, State::Identity) {
            State::Identity => Ok(chunk.to_vec()),
            State::Zlib(mut state) => {
                let mut out = Vec::with_capacity(chunk.len() / 2 + 64);
                let fed = feed(state.as_mut(), chunk, FlushCompress::Finish, &mut out);
                self.state = State::Zlib(state);
                fed.map(|()| out)
            }
            State::Brotli(mut writer) => {
                writer.write_all(chunk)?;
                Ok(writer.into_inner())
            }
            State::Zstd(mut writer) => {
                writer.write_all(chunk)?;
                writer.finish()
            }
        }
    }
}

fn brotli(level: Level, size: Option<usize>) -> CompressorWriter<Vec<u8>> {
    let params = BrotliEncoderParams {
        quality: level.brotli(),
        lgwin: level.window() as i32,
        size_hint: size.unwrap_or(0),
        ..BrotliEncoderParams::default()
    };
    CompressorWriter::with_params(Vec::new(), BROTLI_BUFFER, &params)
}

fn zstd(level: Level, size: Option<usize>) -> io::Result<ZstdWriter<'static, Vec<u8>>> {
    let mut writer = ZstdWriter::new(Vec::new(), level.zstd())?;
    match size {
        // Tells the encoder how small its tables may be.
        Some(size) => writer.set_pledged_src_size(Some(size as u64))?,
        None => writer.set_parameter(CParameter::WindowLog(level.window()))?,
    }
    writer.include_contentsize(false)?;
    Ok(writer)
}

fn feed(state: Option<&mut Compress>, mut chunk: &[u8], how: FlushCompress, out: &mut Vec<u8>) -> io::Result<()> {
    let Some(state) = state else {
        return Err(io::Error::other("the body has ended"));
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

impl Drop for Encoder {
    fn drop(&mut self) {
        let State::Zlib(state) = &mut self.state else {
            return;
        };
        let Some(mut state) = state.take() else {
            return;
        };
        state.reset();
        STREAMS.give(self.coding, state, MAX_STREAMS);
    }
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Encoder({})", self.coding.as_str())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Read;

    use super::*;

    /// Every coding that is one.
    pub const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

    fn reader(coding: Coding, bytes: &[u8]) -> Box<dyn Read + '_> {
        match coding {
            Coding::Identity => Box::new(bytes),
            Coding::Gzip => Box::new(flate2::read::GzDecoder::new(bytes)),
            Coding::Deflate => Box::new(flate2::read::ZlibDecoder::new(bytes)),
            Coding::Brotli => Box::new(brotli::Decompressor::new(bytes, 4096)),
            Coding::Zstd => Box::new(zstd::stream::read::Decoder::new(bytes).unwrap()),
        }
    }

    pub fn decode(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        reader(coding, bytes).read_to_end(&mut out).unwrap();
        out
    }

    pub fn text() -> Vec<u8> {
        (0..60_000_u32).flat_map(|i| (i / 7).to_string().into_bytes()).collect()
    }

    #[test]
    fn whole_bodies_read_back() {
        for coding in [Coding::Identity].into_iter().chain(CODINGS) {
            for level in [Level::Quick, Level::Dynamic, Level::Stored] {
                let coded = compress(coding, &text(), level).unwrap();
                assert_eq!(decode(coding, &coded), text());
                assert!(coding == Coding::Identity || coded.len() < text().len() / 2);
                assert_eq!(decode(coding, &compress(coding, b"", level).unwrap()), b"");
            }
        }
        let coded = compress(Coding::Gzip, b"x", Level::Dynamic).unwrap();
        assert_eq!(&coded[..4], [0x1f, 0x8b, 8, 0]);
        assert_eq!(coded.len(), 10 + 5 + 1 + 8, "stored");
    }

    #[test]
    fn a_flushed_chunk_is_readable_at_once() {
        for coding in CODINGS {
            let mut encoder = Encoder::new(coding).unwrap();
            let mut sent = Vec::new();
            let mut seen = Vec::new();
            for part in [&b"first"[..], b"", b"second", b"third"] {
                sent.extend(encoder.write(part, true).unwrap());
                seen.extend_from_slice(part);
                let mut out = vec![0; seen.len()];
                reader(coding, &sent).read_exact(&mut out).unwrap();
                assert_eq!(out, seen);
            }
            sent.extend(encoder.finish(&[]).unwrap());
            assert_eq!(decode(coding, &sent), seen);
        }
    }

    /// What RFC 9659 and browsers demand: a frame that names a larger window is refused.
    #[test]
    fn windows_of_zstd_are_those_that_browsers_take() {
        let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut encoder = Encoder::new(Coding::Zstd).unwrap();
        let mut streamed = encoder.write(&large, false).unwrap();
        streamed.extend(encoder.finish(&[]).unwrap());
        let whole =
            [Level::Quick, Level::Dynamic, Level::Stored].map(|level| compress(Coding::Zstd, &large, level).unwrap());
        for coded in whole.into_iter().chain([streamed.into()]) {
            let mut decoder = zstd::stream::read::Decoder::new(&coded[..]).unwrap();
            decoder.window_log_max(23).unwrap();
            assert_eq!(io::copy(&mut decoder, &mut io::sink()).unwrap(), large.len() as u64);
        }
    }
}
