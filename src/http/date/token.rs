//! The tokens of a date.
//!
//! In: any text. Out: numbers, words that mean something in a date, and signs. Source: the tokenizer of V8
//! (`src/date/dateparser.h`); at most nine digits of a number count, and words are known by their first three letters.

use crate::http::ecma::is_blank;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// Value and count of digits.
    Number(i64, usize),
    /// `:` `-` `+` `.` `)`
    Symbol(char),
    Month(i64),
    HalfDay(i64),
    /// Hours from UTC, and whether it is the single letter Z.
    ZoneName(i64, bool),
    /// `T`
    TimeMark,
    Word,
    Blank,
    Other,
    End,
}

impl Token {
    /// The value of a number of exactly `digits` digits within `min..=max`.
    pub(super) fn fixed(self, digits: usize, max: i64) -> Option<i64> {
        match self {
            Token::Number(value, length) if length == digits && value <= max => Some(value),
            _ => None,
        }
    }

    pub(super) fn sign(self) -> Option<i64> {
        match self {
            Token::Symbol('+') => Some(1),
            Token::Symbol('-') => Some(-1),
            _ => None,
        }
    }

    pub(super) fn is_word(self) -> bool {
        use Token::{HalfDay, Month, TimeMark, Word, ZoneName};
        matches!(self, Month(_) | HalfDay(_) | ZoneName(..) | TimeMark | Word)
    }
}

pub(super) struct Scanner<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    pub(super) current: Token,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut scanner = Scanner {
            rest: text.chars().peekable(),
            current: Token::End,
        };
        scanner.next();
        scanner
    }

    pub(super) fn next(&mut self) -> Token {
        let next = self.scan();
        std::mem::replace(&mut self.current, next)
    }

    pub(super) fn skip(&mut self, symbol: char) -> bool {
        let found = self.current == Token::Symbol(symbol);
        if found {
            self.next();
        }
        found
    }

    fn scan(&mut self) -> Token {
        let Some(&c) = self.rest.peek() else {
            return Token::End;
        };
        match c {
            '0'..='9' => self.number(),
            ':' | '-' | '+' | '.' | ')' => {
                self.rest.next();
                Token::Symbol(c)
            }
            '(' => {
                self.parentheses();
                Token::Other
            }
            _ if is_blank(c) => {
                self.rest.next();
                Token::Blank
            }
            _ if c >= 'A' => self.word(),
            _ => {
                self.rest.next();
                Token::Other
            }
        }
    }

    /// Nine significant digits count, the rest only add to the length.
    fn number(&mut self) -> Token {
        let (mut value, mut length, mut significant) = (0_i64, 0, 0);
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            length += 1;
            if digit != '0' || significant > 0 {
                significant += 1;
                if significant <= 9 {
                    value = value * 10 + (digit as i64 - '0' as i64);
                }
            }
        }
        Token::Number(value, length)
    }

    fn parentheses(&mut self) {
        let mut depth = 0_usize;
        for c in self.rest.by_ref() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }

    fn word(&mut self) -> Token {
        let (mut prefix, mut length) = ([0_u8; 3], 0);
        while let Some(c) = self.rest.next_if(|c| *c >= 'A' && !is_blank(*c)) {
            if let Some(slot) = prefix.get_mut(length) {
                *slot = u8::try_from(c).unwrap_or(0).to_ascii_lowercase();
            }
            length += 1;
        }
        const MONTHS: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";
        if let Some(month) = MONTHS.chunks(3).position(|name| name == prefix) {
            return Token::Month(month as i64 + 1);
        }
        if length > 3 {
            return Token::Word;
        }
        match &prefix {
            b"am\0" => Token::HalfDay(0),
            b"pm\0" => Token::HalfDay(12),
            b"z\0\0" => Token::ZoneName(0, true),
            b"ut\0" | b"utc" | b"gmt" => Token::ZoneName(0, false),
            b"edt" => Token::ZoneName(-4, false),
            b"est" | b"cdt" => Token::ZoneName(-5, false),
            b"cst" | b"mdt" => Token::ZoneName(-6, false),
            b"mst" | b"pdt" => Token::ZoneName(-7, false),
            b"pst" => Token::ZoneName(-8, false),
            b"t\0\0" => Token::TimeMark,
            _ => Token::Word,
        }
    }
}
