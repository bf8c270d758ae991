//! Filling parameters into text that is not a path: header names and values, query values, search strings.
//!
//! In: text such as `id=:id` and parameters. Out: the text with the parameters that it has, all else as written. Source:
//! `compileNonPath` in `next/dist/shared/lib/router/utils/prepare-destination.js`.

use crate::route::params::Params;
use crate::route::pattern::{Encoding, Template};

const MARKED: [(char, &str); 4] = [
    ('*', "--ESCAPED_PARAM_ASTERISKS"),
    ('?', "--ESCAPED_PARAM_QUESTION"),
    ('+', "--ESCAPED_PARAM_PLUS"),
    (':', "--ESCAPED_PARAM_COLON"),
];

/// Fills `params` into `text`. `strip` as in [`Template::compile`].
pub fn interpolate(text: &str, params: &Params, strip: bool) -> Result<String, String> {
    if !text.contains(':') {
        return Ok(text.to_owned());
    }
    let template = escape(text, params.names());
    // Patterns begin with a slash; it goes again at the end.
    let filled = Template::compile(&format!("/{template}"), strip)?.fill(params, Encoding::None)?;
    Ok(filled.chars().skip(1).collect())
}

/// Escapes everything that means something to a template, except parameters of these names.
fn escape<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut text = text.to_owned();
    for name in names {
        let reference = format!(":{name}");
        if !text.contains(&reference) {
            continue;
        }
        for (modifier, mark) in MARKED.iter().take(3) {
            text = text.replace(&format!("{reference}{modifier}"), &format!("{reference}{mark}"));
        }
        text = replace_whole(&text, &reference, &format!("--ESCAPED_PARAM_COLON{name}"));
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if ":*?+(){}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    for (c, mark) in [MARKED[2], MARKED[3], MARKED[1], MARKED[0]] {
        out = out.replace(mark, c.encode_utf8(&mut [0; 4]));
    }
    out
}

/// Replaces `reference` where no word character follows.
fn replace_whole(text: &str, reference: &str, replacement: &str) -> String {
    let mut out = String::with_capacity(text.len() + replacement.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(reference) {
        out.push_str(before);
        let goes_on = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        out.push_str(if goes_on { reference } else { replacement });
        rest = after;
    }
    out.push_str(rest);
    out
}
