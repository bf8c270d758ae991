//! One piece of work for each image at a time, in the whole process.
//!
//! In: the key of an image that is not there. Out: a [`Job`], shared by all who ask for the same one meanwhile. The work goes on
//! while a request waits for it, whichever began it; when the last one goes away it ends, and its place in the queue is free. What the
//! work needs from JavaScript it asks one of them for ([`Question`]).

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use tokio::sync::{oneshot, watch, Notify};
use tokio::task::AbortHandle;

/// The jobs under way. `O` is what comes of a job, `Q` and `A` are its questions and their answers.
#[derive(Debug)]
pub struct Jobs<O, Q, A> {
    jobs: Mutex<ByKey<O, Q, A>>,
}

/// What is under way; the work itself belongs to those who wait.
type ByKey<O, Q, A> = HashMap<String, Weak<Job<O, Q, A>>>;

/// One piece of work. It goes on while anybody holds this.
#[derive(Debug)]
pub struct Job<O, Q, A> {
    all: Weak<Jobs<O, Q, A>>,
    key: String,
    outcome: watch::Sender<Option<O>>,
    questions: Mutex<VecDeque<Question<Q, A>>>,
    asked: Notify,
    task: OnceLock<AbortHandle>,
}

/// Something that only JavaScript can do. Dropped without an answer, another request is asked.
#[derive(Debug)]
pub struct Question<Q, A> {
    /// What is asked.
    pub what: Q,
    answer: oneshot::Sender<A>,
}

impl<Q, A> Question<Q, A> {
    /// Apart: what is asked, and where the answer goes.
    pub fn into_parts(self) -> (Q, oneshot::Sender<A>) {
        (self.what, self.answer)
    }
}

/// What comes next for one who waits.
#[derive(Debug)]
pub enum Next<O, Q, A> {
    /// The work is done.
    Done(O),
    /// Do this first, then wait on.
    Ask(Question<Q, A>),
    /// The work ended without an outcome: a fault of ours.
    Lost,
}

/// The side of the work itself.
#[derive(Debug)]
pub struct Worker<O, Q, A>(Weak<Job<O, Q, A>>);

impl<O, Q, A> Default for Jobs<O, Q, A> {
    fn default() -> Self {
        Jobs { jobs: Mutex::default() }
    }
}

impl<O, Q, A> Jobs<O, Q, A>
where
    O: Clone + Send + Sync + 'static,
    Q: Send + 'static,
    A: Send + 'static,
{
    /// The work for `key`: what is under way, or else what `start` makes. Must be called on a tokio runtime.
    pub fn join<F>(self: &Arc<Self>, key: &str, start: impl FnOnce(Worker<O, Q, A>) -> F) -> Arc<Job<O, Q, A>>
    where
        F: Future<Output = O> + Send + 'static,
    {
        let mut jobs = self.lock();
        if let Some(job) = jobs.get(key).and_then(Weak::upgrade) {
            return job;
        }
        let job = Arc::new(Job {
            all: Arc::downgrade(self),
            key: key.to_owned(),
            outcome: watch::Sender::new(None),
            questions: Mutex::default(),
            asked: Notify::new(),
            task: OnceLock::new(),
        });
        jobs.insert(key.to_owned(), Arc::downgrade(&job));
        drop(jobs);
        let work = start(Worker(Arc::downgrade(&job)));
        let worker = Worker(Arc::downgrade(&job));
        let task = tokio::spawn(async move {
            let outcome = work.await;
            worker.finish(outcome);
        });
        // Set once, here.
        let _ = job.task.set(task.abort_handle());
        let watched = Arc::downgrade(&job);
        tokio::spawn(async move {
            // A panic of the work must not leave anybody waiting.
            if task.await.is_err() {
                if let Some(job) = watched.upgrade() {
                    job.forget();
                    job.asked.notify_waiters();
                    job.outcome.send_modify(|_| {});
                }
            }
        });
        job
    }

    /// How many pieces of work are under way.
    #[cfg(test)]
    fn under_way(&self) -> usize {
        self.lock().values().filter(|job| job.strong_count() > 0).count()
    }
}

impl<O, Q, A> Jobs<O, Q, A> {
    fn lock(&self) -> MutexGuard<'_, ByKey<O, Q, A>> {
        // Every change is one call on the map.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O: Clone, Q, A> Job<O, Q, A> {
    /// Waits for the outcome, or for something to be done first.
    pub async fn next(&self) -> Next<O, Q, A> {
        let mut outcomes = self.outcome.subscribe();
        loop {
            let asked = self.asked.notified();
            tokio::pin!(asked);
            // Registered before the queue is looked at, so that no question falls between the two.
            asked.as_mut().enable();
            if let Some(outcome) = outcomes.borrow_and_update().clone() {
                return Next::Done(outcome);
            }
            if self.is_lost() {
                return Next::Lost;
            }
            if let Some(question) = self.questions().pop_front() {
                return Next::Ask(question);
            }
            tokio::select! {
                changed = outcomes.changed() => if changed.is_err() { return Next::Lost },
                () = asked => {}
            }
        }
    }
}

impl<O, Q, A> Job<O, Q, A> {
    fn is_lost(&self) -> bool {
        self.task.get().is_some_and(AbortHandle::is_finished) && self.outcome.borrow().is_none()
    }

    fn questions(&self) -> MutexGuard<'_, VecDeque<Question<Q, A>>> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request that comes from now on begins a new job.
    fn forget(&self) {
        if let Some(all) = self.all.upgrade() {
            let mut jobs = all.lock();
            let own = std::ptr::from_ref(self);
            if jobs.get(&self.key).is_some_and(|job| std::ptr::eq(job.as_ptr(), own)) {
                jobs.remove(&self.key);
            }
        }
    }
}

impl<O, Q, A> Drop for Job<O, Q, A> {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
        self.forget();
    }
}

impl<O, Q, A> Worker<O, Q, A> {
    /// Has something done in JavaScript. `what` is called again when the request that was to do it goes away. `None` when no request waits
    /// any more.
    pub async fn ask(&self, mut what: impl FnMut() -> Q) -> Option<A> {
        loop {
            let (answer, told) = oneshot::channel();
            {
                let job = self.0.upgrade()?;
                job.questions().push_back(Question { what: what(), answer });
                job.asked.notify_waiters();
            }
            if let Ok(answer) = told.await {
                return Some(answer);
            }
        }
    }

    fn finish(&self, outcome: O) {
        if let Some(job) = self.0.upgrade() {
            job.forget();
            job.outcome.send_replace(Some(outcome));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    type TestJobs = Jobs<u32, &'static str, u32>;

    fn done(next: Next<u32, &'static str, u32>) -> u32 {
        match next {
            Next::Done(value) => value,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_hundred_share_one_piece_of_work() {
        let jobs = Arc::new(TestJobs::default());
        let (runs, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let waiting: Vec<_> = (0..100)
            .map(|_| {
                let (runs, gate) = (Arc::clone(&runs), Arc::clone(&gate));
                let job = jobs.join("k", |_| async move {
                    gate.notified().await;
                    runs.fetch_add(1, Ordering::SeqCst) as u32 + 7
                });
                tokio::spawn(async move { done(job.next().await) })
            })
            .collect();
        assert_eq!(jobs.under_way(), 1);
        gate.notify_one();
        for task in waiting {
            assert_eq!(task.await.unwrap(), 7);
        }
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        assert_eq!(jobs.under_way(), 0);
    }

    #[tokio::test]
    async fn work_ends_when_the_last_one_goes() {
        struct Ended(Option<oneshot::Sender<()>>);
        impl Drop for Ended {
            fn drop(&mut self) {
                if let Some(sender) = self.0.take() {
                    let _ = sender.send(());
                }
            }
        }
        let jobs = Arc::new(TestJobs::default());
        let (sender, ended) = oneshot::channel();
        let mark = Ended(Some(sender));
        let first = jobs.join("k", |_| async move {
            let _mark = mark;
            std::future::pending().await
        });
        let second = jobs.join("k", |_| async { 1 });
        assert!(Arc::ptr_eq(&first, &second));
        drop(first);
        tokio::task::yield_now().await;
        assert_eq!(jobs.under_way(), 1);
        drop(second);
        ended.await.unwrap();
        assert_eq!(jobs.under_way(), 0);
        let third = jobs.join("k", |_| async { 3 });
        assert_eq!(done(third.next().await), 3);
    }

    #[tokio::test]
    async fn a_question_goes_to_another_when_its_reader_leaves() {
        let jobs = Arc::new(TestJobs::default());
        let job = jobs.join(
            "k",
            |worker| async move { worker.ask(|| "what?").await.unwrap_or(0) * 2 },
        );
        match job.next().await {
            Next::Ask(question) => drop(question),
            other => panic!("{other:?}"),
        }
        match job.next().await {
            Next::Ask(question) => {
                let (what, answer) = question.into_parts();
                assert_eq!(what, "what?");
                answer.send(21).unwrap();
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(done(job.next().await), 42);
    }

    #[tokio::test]
    async fn a_panic_leaves_nobody_waiting() {
        let jobs = Arc::new(TestJobs::default());
        let job = jobs.join("k", |_| async { panic!("on purpose") });
        assert!(matches!(job.next().await, Next::Lost));
        assert_eq!(done(jobs.join("k", |_| async { 1 }).next().await), 1);
    }
}
