//! Configuration: what `next.config` says, as far as the server needs it.
//!
//! In: the JSON of the evaluated `next.config` (`runtime/` evaluates it, because it is JavaScript). Out: [`NextConfig`].

mod images;
mod next_config;

pub use images::ImagesConfig;
#[cfg(test)]
pub use images::{LocalPattern, RemotePattern};
pub use next_config::{Domain, I18n, NextConfig};
