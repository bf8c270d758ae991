//! `next(options)`, the function the addon exports.
//!
//! In: the user's options. Out: the app with `prepare()`, `getRequestHandler()` and the rest of upstream's methods. Options
//! are validated, `next.config` is evaluated and user code is called in JavaScript, so the app object is made by
//! `runtime/server.js`, which `index.js` registers here once per thread.

use std::cell::RefCell;

use napi::bindgen_prelude::{FnArgs, Function, FunctionRef, Unknown};
use napi::Env;
use napi_derive::napi;

type Factory = FunctionRef<FnArgs<(Unknown<'static>,)>, Unknown<'static>>;

thread_local! {
    /// Every thread of the process has a JavaScript world of its own, and so a factory of its own.
    static FACTORY: RefCell<Option<Factory>> = const { RefCell::new(None) };
}

/// Registers the function that makes apps. Called by `index.js`.
#[napi(js_name = "setRuntime")]
pub fn set_runtime(factory: Function<'static, FnArgs<(Unknown<'static>,)>, Unknown<'static>>) -> napi::Result<()> {
    let reference = factory.create_ref()?;
    FACTORY.with(|slot| *slot.borrow_mut() = Some(reference));
    Ok(())
}

/// Creates the app of a custom server. What the factory throws is thrown on as it is.
#[napi]
pub fn next(env: Env, options: Unknown<'static>) -> napi::Result<Unknown<'static>> {
    FACTORY.with(|slot| {
        let slot = slot.borrow();
        let factory = slot.as_ref().ok_or_else(|| {
            napi::Error::from_reason(
                "FERRONEXT_INTERNAL: the addon was loaded without its runtime. Load the package `ferronext`, not the .node file.",
            )
        })?;
        factory.borrow_back(&env)?.call(FnArgs::from((options,)))
    })
}
