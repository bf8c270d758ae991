//! `Accept-Language`: which of the app's locales a visitor wants most.
//!
//! In: the header and the locales. Out: one locale. Source: `next/dist/server/accept-header.js`.

use std::collections::HashSet;

use indexmap::IndexMap;

struct Choice {
    token: String,
    rank: Option<usize>,
    quality: f64,
}

/// A locale of the app and its place in the order of preference.
struct Known<'a> {
    locale: &'a str,
    rank: usize,
}

/// The locale of `locales` that `header` prefers; `None` when it names none of them or is malformed.
pub fn preferred_locale(header: &str, locales: &[String]) -> Option<String> {
    let known = with_prefixes(locales);
    let mut choices = parse(header, &known)?;
    // A stable sort keeps the order of the header where nothing else decides.
    choices.sort_by(|a, b| {
        b.quality.total_cmp(&a.quality).then_with(|| {
            let last = usize::MAX;
            a.rank.unwrap_or(last).cmp(&b.rank.unwrap_or(last))
        })
    });
    // A star stands for the first locale that the header does not name, however many stars there are.
    let star = choices.iter().any(|choice| choice.token == "*").then(|| {
        let named: HashSet<String> = every_token(header).collect();
        known
            .iter()
            .find(|(key, _)| !named.contains(*key))
            .map(|(_, known)| known)
    });
    choices.iter().find_map(|choice| {
        let found = match star {
            Some(star) if choice.token == "*" => star,
            _ => known.get(&choice.token),
        };
        found.map(|known| known.locale.to_owned())
    })
}

/// Lower-case locales in order, each followed by the shorter forms that stand for it: `de-CH` also answers `de`.
fn with_prefixes(locales: &[String]) -> IndexMap<String, Known<'_>> {
    let mut known: IndexMap<String, Known<'_>> = IndexMap::new();
    let mut rank = 0;
    for locale in locales {
        let lower = locale.to_lowercase();
        // A locale that is a shorter form of an earlier one takes that place for itself, with a later rank.
        known.insert(lower.clone(), Known { locale, rank });
        rank += 1;
        let mut shorter = lower.as_str();
        while let Some((prefix, _)) = shorter.rsplit_once('-') {
            if !known.contains_key(prefix) {
                known.insert(prefix.to_owned(), Known { locale, rank });
                rank += 1;
            }
            shorter = prefix;
        }
    }
    known
}

fn parts(header: &str) -> impl Iterator<Item = String> + '_ {
    header
        .split(',')
        .map(|part| part.replace([' ', '\t'], ""))
        .filter(|part| !part.is_empty())
}

fn every_token(header: &str) -> impl Iterator<Item = String> + '_ {
    parts(header).map(|part| part.split(';').next().unwrap_or_default().to_lowercase())
}

fn parse(header: &str, known: &IndexMap<String, Known<'_>>) -> Option<Vec<Choice>> {
    let mut choices = Vec::new();
    for part in parts(header) {
        let mut params = part.split(';');
        let token = params.next().unwrap_or_default().to_lowercase();
        let quality = params.next();
        if token.is_empty() || params.next().is_some() {
            return None;
        }
        let mut choice = Choice {
            rank: known.get(&token).map(|known| known.rank),
            token,
            quality: 1.0,
        };
        if let Some(quality) = quality {
            let mut pair = quality.split('=');
            let (key, value) = (pair.next().unwrap_or_default(), pair.next().unwrap_or_default());
            if value.is_empty() || !key.eq_ignore_ascii_case("q") {
                return None;
            }
            let score = leading_number(value);
            if score == Some(0.0) {
                continue;
            }
            if let Some(score) = score.filter(|score| (0.001..=1.0).contains(score)) {
                choice.quality = score;
            }
        }
        choices.push(choice);
    }
    Some(choices)
}

/// JavaScript's `parseFloat`: the longest number at the start.
fn leading_number(text: &str) -> Option<f64> {
    let end = text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take(32)
        .filter(|&end| text.get(..end).is_some_and(|head| head.parse::<f64>().is_ok()))
        .last()?;
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_best_known_locale_wins() {
        let locales = ["en", "fr", "nl-NL", "nl-BE"].map(str::to_owned);
        for (header, expected) in [
            ("fr", Some("fr")),
            ("de, fr;q=0.5, en;q=0.9", Some("en")),
            ("NL", Some("nl-NL")),
            ("nl-be", Some("nl-BE")),
            ("en;q=0, *", Some("fr")),
            ("*", Some("en")),
            ("de", None),
            ("", None),
            ("fr, *;q=0.5, nl;q=0.5, *;q=0.4", Some("fr")),
            ("fr;q=1;x=2", None),
            (";q=1", None),
            ("fr;x=1", None),
            ("fr;q=2, en;q=0.9", Some("fr")),
            ("fr;q=0.5x, en;q=0.4", Some("fr")),
            ("fr, en", Some("en")),
        ] {
            assert_eq!(preferred_locale(header, &locales).as_deref(), expected, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_harmless(header in "\\PC{0,40}") {
            let _ = preferred_locale(&header, &["en".to_owned(), "fr-BE".to_owned()]);
        }
    }
}
