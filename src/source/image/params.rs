//! What a request to `/_next/image` asks for.
//!
//! In: the query, the `Accept` header and the configuration. Out: [`Params`], or the refusal, with the texts of upstream and in
//! its order (`validateParams` of `next/dist/server/image-optimizer.js`).

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use sha2::{Digest, Sha256};
use url::Url;

use super::negotiate::negotiate;
use super::patterns::Patterns;
use crate::config::ImagesConfig;
use crate::error::Result;
use crate::url::{decode_uri_component, Query, QueryValue};

/// Longest `url`, in UTF-16 units.
const MAX_URL: usize = 3072;

/// The version of the cache's layout, part of every key (`CACHE_VERSION`).
const CACHE_VERSION: &str = "4";

/// What may be asked for.
#[derive(Debug)]
pub struct Rules {
    patterns: Patterns,
    widths: Vec<f64>,
    qualities: Option<Vec<f64>>,
    formats: Vec<String>,
    static_media: Vec<String>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    /// The source: a path of this server as it was given, or the normalised URL of another.
    pub href: String,
    /// Whether another server has the source.
    pub absolute: bool,
    /// Whether the source is a file of the build, whose name changes with its content.
    pub immutable: bool,
    /// The widest that the image may be.
    pub width: u32,
    /// From 1 to 100.
    pub quality: u8,
    /// The format that the client asked for, one of the configured.
    pub format: Option<String>,
    /// The name of the image in the cache.
    pub key: String,
}

/// Why there is no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamsError {
    /// 400 with this text.
    Bad(String),
    /// Upstream fails here, with a bare 500.
    Fault(&'static str),
    /// Upstream fails here, with the error page for 500.
    Page(&'static str),
}

impl From<&str> for ParamsError {
    fn from(text: &str) -> Self {
        ParamsError::Bad(text.to_owned())
    }
}

impl Rules {
    /// Compiles the rules. `immutable_media`: whether a build may have files below `_next/static/immutable`.
    ///
    /// # Errors
    /// `FERRONEXT_BAD_CONFIG` when a pattern cannot be used.
    pub fn compile(config: &ImagesConfig, base_path: &str, immutable_media: bool) -> Result<Rules> {
        let mut static_media = vec![format!("{base_path}/_next/static/media")];
        if immutable_media {
            static_media.push(format!("{base_path}/_next/static/immutable/media"));
        }
        Ok(Rules {
            patterns: Patterns::compile(config)?,
            widths: [config.device_sizes.as_slice(), &config.image_sizes].concat(),
            qualities: config.qualities.clone(),
            formats: config.formats.clone(),
            static_media,
        })
    }

    /// What a request asks for.
    ///
    /// # Errors
    /// The refusal of upstream.
    pub fn read(&self, query: &Query, accept: &str) -> std::result::Result<Params, ParamsError> {
        let url = one(query, "url", "\"url\" parameter")?;
        if url.encode_utf16().count() > MAX_URL {
            return Err("\"url\" parameter is too long".into());
        }
        if url.starts_with("//") {
            return Err("\"url\" parameter cannot be a protocol-relative URL (//)".into());
        }
        let absolute = !url.starts_with('/');
        let href = if absolute { self.remote(url)? } else { self.local(url)? };

        let width = one(query, "w", "\"w\" parameter (width)")?;
        if !is_digits(width) {
            return Err("\"w\" parameter (width) must be an integer greater than 0".into());
        }
        let quality = one(query, "q", "\"q\" parameter (quality)")?;
        if !is_digits(quality) {
            return Err("\"q\" parameter (quality) must be an integer between 1 and 100".into());
        }
        let width_value = number(width);
        if width_value <= 0.0 {
            return Err("\"w\" parameter (width) must be an integer greater than 0".into());
        }
        if !self.widths.contains(&width_value) {
            let width = js_number(width_value);
            return Err(ParamsError::Bad(format!(
                "\"w\" parameter (width) of {width} is not allowed"
            )));
        }
        let quality_value = number(quality);
        if !(1.0..=100.0).contains(&quality_value) {
            return Err("\"q\" parameter (quality) must be an integer between 1 and 100".into());
        }
        if self.qualities.as_ref().is_some_and(|all| !all.contains(&quality_value)) {
            return Err(ParamsError::Bad(format!(
                "\"q\" parameter (quality) of {quality} is not allowed"
            )));
        }
        let format = negotiate(&self.formats, accept)
            .map_err(|_| ParamsError::Fault("The Accept header of a request for an image cannot be understood."))?;
        let params = Params {
            immutable: self.static_media.iter().any(|prefix| url.starts_with(prefix.as_str())),
            absolute,
            width: width_value as u32,
            quality: quality_value as u8,
            format: format.map(str::to_owned),
            key: String::new(),
            href,
        };
        Ok(Params {
            key: key(&params),
            ..params
        })
    }

    fn local(&self, url: &str) -> std::result::Result<String, ParamsError> {
        let parsed = dummy_origin().and_then(|base| base.join(url).ok());
        let path = parsed.as_ref().map_or("", Url::path);
        let Some(decoded) = decode_uri_component(path) else {
            return Err(ParamsError::Fault(
                "The path of a requested image is not encoded as UTF-8.",
            ));
        };
        if is_recursive(&decoded) {
            return Err("\"url\" parameter cannot be recursive".into());
        }
        match &parsed {
            _ if self.patterns.allow_any_path() => Ok(url.to_owned()),
            None => Err(ParamsError::Page("The path of a requested image is no URL.")),
            Some(parsed) if self.patterns.allow_local(parsed) => Ok(url.to_owned()),
            Some(_) => Err("\"url\" parameter is not allowed".into()),
        }
    }

    fn remote(&self, url: &str) -> std::result::Result<String, ParamsError> {
        let parsed = Url::parse(url).map_err(|_| ParamsError::from("\"url\" parameter is invalid"))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err("\"url\" parameter is invalid".into());
        }
        if !self.patterns.allow_remote(&parsed) {
            return Err("\"url\" parameter is not allowed".into());
        }
        Ok(parsed.into())
    }
}

/// The one value of a parameter.
fn one<'q>(query: &'q Query, name: &str, called: &str) -> std::result::Result<&'q str, ParamsError> {
    match query.get(name) {
        Some(QueryValue::One(value)) if !value.is_empty() => Ok(value),
        Some(QueryValue::Many(_)) => Err(ParamsError::Bad(format!("{called} cannot be an array"))),
        _ => Err(ParamsError::Bad(format!("{called} is required"))),
    }
}

/// The host against which upstream resolves paths.
fn dummy_origin() -> Option<Url> {
    Url::parse("http://n").ok()
}

/// `/\/_next\/image($|\/)/`
fn is_recursive(path: &str) -> bool {
    const OWN: &str = "/_next/image";
    path.match_indices(OWN).any(|(at, _)| {
        let rest = &path[at + OWN.len()..];
        rest.is_empty() || rest.starts_with('/')
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// JavaScript's `parseInt` of digits: infinite when there are too many.
fn number(digits: &str) -> f64 {
    digits.parse().unwrap_or(f64::INFINITY)
}

/// A whole number as JavaScript writes it.
pub fn js_number(value: f64) -> String {
    if value.is_infinite() {
        return "Infinity".to_owned();
    }
    if value < 1e21 {
        return format!("{value}");
    }
    format!("{value:e}").replace('e', "e+")
}

fn key(params: &Params) -> String {
    let mut hash = Sha256::new();
    hash.update(CACHE_VERSION);
    hash.update(&params.href);
    hash.update(params.width.to_string());
    hash.update(params.quality.to_string());
    hash.update(params.format.as_deref().unwrap_or_default());
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// A name for an image by its content (`getImageEtag`).
pub fn content_tag(image: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(image))
}

/// A name for a source: its `ETag`, in a form that a file name can hold, or else one by its content (`extractEtag`).
pub fn source_tag(etag: Option<&str>, image: &[u8]) -> String {
    match etag {
        Some(etag) if !etag.is_empty() => URL_SAFE_NO_PAD.encode(etag),
        _ => content_tag(image),
    }
}

#[cfg(test)]
#[path = "params_tests.rs"]
mod tests;
