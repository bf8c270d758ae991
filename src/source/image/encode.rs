//! From pixels to the bytes that are sent.
//!
//! In: an image in sRGB, the kind of file and the quality. Out: the file, as large and as good as sharp's with the options that
//! upstream gives it (`optimizeImage` of `image-optimizer/transform.js`).

use std::borrow::Cow;
use std::io::Cursor;

use mozjpeg_rs::{Encoder as JpegEncoder, Preset, QuantTableIdx};
use quantizr::{Histogram, Image as QuantImage, Options as QuantOptions, QuantizeResult};
use ravif::{BitDepth, Encoder as AvifEncoder, Img};
use webp::{Encoder as WebpEncoder, PixelLayout as WebpLayout, WebPConfig};

use super::detect::Kind;
use super::raster::{Layout, Raster};

/// How files are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Whether JPEGs are made small at some expense (`experimental.imgOptMozjpeg`).
    pub mozjpeg: bool,
    /// Whether the quality of AVIF is 5/8 of what was asked for; otherwise 20 less.
    pub scaled_avif_quality: bool,
}

/// Encodes an image.
///
/// # Errors
/// With a reason when the encoder gives up.
pub fn encode(raster: Raster, kind: Kind, quality: u8, effort: Effort) -> Result<Vec<u8>, String> {
    match kind {
        Kind::Webp => webp(&raster, quality),
        Kind::Avif => avif(&raster, avif_quality(quality, effort)),
        Kind::Jpeg => jpeg(raster, quality, effort),
        Kind::Png => png(&raster, quality),
        Kind::Gif => gif(&raster),
        Kind::Tiff => tiff(&raster),
        other => Err(format!("nothing makes {}", other.media_type())),
    }
}

/// The quality that upstream asks of sharp for AVIF.
pub fn avif_quality(quality: u8, effort: Effort) -> u8 {
    if effort.scaled_avif_quality {
        // JavaScript rounds halves up.
        ((u16::from(quality) * 50 + 40) / 80).max(1) as u8
    } else {
        quality.saturating_sub(20).max(1)
    }
}

fn webp(raster: &Raster, quality: u8) -> Result<Vec<u8>, String> {
    let mut config = WebPConfig::new().map_err(|()| "libwebp has another version than its header".to_owned())?;
    config.quality = f32::from(quality);
    // sharp's `effort`.
    config.method = 4;
    let layout = if raster.layout == Layout::Rgba {
        WebpLayout::Rgba
    } else {
        WebpLayout::Rgb
    };
    let encoder = WebpEncoder::new(&raster.pixels, layout, raster.width, raster.height);
    let bytes = encoder.encode_advanced(&config).map_err(|error| format!("{error:?}"))?;
    Ok(bytes.to_vec())
}

/// libaom's quantizer, which sharp's quality is (`heif_encoder_aom.cc`: 0 to 63), in the steps that AV1 counts.
fn av1_quantizer(quality: u8) -> f32 {
    let level = (63.0 * (100.0 - f32::from(quality)) + 50.0) / 100.0;
    (level.floor() * 255.0 / 63.0).round()
}

/// The quality at which ravif takes a quantizer: the inverse of its `quality_to_quantizer`.
fn ravif_quality(quantizer: f32) -> f32 {
    let share = quantizer / 255.0;
    let quality = if share < 0.468 {
        1.0 - share / 2.6
    } else if share < 0.75 {
        (0.875 - share) / 0.5
    } else {
        1.0 - share
    };
    (quality * 100.0).clamp(1.0, 100.0)
}

fn avif(raster: &Raster, quality: u8) -> Result<Vec<u8>, String> {
    let Pace {
        speed,
        quantizer: (slope, start),
    } = pace(raster);
    let own = ravif_quality(av1_quantizer(quality) * slope + start);
    let encoder = AvifEncoder::new()
        .with_quality(own)
        .with_alpha_quality(own)
        .with_speed(speed)
        .with_bit_depth(BitDepth::Eight)
        .with_num_threads(Some(1));
    let (width, height) = (raster.width as usize, raster.height as usize);
    // Not `encode_rgb`, although the file is the same: it is inlined, and the whole encoder would be compiled again with this crate.
    let size = raster.layout.channels();
    let pixels: Vec<_> = raster
        .pixels
        .chunks_exact(size)
        .map(|p| [p[0], p[1], p[2], if size == 4 { p[3] } else { u8::MAX }].into())
        .collect();
    let encoded = encoder.encode_rgba(Img::new(&pixels, width, height));
    encoded.map(|image| image.avif_file).map_err(|error| error.to_string())
}

/// How rav1e is asked.
struct Pace {
    /// Its preset.
    speed: u8,
    /// Its quantizer for a file as large as libaom's with the quantizer `q`: `q` times the first, plus the second.
    quantizer: (f32, f32),
}

/// Pixels up to which there is time for a better preset.
const SMALL_AVIF: u32 = 128 * 1024;

/// With its assembly the fastest preset takes 0.3 s for 1200 x 800 where libaom at sharp's effort takes 0.55 s. The other makes
/// files a fifth smaller, of drawings nearly by half, and takes two to three times as long: 0.2 s for 320 x 240, about what libaom
/// takes. The lines fit files of equal size at libaom's quantizers from 52 to 178, for photographs and drawings.
fn pace(raster: &Raster) -> Pace {
    if raster.width * raster.height <= SMALL_AVIF {
        Pace {
            speed: 8,
            quantizer: (0.5, 72.0),
        }
    } else {
        Pace {
            speed: 10,
            quantizer: (0.65, 62.0),
        }
    }
}

fn jpeg(raster: Raster, quality: u8, effort: Effort) -> Result<Vec<u8>, String> {
    let raster = raster.flattened();
    let encoder = if effort.mozjpeg {
        // What sharp's `mozjpeg: true` switches on: progressive, trellis, deringing, scans by their size, table 3.
        JpegEncoder::new(Preset::ProgressiveSmallest).quant_tables(QuantTableIdx::Robidoux)
    } else {
        JpegEncoder::new(Preset::BaselineFastest)
            .quant_tables(QuantTableIdx::JpegAnnexK)
            .optimize_huffman(true)
    };
    encoder
        .quality(quality)
        .encode_rgb(&raster.pixels, raster.width, raster.height)
        .map_err(|error| error.to_string())
}

/// An image by a palette.
struct Indexed {
    colours: Vec<[u8; 4]>,
    indices: Vec<u8>,
}

/// Finds the colours of a palette and gives each pixel the nearest, with what is left of its own spread over its neighbours.
fn index(raster: &Raster, quality: u8) -> Result<Indexed, String> {
    let (width, height) = (raster.width as usize, raster.height as usize);
    // What is less visible counts less.
    let pixels: Vec<u8> = if raster.layout == Layout::Rgba {
        let weigh = |channel: u8, alpha: u8| ((u16::from(channel) * u16::from(alpha) + 127) / 255) as u8;
        let pixels = raster.pixels.chunks_exact(4);
        pixels
            .flat_map(|p| [weigh(p[0], p[3]), weigh(p[1], p[3]), weigh(p[2], p[3]), p[3]])
            .collect()
    } else {
        raster
            .pixels
            .chunks_exact(3)
            .flat_map(|p| [p[0], p[1], p[2], 255])
            .collect()
    };
    let image = QuantImage::new(&pixels, width, height).map_err(|error| error.to_string())?;
    let mut result = quantize(&image, quality)?;
    result.set_dithering_level(1.0).map_err(|error| error.to_string())?;
    let mut indices = vec![0; width * height];
    result
        .remap_image(&image, &mut indices)
        .map_err(|error| error.to_string())?;
    let palette = result.get_palette();
    let whole = |channel: u8, alpha: u8| {
        let whole = (u16::from(channel) * 255 + u16::from(alpha) / 2).checked_div(u16::from(alpha));
        whole.unwrap_or(0).min(255) as u8
    };
    let colours = palette.entries[..palette.count as usize]
        .iter()
        .map(|c| [whole(c.r, c.a), whole(c.g, c.a), whole(c.b, c.a), c.a])
        .collect();
    Ok(Indexed { colours, indices })
}

/// Sizes of palettes that are tried.
const PALETTES: [i32; 13] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256];

/// The smallest palette that is good enough. libimagequant, which sharp asks, also takes as few colours as reach a quality, and
/// for a drawing this decides over the size of the file.
fn quantize(image: &QuantImage<'_>, quality: u8) -> Result<QuantizeResult, String> {
    // In quantizr's measure; fits the palettes that sharp makes of drawings at qualities from 50 to 90.
    let tolerated = (100.0 - f32::from(quality.min(100))) / 4.5;
    let mut histogram = Histogram::new();
    histogram.add_image(image);
    let with = |colours: i32| -> Result<QuantizeResult, String> {
        let mut options = QuantOptions::default();
        options.set_max_colors(colours).map_err(|error| error.to_string())?;
        Ok(QuantizeResult::quantize_histogram(&histogram, &options))
    };
    // Most photographs need all there are.
    let (mut low, mut high) = (0, PALETTES.len() - 1);
    let mut best = with(PALETTES[high])?;
    if best.get_error() > tolerated {
        return Ok(best);
    }
    while low < high {
        let middle = (low + high) / 2;
        let tried = with(PALETTES[middle])?;
        if tried.get_error() > tolerated {
            low = middle + 1;
        } else {
            high = middle;
            best = tried;
        }
    }
    Ok(best)
}

fn png(raster: &Raster, quality: u8) -> Result<Vec<u8>, String> {
    let indexed = index(raster, quality)?;
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, raster.width, raster.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(
        indexed
            .colours
            .iter()
            .flat_map(|c| [c[0], c[1], c[2]])
            .collect::<Vec<_>>(),
    );
    if indexed.colours.iter().any(|colour| colour[3] != 255) {
        encoder.set_trns(indexed.colours.iter().map(|colour| colour[3]).collect::<Vec<_>>());
    }
    // In this order: the first also chooses a filter, and neighbours of a palette have nothing in common.
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    writer
        .write_image_data(&indexed.indices)
        .map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(out)
}

fn gif(raster: &Raster) -> Result<Vec<u8>, String> {
    let side = |side: u32| u16::try_from(side).map_err(|_| "a GIF cannot be so large".to_owned());
    let (width, height) = (side(raster.width)?, side(raster.height)?);
    let mut indexed = index(raster, 100)?;
    // GIF has pixels that are there and pixels that are not: one colour stands for all of the latter.
    let absent: Vec<bool> = indexed.colours.iter().map(|colour| colour[3] < 128).collect();
    let transparent = absent.iter().position(|&absent| absent).map(|at| at as u8);
    if let Some(transparent) = transparent {
        for index in &mut indexed.indices {
            if absent.get(usize::from(*index)).copied().unwrap_or(false) {
                *index = transparent;
            }
        }
    }
    let mut out = Vec::new();
    let palette: Vec<u8> = indexed.colours.iter().flat_map(|c| [c[0], c[1], c[2]]).collect();
    let mut encoder = gif::Encoder::new(&mut out, width, height, &palette).map_err(|error| error.to_string())?;
    let frame = gif::Frame {
        width,
        height,
        transparent,
        buffer: Cow::Owned(indexed.indices),
        ..gif::Frame::default()
    };
    encoder.write_frame(&frame).map_err(|error| error.to_string())?;
    drop(encoder);
    Ok(out)
}

fn tiff(raster: &Raster) -> Result<Vec<u8>, String> {
    use tiff::encoder::colortype::{RGB8, RGBA8};
    use tiff::encoder::{Compression, DeflateLevel, TiffEncoder};
    let mut out = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut out)
        .map_err(|error| error.to_string())?
        .with_compression(Compression::Deflate(DeflateLevel::Balanced));
    let (width, height) = (raster.width, raster.height);
    let written = if raster.layout == Layout::Rgba {
        encoder.write_image::<RGBA8>(width, height, &raster.pixels)
    } else {
        encoder.write_image::<RGB8>(width, height, &raster.pixels)
    };
    written.map_err(|error| error.to_string())?;
    Ok(out.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quality_of_avif_follows_the_version() {
        let effort = |scaled_avif_quality| Effort {
            mozjpeg: true,
            scaled_avif_quality,
        };
        for (asked, scaled, less) in [(1, 1, 1), (50, 31, 30), (75, 47, 55), (20, 13, 1), (100, 63, 80)] {
            assert_eq!(avif_quality(asked, effort(true)), scaled);
            assert_eq!(avif_quality(asked, effort(false)), less);
        }
    }

    #[test]
    fn every_quantizer_has_a_quality() {
        for quantizer in 0..=255u8 {
            let quality = ravif_quality(f32::from(quantizer));
            assert!((1.0..=100.0).contains(&quality), "{quantizer}");
        }
    }
}
