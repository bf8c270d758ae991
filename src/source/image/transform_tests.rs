use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::super::decode::decode;
use super::super::raster::Layout;
use super::*;

const POLICY: Policy = Policy {
    allow_svg: false,
    pixels: 16383 * 16383,
    strict_boxes: true,
    effort: Effort {
        mozjpeg: true,
        scaled_avif_quality: true,
    },
};

fn fixture(name: &str) -> Bytes {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("__test__/fixtures/images/public/img");
    fs::read(folder.join(name)).unwrap().into()
}

fn made(name: &str, format: Option<&str>, width: u32) -> (Kind, super::super::decode::Decoded) {
    let source = fixture(name);
    let Verdict::Make { from, to } = inspect(&source, format, POLICY) else {
        panic!("{name} is not made again")
    };
    let work = TaskLimits::alone(Duration::from_secs(60));
    let bytes = make(&source, from, to, width, 75, POLICY, &work).unwrap_or_else(|why| panic!("{name}: {why}"));
    let limits = Limits {
        pixels: 1 << 30,
        width: 4000,
        work: &work,
    };
    let decoded = decode(to, &bytes, limits).unwrap_or_else(|why| panic!("{name} {to:?}: {why}"));
    assert_eq!(detect(&bytes, true), Some(to), "{name}");
    assert!(decoded.profile.is_none(), "{name} has a profile");
    (to, decoded)
}

#[test]
fn every_kind_becomes_every_format_at_the_wanted_width() {
    for (name, height) in [
        ("orientation-3.jpg", 11),
        ("drawing.png", 12),
        ("photo.webp", 11),
        ("still.gif", 12),
    ] {
        for format in [None, Some("image/webp"), Some("image/avif")] {
            let (_, decoded) = made(name, format, 16);
            assert_eq!(
                (decoded.raster.width, decoded.raster.height),
                (16, height),
                "{name} {format:?}"
            );
        }
    }
}

#[test]
fn the_format_follows_the_client_and_then_the_source() {
    for (name, format, kind) in [
        ("tiny.png", Some("image/webp"), Kind::Webp),
        ("tiny.png", None, Kind::Png),
        ("photo.webp", None, Kind::Jpeg),
        ("photo.avif", None, Kind::Jpeg),
        ("grey.jpg", None, Kind::Jpeg),
        ("still.gif", None, Kind::Gif),
        ("photo.tiff", None, Kind::Tiff),
    ] {
        assert_eq!(made(name, format, 16).0, kind, "{name} {format:?}");
    }
}

#[test]
fn images_are_turned_upright_and_never_made_larger() {
    for orientation in 2..=8 {
        let (_, decoded) = made(&format!("orientation-{orientation}.jpg"), Some("image/webp"), 64);
        let sides = if orientation > 4 { (64, 96) } else { (64, 43) };
        assert_eq!((decoded.raster.width, decoded.raster.height), sides, "{orientation}");
    }
    let (_, decoded) = made("tiny.png", Some("image/webp"), 3840);
    assert_eq!((decoded.raster.width, decoded.raster.height), (12, 8));
}

#[test]
fn alpha_stays_where_it_can_and_is_black_where_it_cannot() {
    let (_, decoded) = made("drawing.png", Some("image/webp"), 64);
    assert_eq!(decoded.raster.layout, Layout::Rgba);
    assert_eq!(decoded.raster.pixels[3], 0);
    let (_, decoded) = made("drawing.webp", None, 64);
    assert_eq!(decoded.raster.layout, Layout::Rgb);
    assert!(decoded.raster.pixels[..3].iter().all(|&channel| channel < 8));
}

#[test]
fn what_moves_or_is_no_raster_is_sent_as_it_is() {
    for (name, kind) in [
        ("moving.gif", Kind::Gif),
        ("moving.webp", Kind::Webp),
        ("moving.png", Kind::Png),
        ("icon.ico", Kind::Ico),
        ("two.bmp", Kind::Bmp),
        ("only.icns", Kind::Icns),
        ("only.jxl", Kind::Jxl),
        ("only.heic", Kind::Heic),
    ] {
        assert_eq!(
            inspect(&fixture(name), Some("image/webp"), POLICY),
            Verdict::AsItIs(kind),
            "{name}"
        );
    }
}

#[test]
fn a_hostile_svg_is_looked_at_and_never_run() {
    // CVE-2026-64644, CVE-2026-96889: at most a thousand bytes of it are read, in linear time, and nothing draws it.
    for name in ["drawing.svg", "commented.svg", "scripted.svg"] {
        assert_eq!(
            inspect(&fixture(name), None, POLICY),
            Verdict::Forbidden(Kind::Svg),
            "{name}"
        );
        let open = Policy {
            allow_svg: true,
            ..POLICY
        };
        assert_eq!(
            inspect(&fixture(name), Some("image/webp"), open),
            Verdict::AsItIs(Kind::Svg),
            "{name}"
        );
    }
    let endless = format!("  <svg {}", "a='".repeat(1 << 20));
    assert_eq!(inspect(endless.as_bytes(), None, POLICY), Verdict::NotAnImage(None));
}

#[test]
fn what_is_no_image_is_told_apart() {
    assert_eq!(inspect(b"", None, POLICY), Verdict::NotAnImage(None));
    assert_eq!(inspect(b"<!doctype html>", None, POLICY), Verdict::NotAnImage(None));
    assert_eq!(inspect(b"%PDF-1.7", None, POLICY), Verdict::NotAnImage(Some(Kind::Pdf)));
}

#[test]
fn a_failed_attempt_says_why() {
    let work = TaskLimits::alone(Duration::from_secs(60));
    let source = fixture("bomb.png");
    let why = make(&source, Kind::Png, Kind::Webp, 64, 75, POLICY, &work).unwrap_err();
    assert_eq!(why, "60000 x 60000 pixels are too many");
}
