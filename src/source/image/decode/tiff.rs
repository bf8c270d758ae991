//! TIFF: the first page, in whole numbers.

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits as TiffLimits};
use tiff::tags::Tag;
use tiff::ColorType;

use super::super::raster::Layout;
use super::{invalid, raster_of, DecodeError, Decoded, Limits};

/// Bytes of one value beside the pixels, a profile for instance.
const MAX_BESIDE: usize = 16 << 20;

pub fn decode(bytes: &[u8], limits: Limits<'_>) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(invalid)?;
    let (width, height) = decoder.dimensions().map_err(invalid)?;
    limits.admit(width, height)?;
    let colour = decoder.colortype().map_err(invalid)?;
    let (layout, bits) = match colour {
        ColorType::Gray(bits) => (Layout::Gray, bits),
        ColorType::GrayA(bits) => (Layout::GrayAlpha, bits),
        ColorType::RGB(bits) | ColorType::YCbCr(bits) => (Layout::Rgb, bits),
        ColorType::RGBA(bits) => (Layout::Rgba, bits),
        ColorType::CMYK(bits) => (Layout::Cmyk, bits),
        other => return Err(invalid(format!("{other:?} is not supported"))),
    };
    let sample_bytes = if bits > 8 { 2 } else { 1 };
    limits.hold(width, height, layout.channels() * sample_bytes * 2)?;
    let held = width as usize * height as usize * layout.channels() * sample_bytes;
    let mut own = TiffLimits::default();
    own.decoding_buffer_size = held.saturating_add(MAX_BESIDE);
    own.intermediate_buffer_size = held.saturating_add(MAX_BESIDE);
    own.ifd_value_size = MAX_BESIDE;
    decoder = decoder.with_limits(own);
    let orientation = decoder
        .find_tag_unsigned::<u8>(Tag::Orientation)
        .ok()
        .flatten()
        .unwrap_or(1);
    let profile = decoder
        .find_tag(Tag::IccProfile)
        .ok()
        .flatten()
        .and_then(|value| value.into_u8_vec().ok());
    let mut pixels = match decoder.read_image().map_err(invalid)? {
        DecodingResult::U8(pixels) if bits == 8 => pixels,
        DecodingResult::U8(packed) if bits == 1 && layout == Layout::Gray => unpack(&packed, width),
        DecodingResult::U16(pixels) => pixels.into_iter().map(|sample| (sample >> 8) as u8).collect(),
        _ => return Err(invalid(format!("{bits} bits a channel are not supported"))),
    };
    match colour {
        ColorType::CMYK(_) => pixels.iter_mut().for_each(|ink| *ink = 255 - *ink),
        ColorType::YCbCr(_) => pixels.chunks_exact_mut(3).for_each(colours),
        _ => {}
    }
    let orientation = if (1..=8).contains(&orientation) { orientation } else { 1 };
    Ok(Decoded::of(
        raster_of(width, height, layout, pixels)?,
        orientation,
        profile,
    ))
}

/// Luma and chroma to red, green and blue (TIFF 6.0, section 21, with the usual coefficients).
fn colours(pixel: &mut [u8]) {
    let (y, cb, cr) = (
        f32::from(pixel[0]),
        f32::from(pixel[1]) - 128.0,
        f32::from(pixel[2]) - 128.0,
    );
    let channels = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
    for (channel, value) in pixel.iter_mut().zip(channels) {
        *channel = (value + 0.5).clamp(0.0, 255.0) as u8;
    }
}

/// Eight pixels a byte, each row from a byte of its own.
fn unpack(packed: &[u8], width: u32) -> Vec<u8> {
    let row_bytes = (width as usize).div_ceil(8).max(1);
    let bits = |row: &[u8]| -> Vec<u8> {
        (0..width as usize)
            .map(|at| if row[at / 8] >> (7 - at % 8) & 1 == 1 { 255 } else { 0 })
            .collect()
    };
    packed.chunks_exact(row_bytes).flat_map(bits).collect()
}
