//! Opening a build.
//!
//! In: where it is and how it was configured. Out: a promise of its [`JsEngine`]; the build is read on a worker thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;

use super::engine::JsEngine;
use super::registry;
use crate::engine::{Engine, ImageTlsOptions, ServeOptions};
use crate::error::Error;
use crate::http::encoding::Preferred;

/// Where the build is and how it was configured.
#[napi(object, object_to_js = false)]
pub struct OpenOptions {
    /// Absolute path of the project.
    pub dir: String,
    /// Absolute path of the build folder.
    pub dist_dir: String,
    /// Version of the user's `next`.
    pub next_version: String,
    /// The evaluated `next.config` as JSON.
    pub config: String,
    /// The host name that the app believes it runs under.
    pub hostname: Option<String>,
    /// The port that the app believes it runs under.
    pub port: Option<u32>,
    /// The rules of `conf` as JSON, in the form in which the build writes them.
    pub rules: Option<String>,
    /// Whether the servers of images may have any certificate.
    pub trusts_anyone: bool,
    /// A file with further certificate authorities.
    pub extra_ca_certs: Option<String>,
    /// The codings that are preferred to gzip.
    pub prefer_encodings: Option<Vec<String>>,
}

/// Reads a build on a worker thread.
pub struct Open(OpenOptions);

impl Task for Open {
    type Output = Result<Arc<Engine>, Error>;
    type JsValue = JsEngine;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let given = &self.0;
        let options = ServeOptions {
            hostname: given.hostname.clone(),
            port: given.port.and_then(|port| u16::try_from(port).ok()),
            rules: given.rules.clone(),
            tls: ImageTlsOptions {
                anyone: given.trusts_anyone,
                extra_ca_certs: given.extra_ca_certs.as_ref().map(PathBuf::from),
            },
            preferred: Preferred::named(given.prefer_encodings.iter().flatten().map(String::as_str)),
        };
        Ok(registry::open(
            Path::new(&given.dir),
            Path::new(&given.dist_dir),
            &given.next_version,
            &given.config,
            &options,
        ))
    }

    fn resolve(&mut self, _env: Env, opened: Self::Output) -> napi::Result<JsEngine> {
        opened.map(JsEngine::new).map_err(|error| {
            // `code` cannot be set on the error of a task; `runtime/app/server.js` takes it from this prefix.
            napi::Error::from_reason(format!("{}: {}", error.code().as_str(), error.message()))
        })
    }
}

/// Opens the build in `distDir`. Rejects with a coded error when it cannot be served.
#[napi(js_name = "openEngine", ts_return_type = "Promise<Engine>")]
pub fn open_engine(options: OpenOptions) -> AsyncTask<Open> {
    AsyncTask::new(Open(options))
}
