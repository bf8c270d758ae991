//! Connections that are kept for the next request.
//!
//! In: an [`Origin`]. Out: a connection to it, a kept one if there is one. Written here and not taken from hyper-util,
//! because a request may only be sent again when we know that the connection was not new and nothing of the body is gone.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;
use tokio::time::{sleep, Instant};
use tokio_rustls::rustls::ClientConfig;

use super::connect::connect;
use super::failure::Failure;
use super::tls;
use super::upload::Upload;
use super::{CertificateTrust, Origin};

/// How long an unused connection is kept when the server does not say.
const KEPT: Duration = Duration::from_secs(30);

/// How many unused connections are kept per server. The same as upstream's agent.
const MAX_IDLE: usize = 64;

/// How often idle connections are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// A connection that can take a request.
pub(super) type Connection = SendRequest<Upload>;

/// The client of one build.
#[derive(Debug, Clone, Default)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    idle: Mutex<Idle>,
    trusting: OnceLock<Result<Arc<ClientConfig>, String>>,
    verifying: OnceLock<Result<Arc<ClientConfig>, String>>,
}

#[derive(Debug, Default)]
struct Idle {
    by_origin: HashMap<Origin, Vec<IdleConnection>>,
    /// Whether a task closes those that stay idle.
    swept: bool,
}

#[derive(Debug)]
struct IdleConnection {
    connection: Connection,
    until: Instant,
}

/// What the process trusts beyond the usual authorities.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// A file with further authorities (`NODE_EXTRA_CA_CERTS`). Read once, as Node does.
    pub extra_ca_certs: Option<PathBuf>,
}

impl Client {
    /// A connection that was used before, if one is left. The youngest first: it is the least likely to be closed.
    pub(super) fn kept(&self, origin: &Origin) -> Option<Connection> {
        let mut idle = self.idle();
        let list = idle.by_origin.get_mut(origin)?;
        let now = Instant::now();
        let found = std::iter::from_fn(|| list.pop())
            .find(|kept| kept.until > now && !kept.connection.is_closed())
            .map(|kept| kept.connection);
        if list.is_empty() {
            idle.by_origin.remove(origin);
        }
        found
    }

    /// A new connection.
    pub(super) async fn connect(&self, origin: &Origin, options: &TlsOptions) -> Result<Connection, Failure> {
        let tls = match origin.tls {
            None => None,
            Some(trust) => Some(self.tls(trust, options.extra_ca_certs.as_deref())?),
        };
        connect(origin, tls).await
    }

    /// Keeps a connection once its answer has been read. One whose answer is never read to the end closes itself.
    pub(super) fn keep(&self, origin: Origin, mut connection: Connection, hint: Option<Duration>) {
        let kept = hint.unwrap_or(KEPT);
        if kept.is_zero() {
            return;
        }
        let client = self.clone();
        tokio::spawn(async move {
            if connection.ready().await.is_err() {
                return;
            }
            let mut idle = client.idle();
            let list = idle.by_origin.entry(origin).or_default();
            if list.len() < MAX_IDLE {
                list.push(IdleConnection {
                    connection,
                    until: Instant::now() + kept,
                });
            }
            if !std::mem::replace(&mut idle.swept, true) {
                drop(idle);
                tokio::spawn(client.sweep());
            }
        });
    }

    /// Closes idle connections, until none is left.
    async fn sweep(self) {
        loop {
            sleep(SWEEP).await;
            let now = Instant::now();
            let mut idle = self.idle();
            idle.by_origin.retain(|_, list| {
                list.retain(|kept| kept.until > now && !kept.connection.is_closed());
                !list.is_empty()
            });
            if idle.by_origin.is_empty() {
                idle.swept = false;
                return;
            }
        }
    }

    /// What an encrypted connection trusts. Made once.
    pub(in crate::source) fn tls(
        &self,
        trust: CertificateTrust,
        extra: Option<&Path>,
    ) -> Result<Arc<ClientConfig>, Failure> {
        let config = match trust {
            CertificateTrust::Authorities => self.shared.verifying.get_or_init(|| tls::verifying(extra)),
            CertificateTrust::Anyone => self.shared.trusting.get_or_init(tls::trusting),
        };
        config.clone().map_err(Failure::new)
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
