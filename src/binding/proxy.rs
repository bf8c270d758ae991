//! A request that another server answers, as Node sees it.
//!
//! In: the slot and where the request goes, then chunks of its body. Out: the head of the answer, then its chunks. Each
//! request has an object of its own: a slot is used again, and a chunk that comes late must not reach the next request.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use super::engine::JsEngine;
use super::fault::{guarded, to_js};
use crate::error::{Code, Error};
use crate::pipeline::Upgrade;
use crate::request::{Origin as Sender, Request};
use crate::source::proxy::headers::HeaderLines;
use crate::source::proxy::{CertificateTrust, Exchange, Failure, Origin, Target, TlsOptions};

/// Where a request goes: the parts of a `URL`, and how its server is trusted.
#[napi(object, object_to_js = false)]
pub struct JsTarget {
    /// Whether the scheme is `https:`.
    pub encrypted: bool,
    /// Host name or address.
    pub hostname: String,
    /// The port.
    pub port: u16,
    /// Host, with the port unless it is the usual one.
    pub host: String,
    /// Path and search.
    pub path: String,
    /// Whether any certificate is good enough.
    pub trusts_anyone: bool,
    /// A file with further certificate authorities.
    pub extra_ca_certs: Option<String>,
    /// Headers to send in the place of those that the request has: names and values in turn.
    pub headers: Option<Vec<String>>,
}

/// The head of another server's answer.
#[napi(object, object_from_js = false)]
pub struct JsHead {
    /// The status.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// Header names and values in turn.
    pub headers: Vec<String>,
}

/// What becomes of a request to upgrade the connection.
#[napi(object, object_from_js = false)]
pub struct JsUpgrade {
    /// Leave it to others, end it, run its middleware, or pass it on.
    #[napi(ts_type = "'leave' | 'end' | 'middleware' | 'proxy'")]
    pub kind: &'static str,
    /// `middleware`: where it waits.
    pub slot: u32,
    /// `proxy`: where it goes.
    pub url: String,
    /// `proxy`: header names and values in turn, complete but for the host.
    pub headers: Vec<String>,
}

impl From<Upgrade> for JsUpgrade {
    fn from(upgrade: Upgrade) -> Self {
        let of_kind = |kind| JsUpgrade {
            kind,
            slot: 0,
            url: String::new(),
            headers: Vec::new(),
        };
        match upgrade {
            Upgrade::Leave => of_kind("leave"),
            Upgrade::End => of_kind("end"),
            Upgrade::Middleware(slot) => JsUpgrade {
                slot: slot as u32,
                ..of_kind("middleware")
            },
            Upgrade::Proxy { url, headers } => JsUpgrade {
                url,
                headers: flat(headers),
                ..of_kind("proxy")
            },
        }
    }
}

/// One request to another server. It runs until its answer has been read or it is cancelled.
#[napi(js_name = "Exchange")]
pub struct JsExchange {
    exchange: Arc<Exchange>,
}

#[napi]
impl JsEngine {
    /// What becomes of a request to upgrade the connection: `method \0 target \0 name \0 value …`.
    #[napi]
    pub fn upgrade(&self, head: String, encrypted: bool) -> napi::Result<JsUpgrade, String> {
        guarded(|| {
            let request = Request::parse(head, encrypted, Sender::Client);
            self.engine().upgrade(request, self.runner()).into()
        })
    }

    /// What becomes of the request to upgrade in `slot`, after its middleware has answered.
    #[napi]
    pub fn upgraded(&self, slot: u32) -> napi::Result<JsUpgrade, String> {
        guarded(|| self.engine().upgraded(slot as usize).into())
    }

    /// Sends the request in `slot` to another server.
    #[napi]
    pub fn exchange(&self, slot: u32, target: JsTarget) -> napi::Result<JsExchange, String> {
        let tls = TlsOptions {
            extra_ca_certs: target.extra_ca_certs.map(PathBuf::from),
        };
        let trust = if target.trusts_anyone {
            CertificateTrust::Anyone
        } else {
            CertificateTrust::Authorities
        };
        let mut further = HeaderLines::new();
        let mut flat = target.headers.unwrap_or_default().into_iter();
        while let (Some(name), Some(value)) = (flat.next(), flat.next()) {
            further.push((name, value));
        }
        let target = Target {
            origin: Origin {
                tls: target.encrypted.then_some(trust),
                host: target.hostname,
                port: target.port,
            },
            authority: target.host,
            path: target.path,
        };
        match guarded(|| self.engine().exchange(slot as usize, target, tls, further))? {
            Some(exchange) => Ok(JsExchange {
                exchange: Arc::new(exchange),
            }),
            None => Err(to_js(Error::new(Code::Internal, "This request is gone."))),
        }
    }
}

#[napi]
impl JsExchange {
    /// Whether the request has a body that has to be handed over.
    #[napi(getter, js_name = "hasBody")]
    pub fn has_body(&self) -> bool {
        self.exchange.has_body()
    }

    /// Hands over a chunk of the body and waits while the connection is behind. `false` when no more is wanted.
    #[napi]
    pub async fn push(&self, chunk: Buffer) -> napi::Result<bool> {
        let bytes = Bytes::from(chunk.to_vec());
        drop(chunk);
        Ok(self.exchange.push(bytes).await)
    }

    /// The body is complete.
    #[napi]
    pub fn finish(&self) -> napi::Result<(), String> {
        guarded(|| self.exchange.finish())
    }

    /// Sends the request and waits for the head of the answer.
    #[napi]
    pub async fn respond(&self) -> napi::Result<JsHead> {
        let head = self.exchange.respond().await.map_err(rejection)?;
        Ok(JsHead {
            status: head.status,
            reason: head.reason,
            headers: flat(head.headers),
        })
    }

    /// The next chunk of the answer, `null` at its end.
    #[napi]
    pub async fn chunk(&self) -> napi::Result<Option<Buffer>> {
        let chunk = self.exchange.chunk().await.map_err(rejection)?;
        Ok(chunk.map(|bytes| bytes.to_vec().into()))
    }

    /// The caller no longer waits for the answer.
    #[napi]
    pub fn cancel(&self) -> napi::Result<(), String> {
        guarded(|| self.exchange.cancel())
    }
}

/// Names and values in turn.
fn flat(lines: HeaderLines) -> Vec<String> {
    lines.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

fn rejection(failure: Failure) -> napi::Error {
    napi::Error::from_reason(failure.to_string())
}
