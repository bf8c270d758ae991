//! Patterns of rules and destinations: path-to-regexp 6.3 as Next.js uses it, and JavaScript regular expressions.

mod js_regex;
mod js_translate;
mod matcher;
mod program;
mod segments;
mod shape;
mod simulation;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod token;

pub use js_regex::{escape_all, JsRegex, TooComplex};
pub use matcher::{MatchOptions, PathMatcher};
pub use shape::stays_in_segment;
pub use template::{Encoding, Template};
pub use token::{Modifier, Name, Token};
