//! What the server has to tell its operator, on its way to Node's console.
//!
//! In: warnings and errors of this crate, from any thread. Out: calls of the function that `index.js` registers, which
//! prints a line where the app's own console goes. Upstream prints the same faults with `console.error`.

use std::fmt::{Debug, Write};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::Status;
use napi_derive::napi;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

type Line = FnArgs<(&'static str, String)>;

/// Weak: a process does not stay alive for lines that may come.
type Printer = ThreadsafeFunction<Line, (), Line, Status, false, true>;

/// One for each thread of JavaScript that has an app. Engines are shared between threads, and so are their lines:
/// the first thread that still runs prints them.
static PRINTERS: Mutex<Vec<(ThreadId, Printer)>> = Mutex::new(Vec::new());

/// Registers the function that prints this thread's lines: `(method of console, text)`. There is one while an app of the
/// thread is open, so that a test runner finds nothing left over.
#[napi(js_name = "setPrinter")]
pub fn set_printer(print: Function<'static, Line, ()>) -> napi::Result<()> {
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

/// Takes the events of this crate; others mean nothing to the operator of an app.
struct Lines;

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let is_error = *event.metadata().level() == Level::ERROR;
        print(if is_error { "error" } else { "warn" }, text.0);
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
