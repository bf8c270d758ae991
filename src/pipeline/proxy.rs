//! Requests that another server answers.
//!
//! In: the URL that routing came to. Out: a step that hands the request over, an [`Exchange`] for Node to drive, and what is
//! to become of a request for another protocol. Upstream: `proxyRequest` and `upgradeHandler` of `router-server.js`.

use super::headers::response_headers;
use crate::engine::{Engine, Next, RequestState, Step};
use crate::request::Request;
use crate::route::Decision;
use crate::source::prerender::RunnerId;
use crate::source::proxy::exchange::ExchangeRequest;
use crate::source::proxy::headers::{self, HeaderLines};
use crate::source::proxy::{Exchange, Target, TlsOptions};

/// What becomes of a request to upgrade the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrade {
    /// Nothing of Next.js is there: the socket belongs to other listeners.
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
    pub(super) fn serve_proxy(&self, state: &RequestState, url: &str) -> Next {
        Next::Step(Step::Proxy {
            url: url.to_owned(),
            headers: response_headers(state),
        })
    }

    /// The request in `slot`, to be sent to `target` with further headers, each in the place of what it may have of that name. `None`
    /// when the slot holds no such request.
    pub fn exchange(&self, slot: usize, target: Target, tls: TlsOptions, further: HeaderLines) -> Option<Exchange> {
        let request = self.requests.look(slot, |state, _| {
            let view = state.route.header_view(&state.request);
            let mut lines = headers::of_request(&state.request, view, &target.authority);
            lines.retain(|(name, _)| !further.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)));
            lines.extend(further);
            ExchangeRequest {
                method: headers::method_of(&state.request).to_owned(),
                headers: lines,
                framing: headers::framing(&state.request),
                timeout: self.config.experimental.proxy_timeout(),
            }
        })?;
        Some(Exchange::new(self.proxy.clone(), tls, target, request))
    }

    /// What becomes of a request to upgrade the connection.
    pub fn upgrade(&self, request: Request, runner: RunnerId) -> Upgrade {
        let mut state = self.route(request, runner);
        if let Decision::Middleware(call) = state.decision.clone() {
            let next = self.call_middleware(&mut state, &call);
            return Upgrade::Middleware(self.requests.insert(state, next));
        }
        verdict(&state)
    }

    /// What becomes of the request to upgrade in `slot`, after its middleware has answered.
    pub fn upgraded(&self, slot: usize) -> Upgrade {
        self.requests
            .look(slot, |state, _| verdict(state))
            .unwrap_or(Upgrade::End)
    }
}

/// Where nothing matched, the request is left alone: a handler of the user's may be listening at the same path.
fn verdict(state: &RequestState) -> Upgrade {
    match &state.decision {
        Decision::Proxy { url } => Upgrade::Proxy {
            headers: headers::of_upgrade(state.route.header_view(&state.request)),
            url: url.clone(),
        },
        Decision::NotFound(_) => Upgrade::Leave,
        _ => Upgrade::End,
    }
}
