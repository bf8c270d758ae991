//! What `/_next/image` needs beside a request: fixed once `prepare()` is through.
//!
//! In: the configuration and the build. Out: [`Images`], the rules, the caches and the workplaces; and the words in which a
//! piece of work and those who wait for it talk ([`Outcome`], [`Question`], [`Reply`]).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::image::InternalSlot;
use crate::answer::picture::{Found, Picture};
use crate::build::{Build, Capabilities};
use crate::config::NextConfig;
use crate::error::Result;
use crate::source::image::disk::Disk;
use crate::source::image::encode::Effort;
use crate::source::image::entry::Entry;
use crate::source::image::jobs::{Job, Jobs, Worker};
use crate::source::image::params::Rules;
use crate::source::image::remote::{Reach, Remote, RemoteRules};
use crate::source::image::source::{InternalAnswer, InternalRules, Trouble};
use crate::source::image::transform::Policy;
use crate::source::image::work::Workshop;
use crate::source::prerender::Store;
use crate::source::proxy::{Client, Trust};

/// Bytes of pictures in memory. The same as for files: a page of 24 pictures of 100 kB fits 25 times.
const MEMORY: u64 = 64 << 20;

/// Larger pictures are read from disk each time: they spend their time on the network.
const LARGEST_IN_MEMORY: usize = 2 << 20;

/// Where the disk takes none there is nothing else that could have them.
const LARGEST_WITHOUT_DISK: usize = 16 << 20;

/// Sources that are held at a time, each of `maximumResponseBody` bytes at most.
const SOURCES: usize = 16;

/// Redirects that Node's `fetch` follows.
const FETCH_REDIRECTS: u32 = 20;

/// Seconds that upstream gives a picture.
const USUAL_TIME: f64 = 7.0;

/// Pixels that sharp takes: 16383 squared.
const USUAL_PIXELS: f64 = 268_402_689.0;

/// Everything that `/_next/image` needs.
pub(crate) struct Images {
    /// Whether there are such pictures at all.
    pub served: bool,
    pub rules: Rules,
    pub policy: Policy,
    pub internal: InternalRules,
    pub minimum_ttl: f64,
    pub max_bytes: u64,
    pub time_limit: Duration,
    pub keeper: Keeper,
    pub memory: Store<Arc<Picture>>,
    /// Whether it has been said that the disk takes no pictures.
    told_unwritable: AtomicBool,
    pub remote: Remote,
    pub workshop: Workshop,
    pub sources: Arc<Semaphore>,
    pub jobs: Arc<Jobs<Outcome, Question, Reply>>,
    /// How encrypted connections are trusted.
    pub security_policy: String,
    pub disposition: String,
}

/// Who keeps pictures.
pub(crate) enum Keeper {
    /// We do, in memory and on disk.
    Disk(Arc<Disk>),
    /// The app's own `cacheHandler`, which is asked each time.
    Handler,
    /// Nobody.
    Nobody,
}

/// What came of a piece of work.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// A picture.
    Picture(Arc<Picture>, Found),
    /// None.
    Trouble(Trouble),
}

/// What only JavaScript can do.
#[derive(Debug)]
pub(crate) enum Question {
    /// Carry out the steps of an internal request.
    Internal(InternalSlot),
    /// Ask the app's cache handler.
    Get(String),
    /// Hand a picture to the app's cache handler.
    Set(String, Entry),
}

/// What it is told.
#[derive(Debug)]
pub enum Reply {
    /// The answer of an internal request.
    Answer(InternalAnswer),
    /// What the cache handler has: the picture, and when it was kept.
    Kept(Option<Kept>),
    /// It is done.
    Done,
    /// It failed, and the log says why.
    Failed,
}

/// A picture of the app's cache handler.
#[derive(Debug)]
pub struct Kept {
    /// The picture; its expiry is not known yet.
    pub entry: Entry,
    /// When it was kept, in milliseconds since 1970.
    pub made_ms: Option<f64>,
    /// Whether it says how long it is good.
    pub has_max_age: bool,
}

pub(crate) type ImageJob = Job<Outcome, Question, Reply>;
pub(crate) type ImageWorker = Worker<Outcome, Question, Reply>;

/// Whom encrypted connections to the servers of pictures trust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsTrust {
    /// Any certificate (`NODE_TLS_REJECT_UNAUTHORIZED=0`).
    pub anyone: bool,
    /// A file with further authorities (`NODE_EXTRA_CA_CERTS`).
    pub extra_ca_certs: Option<PathBuf>,
}

/// The places where pictures are made. All builds of a process share them, because they share its cores.
static WORKSHOP: LazyLock<Workshop> = LazyLock::new(Workshop::default);

impl Images {
    /// Compiles the configuration.
    ///
    /// # Errors
    /// `FERRONEXT_BAD_CONFIG` when a pattern cannot be used.
    pub fn compile(build: &Build, config: &NextConfig, client: &Client, trust: &TlsTrust) -> Result<Images> {
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
            () => Keeper::Nobody,
        };
        let max_bytes = whole(images.maximum_response_body);
        let remote = RemoteRules {
            reach: reach(can, images.dangerously_allow_local_ip),
            max_bytes,
            max_redirects: if can.image_redirects_are_an_option {
                images.maximum_redirects.max(0.0) as u32
            } else {
                FETCH_REDIRECTS
            },
            trust: if trust.anyone {
                Trust::Anyone
            } else {
                Trust::Authorities
            },
            empty_is_told: can.empty_remote_images_are_told,
            absent_is_told: can.absent_remote_images_are_told,
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
                empty_is_told: can.empty_internal_images_are_told,
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
            workshop: WORKSHOP.clone(),
            sources: Arc::new(Semaphore::new(SOURCES)),
            jobs: Arc::default(),
            security_policy: images.content_security_policy.clone(),
            disposition: images.content_disposition_type.clone(),
        })
    }

    /// Keeps a picture in memory, unless it is too large for that.
    pub fn remember(&self, key: &str, picture: &Arc<Picture>) {
        if picture.entry.bytes.len() <= LARGEST_IN_MEMORY {
            self.memory.insert(key.to_owned(), Arc::clone(picture));
        }
    }

    /// A picture is on disk.
    pub fn is_written(&self, key: &str, picture: &Arc<Picture>) {
        self.told_unwritable.store(false, Ordering::Relaxed);
        self.remember(key, picture);
    }

    /// The disk has not taken a picture: it lives in memory alone, and is not made anew for each request.
    pub fn is_not_written(&self, key: &str, picture: &Arc<Picture>, dir: &Path, why: &io::Error) {
        if picture.entry.bytes.len() <= LARGEST_WITHOUT_DISK {
            self.memory.insert(key.to_owned(), Arc::clone(picture));
        }
        if why.kind() == io::ErrorKind::FileTooLarge {
            tracing::error!("The image {} cannot be kept: {why}", picture.href());
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
    match (can.private_images_are_an_option, allow_local) {
        (true, true) => Reach::Any,
        (true, false) => Reach::Public,
        (false, _) => Reach::AsNamed,
    }
}
