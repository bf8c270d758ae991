//! The data form of a page's URL: `/_next/data/<build id>/p.json` stands for `/p`.
//!
//! In: a path. Out: the page path it stands for. Sources: `next/dist/server/normalizers/request/next-data.js`,
//! `next/dist/shared/lib/page-path/denormalize-page-path.js`, `next/dist/shared/lib/router/utils/
//! get-route-from-asset-path.js`.

use std::borrow::Cow;

use super::page::is_dynamic_page;

/// The page path of a data URL of this build, or `None` when it is no such URL.
pub fn strip_data_path<'a>(path: &'a str, build_id: &str) -> Option<Cow<'a, str>> {
    let rest = path.strip_prefix("/_next/data/")?.strip_prefix(build_id)?;
    if !rest.starts_with('/') {
        return None;
    }
    rest.strip_suffix(".json").map(denormalize_page_path)
}

/// The path behind the build id of a data URL of any build.
pub fn any_data_page(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/_next/data/")?.strip_suffix(".json")?;
    rest.find('/').and_then(|at| rest.get(at..))
}

/// `/index` is `/`, `/index/index` is `/index`; a backslash counts as a slash.
pub fn denormalize_page_path(page: &str) -> Cow<'_, str> {
    let page: Cow<'_, str> = if page.contains('\\') {
        page.replace('\\', "/").into()
    } else {
        page.into()
    };
    if page == "/index" {
        return "/".into();
    }
    if !page.starts_with("/index/") || is_dynamic_page(&page) {
        return page;
    }
    match page {
        Cow::Borrowed(page) => page.strip_prefix("/index").unwrap_or(page).into(),
        Cow::Owned(page) => page.strip_prefix("/index").unwrap_or(&page).to_owned().into(),
    }
}

/// The page of an asset path such as `/index.json` or `/blog/a.json`.
pub fn page_from_asset_path<'a>(asset: &'a str, extension: &str) -> Cow<'a, str> {
    denormalize_page_path(asset.strip_suffix(extension).unwrap_or(asset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_paths_of_this_build_name_a_page() {
        for (path, page) in [
            ("/_next/data/ID/index.json", Some("/")),
            ("/_next/data/ID/a/b.json", Some("/a/b")),
            ("/_next/data/ID/index/index.json", Some("/index")),
            ("/_next/data/ID/index/[x].json", Some("/index/[x]")),
            ("/_next/data/ID/a", None),
            ("/_next/data/IDX/a.json", None),
            ("/_next/data/other/a.json", None),
            ("/_next/data/ID.json", None),
            ("/a.json", None),
        ] {
            assert_eq!(strip_data_path(path, "ID").as_deref(), page, "{path}");
        }
        assert_eq!(page_from_asset_path("/fr/index.json", ".json"), "/fr/index");
        assert_eq!(page_from_asset_path("\\a", ".json"), "/a");
    }
}
