//! What differs between versions of Next.js, decided in this one place.
//!
//! In: the version of the installed `next`. Out: [`Capabilities`], so that no other code asks for a version. The table says for each
//! behaviour in which versions it holds and from which file of `next/dist` that was read; every patch of 15.5 to 16.4 and the canaries
//! 14, 26 and 38 of 16.5 were read.

use std::fmt;

use serde::Serialize;

use crate::error::{Code, Error, Result};

/// A version of Next.js. A canary comes before its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Major version.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
    /// Patch version.
    pub patch: u32,
    /// The number of a pre-release, [`RELEASE`] for what is none. Last, because it decides last.
    pre: u32,
}

/// What a release has in the place of the number of a pre-release: more than any of them.
const RELEASE: u32 = u32::MAX;

impl Version {
    /// Parses `16.4.6` or `16.5.0-canary.3`. A pre-release without a number is the first one.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.split('+').next()?;
        let (core, tag) = match text.split_once('-') {
            Some((core, tag)) => (core, Some(tag)),
            None => (text, None),
        };
        let mut parts = core.split('.');
        let mut number = || parts.next()?.parse::<u32>().ok();
        let version = v(number()?, number()?, number()?);
        if parts.next().is_some() {
            return None;
        }
        Some(match tag {
            None => version,
            Some(tag) => version.canary(tag.rsplit('.').next().and_then(|last| last.parse().ok()).unwrap_or(0)),
        })
    }

    pub(super) const fn new(major: u32, minor: u32, patch: u32) -> Version {
        v(major, minor, patch)
    }

    const fn canary(self, pre: u32) -> Version {
        Version { pre, ..self }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if self.pre == RELEASE {
            return Ok(());
        }
        write!(f, "-canary.{}", self.pre)
    }
}

const fn v(major: u32, minor: u32, patch: u32) -> Version {
    Version {
        major,
        minor,
        patch,
        pre: RELEASE,
    }
}

/// From the first version to the one before the second.
type Range = (Version, Option<Version>);

const fn from(major: u32, minor: u32, patch: u32) -> Range {
    // A canary of a release has what the release has, unless a row says otherwise.
    (v(major, minor, patch).canary(0), None)
}

const fn before(major: u32, minor: u32, patch: u32) -> Range {
    (MINIMUM, Some(v(major, minor, patch).canary(0)))
}

/// Not in the canaries of `end` either.
const fn between(first: Version, end: Version) -> Range {
    (first, Some(end.canary(0)))
}

/// In the release, after canaries that did not have it.
const fn released(major: u32, minor: u32, patch: u32) -> Range {
    (v(major, minor, patch), None)
}

/// A row of the table of capabilities.
#[cfg(test)]
struct Capability {
    /// Its name, as [`Capabilities`] has it.
    name: &'static str,
    /// The versions in which it holds.
    ranges: &'static [Range],
}

#[cfg(test)]
impl Capability {
    /// Whether it holds in a version.
    fn holds(&self, version: Version) -> bool {
        holds(self.ranges, version)
    }

    /// The versions at which it changes: the first that has it, or has it no more, in order.
    fn boundaries(&self) -> Vec<Version> {
        let ends = self.ranges.iter().flat_map(|(first, end)| [Some(*first), *end]);
        let mut all: Vec<Version> = ends.flatten().filter(|version| *version > MINIMUM).collect();
        all.sort_unstable();
        all
    }
}

fn holds(ranges: &[Range], version: Version) -> bool {
    ranges
        .iter()
        .any(|(first, end)| version >= *first && end.is_none_or(|end| version < end))
}

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident: $ranges:expr, $file:literal;)*) => {
        /// What this version of Next.js does. Each field is one behaviour, never a version.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct Capabilities {
            /// The version the rest follows from, for messages only.
            #[serde(skip)]
            pub version: Version,
            $($(#[$doc])* pub $name: bool,)*
        }

        /// Every capability, with the versions in which it holds.
        #[cfg(test)]
        const TABLE: &[Capability] = &[
            $(Capability { name: stringify!($name), ranges: $ranges },)*
        ];

        impl Capabilities {
            /// The capabilities of a version.
            pub fn of(version: Version) -> Capabilities {
                Capabilities { version, $($name: holds($ranges, version),)* }
            }
        }
    };
}

capabilities! {
    /// `experimental.validateRSCRequestHeaders` is on unless the configuration turns it off.
    validate_rsc_by_default: &[from(16, 3, 0)], "server/config-shared.js";
    /// Prerendered answers live below `server/route-cache/<KIND>/<owner>/`.
    scoped_cache_paths: &[between(v(15, 5, 27), v(16, 0, 0)), from(16, 3, 8)], "server/lib/route-cache-key.js";
    /// What is stored of a page of the Pages Router has a `.meta` file.
    pages_meta: &[between(v(15, 5, 27), v(16, 0, 0)), from(16, 3, 8)], "server/lib/incremental-cache/file-system-cache.js";
    /// What is stored of the App Router says itself how long it lives; otherwise the process remembers it.
    stored_lifetimes: &[from(16, 4, 0)], "server/lib/incremental-cache/file-system-cache.js";
    /// The payload of a partially prerendered page lies in a file of its own kind, `.prefetch.rsc`.
    prefetch_payloads: &[before(16, 1, 0)], "server/lib/incremental-cache/file-system-cache.js";
    /// The payload of a page of a partially prerendered route is kept like others if nothing of the page is rendered per request.
    whole_payloads: &[from(16, 2, 0)], "server/lib/incremental-cache/file-system-cache.js";
    /// An entry goes on from a shell that has been sent, as long as its cache gives it the same shell.
    resumable: &[from(16, 4, 0)], "build/templates/app-page-runtime.js";
    /// What an app page throws while it is revalidated on demand goes to the caller; otherwise the error page answers.
    revalidations_throw: &[from(16, 4, 0)], "server/next-server.js";
    /// A tag can be stale before it expires; otherwise it is revalidated at one moment.
    stale_tags: &[from(16, 0, 0)], "server/lib/incremental-cache/tags-manifest.external.js";
    /// An entry past its `expire` counts as absent, so that the request waits.
    expire_blocks: &[from(16, 3, 0)], "server/lib/incremental-cache/index.js";
    /// A prefetch of the client router is answered with a stale entry without revalidating it.
    router_prefetch_spares_render: &[from(16, 3, 0)], "server/route-modules/route-module.js";
    /// A sub-resource request (`sec-fetch-dest`) that finds nothing gets a plain-text 404.
    plain_404_for_subresources: &[from(16, 3, 0)], "server/lib/router-server.js";
    /// Request targets are parsed as WHATWG URLs; otherwise by Node's legacy `url.parse`, which keeps dot segments.
    whatwg_targets: &[from(16, 2, 0)], "server/lib/router-utils/resolve-routes.js";
    /// Targets of external rewrites are parsed by Node's legacy `url.parse`, which keeps dot segments.
    legacy_proxy_targets: &[before(15, 5, 21), between(v(16, 0, 0), v(16, 2, 11))], "compiled/http-proxy/index.js";
    /// Repeated slashes in the path of an external rewrite become one.
    collapsed_proxy_slashes: &[before(16, 3, 0)], "compiled/http-proxy/index.js";
    /// Dynamic routes of both routers are sorted together at start; otherwise the order of the manifest counts.
    sorted_dynamic_routes: &[from(16, 4, 0)], "server/lib/router-utils/filesystem.js";
    /// A segment such as `a[b]c` is matched with its text before and after the parameter.
    affixed_segments: &[from(16, 4, 0)], "server/lib/router-utils/filesystem.js";
    /// The file lookup hands its definition and parameters to the renderer; otherwise the renderer matches again.
    lookup_decides_page: &[from(16, 4, 0)], "server/lib/router-server.js";
    /// An answer is kept under the path that a rewrite or the locale led to, whatever page answers; otherwise under the
    /// path of the page.
    kept_by_rewritten_path: &[before(16, 0, 0)], "server/route-modules/route-module.js";
    /// Of the app pages that share a route the last of the manifest is loaded; otherwise the one outside of slots.
    last_app_entry: &[before(15, 5, 27), between(v(16, 0, 0), v(16, 3, 8))], "server/base-server.js";
    /// Any `/_next/data/*.json` counts as a data request before middleware; otherwise only the current build id does.
    foreign_data_paths: &[between(v(15, 5, 16), v(16, 0, 0)), from(16, 2, 5)], "server/lib/router-utils/resolve-routes.js";
    /// A data request is known by its path and marked with the request header `x-nextjs-data: 1`; otherwise the header that the client sends
    /// with it counts.
    data_request_header: &[between(v(15, 5, 16), v(16, 0, 0)), from(16, 2, 5)], "server/lib/router-utils/resolve-routes.js";
    /// A data path without a locale gets the default one before middleware sees it.
    data_path_default_locale: &[between(v(15, 5, 16), v(16, 0, 0)), from(16, 2, 5)], "server/lib/router-utils/resolve-routes.js";
    /// Parameters in the host of a destination are percent-encoded.
    encoded_destination_hosts: &[between(v(15, 5, 21), v(16, 0, 0)), from(16, 2, 11)], "shared/lib/router/utils/prepare-destination.js";
    /// User and password in a destination are kept.
    destination_auth: &[from(16, 2, 0)], "shared/lib/router/utils/parse-url.js";
    /// `experimental.clientParamParsingOrigins` lets some origins see the rewritten path of an RSC request.
    client_param_parsing_origins: &[from(16, 0, 0)], "server/lib/router-utils/resolve-routes.js";
    /// An interception rewrite may take parameters from `next-router-state-tree`.
    state_tree_params: &[before(16, 0, 0)], "server/lib/router-utils/resolve-routes.js";
    /// The rewritten path of an RSC request also replaces the one that middleware set.
    rewritten_path_overrides: &[from(16, 4, 0)], "server/lib/router-utils/resolve-routes.js";
    /// Data requests learn the route of a page of the Pages Router without a slash at its end.
    trimmed_matched_paths: &[from(16, 2, 0)], "server/route-modules/route-module.js";
    /// Answers of route handlers and edge functions are compressed too.
    compressed_route_handlers: &[between(v(16, 4, 6), v(16, 5, 0)), released(16, 5, 0)], "server/base-http/node.js";
    /// What a route handler says of the length and the coding of its body is not sent.
    route_framing_is_dropped: &[between(v(15, 5, 29), v(16, 0, 0)), between(v(16, 4, 5), v(16, 5, 0)), released(16, 5, 0)], "server/send-response.js";
    /// A segment prefetch of a segment that is not there gets a 404; otherwise a 204.
    missing_segments_are_404: &[from(16, 3, 0)], "build/templates/app-page-runtime.js";
    /// Only `rsc: 1` asks for a React payload; otherwise entries of the App Router take any value for it.
    exact_rsc_header: &[between(v(15, 5, 16), v(16, 0, 0)), from(16, 2, 5)], "server/lib/is-rsc-request.js";
    /// What a route handler renders at run time has the configured expiry; otherwise only what it names itself.
    route_handlers_expire: &[from(16, 3, 0)], "build/templates/app-route.js";
    /// Data of the Pages Router has an `ETag` and a known length.
    data_etags: &[between(v(15, 5, 14), v(16, 0, 0)), from(16, 3, 0)], "server/route-modules/pages/pages-handler.js";
    /// Payloads and data carry the deployment id in a header.
    names_deployment: &[from(16, 2, 0)], "server/route-modules/pages/pages-handler.js";
    /// Rules of `onMatchHeaders` apply once an output matched.
    on_match_headers: &[from(16, 2, 0)], "lib/load-custom-routes.js";
    /// The markers added between adjacent parameters are taken out of compiled destinations again.
    strips_separators: &[from(16, 0, 0)], "lib/route-pattern-normalizer.js";
    /// Entries take the page cache from the request meta; later ones make their own.
    entries_expect_incremental_cache: &[before(16, 2, 0)], "build/templates/app-page.js";
    /// API routes work out their query from the URL and the rewrites of the build; what middleware rewrote is not in it.
    api_query_from_url: &[before(16, 3, 0)], "server/next-server.js";
    /// The methods of the app beside `prepare`, `getRequestHandler`, `getUpgradeHandler` and `close` warn that they are
    /// deprecated, once each.
    deprecated_methods: &[from(16, 3, 0)], "server/next.js";
    /// `app.renderToHTML()` returns what the page writes and gives the page the path as its URL; otherwise the page writes to
    /// the response.
    captured_html: &[from(16, 4, 0)], "server/next-server.js";
    /// Server actions that redirect or forward fetch from the host that the client names, unless the process has an origin.
    actions_fetch_from_host: &[before(15, 5, 21), between(v(16, 0, 0), v(16, 2, 11))], "server/app-render/action-handler.js";
    /// A server that a signal ends has the exit code of that signal; otherwise 0.
    exits_with_signal: &[from(16, 2, 0)], "server/lib/start-server.js";
    /// Files below `.next/static/service-worker` are served with the scope that they may control.
    service_workers: &[from(16, 3, 0)], "server/lib/router-server.js";
    /// `images.customCacheHandler` gives images to the app's `cacheHandler`.
    image_cache_handler: &[from(16, 2, 0)], "server/next-server.js";
    /// That handler learns that what it stores is an image.
    reports_image_kind: &[from(16, 3, 8)], "server/image-optimizer.js";
    /// The build may put images below `_next/static/immutable/media`.
    immutable_media: &[from(16, 3, 0)], "server/image-optimizer.js";
    /// An AVIF or HEIC is one only if its first box has a size that fits.
    strict_image_boxes: &[between(v(15, 5, 29), v(16, 0, 0)), between(v(16, 4, 5), v(16, 5, 0)), released(16, 5, 0)], "server/image-optimizer.js";
    /// The quality of AVIF is 5/8 of what was asked for; otherwise 20 less.
    scaled_avif_quality: &[between(v(15, 5, 24), v(16, 0, 0)), from(16, 3, 0)], "server/image-optimizer.js";
    /// The source of an image has to be a success; otherwise the body of an error page is looked at, too.
    image_sources_have_status: &[from(16, 4, 0)], "server/image-optimizer.js";
    /// An empty source of this server has a text of its own.
    reports_empty_internal_images: &[between(v(15, 5, 16), v(16, 0, 0)), from(16, 2, 5)], "server/image-optimizer.js";
    /// An empty source of another server has a text of its own.
    reports_empty_remote_images: &[from(16, 3, 8)], "server/image-optimizer.js";
    /// The answer 204 of another server has a text of its own.
    reports_absent_remote_images: &[between(v(15, 5, 10), v(16, 0, 0)), from(16, 1, 5)], "server/image-optimizer.js";
    /// `images.maximumRedirects` bounds the redirects of other servers; otherwise `fetch` does.
    supports_image_redirect_limit: &[from(16, 0, 0)], "server/image-optimizer.js";
    /// `images.dangerouslyAllowLocalIP` decides whether images of servers with a private address are fetched.
    supports_private_images: &[from(16, 0, 0)], "server/image-optimizer.js";
    /// `next-router-prefetch: 4`, the prefetch for a navigation at run time, belongs to the hash in `_rsc`.
    supports_navigation_prefetch: &[(v(16, 5, 0).canary(26), None)], "server/base-server.js";
    /// A param that is spelt like the placeholder of its segment counts as not known, and such a path has no shell.
    placeholders_are_open: &[from(16, 5, 0)], "build/templates/app-page-runtime.js";
    /// With `i18n`, a locale that stands in the path is a segment like any other to the App Router; otherwise the default one may stand
    /// before its pages.
    app_owns_locales: &[from(16, 5, 0)], "server/lib/router-utils/filesystem.js";
    /// `getIncrementalCache()` of a route module takes the preview properties; asked for by a fast path.
    supports_preview_props: &[from(16, 4, 0)], "server/route-modules/route-module.js";
    /// A route handler is called with a context all parts of which are known; asked for by a fast path.
    is_handler_context_known: &[from(16, 4, 0)], "server/route-modules/app-route/module.js";
    /// A redirect of middleware within the origin is made relative by its adapter; asked for by a fast path.
    relative_middleware_redirects: &[from(16, 1, 3)], "server/web/adapter.js";
    /// Nothing is around the document of a page; otherwise the context of AMP is. Asked for by a fast path.
    is_document_outermost: &[from(16, 0, 0)], "server/render.js";
    /// The configuration that entries see says whether the build was only compiled (`isExperimentalCompile`).
    config_names_compile_mode: &[before(16, 4, 0)], "server/next.js";
}

/// The oldest version whose build has the handlers that ferronext calls.
const MINIMUM: Version = v(15, 5, 0);
/// The first major version that has not been examined.
const BELOW: Version = v(17, 0, 0);

impl Capabilities {
    /// Decides what the installed `next` does.
    ///
    /// # Errors
    /// `FERRONEXT_UNSUPPORTED_NEXT` with what to do about it.
    pub fn detect(next_version: &str) -> Result<Capabilities> {
        let version = Version::parse(next_version)
            .ok_or_else(|| unsupported(next_version, "that is not a version number ferronext understands"))?;
        if version < MINIMUM {
            return Err(unsupported(
                next_version,
                "ferronext needs at least 15.5.0; upgrade `next`",
            ));
        }
        if version.major >= BELOW.major {
            return Err(unsupported(
                next_version,
                "ferronext knows versions below 17; look for a newer ferronext",
            ));
        }
        Ok(Capabilities::of(version))
    }

    /// How request targets are parsed.
    pub fn dialect(&self) -> crate::url::Dialect {
        if self.whatwg_targets {
            crate::url::Dialect::Whatwg
        } else {
            crate::url::Dialect::Legacy
        }
    }
}

fn unsupported(version: &str, why: &str) -> Error {
    Error::new(
        Code::UnsupportedNext,
        format!("next {version} is not supported: {why}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_parse_with_and_without_a_tag() {
        assert_eq!(Version::parse("16.4.6"), Some(Version::new(16, 4, 6)));
        assert_eq!(
            Version::parse("16.5.0-canary.3"),
            Some(Version::new(16, 5, 0).canary(3))
        );
        for wrong in ["", "16", "16.4", "16.4.x", "1.2.3.4", "-1.0.0"] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_exit_code_of_a_signal_came_with_16_2() {
        for (version, with_signal) in [
            ("15.5.29", false),
            ("16.1.7", false),
            ("16.2.9", true),
            ("16.4.6", true),
        ] {
            let capabilities = Capabilities::detect(version).expect("a supported version");
            assert_eq!(capabilities.exits_with_signal, with_signal, "{version}");
        }
    }

    #[test]
    fn the_supported_range_is_15_5_up_to_17() {
        for (version, good) in [
            ("15.4.9", false),
            ("15.5.0", true),
            ("16.4.6", true),
            ("16.9.0-canary.1", true),
            ("17.0.0-canary.1", false),
            ("17.0.0", false),
            ("latest", false),
        ] {
            let detected = Capabilities::detect(version);
            assert_eq!(detected.is_ok(), good, "{version}");
            if let Err(error) = detected {
                assert_eq!(error.code(), Code::UnsupportedNext);
                assert!(error.message().contains(version));
            }
        }
    }

    #[test]
    fn a_canary_comes_before_its_release_and_after_the_line_before() {
        let [canary, release, patch] =
            ["16.5.0-canary.38", "16.5.0", "16.4.6"].map(|text| Version::parse(text).expect("a version"));
        assert!(patch < canary && canary < release);
        assert_eq!(canary.to_string(), "16.5.0-canary.38");
        // The fixes of 16.4.5 were not in it, and what 16.4.0 brought was.
        let found = Capabilities::of(canary);
        assert!(!found.route_framing_is_dropped && !found.compressed_route_handlers && found.stored_lifetimes);
        assert!(Capabilities::of(patch).compressed_route_handlers);
    }

    #[test]
    fn every_capability_has_a_boundary_and_differs_there() {
        for capability in TABLE {
            let boundaries = capability.boundaries();
            assert!(
                !boundaries.is_empty(),
                "{} holds everywhere or nowhere",
                capability.name
            );
            let mut held = capability.holds(MINIMUM);
            for boundary in boundaries {
                assert_ne!(capability.holds(boundary), held, "{} at {boundary}", capability.name);
                held = !held;
            }
        }
    }
}
