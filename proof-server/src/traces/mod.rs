//! Traces: the way of one request through entrypoint, queue and stages, in whichever processes, as spans for an
//! OpenTelemetry collector.
//!
//! Off unless `otlp-endpoint` names a collector; then nothing is recorded, and what other processes say of their traces is
//! passed on. A span is sent when it ends, which dropping it does too: what is given up half-way is in the trace. Nothing
//! here waits or fails, whatever becomes of the spans: the `exporter` has them from a queue that loses what it has no room
//! for. `context` is what names a span in other processes, `otlp` what collectors read.
//!
//! No span says who asks: neither names nor addresses of clients, nor messages of errors, which quote them.

mod context;
mod exporter;
mod otlp;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(crate) use context::SpanContext;
use exporter::Outlet;
pub use exporter::TracesError;
pub(crate) use exporter::{Collector, collector, start};
pub(crate) use otlp::{Kind, Value};

/// What a span says has come of it.
const OUTCOME: &str = "sextant.outcome";
/// What is said where nobody waited for an outcome.
const CANCELLED: &str = "cancelled";

/// Where spans are recorded, if they are.
#[derive(Clone, Default)]
pub(crate) struct Traces(Option<Arc<Outlet>>);

/// A place in a trace: spans begin below it, in this process and others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    traces: Traces,
    context: Option<SpanContext>,
}

/// A span that goes on. Handles are cheap to clone; with the last one it ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    trace: Trace,
    recording: Option<Arc<Recording>>,
}

/// A span that is recorded.
struct Recording {
    outlet: Arc<Outlet>,
    span: Mutex<otlp::Span>,
}

impl Traces {
    /// A request comes in: its span is below `parent`, or the first of a new trace.
    pub(crate) fn request(&self, name: &'static str, parent: Option<SpanContext>) -> Span {
        match (&self.0, parent) {
            (Some(outlet), None) => self.record(outlet, name, Kind::Server, SpanContext::root(), None),
            _ => self.within(parent).span(name, Kind::Server),
        }
    }

    /// The place that another process has named.
    pub(crate) fn within(&self, context: Option<SpanContext>) -> Trace {
        Trace { traces: self.clone(), context }
    }

    fn record(
        &self,
        outlet: &Arc<Outlet>,
        name: &str,
        kind: Kind,
        context: SpanContext,
        parent: Option<SpanContext>,
    ) -> Span {
        let span = otlp::Span {
            trace_id: context.trace.into(),
            span_id: context.span.into(),
            parent_span_id: parent.map(|parent| parent.span.into()).unwrap_or_default(),
            name: name.into(),
            kind: kind.into(),
            start_time_unix_nano: nanos(SystemTime::now()),
            ..otlp::Span::default()
        };
        let recording = Recording { outlet: outlet.clone(), span: Mutex::new(span) };
        Span { trace: self.within(Some(context)), recording: Some(Arc::new(recording)) }
    }
}

impl Trace {
    /// A span below this place, which begins now. Of no trace, or one that nobody records, it is none.
    pub(crate) fn span(&self, name: &str, kind: Kind) -> Span {
        match (&self.traces.0, self.context) {
            (Some(outlet), Some(parent)) if parent.sampled => {
                self.traces.record(outlet, name, kind, parent.child(), Some(parent))
            }
            _ => Span { trace: self.clone(), recording: None },
        }
    }

    /// What this place is called in other processes.
    pub(crate) fn traceparent(&self) -> Option<String> {
        self.context.map(|context| context.to_string())
    }
}

impl Span {
    /// The place below which its parts belong.
    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Says something of it, once.
    pub(crate) fn set(&self, key: &'static str, value: impl Into<Value>) {
        self.change(|span| span.attributes.push(otlp::KeyValue::new(key, value)));
    }

    /// It has begun earlier, so many milliseconds after 1970.
    pub(crate) fn since(&self, unix_ms: u64) {
        self.change(|span| {
            let began = nanos(UNIX_EPOCH + Duration::from_millis(unix_ms));
            // Clocks differ: it does not end before it begins.
            span.start_time_unix_nano = began.min(span.start_time_unix_nano);
        });
    }

    /// What it waits for is recorded in another trace.
    pub(crate) fn link(&self, other: &Trace) {
        if let Some(context) = other.context {
            self.change(|span| span.links.push(context.into()));
        }
    }

    /// Ends it: `ok`, `cancelled`, or what it failed by.
    pub(crate) fn end(self, outcome: &'static str) {
        self.change(|span| {
            span.attributes.push(otlp::KeyValue::new(OUTCOME, outcome));
            if outcome != "ok" && outcome != CANCELLED {
                span.status = Some(otlp::Status::failed(outcome));
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut otlp::Span)) {
        if let Some(recording) = &self.recording {
            // Nothing panics while it holds the lock.
            change(&mut recording.span.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let mut span = std::mem::take(self.span.get_mut().unwrap_or_else(PoisonError::into_inner));
        if !span.attributes.iter().any(|attribute| attribute.key == OUTCOME) {
            span.attributes.push(otlp::KeyValue::new(OUTCOME, CANCELLED));
        }
        span.end_time_unix_nano = nanos(SystemTime::now()).max(span.start_time_unix_nano);
        self.outlet.send(span);
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Traces(on)" } else { "Traces(off)" })
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recording")
    }
}

fn nanos(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}
