//! What the inks of print look like on a screen, for images that bring no profile.
//!
//! In: cyan, magenta, yellow and black. Out: red, green and blue, between the points of a table that
//! `scripts/ink-table.mjs` has asked sharp for, so that such an image looks as it does under upstream. Inks mix in ways that no
//! short formula tells: plain multiplication makes pure cyan much too bright.

use super::raster::{Layout, Raster};

/// Points of each ink. Nine leave a mean error of less than one in 255.
const STEPS: usize = 9;

/// Red, green and blue for each point, black changing fastest.
static TABLE: &[u8; STEPS.pow(4) * 3] = include_bytes!("inks.bin");

/// The image in red, green and blue.
pub fn to_srgb(raster: Raster) -> Raster {
    if raster.layout != Layout::Cmyk {
        return raster;
    }
    let mut pixels = Vec::with_capacity(raster.pixels.len() / 4 * 3);
    // Print has large areas of one colour.
    let mut last = ([0; 4], colour([0; 4]));
    for pixel in raster.pixels.chunks_exact(4) {
        let papers = [pixel[0], pixel[1], pixel[2], pixel[3]];
        if papers != last.0 {
            last = (papers, colour(papers));
        }
        pixels.extend_from_slice(&last.1);
    }
    Raster {
        layout: Layout::Rgb,
        pixels,
        ..raster
    }
}

/// One colour, by linear interpolation in all four directions.
fn colour(papers: [u8; 4]) -> [u8; 3] {
    let mut below = [0; 4];
    let mut part = [0.0; 4];
    for (index, paper) in papers.into_iter().enumerate() {
        let place = f32::from(255 - paper) * (STEPS - 1) as f32 / 255.0;
        below[index] = (place as usize).min(STEPS - 2);
        part[index] = place - below[index] as f32;
    }
    let mut sums = [0.0; 3];
    for corner in 0..16usize {
        let (mut at, mut weight) = (0, 1.0);
        for index in 0..4 {
            let above = corner >> index & 1;
            at = at * STEPS + below[index] + above;
            weight *= if above == 1 { part[index] } else { 1.0 - part[index] };
        }
        for (sum, &channel) in sums.iter_mut().zip(&TABLE[at * 3..at * 3 + 3]) {
            *sum += weight * f32::from(channel);
        }
    }
    sums.map(|sum| (sum + 0.5) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_the_table_are_met_and_the_rest_lies_between() {
        assert_eq!(colour([255; 4]), TABLE[..3]);
        assert_eq!(colour([0; 4]), TABLE[TABLE.len() - 3..]);
        let (light, dark) = (colour([255, 255, 255, 200]), colour([255, 255, 255, 190]));
        assert!(light[0] > dark[0], "{light:?} {dark:?}");
    }

    #[test]
    fn every_ink_has_a_colour() {
        for papers in [[0, 255, 0, 255], [1, 2, 3, 4], [254, 253, 127, 128]] {
            let raster = Raster::new(1, 1, Layout::Cmyk, papers.to_vec()).unwrap();
            assert_eq!(to_srgb(raster).layout, Layout::Rgb);
        }
    }
}
