//! Upstream's answers for tests: patterns, destinations, texts and pages, as printed by Next.js 16.4.6.

use serde_json::{json, Value};

use super::params::Params;
use crate::url::{Query, QueryValue};

/// The printed tables.
pub fn oracle() -> Value {
    serde_json::from_str(include_str!("oracle.json")).unwrap()
}

/// `[[name, value], …]` as parameters.
pub fn params_of(list: &Value) -> Params {
    let mut params = Params::default();
    for entry in list.as_array().unwrap() {
        params.set(entry[0].as_str().unwrap(), value_of(&entry[1]));
    }
    params
}

/// `[[key, value], …]` as a query.
pub fn query_of(list: &Value) -> Query {
    let entries = list.as_array().unwrap().iter();
    entries
        .map(|entry| (entry[0].as_str().unwrap(), value_of(&entry[1]).unwrap()))
        .collect()
}

fn value_of(value: &Value) -> Option<QueryValue> {
    match value {
        Value::String(text) => Some(QueryValue::One(text.clone())),
        Value::Array(list) => Some(QueryValue::Many(
            list.iter().map(|text| text.as_str().unwrap().to_owned()).collect(),
        )),
        _ => None,
    }
}

/// Parameters as `[[name, value], …]`.
pub fn entries(params: &Params) -> Value {
    params
        .names()
        .map(|name| json!([name, params.get(name).map(json_of)]))
        .collect()
}

/// A query as `[[key, value], …]`.
pub fn query_entries(query: &Query) -> Value {
    query.iter().map(|(key, value)| json!([key, json_of(value)])).collect()
}

fn json_of(value: &QueryValue) -> Value {
    value.to_json()
}
