//! Which coding a client gets.
//!
//! In: `Accept-Encoding`. Out: gzip, deflate or none, as upstream would choose: the best quality wins, then an exact name
//! over `*`, then the order in the header; but gzip replaces deflate whenever it is acceptable.
//! Upstream knows no other coding, and a client that takes gzip as gladly as brotli or zstd gets what upstream sends. They are
//! chosen where the client names them and wants them more than what upstream would send, or where the user of ferronext does.
//! Source: `accepts`, `negotiator` and the last lines of `onResponseHeaders` in `next/dist/compiled/compression`.
//! Nothing is allocated; a usual header takes well under a microsecond.

use std::cmp::Ordering;

use super::Coding;
use crate::http::ecma::{is_blank, parse_float, trim};

/// How well a coding is accepted: the item of the header that speaks for it.
#[derive(Debug, Clone, Copy)]
struct Priority {
    quality: f64,
    /// Whether the item names the coding rather than `*`.
    exact: bool,
    /// Place of the item in the header; -1 if none speaks for it.
    place: isize,
}

const REFUSED: Priority = Priority {
    quality: 0.0,
    exact: false,
    place: -1,
};

impl Priority {
    /// Takes over an item that speaks for the same coding if it weighs more: by name, then quality, then place.
    fn consider(&mut self, item: Priority) {
        let quality = self.quality.partial_cmp(&item.quality).unwrap_or(Ordering::Equal);
        let order = self
            .exact
            .cmp(&item.exact)
            .then(quality)
            .then(self.place.cmp(&item.place));
        if order == Ordering::Less {
            *self = item;
        }
    }

    fn is_accepted(self) -> bool {
        self.quality > 0.0
    }

    /// Whether the client prefers this coding to `other`, which the server lists later.
    fn beats(self, other: Priority) -> bool {
        if !other.is_accepted() {
            return true;
        }
        let quality = other.quality.partial_cmp(&self.quality).unwrap_or(Ordering::Equal);
        let order = quality
            .then(other.exact.cmp(&self.exact))
            .then(self.place.cmp(&other.place));
        order != Ordering::Greater
    }
}

/// The codings that the server prefers to gzip where a client takes both as gladly, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferred {
    order: [Option<Coding>; 2],
}

impl Preferred {
    /// None, as upstream.
    pub const UPSTREAM: Preferred = Preferred { order: [None, None] };

    /// From the names in the option `preferEncodings`; what is neither `br` nor `zstd` does not count.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Preferred {
        let mut preferred = Preferred::UPSTREAM;
        for coding in names.into_iter().filter_map(Coding::named) {
            let modern = matches!(coding, Coding::Brotli | Coding::Zstd);
            if let (true, false, Some(place)) = (
                modern,
                preferred.order.contains(&Some(coding)),
                preferred.order.iter_mut().find(|place| place.is_none()),
            ) {
                *place = Some(coding);
            }
        }
        preferred
    }

    /// The place of a coding in the order; later than all others without one.
    fn place(self, coding: Coding) -> usize {
        self.order
            .iter()
            .position(|other| *other == Some(coding))
            .unwrap_or(usize::MAX)
    }
}

/// The coding of an answer to this header. An absent header is the empty one.
pub fn negotiate(accept_encoding: &str, preferred: Preferred) -> Coding {
    let (mut gzip, mut deflate, mut identity) = (REFUSED, REFUSED, REFUSED);
    let (mut brotli, mut zstd) = (REFUSED, REFUSED);
    let mut identity_named = false;
    let mut lowest = 1.0_f64;
    let mut count = 0;
    for (place, item) in accept_encoding.split(',').enumerate() {
        count = place + 1;
        let Some((name, quality)) = parse_item(item) else {
            continue;
        };
        let any = name == "*";
        let consider = |coding: &mut Priority, own_name: &str, any: bool| {
            let exact = name.eq_ignore_ascii_case(own_name);
            if exact || any {
                coding.consider(Priority {
                    quality,
                    exact,
                    place: place as isize,
                });
            }
            exact || any
        };
        consider(&mut gzip, "gzip", any);
        consider(&mut deflate, "deflate", any);
        identity_named |= consider(&mut identity, "identity", any);
        // Upstream does not know them, so `*` does not mean them.
        consider(&mut brotli, "br", false);
        consider(&mut zstd, "zstd", false);
        // Zero and unreadable qualities do not lower it.
        if quality != 0.0 && !quality.is_nan() {
            lowest = lowest.min(quality);
        }
    }
    if !identity_named {
        // No coding is always acceptable, as the least wanted of what was listed.
        identity.consider(Priority {
            quality: lowest,
            exact: true,
            place: count as isize,
        });
    }
    let (usual, quality) = if gzip.is_accepted()
        && (gzip.beats(identity) && gzip.beats(deflate) || deflate_replaced(gzip, deflate, identity))
    {
        (Coding::Gzip, gzip.quality)
    } else if deflate.is_accepted() && !gzip.is_accepted() && deflate.beats(identity) {
        (Coding::Deflate, deflate.quality)
    } else {
        (Coding::Identity, 0.0)
    };
    let mut chosen = (usual, quality);
    let mut modern = [(Coding::Brotli, brotli), (Coding::Zstd, zstd)];
    modern.sort_by_key(|(coding, _)| preferred.place(*coding));
    for (coding, priority) in modern {
        let is_better = priority.quality > chosen.1
            || (chosen.0 == usual && priority.quality == chosen.1 && preferred.place(coding) != usize::MAX);
        if priority.is_accepted() && is_better && priority.beats(identity) {
            chosen = (coding, priority.quality);
        }
    }
    chosen.0
}

/// Deflate comes first, gzip is acceptable too: the choice is made again between gzip and nothing.
fn deflate_replaced(gzip: Priority, deflate: Priority, identity: Priority) -> bool {
    deflate.is_accepted() && !gzip.beats(deflate) && deflate.beats(identity) && gzip.beats(identity)
}

/// `name [; parameter]…`; the first `q` counts, and only without blanks around its `=`.
fn parse_item(item: &str) -> Option<(&str, f64)> {
    let item = trim(item);
    let (name, parameters) = match item.split_once(';') {
        Some((name, parameters)) => (name, Some(parameters)),
        None => (item, None),
    };
    let name = name.trim_end_matches(is_blank);
    if name.is_empty() || name.contains(is_blank) {
        return None;
    }
    let quality = parameters
        .into_iter()
        .flat_map(|parameters| parameters.split(';'))
        .find_map(|parameter| {
            let mut sides = trim(parameter).split('=');
            (sides.next() == Some("q")).then(|| sides.next().map_or(f64::NAN, parse_float))
        });
    Some((name, quality.unwrap_or(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Coding::{Brotli, Deflate, Gzip, Identity, Zstd};

    #[test]
    fn choices_as_upstream_makes_them() {
        for (header, want) in [
            ("", Identity),
            ("gzip", Gzip),
            ("GZIP", Gzip),
            ("deflate", Deflate),
            ("identity", Identity),
            ("*", Gzip),
            ("br", Brotli),
            ("gzip, deflate, br", Gzip),
            ("deflate, gzip", Gzip),
            ("deflate, br", Deflate),
            ("gzip;q=0", Identity),
            ("gzip;q=0, deflate", Deflate),
            ("gzip;q=0.5", Gzip),
            ("gzip;q=0.5, identity", Identity),
            ("gzip;q=0.5, identity;q=0.5", Gzip),
            ("identity;q=0.5, gzip;q=0.5", Identity),
            ("*;q=0", Identity),
            ("*;q=0, gzip", Gzip),
            ("gzip;q=0, *", Deflate),
            ("identity;q=0", Identity),
            ("deflate;q=0.9, gzip;q=0.5", Gzip),
            ("deflate;q=0.9, gzip;q=0.5, identity;q=0.7", Identity),
            ("deflate, gzip;q=0.5", Gzip),
            ("deflate, gzip;q=0", Deflate),
            ("gzip;q=abc", Identity),
            ("gzip;q", Identity),
            ("gzip;q =0", Gzip),
            ("gzip; q=0", Identity),
            ("gzip;Q=0", Gzip),
            ("gzip;x=1;q=0", Identity),
            ("gzip;q=0;q=1", Identity),
            ("gzip x", Identity),
            ("gzip ; q=1", Gzip),
            ("x-gzip", Identity),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", Brotli),
            ("*;q=0.5, gzip;q=0.1", Identity),
            ("gzip;q=-1", Identity),
            ("gzip;q=2, deflate", Gzip),
            ("gzip, gzip;q=0", Gzip),
            ("gzip;q=0, gzip", Gzip),
            (",,gzip", Gzip),
            (";q=1", Identity),
            ("gzip;q=1=0", Gzip),
            ("\u{a0}gzip\u{a0}", Gzip),
            ("br;q=0.1", Brotli),
            ("br;q=0.1, *;q=0.2", Gzip),
            ("deflate, identity", Deflate),
            ("identity, deflate", Identity),
            ("identity, gzip", Identity),
            ("gzip, identity", Gzip),
            ("*, identity;q=0", Gzip),
            ("deflate, *;q=0.5", Gzip),
            ("deflate;q=0.5, identity;q=0.9, gzip;q=0.95", Gzip),
            ("gzip;q=Infinity", Gzip),
            ("gzip;q=0.001", Gzip),
            ("gzip;q=1e-5, br;q=0.5", Brotli),
        ] {
            assert_eq!(negotiate(header, Preferred::UPSTREAM), want, "{header:?}");
        }
    }

    #[test]
    fn brotli_and_zstd_are_chosen_by_who_wants_them() {
        let none = Preferred::UPSTREAM;
        let both = Preferred::named(["br", "zstd"]);
        let zstd = Preferred::named(["gzip", "zstd", "nonsense", "zstd"]);
        let browser = "gzip, deflate, br, zstd";
        for (header, preferred, want) in [
            (browser, none, Gzip),
            (browser, both, Brotli),
            (browser, zstd, Zstd),
            (browser, Preferred::named(["zstd", "br"]), Zstd),
            ("br, zstd", none, Brotli),
            ("br, zstd", zstd, Zstd),
            ("zstd", none, Zstd),
            ("ZSTD, bR;q=0.9", both, Zstd),
            ("br;q=0.8, zstd", both, Zstd),
            ("gzip;q=0.9, br;q=0.8", both, Gzip),
            ("gzip;q=0.9, br", none, Brotli),
            ("gzip;q=0.9, br;q=0.9", none, Gzip),
            ("gzip;q=0.9, br;q=0.9", both, Brotli),
            ("gzip, br;q=0", both, Gzip),
            ("br;q=0", both, Identity),
            ("*", both, Gzip),
            ("identity, br", both, Identity),
            ("identity;q=0.5, br", none, Brotli),
            ("br, identity", none, Brotli),
            ("identity;q=0, zstd;q=0.001", none, Zstd),
            ("", both, Identity),
        ] {
            assert_eq!(negotiate(header, preferred), want, "{header:?} {preferred:?}");
        }
    }

    #[test]
    fn the_name_of_a_coding_chooses_it() {
        for coding in [Identity, Gzip, Deflate, Brotli, Zstd] {
            for preferred in [Preferred::UPSTREAM, Preferred::named(["zstd", "br"])] {
                assert_eq!(negotiate(coding.as_str(), preferred), coding);
            }
            assert_eq!(Coding::named(coding.as_str()), Some(coding));
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(header in "\\PC*") {
            negotiate(&header, Preferred::named(["br", "zstd"]));
        }
    }
}
