//! GIF that does not move: its one image, on a canvas that is transparent elsewhere.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, MemoryLimit};

use super::super::raster::Layout;
use super::{invalid, raster_of, DecodeError, Decoded, Limits};

const CHANNELS: usize = 4;

pub fn decode(bytes: &[u8], limits: Limits<'_>) -> Result<Decoded, DecodeError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options.check_frame_consistency(true);
    // Sixteen bits a side; what is held is agreed to below.
    options.set_memory_limit(MemoryLimit::Unlimited);
    let mut decoder = options.read_info(Cursor::new(bytes)).map_err(invalid)?;
    let (width, height) = (u32::from(decoder.width()), u32::from(decoder.height()));
    limits.admit(width, height)?;
    // The canvas and the image.
    limits.hold(width, height, CHANNELS * 2)?;
    let frame = decoder
        .next_frame_info()
        .map_err(invalid)?
        .ok_or_else(|| invalid("it has no image"))?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
    if frame_width == 0 || frame_height == 0 {
        return Err(invalid("its image has no pixels"));
    }
    let mut image = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut image).map_err(invalid)?;
    let mut canvas = vec![0; width as usize * height as usize * CHANNELS];
    let row_bytes = frame_width * CHANNELS;
    for (row, pixels) in image.chunks_exact(row_bytes).enumerate() {
        let start = ((top + row) * width as usize + left) * CHANNELS;
        match canvas.get_mut(start..start + row_bytes) {
            Some(place) => place.copy_from_slice(pixels),
            None => return Err(invalid("its image does not fit")),
        }
    }
    // An image without a transparent pixel is one without alpha.
    let raster = raster_of(width, height, Layout::Rgba, canvas)?;
    Ok(Decoded::of(raster, 1, None))
}
