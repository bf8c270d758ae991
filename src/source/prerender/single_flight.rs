//! One render for each key at a time, in the whole process.
//!
//! In: the key of an answer that is to be rendered anew. Out: a [`Permit`] for whoever asked first. The others go on with
//! the answer they have. Upstream has this once for each entry and thread (`next/dist/lib/batcher.js`); here every thread
//! that serves the build shares it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a key rests after a render that left nothing new: a page that cannot be rendered costs one attempt in this time
/// and not one for each request. After a render that failed, upstream's own code stores the old answer again with a
/// lifetime of 3 to 30 seconds, so this counts only where even that did not happen.
const REST_MS: u64 = 1_000;

/// The renders that are under way.
#[derive(Debug, Default)]
pub struct SingleFlight {
    keys: Mutex<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    last_run: u64,
    states: HashMap<String, State>,
}

#[derive(Debug)]
enum State {
    Running(u64),
    RestingUntil(u64),
}

/// The right to render one key. Given back when it is dropped, if the answer has not come before.
#[derive(Debug)]
pub struct Permit {
    all: Arc<SingleFlight>,
    key: String,
    run: u64,
    clock: fn() -> u64,
}

impl SingleFlight {
    /// Whether [`SingleFlight::begin`] would say no.
    pub fn is_busy(&self, key: &str, now_ms: u64) -> bool {
        self.lock().states.get(key).is_some_and(|state| state.is_busy(now_ms))
    }

    /// The permit to render `key`, `None` while somebody else has it. `clock` gives milliseconds since 1970.
    pub fn begin(self: &Arc<Self>, key: String, clock: fn() -> u64) -> Option<Permit> {
        let mut keys = self.lock();
        if keys.states.get(&key).is_some_and(|state| state.is_busy(clock())) {
            return None;
        }
        // Rests that are over leave their key behind; sweeping when the map doubles keeps this amortised constant.
        if keys.states.len() >= 64 && keys.states.len().is_power_of_two() {
            let now_ms = clock();
            keys.states.retain(|_, state| state.is_busy(now_ms));
        }
        keys.last_run += 1;
        let run = keys.last_run;
        keys.states.insert(key.clone(), State::Running(run));
        Some(Permit {
            all: Arc::clone(self),
            key,
            run,
            clock,
        })
    }

    /// A new answer for `key` is there. The render that made it may still have work to do that nobody waits for.
    pub fn answered(&self, key: &str) {
        self.lock().states.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        // Every change is one call on the map, so a panic leaves nothing half done.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_busy(&self, now_ms: u64) -> bool {
        match self {
            State::Running(_) => true,
            State::RestingUntil(end_ms) => now_ms < *end_ms,
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut keys = self.all.lock();
        if let Some(state) = keys.states.get_mut(&self.key) {
            // Another run may have begun since the answer came.
            if matches!(state, State::Running(run) if *run == self.run) {
                *state = State::RestingUntil((self.clock)() + REST_MS);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn begin(all: &Arc<SingleFlight>) -> Option<Permit> {
        all.begin("page".to_owned(), || 0)
    }

    #[test]
    fn one_at_a_time_for_each_key() {
        let all = Arc::new(SingleFlight::default());
        let permit = begin(&all);
        assert!(permit.is_some());
        assert!(begin(&all).is_none());
        assert!(all.is_busy("page", 0));
        assert!(all.begin("other".to_owned(), || 0).is_some());
        all.answered("page");
        assert!(!all.is_busy("page", 0));
        let second = begin(&all);
        assert!(second.is_some());
        // The first run ends late and takes nothing from the second.
        drop(permit);
        assert!(begin(&all).is_none());
    }

    #[test]
    fn a_run_without_an_answer_is_followed_by_a_rest() {
        static NOW: AtomicU64 = AtomicU64::new(5_000);
        let clock = || NOW.load(Ordering::Relaxed);
        let all = Arc::new(SingleFlight::default());
        drop(all.begin("page".to_owned(), clock));
        assert!(all.begin("page".to_owned(), clock).is_none());
        NOW.store(5_000 + REST_MS, Ordering::Relaxed);
        assert!(all.begin("page".to_owned(), clock).is_some());
    }

    #[test]
    fn rests_that_are_over_are_forgotten() {
        static NOW: AtomicU64 = AtomicU64::new(0);
        let clock = || NOW.fetch_add(REST_MS, Ordering::Relaxed);
        let all = Arc::new(SingleFlight::default());
        for index in 0..1_000 {
            drop(all.begin(format!("page{index}"), clock));
        }
        assert!(all.lock().states.len() <= 64);
    }

    #[test]
    fn of_many_threads_one_gets_the_permit() {
        let all = Arc::new(SingleFlight::default());
        let permits: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| begin(&all))).collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(permits.len(), 1);
    }
}
