//! One build, ready to be served.
//!
//! In: the folders of a build and its configuration. Out: an [`Engine`]: everything that `prepare()` compiled, the caches,
//! and the requests in flight. What happens with a request stands in `pipeline`; this file only holds what it needs.

mod cache;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use self::cache::Cache;
pub use self::cache::{Recalled, Written};

use crate::answer::page::Settings;
use crate::answer::prepared::{EntryCall, Prepared, PreparedTable};
use crate::build::{Build, Capabilities, RunTimeRules};
use crate::config::NextConfig;
use crate::error::{Code, Error, Result};
use crate::http::encoding::Preferred;
use crate::pipeline::flight::Flight;
use crate::pipeline::images::{Images, TlsTrust};
use crate::pipeline::shortcut::{Repeated, Shortcuts};
use crate::route::{PageRules, Router};
use crate::source::file::{FileStore, Lifetime as FileLifetime, Limits, Root};
use crate::source::prerender::{Driver, Tags};
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
    pub(crate) table: PreparedTable,
    /// The deployment id, when there is one.
    pub(crate) deployment_id: Option<Arc<str>>,
    /// Whether pages of the Pages Router can be rendered at all.
    pub(crate) renders_pages: bool,
    /// Connections to other servers.
    pub(crate) proxy: ProxyClient,
    /// What `/_next/image` needs.
    pub(crate) images: Images,
    /// Requests that need not be routed again.
    pub(crate) shortcuts: Shortcuts,
    flights: Mutex<Flights>,
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
    /// How the servers of pictures are trusted.
    pub tls: TlsTrust,
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
            public: files.root(dir.join("public"), FileLifetime::Changing),
            next_static: files.root(dist_dir.join("static"), FileLifetime::Immutable),
            legacy_static: files.root(dir.join("static"), FileLifetime::Changing),
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
            shortcuts: Shortcuts::new(router.looks_at_targets_alone()),
            build,
            config,
            router,
            rules,
            files,
            roots,
            table: PreparedTable::default(),
            proxy,
            images,
            flights: Mutex::default(),
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
        self.shortcuts.forget();
        refreshed
    }

    /// Changes the prefix of asset URLs, as far as routing knows it.
    pub fn set_asset_prefix(&self, prefix: &str) {
        self.router.set_asset_prefix(prefix);
        self.shortcuts.forget();
    }

    /// What the side that runs entries has to know.
    pub fn traits(&self) -> Traits {
        Traits {
            has_middleware: self.build.middleware.is_some(),
            has_instrumentation: self.server_dir().join("instrumentation.js").is_file(),
            capabilities: self.build.capabilities,
        }
    }

    /// Whoever drove these requests is gone: nobody will go on with them.
    pub fn abandon(&self, driver: Driver) {
        let abandoned = self.flights().take_of(driver);
        drop(abandoned); // after the lock: a body may have a file to close
    }

    /// The answer with this number, if it still exists.
    pub fn prepared(&self, id: u32) -> Option<Arc<Prepared>> {
        self.table.get(id)
    }

    /// The call of an entry with this number, if it still exists.
    pub fn prepared_call(&self, id: u32) -> Option<Arc<EntryCall>> {
        self.table.call(id)
    }

    pub(crate) fn server_dir(&self) -> PathBuf {
        self.build.dist_dir.join("server")
    }

    pub(crate) fn flights(&self) -> MutexGuard<'_, Flights> {
        // A panic inside the lock can leave one request half changed; that request has failed anyway.
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_millis() as u64)
}

/// The requests in flight, by slot. Slots are used again.
#[derive(Default)]
pub(crate) struct Flights {
    slots: Vec<Option<InSlot>>,
    free: Vec<usize>,
}

/// What a slot holds.
pub(crate) enum InSlot {
    Flight(Box<Flight>),
    Repeated(Repeated),
}

impl InSlot {
    fn driver(&self) -> Driver {
        match self {
            InSlot::Flight(flight) => flight.driver,
            InSlot::Repeated(repeated) => repeated.driver,
        }
    }
}

impl Flights {
    pub fn insert(&mut self, flight: Flight) -> usize {
        self.put(InSlot::Flight(Box::new(flight)))
    }

    pub fn insert_repeated(&mut self, repeated: Repeated) -> usize {
        self.put(InSlot::Repeated(repeated))
    }

    fn put(&mut self, value: InSlot) -> usize {
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot] = Some(value);
                slot
            }
            None => {
                self.slots.push(Some(value));
                self.slots.len() - 1
            }
        }
    }

    /// The request, as routing has left it.
    pub fn get(&mut self, slot: usize) -> Option<&mut Flight> {
        let place = self.slots.get_mut(slot)?;
        if let Some(InSlot::Repeated(repeated)) = place.take_if(|held| matches!(held, InSlot::Repeated(_))) {
            *place = Some(InSlot::Flight(Box::new(repeated.into_flight())));
        }
        match place {
            Some(InSlot::Flight(flight)) => Some(flight),
            _ => None,
        }
    }

    /// The request, if it does as another has done.
    pub fn repeated(&mut self, slot: usize) -> Option<&mut Repeated> {
        match self.slots.get_mut(slot)? {
            Some(InSlot::Repeated(repeated)) => Some(repeated),
            _ => None,
        }
    }

    /// Takes out the requests of one driver.
    fn take_of(&mut self, driver: Driver) -> Vec<InSlot> {
        let is_its = |place: &Option<InSlot>| place.as_ref().is_some_and(|place| place.driver() == driver);
        let slots: Vec<usize> = (0..self.slots.len())
            .filter(|slot| is_its(&self.slots[*slot]))
            .collect();
        slots.into_iter().filter_map(|slot| self.remove(slot)).collect()
    }

    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn remove(&mut self, slot: usize) -> Option<InSlot> {
        let value = self.slots.get_mut(slot)?.take()?;
        self.free.push(slot);
        Some(value)
    }
}
