//! Which sources may be asked for.
//!
//! In: `images.localPatterns`, `remotePatterns` and `domains`. Out: whether a URL is among them. Globs are picomatch's, and come
//! as the regular expressions that the app's own `next` makes of them, so that they are exactly upstream's
//! (`match-local-pattern.js`, `match-remote-pattern.js` of `next/dist/shared/lib`).

use url::Url;

use crate::config::ImagesConfig;
use crate::error::{Code, Error, Result};
use crate::route::pattern::JsRegex;

/// The compiled patterns.
#[derive(Debug)]
pub struct Patterns {
    /// `None`: any path.
    local: Option<Vec<Local>>,
    remote: Vec<Remote>,
    domains: Vec<String>,
}

#[derive(Debug)]
struct Local {
    search: Option<String>,
    pathname: JsRegex,
}

#[derive(Debug)]
struct Remote {
    protocol: Option<String>,
    port: Option<String>,
    search: Option<String>,
    hostname: JsRegex,
    pathname: JsRegex,
}

impl Patterns {
    /// Compiles the patterns of a configuration.
    ///
    /// # Errors
    /// `FERRONEXT_BAD_CONFIG` that names the pattern.
    pub fn compile(config: &ImagesConfig) -> Result<Patterns> {
        let local = config.local_patterns.as_ref().map(|patterns| {
            let compiled = patterns.iter().enumerate().map(|(index, pattern)| {
                Ok(Local {
                    search: pattern.search.clone(),
                    pathname: regex(&pattern.pathname_regex, "localPatterns", index)?,
                })
            });
            compiled.collect::<Result<Vec<_>>>()
        });
        let remote = config.remote_patterns.iter().enumerate().map(|(index, pattern)| {
            let without_colon = |text: &String| text.strip_suffix(':').unwrap_or(text).to_owned();
            Ok(Remote {
                protocol: pattern.protocol.as_ref().map(without_colon),
                port: pattern.port.clone(),
                search: pattern.search.clone(),
                hostname: regex(&pattern.hostname_regex, "remotePatterns", index)?,
                pathname: regex(&pattern.pathname_regex, "remotePatterns", index)?,
            })
        });
        Ok(Patterns {
            local: local.transpose()?,
            remote: remote.collect::<Result<_>>()?,
            domains: config.domains.clone(),
        })
    }

    /// Whether any path of this server may be asked for.
    pub fn allow_any_path(&self) -> bool {
        self.local.is_none()
    }

    /// Whether a path of this server, resolved against some host, may be asked for.
    pub fn allow_local(&self, url: &Url) -> bool {
        let Some(patterns) = &self.local else { return true };
        patterns.iter().any(|pattern| {
            pattern.search.as_deref().is_none_or(|wanted| wanted == search(url))
                && matches(&pattern.pathname, url.path())
        })
    }

    /// Whether a URL of another server may be asked for.
    pub fn allow_remote(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        self.domains.iter().any(|domain| domain == host)
            || self.remote.iter().any(|pattern| {
                pattern.protocol.as_deref().is_none_or(|wanted| wanted == url.scheme())
                    && pattern.port.as_deref().is_none_or(|wanted| wanted == port(url))
                    && matches(&pattern.hostname, host)
                    && pattern.search.as_deref().is_none_or(|wanted| wanted == search(url))
                    && matches(&pattern.pathname, url.path())
            })
    }
}

/// `URL.search`: with its question mark, and empty when nothing follows that.
pub fn search(url: &Url) -> String {
    match url.query() {
        None | Some("") => String::new(),
        Some(query) => format!("?{query}"),
    }
}

/// `URL.port`: empty for the usual one.
fn port(url: &Url) -> String {
    url.port().map_or_else(String::new, |port| port.to_string())
}

/// A text that would take too many steps does not match: what cannot be said to be allowed is not.
fn matches(regex: &JsRegex, text: &str) -> bool {
    regex.is_match(text).unwrap_or(false)
}

fn regex(source: &str, option: &str, index: usize) -> Result<JsRegex> {
    JsRegex::compile(source, false).map_err(|why| {
        Error::new(
            Code::BadConfig,
            format!("images.{option}[{index}] cannot be used: {why}. Write its globs in another way."),
        )
    })
}
