//! Any text may come in a target, a header or a path: nothing here may panic, and what was made canonical stays as it is.

use proptest::prelude::*;

use super::locale::detect_domain_locale;
use super::*;

/// Text that is likely to reach an odd corner: delimiters, dots, halves of escapes, letters of several bytes, control codes.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[/.%?#:@&=\\\\a-c0-9\\[\\]()*+üIŉ😀\u{0}\n ]{0,40}",
        "\\PC{0,30}",
        "(/_next/data/(b|ü))?/?(index|%2e|%C3|en|EN|ü|\\.\\.?|[(]\\.[)]a|\\[\\[?(\\.\\.\\.)?a\\]?\\]|/){0,6}(\\.json|\\.rsc)?",
    ]
}

proptest! {
    #[test]
    fn paths_can_be_anything(path in text(), other in text()) {
        let _ = (split_locale(&path, ["en", "ü"]), detect_domain_locale(None, Some(&path), Some(&other)));
        let _ = (strip_data_path(&path, &other), denormalize_page_path(&path), page_from_asset_path(&path, &other));
        let _ = (interception_marker(&path), is_interception_page(&path), is_dynamic_page(&path), app_route(&path));
        let _ = (host_name(&path), relative_to(&path, &other), relative_to(&path, "http://localhost/a"));
        let _ = (add_path_prefix(&path, &other), preferred_locale(&path, &[other.clone(), "en-GB".to_owned()]));
        let bare = without_trailing_slash(&path);
        prop_assert!(path.starts_with(bare));
        prop_assert_eq!(path_has_prefix(&path, &other), remove_path_prefix(&path, &other) != path || (path_has_prefix(&path, &other)));
    }

    #[test]
    fn collapsed_paths_stay_collapsed(target in text()) {
        let once = collapse_slashes(&target);
        prop_assert!(!has_repeated_slashes(&once), "{}", once);
        prop_assert_eq!(collapse_slashes(&once), once);
    }

    #[test]
    fn encoding_can_be_undone(text in text()) {
        let encoded = encode_uri_component(&text);
        let decoded = decode_uri_component(&encoded);
        prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
        let path = encode_uri_path(&text);
        prop_assert_eq!(path.matches('/').count(), text.matches('/').count());
        let _ = decode_uri_component(&text);
    }

    #[test]
    fn a_location_that_was_written_is_read_again(target in text(), legacy: bool) {
        let dialect = if legacy { Dialect::Legacy } else { Dialect::Whatwg };
        if let Ok(parts) = parse_target(&target, dialect) {
            let written = parts.format();
            let _ = format_location(&parts.pathname, &parts.search, &parts.query);
            if dialect == Dialect::Whatwg && parts.auth.is_none() {
                let again = parse_target(&written, dialect);
                prop_assert_eq!(again.map(|again| again.format()), Ok(written));
            }
        }
        let _ = Location::parse(&target, dialect);
    }

    /// A client chooses keys and their order; JavaScript lists array indices first, by number, and all others as they came.
    #[test]
    fn queries_are_listed_in_order(keys in prop::collection::vec("[0-9]{1,3}|[a-c]|429496729[0-9]", 0..30)) {
        let query = Query::parse(&keys.iter().map(|key| format!("{key}=1")).collect::<Vec<_>>().join("&"));
        let mut one_by_one = Query::default();
        for key in &keys {
            one_by_one.set(key, QueryValue::from("1"));
        }
        prop_assert_eq!(query.keys().collect::<Vec<_>>(), one_by_one.keys().collect::<Vec<_>>());
    }
}
