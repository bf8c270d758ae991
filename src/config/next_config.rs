//! The fields of an evaluated `next.config` that the server reads. Names and defaults are upstream's
//! (`next/dist/server/config-shared.js`).

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::ImagesConfig;

/// The evaluated configuration. A field that is absent has upstream's default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NextConfig {
    /// Path prefix of the whole app, empty or `/docs`.
    pub base_path: String,
    /// Prefix of asset URLs: a path, an absolute URL, or empty.
    pub asset_prefix: String,
    /// Whether page URLs end in `/`.
    pub trailing_slash: bool,
    /// Leaves out the redirect between `/a` and `/a/`.
    pub skip_trailing_slash_redirect: bool,
    /// Gives middleware the URL as it arrived (`skipMiddlewareUrlNormalize` before 16).
    pub skip_proxy_url_normalize: bool,
    /// The old name of `skip_proxy_url_normalize`.
    pub skip_middleware_url_normalize: bool,
    /// Whether pages answer at their own path, or only through rewrites and the custom server.
    pub use_file_system_public_routes: bool,
    /// Name of the build folder below the project folder.
    pub dist_dir: String,
    /// Whether answers are compressed.
    pub compress: bool,
    /// Whether answers carry an `ETag`.
    pub generate_etags: bool,
    /// Whether rendered answers carry `X-Powered-By: Next.js`.
    pub powered_by_header: bool,
    /// Seconds for which a stale entry may be served, when the entry itself does not say (`expireTime`).
    pub expire_time: Option<f64>,
    /// The deployment id, empty when there is none.
    pub deployment_id: Option<String>,
    /// Locales of the Pages Router.
    pub i18n: Option<I18n>,
    /// Bytes of prerendered answers kept in memory (`cacheMaxMemorySize`, default 50 MiB).
    pub cache_max_memory_size: f64,
    /// Partial prerendering for every page.
    pub cache_components: bool,
    /// Shells that are completed step by step (`partialPrefetching`): `true`, or the name of a mode.
    #[serde(deserialize_with = "truthy")]
    pub partial_prefetching: bool,
    /// Clients whose HTML must be complete before its head closes, as an expression; upstream's loader fills it in.
    pub html_limited_bots: Option<String>,
    /// A user's own cache handler, which then owns the prerendered answers.
    pub cache_handler: Option<String>,
    /// `standalone`, `export` or absent.
    pub output: Option<String>,
    /// How `/_next/image` answers.
    pub images: ImagesConfig,
    /// Experimental options.
    pub experimental: Experimental,
}

impl Default for NextConfig {
    fn default() -> Self {
        NextConfig {
            base_path: String::new(),
            asset_prefix: String::new(),
            trailing_slash: false,
            skip_trailing_slash_redirect: false,
            skip_proxy_url_normalize: false,
            skip_middleware_url_normalize: false,
            use_file_system_public_routes: true,
            dist_dir: ".next".to_owned(),
            compress: true,
            generate_etags: true,
            powered_by_header: true,
            expire_time: None,
            deployment_id: None,
            i18n: None,
            cache_max_memory_size: 50.0 * 1024.0 * 1024.0,
            cache_components: false,
            partial_prefetching: false,
            html_limited_bots: None,
            cache_handler: None,
            output: None,
            images: ImagesConfig::default(),
            experimental: Experimental::default(),
        }
    }
}

/// Locales of the Pages Router.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct I18n {
    /// Every locale of the app.
    pub locales: Vec<String>,
    /// The locale of paths without one.
    pub default_locale: String,
    /// `false` turns off the redirect of `/` by cookie and `Accept-Language`; absent is on.
    #[serde(default)]
    pub locale_detection: Option<bool>,
    /// Hosts with a default locale of their own.
    #[serde(default)]
    pub domains: Option<Vec<Domain>>,
}

/// A host with a default locale of its own.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Domain {
    /// Host name, without port.
    pub domain: String,
    /// The locale of paths without one on this host.
    pub default_locale: String,
    /// The other locales of this host.
    #[serde(default)]
    pub locales: Option<Vec<String>>,
    /// Use `http` instead of `https` in redirects to this host.
    #[serde(default)]
    pub http: Option<bool>,
}

/// Experimental options that change how a request is answered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Experimental {
    /// Match rule sources case-sensitively.
    pub case_sensitive_routes: bool,
    /// Whether what is rendered at run time is written to disk; absent is yes.
    pub isr_flush_to_disk: Option<bool>,
    /// Build `initURL` from the `Host` header.
    pub trust_host_header: bool,
    /// Redirect RSC requests whose `_rsc` does not fit their headers.
    #[serde(rename = "validateRSCRequestHeaders")]
    pub validate_rsc_request_headers: Option<bool>,
    /// Whether a cookie makes pages answer with their shells only.
    pub expose_testing_api_in_production_build: bool,
    /// Whether tests answer what the app fetches, so that nothing is kept.
    pub test_proxy: bool,
    /// Origins that may see the rewritten path of an RSC request.
    pub client_param_parsing_origins: Option<Vec<String>>,
    /// Milliseconds of silence after which an external rewrite fails: absent is upstream's 30 s, `null` is for ever.
    #[serde(deserialize_with = "present")]
    pub proxy_timeout: Option<Option<f64>>,
    /// Bytes of a request body that middleware may see.
    pub proxy_client_max_body_size: Option<f64>,
    /// The name of `proxy_client_max_body_size` before 16.
    pub middleware_client_max_body_size: Option<f64>,
    /// Pixels of a source that is decoded; absent is upstream's 16383 squared.
    pub img_opt_max_input_pixels: Option<f64>,
    /// Seconds that an image may take; absent is 7.
    pub img_opt_timeout_in_seconds: Option<f64>,
    /// Whether JPEGs are made small at some expense; absent is yes.
    pub img_opt_mozjpeg: Option<bool>,
}

impl Experimental {
    /// For how long an external rewrite and its client may be silent. Zero is not a time that upstream takes.
    pub fn proxy_timeout(&self) -> Option<Duration> {
        const USUAL: f64 = 30_000.0;
        let milliseconds = match self.proxy_timeout {
            Some(None) => return None,
            Some(Some(set)) if set > 0.0 && set.is_finite() => set,
            _ => USUAL,
        };
        Some(Duration::from_millis(milliseconds as u64))
    }
}

/// What JavaScript takes for true.
fn truthy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(!matches!(
        value,
        serde_json::Value::Null | serde_json::Value::Bool(false)
    ))
}

/// Tells `null` from absent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<f64>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

impl NextConfig {
    /// Reads the evaluated configuration.
    ///
    /// # Errors
    /// The option that does not fit, and why.
    pub fn parse(json: &str) -> Result<NextConfig, String> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let why = error.inner().to_string();
            // The user has not seen the text that the position refers to.
            let why = why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why);
            format!("`{}`: {why}", error.path())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_of_rewrites_has_three_kinds() {
        let timeout = |json: &str| {
            let experimental: Experimental = serde_json::from_str(json).unwrap();
            experimental.proxy_timeout()
        };
        assert_eq!(timeout("{}"), Some(Duration::from_secs(30)));
        assert_eq!(timeout(r#"{"proxyTimeout":0}"#), Some(Duration::from_secs(30)));
        assert_eq!(timeout(r#"{"proxyTimeout":1500}"#), Some(Duration::from_millis(1500)));
        assert_eq!(timeout(r#"{"proxyTimeout":null}"#), None);
    }

    #[test]
    fn a_wrong_type_is_named_with_its_option() {
        let what = |json: &str| NextConfig::parse(json).unwrap_err();
        assert_eq!(
            what(r#"{"compress":"yes"}"#),
            r#"`compress`: invalid type: string "yes", expected a boolean"#
        );
        assert!(what(r#"{"experimental":{"isrFlushToDisk":5}}"#).starts_with("`experimental.isrFlushToDisk`: "));
    }
}
