//! Whole requests against small builds. Each line is a target, request headers, and the decision in short form; the
//! expectations were seen on Next.js 16.4.6.

use serde_json::{json, Value};

use super::*;
use crate::build::Build;
use crate::config::NextConfig;
use crate::request::{Headers, Method, Request};

mod locales;
mod middleware;

const ID: &str = "b.1";

/// A build with pages of both routers, written to disk and read back. `routes` and `server` replace parts of it.
fn router(config: Value, routes: Value, middleware: Value) -> Router {
    router_of("16.4.6", config, routes, middleware)
}

fn router_of(version: &str, config: Value, routes: Value, middleware: Value) -> Router {
    let dir = tempfile::tempdir().unwrap();
    let dist = dir.path().join(".next");
    let write = |path: &str, value: Value| {
        let path = dist.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, value.to_string()).unwrap();
    };
    std::fs::create_dir_all(dist.join("static/chunks")).unwrap();
    std::fs::create_dir_all(dir.path().join("public")).unwrap();
    std::fs::write(dist.join("BUILD_ID"), ID).unwrap();
    std::fs::write(dist.join("static/chunks/[id].js"), "").unwrap();
    std::fs::write(dir.path().join("public/hi there.txt"), "").unwrap();
    let mut manifest = json!({
        "version": 3, "headers": [], "rewrites": {}, "onMatchHeaders": [],
        "redirects": [{"source": "/:path+/", "destination": "/:path+", "internal": true, "statusCode": 308}],
        "dynamicRoutes": [
            {"page": "/api/r/[id]"}, {"page": "/blog/[slug]"}, {"page": "/docs/[...rest]"}, {"page": "/p/[id]"}
        ],
        "dataRoutes": [
            {"page": "/p", "dataRouteRegex": "^/_next/data/b\\.1/p\\.json$"},
            {"page": "/p/[id]", "dataRouteRegex": "^/_next/data/b\\.1/p/([^/]+?)\\.json$"}
        ]
    });
    for (key, value) in routes.as_object().unwrap() {
        manifest[key] = value.clone();
    }
    write("routes-manifest.json", manifest);
    write(
        "prerender-manifest.json",
        json!({"version": 4, "routes": {}, "dynamicRoutes": {}, "notFoundRoutes": []}),
    );
    let preview = json!({"previewModeId": "secret", "previewModeSigningKey": "", "previewModeEncryptionKey": ""});
    if version.starts_with("16.4") || version.starts_with("16.5") {
        write("server/preview-props.json", preview);
    }
    let mut pages = json!({"/_app": "a", "/_document": "d", "/_error": "e", "/404": "f"});
    for page in ["/p", "/p/[id]", "/api/h"] {
        pages[page] = json!(format!("pages{page}.js"));
    }
    write("server/pages-manifest.json", pages);
    let app = [
        "/page",
        "/hello/page",
        "/(g)/grouped/page",
        "/blog/[slug]/page",
        "/docs/[...rest]/page",
        "/api/r/[id]/route",
        "/_not-found/page",
    ];
    let files = app
        .iter()
        .map(|page| (page.to_string(), json!(format!("app{page}.js"))));
    write(
        "server/app-paths-manifest.json",
        files.collect::<serde_json::Map<_, _>>().into(),
    );
    let routes = app
        .iter()
        .map(|page| (page.to_string(), json!(crate::url::app_route(page))));
    write(
        "app-path-routes-manifest.json",
        routes.collect::<serde_json::Map<_, _>>().into(),
    );
    if !middleware.is_null() {
        let functions = json!({"/_middleware": {"runtime": "nodejs", "matchers": middleware}});
        write(
            "server/functions-config-manifest.json",
            json!({"version": 1, "functions": functions}),
        );
    }
    let build = Build::load(dir.path(), &dist, version).unwrap();
    let config: NextConfig = serde_json::from_value(config).unwrap();
    Router::compile(&build, &config)
        .unwrap()
        .served_at(Some("localhost"), 3000)
}

fn request(target: &str, headers: &str) -> Request {
    let raw: Vec<String> = headers
        .split('|')
        .filter(|line| !line.is_empty())
        .flat_map(|line| line.split('=').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    Request {
        method: Method::Get,
        target: target.to_owned(),
        headers: Headers::parse(raw.join("\0")),
        encrypted: false,
        origin: Default::default(),
    }
}

fn shown(step: &RouteStep) -> String {
    match &step.decision {
        Decision::Redirect(redirect) => format!("{} {}", redirect.status, redirect.location),
        Decision::File(file) => format!("file {:?} {}", file.root, file.relative.as_deref().unwrap_or("?")),
        Decision::Output(output) => {
            let params: String = output
                .params
                .iter()
                .flat_map(Params::iter)
                .map(|(name, value)| {
                    let values: Vec<&str> = value.iter().collect();
                    format!(" {name}={}", values.join(","))
                })
                .collect();
            let data = if output.is_data_request { " data" } else { "" };
            format!("{}{params}{data}", output.page)
        }
        Decision::Image => "image".to_owned(),
        Decision::Proxy { url } => format!("proxy {url}"),
        Decision::Middleware(call) => format!("middleware {}", call.url),
        Decision::MiddlewareResponse { status } => format!("answered {status}"),
        Decision::NotFound(kind) => format!("404 {kind:?}"),
        Decision::BadRequest => "400".to_owned(),
        Decision::Fault { plain, .. } => format!("500 plain={plain}"),
    }
}

fn check(router: &Router, cases: &[(&str, &str, &str)]) {
    for (target, headers, expected) in cases {
        assert_eq!(
            shown(&router.begin(&request(target, headers))),
            *expected,
            "{target} {headers}"
        );
    }
}

#[test]
fn pages_files_and_nothing() {
    check(
        &router(json!({}), json!({}), Value::Null),
        &[
            ("/", "", "/page"),
            ("/hello?a=1", "", "/hello/page"),
            ("/grouped", "", "/(g)/grouped/page"),
            ("/blog/a%20b", "", "/blog/[slug]/page slug=a b"),
            ("/docs/a/b", "", "/docs/[...rest]/page rest=a,b"),
            ("/docs", "", "404 Page"),
            ("/api/r/7", "", "/api/r/[id]/route id=7"),
            ("/api/h", "", "/api/h"),
            ("/p", "", "/p"),
            ("/p/7", "", "/p/[id] id=7"),
            ("/blog/%ff", "", "400"),
            ("/hello/", "", "308 /hello"),
            ("//hello//x?y=//z", "", "308 /hello/x?y=//z"),
            ("/a\\b", "", "308 /a/b"),
            ("/x/../hello", "", "/hello/page"),
            ("/hi%20there.txt", "", "file Public hi there.txt"),
            ("/_next/static/chunks/[id].js", "", "file NextStatic chunks/[id].js"),
            ("/_next/static/chunks/%5Bid%5D.js", "", "file NextStatic chunks/[id].js"),
            ("/_next/static/none.js", "", "404 PlainText"),
            ("/none.js", "sec-fetch-dest=script", "404 PlainText"),
            ("/none.js", "", "404 Page"),
            ("/_next/image?url=x", "", "image"),
            ("/_app", "", "404 Unrendered { no_store: true }"),
            ("/%68ello", "", "404 Unrendered { no_store: false }"),
            ("/HELLO", "", "404 Page"),
            ("*", "", "500 plain=true"),
            ("/_next/data/b.1/p.json", "", "/p data"),
            ("/_next/data/b.1/p/7.json", "", "/p/[id] id=7 data"),
            ("/_next/data/other/p.json", "", "404 Page"),
            ("/_next/data/b.1/hello.json", "", "404 Page"),
        ],
    );
}

#[test]
fn base_path_and_trailing_slash() {
    let redirects = json!([
        {"source": "/docs", "destination": "/docs/", "internal": true, "statusCode": 308},
        {"source": "/docs/:file((?!\\.well-known(?:/.*)?)(?:[^/]+/)*[^/]+\\.\\w+)/", "destination": "/docs/:file",
         "internal": true, "missing": [{"type": "header", "key": "x-nextjs-data"}], "statusCode": 308},
        {"source": "/docs/:notfile((?!\\.well-known(?:/.*)?)(?:[^/]+/)*[^/\\.]+)", "destination": "/docs/:notfile/",
         "internal": true, "statusCode": 308}
    ]);
    check(
        &router(
            json!({"basePath": "/docs", "trailingSlash": true}),
            json!({"redirects": redirects}),
            Value::Null,
        ),
        &[
            ("/docs", "", "308 /docs/"),
            ("/docs/", "", "/page"),
            ("/docs/hello", "", "308 /docs/hello/"),
            ("/docs/hello/", "", "/hello/page"),
            ("/docs/a.b/", "", "308 /docs/a.b"),
            ("/hello/", "", "404 Page"),
            ("/docsx/hello/", "", "404 Page"),
        ],
    );
}

#[test]
fn rules_apply_in_order() {
    let rules = json!({
        "redirects": [
            {"source": "/old/:path*", "destination": "/new/:path*", "statusCode": 308},
            {"source": "/old/never", "destination": "/never", "statusCode": 307},
            {"source": "/:x*", "has": [{"type": "query", "key": "go"}], "destination": "/went", "statusCode": 307}
        ],
        "headers": [
            {"source": "/:path*", "headers": [{"key": "x-a", "value": "1"}, {"key": "Set-Cookie", "value": "a"}]},
            {"source": "/blog/:slug", "headers": [{"key": "X-A", "value": ":slug"}, {"key": "Set-Cookie", "value": "b"}]}
        ],
        "rewrites": {
            "beforeFiles": [{"source": "/hello", "has": [{"type": "cookie", "key": "b"}], "destination": "/blog/before"}],
            "afterFiles": [
                {"source": "/af/:slug", "destination": "/nowhere/:slug"},
                {"source": "/nowhere/:slug", "destination": "/blog/:slug"}
            ],
            "fallback": [
                {"source": "/blog/:slug", "destination": "/hello"},
                {"source": "/ext/:p*", "destination": "https://ex.com/:p*?q=:p"},
                {"source": "/bad/:p*", "destination": "/hello/:p"}
            ]
        }
    });
    let router = router(json!({}), rules, Value::Null);
    check(
        &router,
        &[
            ("/old/a/b?c=d", "", "308 /new/a/b?c=d"),
            ("/_next/x?go=1", "", "404 Page"),
            ("/hello?go=1", "", "307 /went?go=1"),
            ("/hello", "", "/hello/page"),
            ("/hello", "cookie=a%3D1; b=", "/hello/page"),
            ("/af/x", "", "/blog/[slug]/page slug=x"),
            ("/ext/a?r=1", "", "500 plain=false"),
            ("/ext", "", "proxy https://ex.com?q=:p"),
            ("/bad/a/b", "", "500 plain=false"),
        ],
    );
    let step = router.begin(&request("/blog/s", ""));
    let headers: Vec<_> = step
        .state
        .response_headers()
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    assert_eq!(headers, ["Set-Cookie=Many([\"a\", \"b\"])", "X-A=One(\"s\")"]);
    assert!(router.begin(&request("/old/a", "")).state.response_headers().is_empty());
    // The entry has no fallback for this path: the page is passed over, the fallback rewrite found.
    let next = router.resume(
        &request("/blog/s", ""),
        step.state,
        Event::NoFallback("/blog/[slug]".to_owned()),
    );
    assert_eq!(shown(&next), "/hello/page");
}

#[test]
fn pages_can_be_closed_to_direct_requests() {
    let rewrites = json!({"rewrites": {"fallback": [{"source": "/in", "destination": "/hello"}]}});
    check(
        &router(json!({"useFileSystemPublicRoutes": false}), rewrites, Value::Null),
        &[
            ("/hello", "", "404 Page"),
            ("/blog/a", "", "404 Page"),
            ("/in", "", "/hello/page"),
            ("/hi%20there.txt", "", "file Public hi there.txt"),
        ],
    );
}

#[test]
fn older_versions_read_targets_as_they_are() {
    let rules = json!({"rewrites": {"beforeFiles": [{
        "source": "/feed/:id", "destination": "/blog/:slug", "has": [{"type": "header", "key": "next-url", "value": ".*"}]
    }]}});
    let tree = "next-url=/|next-router-state-tree=%5B%22%22%2C%7B%22children%22%3A%5B%5B%22slug%22%2C%22s%22%2C%22d%22%5D%2C%7B%7D%5D%7D%5D";
    check(
        &router_of("15.5.29", json!({}), rules.clone(), Value::Null),
        &[
            ("/x/../hello", "", "404 Page"),
            ("/hello", "", "/hello/page"),
            ("/none.js", "sec-fetch-dest=script", "404 Page"),
            ("/p/[id]", "", "/p/[id] id=[id]"),
            ("/feed/7", tree, "/blog/[slug]/page slug=s"),
            ("/feed/7", "next-url=/", "500 plain=false"),
        ],
    );
    check(
        &router(json!({}), rules, Value::Null),
        &[("/feed/7", tree, "500 plain=false"), ("/p/[id]", "", "/p/[id]")],
    );
}

#[test]
fn a_path_is_rendered_again_without_rules() {
    let rules = json!({"redirects": [{"source": "/hello", "destination": "/to", "statusCode": 307}]});
    let router = router(json!({"basePath": "/base"}), rules, json!([{"regexp": ".*"}]));
    for (target, expected) in [
        ("/base/hello", "/hello/page"),
        ("/hello", "/hello/page"),
        ("/p/7/", "/p/[id] id=7"),
        ("/hi%20there.txt", "404 Unrendered { no_store: false }"),
    ] {
        assert_eq!(
            shown(&router.begin_unrouted(&request(target, ""))),
            expected,
            "{target}"
        );
    }
}

#[test]
fn error_pages_are_found() {
    let router = router(json!({}), json!({}), Value::Null);
    for (path, page) in [
        ("/_not-found", Some("/_not-found/page")),
        ("/404", Some("/404")),
        ("/_error", Some("/_error")),
        ("/500", None),
    ] {
        assert_eq!(router.lookup(path, None).map(|output| output.page).as_deref(), page);
    }
}

mod hostile {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_request_panics(targets in prop::collection::vec("(/|\\PC)[/a-p.%\\\\?#:@_=&é0-9]{0,24}", 32), host in "\\PC{0,12}") {
            let router = router(
                json!({"basePath": "/a", "i18n": {"locales": ["en", "é"], "defaultLocale": "en"}}),
                json!({"redirects": [{"source": "/:x(\\d+)/:y*", "destination": "/:y*/:x", "statusCode": 307}]}),
                json!([{"regexp": "^/((?!a).*)$"}]),
            );
            for target in targets {
                let request = request(&target, &format!("host={host}"));
                let step = router.begin(&request);
                let _ = router.resume(&request, step.state, Event::Middleware(MiddlewareReply::default()));
            }
        }
    }
}

#[test]
fn a_header_that_cannot_be_sent_ends_in_a_fault_with_those_before_it() {
    let rules = json!({"headers": [
        {"source": "/:path*", "headers": [{"key": "x-first", "value": "1"}]},
        {"source": "/:path*", "has": [{"type": "query", "key": "q"}],
         "headers": [{"key": "x-:q", "value": "a"}, {"key": "x-value", "value": ":q"}]},
        {"source": "/:path*", "headers": [{"key": "x-last", "value": "1"}]}
    ]});
    let router = router(json!({}), rules, Value::Null);
    for (target, expected, names) in [
        ("/hello?q=b", "/hello/page", vec!["x-first", "x-b", "x-value", "x-last"]),
        ("/hello?q=b%20c", "500 plain=false", vec!["x-first"]),
        ("/hello?q=%0a", "500 plain=false", vec!["x-first"]),
        ("/nowhere?q=%E2%82%AC", "500 plain=false", vec!["x-first"]),
        // Routing itself fails: nothing of a rule is left.
        ("/blog/%ff?q=b", "400", vec![]),
    ] {
        let step = router.begin(&request(target, ""));
        assert_eq!(shown(&step), expected, "{target}");
        let headers = step.state.response_headers();
        let found: Vec<&str> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(found, names, "{target}");
    }
}

#[test]
fn older_renderers_match_the_page_again() {
    let rules = json!({"rewrites": {"afterFiles": [
        {"source": "/up/:id", "destination": "/p/:id"}, {"source": "/query", "destination": "/p/:id", "has": [
            {"type": "query", "key": "id", "value": "(?<id>.*)"}]}
    ]}});
    for (version, target, expected) in [
        ("16.0.9", "/up/7", "/p/[id] id=7"),
        ("16.0.9", "/query?id=..", "404 Unrendered { no_store: false }"),
        ("16.4.6", "/query?id=..", "/p/[id] id=.."),
        ("16.0.9", "/query?id=%3Fx", "404 Unrendered { no_store: false }"),
    ] {
        let router = router_of(version, json!({}), rules.clone(), Value::Null);
        assert_eq!(
            shown(&router.begin(&request(target, ""))),
            expected,
            "{version} {target}"
        );
    }
}
