//! Makes one picture and says what it took: for comparisons with sharp, outside of Node. Not part of the addon.
//!
//!   transform <source> <media type> <width> <quality> <target> [times]

use std::time::{Duration, Instant};

use bytes::Bytes;
use ferronext::source::image::encode::Effort;
use ferronext::source::image::transform::{inspect, make, Policy, Verdict};
use ferronext::source::image::work::TaskLimits;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [source, format, width, quality, target, times @ ..] = args.as_slice() else {
        return Err("usage: transform <source> <media type> <width> <quality> <target> [times]".into());
    };
    let bytes = Bytes::from(std::fs::read(source)?);
    let policy = Policy {
        allow_svg: false,
        pixels: 16383 * 16383,
        strict_boxes: true,
        effort: Effort {
            mozjpeg: true,
            scaled_avif_quality: true,
        },
    };
    let Verdict::Make { from, to } = inspect(&bytes, Some(format.as_str()), policy) else {
        return Err("the source would be sent as it is".into());
    };
    let (width, quality) = (width.parse()?, quality.parse()?);
    for _ in 0..times.first().map_or(Ok(1), |times| times.parse())? {
        let started = Instant::now();
        let work = TaskLimits::alone(Duration::from_secs(600));
        let made = make(&bytes, from, to, width, quality, policy, &work)?;
        println!(
            "{:.1} ms, {} bytes",
            started.elapsed().as_secs_f64() * 1000.0,
            made.len()
        );
        std::fs::write(target, made)?;
    }
    Ok(())
}
