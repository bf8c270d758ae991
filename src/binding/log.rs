//! What the server has to tell its operator, on its way to Node's console.
//!
//! In: warnings and errors of this crate, from any thread, and what else `DEBUG` or `FERRONEXT_LOG` asks for. Out: calls of
//! the function that `index.js` registers, which prints a line where the app's own console goes. Upstream prints the same
//! faults with `console.error`.

use std::fmt::{Debug, Write};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread::{self, ThreadId};

use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::Status;
use napi_derive::napi;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;

use super::fault::to_js;
use crate::error::{Code, Error};

type Line = FnArgs<(&'static str, String)>;

/// Weak: a process does not stay alive for lines that may come.
type Printer = ThreadsafeFunction<Line, (), Line, Status, false, true>;

/// One for each thread of JavaScript that has an app. Engines are shared between threads, and so are their lines:
/// the first thread that still runs prints them.
static PRINTERS: Mutex<Vec<(ThreadId, Printer)>> = Mutex::new(Vec::new());

/// Registers the function that prints this thread's lines: `(method of console, text)`. There is one while an app of the
/// thread is open, so that a test runner finds nothing left over.
#[napi(js_name = "setPrinter")]
pub fn set_printer(
    #[napi(ts_arg_type = "(method: 'warn' | 'error', text: string) => void")] print: Function<'static, Line, ()>,
) -> napi::Result<()> {
    let printer = print.build_threadsafe_function().weak::<true>().build()?;
    let this_thread = thread::current().id();
    let mut printers = PRINTERS.lock().unwrap_or_else(PoisonError::into_inner);
    printers.retain(|(thread, printer)| *thread != this_thread && !printer.aborted());
    printers.push((this_thread, printer));
    drop(printers);
    // Fails for every thread but the first, which has set it.
    let _ = tracing::subscriber::set_global_default(Lines);
    Ok(())
}

/// The apps of this thread are closed. Lines that still come go to stderr, unless another thread prints them.
#[napi(js_name = "clearPrinter")]
pub fn clear_printer() {
    let this_thread = thread::current().id();
    let mut printers = PRINTERS.lock().unwrap_or_else(PoisonError::into_inner);
    printers.retain(|(thread, _)| *thread != this_thread);
}

fn print(method: &'static str, text: String) {
    let mut printers = PRINTERS.lock().unwrap_or_else(PoisonError::into_inner);
    printers.retain(|(_, printer)| !printer.aborted());
    match printers.first() {
        Some((_, printer)) => {
            printer.call(FnArgs::from((method, text)), ThreadsafeFunctionCallMode::NonBlocking);
        }
        None => eprintln!("{text}"),
    }
}

/// What is asked for beside warnings and errors.
static ASKED: RwLock<Option<Targets>> = RwLock::new(None);

/// Asks for more lines, in the notation of `RUST_LOG`: `debug`, or `ferronext::route=debug,ferronext::cache=debug`.
#[napi(js_name = "setLogFilter")]
pub fn set_log_filter(filter: String) -> napi::Result<(), String> {
    let targets: Targets = filter.parse().map_err(|error| {
        to_js(Error::new(
            Code::BadConfig,
            format!("FERRONEXT_LOG is {filter:?}, which is no filter: {error}. Try FERRONEXT_LOG=debug."),
        ))
    })?;
    *ASKED.write().unwrap_or_else(PoisonError::into_inner) = Some(targets);
    // What was decided once for each place that logs is decided again.
    tracing::callsite::rebuild_interest_cache();
    Ok(())
}

/// Whether lines of JavaScript's are asked for: `start` or `render`.
#[napi(js_name = "isTraced")]
pub fn is_traced(what: String) -> bool {
    match what.as_str() {
        "start" => tracing::enabled!(target: "ferronext::start", Level::DEBUG),
        "render" => tracing::enabled!(target: "ferronext::render", Level::DEBUG),
        _ => false,
    }
}

/// A line of JavaScript's, under the same filter as those of Rust.
#[napi]
pub fn trace(what: String, text: String) {
    match what.as_str() {
        "start" => tracing::debug!(target: "ferronext::start", "{text}"),
        "render" => tracing::debug!(target: "ferronext::render", "{text}"),
        _ => {}
    }
}

/// Takes the events of this crate; others mean nothing to the operator of an app.
struct Lines;

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if !metadata.target().starts_with(env!("CARGO_CRATE_NAME")) {
            return false;
        }
        let asked = ASKED.read().unwrap_or_else(PoisonError::into_inner);
        *metadata.level() <= Level::WARN
            || asked
                .as_ref()
                .is_some_and(|targets| targets.would_enable(metadata.target(), metadata.level()))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let asked = ASKED.read().unwrap_or_else(PoisonError::into_inner);
        let most = asked.as_ref().and_then(|targets| {
            let levels = targets.iter().map(|(_, level)| level);
            levels.chain(targets.default_level()).max()
        });
        Some(most.map_or(LevelFilter::WARN, |level| level.max(LevelFilter::WARN)))
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let metadata = event.metadata();
        match *metadata.level() {
            Level::ERROR => print("error", text.0),
            Level::WARN => print("warn", text.0),
            // Standard output may be the app's; tracing goes where `DEBUG` of other packages goes.
            _ => print(
                "error",
                format!("  {} {}", metadata.target().replace("::", ":"), text.0),
            ),
        }
    }

    // Spans are not used.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The message of an event, without its fields.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
