//! Locales: found, redirected to, and spoken by error pages.

use super::*;

#[test]
fn locales_are_found_and_redirected_to() {
    let config = json!({"i18n": {
        "locales": ["en", "fr", "nl-NL"], "defaultLocale": "en",
        "domains": [{"domain": "ex.fr", "defaultLocale": "fr", "locales": ["nl-NL"]}, {"domain": "ex.com", "defaultLocale": "en"}]
    }});
    let router = router(config, json!({}), Value::Null);
    check(
        &router,
        &[
            ("/", "", "/page"),
            ("/", "accept-language=fr", "307 /fr"),
            ("/?a=b", "cookie=NEXT_LOCALE", "/page"),
            ("/", "host=ex.com|accept-language=fr", "307 https://ex.fr/"),
            ("/", "host=ex.com|accept-language=nl", "307 https://ex.fr/nl-NL"),
            ("/fr/p", "", "/p"),
            ("/FR/p/7", "", "/p/[id] id=7"),
            ("/p", "", "/p"),
            ("/fr/api/h", "", "404 Page"),
            ("/en/hello", "", "/hello/page"),
            ("/fr/hello", "", "404 Page"),
            ("/fr/blog/x", "", "404 Page"),
            ("/en/hi%20there.txt", "", "file Public hi there.txt"),
            ("/nl-nl/hi%20there.txt", "", "404 Page"),
            ("/_next/data/b.1/fr/p.json", "", "/p data"),
            ("/_next/data/b.1/p.json", "", "404 Unrendered { no_store: true }"),
        ],
    );
    let locale = |target, headers| router.begin(&request(target, headers)).state.locale.unwrap();
    assert_eq!(locale("/p", "host=ex.fr").locale, "fr");
    assert!(locale("/p", "host=ex.fr").is_domain && locale("/p", "").inferred);
    assert_eq!(locale("/NL-nl/p", "").locale, "nl-NL");
}

#[test]
fn error_pages_speak_the_locale_that_was_asked_for() {
    let i18n = json!({"i18n": {"locales": ["en", "fr"], "defaultLocale": "en", "domains": [
        {"domain": "ex.fr", "defaultLocale": "fr"}]}});
    let rules = json!({"rewrites": {"afterFiles": [{"source": "/en/into", "destination": "/fr/nowhere"}]}});
    let router = router(i18n, rules, Value::Null);
    for (target, headers, locale) in [
        ("/nowhere", "", "en"),
        ("/fr/nowhere", "", "fr"),
        ("/into", "", "en"),
        ("/nowhere", "host=ex.fr", "fr"),
        ("/en/nowhere", "host=ex.fr", "en"),
        ("/_next/data/old/fr/nowhere.json", "", "fr"),
        ("/_next/data/old/fr/nowhere.txt", "", "en"),
        ("/fr/docs/%ff", "", "fr"),
    ] {
        let step = router.begin(&request(target, headers));
        assert!(!matches!(step.decision, Decision::Output(_)), "{target}");
        assert_eq!(step.state.locale.unwrap().locale, locale, "{target} {headers}");
    }
}

#[test]
fn a_locale_that_was_added_is_no_segment_of_the_app_router() {
    let i18n = json!({"i18n": {"locales": ["en", "fr"], "defaultLocale": "en"}});
    let rules = json!({"rewrites": {"beforeFiles": [], "fallback": [], "afterFiles": [
        {"source": "/:nextInternalLocale(en|fr)/kept", "destination": "/:nextInternalLocale/hello"},
        {"source": "/named", "destination": "/en/hello", "locale": false},
        {"source": "/en/named", "destination": "/en/hello"}]}});
    let middleware = json!([{"regexp": "^/via$", "originalSource": "/via"}]);
    let router = router_of("16.5.0-canary.38", i18n, rules, middleware);
    check(
        &router,
        &[
            ("/hello", "", "/hello/page"),
            ("/en/hello", "", "404 Page"),
            ("/kept", "", "/hello/page"),
            ("/en/kept", "", "404 Page"),
            ("/named", "", "404 Page"),
            ("/blog/x", "", "/blog/[slug]/page slug=x"),
            ("/en/blog/x", "", "404 Page"),
            ("/_next/data/b.1/hello.json", "", "404 Page"),
        ],
    );
    let rewritten = |locale_added| {
        let asked = request("/via", "host=h");
        let reply = MiddlewareReply {
            status: 200,
            headers: vec![(
                "x-middleware-rewrite".to_owned(),
                HeaderText::from("http://localhost:3000/en/hello"),
            )],
            locale_added,
        };
        shown(&router.resume(&asked, router.begin(&asked).state, Event::Middleware(reply)))
    };
    assert_eq!([rewritten(true), rewritten(false)], ["/hello/page", "404 Page"]);
}
