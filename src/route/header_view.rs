//! Request headers as routing sees them: what arrived, then what routing or middleware changed.
//!
//! In: the headers of a request and an [`Overlay`]. Out: single values, joined as Node's `req.headers` joins them.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::request::Headers;

/// The value of a header: one line or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderText {
    /// One line.
    One(String),
    /// One line for each.
    Many(Vec<String>),
}

impl From<&str> for HeaderText {
    fn from(text: &str) -> Self {
        HeaderText::One(text.to_owned())
    }
}

impl HeaderText {
    /// Adds a line.
    pub fn push(&mut self, line: String) {
        match self {
            HeaderText::One(first) => *self = HeaderText::Many(vec![std::mem::take(first), line]),
            HeaderText::Many(lines) => lines.push(line),
        }
    }

    /// Its lines, at least one.
    pub fn lines(&self) -> &[String] {
        match self {
            HeaderText::One(line) => std::slice::from_ref(line),
            HeaderText::Many(lines) => lines,
        }
    }
}

/// Changes to the request headers that were made on the way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overlay {
    /// None of the headers that arrived counts any more.
    replaces_all: bool,
    /// Headers that were set, by lower-case name.
    set: IndexMap<String, HeaderText>,
    /// Headers that were taken off, by lower-case name.
    removed: Vec<&'static str>,
}

impl Overlay {
    /// Sets a header, instead of any that arrived.
    pub fn set(&mut self, name: &str, value: HeaderText) {
        self.set.insert(name.to_ascii_lowercase(), value);
    }

    /// Takes off a header (lower case), whether it arrived or was set.
    pub fn remove(&mut self, name: &'static str) {
        self.set.shift_remove(name);
        self.removed.push(name);
    }

    /// Drops every header, those that arrived and those that were set.
    pub fn clear(&mut self) {
        self.replaces_all = true;
        self.set.clear();
    }

    /// The headers that were set.
    pub fn changes(&self) -> impl Iterator<Item = (&str, &HeaderText)> {
        self.set.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether the headers that arrived are gone, so that only [`Overlay::changes`] are left.
    pub fn replaces_all(&self) -> bool {
        self.replaces_all
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        !self.replaces_all && self.set.is_empty() && self.removed.is_empty()
    }
}

/// Headers of which Node keeps only the first (`lib/_http_incoming.js`).
const FIRST_ONLY: [&str; 19] = [
    "age",
    "authorization",
    "content-length",
    "content-type",
    "etag",
    "expires",
    "from",
    "host",
    "if-modified-since",
    "if-unmodified-since",
    "last-modified",
    "location",
    "max-forwards",
    "proxy-authorization",
    "referer",
    "retry-after",
    "server",
    "user-agent",
    "set-cookie",
];

/// Whether Node keeps only the first line of `name` (lower case), or each by itself.
pub fn is_single(name: &str) -> bool {
    FIRST_ONLY.contains(&name)
}

/// The headers that arrived, seen through the changes.
#[derive(Debug, Clone, Copy)]
pub struct HeaderView<'a> {
    arrived: &'a Headers,
    overlay: &'a Overlay,
}

impl<'a> HeaderView<'a> {
    /// Looks at `arrived` through `overlay`.
    pub fn new(arrived: &'a Headers, overlay: &'a Overlay) -> Self {
        HeaderView { arrived, overlay }
    }

    /// The names in lower case, in the order in which they came; one that came twice stands twice.
    pub fn names(&self) -> Vec<String> {
        let arrived = self.arrived.iter().filter(|_| !self.overlay.replaces_all);
        arrived
            .map(|(name, _)| name.to_ascii_lowercase())
            .chain(self.overlay.set.keys().cloned())
            .collect()
    }

    /// The value of `name` (lower case).
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        if let Some(value) = self.overlay.set.get(name) {
            return Some(match value {
                HeaderText::One(value) => Cow::Borrowed(value),
                HeaderText::Many(values) => Cow::Owned(values.join(", ")),
            });
        }
        if self.overlay.replaces_all || self.overlay.removed.contains(&name) {
            return None;
        }
        let mut values = self.arrived.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (_, first) = values.next()?;
        if FIRST_ONLY.contains(&name) {
            return Some(Cow::Borrowed(first));
        }
        let separator = if name == "cookie" { "; " } else { ", " };
        let mut joined = Cow::Borrowed(first);
        for (_, value) in values {
            let text = joined.to_mut();
            text.push_str(separator);
            text.push_str(value);
        }
        Some(joined)
    }

    /// Every header by lower-case name, in the order of the properties of Node's `req.headers`: a changed one keeps its place.
    pub fn entries(&self) -> Vec<(String, HeaderText)> {
        let mut entries: Vec<(String, HeaderText)> = Vec::new();
        if !self.overlay.replaces_all {
            for (name, _) in self.arrived.iter() {
                let name = name.to_ascii_lowercase();
                if !entries.iter().any(|(known, _)| *known == name) {
                    let value = self.overlay.set.get(&name).cloned();
                    let value = value.or_else(|| self.get(&name).map(|value| HeaderText::One(value.into_owned())));
                    entries.extend(value.map(|value| (name, value)));
                }
            }
        }
        for (name, value) in &self.overlay.set {
            if !entries.iter().any(|(known, _)| known == name) {
                entries.push((name.clone(), value.clone()));
            }
        }
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_hide_what_arrived() {
        let arrived = Headers::parse("Host\0h\0host\0i\0A\0x\0a\0y\0Cookie\0x=1\0cookie\0y=2");
        let mut overlay = Overlay::default();
        let get = |overlay: &Overlay, name| HeaderView::new(&arrived, overlay).get(name).map(Cow::into_owned);
        assert_eq!(get(&overlay, "host").as_deref(), Some("h"));
        assert_eq!(get(&overlay, "a").as_deref(), Some("x, y"));
        assert_eq!(get(&overlay, "cookie").as_deref(), Some("x=1; y=2"));
        overlay.set("B", "3".into());
        assert_eq!(get(&overlay, "b").as_deref(), Some("3"));
        assert_eq!(get(&overlay, "a").as_deref(), Some("x, y"));
        overlay.clear();
        assert_eq!(get(&overlay, "b"), None);
        assert_eq!(get(&overlay, "a"), None);
    }
}
