//! From tokens to a JavaScript regular expression: `tokensToRegexp` of path-to-regexp 6.3, for patterns that have to match
//! a whole path.

use super::token::{escape, Modifier, Param, Token};

/// The expression for `tokens`, without flags. `optional_end` allows one more slash at the end.
pub fn regex_source(tokens: &[Token], optional_end: bool) -> Result<String, String> {
    let mut out = String::from("^");
    for token in tokens {
        match token {
            Token::Text(text) => out.push_str(&escape(text)),
            Token::Param(param) => push_param(&mut out, param)?,
        }
    }
    if optional_end {
        out.push_str("(?:\\/)?");
    }
    out.push('$');
    Ok(out)
}

fn push_param(out: &mut String, param: &Param) -> Result<(), String> {
    let prefix = escape(&param.prefix);
    let suffix = escape(&param.suffix);
    let pattern = &param.pattern;
    let modifier = param.modifier.as_str();
    if pattern.is_empty() {
        out.push_str(&format!("(?:{prefix}{suffix}){modifier}"));
    } else if prefix.is_empty() && suffix.is_empty() {
        if param.modifier.is_repeated() {
            let name = match &param.name {
                super::token::Name::Named(name) => name.clone(),
                super::token::Name::Index(index) => index.to_string(),
            };
            return Err(format!("Can not repeat \"{name}\" without a prefix and suffix"));
        }
        out.push_str(&format!("({pattern}){modifier}"));
    } else if param.modifier.is_repeated() {
        let optional = if param.modifier == Modifier::Any { "?" } else { "" };
        out.push_str(&format!(
            "(?:{prefix}((?:{pattern})(?:{suffix}{prefix}(?:{pattern}))*){suffix}){optional}"
        ));
    } else {
        out.push_str(&format!("(?:{prefix}({pattern}){suffix}){modifier}"));
    }
    Ok(())
}
