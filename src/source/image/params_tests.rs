use super::*;
use crate::config::{LocalPattern, RemotePattern};
use proptest::prelude::*;

/// What picomatch makes of `**`, with dots.
const ANY: &str = r"^(?:(?!(?:^|\/)\.{1,2}(?:\/|$))(?:(?:(?!(?:^|\/)\.{1,2}(?:\/|$)).)*?)\/?)$";
/// Of `/img/**`.
const BELOW_IMG: &str = r"^(?:\/img(?:\/(?!\.{1,2}(?:\/|$))(?:(?:(?!(?:^|\/)\.{1,2}(?:\/|$)).)*?)|$))$";
/// Of `*.example.com`.
const ONE_LABEL: &str = r"^(?:(?!\.)(?=.)[^/]*?\.example\.com\/?)$";
/// Of `**.example.org`.
const ANY_LABELS: &str = r"^(?:(?!\.)(?:(?:(?!(?:^|\/)\.).)*?)\.example\.org\/?)$";

fn config() -> ImagesConfig {
    let remote =
        |hostname: &str, protocol: Option<&str>, port: Option<&str>, search: Option<&str>, path: &str| RemotePattern {
            protocol: protocol.map(str::to_owned),
            port: port.map(str::to_owned),
            search: search.map(str::to_owned),
            hostname_regex: hostname.to_owned(),
            pathname_regex: path.to_owned(),
        };
    ImagesConfig {
        local_patterns: Some(vec![
            LocalPattern {
                search: Some(String::new()),
                pathname_regex: BELOW_IMG.to_owned(),
            },
            LocalPattern {
                search: None,
                pathname_regex: r"^(?:\/api)$".to_owned(),
            },
        ]),
        remote_patterns: vec![
            remote(ONE_LABEL, Some("https:"), Some(""), Some(""), ANY),
            remote(ANY_LABELS, None, None, None, BELOW_IMG),
            remote(r"^(?:127\.0\.0\.1)$", Some("http"), Some("8080"), None, ANY),
        ],
        domains: vec!["old.example.net".to_owned()],
        qualities: Some(vec![50.0, 75.0]),
        formats: vec!["image/avif".to_owned(), "image/webp".to_owned()],
        ..ImagesConfig::default()
    }
}

fn read(search: &str, config: &ImagesConfig) -> std::result::Result<Params, ParamsError> {
    let rules = Rules::compile(config, "", true).unwrap();
    rules.read(&Query::parse(search), "image/webp")
}

#[test]
fn refusals_have_the_texts_of_upstream_and_its_order() {
    let long = format!("url=/{}", "a".repeat(3072));
    let table = [
        ("", "\"url\" parameter is required"),
        ("url=", "\"url\" parameter is required"),
        ("url=/a&url=/b&w=x", "\"url\" parameter cannot be an array"),
        (long.as_str(), "\"url\" parameter is too long"),
        ("url=//x", "\"url\" parameter cannot be a protocol-relative URL (//)"),
        ("url=/_next/image", "\"url\" parameter cannot be recursive"),
        ("url=/x/_next/image/y", "\"url\" parameter cannot be recursive"),
        ("url=/%255fnext/image%3Furl=/a", "\"url\" parameter cannot be recursive"),
        ("url=/_next/images/a", "\"url\" parameter is not allowed"),
        ("url=/other/a.jpg&w=1", "\"url\" parameter is not allowed"),
        ("url=/img/a.jpg?v=1", "\"url\" parameter is not allowed"),
        ("url=/img/../secret", "\"url\" parameter is not allowed"),
        ("url=/img/%252e%252e/secret", "\"url\" parameter is not allowed"),
        ("url=a.jpg", "\"url\" parameter is invalid"),
        ("url=ftp://a.example.com/x", "\"url\" parameter is invalid"),
        ("url=data:image/png;base64,AA", "\"url\" parameter is invalid"),
        ("url=javascript:alert(1)", "\"url\" parameter is invalid"),
        ("url=https://evil.com/a", "\"url\" parameter is not allowed"),
        (
            "url=https://a.b.example.com.evil.com/a",
            "\"url\" parameter is not allowed",
        ),
        ("url=http://a.example.com/x", "\"url\" parameter is not allowed"),
        ("url=https://a.example.com:8443/x", "\"url\" parameter is not allowed"),
        ("url=https://a.example.com/x?y", "\"url\" parameter is not allowed"),
        ("url=https://a.example.org/other", "\"url\" parameter is not allowed"),
        ("url=/img/a", "\"w\" parameter (width) is required"),
        ("url=/img/a&w=1&w=2", "\"w\" parameter (width) cannot be an array"),
        (
            "url=/img/a&w=-1",
            "\"w\" parameter (width) must be an integer greater than 0",
        ),
        (
            "url=/img/a&w=6.4",
            "\"w\" parameter (width) must be an integer greater than 0",
        ),
        (
            "url=/img/a&w=0&q=1",
            "\"w\" parameter (width) must be an integer greater than 0",
        ),
        ("url=/img/a&w=640", "\"q\" parameter (quality) is required"),
        ("url=/img/a&w=641", "\"q\" parameter (quality) is required"),
        (
            "url=/img/a&w=640&q=1&q=2",
            "\"q\" parameter (quality) cannot be an array",
        ),
        (
            "url=/img/a&w=640&q=x",
            "\"q\" parameter (quality) must be an integer between 1 and 100",
        ),
        ("url=/img/a&w=641&q=75", "\"w\" parameter (width) of 641 is not allowed"),
        (
            "url=/img/a&w=99999999999999999999999&q=75",
            "\"w\" parameter (width) of 1e+23 is not allowed",
        ),
        (
            "url=/img/a&w=640&q=0",
            "\"q\" parameter (quality) must be an integer between 1 and 100",
        ),
        (
            "url=/img/a&w=640&q=101",
            "\"q\" parameter (quality) must be an integer between 1 and 100",
        ),
        (
            "url=/img/a&w=640&q=074",
            "\"q\" parameter (quality) of 074 is not allowed",
        ),
    ];
    for (search, text) in table {
        let refused = read(search, &config()).unwrap_err();
        assert_eq!(refused, ParamsError::from(text), "{search}");
    }
    for search in ["url=/img/%25ff&w=640&q=75", "url=/img/%25E0%25A4%25A&w=640&q=75"] {
        assert!(
            matches!(read(search, &config()), Err(ParamsError::Fault(_))),
            "{search}"
        );
    }
}

#[test]
fn what_is_allowed_is_read() {
    for (url, absolute) in [
        ("/img/a.jpg", false),
        ("/img/.hidden/a.jpg", false),
        ("/api?user=1", false),
        ("https://cdn.example.com/a.jpg", true),
        ("http://a.b.example.org/img/x?y=1", true),
        ("http://old.example.net:81/any", true),
        ("http://127.0.0.1:8080/a", true),
        ("http://127.1:8080/a", true),
    ] {
        let mut query = Query::default();
        query.set("url", url.into());
        query.set("w", "0640".into());
        query.set("q", "75".into());
        let rules = Rules::compile(&config(), "", true).unwrap();
        let params = rules.read(&query, "image/webp,*/*").unwrap();
        assert_eq!(
            (params.absolute, params.width, params.quality),
            (absolute, 640, 75),
            "{url}"
        );
        assert_eq!(params.format.as_deref(), Some("image/webp"));
    }
}

#[test]
fn without_local_patterns_any_path_may_be_asked_for() {
    let config = ImagesConfig {
        qualities: None,
        ..ImagesConfig::default()
    };
    let params = read("url=/any?x=1&w=640&q=1", &config).unwrap();
    assert_eq!((params.href.as_str(), params.quality), ("/any?x=1", 1));
}

#[test]
fn files_of_the_build_are_known_by_their_path() {
    let config = ImagesConfig {
        local_patterns: None,
        ..ImagesConfig::default()
    };
    let immutable = |url: &str, base: &str, late: bool| {
        let rules = Rules::compile(&config, base, late).unwrap();
        let mut query = Query::default();
        query.set("url", url.into());
        query.set("w", "640".into());
        query.set("q", "75".into());
        rules.read(&query, "").unwrap().immutable
    };
    assert!(immutable("/_next/static/media/a.jpg", "", false));
    assert!(!immutable("/_next/static/media/a.jpg", "/docs", false));
    assert!(immutable("/docs/_next/static/media/a.jpg", "/docs", false));
    assert!(immutable("/_next/static/immutable/media/a.jpg", "", true));
    assert!(!immutable("/_next/static/immutable/media/a.jpg", "", false));
}

#[test]
fn keys_and_tags_are_those_of_upstream() {
    let params = |href: &str, format: Option<&str>| Params {
        href: href.to_owned(),
        absolute: false,
        immutable: false,
        width: 640,
        quality: 75,
        format: format.map(str::to_owned),
        key: String::new(),
    };
    assert_eq!(
        key(&params("/a.jpg", Some("image/webp"))),
        "y_FU_QomNowzg4OkkrKE9yO278Fv8eQJzKDWLLbo_7o"
    );
    assert_eq!(
        key(&params("https://x.org/ü", None)),
        "xc2UViDUdqJ5KPiStz1mvst8MjwmCnNBxEhLNY1Yy3k"
    );
    assert_eq!(source_tag(Some("W/\"1\""), b"x"), "Vy8iMSI");
    assert_eq!(source_tag(None, b"x"), "LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE");
    assert_eq!(source_tag(Some(""), b"x"), source_tag(None, b"x"));
}

proptest! {
    #[test]
    fn any_query_is_harmless(search in "\\PC{0,80}", accept in "\\PC{0,40}") {
        let rules = Rules::compile(&config(), "", true).unwrap();
        let _ = rules.read(&Query::parse(&search), &accept);
    }

    #[test]
    fn nothing_outside_the_patterns_is_allowed(url in "(/|//|https?://|/img/|/\\\\)?[a-z.@:%/\\\\#?2e]{0,24}") {
        let rules = Rules::compile(&config(), "", true).unwrap();
        let mut query = Query::default();
        query.set("url", url.as_str().into());
        query.set("w", "640".into());
        query.set("q", "75".into());
        if let Ok(params) = rules.read(&query, "") {
            if params.absolute {
                let host = Url::parse(&params.href).unwrap().host_str().unwrap().to_owned();
                prop_assert!(host.ends_with(".example.com") || host.ends_with(".example.org")
                    || host == "old.example.net" || host == "127.0.0.1", "{url}");
            } else {
                let path = Url::parse("http://n").unwrap().join(&url).unwrap().path().to_owned();
                prop_assert!(path == "/api" || path == "/img" || path.starts_with("/img/"), "{url}");
            }
        }
    }
}
