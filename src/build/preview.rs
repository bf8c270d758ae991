//! The secret of draft mode and on-demand revalidation: `server/preview-props.json`, or `preview` inside
//! `prerender-manifest.json` in versions without that file.

use serde::Deserialize;

/// The preview secrets that the server itself uses; entries read the others.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The value of the draft cookie, and of `x-prerender-revalidate`.
    pub preview_mode_id: String,
    /// The key that signs the data of preview mode; empty where a build has none.
    #[serde(default)]
    pub preview_mode_signing_key: String,
}

impl std::fmt::Debug for Preview {
    /// Secrets stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Preview(..)")
    }
}
