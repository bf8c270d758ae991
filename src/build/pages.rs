//! `server/pages-manifest.json`, `server/app-paths-manifest.json` and `app-path-routes-manifest.json`.

use indexmap::IndexMap;

/// Page to file, relative to `server/`, in the order of the manifest.
pub type PageFiles = IndexMap<String, String>;

/// App page to route, for instance `/(shop)/cart/page` to `/cart`.
pub type AppRoutes = IndexMap<String, String>;
