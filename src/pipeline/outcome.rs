//! A page of the Pages Router whose `getStaticProps` had no props to give: it redirects, or there is nothing.
//!
//! Upstream: `handleRequest` of `next/dist/server/route-modules/pages/pages-handler.js`, from `notFound: true` on.

use bytes::Bytes;
use serde::Deserialize;

use super::output::Call;
use crate::answer::page::{CachePolicy, CacheStatus, Page};
use crate::engine::{Engine, Next, Provenance, RequestState};
use crate::route::{Address, Variant};
use crate::source::prerender::{Freshness, Outcome};
use crate::url::collapse_slashes;

/// What a redirect leaves as the data of the page.
#[derive(Deserialize)]
struct Props {
    #[serde(rename = "pageProps")]
    page: Redirect,
}

#[derive(Deserialize)]
struct Redirect {
    #[serde(rename = "__N_REDIRECT")]
    destination: String,
    #[serde(rename = "__N_REDIRECT_STATUS")]
    status: u16,
    #[serde(default, rename = "__N_REDIRECT_BASE_PATH")]
    base_path: Option<bool>,
}

/// The status that asks a client to come back by the new URL for ever, which old browsers need a second header for.
const PERMANENT: u16 = 308;

impl Engine {
    /// Serves what came of a render that made no page.
    pub(super) fn serve_outcome(
        &self,
        state: &mut RequestState,
        mut call: Call<'_>,
        page: &Page,
        address: &Address,
        variant: Variant,
    ) -> Next {
        let key = self.cache.key(address);
        let status = match self.freshness(page) {
            Freshness::Expired => return self.render_once(state, call, &key),
            // The entry decides what becomes of an error page.
            _ if call.error.is_some() => return self.render(state, Provenance::Uncacheable, call),
            Freshness::Stale => {
                state.revalidation = self.revalidation(state, call.output, address, key, false);
                CacheStatus::Stale
            }
            Freshness::Fresh if state.lookup.waited => CacheStatus::Miss,
            Freshness::Fresh => CacheStatus::Hit,
        };
        let is_data = variant == Variant::Data;
        call.vary();
        call.headers.set("x-nextjs-cache", status.as_str());
        if let CachePolicy::Known(lifetime) = page.policy {
            call.headers.set_default("Cache-Control", lifetime.cache_control());
        }
        if let Some(id) = self.deployment_id.as_ref().filter(|_| is_data) {
            call.headers.set("x-nextjs-deployment-id", id);
        }
        match page.entry.outcome {
            Outcome::NotFound if is_data => self.answer(
                state,
                Provenance::Uncacheable,
                404,
                call.headers,
                Bytes::from_static(br#"{"notFound":true}"#),
            ),
            Outcome::NotFound => self.not_found_below(state, call.headers),
            Outcome::Redirect if is_data => {
                call.headers.set("content-type", "application/json; charset=utf-8");
                let props = page.entry.data.clone().unwrap_or_default();
                self.answer(state, Provenance::Uncacheable, 200, call.headers, props)
            }
            Outcome::Redirect => match page.entry.data.as_deref().map(serde_json::from_slice::<Props>) {
                Some(Ok(props)) => self.redirect_page(state, call, props.page),
                // Written by an unknown version: its entry can read it.
                _ => self.render(state, Provenance::Uncacheable, call),
            },
            Outcome::Rendered => self.render(state, Provenance::Uncacheable, call),
        }
    }

    fn redirect_page(&self, state: &RequestState, mut call: Call<'_>, redirect: Redirect) -> Next {
        let mut destination = redirect.destination;
        if destination.starts_with('/') {
            if redirect.base_path != Some(false) {
                destination.insert_str(0, &self.config.base_path);
            }
            destination = collapse_slashes(&destination);
        }
        call.headers.set("Location", destination.clone());
        if redirect.status == PERMANENT {
            call.headers.set("Refresh", format!("0;url={destination}"));
        }
        self.answer(
            state,
            Provenance::Uncacheable,
            redirect.status,
            call.headers,
            Bytes::from(destination),
        )
    }
}
