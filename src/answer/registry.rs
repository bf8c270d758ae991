//! Answers that are ready to be written.
//!
//! In: status, headers and body of a finished answer. Out: a number. The number crosses to Node for each request; headers
//! and body cross once, when Node sees the number for the first time. Numbers are never used twice, so a thread that still
//! holds an old one can only ever show what it stood for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

use crate::http::headers::HeaderList;
use crate::http::status::Status;
use crate::route::{Decision, RouteState};
use crate::source::render::Render;

/// A complete answer.
#[derive(Debug)]
pub struct Prepared {
    /// Its number.
    pub id: u32,
    /// The status.
    pub status: Status,
    /// The headers.
    pub headers: HeaderList,
    /// The body; empty for `304`.
    pub body: Bytes,
}

/// How a compiled entry is called for one target, again and again.
#[derive(Debug)]
pub struct EntryCall {
    /// Its number; no answer has the same.
    pub id: u32,
    /// The arguments of the entry.
    pub render: Render,
    /// Where routing has come to.
    pub route: RouteState,
    /// What it has decided.
    pub decision: Decision,
}

/// Hands out numbers and finds the answer of a number while something keeps it alive.
#[derive(Debug, Default)]
pub struct ResponseRegistry {
    next: AtomicU32,
    answers: Mutex<HashMap<u32, Weak<Prepared>>>,
    calls: Mutex<HashMap<u32, Weak<EntryCall>>>,
}

impl ResponseRegistry {
    /// Gives an answer a number. The caller keeps the answer; the table only finds it.
    pub fn add(&self, status: impl Into<Status>, headers: HeaderList, body: Bytes) -> Arc<Prepared> {
        let id = self.number();
        let answer = Arc::new(Prepared {
            id,
            status: status.into(),
            headers,
            body,
        });
        insert(&mut lock(&self.answers), id, &answer);
        answer
    }

    /// Gives the call of an entry a number. The caller keeps it.
    pub fn add_call(&self, render: Render, route: RouteState, decision: Decision) -> Arc<EntryCall> {
        let id = self.number();
        let call = Arc::new(EntryCall {
            id,
            render,
            route,
            decision,
        });
        insert(&mut lock(&self.calls), id, &call);
        call
    }

    /// The answer of a number, if it still exists.
    pub fn get(&self, id: u32) -> Option<Arc<Prepared>> {
        lock(&self.answers).get(&id).and_then(Weak::upgrade)
    }

    /// The call of a number, if it still exists.
    pub fn call(&self, id: u32) -> Option<Arc<EntryCall>> {
        lock(&self.calls).get(&id).and_then(Weak::upgrade)
    }

    /// Half of the numbers, because the other half means slots at the boundary. Only what is kept takes one, so running out takes two
    /// thousand million revalidations.
    fn number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed) & (u32::MAX >> 1)
    }
}

fn insert<T>(numbers: &mut HashMap<u32, Weak<T>>, id: u32, value: &Arc<T>) {
    // What was dropped leaves a dead reference behind; sweeping when the table doubles keeps this amortised constant.
    if numbers.len() >= 64 && numbers.len().is_power_of_two() {
        numbers.retain(|_, value| value.strong_count() > 0);
    }
    numbers.insert(id, Arc::downgrade(value));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock is held cannot leave a map half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_finds_its_answer_while_it_lives() {
        let table = ResponseRegistry::default();
        let first = table.add(200, HeaderList::new(), Bytes::from_static(b"a"));
        let second = table.add(404, HeaderList::new(), Bytes::new());
        assert_ne!(first.id, second.id);
        assert_eq!(table.get(first.id).unwrap().body, "a");
        let id = first.id;
        drop(first);
        assert!(table.get(id).is_none());
    }

    #[test]
    fn dead_numbers_are_swept() {
        let table = ResponseRegistry::default();
        for _ in 0..10_000 {
            table.add(200, HeaderList::new(), Bytes::new());
        }
        assert!(lock(&table.answers).len() <= 65);
    }
}
