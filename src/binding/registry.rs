//! The engines of this process.
//!
//! In: a build and the options of `next()`. Out: one engine for all apps and worker threads with the same build and options.
//! Apps that differ, say in their port, have engines of their own for one build, and every change of its cache reaches all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use crate::engine::{Engine, ServeOptions};
use crate::error::Result;
use crate::source::prerender::Tags;

/// An engine that may still be in use.
struct Known {
    dist_dir: PathBuf,
    config: String,
    options: ServeOptions,
    engine: Weak<Engine>,
}

/// Every engine. The lock is held for a look only, because Node's threads take it too.
static ENGINES: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// The revalidated tags. Upstream has one list for all apps of a process, and so have we.
pub static TAGS: LazyLock<Arc<Tags>> = LazyLock::new(Arc::default);

/// Held while a build is read, so that threads that start together read it once.
static OPENING: Mutex<()> = Mutex::new(());

/// The engine for a build, new or shared. Blocks on the disk; call it on a worker thread.
pub fn open(
    dir: &Path,
    dist_dir: &Path,
    next_version: &str,
    config: &str,
    options: &ServeOptions,
) -> Result<Arc<Engine>> {
    let _opening = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    let found = look(|known| {
        let same = known.dist_dir == dist_dir && known.config == config && known.options == *options;
        same.then(|| known.engine.upgrade()).flatten()
    });
    if let Some(engine) = found.into_iter().next() {
        return Ok(engine);
    }
    let tags = Arc::clone(&TAGS);
    let engine = Arc::new(Engine::open(dir, dist_dir, next_version, config, options, tags)?);
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    engines.retain(|known| known.engine.strong_count() > 0);
    engines.push(Known {
        dist_dir: dist_dir.to_owned(),
        config: config.to_owned(),
        options: options.clone(),
        engine: Arc::downgrade(&engine),
    });
    Ok(engine)
}

/// Every engine that serves the build of this one, itself included.
pub fn of_same_build(engine: &Engine) -> Vec<Arc<Engine>> {
    let dist_dir = engine.dist_dir();
    look(|known| (known.dist_dir == dist_dir).then(|| known.engine.upgrade()).flatten())
}

fn look(pick: impl FnMut(&Known) -> Option<Arc<Engine>>) -> Vec<Arc<Engine>> {
    let engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    engines.iter().filter_map(pick).collect()
}
