//! Answers as they cross to Node.
//!
//! In: an answer of the pipeline. Out: an object that Node keeps under the answer's number, or, for an answer of one request, a text.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::engine::Answer;
use crate::http::headers::HeaderList;
use crate::http::status::{Replaces, Status};

/// An answer on its way to Node for the first time.
#[napi(object, object_from_js = false)]
pub struct JsAnswer {
    /// The status.
    pub status: u16,
    /// What it replaces of the status line that is there: `code`, `line`, or nothing.
    #[napi(ts_type = "'code' | 'line'")]
    pub replaces: Option<&'static str>,
    /// Header names and values in turn.
    pub headers: Vec<String>,
    /// The body, absent when empty.
    pub body: Option<Buffer>,
}

impl From<Answer> for JsAnswer {
    /// Made for one request: the memory of its body goes to Node as it is, unless it is shared.
    fn from(answer: Answer) -> Self {
        let body = (!answer.body.is_empty()).then(|| Vec::from(answer.body).into());
        JsAnswer::new(answer.status, &answer.headers, body)
    }
}

impl JsAnswer {
    /// An answer with this body.
    pub(super) fn new(status: Status, headers: &HeaderList, body: Option<Buffer>) -> Self {
        JsAnswer {
            status: status.code,
            replaces: replaces(status),
            headers: flat(headers),
            body,
        }
    }
}

/// The longest body that goes out as part of a text. A longer one would be copied; as a buffer it is handed over.
const MAX_TEXT: usize = 4096;

/// `status \0 replaces \0 name \0 value … \0 body`, if it is short and plain. Node writes a head that goes with a text as UTF-8, and heads are
/// Latin-1: ASCII is the same in both.
pub(super) fn as_text(answer: &Answer) -> Option<String> {
    if answer.body.len() > MAX_TEXT {
        return None;
    }
    let body = std::str::from_utf8(&answer.body)
        .ok()
        .filter(|body| !body.contains('\0'))?;
    let mut text = answer.status.code.to_string();
    text.extend(["\0", replaces(answer.status).unwrap_or_default()]);
    for (name, value) in answer.headers.iter() {
        text.extend(["\0", name, "\0", value]);
    }
    text.extend(["\0", body]);
    text.is_ascii().then_some(text)
}

/// What a status replaces of the status line that the user's server has chosen: `code`, `line`, or nothing.
pub fn replaces(status: Status) -> Option<&'static str> {
    match status.replaces {
        Replaces::Nothing => None,
        Replaces::Code => Some("code"),
        Replaces::Line => Some("line"),
    }
}

/// Names and values in turn, the form that `writeHead` takes.
pub fn flat(headers: &HeaderList) -> Vec<String> {
    headers
        .iter()
        .flat_map(|(name, value)| [name.to_owned(), value.to_owned()])
        .collect()
}
