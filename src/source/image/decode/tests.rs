//! Every decoder, with images that the fixture of the conformance suite has, and with bytes that are none.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::detect::detect;
use super::super::raster::Layout;
use super::*;

const PIXELS: u64 = 16383 * 16383;

fn fixture(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("__test__/fixtures/images/public/img");
    fs::read(folder.join(name)).unwrap()
}

fn run(bytes: &[u8], pixels: u64, width: u32) -> Result<Decoded, DecodeError> {
    let work = TaskLimits::alone(Duration::from_secs(60));
    let kind = detect(bytes, true).expect("it looks like an image");
    decode(
        kind,
        bytes,
        Limits {
            pixels,
            width,
            work: &work,
        },
    )
}

#[test]
fn images_of_every_kind_are_decoded() {
    for (name, sides, layout, orientation, profile) in [
        ("photo.jpg", (720, 540), Layout::Rgb, 1, false),
        ("progressive.jpg", (720, 540), Layout::Rgb, 1, false),
        ("orientation-6.jpg", (360, 240), Layout::Rgb, 6, true),
        ("inks.jpg", (360, 240), Layout::Cmyk, 1, false),
        ("p3.jpg", (360, 240), Layout::Rgb, 1, true),
        ("grey.jpg", (360, 240), Layout::Gray, 1, false),
        ("sixteen.png", (150, 100), Layout::Rgb, 1, false),
        ("interlaced.png", (150, 100), Layout::Rgb, 1, false),
        ("drawing.png", (400, 300), Layout::Rgba, 1, false),
        ("palette.png", (400, 300), Layout::Rgba, 1, false),
        ("photo.webp", (360, 240), Layout::Rgb, 1, false),
        ("drawing.webp", (400, 300), Layout::Rgba, 1, false),
        ("photo.avif", (360, 240), Layout::Rgb, 1, false),
        ("alpha.avif", (200, 160), Layout::Rgba, 1, false),
        ("still.gif", (400, 300), Layout::Rgba, 1, false),
        ("photo.tiff", (120, 90), Layout::Rgb, 1, false),
    ] {
        let decoded = run(&fixture(name), PIXELS, 4000).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = &decoded.raster;
        assert_eq!((found.width, found.height), sides, "{name}");
        assert_eq!(
            (decoded.full, found.layout, decoded.orientation),
            (sides, layout, orientation),
            "{name}"
        );
        assert_eq!(decoded.profile.is_some(), profile, "{name}");
    }
}

#[test]
fn one_image_looks_the_same_in_every_kind() {
    let colour = |name: &str| {
        let Raster { pixels, layout, .. } = run(&fixture(name), PIXELS, 4000).unwrap().raster;
        let size = layout.channels();
        let count = pixels.len() / size;
        let sums = pixels.chunks_exact(size).fold([0usize; 3], |mut sums, pixel| {
            (0..3).for_each(|c| sums[c] += usize::from(pixel[c]));
            sums
        });
        sums.map(|sum| sum / count)
    };
    let first = colour("photo.jpg");
    for name in [
        "progressive.jpg",
        "photo.webp",
        "photo.avif",
        "sixteen.png",
        "photo.tiff",
        "orientation-3.jpg",
    ] {
        let other = colour(name);
        for (a, b) in first.iter().zip(other) {
            assert!(a.abs_diff(b) <= 3, "{name}: {first:?} {other:?}");
        }
    }
}

#[test]
fn huge_sides_cost_nothing() {
    // CVE-2024-47831, CVE-2025-59471, CVE-2026-44577
    for name in ["bomb.png", "bomb.jpg"] {
        let started = Instant::now();
        let refused = run(&fixture(name), PIXELS, 64).unwrap_err();
        assert!(matches!(refused, DecodeError::TooLarge(..)), "{name}: {refused}");
        assert!(started.elapsed() < Duration::from_millis(500), "{name}");
    }
    // Within the limit of pixels, but more than is held at once.
    let work = TaskLimits::alone(Duration::from_secs(60));
    let limits = Limits {
        pixels: PIXELS,
        width: 64,
        work: &work,
    };
    assert_eq!(limits.admit(16_383, 16_383), Ok(()));
    assert_eq!(
        limits.hold(16_383, 16_383, 3),
        Err(DecodeError::TooLarge(16_383, 16_383))
    );
    assert_eq!(limits.admit(16_384, 16_383), Err(DecodeError::TooLarge(16_384, 16_383)));
}

#[test]
fn a_png_of_any_size_is_made_small_row_by_row() {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, 4000, 3000);
    encoder.set_color(::png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[10, 200, 30].repeat(4000 * 3000)).unwrap();
    writer.finish().unwrap();
    let decoded = run(&bytes, PIXELS, 64).unwrap();
    assert_eq!(decoded.full, (4000, 3000));
    assert_eq!((decoded.raster.width, decoded.raster.height), (130, 97));
    assert!(decoded.raster.pixels.chunks(3).all(|pixel| pixel == [10, 200, 30]));
}

#[test]
fn what_takes_too_long_is_given_up() {
    let work = TaskLimits::alone(Duration::ZERO);
    let limits = Limits {
        pixels: PIXELS,
        width: 64,
        work: &work,
    };
    for (kind, name) in [
        (Kind::Png, "drawing.png"),
        (Kind::Jpeg, "photo.jpg"),
        (Kind::Avif, "photo.avif"),
    ] {
        assert_eq!(decode(kind, &fixture(name), limits).unwrap_err(), DecodeError::Stopped);
    }
}

#[test]
fn a_jpeg_of_a_thousand_passes_is_refused() {
    // Each pass costs time for every pixel and takes a few bytes.
    let image = fixture("progressive.jpg");
    let last = memchr::memmem::rfind(&image, &[0xff, 0xda]).unwrap();
    let mut bytes = image[..image.len() - 2].to_vec();
    for _ in 0..1000 {
        bytes.extend_from_slice(&image[last..image.len() - 2]);
    }
    bytes.extend_from_slice(&[0xff, 0xd9]);
    assert!(run(&bytes, PIXELS, 64).is_err());
}

#[test]
fn torn_and_damaged_images_are_refused() {
    for name in [
        "photo.jpg",
        "drawing.png",
        "photo.webp",
        "photo.avif",
        "still.gif",
        "photo.tiff",
    ] {
        let whole = fixture(name);
        for length in [whole.len() / 2, whole.len() / 4, 40] {
            assert!(run(&whole[..length], PIXELS, 4000).is_err(), "{name} {length}");
        }
    }
    assert!(run(&fixture("truncated.jpg"), PIXELS, 64).is_err());
    assert!(run(&fixture("damaged.png"), PIXELS, 64).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// An image with some bytes changed: decoded or refused, and nothing else.
    #[test]
    fn changed_bytes_are_harmless(which in 0usize..9, changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..20)) {
        let name = ["orientation-6.jpg", "inks.jpg", "palette.png", "interlaced.png", "alpha.avif", "drawing.webp", "photo.webp",
            "still.gif", "photo.tiff"][which];
        let mut bytes = fixture(name);
        for (at, value) in changes {
            // The first bytes say what it is.
            let at = 16 + usize::from(at) % (bytes.len() - 16);
            bytes[at] = value;
        }
        let kind = detect(&fixture(name), true).unwrap();
        let work = TaskLimits::alone(Duration::from_secs(60));
        let _ = decode(kind, &bytes, Limits { pixels: 1 << 17, width: 64, work: &work });
    }
}
