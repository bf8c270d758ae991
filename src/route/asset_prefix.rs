//! The prefix of asset URLs, which a custom server may change while requests are routed (`app.setAssetPrefix`).

use std::sync::{Arc, PoisonError, RwLock};

/// The current prefix, shared by all routing. Read only where a path is compared with it: requests of apps with
/// locales, and those that find nothing.
#[derive(Debug, Clone)]
pub struct AssetPrefix(Arc<RwLock<Arc<str>>>);

impl AssetPrefix {
    /// The prefix of the configuration.
    pub fn new(prefix: &str) -> AssetPrefix {
        AssetPrefix(Arc::new(RwLock::new(prefix.into())))
    }

    /// Changes it. One slash at the end goes.
    pub fn set(&self, prefix: &str) {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = prefix.into();
    }

    /// The prefix as it is now.
    pub fn get(&self) -> Arc<str> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
