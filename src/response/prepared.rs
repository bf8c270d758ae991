//! Answers that are ready to be written.
//!
//! In: status, headers and body of a finished answer. Out: a number. The number crosses to Node for each request; headers
//! and body cross once, when Node sees the number for the first time. Numbers are never used twice, so a thread that still
//! holds an old one can only ever show what it stood for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

use super::headers::HeaderList;

/// A complete answer.
#[derive(Debug)]
pub struct Prepared {
    /// Its number.
    pub id: u32,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderList,
    /// The body; empty for `304`.
    pub body: Bytes,
}

/// Hands out numbers and finds the answer of a number while something keeps it alive.
#[derive(Debug, Default)]
pub struct PreparedTable {
    next: AtomicU32,
    answers: Mutex<HashMap<u32, Weak<Prepared>>>,
}

impl PreparedTable {
    /// Gives an answer a number. The caller keeps the answer; the table only finds it.
    pub fn add(&self, status: u16, headers: HeaderList, body: Bytes) -> Arc<Prepared> {
        // Half of the numbers, because the other half means slots at the boundary. Only answers that are kept take one, so
        // running out takes two thousand million revalidations.
        let id = self.next.fetch_add(1, Ordering::Relaxed) & (u32::MAX >> 1);
        let answer = Arc::new(Prepared {
            id,
            status,
            headers,
            body,
        });
        let mut answers = self.lock();
        // Dropped answers leave a dead reference behind; sweeping when the table doubles keeps this amortised constant.
        if answers.len() >= 64 && answers.len().is_power_of_two() {
            answers.retain(|_, answer| answer.strong_count() > 0);
        }
        answers.insert(id, Arc::downgrade(&answer));
        answer
    }

    /// The answer of a number, if it still exists.
    pub fn get(&self, id: u32) -> Option<Arc<Prepared>> {
        self.lock().get(&id).and_then(Weak::upgrade)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Weak<Prepared>>> {
        // A panic while the lock is held cannot leave the map half changed.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_finds_its_answer_while_it_lives() {
        let table = PreparedTable::default();
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
        let table = PreparedTable::default();
        for _ in 0..10_000 {
            table.add(200, HeaderList::new(), Bytes::new());
        }
        assert!(table.lock().len() <= 65);
    }
}
