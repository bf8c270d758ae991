//! What a request is called in metrics and logs.
//!
//! In: a request that has been routed. Out: its route, one of few names: a page as the app has it (`/blog/[slug]`), or what
//! kind of answer it is. Never a path of the client's, of which there are as many as anybody likes.

use crate::build::ListingRoot;
use crate::engine::{Engine, RequestState};
use crate::route::Decision;

impl Engine {
    /// The route of the request in `slot`; empty when there is none.
    pub fn label(&self, slot: usize) -> String {
        self.requests
            .look(slot, |state, _| label_of(state).to_owned())
            .unwrap_or_default()
    }

    /// How many requests are under way, those without a client included.
    pub fn in_flight(&self) -> usize {
        self.requests.len()
    }
}

/// The route of a request.
pub(super) fn label_of(state: &RequestState) -> &str {
    match &state.decision {
        Decision::Output(output) => &output.pathname,
        Decision::File(file) => match file.root {
            ListingRoot::NextStatic => "(_next/static)",
            ListingRoot::LegacyStatic | ListingRoot::Public => "(public)",
        },
        Decision::Image => "(_next/image)",
        Decision::Redirect(_) => "(redirect)",
        Decision::Proxy { .. } => "(external-rewrite)",
        Decision::Middleware(_) | Decision::MiddlewareResponse { .. } => "(middleware)",
        Decision::NotFound(_) => "(not-found)",
        Decision::BadRequest | Decision::Fault { .. } => "(error)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Origin, Request};
    use crate::route::{NotFound, RouteState, StaticFile};

    #[test]
    fn a_label_is_never_what_the_client_wrote() {
        let file = |root| {
            Decision::File(StaticFile {
                root,
                item_path: "/secret.txt".into(),
                relative: Some("secret.txt".into()),
            })
        };
        for (decision, label) in [
            (file(ListingRoot::Public), "(public)"),
            (file(ListingRoot::NextStatic), "(_next/static)"),
            (Decision::NotFound(NotFound::Page), "(not-found)"),
            (
                Decision::Proxy {
                    url: "http://other.example/x".into(),
                },
                "(external-rewrite)",
            ),
            (Decision::BadRequest, "(error)"),
        ] {
            let request = Request::parse("GET\0/secret.txt".into(), false, Origin::Client);
            let state = RequestState::new(request, 0, RouteState::default(), decision);
            assert_eq!(label_of(&state), label);
        }
    }
}
