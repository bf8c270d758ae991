//! Which part of a file was asked for.
//!
//! In: the `Range` header and the size. Out: the whole, one part, or nothing that exists.
//! Source: `range-parser` with `combine` and `SendStream.prototype.send` inside `next/dist/compiled/send`. Where it
//! differs from RFC 9110 (14.1.2) it is followed: an unreadable part is skipped, a suffix longer than the file is
//! unsatisfiable, and several parts that do not touch give the whole file.

use std::fmt;

use smallvec::SmallVec;

use super::ecma::parse_int;

/// What to send of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Everything, with status 200.
    Whole,
    /// One part, with status 206.
    Part(Part),
    /// No part exists: status 416 and `Content-Range: bytes */size`.
    Unsatisfiable,
}

/// A part that exists: `start <= end < size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first byte.
    pub start: u64,
    /// The last byte, inclusive.
    pub end: u64,
}

impl Part {
    /// How many bytes it has.
    pub fn size(self) -> u64 {
        self.end - self.start + 1
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

/// Reads a `Range` header for a file of `size` bytes.
pub fn parse(header: &str, size: u64) -> Range {
    let Some(list) = header.trim_start_matches(' ').strip_prefix("bytes=") else {
        return Range::Whole;
    };
    let mut parts: SmallVec<[Part; 4]> = list.split(',').filter_map(|item| part(item, size)).collect();
    parts.sort_by_key(|part| part.start);
    let Some((first, rest)) = parts.split_first() else {
        return Range::Unsatisfiable;
    };
    // Parts that overlap or touch are one part.
    let mut union = *first;
    for part in rest {
        if part.start > union.end + 1 {
            return Range::Whole;
        }
        union.end = union.end.max(part.end);
    }
    Range::Part(union)
}

/// One item of the list; `None` if it is unreadable or lies outside.
fn part(item: &str, size: u64) -> Option<Part> {
    let last = size.checked_sub(1)?;
    let mut bounds = item.split('-');
    let start = bounds.next().and_then(parse_int);
    let end = bounds.next().and_then(parse_int);
    let (start, end) = match (start, end) {
        (Some(start), end) => (start, end.map_or(last, |end| end.min(last))),
        (None, Some(suffix)) => (size.checked_sub(suffix)?, last),
        (None, None) => return None,
    };
    (start <= end).then_some(Part { start, end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_upstream_reads_them() {
        let part = |start, end| Range::Part(Part { start, end });
        // Checked against the embedded range-parser under Node 20; size 1000.
        for (header, want) in [
            ("bytes=0-9", part(0, 9)),
            ("  bytes=0-9", part(0, 9)),
            ("bytes=0-", part(0, 999)),
            ("bytes=-5", part(995, 999)),
            ("bytes=990-5000", part(990, 999)),
            ("bytes=0-99999999999999999999999", part(0, 999)),
            ("bytes= 1 - 3 ", part(1, 3)),
            ("bytes=5-abc", part(5, 999)),
            ("bytes=+5-7", part(5, 7)),
            ("bytes=1e2-", part(1, 999)),
            ("bytes=1-2-3", part(1, 2)),
            ("bytes=0-4,5-9", part(0, 9)),
            ("bytes=5-9,0-6", part(0, 9)),
            ("bytes=0-999,3-4", part(0, 999)),
            ("bytes=0-4,zzz,2000-", part(0, 4)),
            ("bytes=0-4,6-9", Range::Whole),
            ("bytes=1000-", Range::Unsatisfiable),
            ("bytes=5-4", Range::Unsatisfiable),
            ("bytes=-0", Range::Unsatisfiable),
            ("bytes=-1001", Range::Unsatisfiable),
            ("bytes=-1000", part(0, 999)),
            ("bytes=--5", Range::Unsatisfiable),
            ("bytes=abc", Range::Unsatisfiable),
            ("bytes=", Range::Unsatisfiable),
            ("bytes=-", Range::Unsatisfiable),
            ("bytes 0-9", Range::Whole),
            ("items=0-9", Range::Whole),
            ("Bytes=0-9", Range::Whole),
            ("", Range::Whole),
        ] {
            assert_eq!(parse(header, 1000), want, "{header:?}");
        }
        assert_eq!(parse("bytes=0-", 0), Range::Unsatisfiable);
        assert_eq!(parse("bytes=-5", 0), Range::Unsatisfiable);
        assert_eq!(parse("bytes=0-", u64::MAX), part(0, u64::MAX - 1));
    }

    proptest::proptest! {
        #[test]
        fn a_part_always_exists(header in "(bytes=)?[0-9 ,+-]*\\PC*", size: u64) {
            if let Range::Part(part) = parse(&header, size) {
                assert!(part.start <= part.end && part.end < size);
                assert!(part.size() <= size);
            }
        }
    }
}
