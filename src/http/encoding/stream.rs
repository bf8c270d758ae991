//! Compressing what is read.
//!
//! In: a body. Out: another one that is coded while it is read.

use std::io;

use bytes::Bytes;

use super::{Coding, Encoder};
use crate::body::{self, Body};

/// Chunks up to this size are compressed where they are, which takes less than 0.3 ms; larger ones move to the blocking
/// pool so that a worker of the runtime is not held up.
const INLINE: usize = 16 * 1024;

/// Compresses a body while it is read. `flush` makes every chunk readable at once, as upstream does for rendered
/// streams; a file does not need it. Must be called on a tokio runtime.
pub fn compress_body(mut body: Body, coding: Coding, flush: bool) -> Body {
    if coding == Coding::Identity {
        return body;
    }
    let (sender, coded) = body::stream();
    tokio::spawn(async move {
        let mut encoder = match Encoder::new(coding) {
            Ok(encoder) => encoder,
            Err(error) => {
                let _ = sender.send(Err(error)).await;
                return;
            }
        };
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
                    let turn = body::turn_to_compress().await;
                    let work = tokio::task::spawn_blocking(move || {
                        let out = encoder.write(&chunk, flush);
                        (encoder, out)
                    });
                    let work = work.await;
                    drop(turn);
                    match work {
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
    use super::super::encoder::tests::{decode, text, CODINGS};
    use super::*;

    #[tokio::test]
    async fn streams_read_back_and_stop_at_an_error() {
        for (coding, flush) in CODINGS.into_iter().flat_map(|coding| [(coding, false), (coding, true)]) {
            let mut body = compress_body(Body::from(Bytes::from(text())), coding, flush);
            let mut coded = Vec::new();
            while let Some(chunk) = body.chunk().await {
                coded.extend_from_slice(&chunk.unwrap());
            }
            assert_eq!(decode(coding, &coded), text());
        }
        let (sender, source) = body::stream();
        let mut coded = compress_body(source, Coding::Gzip, true);
        sender.send(Err(io::Error::other("x"))).await.unwrap();
        assert!(coded.chunk().await.unwrap().is_err());
        assert!(coded.chunk().await.is_none());
        sender.reader_gone().await;
    }

    #[tokio::test]
    async fn the_producer_learns_that_the_client_left() {
        let (sender, source) = body::stream();
        drop(compress_body(source, Coding::Gzip, true));
        sender.reader_gone().await;
    }
}
