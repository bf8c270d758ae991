//! AVIF: one image, or a grid of tiles, with alpha beside it.

use super::super::raster::{Layout, Raster};
use super::boxes::{Items, Property};
use super::planes::{self, Planes};
use super::{invalid, raster_of, DecodeError, Decoded, Limits};

/// What marks the alpha of another item. The second name comes from HEIF.
const ALPHA: [&[u8]; 2] = [
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
];

/// Bytes a pixel while luma and chroma, of up to sixteen bits, become colours.
const HELD: usize = 3 * 2 + 4;

pub fn decode(bytes: &[u8], limits: Limits<'_>) -> Result<Decoded, DecodeError> {
    let items = Items::parse(bytes)?;
    let (width, height) = size_of(&items, items.primary)?;
    limits.admit(width, height)?;
    limits.hold(width, height, HELD)?;
    let mut raster = image(&items, items.primary, limits)?;
    if let Some(alpha) = alpha_of(&items) {
        let mask = image(&items, alpha, limits)?;
        let premultiplied = items
            .referred(b"prem", items.primary)
            .is_some_and(|to| to.contains(&alpha));
        raster = with_alpha(raster, &mask, premultiplied)?;
    }
    let (mut turns, mut profile) = (Vec::new(), None);
    for property in items.properties(items.primary) {
        match property {
            Property::Crop => return Err(invalid("a part of an image is not supported")),
            Property::Turn(quarters) => turns.push([1, 8, 3, 6][usize::from(quarters)]),
            Property::Mirror(axis) => turns.push(if axis == 0 { 4 } else { 2 }),
            Property::Profile(bytes) => profile = Some(bytes.to_vec()),
            _ => {}
        }
    }
    // One of them waits until the image is small.
    let last = turns.pop().unwrap_or(1);
    for turn in turns {
        raster = raster.upright(turn);
    }
    Ok(Decoded::of(raster, last, profile))
}

fn size_of(items: &Items<'_>, id: u32) -> Result<(u32, u32), DecodeError> {
    let size = items.properties(id).find_map(|property| match property {
        Property::Size(width, height) => Some((width, height)),
        _ => None,
    });
    size.ok_or_else(|| invalid("it does not say how large it is"))
}

fn alpha_of(items: &Items<'_>) -> Option<u32> {
    let is_alpha = |id: &u32| {
        items
            .properties(*id)
            .any(|property| matches!(property, Property::Purpose(purpose) if ALPHA.contains(&purpose)))
    };
    items.referring(b"auxl", items.primary).find(is_alpha)
}

fn image(items: &Items<'_>, id: u32, limits: Limits<'_>) -> Result<Raster, DecodeError> {
    match items.kind(id).as_ref() {
        Some(b"av01") => tile(items, id, limits),
        Some(b"grid") => grid(items, id, limits),
        _ => Err(invalid("its image is of an unknown kind")),
    }
}

fn tile(items: &Items<'_>, id: u32, limits: Limits<'_>) -> Result<Raster, DecodeError> {
    let (width, height) = size_of(items, id)?;
    limits.admit(width, height)?;
    let mut data = Vec::new();
    let mut colours = None;
    for property in items.properties(id) {
        match property {
            Property::Codec(units) => data.extend_from_slice(units),
            Property::Colours { matrix, full_range } => colours = Some((matrix, full_range)),
            _ => {}
        }
    }
    data.extend(items.bytes(id)?);
    let planes = Planes::decode(data, width, height)?;
    limits.work.check().map_err(|_| DecodeError::Stopped)?;
    planes::to_raster(&planes, colours)
}

/// Puts tiles together (23008-12, 6.6.2.3.2). All have the sides of the first.
fn grid(items: &Items<'_>, id: u32, limits: Limits<'_>) -> Result<Raster, DecodeError> {
    let head = items.bytes(id)?;
    let (&[_, flags, rows, columns], sides) = head
        .split_first_chunk::<4>()
        .ok_or_else(|| invalid("its grid is broken"))?;
    let (rows, columns) = (usize::from(rows) + 1, usize::from(columns) + 1);
    let side_bytes = if flags & 1 == 0 { 2 } else { 4 };
    let side = |index: usize| {
        let bytes = sides.get(index * side_bytes..(index + 1) * side_bytes)?;
        Some(bytes.iter().fold(0u32, |sum, &byte| sum << 8 | u32::from(byte)))
    };
    let (Some(width), Some(height)) = (side(0), side(1)) else {
        return Err(invalid("its grid is broken"));
    };
    if (width, height) != size_of(items, id)? {
        return Err(invalid("its grid has other sides than the image"));
    }
    let ids = items.referred(b"dimg", id).filter(|ids| ids.len() == rows * columns);
    let ids = ids.ok_or_else(|| invalid("tiles of its grid are missing"))?;
    let mut whole: Option<Raster> = None;
    let mut tile_sides = (0, 0);
    for (index, &id) in ids.iter().enumerate() {
        if items.kind(id).as_ref() != Some(b"av01") {
            return Err(invalid("a tile of its grid is no image"));
        }
        let tile = tile(items, id, limits)?;
        let whole = match &mut whole {
            Some(whole) => whole,
            None => {
                tile_sides = (tile.width as usize, tile.height as usize);
                let covers = tile_sides.0 * columns >= width as usize && tile_sides.1 * rows >= height as usize;
                if !covers {
                    return Err(invalid("its grid leaves a part of the image open"));
                }
                let bytes = width as usize * height as usize * tile.layout.channels();
                whole.insert(raster_of(width, height, tile.layout, vec![0; bytes])?)
            }
        };
        if (tile.width as usize, tile.height as usize) != tile_sides || tile.layout != whole.layout {
            return Err(invalid("tiles of its grid differ"));
        }
        let (left, top) = (index % columns * tile_sides.0, index / columns * tile_sides.1);
        place(whole, &tile, left, top);
    }
    whole.ok_or_else(|| invalid("its grid is empty"))
}

/// Copies a tile; what hangs over the edge is left out.
fn place(whole: &mut Raster, tile: &Raster, left: usize, top: usize) {
    let size = whole.layout.channels();
    let (width, height) = (whole.width as usize, whole.height as usize);
    let (Some(columns), Some(rows)) = (width.checked_sub(left), height.checked_sub(top)) else {
        return;
    };
    let columns = columns.min(tile.width as usize);
    for row in 0..rows.min(tile.height as usize) {
        let from = row * tile.width as usize * size;
        let to = ((top + row) * width + left) * size;
        whole.pixels[to..to + columns * size].copy_from_slice(&tile.pixels[from..from + columns * size]);
    }
}

fn with_alpha(raster: Raster, mask: &Raster, premultiplied: bool) -> Result<Raster, DecodeError> {
    if (raster.width, raster.height) != (mask.width, mask.height) {
        return Err(invalid("its alpha has other sides than the image"));
    }
    let (from, step) = (raster.layout.channels(), mask.layout.channels());
    let layout = if from == 1 { Layout::GrayAlpha } else { Layout::Rgba };
    let mut pixels = Vec::with_capacity(raster.pixels.len() / from * (from + 1));
    for (pixel, alpha) in raster.pixels.chunks_exact(from).zip(mask.pixels.chunks_exact(step)) {
        let alpha = alpha[0];
        match (premultiplied, u32::from(alpha)) {
            (true, 1..) => pixels.extend(
                pixel
                    .iter()
                    .map(|&channel| (u32::from(channel) * 255 / u32::from(alpha)).min(255) as u8),
            ),
            _ => pixels.extend_from_slice(pixel),
        }
        pixels.push(alpha);
    }
    raster_of(raster.width, raster.height, layout, pixels)
}
