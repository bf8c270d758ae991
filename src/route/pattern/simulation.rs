//! What JavaScript's expressions have and the `regex` crate has not, in time linear to the text: lookaround, and groups that
//! are empty again in each round of a repetition.
//!
//! In: a pattern and a text. Out: the groups of the first match. Where each lookaround holds is worked out once, in one pass
//! over the text; the expression itself then runs along all its ways through the text at the same time, and a lookaround
//! costs it a look into a table. The method is that of Barrière and Pit-Claudel, "Linear Matching of JavaScript Regular
//! Expressions" (2024); the simulation is Pike's.

use regex_syntax::hir::Look;
use smallvec::SmallVec;

use super::program::{compile, Around, Compiled, Instruction};

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Simulation(Compiled);

/// Start and end of each group.
pub type Spans = SmallVec<[Option<(usize, usize)>; 4]>;

impl Simulation {
    /// Compiles `pattern`, which is in the syntax of the `regex` crate but for its lookaround. `None` when it has to be left
    /// to a backtracking engine.
    pub fn compile(pattern: &str, ignore_case: bool) -> Option<Simulation> {
        compile(pattern, ignore_case).map(Simulation)
    }

    /// Whether it looks at what comes before.
    pub fn looks_behind(&self) -> bool {
        self.0.arounds.iter().any(|around| around.behind)
    }

    /// Whether a repetition may leave a group empty that other engines would leave filled, or the other way round.
    pub fn repeats_groups(&self) -> bool {
        self.0.repeats_groups
    }

    /// The groups of the first match.
    pub fn captures(&self, text: &str) -> Option<Spans> {
        self.tables(text).search(&self.0)
    }

    fn tables<'t>(&self, text: &'t str) -> Tables<'t> {
        let mut tables = Tables {
            text,
            holds: Vec::with_capacity(self.0.arounds.len()),
            #[cfg(test)]
            visits: Default::default(),
        };
        for around in &self.0.arounds {
            let holds = tables.where_it_holds(around);
            tables.holds.push(holds);
        }
        tables
    }
}

/// The text, and where each lookaround holds in it.
struct Tables<'t> {
    text: &'t str,
    /// For each lookaround a flag per byte, and one for the end.
    holds: Vec<Vec<bool>>,
    /// How many places were visited.
    #[cfg(test)]
    visits: std::cell::Cell<usize>,
}

/// Places in a program, in the order in which they were reached, each once.
struct Set {
    list: Vec<usize>,
    /// For each place its index in `list`, if that is where it stands.
    index: Vec<usize>,
}

impl Set {
    fn new(places: usize) -> Set {
        Set {
            list: Vec::with_capacity(places),
            index: vec![0; places],
        }
    }

    fn insert(&mut self, place: usize) -> bool {
        let Some(index) = self.index.get_mut(place) else {
            return false;
        };
        if self.list.get(*index) == Some(&place) {
            return false;
        }
        *index = self.list.len();
        self.list.push(place);
        true
    }
}

/// What is left to do while the ways from one place are followed.
enum Task {
    Visit(usize),
    /// Puts back what a slot held before.
    Restore(usize, Option<usize>),
}

impl Tables<'_> {
    /// Whether a step that takes no character lets a way pass at `at`.
    fn passes(&self, step: &Instruction, at: usize) -> bool {
        match step {
            Instruction::Around(number) => self.holds.get(*number).and_then(|holds| holds.get(at)) == Some(&true),
            Instruction::Look(look) => self.looks(*look, at),
            _ => true,
        }
    }

    fn looks(&self, look: Look, at: usize) -> bool {
        let bytes = self.text.as_bytes();
        let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let boundary = is_word(at.checked_sub(1).and_then(|before| bytes.get(before))) != is_word(bytes.get(at));
        match look {
            Look::Start => at == 0,
            Look::End => at == bytes.len(),
            Look::WordAscii => boundary,
            Look::WordAsciiNegate => !boundary,
            // The translation writes no other.
            _ => false,
        }
    }

    /// For each place in the text, whether the lookaround holds there.
    fn where_it_holds(&self, around: &Around) -> Vec<bool> {
        let code = &around.program;
        let mut holds = vec![around.negative; self.text.len() + 1];
        let (mut ways, mut next) = (Set::new(code.len()), Set::new(code.len()));
        let mut stack = Vec::new();
        let mut characters: Box<dyn Iterator<Item = (usize, char)>> = if around.behind {
            let ends = self.text.char_indices().map(|(at, c)| (at + c.len_utf8(), c));
            Box::new(ends)
        } else {
            Box::new(self.text.char_indices().rev())
        };
        let mut at = if around.behind { 0 } else { self.text.len() };
        loop {
            // What it looks for may begin, or end, anywhere.
            stack.push(0);
            while let Some(place) = stack.pop() {
                #[cfg(test)]
                self.visits.set(self.visits.get() + 1);
                if !ways.insert(place) {
                    continue;
                }
                match code.get(place) {
                    Some(Instruction::Split(one, other)) => stack.extend([*other, *one]),
                    Some(Instruction::Go(to)) => stack.push(*to),
                    Some(Instruction::Match) => {
                        if let Some(flag) = holds.get_mut(at) {
                            *flag = !around.negative;
                        }
                    }
                    Some(Instruction::One(_)) | None => {}
                    Some(step) if self.passes(step, at) => stack.push(place + 1),
                    Some(_) => {}
                }
            }
            let Some((to, c)) = characters.next() else {
                return holds;
            };
            for &place in &ways.list {
                if matches!(code.get(place), Some(Instruction::One(ranges)) if contains(ranges, c)) {
                    stack.push(place + 1);
                }
            }
            next.list.clear();
            std::mem::swap(&mut ways, &mut next);
            at = to;
        }
    }

    /// Runs the expression from the left, along the preferred ways first.
    fn search(&self, compiled: &Compiled) -> Option<Spans> {
        let (code, slots) = (compiled.main.as_slice(), compiled.slots);
        let (mut ways, mut next) = (Set::new(code.len()), Set::new(code.len()));
        // What each way has remembered, by place.
        let mut kept = vec![None; code.len() * slots];
        let mut kept_next = kept.clone();
        let mut found: Option<Vec<Option<usize>>> = None;
        let mut characters = self.text.char_indices();
        let mut slots_now = vec![None; slots];
        loop {
            let at = self.text.len() - characters.as_str().len();
            if found.is_none() {
                // A match that begins here counts less than one that began before.
                slots_now.fill(None);
                if let Some(start) = slots_now.first_mut() {
                    *start = Some(at);
                }
                self.follow(code, 0, at, &mut ways, &mut kept, &mut slots_now);
            }
            if ways.list.is_empty() {
                break;
            }
            let following = characters.next();
            next.list.clear();
            for &place in &ways.list {
                let own = place * slots..(place + 1) * slots;
                match code.get(place) {
                    Some(Instruction::One(ranges)) => {
                        if let Some((from, c)) = following.filter(|(_, c)| contains(ranges, *c)) {
                            slots_now.copy_from_slice(kept.get(own)?);
                            self.follow(
                                code,
                                place + 1,
                                from + c.len_utf8(),
                                &mut next,
                                &mut kept_next,
                                &mut slots_now,
                            );
                        }
                    }
                    Some(Instruction::Match) => {
                        let mut spans = kept.get(own)?.to_vec();
                        *spans.get_mut(1)? = Some(at);
                        found = Some(spans);
                        // The ways behind this one would be chosen only if it failed.
                        break;
                    }
                    _ => {}
                }
            }
            std::mem::swap(&mut ways, &mut next);
            std::mem::swap(&mut kept, &mut kept_next);
            if following.is_none() {
                break;
            }
        }
        let found = found?;
        Some(
            found
                .chunks(2)
                .take(compiled.groups)
                .map(|pair| Some(((*pair.first()?)?, (*pair.get(1)?)?)))
                .collect(),
        )
    }

    /// Adds every place that can be reached from `start` without taking a character.
    fn follow(
        &self,
        code: &[Instruction],
        start: usize,
        at: usize,
        ways: &mut Set,
        kept: &mut [Option<usize>],
        slots: &mut [Option<usize>],
    ) {
        let mut tasks = vec![Task::Visit(start)];
        while let Some(task) = tasks.pop() {
            let place = match task {
                Task::Visit(place) => place,
                Task::Restore(slot, value) => {
                    if let Some(kept) = slots.get_mut(slot) {
                        *kept = value;
                    }
                    continue;
                }
            };
            #[cfg(test)]
            self.visits.set(self.visits.get() + 1);
            if !ways.insert(place) {
                continue;
            }
            match code.get(place) {
                Some(Instruction::Split(one, other)) => tasks.extend([Task::Visit(*other), Task::Visit(*one)]),
                Some(Instruction::Go(to)) => tasks.push(Task::Visit(*to)),
                Some(Instruction::Save(slot)) => {
                    if let Some(value) = slots.get_mut(*slot) {
                        tasks.push(Task::Restore(*slot, *value));
                        *value = Some(at);
                    }
                    tasks.push(Task::Visit(place + 1));
                }
                Some(Instruction::Clear(range)) => {
                    for slot in range.clone() {
                        if let Some(value) = slots.get_mut(slot) {
                            tasks.push(Task::Restore(slot, value.take()));
                        }
                    }
                    tasks.push(Task::Visit(place + 1));
                }
                Some(Instruction::Moved(slot)) => {
                    if slots.get(*slot) != Some(&Some(at)) {
                        tasks.push(Task::Visit(place + 1));
                    }
                }
                Some(Instruction::One(_) | Instruction::Match) => {
                    let own = place * slots.len()..(place + 1) * slots.len();
                    if let Some(own) = kept.get_mut(own) {
                        own.copy_from_slice(slots);
                    }
                }
                Some(step) if self.passes(step, at) => tasks.push(Task::Visit(place + 1)),
                Some(_) | None => {}
            }
        }
    }
}

fn contains(ranges: &[(char, char)], c: char) -> bool {
    ranges
        .binary_search_by(|&(low, high)| match c {
            c if c < low => std::cmp::Ordering::Greater,
            c if c > high => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Equal,
        })
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the backtracking engine finds.
    fn expected(pattern: &str, text: &str) -> Option<Option<Spans>> {
        let regex = fancy_regex::RegexBuilder::new(pattern)
            .backtrack_limit(100_000)
            .build()
            .ok()?;
        let found = regex.captures(text).ok()?;
        Some(found.map(|groups| {
            groups
                .iter()
                .map(|group| group.map(|group| (group.start(), group.end())))
                .collect()
        }))
    }

    /// An expression as the translation writes them.
    fn pattern() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            8 => "[ab/.]".prop_map(|c| if c == "." { "\\.".to_owned() } else { c }),
            2 => Just("[^/]".to_owned()),
            1 => Just("(?s:.)".to_owned()),
            1 => Just("[ab]".to_owned()),
            1 => Just("\\A".to_owned()),
            1 => Just("\\z".to_owned()),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|list| list.concat()),
                2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(?:{a}|{b})")),
                3 => (inner.clone(), "[*+?]\\??|\\{1,2\\}").prop_map(|(a, times)| format!("(?:a{a}){times}")),
                2 => inner.clone().prop_map(|a| format!("({a})")),
                4 => (inner, "\\?[=!]").prop_map(|(a, kind)| format!("({kind}{})", a.replace("(?", "\0").replace('(', "(?:").replace('\0', "(?"))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]
        #[test]
        fn both_engines_find_the_same(pattern in pattern(), text in "[ab/.]{0,8}") {
            if let (Some(compiled), Some(expected)) = (Simulation::compile(&pattern, false), expected(&pattern, &text)) {
                let found = compiled.captures(&text);
                if compiled.repeats_groups() {
                    prop_assert_eq!(found.map(|spans| spans[0]), expected.map(|spans| spans[0]), "{} on {}", pattern, text);
                } else {
                    prop_assert_eq!(found, expected, "{} on {}", pattern, text);
                }
            }
        }
    }

    proptest! {
        /// The other engine is not asked about what comes before: it says that `(?<!a?)` may hold.
        #[test]
        fn looking_behind_finds_what_ends_here(inside in "([ab]|\\(\\?:a|b\\)|\\(\\?:ab\\)\\*|a\\?|b\\+|[ab]\\|)(a|b\\?)?", text in "[ab]{0,6}", negative: bool) {
            let kind = if negative { '!' } else { '=' };
            let compiled = Simulation::compile(&format!("(?<{kind}{inside})"), false);
            let whole = regex::Regex::new(&format!("\\A(?:{inside})\\z"));
            if let (Some(compiled), Ok(whole)) = (compiled, whole) {
                for (at, holds) in compiled.tables(&text).holds[0].iter().enumerate() {
                    let matches = (0..=at).any(|start| whole.is_match(&text[start..at]));
                    prop_assert_eq!(*holds, matches != negative, "{} before {} of {}", inside, at, text);
                }
            }
        }
    }

    /// How many places are visited for a text.
    fn visits(pattern: &str, text: &str) -> usize {
        let compiled = Simulation::compile(pattern, false).unwrap();
        let tables = compiled.tables(text);
        tables.search(&compiled.0);
        tables.visits.get()
    }

    #[test]
    fn the_work_grows_with_the_text_and_no_faster() {
        for (pattern, unit) in [
            (
                "\\A(?:/(_next/data/[^/]{1,}))?(?:/((?!api|_next/static|favicon.ico).*))(\\.json)?[/#\\?]?\\z",
                "/x",
            ),
            ("\\A/((?!_next|[^?]*\\.(?:html?|css|js(?!on)|png))(?s:.)*)\\z", "/."),
            ("\\A(?:(?!.*x).)+\\z", "a"),
            ("\\A(?!x)(.*)(?=y)(.*)(?=z)(.*)x\\z", "xyz"),
            ("\\A((?!x)(?:a+)+)b\\z", "a"),
            ("(?:(?!.*\\.html).)*\\.js", ".js"),
            ("(?<=a.*)(?:a|a|aa)*(?<!ab*)c", "ab"),
        ] {
            let (short, long) = (visits(pattern, &unit.repeat(250)), visits(pattern, &unit.repeat(2000)));
            assert!(
                short > 250 && long < 9 * short,
                "{pattern}: {short} visits, then {long}"
            );
        }
    }

    #[test]
    fn what_captures_inside_a_lookaround_is_left_to_the_other_engine() {
        assert!(Simulation::compile("(?=(a))a", false).is_none());
        assert!(Simulation::compile("(?!x)[^a-z]{0,60000}", false).is_none());
        assert!(Simulation::compile("(?!x)\u{10fffd}", false).is_none());
        assert!(Simulation::compile("(?!(?<=a)b)(.)", true).is_some());
    }
}
