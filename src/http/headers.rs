//! The headers of a response, in order.
//!
//! In: names and values as upstream sets them. Out: the list Node writes. The order and the spelling of names follow
//! Node's `ServerResponse`: setting a name again keeps its place and takes the new spelling; further values of a name
//! stand beside the first (`lib/_http_outgoing.js`). `Vary` follows the `vary` package in `next/dist/compiled/compression`.
//!
//! A text is static, shared or owned ([`Text`]), so the headers of a stored file are set without allocating.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use super::ecma::is_blank;

/// A header's name or value.
#[derive(Clone)]
pub enum Text {
    /// Part of the program.
    Static(&'static str),
    /// Kept by a stored answer and shared with every response made from it.
    Shared(Arc<str>),
    /// Made for this response.
    Owned(Box<str>),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Static(text) => text,
            Text::Shared(text) => text,
            Text::Owned(text) => text,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Text::Static(text)
    }
}

impl From<&Arc<str>> for Text {
    fn from(text: &Arc<str>) -> Self {
        Text::Shared(Arc::clone(text))
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Text::Shared(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text::Owned(text.into())
    }
}

/// Response headers in the order they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct HeaderList {
    items: Vec<(Text, Text)>,
}

impl HeaderList {
    /// An empty list. Reserves nothing.
    pub fn new() -> Self {
        HeaderList::default()
    }

    /// An empty list with room for `count` headers.
    pub fn with_capacity(count: usize) -> Self {
        HeaderList {
            items: Vec::with_capacity(count),
        }
    }

    /// Makes room for `count` more headers, in one allocation.
    pub fn reserve(&mut self, count: usize) {
        self.items.reserve(count);
    }

    /// The first value of `name`, whatever its case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.position(name)
            .and_then(|at| self.items.get(at))
            .map(|(_, value)| &**value)
    }

    /// Whether `name` is set.
    pub fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Every value of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Sets `name` to one value, as `res.setHeader(name, value)`: a header that exists keeps its place.
    pub fn set(&mut self, name: impl Into<Text>, value: impl Into<Text>) {
        let (name, value) = (name.into(), value.into());
        let Some(at) = self.position(&name) else {
            self.items.push((name, value));
            return;
        };
        let mut index = 0;
        self.items.retain(|(key, _)| {
            let keep = index <= at || !key.eq_ignore_ascii_case(&name);
            index += 1;
            keep
        });
        if let Some(slot) = self.items.get_mut(at) {
            *slot = (name, value);
        }
    }

    /// Sets `name` unless it has a value. An empty one is none: upstream asks `if (!res.getHeader(name))`.
    pub fn set_default(&mut self, name: &'static str, value: impl Into<Text>) {
        match self.get(name) {
            None => self.push(name, value),
            Some("") => self.set(name, value),
            Some(_) => {}
        }
    }

    /// Adds a value, as `res.appendHeader(name, value)`: beside the values that `name` has, else at the end.
    pub fn append(&mut self, name: impl Into<Text>, value: impl Into<Text>) {
        let (name, value) = (name.into(), value.into());
        match self.items.iter().rposition(|(key, _)| key.eq_ignore_ascii_case(&name)) {
            Some(last) => self.items.insert(last + 1, (name, value)),
            None => self.items.push((name, value)),
        }
    }

    /// Adds a value as upstream's responses do: none twice, and every value of a name under the spelling of the last
    /// (`appendHeader` of `next/dist/server/base-http/node.js`).
    pub fn append_distinct(&mut self, name: impl Into<Text>, value: impl Into<Text>) {
        let (name, value) = (name.into(), value.into());
        if self.all(&name).any(|known| known == &*value) {
            return;
        }
        for (key, _) in &mut self.items {
            if key.eq_ignore_ascii_case(&name) {
                *key = name.clone();
            }
        }
        self.append(name, value);
    }

    /// Adds a header at the end without looking for its name. For names that are known to be absent.
    pub fn push(&mut self, name: impl Into<Text>, value: impl Into<Text>) {
        self.items.push((name.into(), value.into()));
    }

    /// Removes every value of `name`; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.items.len();
        self.items.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.items.len() != before
    }

    /// Adds `field` to `Vary` unless it is there or `Vary` is `*`. All values become one, joined by `, `.
    pub fn vary(&mut self, field: &'static str) {
        if !self.has("vary") {
            self.push("Vary", field);
            return;
        }
        let mut joined = self.all("vary").collect::<Vec<_>>().join(", ");
        if joined != "*" {
            // Only spaces are trimmed, not tabs: that is how the package reads the list.
            let listed = |wanted: &str| {
                joined
                    .split(',')
                    .any(|item| item.trim_matches(' ').eq_ignore_ascii_case(wanted))
            };
            if listed("*") || field == "*" {
                joined = "*".to_owned();
            } else if joined.is_empty() {
                joined = field.to_owned();
            } else if !listed(field) {
                joined.push_str(", ");
                joined.push_str(field);
            }
        }
        self.set("Vary", joined);
    }

    /// Name and value of each header.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.items.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How many lines will be written.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// `name\0value\0name\0value…` in one allocation: the form that crosses to JavaScript. No header holds a NUL byte.
    pub fn joined(&self) -> String {
        let size: usize = self
            .items
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2)
            .sum();
        let mut out = String::with_capacity(size);
        for (name, value) in self.iter() {
            if !out.is_empty() {
                out.push('\0');
            }
            out.push_str(name);
            out.push('\0');
            out.push_str(value);
        }
        out
    }

    /// Names and values in turn, as `writeHead` takes them.
    pub fn flat(&self) -> Vec<String> {
        self.iter()
            .flat_map(|(name, value)| [name.to_owned(), value.to_owned()])
            .collect()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.items.iter().position(|(key, _)| key.eq_ignore_ascii_case(name))
    }
}

impl<N: Into<Text>, V: Into<Text>> FromIterator<(N, V)> for HeaderList {
    /// Each header is set in turn; later ones replace earlier ones of the same name.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut list = HeaderList::new();
        for (name, value) in headers {
            list.set(name, value);
        }
        list
    }
}

/// Whether a comma-separated header holds a directive, blanks around it, letters as given.
pub fn has_directive(header: &str, directive: &str) -> bool {
    header.split(',').any(|item| item.trim_matches(is_blank) == directive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appending_a_distinct_value_spells_all_of_a_name_alike() {
        let mut list: HeaderList = [("Vary", "X-Thing"), ("Last", "z")].into_iter().collect();
        list.append_distinct("vary", "rsc");
        assert_eq!(list.joined(), "vary\0X-Thing\0vary\0rsc\0Last\0z");
        list.append_distinct("VARY", "X-Thing");
        list.append_distinct("new", "1");
        assert_eq!(list.joined(), "vary\0X-Thing\0vary\0rsc\0Last\0z\0new\x001");
    }

    #[test]
    fn setting_keeps_the_place_and_takes_the_new_spelling() {
        let mut list: HeaderList = [("etag", "a"), ("X-One", "1")].into_iter().collect();
        list.append("X-One", "2");
        list.append("Last", "z");
        list.append("x-one", "3");
        assert_eq!(list.joined(), "etag\0a\0X-One\x001\0X-One\x002\0x-one\x003\0Last\0z");
        list.set("ETag", "b".to_owned());
        list.set("x-One", "4");
        assert_eq!(list.flat(), ["ETag", "b", "x-One", "4", "Last", "z"]);
        assert!(list.remove("LAST"));
        assert!(!list.remove("LAST"));
        list.set_default("X-ONE", "5");
        list.set_default("Two", "2");
        assert_eq!(list.get("x-one"), Some("4"));
        assert_eq!(list.len(), 3);
        assert_eq!(HeaderList::new().joined(), "");
    }

    #[test]
    fn vary_merges_as_the_package_does() {
        let table: &[(&[&'static str], &str)] = &[
            (&[], "Accept-Encoding"),
            (&["RSC"], "RSC, Accept-Encoding"),
            (&["accept-encoding"], "accept-encoding"),
            (&["RSC,  Accept-Encoding ,X"], "RSC,  Accept-Encoding ,X"),
            (&["*"], "*"),
            (&["RSC, *"], "*"),
            (&["A", "B"], "A, B, Accept-Encoding"),
            (&[""], "Accept-Encoding"),
        ];
        for (before, after) in table {
            let mut list = HeaderList::new();
            for value in *before {
                list.append("vary", *value);
            }
            list.vary("Accept-Encoding");
            assert_eq!(list.flat(), ["Vary", *after], "{before:?}");
        }
    }
}
