//! The Node addon: the only module that knows napi.
//!
//! In: calls from `index.js` and `runtime/`. Out: numbers and small objects. One call carries a request in, one answer
//! comes out; what takes time returns a promise and runs on tokio.
//!
//! - [`next`] the public function
//! - [`open`] and [`engine`] a build that is being served; [`version`] what its version of Next.js does
//! - [`middleware`] what middleware has answered
//! - [`cache`] what compiled entries read, store and revalidate; [`memo`] what functions marked `'use cache'` have given
//! - [`proxy`] a request that another server answers
//! - [`answer`] answers as they cross
//! - [`step`] what Node has to do next for a request
//! - [`text`] a text that is read without being copied twice
//! - [`encoder`] compression of bodies that JavaScript writes
//! - [`constants`] what both sides must agree on
//! - [`log`] what the operator has to be told
//! - [`metrics`] what has been answered, for Prometheus

// First: modules that add methods to its class must be expanded after it, or napi-derive does not know the class's name in
// JavaScript, and which name the class gets depends on the order in which the linker lays out what registers it.
mod engine;

mod answer;
mod cache;
mod cached_image;
mod constants;
mod encoder;
mod fault;
mod image;
mod log;
mod memo;
mod metrics;
mod middleware;
mod next;
mod open;
mod proxy;
mod registry;
mod step;
mod text;
mod version;

/// A request makes some thirty small allocations, and Node's threads and tokio's free each other's. Measured on the hot path:
/// 20 % of the time of `begin` with the system's allocator.
///
/// Version 2 of mimalloc, not 3: 3.3.2 frees the heap of the thread that loaded it when that thread ends, and gives it to the next one
/// that gets the same address. When a worker thread loads the addon first, as in Vitest's pool of threads, that ended in SIGSEGV.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
