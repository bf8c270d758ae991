//! Matching the source of a rule against a path.
//!
//! In: a source such as `/blog/:slug*`, and a path. Out: the parameters, or no match. Source: `buildCustomRoute` in
//! `filesystem.js`, `path-match.js`, `redirect-status.js` and `regexpToFunction` of path-to-regexp.

use super::js_regex::{JsRegex, TooComplex};
use super::segments::{Found, Segments};
use super::source::regex_source;
use super::token::{parse, Name, Param, Token};
use crate::route::params::Params;
use crate::url::QueryValue;

/// How a source is matched.
#[derive(Debug, Clone, Default)]
pub struct MatchOptions {
    /// Letters match only in the case in which they are written.
    pub sensitive: bool,
    /// One more slash at the end is allowed. Off for the rules that Next.js itself makes.
    pub optional_slash: bool,
    /// A path that begins like this never matches.
    pub restricted: Option<String>,
}

/// A compiled source.
#[derive(Debug, Clone)]
pub struct PathMatcher {
    engine: Engine,
    keys: Vec<Param>,
    tokens: Vec<Token>,
    options: MatchOptions,
}

#[derive(Debug, Clone)]
enum Engine {
    Segments(Segments),
    Regex(Box<JsRegex>),
}

impl PathMatcher {
    /// Compiles `source`.
    pub fn compile(source: &str, options: MatchOptions) -> Result<PathMatcher, String> {
        let tokens = parse(source, "/")?;
        let engine = match Segments::compile(&tokens, options.sensitive, options.optional_slash) {
            Some(segments) => Engine::Segments(segments),
            None => {
                let regex = regex_source(&tokens, options.optional_slash)?;
                Engine::Regex(Box::new(JsRegex::compile(&regex, !options.sensitive)?))
            }
        };
        let keys = tokens
            .iter()
            .filter_map(|token| match token {
                Token::Param(param) if !param.pattern.is_empty() => Some(param.clone()),
                _ => None,
            })
            .collect();
        Ok(PathMatcher {
            engine,
            keys,
            tokens,
            options,
        })
    }

    /// The parameters of `path`. Values stay percent-encoded; unnamed parameters are left out.
    pub fn matches(&self, path: &str) -> Result<Option<Params>, TooComplex> {
        let Some(found) = self.find(path)? else {
            return Ok(None);
        };
        if self.is_restricted(path) {
            return Ok(None);
        }
        let mut params = Params::default();
        for (key, value) in self.keys.iter().zip(found) {
            let (Some(value), Name::Named(name)) = (value, &key.name) else {
                continue;
            };
            let value = if key.modifier.is_repeated() {
                let separator = format!("{}{}", key.prefix, key.suffix);
                QueryValue::Many(value.split(separator.as_str()).map(str::to_owned).collect())
            } else {
                QueryValue::One(value.to_owned())
            };
            params.set(name, Some(value));
        }
        Ok(Some(params))
    }

    fn find<'p>(&self, path: &'p str) -> Result<Option<Found<'p>>, TooComplex> {
        match &self.engine {
            Engine::Segments(segments) => Ok(segments.matches(path)),
            Engine::Regex(regex) => {
                let groups = regex.captures(path)?;
                Ok(groups.map(|groups| (1..=self.keys.len()).map(|group| groups.get(group)).collect()))
            }
        }
    }

    /// The names of the parameters that a match can have.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| match &key.name {
            Name::Named(name) => Some(name.as_str()),
            Name::Index(_) => None,
        })
    }

    /// The source, taken apart.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    fn is_restricted(&self, path: &str) -> bool {
        let Some(prefix) = &self.options.restricted else {
            return false;
        };
        path.get(..prefix.len()).is_some_and(|head| {
            if self.options.sensitive {
                head == prefix
            } else {
                head.eq_ignore_ascii_case(prefix)
            }
        })
    }
}
