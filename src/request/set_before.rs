//! What the user's server has set on the response before it called the handler.
//!
//! In: the end of a request's head, `:set \0 status \0 name \0 value …`, which Node adds where a response is not as it was made
//! (runtime/http/request-head.js). Out: the status and the headers. No client can send it: a header name holds no colon (RFC 9110, 5.1), and the
//! pseudo headers of HTTP/2 are taken off.

use smallvec::SmallVec;

/// The name with which it begins.
pub(super) const MARK: &str = ":set";

/// Headers that bear on how any answer is made: upstream keeps a value that it finds, compresses by it or compares with it. All others
/// stand on the response until the answer sets the same name.
const HEEDED: [&str; 6] = [
    "accept-ranges",
    "cache-control",
    "content-encoding",
    "content-type",
    "etag",
    "last-modified",
];

/// Whether a header that was set before bears on how any answer is made.
pub fn is_heeded(name: &str) -> bool {
    HEEDED.iter().any(|heeded| heeded.eq_ignore_ascii_case(name))
}

/// A status and headers; by default none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SetBefore<'a> {
    text: &'a str,
}

impl<'a> SetBefore<'a> {
    /// Takes what follows the mark: `status \0 name \0 value …`.
    pub(super) fn new(text: &'a str) -> Self {
        SetBefore { text }
    }

    /// The status, if it is not the one that a response is made with.
    pub fn status(self) -> Option<u16> {
        let status = self.text.split('\0').next()?.parse().ok()?;
        (status != 200).then_some(status)
    }

    /// Name, as written, and value of each header.
    pub fn headers(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut texts = self.text.split('\0').skip(1);
        std::iter::from_fn(move || Some((texts.next()?, texts.next()?)))
    }

    /// The headers that bear on how any answer is made.
    pub fn heeded(self) -> SmallVec<[(&'a str, &'a str); 2]> {
        self.headers().filter(|(name, _)| is_heeded(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_headers_are_told_apart() {
        let set = SetBefore::new("404\0X-Own\x001\0Content-Type\0text/x\0etag\0");
        assert_eq!(set.status(), Some(404));
        assert_eq!(set.headers().count(), 3);
        assert_eq!(set.heeded().as_slice(), [("Content-Type", "text/x"), ("etag", "")]);
        for odd in ["", "200", "x", "200\0lonely"] {
            let set = SetBefore::new(odd);
            assert_eq!((set.status(), set.headers().count()), (None, 0), "{odd:?}");
        }
    }
}
