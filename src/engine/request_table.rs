//! The requests in flight, by slot.
//!
//! In: a request that cannot be answered at once. Out: the number of its slot, and what happens with it next. The table is the only owner
//! of a [`RequestState`]; [`RequestTable::advance`] is the way to change one. It holds the lock while the change is worked out and drops
//! what the change displaced after it: a body may have a file to close, and the last holder of an image job ends the job.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::provenance::Provenance;
use super::request_state::{Next, RequestState, Revalidation};
use super::step::Step;
use crate::answer::registry::EntryCall;
use crate::request::{Origin, Request};
use crate::source::prerender::RunnerId;

/// All requests in flight of one build.
#[derive(Default)]
pub(crate) struct RequestTable {
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    requests: Vec<Option<Slot>>,
    /// Numbers that are used again.
    free: Vec<usize>,
}

enum Slot {
    InFlight(Box<InFlight>),
    Repeated(Repeated),
}

struct InFlight {
    state: RequestState,
    next: Next,
}

/// A request that calls an entry as another has done, until more of it must be known than that.
pub(crate) struct Repeated {
    head: String,
    encrypted: bool,
    runner: RunnerId,
    call: Arc<EntryCall>,
    /// Whether the call has been handed out.
    is_called: bool,
}

impl Repeated {
    /// The request `head` (`method\0target\0name\0value…`), whose entry is called by `call`.
    pub fn new(head: String, encrypted: bool, runner: RunnerId, call: Arc<EntryCall>) -> Repeated {
        Repeated {
            head,
            encrypted,
            runner,
            call,
            is_called: false,
        }
    }

    /// The request as routing would have left it. A call that has not been handed out is its next step.
    fn into_in_flight(self) -> InFlight {
        let request = Request::parse(self.head, self.encrypted, Origin::Client);
        let EntryCall {
            render,
            route,
            decision,
            ..
        } = &*self.call;
        let state = RequestState::new(request, self.runner, route.clone(), decision.clone());
        let next = if self.is_called {
            Next::Nothing
        } else {
            Next::Render(Box::new(render.clone()), Provenance::Uncacheable)
        };
        InFlight { state, next }
    }
}

impl Slot {
    fn runner(&self) -> RunnerId {
        match self {
            Slot::InFlight(in_flight) => in_flight.state.runner,
            Slot::Repeated(repeated) => repeated.runner,
        }
    }
}

/// What is due for a request.
pub(crate) enum Due {
    /// The same call as for another request before.
    Call(Arc<EntryCall>),
    /// A revalidation to begin; then ask again.
    Revalidation(Box<Revalidation>),
    /// A step.
    Step(Step),
    /// Nothing before what it waits for has come.
    Nothing,
}

impl RequestTable {
    /// Takes a request in.
    pub fn insert(&self, state: RequestState, next: Next) -> usize {
        self.put(Slot::InFlight(Box::new(InFlight { state, next })))
    }

    /// Takes a request in that calls an entry as another has done.
    pub fn insert_repeated(&self, repeated: Repeated) -> usize {
        self.put(Slot::Repeated(repeated))
    }

    fn put(&self, value: Slot) -> usize {
        let mut slots = self.lock();
        match slots.free.pop() {
            Some(slot) => {
                slots.requests[slot] = Some(value);
                slot
            }
            None => {
                slots.requests.push(Some(value));
                slots.requests.len() - 1
            }
        }
    }

    /// What is due for the request in `slot`. `None` when the slot is free.
    pub fn due(&self, slot: usize) -> Option<Due> {
        let mut slots = self.lock();
        if let Some(call) = slots.take_call(slot) {
            return Some(Due::Call(call));
        }
        let InFlight { state, next } = slots.get(slot)?;
        if let Some(revalidation) = state.revalidation.take() {
            return Some(Due::Revalidation(revalidation));
        }
        Some(next.take_step().map_or(Due::Nothing, Due::Step))
    }

    /// Reads the request in `slot`. `None` when the slot is free.
    pub fn look<R>(&self, slot: usize, look: impl FnOnce(&RequestState, &Next) -> R) -> Option<R> {
        let mut slots = self.lock();
        let InFlight { state, next } = slots.get(slot)?;
        Some(look(state, next))
    }

    /// Changes the request in `slot`: what happens next is what `change` returns. What happened before, and an image request that gave way to
    /// an error page, are dropped after the lock. A free slot stays free.
    pub fn advance(&self, slot: usize, change: impl FnOnce(&mut RequestState) -> Next) {
        let mut slots = self.lock();
        let Some(InFlight { state, next }) = slots.get(slot) else {
            return;
        };
        let new = change(state);
        let displaced = (std::mem::replace(next, new), state.take_displaced());
        drop(slots);
        drop(displaced);
    }

    /// Changes the request in `slot` and not what happens next. What `change` takes out it returns, so that it is dropped after the lock.
    pub fn update<R>(&self, slot: usize, change: impl FnOnce(&mut RequestState) -> R) -> Option<R> {
        let mut slots = self.lock();
        Some(change(&mut slots.get(slot)?.state))
    }

    /// Takes out what happens next with the request in `slot`, if `is_wanted`. It waits from then on.
    pub fn take_next(&self, slot: usize, is_wanted: impl FnOnce(&Next) -> bool) -> Option<Next> {
        let mut slots = self.lock();
        let next = &mut slots.get(slot)?.next;
        is_wanted(next).then(|| std::mem::replace(next, Next::Nothing))
    }

    /// Frees a slot.
    pub fn remove(&self, slot: usize) {
        let removed = self.lock().remove(slot);
        drop(removed);
    }

    /// Frees the slots of a runner that has ended.
    pub fn remove_of(&self, runner: RunnerId) {
        let mut slots = self.lock();
        let is_its = |place: &Option<Slot>| place.as_ref().is_some_and(|place| place.runner() == runner);
        let numbers: Vec<usize> = (0..slots.requests.len())
            .filter(|slot| is_its(&slots.requests[*slot]))
            .collect();
        let removed: Vec<Slot> = numbers.into_iter().filter_map(|slot| slots.remove(slot)).collect();
        drop(slots);
        drop(removed);
    }

    /// How many requests are in flight, internal ones included.
    pub fn len(&self) -> usize {
        let slots = self.lock();
        slots.requests.len() - slots.free.len()
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // A panic inside the lock can leave one request half changed; that request has failed anyway.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// The call of a request that repeats another, once, and only while nothing more was asked of it.
    fn take_call(&mut self, slot: usize) -> Option<Arc<EntryCall>> {
        match self.requests.get_mut(slot)? {
            Some(Slot::Repeated(repeated)) if !repeated.is_called => {
                repeated.is_called = true;
                Some(Arc::clone(&repeated.call))
            }
            _ => None,
        }
    }

    /// The request as routing has left it.
    fn get(&mut self, slot: usize) -> Option<&mut InFlight> {
        let place = self.requests.get_mut(slot)?;
        if let Some(Slot::Repeated(repeated)) = place.take_if(|held| matches!(held, Slot::Repeated(_))) {
            *place = Some(Slot::InFlight(Box::new(repeated.into_in_flight())));
        }
        match place {
            Some(Slot::InFlight(in_flight)) => Some(in_flight),
            _ => None,
        }
    }

    fn remove(&mut self, slot: usize) -> Option<Slot> {
        let value = self.requests.get_mut(slot)?.take()?;
        self.free.push(slot);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::registry::ResponseRegistry;
    use crate::engine::{Cause, ErrorPage, ImageOutcome, ImageQuestion, ImageReply, ImageRequest, InternalSlot, Phase};
    use crate::http::headers::HeaderList;
    use crate::request::{Headers, Method};
    use crate::route::{Decision, NotFound, OutputKind, Overlay, RouteState};
    use crate::source::image::jobs::Jobs;
    use crate::source::image::params::Params;
    use crate::source::image::source::ImageError;
    use crate::source::render::Render;
    use crate::url::Query;

    fn repeated(registry: &ResponseRegistry) -> Repeated {
        let render = Render {
            file: "server/pages/api/a.js".into(),
            kind: OutputKind::PagesApi,
            edge: false,
            page: "/api/a".into(),
            pathname: "/api/a".into(),
            params: None,
            query: None,
            init_query: Query::default(),
            url: "/api/a".into(),
            headers: HeaderList::new(),
            vary: None,
            drop_next_url: true,
            status: None,
            is_error_page: false,
            locale: None,
            default_locale: None,
            is_locale_domain: false,
            is_rsc: false,
            is_prefetch_rsc: false,
            segment_prefetch: None,
            is_data_request: false,
            rewritten_pathname: None,
            request_headers: Overlay::default(),
        };
        let call = registry.add_call(render, RouteState::default(), Decision::NotFound(NotFound::Page));
        Repeated::new("GET\0/api/a\0Host\0h".into(), false, 7, call)
    }

    #[test]
    fn the_call_of_a_repeated_request_is_due_once() {
        let (registry, table) = (ResponseRegistry::default(), RequestTable::default());
        let slot = table.insert_repeated(repeated(&registry));
        // As for its label, while its spans begin.
        table.look(slot, |state, next| {
            assert!(matches!(next, Next::Render(..)));
            assert_eq!(state.request.headers.get("host"), Headers::parse("Host\0h").get("host"));
        });
        assert!(matches!(table.due(slot), Some(Due::Step(Step::Render(_)))));
        assert!(matches!(table.due(slot), Some(Due::Nothing)));

        let slot = table.insert_repeated(repeated(&registry));
        let Some(Due::Call(call)) = table.due(slot) else {
            panic!("no call");
        };
        assert_eq!(registry.call(call.id).unwrap().render.page, "/api/a");
        assert!(matches!(table.due(slot), Some(Due::Nothing)));
        assert_eq!(table.len(), 2);
        table.remove(slot);
        assert_eq!(table.len(), 1);
        assert!(table.due(slot).is_none());
        table.remove_of(7);
        assert_eq!(table.len(), 0);
    }

    #[tokio::test]
    async fn the_last_holder_of_an_image_job_may_give_way_to_an_error_page() {
        let registry = ResponseRegistry::default();
        let table = Arc::new(RequestTable::default());
        let inner = table.insert_repeated(repeated(&registry));
        let jobs: Arc<Jobs<ImageOutcome, ImageQuestion, ImageReply>> = Arc::default();
        let requests = Arc::clone(&table);
        let job = jobs.join("image", |worker| async move {
            // Waits in the queue of the job, and frees its slot when it is dropped.
            let mut question = Some(InternalSlot::new(&requests, inner, "GET".into(), "/a.png".into()));
            worker
                .ask(|| {
                    question
                        .take()
                        .map_or(ImageQuestion::Get(String::new()), ImageQuestion::Internal)
                })
                .await;
            ImageOutcome::Failed(ImageError::Failed("not answered".into()))
        });
        tokio::task::yield_now().await;
        let request = Request::parse("GET\0/_next/image".into(), false, Origin::Client);
        let mut state = RequestState::new(request, 7, RouteState::default(), Decision::Image);
        state.enter(Phase::Image(Box::new(ImageRequest {
            params: Arc::new(Params {
                href: "/a.png".into(),
                absolute: false,
                immutable: false,
                width: 16,
                quality: 75,
                format: None,
                key: "a".into(),
            }),
            method: Method::Get,
            previous: None,
            job: Some(job),
            reply: None,
            outcome: None,
            cancel: Arc::default(),
        })));
        let slot = table.insert(state, Next::Nothing);
        assert_eq!(table.len(), 2);
        // In a thread of its own, so that a lock which is taken twice fails the test and does not hang it.
        let (sender, advanced) = std::sync::mpsc::channel();
        let other = Arc::clone(&table);
        std::thread::spawn(move || {
            other.advance(slot, |state| {
                state.enter(Phase::ErrorPage(ErrorPage {
                    status: 500,
                    headers: HeaderList::new(),
                    no_store: true,
                    cause: Cause::Other,
                }));
                Next::Nothing
            });
            let _ = sender.send(());
        });
        assert!(advanced.recv_timeout(std::time::Duration::from_secs(20)).is_ok());
        assert_eq!(table.len(), 1);
    }
}
