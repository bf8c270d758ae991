//! The one error type of the crate: a fault, and whose it is.
//!
//! In: what went wrong while reading a build, a configuration or a file. Out: one clear sentence for the user with a
//! stable code. An expected outcome (not modified, no match, stale) is never an `Error`; it is a variant of an `Ok` type.

use std::fmt;
use std::path::Path;

/// What kind of fault it is. Each kind has a stable code that users can search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// The build folder holds no `BUILD_ID`: `next build` did not run, or `dir` is wrong.
    NoBuild,
    /// The project folder does not exist or is not a folder.
    WrongDir,
    /// The installed version of `next` is outside the supported range.
    UnsupportedNext,
    /// A manifest of the build is missing, truncated or has an unexpected shape.
    CorruptManifest,
    /// A file or folder exists but cannot be read.
    Unreadable,
    /// An option or a value of the configuration is not valid.
    BadConfig,
    /// A fault of ferronext itself, for instance a panic that was caught.
    Internal,
}

impl Code {
    /// The stable code, for instance `FERRONEXT_NO_BUILD`.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::NoBuild => "FERRONEXT_NO_BUILD",
            Code::WrongDir => "FERRONEXT_WRONG_DIR",
            Code::UnsupportedNext => "FERRONEXT_UNSUPPORTED_NEXT",
            Code::CorruptManifest => "FERRONEXT_CORRUPT_MANIFEST",
            Code::Unreadable => "FERRONEXT_UNREADABLE",
            Code::BadConfig => "FERRONEXT_BAD_CONFIG",
            Code::Internal => "FERRONEXT_INTERNAL",
        }
    }
}

/// A fault with its code and a message that names the file or option and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
}

impl Error {
    /// A fault of kind `code`. `message` is one sentence that names the file or option and what to do.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error {
            code,
            message: message.into(),
        }
    }

    /// A manifest that could not be understood: names the file and the field.
    pub fn manifest(file: &Path, what: impl fmt::Display) -> Self {
        Error::new(
            Code::CorruptManifest,
            format!(
                "{} is not a valid manifest: {what}. Run `next build` again.",
                file.display()
            ),
        )
    }

    /// What kind of fault it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence for the user, without the code.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
