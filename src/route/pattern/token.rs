//! A path pattern, taken apart.
//!
//! In: a pattern such as `/blog/:slug*`. Out: its [`Token`]s. Source: `parse` of path-to-regexp 6.3, which Next.js
//! compiles in; what it refuses is refused here.

use super::js_regex::escape_all;

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Text that stands for itself.
    Text(String),
    /// A parameter, or a `{group}` when `pattern` is empty.
    Param(Param),
}

/// A parameter of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Its name; unnamed ones are numbered.
    pub name: Name,
    /// Text that belongs to each occurrence, before it.
    pub prefix: String,
    /// Text that belongs to each occurrence, after it.
    pub suffix: String,
    /// A JavaScript regular expression for one occurrence.
    pub pattern: String,
    /// How often it may occur.
    pub modifier: Modifier,
}

/// The name of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// `:slug`; empty for a `{group}` without parameter.
    Named(String),
    /// `(…)`, counted from zero.
    Index(usize),
}

/// How often a parameter may occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// Once.
    One,
    /// `?`: once or not at all.
    Optional,
    /// `+`: at least once.
    Some,
    /// `*`: any number of times.
    Any,
}

impl Modifier {
    /// Whether it may be absent.
    pub fn is_optional(self) -> bool {
        matches!(self, Modifier::Optional | Modifier::Any)
    }

    /// Whether it may occur several times.
    pub fn is_repeated(self) -> bool {
        matches!(self, Modifier::Some | Modifier::Any)
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Modifier::One => "",
            Modifier::Optional => "?",
            Modifier::Some => "+",
            Modifier::Any => "*",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Lexeme {
    Modifier(Modifier),
    Escaped(char),
    Open,
    Close,
    Name(String),
    Pattern(String),
    Char(char),
}

fn lex(source: &str) -> Result<Vec<Lexeme>, String> {
    let chars: Vec<char> = source.chars().collect();
    let mut lexemes = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        at += 1;
        lexemes.push(match c {
            '*' => Lexeme::Modifier(Modifier::Any),
            '+' => Lexeme::Modifier(Modifier::Some),
            '?' => Lexeme::Modifier(Modifier::Optional),
            '{' => Lexeme::Open,
            '}' => Lexeme::Close,
            '\\' => match chars.get(at) {
                Some(&escaped) => {
                    at += 1;
                    Lexeme::Escaped(escaped)
                }
                // JavaScript reads past the end here and drops the backslash.
                None => continue,
            },
            ':' => {
                let name: String = chars
                    .iter()
                    .skip(at)
                    .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
                    .collect();
                if name.is_empty() {
                    return Err(format!("Missing parameter name at {}", at - 1));
                }
                at += name.len();
                Lexeme::Name(name)
            }
            '(' => {
                let (pattern, end) = lex_pattern(&chars, at)?;
                at = end;
                Lexeme::Pattern(pattern)
            }
            other => Lexeme::Char(other),
        });
    }
    Ok(lexemes)
}

/// Reads up to the parenthesis that closes the one before `start`. Gives the pattern and where it ends.
fn lex_pattern(chars: &[char], start: usize) -> Result<(String, usize), String> {
    let mut pattern = String::new();
    let mut depth = 1;
    let mut at = start;
    if chars.get(at) == Some(&'?') {
        return Err(format!("Pattern cannot start with \"?\" at {at}"));
    }
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => {
                pattern.push('\\');
                at += 1;
                match chars.get(at) {
                    Some(&escaped) => pattern.push(escaped),
                    None => return Err(format!("Unbalanced pattern at {}", start - 1)),
                }
                at += 1;
                continue;
            }
            ')' => {
                depth -= 1;
                if depth == 0 {
                    if pattern.is_empty() {
                        return Err(format!("Missing pattern at {}", start - 1));
                    }
                    return Ok((pattern, at + 1));
                }
            }
            '(' => {
                depth += 1;
                if chars.get(at + 1) != Some(&'?') {
                    return Err(format!("Capturing groups are not allowed at {at}"));
                }
            }
            _ => {}
        }
        pattern.push(c);
        at += 1;
    }
    Err(format!("Unbalanced pattern at {}", start - 1))
}

struct Parser {
    lexemes: std::iter::Peekable<std::vec::IntoIter<Lexeme>>,
    tokens: Vec<Token>,
    text: String,
    unnamed: usize,
    delimiter: &'static str,
}

/// Parses a pattern. `delimiter` holds the characters that a parameter does not cross.
pub fn parse(source: &str, delimiter: &'static str) -> Result<Vec<Token>, String> {
    let mut parser = Parser {
        lexemes: lex(source)?.into_iter().peekable(),
        tokens: Vec::new(),
        text: String::new(),
        unnamed: 0,
        delimiter,
    };
    parser.run()?;
    Ok(parser.tokens)
}

impl Parser {
    fn run(&mut self) -> Result<(), String> {
        loop {
            let char_before = self.take_char();
            let name = self.take_name();
            let pattern = self.take_pattern();
            if name.is_some() || pattern.is_some() {
                self.parameter(char_before, name, pattern)?;
                continue;
            }
            if let Some(c) = char_before.or_else(|| self.take_escaped()) {
                self.text.push(c);
                continue;
            }
            self.flush();
            match self.lexemes.next() {
                Some(Lexeme::Open) => self.group()?,
                None => return Ok(()),
                Some(other) => return Err(format!("Unexpected {}, expected END", kind(&other))),
            }
        }
    }

    fn parameter(&mut self, before: Option<char>, name: Option<String>, pattern: Option<String>) -> Result<(), String> {
        let mut prefix = before.map(String::from).unwrap_or_default();
        // Only these two belong to a parameter; the test also lets an empty prefix through.
        if !matches!(prefix.as_str(), "" | "." | "/") {
            self.text.push_str(&prefix);
            prefix.clear();
        }
        self.flush();
        let pattern = match pattern {
            Some(pattern) => pattern,
            None => self.safe_pattern(&prefix)?,
        };
        let name = self.name(name);
        let modifier = self.take_modifier();
        self.tokens.push(Token::Param(Param {
            name,
            prefix,
            suffix: String::new(),
            pattern,
            modifier,
        }));
        Ok(())
    }

    fn group(&mut self) -> Result<(), String> {
        let prefix = self.take_text();
        let name = self.take_name();
        let pattern = self.take_pattern();
        let suffix = self.take_text();
        match self.lexemes.next() {
            Some(Lexeme::Close) => {}
            other => {
                let found = other.as_ref().map_or("END", kind);
                return Err(format!("Unexpected {found}, expected CLOSE"));
            }
        }
        let pattern = match (&name, pattern) {
            (_, Some(pattern)) => pattern,
            (Some(_), None) => self.safe_pattern(&prefix)?,
            (None, None) => String::new(),
        };
        let name = if name.is_none() && pattern.is_empty() {
            Name::Named(String::new())
        } else {
            self.name(name)
        };
        let modifier = self.take_modifier();
        self.tokens.push(Token::Param(Param {
            name,
            prefix,
            suffix,
            pattern,
            modifier,
        }));
        Ok(())
    }

    fn name(&mut self, name: Option<String>) -> Name {
        match name {
            Some(name) => Name::Named(name),
            None => {
                self.unnamed += 1;
                Name::Index(self.unnamed - 1)
            }
        }
    }

    /// What a parameter without a pattern matches: it stops at a delimiter and at the text before it.
    fn safe_pattern(&self, prefix: &str) -> Result<String, String> {
        let previous = self.tokens.last();
        let before = match previous {
            _ if !prefix.is_empty() => prefix,
            Some(Token::Text(text)) => text,
            Some(Token::Param(param)) => {
                let name = match &param.name {
                    Name::Named(name) => name.clone(),
                    Name::Index(index) => index.to_string(),
                };
                return Err(format!(
                    "Must have text between two parameters, missing text after \"{name}\""
                ));
            }
            None => "",
        };
        let delimiter = escape(self.delimiter);
        if before.is_empty() || before.contains(|c| self.delimiter.contains(c)) {
            return Ok(format!("[^{delimiter}]+?"));
        }
        let mut chars = before.chars();
        if let (Some(only), None) = (chars.next(), chars.next()) {
            // Refusing one character needs no lookahead; the class says the same.
            let only = if only == '-' { "\\-".to_owned() } else { escape(before) };
            return Ok(format!("[^{delimiter}{only}]+?"));
        }
        Ok(format!("(?:(?!{})[^{delimiter}])+?", escape(before)))
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.tokens.push(Token::Text(std::mem::take(&mut self.text)));
        }
    }

    fn take_char(&mut self) -> Option<char> {
        match self.lexemes.next_if(|lexeme| matches!(lexeme, Lexeme::Char(_))) {
            Some(Lexeme::Char(c)) => Some(c),
            _ => None,
        }
    }

    fn take_escaped(&mut self) -> Option<char> {
        match self.lexemes.next_if(|lexeme| matches!(lexeme, Lexeme::Escaped(_))) {
            Some(Lexeme::Escaped(c)) => Some(c),
            _ => None,
        }
    }

    fn take_text(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.take_char().or_else(|| self.take_escaped()) {
            text.push(c);
        }
        text
    }

    fn take_name(&mut self) -> Option<String> {
        match self.lexemes.next_if(|lexeme| matches!(lexeme, Lexeme::Name(_))) {
            Some(Lexeme::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn take_pattern(&mut self) -> Option<String> {
        match self.lexemes.next_if(|lexeme| matches!(lexeme, Lexeme::Pattern(_))) {
            Some(Lexeme::Pattern(pattern)) => Some(pattern),
            _ => None,
        }
    }

    fn take_modifier(&mut self) -> Modifier {
        match self.lexemes.next_if(|lexeme| matches!(lexeme, Lexeme::Modifier(_))) {
            Some(Lexeme::Modifier(modifier)) => modifier,
            _ => Modifier::One,
        }
    }
}

fn kind(lexeme: &Lexeme) -> &'static str {
    match lexeme {
        Lexeme::Modifier(_) => "MODIFIER",
        Lexeme::Escaped(_) => "ESCAPED_CHAR",
        Lexeme::Open => "OPEN",
        Lexeme::Close => "CLOSE",
        Lexeme::Name(_) => "NAME",
        Lexeme::Pattern(_) => "PATTERN",
        Lexeme::Char(_) => "CHAR",
    }
}

/// Escapes text for a JavaScript regular expression, as path-to-regexp does.
pub(super) fn escape(text: &str) -> String {
    escape_all(text, ".+*?=^!:${}()[]|/\\")
}
