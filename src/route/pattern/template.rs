//! Filling parameters into a destination: `compile` of path-to-regexp 6.3 without validation, and what Next.js wraps
//! around it.
//!
//! In: a template such as `/blog/:slug*` and parameters. Out: text, or the reason why it cannot be filled. Source:
//! `next/dist/shared/lib/router/utils/route-match-utils.js`, `next/dist/lib/route-pattern-normalizer.js`.

use std::sync::LazyLock;

use regex::Regex;

use super::source::regex_source;
use super::token::{parse, Name, Param, Token};
use crate::route::params::Params;
use crate::url::{encode_uri_component, QueryValue};

/// What Next.js puts between two parameters that touch.
const SEPARATOR: &str = "_NEXTSEP_";

/// A compiled template.
#[derive(Debug, Clone)]
pub struct Template {
    tokens: Vec<Token>,
    strip: bool,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    None,
    /// By `encodeURIComponent`.
    Component,
}

impl Template {
    /// Compiles `template`. `strip` takes separators between touching parameters out of the result again.
    pub fn compile(template: &str, strip: bool) -> Result<Template, String> {
        let (tokens, separated) = parse_separated(template)?;
        Ok(Template {
            tokens,
            strip: strip && separated,
        })
    }

    /// The names that the template uses. Fails where turning it into an expression would.
    pub fn keys(template: &str) -> Result<Vec<Name>, String> {
        let (tokens, _) = parse_separated(template)?;
        regex_source(&tokens, false)?;
        Ok(tokens
            .into_iter()
            .filter_map(|token| match token {
                Token::Param(param) if !param.pattern.is_empty() => Some(param.name),
                _ => None,
            })
            .collect())
    }

    /// Fills in `params`.
    pub fn fill(&self, params: &Params, encoding: Encoding) -> Result<String, String> {
        let mut out = String::new();
        for token in &self.tokens {
            match token {
                Token::Text(text) => out.push_str(text),
                Token::Param(param) => fill_param(&mut out, param, params, encoding)?,
            }
        }
        if self.strip {
            out = out.replace(&format!("){SEPARATOR}"), ")");
        }
        Ok(out)
    }
}

fn fill_param(out: &mut String, param: &Param, params: &Params, encoding: Encoding) -> Result<(), String> {
    let name = match &param.name {
        Name::Named(name) => name.clone(),
        Name::Index(index) => index.to_string(),
    };
    let mut push = |value: &str| {
        out.push_str(&param.prefix);
        match encoding {
            Encoding::None => out.push_str(value),
            Encoding::Component => out.push_str(&encode_uri_component(value)),
        }
        out.push_str(&param.suffix);
    };
    match params.get(&name) {
        Some(QueryValue::Many(values)) => {
            if !param.modifier.is_repeated() {
                // Upstream replaces the message of path-to-regexp by this one.
                return Err(
                    "To use a multi-match in the destination you must add `*` at the end of the param name to signify \
                     it should repeat. https://nextjs.org/docs/messages/invalid-multi-match"
                        .to_owned(),
                );
            }
            if values.is_empty() && !param.modifier.is_optional() {
                return Err(format!("Expected \"{name}\" to not be empty"));
            }
            for value in values {
                push(value);
            }
        }
        Some(QueryValue::One(value)) => push(value),
        None if param.modifier.is_optional() => {}
        None => {
            let kind = if param.modifier.is_repeated() {
                "an array"
            } else {
                "a string"
            };
            return Err(format!("Expected \"{name}\" to be {kind}"));
        }
    }
    Ok(())
}

/// Parses a template; when two parameters touch, with separators between them. Says whether it put some in.
fn parse_separated(template: &str) -> Result<(Vec<Token>, bool), String> {
    if has_touching_params(template) {
        return parse(&separate(template), DELIMITER).map(|tokens| (tokens, true));
    }
    parse(template, DELIMITER)
        .map(|tokens| (tokens, false))
        .or_else(|error| {
            parse(&separate(template), DELIMITER)
                .map(|tokens| (tokens, true))
                .map_err(|_| error)
        })
}

/// The default of path-to-regexp, which destinations are parsed with.
const DELIMITER: &str = "/#?";

#[allow(clippy::unwrap_used)] // The expressions are constants and a test compiles them.
fn has_touching_params(template: &str) -> bool {
    static MARKER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"/\(\.{1,3}\):[^/\s]+").unwrap());
    static TOUCHING: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r":[a-zA-Z_][a-zA-Z0-9_]*:[a-zA-Z_][a-zA-Z0-9_]*").unwrap());
    template.contains(':') && (MARKER.is_match(template) || TOUCHING.is_match(template))
}

#[allow(clippy::unwrap_used)] // As above.
fn separate(template: &str) -> String {
    static AFTER_GROUP: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\([^)]*\)):([^/\s]+)").unwrap());
    static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r":[^:/\s)]+").unwrap());
    let template = AFTER_GROUP.replace_all(template, format!("${{1}}{SEPARATOR}:${{2}}"));
    let mut out = String::with_capacity(template.len());
    let mut copied = 0;
    for found in NAME.find_iter(&template) {
        if template.get(found.end()..).is_some_and(|rest| rest.starts_with(':')) {
            out.push_str(template.get(copied..found.end()).unwrap_or_default());
            out.push_str(SEPARATOR);
            copied = found.end();
        }
    }
    out.push_str(template.get(copied..).unwrap_or_default());
    out
}
