//! Compiling an expression for [`super::simulation`].
//!
//! In: a pattern in the syntax of the `regex` crate, but with lookaround. Out: one program for the expression and one for
//! the inside of each lookaround, with a mark where each one is asked for.

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Steps beyond which an expression is left to the other engine: counted repetitions add up.
const MOST: usize = 20_000;

/// A character that stands for a lookaround while the rest is parsed; a second one closes it, so that neither is ever
/// merged into a class of characters.
const FIRST_MARK: u32 = 0x10_0000;
const END_MARK: char = '\u{10fffd}';

/// One step of a program. Numbers are places in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// One character out of these ranges.
    One(Box<[(char, char)]>),
    /// Both ways, the first one preferred.
    Split(usize, usize),
    /// Remembers where it is.
    Save(usize),
    /// Forgets what these held.
    Clear(Range<usize>),
    /// Only if something was taken since this was saved.
    Moved(usize),
    /// Only where this lookaround holds.
    Around(usize),
    /// Only where this holds.
    Look(Look),
    /// On at another place.
    Go(usize),
    /// Done.
    Match,
}

/// The steps of an expression. It begins at the first.
pub type Program = Vec<Instruction>;

/// A lookaround.
#[derive(Debug, Clone)]
pub struct Around {
    /// Whether it looks at what comes before.
    pub behind: bool,
    /// Whether it wants no match.
    pub negative: bool,
    /// Its inside; one that looks ahead reads from right to left.
    pub program: Program,
}

/// An expression and its lookarounds. One that stands inside another comes before it.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// The expression.
    pub main: Program,
    /// The lookarounds.
    pub arounds: Vec<Around>,
    /// How many groups there are, the whole match included.
    pub groups: usize,
    /// Two for each group, and what [`Instruction::Moved`] needs.
    pub slots: usize,
    /// Whether a group stands in a repetition that may forget it.
    pub repeats_groups: bool,
}

/// Compiles `pattern`. `None` when it cannot be run this way: it captures inside a lookaround, or is too large.
pub fn compile(pattern: &str, ignore_case: bool) -> Option<Compiled> {
    if pattern.chars().any(|c| c as u32 >= FIRST_MARK) {
        return None;
    }
    let mut compiled = Compiled::default();
    let hir = compiled.parse(pattern, ignore_case)?;
    compiled.groups = hir.properties().explicit_captures_len() + 1;
    compiled.repeats_groups = repeats_groups(&hir);
    (compiled.main, compiled.slots) = program(&hir, false)?;
    Some(compiled)
}

impl Compiled {
    /// Parses `pattern`, after its lookarounds have been compiled and marked.
    fn parse(&mut self, pattern: &str, ignore_case: bool) -> Option<Hir> {
        let mut marked = String::with_capacity(pattern.len());
        let mut rest = pattern;
        while !rest.is_empty() {
            let (behind, negative, open) = if rest.starts_with("(?=") {
                (false, false, 3)
            } else if rest.starts_with("(?!") {
                (false, true, 3)
            } else if rest.starts_with("(?<=") {
                (true, false, 4)
            } else if rest.starts_with("(?<!") {
                (true, true, 4)
            } else {
                let (piece, tail) = rest.split_at_checked(piece_length(rest))?;
                marked.push_str(piece);
                rest = tail;
                continue;
            };
            let length = group_length(rest)?;
            let inside = self.parse(rest.get(open..length - 1)?, ignore_case)?;
            if inside.properties().explicit_captures_len() > 0 {
                return None;
            }
            let mark = char::from_u32(FIRST_MARK + u32::try_from(self.arounds.len()).ok()?)?;
            self.arounds.push(Around {
                behind,
                negative,
                program: program(&inside, !behind)?.0,
            });
            marked.push_str(&format!("(?:{mark}{END_MARK})"));
            rest = rest.get(length..)?;
        }
        let flags = if ignore_case { "(?i)" } else { "" };
        regex_syntax::parse(&format!("{flags}{marked}")).ok()
    }
}

/// Whether groups depend on what JavaScript does in a repetition: each round begins with its groups empty, and a round that
/// takes nothing does not count.
pub fn repeats_groups(hir: &Hir) -> bool {
    hir.properties().explicit_captures_len() > 0 && has_telling_repetition(hir)
}

fn has_telling_repetition(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let forgets = repetition.max != Some(1) && repetition.sub.properties().explicit_captures_len() > 0;
            forgets || may_be_empty(&repetition.sub) || has_telling_repetition(&repetition.sub)
        }
        HirKind::Capture(capture) => has_telling_repetition(&capture.sub),
        HirKind::Concat(list) | HirKind::Alternation(list) => list.iter().any(has_telling_repetition),
        _ => false,
    }
}

/// Whether it can match without taking a character. A mark takes none.
fn may_be_empty(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            std::str::from_utf8(&literal.0).is_ok_and(|text| text.chars().all(|c| c as u32 >= FIRST_MARK))
        }
        HirKind::Class(Class::Unicode(class)) => class.ranges().iter().all(|range| range.start() as u32 >= FIRST_MARK),
        HirKind::Class(Class::Bytes(_)) => false,
        HirKind::Repetition(repetition) => repetition.min == 0 || may_be_empty(&repetition.sub),
        HirKind::Capture(capture) => may_be_empty(&capture.sub),
        HirKind::Concat(list) => list.iter().all(may_be_empty),
        HirKind::Alternation(list) => list.iter().any(may_be_empty),
    }
}

/// The slots of the groups inside.
fn slots_in(hir: &Hir) -> Option<Range<usize>> {
    let join = |a: Range<usize>, b: Range<usize>| a.start.min(b.start)..a.end.max(b.end);
    match hir.kind() {
        HirKind::Capture(capture) => {
            let own = capture.index as usize * 2..capture.index as usize * 2 + 2;
            Some(match slots_in(&capture.sub) {
                Some(inner) => join(own, inner),
                None => own,
            })
        }
        HirKind::Repetition(repetition) => slots_in(&repetition.sub),
        HirKind::Concat(list) | HirKind::Alternation(list) => list.iter().filter_map(slots_in).reduce(join),
        _ => None,
    }
}

/// The length of the escape, class or character that `text` begins with.
fn piece_length(text: &str) -> usize {
    let mut depth = 0;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let end = match c {
            '\\' => chars.next().map_or(text.len(), |(at, c)| at + c.len_utf8()),
            other => at + other.len_utf8(),
        };
        match c {
            '[' => depth += 1,
            ']' if depth > 0 => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return end;
        }
    }
    text.len()
}

/// The length of the group that `text` begins with.
fn group_length(text: &str) -> Option<usize> {
    let mut depth = 0;
    let mut at = 0;
    loop {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        at += piece_length(rest);
        match rest.chars().next()? {
            '(' => depth += 1,
            ')' if depth == 1 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
}

/// The program, and how many slots it needs.
fn program(hir: &Hir, backwards: bool) -> Option<(Program, usize)> {
    let mut writer = Writer {
        code: Vec::new(),
        slots: (hir.properties().explicit_captures_len() + 1) * 2,
        backwards,
    };
    writer.write(hir)?;
    writer.push(Instruction::Match)?;
    Some((writer.code, writer.slots))
}

struct Writer {
    code: Vec<Instruction>,
    slots: usize,
    /// Whether the text is read from right to left.
    backwards: bool,
}

impl Writer {
    fn push(&mut self, step: Instruction) -> Option<usize> {
        self.code.push(step);
        (self.code.len() <= MOST).then_some(self.code.len() - 1)
    }

    fn write(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).ok()?;
                // A mark and its end may have come apart, so each is read for itself.
                let chars: Vec<char> = text.chars().collect();
                for i in 0..chars.len() {
                    let at = if self.backwards { chars.len() - 1 - i } else { i };
                    self.character(*chars.get(at)?)?;
                }
            }
            HirKind::Class(Class::Unicode(class)) => {
                let ranges: Box<[(char, char)]> = class
                    .ranges()
                    .iter()
                    .map(|range| (range.start(), range.end()))
                    .collect();
                if let [(END_MARK, END_MARK)] = *ranges {
                    return Some(());
                }
                self.push(Instruction::One(ranges))?;
            }
            HirKind::Class(Class::Bytes(_)) => return None,
            HirKind::Look(look) => {
                self.push(Instruction::Look(*look))?;
            }
            HirKind::Capture(capture) => {
                let slot = capture.index as usize * 2;
                self.push(Instruction::Save(slot))?;
                self.write(&capture.sub)?;
                self.push(Instruction::Save(slot + 1))?;
            }
            HirKind::Concat(list) if self.backwards => list.iter().rev().try_for_each(|part| self.write(part))?,
            HirKind::Concat(list) => list.iter().try_for_each(|part| self.write(part))?,
            HirKind::Alternation(list) => self.alternatives(list)?,
            HirKind::Repetition(repetition) => {
                for _ in 0..repetition.min {
                    self.round(&repetition.sub)?;
                }
                match repetition.max {
                    None => self.star(&repetition.sub, repetition.greedy)?,
                    Some(max) => self.up_to(max.saturating_sub(repetition.min), &repetition.sub, repetition.greedy)?,
                }
            }
        }
        Some(())
    }

    fn character(&mut self, c: char) -> Option<()> {
        let step = match c {
            END_MARK => return Some(()),
            mark if mark as u32 >= FIRST_MARK => Instruction::Around((mark as u32 - FIRST_MARK) as usize),
            other => Instruction::One(Box::new([(other, other)])),
        };
        self.push(step).map(|_| ())
    }

    fn alternatives(&mut self, list: &[Hir]) -> Option<()> {
        let mut ends = Vec::new();
        for (i, part) in list.iter().enumerate() {
            if i + 1 == list.len() {
                self.write(part)?;
                break;
            }
            let split = self.push(Instruction::Match)?;
            self.write(part)?;
            ends.push(self.push(Instruction::Match)?);
            self.set(split, Instruction::Split(split + 1, self.code.len()));
        }
        for end in ends {
            self.set(end, Instruction::Go(self.code.len()));
        }
        Some(())
    }

    /// One round of a repetition.
    fn round(&mut self, sub: &Hir) -> Option<()> {
        if let Some(slots) = slots_in(sub) {
            self.push(Instruction::Clear(slots))?;
        }
        self.write(sub)
    }

    fn star(&mut self, sub: &Hir, greedy: bool) -> Option<()> {
        let split = self.push(Instruction::Match)?;
        self.round(sub)?;
        self.push(Instruction::Go(split))?;
        self.set(split, choice(split + 1, self.code.len(), greedy));
        Some(())
    }

    fn up_to(&mut self, times: u32, sub: &Hir, greedy: bool) -> Option<()> {
        let mut splits = Vec::new();
        for _ in 0..times {
            splits.push(self.push(Instruction::Match)?);
            // A round that takes nothing does not count, and leaves no group behind. (A loop ends by itself there: it would
            // come to a place where it has been.)
            if may_be_empty(sub) {
                let slot = self.slots;
                self.slots += 1;
                self.push(Instruction::Save(slot))?;
                self.round(sub)?;
                self.push(Instruction::Moved(slot))?;
            } else {
                self.round(sub)?;
            }
        }
        for split in splits {
            self.set(split, choice(split + 1, self.code.len(), greedy));
        }
        Some(())
    }

    fn set(&mut self, at: usize, step: Instruction) {
        if let Some(slot) = self.code.get_mut(at) {
            *slot = step;
        }
    }
}

fn choice(inside: usize, after: usize, greedy: bool) -> Instruction {
    if greedy {
        Instruction::Split(inside, after)
    } else {
        Instruction::Split(after, inside)
    }
}
