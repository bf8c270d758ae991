//! The server's own address, from which the URL of a request is built. It comes from the options of `next()`, not from the
//! `Host` header, unless a trusted proxy has named another. Source: `initUrl` in `resolve-routes.js`, `attachRequestMeta` in `next-server.js`.

use super::header_view::HeaderView;
use crate::request::Request;

/// Where the server says that it is.
#[derive(Debug, Clone)]
pub struct ServedAt {
    /// The host name, in brackets when it is an IPv6 address.
    hostname: String,
    /// The host name as it was given.
    bare: String,
    port: u16,
    trust_host: bool,
}

impl ServedAt {
    /// Prepares the address. `trust_host` is `experimental.trustHostHeader`.
    pub fn new(hostname: Option<&str>, port: u16, trust_host: bool) -> ServedAt {
        let hostname = hostname.filter(|name| !name.is_empty()).unwrap_or("localhost");
        ServedAt {
            bare: hostname.to_owned(),
            hostname: if hostname.parse::<std::net::Ipv6Addr>().is_ok() {
                format!("[{hostname}]")
            } else {
                hostname.to_owned()
            },
            port,
            trust_host,
        }
    }

    /// `http` or `https`, as routing sees it.
    pub fn protocol(&self, request: &Request, headers: &HeaderView<'_>) -> &'static str {
        let forwarded = headers
            .get("x-forwarded-proto")
            .is_some_and(|value| value.contains("https"));
        if request.encrypted || forwarded {
            "https"
        } else {
            "http"
        }
    }

    /// The URL that routing resolves middleware's answers against.
    pub fn routing_url(&self, request: &Request, headers: &HeaderView<'_>) -> String {
        if self.trust_host && request.public_origin().is_none() {
            let host = headers.get("host");
            return format!("https://{}{}", host.as_deref().unwrap_or("localhost"), request.target);
        }
        self.url(request, self.protocol(request, headers), &request.target)
    }

    /// Protocol and URL that a page sees. A proxy's word on the protocol counts more than the socket.
    pub fn page_url(&self, request: &Request, headers: &HeaderView<'_>) -> (&'static str, String) {
        let named = request.public_origin().map(|origin| origin.starts_with("https:"));
        let protocol = match headers.get("x-forwarded-proto") {
            _ if named == Some(true) => "https",
            _ if named == Some(false) => "http",
            Some(value) if value.contains("https") => "https",
            Some(value) if !value.is_empty() => "http",
            _ if request.encrypted => "https",
            _ => "http",
        };
        (protocol, self.url(request, protocol, &request.target))
    }

    /// The `x-forwarded-*` headers that the renderer adds when a request has none, in its order. The address of the peer
    /// is not known here.
    pub fn forwarded(&self, request: &Request, headers: &HeaderView<'_>) -> Vec<(&'static str, String)> {
        let https = match headers.get("x-forwarded-proto") {
            Some(value) if !value.is_empty() => value == "https",
            _ => request.encrypted,
        };
        let port = match (self.port, https) {
            (0, true) => "443".to_owned(),
            (0, false) => "80".to_owned(),
            (port, _) => port.to_string(),
        };
        let host = headers
            .get("host")
            .map_or_else(|| self.bare.clone(), |host| host.into_owned());
        let all = [
            ("x-forwarded-host", host),
            ("x-forwarded-port", port),
            ("x-forwarded-proto", if https { "https" } else { "http" }.to_owned()),
        ];
        all.into_iter()
            .filter(|(name, _)| headers.get(name).is_none())
            .collect()
    }

    /// A URL on this server, with `protocol` unless a proxy has named the whole origin.
    pub fn url(&self, request: &Request, protocol: &str, target: &str) -> String {
        if let Some(origin) = request.public_origin() {
            return format!("{origin}{target}");
        }
        // Port 0 stands for an unknown one; upstream then has no absolute URL.
        if self.port == 0 {
            return target.to_owned();
        }
        format!("{protocol}://{}:{}{target}", self.hostname, self.port)
    }
}
