//! Requests that were answered before, and need not be routed again.
//!
//! In: a request that says nothing but what it wants ([`Plain`]). Out: the answer that such a request got before, if what it was
//! made from is still what would be sent; or the same compiled entry, called in the same way. Routing depends on the target alone then,
//! and is what most of an answer from memory costs: 9 of 14 microseconds of processor time on a busy server, whose caches hold Node's
//! code and not ours.
//!
//! Whether an answer is still good is asked of where it came from, the same cache of pages or files, so that revalidation,
//! expiry, eviction and changes on disk count here as they do elsewhere. A target is remembered when it comes for the second time.

use std::hash::{BuildHasher, Hash, RandomState};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::flight::{Flight, Next, Progress, Step};
use super::image::found;
use super::label;
use crate::answer::page::Page;
use crate::answer::picture::{Found, Picture};
use crate::answer::prepared::{EntryCall, Prepared};
use crate::build::ListingRoot;
use crate::engine::Engine;
use crate::request::{is_heeded, Origin, Plain, Request, SetBefore};
use crate::route::{Decision, RedirectReason};
use crate::source::bounded::{self, Bounds};
use crate::source::file::StoredFile;
use crate::source::prerender::{Driver, Freshness};
use crate::source::render::Render;

/// Bytes of remembered targets: some 30,000.
const MAX_BYTES: u64 = 8 << 20;

/// What a remembered target takes beside its text: key, value and the cache's own.
const OVERHEAD: u64 = 256;

/// What the call of an entry takes beside that: some thirty small texts.
const CALL: u64 = 1536;

/// How many targets are known to have come once. Two that share a place are as if only the later one had come.
const ONCE: usize = 4096;

/// Answers by request.
pub(crate) struct Shortcuts {
    /// Whether the app's rules look at targets alone.
    is_open: bool,
    kept: Cache<Key, Arc<Shortcut>, ByBytes>,
    /// Hashes of what has come once.
    once: Box<[AtomicU64]>,
    hashes: RandomState,
    /// Changes when routing does.
    generation: AtomicU64,
}

/// A way past routing.
#[derive(Debug)]
struct Shortcut {
    leads_to: LeadsTo,
    /// What the request is called in metrics and logs.
    label: Box<str>,
    generation: u64,
}

/// Where a way past routing leads.
#[derive(Debug)]
enum LeadsTo {
    /// To an answer, if it is still what its source gives.
    Answer(Weak<Prepared>, Source),
    /// To an answer that follows from the target, and from nothing else.
    Fixed(Arc<Prepared>),
    /// To an entry.
    Entry(Arc<EntryCall>),
}

/// A request that calls an entry as another has done, until more has to be known of it than that.
pub(crate) struct Repeated {
    head: String,
    encrypted: bool,
    pub driver: Driver,
    call: Arc<EntryCall>,
    is_told: bool,
}

impl Repeated {
    /// How the entry is called, for who asks first.
    pub fn call(&mut self) -> Option<Arc<EntryCall>> {
        let is_first = !std::mem::replace(&mut self.is_told, true);
        is_first.then(|| Arc::clone(&self.call))
    }

    /// The request as routing would have left it. What has not been told yet is told by its next step.
    pub fn into_flight(self) -> Flight {
        let request = Request::parse(self.head, self.encrypted, Origin::Client);
        let EntryCall {
            render,
            state,
            decision,
            ..
        } = &*self.call;
        let mut flight = Flight::new(request, self.driver, state.clone(), decision.clone());
        if !self.is_told {
            flight.next = Next::Step(Step::Render(Box::new(render.clone())));
        }
        flight
    }
}

/// What is known of where an answer comes from, while a request is served.
#[derive(Debug, Default)]
pub(crate) enum Origins {
    /// Nothing.
    #[default]
    Unknown,
    /// More than one thing, or a fault that the log is told of each time.
    Several,
    /// An entry makes it, and the target alone says which.
    Entry,
    /// It was made from this, and from nothing else that can change.
    One(Source),
}

/// What an answer was made from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A page that was fresh, by its key.
    Page(String, Weak<Page>),
    /// A file in memory.
    File(ListingRoot, String, Weak<StoredFile>),
    /// A picture that was there, by its key.
    Picture(String, Weak<Picture>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    encrypted: bool,
    is_subresource: bool,
    target: Box<str>,
    accept_encoding: Box<str>,
    accept: Box<str>,
}

/// A key that is not owned; hashes as [`Key`] does.
#[derive(Hash)]
struct KeyRef<'a> {
    encrypted: bool,
    is_subresource: bool,
    target: &'a str,
    accept_encoding: &'a str,
    accept: &'a str,
}

impl<'a> KeyRef<'a> {
    fn new(plain: Plain<'a>, encrypted: bool) -> Self {
        KeyRef {
            encrypted,
            is_subresource: plain.is_subresource,
            target: plain.target,
            accept_encoding: plain.accept_encoding,
            accept: plain.accept,
        }
    }

    fn owned(&self) -> Key {
        Key {
            encrypted: self.encrypted,
            is_subresource: self.is_subresource,
            target: self.target.into(),
            accept_encoding: self.accept_encoding.into(),
            accept: self.accept.into(),
        }
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.encrypted == key.encrypted
            && self.is_subresource == key.is_subresource
            && self.target == &*key.target
            && self.accept_encoding == &*key.accept_encoding
            && self.accept == &*key.accept
    }
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Arc<Shortcut>> for ByBytes {
    fn weight(&self, key: &Key, shortcut: &Arc<Shortcut>) -> u64 {
        let texts = (key.target.len() + key.accept_encoding.len() + key.accept.len()) as u64;
        match &shortcut.leads_to {
            LeadsTo::Entry(_) => CALL + 4 * texts,
            LeadsTo::Answer(..) | LeadsTo::Fixed(_) => OVERHEAD + texts,
        }
    }
}

impl Shortcuts {
    /// No ways yet, and none ever unless `is_open`.
    pub fn new(is_open: bool) -> Shortcuts {
        let weight = if is_open { MAX_BYTES } else { 0 };
        let bounds = Bounds {
            weight,
            entries: (weight / OVERHEAD).max(64),
            parts: 4,
        };
        Shortcuts {
            is_open,
            kept: bounded::cache(bounds, ByBytes),
            once: (0..ONCE).map(|_| AtomicU64::new(0)).collect(),
            hashes: RandomState::new(),
            generation: AtomicU64::new(0),
        }
    }

    /// Routing has changed: nothing that is remembered counts any more.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells routing before a change from routing after it.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    fn keep(&self, asked: Key, flight: &Flight, leads_to: LeadsTo, generation: u64) {
        let shortcut = Shortcut {
            leads_to,
            label: label::label_of(flight).into(),
            generation,
        };
        self.kept.insert(asked, Arc::new(shortcut));
    }

    /// Whether a request has come before, as far as is known. From now on it has.
    fn has_come(&self, asked: &KeyRef<'_>) -> bool {
        let hash = self.hashes.hash_one(asked) | 1; // 0 is an empty place
        let place = &self.once[(hash >> 1) as usize % ONCE];
        place.swap(hash, Ordering::Relaxed) == hash
    }
}

impl Engine {
    /// What becomes of a request (`method\0target\0name\0value…`) that is like one that has come before. `None` if it has to be
    /// routed. `name` is told its route if it can be answered at once.
    pub fn begin_again(
        &self,
        head: &str,
        encrypted: bool,
        driver: Driver,
        name: impl FnOnce(&str),
    ) -> Option<Progress> {
        let shortcuts = &self.shortcuts;
        // The log of decisions wants to see each of them made.
        if !shortcuts.is_open || tracing::enabled!(target: "ferronext::route", tracing::Level::DEBUG) {
            return None;
        }
        let plain = Plain::of(head)?;
        let shortcut = shortcuts.kept.get(&KeyRef::new(plain, encrypted))?;
        if shortcut.generation != shortcuts.generation() || self.heeds(&shortcut.leads_to, plain.set_before) {
            return None;
        }
        let answer = match &shortcut.leads_to {
            LeadsTo::Answer(answer, source) => self.is_good(source).then(|| answer.upgrade())??,
            LeadsTo::Fixed(answer) => Arc::clone(answer),
            LeadsTo::Entry(call) => {
                let slot = self.flights().insert_repeated(Repeated {
                    head: head.to_owned(),
                    encrypted,
                    driver,
                    call: Arc::clone(call),
                    is_told: false,
                });
                return Some(Progress::Slot(slot));
            }
        };
        name(&shortcut.label);
        Some(Progress::Answer(answer))
    }

    /// Whether an answer is another one for what the user's server has set on the response.
    fn heeds(&self, leads_to: &LeadsTo, set_before: SetBefore<'_>) -> bool {
        let page = match leads_to {
            LeadsTo::Answer(_, Source::Page(_, page)) => page.upgrade(),
            _ => None,
        };
        let says = |name| page.as_ref().is_some_and(|page| page.says(name));
        set_before.headers().any(|(name, _)| is_heeded(name) || says(name))
    }

    /// Whether what an answer was made from is what would be sent now.
    fn is_good(&self, source: &Source) -> bool {
        match source {
            Source::Page(key, made_from) => self.cache.page(key).is_some_and(|page: Arc<Page>| {
                ptr::eq(Arc::as_ptr(&page), made_from.as_ptr()) && self.freshness(&page) == Freshness::Fresh
            }),
            Source::File(root, path, made_from) => self
                .files
                .current(self.root(*root), path)
                .is_some_and(|file| ptr::eq(Arc::as_ptr(&file), made_from.as_ptr())),
            Source::Picture(key, made_from) => self.images.memory.get(key).is_some_and(|picture| {
                ptr::eq(Arc::as_ptr(&picture), made_from.as_ptr()) && found(&picture.entry) == Found::Hit
            }),
        }
    }

    /// Remembers what a request was answered with. Out: the same, with a number if it is to be remembered.
    pub(super) fn remember(&self, flight: &mut Flight, answered: Progress, generation: u64) -> Progress {
        let origins = std::mem::take(&mut flight.origins);
        match (answered, origins, &flight.decision) {
            (Progress::Answer(answer), Origins::One(source), _) => {
                if let Some(asked) = self.has_come_twice(flight) {
                    let leads_to = LeadsTo::Answer(Arc::downgrade(&answer), source);
                    self.shortcuts.keep(asked, flight, leads_to, generation);
                }
                Progress::Answer(answer)
            }
            (Progress::Once(answer), _, Decision::Redirect(redirect)) if redirect.reason != RedirectReason::Locale => {
                let Some(asked) = self.has_come_twice(flight) else {
                    return Progress::Once(answer);
                };
                let answer = self.table.add(answer.status, answer.headers, answer.body);
                let leads_to = LeadsTo::Fixed(Arc::clone(&answer));
                self.shortcuts.keep(asked, flight, leads_to, generation);
                Progress::Answer(answer)
            }
            (answered, ..) => answered,
        }
    }

    /// Remembers how an entry is called.
    pub(super) fn remember_call(&self, flight: &Flight, render: &Render, generation: u64) {
        if !matches!(flight.origins, Origins::Entry) {
            return;
        }
        if let Some(asked) = self.has_come_twice(flight) {
            let (state, decision) = (flight.state.clone(), flight.decision.clone());
            let call = self.table.add_call(render.clone(), state, decision);
            self.shortcuts.keep(asked, flight, LeadsTo::Entry(call), generation);
        }
    }

    /// The key of a plain request that has come before.
    fn has_come_twice(&self, flight: &Flight) -> Option<Key> {
        if !self.shortcuts.is_open || flight.request.origin != Origin::Client || flight.heeds_response.get() {
            return None;
        }
        let asked = KeyRef::new(Plain::of(flight.request.head())?, flight.request.encrypted);
        self.shortcuts.has_come(&asked).then(|| asked.owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::prepared::PreparedTable;
    use crate::engine::Flights;
    use crate::request::Headers;
    use crate::route::{NotFound, OutputKind, Overlay, RouteState};
    use crate::url::Query;

    fn repeated(table: &PreparedTable) -> Repeated {
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
            headers: Vec::new(),
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
        Repeated {
            head: "GET\0/api/a\0Host\0h".into(),
            encrypted: false,
            driver: 7,
            call: table.add_call(render, RouteState::default(), Decision::NotFound(NotFound::Page)),
            is_told: false,
        }
    }

    #[test]
    fn a_repeated_request_is_told_once_whoever_looks_at_it_before() {
        let (table, mut flights) = (PreparedTable::default(), Flights::default());
        let slot = flights.insert_repeated(repeated(&table));
        // As for its label, while its spans begin.
        let flight = flights.get(slot).unwrap();
        assert!(matches!(flight.next, Next::Step(Step::Render(_))));
        assert_eq!(
            flight.request.headers.get("host"),
            Headers::parse("Host\0h").get("host")
        );
        assert!(flights.repeated(slot).is_none());

        let slot = flights.insert_repeated(repeated(&table));
        let call = flights.repeated(slot).and_then(Repeated::call).unwrap();
        assert_eq!(table.call(call.id).unwrap().render.page, "/api/a");
        assert!(flights.repeated(slot).and_then(Repeated::call).is_none());
        assert!(matches!(flights.get(slot).unwrap().next, Next::Nothing));
        assert_eq!(flights.len(), 2);
        flights.remove(slot);
        assert_eq!(flights.len(), 1);
    }

    #[test]
    fn what_has_come_once_is_known() {
        let shortcuts = Shortcuts::new(true);
        let asked = |target| KeyRef::new(Plain::of(target).unwrap(), false);
        assert!(!shortcuts.has_come(&asked("GET\0/a")));
        assert!(shortcuts.has_come(&asked("GET\0/a")));
        assert!(!shortcuts.has_come(&asked("GET\0/b")));
        assert!(!shortcuts.has_come(&asked("GET\0/a\0Accept-Encoding\0gzip")));
        let key = asked("GET\0/a").owned();
        assert!(asked("GET\0/a").equivalent(&key) && !asked("GET\0/b").equivalent(&key));
    }
}
