//! Images made smaller.
//!
//! In: pixels and the width that is wanted. Out: the image at that width, never a wider one. Lanczos with three lobes, as sharp
//! asks of libvips; colours are weighed by their alpha.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8x2, U8x3, U8x4, U8};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use super::raster::{Layout, Raster};

/// The sides of an image that is to be so wide, from its own. Never larger, and no side vanishes.
pub fn target_size(own: (u32, u32), width: u32) -> (u32, u32) {
    let (own_width, own_height) = own;
    if width >= own_width || own_width == 0 {
        return own;
    }
    let height = (f64::from(own_height) * f64::from(width) / f64::from(own_width)).round();
    (width, (height as u32).max(1))
}

/// Makes an image this large.
pub fn resize(raster: Raster, width: u32, height: u32) -> Result<Raster, String> {
    if (raster.width, raster.height) == (width, height) {
        return Ok(raster);
    }
    let layout = raster.layout;
    let mut pixels = vec![0; width as usize * height as usize * layout.channels()];
    let sides = (width, height);
    match layout {
        Layout::Gray => fill::<U8>(&raster, &mut pixels, sides),
        Layout::GrayAlpha => fill::<U8x2>(&raster, &mut pixels, sides),
        Layout::Rgb => fill::<U8x3>(&raster, &mut pixels, sides),
        Layout::Rgba | Layout::Cmyk => fill::<U8x4>(&raster, &mut pixels, sides),
    }?;
    Raster::new(width, height, layout, pixels).ok_or_else(|| "the result has a wrong size".to_owned())
}

/// Resizes into `pixels`. For one type of pixel: [`Resizer::resize`] would be compiled for ten more, which no image here has.
fn fill<P: PixelTrait>(raster: &Raster, pixels: &mut [u8], (width, height): (u32, u32)) -> Result<(), String> {
    let source = TypedImageRef::<P>::from_buffer(raster.width, raster.height, &raster.pixels)
        .map_err(|error| error.to_string())?;
    let mut target = TypedImage::<P>::from_buffer(width, height, pixels).map_err(|error| error.to_string())?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .use_alpha(raster.layout.has_alpha());
    Resizer::new()
        .resize_typed(&source, &mut target, &options)
        .map_err(|error| error.to_string())
}

/// Makes an image smaller by a whole number while its rows come, each pixel the mean of a square of them. What is left is at
/// least twice as wide as what is wanted, so that the last step is [`resize`]'s, as in libvips (`gap` of `vips_resize`).
pub struct RowShrink {
    layout: Layout,
    factor: u32,
    source_width: u32,
    source_rows: u32,
    width: u32,
    height: u32,
    /// Sums of the square that each pixel of the row stands for; of colours, weighed by their alpha.
    sums: Vec<u64>,
    /// Rows that are in the sums.
    summed: u32,
    seen: u32,
    pixels: Vec<u8>,
}

impl RowShrink {
    /// By how much an image may be made smaller before it is resized to the width that is wanted.
    pub fn factor(own_width: u32, width: u32) -> u32 {
        (own_width / width.max(1) / 2).max(1)
    }

    /// An image of these sides, to be made smaller by `factor`.
    pub fn new(source_width: u32, source_rows: u32, layout: Layout, factor: u32) -> RowShrink {
        let (width, height) = (source_width.div_ceil(factor), source_rows.div_ceil(factor));
        RowShrink {
            layout,
            factor,
            source_width,
            source_rows,
            width,
            height,
            sums: vec![0; width as usize * layout.channels()],
            summed: 0,
            seen: 0,
            pixels: Vec::new(),
        }
    }

    /// The width of the result.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The height of the result.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Takes the next row.
    pub fn push(&mut self, row: &[u8]) {
        let size = self.layout.channels();
        let alpha = self.layout.has_alpha();
        let group = self.factor as usize * size;
        for (pixels, sums) in row.chunks(group).zip(self.sums.chunks_exact_mut(size)) {
            for pixel in pixels.chunks_exact(size) {
                let weight = if alpha { u64::from(pixel[size - 1]) } else { 1 };
                let colours = if alpha { size - 1 } else { size };
                for (sum, &channel) in sums.iter_mut().zip(&pixel[..colours]) {
                    *sum += u64::from(channel) * weight;
                }
                if alpha {
                    sums[size - 1] += weight;
                }
            }
        }
        self.summed += 1;
        self.seen += 1;
        if self.summed == self.factor || self.seen == self.source_rows {
            self.emit();
        }
    }

    fn emit(&mut self) {
        let size = self.layout.channels();
        let alpha = self.layout.has_alpha();
        for (index, sums) in self.sums.chunks_exact_mut(size).enumerate() {
            let left = self.source_width - index as u32 * self.factor;
            let count = u64::from(left.min(self.factor)) * u64::from(self.summed);
            let weight = if alpha { sums[size - 1] } else { count };
            let colours = if alpha { size - 1 } else { size };
            self.pixels.extend(sums[..colours].iter().map(|sum| mean(*sum, weight)));
            if alpha {
                self.pixels.push(mean(weight, count));
            }
            sums.fill(0);
        }
        self.summed = 0;
    }

    /// The result, if every row has come.
    pub fn finish(self) -> Option<Raster> {
        Raster::new(self.width, self.height, self.layout, self.pixels)
    }
}

fn mean(sum: u64, count: u64) -> u8 {
    (sum + count / 2)
        .checked_div(count)
        .map_or(0, |mean| mean.min(255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_rounded_and_never_larger() {
        for (own, width, target) in [
            ((2400, 1600), 1200, (1200, 800)),
            ((100, 50), 640, (100, 50)),
            ((640, 480), 640, (640, 480)),
            ((1000, 333), 640, (640, 213)),
            ((3, 1000), 2, (2, 667)),
            ((5000, 1), 64, (64, 1)),
        ] {
            assert_eq!(target_size(own, width), target, "{own:?} {width}");
        }
    }

    #[test]
    fn a_plain_image_stays_plain() {
        for layout in [Layout::Gray, Layout::GrayAlpha, Layout::Rgb, Layout::Rgba, Layout::Cmyk] {
            let colour = &[200, 100, 50, 255][4 - layout.channels()..];
            let raster = Raster::new(9, 7, layout, colour.repeat(63)).unwrap();
            let small = resize(raster, 4, 3).unwrap();
            assert_eq!(small.pixels, colour.repeat(12), "{layout:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_has_no_colour_to_give() {
        let pixels = [[255, 0, 0, 0], [0, 0, 255, 255]].concat().repeat(8);
        let raster = Raster::new(2, 8, Layout::Rgba, pixels.clone()).unwrap();
        let small = resize(raster, 1, 4).unwrap();
        assert!(
            small.pixels.chunks(4).all(|pixel| pixel[0] == 0 && pixel[2] > 250),
            "{small:?}"
        );
        let mut shrink = RowShrink::new(2, 8, Layout::Rgba, 2);
        pixels.chunks(8).for_each(|row| shrink.push(row));
        assert_eq!(shrink.finish().unwrap().pixels, [0, 0, 255, 128].repeat(4));
    }

    #[test]
    fn rows_are_shrunk_to_means() {
        let mut shrink = RowShrink::new(5, 3, Layout::Gray, 2);
        for row in [[0, 10, 20, 30, 40], [0, 10, 20, 30, 40], [8, 8, 8, 8, 8]] {
            shrink.push(&row);
        }
        assert_eq!(
            shrink.finish().unwrap(),
            Raster::new(3, 2, Layout::Gray, vec![5, 25, 40, 8, 8, 8]).unwrap()
        );
        assert_eq!(RowShrink::factor(16383, 640), 12);
        assert_eq!(RowShrink::factor(1200, 640), 1);
    }

    proptest! {
        #[test]
        fn targets_fit_in_the_source(width in 1..70_000u32, height in 1..70_000u32, wanted in 1..4000u32) {
            let (w, h) = target_size((width, height), wanted);
            prop_assert!(w >= 1 && h >= 1 && w <= width.max(1) && h <= height.max(1) && w <= wanted.max(width.min(wanted)));
        }
    }
}
