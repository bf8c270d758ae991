//! JPEG: grey, colour, and the inks of print.

use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::super::exif;
use super::super::raster::Layout;
use super::{invalid, raster_of, DecodeError, Decoded, Limits};

/// Passes over the image that a progressive file may ask for. Real ones have ten or so; each costs time for all pixels,
/// however few bytes it takes. libjpeg-turbo's own fuzzers stop at 500.
const MAX_SCANS: usize = 100;

pub fn decode(bytes: &[u8], limits: Limits<'_>) -> Result<Decoded, DecodeError> {
    let options = DecoderOptions::new_safe()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(MAX_SCANS)
        .set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(invalid)?;
    let info = decoder.info().ok_or_else(|| invalid("it has no header"))?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    limits.admit(width, height)?;
    let input = decoder
        .input_colorspace()
        .ok_or_else(|| invalid("its colours are not known"))?;
    let (output, layout) = match input {
        ColorSpace::Luma => (ColorSpace::Luma, Layout::Gray),
        ColorSpace::CMYK => (ColorSpace::CMYK, Layout::Cmyk),
        ColorSpace::YCCK => (ColorSpace::YCCK, Layout::Cmyk),
        _ => (ColorSpace::RGB, Layout::Rgb),
    };
    // A progressive file keeps 16 bits of each channel beside the pixels.
    limits.hold(width, height, layout.channels() * 3)?;
    decoder.set_options(options.jpeg_set_out_colorspace(output));
    let mut pixels = decoder.decode().map_err(invalid)?;
    if input == ColorSpace::YCCK {
        inks(&mut pixels);
    }
    let orientation = decoder.exif().map_or(1, |block| exif::orientation(block));
    let profile = decoder.icc_profile();
    Ok(Decoded::of(
        raster_of(width, height, layout, pixels)?,
        orientation,
        profile,
    ))
}

/// Luma and chroma of the inks to the inks themselves (JFIF 1.02, "Conversion to and from RGB"). Black is stored as it is.
fn inks(pixels: &mut [u8]) {
    for pixel in pixels.chunks_exact_mut(4) {
        let (y, cb, cr) = (
            f32::from(pixel[0]),
            f32::from(pixel[1]) - 128.0,
            f32::from(pixel[2]) - 128.0,
        );
        let channels = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
        for (channel, value) in pixel.iter_mut().zip(channels) {
            // What is encoded is the ink; what is kept is the paper that it leaves.
            *channel = 255 - (value + 0.5).clamp(0.0, 255.0) as u8;
        }
    }
}
