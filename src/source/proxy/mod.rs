//! Other servers: where external rewrites lead.
//!
//! In: a request whose target is another server. Out: that server's answer, streamed. Upstream:
//! `next/dist/server/lib/router-utils/proxy-request.js` with `compiled/httpxy` (before 16.4 `compiled/http-proxy`).
//!
//! - [`headers`] what is sent to the other server, and what of its answer goes on
//! - [`exchange`] one request and its answer
//! - `pool`, `connect`, `tls` connections that are kept, and how they are made
//! - `upload` the body on its way there
//! - `clock` how long a silence may last

mod clock;
pub(in crate::source) mod connect;
pub mod exchange;
mod failure;
pub mod headers;
mod pool;
mod tls;
mod upload;

pub use exchange::Exchange;
pub use failure::Failure;
pub use pool::{Client, TlsOptions};

/// Where a request goes: the parts of an absolute URL, as the URL standard gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The server.
    pub origin: Origin,
    /// Host, with the port unless it is the usual one: what `Host` says.
    pub authority: String,
    /// Path and search.
    pub path: String,
}

/// A server that connections lead to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the connection is encrypted, and how it is trusted.
    pub tls: Option<CertificateTrust>,
    /// Host name or address, an IPv6 address in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Whom an encrypted connection trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateTrust {
    /// Certificates that a known authority signed.
    Authorities,
    /// Any certificate (`NODE_TLS_REJECT_UNAUTHORIZED=0`).
    Anyone,
}
