//! The status of an answer, and what it does to one that the user's server has chosen before.
//!
//! In: a status, and whether upstream would have set it on the response. Out: a [`Status`]. Most successes set none, so that a page keeps
//! the 404 that a server has set before; the stored form of others names it.

/// The body of a fault for which there is no page.
pub const INTERNAL_SERVER_ERROR: &str = "Internal Server Error";

/// A status code with how much of the status line it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// The code.
    pub code: u16,
    /// What becomes of the status line that is there.
    pub replaces: Replaces,
}

/// How much of a status line is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replaces {
    /// Nothing: a plain success.
    #[default]
    Nothing,
    /// The code. A reason phrase that the user's server has set stays.
    Code,
    /// The code and the reason phrase, by that of the code.
    Line,
}

impl Status {
    /// A status that is set whatever was there.
    pub fn set(code: u16) -> Self {
        Status {
            code,
            replaces: Replaces::Code,
        }
    }

    /// A status that is set together with its reason phrase.
    pub fn set_line(code: u16) -> Self {
        Status {
            code,
            replaces: Replaces::Line,
        }
    }
}

impl From<u16> for Status {
    /// A success that says nothing, or anything else, which is set.
    fn from(code: u16) -> Self {
        if code == 200 {
            Status {
                code,
                replaces: Replaces::Nothing,
            }
        } else {
            Status::set(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_success_replaces_nothing() {
        assert_eq!(Status::from(200).replaces, Replaces::Nothing);
        assert_eq!(Status::from(404), Status::set(404));
        assert_eq!(Status::set_line(200).replaces, Replaces::Line);
    }
}
