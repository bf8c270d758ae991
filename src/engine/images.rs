//! What `/_next/image` needs beside a request: fixed once `prepare()` is through.
//!
//! In: the configuration and the build. Out: [`Images`], the rules, the caches and the worker pool; and the messages between an image job
//! and the requests that wait for it ([`ImageOutcome`], [`ImageQuestion`], [`ImageReply`]).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::request_table::RequestTable;
use crate::answer::image::{Found, Image};
use crate::build::{Build, Capabilities};
use crate::config::NextConfig;
use crate::error::Result;
use crate::source::image::disk::Disk;
use crate::source::image::encode::Effort;
use crate::source::image::entry::Entry;
use crate::source::image::jobs::{Job, Jobs, Worker};
use crate::source::image::params::Rules;
use crate::source::image::remote::{Reach, Remote, RemoteRules};
use crate::source::image::source::{ImageError, InternalAnswer, InternalRules};
use crate::source::image::transform::Policy;
use crate::source::image::work::WorkerPool;
use crate::source::prerender::Store;
use crate::source::proxy::{CertificateTrust, Client};

/// Bytes of images in memory. The same as for files: a page of 24 images of 100 kB fits 25 times.
const MEMORY: u64 = 64 << 20;

/// Larger images are read from disk each time: they spend their time on the network.
const LARGEST_IN_MEMORY: usize = 2 << 20;

/// Where the disk takes none there is nothing else that could have them.
const LARGEST_WITHOUT_DISK: usize = 16 << 20;

/// Sources that are held at a time, each of `maximumResponseBody` bytes at most.
const SOURCES: usize = 16;

/// Redirects that Node's `fetch` follows.
const FETCH_REDIRECTS: u32 = 20;

/// Seconds that upstream gives an image.
const USUAL_TIME: f64 = 7.0;

/// Pixels that sharp takes: 16383 squared.
const USUAL_PIXELS: f64 = 268_402_689.0;

/// Everything that `/_next/image` needs.
pub(crate) struct Images {
    /// Whether there are such images at all.
    pub served: bool,
    pub rules: Rules,
    pub policy: Policy,
    pub internal: InternalRules,
    pub minimum_ttl: f64,
    pub max_bytes: u64,
    pub time_limit: Duration,
    pub keeper: Keeper,
    pub memory: Store<Arc<Image>>,
    /// Whether it has been said that the disk takes no images.
    told_unwritable: AtomicBool,
    pub remote: Remote,
    pub workers: WorkerPool,
    pub sources: Arc<Semaphore>,
    pub jobs: Arc<Jobs<ImageOutcome, ImageQuestion, ImageReply>>,
    /// How encrypted connections are trusted.
    pub security_policy: String,
    pub disposition: String,
}

/// Who stores images.
pub(crate) enum Keeper {
    /// ferronext, in memory and on disk.
    Disk(Arc<Disk>),
    /// The app's own `cacheHandler`, which is asked each time.
    Handler,
    /// Memory alone.
    Memory,
}

/// What came of an image job.
#[derive(Debug, Clone)]
pub(crate) enum ImageOutcome {
    /// An image.
    Image(Arc<Image>, Found),
    /// No image.
    Failed(ImageError),
}

/// What only JavaScript can do.
#[derive(Debug)]
pub(crate) enum ImageQuestion {
    /// Carry out the steps of an internal request.
    Internal(InternalSlot),
    /// Ask the app's cache handler.
    Get(String),
    /// Hand an image to the app's cache handler.
    Set(String, Entry),
}

/// What it answers.
#[derive(Debug)]
pub enum ImageReply {
    /// The answer of an internal request.
    Answer(InternalAnswer),
    /// What the cache handler has: the image, and when it was kept.
    Stored(Option<StoredImage>),
    /// It is done.
    Done,
    /// It failed, and the log says why.
    Failed,
}

/// An image of the app's cache handler.
#[derive(Debug)]
pub struct StoredImage {
    /// The image; its expiry is not known yet.
    pub entry: Entry,
    /// When it was kept, in milliseconds since 1970.
    pub created_at_ms: Option<f64>,
    /// Whether it says how long it is good.
    pub has_max_age: bool,
}

/// The slot of an internal request that Node has to carry on. It is freed when this is dropped.
pub(crate) struct InternalSlot {
    requests: Arc<RequestTable>,
    slot: Option<usize>,
    pub method: String,
    pub url: String,
}

impl InternalSlot {
    /// Takes over a slot.
    pub fn new(requests: &Arc<RequestTable>, slot: usize, method: String, url: String) -> InternalSlot {
        InternalSlot {
            requests: Arc::clone(requests),
            slot: Some(slot),
            method,
            url,
        }
    }

    /// One without a slot: the request turned out to be answered already.
    pub fn none(requests: &Arc<RequestTable>) -> InternalSlot {
        InternalSlot {
            requests: Arc::clone(requests),
            slot: None,
            method: String::new(),
            url: String::new(),
        }
    }

    /// The slot, while this owns it.
    pub fn slot(&self) -> Option<usize> {
        self.slot
    }

    /// Hands the slot over. The new owner frees it.
    pub fn take(&mut self) -> Option<usize> {
        self.slot.take()
    }
}

impl std::fmt::Debug for InternalSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InternalSlot({:?})", self.slot)
    }
}

impl Drop for InternalSlot {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.requests.remove(slot);
        }
    }
}

pub(crate) type ImageJob = Job<ImageOutcome, ImageQuestion, ImageReply>;
pub(crate) type ImageWorker = Worker<ImageOutcome, ImageQuestion, ImageReply>;

/// Whom encrypted connections to the servers of images trust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageTlsOptions {
    /// Any certificate (`NODE_TLS_REJECT_UNAUTHORIZED=0`).
    pub anyone: bool,
    /// A file with further authorities (`NODE_EXTRA_CA_CERTS`).
    pub extra_ca_certs: Option<PathBuf>,
}

/// The threads that make images. All builds of a process share them, because they share its cores.
static WORKERS: LazyLock<WorkerPool> = LazyLock::new(WorkerPool::default);

impl Images {
    /// Compiles the configuration.
    ///
    /// # Errors
    /// `FERRONEXT_BAD_CONFIG` when a pattern cannot be used.
    pub fn compile(build: &Build, config: &NextConfig, client: &Client, trust: &ImageTlsOptions) -> Result<Images> {
        let can = &build.capabilities;
        let images = &config.images;
        let experimental = &config.experimental;
        let whole = |value: f64| value.max(0.0) as u64;
        let to_disk = experimental.isr_flush_to_disk.unwrap_or(true) && images.maximum_disk_cache_size != Some(0.0);
        let keeper = match () {
            () if can.image_cache_handler && images.custom_cache_handler && config.cache_handler.is_some() => {
                Keeper::Handler
            }
            () if to_disk => Keeper::Disk(Arc::new(Disk::new(
                &build.dist_dir,
                images.maximum_disk_cache_size.map(whole),
            ))),
            () => Keeper::Memory,
        };
        let max_bytes = whole(images.maximum_response_body);
        let remote = RemoteRules {
            reach: reach(can, images.dangerously_allow_local_ip),
            max_bytes,
            max_redirects: if can.supports_image_redirect_limit {
                images.maximum_redirects.max(0.0) as u32
            } else {
                FETCH_REDIRECTS
            },
            trust: if trust.anyone {
                CertificateTrust::Anyone
            } else {
                CertificateTrust::Authorities
            },
            reports_empty: can.reports_empty_remote_images,
            reports_absent: can.reports_absent_remote_images,
        };
        Ok(Images {
            served: images.loader == "default" && !images.unoptimized,
            rules: Rules::compile(images, &config.base_path, can.immutable_media)?,
            policy: Policy {
                allow_svg: images.dangerously_allow_svg,
                pixels: whole(experimental.img_opt_max_input_pixels.unwrap_or(USUAL_PIXELS)),
                strict_boxes: can.strict_image_boxes,
                effort: Effort {
                    mozjpeg: experimental.img_opt_mozjpeg.unwrap_or(true),
                    scaled_avif_quality: can.scaled_avif_quality,
                },
            },
            internal: InternalRules {
                status_counts: can.image_sources_have_status,
                reports_empty: can.reports_empty_internal_images,
            },
            minimum_ttl: images.minimum_cache_ttl,
            max_bytes,
            time_limit: Duration::from_secs_f64(
                experimental
                    .img_opt_timeout_in_seconds
                    .unwrap_or(USUAL_TIME)
                    .clamp(0.0, 86_400.0),
            ),
            keeper,
            memory: Store::new(MEMORY),
            told_unwritable: AtomicBool::new(false),
            remote: Remote::new(remote, client.clone(), trust.extra_ca_certs.clone()),
            workers: WORKERS.clone(),
            sources: Arc::new(Semaphore::new(SOURCES)),
            jobs: Arc::default(),
            security_policy: images.content_security_policy.clone(),
            disposition: images.content_disposition_type.clone(),
        })
    }

    /// Keeps an image in memory, unless it is too large for that.
    pub fn remember(&self, key: &str, image: &Arc<Image>) {
        if image.entry.bytes.len() <= LARGEST_IN_MEMORY {
            self.memory.insert(key.to_owned(), Arc::clone(image));
        }
    }

    /// An image is on disk.
    pub fn is_written(&self, key: &str, image: &Arc<Image>) {
        self.told_unwritable.store(false, Ordering::Relaxed);
        self.remember(key, image);
    }

    /// The disk has not taken an image: it stays in memory alone, and is not made again for each request.
    pub fn is_not_written(&self, key: &str, image: &Arc<Image>, dir: &Path, why: &io::Error) {
        if image.entry.bytes.len() <= LARGEST_WITHOUT_DISK {
            self.memory.insert(key.to_owned(), Arc::clone(image));
        }
        if why.kind() == io::ErrorKind::FileTooLarge {
            tracing::error!("The image {} cannot be kept: {why}", image.href());
        } else if !self.told_unwritable.swap(true, Ordering::Relaxed) {
            tracing::error!(
                "{} takes no images ({why}). They are kept in memory only, {} MB of them.",
                dir.display(),
                MEMORY >> 20
            );
        }
    }
}

/// Versions without the option follow redirects to anywhere. Here a redirect of a public server does not lead to a private one.
fn reach(can: &Capabilities, allow_local: bool) -> Reach {
    match (can.supports_private_images, allow_local) {
        (true, true) => Reach::Any,
        (true, false) => Reach::Public,
        (false, _) => Reach::AsNamed,
    }
}
