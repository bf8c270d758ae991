//! Parallel slots: a catch-all page also takes part in the routes below it that lack its slot.
//!
//! In: routes and their app pages. Out: the same, each catch-all added where it applies. Source:
//! `normalizeCatchAllRoutes` in `next/dist/server/lib/router-utils/normalize-catchall-routes.js`.

use indexmap::IndexMap;

use super::request_route::request_route;
use crate::url::is_interception_page;

/// Adds catch-all pages to the routes they also belong to.
pub fn spread_catch_all(routes: &mut IndexMap<String, Vec<String>>) {
    let mut catch_alls: Vec<String> = Vec::new();
    for page in routes.values().flatten() {
        let catch_all = page.contains("[...") && !page.contains("[[...");
        if catch_all && !catch_alls.contains(page) {
            catch_alls.push(page.clone());
        }
    }
    // The deepest first; pages of one depth keep their order.
    catch_alls.sort_by_key(|page| std::cmp::Reverse(page.split('/').count()));
    for (route, pages) in routes.iter_mut() {
        if is_interception_page(route) {
            continue;
        }
        for catch_all in &catch_alls {
            let pattern = request_route(catch_all);
            let base = pattern.split("[...").next().unwrap_or_default();
            let applies = route.starts_with(base) && base != route;
            if applies && !pages.iter().any(|page| slots(page).eq(slots(catch_all))) {
                pages.push(catch_all.clone());
            }
        }
    }
}

fn slots(page: &str) -> impl Iterator<Item = &str> {
    page.split('/')
        .filter(|segment| segment.starts_with('@') && *segment != "@children")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catch_all_slot_joins_the_routes_below_it() {
        let mut routes: IndexMap<String, Vec<String>> = IndexMap::new();
        for (route, page) in [
            ("/", "/page"),
            ("/login", "/login/page"),
            ("/[...catchAll]", "/@auth/[...catchAll]/page"),
            ("/x/[...y]", "/x/[...y]/page"),
        ] {
            routes.insert(route.to_owned(), vec![page.to_owned()]);
        }
        spread_catch_all(&mut routes);
        assert_eq!(routes["/"], ["/page"]);
        assert_eq!(routes["/login"], ["/login/page", "/@auth/[...catchAll]/page"]);
        assert_eq!(routes["/x/[...y]"], ["/x/[...y]/page", "/@auth/[...catchAll]/page"]);
    }
}
