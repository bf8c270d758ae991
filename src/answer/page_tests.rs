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

/// A page that has been compressed for a client, and what was left of it then.
async fn trimmed() -> (Arc<Page>, Page) {
    let page = Arc::new(page());
    let address = Address {
        kind: EntryKind::AppPage,
        source: "/page".into(),
        pathname: "/".into(),
        built: true,
        partial: false,
        fallback: false,
    };
    assert!(page.trimmed(&address, "key").is_none(), "nothing is compressed");
    Arc::clone(&page).encoded(Variant::Html, Coding::Gzip).await;
    ready_or_once(ask(
        &page,
        &ResponseRegistry::default(),
        Variant::Html,
        GZIP,
        ResponseVariant::default(),
    ));
    assert!(page.trimmed(&address, "key").is_none(), "the disk may not have it");
    page.set_on_disk();
    let trimmed = page.trimmed(&address, "key").unwrap();
    (page, trimmed)
}

const GZIP: &str = "GET\0/\0accept-encoding\0gzip";

fn ready_or_once(answer: PageAnswer) -> (Vec<(String, String)>, Bytes) {
    match answer {
        PageAnswer::Ready(answer) => (lines(&answer.headers), answer.body.clone()),
        PageAnswer::Once(_, headers, body) => (lines(&headers), body),
        other => panic!("{other:?}"),
    }
}

fn lines(headers: &HeaderList) -> Vec<(String, String)> {
    let flat = headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    flat.collect()
}

#[tokio::test]
async fn a_trimmed_page_answers_as_before_in_its_codings() {
    let (page, trimmed) = trimmed().await;
    let table = ResponseRegistry::default();
    let of = |page: &Page| ready_or_once(ask(page, &table, Variant::Html, GZIP, ResponseVariant::default()));
    assert_eq!(of(&trimmed), of(&page));
    assert!(trimmed.weight() < page.weight() / 4);
    assert!(trimmed.holds(&Variant::Html) && !trimmed.holds(&Variant::Rsc));
}

#[tokio::test]
async fn a_page_whose_body_is_asked_for_is_not_trimmed() {
    let (page, trimmed) = trimmed().await;
    let address = &trimmed.trimmed.as_ref().unwrap().address;
    assert!(page.trimmed(address, "key").is_some());
    ready(ask(
        &page,
        &ResponseRegistry::default(),
        Variant::Html,
        "GET\0/",
        ResponseVariant::default(),
    ));
    assert!(page.trimmed(address, "key").is_none());
}

#[tokio::test]
async fn a_trimmed_page_is_read_for_anything_else() {
    let (page, trimmed) = trimmed().await;
    let table = ResponseRegistry::default();
    let none = ResponseVariant::default;
    for head in ["GET\0/", "GET\0/\0accept-encoding\0br"] {
        assert!(matches!(ask(&trimmed, &table, Variant::Html, head, none()), PageAnswer::Read(_, key) if key == "key"));
    }
    let headers = Headers::parse(GZIP);
    let conditions = Conditions::of(&headers);
    let head = trimmed.answer(&table, SETTINGS, Variant::Html, none(), &conditions, true);
    assert!(
        matches!(head, PageAnswer::Read(..)),
        "the length of the body is not that of a variant"
    );
    let (headers, _) = ready_or_once(ask(&page, &table, Variant::Html, GZIP, none()));
    let etag = &headers.iter().find(|(name, _)| name == "ETag").unwrap().1;
    let asked = format!("{GZIP}\0if-none-match\0{etag}");
    let (_, body) = ready_or_once(ask(&trimmed, &table, Variant::Html, &asked, none()));
    assert!(body.is_empty());
}

#[tokio::test]
async fn a_page_of_the_same_render_shares_the_variants() {
    let (_, trimmed) = trimmed().await;
    let mut again = page();
    again.adopt_variants(&trimmed);
    assert!(again.compressed.has(&Variant::Html));
    let mut other = page();
    other.entry.created_at_ms = 1;
    other.adopt_variants(&trimmed);
    assert!(!other.compressed.has(&Variant::Html));
}
