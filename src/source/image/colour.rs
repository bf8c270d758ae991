//! Colours as a browser expects them.
//!
//! In: pixels and the profile that came with them. Out: the same in sRGB, without a profile: what sharp does unless it is configured to
//! keep the profile. A profile that cannot be used is dropped, and the pixels are taken to be sRGB.

use moxcms::{ColorProfile, DataColorSpace, Layout as ProfileLayout, RenderingIntent, TransformOptions};

use super::inks;
use super::raster::{Layout, Raster};

/// The image in sRGB: red, green, blue, and alpha if it has that.
pub fn to_srgb(raster: Raster, profile: Option<&[u8]>) -> Raster {
    let profile = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok());
    let raster = match (raster.layout, profile) {
        (Layout::Cmyk, Some(profile)) if profile.color_space == DataColorSpace::Cmyk => {
            return from_inks(&raster, &profile).unwrap_or_else(|| inks::to_srgb(raster));
        }
        (Layout::Cmyk, _) => return inks::to_srgb(raster),
        (Layout::Gray | Layout::GrayAlpha, Some(profile)) if profile.color_space == DataColorSpace::Gray => {
            return from_gray(&raster, &profile).unwrap_or_else(|| raster.coloured());
        }
        (_, Some(profile)) if profile.color_space == DataColorSpace::Rgb => {
            let raster = raster.coloured();
            return from_rgb(&raster, &profile).unwrap_or(raster);
        }
        _ => raster,
    };
    raster.coloured()
}

fn from_rgb(raster: &Raster, profile: &ColorProfile) -> Option<Raster> {
    let layout = match raster.layout {
        Layout::Rgb => ProfileLayout::Rgb,
        Layout::Rgba => ProfileLayout::Rgba,
        _ => return None,
    };
    convert(raster, &raster.pixels, profile, layout, layout)
}

fn from_gray(raster: &Raster, profile: &ColorProfile) -> Option<Raster> {
    let (from, to) = match raster.layout {
        Layout::Gray => (ProfileLayout::Gray, ProfileLayout::Rgb),
        Layout::GrayAlpha => (ProfileLayout::GrayAlpha, ProfileLayout::Rgba),
        _ => return None,
    };
    convert(raster, &raster.pixels, profile, from, to)
}

fn from_inks(raster: &Raster, profile: &ColorProfile) -> Option<Raster> {
    // Profiles count the ink, and not the paper that it leaves.
    let pixels: Vec<u8> = raster.pixels.iter().map(|paper| 255 - paper).collect();
    // moxcms names any four channels so.
    convert(raster, &pixels, profile, ProfileLayout::Rgba, ProfileLayout::Rgb)
}

fn convert(
    raster: &Raster,
    pixels: &[u8],
    profile: &ColorProfile,
    from: ProfileLayout,
    to: ProfileLayout,
) -> Option<Raster> {
    let options = TransformOptions {
        rendering_intent: RenderingIntent::Perceptual,
        ..TransformOptions::default()
    };
    let transform = profile
        .create_transform_8bit(from, &ColorProfile::new_srgb(), to, options)
        .ok()?;
    let layout = if to == ProfileLayout::Rgba {
        Layout::Rgba
    } else {
        Layout::Rgb
    };
    let count = raster.width as usize * raster.height as usize;
    let mut out = vec![0; count * layout.channels()];
    transform.transform(pixels, &mut out).ok()?;
    Raster::new(raster.width, raster.height, layout, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(layout: Layout, pixel: &[u8]) -> Raster {
        Raster::new(1, 1, layout, pixel.to_vec()).unwrap()
    }

    #[test]
    fn a_profile_is_applied_and_dropped() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let red = to_srgb(one(Layout::Rgb, &[200, 60, 60]), Some(&p3));
        assert!(red.pixels[0] > 205 && red.pixels[1] < 60, "{red:?}");
        let srgb = ColorProfile::new_srgb().encode().unwrap();
        let same = to_srgb(one(Layout::Rgba, &[10, 120, 240, 7]), Some(&srgb));
        for (got, want) in same.pixels.iter().zip([10u8, 120, 240, 7]) {
            assert!(got.abs_diff(want) <= 1, "{same:?}");
        }
    }

    #[test]
    fn a_profile_that_cannot_be_used_changes_nothing() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        for profile in [None, Some(b"".as_slice()), Some(&p3[..100]), Some(&[7; 200])] {
            let same = to_srgb(one(Layout::Rgb, &[1, 2, 3]), profile);
            assert_eq!(same.pixels, [1, 2, 3]);
        }
        // A profile of another kind of colour.
        let grey = to_srgb(one(Layout::GrayAlpha, &[9, 8]), Some(&p3));
        assert_eq!(grey.layout, Layout::Rgba);
    }

    #[test]
    fn inks_become_colours() {
        let paper = to_srgb(one(Layout::Cmyk, &[255; 4]), None);
        assert!(paper.pixels.iter().all(|&channel| channel > 250), "{paper:?}");
        let black = to_srgb(one(Layout::Cmyk, &[0; 4]), None);
        assert!(black.pixels.iter().all(|&channel| channel < 40), "{black:?}");
        let cyan = to_srgb(one(Layout::Cmyk, &[0, 255, 255, 255]), None);
        assert!(cyan.pixels[0] < 80 && cyan.pixels[2] > 180, "{cyan:?}");
    }
}
