//! The second stage: a request target becomes a [`Location`].
//!
//! In: the target as sent. Out: path, query and the forms hidden in them (basePath, locale, `_next/data`, RSC). This is
//! the one canonical form that the rules, middleware, the cache key and the file lookup share. The stage imports no other.

mod accept_language;
mod base_path;
mod data;
mod encode;
mod format;
#[cfg(test)]
mod hostile;
mod legacy;
mod locale;
mod location;
mod page;
mod query;
mod slashes;

pub use accept_language::preferred_locale;
pub use base_path::{add_path_prefix, join_paths, path_has_prefix, remove_path_prefix, without_trailing_slash};
pub use data::{any_data_page, denormalize_page_path, page_from_asset_path, strip_data_path};
pub use encode::{decode_uri_component, encode_uri_component, encode_uri_path};
pub use format::{format_location, relative_to, UrlParts};
pub use locale::{host_name, split_locale, Locales};
pub use location::{parse_collapsed, parse_target, Dialect, Location};
pub use page::{app_route, interception_marker, is_dynamic_page, is_interception_page};
pub use query::{Query, QueryValue};
pub use slashes::{collapse_slashes, has_repeated_slashes};
