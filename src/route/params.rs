//! Parameters: what a pattern, a condition or a dynamic route found.

use crate::url::QueryValue;

/// Names and values, in the order in which they were found. A value may be missing: a named group that took no part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params {
    entries: Vec<(String, Option<QueryValue>)>,
}

impl Params {
    /// Sets `name`; one that is already there keeps its place.
    pub fn set(&mut self, name: &str, value: Option<QueryValue>) {
        match self.entries.iter_mut().find(|(other, _)| other == name) {
            Some((_, existing)) => *existing = value,
            None => self.entries.push((name.to_owned(), value)),
        }
    }

    /// Sets every entry of `other`.
    pub fn assign(&mut self, other: Params) {
        for (name, value) in other.entries {
            self.set(&name, value);
        }
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&QueryValue> {
        self.entries.iter().find(|(other, _)| other == name)?.1.as_ref()
    }

    /// The names, also of missing values.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Names and values that are there.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &QueryValue)> {
        self.entries
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?)))
    }

    /// The params as a JSON object, without missing values.
    pub fn to_json(&self) -> serde_json::Value {
        self.iter()
            .map(|(name, value)| (name.to_owned(), value.to_json()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<const N: usize> From<[(&str, QueryValue); N]> for Params {
    fn from(entries: [(&str, QueryValue); N]) -> Self {
        let mut params = Params::default();
        for (name, value) in entries {
            params.set(name, Some(value));
        }
        params
    }
}
