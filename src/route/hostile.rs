//! Rules, pages and requests made of any text: nothing panics, and no index leaves out what would match.

use proptest::prelude::*;

use super::rule::{DestinationOptions, HeaderRule, RedirectRule, ResponseHeaders, RewriteRule, SourceOptions, Subject};
use super::table::DynamicPage;
use super::{HeaderView, Overlay};
use crate::build;
use crate::request::{Headers, Origin, Request, RscRequest};
use crate::url::Query;

/// Parts of sources, destinations and header values, in any order.
const PIECES: &str = "(/|/a|/:a|:b|[*+?]|\\(\\.\\*\\)|\\(\\?!x\\)|\\(\\\\d\\+\\)|\\{/|\\}|\\\\|\\?q=|&|#|https://|@|\\[|\\(\\.\\)|é|%2F|-|\u{10fffd}|\\^|\\$|\\|){0,8}";

fn condition() -> impl Strategy<Value = build::Condition> {
    use build::ConditionType::{Cookie, Header, Host, Query, Unknown};
    let kind = prop::sample::select(vec![Header, Cookie, Query, Host, Unknown]);
    let value = prop::option::of("(\\(\\?<[ab]>|\\)|a|\\.|\\*|\\+|\\||\\[|\\]|\\(\\?!|\\\\[1bdk]|\\{2,|é){0,6}");
    (kind, prop::option::of("[ak:é-]{0,3}"), value).prop_map(|(kind, key, value)| build::Condition { kind, key, value })
}

proptest! {
    #[test]
    fn rules_can_say_anything(
        source in PIECES,
        destination in PIECES,
        key in PIECES,
        path in "(/|a|b|1|é|%2F|x|-|\n|\u{2028}|😀){0,10}",
        has in prop::option::of(prop::collection::vec(condition(), 0..3)),
        missing in prop::option::of(prop::collection::vec(condition(), 0..3)),
        internal: bool,
        sensitive: bool,
        query in "[ab1=&%+é]{0,12}",
        value in "\\PC{0,8}",
    ) {
        let options = SourceOptions { sensitive, restricted: (!internal).then(|| "/_next".to_owned()) };
        let to = DestinationOptions { encode_host: internal, strip_separators: sensitive, keep_auth: internal };
        let headers = Headers::parse(format!("Host\0{value}\0a\0{value}\0Cookie\0a={value}; k={value}"));
        let overlay = Overlay::default();
        let query = Query::parse(&query);
        let subject = Subject { headers: HeaderView::new(&headers, &overlay), query: &query };
        let source = build::RuleSource { source, internal, conditions: build::Conditions { has, missing } };
        let redirect = build::RedirectRule {
            source: source.clone(),
            destination: destination.clone(),
            ..Default::default()
        };
        if let Ok(rule) = RedirectRule::compile(&redirect, &options, to) {
            if let Ok(Some(params)) = rule.as_ref().matches(&path, &subject) {
                let _ = rule.location(&params, &query, &query);
            }
        }
        let rewrite = build::RewriteRule { source: source.clone(), destination };
        if let Ok(rule) = RewriteRule::compile(&rewrite, &options, to, "") {
            if let Ok(Some(params)) = rule.as_ref().matches(&path, &subject) {
                let _ = rule.target(&params, &query);
            }
        }
        let header = build::HeaderRule {
            source,
            headers: vec![build::HeaderPair { key: key.clone(), value: key }],
        };
        if let Ok(rule) = HeaderRule::compile(&header, &options, sensitive) {
            if let Ok(Some(params)) = rule.as_ref().matches(&path, &subject) {
                let mut headers = ResponseHeaders::default();
                let _ = rule.apply(&params, &mut headers);
                prop_assert!(headers.iter().count() <= 1);
            }
        }
    }

    #[test]
    fn requests_can_be_anything(head in "(\\PC|\u{0}|next-url|rsc|cookie|Host|GET|/){0,40}", name in "\\PC{0,6}") {
        let request = Request::parse(head, false, Origin::Client);
        let overlay = Overlay::default();
        let view = HeaderView::new(&request.headers, &overlay);
        for name in [name.as_str(), "cookie", "host", "rsc", ""] {
            let _ = (view.get(name), request.headers.joined(name), request.headers.all(name).count());
        }
        if let Some(rsc) = RscRequest::parse(&request.headers, crate::request::PREFETCHES) {
            let _ = (rsc.fits(Some(&name)), rsc.corrected_search(&name));
        }
    }

    #[test]
    fn pages_can_have_any_name(
        pages in prop::collection::vec("(/(a|é|\\[|\\]|\\[a\\]|\\[b\\]|\\[\\.\\.\\.c\\]|\\[\\[\\.\\.\\.d\\]\\]|\\(\\.\\)|\\(\\.\\.\\)\\[a\\]|p-\\[a\\]|\\[a\\]\\.x|@s)){1,4}", 0..6),
        path in "(/(a|A|é|1|p-1|1\\.x|%|%C3%A9|\\[a\\]|\\(\\.\\)a|)){0,5}",
        affixes: bool,
    ) {
        let names: Vec<&str> = pages.iter().map(String::as_str).collect();
        let mut order = super::table::sorted(&names);
        let mut index = super::index::SegmentIndex::default();
        for page in &names {
            index.push(&super::table::segments_of_page(page));
        }
        let candidates = index.candidates(&path);
        for (number, page) in names.iter().enumerate() {
            if let Ok(compiled) = DynamicPage::compile(page, affixes) {
                // Page names mean the case in which they are written, and the index ignores it.
                if !matches!(compiled.matches(&path), Ok(None)) {
                    prop_assert!(candidates.contains(&(number as u32)), "{} for {}", page, path);
                }
            }
        }
        order.sort_unstable();
        prop_assert_eq!(order, (0..names.len()).collect::<Vec<_>>());
    }
}
