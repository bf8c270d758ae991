//! In: an app page as the manifests name it. Out: the route by which requests ask for it.

use crate::url::app_route;

/// The route of an app page as requests ask for it: a written `%5F` is an underscore.
pub fn request_route(page: &str) -> String {
    app_route(page).replace("%5F", "_")
}
