//! When middleware runs, and what its answers do.

use super::*;

/// CVE-2026-44573, 44575, 64642, CVE-2025-29927: whatever form a path takes, and whatever a client claims, middleware runs.
#[test]
fn middleware_cannot_be_walked_around() {
    let matcher = json!([{
        "regexp": "^(?:\\/(_next\\/data\\/[^/]{1,}))?\\/p(?:\\/([^\\/#\\?]+?))?(\\.json|\\.rsc|\\.segments\\/.+\\.segment\\.rsc)?[\\/#\\?]?$",
        "originalSource": "/p"
    }]);
    let claim = "x-middleware-subrequest=middleware:middleware:middleware:middleware:middleware|x-middleware-next=1";
    let plain = router(json!({}), json!({}), matcher.clone());
    check(
        &plain,
        &[
            ("/p", claim, "middleware http://localhost:3000/p"),
            ("/%70", "", "middleware http://localhost:3000/%70"),
            ("/p.rsc", "", "middleware http://localhost:3000/p.rsc"),
            (
                "/p.segments/_tree.segment.rsc",
                "",
                "middleware http://localhost:3000/p.segments/_tree.segment.rsc",
            ),
            (
                "/_next/data/b.1/p.json?a=b c",
                "",
                "middleware http://localhost:3000/p?a=b+c",
            ),
            (
                "/_next/data/other/p.json",
                "",
                "middleware http://localhost:3000/_next/data/other/p.json",
            ),
            ("/x/../p", "", "middleware http://localhost:3000/p"),
            (
                "/p",
                "x-prerender-revalidate=wrong",
                "middleware http://localhost:3000/p",
            ),
            ("/p", "x-prerender-revalidate=secret", "/p"),
            ("/hello", "", "/hello/page"),
        ],
    );
    let one = json!({"i18n": {"locales": ["en"], "defaultLocale": "en"}});
    let matcher = json!([{"regexp": "^(?:\\/(_next\\/data\\/[^/]{1,}))?(?:\\/([^/.]{1,}))\\/p(\\.json)?[\\/#\\?]?$", "originalSource": "/p"}]);
    let localised = router(one, json!({}), matcher);
    for target in [
        "/p",
        "/en/p",
        "/EN/p",
        "/_next/data/b.1/p.json",
        "/_next/data/b.1/en/p.json",
    ] {
        let step = localised.begin(&request(target, ""));
        assert!(
            matches!(step.decision, Decision::Middleware(_)),
            "{target}: {}",
            shown(&step)
        );
    }
}

#[test]
fn middleware_answers_change_the_way() {
    let router = router(
        json!({}),
        json!({}),
        json!([{"regexp": ".*", "originalSource": "/:path*"}]),
    );
    let reply = |status, headers: &[(&str, &str)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), HeaderText::from(*value)));
        Event::Middleware(MiddlewareReply {
            status,
            headers: headers.collect(),
            locale_added: false,
        })
    };
    let asked = request("/hello?a=1", "x-foo=1|host=h");
    let run = |event| router.resume(&asked, router.begin(&asked).state, event);
    for (status, headers, expected) in [
        (200, &[("x-middleware-next", "1")][..], "/hello/page"),
        (
            200,
            &[("x-middleware-rewrite", "http://localhost:3000/blog/m?b=2")],
            "/blog/[slug]/page slug=m",
        ),
        (
            200,
            &[("x-middleware-rewrite", "https://ex.com/x?y=z")],
            "proxy https://ex.com/x?y=z",
        ),
        (307, &[("location", "http://localhost:3000/to")], "307 /to"),
        (307, &[("location", "https://ex.com/to")], "307 https://ex.com/to"),
        (201, &[("location", "/to")], "answered 201"),
        (401, &[("x-body", "1")], "answered 401"),
        (200, &[("x-middleware-rewrite", "http://[")], "500 plain=false"),
    ] {
        assert_eq!(shown(&run(reply(status, headers))), expected);
    }
    let step = run(reply(
        200,
        &[
            ("x-middleware-next", "1"),
            ("x-middleware-override-headers", "x-foo,x-new"),
            ("x-middleware-request-x-new", "2"),
            ("x-out", "3"),
            ("content-encoding", "gzip"),
            ("x-middleware-set-cookie", "c=1"),
        ],
    ));
    let view = step.state.header_view(&asked);
    let seen = ["x-foo", "x-new", "host", "x-out", "x-middleware-set-cookie"].map(|name| view.get(name).is_some());
    assert_eq!(seen, [false, true, false, true, true]);
    let sent: Vec<_> = step
        .state
        .response_headers()
        .iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(sent, ["x-out"]);
    let (protocol, url) = router.served_at.page_url(&asked, &step.state.header_view(&asked));
    assert_eq!((protocol, url.as_str()), ("http", "http://localhost:3000/hello?a=1"));
}
