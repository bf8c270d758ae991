//! Middleware, which is JavaScript of the team: asking for it, and going on with what it said.
//!
//! In: the decision to run it, later its answer. Out: the next step. What each header of the answer means stands in
//! `route/middleware.rs`; upstream: the middleware branch of `resolve-routes.js` and the end of `router-server.js`.

use super::headers::{response_headers, set_before};
use crate::engine::{Cause, Engine, Next, RequestState, Step};
use crate::route::{Decision, Event, HeaderText, MiddlewareCall, MiddlewareReply};
use crate::url::Query;

/// The header that names the client for servers behind this one.
const FORWARDED_FOR: &str = "x-forwarded-for";

impl Engine {
    /// The step that runs middleware.
    pub(super) fn call_middleware(&self, state: &mut RequestState, call: &MiddlewareCall) -> Next {
        state.uncacheable = true;
        Next::Step(Step::Middleware {
            url: call.url.clone(),
            request_headers: state.route.request_headers.clone(),
        })
    }

    /// The step that sends what middleware answered.
    pub(super) fn middleware_response(&self, state: &RequestState, status: u16) -> Next {
        Next::Step(Step::MiddlewareResponse {
            status,
            headers: response_headers(state),
        })
    }

    /// The middleware of the request in `slot` has answered: routing goes on. `peer` is the address of the client; the
    /// request carries it from here on, as upstream's does.
    pub fn middleware_answered(&self, slot: usize, reply: MiddlewareReply, peer: Option<String>) {
        let waits = self
            .requests
            .look(slot, |state, _| matches!(state.decision, Decision::Middleware(_)));
        if waits != Some(true) {
            return;
        }
        self.requests.advance(slot, |state| {
            state.status = Some(reply.status);
            let mut route = std::mem::take(&mut state.route);
            if let Some(peer) = peer {
                if route.header_view(&state.request).get(FORWARDED_FOR).is_none() {
                    route.request_headers.set(FORWARDED_FOR, HeaderText::One(peer));
                }
            }
            let routed = self.router.resume(&state.request, route, Event::Middleware(reply));
            state.route = routed.state;
            state.decision = routed.decision;
            self.serve(state)
        });
    }

    /// The middleware of the request in `slot` has failed: the error page of `status`, which sees no query, without any header
    /// of a rule.
    pub fn middleware_failed(&self, slot: usize, status: u16) {
        self.requests.advance(slot, |state| {
            state.route.location.query = Query::default();
            let headers = set_before(state);
            self.fail_onto(state, Cause::Other, status, headers)
        });
    }
}
