//! The server's own address, from which the URL of a request is built. It comes from the options of `next()`, not from the
//! `Host` header. Source: `initUrl` in `resolve-routes.js`, `attachRequestMeta` in `next-server.js`.

use super::header_view::HeaderView;
use crate::request::Request;

/// Where the server says that it is.
#[derive(Debug, Clone)]
pub struct ServedAt {
    /// The host name, in brackets when it is an IPv6 address.
    hostname: String,
    port: u16,
    trust_host: bool,
}

impl ServedAt {
    /// Prepares the address. `trust_host` is `experimental.trustHostHeader`.
    pub fn new(hostname: Option<&str>, port: u16, trust_host: bool) -> ServedAt {
        let hostname = hostname.filter(|name| !name.is_empty()).unwrap_or("localhost");
        ServedAt {
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
        if self.trust_host {
            let host = headers.get("host");
            return format!("https://{}{}", host.as_deref().unwrap_or("localhost"), request.target);
        }
        self.url(self.protocol(request, headers), &request.target)
    }

    /// Protocol and URL that a page sees. A proxy's word on the protocol counts more than the socket.
    pub fn page_url(&self, request: &Request, headers: &HeaderView<'_>) -> (&'static str, String) {
        let protocol = match headers.get("x-forwarded-proto") {
            Some(value) if value.contains("https") => "https",
            Some(value) if !value.is_empty() => "http",
            _ if request.encrypted => "https",
            _ => "http",
        };
        (protocol, self.url(protocol, &request.target))
    }

    /// A URL on this server.
    pub fn url(&self, protocol: &str, target: &str) -> String {
        // Port 0 stands for an unknown one; upstream then has no absolute URL.
        if self.port == 0 {
            return target.to_owned();
        }
        format!("{protocol}://{}:{}{target}", self.hostname, self.port)
    }
}
