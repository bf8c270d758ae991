//! Pages with parameters, of both routers, and the data URLs of such pages.
//!
//! In: the routes of a build. Out: for a path, the pages that match it, in order. Source: `filesystem.js` and
//! `next/dist/shared/lib/router/utils/route-matcher.js`.

use super::page_matcher::PageMatcher;
use super::page_regex::{page_regex, PageParam};
use super::sort::sorted;
use crate::build::Build;
use crate::route::index::{Candidates, Segment, SegmentIndex};
use crate::route::params::Params;
use crate::route::pattern::{JsRegex, TooComplex};
use crate::url::{decode_uri_component, is_dynamic_page, QueryValue};

/// One page with parameters.
#[derive(Debug, Clone)]
pub struct DynamicPage {
    /// The page, for instance `/blog/[slug]`.
    pub page: String,
    matcher: PageMatcher,
    params: Vec<PageParam>,
    /// Whether the parameters count; otherwise the renderer finds them itself.
    decodes: bool,
}

/// Why a path that fits a page gives no parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchFault {
    /// A parameter does not decode; upstream answers 400.
    Undecodable,
    /// Too many steps.
    TooComplex,
}

impl From<TooComplex> for MatchFault {
    fn from(_: TooComplex) -> Self {
        MatchFault::TooComplex
    }
}

impl DynamicPage {
    /// Compiles a page. With `affixes`, what stands around a parameter in its segment is matched, too.
    pub fn compile(page: &str, affixes: bool) -> Result<DynamicPage, String> {
        let (matcher, params) = PageMatcher::compile(page, affixes)?;
        Ok(DynamicPage {
            page: page.to_owned(),
            matcher,
            params,
            decodes: true,
        })
    }

    /// A page at another path: `regex` has the groups of the page.
    fn with_regex(page: &str, regex: &str, decodes: bool) -> Result<DynamicPage, String> {
        Ok(DynamicPage {
            page: page.to_owned(),
            matcher: PageMatcher::Regex(Box::new(JsRegex::compile(regex, false)?)),
            params: page_regex(page, false).params,
            decodes,
        })
    }

    /// The decoded parameters of `path`.
    pub fn matches(&self, path: &str) -> Result<Option<Params>, MatchFault> {
        let Some(found) = self.matcher.matches(path, self.params.len())? else {
            return Ok(None);
        };
        let mut params = Params::default();
        if !self.decodes {
            return Ok(Some(params));
        }
        for (param, text) in self.params.iter().zip(found) {
            let Some(text) = text.filter(|_| !param.replaced) else {
                continue;
            };
            let value = if param.repeat {
                QueryValue::Many(text.split('/').map(decode).collect::<Result<_, _>>()?)
            } else {
                QueryValue::One(decode(text)?)
            };
            params.set(&param.name, Some(value));
        }
        Ok(Some(params))
    }
}

/// Decodes one value, without the separator that Next.js may have put before it.
fn decode(text: &str) -> Result<String, MatchFault> {
    let decoded = decode_uri_component(text).ok_or(MatchFault::Undecodable)?;
    Ok(match decoded.strip_prefix("_NEXTSEP_") {
        Some(rest) => rest.to_owned(),
        None => decoded.into_owned(),
    })
}

/// All dynamic pages of an app.
#[derive(Debug, Clone, Default)]
pub struct DynamicTable {
    pages: Vec<DynamicPage>,
    index: SegmentIndex,
}

impl DynamicTable {
    /// Compiles the dynamic pages of `build`: data URLs first, then pages.
    pub fn compile(build: &Build, app_pages: &[String], i18n: bool) -> Result<DynamicTable, String> {
        let mut table = DynamicTable::default();
        for route in build
            .routes
            .data_routes
            .iter()
            .filter(|route| is_dynamic_page(&route.page))
        {
            let source = if i18n {
                with_locale_segment(&route.data_route_regex, &build.id)
            } else {
                route.data_route_regex.clone()
            };
            table.push(
                // With locales, older versions take the locale for the first parameter.
                DynamicPage::with_regex(&route.page, &source, !i18n || build.capabilities.lookup_decides_page)?,
                &segments_of_data(&route.page, i18n),
            );
        }
        let capabilities = &build.capabilities;
        let mut pages: Vec<&str> = Vec::new();
        if capabilities.sorted_dynamic_routes {
            pages.extend(
                app_pages
                    .iter()
                    .map(String::as_str)
                    .filter(|page| is_dynamic_page(page)),
            );
        }
        let listed = build
            .routes
            .dynamic_routes
            .iter()
            .filter(|route| !route.skip_internal_routing);
        pages.extend(listed.map(|route| route.page.as_str()));
        let order: Vec<usize> = if capabilities.sorted_dynamic_routes {
            sorted(&pages)
        } else {
            (0..pages.len()).collect()
        };
        let mut seen = std::collections::HashSet::new();
        for page in order.into_iter().filter_map(|number| pages.get(number)) {
            // A page may come from both lists; the second would match just the same.
            if seen.insert(*page) {
                let compiled = DynamicPage::compile(page, capabilities.affixed_segments)?;
                table.push(compiled, &segments_of_page(page));
            }
        }
        Ok(table)
    }

    fn push(&mut self, page: DynamicPage, segments: &[Segment]) {
        self.index.push(segments);
        self.pages.push(page);
    }

    /// Numbers of the pages worth trying for `path`, in order.
    pub fn candidates(&self, path: &str) -> Candidates {
        self.index.candidates(path)
    }

    /// The page of a number.
    pub fn get(&self, number: u32) -> Option<&DynamicPage> {
        self.pages.get(number as usize)
    }
}

/// Allows any locale after the build id of a data URL.
fn with_locale_segment(regex: &str, build_id: &str) -> String {
    let escaped: String = build_id
        .chars()
        .flat_map(|c| "|\\{}()[]^$+*?.-".contains(c).then_some('\\').into_iter().chain([c]))
        .collect();
    let segment = format!("/{escaped}");
    match regex.find(&segment) {
        Some(at) => {
            let (before, after) = regex.split_at_checked(at + segment.len()).unwrap_or((regex, ""));
            format!("{before}/(?:[^/]+?){after}")
        }
        None => regex.to_owned(),
    }
}

/// The segments of a page's data URL, for the index.
fn segments_of_data(page: &str, i18n: bool) -> Vec<Segment> {
    let mut segments = vec![
        Segment::Text("_next".to_owned()),
        Segment::Text("data".to_owned()),
        Segment::One,
    ];
    if i18n {
        segments.push(Segment::One);
    }
    segments.extend(segments_of_page(page));
    match segments.last_mut() {
        // `/shop/[[...f]]` also answers `shop.json`, so the segment before it is not known either.
        Some(Segment::Rest) => {
            let before = segments.len().saturating_sub(2);
            segments.truncate(before);
            segments.push(Segment::Rest);
        }
        Some(Segment::Text(text)) => text.push_str(".json"),
        _ => {}
    }
    segments
}

/// The segments of a page, for the index.
pub fn segments_of_page(page: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    for segment in page.split('/').filter(|segment| !segment.is_empty()) {
        if !segment.contains('[') {
            segments.push(Segment::Text(segment.to_owned()));
        } else if segment.contains("...") {
            segments.push(Segment::Rest);
            break;
        } else {
            segments.push(Segment::One);
        }
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::oracle::{entries, oracle};
    use crate::route::table::sort::sorted;

    #[test]
    fn pages_match_as_upstream_matches_them() {
        let oracle = oracle();
        for case in oracle["pages"].as_array().unwrap() {
            let page = case[0].as_str().unwrap();
            let compiled = DynamicPage::compile(page, case[1] == true).unwrap();
            assert_eq!(is_dynamic_page(page), case[2] == true, "{page}");
            for expected in case[3].as_array().unwrap() {
                let path = expected[0].as_str().unwrap();
                match compiled.matches(path) {
                    Ok(Some(params)) => assert_eq!(entries(&params), expected[1], "{page} on {path}"),
                    Ok(None) => panic!("{page} must match {path}"),
                    Err(fault) => {
                        assert_eq!(fault, MatchFault::Undecodable);
                        assert_eq!(expected[1], "decode", "{page} on {path}");
                    }
                }
            }
        }
    }

    #[test]
    fn pages_are_sorted_as_upstream_sorts_them() {
        let oracle = oracle();
        let expected: Vec<&str> = oracle["sorted"]
            .as_array()
            .unwrap()
            .iter()
            .map(|page| page.as_str().unwrap())
            .collect();
        let mut pages = expected.clone();
        pages.reverse();
        let order: Vec<&str> = sorted(&pages).into_iter().map(|number| pages[number]).collect();
        assert_eq!(order, expected);
    }
}
