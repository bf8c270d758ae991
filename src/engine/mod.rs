//! One build, ready to be served.
//!
//! In: the folders of a build and its configuration. Out: an [`Engine`]: everything that `prepare()` compiled, the caches,
//! and the requests in flight. This folder is state; what happens with a request stands in `pipeline`.

mod cache;
mod fast_paths;
mod images;
mod provenance;
mod request_state;
mod request_table;
mod step;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use self::cache::Cache;
pub use self::cache::{Recalled, Written};
pub(crate) use self::fast_paths::{FastPathTarget, FastPaths, Key, KeyRef};
pub(crate) use self::images::{ImageJob, ImageOutcome, ImageQuestion, ImageWorker, Images, InternalSlot, Keeper};
pub use self::images::{ImageReply, ImageTlsOptions, StoredImage};
pub(crate) use self::provenance::{Provenance, Source};
pub(crate) use self::request_state::{
    Cause, ErrorPage, FileRequest, ImageRequest, Load, Next, Phase, RequestState, Revalidation,
};
pub(crate) use self::request_table::{Due, Repeated, RequestTable};
pub use self::step::{Answer, ImageStep, Progress, Shell, Step};
use crate::answer::page::Settings;
use crate::answer::registry::{EntryCall, Prepared, ResponseRegistry};
use crate::build::{Build, Capabilities, RunTimeRules};
use crate::config::NextConfig;
use crate::error::{Code, Error, Result};
use crate::http::encoding::Preferred;
use crate::route::{PageRules, Router};
use crate::source::file::{FileStore, Limits, Mutability, Root};
use crate::source::prerender::{RunnerId, Tags};
use crate::source::proxy::Client as ProxyClient;

/// A build that can be served.
pub struct Engine {
    pub(crate) build: Build,
    pub(crate) config: NextConfig,
    pub(crate) router: Router,
    pub(crate) rules: PageRules,
    pub(crate) settings: Settings,
    pub(crate) files: FileStore,
    pub(crate) roots: Roots,
    pub(crate) cache: Cache,
    pub(crate) registry: ResponseRegistry,
    /// The deployment id, when there is one.
    pub(crate) deployment_id: Option<Arc<str>>,
    /// Whether pages of the Pages Router can be rendered at all.
    pub(crate) renders_pages: bool,
    /// Connections to other servers.
    pub(crate) proxy: ProxyClient,
    /// What `/_next/image` needs.
    pub(crate) images: Images,
    /// Targets that need not be routed again.
    pub(crate) fast_paths: FastPaths,
    /// The requests in flight.
    pub(crate) requests: Arc<RequestTable>,
}

/// The port that upstream assumes when none is given.
const DEFAULT_PORT: u16 = 3000;

/// The folders that files are served from.
pub(crate) struct Roots {
    pub public: Root,
    pub next_static: Root,
    pub legacy_static: Root,
}

/// What the side that runs entries has to know about a build; it passes as one object, under these names in camel case.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Traits {
    /// Whether the app has middleware or a proxy.
    pub has_middleware: bool,
    /// Whether the app has `instrumentation.ts`.
    pub has_instrumentation: bool,
    /// What this version of Next.js does.
    #[serde(flatten)]
    pub capabilities: Capabilities,
}

/// What the options of `next()` say about a build, beside where it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServeOptions {
    /// The host name that the app believes it runs under; `localhost` when absent.
    pub hostname: Option<String>,
    /// The port that the app believes it runs under; 3000 when absent.
    pub port: Option<u16>,
    /// Rules of `conf` as JSON, in the form in which the build writes them.
    pub rules: Option<String>,
    /// How the servers of images are trusted.
    pub tls: ImageTlsOptions,
    /// The codings that are preferred to gzip (`preferEncodings`).
    pub preferred: Preferred,
}

impl Engine {
    /// Reads the build in `dist_dir` and compiles its routes. `tags` are those of the process. Blocks on the disk; call it on a
    /// worker thread.
    ///
    /// # Errors
    /// A coded error that names the file or option when the build cannot be served.
    pub fn open(
        dir: &Path,
        dist_dir: &Path,
        next_version: &str,
        config_json: &str,
        options: &ServeOptions,
        tags: Arc<Tags>,
    ) -> Result<Engine> {
        if !dir.is_dir() {
            return Err(Error::new(
                Code::WrongDir,
                format!(
                    "The project folder {} does not exist. Pass the folder of your Next.js app as `dir`.",
                    dir.display()
                ),
            ));
        }
        let config = NextConfig::parse(config_json).map_err(|what| {
            Error::new(
                Code::BadConfig,
                format!("The configuration in {} cannot be used: {what}.", dir.display()),
            )
        })?;
        let mut build = Build::load(dir, dist_dir, next_version)?;
        if let Some(rules) = &options.rules {
            let rules: RunTimeRules = serde_json::from_str(rules).map_err(|error| {
                Error::new(Code::BadConfig, format!("The rules of `conf` cannot be used: {error}."))
            })?;
            // Entries read the rewrites of the build and cannot know others.
            build.capabilities.api_query_from_url &= rules.rewrites.is_none();
            build.routes.replace(rules);
        }
        let router = Router::compile(&build, &config)?
            .served_at(options.hostname.as_deref(), options.port.unwrap_or(DEFAULT_PORT));
        let rules = PageRules::compile(&build, &config);
        let files = FileStore::new(Limits::default());
        let roots = Roots {
            public: files.root(dir.join("public"), Mutability::Changing),
            next_static: files.root(dist_dir.join("static"), Mutability::Immutable),
            legacy_static: files.root(dir.join("static"), Mutability::Changing),
        };
        let proxy = ProxyClient::default();
        let images = Images::compile(&build, &config, &proxy, &options.tls)?;
        let renders_pages = ["/_app", "/_document"]
            .iter()
            .all(|page| build.pages.contains_key(*page));
        let cache = Cache::new(&build, &config, tags);
        cache.sweep();
        Ok(Engine {
            renders_pages,
            deployment_id: config
                .deployment_id
                .as_deref()
                .filter(|id| build.capabilities.names_deployment && !id.is_empty())
                .map(Arc::from),
            settings: Settings {
                etags: config.generate_etags,
                data_etags: build.capabilities.data_etags,
                route_framing_is_dropped: build.capabilities.route_framing_is_dropped,
                powered_by: config.powered_by_header,
                compress: config.compress,
                preferred: options.preferred,
            },
            cache,
            fast_paths: FastPaths::new(router.looks_at_targets_alone()),
            build,
            config,
            router,
            rules,
            files,
            roots,
            registry: ResponseRegistry::default(),
            proxy,
            images,
            requests: Arc::default(),
        })
    }

    /// The build folder.
    pub fn dist_dir(&self) -> &Path {
        &self.build.dist_dir
    }

    /// Entries and bytes in memory: of pages and data, and of files.
    pub fn memory(&self) -> [(usize, u64); 2] {
        [self.cache.usage(), self.files.usage()]
    }

    /// The key with which the build signs the data of preview mode; empty where it has none.
    pub fn preview_signing_key(&self) -> &str {
        &self.build.preview.preview_mode_signing_key
    }

    /// The codings that are preferred to gzip.
    pub fn preferred(&self) -> Preferred {
        self.settings.preferred
    }

    /// Looks for files that were added to `public` or removed from it (`watchPublic`). Blocks.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn refresh_public(&self) -> Result<()> {
        let refreshed = self.build.files.public.refresh(self.roots.public.path());
        self.fast_paths.forget();
        refreshed
    }

    /// Changes the prefix of asset URLs, as far as routing knows it.
    pub fn set_asset_prefix(&self, prefix: &str) {
        self.router.set_asset_prefix(prefix);
        self.fast_paths.forget();
    }

    /// What the side that runs entries has to know.
    pub fn traits(&self) -> Traits {
        Traits {
            has_middleware: self.build.middleware.is_some(),
            has_instrumentation: self.server_dir().join("instrumentation.js").is_file(),
            capabilities: self.build.capabilities,
        }
    }

    /// The runner has ended: its requests do not go on.
    pub fn abandon(&self, runner: RunnerId) {
        self.requests.remove_of(runner);
    }

    /// The answer with this number, if it still exists.
    pub fn prepared(&self, id: u32) -> Option<Arc<Prepared>> {
        self.registry.get(id)
    }

    /// The call of an entry with this number, if it still exists.
    pub fn prepared_call(&self, id: u32) -> Option<Arc<EntryCall>> {
        self.registry.call(id)
    }

    pub(crate) fn server_dir(&self) -> PathBuf {
        self.build.dist_dir.join("server")
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_millis() as u64)
}
