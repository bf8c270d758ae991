//! What the fuzz targets in `fuzz/` do with their bytes, so that a test can do the same with what they have found.
//!
//! In: bytes from anywhere. Out: nothing; a fault is a panic. Each function checks what must hold for every input, beyond that
//! nothing panics.

use std::time::Duration;

use crate::config::ImagesConfig;
use crate::http::encoding::{self, Coding, Preferred};
use crate::http::range::{self, Range};
use crate::source::file::sanitize;
use crate::source::image::decode::{decode, Limits};
use crate::source::image::detect::{detect, is_animated};
use crate::source::image::params::Rules;
use crate::source::image::work::TaskLimits;
use crate::url::{collapse_slashes, decode_uri_component, Dialect, Location, Query};

/// Pixels of an image that is decoded: enough for every path of a decoder, few enough for many images a second.
const PIXELS: u64 = 1 << 18;

/// The parameters of `/_next/image` and its `Accept` header, parted by a NUL.
pub fn image_params(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (search, accept) = text.split_once('\0').unwrap_or((&text, ""));
    // What picomatch makes of `/img/**` and `**.example.com`.
    let config = serde_json::json!({
        "localPatterns": [{ "search": "", "pathnameRegex": r"^(?:\/img(?:\/(?!\.{1,2}(?:\/|$))(?:(?:(?!(?:^|\/)\.{1,2}(?:\/|$)).)*?)|$))$" }],
        "remotePatterns": [{
            "protocol": "https",
            "hostnameRegex": r"^(?:(?!\.)(?:(?:(?!(?:^|\/)\.).)*?)\.example\.com\/?)$",
            "pathnameRegex": r"^(?:(?!(?:^|\/)\.{1,2}(?:\/|$))(?:(?:(?!(?:^|\/)\.{1,2}(?:\/|$)).)*?)\/?)$",
        }],
    });
    let config: ImagesConfig = serde_json::from_value(config).expect("a configuration");
    let rules = Rules::compile(&config, "", true).expect("patterns that can be compiled");
    if let Ok(params) = rules.read(&Query::parse(search), accept) {
        assert!(config
            .qualities
            .iter()
            .flatten()
            .any(|&quality| quality == f64::from(params.quality)));
        if params.absolute {
            let url = url::Url::parse(&params.href).expect("a URL");
            assert!(url.scheme() == "https" && url.host_str().is_some_and(|host| host.ends_with(".example.com")));
        } else {
            assert!(params.href.starts_with('/') && !params.href.starts_with("//"));
        }
    }
}

/// A source of an image: what it is, whether it moves, and its pixels.
pub fn image_decode(data: &[u8]) {
    let Some(kind) = detect(data, true) else { return };
    let _ = is_animated(kind, data);
    let work = TaskLimits::alone(Duration::from_secs(10));
    for width in [16, 4096] {
        let limits = Limits {
            pixels: PIXELS,
            width,
            work: &work,
        };
        if let Ok(decoded) = decode(kind, data, limits) {
            let raster = decoded.raster;
            let expected = raster.width as usize * raster.height as usize * raster.layout.channels();
            assert_eq!(raster.pixels.len(), expected);
            assert!((1..=8).contains(&decoded.orientation));
        }
    }
}

/// A `Range` header against files of three sizes.
pub fn range(data: &[u8]) {
    let header = String::from_utf8_lossy(data);
    for size in [0, 1, 10_000] {
        if let Range::Part(part) = range::parse(&header, size) {
            assert!(part.start <= part.end && part.end < size, "{part:?} of {size}");
        }
    }
}

/// An `Accept-Encoding` header.
pub fn accept_encoding(data: &[u8]) {
    let header = String::from_utf8_lossy(data);
    let lower = header.to_lowercase();
    for preferred in [Preferred::UPSTREAM, Preferred::named(["zstd", "br"])] {
        let coding = encoding::negotiate(&header, preferred);
        let is_upstreams = matches!(coding, Coding::Gzip | Coding::Deflate);
        assert!(
            coding == Coding::Identity || lower.contains(coding.as_str()) || is_upstreams && lower.contains('*'),
            "{header:?} is given {coding:?}"
        );
    }
}

/// The target of a request, and the path of a file.
pub fn url_path(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for dialect in [Dialect::Whatwg, Dialect::Legacy] {
        let _ = Location::parse_whole(&text, dialect);
        let _ = Location::parse(&text, dialect);
    }
    let _ = decode_uri_component(&text);
    assert!(collapse_slashes(&text).len() <= text.len() + 1);
    if let Ok(path) = sanitize(&text) {
        let path = path.as_str();
        assert!(!path.starts_with('/') && !path.contains('\0'), "{path:?}");
        // A letter of a name on Unix, a separator on Windows.
        assert!(!cfg!(windows) || !path.contains('\\'), "{path:?}");
        assert!(!path.split(['/', '\\']).any(|part| part == ".."), "{path:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    /// Runs a target on every file of a folder.
    fn replay(folder: &str, target: fn(&[u8])) -> usize {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        files
            .flatten()
            .filter(|file| file.path().is_file())
            .map(|file| target(&fs::read(file.path()).unwrap()))
            .count()
    }

    #[test]
    fn what_the_fuzzers_began_with_is_replayed() {
        assert!(replay("__test__/fixtures/images/public/img", image_decode) > 40);
        for (seeds, target) in [
            ("image_params", image_params as fn(&[u8])),
            ("image_decode", image_decode),
            ("range", range),
            ("accept_encoding", accept_encoding),
            ("url_path", url_path),
        ] {
            assert!(replay(&format!("fuzz/seeds/{seeds}"), target) > 0, "{seeds}");
        }
    }
}
