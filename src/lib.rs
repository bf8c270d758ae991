//! ferronext: Next.js's custom-server API in Rust.

#![warn(missing_docs)]

pub mod body;
pub mod build;
pub mod config;
pub mod engine;
pub mod error;
pub mod pipeline;
pub mod request;
pub mod response;
pub mod route;
pub mod source;
pub mod url;

#[cfg(feature = "binding")]
mod binding;
