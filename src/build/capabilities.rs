//! What differs between versions of Next.js, decided in this one place.
//!
//! In: the version of the installed `next` and its build folder. Out: [`Capabilities`], so that no other code asks for a
//! version. Read from 15.5.29, 16.0.11 and 16.4.6.

use std::fmt;
use std::path::Path;

use crate::error::{Code, Error, Result};

/// The three numbers of a version; a pre-release tag such as `-canary.3` is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Major version.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
    /// Patch version.
    pub patch: u32,
}

impl Version {
    /// Parses `16.4.6` or `16.5.0-canary.3`.
    pub fn parse(text: &str) -> Option<Version> {
        let core = text.split(['-', '+']).next()?;
        let mut parts = core.split('.');
        let mut number = || parts.next()?.parse::<u32>().ok();
        let version = Version {
            major: number()?,
            minor: number()?,
            patch: number()?,
        };
        parts.next().is_none().then_some(version)
    }

    pub(super) const fn new(major: u32, minor: u32, patch: u32) -> Version {
        Version { major, minor, patch }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What this version of Next.js does. Each field is one behaviour, never a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The version the rest follows from, for messages only.
    pub version: Version,
    /// `experimental.validateRSCRequestHeaders` is on unless the configuration turns it off.
    pub validate_rsc_by_default: bool,
    /// Prerendered answers live below `server/route-cache/<KIND>/<owner>/`.
    pub scoped_cache_paths: bool,
    /// What is stored of a page of the Pages Router has a `.meta` file.
    pub pages_meta: bool,
    /// What is stored of the App Router says itself how long it lives; otherwise the process remembers it.
    pub stored_lifetimes: bool,
    /// The payload of a partially prerendered page lies in a file of its own kind, `.prefetch.rsc`.
    pub prefetch_payloads: bool,
    /// An entry goes on from a shell that has been sent, as long as its cache gives it the same shell.
    pub resumable: bool,
    /// What a page throws while it is revalidated on demand goes to whoever asked for it; otherwise the error page answers.
    pub revalidations_throw: bool,
    /// A tag can be stale before it expires; otherwise it is revalidated at one moment.
    pub stale_tags: bool,
    /// An entry past its `expire` counts as absent, so that the request waits.
    pub expire_blocks: bool,
    /// A prefetch of the client router is answered with a stale entry without rendering it anew.
    pub router_prefetch_spares_render: bool,
    /// The preview secret is read from `server/preview-props.json`.
    pub preview_props_file: bool,
    /// A sub-resource request (`sec-fetch-dest`) that finds nothing gets a plain-text 404.
    pub plain_404_for_subresources: bool,
    /// Request targets are parsed as WHATWG URLs; otherwise by Node's legacy `url.parse`, which keeps dot segments.
    pub whatwg_targets: bool,
    /// Targets of external rewrites are parsed by Node's legacy `url.parse`, which keeps dot segments.
    pub legacy_proxy_targets: bool,
    /// Repeated slashes in the path of an external rewrite become one.
    pub collapsed_proxy_slashes: bool,
    /// Dynamic routes of both routers are sorted together at start; otherwise the order of the manifest counts.
    pub sorted_dynamic_routes: bool,
    /// A segment such as `a[b]c` is matched with its text before and after the parameter.
    pub affixed_segments: bool,
    /// The file lookup hands its definition and parameters to the renderer; otherwise the renderer matches again.
    pub lookup_decides_page: bool,
    /// An answer is kept under the path that a rewrite or the locale led to, whatever page answers; otherwise under the
    /// path of the page.
    pub kept_by_rewritten_path: bool,
    /// Of the app pages that share a route the last of the manifest is loaded; otherwise the one outside of slots.
    pub last_app_entry: bool,
    /// Any `/_next/data/*.json` counts as a data request before middleware; otherwise only the current build id does.
    pub foreign_data_paths: bool,
    /// A data request marks itself with the request header `x-nextjs-data: 1`.
    pub data_request_header: bool,
    /// A data path without a locale gets the default one before middleware sees it.
    pub data_path_default_locale: bool,
    /// Parameters in the host of a destination are percent-encoded.
    pub encoded_destination_hosts: bool,
    /// User and password in a destination are kept.
    pub destination_auth: bool,
    /// `experimental.clientParamParsingOrigins` lets some origins see the rewritten path of an RSC request.
    pub client_param_parsing_origins: bool,
    /// An interception rewrite may take parameters from `next-router-state-tree`.
    pub state_tree_params: bool,
    /// The rewritten path of an RSC request also replaces the one that middleware set.
    pub rewritten_path_overrides: bool,
    /// The route of a page of the Pages Router is told to data requests without a slash at its end.
    pub trimmed_matched_paths: bool,
    /// Answers of route handlers and edge functions are compressed too.
    pub compressed_route_handlers: bool,
    /// What a route handler says of the length and the coding of its body is not sent.
    pub route_framing_is_dropped: bool,
    /// A segment prefetch of a segment that is not there gets a 404; otherwise a 204.
    pub missing_segments_are_404: bool,
    /// Only `rsc: 1` asks for a React payload; otherwise entries of the App Router take any value for it.
    pub exact_rsc_header: bool,
    /// What a route handler renders at run time has the configured expiry; otherwise only what it names itself.
    pub route_handlers_expire: bool,
    /// Data of the Pages Router has an `ETag` and a known length.
    pub data_etags: bool,
    /// Payloads and data carry the deployment id in a header.
    pub names_deployment: bool,
    /// Rules of `onMatchHeaders` apply once an output matched.
    pub on_match_headers: bool,
    /// The markers added between adjacent parameters are taken out of compiled destinations again.
    pub strips_separators: bool,
    /// Entries take the page cache from the request meta; later ones make their own.
    pub entries_expect_incremental_cache: bool,
    /// API routes work out their query from the URL and the rewrites of the build; what middleware rewrote is not in it.
    pub api_query_from_url: bool,
    /// The methods of the app beside `prepare`, `getRequestHandler`, `getUpgradeHandler` and `close` warn that they are
    /// deprecated, once each.
    pub deprecated_methods: bool,
    /// `app.renderToHTML()` returns what the page writes and gives the page the path as its URL; otherwise the page writes to
    /// the response.
    pub captured_html: bool,
    /// Server actions that redirect or forward fetch from the host that the client names, unless the process has an origin.
    pub actions_fetch_from_host: bool,
    /// A server that a signal ends has the exit code of that signal; otherwise 0.
    pub exits_with_signal: bool,
    /// Files below `.next/static/service-worker` are served with the scope that they may control.
    pub service_workers: bool,
    /// `images.customCacheHandler` gives pictures to the app's `cacheHandler`.
    pub image_cache_handler: bool,
    /// The build may put pictures below `_next/static/immutable/media`.
    pub immutable_media: bool,
    /// An AVIF or HEIC is one only if its first box has a size that fits.
    pub strict_image_boxes: bool,
    /// The quality of AVIF is 5/8 of what was asked for; otherwise 20 less.
    pub scaled_avif_quality: bool,
    /// The source of a picture has to be a success; otherwise the body of an error page is looked at, too.
    pub image_sources_have_status: bool,
    /// An empty source of this server has a text of its own.
    pub empty_internal_images_are_told: bool,
    /// An empty source of another server has a text of its own.
    pub empty_remote_images_are_told: bool,
    /// The answer 204 of another server has a text of its own.
    pub absent_remote_images_are_told: bool,
    /// `images.maximumRedirects` bounds the redirects of other servers; otherwise `fetch` does.
    pub image_redirects_are_an_option: bool,
    /// `images.dangerouslyAllowLocalIP` decides whether pictures of servers with a private address are fetched.
    pub private_images_are_an_option: bool,
}

/// The oldest version whose build has the handlers that ferronext calls.
const MINIMUM: Version = Version::new(15, 5, 0);
/// The first major version that nobody has looked at yet.
const BELOW: Version = Version::new(17, 0, 0);

impl Capabilities {
    /// Decides what the installed `next` does.
    pub fn detect(next_version: &str, dist_dir: &Path) -> Result<Capabilities> {
        let version = Version::parse(next_version)
            .ok_or_else(|| unsupported(next_version, "that is not a version number ferronext understands"))?;
        if version < MINIMUM {
            return Err(unsupported(
                next_version,
                "ferronext needs at least 15.5.0; upgrade `next`",
            ));
        }
        if version >= BELOW {
            return Err(unsupported(
                next_version,
                "ferronext knows versions below 17; look for a newer ferronext",
            ));
        }
        let preview_props_file = dist_dir.join("server").join("preview-props.json").is_file();
        Ok(Capabilities::of(version, preview_props_file))
    }

    /// The capabilities of a version, without looking at a build.
    pub fn of(version: Version, preview_props_file: bool) -> Capabilities {
        let v16 = version >= Version::new(16, 0, 0);
        // 15.5 carries backports of later work, so "newer than 16.0" is not the same as "not 16.0".
        let only_16_0 = v16 && version < Version::new(16, 1, 0);
        // The two halves of 16 that were read differ by the preview file, which a canary has or has not.
        let late_16 = v16 && preview_props_file;
        Capabilities {
            version,
            validate_rsc_by_default: late_16,
            scoped_cache_paths: !only_16_0 && (late_16 || version >= Version::new(15, 5, 20)),
            pages_meta: !only_16_0,
            stored_lifetimes: late_16,
            prefetch_payloads: !late_16,
            resumable: late_16,
            revalidations_throw: late_16,
            stale_tags: v16,
            expire_blocks: late_16,
            router_prefetch_spares_render: late_16,
            preview_props_file,
            plain_404_for_subresources: late_16,
            whatwg_targets: late_16,
            sorted_dynamic_routes: late_16,
            affixed_segments: late_16,
            lookup_decides_page: late_16,
            kept_by_rewritten_path: !v16,
            last_app_entry: only_16_0,
            foreign_data_paths: !only_16_0,
            data_request_header: !only_16_0,
            data_path_default_locale: !only_16_0,
            encoded_destination_hosts: !only_16_0,
            destination_auth: late_16,
            client_param_parsing_origins: v16,
            state_tree_params: !v16,
            rewritten_path_overrides: late_16,
            // Read from 16.1.7 and 16.2.12.
            trimmed_matched_paths: version >= Version::new(16, 2, 0),
            compressed_route_handlers: late_16,
            // Read from 15.5.28 and 29, 16.4.4 and 5.
            route_framing_is_dropped: version >= Version::new(16, 4, 5) || (!v16 && version >= Version::new(15, 5, 29)),
            missing_segments_are_404: late_16,
            exact_rsc_header: late_16,
            route_handlers_expire: late_16,
            data_etags: !only_16_0,
            names_deployment: late_16,
            on_match_headers: late_16,
            strips_separators: v16,
            entries_expect_incremental_cache: !late_16,
            api_query_from_url: !late_16,
            deprecated_methods: late_16,
            captured_html: late_16,
            actions_fetch_from_host: !late_16 && (v16 || version < Version::new(15, 5, 29)),
            // Read from 16.1.7 and 16.2.9.
            exits_with_signal: version >= Version::new(16, 2, 0),
            service_workers: late_16,
            legacy_proxy_targets: only_16_0,
            collapsed_proxy_slashes: !late_16,
            image_cache_handler: late_16,
            immutable_media: late_16,
            strict_image_boxes: !only_16_0,
            scaled_avif_quality: !only_16_0,
            image_sources_have_status: late_16,
            empty_internal_images_are_told: !only_16_0,
            empty_remote_images_are_told: late_16,
            absent_remote_images_are_told: late_16 || !v16,
            image_redirects_are_an_option: v16,
            private_images_are_an_option: v16,
        }
    }
}

impl Capabilities {
    /// How request targets are parsed.
    pub fn dialect(&self) -> crate::url::Dialect {
        if self.whatwg_targets {
            crate::url::Dialect::Whatwg
        } else {
            crate::url::Dialect::Legacy
        }
    }
}

/// Whether ferronext supports this version of `next`.
///
/// # Errors
/// `FERRONEXT_UNSUPPORTED_NEXT` with what to do about it.
pub fn check(next_version: &str) -> Result<Capabilities> {
    Capabilities::detect(next_version, Path::new(""))
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
        assert_eq!(Version::parse("16.5.0-canary.3"), Some(Version::new(16, 5, 0)));
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
            let capabilities = check(version).expect("a supported version");
            assert_eq!(capabilities.exits_with_signal, with_signal, "{version}");
        }
    }

    #[test]
    fn the_supported_range_is_15_5_up_to_17() {
        let nowhere = Path::new("/nonexistent");
        for (version, good) in [
            ("15.4.9", false),
            ("15.5.0", true),
            ("16.4.6", true),
            ("16.9.0-canary.1", true),
            ("17.0.0", false),
            ("latest", false),
        ] {
            let detected = Capabilities::detect(version, nowhere);
            assert_eq!(detected.is_ok(), good, "{version}");
            if let Err(error) = detected {
                assert_eq!(error.code(), Code::UnsupportedNext);
                assert!(error.message().contains(version));
            }
        }
    }
}
