//! The answer of an image.
//!
//! In: an image that is kept, and the request's conditions. Out: a [`Prepared`] answer, made once for each combination that
//! differs and then reused, so that an image from memory costs what a file costs. Headers and their order: `sendResponse` of
//! `next/dist/server/image-optimizer.js`, with `compression` behind it, which matters for SVG and ICO.

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

use super::conditional::{self, Conditions, Validators};
use super::disposition;
use super::registry::{Prepared, ResponseRegistry};
use crate::http::encoding::{self, Asked, Coding, CompressedVariants, Preferred};
use crate::http::headers::HeaderList;
use crate::http::status::Status;
use crate::source::image::entry::Entry;
use crate::source::image::params::js_number;
use crate::source::prerender::store::Weigh;

/// Whether an image was there (`X-Nextjs-Cache`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Found {
    /// It was made for this request.
    Miss,
    /// It was there.
    Hit,
    /// It was there, and is being revalidated.
    Stale,
}

/// What the configuration says of the answer.
#[derive(Debug, Clone, Copy)]
pub struct ImageSettings<'a> {
    /// `images.contentSecurityPolicy`
    pub security_policy: &'a str,
    /// `images.contentDispositionType`
    pub disposition: &'a str,
    /// `compress`
    pub compress: bool,
    /// The option `preferEncodings`.
    pub preferred: Preferred,
}

/// What the request adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageVariant {
    /// Whether it was there.
    pub found: Found,
    /// Whether its source is a file of the build.
    pub immutable: bool,
    /// Headers of the layers below the image: see `pipeline/headers.rs`.
    pub leading: HeaderList,
    /// Whether the headers are for one request only, so that the answer is not kept.
    pub uncacheable: bool,
}

/// An image in memory, with the answers that were made from it.
#[derive(Debug)]
pub struct Image {
    /// The image.
    pub entry: Entry,
    /// The source, as it was asked for. A key leads to one.
    href: String,
    answers: RwLock<Vec<(AnswerKey, Arc<Prepared>)>>,
    compressed: CompressedVariants,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct AnswerKey {
    variant: ImageVariant,
    accepted: Coding,
    not_modified: bool,
    head: bool,
}

/// What came of asking an image for an answer.
#[derive(Debug)]
pub enum ImageAnswer {
    /// Here it is.
    Ready(Arc<Prepared>),
    /// Here it is, for this request alone.
    Once(Status, HeaderList, Bytes),
    /// The body has to be compressed first: call [`Image::encoded`], then ask again.
    Encode(Coding),
}

/// How many answers an image keeps: found or not, whole or not, and some of header rules.
const MAX_ANSWERS: usize = 12;

impl Image {
    /// The source, as it was asked for.
    pub fn href(&self) -> &str {
        &self.href
    }

    /// An image without answers.
    pub fn new(entry: Entry, href: String) -> Image {
        Image {
            entry,
            href,
            answers: RwLock::default(),
            compressed: CompressedVariants::default(),
        }
    }

    /// The answer to a request.
    pub fn answer(
        &self,
        registry: &ResponseRegistry,
        settings: ImageSettings<'_>,
        variant: ImageVariant,
        conditions: &Conditions<'_>,
        head: bool,
    ) -> ImageAnswer {
        let held = Validators {
            etag: Some(&self.entry.etag),
            ..Validators::default()
        };
        let not_modified = conditional::fresh(conditions, held);
        let compressible =
            settings.compress && !not_modified && encoding::is_compressible(self.entry.kind.media_type());
        let accepted = match conditions.accept_encoding.as_deref() {
            Some(accept_encoding) if compressible && !head => encoding::negotiate(accept_encoding, settings.preferred),
            _ => Coding::Identity,
        };
        let key = AnswerKey {
            variant,
            accepted,
            not_modified,
            head,
        };
        if let Some((_, answer)) = read(&self.answers).iter().find(|(other, _)| *other == key) {
            return ImageAnswer::Ready(Arc::clone(answer));
        }
        let mut headers = self.headers(settings, &key);
        let mut body = if not_modified || head {
            Bytes::new()
        } else {
            self.entry.bytes.clone()
        };
        let mut for_now = key.variant.uncacheable;
        if compressible {
            let asked = Asked {
                accept_encoding: accepted.as_str(),
                head,
                length: None,
                preferred: settings.preferred,
            };
            let coding = encoding::apply(&mut headers, asked);
            if coding != Coding::Identity {
                match self.compressed.apply(&(), coding, &mut headers, &mut body) {
                    None => return ImageAnswer::Encode(coding),
                    Some(is_improving) => for_now |= is_improving,
                }
                headers.set("Content-Length", body.len().to_string());
            }
        }
        let status = Status::from(if not_modified { 304 } else { 200 });
        let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
        // Who found nothing is alone with that, or one of the few who waited.
        if for_now || key.variant.found == Found::Miss || answers.len() >= MAX_ANSWERS {
            return ImageAnswer::Once(status, headers, body);
        }
        let answer = registry.add(status, headers, body);
        answers.push((key, Arc::clone(&answer)));
        ImageAnswer::Ready(answer)
    }

    /// Waits until the image has been compressed, well enough for now.
    pub async fn encoded(&self, coding: Coding) {
        self.compressed.prepare((), coding, &self.entry.bytes).await;
    }

    fn headers(&self, settings: ImageSettings<'_>, key: &AnswerKey) -> HeaderList {
        let Entry {
            kind, etag, max_age, ..
        } = &self.entry;
        let mut headers = key.variant.leading.clone();
        headers.reserve(10);
        headers.set("Vary", "Accept");
        if key.variant.immutable {
            headers.set("Cache-Control", "public, max-age=315360000, immutable");
        } else {
            headers.set(
                "Cache-Control",
                format!("public, max-age={}, must-revalidate", js_number(*max_age)),
            );
        }
        headers.set("ETag", etag.clone());
        if key.not_modified {
            return headers;
        }
        headers.set("Content-Type", kind.media_type());
        let disposition = disposition::of_image(settings.disposition, &self.href, kind.extension());
        headers.set("Content-Disposition", disposition);
        headers.set("Content-Security-Policy", settings.security_policy.to_owned());
        headers.set(
            "X-Nextjs-Cache",
            match key.variant.found {
                Found::Miss => "MISS",
                Found::Hit => "HIT",
                Found::Stale => "STALE",
            },
        );
        headers.set("Content-Length", self.entry.bytes.len().to_string());
        headers
    }
}

impl Weigh for Arc<Image> {
    fn weight(&self) -> usize {
        // The answers share the bytes; their headers are some hundred bytes each.
        const AROUND: usize = 4096;
        self.entry.bytes.len() + self.href.len() + AROUND
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Headers;
    use crate::source::image::detect::Kind;

    const SETTINGS: ImageSettings<'static> = ImageSettings {
        security_policy: "sandbox;",
        disposition: "attachment",
        compress: true,
        preferred: Preferred::UPSTREAM,
    };

    fn image(kind: Kind, bytes: &'static [u8]) -> Image {
        let entry = Entry {
            bytes: Bytes::from_static(bytes),
            kind,
            etag: "tag".to_owned(),
            source_etag: "source".to_owned(),
            max_age: 60.0,
            expires_ms: 0.0,
        };
        Image::new(entry, "/x/a.jpg?y".to_owned())
    }

    fn variant(found: Found) -> ImageVariant {
        ImageVariant {
            found,
            immutable: false,
            leading: HeaderList::new(),
            uncacheable: false,
        }
    }

    fn ask(image: &Image, table: &ResponseRegistry, variant: ImageVariant, headers: &str, head: bool) -> ImageAnswer {
        let headers = Headers::parse(headers);
        image.answer(table, SETTINGS, variant, &Conditions::of(&headers), head)
    }

    fn ready(answer: ImageAnswer) -> Arc<Prepared> {
        match answer {
            ImageAnswer::Ready(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_image_that_was_there_is_answered_with_a_number() {
        let (image, table) = (image(Kind::Webp, b"bytes"), ResponseRegistry::default());
        let hit = ready(ask(&image, &table, variant(Found::Hit), "accept-encoding\0gzip", false));
        let names: Vec<_> = hit
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        assert_eq!(
            names,
            [
                "Vary: Accept",
                "Cache-Control: public, max-age=60, must-revalidate",
                "ETag: tag",
                "Content-Type: image/webp",
                "Content-Disposition: attachment; filename=\"a.webp\"",
                "Content-Security-Policy: sandbox;",
                "X-Nextjs-Cache: HIT",
                "Content-Length: 5",
            ]
        );
        assert_eq!(ready(ask(&image, &table, variant(Found::Hit), "", false)).id, hit.id);
        let head = ready(ask(&image, &table, variant(Found::Hit), "", true));
        assert_eq!((head.headers.get("content-length"), head.body.len()), (Some("5"), 0));
        let unchanged = ready(ask(&image, &table, variant(Found::Stale), "if-none-match\0tag", false));
        assert_eq!(
            (unchanged.status.code, unchanged.headers.len(), unchanged.body.len()),
            (304, 3, 0)
        );
        assert!(matches!(
            ask(&image, &table, variant(Found::Miss), "", false),
            ImageAnswer::Once(Status { code: 200, .. }, ..)
        ));
    }

    #[tokio::test]
    async fn a_text_is_compressed() {
        let (image, table) = (image(Kind::Svg, &[b' '; 2000]), ResponseRegistry::default());
        let asked = || ask(&image, &table, variant(Found::Hit), "accept-encoding\0gzip", false);
        match asked() {
            ImageAnswer::Encode(coding) => image.encoded(coding).await,
            other => panic!("{other:?}"),
        }
        encoding::background_done().await;
        let coded = ready(asked());
        assert_eq!(coded.headers.get("content-encoding"), Some("gzip"));
        assert_eq!(coded.headers.get("vary"), Some("Accept, Accept-Encoding"));
        assert!(coded.body.len() < 200);
    }

    #[test]
    fn answers_of_one_image_are_bounded() {
        let (image, table) = (image(Kind::Png, b"x"), ResponseRegistry::default());
        for index in 0..100 {
            let variant = ImageVariant {
                leading: [("x-rule", index.to_string())].into_iter().collect(),
                ..variant(Found::Hit)
            };
            let _ = ask(&image, &table, variant, "", false);
        }
        assert_eq!(read(&image.answers).len(), MAX_ANSWERS);
    }
}
