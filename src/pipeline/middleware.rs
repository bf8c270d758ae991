//! Middleware, which is JavaScript of the team: asking for it, and going on with what it said.
//!
//! In: the decision to run it, later its answer. Out: the next step. What each header of the answer means stands in
//! `route/middleware.rs`; upstream: the middleware branch of `resolve-routes.js` and the end of `router-server.js`.

use super::flight::{Flight, Next, Step};
use super::output::{response_headers, set_before};
use crate::engine::Engine;
use crate::route::{Decision, Event, HeaderText, MiddlewareCall, MiddlewareReply};
use crate::url::Query;

/// The header that names the client, for whoever comes after this server.
const FORWARDED_FOR: &str = "x-forwarded-for";

impl Engine {
    /// The step that runs middleware.
    pub(super) fn call_middleware(&self, flight: &mut Flight, call: &MiddlewareCall) -> Next {
        flight.personal = true;
        Next::Step(Step::Middleware {
            url: call.url.clone(),
            request_headers: flight.state.request_headers.clone(),
        })
    }

    /// The step that sends what middleware answered.
    pub(super) fn middleware_response(&self, flight: &Flight, status: u16) -> Next {
        Next::Step(Step::MiddlewareResponse {
            status,
            headers: response_headers(flight),
        })
    }

    /// The middleware of the request in `slot` has answered: routing goes on. `peer` is the address of the client; the
    /// request carries it from here on, as upstream's does.
    pub fn middleware_answered(&self, slot: usize, reply: MiddlewareReply, peer: Option<String>) {
        let mut flights = self.flights();
        let Some(flight) = flights.get(slot) else { return };
        if !matches!(flight.decision, Decision::Middleware(_)) {
            return;
        }
        flight.status = Some(reply.status);
        let mut state = std::mem::take(&mut flight.state);
        if let Some(peer) = peer {
            if state.header_view(&flight.request).get(FORWARDED_FOR).is_none() {
                state.request_headers.set(FORWARDED_FOR, HeaderText::One(peer));
            }
        }
        let routed = self.router.resume(&flight.request, state, Event::Middleware(reply));
        flight.state = routed.state;
        flight.decision = routed.decision;
        let next = self.serve(flight);
        flight.next = next;
    }

    /// The middleware of the request in `slot` has failed: the error page of `status`, which sees no query, without any header
    /// of a rule.
    pub fn middleware_failed(&self, slot: usize, status: u16) {
        let mut flights = self.flights();
        let Some(flight) = flights.get(slot) else { return };
        flight.state.location.query = Query::default();
        let headers = set_before(flight);
        let next = self.fail_onto(flight, status, headers);
        flight.next = next;
    }
}
