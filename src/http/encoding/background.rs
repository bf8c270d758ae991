//! Work that no request waits for.
//!
//! In: a piece of work. Out: nothing; it keeps its result itself. One thread for the whole process, of low priority, so that
//! compressing a build's files after a start takes no core from requests. It ends when there is nothing left to do.

use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::priority;

type Work = Box<dyn FnOnce() + Send>;

/// How much may wait. Each holds a body of at most a megabyte, which is in a cache anyway as long as it is wanted.
const MOST: usize = 256;

/// How much less often than others the thread gets a core that is wanted (`nice`; 19 is the most).
const NICE: i32 = 19;

struct Queue {
    waiting: VecDeque<Work>,
    running: bool,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    waiting: VecDeque::new(),
    running: false,
});

/// Does the work some time. `false` when too much is waiting.
pub(super) fn run(work: impl FnOnce() + Send + 'static) -> bool {
    let mut queue = queue();
    if queue.waiting.len() >= MOST {
        return false;
    }
    queue.waiting.push_back(Box::new(work));
    if !queue.running {
        let thread = thread::Builder::new().name("ferronext-encode".to_owned());
        queue.running = thread.spawn(drain).is_ok();
        if !queue.running {
            queue.waiting.pop_back();
            return false;
        }
    }
    true
}

/// Waits until what was put in before has been done: it is one thread's, in order.
#[cfg(test)]
pub(crate) async fn done() {
    let (done, told) = tokio::sync::oneshot::channel();
    assert!(run(move || done.send(()).unwrap()));
    told.await.unwrap();
}

fn drain() {
    priority::lower(NICE);
    loop {
        let work = {
            let mut queue = queue();
            match queue.waiting.pop_front() {
                Some(work) => work,
                None => {
                    queue.running = false;
                    return;
                }
            }
        };
        // What fails leaves no result, and the fast variant stays.
        let _ = catch_unwind(AssertUnwindSafe(work));
    }
}

fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}
