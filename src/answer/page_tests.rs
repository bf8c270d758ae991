//! Which answers a page in memory gives.

use indexmap::IndexMap;

use super::*;
use crate::request::Headers;
use crate::source::prerender::{Headers as EntryHeaders, Outcome};

const SETTINGS: Settings = Settings {
    etags: true,
    data_etags: true,
    route_framing_is_dropped: true,
    powered_by: true,
    compress: true,
    preferred: Preferred::UPSTREAM,
};

fn page() -> Page {
    let mut entry = Entry::new(EntryKind::AppPage, Outcome::Rendered, 0);
    entry.headers = EntryHeaders::parse(Some(r#"{"x-nextjs-stale-time":"300"}"#)).unwrap();
    entry.html = Bytes::from(vec![b'a'; 5_000]);
    entry.rsc = Some(Bytes::from_static(b"payload"));
    entry.segments = Some(IndexMap::from([("/_tree".to_owned(), Bytes::from_static(b"tree"))]));
    let lifetime = Lifetime {
        revalidate: None,
        expire: None,
    };
    Page::new(entry, CachePolicy::Known(lifetime))
}

fn ask(
    page: &Page,
    table: &ResponseRegistry,
    variant: Variant,
    headers: &str,
    response: ResponseVariant,
) -> PageAnswer {
    let headers = Headers::parse(headers);
    page.answer(table, SETTINGS, variant, response, &Conditions::of(&headers), false)
}

fn ready(answer: PageAnswer) -> Arc<Prepared> {
    match answer {
        PageAnswer::Ready(answer) => answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_question_has_the_same_number() {
    let (page, table) = (page(), ResponseRegistry::default());
    let html = |headers| ask(&page, &table, Variant::Html, headers, ResponseVariant::default());
    let first = ready(html(""));
    assert_eq!(first.id, ready(html("accept\x00text/html")).id);
    assert_eq!(first.headers.get("content-length"), Some("5000"));
    let rsc = ready(ask(&page, &table, Variant::Rsc, "", ResponseVariant::default()));
    assert_ne!(first.id, rsc.id);
    assert_eq!(rsc.headers.get("etag"), None);
    let etag = format!("if-none-match\x00{}", first.headers.get("etag").unwrap());
    let unchanged = ready(html(&etag));
    assert_eq!((unchanged.status.code, unchanged.body.len()), (304, 0));
}

#[tokio::test]
async fn a_body_is_compressed_elsewhere_and_has_a_number_when_that_is_done() {
    let (page, table) = (Arc::new(page()), ResponseRegistry::default());
    let html = || {
        ask(
            &page,
            &table,
            Variant::Html,
            "accept-encoding\x00gzip",
            ResponseVariant::default(),
        )
    };
    match html() {
        PageAnswer::Encode(variant, coding) => Arc::clone(&page).encoded(variant, coding).await,
        other => panic!("{other:?}"),
    }
    // The fast variant, unless the best one is there already.
    assert!(!matches!(html(), PageAnswer::Encode(..)));
    encoding::background_done().await;
    let coded = ready(html());
    assert_eq!(coded.headers.get("content-encoding"), Some("gzip"));
    assert!(coded.body.len() < 200);
}

#[test]
fn what_a_client_makes_up_is_not_kept() {
    let (page, table) = (page(), ResponseRegistry::default());
    for index in 0..1_000 {
        let segment = Variant::Segment(format!("/{index}"));
        let answer = ask(&page, &table, segment, "", ResponseVariant::default());
        assert!(
            matches!(answer, PageAnswer::Once(Status { code: 404, .. }, ..)),
            "{answer:?}"
        );
        let response = ResponseVariant {
            leading: [("x-rule", index.to_string())].into_iter().collect(),
            ..ResponseVariant::default()
        };
        let answer = ask(&page, &table, Variant::Html, "", response);
        assert_eq!(matches!(answer, PageAnswer::Ready(_)), index < MAX_ANSWERS);
    }
    assert_eq!(read(&page.answers).len(), MAX_ANSWERS);
}
