use std::fs;
use std::path::Path;

use super::prerender::Revalidate;
use super::*;

/// The smallest build that loads.
fn write_build(dir: &Path) {
    let dist = dir.join(".next");
    let write = |path: &str, text: &str| {
        let path = dist.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("BUILD_ID", "ID");
    write(
        "routes-manifest.json",
        r#"{"version":3,"redirects":[],"headers":[],"rewrites":[{"source":"/a","destination":"/b"}],
            "dynamicRoutes":[],"staticRoutes":[],"dataRoutes":[]}"#,
    );
    write(
        "prerender-manifest.json",
        r#"{"version":4,"routes":{"/a":{"initialRevalidateSeconds":false,"srcRoute":null,"dataRoute":"/a.rsc"},
            "/b":{"initialRevalidateSeconds":5,"initialExpireSeconds":60}},
            "dynamicRoutes":{"/[x]":{"fallback":null},"/s/[x]":{"fallback":"/s/[x].html","renderingMode":"PARTIALLY_STATIC"},"/n/[x]":{"fallback":false}},
            "notFoundRoutes":["/gone"],
            "preview":{"previewModeId":"p","previewModeSigningKey":"s","previewModeEncryptionKey":"e"}}"#,
    );
    write("server/pages-manifest.json", r#"{"/_app":"pages/_app.js"}"#);
    write("static/chunks/[slug].js", "");
    fs::create_dir_all(dir.join("public/a b")).unwrap();
    fs::write(dir.join("public/a b/ü+%.txt"), "").unwrap();
}

#[test]
fn a_small_build_loads() {
    let dir = tempfile::tempdir().unwrap();
    write_build(dir.path());
    let build = Build::load(dir.path(), &dir.path().join(".next"), "16.0.4").unwrap();
    assert_eq!(build.id, "ID");
    assert_eq!(build.routes.rewrites.after_files.len(), 1);
    assert_eq!(
        build.prerender.routes["/a"].initial_revalidate_seconds,
        Revalidate::Never
    );
    assert_eq!(
        build.prerender.routes["/b"].initial_revalidate_seconds,
        Revalidate::After(5.0)
    );
    assert_eq!(build.prerender.dynamic_routes["/[x]"].rendering_mode, None);
    assert_eq!(
        build.prerender.dynamic_routes["/s/[x]"].rendering_mode,
        Some(RenderingMode::PartiallyStatic)
    );
    assert_eq!(build.preview.preview_mode_id, "p");
    assert!(build.files.public.read().contains("/a%20b/%C3%BC%2B%25.txt"));
    assert!(build.files.next_static.contains("/_next/static/chunks/%5Bslug%5D.js"));
    assert!(build.middleware.is_none());
}

#[test]
fn no_build_is_said_in_upstreams_words_with_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let error = Build::load(dir.path(), &dir.path().join("out/next"), "16.0.4").unwrap_err();
    assert_eq!(error.code(), Code::NoBuild);
    assert_eq!(
        error.message(),
        format!(
            "Could not find a production build in the 'out/next' directory of {}. Try building your app with 'next build' \
             before starting the production server. https://nextjs.org/docs/messages/production-start-no-build-id",
            dir.path().display()
        )
    );
}

#[test]
fn a_damaged_manifest_names_file_and_field() {
    let dir = tempfile::tempdir().unwrap();
    let dist = dir.path().join(".next");
    for (file, text, expected) in [
        (
            "routes-manifest.json",
            "{",
            "routes-manifest.json is not a valid manifest",
        ),
        (
            "routes-manifest.json",
            r#"{"redirects":[{"source":1,"destination":"/"}],"headers":[]}"#,
            "redirects[0]: source: invalid type",
        ),
        (
            "routes-manifest.json",
            r#"{"redirects":[],"headers":[{"headers":[],"source":"/","has":[{"type":"host"},{"key":1}]}]}"#,
            "headers[0]: has[1].key: invalid type",
        ),
        (
            "routes-manifest.json",
            r#"{"redirects":[{"destination":"/"}],"headers":[]}"#,
            "redirects[0]: missing field `source`",
        ),
        ("routes-manifest.json", r#"{"redirects":[]}"#, "missing field `headers`"),
        (
            "prerender-manifest.json",
            r#"{"routes":{"/a":{"initialRevalidateSeconds":"x"}},"dynamicRoutes":{}}"#,
            "initialRevalidateSeconds",
        ),
        ("server/pages-manifest.json", "{} x", "trailing characters"),
        ("server/middleware-manifest.json", r#"{"middleware":[]}"#, "middleware"),
    ] {
        write_build(dir.path());
        fs::write(dist.join(file), text).unwrap();
        let error = Build::load(dir.path(), &dist, "16.0.4").unwrap_err();
        assert_eq!(error.code(), Code::CorruptManifest);
        assert!(error.message().contains(expected), "{file}: {error}");
        let _ = fs::remove_file(dist.join(file));
    }
    write_build(dir.path());
    fs::remove_file(dist.join("server/pages-manifest.json")).unwrap();
    let error = Build::load(dir.path(), &dist, "16.0.4").unwrap_err();
    assert!(error
        .message()
        .contains("pages-manifest.json is not a valid manifest: the file is missing"));
}

#[test]
fn middleware_comes_from_either_manifest() {
    let dir = tempfile::tempdir().unwrap();
    write_build(dir.path());
    let server = dir.path().join(".next/server");
    let load = || {
        Build::load(dir.path(), &dir.path().join(".next"), "16.0.4")
            .unwrap()
            .middleware
    };
    fs::write(
        server.join("functions-config-manifest.json"),
        r#"{"version":1,"functions":{"/_middleware":{"runtime":"nodejs"}}}"#,
    )
    .unwrap();
    assert_eq!(load().unwrap()[0].regexp, ".*");
    fs::write(
        server.join("middleware-manifest.json"),
        r#"{"version":3,"middleware":{"/":{"files":["server/edge.js"],"name":"middleware","page":"/",
            "matchers":[{"regexp":"^/a$","originalSource":"/a"}],"wasm":[],"assets":[],"env":{"A":"b"}}},"functions":{}}"#,
    )
    .unwrap();
    assert_eq!(load().unwrap()[0].regexp, "^/a$");
}
