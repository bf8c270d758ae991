//! Reading one JSON manifest into a type.
//!
//! In: a path. Out: the value, or a fault that names the file and, through `serde_path_to_error`, the field.

use std::io::ErrorKind;
use std::path::Path;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};

use crate::error::{Code, Error, Result};

/// Reads a manifest that every build has.
pub(super) fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    match text(path)? {
        Some(text) => parse(path, &text),
        None => Err(Error::manifest(path, "the file is missing")),
    }
}

/// Reads a manifest that only some builds have; absent is the empty value.
pub(super) fn json_if_present<T: DeserializeOwned + Default>(path: &Path) -> Result<T> {
    match text(path)? {
        Some(text) => parse(path, &text),
        None => Ok(T::default()),
    }
}

/// Reads a struct that is flattened into another one. Flattening loses the name of the field in which a fault is, so it is
/// put into the message here.
pub(super) fn named<'de, T: Deserialize<'de>, D: Deserializer<'de>>(fields: D) -> std::result::Result<T, D::Error> {
    serde_path_to_error::deserialize(fields).map_err(|error| D::Error::custom(located(&error)))
}

/// A fault with the field it is in, when it is in one.
fn located<E: std::fmt::Display>(error: &serde_path_to_error::Error<E>) -> String {
    match error.path().to_string().as_str() {
        // What has no place in the value is `?`: text that is no JSON.
        "." | "?" => error.inner().to_string(),
        field => format!("{field}: {}", error.inner()),
    }
}

/// A file that exists but cannot be read.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::Unreadable, format!("{} cannot be read: {error}", path.display()))
}

fn text(path: &Path) -> Result<Option<String>> {
    match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Error::manifest(path, "it is not UTF-8")),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.inner();
        if text.trim().is_empty() {
            Error::manifest(path, "it is empty")
        } else if inner.is_eof() {
            let (line, column) = (inner.line(), inner.column());
            Error::manifest(path, format!("it is cut off in line {line}, column {column}"))
        } else {
            Error::manifest(path, located(&error))
        }
    })?;
    // A value followed by other text is a damaged file as well.
    deserializer.end().map_err(|error| Error::manifest(path, error))?;
    Ok(value)
}
