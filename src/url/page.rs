//! Page paths: which of them have parameters, and where an interception route really lies.
//!
//! Sources: `next/dist/shared/lib/router/utils/{is-dynamic,interception-routes,app-paths}.js`.

/// The markers of interception routes, longest first where one begins another.
pub const INTERCEPTION_MARKERS: [&str; 4] = ["(..)(..)", "(.)", "(..)", "(...)"];

/// The marker that `segment` begins with.
pub fn interception_marker(segment: &str) -> Option<&'static str> {
    INTERCEPTION_MARKERS
        .into_iter()
        .find(|marker| segment.starts_with(marker))
}

/// Whether some segment of `path` has an interception marker.
pub fn is_interception_page(path: &str) -> bool {
    path.contains("/(.") && path.split('/').any(|segment| interception_marker(segment).is_some())
        || interception_marker(path).is_some()
}

/// Whether a page has a segment that is one parameter (`[a]`, `[...a]`, `[[...a]]`).
pub fn is_dynamic_page(page: &str) -> bool {
    if !page.contains('[') {
        return false;
    }
    if is_interception_page(page) {
        return intercepted_page(page).is_some_and(|page| has_parameter(&page));
    }
    has_parameter(page)
}

fn has_parameter(page: &str) -> bool {
    page.split('/')
        .skip(1)
        .any(|segment| segment.len() > 2 && segment.starts_with('[') && segment.ends_with(']'))
}

/// The page whose URL an interception route takes over; `None` when the marker climbs above the root.
fn intercepted_page(path: &str) -> Option<String> {
    let marker = path.split('/').find_map(interception_marker)?;
    let mut parts = path.split(marker);
    let from = app_route(parts.next()?);
    let to = parts.next().filter(|to| !to.is_empty())?;
    let above = |levels: usize| {
        let segments: Vec<&str> = from.split('/').collect();
        let kept = segments.len().checked_sub(levels)?;
        let kept = segments.get(..kept)?.join("/");
        Some(format!("{kept}/{to}"))
    };
    match marker {
        "(.)" if from == "/" => Some(format!("/{to}")),
        "(.)" => Some(format!("{from}/{to}")),
        "(..)" if from == "/" => None,
        "(..)" => above(1),
        "(...)" => Some(format!("/{to}")),
        _ if from.split('/').count() <= 2 => None,
        _ => above(2),
    }
}

/// The route of an app page: groups, slots and the final `page` or `route` go.
pub fn app_route(page: &str) -> String {
    let mut out = String::new();
    let last = page.split('/').count().saturating_sub(1);
    for (i, segment) in page.split('/').enumerate() {
        let group = segment.starts_with('(') && segment.ends_with(')');
        let leaf = i == last && (segment == "page" || segment == "route");
        if segment.is_empty() || group || segment.starts_with('@') || leaf {
            continue;
        }
        out.push('/');
        out.push_str(segment);
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_with_a_parameter_are_dynamic() {
        for (page, dynamic) in [
            ("/", false),
            ("/a", false),
            ("/[a]", true),
            ("/a/[...b]", true),
            ("/a/[[...b]]/c", true),
            ("/a[b]", false),
            ("/[a]b", false),
            ("/[]", false),
            ("/feed/(..)photo/[id]", true),
            ("/[user]/(...)photo", false),
            ("/(.)[id]", true),
        ] {
            assert_eq!(is_dynamic_page(page), dynamic, "{page}");
        }
    }

    #[test]
    fn app_pages_lose_groups_slots_and_leaf() {
        for (page, route) in [
            ("/page", "/"),
            ("/(g)/a/page", "/a"),
            ("/@slot/a/route", "/a"),
            ("/page/page", "/page"),
            ("/feed/(..)photo/[id]/page", "/feed/(..)photo/[id]"),
        ] {
            assert_eq!(app_route(page), route);
        }
    }
}
