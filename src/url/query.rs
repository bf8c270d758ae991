//! A query as upstream's `parsedUrl.query`: a JavaScript object whose values are text or lists of text.
//!
//! In: a search string. Out: keys in the order in which JavaScript would list them, each with one or many values.
//! Source: `next/dist/shared/lib/router/utils/querystring.js`, and Node's `querystring` for older versions.

use indexmap::IndexMap;

/// The value of a key: the key stood once, or several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryValue {
    /// One value.
    One(String),
    /// Several values, in order. An empty list can come only from a rule's parameters.
    Many(Vec<String>),
}

impl QueryValue {
    /// Every value, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            QueryValue::One(value) => std::slice::from_ref(value),
            QueryValue::Many(values) => values.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }

    /// The value, if there is exactly one.
    pub fn as_one(&self) -> Option<&str> {
        match self {
            QueryValue::One(value) => Some(value),
            QueryValue::Many(_) => None,
        }
    }

    /// The value as JSON: a text or a list of texts.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            QueryValue::One(value) => value.as_str().into(),
            QueryValue::Many(values) => values.clone().into(),
        }
    }

    /// Whether it counts as true in JavaScript: any list, and any text but the empty one.
    pub fn is_truthy(&self) -> bool {
        match self {
            QueryValue::One(value) => !value.is_empty(),
            QueryValue::Many(_) => true,
        }
    }
}

impl From<&str> for QueryValue {
    fn from(value: &str) -> Self {
        QueryValue::One(value.to_owned())
    }
}

/// An ordered multi-map. Keys that are array indices come first, by number, as in every JavaScript object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    entries: IndexMap<String, QueryValue>,
}

impl Query {
    /// Parses a query as `URLSearchParams` does. The question mark that begins it is not part of it; a second one is.
    pub fn parse(search: &str) -> Query {
        Query::collect(search, usize::MAX)
    }

    /// Parses as Node's `querystring.parse` does, which reads at most a thousand pairs.
    pub fn parse_legacy(search: &str) -> Query {
        Query::collect(search, 1000)
    }

    fn collect(search: &str, limit: usize) -> Query {
        let mut query = Query::default();
        if search.is_empty() {
            return query;
        }
        let mut has_index = false;
        for (key, value) in url::form_urlencoded::parse(search.as_bytes()).take(limit) {
            has_index |= array_index(&key).is_some();
            query.append_last(&key, value.into_owned());
        }
        if has_index {
            // Once, at the end: a client chooses how many there are and in which order.
            let rank = |key: &String| array_index(key).map_or(u32::MAX, |index| index);
            query.entries.sort_by(|a, _, b, _| rank(a).cmp(&rank(b)));
        }
        query
    }

    /// Adds a value to those of `key`; a new key comes last.
    fn append_last(&mut self, key: &str, value: String) {
        match self.entries.get_mut(key) {
            Some(QueryValue::Many(values)) => values.push(value),
            Some(one) => {
                if let QueryValue::One(first) = one {
                    *one = QueryValue::Many(vec![std::mem::take(first), value]);
                }
            }
            None => {
                self.entries.insert(key.to_owned(), QueryValue::One(value));
            }
        }
    }

    /// Sets the value of `key`; a key that is already there keeps its place.
    pub fn set(&mut self, key: &str, value: QueryValue) {
        if let Some(existing) = self.entries.get_mut(key) {
            *existing = value;
            return;
        }
        match array_index(key) {
            Some(index) => {
                let before = |other: &str| array_index(other).is_some_and(|other| other < index);
                let at = self.entries.keys().take_while(|other| before(other)).count();
                self.entries.shift_insert(at, key.to_owned(), value);
            }
            None => {
                self.entries.insert(key.to_owned(), value);
            }
        }
    }

    /// Sets every entry of `other`, as `Object.assign` does.
    pub fn assign(&mut self, other: &Query) {
        for (key, value) in other.iter() {
            self.set(key, value.clone());
        }
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&QueryValue> {
        self.entries.get(key)
    }

    /// Whether `key` is there.
    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: &str) -> Option<QueryValue> {
        self.entries.shift_remove(key)
    }

    /// Keys and values in JavaScript's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &QueryValue)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The keys in JavaScript's order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The query as a JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        self.iter()
            .map(|(key, value)| (key.to_owned(), value.to_json()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Written as `String(urlQueryToSearchParams(query))`: form encoding, without `?`.
    pub fn to_search_params(&self) -> String {
        let mut out = String::new();
        for (key, value) in self.iter() {
            for value in value.iter() {
                push_pair(&mut out, key, value, |out, text| {
                    out.extend(url::form_urlencoded::byte_serialize(text.as_bytes()));
                });
            }
        }
        out
    }

    /// Written by Node's `querystring.stringify` with `encode` for keys and values, without `?`.
    pub fn stringify(&self, encode: impl Fn(&str) -> String) -> String {
        let mut out = String::new();
        for (key, value) in self.iter() {
            for value in value.iter() {
                push_pair(&mut out, key, value, |out, text| out.push_str(&encode(text)));
            }
        }
        out
    }
}

fn push_pair(out: &mut String, key: &str, value: &str, write: impl Fn(&mut String, &str)) {
    if !out.is_empty() {
        out.push('&');
    }
    write(out, key);
    out.push('=');
    write(out, value);
}

/// The number of a key that JavaScript treats as an array index.
fn array_index(key: &str) -> Option<u32> {
    let canonical = key == "0" || (!key.starts_with('0') && !key.is_empty() && key.len() <= 10);
    if !canonical || !key.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    key.parse::<u32>().ok().filter(|&index| index != u32::MAX)
}

impl<'a> FromIterator<(&'a str, QueryValue)> for Query {
    fn from_iter<I: IntoIterator<Item = (&'a str, QueryValue)>>(entries: I) -> Self {
        let mut query = Query::default();
        for (key, value) in entries {
            query.set(key, value);
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(query: &Query) -> String {
        query
            .iter()
            .map(|(key, value)| match value {
                QueryValue::One(value) => format!("{key}:{value};"),
                QueryValue::Many(values) => format!("{key}:{values:?};"),
            })
            .collect()
    }

    #[test]
    fn a_query_lists_its_keys_as_javascript_does() {
        for (search, expected) in [
            ("", ""),
            ("?", "?:;"),
            ("a=1&b=2", "a:1;b:2;"),
            ("?a=1&b=2", "?a:1;b:2;"),
            ("a=1&b=2&a=3&a=4", r#"a:["1", "3", "4"];b:2;"#),
            ("a&b=&=c", "a:;b:;:c;"),
            ("b=1&2=x&01=y&1=z&4294967295=w", "1:z;2:x;b:1;01:y;4294967295:w;"),
            ("a+b=c%20d%zz", "a b:c d%zz;"),
        ] {
            assert_eq!(shown(&Query::parse(search)), expected, "{search}");
        }
    }

    #[test]
    fn a_query_is_written_as_form_data() {
        let query = Query::parse("a=b c&d=ü&d=%26&e=~*");
        assert_eq!(query.to_search_params(), "a=b+c&d=%C3%BC&d=%26&e=%7E*");
        assert_eq!(query.stringify(str::to_owned), "a=b c&d=ü&d=&&e=~*");
    }

    #[test]
    fn the_legacy_parser_stops_at_a_thousand_pairs() {
        let long = "a=1&".repeat(1500);
        let Some(QueryValue::Many(values)) = Query::parse_legacy(&long).remove("a") else {
            panic!("one key with many values")
        };
        assert_eq!(values.len(), 1000);
    }

    proptest! {
        #[test]
        fn writing_and_parsing_again_gives_the_same(search in "[a-c0-2=&+%ü ]{0,40}") {
            let query = Query::parse(&search);
            let written = query.to_search_params();
            prop_assert_eq!(Query::parse(&written).to_search_params(), written);
        }
    }
}
