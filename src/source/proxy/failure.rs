//! What goes wrong with another server.
//!
//! In: a fault of the network, of TLS or of the other server's HTTP. Out: one line for the log, which the client is not told.

use std::fmt;

/// Why there is no answer, or no more of it. One line, with the name that Node has for the fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure that `message` describes.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
