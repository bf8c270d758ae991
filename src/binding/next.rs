//! `next(options)`, the function the addon exports.
//!
//! In: the user's options. Out: the app with `prepare()`, `getRequestHandler()` and the rest of upstream's methods. Options
//! are validated, `next.config` is evaluated and user code is called in JavaScript, so the app object is made by
//! `runtime/app/server.js`, which `index.js` passes along. Nothing of it is kept: a test runner loads the package again for every
//! test file, and each world has to go when its file is through.

use napi::bindgen_prelude::{FnArgs, Function, Unknown};
use napi_derive::napi;

type Factory = Function<'static, FnArgs<(Unknown<'static>,)>, Unknown<'static>>;

/// Creates the app of a custom server. What the factory throws is thrown on as it is.
#[napi]
pub fn next(
    options: Unknown<'static>,
    #[napi(ts_arg_type = "(options: unknown) => unknown")] factory: Option<Factory>,
) -> napi::Result<Unknown<'static>> {
    let factory = factory.ok_or_else(|| {
        napi::Error::from_reason(
            "FERRONEXT_INTERNAL: the addon was loaded without its runtime. Load the package `ferronext`, not the .node file.",
        )
    })?;
    factory.call(FnArgs::from((options,)))
}
