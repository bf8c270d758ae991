//! Compression of bodies that JavaScript writes.
//!
//! In: headers of a response that is about to be sent, then its chunks. Out: whether and how to encode it, then the
//! encoded chunks. Rules and encoders: `response::encoding`.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use super::engine::preferred;
use super::fault::{guarded, to_js};
use crate::body;
use crate::error::{Code, Error};
use crate::http::encoding::{self, Asked, Coding};
use crate::http::headers::HeaderList;

/// Bytes of a body that are not worth encoding.
#[napi(js_name = "ENCODING_THRESHOLD")]
pub const ENCODING_THRESHOLD: u32 = encoding::THRESHOLD as u32;

/// How a response is to be encoded: the new value of `Vary` (empty: leave it), and the coding (empty: none).
///
/// `headers` are the response's own, names and values in turn: `content-type`, `content-length`, `content-encoding`,
/// `cache-control` and `vary` count. `length` is that of a body handed over whole, `-1` for a stream. `engine` knows the option
/// `preferEncodings`.
#[napi(js_name = "planEncoding")]
pub fn plan_encoding(
    accept_encoding: String,
    head: bool,
    length: f64,
    headers: Vec<String>,
    engine: u32,
) -> napi::Result<Vec<String>, String> {
    guarded(|| {
        let mut list = HeaderList::new();
        let mut pairs = headers.into_iter();
        while let (Some(name), Some(value)) = (pairs.next(), pairs.next()) {
            list.append(name, value);
        }
        let before = list.get("vary").map(str::to_owned);
        let coding = encoding::apply(
            &mut list,
            Asked {
                accept_encoding: &accept_encoding,
                head,
                length: (length >= 0.0).then_some(length as u64),
                preferred: preferred(engine),
            },
        );
        let vary = list.get("vary").filter(|after| before.as_deref() != Some(after));
        vec![
            vary.unwrap_or_default().to_owned(),
            if coding == Coding::Identity {
                String::new()
            } else {
                coding.as_str().to_owned()
            },
        ]
    })
}

/// Encodes all of a body here and now. For small bodies; `coding` as `planEncoding` names it.
#[napi(js_name = "encodeWhole")]
pub fn encode_whole(coding: String, body: Buffer) -> napi::Result<Buffer, String> {
    encoded(guarded(|| encoding::compress_once(coding_of(&coding), &body))?)
}

/// Encodes one body, chunk by chunk. Each chunk is flushed, so that what is written arrives.
#[napi]
pub struct Encoder {
    /// Empty once the body has ended.
    stream: Arc<Mutex<Option<encoding::Encoder>>>,
}

#[napi]
impl Encoder {
    /// An encoder for `coding`, as `planEncoding` names it.
    #[napi(constructor)]
    pub fn new(coding: String) -> napi::Result<Self, String> {
        let made = guarded(|| encoding::Encoder::new(coding_of(&coding)))?;
        let stream = made.map_err(|error| to_js(Error::new(Code::Internal, error.to_string())))?;
        Ok(Encoder {
            stream: Arc::new(Mutex::new(Some(stream))),
        })
    }

    /// Encodes a chunk here and now. For small chunks.
    #[napi]
    pub fn push(&self, chunk: Buffer, last: bool) -> napi::Result<Buffer, String> {
        encoded(guarded(|| push(&self.stream, &chunk, last))?)
    }

    /// Encodes a chunk on another thread.
    #[napi(js_name = "pushAsync")]
    pub async fn push_async(&self, chunk: Buffer, last: bool) -> napi::Result<Buffer> {
        let stream = Arc::clone(&self.stream);
        let _turn = body::turn_to_compress().await;
        let out = tokio::task::spawn_blocking(move || push(&stream, &chunk, last)).await;
        let out = out.map_err(|error| napi::Error::from_reason(error.to_string()))?;
        out.map(Buffer::from)
            .map_err(|error| napi::Error::from_reason(error.to_string()))
    }
}

fn coding_of(name: &str) -> Coding {
    Coding::named(name).unwrap_or_default()
}

fn encoded(out: io::Result<Vec<u8>>) -> napi::Result<Buffer, String> {
    out.map(Buffer::from)
        .map_err(|error| to_js(Error::new(Code::Internal, error.to_string())))
}

fn push(stream: &Mutex<Option<encoding::Encoder>>, chunk: &[u8], last: bool) -> io::Result<Vec<u8>> {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut encoder) = stream.take() else {
        return Err(io::Error::other("the body has ended"));
    };
    if last {
        return encoder.finish(chunk);
    }
    let out = encoder.write(chunk, true)?;
    *stream = Some(encoder);
    Ok(out)
}
