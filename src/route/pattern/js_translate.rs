//! Rewriting the source of a JavaScript regular expression for the Rust engines.
//!
//! In: source without flags, except that it may be used case-insensitively. Out: a pattern with the same meaning, with all
//! groups by number. Where the two languages read the same text differently, this file spells it out: `\d` and `\w` are
//! ASCII, `.` stops at four line ends, a class may be empty, and `[`, `&&`, `--`, `~~` mean nothing inside one.

/// A rewritten expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Translated {
    /// The pattern for `regex`, but for what that cannot do.
    pub pattern: String,
    /// The name of each group, from group one on.
    pub names: Vec<Option<String>>,
    /// Whether it looks around.
    pub has_lookaround: bool,
    /// Whether it refers back to a group.
    pub has_references: bool,
}

impl Translated {
    /// The pattern for `fancy-regex`, which knows no ASCII word boundaries.
    pub fn spelled_out(&self) -> String {
        let mut pattern = self.pattern.clone();
        // Nothing else is ever written like these.
        for (written, after, before) in [(BOUNDARY, '!', '='), (NO_BOUNDARY, '=', '!')] {
            let spelled = format!("(?:(?<=[{WORD}])(?{after}[{WORD}])|(?<![{WORD}])(?{before}[{WORD}]))");
            pattern = pattern.replace(written, &spelled);
        }
        pattern
    }
}

const DIGIT: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const SPACE: &str =
    "\\t\\n\\x0B\\x0C\\r \\u{a0}\\u{1680}\\u{2000}-\\u{200a}\\u{2028}\\u{2029}\\u{202f}\\u{205f}\\u{3000}\\u{feff}";
const BOUNDARY: &str = "(?-u:\\b)";
const NO_BOUNDARY: &str = "(?-u:\\B)";
const ANY: &str = "[^\\n\\r\\u{2028}\\u{2029}]";

struct Translator<'s> {
    chars: std::iter::Peekable<std::str::Chars<'s>>,
    out: String,
    names: Vec<Option<String>>,
    /// Names of all groups of the source, for references to groups that come later.
    all_names: Vec<Option<String>>,
    has_lookaround: bool,
    has_references: bool,
    /// The character that was written last, for ranges.
    last_literal: Option<char>,
}

/// Rewrites `source`.
pub(super) fn translate(source: &str) -> Result<Translated, String> {
    let mut translator = Translator {
        chars: source.chars().peekable(),
        out: String::with_capacity(source.len() + 16),
        names: Vec::new(),
        all_names: group_names(source),
        has_lookaround: false,
        has_references: false,
        last_literal: None,
    };
    translator.run()?;
    Ok(Translated {
        pattern: translator.out,
        names: translator.names,
        has_lookaround: translator.has_lookaround,
        has_references: translator.has_references,
    })
}

/// The names of the capturing groups, in order.
fn group_names(source: &str) -> Vec<Option<String>> {
    let mut names = Vec::new();
    let mut chars = source.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let rest: String = chars.clone().take(3).collect();
                if let Some(after) = rest.strip_prefix("?<") {
                    if !after.starts_with(['=', '!']) {
                        names.push(Some(chars.clone().skip(2).take_while(|&c| c != '>').collect()));
                    }
                } else if !rest.starts_with('?') {
                    names.push(None);
                }
            }
            _ => {}
        }
    }
    names
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(c) = self.chars.next() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '.' => self.out.push_str(ANY),
                '^' => self.out.push_str("\\A"),
                '$' => self.out.push_str("\\z"),
                '{' => self.brace(),
                // Outside of a class these stand for themselves in JavaScript.
                ']' | '}' | '#' | '&' | '~' | '-' => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                other => self.out.push(other),
            }
        }
        Ok(())
    }

    /// A brace is a quantifier only when it reads like one.
    fn brace(&mut self) {
        let body: String = self.chars.clone().take_while(|&c| c != '}').collect();
        let closed = self.chars.clone().nth(body.chars().count()) == Some('}');
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let quantifier = closed
            && match body.split_once(',') {
                Some((low, high)) => number(low) && (high.is_empty() || number(high)),
                None => number(&body),
            };
        if quantifier {
            self.out.push('{');
            self.out.push_str(&body);
            self.out.push('}');
            for _ in 0..=body.chars().count() {
                self.chars.next();
            }
        } else {
            self.out.push_str("\\{");
        }
    }

    fn group(&mut self) -> Result<(), String> {
        if self.chars.peek() != Some(&'?') {
            self.names.push(None);
            self.out.push('(');
            return Ok(());
        }
        self.chars.next();
        match self.chars.next() {
            Some(':') => self.out.push_str("(?:"),
            Some(kind @ ('=' | '!')) => {
                self.has_lookaround = true;
                self.out.push_str("(?");
                self.out.push(kind);
            }
            Some('<') => match self.chars.peek() {
                Some(&kind @ ('=' | '!')) => {
                    self.chars.next();
                    self.has_lookaround = true;
                    self.out.push_str("(?<");
                    self.out.push(kind);
                }
                _ => {
                    let mut name = String::new();
                    loop {
                        match self.chars.next() {
                            Some('>') => break,
                            Some(c) => name.push(c),
                            None => return Err("Invalid capture group name".to_owned()),
                        }
                    }
                    if name.is_empty() || self.names.iter().flatten().any(|other| *other == name) {
                        return Err(format!("Invalid or repeated capture group name \"{name}\""));
                    }
                    self.names.push(Some(name));
                    self.out.push('(');
                }
            },
            _ => return Err("Invalid group".to_owned()),
        }
        Ok(())
    }

    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(c) = self.chars.next() else {
            return Err("\\ at end of pattern".to_owned());
        };
        match c {
            'd' => self.set(DIGIT, false, in_class),
            'D' => self.set(DIGIT, true, in_class),
            'w' => self.set(WORD, false, in_class),
            'W' => self.set(WORD, true, in_class),
            's' => self.set(SPACE, false, in_class),
            'S' => self.set(SPACE, true, in_class),
            'b' if in_class => self.literal('\x08'),
            // Word characters are ASCII in JavaScript.
            'b' => self.out.push_str(BOUNDARY),
            'B' => self.out.push_str(NO_BOUNDARY),
            't' => self.literal('\t'),
            'n' => self.literal('\n'),
            'r' => self.literal('\r'),
            'v' => self.literal('\x0B'),
            'f' => self.literal('\x0C'),
            '0' => self.literal('\0'),
            'x' => self.code(2, 'x'),
            'u' => self.code(4, 'u'),
            'c' => match self.chars.peek().copied().filter(char::is_ascii_alphabetic) {
                Some(letter) => {
                    self.chars.next();
                    self.literal(char::from(letter.to_ascii_uppercase() as u8 % 32));
                }
                None => self.out.push_str("\\\\c"),
            },
            'k' if !in_class && self.all_names.iter().any(Option::is_some) => {
                if self.chars.next() != Some('<') {
                    return Err("Invalid named reference".to_owned());
                }
                let name: String = self.chars.by_ref().take_while(|&c| c != '>').collect();
                let group = self.all_names.iter().position(|other| other.as_deref() == Some(&name));
                let group = group.ok_or_else(|| format!("Invalid named capture \"{name}\" referenced"))?;
                self.reference(group + 1);
            }
            '1'..='9' if !in_class => {
                let mut number = c.to_digit(10).unwrap_or_default() as usize;
                while let Some(digit) = self.chars.peek().and_then(|c| c.to_digit(10)) {
                    let longer = number * 10 + digit as usize;
                    if longer > self.all_names.len() {
                        break;
                    }
                    number = longer;
                    self.chars.next();
                }
                if number > self.all_names.len() {
                    return Err(format!("\\{number} refers to no group"));
                }
                self.reference(number);
            }
            other => self.literal(other),
        }
        Ok(())
    }

    fn reference(&mut self, group: usize) {
        self.has_references = true;
        self.out.push_str(&format!("(?:\\{group})"));
    }

    fn set(&mut self, set: &str, negated: bool, in_class: bool) {
        if in_class && !negated {
            self.out.push_str(set);
        } else {
            self.out.push_str(if negated { "[^" } else { "[" });
            self.out.push_str(set);
            self.out.push(']');
        }
    }

    /// `\xHH` or `\uHHHH`; without enough digits the letter stands for itself.
    fn code(&mut self, digits: usize, letter: char) {
        let text: String = self.chars.clone().take(digits).collect();
        let value = u32::from_str_radix(&text, 16).ok().filter(|_| text.len() == digits);
        match value.and_then(char::from_u32) {
            Some(c) => {
                for _ in 0..digits {
                    self.chars.next();
                }
                self.literal(c);
            }
            None => self.literal(letter),
        }
    }

    fn literal(&mut self, c: char) {
        self.last_literal = Some(c);
        if c.is_ascii_punctuation() {
            // Rust refuses to escape these three, and they mean nothing by themselves.
            if !matches!(c, '<' | '>' | '/') {
                self.out.push('\\');
            }
            self.out.push(c);
        } else if c.is_ascii_control() {
            self.out.push_str(&format!("\\x{:02X}", c as u32));
        } else {
            self.out.push(c);
        }
    }

    fn class(&mut self) -> Result<(), String> {
        let negated = self.chars.next_if_eq(&'^').is_some();
        if self.chars.next_if_eq(&']').is_some() {
            // Nothing at all, or anything at all.
            self.out
                .push_str(if negated { "(?s:.)" } else { "[^\\x00-\\u{10ffff}]" });
            return Ok(());
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        while self.chars.next_if_eq(&']').is_none() {
            let start = self.out.len();
            let low = self.class_atom()?;
            let mut ahead = self.chars.clone();
            let ranges = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
            if !ranges {
                continue;
            }
            self.chars.next();
            let middle = self.out.len();
            let high = self.class_atom()?;
            match (low, high) {
                (Some(low), Some(high)) if low > high => {
                    return Err("Range out of order in character class".to_owned());
                }
                (Some(_), Some(_)) => self.out.insert(middle, '-'),
                // With a set such as `\w` on either side the hyphen is a hyphen.
                _ => self.out.insert_str(start, "\\-"),
            }
        }
        self.out.push(']');
        Ok(())
    }

    /// Writes one member of a class. Gives the character, unless it is a set of them.
    fn class_atom(&mut self) -> Result<Option<char>, String> {
        match self.chars.next() {
            None => Err("Unterminated character class".to_owned()),
            Some('\\') => {
                let set = self.chars.peek().is_some_and(|c| "dDwWsS".contains(*c));
                self.last_literal = None;
                self.escape(true)?;
                Ok(self.last_literal.filter(|_| !set))
            }
            Some(c) => {
                self.literal(c);
                Ok(Some(c))
            }
        }
    }
}
