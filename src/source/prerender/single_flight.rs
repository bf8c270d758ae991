//! One render for each key at a time, in the whole process.
//!
//! In: the key of an answer that is to be rendered, and who asks. Out: a [`Permit`] for the first request. One that has a stale
//! answer goes on with that; who has none waits for the render. Upstream has this once for each entry and thread
//! (`next/dist/lib/batcher.js`); here every thread that serves the build shares it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// How long a key rests after a background render that left nothing new: a page that cannot be rendered costs one attempt in
/// this time and not one for each request. After a render that failed, upstream's own code stores the old answer again with a
/// lifetime of 3 to 30 seconds, so this counts only where even that did not happen.
const REST_MS: u64 = 1_000;

/// Who runs renders: one app in one thread.
pub type RunnerId = u64;

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
    Running(Run),
    RestingUntil(u64),
}

#[derive(Debug)]
struct Run {
    number: u64,
    runner: RunnerId,
    /// Nothing is ever sent: its end is the end of the run.
    end: watch::Sender<()>,
}

/// The right to render one key. Given back when it is dropped, if the answer has not come before.
#[derive(Debug)]
pub struct Permit {
    all: Arc<SingleFlight>,
    key: String,
    run: u64,
    /// Whether the key rests if the render leaves nothing new, and the clock for that.
    rest: Option<fn() -> u64>,
}

/// Whose render a request without any answer gets.
#[derive(Debug)]
pub enum Lead {
    /// Its own.
    Own(Permit),
    /// That of its own runner: the compiled entry brings the two together, errors included.
    Joined,
    /// That of another runner: wait for its end, then look again.
    Elsewhere(End),
}

/// The end of another request's render.
#[derive(Debug)]
pub struct End(watch::Receiver<()>);

impl End {
    /// Waits for it.
    pub async fn wait(mut self) {
        // Nothing is ever sent, so this returns when the sender is gone.
        let _ = self.0.changed().await;
    }
}

impl SingleFlight {
    /// Whether [`SingleFlight::begin`] would say no.
    pub fn is_busy(&self, key: &str, now_ms: u64) -> bool {
        self.lock().states.get(key).is_some_and(|state| state.is_busy(now_ms))
    }

    /// The permit to render `key` in the background, `None` while it is taken or the key rests. `clock` gives
    /// milliseconds since 1970.
    pub fn begin(self: &Arc<Self>, key: String, runner: RunnerId, clock: fn() -> u64) -> Option<Permit> {
        let mut keys = self.lock();
        if keys.states.get(&key).is_some_and(|state| state.is_busy(clock())) {
            return None;
        }
        keys.sweep(clock);
        Some(self.start(&mut keys, key, runner, Some(clock)))
    }

    /// Whose render of `key` a request gets that cannot be answered without one.
    pub fn lead(self: &Arc<Self>, key: &str, runner: RunnerId) -> Lead {
        let mut keys = self.lock();
        match keys.states.get(key) {
            Some(State::Running(run)) if run.runner == runner => Lead::Joined,
            Some(State::Running(run)) => Lead::Elsewhere(End(run.end.subscribe())),
            _ => Lead::Own(self.start(&mut keys, key.to_owned(), runner, None)),
        }
    }

    fn start(self: &Arc<Self>, keys: &mut Keys, key: String, runner: RunnerId, rest: Option<fn() -> u64>) -> Permit {
        keys.last_run += 1;
        let run = keys.last_run;
        let state = State::Running(Run {
            number: run,
            runner,
            end: watch::Sender::new(()),
        });
        keys.states.insert(key.clone(), state);
        Permit {
            all: Arc::clone(self),
            key,
            run,
            rest,
        }
    }

    /// A new answer for `key` is there. The render that made it may still have background work to do.
    pub fn answered(&self, key: &str) {
        self.lock().states.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Keys> {
        // Every change is one call on the map, so a panic leaves nothing half done.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    /// Rests that are over leave their key behind; sweeping when the map doubles keeps this amortised constant.
    fn sweep(&mut self, clock: fn() -> u64) {
        if self.states.len() >= 64 && self.states.len().is_power_of_two() {
            let now_ms = clock();
            self.states.retain(|_, state| state.is_busy(now_ms));
        }
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
        // Another run may have begun since the answer came.
        if !matches!(keys.states.get(&self.key), Some(State::Running(run)) if run.number == self.run) {
            return;
        }
        match self.rest {
            Some(clock) => {
                let rest = State::RestingUntil(clock() + REST_MS);
                keys.states.insert(self.key.clone(), rest);
            }
            None => {
                keys.states.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn begin(all: &Arc<SingleFlight>) -> Option<Permit> {
        all.begin("page".to_owned(), 0, || 0)
    }

    #[test]
    fn one_at_a_time_for_each_key() {
        let all = Arc::new(SingleFlight::default());
        let permit = begin(&all);
        assert!(permit.is_some());
        assert!(begin(&all).is_none());
        assert!(all.is_busy("page", 0));
        assert!(all.begin("other".to_owned(), 0, || 0).is_some());
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
        drop(all.begin("page".to_owned(), 0, clock));
        assert!(all.begin("page".to_owned(), 0, clock).is_none());
        // Who has nothing to show cannot wait for its end.
        assert!(matches!(all.lead("page", 0), Lead::Own(_)));
        NOW.store(5_000 + REST_MS, Ordering::Relaxed);
        assert!(all.begin("page".to_owned(), 0, clock).is_some());
    }

    #[test]
    fn rests_that_are_over_are_forgotten() {
        static NOW: AtomicU64 = AtomicU64::new(0);
        let clock = || NOW.fetch_add(REST_MS, Ordering::Relaxed);
        let all = Arc::new(SingleFlight::default());
        for index in 0..1_000 {
            drop(all.begin(format!("page{index}"), 0, clock));
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

    #[tokio::test]
    async fn a_request_without_an_answer_waits_for_another_driver_only() {
        let all = Arc::new(SingleFlight::default());
        let Lead::Own(permit) = all.lead("page", 1) else {
            panic!("no other request renders it");
        };
        assert!(matches!(all.lead("page", 1), Lead::Joined));
        let Lead::Elsewhere(end) = all.lead("page", 2) else {
            panic!("runner 1 renders it");
        };
        let waiting = tokio::spawn(end.wait());
        drop(permit);
        waiting.await.unwrap();
        let Lead::Own(_permit) = all.lead("page", 2) else {
            panic!("runner 1 has ended");
        };
        let Lead::Elsewhere(end) = all.lead("page", 1) else {
            panic!("runner 2 renders it");
        };
        all.answered("page");
        end.wait().await;
        assert!(matches!(all.lead("page", 1), Lead::Own(_)));
    }
}
