//! `images` of an evaluated `next.config`. Names and defaults are upstream's (`next/dist/shared/lib/image-config.js`).
//!
//! Upstream's `config.js` has already added what it adds: the patterns of static media, and the host of `assetPrefix`. The globs
//! of a pattern come with the regular expressions that the app's own `next` makes of them (`runtime/next/config.js`), so that
//! they mean here what they mean there.

use serde::Deserialize;

/// How `/_next/image` is configured. A field that is absent has upstream's default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ImagesConfig {
    /// Widths of devices. A request may ask for these and for [`ImagesConfig::image_sizes`].
    pub device_sizes: Vec<f64>,
    /// Widths of images that are smaller than the device.
    pub image_sizes: Vec<f64>,
    /// Who makes the images; `default` is this server.
    pub loader: String,
    /// Hosts that images may come from, compared as they are.
    pub domains: Vec<String>,
    /// Seconds that an image is fresh at least.
    #[serde(rename = "minimumCacheTTL")]
    pub minimum_cache_ttl: f64,
    /// Formats to offer, the preferred one first.
    pub formats: Vec<String>,
    /// Bytes of the cache on disk; absent is half of what is free at start, 0 is no cache.
    pub maximum_disk_cache_size: Option<f64>,
    /// How often another server may redirect.
    pub maximum_redirects: f64,
    /// Bytes of a source.
    pub maximum_response_body: f64,
    /// Whether another server may have a private address.
    #[serde(rename = "dangerouslyAllowLocalIP")]
    pub dangerously_allow_local_ip: bool,
    /// Whether a source may be an SVG.
    #[serde(rename = "dangerouslyAllowSVG")]
    pub dangerously_allow_svg: bool,
    /// `Content-Security-Policy` of every image.
    pub content_security_policy: String,
    /// `inline` or `attachment`.
    pub content_disposition_type: String,
    /// Paths of this server that may be asked for; absent is any.
    pub local_patterns: Option<Vec<LocalPattern>>,
    /// Other servers that may be asked.
    pub remote_patterns: Vec<RemotePattern>,
    /// Qualities that may be asked for; absent is any.
    pub qualities: Option<Vec<f64>>,
    /// Whether images are left as they are, so that there is nothing to serve.
    pub unoptimized: bool,
    /// Whether the app's `cacheHandler` keeps the images.
    pub custom_cache_handler: bool,
}

impl Default for ImagesConfig {
    fn default() -> Self {
        ImagesConfig {
            device_sizes: [640., 750., 828., 1080., 1200., 1920., 2048., 3840.].to_vec(),
            image_sizes: [32., 48., 64., 96., 128., 256., 384.].to_vec(),
            loader: "default".to_owned(),
            domains: Vec::new(),
            minimum_cache_ttl: 14_400.0,
            formats: vec!["image/webp".to_owned()],
            maximum_disk_cache_size: None,
            maximum_redirects: 3.0,
            maximum_response_body: 50_000_000.0,
            dangerously_allow_local_ip: false,
            dangerously_allow_svg: false,
            content_security_policy: "script-src 'none'; frame-src 'none'; sandbox;".to_owned(),
            content_disposition_type: "attachment".to_owned(),
            local_patterns: None,
            remote_patterns: Vec::new(),
            qualities: Some(vec![75.0]),
            unoptimized: false,
            custom_cache_handler: false,
        }
    }
}

/// Paths of this server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LocalPattern {
    /// The search, question mark included, compared as it is; absent is any.
    pub search: Option<String>,
    /// What the glob of the path means.
    pub pathname_regex: String,
}

/// Images of another server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RemotePattern {
    /// `http` or `https`, with or without a colon; absent is both.
    pub protocol: Option<String>,
    /// The port as it stands in the URL, empty for the usual one; absent is any.
    pub port: Option<String>,
    /// The search, question mark included, compared as it is; absent is any.
    pub search: Option<String>,
    /// What the glob of the host means.
    pub hostname_regex: String,
    /// What the glob of the path means.
    pub pathname_regex: String,
}
