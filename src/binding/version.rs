//! What follows from a version of `next`, before a build has been read.
//!
//! In: a version. Out: whether it can be served, what is known against it, and what it does.

use napi_derive::napi;

use super::fault::to_js;
use crate::build::{advisory, Capabilities};

/// What follows from a version of `next` before a build has been read.
#[napi(object, object_from_js = false)]
pub struct VersionTraits {
    /// Whether a server that a signal ends has the exit code of that signal.
    pub exits_with_signal: bool,
    /// What is known to be dangerous about it, and the version that has it no more.
    pub advisory: Option<String>,
}

/// Fails with `FERRONEXT_UNSUPPORTED_NEXT` for a version of `next` that ferronext does not know.
#[napi(js_name = "checkVersion")]
pub fn check_version(version: String) -> napi::Result<VersionTraits, String> {
    let capabilities = Capabilities::detect(&version).map_err(to_js)?;
    Ok(VersionTraits {
        exits_with_signal: capabilities.exits_with_signal,
        advisory: advisory(capabilities.version),
    })
}

/// What a version of `next` does, under the names that `traits()` has.
#[napi(js_name = "capabilitiesOf", ts_return_type = "Record<string, boolean>")]
pub fn capabilities_of(version: String) -> napi::Result<serde_json::Value, String> {
    let capabilities = Capabilities::detect(&version).map_err(to_js)?;
    Ok(serde_json::to_value(capabilities).unwrap_or_default())
}
