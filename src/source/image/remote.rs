//! Images of other servers.
//!
//! In: a URL that the configuration allows. Out: its [`Source`]. A name is resolved once, its addresses are looked at, and the
//! connection goes to one of these and to no other, so that a name that leads elsewhere a moment later leads nowhere. The same
//! again after each redirect. Bytes, time and redirects are bounded.

use std::future::Future;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue};
use http::Request;
use hyper::body::{Body, Incoming};
use percent_encoding::percent_decode_str;
use tokio::net::lookup_host;
use url::{Host, Url};

use super::address::is_private;
use super::params::source_tag;
use super::source::{
    error_status, ImageError, Source, NOT_ALLOWED, NOT_AN_IMAGE, UPSTREAM_INVALID, UPSTREAM_TIMED_OUT,
};
use crate::source::proxy::connect::connect_to;
use crate::source::proxy::{CertificateTrust, Client, Origin};

/// How long a server may take for all of its answer, and again after each redirect.
const TIME_LIMIT: Duration = Duration::from_secs(7);

/// Codings that are taken off one after another; as many as upstream and browsers take.
const MAX_CODINGS: usize = 5;

/// Finds the addresses of a name.
pub type Resolve = Arc<dyn Fn(String) -> Resolving + Send + Sync>;

/// Addresses that are being looked up.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Which addresses a connection may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Any (`images.dangerouslyAllowLocalIP`).
    Any,
    /// Public ones.
    Public,
    /// Any that the configuration names itself; after a redirect only public ones, unless the first one was private, too.
    AsNamed,
}

/// What another server may cost, and where it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteRules {
    /// Which addresses.
    pub reach: Reach,
    /// Bytes of a source.
    pub max_bytes: u64,
    /// Redirects.
    pub max_redirects: u32,
    /// How it is trusted.
    pub trust: CertificateTrust,
    /// Whether an empty body has a text of its own.
    pub reports_empty: bool,
    /// Whether the answer that there is none has it.
    pub reports_absent: bool,
}

/// Fetches images of other servers.
#[derive(Clone)]
pub struct Remote {
    rules: RemoteRules,
    extra_ca_certs: Option<std::path::PathBuf>,
    client: Client,
    resolve: Resolve,
    time_limit: Duration,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Remote({:?})", self.rules)
    }
}

/// What one server said.
enum Said {
    Image(Source),
    Elsewhere(Url),
}

impl Remote {
    /// With the resolver of the system. `client` knows whom encrypted connections trust.
    pub fn new(rules: RemoteRules, client: Client, extra_ca_certs: Option<std::path::PathBuf>) -> Remote {
        Remote {
            rules,
            extra_ca_certs,
            client,
            resolve: Arc::new(|name| Box::pin(system_resolver(name))),
            time_limit: TIME_LIMIT,
        }
    }

    /// Fetches the image at `href`.
    ///
    /// # Errors
    /// The refusal, or why there is no answer.
    pub async fn fetch(&self, href: &str) -> Result<Source, ImageError> {
        let mut url = Url::parse(href).map_err(|error| ImageError::Failed(error.to_string()))?;
        let mut left = self.rules.max_redirects;
        let mut first_was_private = None;
        loop {
            let addresses = self.addresses(&url, &mut first_was_private).await?;
            let said = tokio::time::timeout(self.time_limit, self.ask(&url, addresses)).await;
            match said {
                Err(_) => {
                    tracing::error!(
                        "The image {url} did not come within {} ms.",
                        self.time_limit.as_millis()
                    );
                    return Err(ImageError::Refused(504, UPSTREAM_TIMED_OUT));
                }
                Ok(Ok(Said::Image(source))) => return Ok(source),
                Ok(Ok(Said::Elsewhere(_))) if left == 0 => {
                    tracing::error!("The image {href} is behind more redirects than images.maximumRedirects allows.");
                    return Err(ImageError::Refused(508, UPSTREAM_INVALID));
                }
                Ok(Ok(Said::Elsewhere(next))) => {
                    left -= 1;
                    url = next;
                }
                Ok(Err(trouble)) => return Err(trouble),
            }
        }
    }

    /// The addresses of a server, if all of them may be connected to.
    async fn addresses(&self, url: &Url, first_was_private: &mut Option<bool>) -> Result<Vec<SocketAddr>, ImageError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ImageError::Failed(format!("{url} is not to be had over HTTP")));
        }
        let port = url.port_or_known_default().unwrap_or(80);
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
            Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
            Some(Host::Domain(name)) => (self.resolve)(name.to_owned())
                .await
                .map_err(|error| ImageError::Failed(format!("getaddrinfo ENOTFOUND {name} ({error})")))?,
            None => return Err(ImageError::Failed(format!("{url} names no server"))),
        };
        let private: Vec<_> = addresses
            .iter()
            .copied()
            .filter(|address| is_private(*address))
            .collect();
        let first = *first_was_private.get_or_insert(!private.is_empty());
        let allowed = match self.rules.reach {
            Reach::Any => true,
            Reach::Public => private.is_empty(),
            Reach::AsNamed => private.is_empty() || first,
        };
        if !allowed {
            tracing::error!(
                "The image {url} is not fetched, because its server has a private address: {private:?}. If that is meant to be, \
                 set images.dangerouslyAllowLocalIP."
            );
            return Err(ImageError::Refused(400, NOT_ALLOWED));
        }
        Ok(addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect())
    }

    async fn ask(&self, url: &Url, addresses: Vec<SocketAddr>) -> Result<Said, ImageError> {
        let failed = |why: String| ImageError::Failed(format!("the image {url} cannot be fetched: {why}"));
        let encrypted = url.scheme() == "https";
        let origin = Origin {
            tls: encrypted.then_some(self.rules.trust),
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or(80),
        };
        let tls = match origin.tls {
            None => None,
            Some(trust) => Some(
                self.client
                    .tls(trust, self.extra_ca_certs.as_deref())
                    .map_err(|why| failed(why.to_string()))?,
            ),
        };
        let mut connection = connect_to::<Nothing>(addresses, &origin, tls)
            .await
            .map_err(|why| failed(why.to_string()))?;
        let request = request_for(url).map_err(|why| failed(why.to_string()))?;
        let response = connection
            .send_request(request)
            .await
            .map_err(|why| failed(why.to_string()))?;
        let (head, body) = response.into_parts();
        let status = head.status.as_u16();
        let header = |name: &str| {
            head.headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        if matches!(status, 301 | 302 | 303 | 307 | 308) {
            if let Some(next) = Some(header("location"))
                .filter(|to| !to.is_empty())
                .and_then(|to| url.join(to).ok())
            {
                return Ok(Said::Elsewhere(next));
            }
        }
        if !head.status.is_success() {
            tracing::error!("The image {url} cannot be had: its server answers {status}.");
            return Err(ImageError::Refused(error_status(status), UPSTREAM_INVALID));
        }
        let bytes = self.collect(url, body).await?;
        let bytes = decoded(bytes, &head.headers, self.rules.max_bytes).map_err(|status| {
            tracing::error!("The image {url} has a coding that cannot be undone, or is too large without it.");
            ImageError::Refused(status, UPSTREAM_INVALID)
        })?;
        if bytes.is_empty() {
            tracing::error!("The image {url} is empty.");
            let told = self.rules.reports_empty || (status == 204 && self.rules.reports_absent);
            let text = if told { UPSTREAM_INVALID } else { NOT_AN_IMAGE };
            return Err(ImageError::Refused(400, text));
        }
        let etag = source_tag(Some(header("etag")), &bytes);
        let cache_control = head.headers.get_all("cache-control").iter();
        let cache_control: Vec<_> = cache_control.filter_map(|value| value.to_str().ok()).collect();
        Ok(Said::Image(Source {
            bytes,
            cache_control: cache_control.join(", "),
            etag,
        }))
    }

    async fn collect(&self, url: &Url, mut body: Incoming) -> Result<Bytes, ImageError> {
        let mut whole = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let frame = frame.map_err(|why| ImageError::Failed(format!("the image {url} broke off: {why}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if (whole.len() + data.len()) as u64 > self.rules.max_bytes {
                tracing::error!("The image {url} is larger than images.maximumResponseBody allows.");
                return Err(ImageError::Refused(413, UPSTREAM_INVALID));
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.into())
    }
}

async fn system_resolver(name: String) -> io::Result<Vec<IpAddr>> {
    Ok(lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

/// The request that upstream sends: nothing of the client's is in it.
fn request_for(url: &Url) -> Result<Request<Nothing>, http::Error> {
    let mut target = url.path().to_owned();
    if let Some(query) = url.query() {
        target = format!("{target}?{query}");
    }
    let host = url.host_str().unwrap_or_default();
    let authority = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut request = Request::get(target)
        .header("accept", "*/*")
        .header("accept-language", "*")
        .header("sec-fetch-mode", "cors")
        .header("user-agent", "node")
        // What Node's `fetch` asks for.
        .header(
            "accept-encoding",
            if url.scheme() == "https" {
                "br, gzip, deflate"
            } else {
                "gzip, deflate"
            },
        )
        .header("host", authority)
        // An image is fetched once in hours.
        .header("connection", "close");
    if !url.username().is_empty() || url.password().is_some() {
        let part = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let pair = format!("{}:{}", part(url.username()), part(url.password().unwrap_or_default()));
        let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        request = request.header("authorization", HeaderValue::from_str(&value)?);
    }
    request.body(Nothing)
}

/// The body of a request that has none.
#[derive(Debug)]
struct Nothing;

impl Body for Nothing {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

/// Bytes that brotli works on at a time.
const BUFFER: usize = 16 << 10;

/// The bytes without their codings; else the status of the refusal. An unknown coding is left, as Next.js leaves it.
fn decoded(mut bytes: Bytes, headers: &HeaderMap, max_bytes: u64) -> Result<Bytes, u16> {
    let lines = headers
        .get_all("content-encoding")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let codings = lines.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let codings: Vec<_> = codings
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty())
        .collect();
    if codings.len() > MAX_CODINGS {
        return Err(400);
    }
    if codings
        .iter()
        .any(|coding| !matches!(*coding, "gzip" | "x-gzip" | "deflate" | "br" | "zstd"))
    {
        return Ok(bytes);
    }
    for coding in codings.iter().rev() {
        let source = bytes.as_ref();
        let whole = match *coding {
            "deflate" if source.first().is_some_and(|first| first & 0x0f == 8) => {
                read_all(flate2::read::ZlibDecoder::new(source), max_bytes)
            }
            "deflate" => read_all(flate2::read::DeflateDecoder::new(source), max_bytes),
            "br" => read_all(brotli::Decompressor::new(source, BUFFER), max_bytes),
            "zstd" => zstd::stream::read::Decoder::with_buffer(source)
                .map_err(|_| 400)
                .and_then(|decoder| read_all(decoder, max_bytes)),
            _ => read_all(flate2::read::MultiGzDecoder::new(source), max_bytes),
        };
        bytes = whole?.into();
    }
    Ok(bytes)
}

fn read_all(decoder: impl Read, max_bytes: u64) -> Result<Vec<u8>, u16> {
    let mut whole = Vec::new();
    match decoder.take(max_bytes + 1).read_to_end(&mut whole) {
        _ if whole.len() as u64 > max_bytes => Err(413),
        Ok(_) => Ok(whole),
        // What came before the end that is missing is taken, as upstream takes it.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(whole),
        Err(_) => Err(400),
    }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
