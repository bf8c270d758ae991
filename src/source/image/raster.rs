//! Pixels in memory.
//!
//! In: what a decoder made. Out: the same with other sides or another way up. Eight bits a channel: nothing that is sent has more.

/// The channels of a pixel, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Grey.
    Gray,
    /// Grey and alpha.
    GrayAlpha,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha.
    Rgba,
    /// Cyan, magenta, yellow, black, each as the paper that is left: 255 is no ink, as in the files of Adobe's programs.
    Cmyk,
}

impl Layout {
    /// Bytes of a pixel.
    pub fn channels(self) -> usize {
        match self {
            Layout::Gray => 1,
            Layout::GrayAlpha => 2,
            Layout::Rgb => 3,
            Layout::Rgba | Layout::Cmyk => 4,
        }
    }

    /// Whether the last channel is alpha.
    pub fn has_alpha(self) -> bool {
        matches!(self, Layout::GrayAlpha | Layout::Rgba)
    }
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raster {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// What a pixel is.
    pub layout: Layout,
    /// The pixels, row by row.
    pub pixels: Vec<u8>,
}

impl Raster {
    /// An image of these pixels, `None` when they are not as many as its sides say.
    pub fn new(width: u32, height: u32, layout: Layout, pixels: Vec<u8>) -> Option<Raster> {
        let expected = (width as usize)
            .checked_mul(height as usize)?
            .checked_mul(layout.channels())?;
        (width > 0 && height > 0 && pixels.len() == expected).then_some(Raster {
            width,
            height,
            layout,
            pixels,
        })
    }

    /// The image the way up that `orientation` says (EXIF 2.32, 4.6.4).
    pub fn upright(self, orientation: u8) -> Raster {
        // Where the pixel at (x, y) of the result comes from: whether the sides change places, and which of the source's run back.
        let (swaps, back_x, back_y) = match orientation {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, false, true),
            7 => (true, true, true),
            8 => (true, true, false),
            _ => return self,
        };
        let size = self.layout.channels();
        let (width, height) = if swaps {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        };
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..height {
            for x in 0..width {
                let (from_x, from_y) = if swaps { (y, x) } else { (x, y) };
                let from_x = if back_x { self.width - 1 - from_x } else { from_x };
                let from_y = if back_y { self.height - 1 - from_y } else { from_y };
                let at = (from_y as usize * self.width as usize + from_x as usize) * size;
                pixels.extend_from_slice(&self.pixels[at..at + size]);
            }
        }
        Raster {
            width,
            height,
            pixels,
            ..self
        }
    }

    /// The image on black, without alpha.
    pub fn flattened(self) -> Raster {
        let (layout, size) = match self.layout {
            Layout::GrayAlpha => (Layout::Gray, 2),
            Layout::Rgba => (Layout::Rgb, 4),
            _ => return self,
        };
        let mut pixels = Vec::with_capacity(self.pixels.len() / size * (size - 1));
        for pixel in self.pixels.chunks_exact(size) {
            let alpha = u32::from(pixel[size - 1]);
            pixels.extend(
                pixel[..size - 1]
                    .iter()
                    .map(|&channel| ((u32::from(channel) * alpha + 127) / 255) as u8),
            );
        }
        Raster { layout, pixels, ..self }
    }

    /// The image in red, green and blue, with alpha if it has that. Inks are not converted here.
    pub fn coloured(self) -> Raster {
        let (layout, size) = match self.layout {
            Layout::Gray => (Layout::Rgb, 1),
            Layout::GrayAlpha => (Layout::Rgba, 2),
            _ => return self,
        };
        let mut pixels = Vec::with_capacity(self.pixels.len() / size * layout.channels());
        for pixel in self.pixels.chunks_exact(size) {
            pixels.extend_from_slice(&[pixel[0]; 3]);
            pixels.extend_from_slice(&pixel[1..]);
        }
        Raster { layout, pixels, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_puts_the_corner_where_it_belongs() {
        // 0 1 2 / 3 4 5
        let raster = || Raster::new(3, 2, Layout::Gray, (0..6).collect()).unwrap();
        for (orientation, width, pixels) in [
            (1, 3, [0, 1, 2, 3, 4, 5]),
            (2, 3, [2, 1, 0, 5, 4, 3]),
            (3, 3, [5, 4, 3, 2, 1, 0]),
            (4, 3, [3, 4, 5, 0, 1, 2]),
            (5, 2, [0, 3, 1, 4, 2, 5]),
            (6, 2, [3, 0, 4, 1, 5, 2]),
            (7, 2, [5, 2, 4, 1, 3, 0]),
            (8, 2, [2, 5, 1, 4, 0, 3]),
            (9, 3, [0, 1, 2, 3, 4, 5]),
        ] {
            let upright = raster().upright(orientation);
            assert_eq!(
                (upright.width, upright.pixels.as_slice()),
                (width, pixels.as_slice()),
                "{orientation}"
            );
        }
    }

    #[test]
    fn alpha_and_grey_become_what_an_encoder_takes() {
        let raster = Raster::new(2, 1, Layout::GrayAlpha, vec![200, 255, 200, 0]).unwrap();
        assert_eq!(raster.clone().flattened().pixels, [200, 0]);
        assert_eq!(raster.coloured().pixels, [200, 200, 200, 255, 200, 200, 200, 0]);
    }

    #[test]
    fn sides_and_pixels_must_agree() {
        assert!(Raster::new(2, 2, Layout::Rgb, vec![0; 12]).is_some());
        assert!(Raster::new(2, 2, Layout::Rgb, vec![0; 11]).is_none());
        assert!(Raster::new(0, 2, Layout::Rgb, vec![]).is_none());
        assert!(Raster::new(u32::MAX, u32::MAX, Layout::Rgba, vec![]).is_none());
    }
}
