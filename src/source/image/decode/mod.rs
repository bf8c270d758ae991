//! From the bytes of a source to pixels.
//!
//! In: bytes from anywhere, their kind, and limits. Out: a [`Decoded`]. Every decoder is written in Rust, and each looks at the
//! header alone until [`Limits`] has agreed to the size that it names.

mod avif;
mod boxes;
mod gif;
mod jpeg;
mod planes;
mod png;
mod tiff;
mod webp;

use std::fmt;

use super::detect::Kind;
use super::raster::Raster;
use super::work::TaskLimits;

/// The pixels of a source, as they are stored.
#[derive(Debug)]
pub struct Decoded {
    /// The pixels.
    pub raster: Raster,
    /// The way up, as EXIF counts it.
    pub orientation: u8,
    /// The ICC profile of the colours.
    pub profile: Option<Vec<u8>>,
    /// The sides before anything was left out while decoding.
    pub full: (u32, u32),
}

impl Decoded {
    fn of(raster: Raster, orientation: u8, profile: Option<Vec<u8>>) -> Decoded {
        Decoded {
            full: (raster.width, raster.height),
            raster,
            orientation,
            profile,
        }
    }
}

/// Why a source is not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// It is broken, or of a kind that no decoder takes.
    Invalid(String),
    /// It has more pixels than are taken.
    TooLarge(u32, u32),
    /// It took too long, or no request waits for it any more.
    Stopped,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Invalid(why) => f.write_str(why),
            DecodeError::TooLarge(width, height) => write!(f, "{width} x {height} pixels are too many"),
            DecodeError::Stopped => f.write_str("it took too long"),
        }
    }
}

/// Bytes of the largest image that is held in memory at once: 178 million pixels with three channels. A larger PNG is made
/// small row by row.
const MAX_BYTES: u64 = 512 << 20;

/// What a source may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'w> {
    /// Pixels (`experimental.imgOptMaxInputPixels`).
    pub pixels: u64,
    /// The width that is wanted, in the image's own way up.
    pub width: u32,
    /// Says when to stop.
    pub work: &'w TaskLimits,
}

impl Limits<'_> {
    /// Agrees to an image of this size, or not.
    fn admit(&self, width: u32, height: u32) -> Result<(), DecodeError> {
        if width == 0 || height == 0 {
            return Err(DecodeError::Invalid("a side has no pixels".to_owned()));
        }
        if u64::from(width) * u64::from(height) > self.pixels {
            return Err(DecodeError::TooLarge(width, height));
        }
        self.work.check().map_err(|_| DecodeError::Stopped)
    }

    /// Agrees to hold all of it in memory, at so many bytes a pixel, or not. Waits until others have left enough.
    fn hold(&self, width: u32, height: u32, bytes_per_pixel: usize) -> Result<(), DecodeError> {
        let bytes = u64::from(width) * u64::from(height) * bytes_per_pixel as u64;
        if bytes > MAX_BYTES {
            return Err(DecodeError::TooLarge(width, height));
        }
        self.work.hold(bytes).map_err(|_| DecodeError::Stopped)
    }
}

/// Decodes a source.
///
/// # Errors
/// When it is broken, too large, or takes too long.
pub fn decode(kind: Kind, bytes: &[u8], limits: Limits<'_>) -> Result<Decoded, DecodeError> {
    match kind {
        Kind::Avif => avif::decode(bytes, limits),
        Kind::Gif => gif::decode(bytes, limits),
        Kind::Jpeg => jpeg::decode(bytes, limits),
        Kind::Png => png::decode(bytes, limits),
        Kind::Tiff => tiff::decode(bytes, limits),
        Kind::Webp => webp::decode(bytes, limits),
        Kind::Bmp | Kind::Heic | Kind::Icns | Kind::Ico | Kind::Jp2 | Kind::Jxl | Kind::Pdf | Kind::Svg => {
            Err(invalid(format!("no decoder takes {}", kind.media_type())))
        }
    }
}

fn invalid(why: impl fmt::Display) -> DecodeError {
    DecodeError::Invalid(why.to_string())
}

/// Pixels that a decoder has made, if they are as many as they should be.
fn raster_of(width: u32, height: u32, layout: super::raster::Layout, pixels: Vec<u8>) -> Result<Raster, DecodeError> {
    Raster::new(width, height, layout, pixels).ok_or_else(|| invalid("the pixels do not fill the image"))
}

#[cfg(test)]
mod tests;
