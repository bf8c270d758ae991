//! WebP that does not move: lossy, lossless, with and without alpha.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::super::exif;
use super::super::raster::Layout;
use super::{invalid, raster_of, DecodeError, Decoded, Limits};

/// Bytes of a profile or an EXIF block.
const MAX_BESIDE: usize = 16 << 20;

pub fn decode(bytes: &[u8], limits: Limits<'_>) -> Result<Decoded, DecodeError> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(invalid)?;
    decoder.set_memory_limit(MAX_BESIDE);
    let (width, height) = decoder.dimensions();
    limits.admit(width, height)?;
    let layout = if decoder.has_alpha() { Layout::Rgba } else { Layout::Rgb };
    // The planes of luma and chroma beside the pixels.
    limits.hold(width, height, layout.channels() + 2)?;
    let size = decoder
        .output_buffer_size()
        .ok_or(DecodeError::TooLarge(width, height))?;
    let mut pixels = vec![0; size];
    decoder.read_image(&mut pixels).map_err(invalid)?;
    let orientation = match decoder.exif_metadata() {
        Ok(Some(block)) => exif::orientation(&block),
        _ => 1,
    };
    let profile = decoder.icc_profile().ok().flatten();
    Ok(Decoded::of(
        raster_of(width, height, layout, pixels)?,
        orientation,
        profile,
    ))
}
