//! PNG: every colour type, sixteen bits brought down to eight. An image that is to become much smaller is made smaller while its
//! rows come, so that even the largest one needs memory for a few rows only.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Limits as PngLimits, Reader, Transformations};

use super::super::exif;
use super::super::raster::Layout;
use super::super::resize::RowShrink;
use super::{invalid, raster_of, DecodeError, Decoded, Limits};

/// Bytes of what the decoder keeps beside the rows: a profile, the palette. Profiles of printers reach some megabytes.
const MAX_BESIDE: usize = 16 << 20;

/// Rows between two looks at the clock.
const CHECK_ROWS: u32 = 64;

pub fn decode(bytes: &[u8], limits: Limits<'_>) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.set_limits(PngLimits { bytes: MAX_BESIDE });
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let (width, height) = {
        let header = decoder.read_header_info().map_err(invalid)?;
        (header.width, header.height)
    };
    limits.admit(width, height)?;
    // A row is eight bytes a pixel at most.
    decoder.set_limits(PngLimits {
        bytes: MAX_BESIDE + width as usize * 16,
    });
    let mut reader = decoder.read_info().map_err(invalid)?;
    let layout = match reader.output_color_type() {
        (ColorType::Grayscale, BitDepth::Eight) => Layout::Gray,
        (ColorType::GrayscaleAlpha, BitDepth::Eight) => Layout::GrayAlpha,
        (ColorType::Rgb, BitDepth::Eight) => Layout::Rgb,
        (ColorType::Rgba, BitDepth::Eight) => Layout::Rgba,
        (colour, depth) => return Err(invalid(format!("{colour:?} with {depth:?} is not expected"))),
    };
    let orientation = reader.info().exif_metadata.as_deref().map_or(1, exif::orientation);
    let profile = reader.info().icc_profile.as_deref().map(<[u8]>::to_vec);
    let own_width = if orientation > 4 { height } else { width };
    let factor = RowShrink::factor(own_width, limits.width);
    let raster = if factor > 1 && !reader.info().interlaced {
        let mut shrink = RowShrink::new(width, height, layout, factor);
        limits.hold(shrink.width(), shrink.height(), layout.channels())?;
        rows(&mut reader, height, limits, |row| shrink.push(row))?;
        shrink
            .finish()
            .ok_or_else(|| invalid("the rows do not fill the image"))?
    } else {
        limits.hold(width, height, layout.channels())?;
        let size = reader
            .output_buffer_size()
            .ok_or(DecodeError::TooLarge(width, height))?;
        let mut pixels = Vec::new();
        if reader.info().interlaced {
            pixels.resize(size, 0);
            reader.next_frame(&mut pixels).map_err(invalid)?;
        } else {
            pixels.reserve_exact(size);
            rows(&mut reader, height, limits, |row| pixels.extend_from_slice(row))?;
        }
        raster_of(width, height, layout, pixels)?
    };
    Ok(Decoded {
        full: (width, height),
        ..Decoded::of(raster, orientation, profile)
    })
}

fn rows(
    reader: &mut Reader<Cursor<&[u8]>>,
    height: u32,
    limits: Limits<'_>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), DecodeError> {
    for row in 0..height {
        if row % CHECK_ROWS == 0 {
            limits.work.check().map_err(|_| DecodeError::Stopped)?;
        }
        match reader.next_row().map_err(invalid)? {
            Some(row) => take(row.data()),
            None => return Err(invalid("it ends before its last row")),
        }
    }
    Ok(())
}
