//! Where answers come from: the only stage with I/O.
//!
//! - [`mod@file`] files below `public` and `.next/static`
//! - [`image`] images for `/_next/image`
//! - [`prerender`] answers that were rendered before anybody asked
//! - [`proxy`] other servers
//! - [`render`] compiled entries
//! - [`bounded`] what all that is kept in memory is bounded by

pub mod bounded;
pub mod file;
pub mod image;
pub mod prerender;
pub mod proxy;
pub mod render;
