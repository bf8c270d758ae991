//! Images for `/_next/image`.
//!
//! In: a request that names a source, a width and a quality. Out: the image, made once and kept. Upstream:
//! `next/dist/server/image-optimizer.js`.
//!
//! - [`params`], [`patterns`], [`negotiate`] what is asked for, and whether it may be
//! - [`source`], [`remote`], [`address`] where it comes from
//! - [`detect`], [`transform`] what becomes of it
//! - [`decode`], [`raster`], [`resize`], [`colour`], [`encode`], [`exif`] the way of its pixels
//! - [`work`], [`jobs`] who makes it, when, and for how many
//! - [`entry`], [`disk`] where it is kept

pub mod address;
pub mod colour;
pub mod decode;
pub mod detect;
pub mod disk;
pub mod encode;
pub mod entry;
pub mod exif;
mod inks;
pub mod jobs;
pub mod negotiate;
pub mod params;
pub mod patterns;
pub mod raster;
pub mod remote;
pub mod resize;
pub mod source;
pub mod transform;
pub mod work;
