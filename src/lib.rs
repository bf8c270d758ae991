//! ferronext: Next.js's custom-server API in Rust.

#![warn(missing_docs)]

pub mod config;
pub mod error;
pub mod request;
