//! What kind of image some bytes are.
//!
//! In: the bytes of a source. Out: its [`Kind`], by its first bytes and never by what a server says of it. Upstream:
//! `image-optimizer/detect-content-type.js`, with `next/dist/compiled/image-detector` behind it, and
//! `next/dist/compiled/is-animated`.

use std::sync::LazyLock;

use regex::Regex;

/// A kind of image that upstream knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `image/avif`
    Avif,
    /// `image/bmp`
    Bmp,
    /// `image/gif`
    Gif,
    /// `image/heic`
    Heic,
    /// `image/x-icns`
    Icns,
    /// `image/x-icon`
    Ico,
    /// `image/jp2`
    Jp2,
    /// `image/jpeg`
    Jpeg,
    /// `image/jxl`
    Jxl,
    /// `application/pdf`, which is none after all
    Pdf,
    /// `image/png`
    Png,
    /// `image/svg+xml`
    Svg,
    /// `image/tiff`
    Tiff,
    /// `image/webp`
    Webp,
}

impl Kind {
    const ALL: [Kind; 14] = [
        Kind::Avif,
        Kind::Bmp,
        Kind::Gif,
        Kind::Heic,
        Kind::Icns,
        Kind::Ico,
        Kind::Jp2,
        Kind::Jpeg,
        Kind::Jxl,
        Kind::Pdf,
        Kind::Png,
        Kind::Svg,
        Kind::Tiff,
        Kind::Webp,
    ];

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Kind::Avif => "image/avif",
            Kind::Bmp => "image/bmp",
            Kind::Gif => "image/gif",
            Kind::Heic => "image/heic",
            Kind::Icns => "image/x-icns",
            Kind::Ico => "image/x-icon",
            Kind::Jp2 => "image/jp2",
            Kind::Jpeg => "image/jpeg",
            Kind::Jxl => "image/jxl",
            Kind::Pdf => "application/pdf",
            Kind::Png => "image/png",
            Kind::Svg => "image/svg+xml",
            Kind::Tiff => "image/tiff",
            Kind::Webp => "image/webp",
        }
    }

    /// The extension of its files, as they are named in the cache.
    pub fn extension(self) -> &'static str {
        match self {
            Kind::Avif => "avif",
            Kind::Bmp => "bmp",
            Kind::Gif => "gif",
            Kind::Heic => "heic",
            Kind::Icns => "icns",
            Kind::Ico => "ico",
            Kind::Jp2 => "jp2",
            Kind::Jpeg => "jpeg",
            Kind::Jxl => "jxl",
            Kind::Pdf => "pdf",
            Kind::Png => "png",
            Kind::Svg => "svg",
            Kind::Tiff => "tiff",
            Kind::Webp => "webp",
        }
    }

    /// The kind that files with this extension hold.
    pub fn of_extension(extension: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.extension() == extension)
    }

    /// The kind of a configured format.
    pub fn of_media_type(media_type: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.media_type() == media_type)
    }
}

/// How much the detector behind the signatures reads (`buffer.subarray(0, 1024)`).
const HEAD: usize = 1024;

/// How much of that is searched for the beginning of an SVG.
const SVG_HEAD: usize = 1000;

/// The kind of a source, `None` when it is none that upstream knows. `strict_boxes`: whether the size of an `ftyp` box counts.
pub fn detect(bytes: &[u8], strict_boxes: bool) -> Option<Kind> {
    let starts = |signature: &[u8]| bytes.starts_with(signature);
    let has_brand = |brand: &[u8; 4]| {
        bytes.get(4..8) == Some(b"ftyp".as_slice())
            && bytes.get(8..12) == Some(brand.as_slice())
            && (!strict_boxes || ftyp_fits(bytes))
    };
    match () {
        () if starts(&[0xff, 0xd8, 0xff]) => Some(Kind::Jpeg),
        () if starts(b"\x89PNG\r\n\x1a\n") => Some(Kind::Png),
        () if starts(b"GIF8") => Some(Kind::Gif),
        () if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP".as_slice()) => Some(Kind::Webp),
        () if starts(b"<?xml") || starts(b"<svg") => Some(Kind::Svg),
        () if has_brand(b"avif") => Some(Kind::Avif),
        () if starts(&[0, 0, 1, 0]) => Some(Kind::Ico),
        () if starts(b"icns") => Some(Kind::Icns),
        () if starts(b"II*\0") => Some(Kind::Tiff),
        () if starts(b"BM") => Some(Kind::Bmp),
        () if starts(&[0xff, 0x0a]) || starts(b"\0\0\0\x0cJXL \r\n\x87\n") => Some(Kind::Jxl),
        () if has_brand(b"heic") => Some(Kind::Heic),
        () if starts(b"%PDF-") => Some(Kind::Pdf),
        () if starts(b"\0\0\0\x0cjP  \r\n\x87\n") => Some(Kind::Jp2),
        () => by_detector(&bytes[..bytes.len().min(HEAD)]),
    }
}

/// What is left for `image-detector` to tell after the signatures. It also knows kinds that upstream does not take; those that
/// it would find before an SVG are named, the others are no kind at all.
fn by_detector(head: &[u8]) -> Option<Kind> {
    if head.starts_with(b"MM\0*") {
        return Some(Kind::Tiff);
    }
    if head.starts_with(&[0xff, 0xd8]) {
        return Some(Kind::Jpeg);
    }
    let taken_by_another = head.starts_with(b"8BPS")
        || head.starts_with(b"DDS ")
        || head.starts_with(&[0, 0, 2, 0])
        || (head.first() == Some(&b'P') && matches!(head.get(1), Some(b'1'..=b'7' | b'F')))
        || head
            .get(1..7)
            .is_some_and(|name| name == b"KTX 11" || name == b"KTX 20");
    (!taken_by_another && !head.is_empty() && begins_svg(head)).then_some(Kind::Svg)
}

fn begins_svg(head: &[u8]) -> bool {
    static ROOT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"<svg\s(?:[^>"']|"[^"]*"|'[^']*')*>"#).ok());
    let text = String::from_utf8_lossy(&head[..head.len().min(SVG_HEAD)]);
    ROOT.as_ref().is_some_and(|root| root.is_match(&text))
}

/// Whether the first box is one: a text can have the letters of a brand in the same place.
fn ftyp_fits(bytes: &[u8]) -> bool {
    let size = bytes
        .first_chunk::<4>()
        .map_or(0, |size| u32::from_be_bytes(*size) as usize);
    size >= 16 && size <= bytes.len()
}

/// Whether a GIF, PNG or WebP moves. Such an image is left as it is.
pub fn is_animated(kind: Kind, bytes: &[u8]) -> bool {
    match kind {
        Kind::Gif => gif_moves(bytes),
        Kind::Png => png_moves(bytes),
        Kind::Webp => memchr::memmem::find(bytes, b"ANIM").is_some(),
        _ => false,
    }
}

/// Whether a GIF has more than one image.
fn gif_moves(bytes: &[u8]) -> bool {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    // The end of a chain of sub-blocks, its terminator included.
    let after_blocks = |mut at: usize| {
        while byte(at) != 0 {
            at += usize::from(byte(at)) + 1;
        }
        at + 1
    };
    let mut at = 13 + table(byte(10));
    let mut images = 0;
    while images < 2 && at < bytes.len() {
        match byte(at) {
            0x2c => {
                images += 1;
                at = after_blocks(at + 10 + table(byte(at + 9)) + 1);
            }
            0x21 => at = after_blocks(at + 2),
            _ => break,
        }
    }
    images > 1
}

/// Whether a PNG has the chunks of an animation, in the order in which players want them.
fn png_moves(bytes: &[u8]) -> bool {
    let (mut control, mut first, mut second) = (false, false, false);
    let mut before: &[u8] = b"";
    let mut at = 8;
    while let Some((size, name)) = bytes.get(at..at + 8).map(|head| head.split_at(4)) {
        match name {
            b"acTL" => control = true,
            b"IDAT" => {
                if !control || (before != b"fcTL" && before != b"IDAT") {
                    return false;
                }
                first = true;
            }
            b"fdAT" => {
                if !first || (before != b"fcTL" && before != b"fdAT") {
                    return false;
                }
                second = true;
            }
            _ => {}
        }
        before = name;
        let size = u32::from_be_bytes([size[0], size[1], size[2], size[3]]);
        at += 12 + size as usize;
    }
    control && first && second
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_bytes_tell_the_kind() {
        let avif = |size: u8| [&[0, 0, 0, size], b"ftypavif".as_slice(), &[0; 16]].concat();
        let table: &[(&[u8], Option<Kind>)] = &[
            (b"", None),
            (b"hello", None),
            (b"<html><svg width='1'></html>", Some(Kind::Svg)),
            (b"  <!-- --> <svg viewBox='0 0 1 1'>", Some(Kind::Svg)),
            (b"<svg>", Some(Kind::Svg)),
            (b"<svgx a='1'", Some(Kind::Svg)),
            (b"P6 <svg a='1'>", None),
            (b"8BPS<svg a='1'>", None),
            (&[0xff, 0xd8, 0xff, 0xe0], Some(Kind::Jpeg)),
            (b"GIF87a", Some(Kind::Gif)),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Some(Kind::Webp)),
            (b"RIFF\x01\x02\x03\x04WAVE", None),
            (&[0, 0, 1, 0, 1], Some(Kind::Ico)),
            (b"icns", Some(Kind::Icns)),
            (b"II*\0", Some(Kind::Tiff)),
            (b"MM\0*", Some(Kind::Tiff)),
            (b"BM", Some(Kind::Bmp)),
            (&[0xff, 0x0a], Some(Kind::Jxl)),
            (b"%PDF-1.7", Some(Kind::Pdf)),
            (b"\0\0\0\x0cjP  \r\n\x87\n", Some(Kind::Jp2)),
        ];
        for (bytes, kind) in table {
            assert_eq!(detect(bytes, true), *kind, "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(detect(&avif(28), true), Some(Kind::Avif));
        assert_eq!(detect(&avif(29), true), None);
        assert_eq!(detect(&avif(8), true), None);
        assert_eq!(detect(&avif(8), false), Some(Kind::Avif));
        assert_eq!(detect(b"<!--ftypavif--><svg a='1'>", true), Some(Kind::Svg));
    }

    #[test]
    fn names_go_both_ways() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_extension(kind.extension()), Some(kind));
            assert_eq!(Kind::of_media_type(kind.media_type()), Some(kind));
        }
        assert_eq!(Kind::of_extension("exe"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0..3usize) {
            let _ = detect(&bytes, true);
            for (kind, magic) in [(Kind::Gif, b"GIF89a".as_slice()), (Kind::Png, b"\x89PNG\r\n\x1a\n"), (Kind::Webp, b"RIFF0000WEBP")] {
                let _ = is_animated(kind, &[magic, bytes.as_slice()].concat());
            }
            let _ = kind;
        }
    }
}
