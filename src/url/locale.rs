//! Locales of the Pages Router: in the path, and by host.
//!
//! In: a path or a host. Out: the locale it names. Sources: `next/dist/shared/lib/i18n/{normalize-locale-path,
//! detect-domain-locale}.js`, `next/dist/shared/lib/get-hostname.js`.

use crate::config::{Domain, I18n};

/// A path without its locale, and the locale as the configuration writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalePath<'p, 'l> {
    /// The path without the locale; never empty.
    pub pathname: &'p str,
    /// The locale that stood in the path.
    pub locale: Option<&'l str>,
}

/// Splits the locale off `path`. The comparison ignores case.
pub fn split_locale<'p, 'l>(path: &'p str, locales: impl IntoIterator<Item = &'l str>) -> LocalePath<'p, 'l> {
    let whole = LocalePath {
        pathname: path,
        locale: None,
    };
    let Some((before, rest)) = path.split_once('/') else {
        return whole;
    };
    let segment = rest.split('/').next().unwrap_or_default();
    if segment.is_empty() {
        return whole;
    }
    let Some(locale) = locales.into_iter().find(|locale| same(locale, segment)) else {
        return whole;
    };
    // Upstream cuts by length, from the start of the path, wherever the segment stood.
    let cut = locale.len() + 1;
    let pathname = match path.get(cut..) {
        Some(rest) if !rest.is_empty() => rest,
        _ => "/",
    };
    debug_assert!(before.is_empty() || !path.starts_with('/'));
    LocalePath {
        pathname,
        locale: Some(locale),
    }
}

/// Whether two locales are the same but for case.
fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}

/// The locales of an app, with the questions routing asks about them.
#[derive(Debug, Clone)]
pub struct Locales {
    config: I18n,
    /// Locales under which static files answer: the default ones.
    for_files: Vec<String>,
}

impl Locales {
    /// Prepares the configuration.
    pub fn compile(config: &I18n) -> Locales {
        let mut for_files = vec![config.default_locale.clone()];
        for domain in config.domains.iter().flatten() {
            for_files.push(domain.default_locale.clone());
        }
        Locales {
            config: config.clone(),
            for_files,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &I18n {
        &self.config
    }

    /// The locale of paths without one, on every host without its own.
    pub fn default_locale(&self) -> &str {
        &self.config.default_locale
    }

    /// Splits any locale off `path`.
    pub fn split<'p>(&self, path: &'p str) -> LocalePath<'p, '_> {
        split_locale(path, self.config.locales.iter().map(String::as_str))
    }

    /// Splits a default locale off `path`.
    pub fn split_for_files<'p>(&self, path: &'p str) -> LocalePath<'p, '_> {
        split_locale(path, self.for_files.iter().map(String::as_str))
    }

    /// The domain of a host.
    pub fn domain_of_host(&self, host: Option<&str>) -> Option<&Domain> {
        detect_domain_locale(self.config.domains.as_deref(), host, None)
    }

    /// The domain for a host or, failing that, for a locale, whichever comes first in the configuration.
    pub fn domain_of_locale(&self, locale: Option<&str>) -> Option<&Domain> {
        detect_domain_locale(self.config.domains.as_deref(), None, locale)
    }
}

/// The first domain that is `host`, or that has `locale`.
pub fn detect_domain_locale<'d>(
    domains: Option<&'d [Domain]>,
    host: Option<&str>,
    locale: Option<&str>,
) -> Option<&'d Domain> {
    let is_locale = |candidate: &str| locale.is_some_and(|locale| same(candidate, locale));
    domains?.iter().find(|item| {
        let name = item.domain.split(':').next().unwrap_or_default().to_lowercase();
        host == Some(name.as_str())
            || is_locale(&item.default_locale)
            || item.locales.iter().flatten().any(|candidate| is_locale(candidate))
    })
}

/// The name in a `Host` header: without port, lower case.
pub fn host_name(host: &str) -> String {
    host.split(':').next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_the_first_segment_in_any_case() {
        let locales = ["en", "fr", "nl-NL"];
        for (path, pathname, locale) in [
            ("/", "/", None),
            ("", "", None),
            ("/en", "/", Some("en")),
            ("/EN/x", "/x", Some("en")),
            ("/nl-nl/", "/", Some("nl-NL")),
            ("/fr/en/x", "/en/x", Some("fr")),
            ("/english", "/english", None),
            ("/x/fr", "/x/fr", None),
        ] {
            let split = split_locale(path, locales);
            assert_eq!((split.pathname, split.locale), (pathname, locale), "{path}");
        }
    }

    #[test]
    fn a_domain_is_found_by_host_or_by_locale() {
        let domains = [
            Domain {
                domain: "ex.com:3000".into(),
                default_locale: "en".into(),
                ..Domain::default()
            },
            Domain {
                domain: "ex.fr".into(),
                default_locale: "fr".into(),
                locales: Some(vec!["fr-BE".into()]),
                ..Domain::default()
            },
        ];
        let find = |host, locale| {
            detect_domain_locale(Some(&domains), host, locale).map(|domain| domain.default_locale.as_str())
        };
        assert_eq!(find(Some("ex.com"), None), Some("en"));
        assert_eq!(find(None, Some("FR-be")), Some("fr"));
        assert_eq!(find(Some("other"), None), None);
        assert_eq!(host_name("Ex.COM:80"), "ex.com");
    }
}
