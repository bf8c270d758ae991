//! Where a redirect or a rewrite leads.
//!
//! In: a destination as written, the parameters of a match and the query. Out: the parts of the URL. Source:
//! `prepareDestination` in `next/dist/shared/lib/router/utils/prepare-destination.js`, and `server-route-utils.js`.

use std::collections::HashSet;

use smallvec::SmallVec;

use super::interpolate::interpolate;
use super::RuleFault;
use crate::route::params::Params;
use crate::route::pattern::{Encoding, Name, Template};
use crate::url::{
    encode_uri_component, interception_marker, is_interception_page, parse_target, Dialect, Query, QueryValue, UrlParts,
};

/// What stands for the colon of a parameter while the destination is parsed as a URL.
const COLON: &str = "__ESC_COLON_";

/// A destination, compiled for the parameters it is likely to meet.
#[derive(Debug, Clone)]
pub struct Destination {
    written: String,
    /// Text after each colon.
    tails: Vec<String>,
    /// Which colons the parameters of the rule take, and the result of parsing with those.
    usual: Option<(SmallVec<[bool; 4]>, Parsed)>,
    options: DestinationOptions,
}

/// What differs between versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DestinationOptions {
    /// Percent-encode parameters in the host.
    pub encode_host: bool,
    /// Take separators between touching parameters out again.
    pub strip_separators: bool,
    /// Keep user and password.
    pub keep_auth: bool,
}

#[derive(Debug, Clone)]
struct Parsed {
    parts: UrlParts,
    path: Template,
    host: Option<Template>,
    /// Parameters that path and host use.
    used: Vec<String>,
    /// What the unnamed groups of an interception route are.
    markers: SmallVec<[&'static str; 2]>,
}

impl Destination {
    /// Compiles `written` for rules whose matches have (at most) the parameters `names`.
    pub fn compile(written: &str, names: &[String], options: DestinationOptions) -> Destination {
        let tails: Vec<String> = written
            .char_indices()
            .filter(|&(_, c)| c == ':')
            .map(|(at, _)| written.get(at + 1..).unwrap_or_default().to_owned())
            .collect();
        let taken = taken(&tails, names.iter().map(String::as_str));
        // A destination that does not parse is a fault of each request that gets there, not of the start.
        let usual = Parsed::parse(written, &taken, options)
            .ok()
            .map(|parsed| (taken, parsed));
        Destination {
            written: written.to_owned(),
            tails,
            usual,
            options,
        }
    }

    /// Fills in the parameters of a match. `query` is the one of the request; the result has both merged.
    ///
    /// With `append`, parameters join the query if neither path nor host uses any of them.
    pub fn fill(&self, params: &Params, query: &Query, append: bool) -> Result<UrlParts, RuleFault> {
        // Names of the request's query count as parameters here, although nothing fills them in.
        let taken = taken(&self.tails, params.names().chain(query.keys()));
        let parsed_now;
        let parsed = match &self.usual {
            Some((usual, parsed)) if *usual == taken => parsed,
            _ => {
                parsed_now = Parsed::parse(&self.written, &taken, self.options)?;
                &parsed_now
            }
        };
        let strip = self.options.strip_separators;
        let mut parts = parsed.parts.clone();
        let own = std::mem::take(&mut parts.query);
        let mut merged = query.clone();
        for (key, value) in own.iter() {
            merged.set(key, fill_value(value, params, strip)?);
        }
        let names = || params.names().filter(|name| *name != "nextInternalLocale");
        if append && !names().any(|name| parsed.used.iter().any(|used| used == name)) {
            for name in names().filter(|name| !own.contains(name)) {
                match params.get(name) {
                    Some(value) => merged.set(name, value.clone()),
                    // A named group that took no part is written as nothing, which only another server can notice.
                    None if parts.is_absolute() => merged.set(name, QueryValue::One(String::new())),
                    None => {}
                }
            }
        }
        let filled = if parsed.markers.is_empty() {
            parsed.path.fill(params, Encoding::None)?
        } else {
            let mut params = params.clone();
            for (i, marker) in parsed.markers.iter().enumerate() {
                params.set(&i.to_string(), Some(QueryValue::from(*marker)));
            }
            parsed.path.fill(&params, Encoding::None)?
        };
        let mut pieces = filled.split('#');
        parts.pathname = pieces.next().unwrap_or_default().to_owned();
        parts.hash = match pieces.next() {
            Some(hash) if !hash.is_empty() => format!("#{hash}"),
            _ => String::new(),
        };
        if let Some(host) = &parsed.host {
            let encoding = if self.options.encode_host {
                Encoding::Component
            } else {
                Encoding::None
            };
            parts.hostname = host.fill(params, encoding)?;
        }
        if !parts.search.is_empty() {
            parts.search = interpolate(&parts.search, params, strip)?;
        }
        parts.query = merged;
        Ok(parts)
    }
}

fn fill_value(value: &QueryValue, params: &Params, strip: bool) -> Result<QueryValue, RuleFault> {
    let fill = |text: &str| interpolate(&unescape(text), params, strip);
    Ok(match value {
        QueryValue::One(text) => QueryValue::One(fill(text)?),
        QueryValue::Many(texts) => {
            QueryValue::Many(texts.iter().map(|text| fill(text)).collect::<Result<_, String>>()?)
        }
    })
}

/// For each colon, whether one of `names` follows it.
fn taken<'n>(tails: &[String], names: impl Iterator<Item = &'n str>) -> SmallVec<[bool; 4]> {
    let mut taken = SmallVec::from_elem(false, tails.len());
    for name in names.filter(|name| !name.is_empty()) {
        for (flag, tail) in taken.iter_mut().zip(tails) {
            *flag |= tail.starts_with(name);
        }
    }
    taken
}

/// Colons of parameters come back, whatever a URL parser did to the case of their mark.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find_mark(rest) {
        out.push_str(rest.get(..at).unwrap_or_default());
        out.push(':');
        rest = rest.get(at + COLON.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn find_mark(text: &str) -> Option<usize> {
    text.as_bytes()
        .windows(COLON.len())
        .position(|window| window.eq_ignore_ascii_case(COLON.as_bytes()))
}

impl Parsed {
    fn parse(written: &str, taken: &[bool], options: DestinationOptions) -> Result<Parsed, String> {
        let mut escaped = String::with_capacity(written.len() + 16);
        let mut colons = taken.iter();
        for c in written.chars() {
            if c == ':' && colons.next() == Some(&true) {
                escaped.push_str(COLON);
            } else {
                escaped.push(c);
            }
        }
        let mut parts = parse_target(&escaped, Dialect::Whatwg).map_err(|_| format!("Invalid URL: {escaped}"))?;
        if !options.keep_auth {
            parts.auth = None;
        }
        parts.pathname = unescape(&parts.pathname);
        parts.hostname = unescape(&parts.hostname);
        parts.hash = unescape(&parts.hash);
        parts.search = unescape(&parts.search);
        parts.origin = parts.origin.as_deref().map(unescape);
        // Path and fragment are one template, because that is how parameters of both are found.
        let path = format!("{}{}", parts.pathname, parts.hash);
        let mut used = names(Template::keys(&path)?);
        let host = if parts.hostname.is_empty() {
            None
        } else {
            used.extend(names(Template::keys(&parts.hostname)?));
            Some(Template::compile(&parts.hostname, options.strip_separators)?)
        };
        Ok(Parsed {
            markers: markers(&path),
            path: Template::compile(&path, options.strip_separators)?,
            host,
            used,
            parts,
        })
    }
}

fn names(keys: Vec<Name>) -> Vec<String> {
    keys.into_iter()
        .filter_map(|key| match key {
            Name::Named(name) => Some(name),
            Name::Index(_) => None,
        })
        .collect()
}

/// A marker such as `(.)` reads as an unnamed group; it stands for itself.
fn markers(path: &str) -> SmallVec<[&'static str; 2]> {
    let mut markers = SmallVec::new();
    if is_interception_page(path) {
        match path.split('/').find_map(interception_marker) {
            Some("(..)(..)") => markers.extend(["(..)", "(..)"]),
            Some(marker) => markers.push(marker),
            None => {}
        }
    }
    markers
}

/// Writes a query into a redirect or a proxied URL: what the client sent is encoded, what a rule wrote stays as it is.
pub fn stringify_query(query: &Query, initial: &Query) -> String {
    // Both are the client's to choose, so their sizes must not multiply.
    let values = initial.iter().flat_map(|(_, value)| value.iter());
    let sent: HashSet<&str> = initial.keys().chain(values).collect();
    query.stringify(|text| {
        if sent.contains(text) {
            encode_uri_component(text).into_owned()
        } else {
            text.to_owned()
        }
    })
}
