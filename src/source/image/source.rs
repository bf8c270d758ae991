//! What an image is made from.
//!
//! In: the answer of this server or of another. Out: a [`Source`], or the refusal with upstream's text (`fetchInternalImage` and
//! `fetchExternalImage` of `next/dist/server/image-optimizer.js`).

use bytes::Bytes;

use super::params::source_tag;

/// The bytes of a source with what was said of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The bytes, not empty.
    pub bytes: Bytes,
    /// `Cache-Control`, empty if absent.
    pub cache_control: String,
    /// Its tag, in the form in which the cache keeps it.
    pub etag: String,
}

/// Why there is no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageError {
    /// This status with this text.
    Refused(u16, &'static str),
    /// The error page for 500; the log says why.
    Failed(String),
}

/// The text for an answer of this server that is no source.
pub const INTERNAL_INVALID: &str = "\"url\" parameter is valid but internal response is invalid";
/// The text for an answer of another server that is no source.
pub const UPSTREAM_INVALID: &str = "\"url\" parameter is valid but upstream response is invalid";
/// The text for another server that is too slow.
pub const UPSTREAM_TIMED_OUT: &str = "\"url\" parameter is valid but upstream response timed out";
/// The text for what may not be asked for.
pub const NOT_ALLOWED: &str = "\"url\" parameter is not allowed";
/// The text for bytes that are no image.
pub const NOT_AN_IMAGE: &str = "The requested resource isn't a valid image.";
/// The text for an image of a kind that is not allowed.
pub const KIND_NOT_ALLOWED: &str = "\"url\" parameter is valid but image type is not allowed";

/// An answer of this server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InternalAnswer {
    /// The status.
    pub status: u16,
    /// `Cache-Control`, empty if absent.
    pub cache_control: String,
    /// `ETag`, if there is one.
    pub etag: Option<String>,
    /// The body; `None` when it is larger than is taken.
    pub body: Option<Bytes>,
    /// Whether anything was written. A piece that is empty counts: such a body is looked at like any other.
    pub is_written: bool,
}

/// How the versions judge answers of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InternalRules {
    /// Whether only a success counts; otherwise the bytes of an error page are looked at, too.
    pub status_counts: bool,
    /// Whether an empty body has a text of its own.
    pub reports_empty: bool,
}

impl InternalAnswer {
    /// The source that it is.
    ///
    /// # Errors
    /// The refusal when it is none.
    pub fn into_source(self, href: &str, rules: InternalRules) -> Result<Source, ImageError> {
        let Some(bytes) = self.body else {
            tracing::error!("The image {href} is larger than images.maximumResponseBody allows.");
            return Err(ImageError::Refused(413, INTERNAL_INVALID));
        };
        if rules.status_counts && !(200..300).contains(&self.status) {
            tracing::error!("The image {href} cannot be had: its path answers {}.", self.status);
            return Err(ImageError::Refused(error_status(self.status), INTERNAL_INVALID));
        }
        if bytes.is_empty() {
            tracing::error!("The image {href} cannot be had: its path answers with nothing.");
            let text = if rules.reports_empty && !self.is_written {
                INTERNAL_INVALID
            } else {
                NOT_AN_IMAGE
            };
            return Err(ImageError::Refused(400, text));
        }
        Ok(Source {
            etag: source_tag(self.etag.as_deref(), &bytes),
            cache_control: self.cache_control,
            bytes,
        })
    }
}

/// The status of the refusal after an answer with this one (`ImageError`).
pub fn error_status(status: u16) -> u16 {
    if status >= 400 {
        status
    } else {
        500
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_source_or_refused() {
        let late = InternalRules {
            status_counts: true,
            reports_empty: true,
        };
        let early = InternalRules {
            status_counts: false,
            reports_empty: false,
        };
        let answer = |status, body: Option<&'static str>| InternalAnswer {
            status,
            body: body.map(|body| Bytes::from_static(body.as_bytes())),
            ..InternalAnswer::default()
        };
        let judged = |status, body, rules| match answer(status, body).into_source("/a", rules) {
            Ok(source) => (200, source.bytes.len()),
            Err(ImageError::Refused(status, text)) => (status, text.len()),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(judged(200, Some("x"), late), (200, 1));
        assert_eq!(judged(404, Some("x"), late), (404, INTERNAL_INVALID.len()));
        assert_eq!(judged(304, Some("x"), late), (500, INTERNAL_INVALID.len()));
        assert_eq!(judged(404, Some("x"), early), (200, 1));
        assert_eq!(judged(200, Some(""), late), (400, INTERNAL_INVALID.len()));
        assert_eq!(judged(200, Some(""), early), (400, NOT_AN_IMAGE.len()));
        assert_eq!(judged(200, None, early), (413, INTERNAL_INVALID.len()));
        let written = InternalAnswer {
            is_written: true,
            ..answer(200, Some(""))
        };
        assert!(matches!(
            written.into_source("/a", late),
            Err(ImageError::Refused(400, NOT_AN_IMAGE))
        ));
    }
}
