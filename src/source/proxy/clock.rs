//! How long a silence may last.
//!
//! In: signs of life in either direction. Out: the end of what waits, once there was none for the whole limit. Upstream sets
//! `socket.setTimeout` on the connection; it fires after that much inactivity, not after that much time.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{sleep_until, Instant};

/// There was no sign of life for the whole limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence;

/// Watches for silence.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    /// Milliseconds from `started` to the last sign of life.
    last: AtomicU64,
    limit: Option<Duration>,
}

impl Clock {
    /// A clock that starts now. Without a limit it waits for ever.
    pub fn new(limit: Option<Duration>) -> Clock {
        Clock {
            started: Instant::now(),
            last: AtomicU64::new(0),
            limit,
        }
    }

    /// A sign of life.
    pub fn tick(&self) {
        self.last
            .store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Waits for `work`, but not through a silence.
    pub async fn watch<T>(&self, work: impl Future<Output = T>) -> Result<T, Silence> {
        let Some(limit) = self.limit else {
            return Ok(work.await);
        };
        tokio::pin!(work);
        loop {
            let end = self.started + Duration::from_millis(self.last.load(Ordering::Relaxed)) + limit;
            if Instant::now() >= end {
                return Err(Silence);
            }
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = sleep_until(end) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_silence_ends_the_wait() {
        let clock = Clock::new(Some(Duration::from_millis(100)));
        let lively = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(60)).await;
                clock.tick();
            }
        };
        assert_eq!(clock.watch(lively).await, Ok(()));
        assert_eq!(clock.watch(std::future::pending::<()>()).await, Err(Silence));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_ends_it() {
        let clock = Clock::new(None);
        let work = tokio::time::sleep(Duration::from_secs(86_400));
        assert_eq!(clock.watch(work).await, Ok(()));
    }
}
