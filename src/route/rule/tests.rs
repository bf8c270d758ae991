//! Upstream's own answers as data, see `oracle.json`.

use serde_json::{json, Value};

use super::destination::Destination;
use super::*;
use crate::route::oracle::{oracle, params_of, query_entries, query_of};

#[test]
fn destinations_are_filled_as_upstream_fills_them() {
    let oracle = oracle();
    let options = DestinationOptions {
        encode_host: true,
        strip_separators: true,
        keep_auth: true,
    };
    for case in oracle["destinations"].as_array().unwrap() {
        let at = |list: &str, place: usize| oracle[list][case[place].as_u64().unwrap() as usize].clone();
        let destination = at("dests", 0);
        let destination = destination.as_str().unwrap();
        let params = params_of(&at("params", 1));
        let query = query_of(&at("queries", 2));
        let append = case[3] == true;
        let expected = &case[4];
        // Compiled for the parameters it gets, and for none, so that both ways of parsing are used.
        let names: Vec<String> = params.names().map(str::to_owned).collect();
        for names in [names, Vec::new()] {
            let filled = Destination::compile(destination, &names, options).fill(&params, &query, append);
            let context = format!("{destination} with {params:?} and {query:?}, append {append}");
            assert_eq!(filled.is_err(), expected["error"] == true, "{context}: {filled:?}");
            let Ok(mut parts) = filled else { continue };
            let query = std::mem::take(&mut parts.query);
            assert_eq!(parts.search, expected["search"].as_str().unwrap(), "{context}");
            assert_eq!(parts.hash, expected["hash"].as_str().unwrap(), "{context}");
            assert_eq!(
                query_entries(&query),
                sendable(&expected["query"], parts.is_absolute()),
                "{context}"
            );
            assert_eq!(parts.format(), expected["url"].as_str().unwrap(), "{context}");
        }
    }
}

/// A missing value is written as an empty one in a URL, and is not visible otherwise.
fn sendable(query: &Value, absolute: bool) -> Value {
    let entries = query
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| absolute || !entry[1].is_null());
    entries
        .map(|entry| {
            json!([
                entry[0],
                if entry[1].is_null() {
                    json!("")
                } else {
                    entry[1].clone()
                }
            ])
        })
        .collect()
}

/// CVE-2026-64645: a parameter in the host of a destination must not choose another host.
#[test]
fn a_parameter_cannot_leave_its_place_in_a_host() {
    let options = DestinationOptions {
        encode_host: true,
        strip_separators: true,
        keep_auth: true,
    };
    let destination = Destination::compile("https://:tenant.api.example/x", &["tenant".to_owned()], options);
    for evil in [
        "evil.example/",
        "evil.example#",
        "evil.example?",
        "u:p@evil.example",
        "evil.example%2f",
        "a\\b",
    ] {
        let params = crate::route::Params::from([("tenant", evil.into())]);
        let url = destination.fill(&params, &Default::default(), false).unwrap().format();
        let host = url
            .strip_prefix("https://")
            .and_then(|rest| rest.split(['/', '?', '#', '@']).next());
        assert!(host.unwrap().ends_with(".api.example"), "{url}");
    }
}

#[test]
fn a_header_set_again_in_another_case_replaces_the_first() {
    for count in [1, 40] {
        let mut headers = ResponseHeaders::default();
        for i in 0..count {
            headers.set(&format!("X-{i}"), "first".into());
        }
        for i in 0..count {
            headers.set(&format!("x-{i}"), "second".into());
        }
        let sent: Vec<_> = headers.iter().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(sent, (0..count).map(|i| format!("x-{i}")).collect::<Vec<_>>());
    }
}
