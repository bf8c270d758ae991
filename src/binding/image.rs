//! What Node has done for an image.
//!
//! In: the answer of an internal request, or an image of the app's cache handler. Out: the words of the pipeline for it.

use bytes::Bytes;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use super::cached_image::JsCachedImage;
use super::engine::JsEngine;
use super::fault::guarded;
use crate::engine::ImageReply;
use crate::source::image::source::InternalAnswer;

/// The answer of an internal request.
#[napi(object, object_to_js = false)]
pub struct JsInternalAnswer {
    /// The status.
    pub status: u16,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `ETag`.
    pub etag: Option<String>,
    /// The body; absent when it is larger than is taken.
    pub body: Option<Buffer>,
    /// Whether anything was written, if only an empty piece.
    pub is_written: bool,
}

#[napi]
impl JsEngine {
    /// The internal request for the image in `slot` has been answered; `null` when it failed.
    #[napi(js_name = "imageFetched")]
    pub fn image_fetched(&self, slot: u32, answer: Option<JsInternalAnswer>) -> napi::Result<(), String> {
        guarded(|| {
            let reply = answer.map_or(ImageReply::Failed, |answer| {
                ImageReply::Answer(InternalAnswer {
                    status: answer.status,
                    cache_control: answer.cache_control.unwrap_or_default(),
                    etag: answer.etag,
                    // A copy: the memory belongs to Node, and the image is made on another thread.
                    body: answer.body.map(|body| Bytes::copy_from_slice(&body)),
                    is_written: answer.is_written,
                })
            });
            self.told(slot, reply);
        })
    }

    /// What the app's cache handler has for the image in `slot`.
    #[napi(js_name = "imageKept")]
    pub fn image_kept(&self, slot: u32, image: Option<JsCachedImage>) -> napi::Result<(), String> {
        guarded(|| self.told(slot, ImageReply::Stored(image.and_then(JsCachedImage::into_kept))))
    }

    /// The app's cache handler has been given the image in `slot`.
    #[napi(js_name = "imageStored")]
    pub fn image_stored(&self, slot: u32) -> napi::Result<(), String> {
        guarded(|| self.told(slot, ImageReply::Done))
    }

    /// The client of the request in `slot` has gone away.
    #[napi(js_name = "imageCancel")]
    pub fn image_cancel(&self, slot: u32) -> napi::Result<(), String> {
        guarded(|| self.engine().image_cancel(slot as usize))
    }

    fn told(&self, slot: u32, reply: ImageReply) {
        self.engine().image_reply(slot as usize, reply);
    }
}
