//! The forgiving date reader behind `Date.parse`.
//!
//! In: any text. Out: milliseconds since 1970, or nothing. It takes ISO 8601, and otherwise collects numbers, month
//! names, times and zones in nearly any order; that is what decides whether an odd `If-Modified-Since` counts.
//! The rules are those of V8 (`src/date/dateparser-inl.h`); compared with Node 20 on generated texts.

use super::date::{in_range, time};
use super::ecma::is_blank;

/// `Date.parse(text)`, except that a date without a zone is UTC.
pub(super) fn parse(text: &str) -> Option<i64> {
    let mut reader = Reader {
        scanner: Scanner::new(text),
        day: Day::default(),
        clock: Clock::default(),
        zone: Zone::default(),
    };
    let unhandled = match reader.iso() {
        Iso::Complete => None,
        Iso::Not(token) => Some(token),
        Iso::Invalid => return None,
    };
    if let Some(token) = unhandled {
        reader.legacy(token)?;
    }
    let ms = reader.day.write()? + reader.clock.write()? - reader.zone.write();
    in_range(ms)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
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
    fn fixed(self, digits: usize, max: i64) -> Option<i64> {
        match self {
            Token::Number(value, length) if length == digits && value <= max => Some(value),
            _ => None,
        }
    }

    fn sign(self) -> Option<i64> {
        match self {
            Token::Symbol('+') => Some(1),
            Token::Symbol('-') => Some(-1),
            _ => None,
        }
    }

    fn is_word(self) -> bool {
        use Token::{HalfDay, Month, TimeMark, Word, ZoneName};
        matches!(self, Month(_) | HalfDay(_) | ZoneName(..) | TimeMark | Word)
    }
}

struct Scanner<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    current: Token,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        let mut scanner = Scanner {
            rest: text.chars().peekable(),
            current: Token::End,
        };
        scanner.next();
        scanner
    }

    fn next(&mut self) -> Token {
        let next = self.scan();
        std::mem::replace(&mut self.current, next)
    }

    fn skip(&mut self, symbol: char) -> bool {
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

/// Up to three numbers and a month name.
#[derive(Default)]
struct Day {
    parts: [i64; 3],
    count: usize,
    month: Option<i64>,
    iso: bool,
}

impl Day {
    fn add(&mut self, value: i64) -> Option<()> {
        *self.parts.get_mut(self.count)? = value;
        self.count += 1;
        Some(())
    }

    fn write(mut self) -> Option<i64> {
        if self.count == 0 {
            return None;
        }
        // What is missing counts as 1: `2024` is the first of January.
        while self.add(1).is_some() {}
        let is_day = |value: i64| (1..=31).contains(&value);
        let [a, b, c] = self.parts;
        let (year, month, day) = match self.month {
            None if self.iso || !is_day(a) => (a, b, c),
            None => (c, a, b),
            Some(month) if !is_day(a) => (a, month, b),
            Some(month) => (b, month, a),
        };
        let year = match year {
            0..=49 if !self.iso => year + 2000,
            50..=99 if !self.iso => year + 1900,
            _ => year,
        };
        // Further years do not fit into a date, whatever the zone.
        let fits = (-300_000..=300_000).contains(&year) && (1..=12).contains(&month) && is_day(day);
        fits.then(|| time(year, month, day))
    }
}

/// Hour, minute, second, millisecond.
#[derive(Default)]
struct Clock {
    parts: [i64; 4],
    count: usize,
    half_day: Option<i64>,
}

impl Clock {
    fn add(&mut self, value: i64) -> Option<()> {
        *self.parts.get_mut(self.count)? = value;
        self.count += 1;
        Some(())
    }

    fn add_final(&mut self, value: i64) {
        let _ = self.add(value);
        self.count = 4;
    }

    fn expects(&self, value: i64) -> bool {
        match self.count {
            1 | 2 => value < 60,
            3 => value < 1000,
            _ => false,
        }
    }

    fn write(self) -> Option<i64> {
        let [mut hour, minute, second, ms] = self.parts;
        if let Some(offset) = self.half_day {
            if hour > 12 {
                return None;
            }
            hour = hour % 12 + offset;
        }
        let usual = hour < 24 && minute < 60 && second < 60 && ms < 1000;
        (usual || (hour, minute, second, ms) == (24, 0, 0, 0))
            .then_some(((hour * 60 + minute) * 60 + second) * 1000 + ms)
    }
}

#[derive(Default)]
struct Zone {
    sign: Option<i64>,
    hour: Option<i64>,
    minute: Option<i64>,
}

impl Zone {
    fn set(&mut self, hours: i64) {
        self.sign = Some(if hours < 0 { -1 } else { 1 });
        self.hour = Some(hours.abs());
        self.minute = Some(0);
    }

    fn expects(&self, value: i64) -> bool {
        self.hour.is_some() && self.minute.is_none() && value < 60
    }

    fn is_utc(&self) -> bool {
        self.hour == Some(0) && self.minute == Some(0)
    }

    fn write(self) -> i64 {
        let minutes = self.hour.unwrap_or(0) * 60 + self.minute.unwrap_or(0);
        self.sign.unwrap_or(0) * minutes * 60_000
    }
}

enum Iso {
    Complete,
    /// Not a date of ISO 8601: this token is next for the forgiving reader.
    Not(Token),
    /// A date of ISO 8601 with a bad time.
    Invalid,
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    day: Day,
    clock: Clock,
    zone: Zone,
}

impl Reader<'_> {
    fn iso(&mut self) -> Iso {
        let sign = self.scanner.current.sign();
        if let Some(sign) = sign {
            let token = self.scanner.next();
            match self.scanner.current.fixed(6, i64::MAX) {
                Some(year) => {
                    self.scanner.next();
                    if sign < 0 && year == 0 {
                        return Iso::Not(token);
                    }
                    let _ = self.day.add(sign * year);
                }
                None => return Iso::Not(token),
            }
        } else if let Some(year) = self.scanner.current.fixed(4, i64::MAX) {
            self.scanner.next();
            let _ = self.day.add(year);
        } else {
            return Iso::Not(self.scanner.next());
        }
        for max in [12, 31] {
            if !self.scanner.skip('-') {
                break;
            }
            match self.scanner.current.fixed(2, max).filter(|value| *value > 0) {
                Some(value) => {
                    self.scanner.next();
                    let _ = self.day.add(value);
                }
                None => return Iso::Not(self.scanner.next()),
            }
        }
        if self.scanner.current != Token::TimeMark {
            if self.scanner.current != Token::End {
                return Iso::Not(self.scanner.next());
            }
        } else if self.iso_time().is_none() {
            return Iso::Invalid;
        }
        self.day.iso = true;
        Iso::Complete
    }

    fn iso_time(&mut self) -> Option<()> {
        self.scanner.next();
        let hour = self.fixed(24)?;
        self.clock.add(hour)?;
        let limit = |max| if hour == 24 { 0 } else { max };
        self.scanner.skip(':').then_some(())?;
        let minute = self.fixed(limit(59))?;
        self.clock.add(minute)?;
        if self.scanner.skip(':') {
            let second = self.fixed(limit(59))?;
            self.clock.add(second)?;
            if self.scanner.skip('.') {
                match self.scanner.next() {
                    Token::Number(value, length) if hour < 24 || value == 0 => {
                        self.clock.add(milliseconds(value, length))?;
                    }
                    _ => return None,
                }
            }
        }
        if let Token::ZoneName(_, true) = self.scanner.current {
            self.scanner.next();
            self.zone.set(0);
        } else if let Some(sign) = self.scanner.current.sign() {
            self.scanner.next();
            self.zone.sign = Some(sign);
            let (hour, minute) = match self.scanner.current.fixed(4, i64::MAX) {
                Some(both) => {
                    self.scanner.next();
                    (both / 100, both % 100)
                }
                None => {
                    let hour = self.fixed(23)?;
                    self.scanner.skip(':').then_some(())?;
                    (hour, self.fixed(59)?)
                }
            };
            if hour > 23 || minute > 59 {
                return None;
            }
            self.zone.hour = Some(hour);
            self.zone.minute = Some(minute);
        }
        (self.scanner.current == Token::End).then_some(())
    }

    fn fixed(&mut self, max: i64) -> Option<i64> {
        let value = self.scanner.current.fixed(2, max)?;
        self.scanner.next();
        Some(value)
    }

    fn legacy(&mut self, first: Token) -> Option<()> {
        let mut has_number = self.day.count > 0;
        let mut token = first;
        while token != Token::End {
            match token {
                Token::Number(value, _) => {
                    has_number = true;
                    self.number(value)?;
                }
                Token::HalfDay(offset) if self.clock.count > 0 => self.clock.half_day = Some(offset),
                Token::Month(month) => {
                    self.day.month = Some(month);
                    self.scanner.skip('-');
                }
                Token::ZoneName(hours, _) if has_number => self.zone.set(hours),
                // Other words may stand only before the first number, and not directly.
                word if word.is_word() && (has_number || matches!(self.scanner.current, Token::Number(..))) => {
                    return None;
                }
                Token::Symbol('+' | '-') if self.zone.is_utc() || self.clock.count > 0 => {
                    self.offset(token.sign()?)?;
                    has_number = true;
                }
                Token::Symbol('+' | '-' | ')') if has_number => return None,
                _ => {}
            }
            token = self.scanner.next();
        }
        Some(())
    }

    fn number(&mut self, value: i64) -> Option<()> {
        if self.scanner.skip(':') {
            if self.scanner.skip(':') {
                if self.clock.count > 0 {
                    return None;
                }
                self.clock.add(value)?;
                return self.clock.add(0);
            }
            self.clock.add(value)?;
            self.scanner.skip('.');
        } else if self.scanner.skip('.') && self.clock.expects(value) {
            self.clock.add(value)?;
            match self.scanner.next() {
                Token::Number(value, length) => self.clock.add_final(milliseconds(value, length)),
                _ => return None,
            }
        } else if self.zone.expects(value) {
            self.zone.minute = Some(value);
        } else if self.clock.expects(value) {
            self.clock.add_final(value);
            let next = self.scanner.current;
            let ends = matches!(next, Token::End | Token::Blank | Token::ZoneName(_, true));
            if !ends && next.sign().is_none() {
                return None;
            }
        } else {
            self.day.add(value)?;
            self.scanner.skip('-');
        }
        Some(())
    }

    /// `+1`, `-08`, `+0530`, `+05:30`; after a bare sign the number may be missing.
    fn offset(&mut self, sign: i64) -> Option<()> {
        self.zone.sign = Some(sign);
        let (mut value, mut length) = (0, 0);
        if let Token::Number(number, digits) = self.scanner.current {
            self.scanner.next();
            (value, length) = (number, digits);
        }
        let (hour, minute) = match length {
            _ if self.scanner.current == Token::Symbol(':') => (value, None),
            1 | 2 => (value, Some(0)),
            3 | 4 => (value / 100, Some(value % 100)),
            _ => return None,
        };
        self.zone.hour = Some(hour);
        self.zone.minute = minute;
        Some(())
    }
}

/// The first three digits after the point.
fn milliseconds(value: i64, length: usize) -> i64 {
    match length {
        1 => value * 100,
        2 => value * 10,
        3 => value,
        _ => value / 10_i64.pow(length.min(9) as u32 - 3),
    }
}
