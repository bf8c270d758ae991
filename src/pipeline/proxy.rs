//! Requests that another server answers.
//!
//! In: the URL that routing came to. Out: a step that hands the request over, an [`Exchange`] for Node to drive, and what is
//! to become of a request for another protocol. Upstream: `proxyRequest` and `upgradeHandler` of `router-server.js`.

use super::flight::{Flight, Next, Step};
use super::output::response_headers;
use crate::engine::Engine;
use crate::request::Request;
use crate::route::Decision;
use crate::source::prerender::Driver;
use crate::source::proxy::exchange::Question;
use crate::source::proxy::headers::{self, HeaderLines};
use crate::source::proxy::{Exchange, Target, TlsOptions};

/// What becomes of a request to upgrade the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrade {
    /// Nothing of Next.js is there: the socket belongs to whoever else wants it.
    Leave,
    /// Next.js answers this request itself, so that it is no place for another protocol.
    End,
    /// Middleware has to run first, in this slot; then ask [`Engine::upgraded`].
    Middleware(usize),
    /// Another server speaks the protocol.
    Proxy {
        /// The absolute URL.
        url: String,
        /// The request headers for it, complete but for the host.
        headers: HeaderLines,
    },
}

impl Engine {
    pub(super) fn serve_proxy(&self, flight: &Flight, url: &str) -> Next {
        Next::Step(Step::Proxy {
            url: url.to_owned(),
            headers: response_headers(flight),
        })
    }

    /// The request in `slot`, to be sent to `target` with further headers, each in the place of what it may have of that name. `None`
    /// when the slot holds no such request.
    pub fn exchange(&self, slot: usize, target: Target, tls: TlsOptions, further: HeaderLines) -> Option<Exchange> {
        let mut flights = self.flights();
        let flight = flights.get(slot)?;
        let view = flight.state.header_view(&flight.request);
        let mut lines = headers::of_request(&flight.request, view, &target.authority);
        lines.retain(|(name, _)| !further.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
        lines.extend(further);
        let question = Question {
            method: headers::method_of(&flight.request).to_owned(),
            headers: lines,
            framing: headers::framing(&flight.request),
            timeout: self.config.experimental.proxy_timeout(),
        };
        Some(Exchange::new(self.proxy.clone(), tls, target, question))
    }

    /// What becomes of a request to upgrade the connection.
    pub fn upgrade(&self, request: Request, driver: Driver) -> Upgrade {
        let mut flight = self.route(request, driver);
        if let Decision::Middleware(call) = flight.decision.clone() {
            flight.next = self.call_middleware(&mut flight, &call);
            return Upgrade::Middleware(self.flights().insert(flight));
        }
        verdict(&flight)
    }

    /// What becomes of the request to upgrade in `slot`, after its middleware has answered.
    pub fn upgraded(&self, slot: usize) -> Upgrade {
        self.flights().get(slot).map_or(Upgrade::End, |flight| verdict(flight))
    }
}

/// Where nothing matched, the request is left alone: a handler of the user's may be listening at the same path.
fn verdict(flight: &Flight) -> Upgrade {
    match &flight.decision {
        Decision::Proxy { url } => Upgrade::Proxy {
            headers: headers::of_upgrade(flight.state.header_view(&flight.request)),
            url: url.clone(),
        },
        Decision::NotFound(_) => Upgrade::Leave,
        _ => Upgrade::End,
    }
}
