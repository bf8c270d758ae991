//! From the bytes of a source to the bytes that are sent.
//!
//! In: a source and what is wanted of it. Out: a [`Verdict`]: the encoded image, or the source as it is, for the same
//! reasons as upstream (`imageOptimizerTransform`).

use bytes::Bytes;

use super::colour;
use super::decode::{self, Limits};
use super::detect::{detect, is_animated, Kind};
use super::encode::{encode, Effort};
use super::resize::{resize, target_size};
use super::work::TaskLimits;

/// What upstream allows of sources, and how it makes images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// `images.dangerouslyAllowSVG`
    pub allow_svg: bool,
    /// `experimental.imgOptMaxInputPixels`
    pub pixels: u64,
    /// Whether the size of an `ftyp` box counts when a source is looked at.
    pub strict_boxes: bool,
    /// How files are made.
    pub effort: Effort,
}

/// What a source turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent as it is.
    AsItIs(Kind),
    /// It is encoded as a file of this kind.
    Make {
        /// What it is.
        from: Kind,
        /// What becomes of it.
        to: Kind,
    },
    /// It is no image.
    NotAnImage(Option<Kind>),
    /// It is an image that is not allowed.
    Forbidden(Kind),
}

/// Looks at a source.
pub fn inspect(source: &[u8], format: Option<&str>, policy: Policy) -> Verdict {
    let Some(from) = detect(source, policy.strict_boxes).filter(|kind| kind.media_type().starts_with("image/")) else {
        return Verdict::NotAnImage(detect(source, policy.strict_boxes));
    };
    if from == Kind::Svg && !policy.allow_svg {
        return Verdict::Forbidden(from);
    }
    let passes = matches!(
        from,
        Kind::Svg | Kind::Ico | Kind::Icns | Kind::Bmp | Kind::Jxl | Kind::Heic
    );
    if passes || is_animated(from, source) {
        return Verdict::AsItIs(from);
    }
    let to = match format.and_then(Kind::of_media_type) {
        Some(format) => format,
        // A client that does not list these may not be able to show them.
        None if matches!(from, Kind::Webp | Kind::Avif) => Kind::Jpeg,
        None => from,
    };
    Verdict::Make { from, to }
}

/// Encodes an image.
///
/// # Errors
/// With a reason when that is not possible. Then the source is sent as it is.
pub fn make(
    source: &Bytes,
    from: Kind,
    to: Kind,
    width: u32,
    quality: u8,
    policy: Policy,
    work: &TaskLimits,
) -> Result<Vec<u8>, String> {
    let limits = Limits {
        pixels: policy.pixels,
        width,
        work,
    };
    let decoded = decode::decode(from, source, limits).map_err(|error| error.to_string())?;
    let stop = |_| "it took too long".to_owned();
    work.check().map_err(stop)?;
    // The width is wanted the right way up; the pixels lie as they are stored.
    let turned = decoded.orientation > 4;
    let (full_width, full_height) = decoded.full;
    let own = if turned {
        (full_height, full_width)
    } else {
        (full_width, full_height)
    };
    let (width, height) = target_size(own, width);
    let (width, height) = if turned { (height, width) } else { (width, height) };
    let small = resize(decoded.raster, width, height)?.upright(decoded.orientation);
    work.check().map_err(stop)?;
    let raster = colour::to_srgb(small, decoded.profile.as_deref());
    encode(raster, to, quality, policy.effort)
}

#[cfg(test)]
#[path = "transform_tests.rs"]
mod tests;
