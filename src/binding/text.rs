//! A text that is read where it is, into memory that is used again.
//!
//! In: a JavaScript string that an exported function was called with. Out: the same as UTF-8, for as long as the call lasts. The usual
//! `String` measures the text first and allocates for each call, which costs more than what is done with the head of a request.

// Node-API is a C interface: it does not check what it is told about memory.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ptr;

use napi::bindgen_prelude::{sys, FromNapiValue, TypeName, ValidateNapiValue, ValueType};

/// Room for the text of a call. V8 copies without measuring when there is room for three bytes per character, so this serves heads
/// of up to 8 kB; longer ones are measured.
const ROOM: usize = 24 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; ROOM]);
}

/// An argument that is a string.
pub struct Text {
    env: sys::napi_env,
    value: sys::napi_value,
}

impl TypeName for Text {
    fn type_name() -> &'static str {
        "string"
    }

    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl ValidateNapiValue for Text {}

impl FromNapiValue for Text {
    // SAFETY: nothing is read here. napi-rs makes arguments at the beginning of a call and drops them before it returns, and until then
    // Node keeps `env` and `value` valid (Node-API, "Object lifetime management").
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        Ok(Text { env, value })
    }
}

impl Text {
    /// Reads the text. `None` if the value is no string.
    pub fn read<R>(self, with: impl FnOnce(&str) -> R) -> Option<R> {
        BUFFER.with(|buffer| match buffer.try_borrow_mut() {
            Ok(mut buffer) => self.read_into(&mut buffer, with),
            // Only if what is done with a text led to another one.
            Err(_) => self.read_into(&mut vec![0; ROOM], with),
        })
    }

    fn read_into<R>(&self, buffer: &mut [u8], with: impl FnOnce(&str) -> R) -> Option<R> {
        let mut length = self.copy(buffer)?;
        // The last byte is a zero, and a character that has no room is left out: up to three bytes.
        if length + 4 >= buffer.len() {
            let mut long = vec![0; self.measure()? + 1];
            length = self.copy(&mut long)?;
            return Some(with(std::str::from_utf8(long.get(..length)?).ok()?));
        }
        Some(with(std::str::from_utf8(buffer.get(..length)?).ok()?))
    }

    fn copy(&self, into: &mut [u8]) -> Option<usize> {
        let mut length = 0;
        // SAFETY: `into` is valid for its own length, of which Node writes no more than it is told. `env` and `value` are those of the
        // call that is under way: `Text` is made by its arguments alone, does not outlive them, and is not `Send`.
        let status = unsafe {
            sys::napi_get_value_string_utf8(self.env, self.value, into.as_mut_ptr().cast(), into.len(), &mut length)
        };
        (status == sys::Status::napi_ok).then_some(length)
    }

    fn measure(&self) -> Option<usize> {
        let mut length = 0;
        // SAFETY: without a buffer Node only measures. `env` and `value` as above.
        let status = unsafe { sys::napi_get_value_string_utf8(self.env, self.value, ptr::null_mut(), 0, &mut length) };
        (status == sys::Status::napi_ok).then_some(length)
    }
}
