//! The messages of OTLP that carry spans, as far as they are used here, with the tags of `opentelemetry-proto`.

use prost::{Message, Oneof};

use super::SpanContext;

/// What is sent at once.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Export {
    #[prost(message, repeated, tag = "1")]
    pub(super) resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    pub(super) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(super) scope_spans: Vec<ScopeSpans>,
}

/// Who sends it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    pub(super) scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    pub(super) spans: Vec<Span>,
}

/// What has recorded the spans.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Scope {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    pub(super) name: String,
    #[prost(enumeration = "Kind", tag = "6")]
    pub(super) kind: i32,
    #[prost(fixed64, tag = "7")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    pub(super) end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(message, repeated, tag = "13")]
    pub(super) links: Vec<Link>,
    #[prost(message, optional, tag = "15")]
    pub(super) status: Option<Status>,
}

/// Which side of what a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Kind {
    /// It is not said.
    Unspecified = 0,
    /// Work within this process.
    Internal = 1,
    /// A request that came in.
    Server = 2,
    /// A request that went out, and is waited for.
    Client = 3,
    /// A message that was taken out of a queue.
    Consumer = 5,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Link {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) span_id: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(int32, tag = "3")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AnyValue {
    #[prost(oneof = "Value", tags = "1, 3")]
    pub(super) value: Option<Value>,
}

/// What an attribute says.
#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Value {
    /// Text.
    #[prost(string, tag = "1")]
    Text(String),
    /// A number.
    #[prost(int64, tag = "3")]
    Number(i64),
}

impl Status {
    /// It failed, as `outcome` says.
    pub(super) fn failed(outcome: &str) -> Self {
        Self { message: outcome.into(), code: 2 }
    }
}

impl KeyValue {
    pub(super) fn new(key: &str, value: impl Into<Value>) -> Self {
        Self { key: key.into(), value: Some(AnyValue { value: Some(value.into()) }) }
    }
}

impl From<SpanContext> for Link {
    fn from(context: SpanContext) -> Self {
        Self { trace_id: context.trace.into(), span_id: context.span.into() }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl Export {
    /// These spans, which `resource` has recorded.
    pub(super) fn new(resource: &Resource, spans: Vec<Span>) -> Self {
        let scope = Scope { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans }];
        Self { resource_spans: vec![ResourceSpans { resource: Some(resource.clone()), scope_spans }] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same message by Python's package `opentelemetry-proto` 1.45.2.
    const BY_ANOTHER: &str = "\
        0ac8010a200a1e0a0c736572766963652e6e616d65120e0a0c70726f6f662d73657276657212a3010a150a0c70726f6f662d7365\
        727665721205302e312e301289010a10010101010101010101010101010101011208020202020202020222080303030303030303\
        2a047772617030053904000000000000004105000000000000004a160a1073657874616e742e64656c6976657279120218026a1c\
        0a1006060606060606060606060606060606120807070707070707077a11120d70726f7665725f6661696c65641802";

    #[test]
    fn spans_are_written_as_by_others() {
        let context =
            |trace: u8, span: u8| SpanContext { trace: [trace; 16], span: [span; 8], sampled: true };
        let span = Span {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            parent_span_id: vec![3; 8],
            name: "wrap".into(),
            kind: Kind::Consumer.into(),
            start_time_unix_nano: 4,
            end_time_unix_nano: 5,
            attributes: vec![KeyValue::new("sextant.delivery", 2_u32)],
            links: vec![context(6, 7).into()],
            status: Some(Status::failed("prover_failed")),
        };
        let resource = Resource { attributes: vec![KeyValue::new("service.name", "proof-server")] };
        let scope = Scope { name: "proof-server".into(), version: "0.1.0".into() };
        let mut export = Export::new(&resource, vec![span]);
        export.resource_spans[0].scope_spans[0].scope = Some(scope);
        assert_eq!(hex::encode(export.encode_to_vec()), BY_ANOTHER);
    }
}
