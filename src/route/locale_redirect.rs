//! The redirect of `/` to a visitor's locale, before everything else.
//!
//! In: host, cookie and `Accept-Language`. Out: a 307, or nothing. Sources: `requestHandlerImpl` in
//! `next/dist/server/lib/router-server.js`, `next/dist/shared/lib/i18n/get-locale-redirect.js`.

use super::decision::{Decision, Redirect, RedirectReason};
use super::header_view::{HeaderView, Overlay};
use super::rule::cookie;
use crate::config::NextConfig;
use crate::request::Request;
use crate::url::{
    denormalize_page_path, format_location, host_name, parse_target, preferred_locale, remove_path_prefix, Dialect,
    Locales,
};

/// The redirect, if this request gets one.
pub(super) fn locale_redirect(config: &NextConfig, locales: Option<&Locales>, request: &Request) -> Option<Decision> {
    let locales = locales.filter(|locales| locales.config().locale_detection != Some(false))?;
    let path = request.target.split('?').next().unwrap_or_default();
    let path = if config.base_path.is_empty() {
        path.into()
    } else {
        remove_path_prefix(path, &config.base_path)
    };
    let split = locales
        .split(&remove_path_prefix_again(&path, config))
        .locale
        .map(str::to_owned);
    let asked = match &split {
        Some(locale) => format!("/{locale}{path}"),
        None => path.clone().into_owned(),
    };
    if denormalize_page_path(&asked) != "/" {
        return None;
    }
    let overlay = Overlay::default();
    let headers = HeaderView::new(&request.headers, &overlay);
    let host = headers.get("host").map(|host| host_name(&host));
    let domain = locales.domain_of_host(host.as_deref());
    let default_locale = domain.map_or(locales.default_locale(), |domain| &domain.default_locale);
    let known = &locales.config().locales;
    let preferred = headers
        .get("accept-language")
        .map(|header| preferred_locale(&header, known).unwrap_or_default());
    let from_cookie = || {
        let header = headers.get("cookie")?;
        let wanted = cookie(&header, "NEXT_LOCALE")?.to_lowercase();
        known
            .iter()
            .find(|locale| locale.to_lowercase() == wanted && !wanted.is_empty())
            .cloned()
    };
    let detected = split
        .or_else(|| domain.map(|domain| domain.default_locale.clone()))
        .or_else(from_cookie)
        .or_else(|| preferred.clone().filter(|locale| !locale.is_empty()))
        .unwrap_or_else(|| locales.default_locale().to_owned());
    let preferred_domain = locales.domain_of_locale(preferred.as_deref());
    if let (Some(domain), Some(wanted)) = (domain, preferred_domain) {
        let is_locale = Some(wanted.default_locale.as_str()) == preferred.as_deref();
        if wanted.domain != domain.domain || !is_locale {
            let scheme = if wanted.http == Some(true) { "http" } else { "https" };
            let locale = if is_locale {
                ""
            } else {
                preferred.as_deref().unwrap_or_default()
            };
            return Some(redirect(format!("{scheme}://{}/{locale}", wanted.domain)));
        }
    }
    if detected.to_lowercase() == default_locale.to_lowercase() {
        return None;
    }
    let target = format!("/{}", request.target.trim_start_matches('/'));
    let parts = parse_target(&target, Dialect::Whatwg).ok()?;
    let slash = if config.trailing_slash { "/" } else { "" };
    let pathname = format!("{}/{detected}{slash}", config.base_path);
    Some(redirect(
        format_location(&pathname, &parts.search, &parts.query) + &parts.hash,
    ))
}

/// The path is looked at once more without basePath, which matters for `/docs/docs`.
fn remove_path_prefix_again(path: &str, config: &NextConfig) -> String {
    if config.base_path.is_empty() {
        path.to_owned()
    } else {
        remove_path_prefix(path, &config.base_path).into_owned()
    }
}

fn redirect(location: String) -> Decision {
    Decision::Redirect(Redirect {
        status: 307,
        location,
        refresh: None,
        reason: RedirectReason::Locale,
    })
}
