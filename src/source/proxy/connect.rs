//! A new connection to another server.
//!
//! In: an [`Origin`]. Out: a sender of requests. Addresses are tried in the order of the system's resolver, the next one
//! as soon as one fails or takes longer than 250 ms, as Node does (`autoSelectFamily`).

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Body;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use tokio::net::{lookup_host, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::TlsConnector;

use super::failure::Failure;
use super::Origin;

/// How long one address is waited for before the next is tried as well.
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// A server may send more headers than hyper's usual hundred.
const MAX_HEADERS: usize = 256;

/// Connects. `tls` is there for an encrypted origin.
pub async fn connect<B>(origin: &Origin, tls: Option<Arc<ClientConfig>>) -> Result<SendRequest<B>, Failure>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let host = bare_host(origin);
    let addresses = lookup_host((host, origin.port))
        .await
        .map_err(|error| Failure::new(format!("getaddrinfo ENOTFOUND {host} ({error})")))?;
    connect_to(addresses.collect(), origin, tls).await
}

/// Connects to one of these addresses, and to no other whatever the name of the origin leads to.
pub async fn connect_to<B>(
    addresses: Vec<SocketAddr>,
    origin: &Origin,
    tls: Option<Arc<ClientConfig>>,
) -> Result<SendRequest<B>, Failure>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = reach(addresses, bare_host(origin)).await?;
    // A request and its answer are small; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => handshake(TokioIo::new(stream)).await,
        Some(config) => {
            let name = ServerName::try_from(bare_host(origin).to_owned())
                .map_err(|_| Failure::new(format!("{} is no name that a certificate can be for", origin.host)))?;
            let stream = TlsConnector::from(config)
                .connect(name, stream)
                .await
                .map_err(|error| Failure::new(error.to_string()))?;
            handshake(TokioIo::new(stream)).await
        }
    }
}

async fn handshake<T, B>(io: T) -> Result<SendRequest<B>, Failure>
where
    T: Read + Write + Unpin + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (sender, connection) = http1::Builder::new()
        .max_headers(MAX_HEADERS)
        .allow_obsolete_multiline_headers_in_responses(true)
        .handshake(io)
        .await
        .map_err(|error| Failure::new(error.to_string()))?;
    // It ends with its sender, or when the other side closes; the request that waits for an answer gets the fault.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

async fn reach(addresses: Vec<SocketAddr>, host: &str) -> Result<TcpStream, Failure> {
    let mut addresses = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut last = Failure::new(format!("getaddrinfo ENOTFOUND {host}"));
    loop {
        if let Some(address) = addresses.next() {
            attempts.spawn(async move {
                let stream = TcpStream::connect(address).await;
                stream.map_err(|error| Failure::new(format!("connect {} {address}", code_of(&error))))
            });
        }
        let more = addresses.len() > 0;
        tokio::select! {
            biased;
            attempt = attempts.join_next() => match attempt {
                None => return Err(last),
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(failure))) => last = failure,
                Some(Err(_)) => {}
            },
            () = tokio::time::sleep(NEXT_ADDRESS), if more => {}
        }
    }
}

/// The host as a resolver and a certificate know it.
pub fn bare_host(origin: &Origin) -> &str {
    origin
        .host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(&origin.host)
}

/// The name that Node, and so a log of upstream's, has for a fault.
pub fn code_of(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "ECONNREFUSED".to_owned(),
        ErrorKind::ConnectionReset => "ECONNRESET".to_owned(),
        ErrorKind::TimedOut => "ETIMEDOUT".to_owned(),
        ErrorKind::HostUnreachable => "EHOSTUNREACH".to_owned(),
        ErrorKind::NetworkUnreachable => "ENETUNREACH".to_owned(),
        ErrorKind::BrokenPipe => "EPIPE".to_owned(),
        _ => error.to_string(),
    }
}
