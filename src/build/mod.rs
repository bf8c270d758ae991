//! What `next build` left behind, read once at start.
//!
//! In: the project folder and its `.next`. Out: a [`Build`] with every manifest the server needs, typed. Which files are
//! read and which of them may be absent follows `next/dist/server/lib/router-utils/filesystem.js`.

mod advisories;
pub mod capabilities;
mod listing;
mod middleware;
mod pages;
mod prerender;
mod preview;
mod read;
mod replace;
mod routes;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

pub use advisories::advisory;
pub use capabilities::Capabilities;
pub use listing::{Listing, ListingRoot};
pub use middleware::Matcher;
pub use pages::{AppRoutes, PageFiles};
pub use prerender::{Fallback, PrerenderDynamicRoute, PrerenderManifest, RenderingMode, RouteOwner};
pub use preview::Preview;
pub use replace::RunTimeRules;
#[cfg(test)]
pub use routes::HeaderPair;
pub use routes::{
    Condition, ConditionType, Conditions, HeaderRule, RedirectRule, RewriteRule, RoutesManifest, RuleSource,
};

use crate::error::{Code, Error, Result};

/// One production build, as read from disk.
#[derive(Debug, Clone)]
pub struct Build {
    /// The build folder, absolute (`<dir>/.next`).
    pub dist_dir: PathBuf,
    /// The id in `BUILD_ID`, which is part of data URLs.
    pub id: String,
    /// What this version of Next.js does differently from others.
    pub capabilities: Capabilities,
    /// `routes-manifest.json`.
    pub routes: RoutesManifest,
    /// `prerender-manifest.json`.
    pub prerender: PrerenderManifest,
    /// The secret of draft mode and on-demand revalidation.
    pub preview: Preview,
    /// `server/pages-manifest.json`: page to file, relative to `server/`.
    pub pages: PageFiles,
    /// `server/app-paths-manifest.json`: app page to file, relative to `server/`.
    pub app_paths: PageFiles,
    /// `app-path-routes-manifest.json`: app page to route.
    pub app_routes: AppRoutes,
    /// When the app's middleware runs, if it has one.
    pub middleware: Option<Vec<Matcher>>,
    /// Pages and routes that run in the edge sandbox, by page.
    pub edge_functions: HashSet<String>,
    /// The static files that answer requests.
    pub files: Listing,
}

impl Build {
    /// Reads the build in `dist_dir` of the project `dir`. `next_version` is the version of the installed `next`.
    ///
    /// Blocks on the disk; call it on a worker thread.
    pub fn load(dir: &Path, dist_dir: &Path, next_version: &str) -> Result<Build> {
        let id = read_build_id(dir, dist_dir)?;
        let server = dist_dir.join("server");
        let capabilities = Capabilities::detect(next_version)?;
        let routes: RoutesManifest = read::json(&dist_dir.join("routes-manifest.json"))?;
        let prerender: PrerenderManifest = read::json(&dist_dir.join("prerender-manifest.json"))?;
        // Since 16.4.0 the secret has a file of its own.
        let preview = read::json_if_present::<Option<Preview>>(&server.join("preview-props.json"))?
            .unwrap_or_else(|| prerender.preview.clone());
        let pages = read::json(&server.join("pages-manifest.json"))?;
        let app_paths = read::json_if_present(&server.join("app-paths-manifest.json"))?;
        let app_routes = read::json_if_present(&dist_dir.join("app-path-routes-manifest.json"))?;
        let (middleware, edge_functions) = middleware::load(&server)?;
        let files = Listing::read(dir, dist_dir)?;
        Ok(Build {
            dist_dir: dist_dir.to_owned(),
            id,
            capabilities,
            routes,
            prerender,
            preview,
            pages,
            app_paths,
            app_routes,
            middleware,
            edge_functions,
            files,
        })
    }
}

fn read_build_id(dir: &Path, dist_dir: &Path) -> Result<String> {
    match std::fs::read_to_string(dist_dir.join("BUILD_ID")) {
        Ok(id) if id.trim().is_empty() => Err(Error::manifest(&dist_dir.join("BUILD_ID"), "it is empty")),
        Ok(id) => Ok(id),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // Upstream names the folder as the configuration writes it, which is relative to the project.
            let shown = dist_dir.strip_prefix(dir).unwrap_or(dist_dir).display();
            let dir = dir.display();
            Err(Error::new(
                Code::NoBuild,
                format!(
                    "Could not find a production build in the '{shown}' directory of {dir}. Try building your app with 'next \
                     build' before starting the production server. \
                     https://nextjs.org/docs/messages/production-start-no-build-id"
                ),
            ))
        }
        Err(error) => Err(read::unreadable(&dist_dir.join("BUILD_ID"), &error)),
    }
}

#[cfg(test)]
mod tests;
