//! Upstream's own answers as data: `oracle.json` was printed by a script that calls Next.js 16.4.6.

use super::*;
use crate::route::oracle::{entries, oracle, params_of};
use serde_json::Value;

#[test]
fn sources_match_as_upstream_matches_them() {
    let oracle = oracle();
    for case in oracle["sources"].as_array().unwrap() {
        let source = case["source"].as_str().unwrap();
        let internal = case["internal"] == true;
        let redirect = case["kind"] == "redirect";
        let options = MatchOptions {
            sensitive: false,
            optional_slash: !internal,
            restricted: (redirect && !internal).then(|| "/_next".to_owned()),
        };
        let matcher = PathMatcher::compile(source, options);
        assert_eq!(matcher.is_err(), case["error"] == true, "{source}");
        let Ok(matcher) = matcher else { continue };
        let mut expected = case["matches"].as_array().unwrap().iter().peekable();
        for path in oracle["paths"].as_array().unwrap() {
            let found = matcher.matches(path.as_str().unwrap()).unwrap();
            let wanted = expected.next_if(|case| case[0] == *path).map(|case| case[1].clone());
            assert_eq!(found.as_ref().map(entries), wanted, "{source} on {path}");
        }
    }
}

#[test]
fn templates_refuse_what_path_to_regexp_refuses() {
    for (template, error) in [
        ("/:", "Missing parameter name at 1"),
        ("/(", "Unbalanced pattern at 1"),
        ("/()", "Missing pattern at 1"),
        ("/(?:a)", "Pattern cannot start with \"?\" at 2"),
        ("/((a))", "Capturing groups are not allowed at 2"),
        ("/}", "Unexpected CLOSE, expected END"),
        ("/{a", "Unexpected END, expected CLOSE"),
        ("/*", "Unexpected MODIFIER, expected END"),
    ] {
        assert_eq!(Template::compile(template, true).unwrap_err(), error);
    }
}

/// Expression, text, groups (`None` when there is no match). Checked against Node 20.
type RegexCase = (&'static str, &'static str, Option<&'static [Option<&'static str>]>);

const REGEXES: &[RegexCase] = &[
    ("^\\d+$", "12", Some(&[Some("12")])),
    ("^\\d+$", "١٢", None),
    ("^\\w+$", "é", None),
    ("^.$", "\u{2028}", None),
    ("^[^]$", "\n", Some(&[Some("\n")])),
    ("^[]$", "", None),
    ("^(?<a>x)(?<b>y)?$", "x", Some(&[Some("x"), Some("x"), None])),
    ("^(a)\\1$", "aa", Some(&[Some("aa"), Some("a")])),
    ("^(?<q>['\"]).*\\k<q>$", "'x'", Some(&[Some("'x'"), Some("'")])),
    ("^(?!api)(.*)$", "apix", None),
    ("^(?!api)(.*)$", "pix", Some(&[Some("pix"), Some("pix")])),
    ("(?<=/)b", "/b", Some(&[Some("b")])),
    ("^a{2}$", "aa", Some(&[Some("aa")])),
    ("^a{,2}$", "a{,2}", Some(&[Some("a{,2}")])),
    ("^{a}$", "{a}", Some(&[Some("{a}")])),
    ("^]$", "]", Some(&[Some("]")])),
    ("^[[a]+$", "[a", Some(&[Some("[a")])),
    ("^[a&&b]+$", "a&b", Some(&[Some("a&b")])),
    ("^[a-]+$", "a-", Some(&[Some("a-")])),
    ("^[\\w-.]+$", "a-.", Some(&[Some("a-.")])),
    ("^[\\--/]+$", "-./", Some(&[Some("-./")])),
    ("^\\u0041\\x42\\/$", "AB/", Some(&[Some("AB/")])),
    ("\\bfoo\\b", "a foo b", Some(&[Some("foo")])),
    ("\\bfoo\\b", "foobar", None),
    ("o\\B", "foo é", Some(&[Some("o")])),
    ("\\Bé", "éé", Some(&[Some("é")])),
    ("a\\bé", "aé", Some(&[Some("aé")])),
    ("(?!x)\\bfoo\\b(?!-)", "foo- foo.", Some(&[Some("foo")])),
    ("(?=\\B)o", "foo", Some(&[Some("o")])),
    ("(?<!(?:a(?!a))?)|a", "b", None),
    ("^(?:(x)|b|1)*$", "xb1", Some(&[Some("xb1"), None])),
    ("^(?:(x)|b|1)*$", "bx", Some(&[Some("bx"), Some("x")])),
    ("^(a*)*", "b", Some(&[Some(""), None])),
    ("^(a*)*", "aab", Some(&[Some("aa"), Some("aa")])),
    ("^(a*)+", "b", Some(&[Some(""), Some("")])),
    ("^\\/(.*)?(?:\\/)?$", "/", Some(&[Some("/"), None])),
    ("^(?:(a)|(b)){2,3}?(?!c)", "abac", Some(&[Some("ab"), None, Some("b")])),
    (
        "^(?:(a)|(?:(b)|c)*)*d",
        "abcad",
        Some(&[Some("abcad"), Some("a"), None]),
    ),
    ("^(.*)(?<!\\.html)$", "a.htm", Some(&[Some("a.htm"), Some("a.htm")])),
    ("^\\cJ$", "\n", Some(&[Some("\n")])),
    ("^\\-\\:\\@\\#\\ $", "-:@# ", Some(&[Some("-:@# ")])),
    ("^[\\s\\S]*$", "a\nb", Some(&[Some("a\nb")])),
    ("^[^\\d]+$", "ab", Some(&[Some("ab")])),
    ("a|b$", "ax", Some(&[Some("a")])),
    ("^#x & y~$", "#x & y~", Some(&[Some("#x & y~")])),
];

#[test]
fn regular_expressions_mean_what_they_mean_in_javascript() {
    for (source, text, expected) in REGEXES {
        let regex = JsRegex::compile(source, false).unwrap();
        let groups = regex.captures(text).unwrap();
        assert_eq!(groups.is_some(), expected.is_some(), "{source} on {text}");
        let (Some(groups), Some(expected)) = (groups, expected) else {
            continue;
        };
        for (i, group) in expected.iter().enumerate() {
            assert_eq!(groups.get(i), *group, "group {i} of {source} on {text}");
        }
    }
}

#[test]
fn an_expression_that_cannot_end_gives_up() {
    // JavaScript would try for longer than the universe lasts.
    let regex = JsRegex::compile("^((?:a?){40})\\1$", false).unwrap();
    assert_eq!(regex.is_match(&"a".repeat(41)), Err(TooComplex));
}

/// What would take a backtracking engine longer than anybody waits is answered, however long the text is.
#[test]
fn lookaround_is_decided_for_any_text() {
    for (source, text, expected) in [
        ("^(?!x)(.*)(?=y)(.*)(?=z)(.*)x$", "xyz".repeat(5000), false),
        ("^(?!x)(.*)(?=y)(.*)(?=z)(.*)x$", "ayz".repeat(5000) + "x", true),
        ("^(?!a)(b|a+)+(?!b)c$", "ba".repeat(100), false),
        ("^(?:(?!.*x).)+$", "a".repeat(16_000), true),
        ("^\\/((?!api|_next).*)$", "/x".repeat(8000), true),
        ("^(?=(a+))a*b$", "a".repeat(16_000), false),
    ] {
        let regex = JsRegex::compile(source, true).unwrap();
        assert_eq!(regex.is_match(&text), Ok(expected), "{source}");
        assert_eq!(regex.captures(&text).unwrap().is_some(), expected, "{source}");
    }
}

#[test]
fn texts_are_filled_as_upstream_fills_them() {
    let oracle = oracle();
    for case in oracle["texts"].as_array().unwrap() {
        let text = at(&oracle["textlist"], &case[0]).as_str().unwrap();
        let params = params_of(at(&oracle["params"], &case[1]));
        let filled = crate::route::rule::interpolate(text, &params, true).ok();
        assert_eq!(filled.as_deref(), case[2].as_str(), "{text} with {params:?}");
    }
}

fn at<'v>(list: &'v Value, index: &Value) -> &'v Value {
    &list[index.as_u64().unwrap() as usize]
}

mod hostile {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in "[/:a-c(){}*+?\\\\.|\\[\\]^$<>=!0-9é-]{0,16}", text in "[/a-c0-9é(.)-]{0,12}") {
            if let Ok(matcher) = PathMatcher::compile(&pattern, MatchOptions::default()) {
                let _ = matcher.matches(&text);
            }
            if let Ok(template) = Template::compile(&pattern, true) {
                let _ = template.fill(&crate::route::Params::default(), Encoding::None);
            }
            if let Ok(regex) = JsRegex::compile(&pattern, true) {
                let _ = regex.captures(&text);
            }
        }
    }
}
