//! Errors on their way to JavaScript.
//!
//! In: an [`Error`] of the crate, or a panic. Out: a JavaScript error whose `code` is the stable one.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::error::{Code, Error};

/// The error for JavaScript; napi puts the status text into `error.code`.
pub fn to_js(error: Error) -> napi::Error<String> {
    napi::Error::new(error.code().as_str().to_owned(), error.message().to_owned())
}

/// Runs `work` and turns a panic into an error, so that a fault of ours is one failed request and not the end of the
/// user's process. Whatever `work` was changing is not looked at again: each request owns its state, and shared state is
/// behind locks that survive poisoning.
pub fn guarded<T>(work: impl FnOnce() -> T) -> napi::Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| to_js(of_panic(panic.as_ref())))
}

/// Runs work that blocks away from Node's threads, and turns a panic into an error.
pub async fn guarded_async<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> napi::Result<T> {
    match napi::tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(failed) => {
            let error = match failed.try_into_panic() {
                Ok(panic) => of_panic(panic.as_ref()),
                Err(_) => Error::new(Code::Internal, "The process is ending."),
            };
            Err(napi::Error::from_reason(error.message()))
        }
    }
}

/// What a panic said.
pub fn of_panic(panic: &(dyn Any + Send)) -> Error {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    Error::new(
        Code::Internal,
        format!("ferronext failed while answering a request: {said}. Please report this with the request."),
    )
}
