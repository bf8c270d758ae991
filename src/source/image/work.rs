//! Where images are made, and what that may cost.
//!
//! In: a piece of work that takes a core for milliseconds to seconds. Out: its result, from a thread of its own with low
//! priority. One core is left for requests. Who waits in the queue and goes away leaves it, and an image that takes too long is
//! given up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, available_parallelism};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, OwnedSemaphorePermit, Semaphore};

use crate::priority;

/// Bytes of pixels that all work together may hold. Two of the largest images (`decode::MAX_BYTES`); what is usual, twelve
/// million pixels, needs 72 MB.
const BUDGET: u64 = 1 << 30;

/// Stack of a thread: decoders of video keep whole blocks on it.
const STACK: usize = 8 << 20;

/// How much less often than others a thread gets a core that is wanted (`nice`; 19 is the most).
const NICE: i32 = 5;

/// The task must end: it took too long, or no request waits for its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// Where work is done. One for each process.
#[derive(Debug, Clone)]
pub struct WorkerPool {
    places: Arc<Semaphore>,
    budget: Arc<Budget>,
}

/// Bytes that are left to be held.
#[derive(Debug)]
struct Budget {
    left: Mutex<u64>,
    returned: Condvar,
    total: u64,
}

/// The limits of one task: says when it has to stop, and counts what it holds.
#[derive(Debug)]
pub struct TaskLimits {
    until: Instant,
    unwanted: Arc<AtomicBool>,
    budget: Arc<Budget>,
    held: Mutex<u64>,
}

/// Held by the request that waits for a result. When it is dropped before the result has come, the task ends at its next check.
#[derive(Debug)]
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Default for WorkerPool {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        WorkerPool::new(cores.saturating_sub(1).max(1), BUDGET)
    }
}

impl WorkerPool {
    /// A pool with so many places, whose tasks may hold so many bytes together.
    pub fn new(places: usize, budget: u64) -> WorkerPool {
        WorkerPool {
            places: Arc::new(Semaphore::new(places)),
            budget: Arc::new(Budget {
                left: Mutex::new(budget),
                returned: Condvar::new(),
                total: budget,
            }),
        }
    }

    /// Waits for a place and does the work there. Dropping the future gives up: the place in the queue at once, the work at
    /// its next look at the clock.
    ///
    /// # Errors
    /// When the work took longer than `limit`, or panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&TaskLimits) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Stopped)?;
        let (sender, receiver) = oneshot::channel();
        let unwanted = Arc::new(AtomicBool::new(false));
        let _wanted = Wanted(Arc::clone(&unwanted));
        let own = TaskLimits {
            until: Instant::now() + limit,
            unwanted,
            budget: Arc::clone(&self.budget),
            held: Mutex::new(0),
        };
        thread::Builder::new()
            .name("ferronext-image".to_owned())
            .stack_size(STACK)
            .spawn(move || work_at(place, own, work, sender))
            .map_err(|_| Stopped)?;
        match tokio::time::timeout(limit, receiver).await {
            Ok(Ok(result)) => Ok(result),
            // The thread panicked, or is still at it and will see that it is too late.
            Ok(Err(_)) | Err(_) => Err(Stopped),
        }
    }

    #[cfg(test)]
    fn free_places(&self) -> usize {
        self.places.available_permits()
    }
}

fn work_at<T>(
    place: OwnedSemaphorePermit,
    own: TaskLimits,
    work: impl FnOnce(&TaskLimits) -> T,
    sender: oneshot::Sender<T>,
) {
    priority::lower(NICE);
    let result = work(&own);
    drop(own);
    // Before the result is sent, so that its receiver finds the place free.
    drop(place);
    let _ = sender.send(result);
}

impl TaskLimits {
    /// Whether to go on.
    ///
    /// # Errors
    /// When it took too long or no request waits.
    pub fn check(&self) -> Result<(), Stopped> {
        if self.unwanted.load(Ordering::Relaxed) || Instant::now() >= self.until {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    /// Takes so many bytes from what all work may hold, and waits until they are there. They are given back with the work.
    ///
    /// # Errors
    /// When it took too long or no request waits.
    pub fn hold(&self, bytes: u64) -> Result<(), Stopped> {
        // More than there is at all: alone, it may have everything.
        let bytes = bytes.min(self.budget.total);
        let mut left = self.budget.left.lock().unwrap_or_else(PoisonError::into_inner);
        while *left < bytes {
            self.check()?;
            let wait = self.until.saturating_duration_since(Instant::now());
            // Nothing wakes this thread when its client disconnects, so it checks from time to time.
            let wait = wait.min(Duration::from_millis(100));
            left = self
                .budget
                .returned
                .wait_timeout(left, wait)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        *left -= bytes;
        drop(left);
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) += bytes;
        Ok(())
    }

    /// The limits of work outside of a pool, for tests and tools.
    #[cfg(not(feature = "binding"))]
    pub fn alone(limit: Duration) -> TaskLimits {
        TaskLimits {
            until: Instant::now() + limit,
            unwanted: Arc::default(),
            budget: WorkerPool::new(1, BUDGET).budget,
            held: Mutex::new(0),
        }
    }
}

impl Drop for TaskLimits {
    fn drop(&mut self) {
        let held = *self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *self.budget.left.lock().unwrap_or_else(PoisonError::into_inner) += held;
        self.budget.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn work_is_done_in_turn_and_a_panic_costs_one_piece() {
        let pool = WorkerPool::new(1, 100);
        assert_eq!(pool.run(LONG, |_| 7).await, Ok(7));
        let failed = pool.run(LONG, |_| -> u32 { panic!("on purpose") }).await;
        assert_eq!(failed, Err(Stopped));
        assert_eq!(pool.run(LONG, |work| work.hold(1000)).await, Ok(Ok(())));
        assert_eq!(pool.run(LONG, |work| work.hold(100)).await, Ok(Ok(())));
        assert_eq!(pool.free_places(), 1);
    }

    #[tokio::test]
    async fn who_goes_away_leaves_the_queue() {
        let pool = WorkerPool::new(1, 100);
        let (go, wait) = mpsc::channel::<()>();
        let busy = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(LONG, move |_| wait.recv().is_ok()).await }
        });
        while pool.free_places() > 0 {
            tokio::task::yield_now().await;
        }
        let begun = Arc::new(AtomicUsize::new(0));
        let queued: Vec<_> = (0..10)
            .map(|_| {
                let (pool, begun) = (pool.clone(), Arc::clone(&begun));
                tokio::spawn(async move { pool.run(LONG, move |_| begun.fetch_add(1, Ordering::SeqCst)).await })
            })
            .collect();
        tokio::task::yield_now().await;
        for task in &queued {
            task.abort();
        }
        for task in queued {
            assert!(task.await.unwrap_err().is_cancelled());
        }
        go.send(()).unwrap();
        assert_eq!(busy.await.unwrap(), Ok(true));
        assert_eq!(pool.run(LONG, |_| 1).await, Ok(1));
        assert_eq!(begun.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_ends_and_frees_its_place() {
        let pool = WorkerPool::new(1, 100);
        let (told, tell) = tokio::sync::oneshot::channel();
        let running = tokio::spawn({
            let pool = pool.clone();
            async move {
                let _ = pool
                    .run(LONG, move |work| {
                        while work.check().is_ok() {
                            thread::yield_now();
                        }
                        let _ = told.send(());
                    })
                    .await;
            }
        });
        while pool.free_places() > 0 {
            tokio::task::yield_now().await;
        }
        running.abort();
        tell.await.unwrap();
        assert_eq!(pool.run(LONG, |_| 1).await, Ok(1));
    }

    #[tokio::test]
    async fn what_takes_too_long_is_given_up() {
        let pool = WorkerPool::new(1, 100);
        let limit = Duration::from_millis(20);
        let slow = pool.run(limit, |work| {
            while work.check().is_ok() {
                thread::yield_now();
            }
        });
        // The thread may see the end of its time just before the one who waits does.
        let _ = slow.await;
        assert_eq!(pool.run(LONG, |_| 1).await, Ok(1));
    }

    #[tokio::test]
    async fn what_is_held_together_is_bounded() {
        let pool = WorkerPool::new(4, 100);
        let now = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (pool, now) = (pool.clone(), Arc::clone(&now));
                tokio::spawn(async move {
                    pool.run(LONG, move |work| {
                        work.hold(60).unwrap();
                        let others = now.fetch_add(1, Ordering::SeqCst);
                        thread::yield_now();
                        now.fetch_sub(1, Ordering::SeqCst);
                        others
                    })
                    .await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(0));
        }
    }
}
